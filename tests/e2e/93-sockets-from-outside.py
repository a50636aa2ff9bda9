"""Sockets that somebody else has opened, as a service manager does (socket activation), and what the service manager
is told (sd_notify)."""

import contextlib
import ctypes
import fcntl
import os
import shutil
import signal
import socket
import threading
import time

from harness import (
    FLIGHT,
    HELLO,
    SNI,
    TLS10,
    Gateway,
    RawClient,
    RawOrigin,
    alert,
    check,
    check_equal,
    check_in,
    client_hello,
    echo,
    has_ipv6,
    one_record,
    reach,
    run_stories,
    skip_unless,
    story,
    wait_until,
    workplace,
)

NAME = "origin.floor.test"
OLD = one_record(client_hello(TLS10))
ONLY_STRAIGHT = {"listener proxy.listen": None, "listener proxy.kind": None}

# Descriptors into their places, and the process id into the environment, as a service manager does it.
ACTIVATE = 'n=3; for fd in $FDS; do eval "exec $n<&$fd"; n=$((n + 1)); done; LISTEN_PID=${PID:-$$} exec "$@"'


def listening(address="127.0.0.1", port=0, reuse_port=False):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if reuse_port:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind((address, port))
    sock.listen(64)
    return sock


def port_of(sock):
    return sock.getsockname()[1]


class Activated(Gateway):
    """A gateway that is given these sockets. `pid`: for whom they are said to be meant."""

    def __init__(self, sockets, *origins, pid="", names=None, **more):
        super().__init__(*origins, **more)
        self.high = [fcntl.fcntl(s.fileno(), fcntl.F_DUPFD_CLOEXEC, 100) for s in sockets]
        self.pass_fds = self.high
        self.environment |= {"LISTEN_FDS": str(len(sockets)), "FDS": " ".join(map(str, self.high)), "PID": str(pid)}
        if names:
            self.environment["LISTEN_FDNAMES"] = names

    def command(self):
        return ["bash", "-c", ACTIVATE, "bash", *super().command()]

    def __enter__(self):
        try:
            return super().__enter__()
        finally:
            for fd in self.high:
                os.close(fd)

    def says(self, sentence):
        check(self.stderr.wait(lambda lines: any(sentence in line for line in lines)), f"it never says '{sentence}'")


def is_served(port):
    with RawClient(port) as client:
        client.send(HELLO)
        check_equal(client.receive(len(FLIGHT)), FLIGHT, "the server's flight")


def straight(port, address="127.0.0.1"):
    return {**ONLY_STRAIGHT, "listener straight.listen": f"{address}:{port}"}


def refused_start(gateway, *words):
    """It must not start, and say why in words that help."""
    try:
        with gateway:
            pass
    except AssertionError as failure:
        for word in words:
            check_in(word, str(failure), "what it says")
        check_equal(gateway.process.returncode, 3, "exit code")
        return
    raise AssertionError("it started")


# --- socket activation ---


@story
def a_socket_that_was_open_before_is_used_in_place_of_one_of_its_own():
    with listening() as sock, RawOrigin(echo) as origin:
        with Activated([sock], origin, settings=straight(port_of(sock))):
            is_served(port_of(sock))


@story
def the_variables_and_descriptors_are_passed_on_to_nobody():
    with listening() as sock, Activated([sock], settings=straight(port_of(sock))) as gateway:
        check_equal(os.get_inheritable(sock.fileno()), False, "ours")
        with open(f"/proc/{gateway.process.pid}/fdinfo/3", encoding="ascii") as f:
            flags = next(line for line in f if line.startswith("flags:"))
        check(int(flags.split()[1], 8) & os.O_CLOEXEC, "descriptor 3 is not closed by exec")


PTRACE_ATTACH, PTRACE_DETACH = 16, 17


@contextlib.contextmanager
def held_up(thread):
    """Holds up one thread of another process, as SIGSTOP cannot."""
    ptrace = ctypes.CDLL(None).ptrace
    skip_unless(ptrace(PTRACE_ATTACH, thread, None, None) == 0, "right to hold up a thread")
    os.waitpid(thread, WALL)
    try:
        yield
    finally:
        check_equal(ptrace(PTRACE_DETACH, thread, None, None), 0, "letting it go on")


WALL = 0x40000000  # threads too


def loop_threads(gateway):
    def name_of(thread):
        with open(f"/proc/{gateway.process.pid}/task/{thread}/comm", encoding="ascii") as f:
            return f.read()

    return [int(t) for t in os.listdir(f"/proc/{gateway.process.pid}/task") if name_of(t) == "loop\n"]


@story
def one_socket_serves_every_loop():
    with listening() as sock, RawOrigin(echo) as origin:
        with Activated([sock], origin, settings={**straight(port_of(sock)), "gateway.threads": "2"}) as gateway:
            for thread in loop_threads(gateway):
                with held_up(thread):
                    is_served(port_of(sock))  # by the other one


