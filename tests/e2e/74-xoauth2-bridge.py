"""Devices that know a user and a password, and a mail server that takes OAuth alone: the gateway checks the password
against its own file, gets a token, and logs in with that."""

import functools
import os
import signal
import socket
import struct
import subprocess
import time

from harness import (
    CLIENT_SECRET,
    WAY,
    Gateway,
    ImapClient,
    ImapOrigin,
    MailClient,
    Pop3Client,
    Pop3Origin,
    SmtpClient,
    SmtpOrigin,
    TokenEndpoint,
    base64_of,
    bridge,
    ca_file,
    check,
    check_equal,
    check_in,
    clean_environment,
    curl_mail,
    make_root,
    make_signed,
    mail_upgraded,
    private_file,
    program,
    run_stories,
    secrets_file,
    story,
    swaks,
    users_file,
    wait_until,
    workplace,
)

DEVICE, PASSWORD, MAILBOX = "scanner", "dev1ce-pw", "scanner@contoso.example"
MESSAGE = b"Subject: scan\r\n\r\na page\r\n.\r\n"
PLAIN = base64_of(f"\0{DEVICE}\0{PASSWORD}")
ADMIN = {"admin.listen": "127.0.0.1:0"}
WRONG = base64_of(f"\0{DEVICE}\0wr0ng-pw")
REFUSAL = "535 5.7.3 Authentication unsuccessful [AM0PR01CA0001]"
LOG_IN = "530 5.7.0 Authentication required"
# What the record of a session has whose token the server did not take.
TOKEN_REFUSED = {"tlsfloor.mail.answer": "XOAUTH2", "tlsfloor.mail.answer_is_about_tls": False}
FROM = {"rule all.destination": "outlook.office365.com, smtp.office365.com", "rule all.action": "upgrade"}


@functools.cache
def users():
    """The scanner, with the scanner's mailbox, and a copier with another."""
    return users_file(**{DEVICE: (PASSWORD, MAILBOX), "copier": ("c0pier-pw", "copier@contoso.example")})


def gateway_to(origin, endpoint, client_tls="none", secrets=None, settings=None, **keys):
    ways = bridge(origin, users(), secrets or secrets_file(endpoint), client_tls, **keys)
    return Gateway(origin, endpoint, settings={**FROM, **ways, **(settings or {})}, upgrades=True)


def xoauth2(token="token-1", mailbox=MAILBOX):
    return ("XOAUTH2", f"user={mailbox}\x01auth=Bearer {token}\x01\x01")


def smtp_server(**more):
    return SmtpOrigin(auth="XOAUTH2", **more)


def smtp_login(gateway, origin, initial=PLAIN):
    """The answer to it."""
    with MailClient(gateway, origin) as client:
        client.greet()
        answer = client.say(f"AUTH PLAIN {initial}")
        if answer.startswith("235"):
            client.say("QUIT")
        return answer


def login_failed(times=1, user=DEVICE, protocol="smtp"):
    """What the record of a session has whose last password was wrong."""
    return {
        "event.action": "access-denied",
        "event.code": "login-failed",
        "network.protocol": protocol,
        "user.name": user,
        "tlsfloor.verdict": "block",
        "tlsfloor.failed_logins": times,
        "tlsfloor.upgrade.to": None,
    }


def check_logins(gateway, right, wrong):
    for result, n in (("right", right), ("wrong", wrong)):
        check_equal(gateway.metric("tlsfloor_logins_total", result=result), n, f"logins that were {result}")


def reset(client):
    """Ends its connection with an RST."""
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def fail_to_log_in(client, times=1):
    """With a wrong password, in the protocol's own words; the answer to the last time."""
    for number in range(times):
        if client.protocol == "smtp":
            answer = client.say(f"AUTH PLAIN {WRONG}")
        elif client.protocol == "imap":
            answer = client.say(f"a{number} LOGIN {DEVICE} wr0ng-pw")
        else:
            client.say(f"USER {DEVICE}")
            answer = client.say("PASS wr0ng-pw")
    return answer


