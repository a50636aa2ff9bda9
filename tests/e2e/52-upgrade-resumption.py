"""Resumption on both legs: clients by session ID and by ticket, servers by ticket, each for its own name only. The
records and the counters say so."""

import ssl

from harness import (
    CONNECT,
    Gateway,
    OfficeOrigin,
    TlsPeer,
    check,
    check_equal,
    client_context,
    reach,
    run_stories,
    story,
)

OFFICE, OTHER = "outlook.office365.com", "outlook.office.com"
ONE_LOOP = {"gateway.threads": "1", "admin.listen": "127.0.0.1:0"}  # sessions with servers are kept by each loop


def context_of(gateway, version="1.0", tickets=True):
    context = client_context(version, version, gateway.ca)
    if not tickets:
        context.options |= ssl.OP_NO_TICKET
    return context


def ask(gateway, context, name=OFFICE, session=None):
    """Asks for a page; whether the client resumed, and what it could resume next time."""
    with reach(gateway, CONNECT, name) as raw:
        peer = TlsPeer(raw.sock, context, name, session=session).handshake()
        peer.write(f"GET / HTTP/1.1\r\nHost: {name}\r\n\r\n".encode())
        check(b"page over TLSv1" in peer.read_all(), "no page came")
        peer.close()
        return peer.tls.session_reused, peer.tls.session


def echo(peer):
    while data := peer.read():
        peer.write(data)


def leave_without_a_word(gateway, context, session=None):
    """As ask, but the connection is just closed, as many old clients do."""
    with reach(gateway, CONNECT, OFFICE) as raw:
        peer = TlsPeer(raw.sock, context, OFFICE, session=session).handshake()
        peer.write(b"hello")
        check_equal(peer.read_exactly(5), b"hello", "the echo")
        return peer.tls.session_reused, peer.tls.session


def has_resumed(gateway, inside, outside):
    gateway.record(
        {
            "event.action": "tls-upgraded",
            "tlsfloor.upgrade.from_resumed": inside,
            "tlsfloor.upgrade.to_resumed": outside,
        }
    )


def client_resumes(version, tickets):
    with OfficeOrigin() as origin, Gateway(origin, settings=ONE_LOOP, upgrades=True) as gateway:
        context = context_of(gateway, version, tickets)
        resumed, session = ask(gateway, context)
        check(not resumed, "there was nothing to resume yet")
        check_equal(session.has_ticket, tickets, "the client has a ticket")
        has_resumed(gateway, False, False)
        for _ in range(2):
            resumed, session = ask(gateway, context, session=session)
            check(resumed, "the client did not resume")
            has_resumed(gateway, True, True)
        check_equal(gateway.metric("tlsfloor_upgrade_resumed_total", leg="inside"), 2, "clients that resumed")
        check_equal(gateway.metric("tlsfloor_upgrade_resumed_total", leg="outside"), 2, "servers that resumed")


@story
def a_client_with_TLS_1_0_resumes_by_session_ID():
    client_resumes("1.0", tickets=False)


@story
def a_client_with_TLS_1_1_resumes_by_session_ID():
    client_resumes("1.1", tickets=False)


@story
def a_client_with_TLS_1_0_resumes_by_ticket():
    client_resumes("1.0", tickets=True)


@story
def a_client_with_TLS_1_1_resumes_by_ticket():
    client_resumes("1.1", tickets=True)


@story
def a_client_resumes_on_whatever_loop_it_comes_to():
    for tickets in (False, True):
        with OfficeOrigin() as origin, Gateway(origin, settings={"gateway.threads": "4"}, upgrades=True) as gateway:
            context = context_of(gateway, tickets=tickets)
            _, session = ask(gateway, context)
            gateway.record({"tlsfloor.upgrade.from_resumed": False})
            for _ in range(12):
                resumed, session = ask(gateway, context, session=session)
                check(resumed, f"the client did not resume, tickets: {tickets}")
                gateway.record({"tlsfloor.upgrade.from_resumed": True})


