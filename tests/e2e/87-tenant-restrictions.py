"""Tenant restrictions: the sign-in hosts of Microsoft, and no others, are told which tenants a client may sign in to,
wherever its requests can be read."""

import functools
import json
import os
import re
import struct

from harness import (
    CONNECT,
    SNI,
    WAYS,
    Gateway,
    HttpOrigin,
    OfficeOrigin,
    RawClient,
    TlsOrigin,
    TlsPeer,
    ca_file,
    check,
    check_equal,
    check_in,
    client_context,
    curl,
    make_signed,
    reach,
    run_client,
    run_stories,
    story,
    users_file,
    wait_until,
    workplace,
)
from harness.https import page

OURS, THEIRS, POLICY_ID = (f"{digit * 8}-1111-2222-3333-444444444444" for digit in "abc")
WORK = ("login.microsoftonline.com", "login.microsoft.com", "login.windows.net")
CONSUMER = "login.live.com"
NAME = WORK[0]
NEIGHBOURS = ("ccs.login.microsoftonline.com", "login.microsoftonline-p.com")  # of the endpoint set as well
LOOK_ALIKES = ("xlogin.microsoftonline.com", "login.microsoftonline.com.example", "sub.login.microsoftonline.com")

SECTION = "tenant_restrictions"
V1 = {
    f"{SECTION}.version": "v1",
    f"{SECTION}.allowed": f"contoso.onmicrosoft.com , {OURS}",
    f"{SECTION}.context": OURS,
}
V2 = {f"{SECTION}.version": "v2", f"{SECTION}.policy": f"{OURS}:{POLICY_ID}"}
TENANTS, CONTEXT, POLICY = "restrict-access-to-tenants", "restrict-access-context", "sec-restrict-tenant-access-policy"
V1_FIELDS = [(TENANTS, f"contoso.onmicrosoft.com,{OURS}"), (CONTEXT, OURS)]
V2_FIELDS = [(POLICY, f"{OURS}:{POLICY_ID}")]
OWN = (f"Restrict-Access-To-Tenants: {THEIRS}\r\nrestrict-access-to-tenants: fabrikam.example\r\n"
       f"RESTRICT-ACCESS-CONTEXT: {THEIRS}\r\nsec-Restrict-Tenant-Access-Policy: {THEIRS}:{POLICY_ID}\r\n"
       "Sec-Restrict-Tenant-Access-Policy: restrict-msa\r\n")  # fmt: skip
OWN_FIELDS = [(TENANTS, THEIRS), (TENANTS, "fabrikam.example"), (CONTEXT, THEIRS), (POLICY, f"{THEIRS}:{POLICY_ID}"),
              (POLICY, "restrict-msa")]  # fmt: skip
UPGRADED = {"event.action": "tls-upgraded", "event.code": "client-upgraded", "tlsfloor.upgrade.from": "1.0"}
WITH_ADMIN = {"admin.listen": "127.0.0.1:0"}


@functools.cache
def sign_in_certificate():
    """Of all the hosts here, by the root of all origins."""
    path = workplace("run", f"sign-in-{os.getpid()}")
    names = ",".join(f"DNS:{name}" for name in (*WORK, CONSUMER, *NEIGHBOURS, *LOOK_ALIKES))
    make_signed(path, ca_file().removesuffix(".pem"), NAME, f"subjectAltName={names}\nextendedKeyUsage=serverAuth")
    return f"{path}.pem", f"{path}.key"


def message(read, data):
    """A request from the bytes of `data` and those that read() gives: head, body, what is left. No head: the end."""
    while b"\r\n\r\n" not in data:
        if not (part := read()):
            return "", b"", b""
        data += part
    head, _, data = data.partition(b"\r\n\r\n")
    head = head.decode()
    if "\r\nTransfer-Encoding: chunked" in head:
        while not data.endswith(b"0\r\n\r\n"):
            data += read()
        return head, re.sub(rb"(?:^|\r\n)[0-9a-f]+\r\n", b"", data.removesuffix(b"\r\n")), b""
    length = int((re.findall(r"\r\nContent-Length: (\d+)", head) or [0])[0])
    while len(data) < length:
        data += read()
    return head, data[:length], data[length:]


