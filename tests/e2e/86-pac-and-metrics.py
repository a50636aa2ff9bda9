"""PAC scripts as engines and a browser take them; metrics, alerts and the dashboard for Grafana as their tools do."""

import base64
import glob
import json
import re
import subprocess
import tempfile
import urllib.request

from harness import (
    CONNECT,
    TLS10,
    Gateway,
    OfficeOrigin,
    TlsOrigin,
    alert,
    check,
    check_equal,
    check_in,
    clean_environment,
    client_hello,
    one_record,
    program,
    promtool,
    reach,
    run_client,
    run_stories,
    story,
)
from harness.browser import Browser

NAME = "origin.floor.test"
OFFICE = "outlook.office365.com"
PROXY = "PROXY 10.0.0.5:3128"
LISTENER = "[listener proxy]\nlisten = 10.0.0.5:3128\n"


# PAC


def pac(*options, settings=LISTENER):
    with tempfile.NamedTemporaryFile("w", suffix=".ini") as f:
        f.write(settings)
        f.flush()
        command = [program(), "pac", "-c", f.name, *options]
        done = subprocess.run(command, env=clean_environment(), check=False, capture_output=True)
    check_equal(done.returncode, 0, f"exit code, with {done.stderr.decode()}")
    return done.stdout.decode()


def asked(script, questions, plain="192.0.2.1", **every):
    """What an engine answers to (url, host) pairs on a machine with these addresses."""
    call = {"script": script, "addresses": {"plain": plain, **every}, "questions": questions}
    command = ["node", "--expose-internals", "tests/e2e/clients/pac.js"]
    done = subprocess.run(command, input=json.dumps(call).encode(), check=False, capture_output=True)
    check_equal(done.returncode, 0, f"exit code of node, which says {done.stderr.decode()}")
    return json.loads(done.stdout)


def check_answers(script, wanted, **machine):
    """`wanted`: {url: answer}; the host is the one in the url, as browsers give it."""

    def host_of(url):
        return re.match(r"[a-z]+://(?:\[(.*?)\]|([^/:?]*))", url, re.I).group(1, 2)

    questions = [(url, next(part for part in host_of(url) if part is not None)) for url in wanted]
    for (url, _), answer in zip(questions, asked(script, questions, **machine)):
        check_equal(answer, wanted[url], f"answer for {url}")


def sets_of(instance):
    with open(f"conf/m365/{instance}.json", encoding="utf-8") as f:
        return json.load(f)


def ports_of(text):
    ranges = [part.split("-") for part in text.replace(" ", "").split(",") if part]
    return {port for r in ranges for port in range(int(r[0]), int(r[-1]) + 1)}


def expression(pattern):
    """What a pattern means, said anew, so that this is no copy of what is tested."""
    if pattern.startswith("*."):
        return r"[^.].*" + re.escape(pattern[1:])
    if pattern.startswith("*"):
        return r".*" + re.escape(pattern[1:])
    return re.escape(pattern).replace(r"\*", "[^.]+")


def near(pattern):
    """Names that a pattern matches, and such that it only just does not."""
    tail = pattern.lstrip("*.")
    yield from (pattern.replace("*", x) for x in ("a", "a.b", "a-b", ""))
    yield from (tail, "x" + tail, "x." + tail, "x.y." + tail, tail + ".example", tail[1:], tail.upper(), "x." + tail + ".")


def questions_of(sets):
    hosts = {h for s in sets for pattern in s.get("urls", ()) for h in near(pattern.lower()) if not h.startswith(".")}
    for host in sorted(hosts):
        yield f"https://{host}/", host, 443
        yield f"http://{host}/path?x=https://a:1", host, 80
        for port in (25, 80, 143, 443, 587, 993, 8443):
            yield f"https://{host}:{port}/", host, port


@story
def exactly_the_endpoints_of_each_cloud_are_direct_by_name_and_port():
    for instance, word in (("Worldwide", "worldwide"), ("USGovGCCHigh", "gcchigh"), ("USGovDoD", "dod"), ("China", "china")):
        for direct, categories in (("optimize", ["Optimize"]), ("allow", ["Optimize", "Allow"])):
            sets = sets_of(instance)
            rows = [
                (re.compile(expression(pattern.lower())), ports_of(s.get("tcpPorts", "")))
                for s in sets
                if s["category"] in categories
                for pattern in s.get("urls", ())
            ]
            questions = list(questions_of(sets))
            script = pac("--direct", direct, settings=f"{LISTENER}[m365]\ninstance = {word}\n")
            answers = asked(script, [(url, host) for url, host, _ in questions])
            found = 0
            for (url, host, port), answer in zip(questions, answers):
                name = host.lower().removesuffix(".")
                wanted = any(port in ports and row.fullmatch(name) for row, ports in rows) or "." not in name
                check_equal(answer, "DIRECT" if wanted else PROXY, f"{instance}, {direct}: answer for {url}")
                found += wanted
            check(0 < found < len(questions), f"{found} of {len(questions)} are direct")


