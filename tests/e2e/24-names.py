"""Names: what is looked up, for how long it holds, and which of several addresses is dialled."""

import contextlib
import socket
import tempfile
import time

from harness import (
    TLS12,
    BlackHole,
    Gateway,
    NameServer,
    RawClient,
    RawOrigin,
    alert,
    check_equal,
    check_in,
    client_hello,
    has_ipv6,
    one_record,
    run_stories,
    skip_unless,
    story,
)

NAME = "looked.up.floor.test"


@contextlib.contextmanager
def on_one_port(*servers):
    """Starts servers, each given as (class, address), on one port: that of the first. It may be taken on another's
    address, and then another first one is tried."""
    with contextlib.ExitStack() as stack:
        while True:
            try:
                started, port = [], 0
                for kind, address in servers:
                    started.append(stack.enter_context(kind(address=address, port=port)))
                    port = started[0].port
                break
            except OSError:
                stack.pop_all().close()
        yield started


def gateway_asking(name_server, **more):
    """One thread, since each has a memory of its own."""
    settings = {"dns.servers": name_server.address, "access.port": "1-65535", "gateway.threads": "1"}
    return Gateway(settings={**settings, **{key.replace("__", "."): value for key, value in more.items()}})


def ask(gateway, port, name=NAME):
    """The head of the answer to CONNECT, and a page if that is one."""
    with RawClient(gateway.proxy) as client:
        client.send(f"CONNECT {name}:{port} HTTP/1.1\r\nHost: {name}:{port}\r\n\r\n".encode())
        head = client.receive_until(b"\r\n\r\n")
        return (head if b" 200 " in head else head + client.receive_all()).decode()


def is_reached(gateway, origin, name=NAME):
    number = len(origin.connections)
    check_in("HTTP/1.1 200 ", ask(gateway, origin.port, name), "answer")
    origin.finished(number)


@story
def a_name_with_ipv4_alone():
    with NameServer({NAME: ["127.0.0.1"]}) as dns, RawOrigin() as origin, gateway_asking(dns) as gateway:
        is_reached(gateway, origin)
        check_equal(sorted(dns.asked), [(NAME, "A"), (NAME, "AAAA")], "questions")


@story
def a_name_with_ipv6_alone():
    skip_unless(has_ipv6(), "IPv6")
    with NameServer({NAME: ["::1"]}) as dns, RawOrigin(address="::1") as origin, gateway_asking(dns) as gateway:
        is_reached(gateway, origin)


@story
def a_name_in_capitals_is_the_same_name():
    with NameServer({NAME: ["127.0.0.1"]}) as dns, RawOrigin() as origin, gateway_asking(dns) as gateway:
        is_reached(gateway, origin)
        is_reached(gateway, origin, NAME.upper())
        check_equal(dns.questions(NAME), 1, "times it was asked")


@story
def ipv6_comes_first():
    skip_unless(has_ipv6(), "IPv6")
    with on_one_port((RawOrigin, "127.0.0.1"), (RawOrigin, "::1")) as (v4, v6):
        with NameServer({NAME: ["127.0.0.1", "::1"]}) as dns, gateway_asking(dns) as gateway:
            is_reached(gateway, v6)
        check_equal(v4.connections, [], "connections by IPv4")


@story
def a_dead_family_does_not_hold_up_the_other():
    skip_unless(has_ipv6(), "IPv6")
    for dead, alive in (("::1", "127.0.0.1"), ("127.0.0.1", "::1")):
        with on_one_port((RawOrigin, alive), (BlackHole, dead)) as (origin, _):
            with NameServer({NAME: [dead, alive]}) as dns, gateway_asking(dns, limits__dial_s=2) as gateway:
                is_reached(gateway, origin)


@story
def questions_that_are_not_answered_in_one_family_do_not_hold_up_the_other():
    with NameServer({NAME: ["127.0.0.1"]}, silent=["AAAA"]) as dns, RawOrigin() as origin:
        with gateway_asking(dns, limits__dial_s=2) as gateway:
            is_reached(gateway, origin)


@story
def an_address_that_refuses_is_followed_by_the_next():
    with on_one_port((RawOrigin, "127.0.0.1"), (RawOrigin, "127.0.0.2")) as (origin, refusing):
        refusing.listener.shutdown(socket.SHUT_RDWR)
        refusing.close()
        for addresses in (["127.0.0.2", "127.0.0.1"], ["127.0.0.1", "127.0.0.2"]):
            with NameServer({NAME: addresses}) as dns, gateway_asking(dns) as gateway:
                is_reached(gateway, origin)


@story
def an_address_that_never_answers_is_followed_by_the_next():
    with on_one_port((RawOrigin, "127.0.0.1"), (BlackHole, "127.0.0.2")) as (origin, _):
        with NameServer({NAME: ["127.0.0.2", "127.0.0.1"]}) as dns, gateway_asking(dns, limits__dial_s=2) as gateway:
            is_reached(gateway, origin)


