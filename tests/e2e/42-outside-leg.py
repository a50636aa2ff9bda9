"""Nothing makes the way to the server weaker than TLS 1.2 with a certificate that verifies: no setting, no file, no
environment. All that might is tried."""

import atexit
import os
import shutil
import ssl

from harness import (
    CONNECT,
    Gateway,
    TlsOrigin,
    TlsPeer,
    ca_file,
    check_equal,
    check_in,
    client_context,
    leaf,
    make_root,
    make_signed,
    program,
    reach,
    run_client,
    run_stories,
    story,
    workplace,
)

NAME = "origin.floor.test"
UPGRADE = {"rule all.destination": "*.floor.test", "rule all.action": "upgrade"}
LISTENER = "[listener proxy]\nlisten = 127.0.0.1:0\n[ca]\ndirectory = off\n"
OPENSSL_CONF = "openssl_conf = init\n[init]\nssl_conf = ssl\n[ssl]\nsystem_default = all\n[all]\n"
LAX = {
    "lowest": "MinProtocol = TLSv1\nCipherString = ALL:COMPLEMENTOFALL:@SECLEVEL=0\n",
    "none": "MinProtocol = None\nCipherString = ALL:@SECLEVEL=0\nSignatureAlgorithms = RSA+SHA1:RSA+SHA256\n",
    "old only": "MinProtocol = TLSv1\nMaxProtocol = TLSv1.1\nCipherString = ALL:@SECLEVEL=0\n",
    "options": "MinProtocol = TLSv1\nCipherString = ALL:@SECLEVEL=0\nOptions = UnsafeLegacyServerConnect\n"
    "Protocol = -TLSv1.2, -TLSv1.3\nVerifyMode = Request\n",
}
STRICT = "MinProtocol = TLSv1.2\nCipherString = DEFAULT:@SECLEVEL=2\nGroups = P-384\nSignatureAlgorithms = RSA+SHA256\n"

HERE = workplace("run", f"outside-{os.getpid()}", "x")[:-1]
atexit.register(shutil.rmtree, HERE, ignore_errors=True)


def file_with(name, text):
    path = f"{HERE}{name}"
    with open(path, "w", encoding="ascii") as f:
        f.write(text)
    return path


