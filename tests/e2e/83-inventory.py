"""Which clients are left to fix is kept across restarts: who was refused is there until it comes back with TLS 1.2, and
again when it falls back."""

import json
import os
import shutil
import subprocess

from harness import (
    TLS10,
    TLS11,
    Gateway,
    RawClient,
    TlsOrigin,
    TlsPeer,
    alert,
    check,
    check_equal,
    check_in,
    clean_environment,
    client_context,
    client_hello,
    one_record,
    program,
    run_stories,
    story,
    wait_until,
    workplace,
)

NAME = "origin.floor.test"


class Inventory:
    """A file of its own for a story, in a directory that the gateway has to make."""

    def __init__(self):
        self.directory = workplace("run", f"inventory-{os.getpid()}")
        self.file = f"{self.directory}/clients.db"
        # What comes a moment after TLS 1.2 would be taken for a stray hello of a healthy client.
        self.settings = {"inventory.file": self.file, "inventory.fallback_s": "0"}

    def __enter__(self):
        shutil.rmtree(self.directory, ignore_errors=True)
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.directory, ignore_errors=True)

    def clients(self):
        """{address: row of the report}, whether a gateway runs or not; None if the file cannot be read."""
        command = [program(), "report", "--format", "json", self.file]
        done = subprocess.run(command, env=clean_environment(), check=False, capture_output=True)
        if done.returncode != 0:
            return None
        return {client["source"]: client for client in json.loads(done.stdout)["clients"]}

    def client(self, source, holds, what):
        """The row of a client, once it is there and so."""
        found = {}

        def is_there():
            found.update(self.clients() or {})
            return source in found and holds(found[source])

        wait_until(is_there, what)
        return found[source]


def refused(gateway, version=TLS10, source="127.0.0.1"):
    with RawClient(gateway.straight, source=source) as client:
        client.send(one_record(client_hello(version, NAME)))
        check_equal(client.receive_all(), alert(70, version), "answer")
    gateway.record({"event.code": "client-below-floor", "source.ip": source})


def served(gateway, version="1.2", source="127.0.0.1"):
    with RawClient(gateway.straight, source=source) as client:
        peer = TlsPeer(client.sock, client_context(version, version), NAME).handshake()
        check_equal(peer.version(), f"TLSv{version}", "version agreed")
        peer.close()


def without_fix(row):
    return row["fixed_since"] is None


@story
def a_refused_client_is_there_after_a_restart():
    with Inventory() as inventory, TlsOrigin("1.2") as origin:
        with Gateway(origin, settings=inventory.settings) as gateway:
            refused(gateway)
            refused(gateway)
        kept = inventory.clients()["127.0.0.1"]
        check_equal((kept["blocked"], kept["count"], kept["versions"]), (2, 2, ["1.0"]), "what is kept")
        check_equal([(d["host"], d["port"]) for d in kept["destinations"]], [(NAME, 443)], "where it went")
        with Gateway(origin, settings=inventory.settings) as gateway:
            refused(gateway)
        again = inventory.clients()["127.0.0.1"]
        check_equal(again["blocked"], 3, "refusals of both runs")
        check_equal(again["first_seen"], kept["first_seen"], "first seen")
        check(again["last_seen"] > kept["last_seen"], f"last seen is {again['last_seen']}")


@story
def each_address_is_a_client():
    with Inventory() as inventory:
        with Gateway(settings=inventory.settings) as gateway:
            for last in range(2, 6):
                for _ in range(last):
                    refused(gateway, source=f"127.0.0.{last}")
        counts = {source: client["blocked"] for source, client in inventory.clients().items()}
        check_equal(counts, {f"127.0.0.{last}": last for last in range(2, 6)}, "refusals by address")


@story
def who_comes_back_with_TLS_12_is_fixed_until_it_falls_back():
    with Inventory() as inventory, TlsOrigin("1.2") as origin:
        with Gateway(origin, settings=inventory.settings) as gateway:
            refused(gateway, source="127.0.0.2")
            refused(gateway, source="127.0.0.3")
        with Gateway(origin, settings=inventory.settings) as gateway:
            served(gateway, source="127.0.0.2")
            fixed = inventory.client("127.0.0.2", lambda row: not without_fix(row), "it is fixed")
            check_equal(fixed["state"], "fixed", "state")
            check(fixed["fixed_since"] > fixed["first_seen"], f"fixed since {fixed['fixed_since']}")
            check_equal(without_fix(inventory.clients()["127.0.0.3"]), True, "the other one is not fixed")
        with Gateway(origin, settings=inventory.settings) as gateway:
            check_equal(inventory.clients()["127.0.0.2"]["fixed_since"], fixed["fixed_since"], "after a restart")
            refused(gateway, source="127.0.0.2")
            back = inventory.client("127.0.0.2", without_fix, "it is no longer fixed")
            check_equal((back["state"], back["blocked"]), ("blocked", 2), "state and refusals")


@story
def a_gateway_that_is_killed_loses_a_second_at_most():
    with Inventory() as inventory:
        with Gateway(settings=inventory.settings) as gateway:
            refused(gateway)
            inventory.client("127.0.0.1", lambda row: row["blocked"] == 1, "it is stored while the gateway runs")
            gateway.kill()
            gateway.finished = True
        check_equal(inventory.clients()["127.0.0.1"]["blocked"], 1, "refusals")
        with Gateway(settings=inventory.settings) as gateway:
            refused(gateway, TLS11)
        kept = inventory.clients()["127.0.0.1"]
        check_equal(kept["blocked"], 2, "refusals of both runs")


def refused_start(settings):
    """What a gateway says that does not start."""
    gateway = Gateway(settings=settings)
    gateway.write(gateway.ini)
    command = [program(), "run", "-c", gateway.file]
    done = subprocess.run(command, env=clean_environment(), check=False, capture_output=True, timeout=20)
    os.unlink(gateway.file)
    check_equal(done.returncode, 3, f"exit code, with {done.stderr.decode()}")
    return done.stderr.decode()


@story
def two_gateways_do_not_share_a_file():
    with Inventory() as inventory:
        with Gateway(settings=inventory.settings) as gateway:
            check_in("another gateway has it", refused_start(inventory.settings), "what the second one says")
            refused(gateway)
        check_equal(inventory.clients()["127.0.0.1"]["blocked"], 1, "refusals")


@story
def a_file_that_is_no_inventory_is_left_alone():
    with Inventory() as inventory:
        os.makedirs(inventory.directory)
        text = b"somebody's notes\n" * 300
        with open(inventory.file, "wb") as f:
            f.write(text)
        check_in("move it away", refused_start(inventory.settings), "what the gateway says")
        with open(inventory.file, "rb") as f:
            check_equal(f.read(), text, "the file")


run_stories()
