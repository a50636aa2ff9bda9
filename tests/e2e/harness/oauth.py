"""What the bridge of a mail listener needs: an OAuth token endpoint over TLS 1.2 and 1.3, and the files of users and of
secrets."""

import atexit
import json
import os
import socket
import subprocess
import threading
import time
import urllib.parse

from .gateway import clean_environment, program
from .mail_clients import forward
from .origins import WAIT_S, TlsOrigin
from .pki import workplace

CLIENT_ID, CLIENT_SECRET = "5f0c-scan", "cl1ent~s3cret+1"


class TokenEndpoint(TlsOrigin):
    """Gives `token-1`, `token-2` and so on to who has the secret, or a refresh token among `refresh_tokens`.
    `answers`: what it says in place of that, as (status, object). `rotates`: each refresh token is good for one time,
    and the answer has the next. `forms` holds what it was asked; until `gate` is set, which it is at first, nothing is
    answered."""

    def __init__(self, life_s=3600, refresh_tokens=(), rotates=False, answers=None, name="login.floor.test", **more):
        self.life_s, self.rotates, self.answers = life_s, rotates, answers
        self.refresh_tokens = set(refresh_tokens)
        self.forms = []
        self.gate = threading.Event()
        self.gate.set()
        super().__init__(lowest="1.2", script=self._answer_form, name=name, **more)

    @property
    def url(self):
        return f"https://{self.name}/contoso/oauth2/v2.0/token"

    def stop(self):
        """Nobody listens there any more."""
        self.listener.shutdown(socket.SHUT_RDWR)

    def _answer_form(self, peer):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += peer.read_exactly(1)
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:-2])
        form = urllib.parse.parse_qs(peer.read_exactly(int(fields["Content-Length"])).decode(), strict_parsing=True)
        self.forms.append({key: value for key, (value,) in form.items()})
        self.gate.wait(WAIT_S)
        status, answer = self.answers or self._grant(self.forms[-1])
        body = json.dumps(answer).encode()
        peer.write(f"HTTP/1.1 {status} Said\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)

    def _grant(self, form):
        if form["client_id"] != CLIENT_ID or form["client_secret"] != CLIENT_SECRET:
            return 401, {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret."}
        answer = {"token_type": "Bearer", "expires_in": self.life_s, "access_token": f"token-{len(self.forms)}"}
        if form["grant_type"] == "refresh_token":
            if form["refresh_token"] not in self.refresh_tokens:
                return 400, {"error": "invalid_grant", "error_description": "AADSTS700082: It has expired.\r\nTrace: 1"}
            if self.rotates:
                self.refresh_tokens.remove(form["refresh_token"])
                answer["refresh_token"] = f"{form['refresh_token']}+"
                self.refresh_tokens.add(answer["refresh_token"])
        return 200, answer


def private_file(text):
    """The name of a file that only we may open, which goes with the scenario."""
    path = workplace("run", f"{os.getpid()}-{time.monotonic_ns()}.private")
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as f:
        f.write(text)
    atexit.register(os.unlink, path)
    return path


def users_file(**users):
    """NAME=(PASSWORD, MAILBOX)."""
    lines = []
    for name, (password, mailbox) in users.items():
        command = [program(), "hash-password", "--user", name]
        done = subprocess.run(
            command, input=f"{password}\n".encode(), env=clean_environment(), check=True, capture_output=True
        )
        lines.append(f"{done.stdout.decode().strip()}:{mailbox}\n")
    return private_file("".join(lines))


def secrets_file(endpoint, flow="client_credentials", secret=CLIENT_SECRET, more=""):
    return private_file(
        f"flow = {flow}\ntoken_endpoint = {endpoint.url}\nclient_id = {CLIENT_ID}\nclient_secret = {secret}\n{more}"
    )


def bridge(origin, users, secrets, client_tls="none", **keys):
    """Settings of a listener that leads to a mail server with OAuth, for a Gateway."""
    return forward(origin, client_tls, bridge="xoauth2", users=users, oauth=secrets, **keys)
