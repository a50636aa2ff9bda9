"""The PROXY protocol: taken from a balancer in front, and given to servers behind; HAProxy on the other side."""

import contextlib
import socket
import struct
import subprocess

from harness import (
    TLS10,
    Gateway,
    HttpOrigin,
    RawClient,
    RawOrigin,
    TlsOrigin,
    TlsPeer,
    alert,
    check,
    check_equal,
    check_in,
    client_context,
    client_hello,
    one_record,
    run_client,
    run_stories,
    story,
    wait_until,
    workplace,
)

NAME = "origin.floor.test"
OLD_HELLO = one_record(client_hello(TLS10))
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
V1 = b"PROXY TCP4 10.9.8.7 192.0.2.1 4711 443\r\n"
V2 = SIGNATURE + b"\x21\x11" + struct.pack(">H4s4sHH", 12, bytes([10, 9, 8, 7]), bytes([192, 0, 2, 1]), 4711, 443)
CLIENT = {"source.ip": "10.9.8.7", "source.port": 4711}
BLOCKED = {"event.action": "tls-version-blocked", "event.code": "client-below-floor"}
BEHIND = {
    "listener behind.listen": "127.0.0.1:0",
    "listener behind.kind": "sni",
    "listener behind.accept_proxy": "on",
}


def forward(origin, version):
    return {
        "listener to.listen": "127.0.0.1:0",
        "listener to.kind": "forward",
        "listener to.protocol": "tls",
        "listener to.upstream": f"{origin.name}:{origin.asked_port}",
        "listener to.send_proxy": version,
    }


class Haproxy:
    """Carries connections to its `port` on to another one. `options`: of its server line, or of its own `bind`."""

    def __init__(self, target, server="", bind=""):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.file = workplace("run", f"haproxy-{self.port}.cfg")
        with open(self.file, "w", encoding="utf-8") as f:
            f.write(
                f"global\n  log stderr local0\ndefaults\n  mode tcp\n  timeout connect 9s\n  timeout client 9s\n"
                f"  timeout server 9s\nlisten carry\n  bind 127.0.0.1:{self.port} {bind}\n"
                f"  server there 127.0.0.1:{target} {server}\n"
            )

    def __enter__(self):
        self.process = subprocess.Popen(["haproxy", "-db", "-f", self.file], stderr=subprocess.DEVNULL)
        wait_until(self._listens, "HAProxy listens")
        return self

    def _listens(self):
        check(self.process.poll() is None, "HAProxy runs")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
            return True
        return False

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


@story
def the_client_is_who_the_header_says():
    headers = (
        V1,
        V2,
        V2.replace(b"\0\x0c", b"\0\x11", 1) + b"\1\0\2h2",
        b"PROXY TCP6 ::ffff:10.9.8.7 ::ffff:192.0.2.1 4711 443\r\n",
    )
    with Gateway(settings=BEHIND) as gateway:
        for header in headers:
            with RawClient(gateway.ports["behind"]) as client:
                client.send(header + OLD_HELLO)
                check_equal(client.receive_all(), alert(70, version=TLS10), "what the client hears")
            gateway.record({**BLOCKED, **CLIENT})


@story
def a_header_in_pieces_is_the_same_header():
    with Gateway(settings=BEHIND) as gateway:
        for header in (V1, V2):
            for cut in (1, 5, 6, 12, 15, 16, len(header) - 1):
                with RawClient(gateway.ports["behind"]) as client:
                    client.send(header[:cut])
                    client.send(header[cut:] + OLD_HELLO)
                    check_equal(client.receive_all(), alert(70, version=TLS10), "what the client hears")
                gateway.record({**BLOCKED, **CLIENT})


@story
def a_balancer_that_speaks_for_itself_is_the_client():
    with Gateway(settings=BEHIND) as gateway:
        for header in (b"PROXY UNKNOWN\r\n", SIGNATURE + b"\x20\0\0\0"):
            with RawClient(gateway.ports["behind"]) as client:
                client.send(header + OLD_HELLO)
                client.receive_all()
            gateway.record({**BLOCKED, "source.ip": "127.0.0.1"})


