"""Plain HTTP through the proxy: absolute-form requests, with what belongs to one hop kept on that hop."""

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

NAME = "plain.floor.test"


def ask(client, text):
    """One response: its head as text, its body by Content-Length."""
    client.send(text.replace("\n", "\r\n").encode())
    head = client.receive_until(b"\r\n\r\n").decode().lower()
    length = [int(line.split(":")[1]) for line in head.split("\r\n") if line.startswith("content-length:")]
    return head, client.receive(length[0]) if length else b""


@story
def a_page_arrives_and_each_side_sees_a_via():
    with HttpOrigin() as origin, Gateway(origin) as gateway, RawClient(gateway.proxy) as client:
        head, body = ask(client, f"GET http://{NAME}/page?x=1 HTTP/1.1\nHost: wrong.floor.test\nX-Kept: yes\n\n")
        check_equal(body, b"plain page\n", "body")
        check_in("http/1.1 200 ", head, "status")
        check_in("\r\nvia: 1.1 tlsfloor", head, "via of the response")
        method, path, headers, _, _ = origin.seen[0]
        check_equal((method, path), ("GET", "/page?x=1"), "request as the server saw it")
        check_equal(headers.get_all("Host"), [NAME], "Host")
        check_equal(headers["X-Kept"], "yes", "a header of the client's own")
        check_in("1.1 tlsfloor", headers["Via"], "via of the request")


@story
def hop_by_hop_headers_stay_on_their_hop():
    with HttpOrigin() as origin, Gateway(origin) as gateway, RawClient(gateway.proxy) as client:
        head, _ = ask(
            client,
            f"GET http://{NAME}/ HTTP/1.1\nHost: {NAME}\nConnection: keep-alive, X-Mine\nX-Mine: secret\n"
            "Proxy-Connection: keep-alive\nProxy-Authorization: Basic c2VjcmV0\nKeep-Alive: timeout=5\nTE: gzip\n\n",
        )
        check("x-hop" not in head, f"the server's own hop header came through: {head}")
        for name in ("X-Mine", "Proxy-Connection", "Proxy-Authorization", "Keep-Alive", "TE"):
            check_equal(origin.seen[0][2][name], None, name)


@story
def one_connection_serves_several_requests():
    with HttpOrigin() as origin, Gateway(origin) as gateway, RawClient(gateway.proxy) as client:
        for n in range(5):
            head, body = ask(client, f"GET http://{NAME}/{n} HTTP/1.1\nHost: {NAME}\n\n")
            check_in("http/1.1 200 ", head, "status")
            check_equal(body, b"plain page\n", "body")
        check_equal([seen[1] for seen in origin.seen], [f"/{n}" for n in range(5)], "requests")


@story
def requests_sent_ahead_are_answered_in_order():
    with HttpOrigin() as origin, Gateway(origin) as gateway, RawClient(gateway.proxy) as client:
        statuses = (201, 202)
        client.send(*[f"GET http://{NAME}/status/{s} HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode() for s in statuses])
        for status in statuses:
            head, body = ask(client, "")
            check_in(f"http/1.1 {status} ", head, "status")
            check_equal(body, b"plain page\n", "body")


@story
def chunked_bodies_pass_both_ways():
    with HttpOrigin() as origin, Gateway(origin) as gateway:
        done = run_client(
            "curl", "-sS", "-x", f"http://127.0.0.1:{gateway.proxy}", "-H", "Transfer-Encoding: chunked",
            "--data-binary", "@-", f"http://{NAME}/chunked", stdin="up " * 10_000,
        )  # fmt: skip
        check_equal(done.output, "first second third", "what curl got")
        check_equal(origin.seen[0][3], b"up " * 10_000, "what the server got")


@story
def a_body_that_waits_for_100_continue_is_told_to_come():
    with HttpOrigin() as origin, Gateway(origin) as gateway, RawClient(gateway.proxy) as client:
        client.send(
            f"PUT http://{NAME}/ HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n".encode()
        )
        check_in(b"HTTP/1.1 100 ", client.receive_until(b"\r\n\r\n"), "interim response")
        head, body = ask(client, "body")
        check_in("http/1.1 200 ", head, "status")
        check_equal(body, b"body", "the echo")
        check_equal(origin.seen[0][3], b"body", "what the server got")


@story
def a_head_request_has_no_body_and_the_connection_goes_on():
    with HttpOrigin() as origin, Gateway(origin) as gateway, RawClient(gateway.proxy) as client:
        client.send(f"HEAD http://{NAME}/ HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode())
        check_in(b"content-length: 11", client.receive_until(b"\r\n\r\n").lower(), "head")
        check_equal(ask(client, f"GET http://{NAME}/ HTTP/1.1\nHost: {NAME}\n\n")[1], b"plain page\n", "the next page")


@story
def a_body_without_a_length_ends_with_the_connection():
    def script(connection):
        while b"\r\n\r\n" not in connection.received:
            connection.recv()
        connection.send(b"HTTP/1.0 200 OK\r\n\r\nto the end")

    with RawOrigin(script) as origin, Gateway(origin, settings={"access.port": "443"}) as gateway:
        done = run_client("curl", "-sS", "-x", f"http://127.0.0.1:{gateway.proxy}", "http://origin.floor.test:443/")
        check_equal(done, ("to the end", 0), "what curl got")


@story
def a_body_that_breaks_off_is_seen_to_break_off():
    def script(connection):
        while b"\r\n\r\n" not in connection.received:
            connection.recv()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort")

    with RawOrigin(script) as origin, Gateway(origin) as gateway:
        done = run_client("curl", "-sS", "-x", f"http://127.0.0.1:{gateway.proxy}", "http://origin.floor.test:443/")
        check_equal(done.status, 18, "curl's status for a part of a file")


@story
def a_server_that_is_not_there_gets_a_page_with_the_reason():
    with HttpOrigin() as origin:
        origin.close()
        with Gateway(origin) as gateway, RawClient(gateway.proxy) as client:
            head, body = ask(client, f"GET http://{NAME}/ HTTP/1.1\nHost: {NAME}\n\n")
            check_in("http/1.1 502 ", head, "status")
            check_in("proxy-status: tlsfloor; error=connection_refused", head, "head")
            check_in(b"dial-refused", body, "page")
            check_in(NAME.encode(), body, "page")


@story
def a_request_that_means_two_things_is_refused():
    smuggled = f"POST http://{NAME}/ HTTP/1.1\nHost: {NAME}\nContent-Length: 4\nTransfer-Encoding: chunked\n\n0\n\n"
    for text in (
        smuggled,
        f"POST http://{NAME}/ HTTP/1.1\nHost: {NAME}\nContent-Length: 4\nContent-Length: 5\n\nbodyx",
        f"GET http://{NAME}/ HTTP/1.1\nHost: {NAME}\nX-Folded: a\n b\n\n",
        f"GET http://{NAME}/ HTTP/1.1\nHost : {NAME}\n\n",
        "GET / HTTP/1.1\nHost: plain.floor.test\n\n",
        "GET https://plain.floor.test/ HTTP/1.1\nHost: plain.floor.test\n\n",
    ):
        with HttpOrigin() as origin, Gateway(origin) as gateway:
            with RawClient(gateway.proxy) as client:
                head, _ = ask(client, text)
                check(head[9] in "45", f"status of {text!r}: {head}")
            gateway.record()
            check_equal(origin.seen, [], "what the server saw")


run_stories()