class SignIn(TlsOrigin):
    """Stands in for a sign-in host. `seen` holds what was asked: number of the connection, head, body. A request with
    `Expect` is told to go on; the first of a connection that is named in `drops` ends it unanswered."""

    def __init__(self, name=NAME, drops=(), **more):
        self.seen = []
        self.drops = drops
        super().__init__("1.2", "1.3", script=self._converse, name=name, certificate=sign_in_certificate(),
                         alpn=("h2", "http/1.1"), **more)  # fmt: skip

    def _converse(self, peer):
        number = self.connections.index(peer.sock)
        data, asked = b"", 0
        while True:
            head, body, data = message(peer.read, data)
            if not head or (number, asked) in self.drops:
                return
            asked += 1
            self.seen.append((number, head, body))
            peer.write(self.answer(head, body))

    def answer(self, head, body):
        return page(b"%d bytes" % len(body))

    def fields(self, number=0):
        """Those of tenant restrictions that the n-th request had, in order, names in lower case."""
        lines = [line.partition(": ") for line in self.seen[number][1].split("\r\n")[1:]]
        return [(name.lower(), value) for name, _, value in lines if name.lower() in (TENANTS, CONTEXT, POLICY)]


class Browser:
    """A client with TLS of one version over a raw one, that asks for paths."""

    def __init__(self, gateway, raw, name=NAME, version="1.0", context=None):
        self.name = name
        context = context or client_context(version, version, gateway.ca)
        self.peer = TlsPeer(raw.sock, context, name).handshake()
        self.data = b""

    def write(self, data):
        self.peer.write(data if isinstance(data, bytes) else data.encode())

    def ask(self, path="/", fields="", host=None, method="GET", version="1.1", body=b""):
        host = f"Host: {host or self.name}\r\n" if host != "" else ""
        self.write(f"{method} {path} HTTP/{version}\r\n{host}{fields}\r\n".encode() + body)
        return self

    def answer(self, bodiless=False):
        """Head and body of the next response."""
        while b"\r\n\r\n" not in self.data:
            part = self.peer.read()
            check(part, f"the connection ended after {self.data}")
            self.data += part
        head, _, self.data = self.data.partition(b"\r\n\r\n")
        head = head.decode()
        length = int((re.findall(r"\r\nContent-Length: (\d+)", head) or [0])[0])
        while not bodiless and len(self.data) < length:
            self.data += self.peer.read()
        length = 0 if bodiless else length
        body, self.data = self.data[:length], self.data[length:]
        return head, body

    def gets(self, wanted=b"0 bytes", **more):
        head, body = self.ask(**more).answer()
        check_in("HTTP/1.1 200 OK", head, "head")
        check_equal(body, wanted, "body")
        return head

    def close(self):
        self.peer.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def restricting(*origins, settings, **more):
    return Gateway(*origins, settings=settings, upgrades=True, **more)


def browser(gateway, way=CONNECT, name=NAME, **more):
    return Browser(gateway, reach(gateway, way, name), name, **more)


@story
def v1_tells_the_work_hosts_which_tenants_there_are():
    for name in WORK:
        for way in WAYS:
            with SignIn(name) as origin, restricting(origin, settings=V1) as gateway:
                done = curl(gateway, way, name, "1.0", ca=gateway.ca)
                check_equal(done, ("0 bytes", 0), "what curl got")
                record = gateway.record({**UPGRADED, "destination.domain": name, "tlsfloor.upgrade.to": "1.3"})
                check_in("curl/", record["user_agent.original"], "user agent, which was seen inside")
                check_equal(origin.fields(), V1_FIELDS, "fields")
                check_in(f"\r\nHost: {name}\r\n", origin.seen[0][1], "request")
                check_equal(origin.agreed[0].alpn, "http/1.1", "protocol that was agreed on")


@story
def v1_keeps_personal_accounts_out_if_it_is_told_to():
    settings = {**V1, f"{SECTION}.consumer": "block"}
    with SignIn(CONSUMER) as origin, restricting(origin, settings=settings) as gateway:
        with browser(gateway, name=CONSUMER) as client:
            client.gets(fields=OWN)
        gateway.record(UPGRADED)
        check_equal(origin.fields(), [(POLICY, "restrict-msa")], "fields")


@story
def v1_leaves_the_host_of_personal_accounts_alone_otherwise():
    with SignIn(CONSUMER) as origin, restricting(origin, settings=V1) as gateway:
        with browser(gateway, name=CONSUMER) as client:
            client.gets(fields=OWN)
            gateway.record(UPGRADED)
        check_equal(origin.fields(), OWN_FIELDS, "fields")


