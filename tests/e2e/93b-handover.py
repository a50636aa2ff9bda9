"""SIGUSR2 hands the sockets to a new binary: no client notices, live sessions end where they began, the accounts add up,
and what goes wrong leaves the old gateway at work."""

import contextlib
import ctypes
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import threading
import urllib.request

from harness import (
    CONNECT,
    TLS10,
    Gateway,
    HttpOrigin,
    OfficeOrigin,
    RawClient,
    RawOrigin,
    TlsPeer,
    alert,
    begin_session,
    check,
    check_equal,
    check_in,
    clean_environment,
    client_context,
    client_hello,
    echo,
    is_alive,
    one_record,
    program,
    reach,
    run_stories,
    skip_unless,
    story,
    wait_until,
    workplace,
)

OFFICE = "outlook.office365.com"
OLD = one_record(client_hello(TLS10))
PR_SET_CHILD_SUBREAPER = 36


class Adopted:
    """A process that is our child since its parent has ended; as far as a Gateway needs one."""

    def __init__(self, pid):
        self.pid = pid
        self.handle = os.pidfd_open(pid)
        self.code = None

    def send_signal(self, number):
        signal.pidfd_send_signal(self.handle, number)

    def kill(self):
        self.send_signal(signal.SIGKILL)

    def wait(self, timeout=None):
        if self.code is None:
            if not select.select([self.handle], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("the new gateway", timeout)
            self.code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
            os.close(self.handle)
        return self.code


class Replaceable(Gateway):
    """A gateway whose binary is a link, to be turned to another one."""

    def __init__(self, *origins, **more):
        super().__init__(*origins, **more)
        self.link = workplace("run", f"gateway-{os.getpid()}")
        self.older = []
        self.become(program())

    def become(self, target):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.link)
        os.symlink(target, self.link)

    def become_script(self, text):
        script = f"{self.link}.sh"
        with open(script, "w", encoding="ascii") as f:
            f.write(text)
        os.chmod(script, 0o755)
        self.become(script)

    def command(self):
        return [self.link, "run", "-c", self.file]

    def kill(self):
        for process in self.older:
            process.kill()
            process.wait()
        super().kill()

    def __exit__(self, *error):
        try:
            super().__exit__(*error)
        finally:
            for path in (self.link, f"{self.link}.sh"):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(path)

    def says(self, pattern, times=1):
        """The last of so many matches."""
        found = self.stderr.wait(lambda lines: re.findall(pattern, "\n".join(lines))[times - 1 :])
        check(found, f"it never says '{pattern}':\n{self.stderr.text(20)}")
        return found[-1]

    def hand_over(self):
        """True: the new one is at work, in place of the old one, which may still have sessions."""
        self.signal(signal.SIGUSR2)
        pid = int(self.says(r"handed over: process (\d+) takes", len(self.older) + 1))
        check(pid != self.process.pid, "it is the same process")
        self.older.append(self.process)
        self.process = Adopted(pid)

    def old_one_ends(self, within_s=20):
        for process in self.older:
            check_equal(process.wait(within_s), 0, "exit code of an old one")

    def finish(self, within_s=20):
        self.old_one_ends(within_s)
        super().finish(within_s)

    def stop_with(self, wanted):
        """Ends it; the records of all processes are so many of each action."""
        count = sum(wanted.values())
        self.stdout.wait(lambda lines: len(lines) >= count)
        self.taken = count
        self.stop()
        actions = [json.loads(line)["event.action"] for line in self.stdout.lines]
        check_equal({action: actions.count(action) for action in wanted}, wanted, "records")

    def hand_over_in_vain(self, why):
        self.signal(signal.SIGUSR2)
        self.says(rf"not handed over, this gateway goes on: process \d+: {why}")
        check_equal(self.process.poll(), None, "the old gateway")


def is_refused(gateway, source=None):
    with RawClient(gateway.straight, source=source) as client:
        client.send(OLD)
        check_equal(client.receive_all(), alert(70, TLS10), "answer")


