"""A person whose browser is blocked for its TLS version sees a page that says so, where a rule wants that; and whatever
goes wrong on the way, the refusal is what it was."""

import base64
import hashlib
import os
import re
import socket
import ssl
import tempfile

from harness import (
    CONNECT,
    SNI,
    SSL3,
    TLS10,
    TLS11,
    WAYS,
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
    check_minted,
    client_context,
    client_hello,
    curl,
    one_record,
    openssl_client,
    program,
    reach,
    run_client,
    run_stories,
    sslv2_hello,
    story,
)
from harness.browser import Browser

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
TOO_LATE = "the request was not whole when [limits] request_s ran out"
CUT = "the client closed the connection before its request was whole"


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


def ask(peer, request):
    """Head and page that a request gets; the end must come with a close_notify."""
    peer.handshake()
    peer.write(request)
    head, _, page = peer.read_all().partition(b"\r\n\r\n")
    check(not peer.was_cut, "the page was cut off")
    peer.sock.close()
    return head.decode(), page.decode()


GET = f"GET /mail?token=secret HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode()


@story
def a_browser_below_the_floor_is_shown_a_page_by_either_way():
    for way in WAYS:
        for version in ("1.0", "1.1"):
            with Stage() as stage:
                head, page = ask(browser(stage.gateway, way, version=version), GET)
                check_in("HTTP/1.1 403 Forbidden\r\n", head, "head")
                check_in(f"asked for <b>{NAME}</b> with <b>TLS {version}</b>", page, "page")
                check_in("lets only <b>TLS 1.2</b> and later pass", page, "page")
                stage.shown({"tlsfloor.max_version": version, "tls.version": version})
                stage.blocked(1)


@story
def curl_that_poses_as_internet_explorer_is_shown_it():
    for way in WAYS:
        agent = ["-A", IE8, "--proxy-header", f"User-Agent: {IE8}", "-i"]
        with Stage() as stage:
            done = curl(stage.gateway, way, NAME, "1.0", *agent, ca=stage.gateway.ca)
            check_equal(done.status, 0, f"curl's exit status, which says {done.output}")
            check_in("HTTP/1.1 403 Forbidden", done.output, "status")
            check_in("This is perhaps a current program", done.output, "what it takes the client for, by its hello")
            stage.shown({"user_agent.original": IE8})


@story
def openssl_that_offers_HTTP_by_ALPN_is_shown_it():
    for way in WAYS:
        with Stage() as stage:
            done = openssl_client(stage.gateway, way, NAME, "1.0", "-alpn", "http/1.1", ca=stage.gateway.ca)
            check_in("The encryption of this browser is out of date", done.output, "page")
            check_minted(done.output, NAME)
            stage.shown()


@story
def the_page_says_whom_to_ask_and_how_to_find_the_record():
    with Stage() as stage:
        head, page = ask(browser(stage.gateway), GET)
        record = stage.shown({"source.ip": "127.0.0.1"})
        check_in("<p>J&#252;rgen Gro&#223;, extension 4711</p>", page, "contact")
        link = "https://intranet.example/browsers?from=gateway&#38;lang=de"
        check_in(f'<a href="{link}">{link}</a>', page, "link")
        check_in("all computers of ours need a &#60;current&#62; browser.", page, "text")
        check_in(f"<dd>{record['@timestamp']}</dd>", page, "time")
        check_in(f"<dd>127.0.0.1:{record['source.port']}</dd>", page, "source")
        check_in("<dd>client-below-floor</dd>", page, "code")
        check_in("<dd>desktop team</dd>", page, "owner")
        check("secret" not in page, "the page repeats what was asked for")
        for field in ("Connection: close", "Cache-Control: no-store", "X-Content-Type-Options: nosniff",
                      f"Content-Length: {len(page)}"):  # fmt: skip
            check_in(f"\r\n{field}", head, "head")


@story
def the_security_policy_permits_the_pages_own_style_and_nothing_else():
    with Stage() as stage:
        head, page = ask(browser(stage.gateway), GET)
        stage.shown()
    style = re.search(r"<style[^>]*>(.*?)</style>", page, re.S)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    check_in(f"Content-Security-Policy: default-src 'none'; style-src 'sha256-{digest}';", head, "policy")
    check("<script" not in page and "src=" not in page and "url(" not in page, "the page loads something")


@story
def HEAD_gets_the_head_alone_and_other_methods_the_page():
    with Stage() as stage:
        head, page = ask(browser(stage.gateway), GET.replace(b"GET", b"HEAD"))
        check_in("HTTP/1.1 403 Forbidden", head, "head")
        check(int(re.search(r"Content-Length: (\d+)", head)[1]) > 1000, "the length is that of the page")
        check_equal(page, "", "body")
        stage.shown()
        for method in (b"PUT", b"OPTIONS", b"PROPFIND"):
            head, page = ask(browser(stage.gateway), GET.replace(b"GET", method))
            check_in("HTTP/1.1 403 Forbidden", head, "head")
            check_in("</html>", page, "body")
            stage.shown()
        stage.blocked(4)


