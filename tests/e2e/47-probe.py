"""`tlsfloor probe` tells what a server takes: the answers are those that the servers here were set up for."""

import json
import ssl
import tempfile

from harness import (
    SSL3,
    BlackHole,
    RawOrigin,
    TlsOrigin,
    TlsPeer,
    alert,
    ca_file,
    check,
    check_equal,
    check_in,
    one_record,
    openssl,
    program,
    run_client,
    run_stories,
    server_hello,
    story,
    workplace,
)

NAME = "origin.floor.test"
TWO_SUITES = "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-SHA"
GCM, CBC = "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"


def probe(origin, *arguments, port=443, floor="1.2", name=NAME):
    """Asks for `port`; the origin is what is found there."""
    with tempfile.NamedTemporaryFile("w", suffix=".ini") as f:
        f.write(
            f"[listener proxy]\nlisten = 127.0.0.1:0\n[floor]\nminimum = {floor}\n"
            f"[upstream]\nca_file = {ca_file()}\nresolve = {name}:{port}:127.0.0.1:{origin.port}\n"
        )
        f.flush()
        return run_client(program(), "probe", f"{name}:{port}", "-c", f.name, *arguments)


def found(origin, *arguments, status=0, **more):
    """The answer as an object."""
    result = probe(origin, "--json", *arguments, **more)
    check_equal(result.status, status, f"exit code, with {result.output}")
    return json.loads(result.output)


def version(answer, name):
    return next(v for v in answer["versions"] if v["version"] == name)


def taken(answer):
    return [v["version"] for v in answer["versions"] if v["taken"]]


def tls_origin(*versions, ciphers=None, server_order=True, curve=None, options=0, **more):
    origin = TlsOrigin(*versions, **more)
    if ciphers:
        origin.context.set_ciphers(ciphers + ":@SECLEVEL=0")
    if not server_order:
        origin.context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    if curve:
        origin.context.set_ecdh_curve(curve)
    origin.context.options |= options
    return origin


@story
def versions_and_suites_are_those_of_the_server_in_its_order():
    with tls_origin("1.1", "1.2", ciphers=TWO_SUITES) as origin:
        answer = found(origin)
    check_equal(taken(answer), ["TLS1.2", "TLS1.1"], "versions")
    new, old = version(answer, "TLS1.2"), version(answer, "TLS1.1")
    check_equal((new["suites"], new["server_order"], new["all_suites_found"]), ([GCM, CBC], True, True), "at 1.2")
    check_equal(old["suites"], [CBC], "suites at 1.1")
    check_equal(version(answer, "TLS1.3")["why"], "alert 70 (protocol version)", "refusal at 1.3")


@story
def a_server_that_goes_by_the_clients_order_is_told_as_such():
    with tls_origin("1.2", "1.2", ciphers=TWO_SUITES, server_order=False) as origin:
        answer = version(found(origin), "TLS1.2")
    check_equal((sorted(answer["suites"]), answer["server_order"]), (sorted([GCM, CBC]), False), "suites, order")


@story
def groups_and_keys_are_told_for_each_version():
    with tls_origin("1.2", "1.3", ciphers=TWO_SUITES, curve="secp384r1") as origin:
        answer = found(origin)
    for name in ("TLS1.2", "TLS1.3"):
        check_equal(version(answer, name)["groups"], ["secp384r1"], f"groups at {name}")
        check_equal(version(answer, name)["key"], "RSA 2048", f"key at {name}")
    with tls_origin("1.2", "1.2", ciphers="AES128-SHA") as origin:
        check_equal(version(found(origin, status=1), "TLS1.2")["groups"], [], "groups without elliptic curves")


@story
def resumption_is_told_by_its_kinds():
    with tls_origin("1.2", "1.3") as origin:
        answer = found(origin)
    new, old = version(answer, "TLS1.3"), version(answer, "TLS1.2")
    check_equal((new["resumes_by_ticket"], new["resumes_by_session_id"]), (True, False), "at 1.3")
    check_equal((old["resumes_by_ticket"], old["resumes_by_session_id"]), (True, True), "at 1.2")
    with tls_origin("1.2", "1.2", options=ssl.OP_NO_TICKET) as origin:
        old = version(found(origin), "TLS1.2")
    check_equal((old["resumes_by_ticket"], old["resumes_by_session_id"]), (False, True), "without tickets")
    check_equal(old["secure_renegotiation"], True, "secure renegotiation")


