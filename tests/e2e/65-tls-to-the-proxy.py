"""Clients speak TLS to the proxy itself: the floor holds on that leg too, and everything that the proxy does is done
inside it, other TLS included."""

import os
import shutil
import ssl
import struct
import threading

from harness import (
    TLS10,
    TLS11,
    TLS12,
    Gateway,
    HttpOrigin,
    OfficeOrigin,
    RawClient,
    TlsOrigin,
    TlsPeer,
    alert,
    ca_file,
    check,
    check_equal,
    check_in,
    client_context,
    client_hello,
    leaf,
    make_signed,
    one_record,
    pieces,
    run_client,
    run_stories,
    sslv2_hello,
    story,
    workplace,
)

OFFICE = "outlook.office365.com"
NAME = "origin.floor.test"
BULK = 8 << 20
BLOCKED = {"event.action": "tls-version-blocked", "tlsfloor.verdict": "block"}


def with_tls(certificate=None, **more):
    file, key = certificate or leaf()
    return {
        "listener proxy.tls": "on",
        "listener proxy.certificate": file,
        "listener proxy.key": key,
        **{name.replace("__", "."): value for name, value in more.items()},
    }


class Inner:
    """What a socket can, over TLS that is there."""

    def __init__(self, peer):
        self.sendall = peer.write
        self.recv = peer.read
        self.shutdown = lambda how: peer.end()
        self.close = peer.close


def to_proxy(gateway, lowest="1.2", highest="1.3", name="localhost", port=None, **more):
    raw = RawClient(port or gateway.proxy)
    return TlsPeer(raw.sock, client_context(lowest, highest), name, **more).handshake()


def read_head(peer):
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += peer.read_exactly(1)
    return head


def tunnel(gateway, name=NAME, port=443):
    """TLS to the proxy with a CONNECT in it that was answered well."""
    outer = to_proxy(gateway)
    outer.write(f"CONNECT {name}:{port} HTTP/1.1\r\nHost: {name}:{port}\r\n\r\n".encode())
    check_in(b"HTTP/1.1 200 ", read_head(outer), "answer to CONNECT")
    return outer


def curl_by(gateway, *arguments):
    return run_client("curl", "-sS", "-x", f"https://127.0.0.1:{gateway.proxy}", *arguments)


# --- the way in ---


@story
def curl_gets_pages_by_CONNECT_and_in_plain():
    with TlsOrigin() as origin, HttpOrigin() as plain, Gateway(origin, plain, settings=with_tls()) as gateway:
        for trust in (["--proxy-cacert", ca_file()], ["--proxy-insecure"]):
            page = curl_by(gateway, *trust, "--cacert", ca_file(), f"https://{NAME}/")
            check_in("page over TLSv1.3", page.output, "page by CONNECT")
            check_in("plain page", curl_by(gateway, *trust, f"http://{plain.name}/").output, "page in plain")


@story
def requests_follow_one_another_on_one_connection():
    with HttpOrigin() as plain, Gateway(plain, settings=with_tls()) as gateway:
        for version in ("1.2", "1.3"):
            peer = to_proxy(gateway, version, version)
            for body in (b"one", b"two " * 20000, b"three"):
                head = f"POST http://{plain.name}/ HTTP/1.1\r\nHost: {plain.name}\r\n"
                peer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
                check_in(b"HTTP/1.1 200 ", read_head(peer), f"answer over TLS {version}")
                check_equal(peer.read_exactly(len(body)), body, "the echo")
            peer.close()


@story
def the_proxy_says_that_it_speaks_http_1_1():
    with Gateway(settings=with_tls()) as gateway:
        context = client_context("1.2", "1.3")
        context.set_alpn_protocols(["h2", "http/1.1"])
        peer = TlsPeer(RawClient(gateway.proxy).sock, context, "localhost").handshake()
        check_equal(peer.tls.selected_alpn_protocol(), "http/1.1", "ALPN")
        peer.close()


@story
def a_session_is_resumed():
    with Gateway(settings=with_tls()) as gateway:
        context = client_context("1.2", "1.2")
        first = TlsPeer(RawClient(gateway.proxy).sock, context, "localhost").handshake()
        session = first.tls.session
        first.close()
        again = TlsPeer(RawClient(gateway.proxy).sock, context, "localhost", session=session).handshake()
        check(again.tls.session_reused, "it was not resumed")
        again.close()


