"""The other direction: clients from outside take the gateway for a server that stands behind it, of whose name it has a
certificate. The floor holds on both hellos; who is healthy meets the server itself, unless the listener ends every
client's TLS."""

import atexit
import functools
import os
import ssl

from harness import (
    TLS10,
    Gateway,
    RawClient,
    TlsOrigin,
    TlsPeer,
    alert,
    ca_file,
    check,
    check_equal,
    check_in,
    client_context,
    client_hello,
    first_certificate,
    leaf,
    make_signed,
    one_record,
    openssl,
    run_stories,
    sslv2_hello,
    story,
    workplace,
)

NAME = "adfs.floor.test"
UPGRADE = {"rule partners.listener": "inbound", "rule partners.action": "upgrade"}
UPGRADED = {"event.action": "tls-upgraded", "observer.ingress.interface.name": "inbound", "destination.domain": NAME}


@functools.cache
def own(kind):
    """The certificate and the key that the gateway has: not the same ones as the server behind it."""
    path = workplace("run", f"own-{kind}-{os.getpid()}")
    make_signed(path, ca_file()[:-4], NAME, f"subjectAltName=DNS:{NAME}\n")
    if kind == "ecdsa":
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={NAME}",
                "-keyout", f"{path}.key", "-out", f"{path}.csr")  # fmt: skip
        openssl("x509", "-req", "-in", f"{path}.csr", "-CA", ca_file(), "-CAkey", f"{ca_file()[:-4]}.key",
                "-CAcreateserial", "-days", "30", "-extfile", f"{path}.ext", "-out", f"{path}.pem")  # fmt: skip
    for end in ("pem", "key", "csr", "ext"):
        atexit.register(os.unlink, f"{path}.{end}")
    return f"{path}.pem", f"{path}.key"


def inbound(certificate=None, client_tls="none"):
    file, key = certificate or own("rsa")
    return {
        "listener inbound.listen": "127.0.0.1:0",
        "listener inbound.kind": "forward",
        "listener inbound.protocol": "tls",
        "listener inbound.upstream": f"{NAME}:443",
        "listener inbound.client_tls": client_tls,
        "listener inbound.certificate": file,
        "listener inbound.key": key,
        "upstream.ca_file": ca_file(),
    }


def server(**more):
    return TlsOrigin(name=NAME, **more)


def visit(gateway, lowest, highest, context=None, asked=NAME):
    """A client that gets its page; answers with the certificate that it saw, as DER, and the page."""
    with RawClient(gateway.ports["inbound"]) as raw:
        peer = TlsPeer(raw.sock, context or client_context(lowest, highest), asked).handshake()
        peer.write(b"GET / HTTP/1.1\r\n\r\n")
        page = peer.read_all()
        check(not peer.was_cut, "the end came without a close_notify")
        peer.close()
        return ssl.PEM_cert_to_DER_cert(peer.certificate()), page


def is_refused(gateway, lowest, highest, ciphers=None, ca=None):
    context = client_context(lowest, highest, ca)
    if ciphers:
        context.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    try:
        visit(gateway, lowest, highest, context)
    except ssl.SSLError as error:
        return error.reason
    raise AssertionError("it was let in")


# --- who is healthy, who is not ---


@story
def a_healthy_client_meets_the_server_itself():
    with server() as origin, Gateway(origin, settings=inbound() | UPGRADE, upgrades=True) as gateway:
        for version in ("1.2", "1.3"):
            seen, page = visit(gateway, version, version)
            check_equal(seen, first_certificate(leaf()), "certificate")
            check_in(f"page over TLSv{version}".encode(), page, "page")


@story
def an_old_client_that_a_rule_upgrades_sees_the_gateways_certificate_of_the_server():
    for kind in ("rsa", "ecdsa"):
        settings = inbound(own(kind)) | UPGRADE
        with server(lowest="1.2") as origin, Gateway(origin, settings=settings, upgrades=True) as gateway:
            for version in ("1.0", "1.1"):
                seen, page = visit(gateway, version, version)
                check_equal(seen, first_certificate(own(kind)), "certificate")
                check_in(b"page over TLSv1.3", page, "page")
                gateway.record(
                    UPGRADED
                    | {"tlsfloor.upgrade.from": version, "tlsfloor.upgrade.to": "1.3", "rule.name": "partners"}
                )


@story
def without_a_rule_an_old_client_is_refused():
    with server() as origin:
        with Gateway(origin, settings=inbound()) as gateway:
            for hello, code in (
                (one_record(client_hello(TLS10, NAME)), "client-below-floor"),
                (sslv2_hello(TLS10), "client-sslv2-hello"),
            ):
                with RawClient(gateway.ports["inbound"]) as client:
                    client.send(hello)
                    check_equal(client.receive_all(), alert(70), f"answer to {code}")
                gateway.record({"event.action": "tls-version-blocked", "event.code": code, "destination.domain": NAME})
        check_equal(origin.received(), b"", "what reached the server")


@story
def a_server_that_picks_less_than_the_floor_is_kept_from_healthy_clients():
    with server(highest="1.1") as origin, Gateway(origin, settings=inbound() | UPGRADE, upgrades=True) as gateway:
        check_in("PROTOCOL_VERSION", is_refused(gateway, "1.0", "1.3"), "what the client says")
        gateway.record({"event.action": "tls-server-below-floor"})


