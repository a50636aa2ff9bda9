"""Who is not upgraded, and is told why: by the alert, and in the record."""

import ssl

from harness import (
    CONNECT,
    SNI,
    SSL3,
    TLS10,
    TLS11,
    WAYS,
    Gateway,
    OfficeOrigin,
    RawOrigin,
    TlsOrigin,
    TlsPeer,
    alert,
    check,
    check_equal,
    check_in,
    client_context,
    client_hello,
    curl,
    gnutls_cli,
    one_record,
    openssl_client,
    reach,
    run_stories,
    server_hello,
    sslv2_hello,
    story,
)

OFFICE = "outlook.office365.com"
RC4_AND_3DES = (0x0004, 0x0005, 0x000A, 0x0009, 0x0064, 0x0062, 0x0003, 0x0006, 0x0013, 0x0012, 0x0063)  # XP's
FALLBACK_SCSV = 0x5600
WITH_ADMIN = {"admin.listen": "127.0.0.1:0"}
BLOCKED = {"event.action": "tls-version-blocked", "destination.domain": OFFICE}
FAILED = {"event.action": "upstream-verify-failed", "event.code": "upstream-tls-failed", "destination.domain": OFFICE}


def is_refused(hello, answer, code, settings=None):
    """A hello to Microsoft 365 gets this answer and this record, and the server no handshake."""
    for way in WAYS:
        with OfficeOrigin() as origin:
            with Gateway(origin, settings={**WITH_ADMIN, **(settings or {})}, upgrades=True) as gateway:
                with reach(gateway, way, OFFICE) as client:
                    client.send(hello)
                    check_equal(client.receive_all(), answer, f"what the client gets by {way}")
                gateway.record({**BLOCKED, "event.code": code})
                check_equal(gateway.metric("tlsfloor_blocked_total"), 1, "tlsfloor_blocked_total")
                check_equal(gateway.metric("tlsfloor_upgrades_total"), 0, "tlsfloor_upgrades_total")
            check_equal(origin.received(), b"", "what reached the server")


def hello_with(suites, version=TLS10):
    return one_record(client_hello(version, OFFICE, suites=suites))


@story
def a_client_that_knows_only_RC4_and_3DES_has_no_common_suite():
    is_refused(hello_with(RC4_AND_3DES), alert(40, TLS10), "no-common-suite")
    is_refused(hello_with(RC4_AND_3DES, TLS11), alert(40, TLS11), "no-common-suite")


@story
def anonymous_and_null_suites_are_no_common_suite():
    is_refused(hello_with((0x0018, 0x0034, 0x003A, 0xC018, 0xC019, 0x0001, 0x0002, 0xC010)), alert(40, TLS10),
               "no-common-suite")  # fmt: skip


@story
def a_real_client_with_3DES_only_says_handshake_failure():
    with OfficeOrigin() as origin, Gateway(origin, upgrades=True) as gateway:
        priorities = ("-CIPHER-ALL", "+3DES-CBC", "+ARCFOUR-128")
        result = gnutls_cli(gateway, CONNECT, OFFICE, "1.0", ca=gateway.ca, priorities=priorities)
        check_in("Received alert [40]: Handshake failed", result.output, "what the client printed")
        gateway.record({**BLOCKED, "event.code": "no-common-suite"})


@story
def a_fallback_hello_is_told_to_come_back_with_a_better_one():
    is_refused(hello_with((0xC014, 0x002F, FALLBACK_SCSV)), alert(86, TLS10), "client-fallback")
    is_refused(hello_with((FALLBACK_SCSV, 0x002F), TLS11), alert(86, TLS11), "client-fallback")


@story
def real_clients_that_fall_back_say_inappropriate_fallback():
    with OfficeOrigin() as origin, Gateway(origin, upgrades=True) as gateway:
        result = openssl_client(gateway, CONNECT, OFFICE, "1.0", "-fallback_scsv", ca=gateway.ca)
        check_in("alert inappropriate fallback", result.output, "what openssl printed")
        gateway.record({**BLOCKED, "event.code": "client-fallback"})
        result = gnutls_cli(gateway, CONNECT, OFFICE, "1.1", ca=gateway.ca, priorities=["%FALLBACK_SCSV"])
        check_in("Received alert [86]", result.output, "what gnutls-cli printed")
        gateway.record({**BLOCKED, "event.code": "client-fallback"})


