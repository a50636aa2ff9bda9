"""The admin listener: health, readiness, and metrics that parse and add up."""

import re
import signal
from collections import Counter

from harness import (
    CONNECT,
    TLS10,
    TLS12,
    Gateway,
    RawClient,
    RawOrigin,
    alert,
    check,
    check_equal,
    check_in,
    client_hello,
    one_record,
    reach,
    run_stories,
    server_hello,
    story,
    wait_until,
)

NAME = "origin.floor.test"
HELLO = one_record(client_hello(TLS12))
FLIGHT = one_record(server_hello(TLS12), TLS12)
SETTINGS = {"admin.listen": "127.0.0.1:0"}


def ask(gateway, path, *fields, method="GET", host=("Host: localhost",)):
    """The status and the body."""
    with RawClient(gateway.ports["admin"]) as client:
        client.send("\r\n".join([f"{method} {path} HTTP/1.1", *host, *fields, "", ""]).encode())
        head, _, body = client.receive_all().partition(b"\r\n\r\n")
    return int(head.split()[1]), body.decode()


def served(gateway):
    """A session that runs."""
    client = reach(gateway, CONNECT)
    client.send(HELLO)
    check_equal(client.receive(len(FLIGHT)), FLIGHT, "the server's flight")
    return client


def server():
    def script(connection):
        connection.recv_exactly(len(HELLO))
        connection.send(FLIGHT)
        connection.recv_to_end()

    return RawOrigin(script)


@story
def it_is_healthy_and_ready():
    with Gateway(settings=SETTINGS) as gateway:
        check_equal(ask(gateway, "/healthz"), (200, "ok\n"), "/healthz")
        check_equal(ask(gateway, "/readyz"), (200, "ready\n"), "/readyz")
        check_equal(ask(gateway, "/readyz?verbose"), (200, "ready\n"), "/readyz with a query")


@story
def while_it_drains_it_is_healthy_and_not_ready():
    with server() as origin, Gateway(origin, settings=SETTINGS) as gateway:
        with served(gateway):
            gateway.signal(signal.SIGTERM)
            wait_until(lambda: ask(gateway, "/readyz") == (503, "draining\n"), "/readyz says 503")
            check_equal(ask(gateway, "/healthz")[0], 200, "/healthz")
            check_equal(ask(gateway, "/metrics")[0], 200, "/metrics")
        gateway.finish(within_s=4)


@story
def only_who_names_an_address_or_localhost_is_answered():
    with Gateway(settings=SETTINGS) as gateway:
        port = gateway.ports["admin"]
        for host in (f"127.0.0.1:{port}", f"localhost:{port}", f"LOCALHOST:{port}", "[::1]", "192.0.2.1"):
            check_equal(ask(gateway, "/healthz", host=[f"Host: {host}"])[0], 200, f"status for {host}")
        for host in ("floor.test", f"floor.test:{port}", "localhost.floor.test", "", "127.0.0.1@floor.test"):
            check_equal(ask(gateway, "/metrics", host=[f"Host: {host}"])[0], 403, f"status for {host!r}")
        check_equal(ask(gateway, "/metrics", host=[])[0], 403, "status without Host")
        check_equal(ask(gateway, "/metrics", "Host: localhost")[0], 403, "status with two")


@story
def nothing_else_is_served():
    with Gateway(settings=SETTINGS) as gateway:
        check_equal(ask(gateway, "/secret")[0], 404, "status of a page that is not there")
        check_equal(ask(gateway, "/metrics/")[0], 404, "status of a page that is not there")
        check_equal(ask(gateway, "/metrics", method="POST")[0], 405, "status of POST")
        check_equal(ask(gateway, "/metrics", method="HEAD"), (200, ""), "answer to HEAD")
        check_equal(ask(gateway, "/metrics", "X: " + "x" * 20000)[0], 431, "status of a request that is too long")
        with RawClient(gateway.ports["admin"]) as client:
            client.send(b"\x16\x03\x01\x00\x05hello")
            check_in(b"HTTP/1.1 400 ", client.receive_all(), "answer to TLS")