@story
def a_device_s_password_becomes_a_token():
    with smtp_server() as origin, TokenEndpoint() as endpoint, gateway_to(origin, endpoint) as gateway:
        with MailClient(gateway, origin) as client:
            client.greet()
            offered = client.ehlo()
            check_in("AUTH PLAIN LOGIN", offered, "what is offered")
            check("XOAUTH2" not in str(offered), f"what the device cannot do is offered: {offered}")
            check_in("235 2.7.0 ", client.say(f"AUTH PLAIN {PLAIN}"), "the login")
            check_in("250 2.0.0 OK", client.message(MESSAGE), "the answer to the message")
            client.say("QUIT")
        gateway.record(mail_upgraded())
        session = origin.session()
        check_equal(session.logins, [xoauth2()], "the login at the server")
        check_equal(session.messages, [MESSAGE], "what the server got")
        check_equal(
            endpoint.forms,
            [
                {
                    "grant_type": "client_credentials",
                    "client_id": "5f0c-scan",
                    "client_secret": CLIENT_SECRET,
                    "scope": "https://outlook.office365.com/.default",
                }
            ],
            "what the token endpoint was asked",
        )
        check_equal([(a.version, a.name) for a in endpoint.agreed], [("TLSv1.3", endpoint.name)], "its connection")


@story
def smtplib_logs_in_with_PLAIN_and_LOGIN_and_STARTTLS_1_0():
    for version in (None, "1.0"):
        for mechanism in ("auth_plain", "auth_login"):
            client_tls = "starttls" if version else "none"
            with smtp_server() as origin, TokenEndpoint() as endpoint:
                with gateway_to(origin, endpoint, client_tls) as gateway:
                    client = SmtpClient(gateway, origin, version=version or "1.0", ca=gateway.ca)
                    if version:
                        client.starttls(context=client.context)
                    client.ehlo()
                    client.user, client.password = DEVICE, PASSWORD
                    code, _ = client.auth(mechanism[5:].upper(), getattr(client, mechanism))
                    check_equal(code, 235, f"the answer to {mechanism} at {version}")
                    client.sendmail(MAILBOX, "me@contoso.example", MESSAGE)
                    client.quit()
                    gateway.record(mail_upgraded(version or "plain"))
                    check_equal(origin.session().logins, [xoauth2()], "the login at the server")


@story
def swaks_and_curl_log_in():
    for version, client_tls in (("plain", "none"), ("1.0", "optional")):
        with smtp_server() as origin, TokenEndpoint() as endpoint:
            with gateway_to(origin, endpoint, client_tls) as gateway:
                for mechanism in ("PLAIN", "LOGIN"):
                    login = ["--auth", mechanism, "--auth-user", DEVICE, "--auth-password", PASSWORD]
                    done = swaks(gateway, origin, *login, version=version, ca=gateway.ca)
                    check_equal(done.status, 0, f"swaks with {mechanism}, which says {done.output}")
                    gateway.record(mail_upgraded(version))
                    sender = ["--mail-from", MAILBOX, "--mail-rcpt", "me@contoso.example", "-T", "-"]
                    how = ["--user", f"{DEVICE}:{PASSWORD}", "--login-options", f"AUTH={mechanism}"]
                    done = curl_mail(
                        gateway, origin, "scanner.example", *how, *sender, version=version, ca=gateway.ca, stdin="page\n"
                    )
                    check_equal(done.status, 0, f"curl with {mechanism}, which says {done.output}")
                    gateway.record(mail_upgraded(version))
                check_equal([origin.session(n).logins for n in range(4)], [[xoauth2()]] * 4, "logins at the server")
                check_equal(len(endpoint.forms), 1, "questions to the token endpoint")


