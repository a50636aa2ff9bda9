"""SOCKS 5 listeners: names and addresses, refusals in the client's own tongue, and the floor behind them."""

import socket
import struct

from harness import (
    TLS10,
    TLS12,
    BlackHole,
    Gateway,
    HttpOrigin,
    OfficeOrigin,
    RawClient,
    RawOrigin,
    TlsOrigin,
    TlsPeer,
    alert,
    ca_file,
    check,
    check_equal,
    check_in,
    check_minted,
    client_context,
    client_hello,
    one_record,
    run_client,
    run_stories,
    server_hello,
    story,
    users_file,
)

NAME = "origin.floor.test"
LISTENER = {"listener socks.listen": "127.0.0.1:0", "listener socks.kind": "socks5"}
GREETING, NO_LOGIN = b"\5\1\0", b"\5\0"
V4, DOMAIN, V6 = 1, 3, 4
SUCCEEDED, FAILURE, NOT_ALLOWED, HOST_UNREACHABLE, REFUSED, TTL_EXPIRED, COMMAND, TYPE = 0, 1, 2, 4, 5, 6, 7, 8


def address_of(host):
    """As a request has it."""
    for family, kind in ((socket.AF_INET, V4), (socket.AF_INET6, V6)):
        try:
            return bytes([kind]) + socket.inet_pton(family, host)
        except OSError:
            pass
    return bytes([DOMAIN, len(host)]) + host.encode()


def request(host, port=443, command=1):
    return bytes([5, command, 0]) + address_of(host) + struct.pack(">H", port)


def reply(code):
    return bytes([5, code, 0, V4]) + bytes(6)


def connected(gateway, host=NAME, port=443):
    """A raw client whose next byte is the first of its hello."""
    client = RawClient(gateway.ports["socks"])
    client.send(GREETING, request(host, port))
    check_equal(client.receive(12), NO_LOGIN + reply(SUCCEEDED), "answers")
    return client


def asks_in_vain(gateway, host, code, port=443, command=1):
    with RawClient(gateway.ports["socks"]) as client:
        client.send(GREETING, request(host, port, command))
        check_equal(client.receive_all(), NO_LOGIN + reply(code), f"answers for {host}:{port}")


def curl(gateway, scheme, url, *options):
    where = ["--proxy", f"{scheme}://127.0.0.1:{gateway.ports['socks']}", "--cacert", ca_file()]
    return run_client("curl", "-sS", *where, *options, url)


@story
def curl_reaches_a_server_by_name():
    with TlsOrigin("1.2") as origin, Gateway(origin, settings=LISTENER) as gateway:
        for version in ("1.2", "1.3"):
            done = curl(gateway, "socks5h", f"https://{NAME}/", f"--tlsv{version}", "--tls-max", version)
            check_equal(done, (f"<title>page over TLSv{version}</title>\n", 0), "what curl got")


@story
def curl_reaches_a_server_by_address():
    with TlsOrigin("1.2") as origin:
        with Gateway(settings={**LISTENER, "access.port": str(origin.port)}) as gateway:
            resolve = f"{NAME}:{origin.port}:{origin.address}"
            done = curl(gateway, "socks5", f"https://{NAME}:{origin.port}/", "--resolve", resolve)
            check_equal(done, ("<title>page over TLSv1.3</title>\n", 0), "what curl got")


@story
def bytes_pass_untouched_whatever_pieces_they_come_in():
    hello = one_record(client_hello())
    server_flight = one_record(server_hello(TLS12)) + bytes(range(256)) * 64
    play = GREETING + request(NAME) + hello

    def script(connection):
        connection.recv_exactly(len(hello))
        connection.send(server_flight)
        connection.recv_to_end()

    with RawOrigin(script) as origin, Gateway(origin, settings=LISTENER) as gateway:
        for number, cut in enumerate(range(len(GREETING + request(NAME)) + 3)):
            with RawClient(gateway.ports["socks"]) as client:
                client.send(play[:cut])
                client.send(play[cut:])
                check_equal(client.receive(12), NO_LOGIN + reply(SUCCEEDED), f"answers, cut at {cut}")
                check_equal(client.receive(len(server_flight)), server_flight, "what the server said")
            check_equal(bytes(origin.finished(number).received), hello, "what the server got")


