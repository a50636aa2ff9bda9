"""A listener of kind forward: clients take the gateway for the server."""

import signal

from harness import (
    Gateway,
    HttpOrigin,
    RawClient,
    RawOrigin,
    check,
    check_equal,
    check_in,
    run_client,
    run_stories,
    story,
)
from harness.https import HttpsOrigin, page

NAME = "origin.floor.test"
LISTENER = {
    "listener web.listen": "127.0.0.1:0",
    "listener web.kind": "forward",
    "listener web.protocol": "http",
    "listener web.upstream": NAME,
}
UPGRADING = {**LISTENER, "rule up.destination": NAME, "rule up.action": "upgrade"}
UPGRADED = {"event.action": "tls-upgraded", "tlsfloor.upgrade.from": "plain",
            "observer.ingress.interface.name": "web"}  # fmt: skip


def ask(client, path="/", fields=(), method="GET"):
    """The response's head; a body is left unread."""
    lines = [f"{method} {path} HTTP/1.1", "Host: gateway:8080", *fields, "", ""]
    client.send("\r\n".join(lines).encode())
    return client.receive_until(b"\r\n\r\n").decode()


def gets_a_page(client, body=b"plain page\n", **more):
    check_in("HTTP/1.1 200 ", ask(client, **more), "head")
    check_equal(client.receive(len(body)), body, "body")


@story
def a_path_is_asked_of_the_upstream_under_its_own_name():
    with HttpOrigin(NAME) as origin, Gateway(origin, settings=LISTENER) as gateway:
        with RawClient(gateway.ports["web"]) as client:
            gets_a_page(client, path="/page?x=1")
            gets_a_page(client, path=f"http://{NAME}/absolute")
        check_equal([seen[1] for seen in origin.seen], ["/page?x=1", "/absolute"], "paths")
        check_equal([seen[2]["Host"] for seen in origin.seen], [NAME, NAME], "Host")
        check_equal(len({seen[4] for seen in origin.seen}), 1, "connections to the server")


@story
def a_plain_client_is_upgraded():
    with HttpsOrigin() as origin, Gateway(origin, settings=UPGRADING, upgrades=True) as gateway:
        with RawClient(gateway.ports["web"]) as client:
            for _ in range(2):
                gets_a_page(client, b"page", fields=["Origin: http://gateway:8080"])
                gateway.record({**UPGRADED, "destination.domain": NAME})
        check_equal((origin.agreed[0].version, origin.agreed[0].name), ("TLSv1.3", NAME), "what the server agreed on")
        check_equal([number for number, _ in origin.heads], [0, 0], "connections by request")
        for _, head in origin.heads:
            check_in(f"\r\nHost: {NAME}\r\nOrigin: https://{NAME}\r\n", head, "request")


@story
def curl_stays_with_the_gateway_through_redirects_and_cookies():
    def answer(head):
        if head.startswith("GET /login "):
            fields = (f"Location: https://{NAME}/inbox", f"Set-Cookie: s=42; Domain={NAME}; Secure; Path=/")
            return page(b"", *fields, status="302 Found")
        return page(b"inbox" if "\r\nCookie: s=42\r\n" in head else b"who are you?")

    with HttpsOrigin(answer) as origin, Gateway(origin, settings=UPGRADING, upgrades=True) as gateway:
        done = run_client("curl", "-sSL", "-b", "", f"http://127.0.0.1:{gateway.ports['web']}/login")
        check_equal(done, ("inbox", 0), "what curl got")
        for _ in range(2):
            gateway.record(UPGRADED)


@story
def requests_for_others_are_misdirected():
    for method, target in (("GET", "http://other.floor.test/"), ("GET", f"http://{NAME}:443/"),
                           ("CONNECT", f"{NAME}:443")):  # fmt: skip
        with HttpOrigin(NAME) as origin, Gateway(origin, settings=LISTENER) as gateway:
            with RawClient(gateway.ports["web"]) as client:
                check_in("HTTP/1.1 421 Misdirected Request\r\n", ask(client, target, method=method), "head")
            gateway.record({"event.action": "access-denied", "event.code": "misdirected-request"})
            check_equal(origin.seen, [], "requests that the server got")


@story
def a_rule_may_block_the_listener():
    settings = {**LISTENER, "rule no.listener": "web", "rule no.action": "block"}
    with HttpOrigin(NAME) as origin, Gateway(origin, settings=settings) as gateway:
        with RawClient(gateway.ports["web"]) as client:
            check_in("HTTP/1.1 403 ", ask(client), "head")
        gateway.record({"event.action": "access-denied", "event.code": "rule-block", "rule.name": "no"})


@story
def the_upstreams_port_must_be_allowed():
    settings = {**LISTENER, "listener web.upstream": f"{NAME}:8080"}
    with HttpOrigin(NAME) as origin, Gateway(origin, settings=settings) as gateway:
        with RawClient(gateway.ports["web"]) as client:
            check_in("HTTP/1.1 403 ", ask(client), "head")
        gateway.record({"event.code": "port-denied"})


class PlainOrigin(RawOrigin):
    asked_port = 80


@story
def a_request_that_a_kept_connection_has_lost_in_plain_is_sent_once_more():
    def script(connection):
        for response in (page(b"plain page\n"), b""):
            start = len(connection.received)
            while b"\r\n\r\n" not in connection.received[start:]:
                if not connection.recv():
                    return
            connection.send(response)

    with PlainOrigin(script) as origin:
        with Gateway(origin, settings=LISTENER) as gateway, RawClient(gateway.ports["web"]) as client:
            gets_a_page(client)
            gets_a_page(client)
            check_equal(bytes(origin.finished(0).received).count(b"GET / "), 2, "requests on the first connection")
            check_equal(len(origin.connections), 2, "connections to the server")


@story
def sighup_moves_a_kept_client_to_the_new_upstream():
    with HttpOrigin(NAME) as old, HttpOrigin("new.floor.test") as new:
        with Gateway(old, new, settings=LISTENER) as gateway, RawClient(gateway.ports["web"]) as client:
            gets_a_page(client)
            gateway.write(gateway.ini.replace(f"upstream = {NAME}", f"upstream = {new.name}"))
            gateway.signal(signal.SIGHUP)
            check(gateway.stderr.wait(lambda lines: "tlsfloor: reloaded" in lines), "it says that it reloaded")
            gets_a_page(client)
        check_equal((len(old.seen), len(new.seen)), (1, 1), "requests")


run_stories()