@story
def IMAP_and_POP3_log_in_too():
    for server, client_class in ((ImapOrigin, ImapClient), (Pop3Origin, Pop3Client)):
        with server() as origin, TokenEndpoint() as endpoint, gateway_to(origin, endpoint) as gateway:
            client = client_class(gateway, origin)
            if origin.protocol == "imap":
                client.login(DEVICE, PASSWORD)
                client.logout()
            else:
                client.user(DEVICE)
                client.pass_(PASSWORD)
                client.quit()
            gateway.record(mail_upgraded(protocol=origin.protocol))
            if origin.protocol == "imap":
                client = client_class(gateway, origin)
                client.authenticate("PLAIN", lambda _: f"\0{DEVICE}\0{PASSWORD}".encode())
                client.logout()
            else:
                with MailClient(gateway, origin) as device:
                    device.line()
                    check_in("+OK", device.say(f"AUTH PLAIN {PLAIN}"), "the answer to AUTH PLAIN")
                    device.say("QUIT")
            gateway.record(mail_upgraded(protocol=origin.protocol))
            check_equal([origin.session(n).logins for n in (0, 1)], [[xoauth2()]] * 2, "the logins at the server")
            check_equal(len(endpoint.forms), 1, "questions to the token endpoint")


@story
def nobody_passes_without_a_login():
    with smtp_server() as origin, TokenEndpoint() as endpoint:
        with gateway_to(origin, endpoint) as gateway, MailClient(gateway, origin) as client:
            client.greet()
            for line in ("MAIL FROM:<boss@contoso.example>", "RCPT TO:<a@b.example>", "DATA", "VRFY boss"):
                check_equal(client.say(line), LOG_IN, f"the answer to {line}")
            fail_to_log_in(client)
            check_equal(client.say("MAIL FROM:<boss@contoso.example>"), LOG_IN, "the answer after a wrong password")
            check_in("235 ", client.say(f"AUTH PLAIN {PLAIN}"), "the answer to the right one")
            check_in("250 ", client.message(MESSAGE), "the answer to the message")
            client.say("QUIT")
            gateway.record(mail_upgraded())
            verbs = [line.split()[0] for line in origin.session().commands("TLSv1.3")]
            check_equal(verbs, ["EHLO", "AUTH", "MAIL", "RCPT", "DATA", "QUIT"], "what the server was told")
    for server, lines, answer in (
        (ImapOrigin, ("a SELECT INBOX", "a FETCH 1 BODY[]"), "a BAD log in first"),
        (Pop3Origin, ("STAT", "RETR 1"), "-ERR log in first"),
    ):
        with server() as origin, TokenEndpoint() as endpoint:
            with gateway_to(origin, endpoint) as gateway, MailClient(gateway, origin) as client:
                client.greet()
                for line in lines:
                    check_equal(client.say(line), answer, f"the answer to {line}")
                client.close()
                gateway.record(mail_upgraded(protocol=origin.protocol))
                check_equal(origin.session().commands("TLSv1.3"), [], "what the server was told")


@story
def a_tls_begun_after_a_login_drops_it():
    with smtp_server() as origin, TokenEndpoint() as endpoint:
        with gateway_to(origin, endpoint, "optional") as gateway, MailClient(gateway, origin) as client:
            client.greet()
            check_in("235 ", client.say(f"AUTH PLAIN {PLAIN}"), "the answer")
            client.ask_for_tls()
            client.start_tls("1.2", gateway.ca)
            client.ehlo()
            check_equal(client.say("MAIL FROM:<a@contoso.example>"), LOG_IN, "the answer inside TLS")
            client.say("QUIT")
            gateway.record(mail_upgraded("1.2"))


@story
def a_wrong_password_gets_no_token():
    with smtp_server() as origin, TokenEndpoint() as endpoint, gateway_to(origin, endpoint) as gateway:
        for user, password in ((DEVICE, "wr0ng-pw"), ("nobody", PASSWORD), ("copier", PASSWORD)):
            login = base64_of(f"\0{user}\0{password}")
            check_in("535 5.7.8 ", smtp_login(gateway, origin, login), "the answer")
            gateway.record(login_failed(user=user))
        check_equal(endpoint.forms, [], "what the token endpoint was asked")
        check_equal([origin.session(n).logins for n in range(3)], [[]] * 3, "logins at the server")
    for server, code in ((ImapOrigin, "a0 NO "), (Pop3Origin, "-ERR [AUTH] ")):
        with server() as origin, TokenEndpoint() as endpoint, gateway_to(origin, endpoint) as gateway:
            with MailClient(gateway, origin) as client:
                client.greet()
                check_in(code, fail_to_log_in(client), "the answer")
            gateway.record(login_failed(protocol=origin.protocol))
            check_equal(endpoint.forms, [], "what the token endpoint was asked")


