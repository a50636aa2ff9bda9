"""Readers of mail in plain text or in old TLS, to servers that want TLS 1.2: IMAP and POP3 as the gateway speaks them
for both sides, and as they pass once somebody has logged in."""

import ssl

from harness import (
    CONNECT,
    IMAP_HOST,
    MAIL_MESSAGE,
    PASSWORD,
    USER,
    WAY,
    ImapOrigin,
    MailClient,
    Pop3Origin,
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

# Port 110 is not in the endpoint set.
RULE = {"rule pop3.destination": IMAP_HOST, "rule pop3.action": "upgrade"}
SERVERS = (ImapOrigin, Pop3Origin)
SAYS_NO = {"imap": "* BYE ", "pop3": "-ERR "}
GOODBYE = {"imap": "9 LOGOUT", "pop3": "QUIT"}
NOT_WITHOUT_TLS = {"imap": ("a1 LOGIN anna secret", "a2 AUTHENTICATE PLAIN"), "pop3": ("USER anna", "AUTH PLAIN")}


def gateway_to(origin, client_tls="none", settings=None, **keys):
    return mail_gateway(origin, client_tls, {**RULE, **(settings or {})}, **keys)


def log_in(client):
    """With a user and a password."""
    if client.protocol == "imap":
        check_in("b1 OK ", client.tagged("b1", f'LOGIN {USER} "{PASSWORD}"')[-1], "the login")
    else:
        check_in("+OK", client.say(f"USER {USER}"), "the user")
        check_in("+OK", client.say(f"PASS {PASSWORD}"), "the password")


def say_goodbye(client):
    client.send(f"{GOODBYE[client.protocol]}\r\n".encode())
    check(client.rest(), "no goodbye was heard")


def capabilities(client):
    if client.protocol == "imap":
        return set(client.tagged("c1", "CAPABILITY")[0].split()[2:])
    return set(client.many("CAPA")[1:-1])


def starttls_of(protocol):
    return "STARTTLS" if protocol == "imap" else "STLS"


def check_turned_to_TLS(session):
    """In plain text the server was told nothing but to turn to TLS."""
    plain = [command.upper().split()[-1] for command in session.commands("plain")]
    others = {"CAPABILITY", "CAPA"}
    check_equal([c for c in plain if c not in others], [starttls_of(session.origin.protocol)], "said in plain text")
    check_equal((session.agreed.version, session.agreed.name), ("TLSv1.3", IMAP_HOST), "the outside leg")


@story
def plain_logins_are_carried_on_in_TLS():
    for server in SERVERS:
        with server() as origin, gateway_to(origin) as gateway:
            with MailClient(gateway, origin) as client:
                check_in("Microsoft Exchange", client.greet(), "the greeting")
                log_in(client)
                say_goodbye(client)
            gateway.record({**mail_upgraded("plain", origin.protocol), "destination.domain": IMAP_HOST})
            check_turned_to_TLS(origin.session())
            check_equal(origin.session().logins, [(USER, PASSWORD)], "the login")


@story
def starttls_at_1_0_is_carried_on_in_TLS_1_3():
    for server in SERVERS:
        for way in (WAY, CONNECT):
            for version in ("1.0", "1.1"):
                with server() as origin, gateway_to(origin, "optional") as gateway:
                    with MailClient(gateway, origin, way) as client:
                        client.greet()
                        client.ask_for_tls()
                        client.start_tls(version, gateway.ca)
                        check_minted(ssl.DER_cert_to_PEM_cert(client.certificate()), IMAP_HOST)
                        log_in(client)
                        say_goodbye(client)
                    gateway.record(mail_upgraded(version, origin.protocol))
                    check_turned_to_TLS(origin.session())


@story
def TLS_at_once_is_carried_on():
    for server in SERVERS:
        for version in ("1.0", "1.3"):
            with server() as origin, gateway_to(origin, "implicit") as gateway:
                with MailClient(gateway, origin) as client:
                    client.start_tls(version, gateway.ca)
                    client.greet()
                    log_in(client)
                    say_goodbye(client)
                gateway.record(mail_upgraded(version, origin.protocol))
                check_turned_to_TLS(origin.session())


@story
def servers_with_TLS_at_once_are_spoken_to_so():
    for server, port in ((ImapOrigin, 993), (Pop3Origin, 995)):
        for client_tls in ("none", "optional", "implicit"):
            with server(asked_port=port) as origin, gateway_to(origin, client_tls) as gateway:
                with MailClient(gateway, origin) as client:
                    if client_tls == "implicit":
                        client.start_tls("1.0", gateway.ca)
                    client.greet()
                    log_in(client)
                    say_goodbye(client)
                version = "1.0" if client_tls == "implicit" else "plain"
                gateway.record(mail_upgraded(version, origin.protocol))
                check_equal(origin.session().commands("plain"), [], "said in plain text")


@story
def healthy_clients_see_the_server_s_own_certificate():
    for server in SERVERS:
        for way in (WAY, CONNECT):
            for version in ("1.2", "1.3"):
                with server() as origin, gateway_to(origin, "optional") as gateway:
                    with MailClient(gateway, origin, way) as client:
                        client.greet()
                        client.ask_for_tls()
                        client.start_tls(version)
                        check_equal(client.certificate(), first_certificate(office()), "the certificate")
                        log_in(client)
                        say_goodbye(client)
                    session = origin.session(1)
                    check_equal(session.agreed.version, f"TLSv{version}", "what the server agreed on")
                    check_equal(session.logins, [(USER, PASSWORD)], "the login")


@story
def healthy_clients_with_TLS_at_once_are_not_touched():
    for server, port in ((ImapOrigin, 993), (Pop3Origin, 995)):
        with server(asked_port=port) as origin, gateway_to(origin, "implicit") as gateway:
            with MailClient(gateway, origin) as client:
                client.start_tls("1.2")
                check_equal(client.certificate(), first_certificate(office()), "the certificate")
                client.greet()
                say_goodbye(client)
            check_equal(origin.session().agreed.version, "TLSv1.2", "what the server agreed on")


@story
def each_side_is_offered_what_holds_on_its_leg():
    offers = {
        ("imap", "none"): {"AUTH=PLAIN": True, "STARTTLS": False, "LOGINDISABLED": False, "IDLE": True},
        ("imap", "optional"): {"AUTH=PLAIN": True, "STARTTLS": True, "LOGINDISABLED": False, "IDLE": True},
        ("imap", "starttls"): {"AUTH=PLAIN": False, "STARTTLS": True, "LOGINDISABLED": True},
        ("pop3", "none"): {"SASL PLAIN XOAUTH2": True, "STLS": False, "USER": True, "TOP": True},
        ("pop3", "optional"): {"SASL PLAIN XOAUTH2": True, "STLS": True, "USER": True, "TOP": True},
        ("pop3", "starttls"): {"SASL PLAIN XOAUTH2": False, "STLS": True, "USER": False},
    }
    for server in SERVERS:
        for client_tls in ("none", "optional", "starttls"):
            with server() as origin, gateway_to(origin, client_tls) as gateway:
                with MailClient(gateway, origin) as client:
                    client.greet()
                    offered = capabilities(client)
                    for word, is_there in offers[origin.protocol, client_tls].items():
                        check_equal(word in offered, is_there, f"{word} in {offered} with {client_tls}")
                    if client_tls != "none":
                        client.ask_for_tls()
                        client.start_tls("1.0", gateway.ca)
                        offered = capabilities(client)
                        check(not offered & {"STARTTLS", "STLS", "LOGINDISABLED"}, f"in TLS there is {offered}")
                        check(offered & {"AUTH=PLAIN", "USER"}, f"no login in TLS: {offered}")
                    say_goodbye(client)
                gateway.record(mail_upgraded("plain" if client_tls == "none" else "1.0", origin.protocol))


@story
def a_greeting_with_capabilities_is_rewritten_too():
    greeting = "* OK [CAPABILITY IMAP4rev1 LITERAL+ STARTTLS LOGINDISABLED IDLE] ready"
    with ImapOrigin(answers={"greeting": greeting}) as origin, gateway_to(origin) as gateway:
        with MailClient(gateway, origin) as client:
            heard = client.line()
            check(heard.startswith("* OK"), f"the greeting is {heard}")
            check("STARTTLS" not in heard and "LOGINDISABLED" not in heard, f"the greeting is {heard}")
            say_goodbye(client)
        gateway.record(mail_upgraded("plain", "imap"))


@story
def a_listener_that_wants_STARTTLS_takes_no_login_without():
    for server in SERVERS:
        with server() as origin, gateway_to(origin, "starttls") as gateway:
            with MailClient(gateway, origin) as client:
                client.greet()
                for line in NOT_WITHOUT_TLS[origin.protocol]:
                    answer = client.say(line)
                    check("NO " in answer or answer.startswith("-ERR"), f"{line} was answered with {answer}")
                client.ask_for_tls()
                client.start_tls("1.0", gateway.ca)
                log_in(client)
                say_goodbye(client)
            gateway.record(mail_upgraded("1.0", origin.protocol))
            check_equal(origin.session().logins, [(USER, PASSWORD)], "the login")


@story
def imap_logins_pass_in_every_shape():
    plain = base64_of(f"\0{USER}\0{PASSWORD}")
    pair, sasl = (USER, PASSWORD), ("PLAIN", f"\0{USER}\0{PASSWORD}")
    token = base64_of(f"user={USER}\1auth=Bearer abc\1\1")
    shapes = (
        ([f'LOGIN "{USER}" "{PASSWORD}"'], pair),
        ([f'login {USER} "{PASSWORD}"'], pair),
        ([f"LOGIN {{{len(USER)}}}", f"{USER} {{{len(PASSWORD)}}}", PASSWORD], pair),
        ([f"AUTHENTICATE PLAIN {plain}"], sasl),
        (["authenticate plain", plain], sasl),
        ([f"AUTHENTICATE XOAUTH2 {token}"], ("XOAUTH2", f"user={USER}\1auth=Bearer abc\1\1")),
    )
    with ImapOrigin() as origin, gateway_to(origin) as gateway:
        for n, (lines, login) in enumerate(shapes):
            with MailClient(gateway, origin) as client:
                client.greet()
                for line in [f"b1 {lines[0]}", *lines[1:]][:-1]:
                    check_in("+", client.say(line), f"the answer to {line}")
                last = lines[-1] if len(lines) > 1 else f"b1 {lines[0]}"
                check_in("b1 OK ", client.say(last), f"the answer to {lines}")
                say_goodbye(client)
            gateway.record(mail_upgraded("plain", "imap"))
            check_equal(origin.session(n).logins, [login], f"the login by {lines}")


@story
def pop3_logins_pass_in_every_shape():
    plain = base64_of(f"\0{USER}\0{PASSWORD}")
    sasl = ("PLAIN", f"\0{USER}\0{PASSWORD}")
    shapes = (
        ([f"USER {USER}", f"PASS {PASSWORD}"], (USER, PASSWORD)),
        ([f"AUTH PLAIN {plain}"], sasl),
        (["auth plain", plain], sasl),
        (["AUTH XOAUTH2", base64_of("user=a\1auth=Bearer b\1\1")], ("XOAUTH2", "user=a\1auth=Bearer b\1\1")),
    )
    with Pop3Origin() as origin, gateway_to(origin) as gateway:
        for n, (lines, login) in enumerate(shapes):
            with MailClient(gateway, origin) as client:
                client.greet()
                check_in("+OK", [client.say(line) for line in lines][-1], f"the answer to {lines}")
                say_goodbye(client)
            gateway.record(mail_upgraded("plain", "pop3"))
            check_equal(origin.session(n).logins, [login], f"the login by {lines}")


@story
def what_follows_a_login_passes_untouched():
    fetched = b"* 1 FETCH (BODY[] {%d}\r\n%s)\r\nf1 OK FETCH completed.\r\n" % (len(MAIL_MESSAGE), MAIL_MESSAGE)
    note = b"three\r\na1 LOGIN x y\r\n\0\xff bytes {5}\r\n"
    for version in ("plain", "1.0"):
        with ImapOrigin() as origin, gateway_to(origin, "optional") as gateway:
            with MailClient(gateway, origin) as client:
                client.greet()
                if version == "1.0":
                    client.ask_for_tls()
                    client.start_tls("1.0", gateway.ca)
                log_in(client)
                client.send(b"f1 FETCH 1 (BODY[])\r\n")
                check_equal(client.receive(len(fetched)), fetched, "the message")
                client.send(b"n1 APPEND INBOX {%d+}\r\n%s\r\n" % (len(note), note))
                check_in("n1 OK ", client.line(), "the answer to APPEND")
                check_in("+ IDLE", client.say("i1 IDLE"), "the answer to IDLE")
                check_equal(client.line(), "* 2 EXISTS", "what comes while idle")
                check_in("i1 OK ", client.say("DONE"), "the answer to DONE")
                say_goodbye(client)
            gateway.record(mail_upgraded(version, "imap"))
            check_equal(origin.session().messages, [note], "the note")


@story
def a_pop3_message_passes_untouched():
    with Pop3Origin() as origin, gateway_to(origin) as gateway:
        with MailClient(gateway, origin) as client:
            client.greet()
            log_in(client)
            client.send(b"RETR 1\r\n")
            wanted = b"+OK\r\n" + MAIL_MESSAGE + b"..a dot\r\n-ERR not an answer\r\n.\r\n"
            check_equal(client.receive(len(wanted)), wanted, "the message")
            say_goodbye(client)
        gateway.record(mail_upgraded("plain", "pop3"))


def is_refused(code, action="upstream-verify-failed", **server):
    """The client is told in place of a greeting, and its login never leaves."""
    for kind in SERVERS:
        answers = {starttls_of(kind.protocol): {"imap": "TAG NO", "pop3": "-ERR"}[kind.protocol] + " not today"}
        more = {"answers": answers} if server == {"refuses": True} else server
        with kind(**more) as origin, gateway_to(origin, "optional") as gateway:
            with MailClient(gateway, origin) as client:
                check_in(SAYS_NO[origin.protocol], client.line()[:6], "the greeting")
                check_equal(client.rest(), b"", "what comes behind it")
            gateway.record({"event.action": action, "event.code": code, "network.protocol": origin.protocol})
            check_equal(origin.session().logins, [], "logins")


@story
def a_certificate_that_does_not_verify_ends_it():
    is_refused("upstream-verify-failed", certificate=leaf())


@story
def a_server_that_has_nothing_but_TLS_1_1_ends_it():
    is_refused("upstream-tls-failed", lowest="1.0", highest="1.1")


@story
def a_server_without_STARTTLS_ends_it():
    is_refused("upstream-no-starttls", starttls=False)


@story
def a_server_that_refuses_STARTTLS_ends_it():
    is_refused("upstream-no-starttls", refuses=True)


@story
def what_a_server_puts_behind_its_consent_ends_it():
    is_refused("starttls-response-injection", action="malformed", injects=b"* OK injected\r\n")


@story
def what_a_client_puts_behind_its_STARTTLS_ends_it():
    injected = {"imap": b"a1 STARTTLS\r\na2 LOGIN evil evil\r\n", "pop3": b"STLS\r\nUSER evil\r\n"}
    for server in SERVERS:
        with server() as origin, gateway_to(origin, "optional") as gateway:
            with MailClient(gateway, origin) as client:
                client.greet()
                client.send(injected[origin.protocol])
                check_in(SAYS_NO[origin.protocol], client.line()[:6], "the answer")
                check_equal(client.rest(), b"", "what comes behind it")
            gateway.record({"event.action": "malformed", "event.code": "starttls-command-injection"})
            check_equal(origin.session().logins, [], "logins")


@story
def a_login_that_fails_is_heard_and_may_be_tried_again():
    for server, no in ((ImapOrigin, "TAG NO LOGIN failed."), (Pop3Origin, "-ERR Logon failure")):
        with server(answers={"login": no}) as origin, gateway_to(origin) as gateway:
            with MailClient(gateway, origin) as client:
                client.greet()
                for _ in range(2):
                    if origin.protocol == "imap":
                        check_equal(client.say("b1 LOGIN a b"), "b1 NO LOGIN failed.", "the answer")
                    else:
                        client.say("USER a")
                        check_equal(client.say("PASS b"), no, "the answer")
                say_goodbye(client)
            gateway.record(mail_upgraded("plain", origin.protocol))
            check_equal(len(origin.session().logins), 2, "logins")


run_stories()
