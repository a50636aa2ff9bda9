"""Ways in that meet: mail through SOCKS, through TLS to the proxy and behind a PROXY header, on connections that served
something else before; and what reloads, signals and time do to a dialogue in its middle."""

import re
import signal
import socket
import struct
import threading
import time

from harness import (
    CONNECT,
    SILENT,
    TLS10,
    WAY,
    Gateway,
    HttpOrigin,
    MailClient,
    RawClient,
    RawOrigin,
    SmtpOrigin,
    TlsPeer,
    TokenEndpoint,
    base64_of,
    bridge,
    check,
    check_equal,
    check_in,
    client_context,
    client_hello,
    first_certificate,
    forward,
    leaf,
    mail_gateway,
    mail_upgraded,
    of_protocol,
    one_record,
    run_stories,
    secrets_file,
    story,
    users_file,
    wait_until,
)

NAME = "mail.floor.test"
PORTS = "443, 80, 25, 110, 143, 465, 587, 993, 995"
RULE = {"rule up.destination": "*.floor.test", "rule up.action": "upgrade", "access.port": PORTS}
ADMIN = {"admin.listen": "127.0.0.1:0", "gateway.threads": "1"}
MESSAGE = b"Subject: scan\r\n\r\na page\r\n.\r\n"
USERS = {"scanner": ("dev1ce-pw", "scanner@contoso.example")}
LOGIN = f"AUTH PLAIN {base64_of(chr(0) + 'scanner' + chr(0) + 'dev1ce-pw')}"
GREETING = {"smtp": "220 ", "imap": "* OK", "pop3": "+OK"}
GOODBYE = {"smtp": "QUIT", "imap": "z9 LOGOUT", "pop3": "QUIT"}


class Inner:
    """What a socket can, over TLS that is there."""

    def __init__(self, peer):
        self.sendall = peer.write
        self.recv = peer.read
        self.shutdown = lambda how: peer.end()
        self.close = peer.close


class Through(MailClient):
    """A mail client on a connection that is there."""

    def __init__(self, sock, origin):  # pylint: disable=super-init-not-called
        self.sock, self.name, self.protocol = sock, origin.name, origin.protocol
        self.peer, self.buffer = None, bytearray()


def server(protocol="smtp", **more):
    return of_protocol(protocol)(name=NAME, certificate=leaf(), **more)


def by_socks(gateway, origin):
    client = RawClient(gateway.ports["socks"])
    name = origin.name.encode()
    client.send(b"\5\1\0", b"\5\1\0\3" + bytes([len(name)]) + name + struct.pack(">H", origin.asked_port))
    check_equal(client.receive(12), b"\5\0" + b"\5\0\0\1" + bytes(6), "answers")
    return client.sock


def by_outer_tls(gateway, origin):
    peer = TlsPeer(RawClient(gateway.ports["secure"]).sock, client_context("1.2", "1.3"), "localhost").handshake()
    where = f"{origin.name}:{origin.asked_port}"
    peer.write(f"CONNECT {where} HTTP/1.1\r\nHost: {where}\r\n\r\n".encode())
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += peer.read_exactly(1)
    check_in(b"HTTP/1.1 200 ", head, "the answer to CONNECT")
    return Inner(peer)


def by_outer_tls_and_socks(gateway, origin):
    peer = TlsPeer(RawClient(gateway.ports["socks-secure"]).sock, client_context("1.2", "1.3"), "localhost").handshake()
    name = origin.name.encode()
    peer.write(b"\5\1\0" + b"\5\1\0\3" + bytes([len(name)]) + name + struct.pack(">H", origin.asked_port))
    check_equal(peer.read_exactly(12), b"\5\0" + b"\5\0\0\1" + bytes(6), "answers")
    return Inner(peer)


def by_kept_connection(gateway, origin):
    """Behind a plain request, on the same connection."""
    client = RawClient(gateway.proxy)
    client.send(b"GET http://plain.floor.test/ HTTP/1.1\r\nHost: plain.floor.test\r\n\r\n")
    head = client.receive_until(b"\r\n\r\n")
    client.receive(int(re.search(rb"(?i)content-length: *(\d+)", head)[1]))
    return client.connect(origin.name, origin.asked_port).sock


WAYS_IN = (by_socks, by_outer_tls, by_outer_tls_and_socks, by_kept_connection)


