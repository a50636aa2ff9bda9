#!/usr/bin/env python3
"""Runs `tlsfloor inspect --jsonl` over annotated hellos and compares every row: `tests/inspect_corpus.py [FILE...]`.

Without arguments: tests/data, and where it is there the larger collection beside the repository. What the fields of
a row mean is told in tests/data/README.md. The program is $BUILD/tlsfloor.
"""

import json
import os
import subprocess
import sys
from glob import glob

PROGRAM = os.path.join(os.environ.get("BUILD", "build"), "tlsfloor")
STATUSES = ("malformed", "incomplete", "not_tls")

# The name of a field in a row, and in the answer.
CLIENT_FIELDS = {
    "format": "format",
    "record_version": "record_version",
    "legacy_version": "legacy_version",
    "offered_versions": "offered_versions",
    "max_version": "max_version",
    "sni": "server_name",
    "alpn": "alpn",
    "ciphers": "ciphers",
    "extensions": "extensions",
    "ja3_string": "ja3_full",
    "ja3": "ja3",
    "ja4": "ja4",
    "hello_len": "hello_len",
    "verdict": "verdict",
    "legacy_family": "client_family",
}
SERVER_FIELDS = {
    "record_version": "record_version",
    "legacy_version": "legacy_version",
    "negotiated_version": "version",
    "cipher": "cipher",
    "extensions": "extensions",
    "downgrade_sentinel": "downgrade_sentinel",
    "ja3s_string": "ja3s_full",
    "ja3s": "ja3s",
    "verdict": "verdict",
}


def expected(row):
    """What the answer to a row must hold."""
    kind = row.get("kind")
    if kind == "alert":
        fields = {key: row[key] for key in ("alert_level", "alert_description")}
        return {"status": "incomplete", "side": "server", **fields}
    if kind:
        fields = {name: row[key] for key, name in SERVER_FIELDS.items()}
        return {"status": "complete", "side": "server", "hello_retry": kind == "HelloRetryRequest", **fields}
    if row.get("expect") in STATUSES:
        verdict = {} if row["expect"] == "incomplete" else {"verdict": "block"}
        return {"status": row["expect"], "side": "client", **verdict}
    fields = {name: row[key] for key, name in CLIENT_FIELDS.items() if key in row}
    if "expect" in row:
        fields["verdict"] = row["expect"]
    return {"status": "complete", "side": "client", **fields}


def look(row):
    """What a client can be recognised by, as far as a row has it."""
    return json.dumps([row.get("format"), row.get("ciphers"), row.get("ja3_string")])


def families_by_look(rows):
    """Two clients that send the very same hello cannot be told apart by it: the name of either is right."""
    families = {}
    for row in rows:
        families.setdefault(look(row), set()).add(row.get("legacy_family"))
    return families


def question(row):
    keys = ("id", "record_hex", "bytes_hex")
    side = {"side": "server"} if "kind" in row else {}
    return json.dumps({**{key: row[key] for key in keys if key in row}, **side})


def differences(row, answer, families):
    wanted = {"id": row["id"], **expected(row)}
    family = answer.get("client_family")
    if "client_family" in wanted and family in families[look(row)]:
        wanted["client_family"] = family
    return [f"{key}: {answer.get(key)!r}, not {value!r}" for key, value in wanted.items() if answer.get(key) != value]


def check(path):
    """Counts the rows of a file that agree: (passed, failed)."""
    with open(path, encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    asked = "".join(question(row) + "\n" for row in rows)
    done = subprocess.run([PROGRAM, "inspect", "--jsonl"], input=asked, stdout=subprocess.PIPE, text=True, check=False)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    families = families_by_look(rows)
    failed = 0
    if done.returncode != 0 or len(answers) != len(rows):
        print(f"{path}: {len(answers)} answers to {len(rows)} rows, exit status {done.returncode}")
        failed = 1
    for row, answer in zip(rows, answers):
        wrong = differences(row, answer, families)
        failed += bool(wrong)
        for difference in wrong:
            print(f"{path}: {row['id']}: {difference}")
    print(f"{path}: {len(rows)} rows")
    return max(len(rows) - failed, 0), failed


def main():
    files = sys.argv[1:] or sorted(glob("tests/data/*.jsonl") + glob("../shared/clienthellos/*.jsonl"))
    counts = [check(path) for path in files]
    passed, failed = (sum(column) for column in zip(*counts)) if counts else (0, 1)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


main()
