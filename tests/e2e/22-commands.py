"""The commands beside `run`: what they print, and their exit codes."""

import os
import pty
import subprocess
import tempfile

from harness import (
    TLS10,
    check,
    check_equal,
    check_in,
    client_hello,
    one_record,
    program,
    run_client,
    run_stories,
    skip_unless,
    story,
)

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
    good = GOOD + "[ca]\ndirectory = off\n"  # else there is a note beside the dump
    dump = with_file(good, "check", "-c", "FILE", "--dump")
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


def terminal():
    try:
        return pty.openpty()
    except OSError:
        return None  # as in a bare chroot, which has no /dev/pts


@story
def inspect_on_a_terminal_says_what_it_waits_for():
    pair = terminal()
    skip_unless(pair, "there are terminals")
    ours, theirs = pair
    with subprocess.Popen([program(), "inspect"], stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        os.close(theirs)
        check_in("waiting for the bytes of a hello on the terminal", process.stderr.readline().decode(), "what it says")
        os.write(ours, b"\x04")
        check_in('"status": "incomplete"', process.stdout.read().decode(), "answer")
    os.close(ours)
    check_equal(process.returncode, 0, "exit code")
    result = with_file(one_record(client_hello(TLS10)), "inspect", "FILE", suffix=".bin")
    check("waiting" not in result.output, "it waits for a terminal that it does not read")


@story
def help_is_asked_for_and_given():
    result = run_client(program(), "help")
    check_equal(result.status, 0, "exit code")
    for line in ("tlsfloor check [-c FILE] [--dump | --reference[=man]]", "tlsfloor explain [-c FILE]", "--client | --server"):
        check_in(line, result.output, "help")
    for command in ("check", "explain", "inspect"):
        result = run_client(program(), command, "--help")
        check_equal(result.status, 0, f"exit code of {command} --help")
        check_in(f"usage: tlsfloor {command} ", result.output, "what it says")


@story
def a_message_names_its_command():
    for arguments in (["check", "--nonsense"], ["explain", "--nonsense"], ["inspect", "--nonsense"], ["check", "more"]):
        check_in(f"tlsfloor {arguments[0]}: ", run_client(program(), *arguments).output, "what it says")


@story
def a_log_that_cannot_be_made_says_what_to_make():
    for command, status in (("check", 1), ("run", 3)):
        result = with_file(GOOD + "[log]\nblock = /nowhere/at/all.json\n", command, "-c", "FILE")
        check_equal(result.status, status, f"exit code of {command}")
        check_in("make the directory /nowhere/at, writable for the user of the gateway", result.output, "what it says")


@story
def wrong_usage_is_exit_code_2():
    for arguments in ([], ["nonsense"], ["run", "--nonsense"], ["check", "--nonsense"]):
        check_equal(run_client(program(), *arguments).status, 2, f"exit code of {arguments}")


@story
def a_command_that_is_not_there_is_told_of_in_a_line():
    check_equal(run_client(program(), "nonsense").output.count("\n"), 1, "lines")
    check_in("--version", run_client(program(), "--help").output, "help")


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
