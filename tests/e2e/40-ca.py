"""The gateway's own CA: what `tlsfloor ca` makes and says, judged by openssl's and Java's own tools."""

import os
import pty
import re
import shutil
import stat
import subprocess
import tempfile
import threading

from harness import (
    Gateway,
    TlsOrigin,
    check,
    check_equal,
    check_in,
    clean_environment,
    program,
    run_client,
    run_stories,
    skip_unless,
    story,
)
from harness.pki import SERVER, make_signed, openssl

RULE = "[rule old]\ndestination = {}\naction = upgrade\n[rule rest]\naction = tunnel\n"


class Home:
    """A directory with a configuration, whose rule upgrades `names`, and room for the CA."""

    def __init__(self, names="*.floor.test, mail.other.test", directory=None):
        self.temporary = tempfile.TemporaryDirectory()
        self.ca = directory or self.path("var/ca")
        self.write(names)

    def path(self, name):
        return os.path.join(self.temporary.name, name)

    def write(self, names):
        with open(self.path("t.ini"), "w", encoding="ascii") as f:
            f.write(f"[listener proxy]\nlisten = 127.0.0.1:0\n[ca]\ndirectory = {self.ca}\n{RULE.format(names)}")

    def read(self, name):
        with open(os.path.join(self.ca, name), "rb") as f:
            return f.read()

    def run(self, *arguments, status=0):
        result = run_client(program(), "ca", *arguments, "-c", self.path("t.ini"))
        check_equal(result.status, status, f"exit code of ca {' '.join(arguments)}, which says {result.output}")
        return result.output

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.temporary.cleanup()


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


@story
def init_makes_a_CA_that_is_limited_to_what_rules_upgrade():
    with Home() as home:
        said = home.run("init")
        check_in("Made the CA", said, "what it says")
        check_equal(mode(home.ca), 0o700, "mode of the directory")
        check_equal(mode(f"{home.ca}/ca.key"), 0o600, "mode of the key")
        text = openssl("x509", "-in", f"{home.ca}/ca.pem", "-noout", "-text")
        squeezed = " ".join(text.split())
        for part in (
            "Basic Constraints: critical CA:TRUE, pathlen:0",
            "Key Usage: critical Certificate Sign",
            "Extended Key Usage: TLS Web Server Authentication",
            "Name Constraints: critical Permitted: DNS:mail.other.test DNS:floor.test "
            "Excluded: IP:0.0.0.0/0.0.0.0 IP:0:0:0:0:0:0:0:0/0:0:0:0:0:0:0:0",
            "Public-Key: (2048 bit)",
            "sha256WithRSAEncryption",
        ):
            check_in(part, squeezed, "the certificate")


@story
def openssl_verifies_a_leaf_for_a_permitted_name_and_no_other_one():
    with Home() as home:
        home.run("init")

        def verify(san):
            make_signed(home.path("leaf"), f"{home.ca}/ca", "leaf", f"subjectAltName={san}\n{SERVER}")
            return run_client("openssl", "verify", "-purpose", "sslserver", "-CAfile", f"{home.ca}/ca.pem", home.path("leaf.pem"))

        for san in ("DNS:www.floor.test", "DNS:mail.other.test"):
            check_equal(verify(san).status, 0, f"openssl verify of {san}")
        for san in ("DNS:other.test", "DNS:notfloor.test", "DNS:www.floor.test,DNS:www.debian.org"):
            check_in("permitted subtree violation", verify(san).output, f"openssl verify of {san}")
        for san in ("IP:10.0.0.1", "IP:::1"):
            check_in("excluded subtree violation", verify(san).output, f"openssl verify of {san}")


@story
def without_rules_it_is_limited_to_microsoft_365():
    with Home() as home:
        with open(home.path("t.ini"), "w", encoding="ascii") as f:
            f.write(f"[listener proxy]\nlisten = 127.0.0.1:0\n[ca]\ndirectory = {home.ca}\n")
        home.run("init")
        names = openssl("x509", "-in", f"{home.ca}/ca.pem", "-noout", "-ext", "nameConstraints").split()
        for name in ("DNS:office365.com", "DNS:onmicrosoft.com", "DNS:onenote.net"):
            check_in(name, names, "the certificate")
        check("DNS:outlook.office365.com" not in names, "there is a name that another one covers")
        home.run("show")