@story
def alpn_is_told():
    for protocols in (["h2", "http/1.1"], ["h2"], ["http/1.1"], []):
        with TlsOrigin("1.2", "1.3", alpn=protocols) as origin:
            check_equal(found(origin)["alpn"], protocols, "protocols")


@story
def the_chain_and_the_outside_leg_are_told():
    with TlsOrigin("1.2", "1.3") as origin:
        answer = found(origin)
    certificate = answer["chain"][0]
    check_equal(certificate["subject"], f"CN={NAME}", "subject")
    check_equal(certificate["issuer"], "CN=tlsfloor test root", "issuer")
    check_equal((certificate["key"], certificate["signature"]), ("RSA 2048", "sha256WithRSAEncryption"), "key")
    check(2900 < certificate["days_left"] < 3000, f"days left: {certificate['days_left']}")
    outside = answer["outside"]
    check_equal((outside["gets_through"], outside["version"]), (True, "TLS1.3"), "outside leg")
    check(outside["suite"].startswith("TLS_"), f"suite: {outside['suite']}")
    check_equal(answer["is_fine"], True, "verdict")


@story
def a_server_below_the_floor_is_a_finding():
    with tls_origin("1.0", "1.1") as origin:
        answer = found(origin, status=1)
        check_in("is below the floor of TLS1.2: it takes TLS1.1, TLS1.0.", answer["verdict"], "verdict")
        check_equal(answer["outside"]["code"], "upstream-tls-failed", "outside leg")
        check_equal(answer["verifies"], True, "the certificate, which the outside leg never got to see")
        check_in(f"verifies         yes, for {NAME}\n", probe(origin).output, "text")
    with tls_origin("1.0", "1.2") as origin:
        check_in("An old client still gets through", found(origin)["verdict"], "verdict")
        check_in("is below the floor of TLS1.3", found(origin, status=1, floor="1.3")["verdict"], "verdict")


def suites_of(hello):
    at = 5 + 4 + 2 + 32
    at += 1 + hello[at]
    size = int.from_bytes(hello[at : at + 2], "big")
    return [int.from_bytes(hello[i : i + 2], "big") for i in range(at + 2, at + 2 + size, 2)]


def ssl3_only(connection):
    connection.recv_hello()
    hello = connection.received
    wanted = [suite for suite in (0x0005, 0x000A) if suite in suites_of(hello)]
    if hello[9:11] == SSL3.to_bytes(2, "big") and wanted:
        connection.send(one_record(server_hello(SSL3, suite=wanted[0]), SSL3))
    else:
        connection.send(alert(40, SSL3))


@story
def ssl3_and_its_broken_suites_are_found():
    with RawOrigin(ssl3_only) as origin:
        answer = found(origin, status=1)
    check_equal(taken(answer), ["SSLv3"], "versions")
    wanted = ["TLS_RSA_WITH_RC4_128_SHA", "TLS_RSA_WITH_3DES_EDE_CBC_SHA"]
    check_equal(version(answer, "SSLv3")["suites"], wanted, "suites")
    check(version(answer, "SSLv3")["server_order"], "the order is the server's")


def certificate_with(subject, *more):
    path = workplace("pki", "probe", subject.strip("/").replace("/", "-"))
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", subject, "-keyout", f"{path}.key", "-out",
            f"{path}.pem", *more)  # fmt: skip
    return f"{path}.pem", f"{path}.key"


