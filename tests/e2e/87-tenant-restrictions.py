"""Tenant restrictions: the sign-in hosts of Microsoft, and no others, are told which tenants a client may sign in to,
wherever its requests can be read."""

import struct

from harness import (
    CONNECT,
    SNI,
    WAYS,
    HttpOrigin,
    OfficeOrigin,
    RawClient,
    check,
    check_equal,
    check_in,
    client_context,
    curl,
    run_client,
    run_stories,
    story,
    users_file,
)
from harness.sign_in import (
    CONSUMER,
    LOOK_ALIKES,
    NAME,
    NEIGHBOURS,
    OURS,
    OWN,
    OWN_FIELDS,
    POLICY,
    POLICY_ID,
    SECTION,
    TENANTS,
    THEIRS,
    UPGRADED,
    V1,
    V1_FIELDS,
    V2,
    V2_FIELDS,
    WORK,
    Browser,
    SignIn,
    browser,
    restricting,
)


@story
def v1_tells_the_work_hosts_which_tenants_there_are():
    for name in WORK:
        for way in WAYS:
            with SignIn(name) as origin, restricting(origin, settings=V1) as gateway:
                done = curl(gateway, way, name, "1.0", ca=gateway.ca)
                check_equal(done, ("0 bytes", 0), "what curl got")
                record = gateway.record({**UPGRADED, "destination.domain": name, "tlsfloor.upgrade.to": "1.3"})
                check_in("curl/", record["user_agent.original"], "user agent, which was seen inside")
                check_equal(origin.fields(), V1_FIELDS, "fields")
                check_in(f"\r\nHost: {name}\r\n", origin.seen[0][1], "request")
                check_equal(origin.agreed[0].alpn, "http/1.1", "protocol that was agreed on")


@story
def v1_keeps_personal_accounts_out_if_it_is_told_to():
    settings = {**V1, f"{SECTION}.consumer": "block"}
    with SignIn(CONSUMER) as origin, restricting(origin, settings=settings) as gateway:
        with browser(gateway, name=CONSUMER) as client:
            client.gets(fields=OWN)
        gateway.record(UPGRADED)
        check_equal(origin.fields(), [(POLICY, "restrict-msa")], "fields")


@story
def v1_leaves_the_host_of_personal_accounts_alone_otherwise():
    with SignIn(CONSUMER) as origin, restricting(origin, settings=V1) as gateway:
        with browser(gateway, name=CONSUMER) as client:
            client.gets(fields=OWN)
            gateway.record(UPGRADED)
        check_equal(origin.fields(), OWN_FIELDS, "fields")


@story
def v2_has_one_field_for_all_four():
    for name in (*WORK, CONSUMER):
        with SignIn(name) as origin, restricting(origin, settings=V2) as gateway:
            with browser(gateway, name=name) as client:
                client.gets(fields=OWN)
            gateway.record(UPGRADED)
            check_equal(origin.fields(), V2_FIELDS, "fields")


@story
def the_clients_own_copies_are_removed():
    for settings, wanted in ((V1, V1_FIELDS), (V2, V2_FIELDS)):
        with SignIn() as origin, restricting(origin, settings=settings) as gateway:
            with browser(gateway) as client:
                client.gets(fields=OWN)
                client.gets(fields=f"Connection: keep-alive, {TENANTS}, {POLICY}\r\n{OWN}X-Other: stays\r\n")
            gateway.record(UPGRADED)
            for number in range(2):
                check_equal(origin.fields(number), wanted, f"fields of request {number}")
            check_in("\r\nX-Other: stays", origin.seen[1][1], "request")


@story
def without_the_section_nothing_is_read():
    with SignIn() as origin, restricting(origin, settings={}) as gateway:
        with browser(gateway) as client:
            client.gets(fields=OWN, host="other.example")
            gateway.record(UPGRADED)
        check_equal(origin.fields(), OWN_FIELDS, "fields")
        check("\r\nVia: " not in origin.seen[0][1], "the request has been made anew")


@story
def plain_HTTP_is_restricted_too():
    """Both when it is carried on in TLS and, where a rule says so, in plain."""
    url = f"http://{NAME}/"
    plain_rule = {"rule plain.destination": NAME, "rule plain.action": "tunnel"}
    own = [option for line in OWN.split("\r\n")[:-1] for option in ("-H", line)]
    with SignIn() as origin, restricting(origin, settings=V1) as gateway:
        done = run_client("curl", "-sS", "-x", f"http://127.0.0.1:{gateway.proxy}", *own, url, url)
        check_equal(done, ("0 bytes0 bytes", 0), "what curl got")
        for number in range(2):
            gateway.record({"event.code": "plain-upgraded", "tlsfloor.upgrade.from": "plain"})
            check_equal(origin.fields(number), V1_FIELDS, "fields")
    with HttpOrigin(NAME) as origin, restricting(origin, settings={**V2, **plain_rule}) as gateway:
        done = run_client("curl", "-sS", "-x", f"http://127.0.0.1:{gateway.proxy}", *own, url)
        check_equal(done, ("plain page\n", 0), "what curl got")
        check_equal(origin.seen[0][2].get_all(POLICY), [V2_FIELDS[0][1]], "field")
        check_equal(origin.seen[0][2].get_all(TENANTS), None, "field of v1")


