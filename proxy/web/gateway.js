// What the gateway is, and what is wrong with it.
import { ago, byId, el, empty, number, plural, put, putIfChanged, table } from "./dom.js";

const CA_DAYS = 30;
const EXCEPTION_DAYS = 14;
const ENDPOINT_DAYS = 45;

const badge = (tone, text) => el("span", { class: `badge ${tone}` }, text);

export function showBadges(status) {
  const mode = status.mode === "enforce" ? badge("good", "enforcing") : badge("warn", "monitoring only");
  const state = status.draining ? badge("bad", "draining") : badge("good", "ready");
  putIfChanged("badges", mode, badge("plain", `floor TLS ${status.floor}`), state);
  byId("version").textContent = `tlsfloor ${status.version}`;
}

/** What it was is no longer known. */
export function showNoAnswer() {
  putIfChanged("badges", badge("bad", "no answer"));
}

function* caTroubles(ca) {
  if (!ca || ca.days_left > CA_DAYS) return;
  const renew = "tlsfloor ca init --renew renews it.";
  if (ca.days_left < 0) yield ["bad", `The gateway's CA has expired, and nobody can be upgraded: ${renew}`];
  else yield ["warn", `The gateway's CA expires in ${plural(ca.days_left, "day")}: ${renew}`];
}

function* inventoryTroubles(inventory) {
  if (!inventory) {
    yield ["warn", "There is no inventory, so no clients to show. Write [inventory] file = memory, or a file."];
    return;
  }
  if (inventory.failing)
    yield ["bad", `${inventory.file} cannot be written, and the inventory goes on in memory; standard error says why.`];
  if (inventory.dropped > 0)
    yield ["warn", `${plural(inventory.dropped, "sighting")} found no room: raise [limits] inventory_queue.`];
}

function* exceptionTroubles(exceptions) {
  for (const e of exceptions) {
    if (e.days_left === null || e.days_left > EXCEPTION_DAYS) continue;
    const end = e.days_left === 0 ? "ends today" : `ends in ${plural(e.days_left, "day")}`;
    if (e.days_left < 0) yield ["bad", `The exception [rule ${e.rule}] has ended on ${e.until}: it no longer applies.`];
    else yield ["warn", `The exception [rule ${e.rule}] ${end}.`];
  }
}

function* troubles(status, report) {
  const { endpoints, logs } = status;
  if (status.draining) yield ["warn", "The gateway is draining: it takes no new connections."];
  if (status.mode === "monitor") yield ["info", "Monitor mode: whoever is below the floor is logged, and passes."];
  yield* inventoryTroubles(status.inventory);
  if (logs.block.dropped > 0)
    yield ["bad", `${plural(logs.block.dropped, "connection")} did not get into the block log: look at the disk.`];
  yield* caTroubles(status.ca);
  if (endpoints.age_days > ENDPOINT_DAYS) {
    const age = plural(endpoints.age_days, "day");
    yield ["warn", `The Microsoft 365 endpoint set is ${age} old: tlsfloor endpoints update fetches today's.`];
  }
  yield* exceptionTroubles(report?.exceptions ?? []);
}

export function showNotices(status, report) {
  const all = [...troubles(status, report)];
  putIfChanged("notices", ...all.map(([tone, text]) => el("p", { class: `notice ${tone}` }, text)));
}

function daysLeft(e) {
  if (e.days_left === null) return "no end";
  const tone = e.days_left < 0 ? "bad" : e.days_left <= EXCEPTION_DAYS ? "warn" : "plain";
  if (e.days_left < 0) return badge(tone, `over since ${e.until}`);
  return badge(tone, e.days_left === 0 ? "ends today" : plural(e.days_left, "day"));
}

export function showExceptions(report) {
  const columns = ["Rule", "Action", "Last day", "Left", "Owner", "Ticket"].map((name) => ({ name }));
  const rows = report.exceptions.map((e) => [
    el("span", { class: "strong" }, e.rule),
    e.action,
    e.until ?? "none",
    daysLeft(e),
    e.owner || "nobody is named",
    e.ticket || "none",
  ]);
  put(
    "exceptions",
    rows.length > 0
      ? table("Rules with an end, an owner or a ticket", columns, rows)
      : empty(el("p", {}, "None: no rule has an end (until), an owner or a ticket.")),
  );
}

function fact(name, ...value) {
  return el("div", {}, el("dt", {}, name), el("dd", {}, ...value));
}

const SINKS = { "-": "standard output", off: "off" };

function logFact(name, log) {
  const counts = `${number(log.written)} written, ${number(log.dropped)} dropped`;
  const sink = el("span", { class: "mono" }, SINKS[log.sink] ?? log.sink);
  return fact(name, sink, log.sink === "off" ? "" : ` · ${counts}`);
}

function inventoryFact(inventory) {
  if (!inventory) return fact("Inventory", "off");
  const where = inventory.file === "memory" ? "in memory, forgotten at the end" : inventory.file;
  return fact("Inventory", `${where} · ${number(inventory.clients)} of ${number(inventory.clients_max)} clients`);
}

function caFact(ca) {
  if (!ca) return fact("CA", "none: no TLS client is upgraded");
  return fact("CA", `${ca.subject} · until ${ca.not_after.slice(0, 10)}, ${plural(ca.days_left, "day")} left`);
}

function endpointsFact(endpoints) {
  const age = endpoints.as_of ? ` of ${endpoints.as_of}, ${plural(endpoints.age_days, "day")} old` : "";
  return fact("Microsoft 365 endpoints", `${endpoints.origin} · ${plural(endpoints.sets, "set")}${age}`);
}

export function showGateway(status) {
  const { active, connections } = status.totals;
  const open = ` · ${number(active)} of ${plural(connections, "connection")} open now`;
  put(
    "facts",
    fact("Running", "since ", ago(status.started), open),
    fact("Configuration", el("span", { class: "mono" }, status.file)),
    caFact(status.ca),
    endpointsFact(status.endpoints),
    logFact("Block log", status.logs.block),
    logFact("Access log", status.logs.access),
    inventoryFact(status.inventory),
  );
  const columns = ["Name", "Address", "Kind", "For"].map((name) => ({ name }));
  const rows = status.listeners.map((l) => [
    l.name,
    el("span", { class: "mono" }, l.address),
    l.kind + (l.tls ? ", over TLS" : ""),
    l.upstream ? `${l.protocol} to ${l.upstream}` : "any destination",
  ]);
  put("listeners", table("Where the gateway listens for clients", columns, rows));
}
