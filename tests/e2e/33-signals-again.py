"""Signals that come more than once, or too late, and reloads that cannot do all that the file says."""

import signal
import time

from harness import TLS10, Gateway, alert, check, check_equal, client_hello, one_record, reach, run_stories, story

OLD = one_record(client_hello(TLS10))


@story
def however_often_sigterm_comes_the_records_are_written_and_the_exit_code_is_0():
    for _ in range(5):
        with Gateway() as gateway:
            with reach(gateway, "sni") as client:
                client.send(OLD)
                check_equal(client.receive_all(), alert(70, TLS10), "answer")
            while gateway.process.poll() is None:
                gateway.signal(signal.SIGTERM)
                time.sleep(0.0005)
            gateway.record({"event.code": "client-below-floor"})
            gateway.finish()


@story
def a_reload_says_what_needs_a_restart():
    with Gateway(settings={"admin.listen": "127.0.0.1:0"}) as gateway:
        gateway.write(gateway.ini.replace("threads = 2", "threads = 1").replace("[admin]\nlisten = 127.0.0.1:0", ""))
        gateway.signal(signal.SIGHUP)
        check(gateway.stderr.wait(lambda lines: "tlsfloor: reloaded" in lines), "it never reloads")
        for what in ("[admin] listen", "[gateway] threads"):
            check(f"tlsfloor: {what} has changed: that needs a restart" in gateway.stderr.lines, f"nothing on {what}")
        check_equal(gateway.metric("tlsfloor_sessions_active"), 0, "what the admin socket says, where it was")


run_stories()
