"""What `tlsfloor report` makes of logs and of an inventory: in every format, of sound files and of broken ones."""

import base64
import csv
import hashlib
import io
import json
import os
import re
import subprocess
import time

import jsonschema
from harness import (
    CONNECT,
    TLS10,
    Gateway,
    RawClient,
    TlsOrigin,
    check,
    check_equal,
    check_in,
    client_hello,
    clean_environment,
    curl,
    one_record,
    program,
    run_stories,
    story,
    wait_until,
    workplace,
)
from harness.browser import Browser

NASTY = b"<script>=1+1\"',\x1b[31m"
SCHEMA = "conf/report.schema.json"
LISTENER = b"[listener proxy]\nlisten = 127.0.0.1:0\n"


def report(*arguments, status=0, stdin=b"", **environment):
    """What it writes, and what it says on standard error."""
    done = subprocess.run(
        [program(), "report", *arguments],
        input=stdin,
        env={**clean_environment(), **environment},
        check=False,
        capture_output=True,
    )
    said = done.stderr.decode()
    check_equal(done.returncode, status, f"exit code of report {' '.join(arguments)}, which says {said}")
    return done.stdout.decode(), said


def report_json(*arguments, **more):
    parsed = json.loads(report("--format", "json", *arguments, **more)[0])
    with open(SCHEMA, encoding="utf-8") as f:
        jsonschema.Draft202012Validator(json.load(f)).validate(parsed)
    return parsed


class Log:
    """A file of this story's own, with what was put into it; it goes at the end."""

    def __init__(self, name, data=b""):
        self.path = workplace("run", f"{os.getpid()}-{name}")
        with open(self.path, "wb") as f:
            f.write(data)

    def __enter__(self):
        return self.path

    def __exit__(self, *_):
        os.unlink(self.path)


def line(source="192.0.2.1", time="2026-11-01T08:00:00.000Z", **fields):
    record = {
        "@timestamp": time,
        "event.action": "tls-version-blocked",
        "event.code": "client-below-floor",
        "source.ip": source,
        "destination.domain": "mail.example.com",
        "destination.port": 443,
        "tlsfloor.max_version": "1.0",
    }
    record |= {key.replace("__", "."): value for key, value in fields.items()}
    return json.dumps(record).encode() + b"\n"


def passed(version="1.3", **more):
    return line(
        event__action="connection-end",
        tls__cipher="TLS_AES_128_GCM_SHA256",
        tlsfloor__verdict="tunnel",
        tlsfloor__max_version=version,
        **more,
    )


def lines_of(path):
    with open(path, "rb") as f:
        return f.read().splitlines()


@story
def it_knows_from_the_logs_of_a_gateway_who_was_refused_and_who_came_back_with_better():
    with Log("block.log") as block, Log("access.log") as access, TlsOrigin("1.3") as origin:
        settings = {"log.block": block, "log.access": access}
        with Gateway(origin, settings=settings) as gateway:
            for _ in range(3):
                with RawClient(gateway.proxy) as client:
                    client.send(
                        f"CONNECT {origin.name}:443 HTTP/1.1\r\nHost: x\r\nUser-Agent: <script>\r\n\r\n".encode()
                    )
                    client.receive_until(b"\r\n\r\n")
                    client.send(one_record(client_hello(TLS10, origin.name)))
                    client.receive_all()
            wait_until(lambda: len(lines_of(block)) == 3, "three records")
            before = report_json("-c", gateway.file)
            client = before["clients"][0]
            check_equal(before["totals"]["left"], 1, "clients left")
            check_equal(client["source"], "127.0.0.1", "source")
            check_equal(client["state"], "blocked", "state")
            check_equal(client["best"], "1.0", "version")
            check_equal(client["blocked"], 3, "refusals")
            check_equal(client["reason"], "client-below-floor", "reason")
            check_equal(client["destinations"][0]["host"], origin.name, "destination")
            check_in("<script>", client["user_agent"], "user agent")

            check_equal(curl(gateway, CONNECT, origin.name, "1.3").status, 0, "curl's exit status")
            wait_until(lambda: any(b'"tunnel"' in entry for entry in lines_of(access)), "a tunnel")
            after = report_json(access, block)
            check_equal(after["clients"][0]["state"], "fixed", f"state of {after['clients']}")
            check_equal((after["totals"]["left"], after["totals"]["fixed"]), (0, 1), "left and fixed")


