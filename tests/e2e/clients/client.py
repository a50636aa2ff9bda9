"""client.py WAY PORT NAME VERSION CA_FILE: asks for a page with one version of TLS, prints the server's certificate
and the page, or the error."""

import http.client
import ssl
import sys
import warnings

warnings.filterwarnings("ignore", category=DeprecationWarning)
way, port, name, version, ca_file = sys.argv[1:]

context = ssl.create_default_context(cafile=ca_file)
context.minimum_version = context.maximum_version = {
    "1.0": ssl.TLSVersion.TLSv1,
    "1.1": ssl.TLSVersion.TLSv1_1,
    "1.2": ssl.TLSVersion.TLSv1_2,
    "1.3": ssl.TLSVersion.TLSv1_3,
}[version]
context.set_ciphers("DEFAULT@SECLEVEL=0")


class StraightConnection(http.client.HTTPSConnection):
    """Knows the gateway's address, but asks for the server's name."""

    def connect(self):
        http.client.HTTPConnection.connect(self)
        self.sock = context.wrap_socket(self.sock, server_hostname=name)


try:
    if way == "connect":
        connection = http.client.HTTPSConnection("127.0.0.1", int(port), context=context)
        connection.set_tunnel(name, 443)
    else:
        connection = StraightConnection("127.0.0.1", int(port), context=context)
    connection.request("GET", "/")
    print(ssl.DER_cert_to_PEM_cert(connection.sock.getpeercert(True)))
    print(connection.getresponse().read().decode())
except OSError as error:
    print(f"error: {error}")
    sys.exit(1)
