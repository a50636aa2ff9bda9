"""What to do about a client: `tlsfloor remediate`, the registry settings that it writes, and `tlsfloor winhttp`."""

import configparser
import json
import os
import re
import subprocess
import tempfile

from harness import check, check_equal, check_in, clean_environment, program, run_client, run_stories, story

WINHTTP = r"Microsoft\Windows\CurrentVersion\Internet Settings\WinHttp"
PROTOCOLS = r"SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols"
ON = {"DisabledByDefault": 0, "Enabled": 1}
DOTNET = {"SchUseStrongCrypto": 1, "SystemDefaultTlsVersions": 1}


def ask(*arguments):
    """What a command that must work prints."""
    result = run_client(program(), *arguments)
    check_equal(result.status, 0, f"exit code of {' '.join(arguments)}, which says {result.output}")
    return result.output


def families():
    return [json.loads(line) for line in ask("remediate", "--list", "--format", "json").splitlines()]


def settings_of(data):
    """{key: {name: number}} of a .reg file, by another parser than the program's tests have."""
    text = data.decode("utf-16")
    check_equal(data[:2], b"\xff\xfe", "the byte order mark")
    check_equal(text.count("\n"), text.count("\r\n"), "line ends")
    head, _, rest = text.partition("\r\n")
    check_equal(head, "Windows Registry Editor Version 5.00", "the first line")
    parser = configparser.RawConfigParser(delimiters=("=",), strict=True)
    parser.optionxform = str
    parser.read_string(rest)
    number = re.compile(r"dword:([0-9a-f]{8})")
    return {
        key.removeprefix("HKEY_LOCAL_MACHINE\\"): {
            name.strip('"'): int(number.fullmatch(value)[1], 16) for name, value in parser[key].items()
        }
        for key in parser.sections()
    }


def registry(family, *options):
    command = [program(), "remediate", "--client", family, "--reg", "-", *options]
    return settings_of(subprocess.run(command, env=clean_environment(), check=True, capture_output=True).stdout)


def both_widths(path):
    return [f"SOFTWARE\\{path}", f"SOFTWARE\\Wow6432Node\\{path}"]


@story
def windows_7_gets_winhttp_schannel_and_dotnet_for_both_widths():
    dotnet = {key: DOTNET for v in ("v2.0.50727", "v4.0.30319") for key in both_widths(rf"Microsoft\.NETFramework\{v}")}
    sides = {rf"{PROTOCOLS}\TLS 1.2\{side}": ON for side in ("Client", "Server")}
    newer = {key: {"DefaultSecureProtocols": 0xA00} for key in both_widths(WINHTTP)}
    expected = {**newer, rf"{PROTOCOLS}\TLS 1.1\Client": ON, **sides, **dotnet}
    check_equal(registry("schannel-win7"), expected, "settings")
    only = {key: {"DefaultSecureProtocols": 0x800} for key in both_widths(WINHTTP)}
    check_equal(registry("schannel-win7", "--only-1.2"), {**only, **sides, **dotnet}, "settings with TLS 1.2 only")


@story
def no_family_gets_a_setting_that_weakens_it():
    with_settings = [f["client_family"] for f in families() if f["registry"]]
    check(len(with_settings) > 5, f"families with settings: {with_settings}")
    for family in with_settings:
        for key, values in registry(family).items():
            check("SSL" not in key and "TLS 1.0" not in key, f"{family}: {key}")
            check(values in (ON, DOTNET, {"DefaultSecureProtocols": 0xA00}), f"{family}: {key} has {values}")


@story
def a_file_is_written_once_and_whole():
    with tempfile.TemporaryDirectory() as directory:
        reg, script = os.path.join(directory, "tls12.reg"), os.path.join(directory, "tls12.ps1")
        ask("remediate", "--client", "ad-fs", "--reg", reg, "--powershell", script)
        check_equal(sorted(os.listdir(directory)), ["tls12.ps1", "tls12.reg"], "what is there")
        with open(reg, "rb") as f:
            check_equal(settings_of(f.read()), registry("ad-fs"), "settings")
        with open(script, encoding="ascii", newline="") as f:
            text = f.read()
        check_equal(text.count("\n"), text.count("\r\n"), "line ends of the script")
        check_equal(text.count("New-ItemProperty"), sum(map(len, registry("ad-fs").values())), "values it sets")
        again = run_client(program(), "remediate", "--client", "ad-fs", "--reg", reg)
        check_equal(again.status, 1, "exit code for a file that is there")
        check_in("--force", again.output, "what it says")