@story
def the_admin_listener_is_no_destination():
    with Gateway(settings={**SETTINGS, "access.port": "1-65535"}) as gateway:
        with RawClient(gateway.proxy) as client:
            client.send(f"CONNECT 127.0.0.1:{gateway.ports['admin']} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            check_in(b"HTTP/1.1 403 ", client.receive_all(), "answer")
        gateway.record({"event.code": "destination-self"})


def parsed(text):
    """{family: type} and {(name, labels): value}; whatever is no OpenMetrics is an error."""
    types, samples = {}, {}
    lines = text.split("\n")
    check_equal(lines[-2:], ["# EOF", ""], "the end")
    for line in lines[:-2]:
        if meta := re.fullmatch(r"# (TYPE|HELP) ([a-z_0-9]+) (.+)", line):
            kind, family, what = meta.groups()
            if kind == "TYPE":
                check(family not in types, f"{family} is there twice")
                types[family] = what
            else:
                check_equal(family, list(types)[-1], "the family that is explained")
            continue
        sample = re.fullmatch(r'([a-z_0-9]+)((?:\{[a-z]+="[a-z0-9.-]+"(?:,[a-z]+="[a-z0-9.-]+")*\})?) ([0-9.]+)', line)
        check(sample, f"no OpenMetrics: {line!r}")
        name, labels, value = sample.groups()
        family = list(types)[-1]
        check_equal(name, family + ("_total" if types[family] == "counter" else ""), "name of a sample")
        check((name, labels) not in samples, f"{name}{labels} is there twice")
        samples[name, labels] = float(value)
    return types, samples


@story
def metrics_parse_and_add_up_with_the_log():
    with server() as origin, Gateway(origin, settings=SETTINGS) as gateway:
        for _ in range(3):
            with reach(gateway, CONNECT) as client:
                client.send(one_record(client_hello(TLS10)))
                check_equal(client.receive_all(), alert(70, TLS10), "answer")
        for port in (22, 23):
            with RawClient(gateway.proxy) as client:
                client.send(f"CONNECT {NAME}:{port} HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode())
                check_in(b"HTTP/1.1 403 ", client.receive_all(), "answer")
        with RawClient(gateway.straight) as client:
            client.send(b"no TLS at all, whatever it is")
            client.receive_all()
        with served(gateway):
            _, text = ask(gateway, "/metrics")
        _, samples = parsed(text)
        records = Counter(gateway.record()["event.code"] for _ in range(6))
        blocked = {labels: n for (name, labels), n in samples.items() if name == "tlsfloor_blocked_total" and n}
        check_equal(blocked, {f'{{reason="{code}"}}': n for code, n in records.items()}, "refusals by reason")
        check_equal(records["client-below-floor"], 3, "records of old clients")
        for name, labels, value in (
            ("tlsfloor_sessions_total", '{kind="connect"}', 6),
            ("tlsfloor_sessions_total", '{kind="sni"}', 1),
            ("tlsfloor_sessions_active", "", 1),
            ("tlsfloor_tunnels_total", "", 1),
            ("tlsfloor_log_dropped_total", "", 0),
        ):
            check_equal(samples[name, labels], value, name + labels)


@story
def would_be_refusals_are_counted_elsewhere():
    settings = {**SETTINGS, "floor.mode": "monitor"}
    with RawOrigin() as origin, Gateway(origin, settings=settings) as gateway:
        with reach(gateway, CONNECT) as client:
            client.send(one_record(client_hello(TLS10)))
            client.end()
            origin.finished()
            client.receive_all()
        gateway.record({"event.action": "tls-version-would-block"})
        check_equal(gateway.metric("tlsfloor_would_block_total"), 1, "tlsfloor_would_block_total")
        check_equal(gateway.metric("tlsfloor_blocked_total"), 0, "tlsfloor_blocked_total")


run_stories()
