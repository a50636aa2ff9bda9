"""A person whose browser is blocked for its TLS version sees a page that says so, where a rule wants that."""

import base64
import hashlib
import os
import re
import ssl
import tempfile

from harness import (
    SNI,
    TLS10,
    WAYS,
    Gateway,
    HttpOrigin,
    RawClient,
    TlsOrigin,
    check,
    check_equal,
    check_in,
    check_minted,
    curl,
    openssl_client,
    program,
    run_client,
    run_stories,
    sslv2_hello,
    story,
)
from harness.browser import Browser
from harness.person import GET, IE8, NAME, NOT_SHOWN, PAGE, Stage, browser


def ask(peer, request):
    """Head and page that a request gets; the end must come with a close_notify."""
    peer.handshake()
    peer.write(request)
    head, _, page = peer.read_all().partition(b"\r\n\r\n")
    check(not peer.was_cut, "the page was cut off")
    peer.sock.close()
    return head.decode(), page.decode()


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
