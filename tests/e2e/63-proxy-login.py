"""Who uses the proxy has to log in: over HTTP, for tunnels and for SOCKS; and no password is ever written down."""

import base64
import os
import pty
import socket
import struct
import subprocess

from harness import (
    Gateway,
    HttpOrigin,
    RawClient,
    RawOrigin,
    TlsOrigin,
    ca_file,
    check,
    check_equal,
    check_in,
    clean_environment,
    private_file,
    program,
    run_client,
    run_stories,
    story,
    users_file,
    workplace,
)

PLAIN, SECURE = "plain.floor.test", "origin.floor.test"
PASSWORD, WRONG = "se:cret \u00e4", "gu3ssed"
SOCKS = {"listener socks.listen": "127.0.0.1:0", "listener socks.kind": "socks5"}
USERS = users_file(anna=(PASSWORD, "anna"), ben=("other", "ben"))
FAILED = {"event.action": "access-denied", "event.code": "login-failed", "user.name": "anna"}


def gateway_for(*origins, users=USERS, **settings):
    files = {"listener proxy.users": users, "listener socks.users": users}
    return Gateway(*origins, settings={**SOCKS, **files, **settings})


def curl(gateway, login, *urls, scheme="http", port="proxy", options=()):
    """What curl says. The statuses: of the proxy's answer to CONNECT, and of the last response."""
    who = ["--proxy-user", login] if login else []
    where = ["-x", f"{scheme}://127.0.0.1:{gateway.ports[port]}", "--cacert", ca_file()]
    return run_client("curl", "-sS", "-w", "%{http_connect} %{http_code}\n", *where, *who, *options, *urls)


def header(login):
    return f"Proxy-Authorization: Basic {base64.b64encode(login.encode()).decode()}\r\n"


def get(path="/", login=None):
    fields = header(login) if login else ""
    return f"GET http://{PLAIN}{path} HTTP/1.1\r\nHost: {PLAIN}\r\n{fields}\r\n".encode()


@story
def who_logs_in_is_served():
    with HttpOrigin() as plain, TlsOrigin() as secure, gateway_for(plain, secure) as gateway:
        done = curl(gateway, f"anna:{PASSWORD}", f"http://{PLAIN}/")
        check_equal(done, ("plain page\n000 200\n", 0), "plain HTTP")
        done = curl(gateway, f"anna:{PASSWORD}", f"https://{SECURE}/")
        check_in("page over TLSv1.3", done.output, "HTTPS")
        check_in("200 200\n", done.output, "HTTPS")
        check_equal(plain.seen[0][2]["Proxy-Authorization"], None, "Proxy-Authorization at the server")


@story
def who_does_not_is_told_how():
    with HttpOrigin() as plain, TlsOrigin() as secure, gateway_for(plain, secure) as gateway:
        done = curl(gateway, None, f"http://{PLAIN}/", options=("-i",))
        check_in("HTTP/1.1 407 Proxy Authentication Required\r\n", done.output, "plain HTTP")
        check_in('\r\nProxy-Authenticate: Basic realm="tlsfloor", charset="UTF-8"\r\n', done.output, "plain HTTP")
        check_in("login-required", done.output, "the page")
        done = curl(gateway, None, f"https://{SECURE}/")
        check_equal((done.output.split("\n")[-2], done.status), ("407 000", 56), "HTTPS")
        check_equal((plain.seen, secure.connections), ([], []), "what reached the servers")


@story
def a_wrong_password_and_an_unknown_user_are_refused_and_told_apart_by_nobody():
    with HttpOrigin() as plain, gateway_for(plain) as gateway:
        answers = set()
        for login in (f"anna:{WRONG}", "anna:other", f"carl:{PASSWORD}", f"ben:{PASSWORD}"):
            done = curl(gateway, login, f"http://{PLAIN}/", options=("-i",))
            check_in("HTTP/1.1 407 ", done.output, f"answer to {login}")
            gateway.record({**FAILED, "user.name": login.split(":")[0]})
            answers.add(done.output)
        check_equal(len(answers), 1, "different answers")
        check_equal(plain.seen, [], "what reached the server")