@story
def a_dialogue_of_single_bytes_is_understood():
    with TlsOrigin("1.2") as origin, Gateway(origin, settings=LISTENER) as gateway:
        with RawClient(gateway.ports["socks"]) as client:
            for byte in GREETING + request(NAME):
                client.send(bytes([byte]))
            check_equal(client.receive(12), NO_LOGIN + reply(SUCCEEDED), "answers")
            peer = TlsPeer(client.sock, client_context("1.2", "1.3"), NAME).handshake()
            peer.close()


@story
def an_old_client_is_told_with_an_alert():
    with TlsOrigin() as origin, Gateway(origin, settings=LISTENER) as gateway:
        with connected(gateway) as client:
            client.send(one_record(client_hello(TLS10)))
            check_equal(client.receive_all(), alert(70, version=TLS10), "what the client hears")
        gateway.record(
            {
                "event.action": "tls-version-blocked",
                "event.code": "client-below-floor",
                "observer.ingress.interface.name": "socks",
                "destination.domain": NAME,
                "tls.version": "1.0",
            }
        )
        check_equal(origin.agreed, [], "sessions that the server agreed on")


@story
def an_old_client_on_its_way_to_Microsoft_365_is_upgraded():
    office = "outlook.office365.com"
    with OfficeOrigin() as origin, Gateway(origin, settings=LISTENER, upgrades=True) as gateway:
        with connected(gateway, office) as client:
            peer = TlsPeer(client.sock, client_context("1.0", "1.0", gateway.ca), office).handshake()
            check_minted(peer.certificate(), office)
            peer.close()
        gateway.record({"event.action": "tls-upgraded", "observer.ingress.interface.name": "socks"})


@story
def what_may_not_be_is_not_allowed():
    with Gateway(settings=LISTENER) as gateway:
        asks_in_vain(gateway, "127.0.0.1", NOT_ALLOWED, port=8443)
        gateway.record({"event.action": "access-denied", "event.code": "port-denied"})
        for host in ("10.1.2.3", "::ffff:127.0.0.1", "169.254.169.254"):
            asks_in_vain(gateway, host, NOT_ALLOWED)
            gateway.record({"event.code": "destination-denied"})
        asks_in_vain(gateway, "a b", NOT_ALLOWED)
        gateway.record({"event.code": "host-invalid"})


@story
def an_address_written_as_a_name_is_an_address():
    with Gateway(settings=LISTENER) as gateway:
        for host in ("0x0a.1", "167837955", "012.1.2.3"):
            name = bytes([5, 1, 0, DOMAIN, len(host)]) + host.encode() + b"\1\xbb"
            with RawClient(gateway.ports["socks"]) as client:
                client.send(GREETING, name)
                check_equal(client.receive_all(), NO_LOGIN + reply(NOT_ALLOWED), f"answers for {host}")
            record = gateway.record({"event.code": "destination-denied"})
            check(record["destination.ip"].startswith("10."), f"{record}")


@story
def own_listeners_are_no_destination():
    with Gateway(settings={**LISTENER, "access.port": "1-65535"}) as gateway:
        asks_in_vain(gateway, "127.0.0.1", NOT_ALLOWED, port=gateway.ports["socks"])
        gateway.record({"event.code": "destination-self"})


@story
def servers_that_cannot_be_reached_have_their_own_replies():
    with socket.create_server(("127.0.0.1", 0)) as closed, BlackHole() as hole:
        port = closed.getsockname()[1]
        closed.close()
        settings = {**LISTENER, "access.port": f"443, {port}", "limits.dial_s": "0.5"}
        with Gateway(hole, settings=settings) as gateway:
            asks_in_vain(gateway, "127.0.0.1", REFUSED, port=port)
            asks_in_vain(gateway, "nowhere.floor.test", HOST_UNREACHABLE)
            asks_in_vain(gateway, NAME, TTL_EXPIRED)