@story
def the_third_wrong_password_ends_the_session():
    sentence = "the user is not known, or the password is wrong"
    answers = (
        (smtp_server, "535 ", "554 5.7.1 "),
        (ImapOrigin, "a1 NO ", "* BYE "),
        (Pop3Origin, "-ERR [AUTH] ", "-ERR "),
    )
    for server, second, third in answers:
        with server() as origin, TokenEndpoint() as endpoint:
            with gateway_to(origin, endpoint, settings=ADMIN) as gateway, MailClient(gateway, origin) as client:
                client.greet()
                check_in(second, fail_to_log_in(client, 2), "the second answer")
                check_equal(fail_to_log_in(client), third + sentence, "the third answer")
                check_equal(client.rest(), b"", "what follows")
                gateway.record({**login_failed(3, protocol=origin.protocol), "tlsfloor.step": "dialogue"})
                check_logins(gateway, right=0, wrong=3)
                check_equal(gateway.metric("tlsfloor_blocked_total", reason="login-failed"), 1, "blocked sessions")
                check_equal(gateway.metric("tlsfloor_upgrades_total"), 0, "upgrades")


@story
def who_gets_it_right_in_the_end_was_let_in():
    with smtp_server() as origin, TokenEndpoint() as endpoint:
        with gateway_to(origin, endpoint, settings=ADMIN) as gateway:
            with MailClient(gateway, origin) as client:
                client.greet()
                fail_to_log_in(client, 2)
                check_in("235 ", client.say(f"AUTH PLAIN {PLAIN}"), "the answer to the right password")
                client.say("QUIT")
            gateway.record({**mail_upgraded(), "user.name": DEVICE, "tlsfloor.failed_logins": 2})
            check_logins(gateway, right=1, wrong=2)
            check_equal(gateway.metric("tlsfloor_blocked_total"), 0, "blocked sessions")


@story
def a_wrong_password_is_on_record_however_the_session_ends():
    quit_, close, idle = (lambda client: client.say("QUIT")), MailClient.close, MailClient.rest
    settings = {**ADMIN, "limits.mail_s": "0.5"}
    with smtp_server() as origin, TokenEndpoint() as endpoint:
        with gateway_to(origin, endpoint, settings=settings) as gateway:
            for end in (quit_, close, reset, idle):
                with MailClient(gateway, origin) as client:
                    client.greet()
                    fail_to_log_in(client)
                    end(client)
                gateway.record(login_failed())
            check_equal(gateway.metric("tlsfloor_errors_total", reason="idle"), 1, "sessions that were idle")
            with MailClient(gateway, origin) as client:
                client.greet()
                fail_to_log_in(client)
                check_in("554 5.5.2 ", client.say("\1"), "the answer to what is no mail")
                gateway.record({"event.code": "mail-malformed", "tlsfloor.failed_logins": 1, "user.name": DEVICE})
            blocked = gateway.metric("tlsfloor_blocked_total")
            check_equal((blocked, gateway.metric("tlsfloor_upgrades_total")), (5, 0), "blocked and upgraded")
            with MailClient(gateway, origin) as client:
                client.greet()
                fail_to_log_in(client)
                gateway.signal(signal.SIGTERM)
                gateway.record(login_failed())
            gateway.finish()


@story
def who_leaves_while_the_password_is_checked_is_on_record_all_the_same():
    with smtp_server() as origin, TokenEndpoint() as endpoint, gateway_to(origin, endpoint) as gateway:
        endpoint.gate.clear()
        for login, wanted in ((WRONG, login_failed()), (PLAIN, mail_upgraded())):
            with MailClient(gateway, origin) as client:
                client.greet()
                client.send(f"AUTH PLAIN {login}\r\n".encode())
            gateway.record(wanted)
        endpoint.gate.set()


