"""The Microsoft 365 endpoint set on the command line, and its update from a stand-in for the web service."""

import functools
import json
import os
import re
import socket
import tempfile

from harness import TlsOrigin, check, check_equal, check_in, program, run_client, run_stories, story
from harness.pki import SERVER, make_root, make_signed

SERVICE = "endpoints.office.com"
GUID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
AREAS = "Common,Exchange,SharePoint,Skype,MEM"


def sets(*names):
    """An answer of the service, with enough names to be plausible beside any other of them."""
    return json.dumps([{"id": 1, "urls": list(names), "tcpPorts": "80, 443", "category": "Allow", "required": True}])


OLD = sets("mail.example", "old.example", "a.example", "b.example")
NEW = sets("mail.example", "new.example", "a.example", "b.example")


class Service(TlsOrigin):
    """Answers as the web service does. `version` and `answer` are what it has now; `response`, where set, is sent in
    place of the answer, as it is. `asked` holds the paths of all requests."""

    def __init__(self, name=SERVICE, answer=NEW, chain=None, **more):
        self.version, self.answer, self.response = "2026110100", answer, None
        self.asked = []
        super().__init__(script=self._serve, certificate=chain or certificate(name), name=name, **more)

    def _serve(self, peer):
        request = b""
        while b"\r\n\r\n" not in request:
            request += peer.read()
        path = request.split(b" ", 2)[1].decode()
        self.asked.append(path)
        if path.startswith("/version/"):
            instance = path.split("/")[2].split("?")[0]
            peer.write(page(json.dumps({"instance": instance, "latest": self.version})))
        else:
            peer.write(self.response or page(self.answer))


def page(body, status="200 OK", length=None):
    body = body.encode()
    return f"HTTP/1.1 {status}\r\nContent-Length: {length or len(body)}\r\nConnection: close\r\n\r\n".encode() + body


PKI = tempfile.TemporaryDirectory()


@functools.cache
def root(issuer):
    make_root(f"{PKI.name}/{issuer}", f"{issuer} root")
    return f"{PKI.name}/{issuer}"


@functools.cache
def certificate(name=SERVICE, issuer="service"):
    """A file with a certificate, and one with its key."""
    path = f"{PKI.name}/{name}-{issuer}"
    make_signed(path, root(issuer), name, f"subjectAltName=DNS:{name}\n{SERVER}")
    return f"{path}.pem", f"{path}.key"


