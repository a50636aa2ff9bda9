#!/usr/bin/env python3
"""Writes malformed.jsonl: hellos of clienthellos.jsonl cut, broken and made odd, with what must come of each.

Run by hand when a case is added. The expectations are written down here, case by case; no parser is asked.
"""

import json
import os

HERE = os.path.dirname(__file__)
SNI, GROUPS, FORMATS, SIGALGS, ALPN, VERSIONS = 0, 10, 11, 13, 16, 43
LONGEST = 131396

with open(os.path.join(HERE, "clienthellos.jsonl"), encoding="utf-8") as clients:
    BASES = {row["id"]: row for row in map(json.loads, clients)}
rows = []


def add(name, base, data, expect, reason, **fields):
    row = {"id": name, "base": base, "bytes_hex": data.hex(), "expect": expect, "reason": reason}
    rows.append({**row, **fields})


def vector(size, body):
    return len(body).to_bytes(size, "big") + body


def number(*values):
    return b"".join(v.to_bytes(2, "big") for v in values)


def record(body, kind=22, version=0x0301):
    return bytes([kind]) + number(version) + vector(2, body)


def records(message, *sizes):
    """The message in records of these sizes; the last size goes on to the end."""
    out = b""
    sizes = list(sizes)
    while message:
        size = sizes.pop(0) if len(sizes) > 1 else sizes[0]
        out, message = out + record(message[:size]), message[size:]
    return out


class Hello:
    """A base taken apart, so that one part can be another."""

    def __init__(self, base):
        data = bytes.fromhex(BASES[base]["record_hex"])
        self.base, self.body = base, data[9:]
        self.version, self.random, at = self.body[:2], self.body[2:34], 34
        self.session_id, at = self.cut(at, 1)
        self.ciphers, at = self.cut(at, 2)
        self.compression, at = self.cut(at, 1)
        block, _ = self.cut(at, 2)
        self.extensions = []
        while block:
            size = int.from_bytes(block[2:4], "big")
            self.extensions.append((int.from_bytes(block[:2], "big"), block[4 : 4 + size]))
            block = block[4 + size :]

    def cut(self, at, size):
        end = at + size + int.from_bytes(self.body[at : at + size], "big")
        return self.body[at + size : end], end

    def make(self, extensions=None, tail=None, **parts):
        """The body with some parts replaced."""
        part = {**vars(self), **parts}
        block = b"".join(number(t) + vector(2, b) for t, b in (self.extensions if extensions is None else extensions))
        head = part["version"] + self.random + vector(1, part["session_id"]) + vector(2, part["ciphers"])
        return head + vector(1, part["compression"]) + (vector(2, block) if tail is None else tail)

    def with_extension(self, kind, body):
        """In its place if it is there, else at the end."""
        if kind not in dict(self.extensions):
            return self.make(self.extensions + [(kind, body)])
        return self.make([(t, body if t == kind else b) for t, b in self.extensions])


def message(body, kind=1):
    return bytes([kind]) + vector(3, body)


def name_list(*names):
    return vector(2, b"".join(b"\0" + vector(2, n) for n in names))


def of_base(hello):
    """The fields that a change of the records alone leaves as they are."""
    return {key: BASES[hello.base][key] for key in ("sni", "max_version", "ja3", "ja4")}


