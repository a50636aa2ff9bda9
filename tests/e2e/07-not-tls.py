"""What is not TLS does not pass where TLS belongs, and is told so in its own tongue where it has one."""

from harness import (
    CONNECT,
    SNI,
    TLS10,
    TLS12,
    WAYS,
    Gateway,
    RawOrigin,
    check,
    check_equal,
    check_in,
    client_hello,
    one_record,
    reach,
    run_stories,
    story,
)


def is_refused(first_bytes, record, says=None, ways=WAYS):
    with RawOrigin() as origin:
        with Gateway(origin) as gateway:
            for way in ways:
                with reach(gateway, way) as client:
                    client.send(first_bytes)
                    answer = client.receive_all()
                    if says is not None:
                        check_in(says, answer, f"answer by {way}")
                gateway.record(record)
        check_equal(origin.received(), b"", "what reached the server")


NOT_TLS = {"event.action": "not-tls", "event.code": "client-not-tls"}
MALFORMED = {"event.action": "malformed", "event.code": "client-hello-malformed"}


@story
def plain_http_on_a_tls_port_gets_a_page_that_says_so():
    is_refused(b"GET / HTTP/1.1\r\nHost: origin.floor.test\r\n\r\n", NOT_TLS, b"HTTP/1.1 400 ")


@story
def ssh_is_refused():
    is_refused(b"SSH-2.0-OpenSSH_9.2\r\n", NOT_TLS)


@story
def bytes_of_no_protocol_are_refused():
    is_refused(bytes(range(128, 228)), NOT_TLS)


@story
def a_record_that_is_no_handshake_is_refused():
    is_refused(one_record(bytes(32), TLS12, kind=23), {})


@story
def a_hello_with_a_broken_length_is_malformed():
    hello = bytearray(client_hello(TLS12))
    hello[39 + 32 : 39 + 34] = b"\xff\xff"  # of the cipher suites
    is_refused(one_record(bytes(hello)), MALFORMED)


@story
def an_empty_handshake_record_is_malformed():
    is_refused(one_record(b"", TLS10) + one_record(client_hello(TLS12)), MALFORMED)


@story
def another_record_type_in_the_middle_of_a_hello_is_malformed():
    hello = client_hello(TLS12)
    is_refused(one_record(hello[:50]) + one_record(bytes([1, 0]), kind=21) + one_record(hello[50:]), MALFORMED)


@story
def half_a_hello_and_the_end_is_one_record():
    with RawOrigin() as origin:
        with Gateway(origin) as gateway:
            for way in WAYS:
                with reach(gateway, way) as client:
                    client.send(one_record(client_hello(TLS12))[:60])
                    client.end()
                    client.receive_all()
                gateway.record({"event.action": "malformed", "event.code": "client-hello-cut"})
        check_equal(origin.received(), b"", "what reached the server")


@story
def a_connection_that_sends_nothing_is_no_record():
    with Gateway() as gateway:
        with reach(gateway, SNI) as client:
            client.end()
            check_equal(client.receive_all(), b"", "answer")


@story
def a_stalled_hello_ends_at_its_deadline():
    with RawOrigin() as origin, Gateway(origin, settings={"limits.hello_s": "0.2"}) as gateway:
        for way in WAYS:
            with reach(gateway, way) as client:
                client.send(one_record(client_hello(TLS12))[:60])
                client.receive_all()
            gateway.record({"event.action": "malformed", "event.code": "client-hello-timeout"})
        with reach(gateway, CONNECT) as client:
            check(client.receive_all() is not None, "the end")


run_stories()
