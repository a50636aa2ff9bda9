"""Signals, and running out of files: sessions live on through what is done to the gateway."""

import os
import resource
import signal
import time

from harness import (
    HELLO,
    TLS10,
    TLS12,
    Gateway,
    HttpOrigin,
    RawClient,
    RawOrigin,
    alert,
    begin_session,
    check,
    check_equal,
    client_hello,
    echo,
    is_alive,
    is_refused_by,
    one_record,
    reach,
    run_stories,
    story,
    wait_until,
    workplace,
)

OLD = one_record(client_hello(TLS10))


def reload_with(gateway, old, new, says):
    gateway.write(gateway.ini.replace(old, new))
    gateway.signal(signal.SIGHUP)
    check(gateway.stderr.wait(lambda lines: any(says in line for line in lines)), f"it never says '{says}'")


@story
def sigterm_lets_live_sessions_end_and_takes_no_new_ones():
    with RawOrigin(echo) as origin, Gateway(origin) as gateway:
        with begin_session(gateway) as client:
            gateway.signal(signal.SIGTERM)
            wait_until(lambda: is_refused_by(gateway.proxy), "new connections are refused")
            is_alive(client, b"still here")
        gateway.finish(within_s=4)


@story
def sigterm_ends_what_does_not_end_by_itself_when_drain_s_is_over():
    with RawOrigin(echo) as origin, Gateway(origin, settings={"limits.drain_s": "0.3"}) as gateway:
        with begin_session(gateway):
            gateway.stop(within_s=4)


@story
def sighup_changes_the_rules_and_keeps_the_sessions():
    with RawOrigin(echo) as origin, Gateway(origin) as gateway:
        with begin_session(gateway) as client:
            reload_with(gateway, "minimum = 1.2", "minimum = 1.3", says="reloaded")
            is_alive(client, b"from before")
        with reach(gateway, "connect") as client:
            client.send(HELLO)
            check_equal(client.receive_all(), alert(70, TLS12), "answer under the new floor")
        gateway.record({"tlsfloor.floor": "1.3"})


@story
def sighup_counts_for_the_next_request_on_a_kept_connection():
    def ask(client):
        client.send(b"GET http://plain.floor.test/ HTTP/1.1\r\nHost: plain.floor.test\r\n\r\n")
        return client.receive_until(b"\r\n\r\n").split(b" ", 2)[1]

    with HttpOrigin() as origin, Gateway(origin) as gateway, RawClient(gateway.proxy) as client:
        check_equal(ask(client), b"200", "answer before the reload")
        client.receive(len(b"plain page\n"))
        with RawClient(gateway.proxy) as tunneller:
            check_equal(ask(tunneller), b"200", "answer before the reload")
            tunneller.receive(len(b"plain page\n"))
            gateway.write(gateway.ini + "\n[rule closed]\nsource = 127.0.0.1\naction = block\n")
            gateway.signal(signal.SIGHUP)
            check(gateway.stderr.wait(lambda lines: "tlsfloor: reloaded" in lines), "it says that it reloaded")
            check_equal(ask(client), b"403", "answer under the new rule")
            gateway.record({"event.code": "rule-block", "rule.name": "closed"})
            tunneller.connect("plain.floor.test", 80)
            tunneller.send(HELLO)
            check_equal(tunneller.receive_all(), alert(49, TLS12), "answer to a tunnel under the new rule")
            gateway.record({"event.code": "rule-block", "rule.name": "closed"})


@story
def sighup_with_a_bad_file_changes_nothing():
    with RawOrigin(echo) as origin, Gateway(origin) as gateway:
        reload_with(gateway, "minimum = 1.2", "minimum = 7", says="reload refused")
        with begin_session(gateway) as client:
            is_alive(client, b"as before")


@story
def sigusr1_opens_the_logs_anew():
    log = workplace(f"block-{os.getpid()}.log")
    with RawOrigin() as origin, Gateway(origin, settings={"log.block": log}) as gateway:

        def refuse():
            with reach(gateway, "sni") as client:
                client.send(OLD)
                check_equal(client.receive_all(), alert(70, TLS10), "answer")

        def lines(path):
            with open(path, encoding="utf-8") as f:
                return f.read().count("\n")

        refuse()
        wait_until(lambda: lines(log) == 1, "the first record")
        os.rename(log, log + ".1")
        gateway.signal(signal.SIGUSR1)
        wait_until(lambda: os.path.exists(log), "the new file")
        refuse()
        wait_until(lambda: lines(log) == 1, "the second record in the new file")
        check_equal(lines(log + ".1"), 1, "records in the old file")
    os.unlink(log)
    os.unlink(log + ".1")


def serves(gateway):
    try:
        with begin_session(gateway) as client:
            is_alive(client, b"back again")
    except (AssertionError, OSError):
        return False  # the crowd's files come back one by one
    return True


@story
def without_free_files_it_sheds_and_recovers():
    limit = 60
    settings = {"admin.listen": "127.0.0.1:0", "log.block": "off"}
    with RawOrigin(echo) as origin, Gateway(origin, settings=settings) as gateway:
        resource.prlimit(gateway.process.pid, resource.RLIMIT_NOFILE, (limit, limit))
        crowd = [RawClient(gateway.proxy) for _ in range(limit + 20)]
        for client in crowd:
            client.send(b"C")  # one that says nothing is not even accepted
        before = gateway.cpu_s()
        time.sleep(0.5)
        check(gateway.cpu_s() - before < 0.2, "it spins while it has no free files")
        for client in crowd:
            client.close()
        wait_until(lambda: serves(gateway), "it serves again")
        check(gateway.metric("tlsfloor_accept_shed_total") > 0, "it never ran out of files, so this proves nothing")


run_stories()