@story
def the_body_of_a_POST_is_not_waited_for():
    fields = b"Content-Length: 1000000\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\nname=value"
    with Stage() as stage:
        head, page = ask(browser(stage.gateway), b"POST /login HTTP/1.1\r\nHost: a\r\n" + fields)
        check_in("403", head, "head")
        check_in("</html>", page, "body")
        stage.shown()


@story
def a_request_that_comes_byte_by_byte_is_heard():
    with Stage() as stage:
        peer = browser(stage.gateway).handshake()
        for byte in GET:
            peer.write(bytes([byte]))
        check_in(b"HTTP/1.1 403", peer.read_all(), "answer")
        peer.sock.close()
        stage.shown()


@story
def the_user_agent_within_says_who_it_is_where_none_was_seen_before():
    with Stage() as stage:
        safari = "Mozilla/5.0 (Linux; U; Android 2.3.6; de-de) AppleWebKit/533.1 Version/4.0 Mobile Safari/533.1"
        request = GET.replace(b"\r\n\r\n", f"\r\nUser-Agent: {safari}\r\n\r\n".encode())
        ask(browser(stage.gateway, SNI), request)
        stage.shown({"user_agent.original": safari})


@story
def an_SSLv2_hello_that_announces_TLS_1_0_is_met_with_a_handshake():
    with Stage() as stage:
        raw = RawClient(stage.gateway.proxy)
        raw.send(f"CONNECT {NAME}:443 HTTP/1.1\r\nHost: a\r\nUser-Agent: {IE8}\r\n\r\n".encode())
        raw.receive_until(b"\r\n\r\n")
        raw.send(sslv2_hello(TLS10))
        check_equal(raw.receive(3), b"\x16\x03\x01", "the first bytes of the answer, a handshake of TLS 1.0")
        raw.close()
        stage.gateway.record({**NOT_SHOWN, "event.code": "client-sslv2-hello"})


@story
def a_rule_that_blocks_shows_it_to_who_is_below_the_floor_only():
    with Stage({"rule people.action": "block"}) as stage:
        _, page = ask(browser(stage.gateway), GET)
        check_in("</html>", page, "page")
        stage.shown()
        try:
            browser(stage.gateway, version="1.2").handshake()
        except ssl.SSLError as error:
            check_in("ALERT", str(error).upper(), "what the healthy client got")
        else:
            check(False, "a healthy client was let in")
        stage.gateway.record({"event.code": "rule-block", "tlsfloor.page": None})


@story
def with_a_higher_floor_TLS_1_2_is_shown_it_too():
    with Stage({"floor.minimum": "1.3"}) as stage:
        _, page = ask(browser(stage.gateway, version="1.2"), GET)
        check_in("with <b>TLS 1.2</b>, which is too old", page, "page")
        check_in("lets only <b>TLS 1.3</b> pass", page, "page")
        stage.shown({"tlsfloor.max_version": "1.2"})


def gets_the_alert(settings=None, way=CONNECT, agent=IE8, hello=None, answer=None, record=None, name=NAME):
    """A hello is answered with an alert and nothing else."""
    with Stage(settings) as stage:
        raw = RawClient(stage.gateway.proxy if way == CONNECT else stage.gateway.straight)
        if way == CONNECT:
            raw.send(f"CONNECT {name}:443 HTTP/1.1\r\nHost: a\r\nUser-Agent: {agent}\r\n\r\n".encode())
            raw.receive_until(b"\r\n\r\n")
        raw.send(hello or one_record(client_hello(TLS10, name)))
        check_equal(raw.receive_all(), answer or alert(70, TLS10), "what the client gets")
        raw.close()
        got = stage.gateway.record({"event.action": "tls-version-blocked", "tlsfloor.page": None, **(record or {})})
        stage.blocked(1)
        return got


@story
def who_is_no_browser_gets_the_alert():
    for agent in ("curl/7.88.1", "Java/1.6.0_45", "Microsoft Office/14.0", "CERN-LineMode/2.15"):
        gets_the_alert(agent=agent, record=NOT_SHOWN)
    gets_the_alert(way=SNI, record=NOT_SHOWN)
    with Stage() as stage:
        agents = ["-A", IE8, "--proxy-header", "User-Agent: ours"]
        done = curl(stage.gateway, CONNECT, NAME, "1.0", *agents, ca=stage.gateway.ca)
        check_in("alert protocol version", done.output, "what curl says")
        stage.refused()