@story
def patterns_of_every_form_mean_what_they_do_for_rules():
    sets = [
        {"id": 7, "category": "Optimize", "tcpPorts": "443", "urls": ["*cdn.example.net", "a.*.b.example"]},
        {"id": 8, "category": "Allow", "tcpPorts": "9000-9010", "urls": ["*.x.example", "*cdn.example.net"]},
    ]
    with tempfile.NamedTemporaryFile("w", suffix=".json") as f:
        json.dump(sets, f)
        f.flush()
        script = pac("--direct", "allow", settings=f"{LISTENER}[m365]\nendpoints = {f.name}\n")
    check_answers(
        script,
        {
            "https://cdn.example.net/": "DIRECT",
            "https://site-cdn.example.net/": "DIRECT",
            "https://a.site-cdn.example.net/": "DIRECT",
            "https://dn.example.net/": PROXY,
            "https://cdn.example.net:9005/": "DIRECT",
            "https://cdn.example.net:9011/": PROXY,
            "https://a.tenant.b.example/": "DIRECT",
            "https://a.b.example/": PROXY,
            "https://a.one.two.b.example/": PROXY,
            "https://xa.tenant.b.example/": PROXY,
            "https://y.x.example:9000/": "DIRECT",
            "https://x.example:9000/": PROXY,
        },
    )


@story
def ports_come_from_the_address_or_its_scheme():
    check_answers(
        pac(),
        {
            f"https://{OFFICE}/": "DIRECT",
            f"https://{OFFICE}": "DIRECT",
            f"http://{OFFICE}?a:1": "DIRECT",
            f"http://{OFFICE}/a:1": "DIRECT",
            f"wss://{OFFICE}/": "DIRECT",
            f"ws://{OFFICE}/": "DIRECT",
            f"https://{OFFICE}:80/": "DIRECT",
            f"https://{OFFICE}:8443/": PROXY,
            f"https://{OFFICE}:993/": PROXY,
            f"ftp://{OFFICE}/": PROXY,
            f"HTTPS://{OFFICE.upper()}./": "DIRECT",
        },
    )


@story
def names_and_addresses_of_ones_own_are_direct():
    own = "intranet localhost a.localhost printer.local 127.0.0.1 127.9.9.9 10.1.2.3 172.16.0.1 172.31.255.255 "
    own += "192.168.1.1 169.254.1.1 10.0.0.5 [::1] [0:0:0:0:0:0:0:1] [fd00::1] [fc12:3::4] [fe80::1] [febf::1]"
    others = "8.8.8.8 172.15.0.1 172.32.0.1 11.0.0.1 10.example.com 127.0.0.1.example.com 192.169.1.1 2130706433 0x7f000001 "
    others += "locals.example [2001:db8::1] [::2] [fec0::1] [fb00::1] www.example.com constructor.example 110.1.2.3"
    check_answers(pac(), {f"http://{host}/": "DIRECT" for host in own.split()})
    check_answers(pac(), {f"http://{host}:8080/": PROXY for host in others.split()})


@story
def the_gateway_itself_is_direct_and_there_is_no_way_past_it():
    script = pac("--proxy", "gw.example:3128, https://gw2.example:3129, socks5://[2001:db8::5]:1080")
    proxies = "PROXY gw.example:3128; HTTPS gw2.example:3129; SOCKS5 [2001:db8::5]:1080"
    check_answers(
        script,
        {
            "http://gw.example:9180/": "DIRECT",
            "http://GW2.example./": "DIRECT",
            "http://[2001:db8::5]/": "DIRECT",
            "http://www.example.com/": proxies,
        },
    )


@story
def only_legacy_clients_go_through_the_gateway():
    script = pac("--kind", "legacy", "--clients", "10.20.0.0/16, 192.0.2.7, 2001:db8:1::/48")
    through = {f"https://{OFFICE}/": PROXY, "https://www.example.com/": PROXY, "http://intranet/": "DIRECT"}
    past = {url: "DIRECT" for url in through}
    check_answers(script, through, plain="10.20.255.1")
    check_answers(script, through, plain="192.0.2.7")
    check_answers(script, through, plain="127.0.0.1", all="fe80::1;2001:db8:1::9")
    check_answers(script, through, plain="127.0.0.1", all="172.16.0.1;10.20.0.9")
    for plain in ("10.21.0.1", "192.0.2.8", "127.0.0.1", "2001:db8:1::9", ""):
        check_answers(script, past, plain=plain)
    check_answers(script, past, plain="10.21.0.1", all="10.21.0.1;2001:db8:2::1")
    check_answers(script, past, plain="127.0.0.1", all="")
    check_answers(script, past, plain="127.0.0.1", all=False)  # as engines that could not find out


