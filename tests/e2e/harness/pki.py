"""A certificate authority and a leaf for the names that stories use, made with the openssl command, once for each
build directory. Stories run side by side, so a lock guards the making."""

import fcntl
import os
import subprocess

NAMES = "DNS:*.floor.test,DNS:localhost,IP:127.0.0.1,IP:::1"


def workplace(*parts):
    """A path below the build directory, with its folders made."""
    path = os.path.abspath(os.path.join(os.environ.get("BUILD", "build"), *parts))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    return path


def _openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


def _make(directory):
    key = ["-newkey", "rsa:2048", "-nodes", "-days", "3650"]
    _openssl(
        "req", "-x509", *key, "-subj", "/CN=tlsfloor test root", "-keyout", f"{directory}/ca.key",
        "-addext", "keyUsage=critical,keyCertSign", "-out", f"{directory}/ca.new",
    )  # fmt: skip
    _openssl("req", *key, "-subj", "/CN=origin.floor.test", "-keyout", f"{directory}/leaf.key", "-out",
             f"{directory}/leaf.csr")  # fmt: skip
    with open(f"{directory}/leaf.ext", "w", encoding="ascii") as f:
        f.write(f"subjectAltName={NAMES}\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:false\n")
    _openssl(
        "x509", "-req", "-in", f"{directory}/leaf.csr", "-CA", f"{directory}/ca.new", "-CAkey",
        f"{directory}/ca.key", "-CAcreateserial", "-days", "3000", "-extfile", f"{directory}/leaf.ext",
        "-out", f"{directory}/leaf.pem",
    )  # fmt: skip
    os.rename(f"{directory}/ca.new", f"{directory}/ca.pem")


def _directory():
    directory = os.path.dirname(workplace("pki", "x"))
    with open(f"{directory}/lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(f"{directory}/ca.pem"):
            _make(directory)
    return directory


def ca_file():
    return f"{_directory()}/ca.pem"


def leaf():
    """The origin's certificate and its key."""
    directory = _directory()
    return f"{directory}/leaf.pem", f"{directory}/leaf.key"
