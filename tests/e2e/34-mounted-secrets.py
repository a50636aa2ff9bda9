"""Secrets as Kubernetes mounts them: root's, for a group to read (mode 0440), behind symbolic links, in a place that
cannot be written to; and a gateway whose user is neither root nor their owner, but in that group."""

import contextlib
import os
import secrets
import shutil
import tempfile

from harness import (
    SNI,
    Gateway,
    OfficeOrigin,
    ca_file,
    check,
    check_equal,
    check_in,
    openssl_client,
    program,
    run_client,
    run_stories,
    skip_unless,
    story,
)

OFFICE = "outlook.office365.com"
USER, GROUP = 65532, 2000
DATA = "..data_1"

# The gateway's user may not be let into the build directory: the program is copied to where it is.
INI = """[listener proxy]
listen = 127.0.0.1:0
users = {secret}/users
[listener straight]
listen = 127.0.0.1:0
kind = sni
[rule office]
destination = {office}
action = upgrade
[access]
destination = loopback
[upstream]
ca_file = {roots}
resolve = {office}:443:127.0.0.1:{port}
[dns]
servers = 127.0.0.1:1
[ca]
directory = {secret}
[inventory]
file = memory
[gateway]
ticket_keys_file = {secret}/keys
[admin]
listen = off
"""


def put(path, text, mode):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path, mode)


class Pod:
    """A directory with the program, its configuration, and a Secret."""

    def __init__(self, origin):
        self.home = tempfile.mkdtemp(prefix="tlsfloor-test-")
        os.chmod(self.home, 0o755)
        self.secret, self.ini, self.tool = (f"{self.home}/{name}" for name in ("secret", "gateway.ini", "tlsfloor"))
        shutil.copy(program(), f"{self.home}/program")
        shutil.copy(ca_file(), f"{self.home}/roots.pem")
        os.chmod(f"{self.home}/roots.pem", 0o644)
        identity = f"setpriv --reuid {USER} --regid {USER} --groups {GROUP}"
        put(self.tool, f'#!/bin/sh\nexec {identity} {self.home}/program "$@"\n', 0o755)
        text = INI.format(secret=self.secret, office=OFFICE, port=origin.port, roots=f"{self.home}/roots.pem")
        put(self.ini, text, 0o644)

    def mount(self, mode=0o440):
        """Makes the CA and the other secrets, as who sets the cluster up does, and puts them where a pod has them."""
        data = f"{self.secret}/{DATA}"
        os.makedirs(data)
        done = run_client(program(), "ca", "init", "-c", self.ini, environment={"TLSFLOOR_CA_DIRECTORY": data})
        check_equal(done.status, 0, f"exit status of ca init, which says {done.output}")
        put(f"{data}/keys", secrets.token_hex(80), 0o600)
        line = run_client(program(), "hash-password", "--user", "anna", stdin="password\n").output
        put(f"{data}/users", line.splitlines()[-1] + "\n", 0o600)
        for name in os.listdir(data):
            os.chown(f"{data}/{name}", 0, GROUP)
            os.chmod(f"{data}/{name}", mode)
            os.symlink(f"..data/{name}", f"{self.secret}/{name}")
        os.symlink(DATA, f"{self.secret}/..data")

    def say(self, *command):
        """What the program says as the gateway's user, and its exit status."""
        return run_client(self.tool, *command, "-c", self.ini)


class PodGateway(Gateway):
    """Runs as the gateway's user."""

    def __init__(self, p):
        super().__init__(file=p.ini, environment={"TLSFLOOR_CA_DIRECTORY": p.secret})
        self.tool = p.tool

    def command(self):
        return [self.tool, "run", "-c", self.file]


@contextlib.contextmanager
def pod():
    skip_unless(os.geteuid() == 0, "right to give files to others and to become another user")
    with OfficeOrigin() as origin:
        p = Pod(origin)
        try:
            yield p
        finally:
            shutil.rmtree(p.home)


@story
def what_is_mounted_for_the_group_of_the_gateway_is_taken():
    with pod() as p:
        p.mount()
        found = p.say("check")
        check_equal(found.status, 0, f"exit status of check, which says {found.output}")
        for command, says in (("show", "/secret/ca.key"), ("init", "There is a CA already")):
            done = p.say("ca", command)
            check_equal(done.status, 0, f"exit status of ca {command}")
            check_in(says, done.output, f"what ca {command} says")
        with PodGateway(p) as gateway:
            page = openssl_client(gateway, SNI, OFFICE, "1.0", ca=f"{p.secret}/ca.pem")
            check_in("page over TLSv1.3", page.output, "the page")
            gateway.record({"event.action": "tls-upgraded"})


@story
def what_everybody_may_read_is_refused_in_words_that_help():
    with pod() as p:
        p.mount(0o444)
        found = p.say("check")
        check_equal(found.status, 1, "exit status of check")
        for file in ("ca.key", "users", "keys"):
            says = f"(Kubernetes: fsGroup), and chmod 440 {p.secret}/{file}"
            check(says in found.output, f"check does not say '{says}': {found.output}")


@story
def where_a_CA_is_missing_and_cannot_be_made_it_says_how_to_bring_one():
    with pod() as p:
        os.makedirs(p.secret)
        put(f"{p.secret}/keys", secrets.token_hex(80), 0o440)
        os.chown(f"{p.secret}/keys", 0, GROUP)
        put(p.ini, open(p.ini, encoding="utf-8").read().replace(f"users = {p.secret}/users\n", ""), 0o644)
        hint = "make the CA elsewhere (tlsfloor ca init) and mount its ca.pem and ca.key"
        for command, status in ((["check"], 1), (["ca", "init"], 3), (["run"], 3)):
            done = p.say(*command)
            check_equal(done.status, status, f"exit status of {command}, which says {done.output}")
            check_in(hint, done.output, f"what {command} says")


run_stories()
