"""Plain HTTP where it is easy to get wrong: connections that are kept, responses without a body, answers that come
before the question is out, and peers that leave."""

import contextlib
import socket
import struct
import threading

from harness import (
    TLS10,
    Gateway,
    HttpOrigin,
    RawClient,
    RawOrigin,
    alert,
    check,
    check_equal,
    check_in,
    client_hello,
    one_record,
    run_stories,
    story,
    wait_until,
)

NAME = "origin.floor.test"
PAGE = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npage"
MUCH = 10_000_000


class Scripted(RawOrigin):
    asked_port = 80


def read_head(connection):
    """The next request's head; whatever came behind it is lost, which these scripts do not mind."""
    already = len(connection.received)
    while b"\r\n\r\n" not in connection.received[already:]:
        if not connection.recv():
            raise EOFError("the end in place of a request")


def server_that_says(*responses, then_stays=True):
    def script(connection):
        for response in responses:
            read_head(connection)
            connection.send(response)
        if then_stays:
            connection.recv_to_end()

    return Scripted(script)


def get(client, name=NAME, path="/", method="GET", version="1.1"):
    client.send(f"{method} http://{name}{path} HTTP/{version}\r\nHost: {name}\r\n\r\n".encode())


def gets_a_page(client, name=NAME, page=b"page"):
    get(client, name)
    check_in(b"HTTP/1.1 200 ", client.receive_until(b"\r\n\r\n"), "head")
    check_equal(client.receive(len(page)), page, "body")


@story
def a_kept_connection_that_the_server_has_closed_is_replaced():
    with server_that_says(PAGE, then_stays=False) as origin, Gateway(origin) as gateway:
        with RawClient(gateway.proxy) as client:
            for n in range(3):
                gets_a_page(client)
                origin.finished(n)
    check_equal(len(origin.connections), 3, "connections to the server")


@story
def a_server_connection_is_kept_while_the_client_stays_with_it():
    with server_that_says(PAGE, PAGE, PAGE) as origin, Gateway(origin) as gateway, RawClient(gateway.proxy) as client:
        for _ in range(3):
            gets_a_page(client)
        check_equal(len(origin.connections), 1, "connections to the server")


@story
def a_server_that_wants_to_close_is_not_asked_again():
    closing = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\npage"
    with server_that_says(closing) as origin, Gateway(origin) as gateway, RawClient(gateway.proxy) as client:
        gets_a_page(client)
        gets_a_page(client)
        check_equal(len(origin.connections), 2, "connections to the server")


