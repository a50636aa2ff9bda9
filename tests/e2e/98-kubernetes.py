"""Replicas with the settings of docker/k8s behind a balancer, HAProxy, that goes by /readyz as a Service does: any of
them serves any client, and nobody notices that they are replaced one by one."""

import contextlib
import csv
import os
import signal
import socket
import subprocess
import threading

from harness import (
    Gateway,
    HttpOrigin,
    OfficeOrigin,
    RawClient,
    TlsOrigin,
    TlsPeer,
    ca_file,
    check,
    check_equal,
    check_in,
    client_context,
    in_own_network,
    private_file,
    run_stories,
    skip_unless,
    story,
    wait_until,
    workplace,
)
from harness.gateway import DEFAULTS, gateway_ca, resolve_lines

HAS_NETWORK = in_own_network()
K8S = os.path.abspath("docker/k8s")
ADDRESSES = ["127.0.1.1", "127.0.1.2", "127.0.1.3", "127.0.1.4"]  # replicas, and one more while they are replaced
PROXY, ADMIN = 3128, 9180  # as in the file; the network is our own
OFFICE, PLAIN = "outlook.office365.com", "plain.floor.test"


def text_of(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


class Replica(Gateway):
    """The file as it is, with what differs on this machine in the environment: addresses, the Secrets' places, the way
    to the servers, and less patience."""

    def __init__(self, address, keys, *origins):
        self.address = address
        variables = {
            "LISTENER_PROXY_LISTEN": f"{address}:{PROXY}",
            "ADMIN_LISTEN": f"{address}:{ADMIN}",
            "ACCESS_SOURCE": "loopback",
            "ACCESS_DESTINATION": "loopback",
            "CA_DIRECTORY": gateway_ca(),
            "GATEWAY_TICKET_KEYS_FILE": keys,
            "UPSTREAM_CA_FILE": ca_file(),
            "UPSTREAM_RESOLVE": "\n".join(resolve_lines(*origins)),
            "DNS_SERVERS": DEFAULTS["dns.servers"],
            "LOG_BLOCK": "off",  # what clients notice is what counts here
            "LIMITS_GRACE_S": "60",  # until the balancer knows: a second signal ends it then
            "LIMITS_DRAIN_S": "5",
        }
        environment = {f"TLSFLOOR_{key}": value for key, value in variables.items()}
        super().__init__(file=f"{K8S}/base/tlsfloor.ini", environment=environment)

    def leave(self):
        self.signal(signal.SIGTERM)
        check(self.stderr.wait(lambda lines: any("leaving" in line for line in lines)), "it does not say that it leaves")

    def stop(self, within_s=20):
        self.leave()
        super().stop(within_s)


class Service:
    """HAProxy in front of whatever is ready at ADDRESSES. It tries no second replica: nor does a Service."""

    def __init__(self):
        self.socket = workplace("run", f"service-{os.getpid()}.sock")
        self.file = workplace("run", f"service-{os.getpid()}.cfg")
        servers = "".join(f"  server {a} {a}:{PROXY} check port {ADMIN}\n" for a in ADDRESSES)
        with open(self.file, "w", encoding="utf-8") as f:
            f.write(
                f"global\n  stats socket {self.socket}\ndefaults\n  mode tcp\n  retries 0\n  timeout connect 5s\n"
                f"  timeout client 20s\n  timeout server 20s\nlisten service\n  bind 127.0.0.1:{PROXY}\n"
                "  balance roundrobin\n  option httpchk GET /readyz\n"
                f"  default-server inter 100ms rise 1 fall 1\n{servers}"
            )

    def __enter__(self):
        self.process = subprocess.Popen(["haproxy", "-db", "-f", self.file], stderr=subprocess.DEVNULL)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        for path in (self.file, self.socket):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)

    def ready(self):
        """The replicas that it sends clients to."""
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as sock:
            sock.connect(self.socket)
            sock.sendall(b"show stat\n")
            rows = csv.DictReader(sock.makefile("r", encoding="ascii"))
            return {row["svname"] for row in rows if row["status"] == "UP"} & set(ADDRESSES)
        return None

    def wait_for(self, replicas):
        wanted = {replica.address for replica in replicas}
        wait_until(lambda: self.ready() == wanted, f"the balancer knows {wanted}")


