"""Every wait has an end, and the one that it says: what is told to whom when a peer stops halfway."""

import socket
import time

from harness import (
    CONNECT,
    TLS10,
    TLS12,
    WAYS,
    BlackHole,
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
    reach,
    run_stories,
    server_hello,
    story,
)

NAME = "origin.floor.test"
HELLO = one_record(client_hello(TLS12))  # in a record of 1.0: all that is known of one that stops halfway
FLIGHT = one_record(server_hello(TLS12), TLS12)
LIMIT_S = 0.5
MUCH_LATER_S = 4  # no other limit is that short, and a busy machine is seldom that slow


def limited(key):
    return {f"limits.{key}": str(LIMIT_S)}


class Took:
    """The block must take as long as the limit, and not much longer."""

    def __enter__(self):
        self.began = time.monotonic()

    def __exit__(self, kind, *_):
        took = time.monotonic() - self.began
        if kind is None:
            check(LIMIT_S * 0.9 <= took < MUCH_LATER_S, f"it took {took:.2f} s, the limit is {LIMIT_S} s")


def dribble(client, data, every_s=0.1):
    """A byte at a time until the other side has had enough; then all that it said."""
    client.sock.settimeout(every_s)
    for byte in data:
        try:
            client.send(bytes([byte]))
            said = client.sock.recv(65536)
        except socket.timeout:
            continue
        client.sock.settimeout(MUCH_LATER_S)
        return said + client.receive_all()
    raise AssertionError(f"all {len(data)} bytes were taken, {every_s} s each")


@story
def a_hello_that_stops_halfway_is_refused():
    for way in WAYS:
        with RawOrigin() as origin, Gateway(origin, settings=limited("hello_s")) as gateway:
            with reach(gateway, way) as client, Took():
                client.send(HELLO[:50])
                check_equal(client.receive_all(), alert(40, TLS10), f"what the client gets by {way}")
            gateway.record({"event.action": "malformed", "event.code": "client-hello-timeout"})


@story
def a_byte_now_and_then_does_not_buy_a_hello_more_time():
    for way in WAYS:
        with RawOrigin() as origin, Gateway(origin, settings=limited("hello_s")) as gateway:
            with reach(gateway, way) as client, Took():
                check_equal(dribble(client, HELLO), alert(40, TLS10), f"what the client gets by {way}")
            gateway.record({"event.code": "client-hello-timeout"})


@story
def a_client_that_says_nothing_in_its_tunnel_leaves_no_record():
    with RawOrigin() as origin, Gateway(origin, settings=limited("hello_s")) as gateway:
        with reach(gateway, CONNECT) as client, Took():
            check_equal(client.receive_all(), b"", "what the client gets")
        check_equal(origin.received(), b"", "what the server got")


@story
def a_client_that_says_nothing_at_all_leaves_no_record():
    settings = {**limited("hello_s"), **limited("request_s")}
    with Gateway(settings=settings) as gateway:
        silent = [RawClient(gateway.proxy), RawClient(gateway.straight)]
        for client in silent:  # the kernel keeps such a connection to itself for some seconds
            check_equal(client.receive_all(), b"", "what the client gets")
            client.close()


@story
def a_request_that_stops_halfway_gets_a_page():
    with Gateway(settings=limited("request_s")) as gateway:
        for say in (RawClient.send, dribble):
            with RawClient(gateway.proxy) as client, Took():
                page = say(client, f"CONNECT {NAME}:443 HTTP/1.1\r\nUser-Agent: sl".encode()) or client.receive_all()
                check_in(b"HTTP/1.1 408 ", page, "answer")
                check_in(b"request-timeout", page, "page")
            gateway.record({"event.action": "malformed", "event.code": "request-timeout"})


