"""Real mail clients, in plain text, with STARTTLS in TLS 1.0 and with TLS 1.0 at once, to servers that want TLS 1.2."""

from harness import (
    CONNECT,
    MAIL_MESSAGE,
    PASSWORD,
    USER,
    WAY,
    ImapClient,
    ImapOrigin,
    ImapTlsClient,
    Pop3Client,
    Pop3Origin,
    Pop3TlsClient,
    SmtpClient,
    SmtpOrigin,
    SmtpTlsClient,
    check_equal,
    check_in,
    check_minted,
    curl_mail,
    mail_gateway,
    mail_upgraded,
    openssl_starttls,
    run_stories,
    story,
    swaks,
)

# Port 110 is not in the endpoint set.
POP3_RULE = {"rule pop3.destination": "outlook.office365.com", "rule pop3.action": "upgrade"}


def in_all_ways():
    """(way, version, what the listener offers)."""
    for way in (WAY, CONNECT):
        yield way, "plain", "optional"
        yield way, "1.0", "optional"
    yield WAY, "1.0", "implicit"


@story
def smtplib_sends_mail():
    text = "Subject: scan\r\n\r\nhello\r\n.a dot\r\n"
    sent = b"Subject: scan\r\n\r\nhello\r\n..a dot\r\n.\r\n"
    for way, version, client_tls in in_all_ways():
        with SmtpOrigin() as origin, mail_gateway(origin, client_tls) as gateway:
            kind = SmtpTlsClient if client_tls == "implicit" else SmtpClient
            client = kind(gateway, origin, way, ca=gateway.ca)
            if (version, client_tls) == ("1.0", "optional"):
                client.starttls(context=client.context)
            client.login(USER, PASSWORD)
            client.sendmail(USER, ["me@contoso.example"], text)
            client.quit()
            gateway.record(mail_upgraded(version))
            check_equal(origin.session().messages, [sent], "what the server got")
            check_equal(origin.session().logins, [(USER, PASSWORD)], "the login")


@story
def swaks_sends_mail():
    login = ("--auth-user", USER, "--auth-password", PASSWORD)
    for version, client_tls in (("plain", "none"), ("1.0", "optional"), ("1.0", "implicit")):
        for mechanism in ("LOGIN", "PLAIN"):
            with SmtpOrigin(auth="LOGIN PLAIN") as origin, mail_gateway(origin, client_tls) as gateway:
                result = swaks(gateway, origin, "--auth", mechanism, *login, version=version,
                               is_implicit=client_tls == "implicit", ca=gateway.ca)  # fmt: skip
                check_equal(result.status, 0, f"exit status of swaks, which says {result.output}")
                gateway.record(mail_upgraded(version))
                check_in(b"This is a test mailing", origin.session().messages[0], "the message")


@story
def curl_sends_mail():
    options = ("--mail-from", USER, "--mail-rcpt", "me@contoso.example", "--user", f"{USER}:{PASSWORD}", "-T", "-")
    for way, version, client_tls in in_all_ways():
        with SmtpOrigin() as origin, mail_gateway(origin, client_tls) as gateway:
            result = curl_mail(gateway, origin, "scanner.example", *options, way=way,
                               version=version, is_implicit=client_tls == "implicit",
                               ca=gateway.ca, stdin="Subject: scan\n\nhello\n")  # fmt: skip
            check_equal(result.status, 0, f"exit status of curl, which says {result.output}")
            gateway.record(mail_upgraded(version))
            check_in(b"hello", origin.session().messages[0], "the message")


@story
def openssl_talks_through():
    rows = (
        (SmtpOrigin, "EHLO me.example\r\nQUIT\r\n", "221 2.0.0 Service closing"),
        (ImapOrigin, "x LOGOUT\r\n", "x OK LOGOUT completed."),
        (Pop3Origin, "QUIT\r\n", "+OK Microsoft Exchange Server POP3 server signing off."),
    )
    for server, says, hears in rows:
        for way in (WAY, CONNECT):
            with server() as origin, mail_gateway(origin, "optional", POP3_RULE) as gateway:
                result = openssl_starttls(gateway, origin, "1.0", "-ign_eof", way=way, ca=gateway.ca, stdin=says)
                check_minted(result.output, origin.name)
                check_in(hears, result.output, "what openssl printed")
                gateway.record(mail_upgraded("1.0", origin.protocol))


@story
def imaplib_reads_mail():
    for way, version, client_tls in in_all_ways():
        with ImapOrigin() as origin, mail_gateway(origin, client_tls) as gateway:
            kind = ImapTlsClient if client_tls == "implicit" else ImapClient
            client = kind(gateway, origin, way, ca=gateway.ca)
            if (version, client_tls) == ("1.0", "optional"):
                client.starttls(ssl_context=client.context)
            client.login(USER, PASSWORD)
            client.select()
            check_equal(client.fetch("1", "(BODY[])")[1][0][1], MAIL_MESSAGE, "the message")
            client.append("INBOX", None, None, b"a note {3}\r\nof two lines")
            client.logout()
            gateway.record(mail_upgraded(version, "imap"))
            check_equal(origin.session().logins, [(USER, PASSWORD)], "the login")
            check_equal(origin.session().messages, [b"a note {3}\r\nof two lines"], "the note")


@story
def poplib_reads_mail():
    for way, version, client_tls in in_all_ways():
        with Pop3Origin() as origin, mail_gateway(origin, client_tls, POP3_RULE) as gateway:
            kind = Pop3TlsClient if client_tls == "implicit" else Pop3Client
            client = kind(gateway, origin, way, ca=gateway.ca)
            if (version, client_tls) == ("1.0", "optional"):
                client.stls(context=client.context)
            client.user(USER)
            client.pass_(PASSWORD)
            check_in(b"a dot", b"\n".join(client.retr(1)[1]), "the message")
            client.quit()
            gateway.record(mail_upgraded(version, "pop3"))
            check_equal(origin.session().logins, [(USER, PASSWORD)], "the login")


@story
def curl_reads_mail():
    for server, path, settings in ((ImapOrigin, "INBOX;MAILINDEX=1", {}), (Pop3Origin, "1", POP3_RULE)):
        for way, version, client_tls in in_all_ways():
            with server() as origin, mail_gateway(origin, client_tls, settings) as gateway:
                result = curl_mail(gateway, origin, path, "--user", f"{USER}:{PASSWORD}", way=way,
                                   version=version,
                                   is_implicit=client_tls == "implicit", ca=gateway.ca)  # fmt: skip
                check_equal(result.status, 0, f"exit status of curl, which says {result.output}")
                check_in("* OK not an answer", result.output, "the message")
                gateway.record(mail_upgraded(version, origin.protocol))


@story
def healthy_imaplib_and_poplib_see_the_server_s_own_certificate():
    with ImapOrigin() as origin, mail_gateway(origin, "optional") as gateway:
        client = ImapClient(gateway, origin, version="1.2")
        client.starttls(ssl_context=client.context)
        client.login(USER, PASSWORD)
        client.logout()
        check_equal(origin.session(1).agreed.version, "TLSv1.2", "what the server agreed on")
    with Pop3Origin() as origin, mail_gateway(origin, "optional", POP3_RULE) as gateway:
        client = Pop3Client(gateway, origin, version="1.2")
        client.stls(context=client.context)
        client.user(USER)
        client.pass_(PASSWORD)
        client.quit()
        check_equal(origin.session(1).agreed.version, "TLSv1.2", "what the server agreed on")


run_stories()
