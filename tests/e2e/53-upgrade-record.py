"""What is told of an upgrade: the record, the access log, the counters."""

import json
import os
import re

from harness import (
    CONNECT,
    TLS10,
    WAYS,
    Gateway,
    OfficeOrigin,
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
    curl,
    one_record,
    reach,
    run_stories,
    story,
    wait_until,
    workplace,
)

OFFICE = "outlook.office365.com"
WITH_ADMIN = {"admin.listen": "127.0.0.1:0"}


def upgrade(gateway, name=OFFICE, version="1.0", ciphers="ALL"):
    """A page for a client; ends when the gateway has said goodbye."""
    context = client_context(version, version, gateway.ca)
    context.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    with reach(gateway, CONNECT, name) as raw:
        peer = TlsPeer(raw.sock, context, name).handshake()
        peer.write(f"GET / HTTP/1.1\r\nHost: {name}\r\n\r\n".encode())
        check_in(b"page over TLSv1", peer.read_all(), "page")
        peer.close()


@story
def the_record_names_both_legs_and_where_it_went():
    for way in WAYS:
        with OfficeOrigin() as origin, Gateway(origin, upgrades=True) as gateway:
            result = curl(gateway, way, OFFICE, "1.0", ca=gateway.ca)
            check_equal(result.status, 0, f"curl's exit status, which says {result.output}")
            record = gateway.record(
                {
                    "event.action": "tls-upgraded",
                    "source.ip": "127.0.0.1",
                    "observer.ingress.interface.name": {"connect": "proxy", "sni": "straight"}[way],
                    "destination.domain": OFFICE,
                    "destination.ip": "127.0.0.1",
                    "destination.port": 443,
                    "tls.client.server_name": OFFICE,
                    "tls.version": "1.0",
                    "tlsfloor.verdict": "upgrade",
                    "tlsfloor.max_version": "1.0",
                    "tlsfloor.upgrade.from": "1.0",
                    "tlsfloor.upgrade.to": "1.3",
                    "tlsfloor.upgrade.to_cipher": origin.agreed[0].cipher,
                    "tlsfloor.upgrade.from_resumed": False,
                    "tlsfloor.upgrade.to_resumed": False,
                    "tlsfloor.m365.service_area": "Exchange",
                    "tlsfloor.m365.category": "Optimize",
                }
            )
            for field in ("@timestamp", "event.duration", "source.port", "tls.client.ja3", "tlsfloor.ja4"):
                check(field in record, f"{field} is missing from {record}")
            check(re.fullmatch(r"TLS_\w+_WITH_\w+", record["tlsfloor.upgrade.from_cipher"]), f"suite inside: {record}")
            check_equal(record.get("rule.name"), None, "a rule, where none matched")
            if way == CONNECT:
                check_in("curl/", record["user_agent.original"], "user agent")


@story
def the_record_names_the_suites_by_their_IANA_names():
    with OfficeOrigin(highest="1.2") as origin, Gateway(origin, upgrades=True) as gateway:
        upgrade(gateway, version="1.1", ciphers="ECDHE-RSA-AES128-SHA")
        record = gateway.record(
            {
                "tlsfloor.upgrade.from": "1.1",
                "tlsfloor.upgrade.to": "1.2",
                "tlsfloor.upgrade.from_cipher": "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
            }
        )
        good = r"TLS_ECDHE_RSA_WITH_(AES_\d+_GCM|CHACHA20_POLY1305)_SHA\d+"
        check(re.fullmatch(good, record["tlsfloor.upgrade.to_cipher"]), f"suite outside: {record}")


@story
def a_client_that_takes_no_ECDSA_gets_an_RSA_certificate():
    with OfficeOrigin() as origin, Gateway(origin, upgrades=True) as gateway:
        for ciphers, agreed in (
            ("AES128-SHA", "TLS_RSA_WITH_AES_128_CBC_SHA"),
            ("ECDHE-ECDSA-AES256-SHA", "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA"),
            ("DHE-RSA-AES256-SHA", "TLS_DHE_RSA_WITH_AES_256_CBC_SHA"),
        ):
            upgrade(gateway, ciphers=ciphers)
            gateway.record({"tlsfloor.upgrade.from_cipher": agreed})