@story
def it_reads_the_inventory_too():
    file = workplace("run", f"{os.getpid()}-inventory.sqlite")
    with TlsOrigin("1.3") as origin:
        with Gateway(origin, settings={"inventory.file": file}) as gateway:
            with RawClient(gateway.proxy).connect(origin.name) as client:
                client.send(one_record(client_hello(TLS10, origin.name)))
                client.receive_all()
            gateway.record({"event.action": "tls-version-blocked"})
            gateway.stop()
            check_in("read: an inventory of 1 client\n", report(file)[0], "text")
            check_in("Read: an inventory of 1 client.", report("--format", "html", file)[0], "page")
            for arguments in ([file], ["-c", gateway.file]):
                found = report_json(*arguments)
                check_equal([c["source"] for c in found["clients"]], ["127.0.0.1"], "clients")
                check_equal(found["clients"][0]["blocked"], 1, "refusals")
    with Log("block.log", line()) as block:
        check_in("alone", report(file, block, status=2)[1], "what it says of both at once")
    os.unlink(file)


def says(gateway, origin, data, agent=b"x", source="127.0.0.1"):
    """Sends something to an origin, through the proxy, and waits until the gateway has answered and gone."""
    with RawClient(gateway.proxy, source=source) as client:
        client.send(b"CONNECT %s:443 HTTP/1.1\r\nUser-Agent: %s\r\n\r\n" % (origin.name.encode(), agent))
        client.receive_until(b"\r\n\r\n")
        client.send(data)
        client.receive_all()


def without_times(found):
    """The clients of a report, but for when they were seen."""
    times = ("first_seen", "last_seen", "fixed_since")
    return [
        {**{k: v for k, v in c.items() if k not in times}, "destinations": [
            {k: v for k, v in d.items() if k not in times} for d in c["destinations"]
        ]}
        for c in found["clients"]
    ]


@story
def a_log_in_format_w3c_says_the_same_as_one_in_ecs():
    found = {}
    with Log("w3c.log") as w3c, Log("ecs.log") as ecs, TlsOrigin("1.3") as origin:
        for log_format, block in (("w3c", w3c), ("ecs", ecs)):
            settings = {"log.block": block, "log.format": log_format, "log.whole": 1, "log.rollup_s": 3600}
            settings["rule old.source"] = "127.0.0.3/32"
            settings["rule old.action"] = "upgrade"
            with Gateway(origin, settings=settings, upgrades=True) as gateway:
                hello = one_record(client_hello(TLS10, origin.name))
                for source in ("127.0.0.1", "127.0.0.2"):
                    for _ in range(3):
                        says(gateway, origin, hello, b"a b+c\"d%e<\xc3\xa9>", source=source)
                says(gateway, origin, b"hello, is this TLS?\r\n", source="127.0.0.2")
                curl(gateway, CONNECT, origin.name, "1.0", "--interface", "127.0.0.3", ca=gateway.ca)
            found[block] = report_json(block)
            check_equal(found[block]["input"]["not_understood"], 0, f"lines of {log_format} that are not understood")
        with open(w3c, "rb") as f:
            check_in(b"#Fields: date time", f.read(), "the file")
        both = report_json(w3c, ecs)
    check_equal(without_times(found[w3c]), without_times(found[ecs]), "what w3c says, and ecs")
    check_equal(len(found[w3c]["clients"]), 4, f"clients of {found[w3c]['clients']}")
    check_equal(sorted({c["state"] for c in found[w3c]["clients"]}), ["blocked", "upgraded"], "states")
    check_equal(found[w3c]["totals"]["connections_blocked"], 7, "refusals")
    check_equal(both["totals"]["connections_blocked"], 14, "refusals of both files")


