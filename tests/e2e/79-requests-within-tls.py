"""Requests that are read inside a client's own TLS, which ends at the gateway, as those for hosts with tenant
restrictions are."""

import json
import os

from harness import (
    check,
    check_equal,
    check_in,
    client_context,
    run_stories,
    story,
    wait_until,
    workplace,
)
from harness.https import page
from harness.sign_in import (
    CONSUMER,
    LOOK_ALIKES,
    NAME,
    OWN,
    SECTION,
    TENANTS,
    THEIRS,
    UPGRADED,
    V1,
    V1_FIELDS,
    V2,
    SignIn,
    browser,
    restricting,
)

WITH_ADMIN = {"admin.listen": "127.0.0.1:0"}


@story
def a_field_that_is_folded_is_refused():
    with SignIn() as origin, restricting(origin, settings=V1) as gateway:
        with browser(gateway) as client:
            client.ask(fields=f"X: 1\r\n {TENANTS}: {THEIRS}\r\n")
            check_in("HTTP/1.1 400 ", client.answer()[0], "head")
        gateway.record({"event.action": "malformed", "event.code": "request-malformed", "destination.domain": NAME})
        check_equal(origin.seen, [], "requests that the server got")


@story
def one_session_with_many_requests_is_one_record_and_one_upgrade():
    log = workplace(f"tenants-access-{os.getpid()}.log")
    with SignIn() as origin, restricting(origin, settings={**V1, **WITH_ADMIN, "log.access": log}) as gateway:
        with browser(gateway) as client:
            client.gets(path="/first", fields="User-Agent: Old/1\r\n")
            gateway.record({**UPGRADED, "user_agent.original": "Old/1"})  # not only when the session is over
            for number in range(3):
                client.gets(path=f"/{number}")
        check_equal([number for number, *_ in origin.seen], [0] * 4, "connections to the server")
        check_equal([origin.fields(n) for n in range(4)], [V1_FIELDS] * 4, "fields")

        def lines():
            with open(log, encoding="utf-8") as f:
                return [json.loads(line) for line in f]

        wait_until(lambda: lines(), "the line in the access log")
        check_equal(len(lines()), 1, "lines in the access log")
        check(lines()[0]["source.bytes"] > 4 * 100, f"bytes of all requests in {lines()[0]}")
        check_equal(gateway.metric("tlsfloor_upgrades_total", **{"from": "1.0"}), 1, "upgrades")
        check_equal(gateway.metric("tlsfloor_upgraded_to_total"), 1, "upgrades, by what to")
        check_equal(gateway.metric("tlsfloor_http_requests_total"), 4, "requests")
        check_equal(gateway.metric("tlsfloor_log_written_total"), 1, "lines in the block log")
        check_equal(gateway.metric("tlsfloor_blocked_total"), 0, "blocked")
    os.unlink(log)


@story
def a_session_without_any_request_is_an_upgrade_as_well():
    with SignIn() as origin, restricting(origin, settings={**V1, **WITH_ADMIN}) as gateway:
        browser(gateway).close()
        gateway.record(UPGRADED)
        check_equal(origin.seen, [], "requests")
        check_equal(gateway.metric("tlsfloor_upgrades_total"), 1, "upgrades")


@story
def requests_may_come_all_at_once():
    with SignIn() as origin, restricting(origin, settings=V1) as gateway:
        with browser(gateway) as client:
            client.write("".join(f"GET /{n} HTTP/1.1\r\nHost: {NAME}\r\n{OWN}\r\n" for n in range(20)))
            for _ in range(20):
                check_in("HTTP/1.1 200 OK", client.answer()[0], "head")
        gateway.record(UPGRADED)
        check_equal([head.split()[1] for _, head, _ in origin.seen], [f"/{n}" for n in range(20)], "paths, in order")
        check_equal([origin.fields(n) for n in range(20)], [V1_FIELDS] * 20, "fields")


@story
def the_longest_list_fits_the_longest_request():
    allowed = ",".join(f"tenant-{n:03}.onmicrosoft.com" for n in range(144))
    settings = {**V1, f"{SECTION}.allowed": allowed, "limits.head_bytes": "8192"}
    line = f"GET / HTTP/1.1\r\nHost: {NAME}\r\n"
    with SignIn() as origin, restricting(origin, settings=settings) as gateway:
        with browser(gateway) as client:
            client.gets(fields=f"X: {'x' * (8192 - len(line) - len('X: ') - 4)}\r\n")
        gateway.record(UPGRADED)
        check_equal(origin.fields()[0][1], allowed, "tenants")


@story
def bodies_arrive_whole():
    body = bytes(range(256)) * 8192  # 2 MiB
    chunked = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (b"one ", b"two ", b"x" * 5000)) + b"0\r\n\r\n"
    with SignIn() as origin, restricting(origin, settings=V1) as gateway:
        with browser(gateway) as client:
            client.gets(b"%d bytes" % len(body), method="POST", fields=f"Content-Length: {len(body)}\r\n", body=body)
            client.gets(b"5008 bytes", method="POST", fields="Transfer-Encoding: chunked\r\n", body=chunked)
            client.gets()
        gateway.record(UPGRADED)
        check(origin.seen[0][2] == body, "the large body is another one now")
        check_equal(origin.seen[1][2], b"one two " + b"x" * 5000, "the chunked body")
        check_equal([origin.fields(n) for n in range(3)], [V1_FIELDS] * 3, "fields")


