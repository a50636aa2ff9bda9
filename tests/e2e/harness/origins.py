"""Servers on loopback, each with a thread for accepting and one a connection. They note what they were sent."""

import contextlib
import re
import socket
import ssl
import threading
from collections import namedtuple
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .pki import office
from .tls import TlsPeer, server_context

WAIT_S = 20


class Connection:
    """What one connection brought: the bytes received so far, and whether it is over. A TlsPeer takes it for a
    socket, so that what comes to it is noted too."""

    def __init__(self, sock):
        self.sock = sock
        self.received = bytearray()
        self.error = None
        self.over = threading.Event()

    def recv(self, n=65536):
        data = self.sock.recv(n)
        self.received += data
        return data

    def recv_exactly(self, n):
        while len(self.received) < n:
            if not self.recv(n - len(self.received)):
                raise EOFError(f"{len(self.received)} bytes of {n} came")

    def recv_hello(self):
        """Until the first record is whole; stories with hellos over several records know their length."""
        self.recv_exactly(5)
        self.recv_exactly(5 + int.from_bytes(self.received[3:5], "big"))

    def recv_to_end(self):
        while self.recv():
            pass

    def send(self, *parts):
        for part in parts:
            self.sock.sendall(part)

    sendall = send

    def shutdown(self, how):
        self.sock.shutdown(how)

    def close(self):
        self.sock.close()


class Origin:
    """Clients ask for `name` and `asked_port`; the gateway is told where that really is. `serve` handles a
    connection."""

    asked_port = 443

    def __init__(self, name="origin.floor.test", address="127.0.0.1", port=0):
        self.name = name
        self.connections = []
        self.changed = threading.Condition()
        self.listener = socket.create_server(
            (address, port), family=socket.AF_INET6 if ":" in address else socket.AF_INET
        )
        self.address, self.port = self.listener.getsockname()[:2]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.settimeout(WAIT_S)
            connection = Connection(sock)
            with self.changed:
                self.connections.append(connection)
                self.changed.notify_all()
            threading.Thread(target=self._run, args=(connection,), daemon=True).start()

    def _run(self, connection):
        try:
            self.serve(connection)
        except (OSError, EOFError) as error:
            connection.error = error
        finally:
            connection.sock.close()
            connection.over.set()

    def serve(self, connection):
        raise NotImplementedError

    def connection(self, number=0):
        """The n-th connection, waiting for it to come."""
        with self.changed:
            if not self.changed.wait_for(lambda: len(self.connections) > number, WAIT_S):
                raise TimeoutError(f"connection {number} did not come to {self.name}")
            return self.connections[number]

    def finished(self, number=0):
        """The n-th connection once it is over."""
        connection = self.connection(number)
        if not connection.over.wait(WAIT_S):
            raise TimeoutError(f"connection {number} to {self.name} did not end")
        return connection

    def received(self):
        """All that ever came, by all connections, once they are over."""
        return b"".join(self.finished(n).received for n in range(len(self.connections)))

    def close(self):
        with contextlib.suppress(OSError):  # it may be closed already, or never have listened
            self.listener.shutdown(socket.SHUT_RDWR)  # who waits in accept would keep the port
        self.listener.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class RawOrigin(Origin):
    """Does what `script(connection)` does, without it just listens to the end."""

    def __init__(self, script=Connection.recv_to_end, **more):
        self.serve = script
        super().__init__(**more)


# What a server knows of a client: `name` as in SNI, `alpn` what was picked.
Agreed = namedtuple("Agreed", "version cipher name alpn resumed")


