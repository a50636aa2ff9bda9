"""Which name counts in an upgrade, and which protocol: CONNECT host, SNI and ALPN of the two legs."""

import ssl

from harness import (
    CONNECT,
    SNI,
    WAYS,
    Gateway,
    OfficeOrigin,
    RawClient,
    TlsOrigin,
    TlsPeer,
    certificate_in,
    check,
    check_equal,
    check_in,
    check_minted,
    client_context,
    inspected,
    openssl_client,
    reach,
    run_stories,
    story,
)

OFFICE = "outlook.office365.com"
OTHER = "outlook.office.com"
UPGRADED = {"event.action": "tls-upgraded", "tlsfloor.upgrade.from": "1.0"}
MAIL_PORTS = (993, 995)


def handshake(gateway, raw, name, offer=(), lowest="1.0", highest="1.0", ca=None):
    context = client_context(lowest, highest, ca or gateway.ca)
    if offer:
        context.set_alpn_protocols(offer)
    return TlsPeer(raw.sock, context, name).handshake()


def offered(origin):
    """What ALPN said in the hello that came to the origin."""
    return inspected(origin.finished().received)["alpn"]


@story
def a_client_without_SNI_is_upgraded_for_the_CONNECT_host():
    with OfficeOrigin() as origin, Gateway(origin, upgrades=True) as gateway:
        result = openssl_client(gateway, CONNECT, OFFICE, "1.0", ca=gateway.ca, sni="")
        check_in("page over TLSv1.3", result.output, "what the client printed")
        check_minted(result.output, OFFICE)
        check_equal(origin.agreed[0].name, OFFICE, "the name that the server was asked for")
        record = gateway.record({**UPGRADED, "destination.domain": OFFICE})
        check_equal(record.get("tls.client.server_name"), None, "SNI in the record")


@story
def a_client_without_SNI_on_an_sni_listener_is_below_the_floor_and_goes_nowhere():
    with OfficeOrigin() as origin:
        with Gateway(origin, upgrades=True) as gateway:
            result = openssl_client(gateway, SNI, OFFICE, "1.0", ca=gateway.ca, sni="")
            check_in("tlsv1 alert protocol version", result.output, "what the client printed")
            gateway.record({"event.action": "tls-version-blocked", "event.code": "client-below-floor"})
        check_equal(origin.connections, [], "connections to the server")


@story
def a_CONNECT_to_an_address_is_upgraded_for_the_SNI():
    with TlsOrigin("1.2") as origin:
        settings = {"access.port": str(origin.port), "rule up.destination": origin.name, "rule up.action": "upgrade"}
        with Gateway(settings=settings, upgrades=True) as gateway:
            with RawClient(gateway.proxy).connect(origin.address, origin.port) as raw:
                peer = handshake(gateway, raw, origin.name)
                check_minted(peer.certificate(), origin.name)
                peer.close()
            origin.finished()
            check_equal(origin.agreed[0].name, origin.name, "the name that the server was asked for")
            gateway.record({**UPGRADED, "rule.name": "up", "destination.ip": origin.address})


@story
def an_SNI_that_contradicts_the_CONNECT_host_is_refused():
    with OfficeOrigin() as origin:
        with Gateway(origin, upgrades=True) as gateway:
            result = openssl_client(gateway, CONNECT, OFFICE, "1.0", ca=gateway.ca, sni=OTHER)
            check_in("tlsv1 unrecognized name", result.output, "what the client printed")
            gateway.record(
                {
                    "event.action": "access-denied",
                    "event.code": "sni-mismatch",
                    "destination.domain": OFFICE,
                    "tls.client.server_name": OTHER,
                }
            )
        check_equal(origin.agreed, [], "sessions that the server agreed on")


@story
def an_SNI_that_differs_only_in_case_is_no_contradiction():
    with OfficeOrigin() as origin, Gateway(origin, upgrades=True) as gateway:
        result = openssl_client(gateway, CONNECT, OFFICE, "1.0", ca=gateway.ca, sni=OFFICE.title())
        check_in("page over TLSv1.3", result.output, "what the client printed")
        gateway.record(UPGRADED)


@story
def where_a_contradiction_is_allowed_the_CONNECT_host_counts():
    settings = {"upstream.sni_mismatch": "allow"}
    with OfficeOrigin() as origin, Gateway(origin, settings=settings, upgrades=True) as gateway:
        result = openssl_client(gateway, CONNECT, OFFICE, "1.0", ca=gateway.ca, sni=OTHER)
        check_in("page over TLSv1.3", result.output, "what the client printed")
        check_minted(result.output, OFFICE)
        check_equal(origin.agreed[0].name, OFFICE, "the name that the server was asked for")
        gateway.record({**UPGRADED, "destination.domain": OFFICE, "tls.client.server_name": OTHER})


