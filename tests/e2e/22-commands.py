"""The commands beside `run`: what they print, and their exit codes."""

import tempfile

from harness import TLS10, check_equal, check_in, client_hello, one_record, program, run_client, run_stories, story

GOOD = "[listener proxy]\nlisten = 127.0.0.1:0\nkind = connect\n"


def with_file(text, *arguments, suffix=".ini"):
    with tempfile.NamedTemporaryFile("wb", suffix=suffix) as f:
        f.write(text if isinstance(text, bytes) else text.encode())
        f.flush()
        return run_client(program(), *[a.replace("FILE", f.name) for a in arguments])


@story
def check_accepts_the_shipped_configuration():
    check_equal(run_client(program(), "check", "-c", "conf/tlsfloor.ini").status, 0, "exit code")


@story
def check_names_the_line_and_what_to_write():
    result = with_file(GOOD + "[floor]\nminimun = 1.2\n", "check", "-c", "FILE")
    check_equal(result.status, 1, "exit code")
    check_in(":5: ", result.output, "what it says")
    check_in("minimum", result.output, "what it says")


@story
def what_check_dumps_can_be_loaded():
    dump = with_file(GOOD, "check", "-c", "FILE", "--dump")
    check_equal(dump.status, 0, "exit code")
    again = with_file(dump.output, "check", "-c", "FILE")
    check_equal(again.status, 0, f"exit code for {dump.output}, which says {again.output}")


@story
def explain_tells_the_rule_and_the_verdict():
    text = GOOD + "[rule old]\ndestination = *.floor.test\naction = monitor\n"
    result = with_file(text, "explain", "-c", "FILE", "--client", "127.0.0.1", "--dest", "a.floor.test:443")
    check_equal(result.status, 0, f"exit code, with {result.output}")
    check_in("old", result.output, "what it says")
    check_in("monitor", result.output, "what it says")


@story
def inspect_takes_a_hello_apart():
    result = with_file(one_record(client_hello(TLS10)), "inspect", "FILE", suffix=".bin")
    check_equal(result.status, 0, "exit code")
    check_in('"max_version":"TLS1.0"', result.output.replace(" ", ""), "what it says")
    check_in('"verdict":"block"', result.output.replace(" ", ""), "what it says")


@story
def wrong_usage_is_exit_code_2():
    for arguments in ([], ["nonsense"], ["run", "--nonsense"], ["check", "--nonsense"]):
        check_equal(run_client(program(), *arguments).status, 2, f"exit code of {arguments}")


@story
def a_port_that_is_taken_is_exit_code_3():
    with_taken = "[listener proxy]\nlisten = 192.0.2.1:3128\nkind = connect\n"
    check_equal(with_file(with_taken, "run", "-c", "FILE").status, 3, "exit code")


@story
def version_names_the_libraries():
    result = run_client(program(), "--version")
    check_equal(result.status, 0, "exit code")
    for library in ("tlsfloor", "OpenSSL", "libuv", "llhttp", "inih", "TLS 1.0"):
        check_in(library, result.output, "what it says")


run_stories()