@story
def a_wrong_password_behind_a_right_one_is_on_record():
    with smtp_server(answers={"login": REFUSAL}) as origin, TokenEndpoint() as endpoint:
        with gateway_to(origin, endpoint) as gateway, MailClient(gateway, origin) as client:
            nobody = base64_of("\0nobody\0pw")
            client.greet()
            check_equal(client.say(f"AUTH PLAIN {PLAIN}"), REFUSAL, "the server's answer")
            check_in("535 5.7.8 ", client.say(f"AUTH PLAIN {nobody}"), "ours")
            client.say("QUIT")
            gateway.record(login_failed(user="nobody"))


@story
def one_token_is_good_for_all_sessions_and_mailboxes():
    with smtp_server() as origin, TokenEndpoint() as endpoint, gateway_to(origin, endpoint) as gateway:
        for login in [PLAIN] * 5 + [base64_of("\0copier\0c0pier-pw")]:
            check_in("235 ", smtp_login(gateway, origin, login), "the answer")
            gateway.record(mail_upgraded())
        logins = [xoauth2()] * 5 + [xoauth2(mailbox="copier@contoso.example")]
        check_equal([origin.session(n).logins[0] for n in range(6)], logins, "the logins at the server")
        check_equal(len(endpoint.forms), 1, "questions to the token endpoint")


@story
def mailboxes_with_refresh_tokens_have_tokens_of_their_own():
    mailboxes = f"[mailbox {MAILBOX}]\nrefresh_token = of-scanner\n[mailbox copier@contoso.example]\nrefresh_token = c\n"
    with smtp_server() as origin, TokenEndpoint(60, ["of-scanner", "c"], rotates=True) as endpoint:
        secrets = secrets_file(endpoint, "refresh_token", more=mailboxes)
        with gateway_to(origin, endpoint, secrets=secrets) as gateway:
            for login in (PLAIN, PLAIN, base64_of("\0copier\0c0pier-pw")):
                check_in("235 ", smtp_login(gateway, origin, login), "the answer")
                gateway.record(mail_upgraded())
            used = [form["refresh_token"] for form in endpoint.forms]
            check_equal(used, ["of-scanner", "of-scanner+", "c"], "refresh tokens")
            check_in("offline_access", endpoint.forms[0]["scope"], "scope")
            logins = [xoauth2(), xoauth2("token-2"), xoauth2("token-3", "copier@contoso.example")]
            check_equal([origin.session(n).logins[0] for n in range(3)], logins, "the logins at the server")


def check_no_token(gateway, origin, why):
    check_in("554 5.7.", smtp_login(gateway, origin), "the answer")
    record = gateway.record({"event.code": "oauth-failed", "event.action": "access-denied"})
    check_in(why, record["tlsfloor.detail"], "why")
    check_in("app registration", record["tlsfloor.fix"], "what to do")


@story
def the_record_says_why_there_is_no_token():
    with smtp_server() as origin, TokenEndpoint() as endpoint:
        secrets = secrets_file(endpoint, secret="wr0ng~s3cret")
        with gateway_to(origin, endpoint, secrets=secrets) as gateway:
            for _ in range(3):  # a printer tries again
                check_no_token(gateway, origin, "401, invalid_client: AADSTS7000215: Invalid client secret.")
            check_equal(len(endpoint.forms), 1, "questions to the token endpoint")
    with smtp_server() as origin, TokenEndpoint() as endpoint:
        with gateway_to(origin, endpoint) as gateway:
            endpoint.stop()
            check_no_token(gateway, origin, "cannot connect to login.floor.test port 443")


@story
def a_token_endpoint_that_does_not_verify_gets_no_secret():
    root = workplace("run", f"{os.getpid()}-stranger")
    make_root(root, "stranger")
    make_signed(f"{root}-leaf", root, "login.floor.test", "subjectAltName=DNS:login.floor.test")
    with smtp_server() as origin:
        strange = (f"{root}-leaf.pem", f"{root}-leaf.key")
        with TokenEndpoint(certificate=strange) as endpoint, gateway_to(origin, endpoint) as gateway:
            check_no_token(gateway, origin, "the server's certificate does not verify")
            check_equal(endpoint.forms, [], "what the token endpoint was asked")


def check_blames_the_token(record):
    for words in ("SMTP.SendAsApp", "service principal"):
        check_in(words, record["tlsfloor.fix"], "what to do")