@story
def a_client_that_comes_back_after_a_reload_still_resumes_by_ticket():
    with OfficeOrigin() as origin, Gateway(origin, settings=ONE_LOOP, upgrades=True) as gateway:
        context = context_of(gateway)
        _, session = ask(gateway, context)
        has_resumed(gateway, False, False)
        gateway.reload(gateway.ini)
        resumed, _ = ask(gateway, context, session=session)
        check(resumed, "the client did not resume")
        gateway.record({"tlsfloor.upgrade.from_resumed": True})


def is_not_resumed_for_another_name(tickets):
    with OfficeOrigin() as one, OfficeOrigin(name=OTHER) as two:
        with Gateway(one, two, settings=ONE_LOOP, upgrades=True) as gateway:
            context = context_of(gateway, tickets=tickets)
            _, session = ask(gateway, context, OFFICE)
            has_resumed(gateway, False, False)
            resumed, _ = ask(gateway, context, OTHER, session)
            check(not resumed, "a session of one name was resumed for another")
            has_resumed(gateway, False, False)


@story
def a_session_ID_of_one_name_is_not_resumed_for_another():
    is_not_resumed_for_another_name(tickets=False)


@story
def a_ticket_of_one_name_is_not_resumed_for_another():
    is_not_resumed_for_another_name(tickets=True)


def server_resumes(highest):
    with OfficeOrigin(highest=highest) as origin, Gateway(origin, settings=ONE_LOOP, upgrades=True) as gateway:
        for n in range(3):
            ask(gateway, context_of(gateway))  # a new client each time
            has_resumed(gateway, False, n > 0)
        check_equal([agreed.resumed for agreed in origin.agreed], [False, True, True], "what the server resumed")


@story
def a_server_with_TLS_1_3_is_resumed_for_every_client():
    server_resumes("1.3")


@story
def a_server_with_TLS_1_2_is_resumed_for_every_client():
    server_resumes("1.2")


@story
def who_leaves_without_a_close_notify_spoils_no_session():
    """RFC 5246 7.2.1: such an end no longer keeps a session from being resumed."""
    for tickets in (False, True):
        with OfficeOrigin(script=echo) as origin, Gateway(origin, settings=ONE_LOOP, upgrades=True) as gateway:
            origin.context.options |= ssl.OP_IGNORE_UNEXPECTED_EOF  # as servers do: no alert for it
            context, session = context_of(gateway, tickets=tickets), None
            for n in range(3):
                resumed, session = leave_without_a_word(gateway, context, session)
                check_equal(resumed, n > 0, f"whether the client resumed, tickets: {tickets}")
                origin.finished(n)
                has_resumed(gateway, n > 0, n > 0)


@story
def each_server_is_resumed_for_its_own_name_only():
    with OfficeOrigin() as one, OfficeOrigin(name=OTHER) as two:
        with Gateway(one, two, settings=ONE_LOOP, upgrades=True) as gateway:
            for origin in (one, two, one, two):
                ask(gateway, context_of(gateway), origin.name)
                gateway.record()
        for origin in (one, two):
            check_equal([agreed.resumed for agreed in origin.agreed], [False, True], f"what {origin.name} resumed")


@story
def a_server_that_has_forgotten_the_session_gets_a_full_handshake():
    with OfficeOrigin() as origin, Gateway(origin, settings=ONE_LOOP, upgrades=True) as gateway:
        for _ in range(2):
            ask(gateway, context_of(gateway))
            has_resumed(gateway, False, False)
            origin.forget_sessions()
        check_equal([agreed.resumed for agreed in origin.agreed], [False, False], "what the server resumed")


@story
def without_room_for_sessions_nothing_is_resumed():
    settings = {**ONE_LOOP, "limits.upstream_sessions": "0"}
    with OfficeOrigin() as origin, Gateway(origin, settings=settings, upgrades=True) as gateway:
        for _ in range(2):
            ask(gateway, context_of(gateway))
            has_resumed(gateway, False, False)


run_stories()