@story
def a_client_behind_the_header_must_be_allowed_too():
    public = V1.replace(b"10.9.8.7", b"8.8.8.8")
    with Gateway(settings=BEHIND) as gateway:
        with RawClient(gateway.ports["behind"]) as client:
            client.send(public + OLD_HELLO)
            check_equal(client.receive_all()[:1], b"\x15", "first byte of what the client hears")
        gateway.record({"event.action": "access-denied", "event.code": "source-denied", "source.ip": "8.8.8.8"})


@story
def rules_go_by_the_client_behind_the_header():
    settings = {**BEHIND, "rule old.source": "10.9.8.7", "rule old.action": "monitor"}
    with TlsOrigin() as origin, Gateway(origin, settings=settings) as gateway:
        with RawClient(gateway.ports["behind"]) as client:
            client.send(V2)
            TlsPeer(client.sock, client_context("1.0", "1.0"), NAME).handshake().close()
        gateway.record({"event.action": "tls-version-would-block", "rule.name": "old", **CLIENT})


@story
def a_sender_that_is_not_believed_is_refused():
    settings = {**BEHIND, "listener behind.proxy_source": "127.0.0.2, 10.0.0.0/8"}
    with Gateway(settings=settings) as gateway:
        with RawClient(gateway.ports["behind"]) as client:
            client.send(V1 + OLD_HELLO)
            check_equal(client.receive_all()[:1], b"\x15", "first byte of what the client hears")
        gateway.record({"event.action": "access-denied", "event.code": "proxy-header-denied", "source.ip": "127.0.0.1"})
        with RawClient(gateway.ports["behind"], source="127.0.0.2") as client:
            client.send(V1 + OLD_HELLO)
            check_equal(client.receive_all(), alert(70, version=TLS10), "what the client hears")
        gateway.record({**BLOCKED, **CLIENT})


@story
def what_is_no_header_is_malformed():
    with Gateway(settings={**BEHIND, "limits.hello_s": "0.5"}) as gateway:
        for said in (OLD_HELLO, b"GET / HTTP/1.1\r\n\r\n", V1.replace(b"TCP4", b"TCP5"), V1[:20], V2[:20]):
            with RawClient(gateway.ports["behind"]) as client:
                client.send(said)
                client.receive_all()
            gateway.record({"event.action": "malformed", "event.code": "proxy-header-malformed"})


@story
def a_health_check_leaves_no_record():
    with Gateway(settings=BEHIND) as gateway, RawClient(gateway.ports["behind"]) as client:
        client.end()
        client.receive_all()


@story
def haproxy_in_front_tells_who_the_client_is():
    for options in ("send-proxy", "send-proxy-v2", "send-proxy-v2 proxy-v2-options crc32c,unique-id,ssl"):
        with TlsOrigin() as origin, Gateway(origin, settings=BEHIND) as gateway:
            with Haproxy(gateway.ports["behind"], server=options) as haproxy:
                for source, highest in (("127.0.0.3", "1.3"), ("127.0.0.4", "1.0")):
                    with RawClient(haproxy.port, source=source) as client:
                        peer = TlsPeer(client.sock, client_context("1.0", highest), NAME)
                        if highest == "1.3":
                            peer.handshake().close()
                            continue
                        client.send(OLD_HELLO)
                        check_equal(client.receive_all(), alert(70, version=TLS10), "what the client hears")
                        port = client.sock.getsockname()[1]
                        gateway.record({**BLOCKED, "source.ip": source, "source.port": port})


@story
def it_may_stand_in_front_of_any_kind_of_listener():
    settings = {"listener proxy.accept_proxy": "on", **BEHIND, "listener behind.kind": "socks5"}
    with TlsOrigin("1.2") as origin, Gateway(origin, settings=settings) as gateway:
        with Haproxy(gateway.proxy, server="send-proxy-v2") as haproxy:
            done = run_client(
                "curl", "-sS", "-k", "-x", f"http://127.0.0.1:{haproxy.port}", f"https://{NAME}/", "-w", "%{http_code}"
            )  # fmt: skip
            check_equal(done, ("<title>page over TLSv1.3</title>\n200", 0), "what curl got by CONNECT")
        with Haproxy(gateway.ports["behind"], server="send-proxy") as haproxy:
            done = run_client("curl", "-sS", "-k", "-x", f"socks5h://127.0.0.1:{haproxy.port}", f"https://{NAME}/")
            check_equal(done, ("<title>page over TLSv1.3</title>\n", 0), "what curl got by SOCKS")


