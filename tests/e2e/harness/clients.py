"""Clients: raw ones that send the bytes they are given, and real ones, each told the same way: which gateway, by
which way (CONNECT, or TLS straight in), which name, which version of TLS."""

import os
import re
import select
import socket
import subprocess
import threading
from collections import namedtuple

from .gateway import clean_environment
from .pki import ca_file

CONNECT, SNI = "connect", "sni"
WAYS = (CONNECT, SNI)
WAIT_S = 20
HERE = os.path.dirname(os.path.abspath(__file__))

Result = namedtuple("Result", "output status")


class RawClient:
    def __init__(self, port, host="127.0.0.1", source=None):
        self.sock = socket.create_connection((host, port), WAIT_S, source_address=(source, 0) if source else None)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, *parts):
        for part in parts:
            self.sock.sendall(part)

    def receive(self, n):
        """Exactly n bytes."""
        data = b""
        while len(data) < n:
            part = self.sock.recv(n - len(data))
            if not part:
                raise EOFError(f"the end after {data!r}, {n} bytes were awaited")
            data += part
        return data

    def receive_until(self, mark):
        data = b""
        while not data.endswith(mark):
            data += self.receive(1)
        return data

    def receive_all(self):
        """To the end, which must be a FIN: a reset is an error."""
        data = b""
        while part := self.sock.recv(65536):
            data += part
        return data

    def end(self):
        """No more to send."""
        self.sock.shutdown(socket.SHUT_WR)

    def connect(self, name, port=443):
        """Asks the proxy for a tunnel."""
        self.send(f"CONNECT {name}:{port} HTTP/1.1\r\nHost: {name}:{port}\r\n\r\n".encode())
        head = self.receive_until(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200 "):
            raise AssertionError(f"CONNECT was answered with {head!r}")
        return self

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def reach(gateway, way, name="origin.floor.test"):
    """A raw client whose next byte is the first of its hello."""
    if way == SNI:
        return RawClient(gateway.straight)
    return RawClient(gateway.proxy).connect(name)


class ConnectBridge:
    """A local port behind which each connection goes through the proxy with CONNECT, for clients that know no proxy."""

    def __init__(self, gateway, name, port=443):
        self.target = (gateway.proxy, name, port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(sock,), daemon=True).start()

    def _carry(self, inside):
        port, name, dest_port = self.target
        with inside, RawClient(port).connect(name, dest_port) as outside:
            peer = {inside: outside.sock, outside.sock: inside}
            open_sides = set(peer)
            while open_sides:
                for side in select.select(open_sides, [], [])[0]:
                    data = side.recv(65536)
                    if data:
                        peer[side].sendall(data)
                    else:
                        open_sides.remove(side)
                        peer[side].shutdown(socket.SHUT_WR)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()


def run_client(*command, stdin="", timeout=120, environment=None):
    """Both outputs of a command in one text, and its exit status."""
    done = subprocess.run(
        command,
        input=stdin.encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=timeout,
        env={**clean_environment(), **(environment or {})},
        check=False,
    )
    return Result(done.stdout.decode(errors="replace"), done.returncode)


def request(name):
    return f"GET / HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n"


def curl(gateway, way, name, version, *options, ca=None):
    """This client, and each below, trusts who is in the file `ca`: the root of all origins, if it is not given."""
    where = ["-x", f"http://127.0.0.1:{gateway.proxy}"]
    if way == SNI:
        where = ["--connect-to", f"{name}:443:127.0.0.1:{gateway.straight}"]
    versions = [f"--tlsv{version}", "--tls-max", version, "--ciphers", "DEFAULT@SECLEVEL=0"]
    return run_client("curl", "-sS", "--cacert", ca or ca_file(), *where, *versions, *options, f"https://{name}/")


def openssl_client(gateway, way, name, version, *options, ca=None, sni=None):
    """`sni`: the name in the hello, if it is not `name`; "" is none."""
    flag = {"1.0": "-tls1", "1.1": "-tls1_1", "1.2": "-tls1_2", "1.3": "-tls1_3"}[version]
    where = ["-proxy", f"127.0.0.1:{gateway.proxy}", "-connect", f"{name}:443"]
    if way == SNI:
        where = ["-connect", f"127.0.0.1:{gateway.straight}"]
    named = ["-noservername"] if sni == "" else ["-servername", sni or name]
    return run_client(
        "openssl", "s_client", *where, *named, flag, "-cipher", "DEFAULT:@SECLEVEL=0", "-CAfile", ca or ca_file(),
        "-verify_return_error", "-verify_hostname", name, "-showcerts", "-ign_eof", *options, stdin=request(name),
    )  # fmt: skip


def gnutls_cli(gateway, way, name, version, *options, ca=None, priorities=()):
    """`priorities`: more of them, behind those for the version."""

    def ask(port):
        priority = ":".join(["NORMAL", "-VERS-ALL", f"+VERS-TLS{version}", *priorities])
        return run_client(
            "gnutls-cli", "--port", str(port), "--sni-hostname", name, "--verify-hostname", name, "--x509cafile",
            ca or ca_file(), "--priority", priority, "--print-cert", *options, "127.0.0.1", stdin=request(name),
        )  # fmt: skip

    if way == SNI:
        return ask(gateway.straight)
    with ConnectBridge(gateway, name) as bridge:
        return ask(bridge.port)


def program_client(*command):
    """The clients beside this folder take: way, the gateway's port, name, version, file of the CA. They print the
    server's certificate and then the page."""

    def ask(gateway, way, name, version, ca=None):
        port = gateway.proxy if way == CONNECT else gateway.straight
        return run_client(*command, way, str(port), name, version, ca or ca_file())

    return ask


def program_file(name):
    return os.path.join(os.path.dirname(HERE), "clients", name)


node_client = program_client("node", program_file("client.js"))
python_client = program_client("/usr/bin/python3", program_file("client.py"))
java_client = program_client(
    "java", f"-Djava.security.properties={program_file('java.security')}", "-XX:TieredStopAtLevel=1",
    program_file("Client.java"),
)  # fmt: skip


def certificate_in(output):
    """Issuer and names of the first certificate in what a client printed, as openssl words them."""
    pem = re.search(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", output, re.S)
    if not pem:
        raise AssertionError(f"there is no certificate in {output}")
    return run_client("openssl", "x509", "-noout", "-nameopt", "RFC2253", "-issuer", "-ext", "subjectAltName", stdin=pem[0]).output