def add_cuts(hello, tag):
    whole = record(message(hello.body))
    for at in (1, 2, 4, 5, 6, 8, 9, 10, 11, 30, 43, 44, len(whole) // 2, len(whole) - 1):
        add(f"cut-{at}-{tag}", hello.base, whole[:at], "incomplete", f"only the first {at} bytes have come")
    bare = len(hello.make(tail=b""))
    for at in (41, 60, 76, bare - 1, bare + 1, bare + 2, bare + 5, len(hello.body) - 1):
        add(f"short-{at}-{tag}", hello.base, record(message(hello.body[:at])), "malformed", "the body ends inside a field")


def add_records(hello, tag, verdict):
    whole, same = message(hello.body), of_base(hello)
    for sizes in ((1,), (2, 9999), (4, 9999), (5, 9999), (20, 9999), (64, 9999), (100, 7), (len(whole) - 1, 1)):
        data = records(whole, *sizes)
        label = "-".join(map(str, sizes)).replace("-9999", "-rest")
        add(f"records-{label}-{tag}", hello.base, data, verdict, "split over records", hello_len=len(data), **same)
        add(f"records-{label}-cut-{tag}", hello.base, data[:-1], "incomplete", "the last byte has not come")
    first, rest = record(whole[:50]), record(whole[50:])
    for kind, text in ((20, "change_cipher_spec"), (21, "alert"), (23, "application_data")):
        data = first + record(b"\1\0", kind) + rest
        add(f"between-{kind}-{tag}", hello.base, data, "malformed", f"{text} between two parts of the hello")
        add(f"type-{kind}-{tag}", hello.base, record(whole, kind), "malformed", f"the hello in records of {text}")
    add(f"between-empty-{tag}", hello.base, first + record(b"") + rest, "malformed", "an empty record inside the hello")
    add(f"between-text-{tag}", hello.base, first + b"GET / HTTP/1.1\r\n", "malformed", "text inside the hello")
    add(f"record-goes-on-{tag}", hello.base, record(whole + b"\0"), "malformed", "a byte behind the hello in its record")
    add(f"two-hellos-{tag}", hello.base, record(whole + whole), "malformed", "two hellos in one record")
    add(f"then-data-{tag}", hello.base, record(whole) + record(b"x", 23), verdict, "early data behind the hello",
        hello_len=5 + len(whole), **same)
    add(f"record-version-03ff-{tag}", hello.base, record(whole, version=0x03FF), verdict, "record version 3,255", **same)
    add(f"record-version-0401-{tag}", hello.base, record(whole, version=0x0401), "not_tls", "record version 4,1")
    for kind in (0, 19, 25, 64):
        add(f"type-{kind}-{tag}", hello.base, record(whole, kind), "not_tls", "there is no such content type")
    for kind in (0, 2, 11, 255):
        data = record(message(hello.body, kind))
        add(f"message-{kind}-{tag}", hello.base, data, "malformed", "another handshake message first")
    for size in (0, 40, LONGEST + 1, 0xFFFFFF):
        data = record(b"\1" + size.to_bytes(3, "big") + hello.body)
        add(f"message-length-{size}-{tag}", hello.base, data, "malformed", "no ClientHello is so long or so short")
    data = record(b"\1" + (len(hello.body) + 1).to_bytes(3, "big") + hello.body)
    add(f"message-length-plus-1-{tag}", hello.base, data, "incomplete", "another record has to bring one byte more")


def add_bodies(hello, tag, verdict):
    def body(name, data, expect, reason, **fields):
        add(f"{name}-{tag}", hello.base, records(message(data), 16384), expect, reason, **fields)

    body("bare", hello.make(tail=b""), verdict, "no extensions", sni=None, max_version="TLS1.2")
    body("session-33", hello.make(session_id=bytes(33)), "malformed", "session_id of 33 bytes")
    body("ciphers-odd", hello.make(ciphers=hello.ciphers + b"\0"), "malformed", "an odd number of bytes of suites")
    body("ciphers-none", hello.make(ciphers=b""), "malformed", "no suites")
    body("compression-none", hello.make(compression=b""), "malformed", "no compression methods")
    body("behind", hello.body + b"\0\0\0\0", "malformed", "bytes behind the extensions")
    body("twice", hello.make(hello.extensions + hello.extensions[:1]), "malformed", "an extension twice")
    many = hello.extensions + [(0x5000 + i, b"") for i in range(300)]
    body("many", hello.make(many), verdict, "300 extensions more")
    body("many-twice", hello.make(many + [(0x5000, b"")]), "malformed", "the first of 300 extensions again")
    for label, value, expect in (
        ("none", b"", "malformed"),
        ("empty", name_list(), "malformed"),
        ("no-name", name_list(b""), "malformed"),
        ("two", name_list(b"a.example", b"b.example"), "malformed"),
        ("nul", name_list(b"a.example\0b"), "malformed"),
        ("newline", name_list(b"a.example\r\nb"), "malformed"),
        ("utf-8", name_list("ä.example".encode()), "malformed"),
        ("256", name_list(b"a" * 256), "malformed"),
        ("255", name_list(b"a" * 255), verdict),
        ("address", name_list(b"192.0.2.7"), verdict),
        ("dot", name_list(b"A_b.example."), verdict),
    ):
        name = {} if expect == "malformed" else {"sni": value[5:].decode()}
        body(f"name-{label}", hello.with_extension(SNI, value), expect, "server_name: " + label, **name)
    for kind, label, value in (
        (GROUPS, "groups-empty", number(0)),
        (GROUPS, "groups-odd", b"\0\3\0\x1d\0"),
        (FORMATS, "formats-over", b"\2\0"),
        (SIGALGS, "algorithms-odd", b"\0\3\4\3\4"),
        (ALPN, "alpn-empty", number(0)),
        (ALPN, "alpn-no-name", b"\0\1\0"),
        (ALPN, "alpn-over", b"\0\3\3h2"),
        (VERSIONS, "versions-empty", b"\0"),
        (VERSIONS, "versions-odd", b"\3\3\4\3"),
        (VERSIONS, "versions-behind", b"\2\3\4\0"),
    ):
        body(label, hello.with_extension(kind, value), "malformed", "a broken list in an extension")
    for label, offered, highest, expect in (
        ("old-only", (0x0302, 0x0301), "TLS1.1", "block"),
        ("grease-only", (0x0A0A,), "0x0000", "block"),
        ("unknown-only", (0x0999,), "0x0000", "block"),
        ("grease-and-11", (0xFAFA, 0x0302), "TLS1.1", "block"),
        ("ascending", (0x0301, 0x0302, 0x0303, 0x0304), "TLS1.3", "allow"),
        ("draft", (0x7F1C, 0x0303), "TLS1.3-draft28", "allow"),
        ("facebook", (0xFB1A, 0x0303), "TLS1.3-experiment-fb1a", "allow"),
        ("127", (0x2A2A,) * 126 + (0x0303,), "TLS1.2", "allow"),
    ):
        data = hello.with_extension(VERSIONS, vector(1, number(*offered)))
        body(f"versions-{label}", data, expect, "supported_versions: " + label, max_version=highest)
    without = [e for e in hello.extensions if e[0] != VERSIONS]
    for value, highest in ((0x0304, "TLS1.2"), (0x0302, "TLS1.1"), (0x0300, "SSLv3"), (0x0002, "SSLv2"), (0, "0x0000")):
        expect = "allow" if highest == "TLS1.2" else "block"
        data = hello.make(without, version=number(value))
        body(f"version-{value:04x}", data, expect, "client_version alone", max_version=highest)


def add_sslv2(base):
    whole = bytes.fromhex(BASES[base]["record_hex"])

    def v2(name, version=0x0301, ciphers=b"\0\0\x2f", session=b"", challenge=bytes(32), expect="malformed", kind=1):
        fields = bytes([kind]) + number(version, len(ciphers), len(session), len(challenge))
        data = fields + ciphers + session + challenge
        data = (0x8000 | len(data)).to_bytes(2, "big") + data
        add("sslv2-" + name, None, data, expect, "SSLv2 format: " + name)

    for at in (2, 3, 7, 10, 11, len(whole) - 1):
        add(f"sslv2-cut-{at}", base, whole[:at], "incomplete", f"only the first {at} bytes have come")
    v2("tls12", version=0x0303, expect="block")
    v2("ssl2", version=0x0002, expect="block")
    v2("session-16", session=bytes(16), expect="block")
    v2("challenge-16", challenge=bytes(16), expect="block")
    v2("session-5", session=bytes(5))
    v2("challenge-15", challenge=bytes(15))
    v2("challenge-33", challenge=bytes(33))
    v2("no-ciphers", ciphers=b"")
    v2("odd-ciphers", ciphers=b"\0\0\x2f\0")
    v2("version-5", version=0x0500, expect="not_tls")
    v2("message-4", kind=4, expect="not_tls")
    add("sslv2-longer", base, b"\x80" + bytes([whole[1] + 1]) + whole[2:], "malformed", "the fields do not fill the record")
    add("sslv2-empty", base, b"\x80\0" + whole[2:], "malformed", "a record of length 0")


def add_others():
    for name, data in (
        ("http", b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"),
        ("smtp", b"EHLO scanner\r\n"),
        ("ssh", b"SSH-2.0-client\r\n"),
        ("zeros", bytes(32)),
        ("ones", b"\xff" * 32),
        ("text-from-22", b"\x16 is a control character"),
        ("dtls", b"\x16\xfe\xff" + bytes(30)),
    ):
        add("other-" + name, None, data, "not_tls", "no TLS: " + name)
    add("nothing", None, b"", "incomplete", "no byte has come")
    add("alert-first", None, record(b"\2\x46", 21), "malformed", "an alert first")
    add("heartbeat-first", None, record(b"\1\x40\0", 24), "malformed", "a heartbeat request first")
    add("record-empty", None, record(b""), "malformed", "a record of length 0")
    add("record-16385", None, b"\x16\3\1\x40\1\1", "malformed", "a record of 16385 bytes")
    add("record-16384", None, b"\x16\3\1\x40\0\1", "incomplete", "a record of 16384 bytes")


def main():
    new, old = Hello("loc-go"), Hello("loc-go-tls10")
    add_cuts(new, "tls13")
    add_records(new, "tls13", "allow")
    add_bodies(new, "tls13", "allow")
    add_records(old, "tls10", "block")
    add_sslv2("loc-java17-v2hello")
    add_others()
    with open(os.path.join(HERE, "malformed.jsonl"), "w", encoding="utf-8") as out:
        out.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    print(len(rows), "rows")


main()