@story
def v2_has_one_field_for_all_four():
    for name in (*WORK, CONSUMER):
        with SignIn(name) as origin, restricting(origin, settings=V2) as gateway:
            with browser(gateway, name=name) as client:
                client.gets(fields=OWN)
            gateway.record(UPGRADED)
            check_equal(origin.fields(), V2_FIELDS, "fields")


@story
def the_clients_own_copies_are_removed():
    for settings, wanted in ((V1, V1_FIELDS), (V2, V2_FIELDS)):
        with SignIn() as origin, restricting(origin, settings=settings) as gateway:
            with browser(gateway) as client:
                client.gets(fields=OWN)
                client.gets(fields=f"Connection: keep-alive, {TENANTS}, {POLICY}\r\n{OWN}X-Other: stays\r\n")
            gateway.record(UPGRADED)
            for number in range(2):
                check_equal(origin.fields(number), wanted, f"fields of request {number}")
            check_in("\r\nX-Other: stays", origin.seen[1][1], "request")


@story
def a_field_that_is_folded_is_refused():
    with SignIn() as origin, restricting(origin, settings=V1) as gateway:
        with browser(gateway) as client:
            client.ask(fields=f"X: 1\r\n {TENANTS}: {THEIRS}\r\n")
            check_in("HTTP/1.1 400 ", client.answer()[0], "head")
        gateway.record({"event.action": "malformed", "event.code": "request-malformed", "destination.domain": NAME})
        check_equal(origin.seen, [], "requests that the server got")


@story
def without_the_section_nothing_is_read():
    with SignIn() as origin, restricting(origin, settings={}) as gateway:
        with browser(gateway) as client:
            client.gets(fields=OWN, host="other.example")
            gateway.record(UPGRADED)
        check_equal(origin.fields(), OWN_FIELDS, "fields")
        check("\r\nVia: " not in origin.seen[0][1], "the request has been made anew")


@story
def plain_HTTP_is_restricted_too():
    """Both when it is carried on in TLS and, where a rule says so, in plain."""
    url = f"http://{NAME}/"
    plain_rule = {"rule plain.destination": NAME, "rule plain.action": "tunnel"}
    own = [option for line in OWN.split("\r\n")[:-1] for option in ("-H", line)]
    with SignIn() as origin, restricting(origin, settings=V1) as gateway:
        done = run_client("curl", "-sS", "-x", f"http://127.0.0.1:{gateway.proxy}", *own, url, url)
        check_equal(done, ("0 bytes0 bytes", 0), "what curl got")
        for number in range(2):
            gateway.record({"event.code": "plain-upgraded", "tlsfloor.upgrade.from": "plain"})
            check_equal(origin.fields(number), V1_FIELDS, "fields")
    with HttpOrigin(NAME) as origin, restricting(origin, settings={**V2, **plain_rule}) as gateway:
        done = run_client("curl", "-sS", "-x", f"http://127.0.0.1:{gateway.proxy}", *own, url)
        check_equal(done, ("plain page\n", 0), "what curl got")
        check_equal(origin.seen[0][2].get_all(POLICY), [V2_FIELDS[0][1]], "field")
        check_equal(origin.seen[0][2].get_all(TENANTS), None, "field of v1")


@story
def one_session_with_many_requests_is_one_record_and_one_upgrade():
    log = workplace(f"tenants-access-{os.getpid()}.log")
    with SignIn() as origin, restricting(origin, settings={**V1, **WITH_ADMIN, "log.access": log}) as gateway:
        with browser(gateway) as client:
            client.gets(path="/first", fields="User-Agent: Old/1\r\n")
            gateway.record({**UPGRADED, "user_agent.original": "Old/1"})  # not only when the session is over
            for number in range(3):
                client.gets(path=f"/{number}")
        check_equal([number for number, *_ in origin.seen], [0] * 4, "connections to the server")
        check_equal([origin.fields(n) for n in range(4)], [V1_FIELDS] * 4, "fields")

        def lines():
            with open(log, encoding="utf-8") as f:
                return [json.loads(line) for line in f]

        wait_until(lambda: lines(), "the line in the access log")
        check_equal(len(lines()), 1, "lines in the access log")
        check(lines()[0]["source.bytes"] > 4 * 100, f"bytes of all requests in {lines()[0]}")
        check_equal(gateway.metric("tlsfloor_upgrades_total", **{"from": "1.0"}), 1, "upgrades")
        check_equal(gateway.metric("tlsfloor_upgraded_to_total"), 1, "upgrades, by what to")
        check_equal(gateway.metric("tlsfloor_http_requests_total"), 4, "requests")
        check_equal(gateway.metric("tlsfloor_log_written_total"), 1, "lines in the block log")
        check_equal(gateway.metric("tlsfloor_blocked_total"), 0, "blocked")
    os.unlink(log)


