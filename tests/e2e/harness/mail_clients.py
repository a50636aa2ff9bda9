"""Mail clients: one that says the lines it is given, and real ones, each told which gateway, which way and which
version of TLS. A way is the name of a `forward` listener, or CONNECT."""

import base64
import functools
import imaplib
import poplib
import smtplib
import socket

from .clients import CONNECT, WAIT_S, ConnectBridge, RawClient, run_client
from .gateway import Gateway
from .story import check
from .tls import TlsPeer, client_context

MAIL_PORTS = "443, 80, 25, 110, 143, 465, 587, 993, 995"
WAY = "mail"  # the listener that forward() makes


def forward(origin, client_tls="none", **more):
    """Settings of a listener that leads to a mail server, for a Gateway; `more` are keys of it."""
    keys = {
        "listen": "127.0.0.1:0",
        "kind": "forward",
        "protocol": origin.protocol,
        "upstream": f"{origin.name}:{origin.asked_port}",
        "client_tls": client_tls,
        **more,
    }
    return {"access.port": MAIL_PORTS, **{f"listener {WAY}.{key}": value for key, value in keys.items()}}


def mail_gateway(origin, client_tls="none", settings=None, **keys):
    """A gateway that upgrades, with such a listener."""
    return Gateway(origin, settings={**forward(origin, client_tls, **keys), **(settings or {})}, upgrades=True)


def mail_upgraded(version="plain", protocol="smtp"):
    """What the record of an upgrade has, from this version inside to TLS 1.3 outside."""
    code = {"plain": "mail-upgraded", "1.0": "client-upgraded", "1.1": "client-upgraded"}
    return {
        "event.action": "tls-upgraded",
        "event.code": code.get(version, "client-terminated"),
        "network.protocol": protocol,
        "tls.version": None if version == "plain" else version,
        "tlsfloor.verdict": "upgrade",
        "tlsfloor.upgrade.from": version,
        "tlsfloor.upgrade.to": "1.3",
        "tlsfloor.mail.inside": "SP_PROT_NONE" if version == "plain" else f"SP_PROT_TLS1_{version[2]}_SERVER",
        "tlsfloor.mail.outside": "SP_PROT_TLS1_3_CLIENT",
    }


def base64_of(text):
    return base64.b64encode(text.encode()).decode()


def mail_socket(gateway, way, origin):
    """A socket that the server's greeting comes to."""
    if way == CONNECT:
        return RawClient(gateway.proxy).connect(origin.name, origin.asked_port).sock
    return socket.create_connection(("127.0.0.1", gateway.ports[way]), WAIT_S)


class MailClient:
    """Says lines, and reads what comes, in plain text or, after `start_tls`, in TLS."""

    def __init__(self, gateway, origin, way=WAY):
        self.sock = mail_socket(gateway, way, origin)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.name, self.protocol = origin.name, origin.protocol
        self.peer = None
        self.buffer = bytearray()

    def greet(self):
        """Answers with the greeting, and has introduced itself where the protocol wants that."""
        greeting = self.line()
        if self.protocol == "smtp":
            self.ehlo()
        return greeting

    def ask_for_tls(self):
        """Answers with the consent."""
        return self.say({"smtp": "STARTTLS", "imap": "t1 STARTTLS", "pop3": "STLS"}[self.protocol])

    def start_tls(self, version, ca=None, lowest=None):
        """The handshake, with those in the file `ca` trusted: the root of all origins, if it is not given."""
        if self.buffer:
            raise AssertionError(f"in front of the handshake there is {bytes(self.buffer)!r}")
        self.peer = TlsPeer(self.sock, client_context(lowest or version, version, ca), self.name).handshake()
        return self

    def certificate(self):
        """What the other side has shown, as DER."""
        return self.peer.tls.getpeercert(True)

    def send(self, data):
        (self.peer.write if self.peer else self.sock.sendall)(data)

    def _receive(self):
        data = self.peer.read() if self.peer else self.sock.recv(65536)
        if not data:
            raise EOFError(f"the end after {bytes(self.buffer)!r}")
        self.buffer += data

    def receive(self, n):
        """Exactly n bytes."""
        while len(self.buffer) < n:
            self._receive()
        data, self.buffer = self.buffer[:n], self.buffer[n:]
        return bytes(data)

    def line(self):
        while b"\n" not in self.buffer:
            self._receive()
        line, _, self.buffer = self.buffer.partition(b"\n")
        return (line + b"\n").decode("latin-1").rstrip("\r\n")

    def lines_until(self, is_last):
        lines = [self.line()]
        while not is_last(lines[-1]):
            lines.append(self.line())
        return lines

    def say(self, line):
        """Says it, and answers with one line that comes back."""
        self.send(f"{line}\r\n".encode("latin-1"))
        return self.line()

    def ehlo(self, name="scanner.example"):
        """Says EHLO, and answers with what is offered, the greeting first."""
        self.send(f"EHLO {name}\r\n".encode())
        return [line[4:] for line in self.lines_until(lambda line: line[3:4] != "-")]

    def offered(self):
        """The keywords of what is offered."""
        return {line.split()[0] for line in self.ehlo()[1:]}

    def message(self, data, sender="MAIL FROM:<scanner@contoso.example>"):
        """Sends one over SMTP, `data` as it is with the final dot, and answers with the last answer."""
        for line in (sender, "RCPT TO:<me@contoso.example>", "DATA"):
            answer = self.say(line)
            check(answer[0] in "23", f"{line} was answered with {answer}")
        self.send(data)
        return self.line()

    def tagged(self, tag, command):
        """Says an IMAP command, and answers with all up to its tag."""
        self.send(f"{tag} {command}\r\n".encode("latin-1"))
        return self.lines_until(lambda line: line.startswith(f"{tag} "))

    def many(self, command):
        """Says a POP3 command whose answer has many lines."""
        self.send(f"{command}\r\n".encode())
        return self.lines_until(lambda line: line == "." or line.startswith("-ERR"))

    def rest(self):
        """All that still comes, to the end, which must be no reset."""
        data = bytes(self.buffer)
        self.buffer = bytearray()
        while part := self.peer.read() if self.peer else self.sock.recv(65536):
            data += part
        return data

    def close(self):
        if self.peer:
            self.peer.close()
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def _through(base, is_implicit=False):
    """One of Python's clients whose connection is made for it, while it believes to talk to the server's name. With
    `is_implicit` TLS comes at once."""

    class Client(base):
        def __init__(self, gateway, origin, way=WAY, version="1.0", ca=None):
            self.context = client_context(version, version, ca)
            self.given = mail_socket(gateway, way, origin)
            if is_implicit:
                self.given = self.context.wrap_socket(self.given, server_hostname=origin.name)
            super().__init__(origin.name)

        def _give(self, *_):
            return self.given

        _get_socket = _create_socket = _give

    return Client


