"""What an upgraded client says of itself inside its TLS stands in the record, and nobody waits for that."""

from harness import (
    CONNECT,
    SNI,
    Gateway,
    OfficeOrigin,
    TlsPeer,
    check,
    check_equal,
    client_context,
    curl,
    reach,
    run_stories,
    story,
)

OFFICE = "outlook.office365.com"
JAVA = "Java/1.7.0_25"
UPGRADED = {"event.action": "tls-upgraded"}


def peer_of(gateway):
    """A TLS 1.0 client that came straight in, with its handshake over and nothing said."""
    raw = reach(gateway, SNI, OFFICE)
    return TlsPeer(raw.sock, client_context("1.0", "1.0", gateway.ca), OFFICE).handshake()


def echo(peer):
    while data := peer.read():
        peer.write(data)


def is_echoed(peer, words):
    peer.write(words)
    check_equal(peer.read_exactly(len(words)), words, "the echo")


@story
def the_agent_of_the_first_request_within_is_in_the_record():
    with OfficeOrigin(alpn=()) as origin, Gateway(origin, upgrades=True) as gateway:
        check_equal(curl(gateway, SNI, OFFICE, "1.0", "-A", JAVA, "--cacert", gateway.ca).status, 0, "curl's status")
        gateway.record({**UPGRADED, "user_agent.original": JAVA})


@story
def what_the_connect_has_said_counts_first():
    with OfficeOrigin(alpn=()) as origin, Gateway(origin, upgrades=True) as gateway:
        options = ["-A", JAVA, "--proxy-header", "User-Agent: outer", "--cacert", gateway.ca]
        check_equal(curl(gateway, CONNECT, OFFICE, "1.0", *options).status, 0, "curl's status")
        gateway.record({**UPGRADED, "user_agent.original": "outer"})


@story
def what_is_no_request_flows_on_and_is_no_agent():
    with OfficeOrigin(script=echo) as origin, Gateway(origin, upgrades=True) as gateway:
        is_echoed(peer_of(gateway), b"\x01\x02 hello")
        check("user_agent.original" not in gateway.record(UPGRADED), "an agent was made up")


@story
def half_a_request_is_not_held_back():
    with OfficeOrigin(script=echo) as origin, Gateway(origin, upgrades=True) as gateway:
        is_echoed(peer_of(gateway), b"GET / HTTP/1.1\r\nUser-Ag")
        gateway.record(UPGRADED)


@story
def a_server_that_speaks_first_is_heard_at_once():
    greeting = b"* OK ready\r\n"

    def greet(peer):
        peer.write(greeting)
        echo(peer)

    with OfficeOrigin(script=greet) as origin, Gateway(origin, upgrades=True) as gateway:
        peer = peer_of(gateway)
        check_equal(peer.read_exactly(len(greeting)), greeting, "the greeting")
        gateway.record(UPGRADED)
        is_echoed(peer, b"a1 NOOP\r\n")


@story
def a_client_that_says_nothing_is_logged_when_the_time_is_over():
    with OfficeOrigin(script=echo) as origin:
        with Gateway(origin, upgrades=True, settings={"limits.overhear_s": "0.3"}) as gateway:
            peer = peer_of(gateway)
            gateway.record(UPGRADED)
            is_echoed(peer, b"late")


@story
def a_client_that_leaves_without_a_word_is_logged():
    with OfficeOrigin(script=echo) as origin, Gateway(origin, upgrades=True) as gateway:
        peer_of(gateway).close()
        gateway.record(UPGRADED)


run_stories()