@story
def a_client_that_waits_to_be_told_to_go_on_is_told():
    class Patient(SignIn):
        def _converse(self, peer):
            head = b""
            while b"\r\n\r\n" not in head:
                head += peer.read()
            peer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.seen.append((0, head.decode(), peer.read_exactly(4)))
            peer.write(page(b"went on"))

    with Patient() as origin, restricting(origin, settings=V1) as gateway:
        with browser(gateway) as client:
            client.ask(method="POST", fields="Expect: 100-continue\r\nContent-Length: 4\r\n")
            check_in("HTTP/1.1 100 ", client.answer()[0], "head")
            client.write(b"body")
            check_equal(client.answer()[1], b"went on", "body")
        gateway.record(UPGRADED)
        check_equal(origin.seen[0][2], b"body", "body")


@story
def responses_without_a_body_do_not_hold_up_the_next_one():
    class Odd(SignIn):
        def answer(self, head, body):
            method, path, _ = head.split(" ", 2)
            if method == "HEAD":
                return b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"
            return f"HTTP/1.1 {path[1:]} Odd\r\n\r\n".encode() if path != "/" else page(b"end")

    with Odd() as origin, restricting(origin, settings=V2) as gateway:
        with browser(gateway) as client:
            for path in ("/204", "/304"):
                check_in(f"HTTP/1.1 {path[1:]} ", client.ask(path).answer()[0], "head")
            check_in("\r\nContent-Length: 99", client.ask(method="HEAD").answer(bodiless=True)[0], "head")
            client.gets(b"end")
        gateway.record(UPGRADED)
        check_equal(len(origin.seen), 4, "requests")


@story
def what_the_server_says_in_https_is_not_translated():
    fields = (f"Location: https://{NAME}/next", "Set-Cookie: s=1; Secure; SameSite=None",
              "Strict-Transport-Security: max-age=9")  # fmt: skip

    class Redirecting(SignIn):
        def answer(self, head, body):
            return page(b"", *fields, status="302 Found")

    with Redirecting() as origin, restricting(origin, settings=V1) as gateway:
        with browser(gateway) as client:
            head, _ = client.ask(fields=f"Origin: https://{NAME}\r\nUpgrade-Insecure-Requests: 1\r\n").answer()
            for field in fields:
                check_in(f"\r\n{field}\r\n", f"{head}\r\n", "head")
        gateway.record(UPGRADED)
        check_in(f"\r\nOrigin: https://{NAME}\r\nUpgrade-Insecure-Requests: 1\r\n", origin.seen[0][1], "request")


@story
def a_websocket_passes():
    class Switching(SignIn):
        def _converse(self, peer):
            head = b""
            while b"\r\n\r\n" not in head:
                head += peer.read()
            self.seen.append((0, head.decode(), b""))
            peer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
            while data := peer.read():
                peer.write(data[::-1])

    with Switching() as origin, restricting(origin, settings=V1) as gateway:
        with browser(gateway) as client:
            client.ask(fields=f"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n{OWN}")
            check_in("HTTP/1.1 101 ", client.answer()[0], "head")
            gateway.record(UPGRADED)
            client.write(b"\0frame")
            check_equal(client.peer.read_exactly(6), b"emarf\0", "frame")
        check_equal(origin.fields(), V1_FIELDS, "fields")


