"""Upgrades by and for peers that misbehave: whoever stalls, floods, resets or leaves in any step hurts nobody else, and
leaves nothing behind."""

import contextlib
import os
import signal
import socket
import ssl
import time
from concurrent.futures import ThreadPoolExecutor

from harness import (
    CONNECT,
    SSL3,
    TLS10,
    WAYS,
    Gateway,
    OfficeOrigin,
    RawOrigin,
    TlsOrigin,
    TlsPeer,
    alert,
    check,
    check_equal,
    check_in,
    client_context,
    client_hello,
    one_record,
    reach,
    records,
    resplit,
    run_stories,
    story,
    wait_until,
)


OFFICE = "outlook.office365.com"
UPGRADED = {"event.action": "tls-upgraded"}
WITH_ADMIN = {"admin.listen": "127.0.0.1:0"}
ONE_LOOP = {**WITH_ADMIN, "gateway.threads": "1"}
RULE = {"rule up.destination": "*.floor.test", "rule up.action": "upgrade"}
RSA, ECDSA = (0x002F,), (0xC009,)


def echo(peer):
    while data := peer.read():
        peer.write(data)


def peer_of(gateway, name=OFFICE, way=CONNECT, version="1.0", **more):
    """A client whose handshake is over."""
    raw = reach(gateway, way, name)
    return TlsPeer(raw.sock, client_context(version, version, gateway.ca), name, **more).handshake()


def is_alive(peer, word=b"still here"):
    peer.write(word)
    check_equal(peer.read_exactly(len(word)), word, "the echo")


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    sock.close()


def end_of(peer):
    """What still came, and whether its end can be told from a whole one."""
    got = b""
    try:
        while part := peer.read():
            got += part
    except ConnectionResetError:
        return got, True
    return got, peer.was_cut


def is_empty(gateway):
    wait_until(lambda: gateway.metric("tlsfloor_sessions_active") == 0, "no session is left")


def hello_with(suites, name=OFFICE):
    return one_record(client_hello(TLS10, name, suites=suites))


@story
def text_with_a_reset_right_behind_it_arrives_and_ends_the_session():
    """Both are there when the gateway looks."""
    with contextlib.ExitStack() as stack:

        def answer(peer):
            peer.read_exactly(5)
            gateway.signal(signal.SIGSTOP)
            peer.write(b"half of it")
            reset(peer.sock.sock)
            gateway.signal(signal.SIGCONT)

        origin = stack.enter_context(OfficeOrigin(script=answer))
        gateway = stack.enter_context(Gateway(origin, settings=WITH_ADMIN, upgrades=True))
        peer = peer_of(gateway)
        gateway.record(UPGRADED)
        peer.write(b"reset")
        check_equal(end_of(peer), (b"half of it", True), "what came, and whether it was cut")
        is_empty(gateway)


@story
def a_handshake_without_an_end_is_given_up_and_holds_up_nobody():
    """HelloRequests, which a client ignores in a handshake, as fast as they are taken."""
    chunk = one_record(bytes(16384), 0x0303) * 16

    def flood(connection):
        connection.recv_hello()
        while True:
            connection.send(chunk)

    settings = {**ONE_LOOP, **RULE, "limits.handshake_s": "1"}
    with TlsOrigin(script=echo) as other, RawOrigin(flood, name=OFFICE) as origin:
        with Gateway(origin, other, settings=settings, upgrades=True) as gateway:
            peer = peer_of(gateway, other.name)
            gateway.record(UPGRADED)
            with reach(gateway, CONNECT, OFFICE) as client:
                client.send(hello_with(RSA))
                for _ in range(20):
                    began = time.monotonic()
                    is_alive(peer)
                    check(time.monotonic() - began < 0.5, "another session waits")
                check_equal(client.receive_all(), alert(40, TLS10), "what the client gets")
            gateway.record({"event.code": "upstream-tls-timeout"})
            peer.close()


