"""A stray TLS 1.0 hello of a client that also speaks TLS 1.2 is a fallback; of a client that does not, it is legacy."""

from harness import (
    TLS10,
    TLS12,
    Gateway,
    RawClient,
    TlsOrigin,
    check_equal,
    client_hello,
    one_record,
    run_stories,
    story,
)

SCSV = 0x5600
MODERN_SUITES = (0xC02B, 0xC02F, 0xC009, 0xC013, 0x002F)
HEALTHY = one_record(client_hello(TLS12))
OLD = one_record(client_hello(TLS10))


def say(gateway, hello, source="127.0.0.1", more=b""):
    with RawClient(gateway.straight, source=source) as client:
        client.send(hello, more)
        return client.receive(1)


def class_of_the_next(gateway):
    return gateway.record({"event.code": "client-below-floor"})["tlsfloor.client_class"]


@story
def a_client_that_only_speaks_old_tls_is_legacy():
    with TlsOrigin() as origin, Gateway(origin) as gateway:
        for _ in range(3):
            say(gateway, OLD)
            check_equal(class_of_the_next(gateway), "legacy", "class")


@story
def one_old_hello_among_healthy_ones_is_a_fallback():
    with TlsOrigin() as origin, Gateway(origin) as gateway:
        say(gateway, HEALTHY)
        say(gateway, OLD)
        record = gateway.record({"event.code": "client-below-floor", "tlsfloor.client_class": "fallback"})
        check_equal("can do better" in record["tlsfloor.fix"], True, "advice is about the first try")


@story
def old_hellos_that_go_on_are_legacy_after_all():
    with TlsOrigin() as origin, Gateway(origin) as gateway:
        say(gateway, HEALTHY)
        classes = []
        for _ in range(5):
            say(gateway, OLD)
            classes.append(class_of_the_next(gateway))
        check_equal(classes, ["fallback"] * 3 + ["legacy"] * 2, "classes")


@story
def another_source_or_destination_says_nothing_of_a_client():
    with TlsOrigin() as origin, TlsOrigin(name="other.floor.test") as other, Gateway(origin, other) as gateway:
        say(gateway, HEALTHY)
        say(gateway, OLD, source="127.0.0.2")
        check_equal(class_of_the_next(gateway), "legacy", "class of another source")
        say(gateway, one_record(client_hello(TLS10, name="other.floor.test")))
        check_equal(class_of_the_next(gateway), "legacy", "class on the way to another destination")


@story
def without_a_window_nothing_is_a_fallback():
    with TlsOrigin() as origin, Gateway(origin, settings={"inventory.fallback_s": "0"}) as gateway:
        say(gateway, HEALTHY)
        say(gateway, OLD)
        check_equal(class_of_the_next(gateway), "legacy", "class")


@story
def a_hello_that_says_itself_that_it_is_a_second_try_is_one():
    """TLS_FALLBACK_SCSV, RFC 7507; a program below TLS 1.2 that sends it knows better versions."""
    hello = one_record(client_hello(TLS10, suites=(*MODERN_SUITES, SCSV)))
    with TlsOrigin() as origin, Gateway(origin) as gateway:
        say(gateway, hello)
        check_equal(class_of_the_next(gateway), "fallback", "class")


run_stories()
