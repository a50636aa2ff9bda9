"""Mail that nobody upgrades: the dialogue passes as it is, until STARTTLS brings a hello. That, and the server's, are
held to the floor; what stays in plain text does not pass."""

import socket
import ssl

from harness import (
    CONNECT,
    SMTP_HOST,
    TLS10,
    TLS12,
    WAY,
    Gateway,
    ImapOrigin,
    MailClient,
    Pop3Origin,
    RawClient,
    SmtpClient,
    SmtpOrigin,
    alert,
    ca_file,
    check,
    check_equal,
    check_in,
    client_hello,
    curl_mail,
    first_certificate,
    forward,
    leaf,
    of_protocol,
    one_record,
    openssl_starttls,
    run_stories,
    story,
)

NAME = "mail.floor.test"
PROTOCOLS = ("smtp", "imap", "pop3")
WAYS = (WAY, CONNECT)
SAYS_NO = {"smtp": "554 5.", "imap": "* BYE ", "pop3": "-ERR "}
CONSENT = {"smtp": "220 ", "imap": "t1 OK ", "pop3": "+OK "}
IN_PLAIN = {
    "smtp": ("MAIL FROM:<a@b.example>", "AUTH PLAIN AGEAYg==", "AUTH LOGIN"),
    "imap": ("a1 LOGIN anna secret", "a1 AUTHENTICATE PLAIN", "a1 login {4}"),
    "pop3": ("USER anna", "AUTH PLAIN", "APOP anna c4c9334bac560ecc979e58001b3e22fb"),
}


def server(protocol, name=NAME, **more):
    return of_protocol(protocol)(name=name, certificate=leaf(), **more)


def cases():
    return [(protocol, way) for protocol in PROTOCOLS for way in WAYS]


def gateway_to(origin, **settings):
    return Gateway(origin, settings={**forward(origin), **settings})


@story
def starttls_at_the_floor_is_tunnelled_to_the_server_s_own_certificate():
    for protocol, way in cases():
        for version in ("1.2", "1.3"):
            with server(protocol) as origin, gateway_to(origin) as gateway:
                with MailClient(gateway, origin, way) as client:
                    check_equal(client.greet(), origin.greeting, "the greeting")
                    check_in(CONSENT[protocol], client.ask_for_tls(), "the consent")
                    client.start_tls(version)
                    check_equal(client.certificate(), first_certificate(leaf()), "the certificate")
                    check(client.say("x1 NOOP"), "nothing comes in TLS")
                session = origin.session()
                check_equal(session.agreed.version, f"TLSv{version}", "what the server agreed on")
                check_equal(session.commands()[-1], "x1 NOOP", "what the server was told in TLS")


@story
def what_is_said_in_front_of_TLS_passes_byte_for_byte():
    said = {
        "smtp": (b"eHlO  scanner \r\n", b"NOOP  x\r\n", b"RSET\r\n", b"EHLO again\r\n"),
        "imap": (b"A.1 CaPaBiLiTy\r\n", b"2 NOOP \r\n"),
        "pop3": (b"capa\r\n", b"CAPA\r\n"),
    }
    for protocol, way in cases():
        with server(protocol) as origin, gateway_to(origin) as gateway:
            with MailClient(gateway, origin, way) as client:
                session = origin.live_session()
                for line in said[protocol]:
                    client.send(line)
                    session.wait_told(line.decode().rstrip("\r\n"))
                client.send(b"QUIT\r\n" if protocol != "imap" else b"9 LOGOUT\r\n")
                check(client.rest(), "no goodbye was heard")
            told = [data for _, data in origin.session().told]
            check_equal(told[:-1], list(said[protocol]), f"what the {protocol} server was told")


@story
def what_is_offered_is_what_the_server_offers():
    with SmtpOrigin(name=NAME) as origin, gateway_to(origin) as gateway:
        for way in WAYS:
            with MailClient(gateway, origin, way) as client:
                client.line()
                offered = client.ehlo()
                check_in("STARTTLS", offered, "what is offered")
                check_equal(offered[0], "AM0PR01CA0001.outlook.office365.com Hello [192.0.2.1]", "who answers")


@story
def starttls_at_1_0_is_refused_with_an_alert():
    for protocol, way in cases():
        with server(protocol) as origin, gateway_to(origin) as gateway:
            with MailClient(gateway, origin, way) as client:
                client.greet()
                client.ask_for_tls()
                client.send(one_record(client_hello(TLS10, NAME)))
                check_equal(client.rest(), alert(70, TLS10), f"answer to {protocol} by {way}")
            gateway.record(
                {
                    "event.action": "tls-version-blocked",
                    "event.code": "client-below-floor",
                    "network.protocol": protocol,
                    "destination.domain": NAME,
                    "tlsfloor.max_version": "1.0",
                    "tlsfloor.mail.inside": "SP_PROT_TLS1_0_SERVER",
                }
            )
            check(origin.session().commands()[-1].endswith(("STARTTLS", "STLS")), "the hello has reached the server")


