"""Networks around a gateway: its own, one with clients and one with servers, and the firewall between them.

All of it is inside the network namespace that in_own_network gave the program, and ends with the program."""

import contextlib
import ctypes
import functools
import os
import re
import subprocess

from .clients import run_client
from .gateway import clean_environment, program, wait_until
from .network import has_ipv6

CLONE_NEWNET = 0x40000000
NFT = "/usr/sbin/nft"  # which only root has in the PATH
CLIENT_SIDE = ("10.77.0.1/24", "fd77::1/64")  # the gateway's addresses there
CLIENT = ("10.77.0.2/24", "fd77::2/64")
SERVER_SIDE = ("10.78.0.1/24", "fd78::1/64")
SERVER = ("10.78.0.2/24", "fd78::2/64")

_libc = ctypes.CDLL(None, use_errno=True)


def ip(*arguments):
    subprocess.run(["ip", *arguments], check=True)


def nft(rules):
    subprocess.run([NFT, "-f", "-"], input=rules.encode(), check=True)


@functools.cache
def has_firewall():
    """Whether the kernel has what a transparent listener needs of nftables."""
    chains = (
        "chain a { type nat hook prerouting priority 0; fib daddr type local return; tcp dport 1 redirect to :2; }",
        "chain b { type filter hook prerouting priority 0; tcp dport 1 tproxy to :2; }",
    )
    rules = f"table inet probe {{ {'; '.join(chains)}; }}"
    return subprocess.run([NFT, "--check", "-f", "-"], input=rules.encode(), capture_output=True).returncode == 0


def _is_v6(address):
    return ":" in address


def _usable(addresses):
    return [a for a in addresses if not _is_v6(a) or has_ipv6()]


def _enter(namespace):
    if _libc.setns(namespace.fileno(), CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def enter_new_network():
    """This thread, and what it starts, are in a network of their own from now on. Only root may."""
    if _libc.unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    ip("link", "set", "lo", "up")


class Place:
    """A network with one wire to ours. `here` and `there` are the addresses at its ends."""

    def __init__(self, name, here, there):
        self.name, self.here, self.there = name, _usable(here), _usable(there)

    def __enter__(self):
        # Ends with its standard input, so with us, however that comes.
        self.holder = subprocess.Popen(["unshare", "--net", "cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        self.path = f"/proc/{self.holder.pid}/ns/net"
        wait_until(lambda: os.readlink(self.path) != os.readlink("/proc/self/ns/net"), f"the network of {self.name}")
        ip("link", "add", self.name, "type", "veth", "peer", "name", "wire", "netns", str(self.holder.pid))
        self._set_up(ip, self.name, self.here)
        self.ip("link", "set", "lo", "up")
        self._set_up(self.ip, "wire", self.there)
        return self

    def __exit__(self, *_):
        # The kernel takes its time to clear a network away, and the next one has the same names.
        ip("link", "delete", self.name)
        self.holder.stdin.close()
        self.holder.wait()

    @staticmethod
    def _set_up(run, device, addresses):
        for address in addresses:
            run("address", "add", address, "dev", device, *(["nodad"] if _is_v6(address) else []))
        run("link", "set", device, "up")

    def ip(self, *arguments):
        subprocess.run(["nsenter", f"--net={self.path}", "ip", *arguments], check=True)

    @contextlib.contextmanager
    def inside(self):
        """What this thread opens meanwhile is there, and stays there."""
        with open("/proc/thread-self/ns/net", "rb") as before, open(self.path, "rb") as there:
            _enter(there)
            try:
                yield
            finally:
                _enter(before)


class Networks:
    """`clients` and `servers` are places; who goes from one to the other comes through ours. Servers have the
    addresses `served` besides their own."""

    def __init__(self, *served):
        self.served = _usable(served)
        self.clients = Place("clients", CLIENT_SIDE, CLIENT)
        self.servers = Place("servers", SERVER_SIDE, SERVER)
        self.stack = contextlib.ExitStack()

    def __enter__(self):
        with self.stack as stack:  # takes down what stands already, should the rest fail
            stack.callback(nft, "flush ruleset")
            stack.enter_context(self.clients)
            stack.enter_context(self.servers)
            for address in self.clients.here:
                self.clients.ip("route", "add", "default", "via", address.split("/")[0])
            for address in self.served:
                whole = f"{address}/{128 if _is_v6(address) else 32}"
                Place._set_up(self.servers.ip, "wire", [whole])
                ip("route", "add", whole, "dev", self.servers.name)
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self.stack.close()


def advised_lines(gateway):
    """The lines that `check` prints for the firewall of a gateway with a transparent listener: the ruleset, and the
    commands for routes."""
    done = run_client(program(), "check", "-c", gateway.file, environment=clean_environment())
    blocks = [[]]
    for line in done.output.splitlines():
        if line.startswith("    "):
            blocks[-1].append(line[4:])
        elif blocks[-1]:
            blocks.append([])
    blocks = ["\n".join(block) for block in blocks if block]
    return blocks[0], (blocks[1] if len(blocks) > 1 else "")


@contextlib.contextmanager
def advised_firewall(gateway):
    """Does what `check` advises, and undoes it."""
    rules, routes = advised_lines(gateway)
    commands = routes.splitlines()
    nft(rules)
    for command in commands:
        subprocess.run(command.split(), check=True)
    try:
        yield
    finally:
        nft("delete table inet tlsfloor")
        for command in reversed(commands):
            subprocess.run(re.sub(" add ", " delete ", command, count=1).split(), check=True)
