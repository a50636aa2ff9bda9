"""The gateway is not an open door: sources, ports and destinations are closed unless they are opened, whatever the
spelling, and the address that was checked is the one that is dialled."""

import subprocess
import tempfile

from harness import (
    Gateway,
    RawClient,
    RawOrigin,
    TLS12,
    check,
    check_equal,
    check_in,
    clean_environment,
    client_hello,
    one_record,
    program,
    run_stories,
    story,
)


def refused_connect(gateway, authority):
    with RawClient(gateway.proxy) as client:
        client.send(f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n".encode())
        return client.receive_all().decode()


@story
def loopback_private_and_metadata_addresses_are_closed_whatever_the_spelling():
    with Gateway(settings={"access.destination": "public"}) as gateway:
        for host in (
            "127.0.0.1", "127.1", "0x7f.1", "2130706433", "0177.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]",
            "10.0.0.1", "192.168.1.1", "172.16.0.1", "169.254.169.254", "[fe80::1]", "[fd00:ec2::254]", "100.64.0.1",
            "0.0.0.0", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[2001:0:1::]", "192.0.2.1", "198.18.0.1", "[::]",
        ):  # fmt: skip
            page = refused_connect(gateway, f"{host}:443")
            check_in("HTTP/1.1 403 ", page, f"answer for {host}")
            gateway.record({"event.action": "access-denied", "event.code": "destination-denied"})


@story
def what_is_no_host_is_a_bad_request():
    with Gateway() as gateway:
        for authority in ("a..b:443", "-x-:443", "256.256.256.256:443", "[::1:443", "host:0", "host:65536", "a b:443"):
            check_in("HTTP/1.1 400 ", refused_connect(gateway, authority), f"answer for {authority!r}")
            gateway.record()


@story
def a_name_that_leads_to_a_closed_address_is_closed():
    with RawOrigin() as origin, Gateway(origin, settings={"access.destination": "public"}) as gateway:
        check_in("HTTP/1.1 403 ", refused_connect(gateway, "origin.floor.test:443"), "answer by CONNECT")
        gateway.record({"event.code": "destination-denied", "destination.domain": "origin.floor.test"})
        with RawClient(gateway.straight) as client:
            client.send(one_record(client_hello(TLS12)))
            check_equal(client.receive_all()[:1], b"\x15", "an alert for TLS that comes straight in")
        gateway.record({"event.code": "destination-denied", "destination.domain": "origin.floor.test"})
        check_equal(len(origin.connections), 0, "connections to the server")


@story
def a_port_that_is_not_listed_is_closed():
    with RawOrigin() as origin, Gateway(origin) as gateway:
        page = refused_connect(gateway, "origin.floor.test:22")
        check_in("HTTP/1.1 403 ", page, "answer")
        check_in("port-denied", page, "page")
        gateway.record({"event.code": "port-denied", "destination.port": 22})


@story
def a_source_that_is_not_listed_is_refused():
    with RawOrigin() as origin, Gateway(origin, settings={"access.source": "192.0.2.0/24"}) as gateway:
        check_in("HTTP/1.1 403 ", refused_connect(gateway, "origin.floor.test:443"), "answer")
        gateway.record({"event.code": "source-denied", "source.ip": "127.0.0.1"})


@story
def the_gateways_own_listeners_are_never_a_destination():
    with Gateway(settings={"access.port": "1-65535"}) as gateway:
        for port in (gateway.proxy, gateway.straight):
            check_in("HTTP/1.1 403 ", refused_connect(gateway, f"127.0.0.1:{port}"), "answer")
            gateway.record({"event.code": "destination-self"})


@story
def it_refuses_to_start_as_an_open_proxy():
    text = "[listener proxy]\nlisten = 0.0.0.0:0\nkind = connect\n[access]\nsource = public\n"
    with tempfile.NamedTemporaryFile("w", suffix=".ini") as f:
        f.write(text)
        f.flush()
        done = subprocess.run(
            [program(), "run", "-c", f.name], capture_output=True, timeout=20, env=clean_environment(), check=False
        )
    check(done.returncode != 0, "it started")
    check_in("open_proxy", done.stderr.decode(), "what it says")


run_stories()
