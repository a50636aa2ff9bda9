"""What the gateway makes of mail servers: those that are no good are refused before anybody logs in, those that want
another name or a certificate get it, and what they say is explained."""

import os
import ssl

from harness import (
    PASSWORD,
    USER,
    MailClient,
    SmtpClient,
    SmtpOrigin,
    base64_of,
    ca_file,
    check,
    check_equal,
    check_in,
    first_certificate,
    leaf,
    mail_gateway,
    mail_upgraded,
    make_signed,
    run_stories,
    story,
    workplace,
)

HERE = "mail.floor.test"
RULE = {"rule up.destination": "*.floor.test", "rule up.action": "upgrade"}
MESSAGE = b"Subject: scan\r\n\r\na bare \n line end, a bare \r too\r\n..two dots\r\n\0\xff\r\n.\r\n"


def is_refused(code, detail="", settings=None, action="upstream-verify-failed", **server):
    """The server is no good: the client is told 554, its login never leaves, and there is one record."""
    for client_tls in ("none", "optional", "implicit"):
        with SmtpOrigin(**server) as origin, mail_gateway(origin, client_tls, settings) as gateway:
            with MailClient(gateway, origin) as client:
                answers = []
                try:
                    if client_tls == "implicit":
                        client.start_tls("1.0", gateway.ca)
                    answers.append(client.line())
                    client.send(b"EHLO scanner.example\r\n")
                    answers.append(client.line())
                except (ssl.SSLError, OSError, EOFError):
                    check(client_tls == "implicit" or answers, "the connection broke without a word")
                if client_tls != "implicit":
                    check_in("554 5.", answers[-1], f"the answer with {client_tls}")
            record = gateway.record({"event.action": action, "event.code": code, "network.protocol": "smtp"})
            check_in(detail, record.get("tlsfloor.detail", ""), "the cause")
        check(not origin.sessions[0].logins, "somebody has logged in")


@story
def a_certificate_that_does_not_verify_ends_it():
    is_refused("upstream-verify-failed", "hostname mismatch", certificate=leaf())


@story
def a_server_that_has_nothing_but_TLS_1_1_ends_it():
    is_refused("upstream-tls-failed", lowest="1.0", highest="1.1")


@story
def a_server_without_STARTTLS_ends_it():
    is_refused("upstream-no-starttls", starttls=False)


@story
def a_server_that_refuses_STARTTLS_ends_it():
    is_refused("upstream-no-starttls", answers={"STARTTLS": "454 4.7.0 TLS not available"})


@story
def what_a_server_puts_behind_its_consent_ends_it():
    is_refused("starttls-response-injection", injects=b"250 injected\r\n", action="malformed")


@story
def plain_text_outside_is_for_those_who_ask_for_it_and_never_for_logins():
    opportunistic = {"settings": RULE, "server_tls": "opportunistic"}
    with SmtpOrigin(name=HERE, starttls=False) as origin:
        origin.on_mail = lambda session, rest: session.write("250 2.1.0 Sender OK")
        with mail_gateway(origin, **opportunistic) as gateway:
            with MailClient(gateway, origin) as client:
                client.line()
                check("AUTH" not in client.offered(), "AUTH is offered")
                check_equal(client.say(f"AUTH PLAIN {base64_of('x')}")[0], "5", "the answer to a login")
                check_in("250 2.0.0 OK", client.message(MESSAGE), "the answer to the message")
                client.say("QUIT")
            gateway.record(
                {
                    "event.action": "tls-version-would-block",
                    "event.code": "mail-cleartext",
                    "tlsfloor.detail": "server_tls = opportunistic lets it pass",
                    "tlsfloor.mail.inside": "SP_PROT_NONE",
                    "tlsfloor.mail.outside": "SP_PROT_NONE",
                }
            )
        check_equal(origin.session().messages, [MESSAGE], "what the server got")
        check(not any("AUTH" in command for command in origin.session().commands()), "the server was told of a login")
    with SmtpOrigin(name=HERE, certificate=leaf()) as origin, mail_gateway(origin, **opportunistic) as gateway:
        with MailClient(gateway, origin) as client:
            client.greet()
            client.message(MESSAGE)
            client.say("QUIT")
        gateway.record(mail_upgraded())
        check_equal(origin.session().agreed.version, "TLSv1.3", "the outside leg, where the server has STARTTLS")


@story
def plain_text_is_never_spoken_to_Microsoft_365():
    with SmtpOrigin(starttls=False) as origin, mail_gateway(origin, server_tls="opportunistic") as gateway:
        with MailClient(gateway, origin) as client:
            client.line()
            check_in("554 5.7.", client.say("EHLO scanner.example"), "the answer")
        gateway.record({"event.action": "upstream-verify-failed", "event.code": "upstream-no-starttls"})


