"""docker/compose.yaml without an engine: each service's own command, settings and files, in a root directory of its own.
`make compose-test` runs the same with one."""

import contextlib
import json
import os
import re
import shlex
import signal
import subprocess
import tempfile

import yaml
from harness import (
    check,
    check_equal,
    check_in,
    in_own_network,
    program,
    promtool,
    run_stories,
    skip_unless,
    story,
    wait_until,
)
from harness.gateway import Lines, gateway_ca

HAS_NETWORK = in_own_network()
DOCKER = os.path.abspath("docker")
GATEWAY, DEMO = "tlsfloor:latest", "tlsfloor-demo:latest"
NETWORK = "10.97.0"
WAIT_S = 20
PATHS = {GATEWAY: "/program", DEMO: "/demo"}  # where a root has what the images have in their PATH


def merged(first, second):
    """As compose does it with a second file: maps are merged, lists put together."""
    if isinstance(first, dict):
        return {**first, **{key: merged(first.get(key), value) for key, value in second.items()}}
    return first + second if isinstance(first, list) else second


def text_of(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def composition(*more):
    result = {}
    for name in ("compose.yaml", *more):
        result = merged(result, yaml.safe_load(text_of(f"{DOCKER}/{name}")))
    return result


COMPOSE = composition()
SERVICES = COMPOSE["services"]


def of_image(image):
    return {name: service for name, service in SERVICES.items() if service["image"] == image}


def seconds(text):
    return int(re.fullmatch(r"(\d+)s", text)[1])


def mounts_of(service):
    """(source, target, whether it can be written); a source is a path, or the name of a volume."""
    for mount in service.get("volumes", ()):
        source, target, *mode = mount.split(":")
        path = os.path.normpath(f"{DOCKER}/{source}") if source.startswith(".") else source
        yield path, target, mode != ["ro"]


def hosts():
    """A line a service, with the names that others know it by."""
    lines = []
    for number, (name, service) in enumerate(SERVICES.items(), 1):
        aliases = service.get("networks", {}).get("default", {}).get("aliases", [])
        lines.append(" ".join([f"{NETWORK}.{number}", name, *aliases]))
    return "\n".join(["127.0.0.1 localhost", *lines, ""])


class Machine:
    """Starts services; volumes are directories of its own, `secrets` are the contents of files by name."""

    def __init__(self, secrets=None):
        self.stack = contextlib.ExitStack()
        self.secrets = secrets or {}

    def __enter__(self):
        self.directory = self.stack.enter_context(tempfile.TemporaryDirectory(prefix="tlsfloor-compose-"))
        self.write("hosts", hosts())
        for name, text in self.secrets.items():
            self.write(f"secrets/{name}", text)
        return self

    def __exit__(self, *_):
        self.stack.close()

    def write(self, name, text):
        path = f"{self.directory}/{name}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8", opener=lambda p, flags: os.open(p, flags, 0o600)) as f:
            f.write(text)

    def mounts(self, service):
        """What stands in for the image, and what the service mounts."""
        yield "/etc/ssl", "/etc/ssl", False
        yield f"{self.directory}/hosts", "/etc/hosts", False
        yield os.path.abspath(program()), f"{PATHS[GATEWAY]}/tlsfloor", False
        yield f"{DOCKER}/demo", PATHS[DEMO], False
        if not any(target == "/etc/tlsfloor" for _, target, _ in mounts_of(service)):
            yield os.path.abspath("conf/container.ini"), "/etc/tlsfloor/tlsfloor.ini", False
        for name in service.get("secrets", ()):
            yield f"{self.directory}/secrets/{name}", f"/run/secrets/{name}", False
        for source, target, writable in mounts_of(service):
            if not source.startswith("/"):
                source = f"{self.directory}/volumes/{source}"
                os.makedirs(source, exist_ok=True)
            yield source, target, writable

    def command(self, service, *command):
        """Runs `command` in a root with this machine's /usr, and the service's mounts; only volumes can be written."""
        script = ["set -e", "R=$1", "shift", 'mount -t tmpfs tmpfs "$R"', 'cd "$R"', "mkdir -p usr dev proc"]
        script += [f"ln -s usr/{name} {name}" for name in ("bin", "lib", "lib64") if os.path.islink(f"/{name}")]
        script += [f"mount --rbind /{name} {name}" for name in ("usr", "dev", "proc")]
        for source, target, writable in self.mounts(service):
            inside = shlex.quote(target[1:])
            make = f"mkdir -p {inside}" if os.path.isdir(source) else f"install -D /dev/null {inside}"
            script += [make, f"mount --bind {shlex.quote(source)} {inside}"]
            script += [] if writable else [f"mount -o remount,bind,ro {inside}"]
        script += ['mount -o remount,ro "$R"', 'cd /; exec chroot "$R" "$@"']
        os.makedirs(f"{self.directory}/root", exist_ok=True)
        return ["unshare", "--mount", "sh", "-c", "\n".join(script), "sh", f"{self.directory}/root", *command]

    def environment(self, service):
        return {"PATH": f"{PATHS[GATEWAY]}:{PATHS[DEMO]}:/usr/bin:/usr/sbin", **service.get("environment", {})}

    def run(self, service, *command):
        """Both outputs of a command, and its exit status."""
        done = subprocess.run(
            self.command(service, *command), env=self.environment(service), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=WAIT_S, check=False,
        )  # fmt: skip
        return done.stdout.decode(), done.returncode

    @contextlib.contextmanager
    def running(self, service, *command):
        """Both outputs of a command, which has to end well when it is told to."""
        process = subprocess.Popen(
            self.command(service, *command), env=self.environment(service), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        out, err = Lines(process.stdout), Lines(process.stderr)
        try:
            yield out, err
            process.send_signal(signal.SIGTERM)
            check_equal(process.wait(WAIT_S), 0, f"exit code of {command}, which says {err.text()}")
        finally:
            process.kill()
            process.wait()

    @contextlib.contextmanager
    def gateway(self, service):
        """Its standard output, and {port: address} of what it listens on."""
        with self.running(service, "tlsfloor", "run") as (out, err):
            check(err.wait(lambda lines: "tlsfloor: ready" in lines), f"it does not start: {err.text()}")
            yield out, {int(port): address for address, port in re.findall(r"listening on (\S+):(\d+) ", err.text())}


def has_name_spaces():
    skip_unless(HAS_NETWORK, "right to make name spaces")


def setting(dump, section, key):
    return re.search(rf"^\[{section}\]\n(?:(?!\[).*\n)*?{key} = ([^;\n]*)", dump, re.M)[1].strip()


def check_gateway(machine, name, service):
    """Starts it as compose would, and answers with its effective settings."""
    dump, status = machine.run(service, "tlsfloor", "check", "--dump")
    check_equal(status, 0, f"exit code of check for {name}, which says {dump}")
    patience = sum(int(setting(dump, "limits", key)) for key in ("grace_s", "drain_s"))
    check(seconds(service["stop_grace_period"]) > patience, f"{name} has the time to drain")
    check_equal(setting(dump, "gateway", "threads"), str(service["cpus"]), f"threads of {name}")
    with machine.gateway(service) as (_, listening):
        for port in service["ports"]:
            address = listening.get(int(port.rsplit(":", 1)[1]))
            check(address in ("*", "[::]"), f"{name} listens where the port {port} is published, but {listening}")
        check_equal(machine.run(service, "tlsfloor", "healthcheck"), ("ready\n", 0), f"health of {name}")
    return dump


@story
def every_container_is_held_to_its_limits():
    for name, service in SERVICES.items():
        for key, value in (
            ("read_only", True),
            ("cap_drop", ["ALL"]),
            ("security_opt", ["no-new-privileges:true"]),
            ("restart", "unless-stopped"),
        ):
            check_equal(service.get(key), value, f"{key} of {name}")
        check(re.fullmatch(r"[1-9]\d*:\d+", service["user"]), f"{name} has a user by number, who is not root")
        check({"mem_limit", "cpus", "pids_limit", "profiles"} <= set(service), f"{name} has limits and a profile")
        check_in("max-size", service["logging"]["options"], f"what bounds the log of {name}")
        check("build" in service or re.search(r":v?\d+\.\d+\.\d+$", service["image"]), f"{name} has a pinned image")


@story
def only_what_devices_need_is_published_to_the_network():
    published = {
        (name, port) for name, service in SERVICES.items() for port in service.get("ports", ()) if "127.0.0.1" not in port
    }
    check_equal(
        published,
        {("gateway", "3128:3128"), ("audit", "3128:3128")}
        | {("printers", port) for port in ("2525:2525", "587:2525", "143:2143", "110:2110")},
        "ports that are open to others",
    )


@story
def what_is_mounted_is_there():
    for name, service in SERVICES.items():
        for source, target, _ in mounts_of(service):
            there = os.path.exists(source) if source.startswith("/") else source in COMPOSE["volumes"]
            check(there, f"{name} has something to mount at {target}: {source}")
    used = {source for service in SERVICES.values() for source, _, _ in mounts_of(service)}
    check_equal(set(COMPOSE["volumes"]) - used, set(), "volumes that nobody mounts")


@story
def every_gateway_starts_and_listens_where_its_ports_are_published():
    has_name_spaces()
    modes = {}
    for name, service in of_image(GATEWAY).items():
        with Machine() as machine:
            machine.write("volumes/demo-office/root.pem", text_of(f"{gateway_ca()}/ca.pem"))
            modes[name] = setting(check_gateway(machine, name, service), "floor", "mode")
    wanted = {"gateway": "enforce", "audit": "monitor", "printers": "enforce", "demo-gateway": "enforce"}
    check_equal(modes, wanted, "modes")


@story
def every_gateway_starts_with_its_secrets():
    has_name_spaces()
    with Machine() as machine:
        user, _ = machine.run(SERVICES["gateway"], "sh", "-c", "echo secret | tlsfloor hash-password --user anna")
    oauth = "flow = client_credentials\ntenant = t.example\nclient_id = 1\nclient_secret_file = /run/secrets/oauth.secret\n"
    secrets = {
        "users": user,
        "devices": user,
        "oauth.ini": oauth,
        "oauth.secret": "hush\n",
        "ca.pem": text_of(f"{gateway_ca()}/ca.pem"),
        "ca.key": text_of(f"{gateway_ca()}/ca.key"),
        "tickets": f"{os.urandom(80).hex()}\n",
    }
    used = set()
    for file, name in (("logins", "gateway"), ("oauth", "printers"), ("shared", "audit")):
        compose = composition(f"compose/{file}.yaml")
        service = compose["services"][name]
        check_equal(set(service["secrets"]) - set(compose["secrets"]), set(), f"secrets of {name} that are nowhere")
        used |= set(service["secrets"])
        with Machine(secrets) as machine:
            check_in("/run/secrets/", check_gateway(machine, name, service), f"the settings of {name}")
    check_equal(used, set(secrets), "secrets that were used")


@story
def prometheus_takes_its_settings_and_asks_the_gateway():
    tool = promtool()
    with tempfile.TemporaryDirectory() as directory:
        for source, target, _ in mounts_of(SERVICES["prometheus"]):
            if os.path.isabs(source):
                os.symlink(source, f"{directory}/{os.path.basename(target)}")
        done = subprocess.run(
            [tool, "check", "config", f"{directory}/prometheus.yml"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
    said = done.stdout.decode()
    check_equal(done.returncode, 0, f"promtool check config, which says {said}")
    check_in("1 rule files found", said, "what promtool says")
    (job,) = yaml.safe_load(text_of(f"{DOCKER}/compose/prometheus.yml"))["scrape_configs"]
    check_equal(job["job_name"], "tlsfloor", "the job that the alerts are about")
    (target,) = job["static_configs"][0]["targets"]
    environment = SERVICES["demo-gateway"]["environment"]
    check_equal(target, f"{environment['TLSFLOOR_ADMIN_HOSTS']}:9180", "whom it asks, by a name that is answered")


@story
def grafana_finds_its_data_source_and_the_dashboard():
    grafana = SERVICES["grafana"]
    where = {target: source for source, target, _ in mounts_of(grafana)}
    source, board = (
        yaml.safe_load(text_of(where[f"/etc/grafana/provisioning/{kind}/tlsfloor.yml"])) for kind in ("datasources", "dashboards")
    )
    (prometheus,) = source["datasources"]
    check_equal(prometheus["url"], "http://prometheus:9090", "the data source")
    check(prometheus["isDefault"] and prometheus["type"] == "prometheus", "the dashboard takes it unasked")
    settings = yaml.safe_load(text_of(f"{DOCKER}/compose/prometheus.yml"))["global"]
    check_equal(prometheus["jsonData"]["timeInterval"], settings["scrape_interval"], "how often there are values")
    folder = board["providers"][0]["options"]["path"]
    home = grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    check_equal(os.path.dirname(home), folder, "where the dashboard of the first page is")
    check("panels" in json.loads(text_of(f"{where[folder]}/{os.path.basename(home)}")), "it is one")


@contextlib.contextmanager
def network_of_services():
    addresses = [f"{NETWORK}.{number}/32" for number in range(1, len(SERVICES) + 1)]
    for address in addresses:
        subprocess.run(["ip", "address", "add", address, "dev", "lo"], check=True)
    try:
        yield
    finally:
        for address in addresses:
            subprocess.run(["ip", "address", "delete", address, "dev", "lo"], check=True)


def first_words(machine, name):
    """What a client says first, once it has come to something."""
    with machine.running(SERVICES[name], *SERVICES[name]["command"]) as (out, _):
        return (out.wait(lambda lines: lines[:1]) or [""])[0]


@story
def the_demo_has_clients_that_pass_that_are_upgraded_and_that_are_refused():
    has_name_spaces()
    office, gateway = SERVICES["office"], SERVICES["demo-gateway"]
    with network_of_services(), Machine() as machine, machine.running(office, *office["command"]):
        health = office["healthcheck"]["test"][1:]
        wait_until(lambda: machine.run(office, *health)[1] == 0, "the stand-in is healthy")
        with machine.gateway(gateway) as (out, _):
            words = {name: first_words(machine, name) for name in of_image(DEMO) if name != "office"}
            check_in("alert protocol version", words.pop("old-erp"), "what becomes of the client that is refused")
            page = "outlook.office365.com over TLSv1.3"
            wanted = {"modern-app": page, "old-app": page, "scanner": "the mail is taken"}
            check_equal(words, wanted, "what becomes of the others")
        records = [json.loads(line) for line in out.lines]
    check_equal(
        {(record["event.action"], record.get("tlsfloor.upgrade.from", record.get("tls.version"))) for record in records},
        {("tls-upgraded", "1.0"), ("tls-upgraded", "plain"), ("tls-version-blocked", "1.1")},
        "records",
    )


run_stories()