def expired_certificate():
    """Of the test root, by `openssl ca`, which is the one that takes dates of the past."""
    path = workplace("pki", "probe", "expired")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={NAME}", "-keyout", f"{path}.key", "-out", f"{path}.csr")
    with open(f"{path}.cnf", "w", encoding="ascii") as f:
        f.write(
            f"[ca]\ndefault_ca=own\n[own]\ndatabase={path}.txt\nnew_certs_dir={workplace('pki', 'probe')}\n"
            f"rand_serial=yes\ndefault_md=sha256\npolicy=any\nx509_extensions=leaf\n[any]\ncommonName=supplied\n"
            f"[leaf]\nsubjectAltName=DNS:{NAME}\n"
        )
    open(f"{path}.txt", "w", encoding="ascii").close()
    openssl("ca", "-batch", "-notext", "-config", f"{path}.cnf", "-cert", ca_file(), "-keyfile",
            ca_file().replace(".pem", ".key"), "-startdate", "20200101000000Z", "-enddate", "20210101000000Z", "-in",
            f"{path}.csr", "-out", f"{path}.pem")  # fmt: skip
    return f"{path}.pem", f"{path}.key"


def check_unverified(certificate, why, **more):
    with TlsOrigin("1.2", "1.3", certificate=certificate) as origin:
        answer = found(origin, status=1, **more)
    check_equal(answer["outside"]["code"], "upstream-verify-failed", "code")
    check_equal(answer["verifies"], False, "whether it verifies")
    check_in(why, answer["outside"]["why"], "cause")
    check_in("none can be upgraded", answer["verdict"], "verdict")
    return answer


