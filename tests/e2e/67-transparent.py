"""Clients that know of no proxy: the firewall turns their connections to a transparent listener, by the very lines that
`check` prints."""

import contextlib
import re
import time

from harness import (
    TLS10,
    TLS12,
    Gateway,
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
    has_ipv6,
    in_own_network,
    one_record,
    run_stories,
    skip_unless,
    story,
)
from harness.netns import CLIENT, SERVER_SIDE, Networks, advised_firewall, advised_lines, has_firewall, nft
from harness.origins import OfficeOrigin
from harness.tls import server_context

HAS_NETWORKS = in_own_network()
NAME, OFFICE = "origin.floor.test", "outlook.office365.com"
OFFICE_ADDRESSES = {4: "52.96.0.1", 6: "2603:1006::1"}  # in the endpoint set's own ranges: set 1 on 443, 2 on 587
OTHER_ADDRESSES = {4: "9.9.9.9", 6: "2620:fe::9"}
LISTENER = 3129
REDIRECT, TPROXY = "redirect", "tproxy"
WAYS = [(how, family) for how in (REDIRECT, TPROXY) for family in (4, 6)]
OLD = one_record(client_hello(TLS10))


def of_family(addresses, family):
    """The one of two addresses, without its prefix length."""
    return next(a.split("/")[0] for a in addresses if (":" in a) == (family == 6))


class World:
    """Networks, the gateway with its firewall, and servers that `serve` makes. `settings` on top."""

    def __init__(self, how=REDIRECT, upgrades=False, settings=None):
        skip_unless(HAS_NETWORKS, "network namespace")
        skip_unless(has_firewall(), "nftables with redirect and tproxy in the kernel")
        self.upgrades = upgrades
        self.settings = {
            "listener way.listen": f"*:{LISTENER}",
            "listener way.kind": "transparent",
            "listener way.intercept": how,
            "access.destination": "public",
            "access.port": "443, 80, 587",
            **(settings or {}),
        }

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self.networks = stack.enter_context(Networks(*OFFICE_ADDRESSES.values(), *OTHER_ADDRESSES.values()))
            self.gateway = stack.enter_context(Gateway(settings=self.settings, upgrades=self.upgrades))
            stack.enter_context(advised_firewall(self.gateway))
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *error):
        self.stack.__exit__(*error)

    def serve(self, kind, address, port=443, **more):
        """A server, until the end."""
        with self.networks.servers.inside():
            return self.stack.enter_context(kind(address=address, port=port, **more))

    def client(self, address, port=443):
        with self.networks.clients.inside():
            return RawClient(port, address)

    def record(self, wanted):
        return self.gateway.record({"observer.ingress.interface.name": "way", **wanted})


def both_ways(behaviour):
    """A story for each way of intercepting and each family of addresses."""
    for how, family in WAYS:

        def tale(how=how, family=family):
            skip_unless(family == 4 or has_ipv6(), "IPv6")
            behaviour(how, family)

        tale.__name__ = f"{behaviour.__name__}_by_{how}_over_IPv{family}"
        story(tale)
    return behaviour


@both_ways
def a_modern_client_is_tunnelled_untouched(how, family):
    address = OTHER_ADDRESSES[family]
    with World(how) as world:
        origin = world.serve(TlsOrigin, address)
        for version in ("1.2", "1.3"):
            with world.client(address) as raw:
                peer = TlsPeer(raw.sock, client_context(version, version), NAME).handshake()
                peer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                check_in(f"page over TLSv{version}".encode(), peer.read_all(), "what the client got")
        check_equal(origin.versions, ["TLSv1.2", "TLSv1.3"], "what the server agreed on")


@both_ways
def every_byte_arrives_as_it_was_sent(how, family):
    address = OTHER_ADDRESSES[family]
    hello = one_record(client_hello(TLS12))
    with World(how) as world:
        origin = world.serve(RawOrigin, address)
        with world.client(address) as client:
            client.send(hello)
            client.end()
            client.receive_all()
        check_equal(bytes(origin.finished().received), hello, "what reached the server")


@both_ways
def an_old_client_is_refused_and_the_record_has_its_true_destination(how, family):
    address = OTHER_ADDRESSES[family]
    with World(how) as world:
        origin = world.serve(RawOrigin, address)
        with world.client(address) as client:
            client.send(OLD)
            check_equal(client.receive_all(), alert(70, TLS10), "answer")
        world.record(
            {
                "event.code": "client-below-floor",
                "source.ip": of_family(CLIENT, family),
                "destination.ip": address,
                "destination.port": 443,
                "tls.client.server_name": NAME,
            }
        )
        check_equal(origin.received(), b"", "what reached the server")


@both_ways
def an_old_client_of_Microsoft_365_is_upgraded_for_its_SNI(how, family):
    address = OFFICE_ADDRESSES[family]
    with World(how, upgrades=True) as world:
        origin = world.serve(OfficeOrigin, address)
        with world.client(address) as raw:
            peer = TlsPeer(raw.sock, client_context("1.0", "1.0", world.gateway.ca), OFFICE).handshake()
            check_minted(peer.certificate(), OFFICE)
            peer.close()
        origin.finished()
        check_equal(origin.agreed[0].name, OFFICE, "the name that the server was asked for")
        world.record(
            {
                "event.action": "tls-upgraded",
                "destination.ip": address,
                "tls.client.server_name": OFFICE,
                "tlsfloor.upgrade.from": "1.0",
                "tlsfloor.m365.service_area": "Exchange",
            }
        )