class World:
    """Servers, ticket keys, and as many replicas as the autoscaler starts with."""

    def __enter__(self):
        skip_unless(HAS_NETWORK, "network namespace")
        with contextlib.ExitStack() as stack:
            self.origins = [stack.enter_context(kind()) for kind in (TlsOrigin, OfficeOrigin, HttpOrigin)]
            self.keys = private_file(os.urandom(80).hex() + "\n")
            self.replicas = []
            self.stack = stack
            for address in ADDRESSES[:3]:
                self.start(address)
            self.stack = stack.pop_all()
        return self

    def start(self, address):
        self.replicas.append(self.stack.enter_context(Replica(address, self.keys, *self.origins)))

    def __exit__(self, *error):
        return self.stack.__exit__(*error)


def page(host, name, context, session=None):
    """Asks for a page through the proxy at `host`: whether the client has resumed, and what it could resume next."""
    with RawClient(PROXY, host) as raw:
        peer = TlsPeer(raw.connect(name).sock, context, name, session=session).handshake()
        peer.write(f"GET / HTTP/1.1\r\nHost: {name}\r\n\r\n".encode())
        check_in(b"page over TLSv1.3", peer.read_all(), "the page")
        peer.close()
        return peer.tls.session_reused, peer.tls.session


def old_client():
    return client_context("1.0", "1.0", f"{gateway_ca()}/ca.pem")


class Clients:
    """Kinds of clients, each of which does its work over and over, each time on a new connection to the Service.
    `done` counts; the first error ends a client."""

    def __init__(self):
        self.done = {}
        self.errors = []
        self.over = threading.Event()
        self.context, self.old, self.session = client_context(), old_client(), None
        kinds = (self.tunnels, self.asks_in_plain, self.is_upgraded)
        self.threads = [threading.Thread(target=self._work, args=(kind,)) for kind in kinds]

    def tunnels(self):
        page("127.0.0.1", "origin.floor.test", self.context)

    def asks_in_plain(self):
        with RawClient(PROXY) as client:
            client.send(f"GET http://{PLAIN}/ HTTP/1.1\r\nHost: {PLAIN}\r\nConnection: close\r\n\r\n".encode())
            check_in(b"plain page", client.receive_all(), "the answer")

    def is_upgraded(self):
        resumed, session = page("127.0.0.1", OFFICE, self.old, self.session)
        check_equal(resumed, self.session is not None, "whether it resumed")
        self.session = session

    def _work(self, kind):
        name = kind.__name__
        self.done[name] = 0
        try:
            while not self.over.is_set():
                kind()
                self.done[name] += 1
        except Exception as error:  # whatever a client stumbles over is what is looked for
            self.errors.append(f"{name}, after {self.done[name]}: {error!r}")

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def go_on(self):
        """Waits until each has done its work ten times more."""
        before = dict(self.done)
        wait_until(
            lambda: self.errors or all(self.done[name] >= before[name] + 10 for name in before), "the clients go on"
        )
        check_equal(self.errors, [], "errors of clients")


@story
def any_replica_resumes_a_session_of_any_other():
    with World() as world:
        context = old_client()
        _, session = page(world.replicas[0].address, OFFICE, context)
        for replica in (*world.replicas[1:], *world.replicas):
            resumed, session = page(replica.address, OFFICE, context, session)
            check(resumed, f"{replica.address} did not know the session")


@story
def a_rolling_update_is_noticed_by_nobody():
    with World() as world, Service() as service:
        service.wait_for(world.replicas)
        with Clients() as clients:
            clients.go_on()
            free = ADDRESSES[3]
            for _ in range(3):
                world.start(free)
                service.wait_for(world.replicas)
                old = world.replicas.pop(0)
                with RawClient(PROXY, old.address) as under_way:
                    peer = TlsPeer(under_way.connect("origin.floor.test").sock, clients.context, "origin.floor.test")
                    old.leave()
                    service.wait_for(world.replicas)
                    old.signal(signal.SIGTERM)
                    clients.go_on()
                    peer.handshake().write(b"GET / HTTP/1.1\r\n\r\n")
                    check_in(b"page over TLSv1.3", peer.read_all(), "what was under way")
                    peer.close()
                old.finish()
                free = old.address
                clients.go_on()


@story
def the_alerts_are_those_of_the_file_for_prometheus():
    rules = text_of("conf/prometheus/tlsfloor.rules").partition("\ngroups:\n")[2]
    indented = "".join(f"  {line}" if line.strip() else line for line in rules.splitlines(keepends=True))
    object_ = text_of(f"{K8S}/components/prometheus/prometheus-rule.yaml").partition("\nspec:\n")[2]
    check(object_ == f"  groups:\n{indented}", "prometheus-rule.yaml is not in step: make reference")


run_stories()
