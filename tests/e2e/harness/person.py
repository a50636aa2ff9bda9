"""A rule that shows its blocked clients a page, and a browser that may be shown it."""

from .clients import CONNECT, SNI, RawClient
from .gateway import Gateway
from .origins import RawOrigin
from .story import check_equal, check_in
from .tls import TlsPeer, client_context

NAME = "origin.floor.test"
IE8 = "Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; Trident/4.0)"
PAGE = {
    "rule people.destination": "*.floor.test",
    "rule people.action": "tunnel",
    "rule people.page": "on",
    "rule people.owner": "desktop team",
    "page.text": "Since March all computers of ours need a <current> browser.",
    "page.contact": "Jürgen Groß, extension 4711",
    "page.link": "https://intranet.example/browsers?from=gateway&lang=de",
}
ADMIN = {"admin.listen": "127.0.0.1:0"}
BLOCKED = {
    "event.action": "tls-version-blocked",
    "event.code": "client-below-floor",
    "rule.name": "people",
    "destination.domain": NAME,
    "tlsfloor.verdict": "block",
    "tlsfloor.step": "decide",
}
SHOWN = {**BLOCKED, "tlsfloor.page": True}
NOT_SHOWN = {**BLOCKED, "tlsfloor.page": None}
GET = f"GET /mail?token=secret HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode()


class Stage:
    """An origin that must never hear of the client, and a gateway with the rule in front of it."""

    def __init__(self, settings=None, **more):
        self.origin = RawOrigin()
        self.gateway = Gateway(self.origin, settings={**PAGE, **ADMIN, **(settings or {})}, upgrades=True, **more)

    def __enter__(self):
        self.gateway.__enter__()
        return self

    def __exit__(self, kind, *rest):
        self.gateway.__exit__(kind, *rest)
        if kind is None:
            check_equal(self.origin.received(), b"", "what reached the server")
        self.origin.close()

    def shown(self, wanted=None):
        """One record, of a blocked session that was shown a page."""
        return self.gateway.record({**SHOWN, **(wanted or {})})

    def refused(self, cause=None):
        """One record, of a blocked session that was not, which `cause` explains where the page was begun with."""
        record = self.gateway.record(NOT_SHOWN)
        check_equal(record.get("tlsfloor.detail"), cause and f"no page could be shown: {cause}", "detail")

    def blocked(self, count):
        check_equal(self.gateway.metric("tlsfloor_blocked_total"), count, "tlsfloor_blocked_total")
        check_equal(self.gateway.metric("tlsfloor_upgrades_total"), 0, "tlsfloor_upgrades_total")


def browser(gateway, way=CONNECT, name=NAME, version="1.0", agent=IE8, alpn=("http/1.1",)):
    """A handshake of a browser, one that says who it is in its CONNECT."""
    if way == SNI:
        raw = RawClient(gateway.straight)
    else:
        raw = RawClient(gateway.proxy)
        raw.send(f"CONNECT {name}:443 HTTP/1.1\r\nHost: {name}:443\r\nUser-Agent: {agent}\r\n\r\n".encode())
        check_in(b"200", raw.receive_until(b"\r\n\r\n"), "answer to the CONNECT")
    context = client_context(version, version, gateway.ca)
    if alpn:
        context.set_alpn_protocols(alpn)
    return TlsPeer(raw.sock, context, name)
