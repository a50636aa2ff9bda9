"""Mail servers on loopback: SMTP, IMAP and POP3 as Exchange Online speaks them, with STARTTLS, or TLS at once on the
ports that have it. They note what they were told, byte for byte, and can be told to misbehave."""

import base64
import re
import ssl
import threading

from .origins import WAIT_S, Agreed, Origin
from .pki import ca_file, office
from .tls import TlsPeer, server_context

SMTP_HOST, IMAP_HOST = "smtp.office365.com", "outlook.office365.com"
TLS_PORTS = (465, 993, 995)
USER, PASSWORD = "scanner@contoso.example", "pass word 123"

# In place of an answer: the connection ends there, or nothing comes any more.
CLOSE, SILENT = object(), object()


class Closed(Exception):
    """The script says that this is the end."""


class MailSession:
    """One connection from the server's side. `told` holds what the client has said, as (leg, bytes): the leg is
    "plain", or the TLS version. `agreed` is what its handshake agreed on, `certificate` the client's, as DER."""

    def __init__(self, origin, connection):
        self.origin, self.connection = origin, connection
        self.peer, self.agreed, self.certificate = None, None, None
        self.buffer = bytearray()
        self.told, self.messages, self.logins = [], [], []
        self.changed = threading.Condition()

    @property
    def leg(self):
        return self.agreed.version if self.agreed else "plain"

    def _receive(self):
        data = self.peer.read() if self.peer else self.connection.recv()
        if not data:
            raise EOFError("the client has gone")
        self.buffer += data

    def _note(self, data):
        with self.changed:
            self.told.append((self.leg, bytes(data)))
            self.changed.notify_all()

    def read_exactly(self, n, note=True):
        while len(self.buffer) < n:
            self._receive()
        data = bytes(self.buffer[:n])
        del self.buffer[:n]
        if note:
            self._note(data)
        return data

    def read_until(self, mark, note=True):
        at = 0
        while (found := self.buffer.find(mark, at)) < 0:
            at = max(0, len(self.buffer) - len(mark))
            self._receive()
        return self.read_exactly(found + len(mark), note)

    def read_line(self):
        return self.read_until(b"\n")

    def write(self, *lines):
        """Text has its line ends added, bytes are sent as they are."""
        data = b"".join(line if isinstance(line, bytes) else f"{line}\r\n".encode() for line in lines)
        (self.peer.write if self.peer else self.connection.send)(data)

    def start_tls(self):
        origin = self.origin
        self.peer = TlsPeer(self.connection, origin.context)
        tls = self.peer.handshake().tls
        name = getattr(tls, "asked_name", None)
        self.certificate = tls.getpeercert(True)
        self.agreed = Agreed(tls.version(), tls.cipher()[0], name, None, tls.session_reused)
        # What came in plain text stays in the buffer: a server that is open to injection would take it.

    def take(self, answer):
        """Does what stands in the place of an answer."""
        if answer is CLOSE:
            raise Closed
        if answer is SILENT:
            while True:
                self._receive()
        self.write(answer)

    def commands(self, leg=None):
        """What was said, without line ends, as text; on one leg, or on both."""
        return [data.decode("latin-1").rstrip("\r\n") for at, data in self.told if leg in (None, at)]

    def wait_told(self, line):
        """Until the client has said this."""
        with self.changed:
            if not self.changed.wait_for(lambda: line in self.commands(), WAIT_S):
                raise TimeoutError(f"{line!r} never came, but {self.commands()}")

    def close(self):
        if self.peer:
            self.peer.close()


