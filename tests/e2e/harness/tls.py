"""A real TLS peer (OpenSSL, by way of Python) over a plain socket, whose first flight can be laid out anew: the same
handshake bytes over other records and segments."""

import contextlib
import errno
import socket
import ssl
import warnings

from .pki import ca_file, leaf

warnings.filterwarnings("ignore", category=DeprecationWarning)  # old versions are what this is about

VERSIONS = {
    "1.0": ssl.TLSVersion.TLSv1,
    "1.1": ssl.TLSVersion.TLSv1_1,
    "1.2": ssl.TLSVersion.TLSv1_2,
    "1.3": ssl.TLSVersion.TLSv1_3,
}


def _set_versions(context, lowest, highest):
    context.minimum_version = VERSIONS[lowest]
    context.maximum_version = VERSIONS[highest]
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF  # an end without close_notify is to be told apart
    return context


def client_context(lowest="1.0", highest="1.3", ca=None):
    """Trusts who is in the file `ca`: the root of all origins, if it is not given."""
    return _set_versions(ssl.create_default_context(cafile=ca or ca_file()), lowest, highest)


def server_context(lowest="1.0", highest="1.3", certificate=None):
    """`certificate`: a file with a chain, and one with its key."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*(certificate or leaf()))
    return _set_versions(context, lowest, highest)


class TlsPeer:
    """`reshape`, where given, turns the first flight into the pieces that are sent one by one. `session`: one to
    resume. `was_cut`: the other side's end came without its close_notify."""

    def __init__(self, sock, context, server_hostname=None, reshape=None, pause=None, session=None):
        self.sock = sock
        self.reshape = reshape
        self.pause = pause
        self.was_cut = False
        self.incoming = ssl.MemoryBIO()
        self.outgoing = ssl.MemoryBIO()
        self.tls = context.wrap_bio(
            self.incoming,
            self.outgoing,
            server_side=server_hostname is None,
            server_hostname=server_hostname,
            session=session,
        )

    def _flush(self):
        flight = self.outgoing.read()
        if not flight:
            return
        reshape, self.reshape = self.reshape, None
        for n, piece in enumerate(reshape(flight) if reshape else [flight]):
            if n and self.pause:
                self.pause()
            self.sock.sendall(piece)

    def _do(self, step, *arguments):
        while True:
            try:
                result = step(*arguments)
                self._flush()
                return result
            except ssl.SSLWantReadError:
                self._flush()
                data = self.sock.recv(65536)
                if data:
                    self.incoming.write(data)
                else:
                    self.incoming.write_eof()
            except ssl.SSLError:
                with contextlib.suppress(OSError):  # the other side may be gone
                    self._flush()  # an alert of our own
                raise

    def handshake(self):
        self._do(self.tls.do_handshake)
        return self

    def version(self):
        return self.tls.version()

    def certificate(self):
        """The other side's, as PEM."""
        return ssl.DER_cert_to_PEM_cert(self.tls.getpeercert(True))

    def write(self, data):
        self._do(self.tls.write, data)

    def read(self, n=65536):
        """b"" at the end of the data, close_notify or not."""
        try:
            return self._do(self.tls.read, n)
        except ssl.SSLZeroReturnError:
            return b""
        except ssl.SSLError as error:
            if not isinstance(error, ssl.SSLEOFError) and error.reason != "UNEXPECTED_EOF_WHILE_READING":
                raise
            self.was_cut = True
            return b""

    def read_exactly(self, n):
        data = bytearray()
        while len(data) < n:
            part = self.read(min(n - len(data), 65536))
            if not part:
                raise EOFError(f"{len(data)} bytes of {n} came")
            data += part
        return bytes(data)

    def read_all(self):
        data = bytearray()
        while part := self.read():
            data += part
        return bytes(data)

    def _say_goodbye(self):
        try:
            self.tls.unwrap()
        except (ssl.SSLError, ValueError):
            pass  # close_notify is queued; the peer's own is not waited for
        self._flush()

    def end(self):
        """No more to write; what the other side still says can be read."""
        self._say_goodbye()
        self.shut()

    def shut(self):
        """The end of the connection's one half, without a close_notify; if the other side has not gone yet."""
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError as error:
            if error.errno != errno.ENOTCONN:
                raise

    def close(self):
        try:
            self._say_goodbye()
        except OSError:
            pass
        self.sock.close()