@story
def a_token_that_the_server_does_not_take_is_the_server_s_word():
    with smtp_server(answers={"login": REFUSAL}) as origin, TokenEndpoint() as endpoint:
        with gateway_to(origin, endpoint) as gateway:
            check_equal(smtp_login(gateway, origin), REFUSAL, "the answer")
            named = {"user.name": DEVICE, "tlsfloor.mail.mailbox": MAILBOX, "tlsfloor.failed_logins": None}
            check_blames_the_token(gateway.record({**mail_upgraded(), **TOKEN_REFUSED, **named}))
    for server, says, answer in (
        (ImapOrigin, (f"a LOGIN {DEVICE} {PASSWORD}",), "a NO AUTHENTICATE failed."),
        (Pop3Origin, (f"USER {DEVICE}", f"PASS {PASSWORD}"), "-ERR Logon failure: unknown user name or bad password."),
    ):
        with server(answers={"login": answer}) as origin, TokenEndpoint() as endpoint:
            with gateway_to(origin, endpoint) as gateway, MailClient(gateway, origin) as client:
                client.greet()
                check_equal([client.say(line) for line in says][-1], answer, "the answer")
                client.close()
                check_blames_the_token(gateway.record({**mail_upgraded(protocol=origin.protocol), **TOKEN_REFUSED}))


@story
def a_printer_that_tries_again_has_a_new_token_when_the_refused_one_is_ten_seconds_old():
    with smtp_server(answers={"login": REFUSAL}) as origin, TokenEndpoint() as endpoint:
        with gateway_to(origin, endpoint) as gateway:
            began, tries = time.monotonic(), 0
            while len(endpoint.forms) < 2:
                check(time.monotonic() - began < 15, "no new token in 15 seconds")
                time.sleep(0.5)  # as printers do
                check_equal(smtp_login(gateway, origin), REFUSAL, "the answer")
                gateway.record(mail_upgraded())
                tries += 1
            check(time.monotonic() - began > 10, f"a new token after {time.monotonic() - began:.1f} s")
            del origin.answers["login"]
            check_in("235 ", smtp_login(gateway, origin), "the answer to the new token")
            gateway.record(mail_upgraded())
            check_equal(origin.session(tries).logins, [xoauth2("token-2")], "the login at the server")
            check_equal(len(endpoint.forms), 2, "questions to the token endpoint")


@story
def a_slow_token_endpoint_is_given_up():
    with smtp_server() as origin, TokenEndpoint() as endpoint:
        endpoint.gate.clear()
        with gateway_to(origin, endpoint, settings={"limits.login_s": "0.5"}) as gateway:
            check_no_token(gateway, origin, "no answer in time")
        endpoint.gate.set()


@story
def devices_that_come_at_once_wait_for_one_token_and_those_that_go_leave_nothing():
    with smtp_server() as origin, TokenEndpoint() as endpoint, gateway_to(origin, endpoint, settings=ADMIN) as gateway:
        endpoint.gate.clear()
        devices = [MailClient(gateway, origin) for _ in range(6)]
        for device in devices:
            device.greet()
            device.send(f"AUTH PLAIN {PLAIN}\r\n".encode())
        wait_until(lambda: endpoint.forms, "a question to the token endpoint")
        for leave in (MailClient.close, MailClient.close, reset):
            leave(devices.pop())
            gateway.record(mail_upgraded())
        wait_until(lambda: gateway.metric("tlsfloor_sessions_active") == len(devices), "they are gone at once")
        endpoint.gate.set()
        for device in devices:
            check_in("235 ", device.line(), "the answer")
            device.say("QUIT")
            device.close()
            gateway.record(mail_upgraded())
        check_equal(len(endpoint.forms), 1, "questions to the token endpoint")
        wait_until(lambda: gateway.metric("tlsfloor_sessions_active") == 0, "no session is left")