@story
def a_certificate_that_does_not_verify_is_a_finding_with_its_cause():
    answer = check_unverified(expired_certificate(), f"certificate has expired: CN={NAME}")
    check(answer["chain"][0]["days_left"] < 0, "days left of an expired certificate")
    check_unverified(certificate_with(f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}"), "self-signed certificate")
    check_unverified(None, "hostname mismatch", name="another.example")


@story
def a_server_below_the_floor_is_told_if_its_certificate_does_not_verify_either():
    for certificate, name, why in (
        (expired_certificate(), NAME, "certificate has expired (depth 0)"),
        (certificate_with(f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}"), NAME, "self-signed certificate"),
        (None, "another.example", "hostname mismatch (depth 0)"),
    ):
        with tls_origin("1.0", "1.1", certificate=certificate) as origin:
            answer = found(origin, status=1, name=name)
        check_equal(answer["verifies"], False, f"whether it verifies, with {why}")
        check_in(why, answer["verify_why"], "cause")


@story
def names_in_certificates_cannot_touch_the_terminal():
    certificate = certificate_with("/CN=red\x1b[31m/O=<b>&")
    with TlsOrigin("1.2", "1.2", certificate=certificate) as origin:
        text = probe(origin).output
        check_in("CN=red\\1B[31m", text, "subject")
        check(all(c == "\n" or " " <= c <= "~" for c in text), f"only printable characters: {text!r}")
        check_in("O=\\<b\\>&", found(origin, status=1)["chain"][0]["subject"], "subject")


DIALOGUES = {
    "smtp": ([b"", b"EHLO ", b"STARTTLS\r\n"], [b"220-one\r\n220 two\r\n", b"250-a\r\n250 STARTTLS\r\n", b"220 go\r\n"]),
    "imap": ([b"", b"a STARTTLS\r\n"], [b"* OK [CAPABILITY IMAP4rev1] hi\r\n", b"* NOTE\r\na OK go\r\n"]),
    "pop3": ([b"", b"STLS\r\n"], [b"+OK hi\r\n", b"+OK go\r\n"]),
}


def mail_origin(protocol, behind=b"", last=None):
    """STARTTLS first. `behind`: bytes behind the consent; `last`: in place of the consent."""
    context = TlsOrigin("1.2", "1.2").context

    def serve(connection):
        awaited, answers = DIALOGUES[protocol]
        for n, (wanted, answer) in enumerate(zip(awaited, answers)):
            if wanted:
                line = b""
                while not line.endswith(b"\r\n"):
                    line += connection.sock.recv(1)
                check(line.startswith(wanted), f"what the client says: {line!r}")
            is_last = n + 1 == len(awaited)
            connection.send((last if is_last and last else answer) + (behind if is_last else b""))
        TlsPeer(connection, context).handshake().read()

    return RawOrigin(serve)


@story
def starttls_is_spoken_where_the_port_or_the_option_says_so():
    for protocol, ports in (("smtp", (25, 587)), ("imap", (143,)), ("pop3", (110,))):
        for port in ports:
            with mail_origin(protocol) as origin:
                answer = found(origin, port=port)
                check_equal((answer["starttls"], taken(answer)), (protocol, ["TLS1.2"]), f"answer on port {port}")
        with mail_origin(protocol) as origin:
            check_equal(taken(found(origin, "--starttls", protocol, port=2525)), ["TLS1.2"], f"answer of {protocol}")
    for port in (465, 993, 995):
        with TlsOrigin("1.2", "1.2") as origin:
            check_equal(found(origin, port=port)["starttls"], "", f"answer on port {port}")


@story
def a_server_without_starttls_is_a_finding_with_its_words():
    with mail_origin("smtp", last=b"502 no \x07TLS here\r\n") as origin:
        result = probe(origin, port=25)
    check_equal(result.status, 1, "exit code")
    check_in('the server does not go on to TLS: it says "502 no \\x07TLS here"', result.output, "what it says")


@story
def bytes_behind_the_consent_to_starttls_are_refused():
    for protocol in DIALOGUES:
        with mail_origin(protocol, behind=b"injected\r\n") as origin:
            result = probe(origin, "--starttls", protocol)
        check_equal(result.status, 1, "exit code")
        check_in("the server sent more behind its consent to begin TLS", result.output, f"answer of {protocol}")


@story
def endless_lines_in_front_of_tls_end():
    for flood in (b"220-more\r\n" * 100, b"2" * 10000):
        with RawOrigin(lambda connection, flood=flood: (connection.send(flood), connection.recv_to_end())) as origin:
            result = probe(origin, "--starttls", "smtp")
        check_equal(result.status, 1, "exit code")
        check_in("in front of TLS", result.output, "what it says")


@story
def plain_text_is_quoted_and_not_taken_for_tls():
    def serve(connection):
        connection.send(b"220 mail\x1b[2J ESMTP\r\nmore")
        connection.recv_to_end()

    with RawOrigin(serve) as origin:
        result = probe(origin)
    check_equal(result.status, 1, "exit code")
    check_in('it speaks, but not TLS: "220 mail\\x1b[2J ESMTP', result.output, "what it says")
    check("\x1b" not in result.output, "control characters")
    check_in("takes no version of TLS or SSL", result.output, "verdict")


@story
def a_server_that_says_nothing_ends_with_the_time():
    with RawOrigin() as origin:
        answer = found(origin, "--timeout", "1", status=1)
    check_equal([v["why"] for v in answer["versions"]], ["no answer in time"] * 5, "why")


@story
def a_server_that_cannot_be_reached_is_a_finding():
    with BlackHole() as origin:
        answer = found(origin, "--timeout", "1", status=1)
        check_in(f"cannot be reached: cannot connect to {NAME} port 443 (127.0.0.1:", answer["verdict"], "verdict")
    with RawOrigin() as origin:
        pass  # closed again: nobody listens there
    result = probe(origin)
    check_equal(result.status, 1, "exit code")
    check_in("Connection refused", result.output, "what it says")


@story
def the_text_is_aligned_and_ends_with_the_verdict():
    with TlsOrigin("1.2", "1.3") as origin:
        lines = probe(origin).output.splitlines()
    check(all(line[16] == " " and line[17] != " " for line in lines), f"two columns: {lines}")
    check_in(f"{NAME}:443 (127.0.0.1:{origin.port}), TLS at once", lines[0], "first line")
    check(lines[-1].startswith("verdict "), f"last line: {lines[-1]}")


@story
def wrong_usage_is_exit_code_2():
    for arguments in ([], ["a", "b"], ["a b"], ["a", "--starttls", "ftp"], ["a", "--timeout", "0"], ["--nonsense"]):
        result = run_client(program(), "probe", *arguments)
        check_equal(result.status, 2, f"exit code of {arguments}")
        check_in("usage: tlsfloor probe ", result.output, "what it says")


run_stories()
