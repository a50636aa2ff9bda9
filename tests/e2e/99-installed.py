"""What `make install` puts on a machine: all of it, in its place, and such that systemd and the program accept it."""

import configparser
import functools
import glob
import os
import re
import shutil
import subprocess
import tempfile

from harness import Gateway, check, check_equal, program, run_client, run_stories, skip_unless, story, workplace

UNIT = "usr/lib/systemd/system/tlsfloor.service"
SOCKET = "usr/lib/systemd/system/tlsfloor.socket"
INI = "etc/tlsfloor/tlsfloor.ini"
SETTINGS = {INI, "etc/logrotate.d/tlsfloor"}
OWN = {
    "usr/bin/tlsfloor",
    UNIT,
    SOCKET,
    "usr/lib/sysusers.d/tlsfloor.conf",
    "usr/lib/tmpfiles.d/tlsfloor.conf",
    "usr/share/man/man8/tlsfloor.8",
    "usr/share/man/man5/tlsfloor.ini.5",
    "usr/share/bash-completion/completions/tlsfloor",
    "usr/share/zsh/site-functions/_tlsfloor",
    "usr/share/fish/vendor_completions.d/tlsfloor.fish",
    "usr/share/tlsfloor/grafana/tlsfloor.json",
    "usr/share/tlsfloor/prometheus/tlsfloor.rules",
    "usr/share/doc/tlsfloor/README.md",
    "usr/share/doc/tlsfloor/docker/README.md",
    "usr/share/doc/tlsfloor/examples/tlsfloor.ini",
    "usr/share/doc/tlsfloor/examples/tproxy.conf",
}


def make(goal, destination, prefix):
    """As on a machine where the program is built already, which is the one under test."""
    environment = {key: value for key, value in os.environ.items() if "MAKE" not in key}
    options = ["--old-file=all", f"BUILD={workplace()}", f"DESTDIR={destination}", f"PREFIX={prefix}"]
    done = subprocess.run(["make", *options, goal], env=environment, check=False, capture_output=True, text=True)
    check_equal(done.returncode, 0, f"exit code of make {goal}, which says {done.stderr}")
    return done.stdout


def files_in(directory):
    found = glob.glob("**", root_dir=directory, recursive=True, include_hidden=True)
    return {name for name in found if os.path.isfile(f"{directory}/{name}")}


