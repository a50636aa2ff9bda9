"""Plain HTTP that is upgraded: the client says http, the server hears https."""

import contextlib
import re
import threading

from harness import (
    Gateway,
    HttpOrigin,
    RawClient,
    TlsOrigin,
    check,
    check_equal,
    check_in,
    run_client,
    run_stories,
    story,
)
from harness.https import HttpsOrigin, page

NAME = "origin.floor.test"
RULE = {"rule up.destination": "*.floor.test", "rule up.action": "upgrade"}
UPGRADED = {"event.action": "tls-upgraded", "tlsfloor.upgrade.from": "plain", "rule.name": "up"}


@contextlib.contextmanager
def upgrading(*origins, settings=None):
    """A gateway that upgrades all names of origins, and a client of it."""
    with Gateway(*origins, settings={**RULE, **(settings or {})}, upgrades=True) as gateway:
        with RawClient(gateway.proxy) as client:
            yield gateway, client


def ask(client, name=NAME, path="/", method="GET", fields=()):
    """The response's head and body."""
    lines = [f"{method} http://{name}{path} HTTP/1.1", f"Host: {name}", *fields, "", ""]
    client.send("\r\n".join(lines).encode())
    head = client.receive_until(b"\r\n\r\n").decode()
    length = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
    return head, client.receive(int(length[1])) if length else b""


def gets_a_page(client, name=NAME, method="GET"):
    head, body = ask(client, name, method=method)
    check_in("HTTP/1.1 200 ", head, "head")
    check_equal(body, b"page", "body")


def expect_upgrades(gateway, n):
    for _ in range(n):
        gateway.record(UPGRADED)


@story
def a_plain_request_goes_over_verified_TLS():
    with HttpsOrigin() as origin, upgrading(origin) as (gateway, client):
        gets_a_page(client)
        check_equal((origin.agreed[0].version, origin.agreed[0].name), ("TLSv1.3", NAME), "what the server agreed on")
        head = origin.heads[0][1]
        check_in("GET / HTTP/1.1\r\n", head, "request")
        check_in(f"\r\nHost: {NAME}\r\n", head, "request")
        record = gateway.record({**UPGRADED, "destination.domain": NAME, "destination.port": 443})
        check_equal(record["tlsfloor.upgrade.to"], "1.3", "version outside")


@story
def a_server_that_does_not_verify_gets_nothing():
    with HttpsOrigin(name="origin.elsewhere.test") as origin:
        rule = {"rule up.destination": "*.elsewhere.test"}
        with upgrading(origin, settings=rule) as (gateway, client):
            head, body = ask(client, origin.name)
            check_in("HTTP/1.1 502 ", head, "head")
            check_in(b"upstream-verify-failed", body, "page")
            gateway.record({"event.action": "upstream-verify-failed", "event.code": "upstream-verify-failed"})
        check_equal(origin.heads, [], "requests that the server got")


@story
def an_old_server_gets_nothing_and_there_is_no_fallback_to_plain():
    with HttpsOrigin(highest="1.1") as origin, HttpOrigin(NAME) as plain:
        with upgrading(origin, plain) as (gateway, client):
            check_in("HTTP/1.1 502 ", ask(client)[0], "head")
            gateway.record({"event.code": "upstream-tls-failed"})
        check_equal((origin.heads, plain.seen), ([], []), "requests that came anywhere")


@story
def hosts_that_must_stay_plain_do():
    with HttpOrigin() as origin:
        with upgrading(origin, settings={"m365.stay_plain": origin.name}) as (_, client):
            check_equal(ask(client, origin.name)[1], b"plain page\n", "body")
        check_equal(len(origin.seen), 1, "requests in plain")


@story
def one_connection_carries_many_requests():
    with HttpsOrigin() as origin, upgrading(origin) as (gateway, client):
        for _ in range(4):
            gets_a_page(client)
        check_equal([number for number, _ in origin.heads], [0] * 4, "connections by request")
        expect_upgrades(gateway, 4)


@story
def a_client_that_alternates_between_hosts_finds_each_connected():
    names = [f"{n}.floor.test" for n in ("a", "b", "c")]
    with contextlib.ExitStack() as stack:
        origins = [stack.enter_context(HttpsOrigin(name=name)) for name in names]
        plain = stack.enter_context(HttpOrigin("plain.elsewhere.test"))
        gateway, client = stack.enter_context(upgrading(*origins, plain))
        for _ in range(3):
            for name in names:
                gets_a_page(client, name)
            check_equal(ask(client, plain.name)[1], b"plain page\n", "body in plain")
        for origin in origins:
            check_equal([number for number, _ in origin.heads], [0] * 3, f"connections to {origin.name} by request")
        check_equal(len({seen[4] for seen in plain.seen}), 1, "connections in plain")
        client.close()
        for origin in origins:
            origin.finished(0)  # they are the client's own, and go with it
        expect_upgrades(gateway, 9)


