"""Mail by and for peers that misbehave: whoever says too much, too little, nonsense or nothing, or leaves in the middle
of anything, has at most one record, and leaves nothing behind."""

import contextlib
import os
import re
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from unittest.mock import patch

from harness import (
    CLOSE,
    CONNECT,
    SILENT,
    TLS10,
    USER,
    WAY,
    Gateway,
    MailClient,
    RawOrigin,
    SmtpOrigin,
    base64_of,
    check,
    check_equal,
    check_in,
    client_hello,
    forward,
    leaf,
    mail_gateway,
    mail_upgraded,
    of_protocol,
    one_record,
    run_stories,
    story,
    wait_until,
)

HERE = "mail.floor.test"
PROTOCOLS = ("smtp", "imap", "pop3")
SAYS_NO = {"smtp": ("554 5.", "421 4."), "imap": ("* BYE ",), "pop3": ("-ERR ",)}
RULE = {"rule up.destination": HERE, "rule up.action": "upgrade"}
ADMIN = {"admin.listen": "127.0.0.1:0", "gateway.threads": "1"}
ASKS_FOR_TLS = {"smtp": b"EHLO a\r\nSTARTTLS\r\n", "imap": b"a STARTTLS\r\n", "pop3": b"STLS\r\n"}
LOGS_IN = {"imap": b"a CAPABILITY\r\nb LOGIN c d\r\n", "pop3": b"CAPA\r\nUSER a\r\nPASS b\r\n"}
MOST_KIB = 4096  # that a flood may add
# What is freed must not count, which a sanitizer keeps in case that it is used again.
MEASURED = {"ASAN_OPTIONS": "quarantine_size_mb=1"}
MESSAGE = b"Subject: x\r\n\r\ntext\r\n.\r\n"


def server(protocol, **more):
    return of_protocol(protocol)(name=HERE, certificate=leaf(), **more)


def both_ways(origin, **settings):
    """A gateway that follows, and then one that upgrades."""
    yield from _each(Gateway(origin, settings={**forward(origin), **ADMIN, **settings}))
    yield from _each(mail_gateway(origin, "optional", {**RULE, **ADMIN, **settings}))


def _each(context):
    with context as gateway:
        yield gateway


def settle(gateway, most=None):
    """No session is left, and each line that was written is known. Answers with the codes of the records."""
    wait_until(lambda: gateway.metric("tlsfloor_sessions_active") == 0, "no session is left")
    judged = ("tlsfloor_blocked_total", "tlsfloor_would_block_total", "tlsfloor_upgrades_total")
    count = sum(gateway.metric(name) for name in judged)
    wait_until(lambda: gateway.metric("tlsfloor_log_written_total") == count, f"{count} lines in the log")
    codes = [gateway.record()["event.code"] for _ in range(count)]
    check(most is None or len(codes) <= most, f"more than {most} records: {codes}")
    return codes


def memory_kib(gateway):
    with open(f"/proc/{gateway.process.pid}/status", encoding="ascii") as f:
        return int(re.search(r"VmRSS:\s+(\d+) kB", f.read())[1])


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    sock.close()


def last_words(client):
    """All that came, whatever the end was like."""
    heard = b""
    with contextlib.suppress(ConnectionResetError, BrokenPipeError):
        heard = client.rest()
    return heard


@story
def a_line_without_an_end_is_refused():
    for protocol in PROTOCOLS:
        with server(protocol) as origin:
            for gateway in both_ways(origin):
                with MailClient(gateway, origin) as client:
                    client.line()
                    client.send(b"NOOP " + b"x" * 13000)
                    heard = last_words(client)
                    check(any(no.encode() in heard for no in SAYS_NO[protocol]), f"the answer is {heard}")
                    check_equal(settle(gateway), ["mail-malformed"], "records")


@story
def a_line_of_the_longest_kind_passes():
    line = b"NOOP " + b"x" * (12288 - 7) + b"\r\n"
    with server("smtp") as origin:
        for gateway in both_ways(origin):
            with MailClient(gateway, origin) as client:
                client.greet()
                client.send(line)
                check_equal(client.line()[:4], "250 ", "the answer")
                client.say("QUIT")
            settle(gateway, 1)


@story
def nonsense_gets_an_answer_or_an_end_and_one_record_at_most():
    for protocol in PROTOCOLS:
        rubbish = (b"\0\0\0\0\r\n", b"\xff\xfe\r\n", b"\r\n", b"\n", b" \r\n", b"* OK\r\n", b"{5}\r\n", b"a1\r\n",
                   b"a LOGIN {99999999999999999999}\r\n", b"a {4}\r\nabcd\r\n", b"BDAT 99999999999999999999 LAST\r\n",
                   b"BDAT -1\r\n", b"GET / HTTP/1.1\r\n\r\n", b"EHLO a\0b\r\n",
                   one_record(client_hello(TLS10, HERE)))  # fmt: skip
        with server(protocol) as origin:
            for gateway in both_ways(origin):
                for n, bytes_ in enumerate(rubbish, 1):
                    with MailClient(gateway, origin) as client:
                        client.line()
                        client.send(bytes_)
                        client.sock.shutdown(socket.SHUT_WR)
                        last_words(client)
                    check(gateway.metric("tlsfloor_log_written_total") <= n, f"two records, the last for {bytes_}")
                settle(gateway, len(rubbish))


