"""An upgraded session carries every byte of both sides, in bulk and slowly, up to an end that both sides can tell from
a broken one."""

import hashlib
import random
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from harness import (
    CONNECT,
    WAYS,
    Gateway,
    OfficeOrigin,
    TlsPeer,
    check,
    check_equal,
    client_context,
    reach,
    run_stories,
    story,
    wait_until,
)

OFFICE = "outlook.office365.com"
BULK = 24 << 20
UPGRADED = {"event.action": "tls-upgraded"}


def noise(seed, size=BULK):
    return random.Random(seed).randbytes(size)


def peer_of(gateway, way=CONNECT, version="1.0", receive_bytes=None):
    """A client whose handshake is over. `receive_bytes`: how much its socket takes in unread."""
    raw = reach(gateway, way, OFFICE)
    if receive_bytes:
        raw.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    return TlsPeer(raw.sock, client_context(version, version, gateway.ca), OFFICE).handshake()


def echo(peer):
    while data := peer.read():
        peer.write(data)


def is_alive(peer, word):
    peer.write(word)
    check_equal(peer.read_exactly(len(word)), word, "the echo")


@story
def bulk_from_the_server_arrives_unchanged():
    down = noise(1)
    with OfficeOrigin(script=lambda peer: peer.write(down)) as origin, Gateway(origin, upgrades=True) as gateway:
        for version in ("1.0", "1.1"):
            for way in WAYS:
                peer = peer_of(gateway, way, version)
                got = peer.read_all()
                peer.close()
                check(got == down, f"{len(got)} bytes came to the client, not the {len(down)} that were sent")
                check(not peer.was_cut, "the end came without a close_notify")
                gateway.record(UPGRADED)


@story
def bulk_from_the_client_arrives_unchanged():
    up = noise(2)
    heard = []

    def listen(peer):
        heard.append(hashlib.sha256(peer.read_exactly(len(up))).digest())
        peer.write(b"thanks")

    for way in WAYS:
        with OfficeOrigin(script=listen) as origin, Gateway(origin, upgrades=True) as gateway:
            peer = peer_of(gateway, way)
            peer.write(up)
            check_equal(peer.read_all(), b"thanks", "the answer")
            peer.close()
            check_equal(heard.pop(), hashlib.sha256(up).digest(), "digest of what came to the server")
            gateway.record(UPGRADED)