@story
def hellos_in_pieces_and_many_records_are_put_together():
    with TlsOrigin() as origin, Gateway(origin, settings=with_tls()) as gateway:
        context = client_context("1.2", "1.3")
        peer = TlsPeer(RawClient(gateway.proxy).sock, context, "localhost", reshape=lambda f: pieces(f, 7)).handshake()
        peer.write(f"CONNECT {NAME}:443 HTTP/1.1\r\nHost: {NAME}:443\r\n\r\n".encode())
        check_in(b"HTTP/1.1 200 ", read_head(peer), "answer to CONNECT")
        inner = TlsPeer(Inner(peer), context, NAME, reshape=lambda f: pieces(f, 11)).handshake()
        inner.write(b"GET / HTTP/1.1\r\n\r\n")
        check_in(b"page over TLSv1.3", inner.read_all(), "page")
        inner.close()


@story
def a_socks_client_is_served_inside_tls_as_well():
    settings = with_tls()
    socks = {key.replace("proxy", "socks"): value for key, value in settings.items()}
    socks |= {"listener socks.listen": "127.0.0.1:0", "listener socks.kind": "socks5"}
    with TlsOrigin() as origin, Gateway(origin, settings=socks) as gateway:
        outer = to_proxy(gateway, port=gateway.ports["socks"])
        outer.write(b"\x05\x01\x00")
        check_equal(outer.read_exactly(2), b"\x05\x00", "method")
        outer.write(b"\x05\x01\x00\x03" + bytes([len(NAME)]) + NAME.encode() + struct.pack(">H", 443))
        check_equal(outer.read_exactly(4)[:2], b"\x05\x00", "reply")
        outer.read_exactly(6)
        inner = TlsPeer(Inner(outer), client_context("1.2", "1.3"), NAME).handshake()
        inner.write(b"GET / HTTP/1.1\r\n\r\n")
        check_in(b"page over TLSv1.3", inner.read_all(), "page")
        inner.close()


# --- the floor ---


@story
def old_tls_to_the_proxy_is_refused_and_recorded():
    for monitored in (False, True):
        mode = {"floor.mode": "monitor"} if monitored else {}
        with Gateway(settings=with_tls() | mode) as gateway:
            for version, number in ((TLS10, "1.0"), (TLS11, "1.1")):
                with RawClient(gateway.proxy) as client:
                    client.send(one_record(client_hello(version, "localhost"), version))
                    check_equal(client.receive_all(), alert(70, version), f"answer to TLS {number}")
                record = gateway.record(BLOCKED | {"event.code": "client-below-floor", "tlsfloor.max_version": number})
                check_equal(record["observer.ingress.interface.name"], "proxy", f"listener of {record}")
                check("tls.client.ja3" in record and "destination.domain" not in record, f"fields of {record}")


@story
def a_real_client_of_tls_1_0_hears_why():
    with Gateway(settings=with_tls()) as gateway:
        try:
            to_proxy(gateway, "1.0", "1.1")
            raise AssertionError("it was let in")
        except ssl.SSLError as error:
            check_in("PROTOCOL_VERSION", error.reason, "what the client says")
        gateway.record(BLOCKED)


@story
def a_floor_of_1_3_refuses_1_2():
    with Gateway(settings=with_tls(floor__minimum="1.3")) as gateway:
        to_proxy(gateway).close()
        with RawClient(gateway.proxy) as client:
            client.send(one_record(client_hello(TLS12, "localhost"), TLS12))
            check_equal(client.receive_all(), alert(70, TLS12), "answer")
        gateway.record(BLOCKED | {"event.code": "client-below-floor"})


