"""What is delivered to be read and copied: the configurations of conf/, each in use for what it is for, the manual
pages, and what shells offer on the command line."""

import contextlib
import functools
import os
import re
import smtplib
import subprocess
import tempfile

from harness import (
    CLIENT_SECRET,
    Gateway,
    OfficeOrigin,
    RawClient,
    RawOrigin,
    SmtpOrigin,
    TlsOrigin,
    TlsPeer,
    ca_file,
    check,
    check_equal,
    check_in,
    check_minted,
    clean_environment,
    client_context,
    first_certificate,
    in_own_network,
    java_client,
    leaf,
    mail_upgraded,
    program,
    run_client,
    run_stories,
    skip_unless,
    story,
    users_file,
)
from harness.clients import program_file
from harness.netns import NFT, Networks, has_firewall, nft

HAS_NETWORK = in_own_network()
CONF = os.path.abspath("conf")
EXAMPLES = sorted(f"examples/{name}" for name in os.listdir(f"{CONF}/examples") if name.endswith(".ini"))
DEFAULTS = sorted(name for name in os.listdir(CONF) if name.endswith(".ini"))
OFFICE, OFFICE_ADDRESS = "outlook.office365.com", "52.96.0.1"
NAME, ADDRESS = "origin.floor.test", "9.9.9.9"
# Those of the gateway and of its clients, in the examples.
INSIDE = ("10.0.0.0/24", "10.20.0.0/16", "10.30.0.0/16", "10.40.0.0/16")
OAUTH = f"flow = client_credentials\ntenant = example.onmicrosoft.com\nclient_id = 1\nclient_secret = {CLIENT_SECRET}\n"


@functools.cache
def devices():
    with open(users_file(tickets=("secret", "tickets@example.com")), encoding="ascii") as f:
        return f.read()


class Machine:
    """A machine on which a configuration has the files that it names: its directories are below one of ours."""

    def __init__(self, file):
        self.stack = contextlib.ExitStack()
        self.root = self.stack.enter_context(tempfile.TemporaryDirectory())
        self.secrets = {
            "devices": devices(),
            "oauth.ini": OAUTH,
            "parent.password": "secret\n",
            "ticket.keys": f"{os.urandom(80).hex()}\n",
        }
        for directory in ("etc/tlsfloor", "var/lib/tlsfloor", "var/log/tlsfloor"):
            os.makedirs(f"{self.root}/{directory}")
        for name, text in self.secrets.items():
            self.write(f"etc/tlsfloor/{name}", text)
        with open(f"{CONF}/{file}", encoding="utf-8") as f:
            self.text = f.read()
        # What is agreed on for some months in an example, holds in a test for ever.
        text = re.sub(r"^until = \S+", "until = 2099-12-31", self.text, flags=re.M)
        self.file = self.write("tlsfloor.ini", re.sub(r"(?<![\w.])/(etc|var)/", rf"{self.root}/\1/", text))
        if "\nmake = off" in text:
            check_equal(self.tlsfloor("ca init")[0], 0, "exit code of ca init")

    def write(self, name, text):
        path = f"{self.root}/{name}"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def tlsfloor(self, command, *options):
        done = subprocess.run(
            [program(), *command.split(), "-c", self.file, *options],
            cwd=self.root, env=clean_environment(), check=False, capture_output=True,
        )  # fmt: skip
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    @property
    def ca(self):
        return f"{self.root}/var/lib/tlsfloor/ca/ca.pem"

    def gateway(self, *origins, **environment):
        """One that runs with the file, and finds the origins. Where it is said to find them, and that records come to
        us, is all that the file does not say."""
        ca = "off" if "\ndirectory = off" in self.text else os.path.dirname(self.ca)
        found = [f"{o.name}:{o.asked_port}:{o.address}:{o.port}" for o in origins]
        settings = {
            "TLSFLOOR_CA_DIRECTORY": ca,
            "TLSFLOOR_INVENTORY_FILE": f"{self.root}/var/lib/tlsfloor/inventory.db",
            "TLSFLOOR_LOG_BLOCK": "-",
            "TLSFLOOR_LOG_ROLLUP_S": "0",
            "TLSFLOOR_UPSTREAM_CA_FILE": ca_file(),
            "TLSFLOOR_UPSTREAM_RESOLVE": "\n".join(found),
            "TLSFLOOR_DNS_SERVERS": "127.0.0.1:1",
            **environment,
        }
        return Gateway(file=self.file, environment={key: value for key, value in settings.items() if value})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stack.close()


