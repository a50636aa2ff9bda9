"""What the gateway does without rules, and what `check` and `explain` say of it, with and without a CA."""

import os
import tempfile

from harness import (
    TLS10,
    TLS12,
    WAYS,
    Gateway,
    HttpOrigin,
    OfficeOrigin,
    RawClient,
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

OFFICE = "outlook.office365.com"
LISTENER = "[listener proxy]\nlisten = 127.0.0.1:0\n"
OLD_RULE = "[rule old]\ndestination = *.floor.test\naction = upgrade\n"


class Files:
    """A configuration, and the directory that its CA would be in."""

    def __init__(self):
        self.top = tempfile.TemporaryDirectory()
        self.ini = f"{self.top.name}/t.ini"
        self.ca = f"{self.top.name}/var/ca"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.top.cleanup()

    def run(self, lines, command, *options, **environment):
        """The lines begin with the fifth."""
        with open(self.ini, "w", encoding="ascii") as f:
            f.write(f"{LISTENER}[ca]\ndirectory = {self.ca}\n{lines}")
        return run_client(program(), *command.split(), "-c", self.ini, *options, environment=environment)

    def explain(self, lines, dest, *options, **environment):
        result = self.run(lines, "explain", "--client", "127.0.0.1", "--dest", dest, *options, **environment)
        check_equal(result.status, 0, f"exit code, with {result.output}")
        return result.output


@story
def check_says_that_the_first_run_makes_the_CA_and_makes_none():
    with Files() as files:
        result = files.run("", "check")
        check_equal(result.status, 0, "exit code")
        check_in(f"{files.ini}:4: note: [ca] directory: there is no CA in {files.ca} yet", result.output, "what it says")
        check(not os.path.exists(files.ca), "check has made a directory")
        check_equal(files.run("", "ca init").status, 0, "exit code of ca init")
        result = files.run("", "check")
        check_equal(result.output, f"{files.ini}: fine: 1 listener, 0 rules\n", "what it says with a CA")


@story
def check_says_when_the_rules_outgrow_the_CA():
    with Files() as files:
        check_equal(files.run("", "ca init").status, 0, "exit code of ca init")
        result = files.run(OLD_RULE, "check")
        check_equal(result.status, 0, "exit code")
        check_in(f"{files.ini}:5: warning: [rule old] upgrades *.floor.test, which the CA in ", result.output, "warning")
        check_in("tlsfloor ca init --renew", result.output, "warning")
        check_equal(files.run(OLD_RULE, "ca init", "--renew").status, 0, "exit code of ca init --renew")
        check("warning" not in files.run(OLD_RULE, "check").output, "the new CA is not enough")


@story
def what_upgrades_need_is_asked_for_before_the_gateway_runs():
    wrong = {
        OLD_RULE + "[m365]\nendpoints = /nowhere/set.json\n": ":9: [m365] endpoints: /nowhere/set.json: ",
        OLD_RULE + "[upstream]\nca_file = /nowhere/roots.pem\n": ":9: [upstream] ca_file: /nowhere/roots.pem: ",
        OLD_RULE + "[upstream]\nkey = /nowhere/k.pem\n": ":9: [upstream] has key but no certificate",
        OLD_RULE.replace("*.floor.test", "@m365:Exchnge"): "did you mean @m365:Exchange?",
        "[m365]\nnever_terminate = https://a.example/\n": "write the name alone: a.example",
        "[upstream]\nminimum = 1.1\n": "write 1.2 or 1.3",
    }
    with Files() as files:
        for lines, says in wrong.items():
            for command, status in (("check", 1), ("run", 3)):
                result = files.run(lines, command)
                check_equal(result.status, status, f"exit code of {command} with {lines}, which says {result.output}")
                if command == "check":
                    check_in(says, result.output, "what it says")
        for command, status in (("check", 1), ("run", 3)):
            result = files.run(OLD_RULE, command, TLSFLOOR_CA_DIRECTORY="off")
            check_equal(result.status, status, f"exit code of {command} without a CA")
            check_in("[rule old] action = upgrade needs a CA", result.output, "what it says")


@story
def explain_shows_the_default():
    with Files() as files:
        office = files.explain("", f"{OFFICE}:443")
        check_in("TLS 1.0      upgrade; no rule matches; @m365: Exchange, Optimize\n", office, "explanation")
        check_in("TLS 1.2      tunnel; no rule matches\n", office, "explanation")
        check_in(f"certificate  for {OFFICE} with an RSA key", office, "explanation")
        other = files.explain("", "www.floor.test:443")
        check_in("TLS 1.0      block: ", other, "explanation")
        check_in("plain HTTP   tunnel; ", other, "explanation")
        without = files.explain("", f"{OFFICE}:443", TLSFLOOR_CA_DIRECTORY="off")
        check_in("TLS 1.0      block: ", without, "explanation without a CA")


@story
def explain_says_which_rule_upgrades():
    with Files() as files:
        text = files.explain(OLD_RULE, "a.floor.test:443")
        check_in(f"TLS 1.0      upgrade; [rule old] at {files.ini}:5\n", text, "explanation")


@story
def explain_judges_the_suites_of_a_captured_hello():
    with Files() as files:
        for suites, says in (
            ((0x0005, 0x000A), "(no-common-suite)"),
            ((0x0005, 0x002F), "certificate  for outlook.office365.com with an RSA key, by the CA in "),
        ):
            hello = f"{files.top.name}/hello.bin"
            with open(hello, "wb") as f:
                f.write(one_record(client_hello(TLS10, OFFICE, suites=suites)))
            check_in(says, files.explain("", f"{OFFICE}:443", "--hello", hello), "explanation")


@story
def without_a_CA_old_clients_of_Microsoft_365_are_blocked_and_their_service_is_named():
    for way in WAYS:
        with RawOrigin(name=OFFICE) as origin, Gateway(origin) as gateway:
            with reach(gateway, way, OFFICE) as client:
                client.send(one_record(client_hello(TLS10, OFFICE)))
                check_equal(client.receive_all(), alert(70, TLS10), f"answer by {way}")
            gateway.record(
                {
                    "event.action": "tls-version-blocked",
                    "event.code": "client-below-floor",
                    "tlsfloor.m365.service_area": "Exchange",
                    "tlsfloor.m365.category": "Optimize",
                }
            )


@story
def without_a_CA_plain_http_stays_plain():
    with HttpOrigin(name=OFFICE) as origin, Gateway(origin) as gateway:
        result = run_client("curl", "-s", "-x", f"http://127.0.0.1:{gateway.proxy}", f"http://{OFFICE}/")
        check_equal(result.status, 0, f"curl's exit status, which says {result.output}")
        check_equal(len(origin.seen), 1, "requests that reached the server")


@story
def healthy_clients_of_Microsoft_365_are_not_touched():
    for way in WAYS:
        with OfficeOrigin() as office, Gateway(office, upgrades=True) as gateway:
            hello = one_record(client_hello(TLS12, OFFICE))
            with reach(gateway, way, OFFICE) as client:
                client.send(hello)
                client.end()
                client.receive_all()
            check_equal(office.received()[: len(hello)], hello, f"what reached the server by {way}")


@story
def a_name_that_a_client_makes_up_opens_no_way_past_the_floor():
    """Behind an address there is only the client's word for the name, and rules that let pass do not take it."""
    for action in ("monitor", "tunnel"):
        rule = {"rule old.destination": "trusted.floor.test", "rule old.action": action, "access.port": "1-65535"}
        with RawOrigin() as origin:
            with Gateway(origin, settings=rule) as gateway:
                with RawClient(gateway.proxy).connect(origin.address, origin.port) as client:
                    client.send(one_record(client_hello(TLS10, "trusted.floor.test")))
                    check_equal(client.receive_all(), alert(70, TLS10), f"answer with {action}")
                gateway.record({"event.code": "client-below-floor", "rule.name": None})
            check_equal(origin.received(), b"", "what reached the server")


run_stories()
