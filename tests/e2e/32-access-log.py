"""The access log has a line for every connection, the block log only for those that were refused."""

import json
import os

from harness import (
    TLS10,
    TLS12,
    Gateway,
    RawOrigin,
    alert,
    check_equal,
    client_hello,
    one_record,
    reach,
    run_stories,
    server_hello,
    story,
    workplace,
)

HELLO = one_record(client_hello(TLS12))
OLD = one_record(client_hello(TLS10))
FLIGHT = one_record(server_hello(TLS12), TLS12)


def answer(connection):
    connection.recv_hello()
    connection.send(FLIGHT)
    connection.recv_to_end()


@story
def the_access_log_tells_of_what_passed_and_of_what_did_not():
    log = workplace(f"access-{os.getpid()}.log")
    with RawOrigin(answer) as origin, Gateway(origin, settings={"log.access": log, "gateway.threads": "1"}) as gateway:
        with reach(gateway, "sni") as client:
            client.send(HELLO, b"and more")
            check_equal(client.receive(len(FLIGHT)), FLIGHT, "the server's flight")
            client.end()
            check_equal(client.receive_all(), b"", "what follows")
        with reach(gateway, "sni") as client:
            client.send(OLD)
            check_equal(client.receive_all(), alert(70, TLS10), "answer")
        gateway.record({"event.code": "client-below-floor"})
    with open(log, encoding="utf-8") as f:
        lines = [json.loads(line) for line in f]
    os.unlink(log)
    check_equal([line.get("event.code") for line in lines], [None, "client-below-floor"], "how they ended")
    for line in lines:
        check_equal(line["event.action"], "connection-end", "event.action")
        check_equal(line["destination.domain"], origin.name, "destination.domain")
    moved = (lines[0]["source.bytes"], lines[0]["destination.bytes"])
    check_equal(moved, (len(HELLO) + len(b"and more"), len(FLIGHT)), "bytes from the client and from the server")


run_stories()