def all_ways():
    certificate, key = leaf()
    secure = {"tls": "on", "certificate": certificate, "key": key, "listen": "127.0.0.1:0"}
    return {
        "listener socks.listen": "127.0.0.1:0",
        "listener socks.kind": "socks5",
        **{f"listener secure.{name}": value for name, value in {**secure, "kind": "connect"}.items()},
        **{f"listener socks-secure.{name}": value for name, value in {**secure, "kind": "socks5"}.items()},
        "rule plain.destination": "plain.floor.test",
        "rule plain.action": "tunnel",
        **RULE,
    }


def talk(client, way, version, gateway):
    """A dialogue from the greeting to the goodbye, in plain text or with STARTTLS. Answers with the certificate."""
    certificate = None
    check(client.greet().startswith(GREETING[client.protocol]), f"the greeting by {way.__name__}")
    if version != "plain":
        client.ask_for_tls()
        client.start_tls(version, None if version == "1.2" else gateway.ca)
        certificate = client.certificate()
        if client.protocol == "smtp":
            client.ehlo()
    if client.protocol == "smtp":
        check_in("250 2.0.0 OK", client.message(MESSAGE), f"the answer to the message by {way.__name__}")
    client.say(GOODBYE[client.protocol])
    client.close()
    return certificate


@story
def mail_is_upgraded_and_tunnelled_by_every_way_in():
    for protocol in ("smtp", "imap", "pop3"):
        with HttpOrigin() as plain, server(protocol) as origin:
            with Gateway(plain, origin, settings=all_ways(), upgrades=True) as gateway:
                for way in WAYS_IN:
                    for version in ("plain", "1.0", "1.2"):
                        shown = talk(Through(way(gateway, origin), origin), way, version, gateway)
                        if version == "1.2":
                            check_equal(shown, first_certificate(leaf()), f"the certificate by {way.__name__}")
                        else:
                            gateway.record(mail_upgraded(version, protocol))
                        if version == "1.0":
                            check(shown != first_certificate(leaf()), "an old client sees the server's certificate")


@story
def mail_below_the_floor_is_refused_by_every_way_in():
    with HttpOrigin() as plain, server() as origin:
        settings = {**all_ways(), "rule up.action": "tunnel"}
        with Gateway(plain, origin, settings=settings, upgrades=True) as gateway:
            for way in WAYS_IN:
                client = Through(way(gateway, origin), origin)
                client.greet()
                check_in("554 5.7.10 ", client.say("MAIL FROM:<a@b.example>"), f"the answer by {way.__name__}")
                check_equal(client.rest(), b"", "what follows")
                client.close()
                gateway.record({"event.action": "not-tls", "event.code": "mail-cleartext"})
        check(all("MAIL" not in command for s in origin.sessions for command in s.commands()), "it passed")


@story
def who_is_behind_a_balancer_is_who_the_header_says():
    header = b"PROXY TCP4 10.9.8.7 192.0.2.1 4711 587\r\n"
    for client_tls in ("none", "optional", "implicit"):
        with server() as origin, mail_gateway(origin, client_tls, RULE, accept_proxy="on") as gateway:
            for first in (1, len(header) - 1, len(header)):
                client = MailClient(gateway, origin)
                client.send(header[:first])
                client.send(header[first:])
                if client_tls == "implicit":
                    client.start_tls("1.0", gateway.ca)
                client.greet()
                check_in("250 2.0.0 OK", client.message(MESSAGE), "the answer to the message")
                client.say("QUIT")
                client.close()
                inside = "1.0" if client_tls == "implicit" else "plain"
                gateway.record({**mail_upgraded(inside), "source.ip": "10.9.8.7", "tlsfloor.via.ip": "127.0.0.1"})


@story
def who_says_nothing_where_a_header_belongs_leaves_no_record():
    settings = {**RULE, "limits.hello_s": "0.3"}
    with server() as origin, mail_gateway(origin, settings=settings, accept_proxy="on") as gateway:
        with RawClient(gateway.ports[WAY]) as client:
            client.receive_all()
        check_equal(origin.sessions, [], "connections to the server")


def bridged(origin, endpoint, **settings):
    ways = bridge(origin, users_file(**USERS), secrets_file(endpoint))
    return Gateway(origin, endpoint, settings={**ways, **RULE, **ADMIN, **settings}, upgrades=True)