@functools.cache
def take_addresses():
    """The addresses of all who are in the examples are this network's own."""
    for block in (*INSIDE, OFFICE_ADDRESS, ADDRESS):
        subprocess.run(["ip", "route", "add", "local", block, "dev", "lo"], check=True)


@contextlib.contextmanager
def in_use(name, *origins, **environment):
    """A machine with this example, and its gateway."""
    with Machine(f"examples/{name}.ini") as machine:
        with machine.gateway(*origins, **environment) as gateway:
            yield machine, gateway


def example(behaviour):
    """A story in a network of its own, where every address and port is as the example has it."""

    @functools.wraps(behaviour)
    def tale():
        skip_unless(HAS_NETWORK, "network namespace")
        take_addresses()
        behaviour()

    return story(tale)


def curl(source, version, name, ca=None):
    """From an address, through the proxy that the examples have, with TLS up to a version."""
    options = ["--http1.1", "--tlsv1.0", "--tls-max", version, "--ciphers", "DEFAULT@SECLEVEL=0"]
    return run_client("curl", "-sS", "--cacert", ca or ca_file(), "-x", "http://10.0.0.5:3128", "--interface", source,
                      *options, f"https://{name}/")  # fmt: skip


@story
def every_configuration_is_fine_as_it_is_delivered():
    for file in DEFAULTS + EXAMPLES:
        with Machine(file) as machine:
            status, said, complaints = machine.tlsfloor("check")
            check_equal(status, 0, f"exit code for {file}, of which check says {complaints}")
            check_in(": fine: ", said, f"what check says of {file}")
            warnings = [line for line in complaints.splitlines() if ": warning: " in line]
            # A balancer that is to ask for /readyz has to reach it.
            odd = [line for line in warnings if not re.search(r"\[admin\] listen = \S+ has no access control", line)]
            check_equal(odd, [], f"what check warns of in {file}")


@story
def what_an_example_lacks_is_named():
    """A file that is missing is an error with its line, whichever it is."""
    for file in EXAMPLES:
        with Machine(file) as machine:
            for name in machine.secrets:
                if f"/etc/tlsfloor/{name}" not in machine.text:
                    continue
                path = f"{machine.root}/etc/tlsfloor/{name}"
                os.rename(path, f"{path}.away")
                status, _, complaints = machine.tlsfloor("check")
                os.rename(f"{path}.away", path)
                check_equal(status, 1, f"exit code for {file} without {name}")
                check(re.search(rf"^\S+:\d+: .*{re.escape(path)}", complaints, re.M), f"{name} is not in {complaints}")


@example
def legacy_dotnet_an_old_app_is_upgraded_and_nobody_else():
    with OfficeOrigin(address=OFFICE_ADDRESS) as origin:
        with in_use("legacy-dotnet", origin) as (machine, gateway):
            done = curl("10.30.0.7", "1.0", OFFICE, machine.ca)
            check_in("page over TLSv1.3", done.output, "what the app got")
            gateway.record({"event.action": "tls-upgraded", "rule.name": "invoices", "source.ip": "10.30.0.7"})
            check_in("alert protocol version", curl("10.30.0.8", "1.0", OFFICE).output, "what another old one got")
            gateway.record({"event.code": "client-below-floor", "source.ip": "10.30.0.8"})
            check_in("page over TLSv1.3", curl("10.30.0.8", "1.3", OFFICE).output, "what a current one got")


class Printer(smtplib.SMTP):
    """At 10.20.0.7; believes to talk to Microsoft 365. `tls`: at once."""

    def __init__(self, port, tls=None):
        self.tls = tls
        super().__init__("10.0.0.5", port, source_address=("10.20.0.7", 0), timeout=20)
        self._host = "smtp.office365.com"

    def _get_socket(self, *arguments):
        sock = super()._get_socket(*arguments)
        return self.tls.wrap_socket(sock, server_hostname="smtp.office365.com") if self.tls else sock


