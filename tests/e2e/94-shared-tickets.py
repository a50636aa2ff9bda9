"""Gateways that share the keys of session tickets, and a CA, are one to their clients: who has been to one resumes at
the other, old or new, also while the keys change. Without a file each has keys of its own."""

import base64
import contextlib
import os
import secrets
import shutil
import signal

from harness import (
    CONNECT,
    Gateway,
    OfficeOrigin,
    RawClient,
    TlsPeer,
    check,
    check_equal,
    check_in,
    clean_environment,
    client_context,
    leaf,
    openssl_client,
    program,
    reach,
    run_client,
    run_stories,
    story,
    workplace,
)

OFFICE = "outlook.office365.com"
SECURE = {
    "listener secure.listen": "127.0.0.1:0",
    "listener secure.tls": "on",
    "listener secure.certificate": leaf()[0],
    "listener secure.key": leaf()[1],
    "admin.listen": "127.0.0.1:0",
}


def new_key():
    return secrets.token_hex(80)


class KeysFile:
    """A gateway's, in a directory that goes with it."""

    def __init__(self, *keys):
        self.directory = workplace("run", f"tickets-{os.getpid()}-{secrets.token_hex(4)}")
        os.makedirs(self.directory)
        self.path = f"{self.directory}/keys"
        self.write(*keys)

    def write(self, *keys):
        with open(self.path, "w", encoding="ascii", opener=lambda path, flags: os.open(path, flags, 0o600)) as f:
            f.write("# keys of session tickets\n" + "".join(f"{key}\n" for key in keys))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.directory)


def gateway_with(origin, keys=None):
    settings = SECURE | ({"gateway.ticket_keys_file": keys.path} if keys else {})
    return Gateway(origin, settings=settings, upgrades=True)


@contextlib.contextmanager
def two_gateways(first_keys, second_keys):
    with OfficeOrigin() as origin, KeysFile(*first_keys) as a, KeysFile(*second_keys) as b:
        with gateway_with(origin, a) as one, gateway_with(origin, b) as two:
            one.keys, two.keys = a, b
            yield one, two


class OldApp:
    """Speaks TLS 1.0 to Microsoft 365, and is upgraded."""

    def __init__(self, gateway):
        self.context = client_context("1.0", "1.0", gateway.ca)

    def ask(self, gateway, session):
        with reach(gateway, CONNECT, OFFICE) as raw:
            peer = TlsPeer(raw.sock, self.context, OFFICE, session=session).handshake()
            peer.write(f"GET / HTTP/1.1\r\nHost: {OFFICE}\r\n\r\n".encode())
            check_in(b"page over TLSv1", peer.read_all(), "the page")
            peer.close()
        reused = peer.tls.session_reused
        gateway.record({"event.action": "tls-upgraded", "tlsfloor.upgrade.from_resumed": reused})
        return reused, peer.tls.session


class SecureClient:
    """Speaks TLS to the proxy itself."""

    def __init__(self, version):
        self.context = client_context(version, version)

    def ask(self, gateway, session):
        peer = TlsPeer(RawClient(gateway.ports["secure"]).sock, self.context, "localhost", session=session).handshake()
        peer.write(f"CONNECT {OFFICE}:443 HTTP/1.1\r\nHost: {OFFICE}\r\n\r\n".encode())
        check_in(b"HTTP/1.1 200 ", peer.read_exactly(len("HTTP/1.1 200 ")), "the answer to CONNECT")
        peer.close()
        return peer.tls.session_reused, peer.tls.session


class Visitor:
    """A client that remembers its last session."""

    def __init__(self, client):
        self.client = client
        self.session = None

    def visit(self, gateway):
        """Whether it resumed."""
        reused, self.session = self.client.ask(gateway, self.session)
        return reused


def visitors(gateway):
    return [Visitor(OldApp(gateway)), Visitor(SecureClient("1.2")), Visitor(SecureClient("1.3"))]


def all_resume(who, gateway, where):
    check_equal([visitor.visit(gateway) for visitor in who], [True] * len(who), f"who resumes {where}")


def nobody_resumes(who, gateway, where):
    check_equal([visitor.visit(gateway) for visitor in who], [False] * len(who), f"who resumes {where}")


# --- two gateways ---


@story
def whoever_has_been_to_one_gateway_resumes_at_the_other():
    key = new_key()
    in_base64 = base64.b64encode(bytes.fromhex(key)).decode()
    with two_gateways([key], [in_base64]) as (one, two):
        who = visitors(one)
        nobody_resumes(who, one, "at the first visit")
        all_resume(who, two, "at the other gateway")
        all_resume(who, one, "back at the first one")
        for gateway in (one, two):
            check_equal(gateway.metric("tlsfloor_tickets_unknown_total"), 0, "tickets of unknown keys")


@story
def a_program_with_an_old_openssl_resumes_at_the_other_as_well():
    key = new_key()
    with two_gateways([key], [key]) as (one, two):
        session = f"{one.keys.directory}/session"
        first = openssl_client(one, CONNECT, OFFICE, "1.0", "-sess_out", session, ca=one.ca)
        check_in("New, TLSv1", first.output, "the first session")
        one.record({"tlsfloor.upgrade.from_resumed": False})
        again = openssl_client(two, CONNECT, OFFICE, "1.0", "-sess_in", session, ca=two.ca)
        check_in("Reused, TLSv1", again.output, "the second session")
        check_in("page over TLSv1", again.output, "the page")
        two.record({"tlsfloor.upgrade.from_resumed": True})


