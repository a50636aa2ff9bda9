"""A ClientHello below the floor is recognised however it is laid over records and segments."""

from harness import (
    TLS10,
    WAYS,
    Gateway,
    RawOrigin,
    alert,
    check_equal,
    client_hello,
    pieces,
    reach,
    records,
    records_of_one_byte,
    run_stories,
    story,
)

OLD = client_hello(TLS10)
BLOCKED = {"event.action": "tls-version-blocked", "event.code": "client-below-floor", "tlsfloor.max_version": "1.0"}


def is_refused(layouts):
    """Each layout is the list of the parts that are sent one by one."""
    with RawOrigin() as origin:
        with Gateway(origin) as gateway:
            for way in WAYS:
                for parts in layouts:
                    with reach(gateway, way) as client:
                        client.send(*parts)
                        check_equal(client.receive_all(), alert(70, TLS10), f"answer by {way}")
                    gateway.record(BLOCKED)
        check_equal(origin.received(), b"", "what reached the server")


@story
def a_hello_whose_first_record_carries_1_to_64_bytes_is_refused():
    is_refused([[b"".join(records(OLD, [size]))] for size in range(1, 65)])


@story
def a_hello_whose_records_come_in_segments_of_their_own_is_refused():
    is_refused([records(OLD, [size, size]) for size in (1, 3, 4, 5, 20, 40)])


@story
def a_hello_that_comes_one_byte_a_segment_is_refused():
    is_refused([pieces(b"".join(records(OLD)))])


@story
def a_hello_of_one_byte_records_is_refused():
    is_refused([[b"".join(records_of_one_byte(OLD))], pieces(b"".join(records_of_one_byte(OLD)))])


@story
def a_hello_that_is_cut_at_any_byte_is_completed_and_refused():
    flight = b"".join(records(OLD))
    is_refused([[flight[:cut], flight[cut:]] for cut in range(1, len(flight))])


run_stories()
