"""HelloRetryRequest: it passes, the second ClientHello passes, and what comes then is looked at again."""

from harness import (
    CONNECT,
    TLS10,
    TLS11,
    TLS12,
    TLS13,
    WAYS,
    Gateway,
    RawOrigin,
    TlsOrigin,
    alert,
    change_cipher_spec,
    check,
    check_equal,
    check_in,
    client_hello,
    curl,
    hello_retry,
    one_record,
    openssl_client,
    pieces,
    reach,
    records_of_one_byte,
    resplit,
    run_stories,
    server_hello,
    story,
)

NAME = "origin.floor.test"
HELLO = one_record(client_hello(TLS12, supported=[TLS13, TLS12, TLS11, TLS10]))
SECOND = change_cipher_spec() + one_record(client_hello(TLS12, supported=[TLS13]), TLS12)
RETRY = one_record(hello_retry(), TLS12)
FLIGHT = one_record(server_hello(TLS12, supported=TLS13), TLS12)


def origin_with_another_curve(**more):
    """A server that takes none of the keys that clients send at first."""
    origin = TlsOrigin(**more)
    origin.context.set_ecdh_curve("secp384r1")
    return origin


def asked_twice(origin):
    """Whether two ClientHellos reached the server."""
    hellos, data = 0, origin.received()
    while len(data) > 5:
        hellos += data[0] == 22 and data[5] == 1
        data = data[5 + int.from_bytes(data[3:5], "big") :]
    return hellos == 2


def real_clients_get_their_page(reshape=None):
    for client in (openssl_client, curl):
        for way in WAYS:
            with origin_with_another_curve(reshape=reshape) as origin, Gateway(origin) as gateway:
                check_in("page over TLSv1.3", client(gateway, way, NAME, "1.3").output, f"page by {way}")
                check(asked_twice(origin), "the server did not have to ask again, so this proves nothing")


@story
def a_client_that_is_asked_for_another_key_gets_its_page():
    real_clients_get_their_page()


@story
def a_retry_request_over_records_of_one_byte_passes():
    real_clients_get_their_page(lambda flight: resplit(flight, size=1))


@story
def a_retry_request_one_byte_a_segment_passes():
    real_clients_get_their_page(pieces)


def server_that_retries_and_says(*parts):
    def script(connection):
        connection.recv_exactly(len(HELLO))
        connection.send(RETRY)
        connection.recv_exactly(len(HELLO + SECOND))
        connection.send(*parts)
        connection.recv_to_end()

    return RawOrigin(script)


def told_after_a_retry(client):
    client.send(HELLO)
    check_equal(client.receive(len(RETRY)), RETRY, "the retry request")
    client.send(SECOND)
    return client


def is_refused_after_a_retry(*parts, description=70, floor="1.2", passes=b"", **wanted):
    for way in WAYS:
        with server_that_retries_and_says(*parts) as origin:
            with Gateway(origin, settings={"floor.minimum": floor}) as gateway:
                with reach(gateway, way) as client:
                    said = told_after_a_retry(client).receive_all()
                    check_equal(said, passes + alert(description, TLS12), f"what the client gets by {way}")
                gateway.record(wanted)
            check_equal(origin.received(), HELLO + SECOND, "what the server got")


BELOW = {"event.action": "tls-server-below-floor", "event.code": "server-below-floor"}
MALFORMED = {"event.action": "malformed", "event.code": "server-hello-malformed"}


@story
def bytes_of_a_retried_session_are_untouched():
    for way in WAYS:
        with server_that_retries_and_says(change_cipher_spec(), FLIGHT, b"and so on") as origin:
            with Gateway(origin) as gateway, reach(gateway, way) as client:
                wanted = change_cipher_spec() + FLIGHT + b"and so on"
                check_equal(told_after_a_retry(client).receive(len(wanted)), wanted, f"what the client gets by {way}")
            check_equal(origin.received(), HELLO + SECOND, "what the server got")


@story
def a_server_that_retries_and_then_picks_an_old_version_is_refused():
    for version, name in ((TLS10, "1.0"), (TLS11, "1.1")):
        is_refused_after_a_retry(one_record(server_hello(version), version), **BELOW, **{"tls.version": name})


@story
def an_old_version_behind_a_retry_is_found_over_records_of_one_byte():
    is_refused_after_a_retry(b"".join(records_of_one_byte(server_hello(TLS10))), **BELOW, **{"tls.version": "1.0"})


@story
def an_old_version_behind_a_retry_is_found_in_the_extension():
    is_refused_after_a_retry(one_record(server_hello(TLS12, supported=TLS11), TLS12), **BELOW)


@story
def an_old_version_behind_a_retry_and_a_dummy_change_cipher_spec_is_refused():
    dummy = change_cipher_spec()
    is_refused_after_a_retry(dummy, one_record(server_hello(TLS10), TLS10), passes=dummy, **BELOW)


@story
def a_server_that_retries_and_then_picks_1_2_is_refused_under_a_floor_of_1_3():
    is_refused_after_a_retry(
        one_record(server_hello(TLS12), TLS12), floor="1.3", **BELOW, **{"tls.version": "1.2", "tlsfloor.floor": "1.3"}
    )


@story
def a_second_retry_request_is_refused():
    is_refused_after_a_retry(RETRY, description=40, **MALFORMED)


@story
def a_second_dummy_change_cipher_spec_is_refused():
    dummy = change_cipher_spec()
    is_refused_after_a_retry(dummy, dummy, FLIGHT, description=40, passes=dummy, **MALFORMED)


@story
def a_retry_request_for_an_old_version_does_not_pass():
    def script(connection):
        connection.recv_exactly(len(HELLO))
        connection.send(one_record(hello_retry(TLS11), TLS12))
        connection.recv_to_end()

    with RawOrigin(script) as origin, Gateway(origin) as gateway, reach(gateway, CONNECT) as client:
        client.send(HELLO)
        check_equal(client.receive_all(), alert(70, TLS12), "what the client gets")
        gateway.record(BELOW)


run_stories()