@story
def an_address_that_never_answers_is_given_up():
    with BlackHole() as origin, Gateway(origin, settings=limited("dial_s")) as gateway:
        with RawClient(gateway.proxy) as client, Took():
            client.send(f"CONNECT {NAME}:443 HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode())
            page = client.receive_all()
            check_in(b"HTTP/1.1 504 ", page, "answer")
            check_in(b"error=connection_timeout", page, "head")
            check_in(b"dial-timeout", page, "page")
        with RawClient(gateway.straight) as client, Took():
            client.send(HELLO)
            check_equal(client.receive_all(), alert(80, TLS12), "answer to TLS that comes straight in")


@story
def a_server_that_never_answers_the_hello_is_given_up():
    for way in WAYS:
        with RawOrigin() as origin, Gateway(origin, settings=limited("hello_s")) as gateway:
            with reach(gateway, way) as client, Took():
                client.send(HELLO)
                check_equal(client.receive_all(), alert(80, TLS12), f"what the client gets by {way}")
            check_equal(origin.received(), HELLO, "what the server got")


@story
def a_server_hello_that_stops_halfway_is_refused():
    def script(connection):
        connection.recv_hello()
        connection.send(FLIGHT[:30])
        connection.recv_to_end()

    for way in WAYS:
        with RawOrigin(script) as origin, Gateway(origin, settings=limited("hello_s")) as gateway:
            with reach(gateway, way) as client, Took():
                client.send(HELLO)
                check_equal(client.receive_all(), alert(40, TLS12), f"what the client gets by {way}")
            gateway.record({"event.action": "malformed", "event.code": "server-hello-timeout"})


def tunnel(gateway, way):
    client = reach(gateway, way)
    client.send(HELLO)
    check_equal(client.receive(len(FLIGHT)), FLIGHT, "the server's flight")
    return client


def echo(connection):
    connection.recv_exactly(len(HELLO))
    connection.send(FLIGHT)
    while data := connection.recv():
        connection.send(data)


@story
def an_idle_tunnel_ends_and_a_busy_one_does_not():
    for way in WAYS:
        with RawOrigin(echo) as origin, Gateway(origin, settings=limited("idle_s")) as gateway:
            with tunnel(gateway, way) as client:
                for _ in range(10):  # longer than the limit, taken together
                    time.sleep(LIMIT_S / 5)
                    client.send(b"busy")
                    check_equal(client.receive(4), b"busy", "the echo")
                with Took():
                    check_equal(client.receive_all(), b"", f"what the client gets by {way}")
            check_equal(origin.finished().error, None, "what the server saw of the end")


@story
def a_half_closed_tunnel_ends_sooner():
    def script(connection):
        connection.recv_exactly(len(HELLO))
        connection.send(FLIGHT)
        connection.recv_to_end()
        connection.send(b"after the end")
        connection.ended_after = time.monotonic()
        connection.sock.settimeout(MUCH_LATER_S)
        connection.sock.recv(1)
        connection.over.wait(MUCH_LATER_S)

    with RawOrigin(script) as origin, Gateway(origin, settings=limited("half_closed_s")) as gateway:
        for way in WAYS:
            with tunnel(gateway, way) as client:
                client.end()
                check_equal(client.receive(13), b"after the end", f"what the client still gets by {way}")
                with Took():
                    check_equal(client.receive_all(), b"", "what follows")


@story
def a_kept_connection_without_a_next_request_ends():
    with HttpOrigin() as origin, Gateway(origin, settings=limited("request_s")) as gateway:
        with RawClient(gateway.proxy) as client:
            client.send(b"GET http://plain.floor.test/ HTTP/1.1\r\nHost: plain.floor.test\r\n\r\n")
            client.receive_until(b"plain page\n")
            with Took():
                check_equal(client.receive_all(), b"", "what follows the page")


@story
def a_server_that_never_answers_a_plain_request_is_given_up():
    with RawOrigin() as origin, Gateway(origin, settings=limited("idle_s")) as gateway:
        with RawClient(gateway.proxy) as client, Took():
            client.send(f"GET http://{NAME}:443/ HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode())
            page = client.receive_all()
            check_in(b"HTTP/1.1 504 ", page, "answer")
            check_in(b"upstream-timeout", page, "page")


@story
def a_response_that_stops_halfway_breaks_off_without_a_page():
    def script(connection):
        connection.recv()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort")
        connection.recv_to_end()

    with RawOrigin(script) as origin, Gateway(origin, settings=limited("idle_s")) as gateway:
        with RawClient(gateway.proxy) as client, Took():
            client.send(f"GET http://{NAME}:443/ HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode())
            check(client.receive_all().endswith(b"\r\n\r\nshort"), "more than the server said")


run_stories()