@story
def neighbours_and_look_alikes_are_left_alone():
    for name in NEIGHBOURS:
        with SignIn(name) as origin, restricting(origin, settings=V1) as gateway:
            with browser(gateway, name=name) as client:
                client.gets(fields=OWN)
                gateway.record(UPGRADED)
            check_equal(origin.fields(), OWN_FIELDS, f"fields for {name}")
    rule = {"rule alike.destination": ", ".join(LOOK_ALIKES), "rule alike.action": "upgrade"}
    for name in LOOK_ALIKES:
        with SignIn(name) as origin, restricting(origin, settings={**V2, **rule}) as gateway:
            with RawClient(gateway.proxy) as client:
                client.send(f"GET http://{name}/ HTTP/1.1\r\nHost: {name}\r\n{OWN}Connection: close\r\n\r\n".encode())
                check_in(b"200 OK", client.receive_all(), "answer")
            gateway.record({"event.code": "plain-upgraded"})
            check_equal(origin.fields(), OWN_FIELDS, f"fields for {name}")


@story
def a_healthy_client_is_not_touched():
    for version in ("1.2", "1.3"):
        with SignIn() as origin, restricting(origin, settings=V2) as gateway:
            context = client_context(version, version)  # which trusts the server's CA, not the gateway's
            context.set_alpn_protocols(["h2", "http/1.1"])
            with browser(gateway, SNI, context=context) as client:
                check_equal(client.peer.tls.selected_alpn_protocol(), "h2", "agreed on")
                client.gets(fields=OWN)
            check_equal(origin.fields(), OWN_FIELDS, "fields")


@story
def a_healthy_client_whose_TLS_ends_here_anyway_is_restricted():
    settings = {**V1, "listener front.listen": "127.0.0.1:0", "listener front.kind": "forward",
                "listener front.upstream": f"{NAME}:443", "listener front.client_tls": "implicit",
                "rule front.destination": NAME, "rule front.action": "upgrade"}  # fmt: skip
    with SignIn() as origin, restricting(origin, settings=settings) as gateway:
        context = client_context("1.3", "1.3", gateway.ca)
        context.set_alpn_protocols(["h2", "http/1.1"])
        with Browser(gateway, RawClient(gateway.ports["front"]), context=context) as client:
            check_equal(client.peer.tls.selected_alpn_protocol(), "http/1.1", "agreed on")
            client.gets(fields=OWN)
        gateway.record({"event.action": "tls-upgraded", "event.code": "client-terminated"})
        check_equal(origin.fields(), V1_FIELDS, "fields")


@story
def socks_clients_are_restricted():
    settings = {**V2, "listener socks.listen": "127.0.0.1:0", "listener socks.kind": "socks5"}
    with SignIn() as origin, restricting(origin, settings=settings) as gateway:
        with RawClient(gateway.ports["socks"]) as raw:
            raw.send(b"\5\1\0\5\1\0\3" + bytes([len(NAME)]) + NAME.encode() + struct.pack(">H", 443))
            raw.receive(12)
            with Browser(gateway, raw) as client:
                client.gets(fields=OWN)
        gateway.record(UPGRADED)
        check_equal(origin.fields(), V2_FIELDS, "fields")


@story
def a_host_that_is_known_by_its_address_is_restricted_by_its_name():
    rule = {"rule up.destination": NAME, "rule up.action": "upgrade"}
    with SignIn() as origin, restricting(settings={**V1, **rule, "access.port": "1-65535"}) as gateway:
        with RawClient(gateway.proxy).connect(origin.address, origin.port) as raw:
            with Browser(gateway, raw) as client:
                client.gets(fields=OWN)
                origin.connections[0].shutdown(2)
                origin.finished(0)
                client.gets()
        gateway.record(UPGRADED)
        check_equal([origin.fields(n) for n in range(2)], [V1_FIELDS] * 2, "fields")
        check_in(f"\r\nHost: {NAME}:{origin.port}\r\n", origin.seen[1][1], "request")


@story
def who_has_logged_in_to_the_proxy_need_not_do_it_again_within():
    users = users_file(anna=("secret", "anna"))
    with SignIn() as origin, restricting(origin, settings={**V1, "listener proxy.users": users}) as gateway:
        done = curl(gateway, CONNECT, NAME, "1.0", "-U", "anna:secret", f"https://{NAME}/again", ca=gateway.ca)
        check_equal(done, ("0 bytes0 bytes", 0), "what curl got")
        gateway.record({**UPGRADED, "user.name": "anna"})
        check_equal([origin.fields(n) for n in range(2)], [V1_FIELDS] * 2, "fields")


@story
def a_reload_is_for_sessions_that_begin_after_it():
    with SignIn() as origin, restricting(origin, settings=V2) as gateway:
        with browser(gateway) as before:
            before.gets()
            gateway.record(UPGRADED)
            gateway.reload(gateway.ini.replace(OURS, THEIRS))
            with browser(gateway) as after:
                after.gets()
                before.gets()
        gateway.record(UPGRADED)
        wanted = [OURS, THEIRS, OURS]
        check_equal([origin.fields(n) for n in range(3)], [[(POLICY, f"{w}:{POLICY_ID}")] for w in wanted], "fields")


@story
def other_hosts_of_Microsoft_365_are_carried_as_before():
    with OfficeOrigin() as origin, restricting(origin, settings=V2) as gateway:
        done = curl(gateway, CONNECT, origin.name, "1.0", ca=gateway.ca)
        check_in("page over TLSv1.3", done.output, "page")
        gateway.record(UPGRADED)


run_stories()