def ask(gateway, version="1.0"):
    """The page that a client of old TLS gets; an ssl.SSLError if it gets none."""
    with reach(gateway, CONNECT, NAME) as raw:
        peer = TlsPeer(raw.sock, client_context(version, version, gateway.ca), NAME).handshake()
        peer.write(f"GET / HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode())
        return peer.read_all()


def is_refused(gateway, cause, code="upstream-tls-failed"):
    try:
        ask(gateway)
    except ssl.SSLError as error:
        check_in("HANDSHAKE_FAILURE", str(error), "the client's error")
    else:
        raise AssertionError("the client was served")
    record = gateway.record({"event.action": "upstream-verify-failed", "event.code": code})
    check_in(cause, record["tlsfloor.detail"], "the cause")


def is_served(gateway, server_version="1.3"):
    check_in(f"page over TLSv{server_version}".encode(), ask(gateway), "what the client got")
    gateway.record({"event.action": "tls-upgraded", "tlsfloor.upgrade.to": server_version})


def old_server_is_refused_and_new_one_is_not(environment=None, settings=None):
    more = {"environment": environment, "settings": {**UPGRADE, **(settings or {})}, "upgrades": True}
    for highest in ("1.0", "1.1"):
        with TlsOrigin("1.0", highest) as origin, Gateway(origin, **more) as gateway:
            is_refused(gateway, "protocol version")
            check_equal(origin.versions, [], "sessions that the server agreed on")
    for highest in ("1.2", "1.3"):
        with TlsOrigin("1.0", highest) as origin, Gateway(origin, **more) as gateway:
            is_served(gateway, highest)


@story
def no_value_of_the_setting_goes_below_1_2():
    for value in ("1.1", "1.0", "1", "0", "ssl3", "TLSv1.1", "any", "none", "1.2 1.1", "1.1, 1.2", "-1.2", "1.20", ""):
        path = file_with("minimum.ini", f"{LISTENER}[upstream]\nminimum = {value}\n")
        for command, code in (("check", 1), ("run", 3)):
            result = run_client(program(), command, "-c", path, timeout=20)
            check_equal(result.status, code, f"exit code of {command} for {value!r}, which says {result.output}")
            check_in("1.2 or 1.3", result.output, "what it says")


@story
def no_variable_goes_below_1_2():
    path = file_with("plain.ini", LISTENER)
    for value in ("1.1", "1.0", ""):
        result = run_client(program(), "run", "-c", path, environment={"TLSFLOOR_UPSTREAM_MINIMUM": value}, timeout=20)
        check_equal(result.status, 3, f"exit code for {value!r}, which says {result.output}")
        check_in("TLSFLOOR_UPSTREAM_MINIMUM", result.output, "what it says")


@story
def there_is_no_setting_that_turns_verification_off():
    for line in ("verify = off", "insecure = on", "check_name = off", "ciphers = ALL", "maximum = 1.1", "ca_file ="):
        path = file_with("insecure.ini", f"{LISTENER}[upstream]\n{line}\n")
        result = run_client(program(), "check", "-c", path, timeout=20)
        check_equal(result.status, 1, f"exit code of check for {line!r}, which says {result.output}")


@story
def by_default_old_servers_are_refused():
    old_server_is_refused_and_new_one_is_not()


@story
def monitoring_does_not_reach_the_outside_leg():
    old_server_is_refused_and_new_one_is_not(settings={"floor.mode": "monitor"})


@story
def a_lax_openssl_cnf_changes_nothing():
    for name, lines in LAX.items():
        lax = {"OPENSSL_CONF": file_with("lax.cnf", OPENSSL_CONF + lines)}
        if "Max" not in lines and "Protocol = -" not in lines:
            # It is in force: with it, another program does what the gateway must not.
            with TlsOrigin("1.0", "1.1") as origin:
                command = ("openssl", "s_client", "-connect", f"127.0.0.1:{origin.port}", "-CAfile", ca_file())
                check_in("TLSv1.1", run_client(*command, environment=lax).output, f"openssl with {name}")
        old_server_is_refused_and_new_one_is_not(lax)


@story
def a_strict_openssl_cnf_does_not_keep_old_clients_out():
    strict = {"OPENSSL_CONF": file_with("strict.cnf", OPENSSL_CONF + STRICT)}
    with TlsOrigin() as origin:
        with Gateway(origin, settings=UPGRADE, environment=strict, upgrades=True) as gateway:
            for version in ("1.0", "1.1"):
                check_in(b"page over TLSv1.3", ask(gateway, version), f"what a client of TLS {version} got")
                gateway.record({"event.action": "tls-upgraded", "tlsfloor.upgrade.from": version})


@story
def the_minimum_may_be_1_3():
    settings = {**UPGRADE, "upstream.minimum": "1.3"}
    with TlsOrigin("1.0", "1.2") as origin, Gateway(origin, settings=settings, upgrades=True) as gateway:
        is_refused(gateway, "protocol version")
    with TlsOrigin("1.0", "1.3") as origin, Gateway(origin, settings=settings, upgrades=True) as gateway:
        is_served(gateway)


@story
def a_server_with_weak_suites_alone_is_refused():
    for suites in ("AES128-SHA", "AES128-GCM-SHA256", "ECDHE-RSA-AES128-SHA", "ADH-AES128-SHA256", "NULL-SHA256"):
        with TlsOrigin("1.2", "1.2") as origin, Gateway(origin, settings=UPGRADE, upgrades=True) as gateway:
            origin.context.set_ciphers(f"{suites}:@SECLEVEL=0")
            is_refused(gateway, "handshake failure")


def stranger():
    """A server's certificate of another root, its key, and the root."""
    own, root = f"{HERE}stranger", f"{HERE}strange-root"
    make_root(root, "strange root")
    make_signed(own, root, NAME, f"subjectAltName=DNS:{NAME}\nextendedKeyUsage=serverAuth")
    return (f"{own}.pem", f"{own}.key"), f"{root}.pem"


@story
def roots_in_the_environment_do_not_add_to_ca_file():
    certificate, root = stranger()
    environment = {"SSL_CERT_FILE": root, "SSL_CERT_DIR": os.path.dirname(root)}
    with TlsOrigin("1.2", certificate=certificate) as origin:
        with Gateway(origin, settings=UPGRADE, environment=environment, upgrades=True) as gateway:
            is_refused(gateway, "unable to get local issuer certificate", "upstream-verify-failed")


@story
def the_systems_roots_are_where_the_environment_says_as_for_other_programs():
    certificate, root = stranger()
    settings = {**UPGRADE, "upstream.ca_file": "system"}
    with TlsOrigin("1.2", certificate=certificate) as origin:
        with Gateway(origin, settings=settings, upgrades=True) as gateway:
            is_refused(gateway, "unable to get local issuer certificate", "upstream-verify-failed")
        with Gateway(origin, settings=settings, environment={"SSL_CERT_FILE": root}, upgrades=True) as gateway:
            is_served(gateway)


@story
def a_client_certificate_is_shown_to_a_server_that_asks():
    with TlsOrigin("1.2", "1.2") as origin:
        origin.context.verify_mode = ssl.CERT_REQUIRED
        origin.context.load_verify_locations(ca_file())
        with Gateway(origin, settings=UPGRADE, upgrades=True) as gateway:
            is_refused(gateway, "a client certificate")
        own = f"{HERE}connector"
        make_signed(own, os.path.splitext(ca_file())[0], "connector", "extendedKeyUsage=clientAuth")
        shown = {"upstream.certificate": f"{own}.pem", "upstream.key": f"{own}.key"}
        with Gateway(origin, settings={**UPGRADE, **shown}, upgrades=True) as gateway:
            is_served(gateway, "1.2")


@story
def files_that_are_no_good_are_found_before_they_are_needed():
    certificate, key = leaf()
    empty = file_with("empty.pem", "")
    bad = {
        "ca_file": ({"ca_file": empty}, {"ca_file": "/nowhere/at/all.pem"}, {"ca_file": key}),
        "certificate": ({"certificate": "/nowhere/at/all.pem", "key": key}, {"certificate": empty, "key": key}),
        "key": ({"certificate": certificate, "key": empty}, {"key": key}, {"certificate": ca_file(), "key": key}),
    }
    for setting, all_settings in bad.items():
        for settings in all_settings:
            lines = "".join(f"{name} = {value}\n" for name, value in settings.items())
            path = file_with("files.ini", f"[listener proxy]\nlisten = 127.0.0.1:0\n[upstream]\n{lines}"
                             f"[ca]\ndirectory = {HERE}ca\n")  # fmt: skip
            for command, code in (("check", 1), ("run", 3)):
                done = run_client(program(), command, "-c", path, timeout=20)
                check_equal(done.status, code, f"exit code of {command} with {settings}, which says {done.output}")
                check_in(setting, done.output, "what it says")


run_stories()