@story
def a_client_that_begins_with_TLS_at_once_is_told_apart():
    for protocol in PROTOCOLS:
        for client_tls in ("none", "optional", "starttls"):
            with server(protocol) as origin, mail_gateway(origin, client_tls, RULE) as gateway:
                with MailClient(gateway, origin) as client:
                    client.send(one_record(client_hello(TLS10, HERE)))
                    heard = last_words(client)
                    check(any(no.encode() in heard for no in SAYS_NO[protocol]), f"the answer is {heard}")
                record = gateway.record({"event.code": "mail-malformed", "event.action": "malformed"})
                check_in("client_tls = implicit", record["tlsfloor.detail"], "why")


@story
def half_a_line_and_then_silence_ends_in_time():
    for protocol in PROTOCOLS:
        for says in (b"", b"NO"):
            with server(protocol) as origin:
                for gateway in both_ways(origin, **{"limits.mail_s": "0.5"}):
                    with MailClient(gateway, origin) as client:
                        client.line()
                        client.send(says)
                        began = time.monotonic()
                        heard = last_words(client)
                        check(any(heard.startswith(no.encode()) for no in SAYS_NO[protocol]), f"the end is {heard}")
                        check(time.monotonic() - began < 5, "it took too long")
                        settle(gateway, 1)


@story
def silence_behind_STARTTLS_ends_in_time():
    for protocol in PROTOCOLS:
        limits = {"limits.hello_s": "0.5", "limits.handshake_s": "0.5"}
        with server(protocol) as origin:
            for gateway in both_ways(origin, **limits):
                with MailClient(gateway, origin) as client:
                    client.greet()
                    client.ask_for_tls()
                    last_words(client)
                    settle(gateway, 1)


@story
def a_server_that_says_nothing_ends_in_time():
    for protocol in PROTOCOLS:
        for at in ("greeting", "STLS" if protocol == "pop3" else "STARTTLS"):
            settings = {"limits.mail_s": "0.5", "limits.handshake_s": "0.5"}
            with server(protocol, answers={at: SILENT}) as origin:
                for gateway in both_ways(origin, **settings):
                    with MailClient(gateway, origin) as client:
                        if at != "greeting":
                            client.send(ASKS_FOR_TLS[protocol])
                        heard = last_words(client)
                        check(any(no.encode() in heard for no in SAYS_NO[protocol]), f"the end is {heard}")
                        settle(gateway, 1)