@example
def printers_send_mail_in_plain_text_and_with_old_TLS_either_way():
    with SmtpOrigin(address=OFFICE_ADDRESS) as origin:
        with in_use("printers", origin) as (machine, gateway):
            old = client_context("1.0", "1.0", machine.ca)
            for number, (port, tls) in enumerate(((25, None), (587, None), (465, old))):
                with Printer(port, tls) as printer:
                    if port == 587:
                        printer.starttls(context=old)
                    printer.sendmail("scan@example.com", ["you@example.com"], b"Subject: page 1\r\n\r\nscanned\r\n")
                gateway.record({**mail_upgraded("plain" if port == 25 else "1.0"), "rule.name": "printers"})
                check_in(b"scanned", origin.session(number).messages[0], "what the server got")


@example
def java6_batch_a_hello_in_SSLv2_format_without_a_name_is_upgraded():
    # The client in Java of these tests goes to loopback.
    here = {"TLSFLOOR_LISTENER_EXCHANGE_LISTEN": "127.0.0.1:0", "TLSFLOOR_RULE_BATCH_SOURCE": "127.0.0.1"}
    with OfficeOrigin(address=OFFICE_ADDRESS) as origin:
        with in_use("java6-batch", origin, **here, TLSFLOOR_ACCESS_SOURCE="loopback") as (machine, gateway):
            gateway.ports["straight"] = gateway.ports["exchange"]
            done = java_client(gateway, "sni", OFFICE, "SSLv2Hello+1.0", ca=machine.ca)
            check_in("page over TLSv1.3", done.output, "what the job got")
            check_minted(done.output, OFFICE)
            gateway.record({"event.action": "tls-upgraded", "tlsfloor.upgrade.from": "1.0", "rule.name": "batch"})


@example
def audit_lets_pass_and_the_report_names_who_would_not():
    with TlsOrigin("1.0", "1.0", address=ADDRESS) as origin:
        with Machine("examples/audit.ini") as machine:
            with machine.gateway(origin) as gateway:
                done = curl("10.30.0.9", "1.0", NAME)
                check_in("page over TLSv1", done.output, "what an old client got")
                gateway.record({"event.action": "tls-version-would-block", "source.ip": "10.30.0.9"})
            with open(f"{machine.root}/var/log/tlsfloor/access.json", encoding="utf-8") as log:
                check_in('"source.ip":"10.30.0.9"', log.read(), "the access log")
            for options in ((), ("--floor", "1.3")):
                status, said, complaints = machine.tlsfloor("report", *options)
                check_equal(status, 0, f"exit code of report, which says {complaints}")
                check_in("10.30.0.9", said, f"the report with {options}")


@example
def transparent_clients_are_turned_here_by_the_firewall_that_is_delivered():
    skip_unless(has_firewall(), "nftables with redirect and tproxy in the kernel")
    office_address, address = "52.96.0.2", "9.9.9.10"
    source = {"TLSFLOOR_RULE_MAIL_CLIENTS_SOURCE": "10.77.0.0/16"}
    with Networks(office_address, address) as networks, in_use("transparent", **source) as (machine, gateway):
        subprocess.run([NFT, "-f", f"{CONF}/examples/transparent.nft"], check=True)
        with networks.servers.inside():
            servers = OfficeOrigin(address=office_address, port=443), TlsOrigin(address=address, port=443)

        def page(address, name, version, ca=None):
            with networks.clients.inside():
                raw = RawClient(443, address)
            with raw:
                peer = TlsPeer(raw.sock, client_context(version, version, ca), name).handshake()
                peer.write(b"GET / HTTP/1.1\r\n\r\n")
                return peer.read_all(), peer.tls.getpeercert(True)

        check_in(b"page over TLSv1.3", page(office_address, OFFICE, "1.0", machine.ca)[0], "what an old client got")
        gateway.record({"event.action": "tls-upgraded", "observer.ingress.interface.name": "turned"})
        got = page(address, NAME, "1.2")
        check_in(b"page over TLSv1.2", got[0], "what a current client got")
        check_equal(got[1], first_certificate(leaf()), "the certificate that it saw")
        for server in servers:
            server.close()
        nft("delete table inet tlsfloor")