@story
def more_hosts_than_are_kept_are_served_all_the_same():
    names = [f"n{n}.floor.test" for n in range(7)]
    with contextlib.ExitStack() as stack:
        origins = [stack.enter_context(HttpsOrigin(name=name)) for name in names]
        gateway, client = stack.enter_context(upgrading(*origins))
        for _ in range(2):
            for name in names:
                gets_a_page(client, name)
        for origin in origins:
            origin.finished(0)  # it was in the way of others
            check_equal([number for number, _ in origin.heads], [0, 1], f"connections to {origin.name} by request")
        expect_upgrades(gateway, 14)


@story
def a_connection_that_the_server_has_closed_is_not_used_again():
    def closes_after_one(peer):
        HttpsOrigin.read_head(peer)
        peer.write(page())

    with TlsOrigin(script=closes_after_one) as closing, HttpsOrigin(name="other.floor.test") as other:
        with upgrading(closing, other) as (gateway, client):
            for n in range(2):
                gets_a_page(client, method="POST")  # which would not be sent again
                closing.finished(n)
            gets_a_page(client, other.name)  # the other one is left aside, and found closed
            gets_a_page(client, method="POST")
            check_equal(len(closing.connections), 3, "connections to the server that closes")
            expect_upgrades(gateway, 4)


@story
def what_a_server_says_between_two_requests_is_no_answer():
    asked, said = threading.Event(), threading.Event()

    def script(peer):
        HttpsOrigin.read_head(peer)
        peer.write(page())
        if not said.is_set():
            asked.wait()
            peer.write(page(b"evil"))
            said.set()
            peer.read_all()

    with TlsOrigin(script=script) as origin, upgrading(origin) as (gateway, client):
        gets_a_page(client)
        asked.set()
        said.wait()
        gets_a_page(client)
        check_equal(len(origin.connections), 2, "connections to the server")
        expect_upgrades(gateway, 2)


def forgetful_origin(patience):
    """On each connection it answers so many requests, and ends it where it should answer the next."""

    def answer(_):
        last = origin.heads[-1][0]
        return page() if sum(number == last for number, _ in origin.heads) <= patience else None

    origin = HttpsOrigin(answer)
    return origin


@story
def a_request_that_a_kept_connection_has_lost_is_sent_once_more():
    for method in ("GET", "DELETE"):
        with forgetful_origin(1) as origin, upgrading(origin) as (gateway, client):
            gets_a_page(client)
            gets_a_page(client, method=method)
            check_equal([(n, head.split()[0]) for n, head in origin.heads], [(0, "GET"), (0, method), (1, method)],
                        "requests")  # fmt: skip
            expect_upgrades(gateway, 2)


@story
def one_that_must_not_be_repeated_is_not():
    with forgetful_origin(1) as origin, upgrading(origin) as (gateway, client):
        gets_a_page(client)
        head, body = ask(client, method="POST", fields=["Content-Length: 0"])
        check_in("HTTP/1.1 502 ", head, "head")
        check_in(b"upstream-closed", body, "page")
        check_equal(len(origin.heads), 2, "requests")
        expect_upgrades(gateway, 1)


@story
def nor_is_one_that_a_new_connection_has_lost():
    with forgetful_origin(0) as origin, upgrading(origin) as (_, client):
        check_in("HTTP/1.1 502 ", ask(client)[0], "head")
        check_equal(len(origin.heads), 1, "requests")


@story
def what_binds_to_https_stays_outside():
    fields = (
        "Strict-Transport-Security: max-age=31536000",
        "Alt-Svc: h3=\":443\"",
        f"Location: https://{NAME}/next?u=https://{NAME}/",
        "Content-Location: https://other.elsewhere.test/",
        "Set-Cookie: a=1; Path=/; Secure; HttpOnly; SameSite=None",
        "Set-Cookie: b=Secure; SameSite=Lax",
        "Content-Security-Policy: default-src 'self'; upgrade-insecure-requests",
    )
    with HttpsOrigin(lambda head: page(b"", *fields, status="302 Found")) as origin:
        with upgrading(origin) as (gateway, client):
            head, _ = ask(client)
            expect_upgrades(gateway, 1)
    check_equal(
        [line for line in head.split("\r\n")[1:] if line and not line.startswith(("Content-Length", "Via"))],
        [
            f"Location: http://{NAME}/next?u=https://{NAME}/",
            "Content-Location: https://other.elsewhere.test/",
            "Set-Cookie: a=1; Path=/; HttpOnly",
            "Set-Cookie: b=Secure; SameSite=Lax",
            "Content-Security-Policy: default-src 'self';",
        ],
        "fields",
    )