@story
def a_kept_connection_logs_in_with_every_request():
    with HttpOrigin() as plain, gateway_for(plain) as gateway:
        done = curl(gateway, f"anna:{PASSWORD}", *[f"http://{PLAIN}/{n}" for n in range(3)])
        check_equal(done, (3 * "plain page\n000 200\n", 0), "three requests")
        check_equal(len({seen[4] for seen in plain.seen}), 1, "connections to the server")
        with RawClient(gateway.proxy) as client:
            for login in (f"anna:{PASSWORD}", "ben:other"):
                client.send(get("/raw", login))
                check_in(b"HTTP/1.1 200 ", client.receive_until(b"plain page\n"), f"answer to {login}")
            client.send(get("/raw"))
            check_in(b"HTTP/1.1 407 ", client.receive_all(), "answer to who has not logged in this time")
        with RawClient(gateway.proxy) as client:
            client.send(get("/raw", f"anna:{PASSWORD}"))
            client.receive_until(b"plain page\n")
            client.send(get("/raw", f"anna:{WRONG}"))
            check_in(b"HTTP/1.1 407 ", client.receive_all(), "answer to a wrong password behind a right one")
        gateway.record(FAILED)
        check_equal(len(plain.seen), 6, "requests that reached the server")


@story
def requests_may_come_before_the_first_is_checked():
    with HttpOrigin() as plain, gateway_for(plain) as gateway, RawClient(gateway.proxy) as client:
        client.send(b"".join(get(f"/{n}", f"anna:{PASSWORD}") for n in range(5)))
        for _ in range(5):
            check_in(b"HTTP/1.1 200 ", client.receive_until(b"plain page\n"), "answer")
        check_equal([seen[1] for seen in plain.seen], [f"/{n}" for n in range(5)], "requests")


def connect(login):
    return f"CONNECT {SECURE}:443 HTTP/1.1\r\nHost: {SECURE}:443\r\n{header(login)}\r\n".encode()


@story
def many_clients_of_one_user_log_in_at_once():
    with RawOrigin() as secure, gateway_for(secure) as gateway:
        clients = [RawClient(gateway.proxy) for _ in range(100)]
        for client in clients:
            client.send(connect(f"anna:{PASSWORD}"))
        for client in clients:
            check_in(b"HTTP/1.1 200 ", client.receive_until(b"\r\n\r\n"), "answer")
            client.close()


@story
def who_leaves_while_the_password_is_checked_is_refused_all_the_same():
    with gateway_for() as gateway:
        for n in range(8):
            with RawClient(gateway.proxy) as client:
                client.send(connect(f"anna:{WRONG}{n}"))
        for n in range(8):
            gateway.record(FAILED)


@story
def who_breaks_off_while_the_password_is_checked_is_forgotten():
    with RawOrigin() as secure, gateway_for(secure) as gateway:
        for _ in range(20):
            with RawClient(gateway.proxy) as client:
                client.send(connect(f"anna:{PASSWORD}"))
                client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with RawClient(gateway.proxy) as client:
            client.send(connect(f"anna:{PASSWORD}"))
            check_in(b"HTTP/1.1 200 ", client.receive_until(b"\r\n\r\n"), "answer to who stays")


@story
def socks_clients_log_in_as_well():
    with TlsOrigin() as secure, gateway_for(secure, **{"admin.listen": "127.0.0.1:0"}) as gateway:
        done = curl(gateway, f"anna:{PASSWORD}", f"https://{SECURE}/", scheme="socks5h", port="socks")
        check_in("page over TLSv1.3", done.output, "who logs in")
        done = curl(gateway, f"anna:{WRONG}", f"https://{SECURE}/", scheme="socks5h", port="socks")
        check_equal(done.status, 97, f"curl's status with a wrong password, which says {done.output}")
        gateway.record({**FAILED, "observer.ingress.interface.name": "socks"})
        done = curl(gateway, None, f"https://{SECURE}/", scheme="socks5h", port="socks")
        check_equal(done.status, 97, f"curl's status without a login, which says {done.output}")
        check_equal(len(secure.connections), 1, "connections to the server")
        curl(gateway, f"anna:{PASSWORD}", f"https://{SECURE}/")
        curl(gateway, f"anna:{WRONG}", f"https://{SECURE}/")
        gateway.record({**FAILED, "tlsfloor.failed_logins": 1})
        logins = [gateway.metric("tlsfloor_logins_total", result=result) for result in ("right", "wrong")]
        check_equal(logins, [2, 2], "logins that were counted")


