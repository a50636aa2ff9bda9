"""[limits] per_source and per_user: counted over all threads, refused in the client's tongue, and given back."""

import base64

from harness import (
    TLS12,
    Gateway,
    RawClient,
    RawOrigin,
    alert,
    check,
    check_equal,
    check_in,
    client_hello,
    one_record,
    run_stories,
    story,
    users_file,
    wait_until,
)

NAME = "origin.floor.test"
HELLO = one_record(client_hello(TLS12))
LIMIT, TRIES = 3, 12
ADMIN = {"admin.listen": "127.0.0.1:0"}
PER_SOURCE = {**ADMIN, "limits.per_source": str(LIMIT)}
SOURCE_LIMIT = {"event.action": "access-denied", "event.code": "source-limit"}
USER_LIMIT = {"event.action": "access-denied", "event.code": "user-limit"}


def login(user, password):
    return f"Proxy-Authorization: Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}\r\n"


def tunnel(gateway, fields="", source=None):
    """A client with a tunnel, or the refusal that it got."""
    client = RawClient(gateway.proxy, source=source)
    client.send(f"CONNECT {NAME}:443 HTTP/1.1\r\nHost: {NAME}:443\r\n{fields}\r\n".encode())
    head = client.receive_until(b"\r\n\r\n")
    if head.startswith(b"HTTP/1.1 200 "):
        return client
    head += client.receive_all()
    client.close()
    return head


def check_limit(gateway, record, **more):
    """As many as the limit get in, the others get a page and a record. Those that got in."""
    all_of_them = [tunnel(gateway, **more) for _ in range(TRIES)]
    inside = [one for one in all_of_them if isinstance(one, RawClient)]
    check_equal(len(inside), LIMIT, "clients that got in")
    for page in all_of_them:
        if page not in inside:
            check(page.startswith(b"HTTP/1.1 429 Too Many Requests\r\n"), f"the refusal: {page}")
            check_in(record["event.code"].encode(), page, "the page")
            gateway.record(record)
    return inside


def leave(gateway, client, left):
    client.close()
    wait_until(lambda: gateway.metric("tlsfloor_sessions_active") == left, f"{left} sessions are left")


@story
def a_source_has_so_many_connections_and_room_again_when_one_ends():
    with RawOrigin() as origin, Gateway(origin, settings=PER_SOURCE) as gateway:
        inside = check_limit(gateway, SOURCE_LIMIT)
        leave(gateway, inside.pop(), LIMIT - 1)
        inside.append(tunnel(gateway))
        check(isinstance(inside[-1], RawClient), f"there is no room again: {inside[-1]}")
        check(isinstance(tunnel(gateway), bytes), "there is room for one too many")
        gateway.record(SOURCE_LIMIT)
        for client in inside:
            client.close()


@story
def other_sources_have_room_of_their_own():
    with RawOrigin() as origin, Gateway(origin, settings=PER_SOURCE) as gateway:
        inside = check_limit(gateway, {**SOURCE_LIMIT, "source.ip": "127.0.0.1"})
        inside += check_limit(gateway, {**SOURCE_LIMIT, "source.ip": "127.0.0.2"}, source="127.0.0.2")
        for client in inside:
            client.close()


@story
def one_too_many_that_begins_with_TLS_gets_an_alert():
    with RawOrigin() as origin, Gateway(origin, settings=PER_SOURCE) as gateway:
        inside = [tunnel(gateway) for _ in range(LIMIT)]
        with RawClient(gateway.straight) as client:
            client.send(HELLO)
            check_equal(client.receive_all(), alert(49), "answer")
        gateway.record({**SOURCE_LIMIT, "observer.ingress.interface.name": "straight"})
        for client in inside:
            client.close()


@story
def a_user_has_so_many_connections_from_wherever():
    users = users_file(anna=("a", "anna"), ben=("b", "ben"))
    settings = {**ADMIN, "listener proxy.users": users, "limits.per_user": str(LIMIT)}
    with RawOrigin() as origin, Gateway(origin, settings=settings) as gateway:
        inside = check_limit(gateway, {**USER_LIMIT, "user.name": "anna"}, fields=login("anna", "a"))
        check(isinstance(tunnel(gateway, login("anna", "a"), "127.0.0.2"), bytes), "there is room at another address")
        gateway.record({**USER_LIMIT, "source.ip": "127.0.0.2"})
        inside += check_limit(gateway, {**USER_LIMIT, "user.name": "ben"}, fields=login("ben", "b"))
        leave(gateway, inside.pop(0), 2 * LIMIT - 1)
        inside.append(tunnel(gateway, login("anna", "a")))
        check(isinstance(inside[-1], RawClient), f"there is no room again: {inside[-1]}")
        for client in inside:
            client.close()


@story
def a_wrong_password_takes_no_room():
    users = users_file(anna=("a", "anna"))
    settings = {"listener proxy.users": users, "limits.per_user": str(LIMIT)}
    with RawOrigin() as origin, Gateway(origin, settings=settings) as gateway:
        for _ in range(LIMIT + 1):
            check_in(b"HTTP/1.1 407 ", tunnel(gateway, login("anna", "b")), "answer")
            gateway.record({"event.code": "login-failed"})
        for client in check_limit(gateway, USER_LIMIT, fields=login("anna", "a")):
            client.close()


@story
def a_reload_keeps_count():
    with RawOrigin() as origin, Gateway(origin, settings=PER_SOURCE) as gateway:
        inside = check_limit(gateway, SOURCE_LIMIT)
        gateway.reload(gateway.ini)
        check(isinstance(tunnel(gateway), bytes), "there is room after a reload")
        gateway.record(SOURCE_LIMIT)
        for client in inside:
            client.close()


run_stories()
