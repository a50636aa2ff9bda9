"""Hellos, records and alerts as bytes: what a real peer would send, and what none would."""

import struct

SSL3, TLS10, TLS11, TLS12, TLS13 = 0x0300, 0x0301, 0x0302, 0x0303, 0x0304
CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE = 20, 21, 22
RANDOM = bytes(range(32))
RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")  # RFC 8446 4.1.3
SUITES = (0x1301, 0xC02F, 0xC013, 0x009C, 0x002F, 0x0035, 0x000A)


def _vector(size, body):
    return len(body).to_bytes(size, "big") + body


def _u16s(values):
    return b"".join(struct.pack(">H", v) for v in values)


def _extension(kind, body):
    return struct.pack(">H", kind) + _vector(2, body)


def _client_extensions(version, name, supported, padding):
    extensions = b""
    if name:
        extensions += _extension(0, _vector(2, b"\0" + _vector(2, name.encode("ascii"))))
    extensions += _extension(10, _vector(2, _u16s([29, 23])))
    extensions += _extension(11, _vector(1, b"\0"))
    if version >= TLS12:
        extensions += _extension(13, _vector(2, _u16s([0x0403, 0x0804, 0x0401])))
    if supported is not None:
        extensions += _extension(43, _vector(1, _u16s(supported)))
        extensions += _extension(51, _vector(2, struct.pack(">H", 29) + _vector(2, RANDOM)))
    if padding:
        extensions += _extension(21, bytes(padding))
    return extensions


def client_hello(
    version=TLS12, name="origin.floor.test", supported=None, suites=SUITES, padding=0, compression=b"\0"
):
    """The handshake message. `supported`: what supported_versions lists; `padding`: bytes of a padding extension."""
    body = struct.pack(">H", version) + RANDOM + _vector(1, RANDOM) + _vector(2, _u16s(suites)) + _vector(1, compression)
    if version > SSL3:
        body += _vector(2, _client_extensions(version, name, supported, padding))
    return b"\1" + _vector(3, body)


def longest_client_hello(name="origin.floor.test"):
    """Every vector of it as long as its length field allows."""
    padding = 65535 - 4 - len(_client_extensions(TLS12, name, [TLS13], 0))
    return client_hello(TLS12, name, [TLS13], [0x1301] * 32767, padding, compression=bytes(255))


def server_hello(version, supported=None, suite=0xC02F, random=RANDOM):
    """The handshake message of a ServerHello."""
    extensions = _extension(0xFF01, b"\0")
    if supported is not None:
        extensions += _extension(43, struct.pack(">H", supported))
    body = struct.pack(">H", version) + random + _vector(1, RANDOM) + struct.pack(">HB", suite, 0)
    return b"\2" + _vector(3, body + _vector(2, extensions))


def hello_retry(supported=TLS13):
    """The handshake message of a HelloRetryRequest."""
    return server_hello(TLS12, supported, 0x1301, RETRY)


def sslv2_hello(version, suites=(0x00002F, 0x010080)):
    """An SSLv2-format CLIENT-HELLO that announces `version` (RFC 5246 E.2)."""
    specs = b"".join(s.to_bytes(3, "big") for s in suites)
    challenge = bytes(16)
    body = b"\1" + struct.pack(">HHHH", version, len(specs), 0, len(challenge)) + specs + challenge
    return struct.pack(">H", 0x8000 | len(body)) + body


def one_record(payload, version=TLS10, kind=HANDSHAKE):
    return struct.pack(">BH", kind, version) + _vector(2, payload)


def records(message, sizes=(), version=TLS10):
    """The message over records: as many bytes as `sizes` says in each of the first ones, the rest in the last."""
    out = []
    for size in sizes:
        out.append(one_record(message[:size], version))
        message = message[size:]
    if message:
        out.append(one_record(message, version))
    return out


def records_of_one_byte(message, version=TLS10):
    return records(message, [1] * len(message), version)


def resplit(flight, sizes=(), size=None):
    """The handshake records at the start of a flight with their payload laid over records anew; the rest as it is.
    `size`: the same size for every record."""
    message = b""
    version = struct.unpack(">H", flight[1:3])[0]
    while flight[:1] == bytes([HANDSHAKE]):
        length = struct.unpack(">H", flight[3:5])[0]
        message += flight[5 : 5 + length]
        flight = flight[5 + length :]
    if size:
        sizes = [size] * (len(message) // size)
    return records(message, sizes, version) + ([flight] if flight else [])


def pieces(data, size=1):
    return [data[i : i + size] for i in range(0, len(data), size)]


def change_cipher_spec():
    return one_record(b"\1", TLS12, CHANGE_CIPHER_SPEC)


def alert(description, version=TLS10, level=2):
    return one_record(bytes([level, description]), version, ALERT)
