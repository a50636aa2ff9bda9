"""Scanners that send mail in plain text or in old TLS, to a server that wants STARTTLS and TLS 1.2: the gateway speaks
it for them, and each side sees only what holds on its own leg."""

import os
import ssl

from harness import (
    CONNECT,
    PASSWORD,
    SMTP_HOST,
    USER,
    WAY,
    MailClient,
    SmtpOrigin,
    base64_of,
    check,
    check_equal,
    check_in,
    check_minted,
    first_certificate,
    leaf,
    mail_gateway,
    mail_upgraded,
    office,
    run_stories,
    story,
)

HERE = "mail.floor.test"
RULE = {"rule up.destination": "*.floor.test", "rule up.action": "upgrade"}
MESSAGE = b"Subject: scan\r\n\r\na bare \n line end, a bare \r too\r\n..two dots\r\n\0\xff\r\n.\r\n"


def check_carried(session, message=MESSAGE):
    """The server had nothing but EHLO and STARTTLS in plain text, and the message in TLS 1.3."""
    verbs = [command.split()[0].upper() for command in session.commands("plain")]
    check_equal(verbs, ["EHLO", "STARTTLS"], "what the server was told in plain text")
    check_equal((session.agreed.version, session.agreed.name), ("TLSv1.3", SMTP_HOST), "the outside leg")
    check_equal(session.messages, [message], "what the server got")


@story
def plain_mail_is_carried_on_in_TLS():
    with SmtpOrigin() as origin, mail_gateway(origin) as gateway:
        with MailClient(gateway, origin) as client:
            check_equal(client.line(), origin.greeting, "the greeting")
            client.ehlo()
            check_in("235 2.7.0 ", client.say(f"AUTH PLAIN {base64_of(f'{chr(0)}{USER}{chr(0)}{PASSWORD}')}"), "login")
            check_in("250 2.0.0 OK", client.message(MESSAGE), "the answer to the message")
            check_in("221 2.0.0 ", client.say("QUIT"), "the goodbye")
        gateway.record({**mail_upgraded(), "destination.domain": SMTP_HOST, "tlsfloor.m365.service_area": "Exchange"})
        check_carried(origin.session())
        check_equal(origin.session().logins, [(USER, PASSWORD)], "the login")


@story
def starttls_at_1_0_is_carried_on_in_TLS_1_3():
    for way in (WAY, CONNECT):
        for version in ("1.0", "1.1"):
            with SmtpOrigin() as origin, mail_gateway(origin, "optional") as gateway:
                with MailClient(gateway, origin, way) as client:
                    client.greet()
                    check_in("220 ", client.ask_for_tls(), "the consent")
                    client.start_tls(version, gateway.ca)
                    check_minted(ssl.DER_cert_to_PEM_cert(client.certificate()), SMTP_HOST)
                    offered = client.offered()
                    check("STARTTLS" not in offered, f"STARTTLS is offered in TLS: {offered}")
                    check_in("AUTH", offered, "what is offered")
                    check_in("250 2.0.0 OK", client.message(MESSAGE), "the answer to the message")
                    client.say("QUIT")
                gateway.record(mail_upgraded(version))
                check_carried(origin.session())


@story
def TLS_at_once_is_carried_on():
    for version in ("1.0", "1.2"):
        with SmtpOrigin() as origin, mail_gateway(origin, "implicit") as gateway:
            with MailClient(gateway, origin) as client:
                client.start_tls(version, gateway.ca)
                check_equal(client.line()[:4], "220 ", "the greeting")
                check("STARTTLS" not in client.offered(), "STARTTLS is offered in TLS")
                check_in("250 2.0.0 OK", client.message(MESSAGE), "the answer to the message")
                client.say("QUIT")
            gateway.record(mail_upgraded(version))
            check_carried(origin.session())


@story
def servers_with_TLS_at_once_are_spoken_to_so():
    for client_tls in ("none", "optional", "implicit"):
        with SmtpOrigin(name=HERE, asked_port=465, certificate=leaf()) as origin:
            with mail_gateway(origin, client_tls, RULE) as gateway:
                with MailClient(gateway, origin) as client:
                    if client_tls == "implicit":
                        client.start_tls("1.0", gateway.ca)
                    client.greet()
                    check_in("250 2.0.0 OK", client.message(MESSAGE), "the answer to the message")
                    client.say("QUIT")
                version = "1.0" if client_tls == "implicit" else "plain"
                gateway.record({**mail_upgraded(version), "rule.name": "up"})
                check_equal(origin.session().commands("plain"), [], "what the server was told in plain text")


@story
def healthy_clients_with_TLS_at_once_reach_such_a_server_untouched():
    with SmtpOrigin(name=HERE, asked_port=465, certificate=leaf()) as origin:
        with mail_gateway(origin, "implicit", RULE) as gateway:
            with MailClient(gateway, origin) as client:
                client.start_tls("1.2")
                check_equal(client.certificate(), first_certificate(leaf()), "the certificate")
                client.greet()
                client.say("QUIT")
            check_equal(origin.session().agreed.version, "TLSv1.2", "what the server agreed on")


