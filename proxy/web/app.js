// When to ask for what, and which part of the page shows it.
import { ask, repeat } from "./api.js";
import { bars, showBurnDown } from "./chart.js";
import { showClients } from "./clients.js";
import { ago, areaName, byId, el, empty, number, plural, put } from "./dom.js";
import { showBadges, showExceptions, showGateway, showNoAnswer, showNotices } from "./gateway.js";
import { startLive } from "./live.js";

const STATUS_MS = 5000;
const REPORT_MS = 60000; // when nothing has happened
const NEWS_MS = 3000; // after something has, and at most so often
const SHARE = 20; // of the time, one part at most is spent on reports: those of many clients are large

let status = null;
let report = null;
let newsTimer = 0;
let newsPause = NEWS_MS;

// --- summary ---

const asked = () => (byId("what-if").checked ? "1.3" : status.floor);

function showSummary() {
  const t = report.totals;
  const isWhatIf = report.floor !== status.floor;
  byId("left-title").textContent = isWhatIf ? "Clients below TLS 1.3" : "Legacy clients left";
  byId("left").textContent = number(t.left);
  byId("left-more").textContent =
    `of ${plural(t.clients, "client")} seen below TLS ${report.floor}; ${number(t.fixed)} fixed, ` +
    `${number(t.fallback)} with stray hellos only` +
    (t.silent > 0 ? `, ${number(t.silent)} not seen for 30 days` : "") +
    (t.healthy > 0 ? `; ${number(t.healthy)} more with TLS 1.2 at best` : "");
  const rows = [
    ["blocked", t.left_blocked, "bad"],
    ["would be blocked", t.left_would_block, "warn"],
    ["upgraded", t.left_upgraded, "info"],
    ...(isWhatIf ? [["pass today", t.left_passes, "plain"]] : []),
  ];
  const tile = ([name, n, tone]) => el("div", { class: tone }, el("dt", {}, name), el("dd", {}, number(n)));
  put("numbers", ...rows.map(tile));
  document.title = t.left > 0 ? `(${t.left}) tlsfloor` : "tlsfloor";
  byId("what-if-answer").hidden = !isWhatIf;
  byId("what-if-answer").textContent =
    t.left === 0
      ? "With a floor of TLS 1.3 nobody who has been seen would be blocked."
      : `With a floor of TLS 1.3 ${plural(t.left, "client")} would be below it, of which ${number(t.left_passes)} ` +
        `pass today. All numbers on this page are for that floor now.`;
}

function showBars() {
  const areas = report.areas.map((a) => ({
    name: areaName(a.area),
    parts: [
      { tone: "info", n: a.upgraded, of: "upgraded" },
      { tone: "bad", n: a.blocked, of: "blocked" },
      { tone: "warn", n: a.would_block, of: "would be blocked" },
    ],
  }));
  const stacks = report.stacks
    .filter((s) => s.left > 0)
    .map((s) => ({ name: s.stack, parts: [{ tone: "bad", n: s.left, of: s.left === 1 ? "client" : "clients" }] }));
  const none = () => empty(el("p", {}, "None yet."));
  put("areas", areas.length > 0 ? bars(areas) : none());
  put("stacks", stacks.length > 0 ? bars(stacks) : none());
}

function nobody() {
  const proxy = status.listeners.find((l) => l.kind === "connect")?.address ?? "ADDRESS:PORT";
  return empty(
    el("p", { class: "strong" }, "No client below the floor has been seen yet."),
    el(
      "p",
      {},
      "Point clients here: name ",
      el("code", {}, proxy),
      " as their proxy, or give browsers ",
      el("a", { href: "/proxy.pac" }, "the PAC file"),
      ". To see one refused, from this machine:",
    ),
    el("pre", { tabindex: "0" }, `curl -x ${proxy} --tls-max 1.0 --ciphers DEFAULT@SECLEVEL=0 https://www.debian.org/`),
  );
}

function show() {
  if (!status || !report) return;
  showSummary();
  showNotices(status, report);
  showBurnDown(report);
  showClients(report, nobody);
  showBars();
  showExceptions(report);
}

// --- what is asked ---

const failed = new Map();

/** Says what does not work, as long as it does not. */
function onResult(what) {
  return (error, delay) => {
    if (error) failed.set(what, `${error.message}; asking again in ${Math.round(delay / 1000)} s`);
    else failed.delete(what);
    const [first] = failed.values();
    const sentence = el("strong", {}, "The gateway does not answer. ");
    put("trouble", ...(first ? [el("p", { class: "notice bad" }, sentence, first)] : []));
    document.body.classList.toggle("stale", failed.size > 0);
    if (failed.has("status")) showNoAnswer();
  };
}

async function askStatus() {
  const before = status;
  status = await ask("/api/status");
  if (before && before.started !== status.started) {
    liveAnew();
    reportNow();
  }
  showBadges(status);
  showGateway(status);
  showNotices(status, report);
  byId("what-if-label").hidden = status.floor === "1.3";
  put("age", "as of ", new Date(status.generated).toLocaleTimeString());
  if (!report) reportNow?.();
}

async function askReport() {
  if (!status) return;
  const floor = asked();
  byId("csv").href = `/api/clients.csv?floor=${floor}`;
  const start = performance.now();
  report = await ask(`/api/report?floor=${floor}`);
  newsPause = Math.max(NEWS_MS, SHARE * (performance.now() - start));
  show();
}

let reportNow = null;
let liveAnew = null;
repeat(askStatus, () => STATUS_MS, onResult("status"));
reportNow = repeat(askReport, () => REPORT_MS, onResult("report"));
liveAnew = startLive(() => {
  newsTimer ||= setTimeout(() => {
    newsTimer = 0;
    reportNow();
  }, newsPause);
}, onResult("events"));
byId("what-if").addEventListener("change", () => reportNow());
