"""What logs look like and where they go: JSON that its schema describes, W3C lines that tools for IIS read, files that
are rotated, syslog by every transport."""

import contextlib
import fnmatch
import glob
import gzip
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import jsonschema

from harness import (
    CONNECT,
    SNI,
    TLS10,
    Gateway,
    MailClient,
    OfficeOrigin,
    RawClient,
    SmtpOrigin,
    TlsOrigin,
    alert,
    check,
    check_equal,
    check_in,
    client_hello,
    curl,
    mail_gateway,
    one_record,
    program,
    reach,
    run_stories,
    story,
    wait_until,
)

OLD = one_record(client_hello(TLS10))
OFFICE = "outlook.office365.com"
WITH_ADMIN = {"admin.listen": "127.0.0.1:0"}
UPGRADE_CODES = {"client-upgraded", "client-terminated", "plain-upgraded", "mail-upgraded"}
SYSLOG = re.compile(rb"<(\d+)>1 (\S+Z) (\S+) tlsfloor (\d+) (\w+) - (\{.*\})", re.DOTALL)

with open("conf/ecs-record.schema.json", encoding="utf-8") as f:
    SCHEMA = json.load(f)
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


@contextlib.contextmanager
def directory():
    path = tempfile.mkdtemp(prefix="tlsfloor-logs-")
    yield path
    shutil.rmtree(path)


def refuse(gateway, times=1):
    for _ in range(times):
        with RawClient(gateway.straight) as client:
            client.send(OLD)
            check_equal(client.receive_all(), alert(70, TLS10), "answer")


def pass_monitored(gateway, origin):
    """What the server says to an old hello comes back: the gateway only tells of it."""
    with reach(gateway, SNI, origin.name) as client:
        client.send(one_record(client_hello(TLS10, origin.name)))
        check(client.sock.recv(1), "no answer")


def records_of(*paths):
    """Every line of these files, each of which must be whole and as the schema has it."""
    records = []
    for path in paths:
        with (gzip.open if path.endswith(".gz") else open)(path, "rb") as file:
            data = file.read()
        check(data == b"" or data.endswith(b"\n"), f"the last line of {path} is not whole")
        for line in data.splitlines():
            record = json.loads(line)
            errors = [f"{list(error.path)}: {error.message}" for error in VALIDATOR.iter_errors(record)]
            check_equal(errors, [], f"what the schema says against {record}")
            records.append(record)
    return records


# --- ecs ---


