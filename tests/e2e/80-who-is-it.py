"""Who a refused client is: told by its hello and by what it says of itself, with how sure that is."""

import json

from harness import (
    CONNECT,
    SSL3,
    TLS10,
    WAYS,
    Gateway,
    MailClient,
    RawClient,
    RawOrigin,
    SmtpOrigin,
    alert,
    check,
    check_equal,
    client_hello,
    forward,
    inspected,
    one_record,
    openssl_client,
    reach,
    run_stories,
    story,
)

NAME = "origin.floor.test"
FIELDS = ("tlsfloor.client_family", "tlsfloor.client_name", "tlsfloor.client_certainty")
FIREFOX_4 = "Mozilla/5.0 (X11; Linux i686; rv:2.0) Gecko/20100101 Firefox/4.0"
CHROME_90 = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/90.0 Safari/537.36"


def hellos():
    """The rows of tests/data that are below the floor."""
    with open("tests/data/clienthellos.jsonl", encoding="utf-8") as f:
        rows = [json.loads(line) for line in f]
    return [row for row in rows if row["verdict"] == "block"]


def flight(name):
    return next(bytes.fromhex(row["record_hex"]) for row in hellos() if row["id"] == name)


def known(record):
    return tuple(record.get(field) for field in FIELDS)


def ask(gateway, agent, hello):
    """CONNECT with a User-Agent, then the hello; ends when the gateway has hung up."""
    with RawClient(gateway.proxy) as client:
        client.send(f"CONNECT {NAME}:443 HTTP/1.1\r\nHost: {NAME}\r\nUser-Agent: {agent}\r\n\r\n".encode())
        client.receive_until(b"\r\n\r\n")
        client.send(hello)
        client.receive_all()


@story
def the_hellos_of_real_clients_are_recognised():
    with RawOrigin(name=NAME) as origin, Gateway(origin) as gateway:
        for row in hellos():
            with reach(gateway, CONNECT, NAME) as client:
                client.send(bytes.fromhex(row["record_hex"]))
                client.receive_all()
            record = gateway.record({"tlsfloor.verdict": "block", "tlsfloor.client_family": row["legacy_family"]})
            is_guess = record["tlsfloor.client_certainty"] == "possible"
            check_equal(record["tlsfloor.client_name"].startswith("perhaps "), is_guess, f"the guess in {record}")
            check(record["tlsfloor.client_ability"], f"nothing is said of what {row['client']} can do")


@story
def inspect_says_the_same_as_the_record():
    with RawOrigin(name=NAME) as origin, Gateway(origin) as gateway:
        hello = flight("zk-socks-with-ssl-s0")
        with reach(gateway, CONNECT, NAME) as client:
            client.send(hello)
            client.receive_all()
        record = gateway.record()
        answer = inspected(hello)
        check_equal(known(record), tuple(answer[field.split(".")[1]] for field in FIELDS), "family, name, certainty")
        check_equal(record["tlsfloor.client_ability"], answer["client_ability"], "ability")


@story
def a_hello_and_an_agent_that_agree_are_certain():
    with RawOrigin(name=NAME) as origin, Gateway(origin) as gateway:
        ask(gateway, FIREFOX_4, flight("zk-socks-with-ssl-s0"))
        check_equal(known(gateway.record()), ("firefox-le-5", "Firefox up to 5", "certain"), "who it is")


@story
def an_agent_that_contradicts_the_hello_is_not_believed():
    with RawOrigin(name=NAME) as origin, Gateway(origin) as gateway:
        for agent in (CHROME_90, "Java/1.6.0_45"):
            ask(gateway, agent, flight("zk-socks-with-ssl-s0"))
            family, name, certainty = known(gateway.record({"user_agent.original": agent}))
            check_equal((family, certainty), ("firefox-le-26", "possible"), "who it is")
            check(name.startswith("perhaps "), f"{name} is no guess")


@story
def a_current_OpenSSL_held_to_old_versions_is_configured_down():
    for way in WAYS:
        for version in ("1.0", "1.1"):
            with RawOrigin(name=NAME) as origin, Gateway(origin) as gateway:
                openssl_client(gateway, way, NAME, version)
                gateway.record(
                    {
                        "event.code": "client-below-floor",
                        "tlsfloor.client_family": "configured-down",
                        "tlsfloor.client_ability": "can be configured",
                    }
                )


@story
def a_device_is_recognised_by_its_name_in_EHLO():
    with SmtpOrigin(name="mail.floor.test") as origin, Gateway(origin, settings=forward(origin)) as gateway:
        with MailClient(gateway, origin) as client:
            client.line()
            client.ehlo("NPI12AB9F.example.com")
            client.ask_for_tls()
            client.send(flight("su-tls-pre-1970-input-s0"))
            check_equal(client.rest(), alert(70, TLS10), "the answer to its hello")
        record = gateway.record({"event.code": "client-below-floor", "tlsfloor.greeting": "NPI12AB9F.example.com"})
        wanted = ("embedded-openssl", "an HP printer or multifunction device", "certain")
        check_equal(known(record), wanted, "who it is")


@story
def a_name_in_EHLO_is_cut_to_fit():
    with SmtpOrigin(name="mail.floor.test") as origin, Gateway(origin, settings=forward(origin)) as gateway:
        with MailClient(gateway, origin) as client:
            client.line()
            client.ehlo("a" * 100)
            client.say("MAIL FROM:<a@b.example>")
            client.rest()
        gateway.record({"event.code": "mail-cleartext", "tlsfloor.greeting": "a" * 63})


@story
def nothing_is_guessed_of_a_hello_that_nobody_knows():
    with RawOrigin(name=NAME) as origin, Gateway(origin) as gateway:
        with reach(gateway, CONNECT, NAME) as client:
            client.send(one_record(client_hello(SSL3, suites=(0x0001, 0x0002))))
            client.receive_all()
        check_equal(known(gateway.record({"event.code": "client-below-floor"})), (None, None, None), "who it is")


@story
def a_healthy_client_is_nobody_s_business():
    settings = {"rule no.destination": NAME, "rule no.action": "block"}
    with RawOrigin(name=NAME) as origin, Gateway(origin, settings=settings) as gateway:
        ask(gateway, FIREFOX_4, one_record(client_hello(name=NAME)))
        check_equal(known(gateway.record()), (None, None, None), "who it is")


run_stories()
