"""Images and containers without a daemon: buildah makes and opens images, crun runs them as Docker would."""

import json
import os
import subprocess
import tempfile

from harness import check, check_equal, run_client
from harness.gateway import WAIT_S, Lines

RESOLVER = "/etc/resolv.conf"


class Store:
    """buildah's storage below `directory`, apart from that of the machine's user, and what is in the environment for
    it: without overlays and without name spaces, so that it works within a container too."""

    def __init__(self, directory):
        configuration = f"{directory}/storage.conf"
        with open(configuration, "w", encoding="ascii") as f:
            f.write(f'[storage]\ndriver = "vfs"\ngraphroot = "{directory}/storage"\nrunroot = "{directory}/run"\n')
        self.environment = {
            "BUILDER": "buildah",
            "BUILDAH_ISOLATION": "chroot",
            "CONTAINERS_STORAGE_CONF": configuration,
            "TMPDIR": directory,
        }

    def run(self, *command):
        """Shows what it says, which may take long."""
        subprocess.run(command, env={**os.environ, **self.environment}, check=True)

    def ask(self, *arguments):
        done = subprocess.run(
            ["buildah", *arguments], env={**os.environ, **self.environment}, check=True, stdout=subprocess.PIPE
        )
        return done.stdout.decode().strip()

    def add_base(self, name, root):
        """An image of what is in the directory `root`."""
        container = self.ask("from", "scratch")
        self.ask("add", "--quiet", container, root, "/")
        self.ask("commit", "--quiet", "--rm", container, name)


class Image:
    """An opened image. `root`: the directory with its files; `config`: as Docker has it; `files`: the paths in it."""

    def __init__(self, store, name):
        self.root = store.ask("mount", store.ask("from", "--pull-never", name))
        about = json.loads(store.ask("inspect", "--type", "image", name))["Docker"]
        self.config, self.architecture = about["config"], about["architecture"]
        self.files = sorted(
            os.path.relpath(os.path.join(directory, name), self.root)
            for directory, _, names in os.walk(self.root)
            for name in names
        )

    def size(self):
        return sum(os.lstat(os.path.join(self.root, name)).st_size for name in self.files)


class Container:
    """Runs for the length of a `with` block, the way of `docker run --read-only --cap-drop ALL --security-opt
    no-new-privileges`: the image's command, or `arguments` to its entry point. `network` is a harness.netns.Place;
    `mounts` {path in it: path here}, read-only but for the state; `state` a directory for its volume."""

    def __init__(self, image, network, state, arguments=None, environment=None, mounts=None):
        self.image, self.network, self.state = image, network, state
        self.arguments = image.config["Cmd"] if arguments is None else list(arguments)
        self.environment, self.mounts = environment or {}, mounts or {}

    def _bundle(self):
        config = self.image.config
        user, group = map(int, config["User"].split(":"))
        nothing = {kind: [] for kind in ("bounding", "effective", "inheritable", "permitted", "ambient")}
        mounts = [
            {"destination": "/proc", "type": "proc", "source": "proc"},
            {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]},
            self._mount(next(iter(config["Volumes"])), self.state, "rw"),
            *(self._mount(there, here, "ro") for there, here in self.mounts.items()),
        ]
        return {
            "ociVersion": "1.0.0",
            "process": {
                "user": {"uid": user, "gid": group},
                "args": [*config["Entrypoint"], *self.arguments],
                "env": [*config["Env"], *(f"{name}={value}" for name, value in self.environment.items())],
                "cwd": config["WorkingDir"],
                "capabilities": nothing,
                "noNewPrivileges": True,
            },
            "root": {"path": self.image.root, "readonly": True},
            "hostname": "container",
            "mounts": mounts,
            "linux": {
                "namespaces": [
                    {"type": "network", "path": self.network.path},
                    *({"type": kind} for kind in ("pid", "ipc", "uts", "mount")),
                ]
            },
        }

    @staticmethod
    def _mount(there, here, how):
        return {"destination": there, "type": "bind", "source": here, "options": ["bind", how]}

    def _crun(self, *arguments):
        return ["crun", "--root", f"{self.directory.name}/state", "--cgroup-manager", "disabled", *arguments]

    def __enter__(self):
        self.directory = tempfile.TemporaryDirectory(prefix="container-")
        self.name = os.path.basename(self.directory.name)
        with open(f"{self.directory.name}/config.json", "w", encoding="utf-8") as f:
            json.dump(self._bundle(), f)
        self.process = subprocess.Popen(
            self._crun("run", "--bundle", self.directory.name, self.name),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.stdout, self.stderr = Lines(self.process.stdout), Lines(self.process.stderr)
        return self

    def __exit__(self, kind, *_):
        if self.process.poll() is None:
            subprocess.run(self._crun("kill", self.name, "KILL"), check=False)
        self.wait()
        if kind is not None:
            print(f"the container's last words:\n{self.stderr.text(20)}\nits last records:\n{self.stdout.text(5)}")
        self.directory.cleanup()

    def is_up(self):
        check(self.stderr.wait(lambda lines: "tlsfloor: ready" in lines), f"it did not start:\n{self.stderr.text()}")
        return self

    def run(self, *arguments):
        """The program once more in the same container, as `docker exec`: a result of run_client."""
        user = self.image.config["User"]
        return run_client(*self._crun("exec", "--user", user, self.name, *self.image.config["Entrypoint"], *arguments))

    def kill(self, signal):
        subprocess.run(self._crun("kill", self.name, signal), check=True)

    def pid(self):
        """Of its first process, as seen from here."""
        return json.loads(run_client(*self._crun("state", self.name)).output)["pid"]

    def record(self, number, wanted):
        """The n-th line of its standard output, which must have these fields."""
        check(self.stdout.wait(lambda lines: len(lines) > number), f"record {number} was never written")
        record = json.loads(self.stdout.lines[number])
        for key, value in wanted.items():
            check_equal(record.get(key), value, f"{key} of {record}")

    def wait(self, within_s=WAIT_S):
        """Its exit code."""
        code = self.process.wait(within_s)
        self.stdout.thread.join()
        self.stderr.thread.join()
        return code