@story
def a_client_may_reset_at_any_moment():
    """The moments are spread over all steps; whoever was refused has a record, and nobody else."""
    settings = {**WITH_ADMIN, **RULE}
    with TlsOrigin(script=echo) as origin, Gateway(origin, settings=settings, upgrades=True) as gateway:
        for n in range(60):
            client = reach(gateway, WAYS[n % 2], origin.name)
            client.send(hello_with((RSA, ECDSA)[n // 2 % 2], origin.name))
            time.sleep(n // 4 / 2000)
            reset(client.sock)
        is_empty(gateway)
        check_equal(gateway.metric("tlsfloor_upgrades_total"), 0, "tlsfloor_upgrades_total")
        for _ in range(gateway.metric("tlsfloor_blocked_total")):
            gateway.record({"event.code": "client-handshake-failed"})


@story
def a_server_may_reset_at_any_moment():
    def leave(connection):
        with contextlib.suppress(EOFError):
            connection.recv_hello()
        time.sleep(len(origin.connections) / 2000)
        reset(connection.sock)

    with RawOrigin(leave, name=OFFICE) as origin, Gateway(origin, settings=WITH_ADMIN, upgrades=True) as gateway:
        for n in range(20):
            with reach(gateway, WAYS[n % 2], OFFICE) as client:
                client.send(hello_with(RSA))
                check_equal(client.receive_all(), alert(40, TLS10), "what the client gets")
            gateway.record({"event.code": "upstream-tls-failed"})
        is_empty(gateway)


@story
def a_server_that_leaves_while_the_client_shakes_hands_ends_the_session():
    for leave in (lambda peer: peer.end(), lambda peer: peer.shut(), lambda peer: reset(peer.sock.sock)):
        with OfficeOrigin(script=leave) as origin, Gateway(origin, settings=WITH_ADMIN, upgrades=True) as gateway:
            peer = peer_of(gateway, pause=lambda: time.sleep(0.1), reshape=lambda flight: resplit(flight, (20,)))
            gateway.record(UPGRADED)
            check_equal(end_of(peer)[0], b"", "what came")
            peer.sock.close()
            is_empty(gateway)


@story
def two_hundred_names_at_once_have_a_certificate_each():
    names = [f"host-{n}.floor.test" for n in range(200)]

    def ask(gateway, name):
        peer = peer_of(gateway, name, version=("1.0", "1.1")[len(name) % 2])
        is_alive(peer, name.encode())
        certificate = peer.certificate()
        peer.close()
        return certificate

    with contextlib.ExitStack() as stack:
        origin = stack.enter_context(TlsOrigin(script=echo))
        settings = {**WITH_ADMIN, **RULE, "upstream.resolve": f"*:443:{origin.address}:{origin.port}"}
        gateway = stack.enter_context(Gateway(settings=settings, upgrades=True))
        pool = stack.enter_context(ThreadPoolExecutor(32))
        certificates = set(pool.map(lambda name: ask(gateway, name), names))
        check_equal(len(certificates), 200, "certificates")
        for _ in names:
            gateway.record(UPGRADED)
        is_empty(gateway)


@story
def a_hello_of_any_layout_is_upgraded():
    """The same bytes over 1-byte records, and in as many segments."""
    with OfficeOrigin(script=echo) as origin, Gateway(origin, upgrades=True) as gateway:
        for way in WAYS:
            for size in (1, 2, 7):
                peer = peer_of(gateway, way=way, reshape=lambda flight, size=size: resplit(flight, size=size))
                is_alive(peer)
                peer.close()
                gateway.record(UPGRADED)


@story
def the_longest_hello_is_upgraded():
    room = 65535 - len(client_hello(TLS10, OFFICE, suites=(), padding=1)) + len(client_hello(SSL3, suites=())) + 1 + 2
    hello = client_hello(TLS10, OFFICE, suites=RSA * 32767, padding=room, compression=bytes(255))
    check_equal(len(hello), 4 + 131396, "the hello's length")
    with OfficeOrigin() as origin, Gateway(origin, upgrades=True) as gateway:
        for size in (16384, 1200, 37):
            with reach(gateway, CONNECT, OFFICE) as client:
                client.send(*records(hello, [size] * (len(hello) // size)))
                kind, _, _, *length = client.receive(5)
                check_equal((kind, client.receive(int.from_bytes(length))[0]), (22, 2), "the answer, a ServerHello")
            gateway.record({"event.code": "client-handshake-failed"})


@story
def records_of_one_byte_are_carried_in_both_directions():
    text = os.urandom(20000)

    def drip(peer):
        check_equal(peer.read_exactly(len(text)), text, "what came to the server")
        for n in range(len(text)):
            peer.tls.write(text[n : n + 1])
        peer.write(b"")

    with OfficeOrigin(script=drip) as origin, Gateway(origin, settings=ONE_LOOP, upgrades=True) as gateway:
        peer = peer_of(gateway)
        for n in range(len(text)):
            peer.tls.write(text[n : n + 1])
        check_equal((peer.read_all(), peer.was_cut), (text, False), "what came to the client, and whether it was cut")
        peer.close()
        gateway.record(UPGRADED)


@story
def what_follows_a_close_notify_goes_nowhere():
    with OfficeOrigin(script=echo) as origin, Gateway(origin, settings=WITH_ADMIN, upgrades=True) as gateway:
        for behind in (hello_with(RSA), b"GET / HTTP/1.1\r\n\r\n", alert(0, TLS10), bytes(100000)):
            peer = peer_of(gateway)
            gateway.record(UPGRADED)
            is_alive(peer)
            with contextlib.suppress(ssl.SSLError):
                peer.tls.unwrap()
            peer.sock.sendall(peer.outgoing.read() + behind)
            with contextlib.suppress(ConnectionError):
                check_equal(end_of(peer)[0], b"", "what came")
            peer.sock.close()
            is_empty(gateway)
        check_equal({bytes(c.received).count(b"GET") for c in origin.connections}, {0}, "plain text at the server")


@story
def junk_within_a_session_ends_it_for_both():
    for kind in (20, 21, 22, 23, 99):
        ends = []
        with OfficeOrigin(script=lambda peer: ends.append(end_of(peer))) as origin:
            with Gateway(origin, settings=WITH_ADMIN, upgrades=True) as gateway:
                peer = peer_of(gateway)
                gateway.record(UPGRADED)
                peer.sock.sendall(one_record(b"this is no ciphertext at all", TLS10, kind))
                with contextlib.suppress(ConnectionResetError):
                    while peer.sock.recv(4096):
                        pass
                peer.sock.close()
                origin.finished()
                check_equal(ends, [(b"", True)], "what the server got, and whether it was cut")
                is_empty(gateway)


@story
def a_reload_that_does_not_find_the_CA_is_refused_and_makes_no_other_one():
    with OfficeOrigin(script=echo) as origin, Gateway(origin, upgrades=True) as gateway:
        directory = os.path.dirname(gateway.ca)
        os.rename(directory, f"{directory}.away")
        try:
            gateway.signal(signal.SIGHUP)
            said = gateway.stderr.wait(lambda lines: [line for line in lines if "reload" in line])
            check_in("reload refused", said[0], "what it says")
            check_in(f"{gateway.ca} is not there", said[0], "what it says")
            check(not os.path.exists(directory), "it has made a CA that no client trusts")
        finally:
            os.rename(f"{directory}.away", directory)
        peer = peer_of(gateway)
        is_alive(peer)
        peer.close()
        gateway.record(UPGRADED)
        gateway.reload(gateway.ini)


STEPS = {"originate": lambda connection: connection.recv_to_end(), "terminate": None, "carry": None}  # and what the server does


def client_in(step, gateway):
    if step == "carry":
        peer = peer_of(gateway)
        is_alive(peer)
        return peer.sock
    client = reach(gateway, CONNECT, OFFICE)
    client.send(hello_with(ECDSA))
    if step == "terminate":
        client.receive(5)
    return client.sock


@story
def reloads_and_the_end_find_sessions_in_every_step():
    settings = {**WITH_ADMIN, "gateway.threads": "3", "limits.drain_s": "0.2", "limits.client_sessions": "50"}
    for step, script in STEPS.items():
        with RawOrigin(script, name=OFFICE) if script else OfficeOrigin(script=echo) as origin:
            with Gateway(origin, settings=settings, upgrades=True) as gateway:
                sockets = [client_in(step, gateway) for _ in range(4)]
                wait_until(lambda origin=origin: len(origin.connections) == 4, "all are in that step")
                for n in range(3):
                    gateway.reload(gateway.ini.replace("client_sessions = 50", f"client_sessions = {51 + n}"))
                gateway.reload(gateway.ini.replace(f"directory = {os.path.dirname(gateway.ca)}", "directory = off"))
                check_equal(gateway.metric("tlsfloor_sessions_active"), 4, f"sessions in {step}")
                if step == "carry":
                    for _ in sockets:
                        gateway.record(UPGRADED)
                gateway.stop(within_s=5)
                for sock in sockets:
                    sock.close()


run_stories()
