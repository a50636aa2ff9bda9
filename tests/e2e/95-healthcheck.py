"""`tlsfloor healthcheck`: what a container's runtime hears of the gateway in it."""

import contextlib
import signal
import socket
import threading

from harness import (
    Gateway,
    RawOrigin,
    check,
    check_equal,
    check_in,
    has_ipv6,
    program,
    reach,
    run_client,
    run_stories,
    skip_unless,
    story,
    wait_until,
)

ADMIN = {"admin.listen": "127.0.0.1:0"}


def asks(gateway, where, *options):
    """The same configuration, but for the port, which the gateway has picked itself."""
    environment = {**gateway.environment, "TLSFLOOR_ADMIN_LISTEN": where}
    return run_client(program(), "healthcheck", "-c", gateway.file, *options, environment=environment)


def is_ready(result):
    check_equal((result.status, result.output), (0, "ready\n"), "exit code, and what it says")


def is_unhealthy(result, says):
    check_equal(result.status, 1, f"exit code, with the words {result.output}")
    check_in(says, result.output, "what it says")
    check_equal(result.output.count("\n"), 1, f"lines of {result.output}")


@contextlib.contextmanager
def somebody_else(answer):
    """A server that answers every request with the same, and its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            with contextlib.suppress(OSError), listener.accept()[0] as sock:
                sock.recv(4096)
                sock.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"


@story
def a_gateway_that_takes_clients_is_ready():
    with Gateway(settings=ADMIN) as gateway:
        is_ready(asks(gateway, f"127.0.0.1:{gateway.ports['admin']}"))


@story
def a_gateway_that_listens_on_all_addresses_is_asked_on_loopback():
    for any_address in ("*", "0.0.0.0"):
        with Gateway(settings={"admin.listen": f"{any_address}:0"}) as gateway:
            is_ready(asks(gateway, f"{any_address}:{gateway.ports['admin']}"))


@story
def it_is_asked_by_IPv6_where_it_listens_there():
    skip_unless(has_ipv6(), "IPv6")
    for address in ("[::]", "[::1]"):
        with Gateway(settings={"admin.listen": f"{address}:0"}) as gateway:
            is_ready(asks(gateway, f"{address}:{gateway.ports['admin']}"))


@story
def a_gateway_that_drains_is_not_ready():
    with RawOrigin() as origin, Gateway(origin, settings=ADMIN) as gateway:
        with reach(gateway, "connect"):
            gateway.signal(signal.SIGTERM)
            check(gateway.stderr.wait(lambda lines: any("draining" in line for line in lines)), "it never drains")
            is_unhealthy(asks(gateway, f"127.0.0.1:{gateway.ports['admin']}"), "not ready: the gateway has been told to end")
        gateway.finish()


@story
def a_gateway_that_has_ended_is_missed():
    with Gateway(settings=ADMIN) as gateway:
        where = f"127.0.0.1:{gateway.ports['admin']}"
        gateway.stop()
        is_unhealthy(asks(gateway, where), f"nobody listens on {where}; is the gateway running")


@story
def a_gateway_that_is_stopped_is_missed_within_three_seconds():
    with Gateway(settings=ADMIN) as gateway:
        where = f"127.0.0.1:{gateway.ports['admin']}"
        gateway.signal(signal.SIGSTOP)
        wait_until(lambda: state_of(gateway.process.pid) == "T", "the gateway is stopped")
        is_unhealthy(asks(gateway, where), f"{where} does not answer (Connection timed out)")
        gateway.signal(signal.SIGCONT)


def state_of(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        return f.read().rsplit(")", 1)[1].split()[0]


@story
def another_program_on_the_port_does_not_pass_for_the_gateway():
    with Gateway(settings=ADMIN) as gateway:
        for answer in (
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK",
            b"HTTP/1.1 200 OK\r\n\r\n<title>ready\n</title>",
            b"HTTP/1.1 404 Not Found\r\n\r\nready\n",
            b"220 mail.example.com ESMTP\r\n",
            b"",
        ):
            with somebody_else(answer) as where:
                is_unhealthy(asks(gateway, where), f"who listens on {where} is no tlsfloor")


@story
def without_an_admin_port_it_says_what_to_write():
    with Gateway() as gateway:
        is_unhealthy(asks(gateway, "off"), "write `listen = 127.0.0.1:9180`")
        is_unhealthy(asks(gateway, "127.0.0.1:0"), "port 0")


@story
def a_configuration_that_cannot_be_read_is_a_finding_that_names_the_line():
    with Gateway(settings=ADMIN) as gateway:
        gateway.write("[admin]\nlisten = nowhere\n")
        result = run_client(program(), "healthcheck", "-c", gateway.file)
        check_equal(result.status, 1, "exit code")
        check_in(f"{gateway.file}:2: ", result.output, "what it says")


@story
def warnings_are_not_repeated_at_every_check():
    with Gateway(settings=ADMIN) as gateway:
        gateway.write(gateway.ini + "\n[rule over]\naction = tunnel\nuntil = 2020-01-01\n")
        check_in("warning: ", run_client(program(), "check", "-c", gateway.file).output, "what check says")
        is_ready(asks(gateway, f"127.0.0.1:{gateway.ports['admin']}"))


@story
def wrong_usage_is_exit_code_2():
    for arguments in (["more"], ["-c"], ["-x"]):
        check_equal(run_client(program(), "healthcheck", *arguments).status, 2, f"exit code of {arguments}")


run_stories()
