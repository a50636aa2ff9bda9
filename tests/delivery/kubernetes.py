"""docker/k8s without a cluster: rendered as `kubectl apply -k` would, checked against the API's schemas, and its pod
set up as a kubelet would. What is fetched for that is below the build directory."""

import configparser
import json
import os
import re
import shutil
import subprocess
import sys

import yaml

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../e2e"))

from harness.gateway import program  # noqa: E402
from harness.pki import workplace  # noqa: E402

K8S = "docker/k8s"
MIRROR = os.environ.get("MIRROR", "http://deb.debian.org/debian")
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
# The types of the API of Kubernetes 1.34 and of the Prometheus operator, with validators made of their schemas.
PACKAGES = ("kubernetes-models@5.1.0", "@kubernetes-models/prometheus-operator@6.0.0", "typescript@5.9.3")
COMPILER_OPTIONS = {
    "strict": True,
    "module": "esnext",
    "moduleResolution": "bundler",
    "target": "es2022",
    "skipLibCheck": True,
    "types": [],
    "useUnknownInCatchVariables": False,
}
CHECK = """
function check(object: { kind: string; validate(): void }) {
  try {
    object.validate();
  } catch (error) {
    console.log(`${object.kind}: ${error.message}`);
  }
}
"""


def run(*command, **more):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, text=True, **more)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} has failed:\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    return done.stdout


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def kustomization(name, *lines):
    """A directory with a kustomization of a user, on top of ours."""
    directory = workplace("k8s", name)
    ours = os.path.relpath(K8S, directory)
    text = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n" + "\n".join(lines).replace("OURS", ours)
    write(f"{directory}/kustomization.yaml", text)
    return directory


def fetched_kustomize():
    """Debian 13's, taken out of its package: Debian 12 has none that is new enough."""
    directory = workplace("k8s", "kustomize")
    kustomize = f"{directory}/usr/bin/kustomize"
    if os.path.exists(kustomize):
        return kustomize
    os.makedirs(f"{directory}/lists/partial", exist_ok=True)
    os.makedirs(f"{directory}/cache/archives/partial", exist_ok=True)
    sources = write(f"{directory}/sources.list", f"deb [signed-by={KEYRING}] {MIRROR} trixie main\n")
    options = [
        f"-oDir::Etc::SourceList={sources}",
        "-oDir::Etc::SourceParts=-",
        f"-oDir::State::Lists={directory}/lists",
        f"-oDir::Cache={directory}/cache",
        "-oAPT::Sandbox::User=root",
    ]
    run("apt-get", *options, "-qq", "update")
    run("apt-get", *options, "-qq", "download", "kustomize", cwd=directory)
    package = next(name for name in os.listdir(directory) if name.endswith(".deb"))
    run("dpkg-deb", "-x", package, ".", cwd=directory)
    return kustomize


def find_kustomize(probe):
    """A command that renders the directory `probe`, in which is what old ones do not know."""
    for command in (["kustomize", "build"], ["kubectl", "kustomize"]):
        if shutil.which(command[0]) and subprocess.run([*command, probe], capture_output=True).returncode == 0:
            return command
    return [fetched_kustomize(), "build"]


def parse_settings(text):
    parser = configparser.ConfigParser(interpolation=None, inline_comment_prefixes=(";",), strict=False)
    parser.read_string(text)
    return parser


class Rendering:
    """What Kustomize makes of a directory."""

    def __init__(self, name, text):
        self.name = name
        self.objects = list(yaml.safe_load_all(text))

    def all(self, kind):
        return [o for o in self.objects if o["kind"] == kind]

    def one(self, kind, name="tlsfloor"):
        found = [o for o in self.all(kind) if o["metadata"]["name"] == name]
        if len(found) != 1:
            raise AssertionError(f"{self.name} has {len(found)} of {kind} {name}")
        return found[0]

    @property
    def pod(self):
        return self.one("Deployment")["spec"]["template"]["spec"]

    @property
    def container(self):
        (container,) = self.pod["containers"]
        return container

    @property
    def ports(self):
        return {port["name"]: port["containerPort"] for port in self.container["ports"]}

    def environment(self):
        """What the kubelet would set."""
        variables = {}
        for source in self.container.get("envFrom", ()):
            variables |= self.one("ConfigMap", source["configMapRef"]["name"])["data"]
        return variables | {entry["name"]: entry["value"] for entry in self.container.get("env", ())}