class Crowd:
    """Clients that come one after the other, from several threads, until the block ends; each does one of `acts` in
    turn. Whatever goes wrong with one is raised at the end."""

    THREADS = 6

    def __init__(self, *acts):
        self.acts = acts
        self.done = [0] * len(acts)
        self.errors = []
        self.mutex = threading.Lock()
        self.over = threading.Event()

    def _run(self, n):
        while not self.over.is_set():
            n = (n + 1) % len(self.acts)
            try:
                self.acts[n]()
            except Exception as error:
                self.errors.append(error)
                return
            with self.mutex:
                self.done[n] += 1

    def waits_for_more(self):
        """Until each act has been done some times more."""
        with self.mutex:
            before = list(self.done)
        wait_until(
            lambda: self.errors or all(now > then + 3 for now, then in zip(self.done, before)), "clients come"
        )

    def __enter__(self):
        self.threads = [threading.Thread(target=self._run, args=(n,)) for n in range(self.THREADS)]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()
        if self.errors:
            raise self.errors[0]


@story
def under_load_nobody_is_refused_or_reset_and_all_is_accounted_for():
    settings = {"admin.listen": "127.0.0.1:0", "gateway.threads": "2", "limits.drain_s": "10"}
    with RawOrigin(echo) as origin, OfficeOrigin(name=OFFICE) as office, HttpOrigin() as http:
        with Replaceable(origin, office, http, settings=settings, upgrades=True) as gateway:
            context = client_context("1.0", "1.0", gateway.ca)
            sessions = threading.local()

            def tunnels():
                with begin_session(gateway) as client:
                    is_alive(client)

            def is_upgraded():
                with reach(gateway, CONNECT, OFFICE) as raw:
                    peer = TlsPeer(raw.sock, context, OFFICE, session=getattr(sessions, "last", None)).handshake()
                    peer.write(f"GET / HTTP/1.1\r\nHost: {OFFICE}\r\n\r\n".encode())
                    check(b"page over TLSv1" in peer.read_all(), "no page came")
                    peer.close()
                    sessions.last = peer.tls.session

            def asks_in_plain_text():
                with RawClient(gateway.proxy) as client:
                    client.send(b"GET http://plain.floor.test/ HTTP/1.1\r\nHost: plain.floor.test\r\n\r\n")
                    check_in(b"200", client.receive_until(b"\r\n\r\n"), "answer")

            def asks_admin():
                urllib.request.urlopen(f"http://127.0.0.1:{gateway.ports['admin']}/readyz", timeout=20).close()

            acts = (tunnels, is_upgraded, lambda: is_refused(gateway), asks_in_plain_text, asks_admin)
            with begin_session(gateway) as live, Crowd(*acts) as crowd:
                for _ in range(2):
                    crowd.waits_for_more()
                    gateway.hand_over()
                crowd.waits_for_more()
                is_alive(live)
                check_equal(gateway.older[0].poll(), None, "the first gateway, which has a session")
            gateway.old_one_ends()
            gateway.stop_with({"tls-version-blocked": crowd.done[2], "tls-upgraded": crowd.done[1]})


@story
def a_live_tunnel_lives_on_in_the_old_process():
    with RawOrigin(echo) as origin, Replaceable(origin) as gateway:
        with begin_session(gateway) as before:
            gateway.hand_over()
            with begin_session(gateway) as after:
                is_alive(before)
                is_alive(after)
            check_equal(gateway.older[0].poll(), None, "the old gateway")
        gateway.old_one_ends(within_s=4)
        with begin_session(gateway) as client:
            is_alive(client)


@story
def the_old_process_ends_what_does_not_end_by_itself_when_drain_s_is_over():
    with RawOrigin(echo) as origin, Replaceable(origin, settings={"limits.drain_s": "0.3"}) as gateway:
        with begin_session(gateway):
            gateway.hand_over()
            gateway.old_one_ends(within_s=4)


@story
def the_new_process_has_only_the_descriptors_that_it_needs():
    with RawOrigin(echo) as origin, Replaceable(origin) as gateway, begin_session(gateway) as client:
        gateway.hand_over()
        own, servers = client.sock.getsockname()[1], origin.connection().sock.getpeername()[1]
        with open("/proc/net/tcp", encoding="ascii") as f:
            links = {f"socket:[{line.split()[9]}]": line.split()[1] for line in f.readlines()[1:]}
        fds = f"/proc/{gateway.process.pid}/fd"
        open_there = [links[target] for fd in os.listdir(fds) if (target := os.readlink(f"{fds}/{fd}")) in links]
        ports = {int(address.split(":")[1], 16) for address in open_there}
        check(own not in ports and servers not in ports, "it holds the old one's sessions open")
        check_equal(ports, {gateway.proxy, gateway.straight}, "its ports")


