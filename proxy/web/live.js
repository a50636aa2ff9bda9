// Refusals, would-be refusals and upgrades as they come in.
import { ask, repeat } from "./api.js";
import { byId, clock, destination, el, empty, number, plural, put, stateBadge, table, versionName } from "./dom.js";

const PERIOD_MS = 2000;
const KEPT = 100;
const QUIET_MS = 15000; // between two announcements

const COLUMNS = ["Time", "What", "Client", "Destination", "TLS", "Why"].map((name) => ({ name }));

let last = 0;
let events = []; // the latest first
let paused = false;
let unsaid = 0;
let saidAt = 0;

/** No guess as a fact: one that is only possible begins with "perhaps" already. */
function software(e) {
  return (e.certainty === "likely" ? `${e.client} (likely)` : e.client) || e.user_agent || "unknown software";
}

function clientCell(e) {
  return el(
    "div",
    {},
    el("span", { class: "mono strong" }, e.source),
    e.user && el("span", { class: "by" }, ` ${e.user}`),
    el("span", { class: "small clamp", title: e.user_agent }, software(e)),
  );
}

function whatCell(e) {
  return el("div", {}, stateBadge(e.outcome), e.count > 1 ? el("span", { class: "by" }, ` × ${number(e.count)}`) : "");
}

const cells = (e) => [
  clock(e.at),
  whatCell(e),
  clientCell(e),
  destination(e.host, e.port),
  e.outcome === "upgraded" ? `${versionName(e.version)} → ${e.to}` : versionName(e.version),
  (e.fallback ? "a stray hello of a client that does better; " : "") + (e.sentence || "carried on in verified TLS"),
];

const NOTHING = "Nothing yet since the gateway was started. What is refused or upgraded shows up here within seconds.";

function render() {
  const caption = "The latest refusals, would-be refusals and upgrades";
  put("live-rows", events.length > 0 ? table(caption, COLUMNS, events.map(cells)) : empty(el("p", {}, NOTHING)));
}

/** Not each event: who listens would hear nothing else. */
function announce(n) {
  unsaid += n;
  if (unsaid === 0 || Date.now() - saidAt < QUIET_MS) return;
  byId("live-said").textContent = plural(unsaid, "new event");
  saidAt = Date.now();
  unsaid = 0;
}

/** Polls, and calls onNews() when there are new events. Answers a function to be called when the gateway has been
 * started anew: the numbers of events have begun anew then, and may be beyond the last one that was known. */
export function startLive(onNews, onResult) {
  const poll = async () => {
    const after = last;
    const answer = await ask(`/api/events?after=${after}`);
    if (paused || after !== last) return;
    const isFirst = after === 0 || answer.last < after;
    if (isFirst) events = [];
    last = answer.last;
    if (answer.events.length > 0) {
      events = [...answer.events.reverse(), ...events].slice(0, KEPT);
      if (!isFirst) announce(answer.events.length);
      onNews();
    }
    if (answer.events.length > 0 || isFirst) render();
  };
  const again = repeat(poll, () => PERIOD_MS, onResult);
  byId("pause").addEventListener("click", () => {
    paused = !paused;
    byId("pause").setAttribute("aria-pressed", String(paused));
    byId("pause").textContent = paused ? "Go on" : "Pause";
    if (!paused) again();
  });
  return () => {
    last = 0;
    again();
  };
}