@story
def the_record_names_the_rule():
    settings = {
        "rule printers.destination": "*.floor.test",
        "rule printers.action": "upgrade",
        "rule printers.owner": "print team",
        "rule printers.ticket": "CHG-1042",
    }
    with TlsOrigin("1.2") as origin, Gateway(origin, settings=settings, upgrades=True) as gateway:
        upgrade(gateway, origin.name)
        record = gateway.record({"event.action": "tls-upgraded", "rule.name": "printers"})
        check_equal(record.get("tlsfloor.m365.service_area"), None, "area of a host that is none of Microsoft 365")


@story
def the_same_name_is_Optimize_on_443_and_Allow_on_993():
    with OfficeOrigin() as web, OfficeOrigin() as mail:
        mail.asked_port = 993
        with Gateway(web, mail, settings={"access.port": "443, 993"}, upgrades=True) as gateway:
            for port, category in ((443, "Optimize"), (993, "Allow")):
                with RawClient(gateway.proxy).connect(OFFICE, port) as raw:
                    TlsPeer(raw.sock, client_context("1.0", "1.0", gateway.ca), OFFICE).handshake().close()
                gateway.record({"destination.port": port, "tlsfloor.m365.category": category})


@story
def counters_add_up():
    blocked = RawOrigin(name="blocked.floor.test")
    with OfficeOrigin() as origin, blocked, Gateway(origin, blocked, settings=WITH_ADMIN, upgrades=True) as gateway:
        for version in ("1.0", "1.0", "1.1"):
            upgrade(gateway, version=version)
            gateway.record({"event.action": "tls-upgraded", "tlsfloor.upgrade.from": version})
        with reach(gateway, CONNECT, "blocked.floor.test") as raw:
            raw.send(one_record(client_hello(TLS10, "blocked.floor.test")))
            check_equal(raw.receive_all(), alert(70, TLS10), "answer to one that is not upgraded")
        gateway.record({"event.action": "tls-version-blocked"})
        for version, count in (("1.0", 2), ("1.1", 1), ("1.2", 0), ("plain", 0)):
            upgrades = gateway.metric("tlsfloor_upgrades_total", **{"from": version})
            check_equal(upgrades, count, f"upgrades from {version}")
        check_equal(gateway.metric("tlsfloor_upgraded_to_total", version="1.3"), 3, "upgrades to 1.3")
        check_equal(gateway.metric("tlsfloor_upgraded_to_total", version="1.2"), 0, "upgrades to 1.2")
        check_equal(gateway.metric("tlsfloor_upgraded_area_total", area="exchange"), 3, "upgrades to Exchange")
        check_equal(gateway.metric("tlsfloor_upgraded_area_total", area="none"), 0, "upgrades elsewhere")
        check_equal(gateway.metric("tlsfloor_blocked_total"), 1, "tlsfloor_blocked_total")
        check_equal(gateway.metric("tlsfloor_errors_total"), 0, "tlsfloor_errors_total")
        check_equal(gateway.metric("tlsfloor_log_written_total"), 4, "lines in the block log")


@story
def the_access_log_has_the_bytes_of_plain_text():
    log = workplace(f"access-{os.getpid()}.log")
    with OfficeOrigin() as origin, Gateway(origin, settings={"log.access": log}, upgrades=True) as gateway:
        upgrade(gateway)
        gateway.record()

        def lines():
            with open(log, encoding="utf-8") as f:
                return f.readlines()

        wait_until(lambda: len(lines()) == 1, "the line in the access log")
        line = json.loads(lines()[0])
        check_equal(line["tlsfloor.verdict"], "upgrade", f"verdict of {line}")
        request = len(f"GET / HTTP/1.1\r\nHost: {OFFICE}\r\n\r\n")
        check_equal(line["source.bytes"], request, f"bytes from the client in {line}")
        check(line["destination.bytes"] > 100, f"bytes from the server in {line}")
    os.unlink(log)


run_stories()