@story
def without_a_rule_that_wants_it_everybody_gets_the_alert():
    gets_the_alert({"rule people.page": "off", "page.text": None, "page.contact": None, "page.link": None})
    gets_the_alert({"rule people.source": "10.0.0.0/8"}, record={"rule.name": None})


@story
def SSL_3_0_gets_its_alert():
    hello = one_record(client_hello(SSL3, NAME), SSL3)
    gets_the_alert(hello=hello, answer=alert(40, SSL3), record={**NOT_SHOWN, "tlsfloor.max_version": "ssl3"})


@story
def a_client_without_a_suite_in_common_gets_the_alert():
    hello = one_record(client_hello(TLS10, NAME, suites=(0x0004, 0x0005, 0x000A)))
    gets_the_alert(hello=hello, record=NOT_SHOWN)


@story
def a_fallback_hello_gets_the_alert():
    hello = one_record(client_hello(TLS11, NAME, suites=(0x5600, 0x002F)))
    gets_the_alert(hello=hello, answer=alert(70, TLS11), record=NOT_SHOWN)


@story
def a_hello_that_names_another_host_gets_the_alert():
    gets_the_alert(hello=one_record(client_hello(TLS10, "other.floor.test")), record=NOT_SHOWN)


@story
def a_host_that_is_never_terminated_gets_the_alert():
    gets_the_alert({"m365.never_terminate": "*.floor.test"}, record=NOT_SHOWN)


@story
def an_address_without_a_name_gets_the_alert():
    settings = {"rule people.destination": "*", "access.port": "1-65535"}
    with Stage(settings) as stage:
        raw = RawClient(stage.gateway.proxy)
        raw.send(f"CONNECT 127.0.0.1:{stage.origin.port} HTTP/1.1\r\nHost: a\r\nUser-Agent: {IE8}\r\n\r\n".encode())
        raw.receive_until(b"\r\n\r\n")
        raw.send(one_record(client_hello(TLS10, None)))
        check_equal(raw.receive_all(), alert(70, TLS10), "what the client gets")
        raw.close()
        stage.gateway.record({"event.code": "client-below-floor", "tlsfloor.page": None})


@story
def a_name_that_the_CA_may_not_vouch_for_gets_the_alert():
    name = "www.elsewhere.test"
    with RawOrigin(name=name) as other:
        where = f"{name}:443:{other.address}:{other.port}"
        settings = {"rule people.destination": "*.elsewhere.test", "upstream.resolve": where}
        record = gets_the_alert(settings, name=name, record={"event.code": "client-below-floor", "rule.name": "people"})
        check_in("no page could be shown: ", record["tlsfloor.detail"], "detail")
        check_in("the gateway's CA", record["tlsfloor.detail"], "detail")
        check_equal(other.received(), b"", "what reached the server")


@story
def in_monitor_mode_nobody_is_blocked_or_shown_anything():
    with RawOrigin(lambda c: c.recv_hello()) as origin:
        settings = {**PAGE, "floor.mode": "monitor"}
        with Gateway(origin, settings=settings, upgrades=True) as gateway:
            peer = browser(gateway)
            try:
                peer.handshake()
            except (ssl.SSLError, OSError):
                pass
            gateway.record({"event.action": "tls-version-would-block", "tlsfloor.page": None})


@story
def a_browser_that_distrusts_the_CA_is_one_refusal():
    with Stage() as stage:
        peer = browser(stage.gateway)
        distrusting = TlsPeer(peer.sock, client_context("1.0", "1.0"), NAME)
        try:
            distrusting.handshake()
        except ssl.SSLError as error:
            check_in("CERTIFICATE_VERIFY_FAILED", str(error), "what the browser says")
        peer.sock.close()
        stage.refused("the client sent the alert unknown CA (48)")
        stage.blocked(1)


@story
def a_client_that_leaves_in_its_handshake_is_one_refusal():
    with Stage() as stage:
        with reach(stage.gateway, SNI) as raw:
            context = client_context("1.0", "1.0", stage.gateway.ca)
            context.set_alpn_protocols(["http/1.1"])
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            tls = context.wrap_bio(incoming, outgoing, server_hostname=NAME)
            try:
                tls.do_handshake()
            except ssl.SSLWantReadError:
                raw.send(outgoing.read())
            raw.receive(5)
        stage.refused("the client closed the connection in the handshake")
        stage.blocked(1)


def says(stage, text, cause):
    """What a browser says once its handshake is over is no request: the connection ends, and that is all."""
    peer = browser(stage.gateway).handshake()
    peer.write(text)
    check_equal(peer.read_all(), b"", "answer")
    peer.sock.close()
    stage.refused(cause)


