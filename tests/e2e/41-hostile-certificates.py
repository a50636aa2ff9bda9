"""Servers with certificates that are wrong, weak or made to hurt: none gets a client, and each is told by its cause."""

import atexit
import os
import shutil
import ssl

from harness import (
    CONNECT,
    Gateway,
    RawClient,
    TlsOrigin,
    TlsPeer,
    ca_file,
    check,
    check_equal,
    check_in,
    client_context,
    openssl,
    reach,
    run_stories,
    story,
    workplace,
)

NAME = "hostile.floor.test"
RIGHT_NAME = f"subjectAltName=DNS:{NAME}"
SERVER = "extendedKeyUsage=serverAuth\nbasicConstraints=critical,CA:false"
CA = "basicConstraints=critical,CA:true"
PAST, FUTURE = ("20200101000000Z", "20200201000000Z"), ("20990101000000Z", "20990201000000Z")
SETTINGS = {
    "admin.listen": "127.0.0.1:0",
    "rule all.destination": "*.floor.test",
    "rule all.action": "upgrade",
}
CPU_MAX_S = 5  # for a chain that is made to hurt, under a sanitizer too

HERE = workplace("run", f"hostile-{os.getpid()}", "x")[:-1]
ROOT = os.path.splitext(ca_file())[0]
atexit.register(shutil.rmtree, HERE, ignore_errors=True)


def key(name, kind="P-256"):
    path = f"{HERE}{name}.key"
    if not os.path.exists(path):
        how = ("EC", "-pkeyopt", f"ec_paramgen_curve:{kind}") if kind.startswith("P-") else ("RSA", "-pkeyopt", kind)
        openssl("genpkey", "-algorithm", *how, "-out", path)
    return path


def sign(name, extensions, issuer=ROOT, cn=NAME, dates=None, digest="sha256", own_key=None):
    """A certificate for a key of its own, signed by ISSUER.pem and .key (by itself, if that is None): the path without
    its ending."""
    path = f"{HERE}{name}"
    own_key = own_key or key(name)
    with open(f"{HERE}index", "w", encoding="ascii"), open(f"{path}.cnf", "w", encoding="ascii") as f:
        f.write(f"[ca]\ndefault_ca=all\n[all]\ndatabase={HERE}index\nnew_certs_dir={HERE}\nrand_serial=yes\n"
                f"unique_subject=no\npolicy=any\n[any]\ncommonName=optional\n[it]\n{extensions}\n")  # fmt: skip
    openssl("req", "-new", "-key", own_key, "-subj", f"/CN={cn}", "-out", f"{path}.csr")
    signer = ["-selfsign", "-keyfile", own_key] if issuer is None else ["-cert", f"{issuer}.pem", "-keyfile",
                                                                       f"{issuer}.key"]  # fmt: skip
    first, last = dates or ("20200101000000Z", "20980101000000Z")
    openssl("ca", "-batch", "-notext", "-config", f"{path}.cnf", "-extensions", "it", *signer, "-md", digest,
            "-startdate", first, "-enddate", last, "-in", f"{path}.csr", "-out", f"{path}.pem")  # fmt: skip
    return path


def leaf(name, extensions=RIGHT_NAME, **more):
    return sign(name, f"{extensions}\n{SERVER}", **more)


def chain(own, *above):
    """A file of certificates, and the key of the first."""
    with open(f"{own}.chain", "w", encoding="ascii") as out:
        for path in (own, *above):
            with open(f"{path}.pem", encoding="ascii") as f:
                out.write(f.read())
    return f"{own}.chain", f"{own}.key"


def below(name, extensions, own=RIGHT_NAME, **more):
    """A sound certificate behind an intermediate that is not."""
    between = sign(f"{name}-between", extensions, cn=f"{name} intermediate", **more)
    return chain(leaf(name, own, issuer=between), between)


def der_name(raw):
    """subjectAltName with one dNSName of these bytes."""
    body = bytes([0x82, len(raw)]) + raw
    return "subjectAltName=DER:" + (bytes([0x30, len(body)]) + body).hex(":")


def many_names(count):
    lines = "\n".join(f"DNS.{n}=h{n}.many.test" for n in range(count))
    return f"{SERVER}\nsubjectAltName=@names\n[names]\n{lines}"


def in_a_circle():
    """A signs B signs A, and none is known."""
    a, b = (sign(f"first-{n}", CA, issuer=None, cn=n) for n in "ab")
    a_by_b = sign("a-by-b", CA, issuer=b, cn="a", own_key=f"{a}.key")
    b_by_a = sign("b-by-a", CA, issuer=a, cn="b", own_key=f"{b}.key")
    return chain(leaf("circle", issuer=a), a_by_b, b_by_a)


def of_an_impostor():
    """The name of the root that is trusted, and another key."""
    impostor = sign("impostor", CA, issuer=None, cn="tlsfloor test root")
    return chain(leaf("of-impostor", issuer=impostor), impostor)


def weak_key():
    key("weak-key", "rsa_keygen_bits:1024")
    return chain(leaf("weak-key"))


def with_a_megabyte():
    return chain(leaf("long"), *[sign("useless", CA, cn="useless")] * 2500)