class MailOrigin(Origin):
    """`answers` puts other words (or CLOSE, SILENT) in place of the answer to a command: {"STARTTLS": "454 no"}; the
    first words are those for "greeting". `injects` is sent behind the consent to STARTTLS, in the same segment.
    `starttls=False`: the server knows of none. `wants_certificate`: it asks for a client certificate."""

    protocol = None
    consent = None  # the answer to STARTTLS

    def __init__(
        self, name, asked_port, lowest="1.2", highest="1.3", answers=None, injects=b"", starttls=True,
        certificate=None, wants_certificate=False, **more,
    ):  # fmt: skip
        self.asked_port = asked_port
        self.answers = answers or {}
        self.injects, self.starttls = injects, starttls
        self.sessions = []
        self.context = server_context(lowest, highest, certificate or office())
        self.context.sni_callback = self._note_name
        if wants_certificate:
            self.context.load_verify_locations(ca_file())
            self.context.verify_mode = ssl.CERT_OPTIONAL
        super().__init__(name=name, **more)

    @staticmethod
    def _note_name(tls, name, _):
        tls.asked_name = name

    @property
    def is_implicit(self):
        return self.asked_port in TLS_PORTS

    def session(self, number=0):
        """The n-th, once it is over."""
        self.finished(number)
        return self.sessions[number]

    def live_session(self, number=0):
        self.connection(number)
        with self.changed:
            self.changed.wait_for(lambda: len(self.sessions) > number, WAIT_S)
            return self.sessions[number]

    def serve(self, connection):
        session = MailSession(self, connection)
        with self.changed:
            self.sessions.append(session)
            self.changed.notify_all()
        try:
            if self.is_implicit:
                session.start_tls()
            session.take(self.answers.get("greeting", self.greeting))
            self.converse(session)
            session.close()
        except (ssl.SSLError, Closed) as error:
            connection.error = error

    def turn_to_tls(self, session, consent):
        session.write(f"{consent}\r\n".encode() + self.injects)
        session.start_tls()

    def converse(self, session):
        raise NotImplementedError


def of_base64(text):
    return base64.b64decode(text).decode()


class VerbOrigin(MailOrigin):
    """A server whose commands begin with their verb: `on_VERB` takes one."""

    def converse(self, session):
        while True:
            line = session.read_line().decode("latin-1").rstrip("\r\n")
            verb, _, rest = line.partition(" ")
            verb = verb.upper()
            if verb in self.answers:
                session.take(self.answers[verb])
            elif verb == "QUIT":
                session.write(self.farewell)
                return
            else:
                getattr(self, f"on_{verb.lower()}", self.on_other)(session, rest)

    def on_other(self, session, _):
        session.write(self.unknown)


class SmtpOrigin(VerbOrigin):
    protocol = "smtp"
    farewell = "221 2.0.0 Service closing transmission channel"
    unknown = "500 5.3.3 Unrecognized command"
    consent = "220 2.0.0 SMTP server ready"
    greeting = "220 AM0PR01CA0001.outlook.office365.com Microsoft ESMTP MAIL Service ready"
    capabilities = (
        "SIZE 157286400", "PIPELINING", "DSN", "ENHANCEDSTATUSCODES", "8BITMIME", "BINARYMIME", "CHUNKING", "SMTPUTF8",
    )  # fmt: skip

    def __init__(self, name=SMTP_HOST, asked_port=587, auth="LOGIN XOAUTH2", **more):
        self.auth = auth
        super().__init__(name, asked_port, **more)

    def on_ehlo(self, session, _):
        lines = ["AM0PR01CA0001.outlook.office365.com Hello [192.0.2.1]", *self.capabilities]
        if session.agreed:
            lines.append(f"AUTH {self.auth}")
        elif self.starttls:
            lines.insert(4, "STARTTLS")
        session.write(*(f"250-{line}" for line in lines[:-1]), f"250 {lines[-1]}")

    @staticmethod
    def on_helo(session, _):
        session.write("250 AM0PR01CA0001.outlook.office365.com Hello [192.0.2.1]")

    def on_starttls(self, session, rest):
        if session.agreed or not self.starttls:
            self.on_other(session, rest)
        else:
            self.turn_to_tls(session, self.consent)

    @staticmethod
    def ask(session, prompt):
        session.write(f"334 {prompt}")
        return session.read_line().decode().rstrip("\r\n")

    def on_auth(self, session, rest):
        mechanism, _, initial = rest.partition(" ")
        if not session.agreed:
            session.write("530 5.7.57 Client not authenticated to send mail; STARTTLS first")
            return
        if mechanism not in self.auth.split():
            session.write("504 5.7.4 Unrecognized authentication type")
            return
        if mechanism == "LOGIN":
            user = initial or self.ask(session, "VXNlcm5hbWU6")
            login = (of_base64(user), of_base64(self.ask(session, "UGFzc3dvcmQ6")))
        else:
            login = (mechanism, of_base64(initial or self.ask(session, "")))
        session.logins.append(login)
        session.take(self.answers.get("login", "235 2.7.0 Authentication successful"))

    @staticmethod
    def on_mail(session, _):
        session.write("250 2.1.0 Sender OK" if session.agreed else "451 5.7.3 STARTTLS is required to send mail")

    @staticmethod
    def on_rcpt(session, _):
        session.write("250 2.1.5 Recipient OK")

    @staticmethod
    def on_rset(session, _):
        session.write("250 2.0.0 Resetting")

    on_noop = on_rset

    def on_data(self, session, _):
        session.write("354 Start mail input; end with <CRLF>.<CRLF>")
        session.buffer[:0] = b"\r\n"  # the dot may be the first line
        self.accept(session, session.read_until(b"\r\n.\r\n", note=False)[2:])

    def on_bdat(self, session, rest):
        self.accept(session, session.read_exactly(int(rest.split()[0]), note=False))

    def accept(self, session, message):
        session.messages.append(message)
        session.take(self.answers.get("message", "250 2.0.0 OK [Hostname=AM0PR01MB0001]"))