class Schemas:
    """The objects become a program in TypeScript: its compiler finds what the types of the API do not know or want
    otherwise, and the program runs the validators."""

    def __init__(self):
        self.directory = workplace("k8s", "schemas")
        wanted = json.dumps(PACKAGES)
        stamp = f"{self.directory}/installed"
        if os.path.exists(stamp) and read(stamp) == wanted:
            return
        write(f"{self.directory}/package.json", '{"private": true, "type": "module"}')
        settings = {"compilerOptions": COMPILER_OPTIONS, "files": ["check.ts"]}
        write(f"{self.directory}/tsconfig.json", json.dumps(settings))
        options = ("--ignore-scripts", "--no-audit", "--no-fund", "--save-exact")
        run("npm", "install", *options, *PACKAGES, cwd=self.directory)
        write(stamp, wanted)

    def errors(self, objects):
        """What is wrong with them, in the words of the compiler and the validators; "" if nothing is."""
        imports, checks = [], []
        for n, o in enumerate(objects):
            version, kind = o["apiVersion"], o["kind"]
            operator = version.startswith("monitoring.coreos.com/")
            package = "@kubernetes-models/prometheus-operator" if operator else "kubernetes-models"
            imports.append(f'import {{ {kind} as Kind{n}, I{kind} as Type{n} }} from "{package}/{version}/{kind}";')
            checks.append(f"const object{n}: Type{n} = {json.dumps(o, indent=1)};\ncheck(new Kind{n}(object{n}));")
        write(f"{self.directory}/check.ts", "\n".join([*imports, CHECK, *checks, ""]))
        compiler = ["node", "node_modules/typescript/bin/tsc", "-p", "."]
        said = [
            subprocess.run(command, cwd=self.directory, check=False, stdout=subprocess.PIPE, text=True)
            for command in (compiler, ["node", "check.js"])
        ]
        if said[1].returncode != 0:
            raise RuntimeError(f"what should check the objects does not work: {said[0].stdout}")
        return "".join(done.stdout for done in said)


# Mounts end with the namespace. $1 is the new root, $2 the program, and then there are pairs of a volume and its path.
POD = r"""
set -euo pipefail
root=$1 program=$2
shift 2
mount -t tmpfs pod "$root"
mkdir "$root"/usr "$root"/etc "$root"/dev
mount --rbind -o ro /usr "$root/usr"
for link in lib lib64 bin; do ln -s "usr/$link" "$root/$link"; done
cp "$program" "$root/tlsfloor"
touch "$root/dev/null" && mount --bind /dev/null "$root/dev/null"
while [ "$1" != -- ]; do
    mkdir -p "$root$2"
    mount --rbind -o ro "$1" "$root$2"
    shift 2
done
shift
mount -o remount,ro "$root"
ip link set lo up
exec chroot --userspec="$POD_USER:$POD_GROUP" --groups="$POD_FSGROUP" "$root" /tlsfloor "$@"
"""


class Pod:
    """The one container of a rendering's pod on this machine: its user, its environment, its volumes with the owners,
    modes and links that a kubelet gives them, a read-only root and a network of its own.
    `secrets`: {name: {key: text}}."""

    def __init__(self, rendering, secrets):
        self.rendering = rendering
        self.directory = workplace("k8s", "pod")
        shutil.rmtree(self.directory, ignore_errors=True)
        os.makedirs(f"{self.directory}/root")
        os.chmod(self.directory, 0o755)
        self.security = rendering.pod["securityContext"]
        for volume in rendering.pod["volumes"]:
            self._make(volume, secrets)

    def _make(self, volume, secrets):
        if "secret" in volume:
            source = volume["secret"]
            files = {item["path"]: secrets[source["secretName"]][item["key"]] for item in source["items"]}
        else:
            source = volume["configMap"]
            files = self.rendering.one("ConfigMap", source["name"])["data"]
        directory = f"{self.directory}/{volume['name']}"
        os.makedirs(f"{directory}/..2026_11_22")
        os.symlink("..2026_11_22", f"{directory}/..data")
        for name, text in files.items():
            path = write(f"{directory}/..2026_11_22/{name}", text)
            os.chown(path, 0, self.security["fsGroup"])
            os.chmod(path, source.get("defaultMode", 0o644) | 0o440)  # fsGroup gives its group the right to read
            os.symlink(f"..data/{name}", f"{directory}/{name}")

    def command(self, *arguments):
        """A command line that runs the program in the pod with `arguments`; its process is the program's."""
        mounts = []
        for mount in self.rendering.container["volumeMounts"]:
            mounts += [f"{self.directory}/{mount['name']}", mount["mountPath"]]
        unshare = ["unshare", "--mount", "--net", "bash", "-c", POD, "pod"]
        return [*unshare, f"{self.directory}/root", program(), *mounts, "--", *arguments]

    def environment(self):
        user = {"POD_USER": "runAsUser", "POD_GROUP": "runAsGroup", "POD_FSGROUP": "fsGroup"}
        variables = {name: str(self.security[key]) for name, key in user.items()}
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **variables, **self.rendering.environment()}


def version_of_makefile():
    return re.search(r"^VERSION\s*:= (\S+)$", read("Makefile"), re.M)[1]