# What the server shows, and words of the cause.
WRONG = {
    "has_expired": [lambda: chain(leaf("old", dates=PAST)), "certificate has expired", ", valid until 2020-02-01"],
    "is_not_valid_yet": [
        lambda: chain(leaf("new", dates=FUTURE)),
        "certificate is not yet valid",
        ", valid from 2099-01-01",
    ],
    "is_below_an_intermediate_that_has_expired": [
        lambda: below("below-old", CA, dates=PAST),
        "certificate has expired: CN=below-old intermediate (depth 1",
    ],
    "is_signed_by_itself": [lambda: chain(leaf("self", issuer=None)), "self-signed certificate"],
    "is_of_an_unknown_root": [
        lambda: chain(leaf("stray", issuer=sign("stray-root", CA, issuer=None, cn="stray root"))),
        "unable to get local issuer certificate",
        "issued by CN=stray root",
    ],
    "is_of_an_impostor": [of_an_impostor, "certificate"],
    "is_signed_in_a_circle": [in_a_circle, "unable to get local issuer certificate"],
    "is_for_another_name": [
        lambda: chain(leaf("other", "subjectAltName=DNS:a.test,DNS:b.test")),
        "hostname mismatch",
        "which is for a.test, b.test",
    ],
    "has_a_NUL_in_its_name": [
        lambda: chain(leaf("nul", der_name(NAME.encode() + b"\0.evil.test"))),
        "hostname mismatch",
        NAME + "\\x00.evil.test",
    ],
    "has_its_name_in_the_CN_alone": [lambda: chain(sign("cn", SERVER)), "hostname mismatch", "for no host name"],
    "is_for_all_names": [lambda: chain(leaf("star", "subjectAltName=DNS:*")), "hostname mismatch"],
    "is_for_all_of_a_top_level_domain": [lambda: chain(leaf("tld", "subjectAltName=DNS:*.test")), "hostname mismatch"],
    "is_for_part_of_a_label": [lambda: chain(leaf("part", "subjectAltName=DNS:h*.floor.test")), "hostname mismatch"],
    "is_for_clients": [lambda: chain(sign("client", f"{RIGHT_NAME}\nextendedKeyUsage=clientAuth")), "purpose"],
    "breaks_name_constraints": [
        lambda: below("constrained", f"{CA}\nnameConstraints=critical,permitted;DNS:other.test"),
        "permitted subtree violation",
    ],
    "is_below_one_that_is_no_CA": [lambda: below("no-ca", SERVER), "invalid CA certificate"],
    "has_a_weak_key": [weak_key, "key too weak"],
    "is_signed_with_SHA_1": [lambda: chain(leaf("sha1", digest="sha1")), "digest algorithm too weak"],
    "has_thousands_of_names": [
        lambda: chain(sign("many", many_names(4000))),
        "hostname mismatch",
        "and 3997 more",
    ],
}
TOO_LONG = {
    "has_10000_names": lambda: chain(sign("too-many", many_names(10000))),
    "comes_with_a_megabyte_of_others": with_a_megabyte,
}


class HostileOrigin(TlsOrigin):
    """Nothing is too weak for it to show."""

    def __init__(self, certificate):
        super().__init__("1.2", name=NAME)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.set_ciphers("ALL:@SECLEVEL=0")
        self.context.load_cert_chain(*certificate)


def refused_to_old_tls(gateway):
    with reach(gateway, CONNECT, NAME) as raw:
        try:
            TlsPeer(raw.sock, client_context("1.0", "1.0", gateway.ca), NAME).handshake()
        except ssl.SSLError as error:
            check_in("HANDSHAKE_FAILURE", str(error), "the client's error")
        else:
            raise AssertionError("the client was served")


def refused_to_plain_http(gateway, error):
    with RawClient(gateway.proxy) as client:
        client.send(f"GET http://{NAME}/ HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n".encode())
        page = client.receive_all()
    check(page.startswith(b"HTTP/1.1 502 "), f"what plain HTTP gets: {page[:200]!r}")
    check_in(error.encode(), page, "what plain HTTP gets")


def is_refused(certificate, code, error, *words):
    """To both kinds of client, with the cause in the record; and before anything is made for them."""

    def check_told(number):
        record = gateway.record({"event.action": "upstream-verify-failed", "event.code": code,
                                 "destination.domain": NAME})  # fmt: skip
        for word in words:
            check_in(word, record["tlsfloor.detail"], "the cause")
        check_equal(gateway.metric("tlsfloor_blocked_total"), number, "tlsfloor_blocked_total")

    with HostileOrigin(certificate()) as origin, Gateway(origin, settings=SETTINGS, upgrades=True) as gateway:
        refused_to_old_tls(gateway)
        check_told(1)
        refused_to_plain_http(gateway, error)
        check_told(2)
        check_equal(gateway.metric("tlsfloor_upgrades_total"), 0, "tlsfloor_upgrades_total")
        check_equal(gateway.metric("tlsfloor_certificates_minted_total"), 0, "certificates that were made")
        check(gateway.cpu_s() < CPU_MAX_S, f"{gateway.cpu_s()} s of processor time")
        for number in range(len(origin.connections)):
            origin.finished(number)
        check_equal(origin.agreed, [], "sessions that the server agreed on")


def told(kind, *how):
    def tale():
        is_refused(*how)

    tale.__name__ = f"a_certificate_that_{kind}_gets_no_client"
    story(tale)


for kind, (certificate, *words) in WRONG.items():
    told(kind, certificate, "upstream-verify-failed", "tls_certificate_error", *words)
for kind, certificate in TOO_LONG.items():
    told(kind, certificate, "upstream-tls-failed", "tls_protocol_error", "longer than 100 KiB")


@story
def a_sound_certificate_made_likewise_gets_its_client():
    with HostileOrigin(below("sound", CA)) as origin, Gateway(origin, settings=SETTINGS, upgrades=True) as gateway:
        with reach(gateway, CONNECT, NAME) as raw:
            TlsPeer(raw.sock, client_context("1.0", "1.0", gateway.ca), NAME).handshake().close()
        gateway.record({"event.action": "tls-upgraded"})


run_stories()
