"""What may and what may not come from a server before its ServerHello."""

from harness import (
    CONNECT,
    TLS10,
    TLS12,
    WAYS,
    Gateway,
    RawOrigin,
    TlsOrigin,
    TlsPeer,
    alert,
    check,
    check_equal,
    check_in,
    client_context,
    client_hello,
    one_record,
    pieces,
    reach,
    resplit,
    run_stories,
    server_hello,
    story,
)

NAME = "origin.floor.test"
HELLO = one_record(client_hello(TLS12))
FLIGHT = one_record(server_hello(TLS12), TLS12)


def server_that_says(*parts, then_ends=False):
    def script(connection):
        connection.recv_hello()
        connection.send(*parts)
        if not then_ends:
            connection.recv_to_end()

    return RawOrigin(script)


def real_session_passes(reshape):
    for version in ("1.2", "1.3"):
        for way in WAYS:
            with TlsOrigin("1.2", version, reshape=reshape) as origin, Gateway(origin) as gateway:
                with reach(gateway, way) as raw:
                    peer = TlsPeer(raw.sock, client_context(), NAME).handshake()
                    peer.write(b"GET / HTTP/1.1\r\n\r\n")
                    check_in(f"page over TLSv{version}".encode(), peer.read_all(), f"page by {way}")


def is_refused_after_the_hello(*parts, then_ends=False):
    for way in WAYS:
        with server_that_says(*parts, then_ends=then_ends) as origin, Gateway(origin) as gateway:
            with reach(gateway, way) as client:
                client.send(HELLO)
                check_equal(client.receive_all(), alert(40, TLS12), f"what the client gets by {way}")
            gateway.record({"event.action": "malformed", "event.code": "server-hello-malformed"})


@story
def a_server_hello_over_records_of_one_byte_passes():
    real_session_passes(lambda flight: [b"".join(resplit(flight, size=1))])


@story
def a_server_hello_over_records_of_one_byte_in_segments_of_their_own_passes():
    real_session_passes(lambda flight: resplit(flight, size=1))


@story
def a_server_hello_one_byte_a_segment_passes():
    real_session_passes(pieces)


@story
def a_server_that_refuses_with_an_alert_is_heard_by_the_client():
    for way in WAYS:
        with server_that_says(alert(40, TLS12), then_ends=True) as origin, Gateway(origin) as gateway:
            with reach(gateway, way) as client:
                client.send(HELLO)
                check_equal(client.receive_all(), alert(40, TLS12), f"what the client gets by {way}")


@story
def a_warning_before_the_server_hello_passes_with_it():
    for way in WAYS:
        with server_that_says(alert(112, TLS12, level=1), FLIGHT) as origin, Gateway(origin) as gateway:
            with reach(gateway, way) as client:
                client.send(HELLO)
                wanted = alert(112, TLS12, level=1) + FLIGHT
                check_equal(client.receive(len(wanted)), wanted, f"what the client gets by {way}")


@story
def plain_text_in_place_of_a_server_hello_is_refused():
    is_refused_after_the_hello(b"HTTP/1.1 400 Bad Request\r\n\r\nspeak plainly")


@story
def application_data_in_place_of_a_server_hello_is_refused():
    is_refused_after_the_hello(one_record(bytes(64), TLS12, kind=23))


@story
def a_server_that_speaks_before_the_client_is_refused():
    for first in (b"220 mail.floor.test ESMTP\r\n", alert(42, TLS10), FLIGHT):
        with RawOrigin(lambda c, text=first: (c.send(text), c.recv_to_end())) as origin:
            with Gateway(origin) as gateway:
                with reach(gateway, CONNECT) as client:
                    answer = client.receive_all()
                    check(first not in answer, f"the server's words reached the client: {answer!r}")
                gateway.record({"event.action": "not-tls", "event.code": "server-spoke-first"})
            check_equal(origin.received(), b"", "what reached the server")


run_stories()