@story
def with_other_keys_everybody_is_served_all_the_same():
    with two_gateways([new_key()], [new_key()]) as (one, two):
        who = visitors(one)
        nobody_resumes(who, one, "at the first visit")
        nobody_resumes(who, two, "at a gateway with other keys")
        check_equal(two.metric("tlsfloor_tickets_unknown_total"), len(who), "tickets of unknown keys")
        all_resume(who, two, "with the new session")


@story
def keys_change_at_one_gateway_after_the_other_and_no_session_is_lost():
    old, new = new_key(), new_key()
    with two_gateways([old], [old]) as (one, two):

        def all_resume_everywhere(when):
            for gateway in (one, two, one):
                all_resume(who, gateway, when)

        def give(gateway, *keys):
            gateway.keys.write(*keys)
            gateway.reload(gateway.ini)

        who = visitors(one)
        nobody_resumes(who, one, "at the first visit")
        all_resume_everywhere("before the change")
        for keys in ([old, new], [new, old]):
            for gateway in (one, two):
                give(gateway, *keys)
                all_resume_everywhere("in the middle of the change")
        late = visitors(one)
        for visitor, early in zip(late, who):
            visitor.client, visitor.session = early.client, early.session
        for gateway in (one, two):
            give(gateway, new)
            all_resume_everywhere("once the old key is gone")
        for gateway in (one, two):
            check_equal(gateway.metric("tlsfloor_tickets_unknown_total"), 0, "tickets of unknown keys")
        give(one, new_key())
        nobody_resumes(late, one, "when their key is gone")


# --- one gateway ---


@story
def a_file_that_is_broken_is_not_taken_and_sessions_go_on():
    key = new_key()
    with OfficeOrigin() as origin, KeysFile(key) as keys, gateway_with(origin, keys) as gateway:
        who = visitors(gateway)
        nobody_resumes(who, gateway, "at the first visit")
        keys.write(new_key(), key[:-2])
        gateway.signal(signal.SIGHUP)
        says = f"{keys.path}:3: this is no key of 80 bytes"
        check(gateway.stderr.wait(lambda lines: any(says in line for line in lines)), f"it never says {says}")
        check(key[:8] not in gateway.stderr.text(), "a key is on standard error")
        all_resume(who, gateway, "after the reload that was refused")


@story
def without_a_file_sessions_are_resumed_past_a_reload():
    with OfficeOrigin() as origin, gateway_with(origin) as gateway:
        who = visitors(gateway)
        nobody_resumes(who, gateway, "at the first visit")
        gateway.reload(gateway.ini)
        all_resume(who, gateway, "after the reload")


@story
def a_session_with_the_proxy_itself_is_none_with_a_server():
    with OfficeOrigin() as origin, KeysFile(new_key()) as keys:
        forward = {
            "listener office.listen": "127.0.0.1:0",
            "listener office.kind": "forward",
            "listener office.upstream": f"{OFFICE}:443",
            "listener office.client_tls": "implicit",
            "listener office.certificate": leaf()[0],
            "listener office.key": leaf()[1],
            "gateway.ticket_keys_file": keys.path,
        }
        with Gateway(origin, settings=SECURE | forward, upgrades=True) as gateway:
            for version in ("1.2", "1.3"):
                client = Visitor(SecureClient(version))
                client.visit(gateway)
                check(client.visit(gateway), "the proxy itself does not resume")
                raw = RawClient(gateway.ports["office"])
                peer = TlsPeer(raw.sock, client.client.context, "localhost", session=client.session).handshake()
                check(not peer.tls.session_reused, f"a session of TLS {version} was resumed in another role")
                peer.close()
                gateway.record({"event.action": "tls-upgraded", "tlsfloor.upgrade.from_resumed": False})


@story
def check_finds_what_run_would_refuse():
    key = new_key()
    with KeysFile(key, "", "; older", "00" * 80) as keys:
        environment = clean_environment() | {
            "TLSFLOOR_GATEWAY_TICKET_KEYS_FILE": keys.path,
            "TLSFLOOR_CA_DIRECTORY": "off",
            "TLSFLOOR_INVENTORY_FILE": "memory",
        }

        def checked(*options):
            return run_client(program(), "check", "-c", "conf/tlsfloor.ini", *options, environment=environment)

        found = checked()
        check_equal(found.status, 1, f"exit status, with {found.output}")
        check_in(f"[gateway] ticket_keys_file: {keys.path}:5: this key is not random", found.output, "what check says")
        keys.write(key)
        os.chmod(keys.path, 0o644)
        check_in("is open to other users (mode 0644): chmod 600", checked().output, "what check says")
        os.chmod(keys.path, 0o600)
        with fifo(f"{keys.path}.fifo") as path:
            environment["TLSFLOOR_GATEWAY_TICKET_KEYS_FILE"] = path
            check_in(f"{path}: is no regular file", checked().output, "what check says of what it would wait for")
        environment["TLSFLOOR_GATEWAY_TICKET_KEYS_FILE"] = keys.path
        fine = checked("--dump")
        check_equal(fine.status, 0, f"exit status, with {fine.output}")
        check_in(f"ticket_keys_file = {keys.path}", fine.output, "the dump")
        check(key not in fine.output + found.output, "the key itself is in the output")


@contextlib.contextmanager
def fifo(path):
    os.mkfifo(path, 0o600)
    try:
        yield path
    finally:
        os.unlink(path)


run_stories()