@story
def those_left_are_the_same_number_everywhere():
    data = line(source="192.0.2.1", time="2020-01-01T00:00:00.000Z")
    data += line(source="192.0.2.2", time="2020-01-02T00:00:00.000Z")
    today = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
    with Log("block.log", data + line(source="192.0.2.3", time=today)) as block:
        found = report_json(block)
        text = report(block)[0]
    check_equal((found["totals"]["left"], found["totals"]["silent"]), (1, 2), "left and silent")
    check_equal(found["burn_down"][-1]["left"], 1, "left today")
    check_equal([c["state"] for c in found["clients"]], ["blocked", "silent", "silent"], "states")
    check_in("1 left to fix (1 blocked), 0 fallback, 2 silent (not seen for 30 days), 0 fixed", text, "text")


@story
def every_format_says_the_same_and_nobody_can_write_into_it():
    data = line(user_agent__original=NASTY.decode()) + line(destination__domain="a.example.com")
    with Log("block.log", data) as block:
        client = report_json(block)["clients"][0]
        text, _ = report(block, COLUMNS="80")
        for row in text.splitlines():
            check(len(row) <= 80 and row.isprintable(), f"a line of text: {row!r}")
        rows = list(csv.DictReader(io.StringIO(report("--format", "csv", block)[0], newline="")))
        check_equal(len(rows), len(client["destinations"]), "rows of CSV")
        for row in rows:
            check_equal((row["source"], row["fix"], row["state"]), (client["source"], client["fix"], "blocked"), "row")
            check(row["user_agent"][:1] not in "=+-@\t\r", f"a formula: {row}")
        page, _ = report("--format", "html", block)
        check_in(client["source"], page, "page")
        check("<script" not in page, "a script in the page")
        check("\x1b" not in page + text, "an escape sequence")


@story
def the_page_allows_its_own_style_sheet_and_nothing_else():
    with Log("block.log", line()) as block:
        page, _ = report("--format", "html", block)
    style = re.search(r"<style>(.*)</style>", page, re.DOTALL).group(1)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    check_in(f"default-src 'none'; style-src 'sha256-{digest}'", page, "policy")
    check(re.search(r"\bstyle=|\bhref=|\bsrc=|url\(|@import", page) is None, "something that would be loaded")


@story
def the_page_fits_a_phone_and_a_desk_and_nothing_is_to_be_scrolled_aside():
    name = "a-rather-long-name.of-a-host.example.com"
    with Log("block.log", line(user_agent__original="x" * 100) + line(destination__domain=name)) as block:
        page = report("--format", "html", block)[0].encode()
    aside = "[document.documentElement, ...document.querySelectorAll('.wide')].map((e) => e.scrollWidth - e.clientWidth)"
    with Log("report.html", page) as file, Browser() as browser:
        for width in (360, 390, 1100, 1440):
            browser.window(width, 900)
            browser.open(f"file://{os.path.abspath(file)}")
            browser.wait("document.querySelector('.clients td') && document.readyState == 'complete'")
            check_equal(browser.value(aside), [0, 0], f"what is beyond the edge at {width}")
            label = browser.value("getComputedStyle(document.querySelector('.fix'), '::before').content")
            check_equal(label, '"What to do"' if width < 1200 else "none", f"what stands beside the fix at {width}")
        check_equal(browser.problems, [], "what the browser complains of")


@story
def a_floor_of_1_3_asks_who_would_be_blocked_then():
    data = line() + passed("1.2", source="192.0.2.2") + passed("1.3", source="192.0.2.3")
    with Log("access.log", data) as log:
        found = report_json(log)
        check_equal([c["source"] for c in found["clients"]], ["192.0.2.1"], "below 1.2")
        check_equal(found["totals"]["healthy"], 1, "clients of TLS 1.2 that are not listed")
        check_in("not listed: 1 client that has only been seen with TLS 1.2", report(log)[0], "text")
        stricter = report_json("--floor", "1.3", log)
        check_equal(
            [(c["source"], c["state"]) for c in stricter["clients"]],
            [("192.0.2.1", "blocked"), ("192.0.2.2", "passes")],
            "below 1.3",
        )