@story
def the_firewall_for_tproxy_is_one_too():
    skip_unless(HAS_NETWORK and has_firewall(), "nftables with redirect and tproxy in the kernel")
    with open(f"{CONF}/examples/transparent.nft", encoding="utf-8") as f:
        text = f.read()
    defined = "\n".join(re.findall(r"^define .*", text, re.M))
    chain = re.sub(r"^# ", "", re.search(r"^# +chain .*?^# +\}\n", text, re.M | re.S)[0], flags=re.M)
    check_in("tproxy ip6", chain, "the chain")
    nft(f"{defined}\ntable inet tlsfloor {{\n{chain}}}\ndelete table inet tlsfloor\n")


@example
def parent_proxy_everything_goes_through_it_with_the_login():
    with OfficeOrigin() as origin:
        login = {"listener proxy.users": users_file(tlsfloor=("secret", "x@example.com"))}
        with Gateway(origin, settings={**login, "log.access": "-", "log.block": "off"}) as parent:
            there = {"TLSFLOOR_UPSTREAM_PROXY": f"127.0.0.1:{parent.proxy}", "TLSFLOOR_UPSTREAM_RESOLVE": None}
            with in_use("parent-proxy", **there) as (machine, gateway):
                done = curl("10.30.0.9", "1.0", OFFICE, machine.ca)
                check_in("page over TLSv1.3", done.output, "what an old client got")
                gateway.record({"event.action": "tls-upgraded", "rule.name": "reports"})
                parent.record({"user.name": "tlsfloor", "destination.domain": OFFICE})
                check_in("page over TLSv1.3", curl("10.30.0.9", "1.3", OFFICE).output, "what a current one got")
                parent.record({"user.name": "tlsfloor", "destination.domain": OFFICE})


@example
def load_balanced_the_client_is_whom_the_balancer_names():
    with OfficeOrigin(address=OFFICE_ADDRESS) as origin:
        with RawOrigin(address="10.0.0.20", port=601) as syslog:
            with in_use("load-balanced", origin, TLSFLOOR_LOG_BLOCK=None, TLSFLOOR_LIMITS_GRACE_S="0") as (machine, _):
                with RawClient(3128, "10.0.0.11", source="10.0.0.2") as raw:
                    raw.send(b"PROXY TCP4 10.30.0.9 10.0.0.11 50000 3128\r\n")
                    raw.connect(OFFICE)
                    TlsPeer(raw.sock, client_context("1.0", "1.0", machine.ca), OFFICE).handshake().close()
            told = bytes(syslog.finished().received)
            check_in(b'"event.action":"tls-upgraded"', told, "what syslog got")
            check_in(b'"source.ip":"10.30.0.9"', told, "what syslog got")


# --- manual pages ---


def usage(command):
    """What stands behind `usage: tlsfloor COMMAND`."""
    return run_client(program(), command, "--help").output.partition(f"usage: tlsfloor {command} ")[2]


def commands():
    names = re.findall(r"^  tlsfloor (\S+)", run_client(program(), "--help").output, re.M)
    check("run" in names and "version" in names, f"commands: {names}")
    return names


def options_in(text):
    return set(re.findall(r"(?:^|[\s(\[])(-[a-z]\b|--[a-z0-9.-]+)", text))


def calls():
    """Every command, with its subcommand where it has such, and its options."""
    for command in commands():
        arguments, _, each = usage(command).partition("\n")[0].partition("; each with ")
        if command in ("ca", "endpoints"):
            for call in re.split(r" \| (?=[a-z])", arguments):
                yield f"{command} {call.split()[0]}", options_in(call) | options_in(each)
        else:
            yield command, options_in(arguments)


@story
def the_manual_pages_are_sound():
    done = run_client("mandoc", "-Tlint", "-Wwarning", f"{CONF}/man/tlsfloor.8", f"{CONF}/man/tlsfloor.ini.5")
    check_equal(done, ("", 0), "what mandoc says")


