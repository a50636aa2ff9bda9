"""IPv6 all the way, and listeners for every address of the machine."""

from harness import (
    SNI,
    TLS10,
    TLS12,
    WAYS,
    Gateway,
    HttpOrigin,
    RawClient,
    RawOrigin,
    TlsOrigin,
    TlsPeer,
    alert,
    check_equal,
    check_in,
    client_context,
    client_hello,
    has_ipv6,
    one_record,
    run_stories,
    skip_unless,
    story,
)

NAME = "origin.floor.test"
OLD = one_record(client_hello(TLS10))
BLOCKED = {"event.action": "tls-version-blocked", "event.code": "client-below-floor"}


def listening_on(host, **more):
    return {"listener proxy.listen": f"{host}:0", "listener straight.listen": f"{host}:0", **more}


def enter(gateway, way, host, authority=f"{NAME}:443"):
    """A raw client from `host`, whose next byte is the first of its hello."""
    if way == SNI:
        return RawClient(gateway.straight, host)
    client = RawClient(gateway.proxy, host)
    client.send(f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n".encode())
    check_in(b"HTTP/1.1 200 ", client.receive_until(b"\r\n\r\n"), "answer to CONNECT")
    return client


def gets_its_page(raw):
    peer = TlsPeer(raw.sock, client_context(), NAME).handshake()
    peer.write(b"GET / HTTP/1.1\r\n\r\n")
    check_in(b"page over TLSv1.3", peer.read_all(), "page")


def is_refused(gateway, way, host):
    with enter(gateway, way, host) as client:
        client.send(OLD)
        check_equal(client.receive_all(), alert(70, TLS10), f"what {host} gets by {way}")
    listener = "straight" if way == SNI else "proxy"
    gateway.record({**BLOCKED, "source.ip": host, "observer.ingress.interface.name": listener})


@story
def clients_and_servers_meet_over_ipv6():
    skip_unless(has_ipv6(), "IPv6")
    with TlsOrigin(address="::1") as origin, Gateway(origin, settings=listening_on("[::1]")) as gateway:
        for way in WAYS:
            with enter(gateway, way, "::1") as client:
                gets_its_page(client)
            is_refused(gateway, way, "::1")


@story
def an_ipv6_address_is_a_destination_in_brackets():
    skip_unless(has_ipv6(), "IPv6")
    settings = {"access.port": "1-65535"}
    with TlsOrigin(address="::1") as origin, Gateway(settings=settings) as gateway:
        for host in ("[::1]", "[0:0:0:0:0:0:0:1]", "[0::0001]"):
            with enter(gateway, "connect", "127.0.0.1", f"{host}:{origin.port}") as client:
                gets_its_page(client)
        with enter(gateway, "connect", "127.0.0.1", f"[::1]:{origin.port}") as client:
            client.send(OLD)
            check_equal(client.receive_all(), alert(70, TLS10), "what an old client gets")
        gateway.record({**BLOCKED, "destination.ip": "::1", "destination.port": origin.port})


@story
def a_plain_request_may_name_an_ipv6_address():
    skip_unless(has_ipv6(), "IPv6")

    def script(connection):
        while b"\r\n\r\n" not in connection.received:
            connection.recv()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nsix")

    with RawOrigin(script, address="::1") as origin, Gateway(settings={"access.port": "1-65535"}) as gateway:
        with RawClient(gateway.proxy) as client:
            client.send(f"GET http://[::1]:{origin.port}/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            check_in(b"\r\n\r\nsix", client.receive_all(), "answer")
        check_in(f"\r\nHost: [::1]:{origin.port}\r\n".encode(), origin.received(), "request as the server saw it")


@story
def a_wildcard_listener_takes_both_families_and_knows_ipv4_for_what_it_is():
    skip_unless(has_ipv6(), "IPv6")
    with TlsOrigin() as origin, Gateway(origin, settings=listening_on("*")) as gateway:
        for way in WAYS:
            for host in ("127.0.0.1", "::1"):
                with enter(gateway, way, host) as client:
                    gets_its_page(client)
                is_refused(gateway, way, host)


@story
def rules_and_sources_for_ipv4_count_on_a_wildcard_listener():
    skip_unless(has_ipv6(), "IPv6")
    rule = {"rule no.source": "127.0.0.0/8", "rule no.action": "block", "access.source": "127.0.0.0/8"}
    with RawOrigin() as origin, Gateway(origin, settings=listening_on("*", **rule)) as gateway:
        with enter(gateway, "connect", "127.0.0.1") as client:
            client.send(one_record(client_hello(TLS12)))
            check_equal(client.receive_all(), alert(49, TLS12), "what an IPv4 client gets")
        gateway.record({"event.code": "rule-block", "rule.name": "no", "source.ip": "127.0.0.1"})
        with RawClient(gateway.proxy, "::1") as client:
            client.send(f"CONNECT {NAME}:443 HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode())
            check_in(b"HTTP/1.1 403 ", client.receive_all(), "what an IPv6 client gets")
        gateway.record({"event.code": "source-denied", "source.ip": "::1"})


@story
def a_wildcard_listener_is_no_destination_under_any_address_of_the_machine():
    skip_unless(has_ipv6(), "IPv6")
    settings = listening_on("*", **{"access.port": "1-65535"})
    with HttpOrigin() as other, Gateway(settings=settings) as gateway:
        for host in ("127.0.0.1", "127.0.0.2", "[::1]", "localhost"):
            for port in (gateway.proxy, gateway.straight):
                with RawClient(gateway.proxy) as client:
                    client.send(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
                    check_in(b"HTTP/1.1 403 ", client.receive_all(), f"answer for {host}:{port}")
                gateway.record({"event.code": "destination-self"})
        enter(gateway, "connect", "127.0.0.1", f"127.0.0.1:{other.port}").close()


@story
def a_listener_for_ipv4_addresses_alone_needs_no_ipv6():
    with RawOrigin() as origin, Gateway(origin, settings=listening_on("0.0.0.0")) as gateway:
        for way in WAYS:
            is_refused(gateway, way, "127.0.0.1")


run_stories()