class Desk:
    """A folder with a configuration and a set."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.file = f"{self.folder.name}/sets.json"
        self.write(OLD)
        return self

    def __exit__(self, *_):
        self.folder.cleanup()

    def run(self, *arguments, service=None, m365=None):
        """The command, with the service where its name leads."""
        lines = ["[listener proxy]", "listen = 127.0.0.1:0", "[access]", "destination = loopback", "[upstream]"]
        lines.append(f"ca_file = {root('service')}.pem")
        if service:
            lines.append(f"resolve = {service.name}:443:{service.address}:{service.port}")
        lines += ["[m365]", m365 if m365 is not None else f"endpoints = {self.file}"]
        with open(f"{self.folder.name}/conf.ini", "w", encoding="ascii") as f:
            f.write("\n".join(lines) + "\n")
        return run_client(program(), "endpoints", *arguments, "-c", f.name)

    def write(self, text, ending=""):
        with open(self.file + ending, "w", encoding="utf-8") as f:
            f.write(text)
        return f.name

    def read(self, ending=""):
        try:
            with open(self.file + ending, encoding="utf-8") as f:
                return f.read()
        except FileNotFoundError:
            return None


def check_kept(desk, result, cause):
    """The update has failed for this cause, and changed nothing."""
    check_equal(result.status, 1, f"exit code, with {result.output}")
    check_in(cause, result.output, "what it says")
    check_in("the set that is kept stays in place", result.output, "what it says")
    check_equal(desk.read(), OLD, "the set")
    check_equal(desk.read(".old"), None, "the one before")
    check_equal([name for name in os.listdir(desk.folder.name) if name.startswith("sets.json.")
                 and not name.endswith("client-id")], [], "files beside it")  # fmt: skip


@story
def an_update_asks_for_the_version_and_then_for_the_set():
    with Desk() as desk, Service() as service:
        result = desk.run("update", service=service)
        check_equal(result.status, 0, f"exit code, with {result.output}")
        check_equal(len(service.asked), 2, f"requests {service.asked}")
        guid = re.fullmatch(rf"/version/Worldwide\?ClientRequestId=({GUID})", service.asked[0])
        check(guid, f"first request {service.asked[0]}")
        wanted = f"/endpoints/Worldwide?ClientRequestId={guid[1]}&ServiceAreas={AREAS}"
        check_equal(service.asked[1], wanted, "second request")
        check_equal(desk.read(), NEW, "the set")
        check_equal(desk.read(".old"), OLD, "the one before")
        check_equal(desk.read(".client-id"), guid[1], "what the machine is known by")
        for line in ("- old.example: set 1 (Other, Allow, required), TCP 80, 443", "+ new.example: set 1", "kill -HUP"):
            check_in(line, result.output, "what it says")


@story
def a_set_is_fetched_only_when_its_version_has_moved():
    with Desk() as desk, Service() as service:
        check_equal(desk.run("update", service=service).status, 0, "exit code")
        service.answer = OLD
        result = desk.run("update", service=service)
        check_equal(result.status, 0, "exit code")
        check_in("is current: Worldwide 2026110100", result.output, "what it says")
        check_equal(len(service.asked), 3, "requests")
        check_equal(desk.read(), NEW, "the set")
        service.version = "2026120100"
        check_equal(desk.run("update", service=service).status, 0, "exit code")
        check_equal(len(service.asked), 5, "requests")
        check_equal(desk.read(), OLD, "the set")
        check_equal(desk.run("update", "--force", service=service).status, 0, "exit code")
        check_equal(len(service.asked), 7, "requests")
        names = {re.search(GUID, path)[0] for path in service.asked}
        check_equal(len(names), 1, f"names of the machine {names}")


@story
def every_instance_has_its_own_address_and_version():
    with Desk() as desk, Service() as service:
        check_equal(desk.run("update", service=service).status, 0, "exit code")
        result = desk.run("update", service=service, m365=f"endpoints = {desk.file}\ninstance = gcchigh")
        check_equal(result.status, 0, "exit code")
        check("is current" not in result.output, "the version of another instance is taken for this one's")
        check_in("/endpoints/USGovGCCHigh?", service.asked[-1], "request")


@story
def the_built_in_set_is_replaced_by_way_of_another_file():
    with Desk() as desk, Service(answer=None) as service:
        with open("conf/m365/Worldwide.json", encoding="ascii") as f:
            service.answer = f.read()
        check_equal(desk.run("update", service=service, m365="").status, 2, "exit code without a file")
        check_equal(service.asked, [], "requests")
        result = desk.run("update", "-o", desk.file, service=service, m365="")
        check_equal(result.status, 0, f"exit code, with {result.output}")
        check_equal(desk.read(), service.answer, "the set")
        check_in(f"write endpoints = {desk.file} into [m365]", result.output, "what it says")
        result = desk.run("lookup", "outlook.office365.com:587")
        check_equal(result.status, 0, "exit code")
        check_in(f"looked up in {desk.file}", result.output, "what it says")


@story
def a_server_that_does_not_verify_is_not_believed():
    with Desk() as desk:
        for chain in (certificate(issuer="another"), certificate("else.where.test")):
            with Service(chain=chain) as service:
                check_kept(desk, desk.run("update", service=service), "certificate")
                check_equal(service.asked, [], "requests")


@story
def a_server_below_tls_1_2_is_not_asked():
    with Desk() as desk, Service(highest="1.1") as service:
        check_kept(desk, desk.run("update", service=service), "")
        check_equal(service.asked, [], "requests")


@story
def an_answer_that_is_no_endpoint_set_changes_nothing():
    answers = [
        (page("<html><title>Sign in</title></html>"), "no JSON"),
        (page(NEW[:40], length=len(NEW)), "before its response was whole"),
        (page(NEW[:40]), "no JSON"),
        (page("not found", "404 Not Found"), "HTTP status 404"),
        (page("slow down", "429 Too Many Requests"), "wait an hour"),
        (page("", "302 Found"), "HTTP status 302"),
        (page("[]"), "there is no endpoint set in it"),
        (page('{"error": "x"}'), "no list of endpoint sets"),
        (page(sets("mail.example")), "has 1 names, and"),
        (page('[{"id": 1, "urls": "mail.example"}]'), "set 1: urls: no list of texts"),
        (page("[" + " " * (1 << 20) + "]"), "longer than 1048576 bytes"),
        (b"SSH-2.0-x\r\n\r\n", "HTTP"),
    ]
    with Desk() as desk, Service() as service:
        for response, cause in answers:
            service.response = response
            check_kept(desk, desk.run("update", service=service), cause)


@story
def a_version_that_is_none_changes_nothing():
    with Desk() as desk, Service() as service:
        for version in ("", "latest", "20261101000", "2026/11/01", 2026110100):
            service.version = version
            check_kept(desk, desk.run("update", service=service), "something that is no version")


@story
def a_service_that_cannot_be_reached_changes_nothing():
    with Desk() as desk, Service() as service, socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # and does not listen
        service.port = silent.getsockname()[1]
        check_kept(desk, desk.run("update", service=service), "refused")


@story
def a_url_or_a_file_takes_the_place_of_the_service():
    with Desk() as desk:
        with Service("mirror.floor.test") as service:
            desk.write("Worldwide 2026110100", ".version")
            result = desk.run("update", "--url", "https://mirror.floor.test/m365.json", service=service)
            check_equal(result.status, 0, f"exit code, with {result.output}")
            check_equal(service.asked, ["/m365.json"], "requests")
            check_equal(desk.read(), NEW, "the set")
            check_equal(desk.read(".version"), None, "version")
            result = desk.run("update", "--url", "http://mirror.floor.test/", service=service)
            check_equal(result.status, 1, "exit code for plain http")
        result = desk.run("update", "--from", desk.write(OLD, ".saved"))
        check_equal(result.status, 0, f"exit code, with {result.output}")
        check_equal(desk.read(), OLD, "the set")
        check_equal(desk.read(".old"), NEW, "the one before")


@story
def show_lookup_and_diff_answer_for_the_shipped_configuration():
    shipped = ["-c", "conf/tlsfloor.ini"]
    result = run_client(program(), "endpoints", "show", *shipped)
    check_equal(result.status, 0, "exit code")
    check_in("79 of 79 sets", result.output, "what it says")
    for name, status, part in (
        ("outlook.office365.com", 0, "set 1 (Exchange, Optimize, required)"),
        ("outlook.office365.com:587", 0, "set 2 (Exchange, Allow, optional)"),
        ("ocsp.digicert.com:80", 0, "plain HTTP stays plain"),
        ("device.login.microsoftonline.com", 0, "never terminated"),
        ("www.debian.org", 1, "no set has the name"),
    ):
        result = run_client(program(), "endpoints", "lookup", name, *shipped)
        check_equal(result.status, status, f"exit code for {name}")
        check_in(part, result.output, "what it says")
    check_equal(run_client(program(), "endpoints", "diff", "conf/m365/Worldwide.json", *shipped).status, 0, "exit code")
    result = run_client(program(), "endpoints", "diff", "conf/m365/China.json", *shipped)
    check_equal(result.status, 1, "exit code")
    check_in("+ partner.outlook.cn: set 1 (Exchange, Optimize, required), TCP 80, 443", result.output, "what it says")


run_stories()
