"""Who is no person, or cannot be shown the page for one, gets the alert; and whatever goes wrong on the way to the
page, the refusal is what it was."""

import socket
import ssl

from harness import (
    CONNECT,
    SNI,
    SSL3,
    TLS10,
    TLS11,
    Gateway,
    RawClient,
    RawOrigin,
    TlsPeer,
    alert,
    check_equal,
    check_in,
    client_context,
    client_hello,
    curl,
    one_record,
    reach,
    run_stories,
    story,
)
from harness.person import IE8, NAME, NOT_SHOWN, PAGE, Stage, browser

TOO_LATE = "the request was not whole when [limits] request_s ran out"
CUT = "the client closed the connection before its request was whole"


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


run_stories()
