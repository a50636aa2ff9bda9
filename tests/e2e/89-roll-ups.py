"""A client that tries again and again does not fill the disk: the first refusals are lines, the rest is summed up, and
lines, roll-ups and drops add up to the counters."""

import json
import os
import resource
import threading

from harness import (
    TLS10,
    TLS11,
    Gateway,
    RawClient,
    TlsOrigin,
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
OTHER = one_record(client_hello(TLS11))
FLOOD = int(os.environ.get("FLOOD", "20000"))
ROLLED_UP = {
    "admin.listen": "127.0.0.1:0",
    "log.rollup_s": "3600",
    "log.whole": "3",
    "upstream.resolve": "*:443:127.0.0.1:9",
}


def refuse(gateway, hello=OLD, times=1, source="127.0.0.1"):
    for _ in range(times):
        with RawClient(gateway.straight, source=source) as client:
            client.send(hello)
            client.receive_all()


def flood(gateway, times):
    threads = [threading.Thread(target=refuse, args=(gateway, OLD, times // 4)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def lines_of(path):
    with open(path, "rb") as f:
        return [json.loads(line) for line in f.read().splitlines()]


def connections(lines):
    return sum(line.get("tlsfloor.repeat.count", 1) for line in lines)


@story
def the_first_ones_are_lines_and_the_rest_is_one_more():
    log = workplace("run", f"rollup-{os.getpid()}.log")
    with Gateway(settings={**ROLLED_UP, "log.block": log, "gateway.threads": "1"}) as gateway:
        refuse(gateway, times=50)
        wait_until(lambda: gateway.metric("tlsfloor_log_written_total") == 3, "three lines are written")
        check_equal(len(lines_of(log)), 3, "lines before the interval is over")
        check(all("tlsfloor.repeat.count" not in line for line in lines_of(log)), "whole lines stand for themselves")
        gateway.stop()
    lines = lines_of(log)
    check_equal(len(lines), 4, "lines in the end")
    last = lines[-1]
    check_equal(last["tlsfloor.repeat.count"], 47, "count of the roll-up")
    check(last["tlsfloor.repeat.first"] <= last["tlsfloor.repeat.last"], "first and last")
    for key in ("event.code", "source.ip", "tls.client.ja3", "tlsfloor.fix", "tls.client.supported_ciphers"):
        check_equal(last[key], lines[0][key], key)
    os.unlink(log)


@story
def the_interval_ends_without_another_refusal():
    with Gateway(settings={**ROLLED_UP, "log.rollup_s": "0.3", "gateway.threads": "1"}) as gateway:
        refuse(gateway, times=3)
        for _ in range(3):
            check("tlsfloor.repeat.count" not in gateway.record({"event.code": "client-below-floor"}), "whole line")
        refuse(gateway, times=20)
        repeats = 0
        while repeats < 20:
            repeats += gateway.record({"event.code": "client-below-floor"}).get("tlsfloor.repeat.count", 1)
        check_equal(repeats, 20, "connections in lines and roll-ups")


@story
def sources_fingerprints_and_destinations_never_share_a_rollup():
    log = workplace("run", f"rollup-kinds-{os.getpid()}.log")
    elsewhere = one_record(client_hello(TLS10, name="other.floor.test"))
    with Gateway(settings={**ROLLED_UP, "log.block": log, "gateway.threads": "1"}) as gateway:
        for source, hello, times in (
            ("127.0.0.1", OLD, 10),
            ("127.0.0.2", OLD, 11),
            ("127.0.0.1", OTHER, 12),
            ("127.0.0.1", elsewhere, 13),
        ):
            refuse(gateway, hello, times, source)
        gateway.stop()
    counts = {
        (line["source.ip"], line["tls.version"], line["tls.client.server_name"]): line["tlsfloor.repeat.count"]
        for line in lines_of(log)
        if "tlsfloor.repeat.count" in line
    }
    check_equal(sorted(counts.values()), [7, 8, 9, 10], "counts of the roll-ups")
    check_equal(counts["127.0.0.2", "1.0", "origin.floor.test"], 8, "count of the other source")
    os.unlink(log)


@story
def a_flood_is_accounted_for_exactly():
    log = workplace("run", f"flood-{os.getpid()}.log")
    with Gateway(settings={**ROLLED_UP, "log.block": log, "log.rollup_s": "0.5"}) as gateway:
        flood(gateway, FLOOD)  # who is refused hears of it a moment before it is counted
        wait_until(lambda: gateway.metric("tlsfloor_blocked_total") == FLOOD, "all refusals are counted")
        check_equal(gateway.metric("tlsfloor_log_dropped_total"), 0, "tlsfloor_log_dropped_total")
        gateway.stop()
    lines = lines_of(log)
    check_equal(connections(lines), FLOOD, "connections in records and roll-ups")
    check(len(lines) < FLOOD / 20, f"{len(lines)} lines are too many for {FLOOD} repeats")
    os.unlink(log)


@story
def in_a_flood_onto_a_full_disk_what_is_lost_is_counted_in_connections():
    with Gateway(settings={**ROLLED_UP, "log.block": "/dev/full", "log.rollup_s": "0.5"}) as gateway:
        flood(gateway, FLOOD // 4)
        wait_until(
            lambda: gateway.metric("tlsfloor_log_dropped_total") == FLOOD // 4, "all refusals are counted as dropped"
        )
        check_equal(gateway.metric("tlsfloor_blocked_total"), FLOOD // 4, "tlsfloor_blocked_total")


@story
def what_a_disk_takes_before_it_is_full_adds_up_with_what_it_does_not():
    """RLIMIT_FSIZE stands in for the disk: the file takes so much and no more."""
    log = workplace("run", f"full-{os.getpid()}.log")
    blocked = FLOOD // 10
    settings = {**ROLLED_UP, "log.block": log, "log.rollup_s": "0.2", "log.whole": "5"}
    with Gateway(settings=settings) as gateway:
        resource.prlimit(gateway.process.pid, resource.RLIMIT_FSIZE, (20000, 20000))
        for n in range(20):
            refuse(gateway, one_record(client_hello(TLS10, name=f"h{n}.floor.test")), blocked // 20)
        wait_until(
            lambda: connections(lines_of(log)) + gateway.metric("tlsfloor_log_dropped_total") == blocked,
            "records, roll-ups and drops are all refusals",
        )
        check(gateway.metric("tlsfloor_log_dropped_total") > 0, "nothing was dropped")
        check_equal(gateway.metric("tlsfloor_blocked_total"), blocked, "tlsfloor_blocked_total")
    os.unlink(log)


@story
def what_would_be_blocked_is_summed_up_and_counted_elsewhere():
    log = workplace("run", f"rollup-would-{os.getpid()}.log")
    settings = {**ROLLED_UP, "log.block": log, "floor.mode": "monitor", "gateway.threads": "1"}
    del settings["upstream.resolve"]
    with TlsOrigin() as origin, Gateway(origin, settings=settings) as gateway:
        for _ in range(30):
            with RawClient(gateway.straight) as client:
                client.send(OLD)
                client.receive(1)
        check_equal(gateway.metric("tlsfloor_blocked_total"), 0, "tlsfloor_blocked_total")
        gateway.stop()
    check_equal(connections(lines_of(log)), 30, "connections in would-be records and roll-ups")
    check_equal(len(lines_of(log)), 4, "lines")
    os.unlink(log)


@story
def a_reload_writes_what_is_summed_up_into_the_log_that_it_belongs_to():
    old, new = (workplace("run", f"rollup-{which}-{os.getpid()}.log") for which in ("old", "new"))
    with Gateway(settings={**ROLLED_UP, "log.block": old, "gateway.threads": "1"}) as gateway:
        refuse(gateway, times=10)
        gateway.reload(gateway.ini.replace(old, new))
        check_equal(connections(lines_of(old)), 10, "connections in the old log")
        refuse(gateway, times=10)
        gateway.stop()
    check_equal(connections(lines_of(new)), 10, "connections in the new log")
    os.unlink(old)
    os.unlink(new)


run_stories()