def without(ini, *sections):
    """The file without them."""
    kept = [f"[{part}" for part in f"\n{ini}".split("\n[")[1:] if part.split("]")[0] not in sections]
    return "\n".join(kept)


def without_ca(ini):
    return ini.replace("directory = ", "directory = off ; ")


def without_keys(ini, *keys):
    return "\n".join(line for line in ini.split("\n") if line.split(" = ")[0] not in keys)


@story
def a_login_that_waits_outlives_a_reload():
    with SmtpOrigin(name=NAME, certificate=leaf(), auth="XOAUTH2") as origin, TokenEndpoint() as endpoint:
        with bridged(origin, endpoint) as gateway:
            endpoint.gate.clear()
            with MailClient(gateway, origin) as client:
                client.greet()
                client.send(f"{LOGIN}\r\n".encode())
                wait_until(lambda: endpoint.forms, "the endpoint is asked")
                gateway.reload(gateway.ini.replace("drain_s = 5", "drain_s = 4"))
                endpoint.gate.set()
                check_in("235 ", client.line(), "the answer to the login")
                check_in("250 2.0.0 OK", client.message(MESSAGE), "the answer to the message")
                client.say("QUIT")
            gateway.record(mail_upgraded())


@story
def a_login_whose_listener_a_reload_takes_away_is_told_to_come_again():
    changes = (
        lambda ini: without(ini, f"listener {WAY}"),
        lambda ini: without_keys(ini, "bridge", "users", "oauth"),
        lambda ini: without_ca(without(ini, f"listener {WAY}", "rule up")),
    )
    for change in changes:
        with SmtpOrigin(name=NAME, certificate=leaf(), auth="XOAUTH2") as origin, TokenEndpoint() as endpoint:
            with bridged(origin, endpoint) as gateway:
                endpoint.gate.clear()
                with MailClient(gateway, origin) as client:
                    client.greet()
                    client.send(f"{LOGIN}\r\n".encode())
                    wait_until(lambda: endpoint.forms, "the endpoint is asked")
                    gateway.reload(change(gateway.ini))
                    endpoint.gate.set()
                    check_in("421 4.", client.line(), "the answer to the login")
                    check_equal(client.rest(), b"", "what follows")
                gateway.record(mail_upgraded())
            check_equal(origin.session().logins, [], "logins at the server")


@story
def a_reload_may_add_a_CA_to_a_listener_with_a_certificate_of_its_own():
    certificate, key = leaf()
    with server() as origin:
        settings = {**forward(origin, "starttls", certificate=certificate, key=key), "access.port": PORTS}
        with Gateway(origin, settings=settings, upgrades=True) as gateway:
            gateway.reload(without_ca(gateway.ini))
            gateway.reload(gateway.ini)
            with MailClient(gateway, origin) as client:
                client.greet()


@story
def a_dialogue_goes_on_while_the_gateway_drains():
    with HttpOrigin() as plain, server() as origin:
        with Gateway(plain, origin, settings={**all_ways(), "limits.drain_s": "20"}, upgrades=True) as gateway:
            clients = [Through(way(gateway, origin), origin) for way in WAYS_IN]
            for client in clients:
                client.greet()
            half = RawClient(gateway.ports["socks"])
            half.send(b"\5\1\0")
            check_equal(half.receive(2), b"\5\0", "the method")
            gateway.signal(signal.SIGTERM)
            check(gateway.stderr.wait(lambda lines: any("drain" in line for line in lines)), "it drains")
            for client in clients:
                check_in("250 2.0.0 OK", client.message(MESSAGE), "the answer to the message")
                client.say("QUIT")
                client.close()
            name = NAME.encode()
            half.send(b"\5\1\0\3" + bytes([len(name)]) + name + struct.pack(">H", 587))
            check_equal(half.receive(10), b"\5\0\0\1" + bytes(6), "the answer to a request that was half made")
            last = Through(half.sock, origin)
            last.greet()
            last.say("QUIT")
            last.close()
            for _ in range(len(clients) + 1):
                gateway.record(mail_upgraded())
            gateway.finish()