@story
def more_sockets_than_loops_are_all_served():
    first = listening(reuse_port=True)
    sockets = [first] + [listening(port=port_of(first), reuse_port=True) for _ in range(4)]
    with contextlib.ExitStack() as stack, RawOrigin(echo) as origin:
        for sock in sockets:
            stack.enter_context(sock)
        settings = {**straight(port_of(first)), "gateway.threads": "2"}
        with Activated(sockets, origin, settings=settings) as gateway:
            for sock in sockets:  # our own copies take no part
                sock.close()
            for _ in range(40):  # the kernel deals them out by their addresses
                is_served(gateway.straight)


@story
def the_admin_socket_may_be_one_of_them():
    with listening() as sock, listening() as admin:
        settings = {**straight(port_of(sock)), "admin.listen": f"127.0.0.1:{port_of(admin)}"}
        with Activated([admin, sock], settings=settings) as gateway:
            check_equal(gateway.ports["admin"], port_of(admin), "the admin's port")
            check_equal(gateway.metric("tlsfloor_sessions_active"), 0, "what it says")


@story
def a_name_tells_which_socket_is_for_a_listener_with_any_port():
    with listening() as sock, RawOrigin(echo) as origin:
        with Activated([sock], origin, names="straight", settings=ONLY_STRAIGHT) as gateway:
            check_equal(gateway.straight, port_of(sock), "the listener's port")
            is_served(gateway.straight)


@story
def the_wildcard_of_both_families_is_a_star():
    skip_unless(has_ipv6(), "IPv6")
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as sock:
        with RawOrigin(echo) as origin, Activated([sock], origin, settings=straight(port_of(sock), "*")):
            is_served(port_of(sock))


@story
def the_wildcard_of_one_family_is_no_star():
    skip_unless(has_ipv6(), "IPv6")
    with listening("0.0.0.0") as sock:
        settings = straight(port_of(sock), "*")
        refused_start(Activated([sock], settings=settings), f"passed 0.0.0.0:{port_of(sock)}, and no listener is there")


@story
def a_socket_that_no_listener_wants_is_an_error_that_says_what_to_do():
    with listening() as sock:
        refused_start(
            Activated([sock]),
            f"not started: socket activation passed 127.0.0.1:{port_of(sock)}, and no listener is there: "
            "add it to [listener ...] listen, or take it out of tlsfloor.socket",
        )


@story
def what_is_no_listening_tcp_socket_is_an_error():
    path = workplace("run", f"socket-{os.getpid()}")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(path)
        sock.listen()
        refused_start(Activated([sock]), f"passed the unix socket {path}", "ListenStream")
    os.unlink(path)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        refused_start(Activated([sock]), "descriptor 3, which is no TCP socket that listens")
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        refused_start(Activated([sock]), "Accept=no")


@story
def a_predecessor_that_is_none_is_not_waited_for():
    with open("/dev/null", "rb") as nobody, Activated([nobody], names="(predecessor)") as gateway:
        gateway.stop()


@story
def what_is_meant_for_another_process_is_left_alone():
    with listening() as sock, Activated([sock], pid=1) as gateway:
        check(port_of(sock) not in gateway.ports.values(), "it listens there")


@story
def clients_wait_while_the_gateway_is_started_anew():
    with listening() as sock, RawOrigin(echo) as origin:
        with Activated([sock], origin, settings=straight(port_of(sock))):
            is_served(port_of(sock))
        client = RawClient(port_of(sock))  # nobody is there
        client.send(HELLO)
        with Activated([sock], origin, settings=straight(port_of(sock))), client:
            check_equal(client.receive(len(FLIGHT)), FLIGHT, "the server's flight")


@story
def a_reload_that_drops_it_says_that_clients_would_wait_for_ever():
    with listening() as sock:
        settings = {"listener more.listen": f"127.0.0.1:{port_of(sock)}", "listener more.kind": "sni"}
        with Activated([sock], settings=settings) as gateway:
            gateway.reload(gateway.ini + "\n[limits]\nidle_s = 5\n")
            check("the service manager still has" not in gateway.stderr.text(), "it warns of what it keeps")
            gateway.reload(gateway.ini.replace(f"[listener more]\nlisten = 127.0.0.1:{port_of(sock)}\nkind = sni", ""))
            gateway.says(f"no listener is at 127.0.0.1:{port_of(sock)} any more, but the service manager still has")


@story
def a_port_below_1024_needs_no_capability():
    skip_unless(os.geteuid() == 0, "root")
    with listening(port=free_low_port()) as sock, RawOrigin(echo) as origin:
        gateway = Activated([sock], origin, settings=straight(port_of(sock)))
        gateway.command = lambda: ["bash", "-c", ACTIVATE, "bash", "setpriv", "--bounding-set=-all", "--inh-caps=-all",
                                   *Gateway.command(gateway)]
        with gateway:
            is_served(port_of(sock))