@both_ways
def without_SNI_the_endpoint_sets_ranges_tell_Microsoft_365(how, family):
    rule = {"rule office.destination": "@m365:exchange", "rule office.action": "block"}
    nameless = one_record(client_hello(TLS12, name=None))
    with World(how, settings=rule) as world:
        office, other = OFFICE_ADDRESSES[family], OTHER_ADDRESSES[family]
        origin = world.serve(RawOrigin, other)
        with world.client(office) as client:
            client.send(nameless)
            check_equal(client.receive_all(), alert(49, TLS12), "answer to one that goes to Microsoft 365")
        world.record({"event.code": "rule-block", "destination.ip": office, "tlsfloor.m365.service_area": "Exchange"})
        with world.client(other) as client:
            client.send(nameless)
            client.end()
            client.receive_all()
        check_equal(bytes(origin.finished().received), nameless, "what reached another server")


def serve_mail(connection):
    """SMTP up to STARTTLS, and a page behind it."""
    connection.send(b"220 mail.floor.test\r\n")
    read_line(connection, b"EHLO client\r\n")
    connection.send(b"250-mail.floor.test\r\n250 STARTTLS\r\n")
    read_line(connection, b"STARTTLS\r\n")
    connection.send(b"220 go ahead\r\n")
    peer = TlsPeer(connection, server_context()).handshake()
    peer.write(peer.version().encode())
    peer.close()


def read_line(connection, wanted):
    before = len(connection.received)
    connection.recv_exactly(before + len(wanted))
    check_equal(bytes(connection.received[before:]), wanted, "what the mail server was told")


def start_tls(client):
    check_equal(client.receive_until(b"\n"), b"220 mail.floor.test\r\n", "greeting")
    client.send(b"EHLO client\r\n")
    client.receive_until(b"250 STARTTLS\r\n")
    client.send(b"STARTTLS\r\n")
    check_equal(client.receive_until(b"\n"), b"220 go ahead\r\n", "answer to STARTTLS")


@both_ways
def mail_is_followed_to_its_hello(how, family):
    address = OTHER_ADDRESSES[family]
    with World(how) as world:
        world.serve(RawOrigin, address, 587, script=serve_mail)
        with world.client(address, 587) as raw:
            start_tls(raw)
            peer = TlsPeer(raw.sock, client_context("1.2"), NAME).handshake()
            check_equal(peer.read_all(), b"TLSv1.3", "what was agreed on")
        with world.client(address, 587) as client:
            start_tls(client)
            client.send(OLD)
            check_equal(client.receive_all(), alert(70, TLS10), "answer to an old hello")
        world.record({"event.code": "client-below-floor", "destination.ip": address, "destination.port": 587})


@story
def who_connects_to_the_listener_itself_goes_nowhere():
    for how, family in WAYS:
        if family == 6 and not has_ipv6():
            continue
        with World(how) as world, world.client("10.77.0.1" if family == 4 else "fd77::1", LISTENER) as client:
            client.send(OLD)
            client.receive_all()
            world.record({"event.action": "access-denied", "event.code": "no-original-destination"})


OUTPUT = f"""table inet tlsfloor {{
    chain output {{
        type nat hook output priority -100
        tcp dport {{ 443, 587 }} redirect to :{LISTENER}
    }}
}}"""


def ends_at_once(family, port, hello, threads):
    address = OTHER_ADDRESSES[family]
    with World(settings={"gateway.threads": threads}) as world:
        nft(OUTPUT)
        before, began = world.gateway.cpu_s(), time.monotonic()
        with world.client(address, port) as client:
            client.send(hello)
            check(client.receive_all(), "the client is told")
        source = of_family(SERVER_SIDE, family)
        world.record({"event.code": "destination-self", "source.ip": source, "destination.ip": address})
        check(time.monotonic() - began < 5, "it ends at once")
        check(world.gateway.cpu_s() - before < 1, "it does not spin")


@story
def a_redirect_of_the_gateways_own_connections_ends_at_once():
    """An output chain without the exception for the gateway's own user. One record: it went round once."""
    for family in (4, 6) if has_ipv6() else (4,):
        for threads in ("1", "4"):
            ends_at_once(family, 443, one_record(client_hello(TLS12)), threads)


@story
def and_so_does_that_of_mail_where_servers_speak_first():
    for threads in ("1", "4"):
        ends_at_once(4, 587, b"", threads)


@story
def the_output_chain_that_check_prints_is_one():
    """It is a comment until somebody has a user for the gateway."""
    with World() as world:
        rules, _ = advised_lines(world.gateway)
        chain = re.search(r"^ +# chain output \{\n.*?^ +# \}\n", rules, re.M | re.S)[0]
        chain = re.sub(r"^ +# ", "", chain, flags=re.M).replace("skuid tlsfloor", "skuid 0")
        nft(f"table inet tlsfloor {{\n{chain}}}")


@story
def other_programs_of_the_gateways_machine_are_served():
    """They have its own address, and are turned as well; what the gateway dials for them is another address here."""
    asked, dialled = OTHER_ADDRESSES[4], OFFICE_ADDRESSES[4]
    with World(settings={"upstream.resolve": f"{asked}:443:{dialled}:443"}) as world:
        nft(OUTPUT.replace("tcp dport", f"ip daddr {asked} tcp dport"))
        origin = world.serve(TlsOrigin, dialled)
        for _ in range(3):
            with RawClient(443, asked) as raw:
                TlsPeer(raw.sock, client_context("1.2"), NAME).handshake().close()
        check_equal(len(origin.connections), 3, "connections to the server")


run_stories()