SmtpClient, SmtpTlsClient = _through(smtplib.SMTP), _through(smtplib.SMTP, True)
ImapClient, ImapTlsClient = _through(imaplib.IMAP4), _through(imaplib.IMAP4, True)
Pop3Client, Pop3TlsClient = _through(poplib.POP3), _through(poplib.POP3, True)


def curl_mail(gateway, origin, path, *options, way=WAY, version="plain", is_implicit=False, ca=None, stdin=""):
    """`version`: STARTTLS (or TLS at once) with it, or plain text."""
    scheme = origin.protocol + ("s" if is_implicit else "")
    where = ["--connect-to", f"{origin.name}:{origin.asked_port}:127.0.0.1:{gateway.ports.get(way)}"]
    if way == CONNECT:
        where = ["--proxytunnel", "-x", f"http://127.0.0.1:{gateway.proxy}"]
    tls = []
    if version != "plain":
        tls = [f"--tlsv{version}", "--tls-max", version, "--ciphers", "DEFAULT@SECLEVEL=0", "--cacert", ca]
        tls += [] if is_implicit else ["--ssl-reqd"]
    url = f"{scheme}://{origin.name}:{origin.asked_port}/{path}"
    return run_client("curl", "-sS", "-v", *where, *tls, *options, url, stdin=stdin)


@functools.cache
def swaks_checks_names():
    """The swaks of Debian 13 verifies the name too, and can be told which; that of Debian 12 does neither."""
    version = run_client("swaks", "--version").output.split("version ")[1]
    return int(version[:4]) > 2020


def swaks(gateway, origin, *options, way=WAY, version="plain", is_implicit=False, ca=None):
    """`version` as curl_mail has it."""
    tls = []
    if version != "plain":
        name = {"1.0": "tlsv1", "1.1": "tlsv1_1", "1.2": "tlsv1_2", "1.3": "tlsv1_3"}[version]
        tls = ["--tls-on-connect" if is_implicit else "--tls", "--tls-protocol", name, "--tls-verify"]
        tls += ["--tls-cipher", "DEFAULT:@SECLEVEL=0", "--tls-ca-path", ca]
        tls += ["--tls-verify-target", origin.name] if swaks_checks_names() else []
    where = ["--server", "127.0.0.1", "--port", str(gateway.ports[way]), "--ehlo", "scanner.example"]
    mail = ["--from", "scanner@contoso.example", "--to", "me@contoso.example"]
    return run_client(
        "swaks", *where, *mail, *tls, *options, environment={"OPENSSL_CONF": "/dev/null"}, timeout=60,
    )  # fmt: skip


def openssl_starttls(gateway, origin, version, *options, way=WAY, ca=None, stdin=""):
    flag = {"1.0": "-tls1", "1.1": "-tls1_1", "1.2": "-tls1_2", "1.3": "-tls1_3"}[version]

    def ask(port):
        return run_client(
            "openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-starttls", origin.protocol, "-servername",
            origin.name, flag, "-cipher", "DEFAULT:@SECLEVEL=0", "-CAfile", ca, "-verify_return_error",
            "-verify_hostname", origin.name, "-showcerts", *options, stdin=stdin,
        )  # fmt: skip

    if way != CONNECT:
        return ask(gateway.ports[way])
    # With -proxy it loses a greeting that comes with the proxy's own answer.
    with ConnectBridge(gateway, origin.name, origin.asked_port) as bridge:
        return ask(bridge.port)
