"""A refusal reaches the client before the end of the connection, whatever the client still sends meanwhile."""

import threading

from harness import (
    TLS10,
    WAYS,
    Gateway,
    RawOrigin,
    alert,
    check_equal,
    client_hello,
    one_record,
    reach,
    run_stories,
    story,
)

HELLO = one_record(client_hello(TLS10))
ALERT = alert(70, TLS10)
BLOCKED = {"event.action": "tls-version-blocked", "event.code": "client-below-floor"}


@story
def a_client_that_sends_on_and_on_still_gets_its_alert():
    """Unread input at the close would make the kernel send a reset, and the alert be lost with it."""

    def send_on(client):
        try:
            client.send(HELLO, *[bytes(65536)] * 64)
        except OSError:
            pass  # the gateway may have had enough

    with RawOrigin() as origin, Gateway(origin) as gateway:
        for way in WAYS:
            for _ in range(20):
                with reach(gateway, way) as client:
                    sender = threading.Thread(target=send_on, args=(client,))
                    sender.start()
                    check_equal(client.receive(len(ALERT)), ALERT, f"answer by {way}")
                    sender.join()
                gateway.record(BLOCKED)


@story
def bytes_behind_the_hello_do_not_cost_the_alert_or_the_fin():
    with RawOrigin() as origin, Gateway(origin) as gateway:
        for way in WAYS:
            for extra in (1, 1000, 100_000):
                with reach(gateway, way) as client:
                    client.send(HELLO + bytes(extra))
                    check_equal(client.receive_all(), ALERT, f"answer by {way} with {extra} bytes behind the hello")
                gateway.record(BLOCKED)


@story
def a_client_that_has_ended_its_side_gets_its_alert():
    with RawOrigin() as origin, Gateway(origin) as gateway:
        for way in WAYS:
            with reach(gateway, way) as client:
                client.send(HELLO)
                client.end()
                check_equal(client.receive_all(), ALERT, f"answer by {way}")
            gateway.record(BLOCKED)


@story
def a_client_that_never_closes_does_not_hold_the_gateway():
    with RawOrigin() as origin:
        with Gateway(origin, settings={"limits.linger_s": "0.3"}) as gateway:
            clients = [reach(gateway, way) for way in WAYS]
            for client in clients:
                client.send(HELLO)
                check_equal(client.receive_all(), ALERT, "answer")
                gateway.record(BLOCKED)
            gateway.stop(within_s=5)
            for client in clients:
                client.close()


run_stories()