@story
def what_is_no_request_is_not_answered():
    with Stage() as stage:
        says(stage, b"EHLO client\r\n\r\n", "the request line is malformed, or neither of HTTP/1.0 nor of HTTP/1.1")
        says(stage, b"\x00\x01\x02\x03\r\n\r\n", "the HTTP request is malformed")
        says(stage, b"GET / HTTP/1.1\nHost: a\n\n", "the HTTP request is malformed")
        stage.blocked(3)


@story
def a_head_that_is_too_long_is_not_answered():
    with Stage({"limits.head_bytes": "4096"}) as stage:
        says(stage, b"GET / HTTP/1.1\r\nX: " + b"x" * 8000, "the request head is larger than [limits] head_bytes")


@story
def a_head_that_does_not_come_is_given_up():
    with Stage({"limits.request_s": "0.3"}) as stage:
        says(stage, b"GET / HTTP/1.1\r\nHost: ", TOO_LATE)
        peer = browser(stage.gateway).handshake()
        check_equal(peer.read_all(), b"", "answer to nothing")
        peer.sock.close()
        stage.refused(TOO_LATE)
        stage.blocked(2)


@story
def a_browser_that_closes_without_a_request_is_one_refusal():
    with Stage() as stage:
        peer = browser(stage.gateway).handshake()
        peer.close()
        stage.refused(CUT)
        peer = browser(stage.gateway).handshake()
        peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        peer.sock.close()
        stage.refused(CUT)
        stage.blocked(2)


@story
def the_connection_to_the_server_is_given_up_before_the_page():
    with Stage() as stage:
        peer = browser(stage.gateway).handshake()
        stage.origin.finished(0)
        peer.write(GET)
        check_in(b"403", peer.read_all(), "answer")
        peer.sock.close()
        stage.shown()


@story
def healthy_clients_pass_untouched_by_such_a_rule():
    with TlsOrigin() as origin, Gateway(origin, settings=PAGE, upgrades=True) as gateway:
        for way in WAYS:
            done = curl(gateway, way, origin.name, "1.2", "-A", IE8)
            check_in("page over TLSv1.2", done.output, "page")


@story
def a_plain_request_that_is_blocked_has_the_words_on_its_page():
    with HttpOrigin() as origin:
        settings = {**PAGE, "rule people.action": "block"}
        with Gateway(origin, settings=settings, upgrades=True) as gateway:
            done = run_client("curl", "-sS", "-x", f"http://127.0.0.1:{gateway.proxy}", f"http://{origin.name}/")
            check_in("<dd>J&#252;rgen Gro&#223;, extension 4711</dd>", done.output, "contact")
            gateway.record({"event.code": "rule-block", "tlsfloor.page": None})


@story
def commands_tell_of_it():
    with tempfile.TemporaryDirectory() as directory:
        file = os.path.join(directory, "t.ini")
        lines = ("[listener proxy]\nlisten = 127.0.0.1:0\n[rule people]\ndestination = *.corp.test\n"
                 f"action = tunnel\npage = on\n[ca]\ndirectory = {directory}/ca\n")  # fmt: skip
        with open(file, "w", encoding="utf-8") as f:
            f.write(lines)
        done = run_client(program(), "ca", "init", "-c", file)
        check_equal(done.status, 0, f"exit code of ca init, which says {done.output}")
        check_in("corp.test", run_client(program(), "ca", "show", "-c", file).output, "what the CA may vouch for")
        where = ["explain", "-c", file, "--client", "10.1.1.1", "--dest", "a.corp.test:443"]
        told = run_client(program(), *where).output
        check_in("TLS 1.0      block: ", told, "explain")
        check_in("; a person's browser is shown a page\n", told, "explain")
        check_in("certificate  for a.corp.test ", told, "explain")
        check_equal(told.count("shown a page"), 1, "versions that it is told for")
        with open(file, "w", encoding="utf-8") as f:
            f.write(lines.replace("*.corp.test", "*.other.test"))
        done = run_client(program(), "check", "-c", file)
        check_in(":3: warning: [rule people] shows a page for *.other.test, which the CA in ", done.output, "check")


@story
def it_reads_well_on_a_phone_and_on_a_desk():
    with Stage() as stage:
        _, page = ask(browser(stage.gateway), GET)
        stage.shown()
    with tempfile.TemporaryDirectory() as directory, Browser() as chromium:
        file = os.path.join(directory, "page.html")
        with open(file, "w", encoding="utf-8") as f:
            f.write(page)
        for width in (360, 1280):
            chromium.window(width, 800)
            chromium.open(f"file://{file}")
            chromium.wait("document.readyState === 'complete' && document.links.length === 1")
            check(chromium.value("document.documentElement.scrollWidth") <= width, f"wider than {width} pixels")
            if "SCREENSHOTS" in os.environ:
                chromium.screenshot(os.path.join(os.environ["SCREENSHOTS"], f"page-{width}.png"))
        check_equal(chromium.problems, [], "problems")


run_stories()