@story
def a_session_without_any_request_is_an_upgrade_as_well():
    with SignIn() as origin, restricting(origin, settings={**V1, **WITH_ADMIN}) as gateway:
        browser(gateway).close()
        gateway.record(UPGRADED)
        check_equal(origin.seen, [], "requests")
        check_equal(gateway.metric("tlsfloor_upgrades_total"), 1, "upgrades")


@story
def requests_may_come_all_at_once():
    with SignIn() as origin, restricting(origin, settings=V1) as gateway:
        with browser(gateway) as client:
            client.write("".join(f"GET /{n} HTTP/1.1\r\nHost: {NAME}\r\n{OWN}\r\n" for n in range(20)))
            for _ in range(20):
                check_in("HTTP/1.1 200 OK", client.answer()[0], "head")
        gateway.record(UPGRADED)
        check_equal([head.split()[1] for _, head, _ in origin.seen], [f"/{n}" for n in range(20)], "paths, in order")
        check_equal([origin.fields(n) for n in range(20)], [V1_FIELDS] * 20, "fields")


@story
def bodies_arrive_whole():
    body = bytes(range(256)) * 8192  # 2 MiB
    chunked = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (b"one ", b"two ", b"x" * 5000)) + b"0\r\n\r\n"
    with SignIn() as origin, restricting(origin, settings=V1) as gateway:
        with browser(gateway) as client:
            client.gets(b"%d bytes" % len(body), method="POST", fields=f"Content-Length: {len(body)}\r\n", body=body)
            client.gets(b"5008 bytes", method="POST", fields="Transfer-Encoding: chunked\r\n", body=chunked)
            client.gets()
        gateway.record(UPGRADED)
        check(origin.seen[0][2] == body, "the large body is another one now")
        check_equal(origin.seen[1][2], b"one two " + b"x" * 5000, "the chunked body")
        check_equal([origin.fields(n) for n in range(3)], [V1_FIELDS] * 3, "fields")


@story
def a_client_that_waits_to_be_told_to_go_on_is_told():
    class Patient(SignIn):
        def _converse(self, peer):
            head = b""
            while b"\r\n\r\n" not in head:
                head += peer.read()
            peer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.seen.append((0, head.decode(), peer.read_exactly(4)))
            peer.write(page(b"went on"))

    with Patient() as origin, restricting(origin, settings=V1) as gateway:
        with browser(gateway) as client:
            client.ask(method="POST", fields="Expect: 100-continue\r\nContent-Length: 4\r\n")
            check_in("HTTP/1.1 100 ", client.answer()[0], "head")
            client.write(b"body")
            check_equal(client.answer()[1], b"went on", "body")
        gateway.record(UPGRADED)
        check_equal(origin.seen[0][2], b"body", "body")


@story
def responses_without_a_body_do_not_hold_up_the_next_one():
    class Odd(SignIn):
        def answer(self, head, body):
            method, path, _ = head.split(" ", 2)
            if method == "HEAD":
                return b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"
            return f"HTTP/1.1 {path[1:]} Odd\r\n\r\n".encode() if path != "/" else page(b"end")

    with Odd() as origin, restricting(origin, settings=V2) as gateway:
        with browser(gateway) as client:
            for path in ("/204", "/304"):
                check_in(f"HTTP/1.1 {path[1:]} ", client.ask(path).answer()[0], "head")
            check_in("\r\nContent-Length: 99", client.ask(method="HEAD").answer(bodiless=True)[0], "head")
            client.gets(b"end")
        gateway.record(UPGRADED)
        check_equal(len(origin.seen), 4, "requests")