@story
def a_server_that_does_not_speak_mail_is_an_error_of_the_network():
    for protocol in PROTOCOLS:
        for says in (b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0" * 20000, b"2" * 20000, b"what\r\n", b""):

            def script(connection, says=says):
                connection.send(says)

            origin = RawOrigin(script, name=HERE)
            origin.protocol = protocol
            origin.asked_port = {"smtp": 587, "imap": 143, "pop3": 110}[protocol]
            with origin:
                for gateway in both_ways(origin):
                    with MailClient(gateway, origin) as client:
                        heard = last_words(client)
                        says_no = any(heard.startswith(no.encode()) for no in SAYS_NO[protocol])
                        check(says_no, f"{says[:9]} is answered with {heard}")
                        check_equal(settle(gateway), [], "records")


@story
def a_client_that_does_not_read_holds_up_nobody_and_no_memory():
    chunk = b"NOOP\r\n" * 10000
    with server("smtp") as origin, patch.dict(os.environ, MEASURED):
        for gateway in both_ways(origin):
            with MailClient(gateway, origin) as client:
                client.greet()
                before = memory_kib(gateway)
                client.sock.settimeout(1)
                with contextlib.suppress(TimeoutError):
                    for _ in range(500):
                        client.sock.sendall(chunk)
                with MailClient(gateway, origin) as other:
                    other.greet()
                    check_in("221 ", other.say("QUIT"), "the other client's goodbye")
                check(memory_kib(gateway) < before + MOST_KIB, f"it grew from {before} to {memory_kib(gateway)} KiB")
            settle(gateway, 2)


@story
def a_server_that_never_ends_its_answer_takes_no_memory():
    def script(connection):
        with contextlib.suppress(OSError):
            while True:
                connection.send(b"220-and on\r\n" * 1000)

    origin = RawOrigin(script, name=HERE)
    origin.protocol, origin.asked_port = "smtp", 587
    with origin, patch.dict(os.environ, MEASURED):
        for gateway in both_ways(origin):
            with MailClient(gateway, origin) as client:
                before = memory_kib(gateway)
                client.sock.settimeout(20)
                got = 0
                while got < 1 << 20:
                    data = client.sock.recv(65536)
                    if not data:
                        break
                    got += len(data)
                check(memory_kib(gateway) < before + MOST_KIB, f"it grew from {before} to {memory_kib(gateway)} KiB")
            settle(gateway, 1)


def dialogue(client, gateway):
    """What a scanner does, step by step."""
    yield client.greet
    yield client.ask_for_tls
    yield lambda: client.start_tls("1.0", gateway.ca)
    yield client.ehlo
    yield lambda: client.say(f"AUTH LOGIN {base64_of(USER)}")
    yield lambda: client.say(base64_of("secret"))
    yield lambda: client.say("MAIL FROM:<a@b.example>")
    yield lambda: client.say("RCPT TO:<c@d.example>")
    yield lambda: client.say("DATA")
    yield lambda: client.send(MESSAGE[:10])


@story
def a_client_may_leave_at_any_time():
    for leave in (socket.socket.close, reset):
        with server("smtp") as origin, mail_gateway(origin, "optional", {**RULE, **ADMIN}) as gateway:
            for steps in range(11):
                client = MailClient(gateway, origin)
                for _, step in zip(range(steps), dialogue(client, gateway)):
                    step()
                leave(client.sock)
            codes = settle(gateway, 11)
            check(codes.count("client-upgraded") >= 7, f"upgrades are missing in {codes}")


@story
def a_client_in_plain_text_may_leave_at_any_time():
    lines = (b"EHLO a\r\n", b"MAIL FROM:<a@b.example>\r\n", b"RCPT TO:<c@d.example>\r\n", b"DATA\r\n", b"half a mess")
    for protocol in PROTOCOLS:
        for leave in (socket.socket.close, reset):
            with server(protocol) as origin:
                for gateway in both_ways(origin):
                    for n in range(len(lines) + 1):
                        client = MailClient(gateway, origin)
                        client.line()
                        client.send(b"".join(lines[:n]))
                        leave(client.sock)
                    settle(gateway, len(lines) + 1)


@story
def a_server_may_leave_at_any_time():
    for at in ("greeting", "EHLO", "STARTTLS", "AUTH", "login", "MAIL", "RCPT", "DATA", "message"):
        with server("smtp", answers={at: CLOSE}) as origin:
            with mail_gateway(origin, "optional", {**RULE, **ADMIN}) as gateway:
                with MailClient(gateway, origin) as client:
                    with contextlib.suppress(EOFError, ConnectionResetError, BrokenPipeError, AssertionError):
                        client.greet()
                        client.say(f"AUTH LOGIN {base64_of(USER)}")
                        client.say(base64_of("secret"))
                        client.message(MESSAGE)
                    last_words(client)
                settle(gateway, 1)


@story
def servers_of_readers_may_leave_at_any_time():
    places = {
        "imap": ("greeting", "CAPABILITY", "STARTTLS", "LOGIN"),
        "pop3": ("greeting", "CAPA", "STLS", "USER", "PASS"),
    }
    for protocol, verbs in places.items():
        for at in verbs:
            with server(protocol, answers={at: CLOSE}) as origin:
                for gateway in both_ways(origin):
                    with MailClient(gateway, origin) as client:
                        client.send(LOGS_IN[protocol])
                        last_words(client)
                    settle(gateway, 1)


@story
def a_hundred_clients_at_once_add_up():
    def send(n):
        with MailClient(gateway, origin, WAY if n % 2 else CONNECT) as client:
            client.greet()
            if n % 3 == 0:
                client.ask_for_tls()
                client.start_tls("1.0", gateway.ca)
                client.ehlo()
            check_in("250 2.0.0 OK", client.message(f"Subject: {n}\r\n\r\n.\r\n".encode()), "the answer")
            client.say("QUIT")
            client.close()

    settings = {**RULE, **ADMIN, "gateway.threads": "2"}
    with server("smtp") as origin, mail_gateway(origin, "optional", settings) as gateway:
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(send, range(100)))
        codes = settle(gateway)
        check_equal((codes.count("mail-upgraded"), codes.count("client-upgraded")), (66, 34), "upgrades")
        subjects = sorted(int(m.split()[1]) for s in origin.sessions for m in s.messages)
        check_equal(subjects, list(range(100)), "what the server got")


@story
def live_sessions_end_with_the_gateway():
    with SmtpOrigin() as origin, mail_gateway(origin, settings={"limits.drain_s": "0.5"}) as gateway:
        client = MailClient(gateway, origin)
        client.greet()
        gateway.signal(signal.SIGTERM)
        gateway.record(mail_upgraded())
        last_words(client)
        client.close()
        gateway.finish()


run_stories()
