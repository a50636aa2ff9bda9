"""A stand-in for the sign-in hosts of Microsoft, and a client that asks them something inside TLS; for tenant
restrictions."""

import functools
import os
import re

from .clients import CONNECT, reach
from .gateway import Gateway
from .https import page
from .origins import TlsOrigin
from .pki import ca_file, make_signed, workplace
from .story import check, check_equal, check_in
from .tls import TlsPeer, client_context

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
    """Stands in for a sign-in host. `seen` holds what was asked: number of the connection, head, body. `drops`: requests
    that end their connection instead of being answered, as numbers of the connection and of the request on it."""

    def __init__(self, name=NAME, drops=(), **more):
        self.seen = []
        self.drops = drops
        super().__init__("1.2", "1.3", script=self._converse, name=name, certificate=sign_in_certificate(),
                         alpn=("spdy/3", "h2", "http/1.1"), **more)  # fmt: skip

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