@story
def only_CONNECT_is_served():
    with Gateway(settings=LISTENER) as gateway:
        for command in (2, 3):
            asks_in_vain(gateway, "127.0.0.1", COMMAND, command=command)
            gateway.record({"event.action": "access-denied", "event.code": "socks-command"})
        with RawClient(gateway.ports["socks"]) as client:
            client.send(GREETING, b"\5\1\0\2" + bytes(6))
            check_equal(client.receive_all(), NO_LOGIN + reply(TYPE), "answers")
        gateway.record({"event.action": "malformed", "event.code": "socks-malformed"})


@story
def other_tongues_are_refused_and_logged():
    plays = (
        (b"\4\1\1\xbb\x7f\0\0\1\0", b"\0\x5b" + bytes(6), "SOCKS version 4"),
        (b"GET / HTTP/1.1\r\n\r\n", b"", "HTTP"),
        (one_record(client_hello()), b"", "TLS"),
    )
    with Gateway(settings=LISTENER) as gateway:
        for said, heard, tongue in plays:
            with RawClient(gateway.ports["socks"]) as client:
                client.send(said)
                client.end()
                check_equal(client.receive_all(), heard, f"what a client of {tongue} hears")
            record = gateway.record({"event.action": "malformed", "event.code": "socks-malformed"})
            check_in(tongue, record["tlsfloor.detail"], "detail")


@story
def a_client_that_leaves_in_its_dialogue_has_one_record_and_none_if_it_said_nothing():
    play = GREETING + request(NAME)
    with Gateway(settings=LISTENER) as gateway:
        for end in range(len(play)):
            with RawClient(gateway.ports["socks"]) as client:
                client.send(play[:end])
                client.end()
                client.receive_all()
            if end > 0:
                gateway.record({"event.action": "malformed", "event.code": "request-cut"})


@story
def a_client_that_stalls_is_told():
    with Gateway(settings={**LISTENER, "limits.request_s": "0.3"}) as gateway:
        with RawClient(gateway.ports["socks"]) as client:
            client.send(GREETING)
            check_equal(client.receive_all(), NO_LOGIN + reply(FAILURE), "answers")
        gateway.record({"event.action": "malformed", "event.code": "request-timeout"})


@story
def with_users_a_login_is_wanted():
    settings = {**LISTENER, "listener socks.users": users_file(anna=("secret", "anna"))}
    with TlsOrigin("1.2") as origin, Gateway(origin, settings=settings) as gateway:
        url = f"https://{NAME}/"
        check_equal(curl(gateway, "socks5h", url, "--proxy-user", "anna:secret").status, 0, "curl's exit code")
        done = curl(gateway, "socks5h", url, "--proxy-user", "anna:wrong")
        check_in("User was rejected by the SOCKS5 server", done.output, "what curl says of a wrong password")
        gateway.record({"event.action": "access-denied", "event.code": "login-failed", "user.name": "anna"})
        check(curl(gateway, "socks5h", url).status != 0, "curl without a login fails")
        with RawClient(gateway.ports["socks"]) as client:
            client.send(GREETING)
            check_equal(client.receive_all(), b"\5\xff", "answer to a client that cannot log in")


@story
def a_login_with_all_that_follows_may_come_at_once():
    settings = {**LISTENER, "listener socks.users": users_file(anna=("secret", "anna"))}
    with TlsOrigin("1.2") as origin, Gateway(origin, settings=settings) as gateway:
        with RawClient(gateway.ports["socks"]) as client:
            client.send(b"\5\2\0\2" + b"\1\4anna\6secret" + request(NAME))
            check_equal(client.receive(14), b"\5\2\1\0" + reply(SUCCEEDED), "answers")
            TlsPeer(client.sock, client_context("1.2", "1.3"), NAME).handshake().close()


@story
def plain_HTTP_through_SOCKS_is_not_TLS():
    with HttpOrigin(NAME) as origin, Gateway(origin, settings=LISTENER) as gateway:
        done = curl(gateway, "socks5h", f"http://{NAME}/")
        check_in("<html", done.output.lower(), "what curl got")
        gateway.record({"event.action": "not-tls", "event.code": "client-not-tls"})
        check_equal(origin.seen, [], "requests that the server got")


run_stories()
