"""A parent proxy: every way in goes through it, with CONNECT or, in plain HTTP, with requests of absolute form."""

import base64
import os
import select
import socket

from harness import (
    TLS12,
    BlackHole,
    Gateway,
    HttpOrigin,
    MailClient,
    OfficeOrigin,
    RawClient,
    RawOrigin,
    SmtpOrigin,
    TlsOrigin,
    TlsPeer,
    check,
    check_equal,
    check_in,
    check_minted,
    client_context,
    client_hello,
    first_certificate,
    mail_gateway,
    mail_upgraded,
    office,
    one_record,
    openssl_client,
    pieces,
    private_file,
    program,
    run_client,
    run_stories,
    server_hello,
    story,
    users_file,
    wait_until,
    workplace,
)

NAME = "origin.floor.test"
OFFICE = "outlook.office365.com"
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
HELLO = one_record(client_hello())
FLIGHT = one_record(server_hello(TLS12), TLS12)


class Parent(RawOrigin):
    """A proxy for CONNECT: notes the heads of the requests, answers with `answer`, and if that is a 200 carries the
    bytes to the origin that has the name which was asked for."""

    def __init__(self, *origins, answer=ESTABLISHED, script=None):
        self.heads = []
        self.answer = answer
        self.origins = {f"{origin.name}:{origin.asked_port}": origin for origin in origins}
        super().__init__(script or self._carry, name="parent.floor.test")

    def read_head(self, connection):
        while b"\r\n\r\n" not in connection.received:
            if not connection.recv(1):
                raise EOFError("the head is not whole")
        self.heads.append(bytes(connection.received).decode())
        return self.heads[-1]

    def _carry(self, connection):
        target = self.read_head(connection).split(" ")[1]
        origin = self.origins.get(target)
        if origin is None or not self.answer.startswith(b"HTTP/1.1 200 "):
            connection.send(self.answer if origin else b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            return
        with socket.create_connection((origin.address, origin.port)) as outside:
            connection.send(self.answer)
            peer = {connection.sock: outside, outside: connection.sock}
            open_sides = set(peer)
            while open_sides:
                for side in select.select(open_sides, [], [])[0]:
                    data = side.recv(65536)
                    if data:
                        peer[side].sendall(data)
                    else:
                        open_sides.remove(side)
                        peer[side].shutdown(socket.SHUT_WR)

    @property
    def settings(self):
        return {"upstream.proxy": f"{self.address}:{self.port}", "access.destination": "public"}


def curl(gateway, url, *options):
    return run_client("curl", "-sS", "-k", "-x", f"http://127.0.0.1:{gateway.proxy}", *options, url)


def connect_fails(gateway, status, target=f"{NAME}:443"):
    """What the head says of a CONNECT that is refused."""
    with RawClient(gateway.proxy) as client:
        client.send(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
        answer = client.receive_all().decode()
        check_in(f"HTTP/1.1 {status} ", answer, "answer")
        return answer


@story
def a_tunnel_goes_through_the_parent_and_names_are_its_business():
    with TlsOrigin("1.2") as origin, Parent(origin) as parent, Gateway(settings=parent.settings) as gateway:
        done = curl(gateway, f"https://{NAME}/")
        check_equal(done, ("<title>page over TLSv1.3</title>\n", 0), "what curl got")
        wanted = f"CONNECT {NAME}:443 HTTP/1.1\r\nHost: {NAME}:443\r\n\r\n"
        check_equal(parent.heads, [wanted], "requests that the parent got")


@story
def the_other_ways_in_go_through_it_too():
    more = {
        "listener socks.listen": "127.0.0.1:0",
        "listener socks.kind": "socks5",
        "listener to.listen": "127.0.0.1:0",
        "listener to.kind": "forward",
        "listener to.protocol": "tls",
        "listener to.upstream": f"{NAME}:443",
    }
    with TlsOrigin("1.2") as origin, Parent(origin) as parent:
        with Gateway(settings={**parent.settings, **more}) as gateway:
            for port in (gateway.straight, gateway.ports["to"]):
                with RawClient(port) as client:
                    TlsPeer(client.sock, client_context("1.2", "1.3"), NAME).handshake().close()
            proxy = f"socks5h://127.0.0.1:{gateway.ports['socks']}"
            done = run_client("curl", "-sS", "-k", "-x", proxy, f"https://{NAME}/")
            check_equal(done.status, 0, "curl's exit code")
        check_equal(len(parent.heads), 3, "requests that the parent got")


@story
def the_floor_holds_behind_the_parent():
    with TlsOrigin("1.0", "1.0") as origin, Parent(origin) as parent:
        with Gateway(settings=parent.settings) as gateway:
            done = curl(gateway, f"https://{NAME}/", "--ciphers", "DEFAULT@SECLEVEL=0", "--tlsv1.0", "--tls-max", "1.0")
            check_in("alert protocol version", done.output, "what curl says")
            gateway.record({"event.code": "client-below-floor", "destination.domain": NAME, "destination.ip": None})
            done = curl(gateway, f"https://{NAME}/", "--ciphers", "DEFAULT@SECLEVEL=0", "--tlsv1.0")
            check_in("alert protocol version", done.output, "what curl says")
            gateway.record({"event.action": "tls-server-below-floor"})


@story
def it_is_told_who_we_are():
    settings = {"upstream.proxy_user": "gate", "upstream.proxy_password_file": private_file("s3cret: x\n")}
    login = base64.b64encode(b"gate:s3cret: x").decode()
    with TlsOrigin("1.2") as origin, Parent(origin) as parent:
        with Gateway(settings={**parent.settings, **settings}) as gateway:
            check_equal(curl(gateway, f"https://{NAME}/").status, 0, "curl's exit code")
        check_in(f"\r\nProxy-Authorization: Basic {login}\r\n\r\n", parent.heads[0], "request")


@story
def a_password_that_others_may_read_is_refused_at_start():
    path = private_file("secret\n")
    os.chmod(path, 0o644)
    ini = workplace("run", f"{os.getpid()}-open.ini")
    with open(ini, "w", encoding="utf-8") as f:
        f.write(
            f"[listener proxy]\nlisten = 127.0.0.1:0\n[ca]\ndirectory = off\n[upstream]\nproxy = 127.0.0.1:9\n"
            f"proxy_user = gate\nproxy_password_file = {path}\n"
        )
    for command in ("run", "check"):
        done = run_client(program(), command, "-c", ini)
        check(done.status != 0, f"{command} fails")
        check_in("proxy_password_file", done.output, f"what {command} says")


@story
def what_is_bypassed_is_connected_directly():
    with TlsOrigin("1.2") as origin, TlsOrigin("1.2", name="far.floor.test") as far, Parent(far) as parent:
        settings = {**parent.settings, "access.destination": "loopback"}
        settings["upstream.proxy_bypass"] = f"*.other.test, {NAME}"
        with Gateway(origin, settings=settings) as gateway:
            for name in (NAME, far.name):
                check_equal(curl(gateway, f"https://{name}/").status, 0, f"curl's exit code for {name}")
        check_equal([head.split()[1] for head in parent.heads], ["far.floor.test:443"], "whom the parent was asked for")


@story
def an_upgrade_goes_through_it():
    with OfficeOrigin() as origin, Parent(origin) as parent:
        with Gateway(settings=parent.settings, upgrades=True) as gateway:
            result = openssl_client(gateway, "connect", OFFICE, "1.0", ca=gateway.ca)
            check_in("page over TLSv1.3", result.output, "what the client printed")
            check_minted(result.output, OFFICE)
            gateway.record({"event.action": "tls-upgraded", "destination.domain": OFFICE})


@story
def plain_HTTP_that_is_upgraded_goes_through_a_tunnel():
    with OfficeOrigin(alpn=("http/1.1",)) as origin, Parent(origin) as parent:
        with Gateway(settings=parent.settings, upgrades=True) as gateway:
            done = curl(gateway, f"http://{OFFICE}/")
            check_equal(done, ("<title>page over TLSv1.3</title>\n", 0), "what curl got")
            gateway.record({"event.action": "tls-upgraded", "tlsfloor.upgrade.from": "plain"})
        check_in(f"CONNECT {OFFICE}:443 HTTP/1.1\r\n", parent.heads[0], "request")


@story
def other_plain_HTTP_is_asked_of_the_parent_itself():
    settings = {"upstream.proxy_user": "gate", "upstream.proxy_password_file": private_file("secret")}
    login = base64.b64encode(b"gate:secret").decode()
    with HttpOrigin("parent.floor.test") as parent:
        settings |= {"upstream.proxy": f"{parent.address}:{parent.port}", "access.destination": "public"}
        with Gateway(settings=settings) as gateway:
            with RawClient(gateway.proxy) as client:
                for path in ("/a?b", "/c"):
                    client.send(f"GET http://{NAME}{path} HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode())
                    check_in(b"200 OK", client.receive_until(b"\r\n\r\n"), "head")
                    client.receive(len(b"plain page\n"))
        asked = [seen[1] for seen in parent.seen]
        check_equal(asked, [f"http://{NAME}/a?b", f"http://{NAME}/c"], "what it was asked for")
        check_equal({seen[2]["Proxy-Authorization"] for seen in parent.seen}, {f"Basic {login}"}, "logins")
        check_equal(len({seen[4] for seen in parent.seen}), 1, "connections to the parent")


@story
def addresses_are_checked_before_the_parent_is_asked():
    with Parent() as parent, Gateway(settings=parent.settings) as gateway:
        for target in ("10.1.2.3:443", "127.0.0.1:443", "[::1]:443", "0x7f.1:443"):
            connect_fails(gateway, 403, target)
            gateway.record({"event.action": "access-denied", "event.code": "destination-denied"})
        connect_fails(gateway, 403, f"{NAME}:8443")
        gateway.record({"event.code": "port-denied"})
        check_equal(parent.connections, [], "connections to the parent")


@story
def an_address_that_passes_is_asked_for():
    with RawOrigin() as origin, Parent(origin) as parent:
        parent.origins["192.0.2.1:443"] = origin
        settings = {**parent.settings, "access.destination": "public, documentation"}
        settings |= {"rule no.destination": "192.0.2.0/24", "rule no.port": "80", "rule no.action": "block"}
        with Gateway(settings=settings) as gateway, RawClient(gateway.proxy).connect("192.0.2.1") as client:
            client.send(HELLO)
            wait_until(lambda: origin.connections and origin.connections[0].received == HELLO, "the hello arrives")


@story
def a_rule_for_addresses_does_not_match_a_name_that_only_the_parent_knows():
    rule = {"rule block.destination": "0.0.0.0/0, ::/0", "rule block.action": "block"}
    with TlsOrigin("1.2") as origin, Parent(origin) as parent:
        with Gateway(settings={**parent.settings, **rule}) as gateway:
            check_equal(curl(gateway, f"https://{NAME}/").status, 0, "curl's exit code")
            with RawClient(gateway.straight) as client:
                TlsPeer(client.sock, client_context("1.2", "1.3"), NAME).handshake().close()


@story
def it_must_not_be_the_gateway_itself():
    settings = {"listener proxy.listen": "127.0.0.1:0", "access.destination": "public"}
    with Gateway(settings=settings) as gateway:
        gateway.reload(f"{gateway.ini}\n[upstream]\nproxy = 127.0.0.1:{gateway.proxy}\n")
        connect_fails(gateway, 403)
        gateway.record({"event.action": "access-denied", "event.code": "destination-self"})


@story
def the_answer_may_come_in_pieces_and_after_interim_ones():
    answer = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200 OK\r\nVia: 1.1 parent\r\nContent-Length: 7\r\n\r\n"

    def script(connection):
        parent.read_head(connection)
        for piece in pieces(answer):
            connection.send(piece)
        connection.received.clear()
        connection.recv_exactly(len(HELLO))
        connection.send(FLIGHT)
        connection.recv_to_end()

    with Parent(script=script) as parent, Gateway(settings=parent.settings) as gateway:
        with RawClient(gateway.proxy).connect(NAME) as client:
            client.send(HELLO)
            check_equal(client.receive(len(FLIGHT)), FLIGHT, "what the server said")


@story
def what_comes_behind_the_answer_is_the_servers():
    """Which is not TLS then, and passes only where a rule lets it."""

    def script(connection):
        parent.read_head(connection)
        connection.send(ESTABLISHED + b"I speak first\n")
        connection.recv_to_end()

    for rule in (False, True):
        more = {"rule pass.listener": "proxy", "rule pass.action": "monitor"} if rule else {}
        with Parent(script=script) as parent, Gateway(settings={**parent.settings, **more}) as gateway:
            with RawClient(gateway.proxy).connect(NAME) as client:
                if rule:
                    check_equal(client.receive(14), b"I speak first\n", "what the server said")
                else:
                    check_equal(client.receive_all()[:1], b"\x15", "first byte that the client hears")
            gateway.record({"event.code": "server-spoke-first"})


@story
def a_server_that_speaks_first_is_not_upgraded():
    def script(connection):
        parent.read_head(connection)
        connection.send(ESTABLISHED + b"I speak first\n")
        connection.recv_to_end()

    with Parent(script=script) as parent, Gateway(settings=parent.settings, upgrades=True) as gateway:
        done = curl(gateway, f"http://{OFFICE}/", "-w", "%{http_code}")
        check(done.output.endswith("403"), f"curl got {done.output}")
        gateway.record({"event.action": "not-tls", "event.code": "server-spoke-first"})
        with RawClient(gateway.proxy) as client:
            hello = one_record(client_hello(0x0301, OFFICE))
            client.send(f"CONNECT {OFFICE}:443 HTTP/1.1\r\nHost: {OFFICE}:443\r\n\r\n".encode() + hello)
            check_in(b"\x15\x03\x01\x00\x02", client.receive_all(), "what the client hears")
        gateway.record({"event.code": "server-spoke-first"})


def counts_an_error(gateway, reason):
    """Once it is through with the session, which the client may see the end of before."""
    wait_until(lambda: gateway.metric("tlsfloor_errors_total", reason=reason) == 1, f"an error counted as {reason}")


@story
def a_parent_that_refuses_is_told_apart():
    plays = (
        (b"HTTP/1.1 403 Not for you\r\nContent-Length: 2\r\n\r\nno", 502, "parent-refused", "HTTP/1.1 403 Not for you"),
        (b"HTTP/1.1 407 Who are you\r\n\r\n", 502, "parent-login", "HTTP/1.1 407 Who are you"),
        (b"HTTP/1.1 301 Moved\r\nLocation: /\r\n\r\n", 502, "parent-refused", "HTTP/1.1 301 Moved"),
        (b"220 mail ESMTP\r\n\r\n", 502, "parent-malformed", None),
        (b"\x15\x03\x01\x00\x02\x02\x28", 502, "parent-malformed", None),
        (b"HTTP/1.1 200 OK", 502, "parent-malformed", "within its answer"),
        (b"", 502, "parent-refused", "without an answer"),
    )
    for answer, status, code, detail in plays:

        def script(connection):
            parent.read_head(connection)
            connection.send(answer)

        more = {"admin.listen": "127.0.0.1:0", "log.access": workplace("run", f"{os.getpid()}-access")}
        with Parent(script=script) as parent, Gateway(settings={**parent.settings, **more}) as gateway:
            page = connect_fails(gateway, status)
            if detail:
                check_in(detail, page, "page")
            counts_an_error(gateway, code)


@story
def a_parent_whose_answer_never_ends_is_given_up():
    def script(connection):
        parent.read_head(connection)
        connection.send(b"HTTP/1.1 200 OK\r\n")
        while True:
            connection.send(b"X: " + b"x" * 1000 + b"\r\n")

    settings = {"limits.head_bytes": "8192", "admin.listen": "127.0.0.1:0"}
    with Parent(script=script) as parent, Gateway(settings={**parent.settings, **settings}) as gateway:
        connect_fails(gateway, 502)
        counts_an_error(gateway, "parent-malformed")


@story
def a_parent_that_is_silent_or_away_is_a_time_out_or_an_error():
    more = {"limits.dial_s": "0.4", "admin.listen": "127.0.0.1:0"}
    with Parent(script=lambda c: c.recv_to_end()) as parent:
        with Gateway(settings={**parent.settings, **more}) as gateway:
            check_in("parent proxy", connect_fails(gateway, 504), "page")
            counts_an_error(gateway, "upstream-timeout")
        away = {**parent.settings, "upstream.proxy": f"127.0.0.1:{parent.port}"}
        parent.close()
    with BlackHole() as hole:
        settings = {**away, "upstream.proxy": f"{hole.address}:{hole.port}", **more}
        with Gateway(settings=settings) as gateway:
            check_in("parent proxy", connect_fails(gateway, 504), "page")
            counts_an_error(gateway, "dial-timeout")
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with Gateway(settings={**away, "upstream.proxy": f"127.0.0.1:{port}", **more}) as gateway:
        check_in("parent proxy", connect_fails(gateway, 502), "page")
        counts_an_error(gateway, "dial-refused")


@story
def a_client_that_leaves_while_the_parent_thinks_takes_its_connection_along():
    with Parent(script=lambda c: c.recv_to_end()) as parent, Gateway(settings=parent.settings) as gateway:
        with RawClient(gateway.proxy) as client:
            client.send(f"CONNECT {NAME}:443 HTTP/1.1\r\nHost: {NAME}:443\r\n\r\n".encode())
            wait_until(lambda: parent.connection().received.endswith(b"\r\n\r\n"), "the parent is asked")
            client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        parent.finished()


@story
def the_parent_may_be_another_gateway_that_wants_a_login():
    parents = {"listener proxy.users": users_file(gate=("secret", "gate"))}
    with TlsOrigin("1.2") as origin, Gateway(origin, settings=parents) as parent:
        for password, status in (("secret", "200"), ("wrong", "502")):
            settings = {
                "upstream.proxy": f"127.0.0.1:{parent.proxy}",
                "upstream.proxy_user": "gate",
                "upstream.proxy_password_file": private_file(password),
                "access.destination": "public",
            }
            with Gateway(settings=settings) as gateway:
                done = curl(gateway, f"https://{NAME}/", "-o", "/dev/null", "-w", "%{http_connect}")
                check_in(status, done.output, "status of the CONNECT")
        parent.record({"event.code": "login-failed", "user.name": "gate"})


@story
def the_server_behind_the_parent_gets_the_PROXY_header():
    with RawOrigin() as origin, Parent(origin) as parent:
        settings = {
            **parent.settings,
            "listener to.listen": "127.0.0.1:0",
            "listener to.kind": "forward",
            "listener to.protocol": "tls",
            "listener to.upstream": f"{NAME}:443",
            "listener to.send_proxy": "v1",
        }
        with Gateway(settings=settings) as gateway, RawClient(gateway.ports["to"]) as client:
            here = client.sock.getsockname()[1]
            client.send(HELLO)
            wanted = f"PROXY TCP4 127.0.0.1 127.0.0.1 {here} {gateway.ports['to']}\r\n".encode() + HELLO
            wait_until(lambda: origin.connection().received == wanted, "header and hello arrive")


@story
def mail_goes_through_it_too_whose_servers_speak_first():
    with SmtpOrigin() as origin, Parent(origin) as parent:
        with mail_gateway(origin, "optional", settings=parent.settings) as gateway:
            for version in (None, "1.0", "1.3"):
                with MailClient(gateway, origin) as client:
                    client.greet()
                    if version:
                        check_in("220 ", client.ask_for_tls(), "the consent")
                        client.start_tls(version, None if version == "1.3" else gateway.ca)
                        client.offered()
                    if version == "1.3":
                        check_equal(client.certificate(), first_certificate(office()), "the certificate")
                    check_in("250 2.0.0 OK", client.message(b"Subject: scan\r\n\r\n.\r\n"), "the answer to the message")
                    client.say("QUIT")
                if version != "1.3":
                    gateway.record(mail_upgraded(version or "plain"))
        asked = [head.split()[1] for head in parent.heads]
        check_equal(asked, [f"{origin.name}:{origin.asked_port}"] * 4, "whom the parent was asked for")


@story
def commands_go_through_it_too():
    with TlsOrigin("1.2") as origin, Parent(origin) as parent:
        ini = workplace("run", f"{os.getpid()}-probe.ini")
        with open(ini, "w", encoding="utf-8") as f:
            f.write(f"[listener proxy]\nlisten = 127.0.0.1:0\n[upstream]\nproxy = 127.0.0.1:{parent.port}\n")
        done = run_client(program(), "probe", "-c", ini, f"{NAME}:443")
        check_in(f"{NAME}:443 (127.0.0.1:{parent.port})", done.output, "what probe says")
        check_in("TLS1.3           taken", done.output, "what probe says")
        check_equal({head.split()[1] for head in parent.heads}, {f"{NAME}:443"}, "whom the parent was asked for")
        parent.answer = b"HTTP/1.1 403 Not for you\r\n\r\n"
        done = run_client(program(), "probe", "-c", ini, f"{NAME}:443")
        check_in("HTTP/1.1 403 Not for you", done.output, "what probe says")


run_stories()
