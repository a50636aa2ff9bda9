"""A session that passes is, byte for byte, what the two sides said: in bulk, both ways at once, to the last byte
after a half-close."""

import hashlib
import random
import threading

from harness import (
    TLS12,
    TLS13,
    WAYS,
    Gateway,
    RawOrigin,
    check,
    check_equal,
    client_hello,
    one_record,
    reach,
    records,
    run_stories,
    server_hello,
    story,
)

HELLO = b"".join(records(client_hello(TLS12, supported=[TLS13]), [7, 100]))
FLIGHT = one_record(server_hello(TLS12, supported=TLS13), TLS12)
BULK = 24 << 20


def noise(seed, size=BULK):
    return random.Random(seed).randbytes(size)


@story
def bulk_both_ways_at_once_arrives_unchanged():
    up, down = noise(1), noise(2)

    def script(connection):
        connection.recv_exactly(len(HELLO))
        connection.send(FLIGHT)
        sender = threading.Thread(target=connection.send, args=(down,))
        sender.start()
        digest = hashlib.sha256()
        left = len(up)
        while left:
            part = connection.sock.recv(1 << 20)
            check(part, f"the end {left} bytes early")
            digest.update(part)
            left -= len(part)
        sender.join()
        connection.digest = digest.digest()

    for way in WAYS:
        with RawOrigin(script) as origin, Gateway(origin) as gateway:
            with reach(gateway, way) as client:
                client.send(HELLO)
                check_equal(client.receive(len(FLIGHT)), FLIGHT, "the server's flight")
                sender = threading.Thread(target=client.send, args=(up,))
                sender.start()
                got = client.receive_all()
                sender.join()
            check(got == down, f"{len(got)} bytes came to the client, not the {len(down)} that were sent")
            check_equal(origin.finished().digest, hashlib.sha256(up).digest(), "digest of what came to the server")


@story
def what_follows_a_half_close_still_arrives():
    def script(connection):
        connection.recv_exactly(len(HELLO))
        connection.send(FLIGHT)
        connection.recv_to_end()
        connection.send(b"after your end")

    for way in WAYS:
        with RawOrigin(script) as origin, Gateway(origin) as gateway, reach(gateway, way) as client:
            client.send(HELLO, b"last words")
            client.end()
            check_equal(client.receive_all(), FLIGHT + b"after your end", f"what came to the client by {way}")
            check_equal(origin.finished().received, HELLO + b"last words", "what came to the server")


@story
def early_data_behind_the_hello_is_not_lost():
    early = one_record(noise(3, 4000), TLS12, kind=23)
    for way in WAYS:
        with RawOrigin(lambda c: (c.recv_exactly(len(HELLO + early)), c.send(FLIGHT))) as origin:
            with Gateway(origin) as gateway, reach(gateway, way) as client:
                client.send(HELLO + early)
                check_equal(client.receive_all(), FLIGHT, f"what came to the client by {way}")
            check_equal(origin.received(), HELLO + early, "what came to the server")


@story
def small_messages_are_passed_on_at_once():
    def echo(connection):
        connection.recv_exactly(len(HELLO))
        connection.send(FLIGHT)
        while data := connection.recv():
            connection.send(data)

    for way in WAYS:
        with RawOrigin(echo) as origin, Gateway(origin) as gateway, reach(gateway, way) as client:
            client.send(HELLO)
            client.receive(len(FLIGHT))
            for n in range(300):
                message = noise(n, 1 + n)
                client.send(message)
                check_equal(client.receive(len(message)), message, f"message {n} by {way}")


run_stories()