def free_low_port():
    for port in range(1023, 600, -1):
        with contextlib.suppress(OSError), listening(port=port):
            return port
    raise AssertionError("no port below 1024 is free")


@story
def systemds_own_tool_activates_it():
    tool = shutil.which("systemd-socket-activate")
    skip_unless(tool, "systemd-socket-activate")
    with listening() as sock:
        port = port_of(sock)
    gateway = Gateway(settings=straight(port))
    gateway.command = lambda: [tool, f"--listen=127.0.0.1:{port}", *Gateway.command(gateway)]
    knock = threading.Thread(target=wait_until, args=(lambda: can_connect(port), "the tool listens"))
    knock.start()  # it starts the gateway when the first client comes
    with gateway:
        knock.join()
        with reach(gateway, SNI) as client:
            client.send(OLD)
            check_equal(client.receive_all(), alert(70, TLS10), "answer")
        gateway.record({"event.code": "client-below-floor"})


def can_connect(port):
    try:
        RawClient(port).close()
    except OSError:
        return False
    return True


# --- the service manager ---


class Manager:
    """Who listens on NOTIFY_SOCKET."""

    def __init__(self, abstract=False):
        path = workplace("run", f"notify-{os.getpid()}")
        self.path = None if abstract else path
        self.name = f"@{path}" if abstract else path
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.settimeout(10)
        self.sock.bind(f"\0{path}" if abstract else path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()
        if self.path:
            os.unlink(self.path)

    def hears(self):
        """The next message, as {key: value}."""
        return dict(line.split("=", 1) for line in self.sock.recv(4096).decode().splitlines())

    def hears_of(self, key):
        while key not in (message := self.hears()):
            pass
        return message


@story
def the_manager_hears_of_start_reload_and_end():
    for abstract in (False, True):
        with Manager(abstract) as manager, Gateway(environment={"NOTIFY_SOCKET": manager.name}) as gateway:
            check_equal(manager.hears(), {"READY": "1", "STATUS": "serving"}, "at the start")
            before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
            gateway.reload(gateway.ini)
            message = manager.hears()
            check_equal(message["RELOADING"], "1", "before the reload")
            check(before <= int(message["MONOTONIC_USEC"]) <= before + 10_000_000, "the time that it gives is not now")
            check_equal(manager.hears(), {"READY": "1", "STATUS": "serving"}, "after the reload")
            gateway.write(gateway.ini.replace("minimum = 1.2", "minimum = 7"))
            gateway.signal(signal.SIGHUP)
            check_equal(manager.hears()["RELOADING"], "1", "before the reload")
            message = manager.hears()
            check_equal(message["READY"], "1", "after the refused reload")
            check_in("reload refused", message["STATUS"], "status")
            gateway.signal(signal.SIGTERM)
            message = manager.hears()
            check_equal(message["STOPPING"], "1", "at the end")
            check_equal(message["EXTEND_TIMEOUT_USEC"], "15000000", "the time that it wants")
            gateway.finish()


@story
def it_is_told_of_the_end_when_grace_s_begins():
    with Manager() as manager, Gateway(
        settings={"limits.grace_s": "3600"}, environment={"NOTIFY_SOCKET": manager.name}
    ) as gateway:
        manager.hears_of("READY")
        gateway.signal(signal.SIGTERM)
        manager.hears_of("STOPPING")
        with RawClient(gateway.straight):
            pass  # it is still open
        gateway.stop()


@story
def a_watchdog_is_fed_while_every_loop_answers_and_not_when_one_hangs():
    environment = {"WATCHDOG_USEC": "400000"}
    with Manager() as manager, Gateway(environment={**environment, "NOTIFY_SOCKET": manager.name}) as gateway:
        began = time.monotonic()
        for _ in range(8):
            manager.hears_of("WATCHDOG")
        check(time.monotonic() - began < 8 * 0.2 + 1, "it is too late")
        manager.sock.settimeout(0.6)
        with held_up(loop_threads(gateway)[0]), contextlib.suppress(TimeoutError):
            for _ in range(3):  # two may be under way
                manager.hears_of("WATCHDOG")
            raise AssertionError("it covers up a loop that hangs")
        manager.sock.settimeout(10)
        manager.hears_of("WATCHDOG")


@story
def a_watchdog_that_is_another_process_s_is_not_fed():
    environment = {"WATCHDOG_USEC": "20000", "WATCHDOG_PID": "1"}
    with Manager() as manager, Gateway(environment={**environment, "NOTIFY_SOCKET": manager.name}) as gateway:
        manager.hears_of("READY")
        gateway.reload(gateway.ini)  # some time passes
        gateway.stop()
        manager.sock.settimeout(0.2)
        with contextlib.suppress(TimeoutError):
            while True:
                check("WATCHDOG" not in manager.hears(), "it is fed")


run_stories()