@story
def a_device_that_has_said_all_before_its_token_is_there_is_served():
    with smtp_server() as origin, TokenEndpoint() as endpoint, gateway_to(origin, endpoint) as gateway:
        endpoint.gate.clear()
        with MailClient(gateway, origin) as device:
            device.greet()
            device.send(f"AUTH PLAIN {PLAIN}\r\n".encode())
            wait_until(lambda: endpoint.forms, "a question to the token endpoint")
            device.send(b"NOOP\r\nQUIT\r\n")
            device.sock.shutdown(socket.SHUT_WR)
            endpoint.gate.set()
            codes = [line[:4] for line in device.rest().splitlines()]
            check_equal(codes, [b"235 ", b"250 ", b"221 "], "the answers")
        gateway.record(mail_upgraded())


@story
def the_end_of_the_gateway_waits_no_longer_than_a_token_may_take():
    with smtp_server() as origin, TokenEndpoint() as endpoint:
        endpoint.gate.clear()
        with gateway_to(origin, endpoint, settings={"limits.login_s": "3", "limits.drain_s": "0"}) as gateway:
            with MailClient(gateway, origin) as device:
                device.greet()
                device.send(f"AUTH PLAIN {PLAIN}\r\n".encode())
                wait_until(lambda: endpoint.forms, "a question to the token endpoint")
                gateway.signal(signal.SIGTERM)
                gateway.record()
            gateway.finish()
        endpoint.gate.set()


@story
def a_reload_keeps_the_token():
    with smtp_server() as origin, TokenEndpoint() as endpoint:
        with gateway_to(origin, endpoint) as gateway:
            for _ in range(2):
                check_in("235 ", smtp_login(gateway, origin), "the answer")
                gateway.record(mail_upgraded())
                gateway.reload(gateway.ini)
            check_equal(len(endpoint.forms), 1, "questions to the token endpoint")


@story
def no_secret_is_in_any_log():
    log = workplace("run", f"{os.getpid()}-access.log")
    secrets = (PASSWORD, CLIENT_SECRET, "token-1", PLAIN, base64_of(DEVICE), base64_of(PASSWORD))
    with smtp_server() as origin, TokenEndpoint() as endpoint:
        with gateway_to(origin, endpoint, settings={"log.access": log}) as gateway:
            smtp_login(gateway, origin)
            smtp_login(gateway, origin, base64_of(f"\0nobody\0{PASSWORD}"))
            gateway.record(mail_upgraded())
            gateway.record({"user.name": "nobody"})
            dump = subprocess.run(
                [program(), "check", "--dump", "-c", gateway.file],
                env=clean_environment(), check=False, capture_output=True,
            )  # fmt: skip
            wait_until(lambda: os.path.exists(log) and os.path.getsize(log), "the access log")
        with open(log, encoding="utf-8") as f:
            texts = [f.read(), gateway.stdout.text(), gateway.stderr.text(), (dump.stdout + dump.stderr).decode()]
    os.unlink(log)
    for text in texts:
        for secret in secrets:
            check(secret not in text, f"{secret} is in {text}")


@story
def check_reads_the_file_of_secrets():
    with smtp_server() as origin, TokenEndpoint() as endpoint:
        good = secrets_file(endpoint)
        open_to_all, misspelt = secrets_file(endpoint), secrets_file(endpoint, more="refesh_token = s3cr3t\n")
        os.chmod(open_to_all, 0o644)
        for file, words in (
            (good, ""),
            (open_to_all, f"{open_to_all}: holds secrets and is open to other users (mode 0644): chmod 600"),
            (misspelt, f"{misspelt}:5: this file has no such key; did you mean refresh_token?"),
        ):
            lines = [f"{key} = {value}" for key, value in bridge(origin, users(), file).items()]
            sections = ["[ca]\ndirectory = off", f"[upstream]\nca_file = {ca_file()}", f"[listener {WAY}]"]
            sections += [line.split(f"listener {WAY}.", 1)[1] for line in lines if line.startswith("listener")]
            done = subprocess.run(
                [program(), "check", "-c", private_file("\n".join(sections) + "\n")],
                env=clean_environment(), check=False, capture_output=True,
            )  # fmt: skip
            check_equal(done.returncode, 1 if words else 0, f"exit code of check, which says {done.stderr.decode()}")
            check_in(words, (done.stdout + done.stderr).decode(), "what check says")
            check("s3cr3t" not in done.stderr.decode(), "check repeats a secret")


run_stories()