@story
def a_CA_that_is_there_is_shown_and_not_changed():
    with Home() as home:
        home.run("init")
        before = home.read("ca.pem"), home.read("ca.key")
        check_in("There is a CA already", home.run("init"), "what it says")
        check_equal((home.read("ca.pem"), home.read("ca.key")), before, "the files")
        check_equal(sorted(os.listdir(home.ca)), ["ca.key", "ca.pem"], "the files")


@story
def many_that_make_it_at_once_agree():
    with Home() as home:
        results = []
        threads = [threading.Thread(target=lambda: results.append(home.run("init"))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        check_equal(len(results), 4, "commands that ended well")
        serials = {line for text in results for line in text.splitlines() if line.startswith("serial")}
        check_equal(len(serials), 1, "CAs that were shown")
        check_equal(sorted(os.listdir(home.ca)), ["ca.key", "ca.pem"], "the files")


@story
def show_tells_all_that_a_client_s_store_shows():
    with Home() as home:
        home.run("init")
        said = home.run("show")
        for digest in ("sha256", "sha1"):
            fingerprint = openssl("x509", "-in", f"{home.ca}/ca.pem", "-noout", "-fingerprint", f"-{digest}")
            check_in(fingerprint.strip().split("=")[1], said, "what it says")
        serial = openssl("x509", "-in", f"{home.ca}/ca.pem", "-noout", "-serial").strip().split("=")[1]
        for part in (serial, "mail.other.test, floor.test", f"{home.ca}/ca.key", "itself"):
            check_in(part, said, "what it says")
        check(re.search(r"until .* UTC, 365[12] days left", said), f"no days: {said}")


@story
def rules_that_outgrow_the_CA_are_named_until_it_is_renewed():
    with Home() as home:
        home.run("init")
        key, old = home.read("ca.key"), home.read("ca.pem")
        home.write("*.floor.test, *.new.test")
        said = home.run("show", status=1)
        check_in(f"not covered  *.new.test, by [rule old] at {home.path('t.ini')}:", said, "what it says")
        check("*.floor.test, by" not in said, f"more than what is not covered: {said}")
        check_in("tlsfloor ca init --renew", said, "what it says")
        home.run("init", "--renew")
        home.run("show")
        check_equal(home.read("ca.key"), key, "the key")
        kept = [name for name in os.listdir(home.ca) if name not in ("ca.pem", "ca.key")]
        check_equal([home.read(name) for name in kept], [old], "what is kept")


@story
def a_rule_for_every_name_is_told():
    with Home("*") as home:
        said = home.run("init")
        check_in("[rule old] at ", said, "what it says")
        check_in("may upgrade every name", said, "what it says")
        names = openssl("x509", "-in", f"{home.ca}/ca.pem", "-noout", "-ext", "nameConstraints")
        check("Permitted" not in names, f"a permitted list: {names}")
        check_in("Excluded", names, "the certificate")


@story
def export_prints_the_certificate_and_nothing_else():
    with Home() as home:
        home.run("init")
        check_equal(home.run("export").encode(), home.read("ca.pem"), "PEM")
        done = subprocess.run(
            [program(), "ca", "export", "--format", "der", "-c", home.path("t.ini")],
            capture_output=True, env=clean_environment(), check=True,
        )  # fmt: skip
        wanted = subprocess.run(
            ["openssl", "x509", "-in", f"{home.ca}/ca.pem", "-outform", "DER"], capture_output=True, check=True
        )
        check_equal(done.stdout, wanted.stdout, "DER")


@story
def help_lists_who_may_be_told_to_trust_it():
    text = run_client(program(), "ca", "--help").output
    listed = re.search(r"WHAT is to trust it: (.*)", text)[1].split(", ")
    check(len(listed) > 10, f"only {listed}")
    with Home() as home:
        home.run("init")
        for name in listed:
            home.run("export", "--for", name)


@story
def export_to_a_file_is_whole_or_not_at_all():
    with Home() as home:
        home.run("init")
        out = home.path("out.pem")
        check_equal(home.run("export", "-o", out), "", "what it says")
        with open(out, "rb") as f:
            check_equal(f.read(), home.read("ca.pem"), "the file")
        home.run("export", "--format", "der", "-o", out)
        openssl("x509", "-inform", "DER", "-in", out, "-noout")
        check_in("cannot write", home.run("export", "-o", home.path("no/where"), status=1), "what it says")
        check_in("cannot write", home.run("export", "-o", "/dev/null", status=1), "what it says")
        check(stat.S_ISCHR(os.stat("/dev/null").st_mode), "/dev/null is gone")
        check_equal(sorted(os.listdir(home.path(""))), ["out.pem", "t.ini", "var"], "the files")


@story
def der_is_not_written_to_a_terminal():
    with Home() as home:
        home.run("init")
        try:
            ours, theirs = pty.openpty()
        except OSError:
            skip_unless(False, "terminal")
        done = subprocess.run(
            [program(), "ca", "export", "--format", "der", "-c", home.path("t.ini")],
            stdout=theirs, stderr=subprocess.PIPE, env=clean_environment(), check=False,
        )  # fmt: skip
        os.close(theirs)
        os.close(ours)
        check_equal(done.returncode, 2, "exit code")
        check_in("-o FILE", done.stderr.decode(), "what it says")


IMPORTS = {
    "windows": ("der", 'certutil -addstore -f Root "{}"', "Import-Certificate -FilePath", "Group Policy"),
    "java": ("pem", 'keytool -importcert -noprompt -alias tlsfloor -file "{}"', "jre/lib/security/cacerts", "changeit"),
    "debian": ("pem", "/usr/local/share/ca-certificates/tlsfloor-ca.crt", "update-ca-certificates"),
    "redhat": ("pem", "/etc/pki/ca-trust/source/anchors/", "update-ca-trust extract"),
    "suse": ("pem", "/etc/pki/trust/anchors/", "update-ca-certificates"),
    "alpine": ("pem", "update-ca-certificates"),
    "macos": ("pem", "security add-trusted-cert -d -r trustRoot"),
    "firefox": ("pem", "ImportEnterpriseRoots", "-t C,,"),
    "android": ("der", "Install a certificate"),
    "ios": ("der", "Certificate Trust Settings"),
    "printer": ("der", "Security > Certificates", "--format pem"),
    "python": ("pem", "REQUESTS_CA_BUNDLE"),
    "node": ("pem", "NODE_EXTRA_CA_CERTS"),
}


@story
def export_tells_each_client_how_to_import_it():
    with Home() as home:
        home.run("init")
        for name, (form, *parts) in IMPORTS.items():
            said = home.run("export", "--for", name)
            check_in(f"--format {form} -o ", said, f"--for {name}")
            said = home.run("export", "--for", name, "-o", home.path("the ca"))
            for part in parts:
                check_in(part.format("the ca"), said, f"--for {name}")
            openssl("x509", "-inform", form.upper(), "-in", home.path("the ca"), "-noout")
        check_in("certutil", home.run("export", "--for", "dotnet"), "--for dotnet")
        said = home.run("export", "--for", "windos", status=2)
        check_in("did you mean windows?", said, "what it says")
        for name in IMPORTS:
            check_in(name, said, "what it says")


@story
def java_takes_the_certificate():
    skip_unless(shutil.which("keytool"), "keytool")
    with Home() as home:
        home.run("init")
        said = home.run("export", "--for", "java", "-o", home.path("ca.pem"))
        command = next(line for line in said.splitlines() if "$JAVA_HOME/jre" in line)
        command = command.replace('"$JAVA_HOME/jre/lib/security/cacerts"', home.path("cacerts"))
        subprocess.run(command, shell=True, cwd=home.path(""), check=True, capture_output=True)
        listed = run_client("keytool", "-list", "-v", "-keystore", home.path("cacerts"), "-storepass", "changeit")
        check_in("trustedCertEntry", listed.output, "the key store")
        check_in("NameConstraints: [\n    Permitted:", listed.output, "what Java reads")


@story
def what_cannot_be_used_is_exit_code_3_and_says_what_to_do():
    with Home() as home:
        check_in("tlsfloor ca init", home.run("show", status=1), "what it says of a CA that is not there")
        check_in("tlsfloor ca init", home.run("export", status=1), "what it says of a CA that is not there")
        home.run("init")
        os.chmod(f"{home.ca}/ca.key", 0o644)
        for action in ("init", "show", "export"):
            check_in(f"chmod 600 {home.ca}/ca.key", home.run(action, status=3), f"what {action} says")
        result = run_client(program(), "run", "-c", home.path("t.ini"))
        check_equal(result.status, 3, "exit code of run")
        check_in(f"chmod 600 {home.ca}/ca.key", result.output, "what run says")
    with Home(directory="/proc/nowhere") as home:
        check_in("cannot make the directory /proc/nowhere", home.run("init", status=3), "what it says")
    with Home(directory="off") as home:
        with open(home.path("t.ini"), "w", encoding="ascii") as f:
            f.write("[listener proxy]\nlisten = 127.0.0.1:0\n[ca]\ndirectory = off\n")
        for action in ("init", "show", "export"):
            check_in("[ca] directory = off", home.run(action, status=1), f"what {action} says")


@story
def wrong_usage_is_exit_code_2():
    for arguments in (
        [], ["nonsense"], ["show", "--renew"], ["init", "--for", "java"], ["export", "more"], ["init", "--nonsense"],
        ["export", "--format", "txt"], ["export", "-o"],
    ):  # fmt: skip
        result = run_client(program(), "ca", *arguments)
        check_equal(result.status, 2, f"exit code of {arguments}")
        check_in("tlsfloor ca", result.output, f"what {arguments} says")
    result = run_client(program(), "ca", "--help")
    check_equal(result.status, 0, "exit code of --help")
    check_in("usage: tlsfloor ca init", result.output, "what it says")


@story
def with_make_off_nothing_runs_without_the_CA_and_none_is_made():
    with Home() as home:
        with open(home.path("t.ini"), "w", encoding="ascii") as f:
            f.write(f"[listener proxy]\nlisten = 127.0.0.1:0\n[ca]\ndirectory = {home.ca}\nmake = off\n")
        for command, status in (("check", 1), ("run", 3)):
            result = run_client(program(), command, "-c", home.path("t.ini"))
            check_equal(result.status, status, f"exit code of {command}")
            check_in("tlsfloor ca init", result.output, f"what {command} says")
        check(not os.path.exists(home.ca), "a CA was made")
        home.run("init")
        check_equal(run_client(program(), "check", "-c", home.path("t.ini")).status, 0, "exit code of check with the CA")
        with open(f"{home.ca}/ca.pem", "w", encoding="ascii") as f:
            f.write("no certificate\n")
        check_equal(run_client(program(), "check", "-c", home.path("t.ini")).status, 1, "exit code of check with a broken CA")
        check_equal(run_client(program(), "run", "-c", home.path("t.ini")).status, 3, "exit code of run with a broken CA")


@story
def the_first_run_makes_it_and_the_next_one_uses_it():
    with Home() as home, TlsOrigin() as origin:
        for _ in range(2):
            with Gateway(origin, settings={"ca.directory": home.ca}):
                made = home.read("ca.pem")
            check_equal(made, home.read("ca.pem"), "the certificate")
        check_equal(mode(f"{home.ca}/ca.key"), 0o600, "mode of the key")
        check_equal(sorted(os.listdir(home.ca)), ["ca.key", "ca.pem"], "the files")


run_stories()