@story
def the_server_hears_its_own_origin():
    fields = [
        f"Origin: http://{NAME}",
        f"Referer: http://{NAME}/form",
        "Destination: http://other.floor.test/copy",
        "X-Mine: http://origin.floor.test",
        "Upgrade-Insecure-Requests: 1",
    ]
    with HttpsOrigin() as origin, upgrading(origin) as (gateway, client):
        ask(client, fields=fields)
        expect_upgrades(gateway, 1)
    check_equal(
        origin.heads[0][1].split("\r\n")[2:-3],
        [
            f"Origin: https://{NAME}",
            f"Referer: https://{NAME}/form",
            "Destination: https://other.floor.test/copy",
            "X-Mine: http://origin.floor.test",
        ],
        "fields",
    )


@story
def curl_follows_a_login_without_ever_leaving_plain_http():
    def answer(head):
        if head.startswith("GET /login "):
            fields = (f"Location: https://{NAME}/inbox", "Set-Cookie: session=42; Secure; HttpOnly; SameSite=None")
            return page(b"", *fields, status="302 Found")
        return page(b"inbox" if "\r\nCookie: session=42\r\n" in head else b"who are you?")

    with HttpsOrigin(answer) as origin, Gateway(origin, settings=RULE, upgrades=True) as gateway:
        done = run_client("curl", "-sSL", "-b", "", "-x", f"http://127.0.0.1:{gateway.proxy}", f"http://{NAME}/login")
        check_equal(done, ("inbox", 0), "what curl got")
        expect_upgrades(gateway, 2)


def asks_until_the_end(say_goodbye):
    def script(peer):
        HttpsOrigin.read_head(peer)
        peer.write(b"HTTP/1.1 200 OK\r\n\r\nto the end")
        if not say_goodbye:
            peer.shut()
            peer.read_all()

    with TlsOrigin(script=script) as origin, upgrading(origin) as (gateway, client):
        client.send(f"GET http://{NAME}/ HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode())
        try:
            return client.receive_all().split(b"\r\n\r\n")[1]
        except ConnectionResetError:
            return "a reset"
        finally:
            expect_upgrades(gateway, 1)


@story
def a_body_without_a_length_ends_with_the_servers_goodbye():
    check_equal(asks_until_the_end(say_goodbye=True), b"to the end", "body")


@story
def without_that_it_may_have_been_cut_and_the_client_sees_a_reset():
    check_equal(asks_until_the_end(say_goodbye=False), "a reset", "what the client saw")


@story
def a_websocket_passes():
    def script(peer):
        head = HttpsOrigin.read_head(peer)
        check_in("\r\nUpgrade: websocket\r\n", head, "request")
        check_in(f"\r\nOrigin: https://{NAME}\r\n", head, "request")
        fields = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n"
        peer.write(b"HTTP/1.1 101 Switching Protocols\r\n" + fields + b"\r\nhello")
        while data := peer.read():
            peer.write(data)

    with TlsOrigin(script=script) as origin, upgrading(origin) as (gateway, client):
        client.send(
            f"GET http://{NAME}/ws HTTP/1.1\r\nHost: {NAME}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            f"Origin: http://{NAME}\r\nSec-WebSocket-Key: x\r\n\r\n".encode()
        )
        check_in(b"HTTP/1.1 101 ", client.receive_until(b"\r\n\r\n"), "head")
        check_equal(client.receive(5), b"hello", "what the server said at once")
        sent = bytes(range(256)) * 1000
        client.send(sent)
        check_equal(client.receive(len(sent)), sent, "the echo")
        client.end()
        check_equal(client.receive_all(), b"", "what is left")
        expect_upgrades(gateway, 1)


@story
def requests_are_read_as_strictly_as_ever():
    for fields in (
        ["Content-Length: 4", "Transfer-Encoding: chunked"],
        ["X-Folded: a\r\n b"],
        ["X: a\rb"],
    ):
        with HttpsOrigin() as origin, upgrading(origin) as (gateway, client):
            check_in("HTTP/1.1 400 ", ask(client, method="POST", fields=fields)[0], "head")
            gateway.record({"event.code": "request-malformed"})
            check(not origin.connections, "the server was asked")


run_stories()