MAIL_MESSAGE = b"Subject: one\r\n\r\na bare \n line end, {17}\r\n* OK not an answer\r\na2 NO neither\r\n"


class ImapOrigin(MailOrigin):
    protocol = "imap"
    greeting = "* OK The Microsoft Exchange IMAP4 service is ready. [QQBNADAAUABS]"

    def __init__(self, name=IMAP_HOST, asked_port=143, **more):
        super().__init__(name, asked_port, **more)

    @property
    def capabilities(self):
        return "IMAP4 IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR UIDPLUS MOVE ID UNSELECT IDLE NAMESPACE LITERAL+"

    def read_command(self, session):
        """One with its literals, in one piece."""
        command = session.read_line()
        while literal := re.search(rb"\{(\d+)(\+?)\}\r\n$", command):
            if not literal[2]:
                session.write("+ Ready for additional command text.")
            command += session.read_exactly(int(literal[1])) + session.read_line()
        return command.decode("latin-1").removesuffix("\r\n")

    def converse(self, session):
        while True:
            tag, verb, *rest = self.read_command(session).split(" ", 2)
            verb = verb.upper()
            if verb in self.answers:
                answer = self.answers[verb]
                session.take(answer.replace("TAG", tag) if isinstance(answer, str) else answer)
            else:
                getattr(self, f"on_{verb.lower()}", self.on_other)(session, tag, rest[0] if rest else "")
            if verb == "LOGOUT":
                return

    @staticmethod
    def on_other(session, tag, _):
        session.write(f"{tag} BAD Command Error. 10")

    def on_capability(self, session, tag, _):
        plain = "IMAP4 IMAP4rev1 LOGINDISABLED" + (" STARTTLS" if self.starttls else "") + " ID IDLE"
        offered = self.capabilities if session.agreed else plain
        session.write(f"* CAPABILITY {offered}", f"{tag} OK CAPABILITY completed.")

    def on_starttls(self, session, tag, rest):
        if session.agreed or not self.starttls:
            self.on_other(session, tag, rest)
        else:
            self.turn_to_tls(session, f"{tag} OK Begin TLS negotiation now.")

    @staticmethod
    def on_noop(session, tag, _):
        session.write(f"{tag} OK NOOP completed.")

    @staticmethod
    def on_logout(session, tag, _):
        session.write("* BYE Microsoft Exchange Server IMAP4 server signing off.", f"{tag} OK LOGOUT completed.")

    def log_in(self, session, tag, login, verb):
        if not session.agreed:
            session.write(f"{tag} NO {verb} failed.")
            return
        session.logins.append(login)
        session.take(self.answers.get("login", f"{tag} OK {verb} completed.").replace("TAG", tag))

    def on_login(self, session, tag, rest):
        words = []
        while rest:
            if literal := re.match(r"\{(\d+)\+?\}\r\n", rest):
                end = literal.end() + int(literal[1])
                word = rest[literal.end() : end]
            else:
                end = (quoted := re.match(r'"(?:[^"\\]|\\.)*"|[^ ]+', rest)).end()
                word = re.sub(r"\\(.)", r"\1", quoted[0].strip('"'))
            words.append(word)
            rest = rest[end:].lstrip(" ")
        self.log_in(session, tag, tuple(words), "LOGIN")

    def on_authenticate(self, session, tag, rest):
        mechanism, _, initial = rest.partition(" ")
        if not initial:
            session.write("+ ")
            initial = session.read_line().decode().rstrip("\r\n")
        self.log_in(session, tag, (mechanism.upper(), of_base64(initial)), "AUTHENTICATE")

    @staticmethod
    def on_select(session, tag, _):
        session.write("* 1 EXISTS", "* 0 RECENT", f"{tag} OK [READ-WRITE] SELECT completed.")

    @staticmethod
    def on_fetch(session, tag, _):
        head = f"* 1 FETCH (BODY[] {{{len(MAIL_MESSAGE)}}}\r\n".encode()
        session.write(head + MAIL_MESSAGE + b")\r\n", f"{tag} OK FETCH completed.")

    @staticmethod
    def on_append(session, tag, rest):
        session.messages.append(re.split(r"\{\d+\+?\}\r\n", rest, maxsplit=1)[1].encode("latin-1"))
        session.write(f"{tag} OK [APPENDUID 1 2] APPEND completed.")

    @staticmethod
    def on_idle(session, tag, _):
        session.write("+ IDLE accepted, awaiting DONE command.", "* 2 EXISTS")
        session.read_until(b"DONE\r\n")
        session.write(f"{tag} OK IDLE completed.")