@story
def a_reload_takes_users_away_and_a_broken_file_changes_nothing():
    with open(USERS, encoding="utf-8") as f:
        anna, ben = f.read().splitlines()
    users = private_file(f"{anna}\n{ben}\n")

    def status(gateway, login):
        return curl(gateway, login, f"http://{PLAIN}/").output.split()[-1]

    def write(text):
        with open(users, "w", encoding="utf-8") as f:
            f.write(text)

    with HttpOrigin() as plain, gateway_for(plain, users=users) as gateway:
        check_equal(status(gateway, f"anna:{PASSWORD}"), "200", "before")
        write(f"{ben}\n")
        gateway.reload(gateway.ini)
        check_equal(status(gateway, f"anna:{PASSWORD}"), "407", "who was taken away")
        gateway.record(FAILED)
        check_equal(status(gateway, "ben:other"), "200", "who stayed")
        write(f"{ben}\nanna:plaintext\n")
        gateway.signal(1)
        check(gateway.stderr.wait(lambda lines: f"{users}:2: " in "\n".join(lines)), "the line is never told")
        check_equal(status(gateway, "ben:other"), "200", "after a broken file")


@story
def no_password_is_written_anywhere():
    access = workplace(f"access-{os.getpid()}.log")
    with HttpOrigin() as plain, TlsOrigin() as secure:
        with gateway_for(plain, secure, **{"log.access": access}) as gateway:
            for login in (f"anna:{PASSWORD}", f"anna:{WRONG}"):
                curl(gateway, login, f"http://{PLAIN}/")
                curl(gateway, login, f"https://{SECURE}/")
                curl(gateway, login, f"https://{SECURE}/", scheme="socks5h", port="socks")
            for _ in range(3):
                gateway.record(FAILED)
            command = [program(), "check", "--dump", "-c", gateway.file]
            dump = subprocess.run(command, env=clean_environment(), check=True, capture_output=True, text=True)
            gateway.stop()
    with open(access, encoding="utf-8") as f:
        logged = f.read()
    os.unlink(access)
    check_in('"user.name":"anna"', logged, "the access log")
    written = "\n".join([logged, dump.stdout, dump.stderr, gateway.stdout.text(), gateway.stderr.text()])
    check_in(USERS, written, "the dump names the file of users")
    with open(USERS, encoding="utf-8") as f:
        hashes = [line.split(":")[1] for line in f]
    logins = [header(f"anna:{p}").split()[2] for p in (PASSWORD, WRONG)]
    for secret in (PASSWORD, WRONG, *logins, *hashes):
        check_equal(secret in written, False, f"whether {secret} was written down")


def on_terminal(*answers):
    """Types the answers to `hash-password`. What the terminal has shown, what was printed, and the exit code."""
    ours, its = pty.openpty()
    command = [program(), "hash-password", "--user", "anna"]
    process = subprocess.Popen(command, stdin=its, stdout=subprocess.PIPE, stderr=its, env=clean_environment())
    os.close(its)
    shown = b""
    for answer in answers:
        while not shown.endswith(b": "):
            shown += os.read(ours, 4096)
        os.write(ours, answer.encode() + b"\n")
        shown += os.read(ours, 4096)
    printed = process.communicate()[0].decode()
    os.close(ours)
    return shown.decode(), printed, process.returncode


@story
def a_password_that_is_typed_is_not_shown_and_its_hash_lets_in():
    shown, printed, status = on_terminal("typed by hand", "typed by hand")
    check_equal(status, 0, "exit code")
    check_equal("typed" in shown, False, "whether the terminal has shown it")
    with HttpOrigin() as plain, gateway_for(plain, users=private_file(printed)) as gateway:
        done = curl(gateway, "anna:typed by hand", f"http://{PLAIN}/")
        check_equal(done, ("plain page\n000 200\n", 0), "what curl got")
    check_equal(on_terminal("one", "another")[1:], ("", 1), "what two different ones give")


@story
def a_file_that_others_may_read_does_not_start():
    users = private_file("")
    os.chmod(users, 0o644)
    with gateway_for() as running:
        ini = running.ini.replace(USERS, users)
    file = private_file(ini)
    done = subprocess.run([program(), "run", "-c", file], env=clean_environment(), check=False, capture_output=True)
    check_equal(done.returncode, 3, "exit code")
    check_in(f"{users}: ", done.stderr.decode(), "what it says")
    check_in("chmod 600", done.stderr.decode(), "what it says")


run_stories()