@story
def requests_of_a_kept_connection_have_one_header():
    with HttpOrigin(NAME) as origin, Gateway(origin, settings={"listener proxy.accept_proxy": "on"}) as gateway:
        with RawClient(gateway.proxy) as client:
            client.send(V1)
            for _ in range(2):
                client.send(f"GET http://{NAME}/ HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode())
                check_in(b"200 OK", client.receive_until(b"\r\n\r\n"), "head")
                client.receive(len(b"plain page\n"))
        check_equal(len(origin.seen), 2, "requests that the server got")


def header_of(gateway, origin, number=0):
    """What a server gets in front of the hello, and who the client was."""
    hello = one_record(client_hello())
    with RawClient(gateway.ports["to"]) as client:
        here = client.sock.getsockname()[1]
        client.send(hello)
        connection = origin.connection(number)
        wait_until(lambda: bytes(connection.received).endswith(hello), "the hello has come")
        return bytes(connection.received)[: -len(hello)], here


@story
def a_server_is_told_with_version_1():
    with RawOrigin() as origin, Gateway(origin, settings=forward(origin, "v1")) as gateway:
        header, port = header_of(gateway, origin)
        wanted = f"PROXY TCP4 127.0.0.1 127.0.0.1 {port} {gateway.ports['to']}\r\n"
        check_equal(header, wanted.encode(), "header")


@story
def a_server_is_told_with_version_2():
    with RawOrigin() as origin, Gateway(origin, settings=forward(origin, "v2")) as gateway:
        header, port = header_of(gateway, origin)
        local = bytes([127, 0, 0, 1])
        wanted = SIGNATURE + b"\x21\x11" + struct.pack(">H4s4sHH", 12, local, local, port, gateway.ports["to"])
        check_equal(header, wanted, "header")


@story
def what_one_header_says_the_other_passes_on():
    for version, header in (("v1", V1), ("v2", V2)):
        with RawOrigin() as origin:
            settings = {**forward(origin, version), "listener to.accept_proxy": "on"}
            with Gateway(origin, settings=settings) as gateway, RawClient(gateway.ports["to"]) as client:
                client.send(header + one_record(client_hello()))
                wait_until(lambda: origin.connection().received.startswith(header), "the server is told the same")


@story
def haproxy_behind_learns_who_the_client_is():
    for version in ("v1", "v2"):
        with RawOrigin() as origin, Haproxy(origin.port, bind="accept-proxy", server="send-proxy") as haproxy:
            settings = {**forward(origin, version), "upstream.resolve": f"{NAME}:443:127.0.0.1:{haproxy.port}"}
            with Gateway(settings=settings) as gateway, RawClient(gateway.ports["to"]) as client:
                port = client.sock.getsockname()[1]
                client.send(one_record(client_hello()))
                wanted = f"PROXY TCP4 127.0.0.1 127.0.0.1 {port} {gateway.ports['to']}\r\n".encode()
                wait_until(lambda: origin.connection().received.startswith(wanted), f"HAProxy has read {version}")


@story
def a_session_behind_haproxy_works_to_its_end():
    with TlsOrigin("1.2") as origin, Haproxy(origin.port, bind="accept-proxy") as haproxy:
        settings = {**forward(origin, "v2"), "upstream.resolve": f"{NAME}:443:127.0.0.1:{haproxy.port}"}
        with Gateway(settings=settings) as gateway:
            done = run_client(
                "curl", "-sS", "-k", f"https://{NAME}/", "--connect-to", f"{NAME}:443:127.0.0.1:{gateway.ports['to']}"
            )  # fmt: skip
            check_equal(done, ("<title>page over TLSv1.3</title>\n", 0), "what curl got")


run_stories()