@story
def what_is_no_hello_is_refused_each_in_its_way():
    with Gateway(settings=with_tls()) as gateway:
        rows = (
            (sslv2_hello(TLS12), alert(70, TLS12), "client-sslv2-hello"),
            (b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\xff", alert(50), "client-hello-malformed"),
            (b"SSH-2.0-OpenSSH_9.2\r\n", alert(40), "client-not-tls"),
        )
        for sent, answer, code in rows:
            with RawClient(gateway.proxy) as client:
                client.send(sent)
                check_equal(client.receive_all(), answer, f"answer to {sent!r}")
            gateway.record({"event.code": code})


@story
def plain_http_to_the_tls_port_gets_a_page():
    with Gateway(settings=with_tls()) as gateway:
        with RawClient(gateway.proxy) as client:
            client.send(b"GET http://plain.floor.test/ HTTP/1.1\r\nHost: plain.floor.test\r\n\r\n")
            answer = client.receive_all()
            check_in(b"HTTP/1.1 400 ", answer, "status")
            check_in(b"name the proxy as https://HOST:PORT", answer, "page")
        gateway.record({"event.action": "not-tls", "event.code": "client-not-tls"})


@story
def a_client_that_distrusts_the_certificate_is_recorded():
    with Gateway(settings=with_tls()) as gateway:
        check(curl_by(gateway, "http://plain.floor.test/").status != 0, "curl was content")
        record = gateway.record({"event.action": "malformed", "event.code": "outer-tls-failed"})
        check_in("unknown CA (48)", record["tlsfloor.detail"], "detail")


@story
def a_client_that_stops_halfway_is_told_and_recorded():
    with Gateway(settings=with_tls(limits__hello_s="0.4", limits__handshake_s="0.6")) as gateway:
        with RawClient(gateway.proxy) as client:
            client.send(one_record(client_hello(TLS12, "localhost"))[:20])
            check_equal(client.receive_all(), alert(40), "answer to half a hello")
        gateway.record({"event.code": "client-hello-timeout"})
        with RawClient(gateway.proxy) as client:
            client.send(one_record(client_hello(TLS12, "localhost"), TLS12))
            check(client.receive_all(), "there was no ServerHello")
        record = gateway.record({"event.code": "outer-tls-failed"})
        check_in("[limits] handshake_s", record["tlsfloor.detail"], "detail")


# --- TLS inside ---


def get_page(peer):
    peer.write(b"GET / HTTP/1.1\r\n\r\n")
    return peer.read_all()


@story
def tls_1_0_inside_is_upgraded():
    with OfficeOrigin() as origin, Gateway(origin, settings=with_tls(), upgrades=True) as gateway:
        for version in ("1.0", "1.1"):
            inner = TlsPeer(Inner(tunnel(gateway, OFFICE)), client_context(version, version, gateway.ca), OFFICE)
            check_in(b"page over TLSv1.3", get_page(inner.handshake()), "page")
            check(not inner.was_cut, "the inner end came without a close_notify")
            check_equal(inner.sock.recv(1), b"", "what comes behind the inner end")
            inner.close()
            gateway.record(
                {
                    "event.action": "tls-upgraded",
                    "tls.client.server_name": OFFICE,
                    "tlsfloor.upgrade.from": version,
                    "tlsfloor.upgrade.to": "1.3",
                }
            )


@story
def healthy_tls_inside_is_tunnelled():
    with TlsOrigin() as origin, Gateway(origin, settings=with_tls()) as gateway:
        for version in ("1.2", "1.3"):
            inner = TlsPeer(Inner(tunnel(gateway)), client_context(version, version), NAME).handshake()
            check_in(f"page over TLSv{version}".encode(), get_page(inner), "page")
            check_equal(inner.certificate(), origin_certificate(), "certificate")
            inner.close()


def origin_certificate():
    with open(leaf()[0], encoding="ascii") as f:
        return f.read()


@story
def tls_1_0_inside_is_refused_in_its_own_words():
    with TlsOrigin() as origin:
        with Gateway(origin, settings=with_tls()) as gateway:
            outer = tunnel(gateway)
            outer.write(one_record(client_hello(TLS10)))
            check_equal(outer.read_all(), alert(70), "answer")
            check(not outer.was_cut, "the outer end came without a close_notify")
            outer.close()
            gateway.record(BLOCKED | {"event.code": "client-below-floor", "destination.domain": NAME})
        check_equal(origin.received(), b"", "what reached the server")


@story
def a_destination_that_is_denied_gets_its_page_inside():
    with Gateway(settings=with_tls()) as gateway:
        outer = to_proxy(gateway)
        outer.write(b"CONNECT origin.floor.test:22 HTTP/1.1\r\nHost: origin.floor.test:22\r\n\r\n")
        check_in(b"HTTP/1.1 403 ", outer.read_all(), "answer")
        check(not outer.was_cut, "the end came without a close_notify")
        outer.close()
        gateway.record({"event.code": "port-denied"})


def carry_bulk(gateway, name, context):
    """Both ways at once. The server says everything back, in its time."""
    noise = os.urandom(1 << 16) * (BULK >> 16)
    inner = TlsPeer(Inner(tunnel(gateway, name)), context, name).handshake()
    inner.write(struct.pack(">I", len(noise)))
    for at in range(0, len(noise), 1 << 18):
        inner.write(noise[at : at + (1 << 18)])
    got = inner.read_exactly(len(noise))
    check(got == noise, "other bytes came back")
    check_equal(inner.read_all(), b"", "what came behind it")
    check(not inner.was_cut, "the end came without a close_notify")
    inner.close()


def echo_all(peer):
    size = struct.unpack(">I", peer.read_exactly(4))[0]
    peer.write(peer.read_exactly(size))


@story
def bulk_goes_through_both_layers_of_an_upgrade():
    with OfficeOrigin(script=echo_all) as origin, Gateway(origin, settings=with_tls(), upgrades=True) as gateway:
        threads = [
            threading.Thread(target=carry_bulk, args=(gateway, OFFICE, client_context("1.0", version, gateway.ca)))
            for version in ("1.0", "1.1")
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
            gateway.record({"event.action": "tls-upgraded"})


@story
def bulk_goes_through_a_tunnel():
    with TlsOrigin(script=echo_all) as origin, Gateway(origin, settings=with_tls()) as gateway:
        carry_bulk(gateway, NAME, client_context("1.2", "1.3"))


@story
def a_client_that_ends_first_still_hears_the_server():
    def last_words(peer):
        check_equal(peer.read_all(), b"my last words", "what the client said")
        peer.write(b"after your end")

    with OfficeOrigin(script=last_words) as origin, Gateway(origin, settings=with_tls(), upgrades=True) as gateway:
        inner = TlsPeer(Inner(tunnel(gateway, OFFICE)), client_context("1.0", "1.0", gateway.ca), OFFICE).handshake()
        inner.write(b"my last words")
        inner.end()
        check_equal(inner.read_all(), b"after your end", "what came to the client")
        check(not inner.was_cut, "the inner end came without a close_notify")
        check_equal(origin.finished().error, None, "the server's error")
        gateway.record({"event.action": "tls-upgraded"})


# --- the certificate ---


@story
def a_new_certificate_is_shown_after_a_reload_and_old_sessions_live_on():
    pair = tuple(workplace("run", f"own-{os.getpid()}.{end}") for end in ("pem", "key"))
    for source, target in zip(leaf(), pair):
        shutil.copy(source, target)
    with HttpOrigin() as plain, Gateway(plain, settings=with_tls(pair)) as gateway:

        def serves(peer):
            peer.write(f"GET http://{plain.name}/ HTTP/1.1\r\nHost: {plain.name}\r\n\r\n".encode())
            check_in(b"HTTP/1.1 200 ", read_head(peer), "answer")
            check_equal(peer.read_exactly(11), b"plain page\n", "page")

        old = to_proxy(gateway)
        serves(old)
        make_signed(pair[0][:-4], ca_file()[:-4], "new.floor.test", "subjectAltName=DNS:localhost\n")
        gateway.reload(gateway.ini)
        new = to_proxy(gateway)
        check(new.certificate() != old.certificate(), "the old certificate is shown still")
        serves(new)
        serves(old)
        with open(pair[1], "w", encoding="ascii") as f:
            f.write("no key any more\n")
        gateway.write(gateway.ini)
        gateway.signal(1)
        said = gateway.stderr.wait(lambda lines: any("[listener proxy] key" in line for line in lines))
        check(said, "a key that is none is not complained of")
        third = to_proxy(gateway)
        check_equal(third.certificate(), new.certificate(), "certificate after a reload that failed")
        for peer in (old, new, third):
            serves(peer)
            peer.close()
    for end in ("pem", "key", "csr", "ext"):
        os.unlink(f"{pair[0][:-4]}.{end}")


@story
def a_key_that_others_may_read_keeps_the_gateway_from_starting():
    pair = tuple(workplace("run", f"open-{os.getpid()}.{end}") for end in ("pem", "key"))
    for source, target in zip(leaf(), pair):
        shutil.copy(source, target)
    os.chmod(pair[1], 0o644)
    try:
        with Gateway(settings=with_tls(pair)):
            raise RuntimeError("it started")
    except AssertionError as error:
        check_in("[listener proxy] key", str(error), "what it says")
        check_in("chmod 600", str(error), "what it says")
    for path in pair:
        os.unlink(path)


run_stories()
