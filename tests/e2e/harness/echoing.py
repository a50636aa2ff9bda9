"""Sessions with a server that echoes, for stories of what is done to the gateway while they live."""

from .clients import CONNECT, RawClient, reach
from .story import check_equal
from .wire import TLS12, client_hello, one_record, server_hello

HELLO = one_record(client_hello(TLS12))
FLIGHT = one_record(server_hello(TLS12), TLS12)


def echo(connection):
    """What a RawOrigin does: it takes HELLO, and then says what it hears."""
    connection.recv_exactly(len(HELLO))
    connection.send(FLIGHT)
    while data := connection.recv():
        connection.send(data)


def begin_session(gateway):
    """A client whose session is set up."""
    client = reach(gateway, CONNECT)
    client.send(HELLO)
    check_equal(client.receive(len(FLIGHT)), FLIGHT, "the server's flight")
    return client


def is_alive(client, word=b"still here"):
    client.send(word)
    check_equal(client.receive(len(word)), word, "the echo")


def is_refused_by(port):
    """Whether nobody listens there any more."""
    try:
        RawClient(port).close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:
        return False  # it came in the moment in which the listener was closed
    return False
