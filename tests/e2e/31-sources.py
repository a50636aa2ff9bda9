"""Who it was: clients with addresses of their own, on loopback and across a network."""

from harness import (
    TLS10,
    TLS12,
    ClientNetwork,
    Gateway,
    RawClient,
    RawOrigin,
    TlsOrigin,
    alert,
    ca_file,
    check_equal,
    check_in,
    client_hello,
    in_own_network,
    one_record,
    run_stories,
    skip_unless,
    story,
)

NAME = "origin.floor.test"
OLD = one_record(client_hello(TLS10))
OLD_CURL = ("--tlsv1.0", "--tls-max", "1.0")
NEW = one_record(client_hello(TLS12))
HAS_NETWORKS = in_own_network()


def answer_to(hello, gateway, source):
    with RawClient(gateway.straight, source=source) as client:
        client.send(hello)
        return client.receive_all()


@story
def the_record_has_the_clients_address():
    with RawOrigin() as origin, Gateway(origin) as gateway:
        for source in ("127.0.0.1", "127.1.2.3"):
            check_equal(answer_to(OLD, gateway, source), alert(70, TLS10), "answer")
            gateway.record({"event.code": "client-below-floor", "source.ip": source})


@story
def a_source_rule_covers_its_network_and_no_more():
    rule = {"rule here.source": "127.1.0.0/16, 127.9.9.9", "rule here.action": "block"}
    with RawOrigin() as origin, Gateway(origin, settings=rule) as gateway:
        for source in ("127.1.0.1", "127.1.255.254", "127.9.9.9"):
            check_equal(answer_to(NEW, gateway, source), alert(49, TLS12), f"answer to {source}")
            gateway.record({"event.code": "rule-block", "rule.name": "here", "source.ip": source})
        for source in ("127.2.0.1", "127.0.255.254", "127.9.9.8"):
            check_equal(answer_to(OLD, gateway, source), alert(70, TLS10), f"answer to {source}")
            gateway.record({"event.code": "client-below-floor", "source.ip": source})


@story
def a_source_outside_is_refused_before_it_is_heard():
    with RawOrigin() as origin, Gateway(origin, settings={"access.source": "127.1.0.0/16"}) as gateway:
        check_equal(answer_to(OLD, gateway, "127.1.2.3"), alert(70, TLS10), "answer to one inside")
        gateway.record({"event.code": "client-below-floor"})
        with RawClient(gateway.proxy, source="127.2.2.3") as client:
            client.send(f"CONNECT {NAME}:443 HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode())
            check_in(b"HTTP/1.1 403 ", client.receive_all(), "answer to one outside")
        gateway.record({"event.action": "access-denied", "event.code": "source-denied", "source.ip": "127.2.2.3"})
        check_equal(len(origin.connections), 0, "connections to the server")


def curl_from(network, gateway, *options):
    where = ["-x", f"http://10.77.0.1:{gateway.proxy}", "--cacert", ca_file()]
    return network.run("curl", "-sS", *where, "--ciphers", "DEFAULT@SECLEVEL=0", *options, f"https://{NAME}/")


def gateway_on_the_network(origin, **more):
    settings = {"listener proxy.listen": "10.77.0.1:0", "listener straight.listen": "10.77.0.1:0"}
    return Gateway(origin, settings={**settings, **{key.replace("__", "."): value for key, value in more.items()}})


@story
def a_client_across_a_network_is_served_and_known():
    skip_unless(HAS_NETWORKS, "network namespace")
    with ClientNetwork() as network, TlsOrigin() as origin, gateway_on_the_network(origin) as gateway:
        check_in("page over TLSv1.3", curl_from(network, gateway).output, "what curl got")
        check_in("protocol version", curl_from(network, gateway, *OLD_CURL).output, "what curl says")
        gateway.record({"event.code": "client-below-floor", "source.ip": "10.77.0.2"})


@story
def a_rule_for_a_network_counts_for_its_clients():
    skip_unless(HAS_NETWORKS, "network namespace")
    rules = {"rule printers.source": "10.77.0.0/24", "rule printers.action": "monitor"}
    with ClientNetwork() as network, TlsOrigin() as origin, gateway_on_the_network(origin, **rules) as gateway:
        check_in("page over TLSv1<", curl_from(network, gateway, *OLD_CURL).output, "what curl got")
        gateway.record(
            {"event.action": "tls-version-would-block", "rule.name": "printers", "source.ip": "10.77.0.2"}
        )


@story
def a_client_across_a_network_that_is_not_listed_is_refused():
    skip_unless(HAS_NETWORKS, "network namespace")
    with ClientNetwork() as network, TlsOrigin() as origin:
        with gateway_on_the_network(origin, access__source="loopback, 10.77.1.0/24") as gateway:
            result = curl_from(network, gateway)
            check_equal(result.status, 56, f"curl's status, which says {result.output}")
            check_in("403", result.output, "what curl says")
            gateway.record({"event.code": "source-denied", "source.ip": "10.77.0.2"})
        check_equal(len(origin.connections), 0, "connections to the server")


run_stories()
