// What the gateway is, and what is wrong with it.
import { ago, byId, el, empty, number, plural, put, putIfChanged, table } from "./dom.js";

const CA_DAYS = 30;
const EXCEPTION_DAYS = 14;
const ENDPOINT_DAYS = 45;

const badge = (tone, text) => el("span", { class: `badge ${tone}` }, text);

export function showBadges(status) {
  putIfChanged(
    "badges",
    badge(status.mode === "enforce" ? "good" : "warn", status.mode === "enforce" ? "enforcing" : "monitoring only"),
    badge("plain", `floor TLS ${status.floor}`),
    badge(status.draining ? "bad" : "good", status.draining ? "draining" : "ready"),
  );
  byId("version").textContent = `tlsfloor ${status.version}`;
}

function* troubles(status, report) {
  const { ca, endpoints, inventory, logs } = status;
  if (status.draining) yield ["warn", "The gateway is draining: it takes no new connections."];
  if (status.mode === "monitor") yield ["info", "Monitor mode: whoever is below the floor is logged, and passes."];
  if (!inventory) yield ["warn", "There is no inventory, so no clients to show. Write [inventory] file = memory, or a file."];
  if (inventory?.failing) yield ["bad", `The inventory cannot be stored in ${inventory.file}; it goes on in memory. The gateway's standard error says why.`];
  if (inventory?.dropped > 0) yield ["warn", `${plural(inventory.dropped, "sighting")} did not find room in the inventory's queue: raise [limits] inventory_queue.`];
  if (logs.block.dropped > 0) yield ["bad", `${plural(logs.block.dropped, "connection")} of the block log could not be written: look at the disk.`];
  if (ca && ca.days_left < 0) yield ["bad", "The gateway's CA has expired: nobody can be upgraded. Run tlsfloor ca init --renew."];
  else if (ca && ca.days_left <= CA_DAYS) yield ["warn", `The gateway's CA expires in ${plural(ca.days_left, "day")}: tlsfloor ca init --renew makes a new certificate.`];
  if (endpoints.age_days > ENDPOINT_DAYS) yield ["warn", `The Microsoft 365 endpoint set is ${number(endpoints.age_days)} days old: tlsfloor endpoints update fetches today's.`];
  for (const e of report?.exceptions ?? []) {
    if (e.days_left === null || e.days_left > EXCEPTION_DAYS) continue;
    if (e.days_left < 0) yield ["bad", `The exception [rule ${e.rule}] has ended on ${e.until}: it no longer applies.`];
    else yield ["warn", `The exception [rule ${e.rule}] ${e.days_left === 0 ? "ends today" : `ends in ${plural(e.days_left, "day")}`}.`];
  }
}

export function showNotices(status, report) {
  const all = [...troubles(status, report)];
  putIfChanged("notices", ...all.map(([tone, text]) => el("p", { class: `notice ${tone}` }, text)));
}

function daysLeft(e) {
  if (e.days_left === null) return "no end";
  const tone = e.days_left < 0 ? "bad" : e.days_left <= EXCEPTION_DAYS ? "warn" : "plain";
  return badge(tone, e.days_left < 0 ? `over since ${e.until}` : e.days_left === 0 ? "ends today" : plural(e.days_left, "day"));
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
  return fact(name, el("span", { class: "mono" }, SINKS[log.sink] ?? log.sink), log.sink === "off" ? "" : ` · ${counts}`);
}

function inventoryFact(inventory) {
  if (!inventory) return fact("Inventory", "off");
  const where = inventory.file === "memory" ? "in memory, forgotten at the end" : inventory.file;
  return fact("Inventory", `${where} · ${number(inventory.clients)} of ${number(inventory.clients_max)} clients`);
}

export function showGateway(status) {
  const { ca, endpoints, totals } = status;
  put(
    "facts",
    fact("Running", "since ", ago(status.started), ` · ${number(totals.active)} of ${plural(totals.connections, "connection")} open now`),
    fact("Configuration", el("span", { class: "mono" }, status.file)),
    fact("CA", ca ? `${ca.subject} · until ${ca.not_after.slice(0, 10)}, ${plural(ca.days_left, "day")} left` : "none: no TLS client is upgraded"),
    fact("Microsoft 365 endpoints", `${endpoints.origin} · ${plural(endpoints.sets, "set")}`, endpoints.as_of ? ` of ${endpoints.as_of}, ${plural(endpoints.age_days, "day")} old` : ""),
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
