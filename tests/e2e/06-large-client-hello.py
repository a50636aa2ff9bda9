"""Legal hellos pass, however large, however slow, and whole."""

import time

from harness import (
    TLS12,
    TLS13,
    WAYS,
    Gateway,
    RawOrigin,
    TlsOrigin,
    TlsPeer,
    check,
    check_equal,
    check_in,
    client_context,
    client_hello,
    longest_client_hello,
    one_record,
    pieces,
    reach,
    records,
    resplit,
    run_stories,
    server_hello,
    story,
)

NAME = "origin.floor.test"


@story
def a_9_KB_hello_in_three_records_50_ms_apart_passes_to_a_1_2_server():
    context = client_context("1.2", "1.3")
    context.set_alpn_protocols([f"protocol-{n:03}-" + "x" * 80 for n in range(96)])
    def in_three(flight):
        check(len(flight) > 9000, f"the hello has only {len(flight)} bytes")
        layout = resplit(flight, [3000, 3000])
        check_equal(len(layout), 3, "records")
        return layout

    for way in WAYS:
        with TlsOrigin("1.2", "1.2") as origin, Gateway(origin) as gateway, reach(gateway, way) as raw:
            peer = TlsPeer(raw.sock, context, NAME, reshape=in_three, pause=lambda: time.sleep(0.05)).handshake()
            peer.write(b"GET / HTTP/1.1\r\n\r\n")
            check_in(b"page over TLSv1.2", peer.read_all(), f"page by {way}")


def passes_whole(message, layout):
    flight = b"".join(layout)
    answer = one_record(server_hello(TLS12, supported=TLS13), TLS12)

    def script(connection):
        connection.recv_exactly(len(flight))
        connection.send(answer)
        connection.recv_to_end()

    for way in WAYS:
        with RawOrigin(script) as origin:
            with Gateway(origin) as gateway, reach(gateway, way) as client:
                client.send(*layout)
                check_equal(client.receive(len(answer)), answer, f"{len(message)} bytes of hello by {way}")
            check(origin.received() == flight, "the server got other bytes than were sent")


@story
def a_hello_of_60_KB_over_four_records_passes():
    hello = client_hello(TLS12, supported=[TLS13], padding=60_000)
    passes_whole(hello, records(hello, [16384, 16384, 16384]))


@story
def the_longest_hello_that_its_lengths_allow_passes():
    hello = longest_client_hello()
    check_equal(len(hello), 4 + 131_396, "bytes of the longest hello, header included")
    passes_whole(hello, records(hello, [16384] * 8))


@story
def a_hello_over_500_records_passes():
    hello = client_hello(TLS12, supported=[TLS13], padding=1500)
    passes_whole(hello, [b"".join(records(hello, [3] * 500))])


@story
def a_hello_one_byte_a_segment_passes():
    hello = client_hello(TLS12, supported=[TLS13])
    passes_whole(hello, pieces(b"".join(records(hello, [1, 2, 3]))))


run_stories()