def text_of(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def write(text, *path):
    with open(os.path.join(*path), "w", encoding="utf-8") as file:
        file.write(text)


@functools.cache
def whole():
    directory = tempfile.TemporaryDirectory()
    make("install", directory.name, "/usr")
    return directory


def installed(tell):
    """A story that is given a directory into which everything was installed, and which it may change."""

    @functools.wraps(tell)
    def with_directory():
        with tempfile.TemporaryDirectory() as machine:
            shutil.copytree(whole().name, machine, dirs_exist_ok=True)
            tell(machine)

    return story(with_directory)


def told(*command):
    done = run_client(*command, timeout=20)
    return done.status, done.output


def security(unit):
    return told("systemd-analyze", "security", "--no-pager", "--offline=yes", "--threshold=20", unit)


@installed
def everything_is_in_its_place_and_readable(machine):
    data = {f"usr/share/tlsfloor/{os.path.basename(name)}" for name in glob.glob("conf/*.schema.json")}
    examples = {f"usr/share/doc/tlsfloor/{name[5:]}" for name in glob.glob("conf/examples/*")}
    check_equal(files_in(machine), OWN | SETTINGS | data | examples, "what is installed")
    for name in files_in(machine):
        mode = os.stat(f"{machine}/{name}").st_mode & 0o7777
        check_equal(mode, 0o755 if name == "usr/bin/tlsfloor" else 0o644, f"mode of {name}")


@installed
def no_file_tells_where_it_was_built(machine):
    places = [os.getcwd().encode(), workplace().encode(), whole().name.encode()]
    with open(program(), "rb") as file:
        skip_unless(not re.search(rb"__[at]san_init|__gcov_", file.read()), "program without instruments")
    for name in files_in(machine):
        with open(f"{machine}/{name}", "rb") as file:
            content = file.read()
        for place in places:
            check(place not in content, f"{name} has {place.decode()} in it")


@installed
def what_is_in_etc_is_kept_and_all_the_rest_is_uninstalled(machine):
    write(text_of(machine, INI) + "; mine\n", machine, INI)
    os.makedirs(f"{machine}/var/lib/tlsfloor")
    write("state", machine, "var/lib/tlsfloor/ca.pem")
    write("somebody else's", machine, "usr/share/doc/other")
    check(f"kept {machine}/{INI}" in make("install", machine, "/usr"), "it does not say what it keeps")
    check(text_of(machine, INI).endswith("; mine\n"), "the configuration was overwritten")
    make("uninstall", machine, "/usr")
    left = SETTINGS | {"var/lib/tlsfloor/ca.pem", "usr/share/doc/other"}
    check_equal(files_in(machine), left, "what is left")
    check(not os.path.exists(f"{machine}/usr/share/tlsfloor"), "an empty directory is left")


@installed
def the_installed_configuration_works_with_its_state_in_var(machine):
    state = f"{machine}/var/lib/tlsfloor"
    os.makedirs(state)
    ini = text_of(machine, INI)
    named = re.findall(r"^(?:directory|file) = (\S+)", ini, re.M)
    check_equal(named, ["/var/lib/tlsfloor/ca", "/var/lib/tlsfloor/inventory.db"], "where its state is")
    write(ini.replace("/var/lib/tlsfloor", state), machine, INI)
    check_equal(told(program(), "check", "-c", f"{machine}/{INI}")[0], 0, "exit code of check")
    places = {
        "TLSFLOOR_LISTENER_PROXY_LISTEN": "127.0.0.1:0",
        "TLSFLOOR_ADMIN_LISTEN": "127.0.0.1:0",
        "TLSFLOOR_CA_DIRECTORY": f"{state}/ca",
        "TLSFLOOR_INVENTORY_FILE": f"{state}/inventory.db",
    }
    with Gateway(file=f"{machine}/{INI}", environment=places):
        check(os.path.exists(f"{state}/ca/ca.pem"), "no CA was made")


@story
def another_prefix_is_in_the_unit_too():
    with tempfile.TemporaryDirectory() as machine:
        make("install", machine, "/opt/tlsfloor")
        unit = text_of(machine, "opt/tlsfloor/lib/systemd/system/tlsfloor.service")
        command = re.search(r"^ExecStart=(\S+) run -c (\S+)$", unit, re.M)
        check_equal(command.groups(), ("/opt/tlsfloor/bin/tlsfloor", f"/{INI}"), "command of the unit")
        check(os.access(f"{machine}{command[1]}", os.X_OK), "the program is not where the unit says")
        check(os.path.exists(f"{machine}/{INI}"), "the configuration is not where the unit says")


@installed
def systemd_has_nothing_to_say_against_the_units(machine):
    write(text_of(machine, UNIT).replace("/usr/bin/tlsfloor", os.path.abspath(program())), machine, UNIT)
    units = [f"{machine}/{UNIT}", f"{machine}/{SOCKET}"]
    check_equal(told("systemd-analyze", "verify", "--man=no", *units), (0, ""), "verify")


@installed
def the_unit_is_as_safe_as_it_claims(machine):
    code, words = security(f"{machine}/{UNIT}")
    check_equal(code, 0, f"exit code of systemd-analyze security, which says\n{words}\n")
    # So that it is known to look at this unit: without its protection it is not safe.
    write(re.sub(r"^(Protect|Restrict|SystemCall).*\n", "", text_of(machine, UNIT), flags=re.M), machine, UNIT)
    check(security(f"{machine}/{UNIT}")[0] != 0, "systemd-analyze finds anything safe")


@installed
def the_units_fit_the_installed_configuration(machine):
    def directives(name):
        parser = configparser.RawConfigParser(strict=False)
        parser.optionxform = str
        parser.read(f"{machine}/{name}")
        return parser

    ini = dict(re.findall(r"^(\w+) = (\S+)", text_of(machine, INI).split("[m365]")[0], re.M))
    check_equal(directives(SOCKET)["Socket"]["ListenStream"], ini["listen"], "port of the socket unit")
    limits = dict(re.findall(r"^`?(\w+)`? *= (\d+)", text_of(machine, INI).split("[limits]")[1], re.M))
    stop_s = int(directives(UNIT)["Service"]["TimeoutStopSec"])
    check(stop_s > int(limits["drain_s"]), f"systemd kills it after {stop_s} s, in the middle of the drain")


@installed
def the_user_and_the_directories_are_made(machine):
    skip_unless(os.geteuid() == 0, "only root can make users")
    write("root:x:0:\nadm:x:4:\n", machine, "etc/group")
    check_equal(told("systemd-sysusers", f"--root={machine}", "tlsfloor.conf")[0], 0, "exit code")
    user = re.search(r"^tlsfloor:[^:]*:(\d+):(\d+):[^:]*:(.*):(.*)$", text_of(machine, "etc/passwd"), re.M)
    check_equal(user.groups()[2:], ("/var/lib/tlsfloor", "/usr/sbin/nologin"), "home and shell")
    told("systemd-tmpfiles", "--create", f"--root={machine}", "tlsfloor.conf")
    for name, mode, group in (("lib", 0o750, int(user[2])), ("log", 0o2750, 4)):
        made = os.stat(f"{machine}/var/{name}/tlsfloor")
        found = (made.st_mode & 0o7777, made.st_uid, made.st_gid)
        check_equal(found, (mode, int(user[1]), group), f"mode, user and group of /var/{name}/tlsfloor")


@story
def the_package_has_the_version_of_the_program():
    version = re.search(r"^tlsfloor \((.*?)\)", text_of("docker/debian/changelog"))[1]
    said = told(program(), "--version")[1]
    check(said.startswith(f"tlsfloor {version}\n"), f"the package is {version}, and the program says {said}")


run_stories()