@story
def a_client_that_names_no_protocol_gets_none_and_the_server_is_offered_HTTP_1_1():
    for way in WAYS:
        with OfficeOrigin() as origin, Gateway(origin, upgrades=True) as gateway:
            with reach(gateway, way, OFFICE) as raw:
                peer = handshake(gateway, raw, OFFICE)
                check_equal(peer.tls.selected_alpn_protocol(), None, f"ALPN of the client by {way}")
                peer.close()
            check_equal(offered(origin), ["http/1.1"], "ALPN that the server was offered")
            check_equal(origin.agreed[0].alpn, "http/1.1", "ALPN that the server picked")
            gateway.record(UPGRADED)


@story
def on_another_port_the_server_is_offered_HTTP_1_1_too():
    settings = {"access.port": "8443", "rule up.destination": OFFICE, "rule up.action": "upgrade"}
    with OfficeOrigin() as origin:
        origin.asked_port = 8443
        with Gateway(origin, settings=settings, upgrades=True) as gateway:
            with RawClient(gateway.proxy).connect(OFFICE, 8443) as raw:
                handshake(gateway, raw, OFFICE).close()
            check_equal(offered(origin), ["http/1.1"], "ALPN that the server was offered")
            gateway.record(UPGRADED)


@story
def on_a_port_of_mail_the_server_is_offered_no_protocol():
    for port in MAIL_PORTS:
        with OfficeOrigin() as origin:
            origin.asked_port = port
            with Gateway(origin, settings={"access.port": "993, 995"}, upgrades=True) as gateway:
                with RawClient(gateway.proxy).connect(OFFICE, port) as raw:
                    peer = handshake(gateway, raw, OFFICE)
                    peer.close()
                check_equal(offered(origin), [], f"ALPN that the server on {port} was offered")
                gateway.record({**UPGRADED, "destination.port": port})


@story
def what_a_client_offers_is_passed_on_but_for_HTTP_2_and_the_answer_comes_back():
    with OfficeOrigin() as origin, Gateway(origin, upgrades=True) as gateway:
        with reach(gateway, SNI, OFFICE) as raw:
            peer = handshake(gateway, raw, OFFICE, ["h2", "spdy/3.1", "http/1.1"])
            check_equal(peer.tls.selected_alpn_protocol(), "http/1.1", "ALPN of the client")
            peer.close()
        check_equal(offered(origin), ["spdy/3.1", "http/1.1"], "ALPN that the server was offered")
        gateway.record(UPGRADED)


@story
def a_server_that_picks_no_protocol_leaves_the_client_without():
    with OfficeOrigin(alpn=()) as origin, Gateway(origin, upgrades=True) as gateway:
        with reach(gateway, CONNECT, OFFICE) as raw:
            peer = handshake(gateway, raw, OFFICE, ["http/1.1"])
            check_equal(peer.tls.selected_alpn_protocol(), None, "ALPN of the client")
            peer.close()
        gateway.record(UPGRADED)


@story
def a_modern_client_to_the_same_host_is_tunnelled_untouched():
    with OfficeOrigin() as origin, Gateway(origin, upgrades=True) as gateway:
        for version in ("1.2", "1.3"):
            for way in WAYS:
                result = openssl_client(gateway, way, OFFICE, version)
                check_in(f"page over TLSv{version}", result.output, f"what the client printed by {way}")
                check_in("CN=tlsfloor test intermediate", certificate_in(result.output), "issuer that it saw")


@story
def a_modern_client_may_offer_HTTP_2_and_name_another_host():
    with OfficeOrigin() as origin, Gateway(origin, upgrades=True) as gateway:
        with reach(gateway, CONNECT, OFFICE) as raw:
            context = client_context("1.0", "1.3")
            context.set_alpn_protocols(["h2"])
            peer = TlsPeer(raw.sock, context, OTHER).handshake()
            check_equal(peer.tls.selected_alpn_protocol(), "h2", "ALPN of the client")
            peer.close()
        origin.finished()
        check_equal(origin.agreed[0].name, OTHER, "the name that the server was asked for")


@story
def two_names_behind_one_gateway_have_a_certificate_each():
    with OfficeOrigin() as one, OfficeOrigin(name=OTHER) as two, Gateway(one, two, upgrades=True) as gateway:
        for origin in (one, two, one):
            with reach(gateway, CONNECT, origin.name) as raw:
                peer = handshake(gateway, raw, origin.name)
                check_minted(peer.certificate(), origin.name)
                peer.close()
            gateway.record({**UPGRADED, "destination.domain": origin.name})


@story
def a_name_that_the_CA_may_not_vouch_for_is_refused():
    """It was constrained to what the rules said when it was made."""
    settings = {"rule new.destination": "localhost", "rule new.action": "upgrade"}
    with TlsOrigin("1.2", name="localhost") as origin, Gateway(origin, settings=settings, upgrades=True) as gateway:
        with reach(gateway, CONNECT, "localhost") as raw:
            try:
                handshake(gateway, raw, "localhost")
            except ssl.SSLError as error:
                check_in("PROTOCOL_VERSION", str(error), "the client's error")
            else:
                check(False, "the gateway vouched for localhost")
        gateway.record({"event.action": "tls-version-blocked", "event.code": "name-outside-ca"})


run_stories()
