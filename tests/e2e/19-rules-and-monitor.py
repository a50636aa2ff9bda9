"""Rules: the first that matches wins. Monitoring lets pass what would be blocked, and says so."""

from harness import (
    TLS10,
    TLS12,
    WAYS,
    Gateway,
    RawClient,
    RawOrigin,
    TlsOrigin,
    alert,
    check_equal,
    check_in,
    client_hello,
    curl,
    one_record,
    reach,
    run_stories,
    story,
)

NAME = "origin.floor.test"


def block_rule(name="no", **more):
    return {f"rule {name}.{key}": value for key, value in {"action": "block", **more}.items()}


def page_over(gateway, way, version):
    return check_in(f"page over TLSv{version}".replace("v1.0", "v1"), curl(gateway, way, NAME, version).output, "page")


@story
def a_monitored_gateway_lets_old_clients_pass_and_says_who_they_are():
    with TlsOrigin() as origin, Gateway(origin, settings={"floor.mode": "monitor"}) as gateway:
        for way in WAYS:
            page_over(gateway, way, "1.0")
            gateway.record(
                {
                    "event.action": "tls-version-would-block",
                    "event.code": "client-below-floor",
                    "tlsfloor.verdict": "monitor",
                    "tlsfloor.max_version": "1.0",
                }
            )
            page_over(gateway, way, "1.3")


@story
def a_monitored_gateway_lets_an_old_server_pass_and_says_so():
    with TlsOrigin("1.0", "1.0") as origin, Gateway(origin, settings={"floor.mode": "monitor"}) as gateway:
        result = curl(gateway, "connect", NAME, "1.0")
        check_in("page over TLSv1<", result.output, "page")
        gateway.record({"event.action": "tls-version-would-block"})


@story
def a_monitor_rule_covers_what_it_names_and_no_more():
    rule = {"rule old.destination": "*.floor.test", "rule old.action": "monitor", "rule old.ticket": "CHG-1"}
    with TlsOrigin() as origin, Gateway(origin, settings=rule) as gateway:
        page_over(gateway, "connect", "1.1")
        gateway.record({"event.action": "tls-version-would-block", "rule.name": "old"})
    rule["rule old.destination"] = "other.test"
    with TlsOrigin() as origin, Gateway(origin, settings=rule) as gateway:
        check_equal(curl(gateway, "connect", NAME, "1.1").status, 35, "curl's status")
        gateway.record({"event.action": "tls-version-blocked", "event.code": "client-below-floor"})


@story
def a_block_rule_refuses_modern_clients_too():
    with RawOrigin() as origin:
        with Gateway(origin, settings=block_rule(destination=NAME)) as gateway:
            for way in WAYS:
                with RawClient(gateway.proxy if way == "connect" else gateway.straight) as client:
                    if way == "connect":
                        client.connect(NAME)
                    client.send(one_record(client_hello(TLS12)))
                    check_equal(client.receive_all(), alert(49, TLS12), f"answer by {way}")
                gateway.record({"event.action": "access-denied", "event.code": "rule-block", "rule.name": "no"})
        check_equal(origin.received(), b"", "what reached the server")


@story
def the_first_rule_that_matches_wins():
    rules = {**block_rule("first", listener="straight"), "rule second.action": "monitor"}
    with TlsOrigin() as origin, Gateway(origin, settings=rules) as gateway:
        page_over(gateway, "connect", "1.0")
        gateway.record({"rule.name": "second", "tlsfloor.verdict": "monitor"})
        with reach(gateway, "sni") as client:
            client.send(one_record(client_hello(TLS10)))
            check_equal(client.receive_all(), alert(70, TLS10), "answer")
        gateway.record({"rule.name": "first", "tlsfloor.verdict": "block"})


@story
def a_rule_ends_with_its_day():
    rules = {"rule old.action": "monitor", "rule old.until": "2020-01-31"}
    with TlsOrigin() as origin, Gateway(origin, settings=rules) as gateway:
        check_equal(curl(gateway, "connect", NAME, "1.0").status, 35, "curl's status")
        gateway.record({"event.action": "tls-version-blocked"})


@story
def a_rule_for_addresses_looks_at_the_address_that_is_dialled():
    with RawOrigin() as origin, Gateway(origin, settings=block_rule(destination="127.0.0.0/8")) as gateway:
        with reach(gateway, "connect") as client:
            client.send(one_record(client_hello(TLS12)))
            check_equal(client.receive_all(), alert(49, TLS12), "answer")
        gateway.record({"event.code": "rule-block", "destination.ip": "127.0.0.1"})


@story
def a_floor_of_1_3_refuses_1_2():
    with TlsOrigin() as origin, Gateway(origin, settings={"floor.minimum": "1.3"}) as gateway:
        for way in WAYS:
            check_in("alert protocol version", curl(gateway, way, NAME, "1.2").output, "what curl says")
            gateway.record({"event.code": "client-below-floor", "tlsfloor.floor": "1.3", "tlsfloor.max_version": "1.2"})
            page_over(gateway, way, "1.3")


run_stories()