@story
def real_clients_say_that_the_version_is_refused():
    for protocol, way in cases():
        with server(protocol, lowest="1.0") as origin, gateway_to(origin) as gateway:
            result = openssl_starttls(gateway, origin, "1.0", way=way, ca=ca_file())
            check_in("alert protocol version", result.output, "what openssl printed")
            gateway.record({"event.code": "client-below-floor", "network.protocol": protocol})
            result = curl_mail(gateway, origin, "", way=way, version="1.1", ca=ca_file())
            check_in("alert protocol version", result.output, "what curl printed")
            gateway.record({"event.code": "client-below-floor", "tlsfloor.mail.inside": "SP_PROT_TLS1_1_SERVER"})


@story
def real_clients_with_1_2_are_not_touched():
    for protocol, way in cases():
        with server(protocol) as origin, gateway_to(origin) as gateway:
            result = openssl_starttls(gateway, origin, "1.2", way=way, ca=ca_file())
            check_in("Verification: OK", result.output, "what openssl printed")
            check_equal(origin.session().agreed.version, "TLSv1.2", "what the server agreed on")


@story
def a_server_that_picks_1_0_is_refused():
    for protocol, way in cases():
        with server(protocol, lowest="1.0", highest="1.0") as origin, gateway_to(origin) as gateway:
            with MailClient(gateway, origin, way) as client:
                client.greet()
                client.ask_for_tls()
                try:
                    client.start_tls("1.2", lowest="1.0")
                    check(False, "the handshake is over")
                except ssl.SSLError as error:
                    check_in("PROTOCOL_VERSION", str(error), "what the client says")
            gateway.record(
                {
                    "event.action": "tls-server-below-floor",
                    "event.code": "server-below-floor",
                    "network.protocol": protocol,
                    "tls.version": "1.0",
                }
            )


@story
def plain_text_is_refused_in_the_protocol_s_own_words():
    for protocol, way in cases():
        for line in IN_PLAIN[protocol]:
            with server(protocol) as origin, gateway_to(origin) as gateway:
                with MailClient(gateway, origin, way) as client:
                    client.greet()
                    check_in(SAYS_NO[protocol], client.say(line)[:8], f"the answer to {line}")
                    check_equal(client.rest(), b"", "what comes behind it")
                gateway.record(
                    {
                        "event.action": "not-tls",
                        "event.code": "mail-cleartext",
                        "network.protocol": protocol,
                        "tlsfloor.verdict": "block",
                    }
                )
                check(line not in origin.session().commands(), f"the server was told {line}")


@story
def plain_text_to_Microsoft_365_is_a_class_of_its_own():
    for way in WAYS:
        with SmtpOrigin() as origin, gateway_to(origin) as gateway:
            with MailClient(gateway, origin, way) as client:
                client.greet()
                check_in("554 5.7.", client.say("MAIL FROM:<a@b.example>"), "the answer")
            gateway.record(
                {
                    "event.action": "not-tls",
                    "event.code": "m365-cleartext",
                    "destination.domain": SMTP_HOST,
                    "tlsfloor.m365.service_area": "Exchange",
                }
            )


@story
def who_watches_lets_plain_text_pass_and_logs_it():
    for way in WAYS:
        for settings in ({"floor.mode": "monitor"}, {"rule w.action": "monitor", "rule w.destination": NAME}):
            with server("smtp") as origin, gateway_to(origin, **settings) as gateway:
                with MailClient(gateway, origin, way) as client:
                    client.greet()
                    check_in("451 5.7.3 ", client.say("MAIL FROM:<a@b.example>"), "the server's own answer")
                    check_in("221 ", client.say("QUIT"), "the goodbye")
                gateway.record(
                    {
                        "event.action": "tls-version-would-block",
                        "event.code": "mail-cleartext",
                        "tlsfloor.verdict": "monitor",
                    }
                )
                check_equal(origin.session().commands()[-2:], ["MAIL FROM:<a@b.example>", "QUIT"], "what was told")


@story
def who_watches_lets_old_starttls_pass_and_logs_it():
    for protocol in PROTOCOLS:
        with server(protocol, lowest="1.0") as origin, gateway_to(origin, **{"floor.mode": "monitor"}) as gateway:
            with MailClient(gateway, origin) as client:
                client.greet()
                client.ask_for_tls()
                client.start_tls("1.0")
                check(client.say("x1 NOOP"), "nothing comes in TLS")
            gateway.record({"event.action": "tls-version-would-block", "event.code": "client-below-floor"})


