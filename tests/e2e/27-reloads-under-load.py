"""Several loops, sessions of every kind at once, and one reload after the other: no session notices, and in the end the
records, the counters and what was done add up."""

import signal
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from harness import (
    CONNECT,
    TLS10,
    TLS12,
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
    client_context,
    client_hello,
    one_record,
    reach,
    run_stories,
    server_hello,
    story,
)

HELLO = one_record(client_hello(TLS12, "echo.floor.test"))
OLD = one_record(client_hello(TLS10, "echo.floor.test"))
FLIGHT = one_record(server_hello(TLS12), TLS12)
AT_ONCE, ROUNDS, RELOADS = 40, 5, 20
SETTINGS = {"gateway.threads": "4", "admin.listen": "127.0.0.1:0", "rule here.action": "tunnel"}
ANOTHER_LISTENER = "[listener another]\nlisten = 127.0.0.1:0\nkind = sni\n"


def echo(connection):
    connection.recv_exactly(len(HELLO))
    connection.send(FLIGHT)
    while data := connection.recv():
        connection.send(data)


def real_tls(gateway, way):
    with reach(gateway, way, "real.floor.test") as raw:
        peer = TlsPeer(raw.sock, client_context("1.2", "1.3"), "real.floor.test").handshake()
        peer.write(b"GET / HTTP/1.1\r\n\r\n")
        check_in(b"page over TLSv1.3", peer.read_all(), "page")


def long_tunnel(gateway, way):
    with reach(gateway, way, "echo.floor.test") as client:
        client.send(HELLO)
        check_equal(client.receive(len(FLIGHT)), FLIGHT, "the server's flight")
        for n in range(50):
            word = b"%04d" % n * 500
            client.send(word)
            check_equal(client.receive(len(word)), word, "the echo")


def too_old(gateway, way):
    with reach(gateway, way, "echo.floor.test") as client:
        client.send(OLD)
        check_equal(client.receive_all(), alert(70, TLS10), "answer")


def plain_requests(gateway, _):
    with RawClient(gateway.proxy) as client:
        for _ in range(10):
            client.send(b"GET http://plain.floor.test/ HTTP/1.1\r\nHost: plain.floor.test\r\n\r\n")
            check_in(b"HTTP/1.1 200 ", client.receive_until(b"\r\n\r\n"), "head")
            check_equal(client.receive(11), b"plain page\n", "body")


def to_a_closed_port(gateway, _):
    with RawClient(gateway.proxy) as client:
        client.send(b"CONNECT echo.floor.test:22 HTTP/1.1\r\nHost: echo.floor.test\r\n\r\n")
        check_in(b"HTTP/1.1 403 ", client.receive_all(), "answer")


KINDS = (real_tls, long_tunnel, too_old, plain_requests, to_a_closed_port)


def reload_again_and_again(gateway, stop):
    """Every other file has one more listener."""
    done = 0
    while done < RELOADS or not stop.is_set():
        done += 1
        gateway.write(gateway.ini + ANOTHER_LISTENER * (done % 2))
        gateway.signal(signal.SIGHUP)
        said = gateway.stderr.wait(lambda lines, n=done: lines.count("tlsfloor: reloaded") >= n)
        check(said, f"reload {done} was never done")
    return done


@story
def reloads_are_not_noticed_by_sessions_of_any_kind():
    origins = TlsOrigin(name="real.floor.test"), RawOrigin(echo, name="echo.floor.test"), HttpOrigin()
    with origins[0], origins[1], origins[2], Gateway(*origins, settings=SETTINGS) as gateway:
        stop = threading.Event()
        with reach(gateway, CONNECT, "echo.floor.test") as witness:
            witness.send(HELLO)
            check_equal(witness.receive(len(FLIGHT)), FLIGHT, "the server's flight")
            with ThreadPoolExecutor(AT_ONCE + 1) as pool:
                reloads = pool.submit(reload_again_and_again, gateway, stop)
                sessions = [
                    pool.submit(KINDS[n % len(KINDS)], gateway, WAYS[n // len(KINDS) % 2])
                    for n in range(AT_ONCE * ROUNDS)
                ]
                try:
                    for session in sessions:
                        session.result()
                finally:
                    stop.set()
                check(reloads.result() >= RELOADS, "too few reloads")
            witness.send(b"from before all of it")
            check_equal(witness.receive(21), b"from before all of it", "the echo in the session that saw every reload")

        each = AT_ONCE * ROUNDS // len(KINDS)
        records = Counter(gateway.record()["event.code"] for _ in range(2 * each))
        check_equal(records, {"client-below-floor": each, "port-denied": each}, "records")
        check_equal(gateway.metric("tlsfloor_blocked_total"), 2 * each, "tlsfloor_blocked_total")
        check_equal(gateway.metric("tlsfloor_log_dropped_total"), 0, "tlsfloor_log_dropped_total")
        check_equal(gateway.metric("tlsfloor_sessions_total"), AT_ONCE * ROUNDS + 1, "tlsfloor_sessions_total")
        check_equal(gateway.metric("tlsfloor_tunnels_total"), 2 * each + 1, "tlsfloor_tunnels_total")
        check_equal(gateway.metric("tlsfloor_http_requests_total"), 10 * each, "tlsfloor_http_requests_total")
        check_equal(gateway.metric("tlsfloor_errors_total"), 0, "tlsfloor_errors_total")


run_stories()