@story
def what_the_server_says_in_https_is_not_translated():
    fields = (f"Location: https://{NAME}/next", "Set-Cookie: s=1; Secure; SameSite=None",
              "Strict-Transport-Security: max-age=9")  # fmt: skip

    class Redirecting(SignIn):
        def answer(self, head, body):
            return page(b"", *fields, status="302 Found")

    with Redirecting() as origin, restricting(origin, settings=V1) as gateway:
        with browser(gateway) as client:
            head, _ = client.ask(fields=f"Origin: https://{NAME}\r\nUpgrade-Insecure-Requests: 1\r\n").answer()
            for field in fields:
                check_in(f"\r\n{field}\r\n", f"{head}\r\n", "head")
        gateway.record(UPGRADED)
        check_in(f"\r\nOrigin: https://{NAME}\r\nUpgrade-Insecure-Requests: 1\r\n", origin.seen[0][1], "request")


@story
def a_websocket_passes():
    class Switching(SignIn):
        def _converse(self, peer):
            head = b""
            while b"\r\n\r\n" not in head:
                head += peer.read()
            self.seen.append((0, head.decode(), b""))
            peer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
            while data := peer.read():
                peer.write(data[::-1])

    with Switching() as origin, restricting(origin, settings=V1) as gateway:
        with browser(gateway) as client:
            client.ask(fields=f"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n{OWN}")
            check_in("HTTP/1.1 101 ", client.answer()[0], "head")
            gateway.record(UPGRADED)
            client.write(b"\0frame")
            check_equal(client.peer.read_exactly(6), b"emarf\0", "frame")
        check_equal(origin.fields(), V1_FIELDS, "fields")