@story
def roll_ups_count_what_they_stand_for():
    first, last = "2026-11-01T08:00:01.000Z", "2026-11-02T08:00:00.000Z"
    repeat = {"tlsfloor__repeat__count": 95, "tlsfloor__repeat__first": first, "tlsfloor__repeat__last": last}
    with Log("block.log", line() + line(**repeat)) as block:
        client = report_json(block)["clients"][0]
    check_equal(client["blocked"], 96, "refusals")
    check_equal(client["last_seen"], "2026-11-02T08:00:00.000Z", "last seen")


@story
def since_takes_days_hours_dates_and_times():
    check_in("an age as 30d or 12h, a day as 2026-11-01", report("--help")[0], "the help")
    data = line(source="192.0.2.1", time="2020-01-01T00:00:00.000Z")
    data += line(source="192.0.2.2", time="2020-01-03T00:00:00.000Z")
    with Log("block.log", data) as block:
        for since, listed in (("2020-01-02", 1), ("2020-01-03T01:00:00+01:00", 1), ("30d", 0), ("12h", 0), ("99999d", 2)):
            check_equal(report_json("--since", since, block)["totals"]["clients"], listed, f"clients since {since}")
        for nonsense in ("yesterday", "2020-13-01", "-1d", "d", ""):
            check_in("is no time", report("--since", nonsense, block, status=2)[1], f"of {nonsense!r}")


@story
def broken_lines_are_counted_and_the_first_is_named():
    data = line() + b"junk\n" + bytes(range(256)) + b"\n" + line()[:-20] + b"\n\n" + line() + line()[:50]
    with Log("block.log", data) as block:
        found = report_json(block)
        read = found["input"]
        check_equal(found["clients"][0]["blocked"], 2, "refusals")
        check_equal(read["first_not_understood"], f"{block}:2", "first that is none")
        check_in(f"{block}:2", report(block)[0], "text")
        piped = report_json("-", stdin=data)["input"]
        check_equal(piped["first_not_understood"], "standard input:2", "first that is none")
        check_equal(piped["not_understood"], read["not_understood"], "lines not understood")


@story
def a_file_that_cannot_be_read_is_named_and_the_others_are_reported():
    with Log("block.log", line()) as block, Log("old.gz", b"\x1f\x8b\x08\0") as packed:
        text, said = report("/nonexistent/block.log", block, status=1)
        check_in("/nonexistent/block.log: No such file", said, "what it says")
        check_in("192.0.2.1", text, "report")
        check_in("zcat", report(packed, status=1)[1], "what it says of a compressed file")
        check_equal(report("/nonexistent/a", status=1)[0], "", "report of nothing")


@story
def without_a_file_it_says_what_to_write():
    with Log("empty.ini", LISTENER + b"[log]\nblock = syslog:\n") as file:
        check_in("[inventory] file or [log] block", report("-c", file, status=2)[1], "what it says")
    check_in("usage:", report("--nonsense", status=2)[1], "what it says")
    check_in("write text, json, csv or html", report("--format", "xml", status=2)[1], "what it says")
    check_in("the floor is 1.2 or 1.3", report("--floor", "1.1", status=2)[1], "what it says")


@story
def exceptions_come_from_the_configuration():
    rules = LISTENER + b"[rule scanners]\nsource = 10.0.0.0/8\naction = monitor\n"
    rules += b"until = 2999-12-31\nowner = print <team>\n"
    with Log("rules.ini", rules) as file, Log("block.log", line()) as block:
        found = report_json("-c", file, block)["exceptions"]
        check_equal([e["rule"] for e in found], ["scanners"], "exceptions")
        check_equal((found[0]["until"], found[0]["owner"]), ("2999-12-31", "print <team>"), "exception")
        check(found[0]["days_left"] > 300000, f"days left of {found[0]}")
        check_in("print &#60;team&#62;", report("-c", file, "--format", "html", block)[0], "page")
    with Log("block.log", line()) as block:
        check_in("no/such.ini", report("-c", "no/such.ini", block, status=1)[1], "what it says")


run_stories()