@story
def what_a_client_puts_behind_its_STARTTLS_never_arrives():
    pairs = {
        "smtp": (b"STARTTLS\r\n", b"MAIL FROM:<evil@b.example>\r\n"),
        "imap": (b"a1 STARTTLS\r\n", b"a2 LOGIN evil evil\r\n"),
        "pop3": (b"STLS\r\n", b"USER evil\r\n"),
    }
    for protocol, way in cases():
        asks, injected = pairs[protocol]
        for behind in (injected, b"\r\n", one_record(client_hello(TLS12, NAME))):
            with server(protocol) as origin, gateway_to(origin) as gateway:
                with MailClient(gateway, origin, way) as client:
                    client.greet()
                    client.send(asks + behind)
                    check_in(SAYS_NO[protocol], client.line()[:8], "the answer")
                    check_equal(client.rest(), b"", "what comes behind it")
                gateway.record({"event.action": "malformed", "event.code": "starttls-command-injection"})
                check(asks + behind not in origin.finished().received, "what was injected arrived")


@story
def what_a_server_puts_behind_its_consent_never_arrives():
    for protocol, way in cases():
        with server(protocol, injects=b"250 injected\r\n") as origin, gateway_to(origin) as gateway:
            with MailClient(gateway, origin, way) as client:
                client.greet()
                check_in(SAYS_NO[protocol], client.ask_for_tls()[:8], "the answer")
                check_equal(client.rest(), b"", "what comes behind it")
            gateway.record({"event.action": "malformed", "event.code": "starttls-response-injection"})


@story
def a_server_that_refuses_STARTTLS_is_heard():
    """It is for the client to go on, and what it then says in plain text does not pass."""
    no = {"smtp": "454 4.7.0 no TLS today", "imap": "t1 NO not today", "pop3": "-ERR not today"}
    asks = {"smtp": "STARTTLS", "imap": "STARTTLS", "pop3": "STLS"}
    for protocol, way in cases():
        answers = {asks[protocol]: no[protocol]}
        with server(protocol, answers=answers) as origin, gateway_to(origin) as gateway:
            with MailClient(gateway, origin, way) as client:
                client.greet()
                check_equal(client.ask_for_tls(), no[protocol], "the server's answer")
                check_in(SAYS_NO[protocol], client.say(IN_PLAIN[protocol][0])[:8], "the answer to plain text")
            gateway.record({"event.code": "mail-cleartext"})


@story
def what_follows_STARTTLS_must_be_TLS():
    for protocol in PROTOCOLS:
        with server(protocol) as origin, gateway_to(origin) as gateway:
            with MailClient(gateway, origin) as client:
                client.greet()
                client.ask_for_tls()
                client.send(b"EHLO again\r\n")
                check_in(SAYS_NO[protocol], client.line()[:8], "the answer")
                check_equal(client.rest(), b"", "what comes behind it")
            gateway.record({"event.action": "malformed", "event.code": "starttls-command-injection"})
            heard = origin.session().commands()
            check(not any("again" in command for command in heard), f"the server has heard {heard}")


@story
def a_rule_that_blocks_refuses_before_the_server_is_asked():
    rule = {"rule no.destination": NAME, "rule no.action": "block"}
    for protocol in PROTOCOLS:
        with server(protocol) as origin:
            with gateway_to(origin, **rule) as gateway:
                with MailClient(gateway, origin) as client:
                    check_in(SAYS_NO[protocol], client.line()[:8], "the greeting")
                    check_equal(client.rest(), b"", "what comes behind it")
                gateway.record({"event.action": "access-denied", "event.code": "rule-block", "rule.name": "no"})
            check_equal(origin.connections, [], "connections to the server")


@story
def a_server_that_cannot_be_reached_is_said_so():
    busy = {"smtp": "421 4.4.", "imap": "* BYE ", "pop3": "-ERR "}
    for protocol in PROTOCOLS:
        origin = server(protocol)
        origin.listener.shutdown(socket.SHUT_RDWR)  # or who waits in accept would still get a connection
        origin.close()
        with gateway_to(origin) as gateway, MailClient(gateway, origin) as client:
            check_in(busy[protocol], client.line()[:8], "the greeting")
            check_equal(client.rest(), b"", "what comes behind it")


@story
def who_says_goodbye_in_plain_text_is_no_case_for_the_log():
    for origin in (SmtpOrigin(name=NAME), ImapOrigin(name=NAME), Pop3Origin(name=NAME)):
        with origin, gateway_to(origin) as gateway, MailClient(gateway, origin) as client:
            client.greet()
            client.send(b"q LOGOUT\r\n" if origin.protocol == "imap" else b"QUIT\r\n")
            check(client.rest(), "no goodbye was heard")


@story
def smtplib_goes_on_in_TLS_1_2_as_if_nobody_were_there():
    with server("smtp") as origin, gateway_to(origin) as gateway:
        client = SmtpClient(gateway, origin, version="1.2")
        client.starttls(context=client.context)
        client.sendmail("a@b.example", ["c@d.example"], "Subject: x\r\n\r\nhello\r\n")
        client.quit()
        check_equal(origin.session().messages, [b"Subject: x\r\n\r\nhello\r\n.\r\n"], "messages")


@story
def the_connection_is_gone_for_both_when_one_has_left():
    with server("smtp") as origin, gateway_to(origin) as gateway:
        with RawClient(gateway.ports[WAY]) as client:
            client.receive_until(b"\r\n")
        origin.finished()


run_stories()