@story
def a_client_that_has_said_all_it_has_to_say_hears_every_answer():
    says = {
        "smtp": (b"EHLO a\r\nNOOP\r\nQUIT\r\n", b"\r\n221 2.0.0 "),
        "imap": (b"a NOOP\r\nb LOGOUT\r\n", b"\r\nb OK "),
        "pop3": (b"CAPA\r\nQUIT\r\n", b".\r\n+OK "),
    }
    for protocol, (commands, last) in says.items():
        for action in ("tunnel", "upgrade"):
            with server(protocol) as origin:
                with mail_gateway(origin, "optional", {**RULE, "rule up.action": action}) as gateway:
                    with MailClient(gateway, origin) as client:
                        client.send(commands)
                        client.sock.shutdown(socket.SHUT_WR)
                        check_in(last, client.rest(), f"the last answer, with {action}")
                    if action == "upgrade":
                        gateway.record(mail_upgraded(protocol=protocol))


@story
def an_upgrade_that_ends_in_silence_is_an_upgrade_all_the_same():
    settings = {**RULE, **ADMIN, "limits.mail_s": "0.5"}
    with server() as origin, mail_gateway(origin, "optional", settings) as gateway:
        for version in ("plain", "1.0"):
            with MailClient(gateway, origin) as client:
                client.greet()
                if version != "plain":
                    client.ask_for_tls()
                    client.start_tls(version, gateway.ca)
                check_in("421 4.4.2 ", client.line(), "the last words")
                check_equal(client.rest(), b"", "what follows")
            gateway.record({**mail_upgraded(version), "tlsfloor.step": None})
        wait_until(lambda: gateway.metric("tlsfloor_sessions_active") == 0, "no session is left")
        check_equal(gateway.metric("tlsfloor_upgrades_total"), 2, "upgrades")
        check_equal(gateway.metric("tlsfloor_blocked_total"), 0, "blocks")
        check_equal(gateway.metric("tlsfloor_errors_total", reason="idle"), 2, "errors")


@story
def bytes_that_drip_do_not_hold_a_session():
    settings = {**RULE, "limits.mail_s": "1"}
    with server() as origin, mail_gateway(origin, settings=settings) as gateway:
        with MailClient(gateway, origin) as client:
            client.greet()
            began = time.monotonic()
            stop = threading.Event()

            def drip():
                while not stop.wait(0.2) and time.monotonic() - began < 10:
                    client.sock.send(b"x")

            dripper = threading.Thread(target=drip)
            dripper.start()
            check_in("421 4.4.2 ", client.line(), "the last words")
            took = time.monotonic() - began
            stop.set()
            dripper.join()
            check(took < 5, f"it took {took:.1f} s")
        gateway.record(mail_upgraded())


@story
def a_client_that_leaves_while_the_server_is_asked_ends_the_session_at_once():
    with server(answers={"STARTTLS": SILENT}) as origin:
        with mail_gateway(origin, "implicit", {**RULE, **ADMIN}) as gateway:
            client = MailClient(gateway, origin)
            client.send(one_record(client_hello(TLS10, NAME)))
            origin.live_session().wait_told("STARTTLS")
            client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            client.sock.close()
            wait_until(lambda: gateway.metric("tlsfloor_sessions_active") == 0, "no session is left")


NO_MAIL = (b"\1binary, and not a line\n", b"\r\n", b"* \r\n", b"x" * 20000)


def something_else(port, greeting):
    """A server that greets, and then says again what it is told."""

    def script(connection):
        connection.send(greeting)
        while data := connection.recv():
            connection.send(data)

    origin = RawOrigin(script, name=NAME)
    origin.asked_port, origin.protocol = port, "smtp"
    return origin


@story
def what_is_no_mail_passes_on_its_ports_while_it_is_only_watched():
    for settings in ({"floor.mode": "monitor"}, {"rule w.action": "monitor", "rule w.destination": "*.floor.test"}):
        settings = {**settings, "access.port": PORTS}
        for port, greeting in ((25, b"220 here\r\n"), (143, b"* OK here\r\n"), (110, b"+OK here\r\n")):
            with something_else(port, greeting) as origin, Gateway(origin, settings=settings) as gateway:
                for says in NO_MAIL:
                    with MailClient(gateway, origin, CONNECT) as client:
                        client.line()
                        client.send(says)
                        check_equal(client.receive(len(says)), says, f"the echo on port {port}")
                    gateway.record({"event.action": "tls-version-would-block", "destination.port": port})
            with something_else(port, NO_MAIL[0]) as origin, Gateway(origin, settings=settings) as gateway:
                with MailClient(gateway, origin, CONNECT) as client:
                    check_equal(client.receive(len(NO_MAIL[0])), NO_MAIL[0], f"what a server says on port {port}")


run_stories()