@story
def another_way_of_writing_it_down_counts_at_once():
    """The new gateway reads the file anew: other threads, one listener more, one less."""
    settings = {"gateway.threads": "3"}
    with RawOrigin(echo) as origin, Replaceable(origin, settings=settings) as gateway:
        for threads in (1, 4):
            more = f"[listener more{threads}]\nlisten = 127.0.0.1:0\nkind = sni\n"
            gateway.write(re.sub("threads = .", f"threads = {threads}", gateway.ini) + more)
            gateway.hand_over()
            for _ in range(20):
                with begin_session(gateway) as client:
                    is_alive(client)
            port = int(gateway.says(rf"listening on \S+:(\d+) \(more{threads}\)"))
            RawClient(port).close()
        gateway.old_one_ends()
        gone = int(gateway.says(r"listening on \S+:(\d+) \(more1\)"))
        check(not can_connect(gone), "it still listens on what the file has no more")


def can_connect(port):
    try:
        RawClient(port).close()
    except OSError:
        return False
    return True


@story
def a_bad_file_changes_nothing_and_it_can_be_tried_again():
    with RawOrigin(echo) as origin, Replaceable(origin) as gateway, begin_session(gateway) as live:
        gateway.write(gateway.ini.replace("minimum = 1.2", "minimum = 7"))
        gateway.hand_over_in_vain("it ended with exit code 3; what it said is above")
        check_in("not started: see above", gateway.stderr.text(), "what the new one says")
        is_alive(live)
        with begin_session(gateway) as client:
            is_alive(client)
        gateway.write(gateway.ini)
        gateway.hand_over()
        is_alive(live)


@story
def a_binary_that_cannot_take_over_changes_nothing():
    with RawOrigin(echo) as origin, Replaceable(origin, settings={"limits.handover_s": "0.5"}) as gateway:
        gateway.become("/bin/false")
        gateway.hand_over_in_vain("it ended with exit code 1")
        gateway.become("/nowhere")
        gateway.hand_over_in_vain("it cannot be run: No such file or directory")
        gateway.become_script("#!/bin/sh\nkill -SEGV $$\n")
        gateway.hand_over_in_vain("it was ended by signal 11")
        gateway.become_script("#!/bin/sh\ntrap '' TERM\nwhile :; do sleep 1; done\n")
        gateway.hand_over_in_vain(r"it was not ready within \[limits\] handover_s = 0.500, and was ended")
        with begin_session(gateway) as client:
            is_alive(client)


@story
def while_it_is_under_way_nothing_else_begins():
    with Replaceable() as gateway:
        gateway.become_script("#!/bin/sh\nexec sleep 1000\n")
        gateway.signal(signal.SIGUSR2)
        pid = int(gateway.says(r"handing over to a new \S+, process (\d+)"))
        gateway.signal(signal.SIGUSR2)
        gateway.says("a handover is under way already")
        gateway.signal(signal.SIGHUP)
        gateway.says("not reloaded: a handover is under way")
        new_one = Adopted(pid)
        gateway.stop()
        check_equal(new_one.wait(1), -signal.SIGKILL, "how the new one has ended")


@story
def a_gateway_that_ends_hands_nothing_over():
    with RawOrigin(echo) as origin, Replaceable(origin) as gateway, begin_session(gateway) as client:
        gateway.signal(signal.SIGTERM)
        gateway.says("draining")
        gateway.signal(signal.SIGUSR2)
        gateway.says("not handed over: this gateway is about to end")
        is_alive(client)
        client.close()
        gateway.finish()