def page(title):
    return {"/": f"<!doctype html><title>{title}</title>".encode()}


def check_loads(script, pages, *options):
    """`pages`: {url: title}, as a browser sees them with a proxy as the script at this address says."""
    with Browser("--ignore-certificate-errors", f"--proxy-pac-url={script}", *options) as browser:
        for url, title in pages.items():
            browser.open(url)
            browser.wait(f"document.title === '{title}'")


@story
def a_browser_takes_the_script_and_goes_where_it_says():
    """The gateway knows the way to the one host only, the browser to the other."""
    with TlsOrigin("1.2", "1.3", pages=page("by the gateway")) as origin:
        with OfficeOrigin(pages=page("direct"), alpn=("http/1.1",)) as office:
            with Gateway(origin, settings={"admin.listen": "127.0.0.1:0"}) as gateway:
                address = f"http://127.0.0.1:{gateway.ports['admin']}/proxy.pac"
                gateway.reload(f"{gateway.ini}\n[pac]\nproxy = 127.0.0.1:{gateway.proxy}\n")
                with urllib.request.urlopen(address) as response:
                    kind, script = response.headers["Content-Type"], response.read()
                check_equal(kind, "application/x-ns-proxy-autoconfig", "type of the script")
                pages = {f"https://{NAME}/": "by the gateway", f"https://{OFFICE}/": "direct"}
                check_loads(address, pages, f"--host-resolver-rules=MAP {OFFICE}:443 127.0.0.1:{office.port}")
                check(gateway.metric("tlsfloor_tunnels_total") > 0, "the gateway has had sessions")
                inline = "data:application/x-ns-proxy-autoconfig;base64," + base64.b64encode(script).decode()
                check_loads(inline, {f"https://{NAME}/": "by the gateway"})


@story
def a_gateway_that_browsers_cannot_name_has_no_script():
    settings = {"admin.listen": "127.0.0.1:0"}  # and the port of the listener is the kernel's choice
    with Gateway(settings=settings) as gateway:
        result = run_client("curl", "-sSi", f"http://127.0.0.1:{gateway.ports['admin']}/proxy.pac")
        check_in(" 404 ", result.output, "answer")
        check_in("[pac] proxy", result.output, "answer")


# Metrics


RULES = "conf/prometheus/tlsfloor.rules"


def metrics_of(gateway):
    with urllib.request.urlopen(f"http://127.0.0.1:{gateway.ports['admin']}/metrics") as response:
        return response.read().decode()


def lively_gateway():
    settings = {
        "admin.listen": "127.0.0.1:0",
        "inventory.file": "memory",
        "rule printers.destination": "print.floor.test",
        "rule printers.action": "monitor",
        "rule printers.until": "2099-12-31",
        "rule printers.owner": 'the "print" team \\ M\u00fcller',
    }
    return Gateway(settings=settings, upgrades=True)


def provoke(gateway):
    """A client that is refused."""
    with reach(gateway, CONNECT, NAME) as client:
        client.send(one_record(client_hello(TLS10)))
        check_equal(client.receive_all(), alert(70, TLS10), "answer")
    gateway.record({"event.code": "client-below-floor"})


def families_of(text):
    from prometheus_client.openmetrics.parser import text_string_to_metric_families

    return {family.name: family for family in text_string_to_metric_families(text)}


@story
def metrics_are_open_metrics_and_tell_how_things_stand():
    with TlsOrigin() as origin:
        with Gateway(origin, settings={"admin.listen": "127.0.0.1:0"}) as gateway:
            provoke(gateway)
            families = families_of(metrics_of(gateway))
    total = {s.labels["version"]: s.value for s in families["tlsfloor_client_versions"].samples}
    check_equal((total["1.0"], total["1.2"]), (1, 0), "versions that clients offered")
    check_equal(sum(s.value for s in families["tlsfloor_below_floor"].samples), 1, "clients below the floor")
    check(not [name for name, family in families.items() if not family.documentation], "every family is explained")
    for family in families.values():
        for sample in family.samples:
            check("127.0.0.1" not in sample.labels.values(), f"an address is a label of {sample.name}")