@story
def what_a_server_says_unasked_is_never_taken_for_an_answer():
    with server_that_says(PAGE + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil") as origin:
        with Gateway(origin) as gateway, RawClient(gateway.proxy) as client:
            gets_a_page(client)
            gets_a_page(client)
            check_equal(len(origin.connections), 2, "connections to the server")


@story
def responses_without_a_body_end_with_their_head():
    for status, method in (("204 No Content", "GET"), ("304 Not Modified", "GET"), ("200 OK", "HEAD")):
        length = b"" if status.startswith("204") else b"Content-Length: 1000\r\n"
        bodiless = f"HTTP/1.1 {status}\r\n".encode() + length + b"X-Mark: yes\r\n\r\n"
        with server_that_says(bodiless, PAGE) as origin, Gateway(origin) as gateway:
            with RawClient(gateway.proxy) as client:
                get(client, method=method)
                head = client.receive_until(b"\r\n\r\n")
                check_in(f"HTTP/1.1 {status}\r\n".encode(), head, "head")
                check_in(b"X-Mark: yes", head, "head")
                gets_a_page(client)


@story
def a_monitored_response_without_a_length_is_whole_too():
    rule = {"floor.mode": "monitor", "rule no.action": "block"}
    with server_that_says(b"HTTP/1.1 200 OK\r\n\r\nall of it", then_stays=False) as origin:
        with Gateway(origin, settings=rule) as gateway, RawClient(gateway.proxy) as client:
            get(client)
            check_equal(client.receive_all().split(b"\r\n\r\n")[1], b"all of it", "body")
            gateway.record({"event.code": "rule-block", "tlsfloor.verdict": "monitor"})


@story
def interim_responses_pass_in_front_of_the_final_one():
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"
    with server_that_says(hints + hints + PAGE, PAGE) as origin, Gateway(origin) as gateway:
        with RawClient(gateway.proxy) as client:
            get(client)
            for _ in range(2):
                check_in(b"HTTP/1.1 103 Early Hints\r\n", client.receive_until(b"\r\n\r\n"), "interim response")
            check_in(b"HTTP/1.1 200 ", client.receive_until(b"\r\n\r\n"), "final response")
            check_equal(client.receive(4), b"page", "body")
            gets_a_page(client)


@story
def a_client_of_http_1_0_gets_neither_interim_responses_nor_chunks():
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n4\r\n two\r\n0\r\n\r\n"
    with server_that_says(b"HTTP/1.1 103 Early Hints\r\n\r\n" + chunked) as origin, Gateway(origin) as gateway:
        with RawClient(gateway.proxy) as client:
            client.send(f"GET http://{NAME}/ HTTP/1.0\r\n\r\n".encode())
            head, _, body = client.receive_all().partition(b"\r\n\r\n")
            check_in(b"HTTP/1.1 200 ", head[:13], "head")
            check(b"transfer-encoding" not in head.lower(), f"chunks for a client of HTTP/1.0: {head}")
            check_equal(body, b"one two", "body")


def upload(client):
    with contextlib.suppress(OSError):  # the other side may have had enough
        client.send(bytes(MUCH))


@story
def an_answer_to_an_upload_that_is_still_going_on_arrives():
    too_much = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 8\r\n\r\ntoo much"
    for then_stays in (False, True):

        def script(connection, stays=then_stays):
            read_head(connection)
            connection.send(too_much)
            if stays:  # without reading on
                connection.over.wait(1)

        with Scripted(script) as origin, Gateway(origin) as gateway, RawClient(gateway.proxy) as client:
            client.send(f"POST http://{NAME}/ HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: {MUCH}\r\n\r\n".encode())
            sender = threading.Thread(target=upload, args=(client,))
            sender.start()
            head = client.receive_until(b"\r\n\r\n")
            check_in(b"HTTP/1.1 413 ", head, "head")
            check_in(b"connection: close", head.lower(), "head")
            check_equal(client.receive(8), b"too much", "body")
            client.sock.shutdown(socket.SHUT_RDWR)
            sender.join()


@story
def ten_megabytes_pass_both_ways():
    data = bytes(range(256)) * (MUCH // 256)
    with HttpOrigin() as origin, Gateway(origin) as gateway, RawClient(gateway.proxy) as client:
        for framing in ("length", "chunks"):
            head = "POST http://plain.floor.test/ HTTP/1.1\r\nHost: plain.floor.test\r\n"
            if framing == "length":
                client.send(f"{head}Content-Length: {len(data)}\r\n\r\n".encode(), data)
            else:
                client.send(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
                for at in range(0, len(data), 65536):
                    part = data[at : at + 65536]
                    client.send(b"%x\r\n%s\r\n" % (len(part), part))
                client.send(b"0\r\n\r\n")
            check_in(f"content-length: {len(data)}".encode(), client.receive_until(b"\r\n\r\n").lower(), "head")
            check(client.receive(len(data)) == data, f"the body by {framing} is not what was sent")


@story
def requests_for_several_servers_share_a_client_connection():
    first = HttpOrigin("first.floor.test")
    second = HttpOrigin("second.floor.test")
    with first, second, Gateway(first, second) as gateway, RawClient(gateway.proxy) as client:
        for origin in (first, second, first):
            gets_a_page(client, origin.name, b"plain page\n")
        check_equal([len(first.seen), len(second.seen)], [2, 1], "requests that each server saw")
        check_equal(first.seen[1][2]["Host"], "first.floor.test", "Host")


@story
def a_refused_request_on_a_kept_connection_is_one_record():
    settings = {"admin.listen": "127.0.0.1:0", "access.port": "80"}
    with HttpOrigin() as origin, Gateway(origin, settings=settings) as gateway:
        with RawClient(gateway.proxy) as client:
            gets_a_page(client, origin.name, b"plain page\n")
            get(client, f"{origin.name}:81")
            check_in(b"HTTP/1.1 403 ", client.receive_all(), "answer to the second request")
        gateway.record({"event.code": "port-denied", "destination.domain": origin.name, "destination.port": 81})
        check_equal(gateway.metric("tlsfloor_blocked_total"), 1, "tlsfloor_blocked_total")
        check_equal(gateway.metric("tlsfloor_sessions_total"), 1, "tlsfloor_sessions_total")


@story
def a_malformed_request_on_a_kept_connection_is_one_record():
    with HttpOrigin() as origin, Gateway(origin) as gateway:
        with RawClient(gateway.proxy) as client:
            gets_a_page(client, origin.name, b"plain page\n")
            client.send(b"nonsense\r\n\r\n")
            check_in(b"HTTP/1.1 400 ", client.receive_all(), "answer to the second request")
        gateway.record({"event.code": "request-malformed"})


@story
def a_tunnel_may_follow_a_plain_request():
    plain, tunnelled = HttpOrigin(), RawOrigin()
    with plain, tunnelled, Gateway(plain, tunnelled) as gateway:
        with RawClient(gateway.proxy) as client:
            gets_a_page(client, plain.name, b"plain page\n")
            client.connect(NAME)
            client.send(one_record(client_hello(TLS10)))
            check_equal(client.receive_all(), alert(70, TLS10), "answer")
        gateway.record({"event.code": "client-below-floor", "destination.domain": NAME, "destination.port": 443})
        check_equal(tunnelled.finished(0).received, b"", "what reached the server, over a connection of its own")


@story
def a_client_that_disappears_takes_its_server_connection_along():
    def script(connection):
        read_head(connection)
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        while True:
            connection.send(bytes(65536))

    for reset in (True, False):
        settings = {"admin.listen": "127.0.0.1:0"}
        with Scripted(script) as origin, Gateway(origin, settings=settings) as gateway:
            client = RawClient(gateway.proxy)
            get(client)
            client.receive(100_000)
            if reset:
                client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
            check(origin.finished().error is not None, "the server's connection did not break")
            wait_until(lambda g=gateway: g.metric("tlsfloor_sessions_active") == 0, "no session is left")


@story
def a_client_that_has_no_more_requests_still_gets_its_answer():
    with server_that_says(PAGE) as origin, Gateway(origin) as gateway, RawClient(gateway.proxy) as client:
        get(client)
        client.end()
        check_in(b"\r\n\r\npage", client.receive_all(), "answer")


run_stories()