@story
def the_manual_has_every_command_and_option_and_no_others():
    with open(f"{CONF}/man/tlsfloor.8", encoding="utf-8") as f:
        synopsis = re.search(r"^\.Sh SYNOPSIS\n(.*?)^\.Sh ", f.read(), re.M | re.S)[1]
    described = {}
    for call in synopsis.split(".Nm\n")[1:]:
        call = call.replace("\\-", "-")
        name = re.match(r"\.Cm (.*)\n", call)[1]
        described.setdefault(name, set()).update(f"-{option}" for option in re.findall(r"Fl (-?[\w.-]+)", call))
    check_equal(described, dict(calls()), "commands and their options in the synopsis")


@story
def the_references_are_those_of_the_program():
    """Where they are not: make reference."""
    for file, form, marks in (
        (f"{CONF}/man/tlsfloor.ini.5", "=man", ('.\\" reference\n', '.\\" end of reference\n')),
        (f"{CONF}/../README.md", "", ("<!-- reference -->\n", "<!-- /reference -->\n")),
    ):
        with open(file, encoding="utf-8") as f:
            written = f.read().partition(marks[0])[2].partition(marks[1])[0]
        printed = run_client(program(), "check", f"--reference{form}")
        check(written == printed.output, f"{file} lags behind the program: make reference")
    done = run_client(program(), "check", "--reference=html")
    check_equal(done.status, 2, "exit code for a form that there is not")
    check_in("write --reference for Markdown, or --reference=man", done.output, "what it says")


# --- what shells offer ---


def offers(shell, lines):
    """What it offers behind each of these command lines: {line: set of words}."""
    path = f"{os.path.dirname(program())}:{os.environ['PATH']}"
    done = run_client(
        shell, program_file(f"offered.{shell}"), f"{CONF}/completion",
        stdin="".join(f"{line}\n" for line in lines), environment={"PATH": path},
    )  # fmt: skip
    answers = [set()]
    for word in done.output.split("\n")[:-1]:
        if word:
            answers[-1].add(word)
        else:
            answers.append(set())
    check_equal(len(answers), len(lines) + 1, f"answers of {shell}, which says {done.output[-500:]}")
    return dict(zip(lines, answers))


def choices():
    """What stands behind an option that takes one of few: {command line: words}."""
    found = {}
    for command in commands():
        for option, words in re.findall(r"(--\w+) ([\w.]+(?:\|[\w.]+)+)", usage(command)):
            name = "ca export" if command == "ca" else command
            found[f"tlsfloor {name} {option} "] = set(words.split("|"))
    what = re.search(r"WHAT is to trust it: (.*)", usage("ca"))[1].split(", ")
    found["tlsfloor ca export --for "] = set(what)
    families = run_client(program(), "remediate", "--list").output.splitlines()
    found["tlsfloor remediate --client "] = {line.split()[0] for line in families}
    found["tlsfloor endpoints show --area "] = {"Common", "Exchange", "SharePoint", "Teams", "Intune"}
    found["tlsfloor endpoints show --category "] = {"Optimize", "Allow", "Default"}
    return found


def offered_by(shell):
    wanted = {"tlsfloor ": set(commands())}
    for name, options in calls():
        wanted[f"tlsfloor {name} -"] = options
        if " " in name:
            wanted.setdefault(f"tlsfloor {name.split()[0]} ", set()).add(name.split()[1])
    wanted |= choices()
    wanted[f"tlsfloor explain -c {CONF}/examples/legacy-dotnet.ini --listener "] = {"proxy"}
    wanted["tlsfloor remediate --client java"] = {"java-6", "java-7"}
    file = f"tlsfloor run -c {CONF}/tlsfl"
    got = offers(shell, [*wanted, file])
    got["tlsfloor check -"].discard("--reference=man")  # which some shells offer as a word of its own
    for line, words in wanted.items():
        check_equal(sorted(got[line]), sorted(words), f"what {shell} offers behind '{line}'")
    check_equal({os.path.basename(name) for name in got[file]}, {"tlsfloor.ini"}, f"files that {shell} offers")


@story
def bash_offers_what_there_is_and_nothing_else():
    offered_by("bash")


@story
def fish_offers_what_there_is_and_nothing_else():
    offered_by("fish")


@story
def zsh_offers_what_there_is_and_nothing_else():
    offered_by("zsh")


run_stories()