@story
def the_service_manager_learns_who_the_new_one_is_from_the_old_one():
    with Manager() as manager:
        environment = {"NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "400000"}
        with RawOrigin(echo) as origin, Replaceable(origin, environment=environment) as gateway:
            first = gateway.process.pid
            check_equal(manager.hears_of("READY"), first, "who is ready")
            with begin_session(gateway):
                gateway.hand_over()
                second = gateway.process.pid
                check_equal(manager.hears_of(f"MAINPID={second}"), first, "who tells of the new one")
                check_equal(parent_of(second), os.getpid(), "its parent, as systemd wants to be")
                check_equal(children_of(first), [], "what is left of how it was started")
                check_equal(manager.hears_of("READY"), second, "who is ready")
                for _ in range(4):
                    check_equal(manager.hears_of(""), second, "who feeds the watchdog")
            gateway.stop()
            check_equal(manager.hears_of("STOPPING"), second, "who stops")


class Manager:
    """Who listens on NOTIFY_SOCKET, and sees who speaks."""

    def __init__(self):
        self.path = workplace("run", f"manager-{os.getpid()}")
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.sock.settimeout(10)
        self.sock.bind(self.path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()
        os.unlink(self.path)

    def hears_of(self, begin):
        """The process id of who says this next."""
        while True:
            message, credentials, _, _ = self.sock.recvmsg(4096, socket.CMSG_SPACE(12))
            if message.decode().startswith(begin):
                return int.from_bytes(credentials[0][2][:4], "little")


@story
def a_watchdog_that_is_meant_for_the_old_one_goes_to_the_new_one():
    with Manager() as manager:
        environment = {"NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "400000"}
        gateway = Replaceable(environment=environment)
        plain = gateway.command()
        gateway.command = lambda: ["sh", "-c", 'WATCHDOG_PID=$$ exec "$0" "$@"', *plain]
        with gateway:
            manager.hears_of("WATCHDOG")
            gateway.hand_over()
            gateway.old_one_ends()
            manager.hears_of("READY")
            check_equal(manager.hears_of("WATCHDOG"), gateway.process.pid, "who feeds it")


# --- the inventory ---


@contextlib.contextmanager
def inventory_file():
    directory = workplace("run", f"handover-{os.getpid()}")
    shutil.rmtree(directory, ignore_errors=True)
    try:
        yield f"{directory}/clients.db"
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def inventory_settings(file):
    return {"inventory.file": file, "inventory.fallback_s": "0", "log.rollup_s": "3600", "log.block": "off"}


def counts_of(file):
    """{address: refusals} of the file."""
    command = [program(), "report", "--format", "json", file]
    done = subprocess.run(command, env=clean_environment(), check=True, capture_output=True)
    return {client["source"]: client["blocked"] for client in json.loads(done.stdout)["clients"]}


@story
def the_inventory_goes_over_and_nobody_is_missing():
    """Also who is refused by a session that the old one still had, and who is summed up in a roll-up of the old one."""
    with inventory_file() as file, RawOrigin(echo) as origin:
        with Replaceable(origin, settings=inventory_settings(file)) as gateway:
            for _ in range(5):
                is_refused(gateway, "127.0.1.1")
            with RawClient(gateway.straight, source="127.0.1.2") as late:
                late.send(OLD[:20])
                wait_until(lambda: sessions_of(gateway) == 1, "the old gateway has the session")
                gateway.hand_over()
                is_refused(gateway, "127.0.1.3")
                late.send(OLD[20:])
                check_equal(late.receive_all(), alert(70, TLS10), "answer")
            gateway.old_one_ends()
            gateway.says("the gateway before this one has ended")
        check_equal(counts_of(file), {"127.0.1.1": 5, "127.0.1.2": 1, "127.0.1.3": 1}, "refusals")


@story
def more_than_the_new_one_can_read_at_once_waits_for_it():
    sources = [f"127.0.{2 + n // 100}.{1 + n % 100}" for n in range(400)]
    with inventory_file() as file, Replaceable(settings=inventory_settings(file)) as gateway:
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(RawClient(gateway.straight, source=source)) for source in sources]
            for client in clients:
                client.send(OLD[:20])
            wait_until(lambda: sessions_of(gateway) == len(sources), "the old gateway has the sessions")
            gateway.hand_over()
            gateway.signal(signal.SIGSTOP)
            for client in clients:
                client.send(OLD[20:])
            for client in clients:
                check_equal(client.receive_all(), alert(70, TLS10), "answer")
            gateway.signal(signal.SIGCONT)
        gateway.old_one_ends()
        gateway.says("the gateway before this one has ended")
        gateway.stop()
        check_equal(counts_of(file), dict.fromkeys(sources, 1), "refusals")


def sessions_of(gateway):
    """Connections of clients that it has accepted."""
    with open("/proc/net/tcp", encoding="ascii") as f:
        lines = [line.split() for line in f.readlines()[1:]]
    own = {f"socket:[{line[9]}]" for line in lines if line[3] == "01" and line[1].endswith(f":{gateway.straight:04X}")}
    fds = f"/proc/{gateway.process.pid}/fd"
    return sum(os.readlink(f"{fds}/{fd}") in own for fd in os.listdir(fds))


@story
def the_old_one_takes_the_inventory_back_when_the_new_one_fails():
    with inventory_file() as file, Replaceable(settings=inventory_settings(file)) as gateway:
        is_refused(gateway, "127.0.1.1")
        gateway.become_script(ASKS_FOR_THE_INVENTORY)
        gateway.hand_over_in_vain("it ended with exit code 9")
        is_refused(gateway, "127.0.1.2")
        gateway.become(program())
        gateway.hand_over()
        is_refused(gateway, "127.0.1.3")
        gateway.old_one_ends()
        gateway.stop()
        check_equal(counts_of(file), {"127.0.1.1": 1, "127.0.1.2": 1, "127.0.1.3": 1}, "refusals")


# Says the first word, waits for the answer, and fails.
ASKS_FOR_THE_INVENTORY = """#!/usr/bin/python3
import os, socket, sys
last = 2 + int(os.environ["LISTEN_FDS"])
channel = socket.socket(fileno=last)
channel.send((1).to_bytes(4, sys.byteorder) + bytes(4))
channel.recv(64)
os._exit(9)  # with the channel still open, as a crash would leave it
"""


@story
def when_the_old_one_dies_the_new_one_takes_its_place():
    """In the middle of the handover; also what stood between the two is gone."""
    with RawOrigin(echo) as origin, Replaceable(origin) as gateway, gate(f"{gateway.link}.gate") as let_pass:
        gateway.become_script(f'#!/bin/sh\nread go <{gateway.link}.gate || exit\nexec {program()} "$@"\n')
        gateway.signal(signal.SIGUSR2)
        pid = int(gateway.says(r"handing over to a new \S+, process (\d+)"))
        old, between = gateway.process, parent_of(pid)
        check(between not in (old.pid, os.getpid()), "nobody stands between")
        old.kill()
        old.wait()
        gateway.process = Adopted(pid)
        check_equal(Adopted(between).wait(10), -signal.SIGKILL, "how that has ended")
        let_pass()
        gateway.says("the gateway before this one has ended")
        with begin_session(gateway) as client:
            is_alive(client)


@contextlib.contextmanager
def gate(path):
    """A FIFO, and what lets one reader pass; who still reads at the end sees an end."""
    os.mkfifo(path)
    fd = os.open(path, os.O_RDWR)
    try:
        yield lambda: os.write(fd, b"\n")
    finally:
        os.close(fd)
        os.unlink(path)


def parent_of(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        return int(f.read().rpartition(")")[2].split()[1])


# --- process 1 of a container ---


class FirstProcess(Gateway):
    """In a process name space of its own, where it is process 1."""

    def command(self):
        return ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", *super().command()]

    def pid(self):
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="ascii") as f:
            return int(f.read())

    def signal(self, number):
        os.kill(self.pid(), number)


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
        return f.read().split()


@story
def process_1_of_a_container_refuses_since_the_container_would_end_with_it():
    skip_unless(os.geteuid() == 0, "root")
    with FirstProcess() as gateway:
        gateway.signal(signal.SIGUSR2)
        said = gateway.stderr.wait(lambda lines: [line for line in lines if "not handed over" in line])
        check_in("roll out a new image instead", said[0], "what it says")
        check_equal(children_of(gateway.pid()), [], "what it has started")


@story
def process_1_buries_the_orphans_that_it_is_given():
    skip_unless(os.geteuid() == 0, "root")
    with FirstProcess() as gateway:
        pid = str(gateway.pid())
        orphan = "sleep 0.2 & echo"  # the shell ends first
        subprocess.run(["nsenter", "--target", pid, "--pid", "sh", "-c", orphan], check=True, capture_output=True)
        wait_until(lambda: not children_of(pid), "the orphan is gone, and no zombie")


@story
def sigterm_while_it_starts_is_not_lost():
    skip_unless(os.geteuid() == 0, "root")
    for kind in (Gateway, FirstProcess):
        gateway = kind()
        os.mkfifo(gateway.file)  # it cannot read on before we have written
        with subprocess.Popen(kind.command(gateway), stderr=subprocess.PIPE, env=clean_environment()) as process:
            gateway.process = process
            with open(gateway.file, "w", encoding="utf-8") as f:  # it has opened it
                gateway.signal(signal.SIGTERM)
                f.write(gateway.ini)
            said = process.stderr.read().decode()
        check_equal(process.returncode, 0, f"exit code, with standard error {said}")
        check_in("tlsfloor: draining", said, "what it says")
        os.unlink(gateway.file)


ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)  # so that it is we who learn how the new gateways end
run_stories()