@story
def an_answer_holds_for_its_ttl_and_no_longer():
    with NameServer({NAME: ["127.0.0.1"]}, ttl=2) as dns, RawOrigin() as origin, gateway_asking(dns) as gateway:
        is_reached(gateway, origin)
        is_reached(gateway, origin)
        check_equal(dns.questions(NAME), 1, "times it was asked within the TTL")
        time.sleep(2.1)
        is_reached(gateway, origin)
        check_equal(dns.questions(NAME), 2, "times it was asked after the TTL")


@story
def an_answer_without_a_ttl_is_asked_for_each_time():
    with NameServer({NAME: ["127.0.0.1"]}, ttl=0) as dns, RawOrigin() as origin, gateway_asking(dns) as gateway:
        for _ in range(3):
            is_reached(gateway, origin)
        check_equal(dns.questions(NAME), 3, "times it was asked")


@story
def a_name_that_does_not_exist_gets_a_page_and_is_remembered():
    with NameServer({}) as dns, gateway_asking(dns) as gateway:
        for _ in range(2):
            page = ask(gateway, 443)
            check_in("HTTP/1.1 502 ", page, "answer")
            check_in("Proxy-Status: tlsfloor; error=dns_error", page, "head")
            check_in("name-not-found", page, "page")
        check_equal(dns.questions(NAME), 1, "times it was asked")


@story
def a_name_server_that_fails_gets_a_page_and_is_asked_again():
    with NameServer({NAME: None}) as dns, RawOrigin() as origin, gateway_asking(dns) as gateway:
        page = ask(gateway, 443)
        check_in("HTTP/1.1 502 ", page, "answer")
        check_in("error=dns_error", page, "head")
        dns.zone[NAME] = ["127.0.0.1"]
        is_reached(gateway, origin)


@story
def a_name_server_that_is_silent_gets_a_page():
    with NameServer({}, silent=["A", "AAAA"]) as dns, gateway_asking(dns, limits__dns_s=0.4) as gateway:
        page = ask(gateway, 443)
        check_in("HTTP/1.1 504 ", page, "answer")
        check_in("error=dns_timeout", page, "head")
        check_in("name-timeout", page, "page")


@story
def tls_that_comes_straight_in_gets_an_alert_for_a_name_that_does_not_exist():
    with NameServer({}) as dns, gateway_asking(dns) as gateway, RawClient(gateway.straight) as client:
        client.send(one_record(client_hello(TLS12, NAME)))
        check_equal(client.receive_all(), alert(80, TLS12), "answer")
        check_in((NAME, "A"), dns.asked, "questions")


@story
def the_hosts_file_comes_first():
    with tempfile.NamedTemporaryFile("w") as hosts, NameServer({NAME: ["127.0.0.2"]}) as dns, RawOrigin() as origin:
        hosts.write(f"127.0.0.1 {NAME}\n")
        hosts.flush()
        gateway = gateway_asking(dns)
        gateway.environment["CARES_HOSTS"] = hosts.name
        with gateway:
            is_reached(gateway, origin)
            is_reached(gateway, origin, "localhost")
        check_equal(dns.asked, [], "questions")


@story
def of_open_and_closed_addresses_only_the_open_ones_are_dialled():
    with on_one_port((RawOrigin, "127.0.0.1"), (RawOrigin, "127.0.0.2")) as (origin, closed):
        for addresses in (["127.0.0.2", "127.0.0.1"], ["127.0.0.1", "127.0.0.2"]):
            with NameServer({NAME: addresses}) as dns:
                with gateway_asking(dns, access__destination="127.0.0.1") as gateway:
                    is_reached(gateway, origin)
        check_equal(closed.connections, [], "connections to the closed address")


@story
def a_name_that_comes_to_mean_a_closed_address_is_refused():
    with on_one_port((RawOrigin, "127.0.0.1"), (RawOrigin, "127.0.0.2")) as (origin, closed):
        with NameServer({NAME: ["127.0.0.1"]}, ttl=0) as dns:
            with gateway_asking(dns, access__destination="127.0.0.1") as gateway:
                is_reached(gateway, origin)
                dns.zone[NAME] = ["127.0.0.2"]
                check_in("HTTP/1.1 403 ", ask(gateway, origin.port), "answer")
                gateway.record(
                    {"event.code": "destination-denied", "destination.domain": NAME, "destination.ip": "127.0.0.2"}
                )
        check_equal(closed.connections, [], "connections to the closed address")


@story
def a_name_cannot_lead_to_the_gateway_itself():
    with NameServer({NAME: ["127.0.0.1"]}) as dns, gateway_asking(dns) as gateway:
        for port in (gateway.proxy, gateway.straight):
            check_in("HTTP/1.1 403 ", ask(gateway, port), "answer")
            gateway.record({"event.code": "destination-self", "destination.domain": NAME})


run_stories()