class TlsOrigin(Origin):
    """A real TLS server for versions lowest to highest. Once the handshake is over it does what `script(peer)` does;
    without one it answers a request with one of `pages`, by path, or with a page that says what was agreed on.
    `reshape` lays out its first flight anew. `agreed` holds what the finished handshakes agreed on."""

    def __init__(
        self, lowest="1.0", highest="1.3", reshape=None, pages=None, script=None, certificate=None, alpn=(), **more
    ):
        self.setup = (lowest, highest, certificate), alpn
        self.forget_sessions()
        self.reshape = reshape
        self.pages = pages or {}
        self.script = script or self._answer
        self.agreed = []
        super().__init__(**more)

    def forget_sessions(self):
        """As after a restart: what was given out to be resumed is not known any more."""
        arguments, alpn = self.setup
        self.context = server_context(*arguments)
        self.context.sni_callback = self._note_name
        if alpn:
            self.context.set_alpn_protocols(alpn)

    @staticmethod
    def _note_name(tls, name, _):
        tls.asked_name = name

    @property
    def versions(self):
        return [agreed.version for agreed in self.agreed]

    def serve(self, connection):
        peer = TlsPeer(connection, self.context, reshape=self.reshape)
        tls = peer.tls
        try:
            peer.handshake()
            name, alpn = getattr(tls, "asked_name", None), tls.selected_alpn_protocol()
            self.agreed.append(Agreed(tls.version(), tls.cipher()[0], name, alpn, tls.session_reused))
            self.script(peer)
            peer.close()
        except ssl.SSLError as error:
            connection.error = error

    def _answer(self, peer):
        request = b""
        while b"\r\n\r\n" not in request:
            part = peer.read()
            if not part:
                return
            request += part
        path = request.split(b" ", 2)[1].decode()
        page = self.pages.get(path, f"<title>page over {peer.version()}</title>\n".encode())
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(page)}\r\n"
        peer.write(f"{head}Connection: close\r\n\r\n".encode() + page)


class OfficeOrigin(TlsOrigin):
    """Stands in for Microsoft 365: TLS 1.2 and 1.3, HTTP/1.1 and 2, a chain with an intermediate."""

    def __init__(self, lowest="1.2", highest="1.3", name="outlook.office365.com", alpn=("h2", "http/1.1"), **more):
        super().__init__(lowest, highest, name=name, certificate=office(), alpn=alpn, **more)


class BlackHole:
    """An address where nobody ever answers: the queue of its listener is full, so that the kernel drops what comes."""

    def __init__(self, name="origin.floor.test", address="127.0.0.1", port=0, asked_port=443):
        self.name, self.asked_port = name, asked_port
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.listener = socket.create_server((address, port), family=family, backlog=0)
        self.address, self.port = self.listener.getsockname()[:2]
        self.crowd = [socket.socket(family) for _ in range(4)]
        for sock in self.crowd:
            sock.setblocking(False)
            sock.connect_ex((self.address, self.port))

    def close(self):
        for sock in (self.listener, *self.crowd):
            sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class HttpOrigin:
    """A plain HTTP/1.1 server. `seen` holds the requests: method, path, headers, body, connection number."""

    asked_port = 80

    def __init__(self, name="plain.floor.test"):
        self.name = name
        self.seen = []
        seen = self.seen

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, *_):
                pass

            def read_body(self):
                if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                    return self.rfile.read(int(self.headers.get("Content-Length", 0)))
                body = b""
                while size := int(self.rfile.readline().split(b";")[0], 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                while self.rfile.readline().strip():
                    pass
                return body

            def answer(self):
                body = self.read_body()
                seen.append((self.command, self.path, self.headers, body, self.client_address[1]))
                if self.path == "/chunked":
                    self.send_response(200)
                    self.send_header("Transfer-Encoding", "chunked")
                    self.end_headers()
                    for part in (b"first ", b"second ", b"third"):
                        self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
                        self.wfile.flush()
                    self.wfile.write(b"0\r\n\r\n")
                    return
                status = int(match[1]) if (match := re.fullmatch(r"/status/(\d+)", self.path)) else 200
                page = body or b"plain page\n"
                self.send_response(status)
                self.send_header("Content-Length", str(len(page)))
                self.send_header("Connection", "X-Hop")
                self.send_header("X-Hop", "for this hop only")
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(page)

            do_GET = do_HEAD = do_POST = do_PUT = do_OPTIONS = answer

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address, self.port = self.server.server_address[:2]
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