@story
def healthy_starttls_clients_see_the_server_s_own_certificate():
    for way in (WAY, CONNECT):
        for version in ("1.2", "1.3"):
            with SmtpOrigin() as origin, mail_gateway(origin, "optional") as gateway:
                with MailClient(gateway, origin, way) as client:
                    client.greet()
                    check_in("220 ", client.ask_for_tls(), "the consent")
                    client.start_tls(version)
                    check_equal(client.certificate(), first_certificate(office()), "the certificate")
                    check_in("AUTH", client.offered(), "what is offered")
                    check_in("250 2.0.0 OK", client.message(MESSAGE), "the answer to the message")
                    client.say("QUIT")
                session = origin.session(1)
                check_equal(session.agreed.version, f"TLSv{version}", "what the server agreed on")
                check_equal(session.commands(f"TLSv{version}")[0], "EHLO scanner.example", "the client's own words")
                check_equal([c.split()[0] for c in session.commands("plain")], ["EHLO", "STARTTLS"], "what went before")


@story
def each_side_is_offered_what_holds_on_its_leg():
    kept = {"SIZE", "8BITMIME", "ENHANCEDSTATUSCODES", "DSN"}
    for client_tls, starttls, auth in (("none", False, True), ("optional", True, True), ("starttls", True, False)):
        with SmtpOrigin() as origin, mail_gateway(origin, client_tls) as gateway:
            with MailClient(gateway, origin) as client:
                client.line()
                lines = client.ehlo()
                offered = {line.split()[0] for line in lines[1:]}
                check_equal("STARTTLS" in offered, starttls, f"STARTTLS in {offered} with {client_tls}")
                check_equal("AUTH" in offered, auth, f"AUTH in {offered} with {client_tls}")
                check(kept <= offered, f"not all of {kept} are in {offered}")
                check_in("SIZE 157286400", lines, "the size")
                client.say("QUIT")
            gateway.record(mail_upgraded())


@story
def a_listener_that_wants_STARTTLS_takes_no_mail_and_no_login_without():
    with SmtpOrigin() as origin, mail_gateway(origin, "starttls") as gateway:
        with MailClient(gateway, origin) as client:
            client.greet()
            for line in ("MAIL FROM:<a@b.example>", "AUTH LOGIN", f"AUTH PLAIN {base64_of('x')}"):
                check_in("530 5.7.0 ", client.say(line), f"the answer to {line}")
            client.ask_for_tls()
            client.start_tls("1.0", gateway.ca)
            client.ehlo()
            check_in("250 2.0.0 OK", client.message(MESSAGE), "the answer to the message")
            client.say("QUIT")
        gateway.record(mail_upgraded("1.0"))
        check_carried(origin.session())


@story
def HELO_is_enough():
    with SmtpOrigin() as origin, mail_gateway(origin) as gateway:
        with MailClient(gateway, origin) as client:
            client.line()
            check_in("250 ", client.say("HELO printer"), "the answer")
            check_in("250 2.0.0 OK", client.message(MESSAGE), "the answer to the message")
            client.say("QUIT")
        gateway.record(mail_upgraded())
        check_carried(origin.session())


@story
def logins_pass_in_every_shape_that_printers_have():
    both = base64_of(f"\0{USER}\0{PASSWORD}")
    shapes = {
        "LOGIN, prompt by prompt": ("AUTH LOGIN", base64_of(USER), base64_of(PASSWORD)),
        "LOGIN, user in the first line": (f"AUTH LOGIN {base64_of(USER)}", base64_of(PASSWORD)),
        "login, in small letters": ("auth login", base64_of(USER), base64_of(PASSWORD)),
        "PLAIN, all in one line": (f"AUTH PLAIN {both}",),
        "PLAIN, in two": ("AUTH PLAIN", both),
        "plain, in small letters": (f"auth plain {both}",),
    }
    prompts = {"LOGIN": ("334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6"), "PLAIN": ("334 ",)}
    for offered in ("LOGIN XOAUTH2", "PLAIN LOGIN", "PLAIN"):
        with SmtpOrigin(auth=offered) as origin, mail_gateway(origin) as gateway:
            for n, (shape, lines) in enumerate(shapes.items()):
                with MailClient(gateway, origin) as client:
                    client.greet()
                    *asked, answer = [client.say(line) for line in lines]
                    wanted = prompts[shape.split(",")[0].upper()]
                    check_equal(tuple(asked), wanted[len(wanted) - len(asked) :], f"prompts of {shape}")
                    check_in("235 2.7.0 ", answer, f"the answer to {shape}, where the server has {offered}")
                    client.say("QUIT")
                gateway.record(mail_upgraded())
                session = origin.session(n)
                check(session.logins[0] in ((USER, PASSWORD), ("PLAIN", f"\0{USER}\0{PASSWORD}")), f"{session.logins}")
                check_equal(session.commands("plain")[-1], "STARTTLS", "the last words in plain text")


