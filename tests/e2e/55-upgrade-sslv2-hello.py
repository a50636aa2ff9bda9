"""An SSLv2-format hello that announces TLS 1.0 or more, as Java 6 sends by default: upgraded where the policy says so,
and never tunnelled."""

from harness import (
    CONNECT,
    TLS10,
    TLS12,
    TLS13,
    Gateway,
    OfficeOrigin,
    RawOrigin,
    TlsOrigin,
    alert,
    check,
    check_equal,
    check_in,
    check_minted,
    java_client,
    reach,
    run_stories,
    sslv2_hello,
    story,
)

OFFICE = "outlook.office365.com"


@story
def java_that_opens_with_it_is_upgraded():
    for version in ("1.0", "1.1"):
        with OfficeOrigin() as origin, Gateway(origin, upgrades=True) as gateway:
            result = java_client(gateway, CONNECT, OFFICE, f"SSLv2Hello+{version}", ca=gateway.ca)
            check_in("page over TLSv1.3", result.output, "what the client printed")
            check_minted(result.output, OFFICE)
            check_equal(origin.agreed[0].name, OFFICE, "the name that the server was asked for")
            gateway.record(
                {
                    "event.action": "tls-upgraded",
                    "tlsfloor.upgrade.from": version,
                    "tlsfloor.upgrade.to": "1.3",
                    "tls.version_protocol": "tls",
                }
            )


@story
def java_whose_hello_announces_1_2_is_upgraded_too_since_it_cannot_be_tunnelled():
    with OfficeOrigin() as origin, Gateway(origin, upgrades=True) as gateway:
        result = java_client(gateway, CONNECT, OFFICE, "SSLv2Hello+1.2", ca=gateway.ca)
        check_in("page over TLSv1.3", result.output, "what the client printed")
        check_minted(result.output, OFFICE)
        gateway.record({"event.action": "tls-upgraded", "tlsfloor.upgrade.from": "1.2"})


@story
def it_is_never_tunnelled_whatever_it_announces():
    for version, answer in ((TLS10, TLS10), (TLS12, TLS12), (TLS13, TLS12)):
        for action in ("tunnel", None):
            settings = {"rule hold.destination": "*", "rule hold.action": action} if action else {}
            with RawOrigin() as origin:
                with Gateway(origin, settings=settings, upgrades=True) as gateway:
                    with reach(gateway, CONNECT, origin.name) as client:
                        client.send(sslv2_hello(version))
                        check_equal(client.receive_all(), alert(70, answer), "what the client gets")
                    gateway.record({"event.action": "tls-version-blocked", "event.code": "client-sslv2-hello"})
                check_equal(origin.received(), b"", "what reached the server")


@story
def with_broken_suites_only_it_has_no_common_suite():
    with OfficeOrigin() as origin:
        with Gateway(origin, upgrades=True) as gateway:
            with reach(gateway, CONNECT, OFFICE) as client:
                client.send(sslv2_hello(TLS10, suites=(0x010080, 0x000004, 0x00000A, 0x0700C0)))
                check_equal(client.receive_all(), alert(40, TLS10), "what the client gets")
            gateway.record({"event.code": "no-common-suite"})
        check_equal(origin.received(), b"", "what reached the server")


@story
def it_may_come_a_byte_a_segment():
    with OfficeOrigin() as origin, Gateway(origin, upgrades=True) as gateway:
        with reach(gateway, CONNECT, OFFICE) as client:
            hello = sslv2_hello(TLS10)
            client.send(*(hello[n : n + 1] for n in range(len(hello))))
            check_equal(client.receive(3), b"\x16\x03\x01", "the head of the gateway's flight")
        # The session may have ended before the server's tickets were read.
        error = origin.connection().error
        check(error is None or isinstance(error, ConnectionResetError), f"the server's error: {error!r}")
        gateway.record({"event.action": "tls-version-blocked", "event.code": "client-handshake-failed"})


@story
def a_rule_for_it_needs_no_Microsoft_365():
    settings = {"rule up.destination": "*.floor.test", "rule up.action": "upgrade"}
    with TlsOrigin("1.2") as origin, Gateway(origin, settings=settings, upgrades=True) as gateway:
        result = java_client(gateway, CONNECT, origin.name, "SSLv2Hello+1.0", ca=gateway.ca)
        check_in("page over TLSv1.3", result.output, "what the client printed")
        gateway.record({"event.action": "tls-upgraded", "rule.name": "up"})


run_stories()
