"""The program under test: starts it, knows its ports, reads its records, and stops it as strictly as it can."""

import atexit
import functools
import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time
import urllib.request

from .pki import ca_file, workplace
from .story import check, check_equal

WAIT_S = 20
SANITIZER = re.compile(r"ERROR: AddressSanitizer|ERROR: LeakSanitizer|runtime error:|WARNING: ThreadSanitizer")

# What every story has unless it says otherwise: both kinds of listener, loopback as a destination, no DNS, so that
# nothing but the story's own origins can be reached, and no CA, since to make one takes time.
DEFAULTS = {
    "floor.minimum": "1.2",
    "listener proxy.listen": "127.0.0.1:0",
    "listener proxy.kind": "connect",
    "listener straight.listen": "127.0.0.1:0",
    "listener straight.kind": "sni",
    "access.port": "443, 80",
    "access.destination": "loopback",
    "dns.servers": "127.0.0.1:1",
    "ca.directory": "off",
    "log.block": "-",
    "log.rollup_s": "0",
    "gateway.threads": "2",
    "limits.drain_s": "5",
}


def program():
    return os.environ.get("TLSFLOOR") or workplace("tlsfloor")


def clean_environment():
    """Without what would be taken for settings."""
    return {key: value for key, value in os.environ.items() if not key.startswith("TLSFLOOR")}


def ini_of(settings):
    """INI text from {"section.key": value}; a list gives the key several times."""
    sections = {}
    for path, value in settings.items():
        section, key = path.rsplit(".", 1)
        values = value if isinstance(value, list) else [value]
        sections.setdefault(section, []).extend(f"{key} = {v}" for v in values)
    return "\n".join("\n".join([f"[{name}]", *lines, ""]) for name, lines in sections.items())


@functools.cache
def gateway_ca():
    """The directory of a CA for gateways that upgrade, made once for each scenario; it may vouch for the names of
    origins and of Microsoft 365."""
    directory = workplace("run", f"ca-{os.getpid()}")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    file = f"{directory}.ini"
    rule = {"rule origins.destination": "*.floor.test", "rule origins.action": "upgrade"}
    with open(file, "w", encoding="utf-8") as f:
        f.write(ini_of({**DEFAULTS, **rule, "ca.directory": directory}))
    command = [program(), "ca", "init", "-c", file]
    done = subprocess.run(command, env=clean_environment(), check=False, capture_output=True)
    check_equal(done.returncode, 0, f"exit code of ca init, which says {done.stderr.decode()}")
    os.unlink(file)
    return directory


def inspected(flight, *options):
    """What `tlsfloor inspect` says of captured bytes."""
    command = [program(), "inspect", *options, "-"]
    done = subprocess.run(command, input=bytes(flight), env=clean_environment(), check=False, capture_output=True)
    return json.loads(done.stdout)


class Lines:
    """A pipe read by a thread; its lines can be waited for."""

    def __init__(self, pipe):
        self.lines = []
        self.ended = False
        self.changed = threading.Condition()
        self.thread = threading.Thread(target=self._read, args=(pipe,), daemon=True)
        self.thread.start()

    def _read(self, pipe):
        for line in pipe:
            with self.changed:
                self.lines.append(line.decode(errors="replace").rstrip("\n"))
                self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def wait(self, found, timeout=WAIT_S):
        """What found(lines) answers once that is true; None if it never is."""
        with self.changed:
            self.changed.wait_for(lambda: found(self.lines) or self.ended, timeout)
            return found(self.lines)

    def text(self, last=0):
        with self.changed:
            return "\n".join(self.lines[-last:])