@story
def many_sessions_carry_bulk_both_ways_at_once():
    down = noise(3, 2 << 20)

    def both(peer):
        peer.read_exactly(len(down))
        peer.write(down)

    def session(gateway, n):
        peer = peer_of(gateway, WAYS[n % 2], ("1.0", "1.1")[n // 2 % 2])
        peer.write(down)
        check(peer.read_all() == down, "other bytes came")
        peer.close()

    with OfficeOrigin(script=both) as origin, Gateway(origin, upgrades=True) as gateway:
        with ThreadPoolExecutor(12) as pool:
            for result in [pool.submit(session, gateway, n) for n in range(12)]:
                result.result()
        for _ in range(12):
            gateway.record(UPGRADED)


@story
def small_messages_are_passed_on_at_once():
    with OfficeOrigin(script=echo) as origin, Gateway(origin, upgrades=True) as gateway:
        peer = peer_of(gateway)
        began = time.monotonic()
        for n in range(100):
            is_alive(peer, b"%d" % n)
        check(time.monotonic() - began < 2, "it waits, which Nagle's algorithm would do")
        peer.close()
        gateway.record(UPGRADED)


@story
def messages_of_every_size_around_a_record_arrive():
    with OfficeOrigin(script=echo) as origin, Gateway(origin, upgrades=True) as gateway:
        peer = peer_of(gateway)
        for size in (1, 2, 16383, 16384, 16385, 32767, 32768, 65535, 65536, 65537, 100000):
            is_alive(peer, noise(size, size))
        peer.close()
        gateway.record(UPGRADED)


def is_idle(gateway):
    """For a moment; at its start it has keys to make."""
    before = gateway.cpu_s()
    time.sleep(0.3)
    return gateway.cpu_s() - before < 0.1


@story
def a_client_that_reads_slowly_gets_everything_and_nobody_spins_meanwhile():
    down = noise(4)
    sent = threading.Event()

    def pour(peer):
        peer.write(down)
        sent.set()

    with OfficeOrigin(script=pour) as origin, Gateway(origin, upgrades=True) as gateway:
        peer = peer_of(gateway, receive_bytes=128 << 10)
        check(not sent.wait(0.5), "all of it was taken though nobody read, so this proves nothing")
        check(any(is_idle(gateway) for _ in range(30)), "it spins while the client does not read")
        got = peer.read_all()
        check(got == down, f"{len(got)} bytes came to the client, not the {len(down)} that were sent")
        peer.close()
        gateway.record(UPGRADED)


@story
def a_server_that_reads_slowly_gets_everything():
    up = noise(5)
    go, heard = threading.Event(), []

    def late(peer):
        go.wait(20)
        heard.append(peer.read_exactly(len(up)))
        peer.write(b"thanks")

    with OfficeOrigin(script=late) as origin, Gateway(origin, upgrades=True) as gateway:
        peer = peer_of(gateway)
        sender = threading.Thread(target=peer.write, args=(up,))
        sender.start()
        sender.join(0.5)
        check(sender.is_alive(), "all of it was taken though nobody read, so this proves nothing")
        go.set()
        sender.join()
        check_equal(peer.read_all(), b"thanks", "the answer")
        check(heard == [up], "other bytes came to the server")
        peer.close()
        gateway.record(UPGRADED)


@story
def what_the_server_says_after_the_client_has_ended_still_arrives():
    def last_words(peer):
        check_equal(peer.read_all(), b"my last words", "what the client said")
        check(not peer.was_cut, "the client's end came without a close_notify")
        peer.write(b"after your end")

    for way in WAYS:
        with OfficeOrigin(script=last_words) as origin, Gateway(origin, upgrades=True) as gateway:
            peer = peer_of(gateway, way)
            peer.write(b"my last words")
            peer.end()
            check_equal(peer.read_all(), b"after your end", f"what came to the client by {way}")
            check(not peer.was_cut, "the server's end came without a close_notify")
            peer.close()
            check_equal(origin.finished().error, None, "the server's error")
            gateway.record(UPGRADED)


@story
def what_the_client_says_after_the_server_has_ended_still_arrives():
    heard = []

    def end_first(peer):
        peer.write(b"that was all")
        peer.end()
        heard.append(peer.read_all())

    with OfficeOrigin(script=end_first) as origin, Gateway(origin, upgrades=True) as gateway:
        peer = peer_of(gateway)
        check_equal(peer.read_all(), b"that was all", "what came to the client")
        check(not peer.was_cut, "the server's end came without a close_notify")
        peer.write(b"and one more thing")
        peer.close()
        origin.finished()
        check_equal(heard, [b"and one more thing"], "what came to the server")
        gateway.record(UPGRADED)


def is_cut(peer):
    """The end, as a client that looks for truncation can tell it from a whole one."""
    try:
        peer.read_all()
    except ConnectionResetError:
        return True
    return peer.was_cut


@story
def an_answer_that_is_cut_off_is_cut_off_for_the_client_too():
    def cut(peer):
        peer.write(b"HTTP/1.1 200 OK\r\n\r\nhalf of it")
        peer.shut()
        peer.read_all()

    for way in WAYS:
        with OfficeOrigin(script=cut) as origin, Gateway(origin, upgrades=True) as gateway:
            peer = peer_of(gateway, way)
            check_equal(peer.read_exactly(29), b"HTTP/1.1 200 OK\r\n\r\nhalf of it", "what came to the client")
            check(is_cut(peer), f"a truncated answer looks whole by {way}")
            peer.sock.close()
            gateway.record(UPGRADED)


@story
def a_reset_by_the_server_is_no_end_for_the_client():
    def reset(peer):
        peer.write(b"half of it")
        peer.read_exactly(5)
        peer.sock.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        peer.sock.close()

    with OfficeOrigin(script=reset) as origin, Gateway(origin, upgrades=True) as gateway:
        peer = peer_of(gateway)
        check_equal(peer.read_exactly(10), b"half of it", "what came to the client")
        peer.write(b"reset")
        check(is_cut(peer), "a truncated answer looks whole")
        peer.sock.close()
        gateway.record(UPGRADED)


@story
def a_request_that_is_cut_off_is_cut_off_for_the_server_too():
    ends = []

    def listen(peer):
        check_equal(peer.read_exactly(10), b"half of it", "what came to the server")
        ends.append(is_cut(peer))

    with OfficeOrigin(script=listen) as origin, Gateway(origin, upgrades=True) as gateway:
        peer = peer_of(gateway)
        peer.write(b"half of it")
        peer.shut()
        origin.finished()
        peer.sock.close()
        check_equal(ends, [True], "whether the server can tell")
        gateway.record(UPGRADED)


@story
def a_silent_session_ends_after_idle_s_and_a_busy_one_does_not():
    settings = {"limits.idle_s": "0.5", "admin.listen": "127.0.0.1:0"}
    with OfficeOrigin(script=echo) as origin, Gateway(origin, settings=settings, upgrades=True) as gateway:
        peer = peer_of(gateway)
        for n in range(8):
            time.sleep(0.1)
            is_alive(peer, b"%d" % n)
        began = time.monotonic()
        check_equal(peer.read_all(), b"", "what came to the client")
        check(0.3 < time.monotonic() - began < 5, "it did not end when its time was over")
        peer.sock.close()
        origin.finished()
        wait_until(lambda: gateway.metric("tlsfloor_sessions_active") == 0, "no session is left")
        gateway.record(UPGRADED)


@story
def sigterm_lets_an_upgraded_session_end_by_itself():
    with OfficeOrigin(script=echo) as origin, Gateway(origin, upgrades=True) as gateway:
        peer = peer_of(gateway)
        is_alive(peer, b"before")
        gateway.signal(signal.SIGTERM)
        check(gateway.stderr.wait(lambda lines: any("draining" in line for line in lines)), "it says that it drains")
        is_alive(peer, b"still here")
        peer.close()
        gateway.record(UPGRADED)
        gateway.finish(within_s=4)


@story
def sigterm_ends_an_upgraded_session_when_drain_s_is_over():
    settings = {"limits.drain_s": "0.3"}
    with OfficeOrigin(script=echo) as origin, Gateway(origin, settings=settings, upgrades=True) as gateway:
        peer = peer_of(gateway)
        is_alive(peer, b"before")
        gateway.record(UPGRADED)
        gateway.stop(within_s=4)
        check(is_cut(peer), "the end looks like the server's own")


@story
def reloads_are_not_noticed_by_live_sessions_and_the_CA_may_go():
    with OfficeOrigin(script=echo) as origin, Gateway(origin, upgrades=True) as gateway:
        peer = peer_of(gateway)
        for n in range(3):
            gateway.reload(gateway.ini)
            is_alive(peer, b"reload %d" % n)
        gateway.record(UPGRADED)
        gateway.reload(gateway.ini.replace(f"directory = {gateway.ca.removesuffix('/ca.pem')}", "directory = off"))
        is_alive(peer, b"without a CA")
        peer.close()
        try:
            peer_of(gateway)
        except OSError:
            gateway.record({"event.action": "tls-version-blocked"})
        else:
            check(False, "an upgrade without a CA")


def upgrade_again_and_again(gateway, version, stop):
    """How often it was done."""
    done = 0
    while not stop.is_set():
        peer = peer_of(gateway, WAYS[done % 2], version)
        word = noise(done, 40000)
        is_alive(peer, word)
        peer.close()
        done += 1
    return done


@story
def reloads_under_load_are_not_noticed_by_upgrades():
    """Every other version of the configuration keeps other numbers of sessions, so that contexts are made anew."""
    settings = {"gateway.threads": "4", "limits.client_sessions": "100", "admin.listen": "127.0.0.1:0"}
    with OfficeOrigin(script=echo) as origin, Gateway(origin, settings=settings, upgrades=True) as gateway:
        stop = threading.Event()
        with ThreadPoolExecutor(8) as pool:
            clients = [pool.submit(upgrade_again_and_again, gateway, ("1.0", "1.1")[n % 2], stop) for n in range(8)]
            try:
                for n in range(20):
                    gateway.reload(gateway.ini.replace("client_sessions = 100", f"client_sessions = {100 + n % 2}"))
            finally:
                stop.set()
            done = sum(client.result() for client in clients)
        for _ in range(done):
            gateway.record(UPGRADED)
        check_equal(gateway.metric("tlsfloor_upgrades_total"), done, "tlsfloor_upgrades_total")
        check_equal(gateway.metric("tlsfloor_errors_total"), 0, "tlsfloor_errors_total")


run_stories()