@story
def every_family_is_explained_and_its_rule_can_be_written():
    rules = []
    for family in families():
        slug = family["client_family"]
        text = ask("remediate", "--client", slug)
        check_in("1. ", text, f"steps for {slug}")
        check_in("2020-10-15", text, f"the dates, for {slug}")
        found = re.search(r"^  (\[rule .*?\n)\S", text, re.M | re.S)
        check_equal(bool(found), family["upgrade"], f"a rule for {slug}")
        if found:
            rules.append(found[1])
    with tempfile.NamedTemporaryFile("w", suffix=".ini") as f:
        f.write("[listener proxy]\nlisten = 127.0.0.1:0\nkind = connect\n" + "".join(rules))
        f.flush()
        check(len(rules) > 15, f"there are only {len(rules)} rules")
        check("no longer applies" not in ask("check", "-c", f.name), "check takes them, and none has ended")


@story
def commands_that_a_fix_names_are_about_the_same_family():
    named = 0
    for family in families():
        for slug in re.findall(r"tlsfloor remediate --client (\S+)", family["fix"]):
            check_equal(slug, family["client_family"], "the family that the fix names")
            named += 1
    check(named > 5, f"only {named} fixes name the command")


@story
def an_unknown_family_is_wrong_usage():
    result = run_client(program(), "remediate", "--client", "java6")
    check_equal(result.status, 2, "exit code")
    check_in("did you mean java-6?", result.output, "what it says")


@story
def values_and_protocols_are_two_ways_to_say_the_same():
    golden = {
        "0xA80": ("TLS1.0", "TLS1.1", "TLS1.2"), "0xA00": ("TLS1.1", "TLS1.2"), "0x880": ("TLS1.0", "TLS1.2"),
        "0x800": ("TLS1.2",), "0x2800": ("1.2", "1.3"),
    }  # fmt: skip
    for value, protocols in golden.items():
        decoded, encoded = ask("winhttp", value), ask("winhttp", *protocols)
        check_equal(decoded, encoded, f"answers for {value}")
        check_equal(ask("winhttp", str(int(value, 16))), decoded, f"answer for {value} in decimal")
        check_in(f" {value} ({int(value, 16)}): ", decoded.splitlines()[0], "the first line")
    check_in("SSL 3.0, TLS 1.0\n", ask("winhttp", "0x0A0"), "the system's default")
    check_in("warning: SSL 3.0", ask("winhttp", "0xAA0"), "the example that keeps SSL 3.0")


@story
def what_is_wrong_ends_with_exit_code_2():
    for arguments in (["SSL3"], ["TLS1.2", "SSLv2"], ["0x1FFFFFFFF"], ["TLS9"], ["0xA80", "0x800"], ["--what"]):
        result = run_client(program(), "winhttp", *arguments)
        check_equal(result.status, 2, f"exit code for {arguments}, which says {result.output}")
    check_in("usage: tlsfloor winhttp", ask("winhttp"), "what it says without arguments")


@story
def the_demo_shows_every_state_of_a_client():
    result = run_client("tests/demo", "--seconds", "10", "--port", "0")
    check_equal(result.status, 0, f"exit code, with {result.output}")
    check_in("dashboard: http://127.0.0.1:", result.output, "what it shows")
    check_in("for 10 s; with tests/demo --stay until Ctrl-C", result.output, "how long the dashboard is there")
    check_in("11 left to fix (5 blocked, 1 would be blocked, 5 upgraded)", result.output, "the report")
    check_in("at or above TLS 1.2 since", result.output, "the report")


@story
def the_demo_takes_SIGTERM_as_Ctrl_C():
    command = ["tests/demo", "--stay", "--port", "0"]
    with tempfile.TemporaryDirectory() as temporary:
        environment = {**os.environ, "TMPDIR": temporary}
        demo = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        for line in demo.stdout:
            if " passed on, " in line:
                break
        demo.terminate()
        rest, _ = demo.communicate(timeout=60)
        check_in("$ tlsfloor report", rest, "what it goes on with")
        check_equal(demo.returncode, 0, "exit code")
        gateways = subprocess.run(["pgrep", "-f", temporary], check=False, capture_output=True, text=True)
        check_equal(gateways.stdout, "", "processes that it leaves")
        check_equal(os.listdir(temporary), [], "files that it leaves")


run_stories()
