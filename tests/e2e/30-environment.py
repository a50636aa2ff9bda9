"""Settings from the environment, and the exit codes of a gateway that does not start."""

import os
import socket
import tempfile

from harness import (
    TLS12,
    Gateway,
    RawOrigin,
    alert,
    check,
    check_equal,
    check_in,
    client_hello,
    one_record,
    program,
    reach,
    run_client,
    run_stories,
    story,
)

GOOD = "[listener proxy]\nlisten = 127.0.0.1:0\nkind = connect\n"
HELLO = one_record(client_hello(TLS12))


def told(command, text=GOOD, *options, **environment):
    with tempfile.NamedTemporaryFile("w", suffix=".ini") as f:
        f.write(text)
        f.flush()
        return run_client(program(), command, "-c", f.name, *options, environment=environment, timeout=20)


def is_refused(gateway):
    with reach(gateway, "connect") as client:
        client.send(HELLO)
        check_equal(client.receive_all(), alert(70, TLS12), "answer")
    gateway.record({"event.code": "client-below-floor", "tlsfloor.floor": "1.3"})


@story
def a_variable_overrides_the_file():
    with RawOrigin() as origin, Gateway(origin, environment={"TLSFLOOR_FLOOR_MINIMUM": "1.3"}) as gateway:
        is_refused(gateway)


@story
def a_listener_may_come_from_the_environment():
    listener = {"TLSFLOOR_LISTENER_MORE_LISTEN": "127.0.0.1:0", "TLSFLOOR_LISTENER_MORE_KIND": "sni"}
    with RawOrigin() as origin, Gateway(origin, environment=listener) as gateway:
        gateway.ports["straight"] = gateway.ports["more"]
        with reach(gateway, "sni") as client:
            client.send(HELLO)
            client.end()
            check_equal(origin.finished().received, HELLO, "what reached the server")


@story
def no_file_is_needed_when_all_is_in_the_environment():
    settings = {
        "TLSFLOOR_LISTENER_PROXY_LISTEN": "127.0.0.1:0",
        "TLSFLOOR_FLOOR_MINIMUM": "1.3",
        "TLSFLOOR_ACCESS_DESTINATION": "loopback",
    }
    with RawOrigin() as origin:
        settings["TLSFLOOR_UPSTREAM_RESOLVE"] = f"{origin.name}:443:127.0.0.1:{origin.port}"
        with Gateway(file=os.devnull, environment=settings) as gateway:
            is_refused(gateway)


@story
def a_list_in_a_variable_has_an_entry_a_line_or_commas():
    with RawOrigin(name="one.floor.test") as one, RawOrigin(name="two.floor.test") as two:
        lines = [f"{origin.name}:443:127.0.0.1:{origin.port}" for origin in (one, two)]
        for mark in ("\n", ", "):
            with Gateway(environment={"TLSFLOOR_UPSTREAM_RESOLVE": mark.join(lines)}) as gateway:
                for origin in (one, two):
                    reach(gateway, "connect", origin.name).close()


@story
def the_dump_says_where_a_setting_came_from():
    dump = told("check", GOOD, "--dump", TLSFLOOR_FLOOR_MINIMUM="1.3")
    check_equal(dump.status, 0, "exit code")
    lines = dump.output.splitlines()
    line = next(n for n, text in enumerate(lines) if text.startswith("minimum ="))
    check_in("1.3", lines[line], "setting")
    check_in("TLSFLOOR_FLOOR_MINIMUM", "\n".join(lines[line - 1 : line + 1]), "where it came from")


@story
def a_variable_that_is_none_of_ours_is_refused():
    for name, meant in (
        ("TLSFLOOR_FLOOR_MINIMUN", "TLSFLOOR_FLOOR_MINIMUM"),
        ("TLSFLOOR_LIMIT_HELLO_S", "TLSFLOOR_LIMITS_HELLO_S"),
    ):
        for command, code in (("check", 1), ("run", 3)):
            result = told(command, **{name: "1.3"})
            check_equal(result.status, code, f"exit code of {command} with {name}, which says {result.output}")
            check_in(name, result.output, "what it says")
            check_in(meant, result.output, "what it says")


@story
def a_bad_value_names_its_variable():
    bad = {"TLSFLOOR_FLOOR_MINIMUM": "1.1", "TLSFLOOR_LIMITS_HELLO_S": "soon", "TLSFLOOR_ACCESS_PORT": ""}
    for name, value in bad.items():
        result = told("run", **{name: value})
        check_equal(result.status, 3, f"exit code with {name}={value}, which says {result.output}")
        check_in(name, result.output, "what it says")


@story
def wrong_usage_is_exit_code_2():
    for arguments in (["run", "more"], ["run", "-c"], ["run", "--config"], ["run", "-x"], ["check", "more"]):
        result = run_client(program(), *arguments)
        check_equal(result.status, 2, f"exit code of {arguments}, which says {result.output}")
        check(result.output, f"{arguments} is refused without a word")


@story
def what_it_cannot_start_with_is_exit_code_3():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for text, says in (
            (GOOD.replace(":0", f":{port}"), f"127.0.0.1:{port}"),
            (GOOD + f"[admin]\nlisten = 127.0.0.1:{port}\n", f"127.0.0.1:{port}"),
            (GOOD + "[log]\nblock = /nowhere/at/all.log\n", "/nowhere/at/all.log"),
            (GOOD + "[floor]\nminimum = 1.1\n", ":5: "),
            (GOOD + "[dns]\nservers = nonsense\n", ":5: "),
            ("", "listener"),
        ):
            result = told("run", text)
            check_equal(result.status, 3, f"exit code, which says {result.output}")
            check_in(says, result.output, "what it says")


@story
def a_file_that_cannot_be_read_is_exit_code_3():
    with tempfile.TemporaryDirectory() as directory:
        for name in (f"{directory}/there-is-none.ini", directory):
            result = run_client(program(), "run", "-c", name)
            check_equal(result.status, 3, f"exit code for {name}, which says {result.output}")
            check_in(name, result.output, "what it says")


run_stories()
