"""A server that picks a version below the floor ends the session, whatever the client could have done."""

import ssl

from harness import (
    TLS10,
    TLS11,
    TLS12,
    TLS13,
    WAYS,
    Gateway,
    RawOrigin,
    TlsOrigin,
    TlsPeer,
    alert,
    check_equal,
    check_in,
    client_context,
    client_hello,
    one_record,
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
BELOW = {"event.action": "tls-server-below-floor", "event.code": "server-below-floor", "destination.domain": NAME}


def real_client_is_refused(client_highest, server_highest, reshape=None):
    for way in WAYS:
        with TlsOrigin("1.0", server_highest, reshape=reshape) as origin, Gateway(origin) as gateway:
            with reach(gateway, way) as raw:
                try:
                    TlsPeer(raw.sock, client_context("1.0", client_highest), NAME).handshake()
                except ssl.SSLError as error:
                    check_in("PROTOCOL_VERSION", str(error), f"the client's error by {way}")
                else:
                    raise AssertionError(f"a session below the floor by {way}")
            gateway.record({**BELOW, "tls.version": server_highest})
            check_equal(origin.versions, [], "sessions that the server agreed on")


def raw_server_is_refused(*parts, code="server-below-floor", **more):
    def answer(connection):
        connection.recv_hello()
        connection.send(*parts)
        connection.recv_to_end()

    for way in WAYS:
        with RawOrigin(answer) as origin:
            with Gateway(origin) as gateway:
                with reach(gateway, way) as client:
                    client.send(HELLO)
                    check_equal(client.receive_all(), alert(70, TLS12), f"what the client gets by {way}")
                gateway.record({**BELOW, "event.code": code, **more})
            check_equal(origin.received(), HELLO, "what the server got")


@story
def client_up_to_1_2_and_a_server_that_picks_1_0():
    real_client_is_refused("1.2", "1.0")


@story
def client_with_supported_versions_1_3_to_1_0_and_a_server_that_picks_1_0():
    real_client_is_refused("1.3", "1.0")


@story
def client_with_supported_versions_1_3_to_1_0_and_a_server_that_picks_1_1():
    real_client_is_refused("1.3", "1.1")


@story
def a_server_hello_below_the_floor_over_records_of_one_byte():
    real_client_is_refused("1.2", "1.0", reshape=lambda flight: resplit(flight, size=1))


@story
def a_server_hello_below_the_floor_one_byte_a_segment():
    real_client_is_refused("1.2", "1.0", reshape=pieces)


@story
def a_server_hello_whose_legacy_version_is_1_0_is_below_whatever_its_extension_says():
    raw_server_is_refused(one_record(server_hello(TLS10, supported=TLS13)), **{"tls.version": "1.0"})


@story
def a_server_hello_whose_extension_picks_1_1_is_below():
    raw_server_is_refused(one_record(server_hello(TLS12, supported=TLS11)), **{"tls.version": "1.1"})


@story
def a_warning_alert_in_front_does_not_hide_a_server_hello_below_the_floor():
    def answer(connection):
        connection.recv_hello()
        connection.send(alert(112, TLS10, level=1) + b"".join(records_of_one_byte(server_hello(TLS10))))
        connection.recv_to_end()

    for way in WAYS:
        with RawOrigin(answer) as origin, Gateway(origin) as gateway:
            with reach(gateway, way) as client:
                client.send(HELLO)
                check_equal(client.receive_all(), alert(112, TLS10, level=1) + alert(70, TLS12), "what the client gets")
            gateway.record(BELOW)


run_stories()
