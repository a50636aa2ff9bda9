"""An HTTPS server that keeps its connections, for plain requests that are upgraded."""

from .origins import TlsOrigin


def page(body=b"page", *fields, status="200 OK"):
    """A response that leaves the connection open."""
    lines = [f"HTTP/1.1 {status}", *fields, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


class HttpsOrigin(TlsOrigin):
    """Answers each request with what `answer(head)` gives, which is bytes, or None: then the connection ends. `heads`
    holds what was asked, as text, with the number of the connection: [(0, "GET / ...")]."""

    def __init__(self, answer=lambda head: page(), name="origin.floor.test", **more):
        self.heads = []
        self.answer = answer
        super().__init__(script=self._converse, name=name, **more)

    def _converse(self, peer):
        number = self.connections.index(peer.sock)
        while head := self.read_head(peer):
            self.heads.append((number, head))
            response = self.answer(head)
            if response is None:
                return
            peer.write(response)

    @staticmethod
    def read_head(peer):
        """One request without a body; nothing at the end."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            part = peer.read(1)
            if not part:
                return ""
            head += part
        return head.decode()