@story
def the_state_is_told_with_labels_escaped():
    with lively_gateway() as gateway:
        families = families_of(metrics_of(gateway))
        (rule,) = families["tlsfloor_rule_left_seconds"].samples
        check_equal(rule.labels, {"rule": "printers", "owner": 'the "print" team \\ M\u00fcller'}, "labels of a rule")
        check(rule.value > 70 * 365 * 86400, "a rule counts down")
        states = {s.labels["state"]: s.value for s in families["tlsfloor_clients"].samples}
        check_equal(states, {"legacy": 0, "fixed": 0, "fallback": 0, "silent": 0}, "clients of the inventory")
        for name in ("tlsfloor_ca_not_after_seconds", "process_open_fds", "process_resident_memory_bytes"):
            check(families[name].samples[0].value > 0, f"{name} is there")
        with open(f"/proc/{gateway.process.pid}/limits", encoding="ascii") as f:
            limit = int(re.search(r"Max open files\s+(\d+)", f.read()).group(1))
        check_equal(families["process_max_fds"].samples[0].value, limit, "process_max_fds")
        before = families["tlsfloor_config_last_reload_timestamp_seconds"].samples[0].value
        gateway.write("[floor]\nminimum = 9\n")
        gateway.signal(1)
        check(gateway.stderr.wait(lambda lines: any("reload refused" in line for line in lines)), "it refuses")
        families = families_of(metrics_of(gateway))
        check_equal(families["tlsfloor_config_last_reload_success"].samples[0].value, 0, "a refused reload")
        check_equal(
            families["tlsfloor_config_last_reload_timestamp_seconds"].samples[0].value, before, "settings in force"
        )


@story
def clients_of_the_inventory_are_counted():
    with TlsOrigin() as origin:
        with Gateway(origin, settings={"admin.listen": "127.0.0.1:0", "inventory.file": "memory"}) as gateway:
            provoke(gateway)
            check_equal(gateway.metric("tlsfloor_clients", state="legacy"), 1, "legacy clients")
            check_equal(gateway.metric("tlsfloor_clients_by_family"), 1, "legacy clients by family")


def as_prometheus_text(text):
    """promtool reads the older format: there the family of a counter has `_total`, and there is no end."""
    for family in re.findall(r"^# TYPE (\S+) counter$", text, re.M):
        text = re.sub(rf"^(# (?:TYPE|HELP) {family}) ", r"\1_total ", text, flags=re.M)
    return text.replace("# EOF\n", "")


@story
def promtool_finds_nothing_to_say_of_the_metrics():
    tool = promtool()
    with lively_gateway() as gateway:
        result = run_client(tool, "check", "metrics", stdin=as_prometheus_text(metrics_of(gateway)))
    check_equal((result.output, result.status), ("", 0), "promtool check metrics")


@story
def the_rules_for_prometheus_fire_when_they_are_meant_to():
    tool = promtool()
    result = run_client(tool, "check", "rules", RULES)
    check_equal(result.status, 0, f"promtool check rules, which says {result.output}")
    result = run_client(tool, "test", "rules", *sorted(glob.glob("tests/data/prometheus/*.yml")), timeout=280)
    check_equal(result.status, 0, f"promtool test rules, which says {result.output}")


def names_in(expression_text):
    """Metrics in an expression: what is followed by labels, a range or an operator, and is none of PromQL's words."""
    without_labels = re.sub(r'\{[^}]*\}|"[^"]*"|\((?:job|instance|reason|[a-z]+, [a-z]+)\)', "", expression_text)
    return set(re.findall(r"\b(?:tlsfloor|process)_[a-z0-9_]+\b", without_labels))


def dashboard_expressions():
    with open("conf/grafana/tlsfloor.json", encoding="utf-8") as f:
        board = json.load(f)
    return [target["expr"] for panel in board["panels"] for target in panel.get("targets", ())]


@story
def what_rules_and_dashboard_ask_for_is_there():
    with open(RULES, encoding="utf-8") as f:
        wanted = names_in(f.read())
    for text in dashboard_expressions():
        check(names_in(text), f"a metric of ours in {text}")
        wanted |= names_in(text)
    with lively_gateway() as gateway:
        there = {re.match(r"[a-z0-9_]+", line).group() for line in metrics_of(gateway).splitlines() if line[0] != "#"}
    there |= {"tlsfloor_clients_by_family"}  # of which there is none as yet
    check_equal(wanted - there, set(), "metrics that are asked for, and are not there")
    check(len(wanted) > 25, f"{wanted} is all that is asked for")


@story
def promtool_can_parse_what_the_dashboard_asks():
    tool = promtool()
    rules = [
        {"record": f"panel:{i}", "expr": text.replace("$__rate_interval", "5m")}
        for i, text in enumerate(dashboard_expressions())
    ]
    with tempfile.NamedTemporaryFile("w", suffix=".rules") as f:
        json.dump({"groups": [{"name": "dashboard", "rules": rules}]}, f)  # JSON is YAML too
        f.flush()
        result = run_client(tool, "check", "rules", f.name)
    check_equal(result.status, 0, f"promtool check rules, which says {result.output}")
    check_in(f"{len(rules)} rules found", result.output, "what promtool says")


run_stories()
