"""The dashboard, as a browser shows it, and the API behind it."""

import csv
import io
import json
import urllib.error
import urllib.request

import jsonschema

from harness import (
    SSL3,
    TLS10,
    TLS11,
    TLS12,
    Gateway,
    RawClient,
    RawOrigin,
    alert,
    check,
    check_equal,
    check_in,
    client_hello,
    one_record,
    run_stories,
    server_hello,
    story,
    wait_until,
)
from harness.browser import Browser

NAME = "origin.floor.test"
SETTINGS = {
    "admin.listen": "127.0.0.1:0",
    "rule lab.destination": "lab.example.com",
    "rule lab.action": "tunnel",
    "rule lab.until": "2020-02-29",
    "rule lab.owner": "the lab <b>team</b>",
}
HOSTILE = "<img src=x onerror=document.title='stolen'><script>document.title='stolen'</script>"
HELLO = one_record(client_hello(TLS12))
FLIGHT = one_record(server_hello(TLS12), TLS12)
ROWS = "[...document.querySelectorAll('#client-rows tbody tr')].map((row) => row.innerText)"


def ask(gateway, path, status=200):
    """The body of a page, and its header fields."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{gateway.ports['admin']}{path}", timeout=20) as response:
            got, fields, body = response.status, response.headers, response.read().decode()
    except urllib.error.HTTPError as error:
        got, fields, body = error.code, error.headers, error.read().decode()
    check_equal(got, status, f"status of {path}, which says {body[:200]!r}")
    return body, fields


def checked(gateway, path, schema):
    """JSON that is as its schema has it."""
    with open(f"conf/{schema}.schema.json", encoding="utf-8") as f:
        rules = json.load(f)
    told = json.loads(ask(gateway, path)[0])
    jsonschema.Draft202012Validator(rules).validate(told)
    return told


def connected(gateway, source, agent):
    client = RawClient(gateway.proxy, source=source)
    client.send(f"CONNECT {NAME}:443 HTTP/1.1\r\nHost: {NAME}:443\r\nUser-Agent: {agent}\r\n\r\n".encode())
    check_in(b" 200 ", client.receive_until(b"\r\n\r\n"), "answer to CONNECT")
    return client


def refused(gateway, source, version=TLS10, agent="old-agent/1.0"):
    with connected(gateway, source, agent) as client:
        client.send(one_record(client_hello(version)))
        check_equal(client.receive_all(), alert(70, version), "answer")
    gateway.record({"event.code": "client-below-floor", "source.ip": source})


def served(gateway, source, agent="new-agent/2.0"):
    with connected(gateway, source, agent) as client:
        client.send(HELLO)
        check_equal(client.receive(len(FLIGHT)), FLIGHT, "the server's flight")


def origin():
    def script(connection):
        connection.recv_exactly(len(HELLO))
        connection.send(FLIGHT)
        connection.recv_to_end()

    return RawOrigin(script)


def opened(browser, gateway, width=1440, height=900, dark=False):
    browser.window(width, height, dark)
    browser.open(f"http://127.0.0.1:{gateway.ports['admin']}/")
    browser.wait("document.querySelector('#facts dt') && document.querySelector('#client-rows > *') && true")


@story
def a_refused_client_shows_up_within_seconds_and_what_it_says_is_only_text():
    with origin() as server, Gateway(server, settings=SETTINGS) as gateway, Browser() as browser:
        opened(browser, gateway)
        check_in("No client below the floor has been seen yet", browser.value("document.body.innerText"), "at first")
        refused(gateway, "127.0.0.2", agent=HOSTILE)
        browser.wait("document.querySelector('#live-rows tbody tr')?.innerText.includes('127.0.0.2')")
        (row,) = browser.wait(f"{ROWS}.length == 1 && {ROWS}")
        for words in ("127.0.0.2", HOSTILE, "TLS 1.0", f"{NAME}:443", "blocked"):
            check_in(words, row, "the client's row")
        check_equal(browser.value("document.getElementById('left').innerText"), "1", "clients left")
        check_equal(browser.value("document.title"), "(1) tlsfloor", "title")
        check_equal(browser.value("document.querySelectorAll('main img, main script').length"), 0, "elements of a peer's")
        check_in("the lab <b>team</b>", browser.value("document.getElementById('exceptions').innerText"), "exceptions")
        check_in("has ended on 2020-02-29", browser.value("document.getElementById('notices').innerText"), "notices")
        check_equal(browser.problems, [], "what the browser complains of")


@story
def clients_are_filtered_and_sorted_by_keyboard_too():
    with origin() as server, Gateway(server, settings=SETTINGS) as gateway, Browser() as browser:
        for number, version in ((2, TLS10), (3, TLS11), (10, TLS10)):
            refused(gateway, f"127.0.0.{number}", version)
        refused(gateway, "127.0.0.3", TLS11)
        opened(browser, gateway)
        browser.wait(f"{ROWS}.length == 3")
        browser.press("Tab")
        check_equal(browser.value("document.activeElement.className"), "skip", "where Tab leads first")
        browser.value("document.querySelector('[data-sort=Client]').focus()")
        browser.press("Enter")
        addresses = "[...document.querySelectorAll('#client-rows tbody .strong')].map((e) => e.textContent)"
        check_equal(browser.value(addresses), ["127.0.0.2", "127.0.0.3", "127.0.0.10"], "clients by address")
        sort = "document.activeElement.closest('th').getAttribute('aria-sort')"
        check_equal(browser.value(sort), "ascending", "aria-sort of the column that has the focus still")
        browser.press("Enter")
        check_equal(browser.value(addresses), ["127.0.0.10", "127.0.0.3", "127.0.0.2"], "clients the other way")
        browser.value("document.getElementById('find').focus()")
        browser.ask("Input.insertText", text="elsewhere.test 127.0.0.3")
        check_equal(browser.value(addresses), [], "clients that have both words")
        browser.value("document.getElementById('find').select()")
        browser.ask("Input.insertText", text="0.0.3 FLOOR.test")
        check_equal(browser.value(addresses), ["127.0.0.3"], "clients that have both words")
        check_equal(browser.value("document.getElementById('clients-count').innerText"), "1 of 3 clients", "count")
        check_equal(browser.problems, [], "what the browser complains of")


@story
def the_what_if_names_who_would_be_blocked_at_a_floor_of_1_3():
    with origin() as server, Gateway(server, settings=SETTINGS) as gateway, Browser() as browser:
        refused(gateway, "127.0.0.2")
        served(gateway, "127.0.0.4")
        wait_until(lambda: json.loads(ask(gateway, "/api/report?floor=1.3")[0])["totals"]["left"] == 2, "both are known")
        opened(browser, gateway)
        browser.wait(f"{ROWS}.length == 1")
        seen = browser.value("document.getElementById('left-more').innerText")
        check_in("of 1 client seen below TLS 1.2", seen, "how many")
        check_in("1 more with TLS 1.2 at best", seen, "and the others")
        browser.value("document.getElementById('what-if').click()")
        rows = browser.wait(f"{ROWS}.length == 2 && {ROWS}")
        check(any("127.0.0.4" in row and "TLS 1.2" in row for row in rows), f"who offers 1.2 is in {rows}")
        answer = browser.value("document.getElementById('what-if-answer').innerText")
        check_in("2 clients would be below it, of which 1 pass", answer, "the answer")
        check_in("floor=1.3", browser.value("document.getElementById('csv').href"), "where the export leads")
        browser.value("document.getElementById('what-if').click()")
        browser.wait(f"{ROWS}.length == 1")
        check_equal(browser.problems, [], "what the browser complains of")


@story
def it_fits_a_phone_and_a_desk_in_the_dark_and_in_the_light():
    with origin() as server, Gateway(server, settings=SETTINGS) as gateway, Browser() as browser:
        refused(gateway, "127.0.0.2", agent="x" * 200)
        background = "getComputedStyle(document.body).backgroundColor"
        colours = set()
        for width, height in ((360, 740), (390, 844), (1400, 900)):
            for dark in (False, True):
                opened(browser, gateway, width, height, dark)
                browser.wait(f"{ROWS}.length == 1")
                wide = browser.value("document.documentElement.scrollWidth")
                check(wide <= width, f"the page is {wide} wide in a window of {width}")
                head = browser.wait("document.querySelector('#live-rows tr') && document.querySelector('#live-rows thead')"
                    " && getComputedStyle(document.querySelector('#live-rows thead')).position")
                check_equal(head, "absolute" if width <= 900 else "sticky", f"head of the live rows at {width}")
                colours.add(browser.value(background))
        check_equal(len(colours), 2, f"backgrounds, which are {colours}")
        browser.value("document.getElementById('theme').click()")  # light, which the system does not want
        check_equal(browser.value("document.documentElement.dataset.theme"), "light", "theme")
        opened(browser, gateway, 1400, 900, dark=True)
        check_equal(browser.value("document.documentElement.dataset.theme"), "light", "theme of the next visit")
        check_equal(browser.problems, [], "what the browser complains of")


@story
def a_gateway_that_is_gone_is_said_to_be():
    with origin() as server, Gateway(server, settings=SETTINGS) as gateway, Browser() as browser:
        opened(browser, gateway)
        gateway.stop()
        browser.wait("document.getElementById('trouble').innerText.includes('The gateway does not answer.')")
        browser.wait("document.getElementById('badges').innerText == 'no answer'")


# The report tells of more clients than there are.
MANY = """
const answer = Response.prototype.json;
Response.prototype.json = async function () {
  const told = await answer.call(this);
  if (told.burn_down?.length) told.burn_down[0].left = 123456;
  return told;
};
"""

# Requests of the page wait until they are let go.
HOLD = "(() => { const ask = fetch; const held = new Promise((go) => (window.go = go));"
HOLD += "window.fetch = async (...a) => { await held; return ask(...a); }; })()"


@story
def a_page_that_has_missed_a_restart_shows_what_is_new_and_nothing_old():
    live = "[...document.querySelectorAll('#live-rows tbody .strong')].map((e) => e.textContent).join()"
    settings = {**SETTINGS, "inventory.file": "memory"}
    with origin() as server, Browser() as browser:
        with Gateway(server, settings=settings) as gateway:
            refused(gateway, "127.0.0.2")
            opened(browser, gateway)
            browser.wait(f"{live} == '127.0.0.2'")
            browser.value(HOLD)
        settings["admin.listen"] = f"127.0.0.1:{gateway.ports['admin']}"
        with Gateway(server, settings=settings) as gateway:
            for number in (5, 4, 3):  # more events than before, so that numbers alone tell nothing
                refused(gateway, f"127.0.0.{number}")
            browser.value("go()")
            browser.wait(f"{live} == '127.0.0.3,127.0.0.4,127.0.0.5'")
            browser.wait("document.getElementById('left').innerText == '3'")


@story
def how_sure_a_match_is_is_said_once():
    windows_xp = one_record(client_hello(SSL3, suites=(4, 5, 0xA, 9, 0x64, 0x62, 3, 6, 0x13, 0x12, 0x63)))
    with origin() as server, Gateway(server, settings=SETTINGS) as gateway, Browser() as browser:
        with connected(gateway, "127.0.0.2", "") as client:
            client.send(windows_xp)
            client.receive_all()
        gateway.record({"tlsfloor.client_certainty": "likely", "source.ip": "127.0.0.2"})
        opened(browser, gateway)
        (row,) = browser.wait(f"{ROWS}.length == 1 && {ROWS}")
        event = browser.wait("document.querySelector('#live-rows tbody tr')?.innerText")
        for told in (row, event):
            check_equal(told.count("likely"), 1, f"times that it is said in {told!r}")


@story
def without_javascript_there_is_a_sentence_and_nothing_empty():
    with origin() as server, Gateway(server, settings=SETTINGS) as gateway, Browser() as browser:
        browser.window(390, 844)
        browser.ask("Emulation.setScriptExecutionDisabled", value=True)
        browser.open(f"http://127.0.0.1:{gateway.ports['admin']}/")
        shown = "[...document.querySelectorAll('main > *')].filter((e) => e.offsetHeight > 0).map((e) => e.tagName)"
        browser.wait(f"document.readyState == 'complete' && {shown}.join() == 'NOSCRIPT'")
        check_in("This page needs JavaScript", browser.value("document.querySelector('main').innerText"), "the page")


@story
def nothing_moves_for_those_who_want_no_motion():
    slide = "getComputedStyle(document.querySelector('.switch input'), '::after').transitionDuration"
    with origin() as server, Gateway(server, settings=SETTINGS) as gateway, Browser() as browser:
        opened(browser, gateway)
        check(browser.value(slide) != "0s", "the switch does not slide")
        reduce = {"name": "prefers-reduced-motion", "value": "reduce"}
        browser.ask("Emulation.setEmulatedMedia", features=[reduce])
        browser.wait(f"{slide} == '0s'")


@story
def large_numbers_beside_the_picture_are_not_cut():
    with origin() as server, Gateway(server, settings=SETTINGS) as gateway, Browser() as browser:
        refused(gateway, "127.0.0.2")
        browser.ask("Page.addScriptToEvaluateOnNewDocument", source=MANY)
        opened(browser, gateway)
        browser.wait("document.querySelector('#burn text')?.closest('svg').textContent.includes('200,000')")
        left = "Math.min(...[...document.querySelectorAll('#burn text')].map((e) => e.getBBox().x))"
        check(browser.value(left) >= 0, f"a number begins at {browser.value(left)}")


@story
def the_api_is_what_its_schemas_say():
    with origin() as server, Gateway(server, settings=SETTINGS) as gateway:
        refused(gateway, "127.0.0.2", agent=HOSTILE)
        wait_until(lambda: json.loads(ask(gateway, "/api/events")[0])["last"] == 1, "the event")
        report = checked(gateway, "/api/report", "report")
        check_equal([c["source"] for c in report["clients"]], ["127.0.0.2"], "clients")
        checked(gateway, "/api/report?floor=1.3&since=30d", "report")
        status = checked(gateway, "/api/status", "status")
        check_equal(status["totals"]["blocked"], 1, "blocked")
        check_equal({l["name"] for l in status["listeners"]}, {"proxy", "straight"}, "listeners")
        (event,) = json.loads(ask(gateway, "/api/events?after=0")[0])["events"]
        check_equal((event["source"], event["outcome"], event["version"]), ("127.0.0.2", "blocked", "1.0"), "event")
        check_equal(event["user_agent"], HOSTILE, "user agent")
        text, fields = ask(gateway, "/api/clients.csv")
        check_in("attachment", fields["Content-Disposition"], "disposition")
        head, row = list(csv.reader(io.StringIO(text)))
        check_in("127.0.0.2", row, f"the row under {head}")
        for path in ("/api/report?floor=1.1", "/api/events?before=1", "/api/report?since=yesterday"):
            check_in("the query may have", ask(gateway, path, 400)[0], f"answer to {path}")
        ask(gateway, "/api/", 404)


@story
def without_an_inventory_it_says_so():
    settings = {**SETTINGS, "inventory.file": "off"}
    with origin() as server, Gateway(server, settings=settings) as gateway, Browser() as browser:
        refused(gateway, "127.0.0.2")
        check_equal(checked(gateway, "/api/status", "status")["inventory"], None, "inventory")
        check_equal(len(checked(gateway, "/api/report", "report")["exceptions"]), 1, "exceptions")
        opened(browser, gateway)
        browser.wait("document.getElementById('notices').innerText.includes('There is no inventory')")
        check_equal(browser.problems, [], "what the browser complains of")


run_stories()