class Pop3Origin(VerbOrigin):
    protocol = "pop3"
    farewell = "+OK Microsoft Exchange Server POP3 server signing off."
    unknown = "-ERR Protocol error. 14"
    greeting = "+OK The Microsoft Exchange POP3 service is ready. [QQBNADAAUABS]"
    consent = "+OK Begin TLS negotiation."

    def __init__(self, name=IMAP_HOST, asked_port=110, **more):
        super().__init__(name, asked_port, **more)

    def on_capa(self, session, _):
        lines = ["+OK", "TOP", "UIDL"]
        if session.agreed:
            lines += ["SASL PLAIN XOAUTH2", "USER"]
        elif self.starttls:
            lines += ["STLS"]
        session.write(*lines, ".")

    def on_stls(self, session, rest):
        if session.agreed or not self.starttls:
            self.on_other(session, rest)
        else:
            self.turn_to_tls(session, self.consent)

    @staticmethod
    def on_user(session, rest):
        if not session.agreed:
            session.write("-ERR Command is not valid in this state.")
            return
        session.logins.append((rest,))
        session.write("+OK")

    def on_pass(self, session, rest):
        session.logins[-1] += (rest,)
        session.take(self.answers.get("login", "+OK User successfully logged on."))

    def on_auth(self, session, rest):
        mechanism, _, initial = rest.partition(" ")
        if not initial:
            session.write("+ ")
            initial = session.read_line().decode().rstrip("\r\n")
        session.logins.append((mechanism.upper(), of_base64(initial)))
        session.take(self.answers.get("login", "+OK User successfully logged on."))

    @staticmethod
    def on_stat(session, _):
        session.write(f"+OK 1 {len(MAIL_MESSAGE)}")

    @staticmethod
    def on_retr(session, _):
        session.write("+OK", MAIL_MESSAGE + b"..a dot\r\n-ERR not an answer\r\n.\r\n")


def of_protocol(protocol):
    """The class of servers that speak it."""
    return {"smtp": SmtpOrigin, "imap": ImapOrigin, "pop3": Pop3Origin}[protocol]