@story
def another_host_is_misdirected():
    """Also behind a request that was fine: that one is refused on its own, the upgrade stays one."""
    for host in (*LOOK_ALIKES, "outlook.office365.com", "[::1]", ""):
        with SignIn() as origin, restricting(origin, settings={**V1, **WITH_ADMIN}) as gateway:
            with browser(gateway) as client:
                client.gets()
                client.write(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")
                head, body = client.answer()
                check_in("HTTP/1.1 421 Misdirected Request", head, "head")
                check_in(b"another host", body, "page")
            gateway.record(UPGRADED)
            gateway.record({"event.action": "access-denied", "event.code": "misdirected-request",
                            "tls.version": "1.0", "destination.domain": NAME})  # fmt: skip
            check_equal(len(origin.seen), 1, "requests that the server got")
            check_equal(gateway.metric("tlsfloor_upgrades_total"), 1, "upgrades")
            check_equal(gateway.metric("tlsfloor_blocked_total"), 1, "blocked")
            check_equal(gateway.metric("tlsfloor_log_written_total"), 2, "lines in the block log")


@story
def a_tunnel_or_another_scheme_within_is_misdirected():
    requests = (
        f"CONNECT {NAME}:443 HTTP/1.1\r\nHost: {NAME}\r\n\r\n",
        f"GET http://{NAME}/ HTTP/1.1\r\nHost: {NAME}\r\n\r\n",
        f"GET https://{CONSUMER}/ HTTP/1.1\r\nHost: {NAME}\r\n\r\n",
    )
    for request in requests:
        with SignIn() as origin, restricting(origin, settings=V1) as gateway:
            with browser(gateway) as client:
                client.write(request)
                check_in("HTTP/1.1 421 ", client.answer()[0], "head")
            gateway.record({"event.code": "misdirected-request"})
            check_equal(origin.seen, [], "requests that the server got")


@story
def the_host_may_be_spelled_in_many_ways():
    with SignIn() as origin, restricting(origin, settings=V1) as gateway:
        with browser(gateway) as client:
            for host in (NAME.upper(), f"{NAME}.", f"{NAME}:443", f"{NAME}:8443"):
                client.gets(host=host)
            client.gets(path=f"https://{NAME}/absolute")
        gateway.record(UPGRADED)
        for number in range(5):
            check_in(f"\r\nHost: {NAME}\r\n", origin.seen[number][1], "request")
        check_in("GET /absolute HTTP/1.1\r\n", origin.seen[4][1], "request")


@story
def a_client_of_HTTP_1_0_is_served():
    for host in (NAME, ""):
        with SignIn() as origin, restricting(origin, settings=V1) as gateway:
            with browser(gateway) as client:
                client.ask(version="1.0", host=host, fields=OWN)
                data = client.peer.read_all()
                check(data.startswith(b"HTTP/1.1 200 OK\r\n") and data.endswith(b"\r\n\r\n0 bytes"), f"answer: {data}")
            gateway.record(UPGRADED)
            check_equal(origin.fields(), V1_FIELDS, "fields")
            check_in(f"\r\nHost: {NAME}\r\n", origin.seen[0][1], "request")


@story
def a_client_that_speaks_no_HTTP_within_is_refused():
    for text in (b"\x16\3\1\0\5hello", b"\5\1\0 hello", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"EHLO me\r\n\r\n"):
        with SignIn() as origin, restricting(origin, settings={**V1, **WITH_ADMIN}) as gateway:
            with browser(gateway) as client:
                client.write(text)
                check_in("HTTP/1.1 400 Bad Request", client.answer()[0], "head")
            gateway.record({"event.action": "malformed", "event.code": "request-malformed", "tlsfloor.verdict": "block"})
            check_equal(gateway.metric("tlsfloor_upgrades_total"), 0, "upgrades")
            check_equal(gateway.metric("tlsfloor_blocked_total"), 1, "blocked")
            check_equal(origin.seen, [], "requests that the server got")


@story
def both_legs_agree_on_HTTP_1_1():
    for offered, agreed in ((["h2", "http/1.1"], "http/1.1"), (["spdy/3", "http/1.1"], "http/1.1"), (["h2"], None)):
        with SignIn() as origin, restricting(origin, settings=V1) as gateway:
            context = client_context("1.0", "1.0", gateway.ca)
            context.set_alpn_protocols(offered)
            with browser(gateway, context=context) as client:
                check_equal(client.peer.tls.selected_alpn_protocol(), agreed, f"agreed on of {offered}")
                client.gets()
            gateway.record(UPGRADED)
            check_equal(origin.agreed[0].alpn, "http/1.1", "agreed on with the server")


@story
def a_connection_that_the_server_has_closed_is_made_anew():
    """For the next request, or for the same one where that may be sent twice; the client does not notice."""
    for drops in ((), {(0, 1)}):
        with SignIn(drops=drops) as origin, restricting(origin, settings=V1) as gateway:
            with browser(gateway) as client:
                client.gets()
                if not drops:
                    origin.connections[0].shutdown(2)
                    origin.finished(0)
                client.gets(path="/once-more", fields=OWN)
                client.gets()
            gateway.record(UPGRADED)
            check_equal([number for number, *_ in origin.seen], [0, 1, 1], "connections to the server")
            check_equal([origin.fields(n) for n in range(3)], [V1_FIELDS] * 3, "fields")


@story
def a_server_that_fails_later_leaves_the_upgrade_an_upgrade():
    with SignIn(drops={(0, 0), (1, 0)}) as origin, restricting(origin, settings={**V1, **WITH_ADMIN}) as gateway:
        with browser(gateway) as client:
            client.ask(method="POST", fields="Content-Length: 0\r\n")
            check_in("HTTP/1.1 502 ", client.answer()[0], "head")
        gateway.record(UPGRADED)
        check_equal(gateway.metric("tlsfloor_errors_total", reason="upstream-closed"), 1, "errors")
        check_equal(gateway.metric("tlsfloor_upgrades_total"), 1, "upgrades")


@story
def neighbours_and_look_alikes_are_left_alone():
    for name in NEIGHBOURS:
        with SignIn(name) as origin, restricting(origin, settings=V1) as gateway:
            with browser(gateway, name=name) as client:
                client.gets(fields=OWN)
                gateway.record(UPGRADED)
            check_equal(origin.fields(), OWN_FIELDS, f"fields for {name}")
    rule = {"rule alike.destination": ", ".join(LOOK_ALIKES), "rule alike.action": "upgrade"}
    for name in LOOK_ALIKES:
        with SignIn(name) as origin, restricting(origin, settings={**V2, **rule}) as gateway:
            with RawClient(gateway.proxy) as client:
                client.send(f"GET http://{name}/ HTTP/1.1\r\nHost: {name}\r\n{OWN}Connection: close\r\n\r\n".encode())
                check_in(b"200 OK", client.receive_all(), "answer")
            gateway.record({"event.code": "plain-upgraded"})
            check_equal(origin.fields(), OWN_FIELDS, f"fields for {name}")


@story
def a_healthy_client_is_not_touched():
    for version in ("1.2", "1.3"):
        with SignIn() as origin, restricting(origin, settings=V2) as gateway:
            context = client_context(version, version)  # which trusts the server's CA, not the gateway's
            context.set_alpn_protocols(["h2", "http/1.1"])
            with browser(gateway, SNI, context=context) as client:
                check_equal(client.peer.tls.selected_alpn_protocol(), "h2", "agreed on")
                client.gets(fields=OWN)
            check_equal(origin.fields(), OWN_FIELDS, "fields")


@story
def a_healthy_client_whose_TLS_ends_here_anyway_is_restricted():
    settings = {**V1, "listener front.listen": "127.0.0.1:0", "listener front.kind": "forward",
                "listener front.upstream": f"{NAME}:443", "listener front.client_tls": "implicit",
                "rule front.destination": NAME, "rule front.action": "upgrade"}  # fmt: skip
    with SignIn() as origin, restricting(origin, settings=settings) as gateway:
        context = client_context("1.3", "1.3", gateway.ca)
        context.set_alpn_protocols(["h2", "http/1.1"])
        with Browser(gateway, RawClient(gateway.ports["front"]), context=context) as client:
            check_equal(client.peer.tls.selected_alpn_protocol(), "http/1.1", "agreed on")
            client.gets(fields=OWN)
        gateway.record({"event.action": "tls-upgraded", "event.code": "client-terminated"})
        check_equal(origin.fields(), V1_FIELDS, "fields")


@story
def socks_clients_are_restricted():
    settings = {**V2, "listener socks.listen": "127.0.0.1:0", "listener socks.kind": "socks5"}
    with SignIn() as origin, restricting(origin, settings=settings) as gateway:
        with RawClient(gateway.ports["socks"]) as raw:
            raw.send(b"\5\1\0\5\1\0\3" + bytes([len(NAME)]) + NAME.encode() + struct.pack(">H", 443))
            raw.receive(12)
            with Browser(gateway, raw) as client:
                client.gets(fields=OWN)
        gateway.record(UPGRADED)
        check_equal(origin.fields(), V2_FIELDS, "fields")


@story
def a_host_that_is_known_by_its_address_is_restricted_by_its_name():
    rule = {"rule up.destination": NAME, "rule up.action": "upgrade"}
    with SignIn() as origin, restricting(settings={**V1, **rule, "access.port": "1-65535"}) as gateway:
        with RawClient(gateway.proxy).connect(origin.address, origin.port) as raw:
            with Browser(gateway, raw) as client:
                client.gets(fields=OWN)
                origin.connections[0].shutdown(2)
                origin.finished(0)
                client.gets()
        gateway.record(UPGRADED)
        check_equal([origin.fields(n) for n in range(2)], [V1_FIELDS] * 2, "fields")
        check_in(f"\r\nHost: {NAME}:{origin.port}\r\n", origin.seen[1][1], "request")


@story
def who_has_logged_in_to_the_proxy_need_not_do_it_again_within():
    users = users_file(anna=("secret", "anna"))
    with SignIn() as origin, restricting(origin, settings={**V1, "listener proxy.users": users}) as gateway:
        done = curl(gateway, CONNECT, NAME, "1.0", "-U", "anna:secret", f"https://{NAME}/again", ca=gateway.ca)
        check_equal(done, ("0 bytes0 bytes", 0), "what curl got")
        gateway.record({**UPGRADED, "user.name": "anna"})
        check_equal([origin.fields(n) for n in range(2)], [V1_FIELDS] * 2, "fields")


@story
def a_reload_is_for_sessions_that_begin_after_it():
    with SignIn() as origin, restricting(origin, settings=V2) as gateway:
        with browser(gateway) as before:
            before.gets()
            gateway.record(UPGRADED)
            gateway.reload(gateway.ini.replace(OURS, THEIRS))
            with browser(gateway) as after:
                after.gets()
                before.gets()
        gateway.record(UPGRADED)
        wanted = [OURS, THEIRS, OURS]
        check_equal([origin.fields(n) for n in range(3)], [[(POLICY, f"{w}:{POLICY_ID}")] for w in wanted], "fields")


@story
def other_hosts_of_Microsoft_365_are_carried_as_before():
    with OfficeOrigin() as origin, restricting(origin, settings=V2) as gateway:
        done = curl(gateway, CONNECT, origin.name, "1.0", ca=gateway.ca)
        check_in("page over TLSv1.3", done.output, "page")
        gateway.record(UPGRADED)


@story
def a_kept_session_ends_when_the_gateway_stops():
    with SignIn() as origin, restricting(origin, settings=V1) as gateway:
        with browser(gateway) as client:
            client.gets()
            gateway.record(UPGRADED)
            gateway.stop()
            check_equal(client.peer.read(), b"", "after the end")


run_stories()