@story
def XOAUTH2_of_the_client_s_own_passes():
    token = base64_of(f"user={USER}\1auth=Bearer abc\1\1")
    for lines in ((f"AUTH XOAUTH2 {token}",), ("AUTH XOAUTH2", token)):
        with SmtpOrigin() as origin, mail_gateway(origin) as gateway:
            with MailClient(gateway, origin) as client:
                client.greet()
                check_in("235 2.7.0 ", [client.say(line) for line in lines][-1], "the answer")
                client.say("QUIT")
            gateway.record(mail_upgraded())
            check_equal(origin.session().logins, [("XOAUTH2", f"user={USER}\1auth=Bearer abc\1\1")], "the login")


@story
def a_login_that_fails_is_heard_and_may_be_tried_again():
    no = "535 5.7.3 Authentication unsuccessful [AM0PR01CA0001.EURPRD01.PROD.OUTLOOK.COM]"
    with SmtpOrigin(answers={"login": no}) as origin, mail_gateway(origin) as gateway:
        with MailClient(gateway, origin) as client:
            client.greet()
            for _ in range(2):
                client.say(f"AUTH LOGIN {base64_of(USER)}")
                check_equal(client.say(base64_of("wrong")), no, "the answer")
            check_in("221 ", client.say("QUIT"), "the goodbye")
        explained = {"tlsfloor.mail.answer": "535 5.7.3", "tlsfloor.mail.answer_is_about_tls": False}
        gateway.record({**mail_upgraded(), **explained})


@story
def a_message_of_a_megabyte_arrives_byte_for_byte():
    noise = os.urandom(1 << 20).replace(b"\r\n.", b"\r\n;")
    for data in (b"x" * 100 + b"\r\n.\r\n", noise + b"\r\n.\r\n", b".\r\n", b"\n.\n\r.\r\n..\r\n\r\n.\r\n"):
        for version in (None, "1.0"):
            with SmtpOrigin() as origin, mail_gateway(origin, "optional") as gateway:
                with MailClient(gateway, origin) as client:
                    client.greet()
                    if version:
                        client.ask_for_tls()
                        client.start_tls(version, gateway.ca)
                        client.ehlo()
                    check_in("250 2.0.0 OK", client.message(data), "the answer to the message")
                    check_in("221 ", client.say("QUIT"), "the goodbye")
                gateway.record(mail_upgraded(version or "plain"))
                check(origin.session().messages == [data], f"{len(data)} bytes were changed with {version}")


@story
def chunks_arrive_byte_for_byte():
    chunks = [os.urandom(300_000), b"\r\n.\r\nMAIL FROM:<x>\r\nQUIT\r\n", b""]
    with SmtpOrigin() as origin, mail_gateway(origin) as gateway:
        with MailClient(gateway, origin) as client:
            client.line()
            check_in("CHUNKING", client.offered(), "what is offered")
            client.say("MAIL FROM:<a@b.example> BODY=BINARYMIME")
            client.say("RCPT TO:<c@d.example>")
            for n, chunk in enumerate(chunks):
                client.send(f"BDAT {len(chunk)}{' LAST' if n == len(chunks) - 1 else ''}\r\n".encode() + chunk)
                check_in("250 ", client.line(), f"the answer to chunk {n}")
            client.say("QUIT")
        gateway.record(mail_upgraded())
        check(origin.session().messages == chunks, "chunks were changed")


@story
def two_messages_go_over_one_connection():
    with SmtpOrigin() as origin, mail_gateway(origin) as gateway:
        with MailClient(gateway, origin) as client:
            client.greet()
            client.message(MESSAGE)
            check_in("250 ", client.say("RSET"), "the answer to RSET")
            client.message(b"two\r\n.\r\n")
            client.say("QUIT")
        gateway.record(mail_upgraded())
        check_equal(origin.session().messages, [MESSAGE, b"two\r\n.\r\n"], "what the server got")


@story
def commands_that_are_sent_ahead_are_answered_one_by_one():
    with SmtpOrigin() as origin, mail_gateway(origin) as gateway:
        with MailClient(gateway, origin) as client:
            client.greet()
            client.send(b"MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n")
            check_equal([client.line()[:3] for _ in range(3)], ["250", "250", "354"], "the answers")
            client.send(MESSAGE + b"QUIT\r\n")
            check_equal([client.line()[:3] for _ in range(2)], ["250", "221"], "the answers")
        gateway.record(mail_upgraded())
        check_carried(origin.session())


@story
def what_a_client_puts_behind_its_STARTTLS_ends_it():
    for behind in (b"MAIL FROM:<evil@b.example>\r\n", b"\r\n"):
        with SmtpOrigin() as origin, mail_gateway(origin, "optional") as gateway:
            with MailClient(gateway, origin) as client:
                client.greet()
                client.send(b"STARTTLS\r\n" + behind)
                check_in("554 5.", client.line(), "the answer")
                check_equal(client.rest(), b"", "what comes behind it")
            gateway.record({"event.action": "malformed", "event.code": "starttls-command-injection"})
            check("MAIL FROM:<evil@b.example>" not in origin.session().commands(), "what was injected arrived")


run_stories()