@story
def answers_that_admins_search_for_are_explained():
    rows = (
        ("MAIL", "421 4.7.66 TLS 1.0 and 1.1 are not supported. Please upgrade", "421 4.7.66", True),
        ("MAIL", "530 5.7.57 Client not authenticated to send mail.", "5.7.57", False),
        ("message", "554 5.2.252 SendAsDenied; 5.7.60 SMTP; Client does not have permissions", None, None),
        ("message", "550 5.7.60 SMTP; Client does not have permissions to send as this sender", "5.7.60", False),
        ("RCPT", "550 5.7.64 TenantAttribution; Relay Access Denied", "5.7.64", False),
        ("RCPT", "550 5.7.68 TenantInboundAttribution; Direct Send not allowed", "550 5.7.68", False),
        ("AUTH", "550 5.7.30 Basic authentication is not supported for Client Submission.", "550 5.7.30", False),
    )
    for at, answer, code, is_about_tls in rows:
        with SmtpOrigin(answers={at: answer}) as origin, mail_gateway(origin) as gateway:
            with MailClient(gateway, origin) as client:
                client.greet()
                client.say(f"AUTH LOGIN {base64_of(USER)}")
                heard = client.say(base64_of(PASSWORD))
                if at != "AUTH":
                    heard = client.say("MAIL FROM:<a@b.example>")
                if at in ("RCPT", "message"):
                    heard = client.say("RCPT TO:<c@d.example>")
                if at == "message":
                    client.say("DATA")
                    client.send(MESSAGE)
                    heard = client.line()
                check_equal(heard, answer, "what the client hears")
                client.say("QUIT")
            record = gateway.record(mail_upgraded())
            check_equal(record.get("tlsfloor.mail.answer"), code, f"what is recognised in {answer}")
            check_equal(record.get("tlsfloor.mail.answer_is_about_tls"), is_about_tls, "whether it is about TLS")


def forget(made):
    for end in ("pem", "key", "csr", "ext"):
        os.unlink(f"{made}.{end}")


@story
def a_certificate_may_have_another_name_where_the_listener_says_so():
    mx = "contoso-example.mail.protection.outlook.com"
    made = workplace("run", f"mx-{os.getpid()}")
    names = "subjectAltName=DNS:mail.protection.outlook.com\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:false"
    make_signed(made, ca_file()[: -len(".pem")], "mail.protection.outlook.com", names)
    pair = (f"{made}.pem", f"{made}.key")
    for keys, is_fine in (({"server_name": "mail.protection.outlook.com"}, True), ({}, False)):
        with SmtpOrigin(name=mx, asked_port=25, certificate=pair) as origin, mail_gateway(origin, **keys) as gateway:
            with MailClient(gateway, origin) as client:
                client.line()
                client.send(b"EHLO scanner.example\r\n")
                check_equal(client.line()[:3], "250" if is_fine else "554", "the answer")
            gateway.record(mail_upgraded() if is_fine else {"event.code": "upstream-verify-failed"})
    forget(made)


@story
def connectors_are_shown_the_client_certificate():
    made = workplace("run", f"connector-{os.getpid()}")
    make_signed(made, ca_file()[: -len(".pem")], "gateway.contoso.example", "extendedKeyUsage=clientAuth\n")
    pair = (f"{made}.pem", f"{made}.key")
    settings = {"upstream.certificate": pair[0], "upstream.key": pair[1]}
    with SmtpOrigin(wants_certificate=True) as origin, mail_gateway(origin, settings=settings) as gateway:
        with MailClient(gateway, origin) as client:
            client.greet()
            client.say("QUIT")
        gateway.record(mail_upgraded())
        check_equal(origin.session().certificate, first_certificate(pair), "what the server was shown")
    forget(made)


@story
def a_listener_may_show_a_certificate_of_its_own():
    certificate, key = leaf()
    with SmtpOrigin() as origin, mail_gateway(origin, "starttls", certificate=certificate, key=key) as gateway:
        with MailClient(gateway, origin) as client:
            client.name = HERE
            client.greet()
            client.ask_for_tls()
            client.start_tls("1.0")
            check_equal(client.certificate(), first_certificate(leaf()), "the certificate")
            client.ehlo()
            client.say("QUIT")
        gateway.record(mail_upgraded("1.0"))


@story
def a_client_that_does_not_trust_the_CA_is_told_apart():
    with SmtpOrigin() as origin, mail_gateway(origin, "optional") as gateway:
        client = SmtpClient(gateway, origin, version="1.0")
        try:
            client.starttls(context=client.context)
            check(False, "the handshake is over")
        except ssl.SSLError as error:
            check_in("CERTIFICATE_VERIFY_FAILED", str(error), "what the client says")
        client.close()
        gateway.record({"event.action": "tls-version-blocked", "event.code": "client-distrusts-ca"})


run_stories()
