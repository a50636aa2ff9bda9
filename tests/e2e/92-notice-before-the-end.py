"""[limits] grace_s: a load balancer that asks /readyz hears of the end before clients are refused."""

import signal
import urllib.error
import urllib.request

from harness import (
    Gateway,
    RawOrigin,
    begin_session,
    check,
    check_equal,
    echo,
    is_refused_by,
    run_stories,
    story,
    wait_until,
)

LONG = {"admin.listen": "127.0.0.1:0", "limits.grace_s": "600"}


def readiness(gateway):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{gateway.ports['admin']}/readyz", timeout=5) as response:
            return response.status
    except urllib.error.HTTPError as error:
        return error.code


@story
def new_clients_are_served_while_readyz_says_503_already():
    with RawOrigin(echo) as origin, Gateway(origin, settings=LONG) as gateway:
        check_equal(readiness(gateway), 200, "/readyz")
        gateway.signal(signal.SIGTERM)
        wait_until(lambda: readiness(gateway) == 503, "/readyz says 503")
        check_equal(gateway.metric("tlsfloor_ready"), 0, "tlsfloor_ready")
        with begin_session(gateway):
            gateway.signal(signal.SIGTERM)
            wait_until(lambda: is_refused_by(gateway.proxy), "a second signal begins the drain")
        gateway.finish(within_s=4)


@story
def when_grace_s_is_over_the_drain_begins_by_itself():
    with RawOrigin(echo) as origin, Gateway(origin, settings=LONG | {"limits.grace_s": "0.2"}) as gateway:
        with begin_session(gateway) as client:
            gateway.signal(signal.SIGTERM)
            wait_until(lambda: is_refused_by(gateway.proxy), "new clients are refused")
            client.send(b"still here")
        gateway.finish(within_s=4)


@story
def a_third_signal_ends_at_once():
    with RawOrigin(echo) as origin, Gateway(origin, settings=LONG | {"limits.drain_s": "600"}) as gateway:
        with begin_session(gateway):
            gateway.signal(signal.SIGTERM)
            check(gateway.stderr.wait(lambda lines: any("leaving" in line for line in lines)), "it says that it leaves")
            gateway.signal(signal.SIGTERM)
            check(gateway.stderr.wait(lambda lines: any("draining" in line for line in lines)), "it says that it drains")
            gateway.stop(within_s=4)


@story
def what_changed_meanwhile_is_not_loaded():
    with Gateway(settings=LONG) as gateway:
        gateway.signal(signal.SIGTERM)
        wait_until(lambda: readiness(gateway) == 503, "/readyz says 503")
        gateway.signal(signal.SIGHUP)
        gateway.signal(signal.SIGTERM)
        gateway.finish(within_s=4)
        check("tlsfloor: reloaded" not in gateway.stderr.lines, "it loaded settings anew although it leaves")


run_stories()