@story
def SSL_3_0_is_refused_even_where_a_rule_upgrades():
    settings = {"rule all.destination": "*", "rule all.action": "upgrade"}
    hello = client_hello(SSL3)  # which has no room for a name
    with OfficeOrigin() as origin:
        with Gateway(origin, settings=settings, upgrades=True) as gateway:
            with reach(gateway, CONNECT, OFFICE) as client:
                client.send(one_record(hello, SSL3))
                check_equal(client.receive_all(), alert(40, SSL3), "what the client gets")
            gateway.record({**BLOCKED, "event.code": "client-below-floor", "tlsfloor.max_version": "ssl3"})
        check_equal(origin.received(), b"", "what reached the server")


@story
def an_SSLv2_hello_that_announces_SSL_3_0_or_less_is_refused():
    for version, answer in ((SSL3, alert(40, SSL3)), (0x0002, b"")):
        with OfficeOrigin() as origin:
            with Gateway(origin, upgrades=True) as gateway:
                with reach(gateway, CONNECT, OFFICE) as client:
                    client.send(sslv2_hello(version))
                    check_equal(client.receive_all(), answer, "what the client gets")
                gateway.record(BLOCKED)
            check_equal(origin.received(), b"", "what reached the server")


@story
def a_client_that_does_not_trust_the_CA_is_told_apart():
    for way in WAYS:
        with OfficeOrigin() as origin, Gateway(origin, settings=WITH_ADMIN, upgrades=True) as gateway:
            result = curl(gateway, way, OFFICE, "1.0")
            check_equal(result.status, 60, f"curl's exit status, which says {result.output}")
            record = gateway.record({**BLOCKED, "event.code": "client-distrusts-ca", "tls.version": "1.0"})
            check_in("unknown", record["tlsfloor.detail"], "the cause")
            check_equal(gateway.metric("tlsfloor_blocked_total"), 1, "tlsfloor_blocked_total")
            check_equal(gateway.metric("tlsfloor_upgrades_total"), 0, "tlsfloor_upgrades_total")


@story
def a_client_that_leaves_in_the_middle_of_its_handshake_has_a_record():
    with OfficeOrigin() as origin, Gateway(origin, upgrades=True) as gateway:
        with reach(gateway, CONNECT, OFFICE) as client:
            client.send(hello_with((0x002F,)))
            client.receive(5)  # of the gateway's flight
        gateway.record({**BLOCKED, "event.code": "client-handshake-failed"})


@story
def a_client_that_stalls_in_its_handshake_is_given_up():
    settings = {"limits.handshake_s": "0.5"}
    with OfficeOrigin() as origin, Gateway(origin, settings=settings, upgrades=True) as gateway:
        # Of ECDSA, since to make the first RSA key may take as long as that.
        with reach(gateway, CONNECT, OFFICE) as client:
            client.send(hello_with((0xC009,)))
            client.receive_all()
        gateway.record({**BLOCKED, "event.code": "client-handshake-timeout"})


@story
def a_host_that_must_not_be_terminated_is_not():
    settings = {"m365.never_terminate": f"*.example.com, {OFFICE}"}
    is_refused(hello_with((0x002F,)), alert(70, TLS10), "never-terminated", settings)


@story
def device_login_is_never_terminated_unless_told_otherwise():
    name = "device.login.microsoftonline.com"
    settings = {"rule all.destination": "*", "rule all.action": "upgrade"}
    with OfficeOrigin(name=name) as origin, Gateway(origin, settings=settings, upgrades=True) as gateway:
        with reach(gateway, CONNECT, name) as client:
            client.send(one_record(client_hello(TLS10, name)))
            check_equal(client.receive_all(), alert(70, TLS10), "what the client gets")
        gateway.record({"event.code": "never-terminated", "destination.domain": name})


def server_fails(origin, cause, code="upstream-tls-failed"):
    """The client is told in its handshake, and no certificate was made for it."""
    for way in WAYS:
        with Gateway(origin, settings=WITH_ADMIN, upgrades=True) as gateway:
            with reach(gateway, way, OFFICE) as raw:
                try:
                    TlsPeer(raw.sock, client_context("1.0", "1.0", gateway.ca), OFFICE).handshake()
                except ssl.SSLError as error:
                    check_in("HANDSHAKE_FAILURE", str(error), f"the client's error by {way}")
                else:
                    check(False, f"the client was served by {way}")
            record = gateway.record({**FAILED, "event.code": code})
            check_in(cause, record["tlsfloor.detail"], "the cause")
            check_equal(gateway.metric("tlsfloor_blocked_total"), 1, "tlsfloor_blocked_total")
            check_equal(gateway.metric("tlsfloor_certificates_minted_total"), 0, "certificates that were made")


