"""A DNS server on loopback that says what a story wants said, and notes what it was asked."""

import ipaddress
import socket
import struct
import threading

KINDS = {1: "A", 28: "AAAA"}
ANSWER, NO_SUCH_NAME, SERVER_FAILURE = 0x8580, 3, 2


def _question(message):
    """The name, the kind, and where the question ends."""
    labels, at = [], 12
    while size := message[at]:
        labels.append(message[at + 1 : at + 1 + size].decode("ascii").lower())
        at += 1 + size
    return ".".join(labels), KINDS.get(struct.unpack(">H", message[at + 1 : at + 3])[0]), at + 5


def _record(address, ttl):
    data = ipaddress.ip_address(address).packed
    kind = 28 if len(data) == 16 else 1
    return struct.pack(">HHHIH", 0xC00C, kind, 1, ttl, len(data)) + data


class NameServer:
    """`zone` is {name: [address, ...]}, of both families, and may be changed at any time. A name that it lacks does
    not exist; a name with None is one that the server fails over. Questions of the kinds in `silent` are never
    answered. `asked` holds what was asked, as (name, "A" or "AAAA"). `where` is its own address and port."""

    def __init__(self, zone, ttl=60, silent=(), where=("127.0.0.1", 0)):
        self.zone = zone
        self.ttl = ttl
        self.silent = silent
        self.asked = []
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(where)
        self.address = "{}:{}".format(*self.sock.getsockname())
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                message, client = self.sock.recvfrom(1024)
                answer = self._answer(message)
                if answer:
                    self.sock.sendto(answer, client)
            except OSError:
                return

    def _answer(self, message):
        name, kind, end = _question(message)
        self.asked.append((name, kind))
        if kind in self.silent:
            return None
        code, found = NO_SUCH_NAME, []
        if name in self.zone:
            code = SERVER_FAILURE if self.zone[name] is None else 0
            found = [a for a in self.zone[name] or [] if (":" in a) == (kind == "AAAA")]
        head = message[:2] + struct.pack(">HHHHH", ANSWER | code, 1, len(found), 0, 0)
        return head + message[12:end] + b"".join(_record(address, self.ttl) for address in found)

    def questions(self, name):
        return self.asked.count((name, "A"))

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
