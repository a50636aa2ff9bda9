"""Every refusal is accounted for: in a flood, with a full disk, and with hostile bytes in what peers say."""

import json
import os
import re
import threading

from harness import (
    TLS10,
    Gateway,
    RawClient,
    alert,
    check,
    check_equal,
    client_hello,
    one_record,
    run_stories,
    story,
    wait_until,
    workplace,
)

OLD = one_record(client_hello(TLS10))
FLOOD = 400
WITH_ADMIN = {"admin.listen": "127.0.0.1:0"}


def flood(gateway, per_thread=FLOOD // 4):
    def refuse():
        for _ in range(per_thread):
            with RawClient(gateway.straight) as client:
                client.send(OLD)
                check_equal(client.receive_all(), alert(70, TLS10), "answer")

    threads = [threading.Thread(target=refuse) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@story
def a_flood_of_refusals_is_a_record_each():
    with Gateway(settings={**WITH_ADMIN, "upstream.resolve": "*:443:127.0.0.1:9"}) as gateway:
        flood(gateway)
        repeats = 0
        ports = set()
        while repeats + len(ports) < FLOOD:
            record = gateway.record({"event.code": "client-below-floor"})
            ports.add(record["source.port"])
            repeats += record.get("tlsfloor.repeat.count", 0)
        check_equal(gateway.metric("tlsfloor_blocked_total"), FLOOD, "tlsfloor_blocked_total")
        check_equal(gateway.metric("tlsfloor_log_dropped_total"), 0, "tlsfloor_log_dropped_total")


@story
def on_a_full_disk_what_is_lost_is_counted():
    with Gateway(settings={**WITH_ADMIN, "log.block": "/dev/full"}) as gateway:
        flood(gateway)
        wait_until(lambda: gateway.metric("tlsfloor_blocked_total") == FLOOD, f"{FLOOD} are counted as blocked")
        gateway.stop()
        check_equal(
            re.search(r"(\d+) written, (\d+) dropped", gateway.stderr.text()).groups(), ("0", str(FLOOD)), "block log"
        )


@story
def a_log_is_whole_lines_of_json_whatever_peers_say():
    log = workplace(f"hostile-{os.getpid()}.log")
    nasty = b'"\\\x1b[31m<script>\xe2\x80\xa8&\x7f\t{}'
    with Gateway(settings={"log.block": log}) as gateway:
        for agent in (nasty, nasty * 50):
            with RawClient(gateway.proxy) as client:
                client.send(b"CONNECT 10.0.0.1:443 HTTP/1.1\r\nHost: x\r\nUser-Agent: " + agent + b"\r\n\r\n")
                check(client.receive_all().startswith(b"HTTP/1.1 4"), "answer")
    with open(log, "rb") as f:
        data = f.read()
    os.unlink(log)
    check(data.endswith(b"\n"), "the last line is not whole")
    for line in data.splitlines():
        check(all(32 <= byte < 127 for byte in line), f"more than printable ASCII in {line!r}")
        check(b"<" not in line, f"a tag could begin in {line!r}")
        check_equal(json.loads(line)["event.action"] in ("access-denied", "malformed"), True, "event.action")
    check_equal(len(data.splitlines()), 2, "records")


run_stories()