@story
def another_host_is_misdirected():
    """Also behind a request that was fine: that one is refused on its own, the upgrade stays one."""
    for host in (*LOOK_ALIKES, "outlook.office365.com", "[::1]", ""):
        log = workplace(f"misdirected-{os.getpid()}.log")
        settings = {**V1, **WITH_ADMIN, "log.access": log}
        with SignIn() as origin, restricting(origin, settings=settings) as gateway:
            with browser(gateway) as client:
                client.gets()
                client.write(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")
                head, body = client.answer()
                check_in("HTTP/1.1 421 Misdirected Request", head, "head")
                check_in(b"another host", body, "page")
            gateway.record(UPGRADED)
            gateway.record({"event.action": "access-denied", "event.code": "misdirected-request",
                            "tls.version": "1.0", "destination.domain": NAME})  # fmt: skip
            check_equal(len(origin.seen), 1, "requests that the server got")
            check_equal(gateway.metric("tlsfloor_upgrades_total"), 1, "upgrades")
            check_equal(gateway.metric("tlsfloor_blocked_total"), 1, "blocked")
            check_equal(gateway.metric("tlsfloor_log_written_total"), 2, "lines in the block log")
        with open(log, encoding="utf-8") as lines:
            check_equal(len(lines.readlines()), 1, "lines in the access log")
        os.unlink(log)


@story
def a_tunnel_or_another_scheme_within_is_misdirected():
    requests = (
        f"CONNECT {NAME}:443 HTTP/1.1\r\nHost: {NAME}\r\n\r\n",
        f"GET http://{NAME}/ HTTP/1.1\r\nHost: {NAME}\r\n\r\n",
        f"GET https://{CONSUMER}/ HTTP/1.1\r\nHost: {NAME}\r\n\r\n",
    )
    for request in requests:
        with SignIn() as origin, restricting(origin, settings=V1) as gateway:
            with browser(gateway) as client:
                client.write(request)
                check_in("HTTP/1.1 421 ", client.answer()[0], "head")
            gateway.record({"event.code": "misdirected-request"})
            check_equal(origin.seen, [], "requests that the server got")


@story
def the_host_may_be_spelled_in_many_ways():
    with SignIn() as origin, restricting(origin, settings=V1) as gateway:
        with browser(gateway) as client:
            for host in (NAME.upper(), f"{NAME}.", f"{NAME}:443", f"{NAME}:8443"):
                client.gets(host=host)
            client.gets(path=f"https://{NAME}/absolute")
        gateway.record(UPGRADED)
        for number in range(5):
            check_in(f"\r\nHost: {NAME}\r\n", origin.seen[number][1], "request")
        check_in("GET /absolute HTTP/1.1\r\n", origin.seen[4][1], "request")


@story
def a_client_of_HTTP_1_0_is_served():
    for host in (NAME, ""):
        with SignIn() as origin, restricting(origin, settings=V1) as gateway:
            with browser(gateway) as client:
                client.ask(version="1.0", host=host, fields=OWN)
                data = client.peer.read_all()
                check(data.startswith(b"HTTP/1.1 200 OK\r\n") and data.endswith(b"\r\n\r\n0 bytes"), f"answer: {data}")
            gateway.record(UPGRADED)
            check_equal(origin.fields(), V1_FIELDS, "fields")
            check_in(f"\r\nHost: {NAME}\r\n", origin.seen[0][1], "request")


@story
def a_client_that_speaks_no_HTTP_within_is_refused():
    for text in (b"\x16\3\1\0\5hello", b"\5\1\0 hello", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"EHLO me\r\n\r\n"):
        with SignIn() as origin, restricting(origin, settings={**V1, **WITH_ADMIN}) as gateway:
            with browser(gateway) as client:
                client.write(text)
                check_in("HTTP/1.1 400 Bad Request", client.answer()[0], "head")
            gateway.record({"event.action": "malformed", "event.code": "request-malformed", "tlsfloor.verdict": "block"})
            check_equal(gateway.metric("tlsfloor_upgrades_total"), 0, "upgrades")
            check_equal(gateway.metric("tlsfloor_blocked_total"), 1, "blocked")
            check_equal(origin.seen, [], "requests that the server got")


@story
def both_legs_agree_on_HTTP_1_1():
    for offered, agreed in ((["h2", "http/1.1"], "http/1.1"), (["spdy/3", "http/1.1"], "http/1.1"), (["h2"], None)):
        with SignIn() as origin, restricting(origin, settings=V1) as gateway:
            context = client_context("1.0", "1.0", gateway.ca)
            context.set_alpn_protocols(offered)
            with browser(gateway, context=context) as client:
                check_equal(client.peer.tls.selected_alpn_protocol(), agreed, f"agreed on of {offered}")
                client.gets()
            gateway.record(UPGRADED)
            check_equal(origin.agreed[0].alpn, "http/1.1", "agreed on with the server")


@story
def a_connection_that_the_server_has_closed_is_made_anew():
    """For the next request, or for the same one where that may be sent twice; the client does not notice."""
    for drops in ((), {(0, 1)}):
        with SignIn(drops=drops) as origin, restricting(origin, settings=V1) as gateway:
            with browser(gateway) as client:
                client.gets()
                if not drops:
                    origin.connections[0].shutdown(2)
                    origin.finished(0)
                client.gets(path="/once-more", fields=OWN)
                client.gets()
            gateway.record(UPGRADED)
            check_equal([number for number, *_ in origin.seen], [0, 1, 1], "connections to the server")
            check_equal([origin.fields(n) for n in range(3)], [V1_FIELDS] * 3, "fields")


@story
def a_server_that_fails_later_leaves_the_upgrade_an_upgrade():
    with SignIn(drops={(0, 0), (1, 0)}) as origin, restricting(origin, settings={**V1, **WITH_ADMIN}) as gateway:
        with browser(gateway) as client:
            client.ask(method="POST", fields="Content-Length: 0\r\n")
            check_in("HTTP/1.1 502 ", client.answer()[0], "head")
        gateway.record(UPGRADED)
        check_equal(gateway.metric("tlsfloor_errors_total", reason="upstream-closed"), 1, "errors")
        check_equal(gateway.metric("tlsfloor_upgrades_total"), 1, "upgrades")


@story
def a_kept_session_ends_when_the_gateway_stops():
    with SignIn() as origin, restricting(origin, settings=V1) as gateway:
        with browser(gateway) as client:
            client.gets()
            gateway.record(UPGRADED)
            gateway.stop()
            check_equal(client.peer.read(), b"", "after the end")


run_stories()
