"""What a client really offers decides: the highest of supported_versions, or else legacy_version; and SSLv2-format
hellos never pass, whatever they announce."""

from harness import (
    SNI,
    SSL3,
    TLS10,
    TLS11,
    TLS12,
    TLS13,
    WAYS,
    Gateway,
    RawOrigin,
    alert,
    check_equal,
    client_hello,
    one_record,
    reach,
    run_stories,
    server_hello,
    sslv2_hello,
    story,
)

GREASE = 0x2A2A
ANSWER = one_record(server_hello(TLS12), TLS12)


def is_refused(flight, answer, record, ways=WAYS):
    with RawOrigin() as origin:
        with Gateway(origin) as gateway:
            for way in ways:
                with reach(gateway, way) as client:
                    client.send(flight)
                    check_equal(client.receive_all(), answer, f"answer by {way}")
                gateway.record({"event.action": "tls-version-blocked", **record})
        check_equal(origin.received(), b"", "what reached the server")


def passes(flight):
    def answer(connection):
        connection.recv_exactly(len(flight))
        connection.send(ANSWER)
        connection.recv_to_end()

    for way in WAYS:
        with RawOrigin(answer) as origin:
            with Gateway(origin) as gateway, reach(gateway, way) as client:
                client.send(flight)
                check_equal(client.receive(len(ANSWER)), ANSWER, f"answer by {way}")
            check_equal(origin.received(), flight, "what reached the server")


@story
def legacy_version_1_2_with_supported_versions_1_1_and_1_0_is_refused():
    hello = one_record(client_hello(TLS12, supported=[TLS11, TLS10]))
    below = {"event.code": "client-below-floor", "tlsfloor.max_version": "1.1"}
    is_refused(hello, alert(70, TLS12), {**below, "tlsfloor.offered_versions": ["1.1", "1.0"]})


@story
def grease_beside_1_1_does_not_count_as_an_offer():
    hello = one_record(client_hello(TLS12, supported=[GREASE, TLS11]))
    is_refused(hello, alert(70, TLS12), {"tlsfloor.max_version": "1.1", "tlsfloor.offered_versions": ["1.1"]})


@story
def grease_alone_is_refused():
    is_refused(one_record(client_hello(TLS12, supported=[GREASE])), alert(70, TLS12), {})


@story
def legacy_version_1_1_without_the_extension_is_refused():
    is_refused(one_record(client_hello(TLS11)), alert(70, TLS11), {"tlsfloor.max_version": "1.1"})


@story
def an_alert_carries_the_version_of_the_hello_not_of_its_record():
    named = {"tls.client.server_name": "origin.floor.test"}
    is_refused(one_record(client_hello(TLS11), TLS10), alert(70, TLS11), named)


@story
def ssl_3_is_refused_with_handshake_failure_which_is_all_it_knows():
    is_refused(one_record(client_hello(SSL3), SSL3), alert(40, SSL3), {"tlsfloor.max_version": "ssl3"}, ["connect"])


@story
def an_sslv2_hello_that_announces_1_0_is_refused_with_an_alert():
    is_refused(sslv2_hello(TLS10), alert(70, TLS10), {"event.code": "client-sslv2-hello"}, ["connect"])


@story
def an_sslv2_hello_that_announces_1_2_is_refused_all_the_same():
    is_refused(sslv2_hello(TLS12), alert(70, TLS12), {"event.code": "client-sslv2-hello"}, ["connect"])


@story
def an_sslv2_hello_that_announces_nothing_better_is_just_closed():
    is_refused(sslv2_hello(0x0002), b"", {"event.code": "client-sslv2-hello"}, ["connect"])


@story
def hellos_without_a_name_never_pass_where_the_name_is_what_is_dialled():
    with RawOrigin() as origin:
        with Gateway(origin) as gateway:
            for hello in (one_record(client_hello(SSL3), SSL3), sslv2_hello(TLS10)):
                with reach(gateway, SNI) as client:
                    client.send(hello)
                    client.receive_all()
                gateway.record()
        check_equal(len(origin.connections), 0, "connections to the server")


@story
def legacy_version_1_2_without_the_extension_passes():
    passes(one_record(client_hello(TLS12)))


@story
def supported_versions_down_to_1_0_pass_because_1_3_is_among_them():
    passes(one_record(client_hello(TLS12, supported=[GREASE, TLS13, TLS12, TLS11, TLS10])))


@story
def a_draft_of_1_3_counts_as_1_3():
    passes(one_record(client_hello(TLS12, supported=[0x7F1C, TLS10])))


run_stories()