@story
def records_of_every_kind_are_as_the_schema_has_them():
    with directory() as logs:
        to_files = {"log.block": f"{logs}/block.log", "log.access": f"{logs}/access.log"}
        with OfficeOrigin() as origin, Gateway(origin, upgrades=True, settings=to_files) as gateway:
            check_equal(curl(gateway, CONNECT, OFFICE, "1.0", ca=gateway.ca).status, 0, "upgraded: curl's exit status")
            with RawClient(gateway.proxy) as client:
                client.send(b"CONNECT 10.0.0.1:443 HTTP/1.1\r\nHost: 10.0.0.1\r\nUser-Agent: \xff<b>\r\n\r\n")
                check(client.receive_all().startswith(b"HTTP/1.1 403"), "denied")
            for beginning in (b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", b"\xff" * 64):
                with RawClient(gateway.straight) as client:
                    client.send(beginning)
                    client.receive_all()
        with TlsOrigin() as origin, Gateway(origin, settings={**to_files, "floor.mode": "monitor"}) as gateway:
            pass_monitored(gateway, origin)
        with SmtpOrigin() as origin, mail_gateway(origin, settings=to_files) as gateway:
            with MailClient(gateway, origin) as client:
                client.greet()
                client.message(b"Subject: scan\r\n\r\nhello\r\n.\r\n")
                client.say("QUIT")
        with Gateway(settings={**to_files, "gateway.threads": "1", "log.whole": "1", "log.rollup_s": "60"}) as gateway:
            refuse(gateway, 5)
        records = records_of(f"{logs}/block.log", f"{logs}/access.log")
    told = {record["event.action"] for record in records}
    check_equal(
        told,
        {
            "tls-upgraded",
            "access-denied",
            "malformed",
            "not-tls",
            "tls-version-would-block",
            "tls-version-blocked",
            "connection-end",
        },
        "what there is among the records",
    )
    check_in("network.protocol", {key for record in records for key in record}, "fields, mail's among them")
    check_equal([r["tlsfloor.repeat.count"] for r in records if "tlsfloor.repeat.count" in r], [4], "roll-ups")


@story
def the_schema_has_the_codes_that_there_are_and_no_others():
    with open("lib/reasons.def", encoding="utf-8") as file:
        codes = set(re.findall(r'^REASON\(\w+, "([^"]+)"', file.read(), flags=re.MULTILINE)) - {"none"}
    check(len(codes) > 50, "so few reasons?")
    check_equal(set(SCHEMA["properties"]["event.code"]["enum"]), codes | UPGRADE_CODES, "codes of the schema")


@story
def the_schema_has_every_family_of_clients():
    with open("lib/clients.def", encoding="utf-8") as file:
        slugs = re.findall(r'^FAMILY\(\w+, "([^"]+)"', file.read(), flags=re.MULTILINE)
    check(len(slugs) > 30, "so few families?")
    with Gateway() as gateway:
        refuse(gateway)
        record = gateway.record()
    wrong = [slug for slug in slugs if not VALIDATOR.is_valid({**record, "tlsfloor.client_family": slug})]
    check_equal(wrong, [], "families that the schema does not let pass")


@story
def the_schema_lets_nothing_else_pass():
    with Gateway() as gateway:
        refuse(gateway)
        record = gateway.record()
    check(VALIDATOR.is_valid(record), "a record")
    for wrong in (
        {"event.code": "no-such-code"},
        {"source.port": "1"},
        {"@timestamp": "2026-11-22 08:27:00"},
        {"unheard.of": 1},
        {"tlsfloor.repeat.count": 1},
    ):
        check(not VALIDATOR.is_valid({**record, **wrong}), f"valid with {wrong}")


@story
def what_is_lost_is_counted_in_connections_by_kind():
    with TlsOrigin() as origin:
        lost = {**WITH_ADMIN, "log.block": "/dev/full"}
        with Gateway(origin, settings={**lost, "floor.mode": "monitor"}) as gateway:
            pass_monitored(gateway, origin)
            wait_until(
                lambda: gateway.metric("tlsfloor_log_other_dropped_total", kind="would-block") == 1, "it is counted"
            )
            check_equal(gateway.metric("tlsfloor_log_dropped_total"), 0, "refusals")


# --- w3c ---


def w3c_rows(path):
    """Lines as {field: value}; every line has as many values as the head before it has fields."""
    fields, rows = None, []
    with open(path, encoding="ascii") as file:
        for line in file.read().splitlines():
            if line.startswith("#Fields: "):
                fields = line.split()[1:]
            elif not line.startswith("#"):
                check_equal(len(line.split(" ")), len(fields), f"values of {line}")
                rows.append(dict(zip(fields, line.split(" "))))
    return rows


@story
def w3c_lines_have_the_fields_of_iis_and_ours():
    with directory() as logs:
        settings = {"log.block": f"{logs}/w3c.log", "log.format": "w3c"}
        with OfficeOrigin() as origin, Gateway(origin, upgrades=True, settings=settings) as gateway:
            check_equal(curl(gateway, CONNECT, OFFICE, "1.0", ca=gateway.ca).status, 0, "curl's exit status")
            refuse(gateway)
            wait_until(lambda: len(w3c_rows(f"{logs}/w3c.log")) == 2, "both lines are there")
            os.rename(f"{logs}/w3c.log", f"{logs}/w3c.log.1")
            gateway.signal(signal.SIGUSR1)
            wait_until(lambda: os.path.exists(f"{logs}/w3c.log"), "the new file is there")
            refuse(gateway)
        rows = w3c_rows(f"{logs}/w3c.log.1")
        refused, upgraded = sorted(rows, key=lambda row: row["x-action"] == "tls-upgraded")
        check_equal(len(w3c_rows(f"{logs}/w3c.log")), 1, "lines of the new file, which has a head of its own")
    for row, expected in (
        (
            upgraded,
            {"crypt-protocol": "40", "cs-host": OFFICE, "x-upgrade-from": "1.0", "x-upgrade-to": "1.3"},
        ),
        (
            refused,
            {"crypt-protocol": "40", "crypt-cipher": "-", "x-code": "client-below-floor", "x-client-class": "legacy"},
        ),
    ):
        for field, value in expected.items():
            check_equal(row[field], value, f"{field} of {row}")
    check(upgraded["crypt-cipher"] in ("660e", "6610"), f"AES: {upgraded}")
    check(upgraded["crypt-keyexchange"] == "ae06", f"ECDHE: {upgraded}")
    check_in("curl/", upgraded["cs(User-Agent)"], "user agent")


# --- syslog ---


def check_syslog(data, message_id, severity, gateway):
    match = SYSLOG.fullmatch(data)
    check(match, f"no RFC 5424 message: {data}")
    check_equal(int(match[1]), 3 * 8 + severity, "PRI")
    check_equal(int(match[4]), gateway.process.pid, "PROCID")
    check_equal(match[5].decode(), message_id, "MSGID")
    record = json.loads(match[6])
    check(VALIDATOR.is_valid(record), f"{record}")
    return record


@story
def udp_and_the_socket_of_this_machine_get_a_datagram_a_line():
    with directory() as logs:
        local, udp = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        local.bind(f"{logs}/socket")
        udp.bind(("127.0.0.1", 0))
        for receiver, sink in (local, f"syslog:{logs}/socket"), (udp, f"syslog:127.0.0.1:{udp.getsockname()[1]}"):
            receiver.settimeout(20)
            with Gateway(settings={"log.block": sink, "log.access": sink}) as gateway:
                refuse(gateway)
                got = [receiver.recv(1 << 16), receiver.recv(1 << 16)]
                access, block = sorted(got, key=lambda data: b" block - " in data)
                check_syslog(access, "access", 6, gateway)
                check_equal(check_syslog(block, "block", 4, gateway)["event.code"], "client-below-floor", "event.code")
            receiver.close()


def frames(connection):
    """What came until the end, taken apart by the lengths in front."""
    data, messages = b"", []
    while part := connection.recv(1 << 16):
        data += part
    while data:
        length, _, data = data.partition(b" ")
        check(len(data) >= int(length), "the last message is not whole")
        messages.append(data[: int(length)])
        data = data[int(length) :]
    return messages


@story
def a_receiver_by_tcp_that_comes_late_gets_every_line():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        sink = f"syslog:tcp:127.0.0.1:{listener.getsockname()[1]}"
        with Gateway(settings={**WITH_ADMIN, "log.block": sink}) as gateway:
            refuse(gateway, 50)
            check(gateway.stderr.wait(lambda lines: any("lines wait" in line for line in lines)), "nothing is said")
            check_equal(gateway.metric("tlsfloor_log_dropped_total"), 0, "dropped")
            listener.listen()
            connection, _ = listener.accept()
            wait_until(lambda: gateway.metric("tlsfloor_log_written_total") == 50, "all are written")
            gateway.stop()
        with connection:
            messages = frames(connection)
        ports = {check_syslog(message, "block", 4, gateway)["source.port"] for message in messages}
        check_equal(len(ports), 50, "refusals told of")


@story
def a_syslog_that_takes_nothing_holds_up_neither_clients_nor_the_end():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        sink = f"syslog:tcp:127.0.0.1:{closed.getsockname()[1]}"
        with Gateway(settings={**WITH_ADMIN, "log.block": sink, "limits.log_bytes": "65536"}) as gateway:
            refuse(gateway, 200)
            check(gateway.metric("tlsfloor_log_dropped_total") > 0, "the queue takes more than it has room for")
            gateway.stop(within_s=15)
            check_in("0 written, 200 dropped", gateway.stderr.text(), "the last words")


@story
def a_bad_syslog_is_refused_by_check_and_by_run():
    for sink, words in (
        ("syslog:host", "the port is missing or not 1 to 65535"),
        ("syslog:/nonexistent/log", "start the syslog daemon, or write syslog:/PATH"),
    ):
        gateway = Gateway(settings={"log.block": sink})
        gateway.write(gateway.ini)
        for command, code in ("check", 1), ("run", 3):
            words_of = [program(), command, "-c", gateway.file]
            done = subprocess.run(words_of, capture_output=True, check=False, timeout=20)
            check_equal(done.returncode, code, f"exit code of {command} with {sink}: {done.stderr.decode()}")
            check_in(words, done.stderr.decode(), f"what {command} says")
        os.unlink(gateway.file)


# --- rotation ---


@story
def the_logs_that_the_readme_names_are_among_those_that_logrotate_rotates():
    with open("README.md", encoding="utf-8") as readme, open("conf/logrotate/tlsfloor", encoding="ascii") as shipped:
        named = re.findall(r"^ *(?:block|access) = (/\S+)", readme.read(), re.M)
        patterns = re.findall(r"/\S+", re.search(r"^(/.*) {$", shipped.read(), re.M)[1])
    check(named != [], "the README names a log")
    for name in named:
        check(any(fnmatch.fnmatch(name, pattern) for pattern in patterns), f"{name} is rotated by {patterns}")


@story
def logrotate_with_the_file_that_ships_loses_no_line_and_tears_none():
    with open("conf/logrotate/tlsfloor", encoding="ascii") as file:
        shipped = file.read()
    with directory() as logs, Gateway(settings={**WITH_ADMIN, "log.block": f"{logs}/block.log"}) as gateway:
        os.chmod(logs, 0o755)
        rules = shipped.replace("/var/log/tlsfloor/", f"{logs}/").replace("tlsfloor adm", "root root")
        rules = re.sub(r"dateext\n", "", rules)  # several a day
        rules = re.sub(r"(postrotate\n).*?( *endscript)", rf"\1kill -USR1 {gateway.process.pid}\n\2", rules, flags=re.S)
        with open(f"{logs}/rules", "w", encoding="ascii") as file:
            file.write(rules)
        ended = threading.Event()

        def rotate():
            while not ended.wait(0.1):
                command = ["/usr/sbin/logrotate", "--force", "--state", f"{logs}/state", f"{logs}/rules"]
                done = subprocess.run(command, capture_output=True, check=False)
                check_equal((done.returncode, done.stderr), (0, b""), "logrotate")

        rotator = threading.Thread(target=rotate)
        rotator.start()
        try:
            start, refused = time.monotonic(), 0
            while len(glob.glob(f"{logs}/block.log*")) < 4:
                check(time.monotonic() - start < 60, "never rotated")
                refuse(gateway, 10)
                refused += 10
        finally:
            ended.set()
            rotator.join()
        gateway.stop()
        files = glob.glob(f"{logs}/block.log*")
        check(any(name.endswith(".gz") for name in files), f"nothing is compressed: {files}")
        ports = [record["source.port"] for record in records_of(*files)]
        check_equal(len(ports), refused, "records in all files together")


run_stories()
