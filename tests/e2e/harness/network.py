"""Networks: which there are on this machine, and one of its own for a client."""

import os
import socket
import subprocess
import sys

from .clients import run_client
from .gateway import wait_until

GATEWAY, CLIENT = "10.77.0.1", "10.77.0.2"
INSIDE = "E2E_OWN_NETWORK"


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
    except OSError:
        return False
    return True


def in_own_network():
    """Runs the program that calls it anew in a network namespace of its own, so that what it does to addresses and
    routes is done to nobody else. Answers whether that was possible."""
    if os.environ.get(INSIDE):
        return True
    command = ["unshare", "--user", "--map-root-user", "--net"]
    able = subprocess.run([*command, "ip", "link", "set", "lo", "up"], capture_output=True, check=False)
    if able.returncode != 0:
        return False
    os.environ[INSIDE] = "1"
    shell = 'ip link set lo up && exec "$0" "$@"'
    os.execvp(command[0], [*command, "sh", "-c", shell, sys.executable, *sys.argv])


def _namespace_of(pid):
    return os.readlink(f"/proc/{pid}/ns/net")


class ClientNetwork:
    """Another network, in which commands have the address CLIENT and reach us as GATEWAY."""

    def __enter__(self):
        # Ends with its standard input, so with us, however that comes.
        self.holder = subprocess.Popen(["unshare", "--net", "cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        pid = str(self.holder.pid)
        wait_until(lambda: _namespace_of(pid) != _namespace_of("self"), "the client's network is there")
        for arguments in (
            f"link add to-client type veth peer name to-gateway netns {pid}",
            f"address add {GATEWAY}/24 dev to-client",
            "link set to-client up",
        ):
            self._here(*arguments.split())
        for arguments in (f"address add {CLIENT}/24 dev to-gateway", "link set to-gateway up"):
            subprocess.run(self.inside("ip", *arguments.split()), check=True)
        return self

    def __exit__(self, *_):
        # The kernel takes its time to clear a network away, and the next one has the same names.
        self._here("link", "delete", "to-client")
        self.holder.stdin.close()
        self.holder.wait()

    @staticmethod
    def _here(*arguments):
        subprocess.run(["ip", *arguments], check=True)

    def inside(self, *command):
        return ["nsenter", f"--net=/proc/{self.holder.pid}/ns/net", *command]

    def run(self, *command, **more):
        """As run_client, from there."""
        return run_client(*self.inside(*command), **more)