@story
def a_server_that_does_not_verify_is_kept_from_old_clients():
    settings = inbound() | UPGRADE | {"listener inbound.server_name": "mail.other.test"}
    with server() as origin, Gateway(origin, settings=settings, upgrades=True) as gateway:
        check_in("HANDSHAKE_FAILURE", is_refused(gateway, "1.0", "1.0"), "what the client says")
        record = gateway.record({"event.action": "upstream-verify-failed", "event.code": "upstream-verify-failed"})
        check_in("mismatch", record["tlsfloor.detail"], "detail")


@story
def the_listener_may_be_called_by_another_name_than_the_server():
    with server() as origin, Gateway(origin, settings=inbound() | UPGRADE, upgrades=True) as gateway:
        context = client_context("1.0", "1.0")
        context.check_hostname = False
        seen, _ = visit(gateway, "1.0", "1.0", context, asked="gateway.example")
        check_equal(seen, first_certificate(own("rsa")), "certificate")
        gateway.record(UPGRADED)


@story
def who_cannot_use_the_kind_of_certificate_has_no_common_suite():
    for kind, ciphers in (("rsa", "ECDHE-ECDSA-AES128-SHA"), ("ecdsa", "AES128-SHA")):
        settings = inbound(own(kind)) | UPGRADE
        with server() as origin, Gateway(origin, settings=settings, upgrades=True) as gateway:
            check_in("HANDSHAKE_FAILURE", is_refused(gateway, "1.0", "1.0", ciphers), "what the client says")
            record = gateway.record({"event.action": "tls-version-blocked", "event.code": "no-common-suite"})
            check_in("no suite that goes with this certificate", record["tlsfloor.detail"], "detail")


@story
def who_distrusts_the_certificate_is_recorded():
    stranger = own("ecdsa")[0]  # vouches for nobody
    with server() as origin, Gateway(origin, settings=inbound() | UPGRADE, upgrades=True) as gateway:
        check_in("CERTIFICATE_VERIFY_FAILED", is_refused(gateway, "1.0", "1.0", ca=stranger), "what the client says")
        record = gateway.record({"event.action": "tls-version-blocked", "event.code": "client-handshake-failed"})
        check_in("unknown CA (48)", record["tlsfloor.detail"], "detail")


# --- everybody's TLS ends here ---


@story
def with_client_tls_implicit_everybody_sees_the_gateways_certificate():
    with server(alpn=["h2", "http/1.1"]) as origin:
        with Gateway(origin, settings=inbound(client_tls="implicit") | UPGRADE, upgrades=True) as gateway:
            for version in ("1.0", "1.1", "1.2", "1.3"):
                context = client_context(version, version)
                context.set_alpn_protocols(["h2", "http/1.1"])
                seen, page = visit(gateway, version, version, context)
                check_equal(seen, first_certificate(own("rsa")), f"certificate over {version}")
                check_in(b"page over TLSv1.3", page, "page")
                gateway.record(UPGRADED | {"tlsfloor.upgrade.from": version, "tlsfloor.upgrade.to": "1.3"})
        check_equal({agreed.alpn for agreed in origin.agreed}, {"http/1.1"}, "ALPN with the server")


@story
def with_client_tls_implicit_the_floor_holds_where_no_rule_upgrades():
    with server() as origin, Gateway(origin, settings=inbound(client_tls="implicit")) as gateway:
        check_in("PROTOCOL_VERSION", is_refused(gateway, "1.0", "1.1"), "what the client says")
        gateway.record({"event.action": "tls-version-blocked", "event.code": "client-below-floor"})
        seen, _ = visit(gateway, "1.0", "1.3")
        check_equal(seen, first_certificate(own("rsa")), "certificate")
        gateway.record(UPGRADED | {"tlsfloor.upgrade.from": "1.3"})


@story
def a_healthy_client_with_an_old_suite_is_served():
    with server() as origin, Gateway(origin, settings=inbound(client_tls="implicit")) as gateway:
        context = client_context("1.2", "1.2")
        context.set_ciphers("AES128-SHA:@SECLEVEL=0")
        visit(gateway, "1.2", "1.2", context)
        gateway.record(UPGRADED | {"tlsfloor.upgrade.from_cipher": "TLS_RSA_WITH_AES_128_CBC_SHA"})


@story
def a_reload_shows_the_new_certificate_to_new_clients():
    with server() as origin, Gateway(origin, settings=inbound(client_tls="implicit")) as gateway:
        context = client_context("1.2", "1.3")
        check_equal(visit(gateway, "1.2", "1.3", context)[0], first_certificate(own("rsa")), "certificate before")
        gateway.record(UPGRADED)
        for old, new in zip(own("rsa"), own("ecdsa")):
            gateway.ini = gateway.ini.replace(old, new)
        gateway.reload(gateway.ini)
        check_equal(visit(gateway, "1.2", "1.3", context)[0], first_certificate(own("ecdsa")), "certificate after")
        gateway.record(UPGRADED)


run_stories()
