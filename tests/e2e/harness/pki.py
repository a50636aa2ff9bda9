"""A certificate authority for servers, and their certificates, made with the openssl command, once for each build
directory. Stories run side by side, so a lock guards the making."""

import fcntl
import os
import ssl
import subprocess

NAMES = "DNS:*.floor.test,DNS:localhost,IP:127.0.0.1,IP:::1"
OFFICE_NAMES = "DNS:outlook.office365.com,DNS:*.office365.com,DNS:outlook.office.com"
SERVER = "extendedKeyUsage=serverAuth\nbasicConstraints=CA:false"
KEY = ["-newkey", "rsa:2048", "-nodes", "-days", "3650"]


def workplace(*parts):
    """A path below the build directory, with its folders made."""
    path = os.path.abspath(os.path.join(os.environ.get("BUILD", "build"), *parts))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    return path


def openssl(*arguments):
    """What the command printed."""
    return subprocess.run(["openssl", *arguments], check=True, capture_output=True).stdout.decode()


def make_root(path, name):
    """PATH.pem and PATH.key, signed by itself."""
    openssl("req", "-x509", *KEY, "-subj", f"/CN={name}", "-addext", "keyUsage=critical,keyCertSign", "-keyout",
            f"{path}.key", "-out", f"{path}.pem")  # fmt: skip


def make_signed(path, issuer, name, extensions):
    """PATH.pem and PATH.key, signed by ISSUER.pem; `extensions` as in an openssl.cnf."""
    openssl("req", *KEY, "-subj", f"/CN={name}", "-keyout", f"{path}.key", "-out", f"{path}.csr")
    with open(f"{path}.ext", "w", encoding="ascii") as f:
        f.write(extensions)
    openssl("x509", "-req", "-in", f"{path}.csr", "-CA", f"{issuer}.pem", "-CAkey", f"{issuer}.key", "-CAcreateserial",
            "-days", "3000", "-extfile", f"{path}.ext", "-out", f"{path}.pem")  # fmt: skip


def _make(directory):
    root, between, office = (f"{directory}/{name}" for name in ("ca", "between", "office"))
    make_root(root, "tlsfloor test root")
    make_signed(f"{directory}/leaf", root, "origin.floor.test", f"subjectAltName={NAMES}\n{SERVER}")
    make_signed(between, root, "tlsfloor test intermediate",
                "basicConstraints=critical,CA:true,pathlen:0\nkeyUsage=critical,keyCertSign")  # fmt: skip
    make_signed(office, between, "outlook.office365.com", f"subjectAltName={OFFICE_NAMES}\n{SERVER}")
    with open(f"{directory}/office-chain.new", "w", encoding="ascii") as chain:
        for path in (office, between):
            with open(f"{path}.pem", encoding="ascii") as f:
                chain.write(f.read())
    os.rename(f"{directory}/office-chain.new", f"{directory}/office-chain.pem")  # the last: all is there


def _directory():
    directory = os.path.dirname(workplace("pki", "x"))
    with open(f"{directory}/lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(f"{directory}/office-chain.pem"):
            _make(directory)
    return directory


def ca_file():
    """The root of all servers of stories."""
    return f"{_directory()}/ca.pem"


def leaf():
    """The origin's certificate and its key."""
    directory = _directory()
    return f"{directory}/leaf.pem", f"{directory}/leaf.key"


def first_certificate(pair):
    """What a server that has `pair`, of certificate and key, shows, as DER."""
    end = "-----END CERTIFICATE-----"
    with open(pair[0], encoding="ascii") as f:
        return ssl.PEM_cert_to_DER_cert(f.read().partition(end)[0] + end)


def office():
    """The same of the stand-in for Microsoft 365: with an intermediate, as there."""
    directory = _directory()
    return f"{directory}/office-chain.pem", f"{directory}/office.key"