class Gateway:
    """Runs for the length of a `with` block. `origins` become reachable under their names. `settings` are
    {"section.key": value} on top of DEFAULTS (None takes one out); or there is a file, and settings by `environment`.
    With `upgrades` it has a CA, whose certificate is in the file `ca`, and trusts the origins.
    At the end the gateway must stop with exit code 0 and no sanitizer's report, and every record must have been asked
    for: one that no story expects is a defect."""

    def __init__(self, *origins, settings=None, file=None, environment=None, upgrades=False):
        wanted = {"upstream.resolve": resolve_lines(*origins), **DEFAULTS}
        if upgrades:
            wanted |= {"ca.directory": gateway_ca(), "upstream.ca_file": ca_file()}
            self.ca = f"{gateway_ca()}/ca.pem"
        wanted |= settings or {}
        self.ini = ini_of({key: value for key, value in wanted.items() if value is not None})
        self.file = file or workplace("run", f"{os.getpid()}-{time.monotonic_ns()}.ini")
        self.temporary = file is None
        self.environment = environment or {}
        if not self.temporary:
            self.environment = {
                "TLSFLOOR_CA_DIRECTORY": DEFAULTS["ca.directory"],
                "TLSFLOOR_INVENTORY_FILE": "memory",
                **self.environment,
            }
        self.pass_fds = ()
        self.taken = 0
        self.finished = False

    def command(self):
        return [program(), "run", "-c", self.file]

    def __enter__(self):
        if self.temporary:
            self.write(self.ini)
        self.process = subprocess.Popen(
            self.command(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**clean_environment(), **self.environment},
            pass_fds=self.pass_fds,
        )
        self.stdout = Lines(self.process.stdout)
        self.stderr = Lines(self.process.stderr)
        if not self.stderr.wait(lambda lines: "tlsfloor: ready" in lines):
            self.kill()
            raise AssertionError(f"the gateway did not start with {self.file}:\n{self.stderr.text()}")
        found = re.findall(r"listening on (\S+):(\d+) \((.*)\)", self.stderr.text())
        self.ports = {name: int(port) for _, port, name in found}
        return self

    def __exit__(self, kind, *_):
        if kind is not None:  # the story failed: say all that is known
            self.kill()
            print(f"the gateway's last words:\n{self.stderr.text(20)}\nits last records:\n{self.stdout.text(5)}")
        elif not self.finished:
            self.stop()
        if kind is None and self.temporary:
            os.unlink(self.file)

    @property
    def proxy(self):
        return self.ports["proxy"]

    @property
    def straight(self):
        return self.ports["straight"]

    def record(self, wanted=None):
        """The next record, once it is there. `wanted`: fields that it must have, {"event.code": "..."}."""
        number = self.taken
        if not self.stdout.wait(lambda lines: len(lines) > number):
            raise AssertionError(f"record {number + 1} was never written")
        self.taken += 1
        record = json.loads(self.stdout.lines[number])
        for key, value in (wanted or {}).items():
            check_equal(record.get(key), value, f"{key} of {record}")
        return record

    def write(self, ini):
        """Gives the file other contents, for a reload."""
        with open(self.file, "w", encoding="utf-8") as f:
            f.write(ini)

    def reload(self, ini):
        """Gives the file other contents, and waits until they are in force."""

        def reloads(lines):
            return lines.count("tlsfloor: reloaded")

        before = reloads(self.stderr.lines)
        self.write(ini)
        self.signal(signal.SIGHUP)
        check(self.stderr.wait(lambda lines: reloads(lines) > before), "it never says that it reloaded")

    def metric(self, name, **labels):
        """The sum over all labels but those that are given, from the admin listener."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ports['admin']}/metrics", timeout=WAIT_S) as response:
            lines = response.read().decode().splitlines()
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        return sum(
            int(line.split()[-1])
            for line in lines
            if re.match(rf"{name}(\{{|\s)", line) and all(label in line for label in wanted)
        )

    def cpu_s(self):
        """Seconds of processor time so far."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self, within_s=WAIT_S):
        self.signal(signal.SIGTERM)
        self.finish(within_s)

    def finish(self, within_s=WAIT_S):
        """Waits for the end of a gateway that was told to stop."""
        try:
            code = self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"still running {within_s} s after SIGTERM:\n{self.stderr.text()}") from None
        self.finished = True
        self.stdout.thread.join()
        self.stderr.thread.join()
        errors = self.stderr.text()
        check(not SANITIZER.search(errors), f"a sanitizer's report:\n{errors}")
        check_equal(code, 0, f"exit code, with standard error\n{errors}\n")
        check_equal(self.stdout.lines[self.taken :], [], "records that nothing explains")

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.stdout.thread.join()
        self.stderr.thread.join()


def resolve_lines(*origins):
    def line(origin):
        address = f"[{origin.address}]" if ":" in origin.address else origin.address
        return f"{origin.name}:{origin.asked_port}:{address}:{origin.port}"

    return [line(origin) for origin in origins] or None


def wait_until(holds, what, timeout=WAIT_S):
    """For what no event tells of, such as a file that another process writes."""
    end = time.monotonic() + timeout
    while not holds():
        check(time.monotonic() < end, f"never came true: {what}")
        time.sleep(0.01)