@story
def a_server_that_has_nothing_above_1_1_gets_no_client():
    for highest in ("1.0", "1.1"):
        with OfficeOrigin("1.0", highest) as origin:
            server_fails(origin, "protocol version")
            check_equal(origin.agreed, [], "sessions that the server agreed on")


@story
def a_server_that_picks_1_1_whatever_it_was_offered_gets_no_client():
    def answer(connection):
        connection.recv_hello()
        connection.send(one_record(server_hello(TLS11)))
        connection.recv_to_end()

    with RawOrigin(answer, name=OFFICE) as origin:
        server_fails(origin, "unsupported protocol")


@story
def a_server_that_closes_in_its_handshake_gets_no_client():
    with RawOrigin(lambda connection: connection.recv_hello(), name=OFFICE) as origin:
        server_fails(origin, "closed the connection")


@story
def a_server_that_speaks_no_TLS_gets_no_client():
    def answer(connection):
        connection.recv_hello()
        connection.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        connection.recv_to_end()

    with RawOrigin(answer, name=OFFICE) as origin:
        server_fails(origin, "not TLS")


@story
def a_server_with_a_certificate_for_another_name_gets_no_client():
    with TlsOrigin("1.2", name=OFFICE) as origin:
        server_fails(origin, "*.floor.test", "upstream-verify-failed")


@story
def a_server_that_stalls_in_its_handshake_is_given_up():
    settings = {"limits.handshake_s": "0.3"}
    with RawOrigin(name=OFFICE) as origin, Gateway(origin, settings=settings, upgrades=True) as gateway:
        with reach(gateway, CONNECT, OFFICE) as client:
            client.send(hello_with((0x002F,)))
            check_equal(client.receive_all(), alert(40, TLS10), "what the client gets")
        gateway.record({**FAILED, "event.code": "upstream-tls-timeout"})


@story
def without_a_rule_Microsoft_365_is_upgraded_and_others_are_not():
    with OfficeOrigin() as office, TlsOrigin() as other, Gateway(office, other, upgrades=True) as gateway:
        for way in WAYS:
            result = curl(gateway, way, OFFICE, "1.0", ca=gateway.ca)
            check_in("page over TLSv1.3", result.output, f"what curl says by {way}")
            gateway.record({"event.action": "tls-upgraded"})
            result = curl(gateway, way, other.name, "1.0", ca=gateway.ca)
            check_in("alert protocol version", result.output, f"what curl says by {way}")
            gateway.record({"event.code": "client-below-floor", "destination.domain": other.name})
        check_equal(other.agreed, [], "sessions that the other server agreed on")


@story
def a_rule_that_tunnels_takes_Microsoft_365_out_again():
    settings = {"rule hold.destination": "@m365", "rule hold.action": "tunnel"}
    is_refused(hello_with((0x002F,)), alert(70, TLS10), "client-below-floor", settings)


@story
def without_a_CA_nobody_is_upgraded():
    is_refused(hello_with((0x002F,)), alert(70, TLS10), "client-below-floor", {"ca.directory": "off"})


@story
def a_renegotiation_that_the_client_asks_for_is_refused():
    with OfficeOrigin() as origin, Gateway(origin, upgrades=True) as gateway:
        result = gnutls_cli(gateway, SNI, OFFICE, "1.0", "--rehandshake", ca=gateway.ca)
        check_in("No renegotiation", result.output, "what the client printed")
        gateway.record({"event.action": "tls-upgraded"})


@story
def compression_is_not_agreed_on():
    with OfficeOrigin() as origin, Gateway(origin, upgrades=True) as gateway:
        with reach(gateway, CONNECT, OFFICE) as client:
            client.send(one_record(client_hello(TLS10, OFFICE, suites=(0x002F,), compression=b"\1\0")))
            hello = client.receive(5 + 4 + 2 + 32 + 1)[5:]
            after_id = client.receive(hello[-1] + 3)[-3:]
            check_equal(after_id, b"\x00\x2f\x00", "suite and compression of the gateway's hello")
        gateway.record({**BLOCKED, "event.code": "client-handshake-failed"})


run_stories()
