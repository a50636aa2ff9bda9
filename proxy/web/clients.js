// The table of clients: filter, order, a page at a time.
import { ago, areaName, byId, destination, el, empty, number, plural, put } from "./dom.js";
import { stateBadge, stateName, table, versionName } from "./dom.js";

const PAGE = matchMedia("(max-width: 900px)").matches ? 10 : 25; // rows at first, and with each "more"
const DESTINATIONS = 3; // told at once
const VERSIONS = ["plain", "ssl2", "ssl3", "1.0", "1.1", "1.2", "1.3"];
const LEFT = ["blocked", "would-block", "upgraded", "passes"];

// What to sort by. The gateway's own order is that of the state: what to fix first.
const COLUMNS = [
  { name: "State", key: (c) => c.rank, class: "w-state" },
  { name: "Client", key: (c) => c.source, class: "w-client" },
  { name: "Software", key: (c) => c.stack, class: "w-stack" },
  { name: "Offers", key: (c) => VERSIONS.indexOf(c.best) },
  { name: "Destinations", key: (c) => c.destinations.length, down: true, class: "w-hosts" },
  { name: "What to do", key: (c) => c.fix, class: "w-fix" },
  { name: "Seen first", key: (c) => c.first_seen },
  { name: "Seen last", key: (c) => c.last_seen, down: true },
  { name: "Connections", key: (c) => c.count, down: true, class: "n" },
];

let clients = [];
let order = { column: COLUMNS[0], down: false };
let shown = PAGE;
let emptyText = null;

const collator = new Intl.Collator("en", { numeric: true });

function compare(a, b) {
  const [x, y] = [order.column.key(a), order.column.key(b)];
  const sign = typeof x === "number" ? x - y : collator.compare(x, y);
  return (order.down ? -sign : sign) || a.rank - b.rank;
}

const textOf = (c) =>
  [c.source, c.user, c.stack, c.family, c.name, c.user_agent, c.fix, c.article, c.reason, c.listener, c.rule, c.ja4]
    .concat(c.destinations.map((d) => `${d.host}:${d.port}`))
    .join("\n")
    .toLowerCase();

function isWanted(c) {
  const [state, area] = [byId("state").value, byId("area").value];
  const words = byId("find").value.toLowerCase().split(/\s+/);
  return (
    (state === "" || state === c.state || (state === "left" && LEFT.includes(c.state))) &&
    (area === "" || c.destinations.some((d) => d.area === area)) &&
    words.every((word) => c.text.includes(word))
  );
}

// --- cells ---

function clientCell(c) {
  return el(
    "div",
    {},
    el("span", { class: "mono strong" }, c.source),
    c.user && el("span", { class: "by" }, ` ${c.user}`),
    c.user_agent && el("span", { class: "small clamp", title: c.user_agent }, c.user_agent),
  );
}

/** What is not certain says so by itself: "perhaps", "(likely)". */
function softwareCell(c) {
  const how = [c.certainty === "certain" && c.certainty, c.ability !== "unknown" && c.ability];
  return el(
    "div",
    {},
    el("span", {}, c.stack || "unknown"),
    el("span", { class: "small" }, how.filter(Boolean).join(" · ")),
  );
}

const isOld = (version) => VERSIONS.indexOf(version) < VERSIONS.indexOf("1.2");

function versionCell(c) {
  return el("span", { class: `badge ${isOld(c.best) ? "bad" : "plain"}` }, versionName(c.best));
}

function destinationItem(d) {
  const area = d.area === "elsewhere" ? null : el("span", { class: "tag" }, areaName(d.area));
  const count = el("span", { class: "by" }, `× ${number(d.count)}`);
  return el("li", {}, destination(d.host, d.port), " ", area, " ", count);
}

function destinationsCell(c) {
  const items = c.destinations.map(destinationItem);
  const list = el("ul", { class: "plain-list" }, ...items.slice(0, DESTINATIONS));
  const rest = items.slice(DESTINATIONS);
  if (c.more_destinations > 0) rest.push(el("li", {}, plural(c.more_destinations, "connection"), " to others"));
  if (rest.length === 0) return list;
  const more = el("summary", {}, `${number(rest.length)} more`);
  return el("div", {}, list, el("details", {}, more, el("ul", { class: "plain-list" }, ...rest)));
}

function article(c) {
  const kb = /^KB(\d{6,8})$/.exec(c.article);
  if (!kb) return c.article;
  const href = `https://support.microsoft.com/help/${kb[1]}`;
  return el("a", { href, target: "_blank", rel: "noopener noreferrer" }, c.article);
}

function fixCell(c) {
  return el("div", {}, c.fix || (c.state === "fixed" ? "nothing: it is fixed" : ""), " ", c.fix && article(c));
}

function stateCell(c) {
  const why = c.state === "fixed" ? ["since ", ago(c.fixed_since)] : [c.reason_text];
  return el("div", {}, stateBadge(c.state), el("span", { class: "small" }, ...why));
}

const cells = (c) => [
  stateCell(c),
  clientCell(c),
  softwareCell(c),
  versionCell(c),
  destinationsCell(c),
  fixCell(c),
  ago(c.first_seen),
  ago(c.last_seen),
  number(c.count),
];

// --- the table ---

function sortBy(column) {
  order = { column, down: order.column === column ? !order.down : Boolean(column.down) };
  render();
}

function headOf(column) {
  const is = order.column === column;
  const button = el("button", { type: "button", "data-sort": column.name }, column.name);
  button.addEventListener("click", () => sortBy(column));
  const sort = is ? (order.down ? "descending" : "ascending") : null;
  const head = el("th", { scope: "col", role: "columnheader", "aria-sort": sort, class: column.class ?? null }, button);
  return { head, name: column.name, class: column.class };
}

/** Where the focus and open details are, and back there once the rows have been made anew. */
function keepPlace() {
  const rows = byId("client-rows");
  const at = rows.contains(document.activeElement) ? document.activeElement : null;
  const all = (root) => [...root.querySelectorAll("button, summary, a")];
  const sorted = at?.dataset.sort;
  const key = at?.closest("tr")?.dataset.key;
  const index = at && key ? all(at.closest("tr")).indexOf(at) : -1;
  const open = [...rows.querySelectorAll("tr:has(details[open])")].map((row) => row.dataset.key);
  return () => {
    for (const row of rows.querySelectorAll("tbody tr")) {
      if (open.includes(row.dataset.key)) row.querySelector("details")?.setAttribute("open", "");
      if (key && row.dataset.key === key) all(row)[index]?.focus({ preventScroll: true });
    }
    if (sorted) all(rows).find((b) => b.dataset.sort === sorted)?.focus({ preventScroll: true });
  };
}

function render() {
  const wanted = clients.filter(isWanted).sort(compare);
  const visible = wanted.slice(0, shown);
  const back = keepPlace();
  const all = plural(clients.length, "client");
  byId("clients-count").textContent = wanted.length === clients.length ? all : `${number(wanted.length)} of ${all}`;
  if (visible.length > 0) {
    const made = table("Clients, what to fix first on top", COLUMNS.map(headOf), visible.map(cells));
    [...made.tBodies[0].rows].forEach((row, i) => (row.dataset.key = visible[i].id));
    put("client-rows", made);
  } else {
    put("client-rows", clients.length > 0 ? empty(el("p", {}, "No client matches the filter.")) : emptyText());
  }
  const left = wanted.length - visible.length;
  byId("more").hidden = left === 0;
  byId("more").textContent = `Show ${number(Math.min(left, PAGE))} more of ${number(left)}`;
  back();
}

function options(id, all, choices, name) {
  const before = byId(id).value;
  put(id, el("option", { value: "" }, all), ...choices.map((value) => el("option", { value }, name(value))));
  byId(id).value = choices.includes(before) ? before : "";
}

/** Shows the clients of a report. `nobody()` answers what is shown when there are none. */
export function showClients(report, nobody) {
  emptyText = nobody;
  const idOf = (c) => `${c.source} ${c.family || c.ja4}`;
  clients = report.clients.map((c, rank) => ({ ...c, rank, text: textOf(c), id: idOf(c) }));
  const states = new Set(clients.map((c) => c.state));
  const areas = new Set(clients.flatMap((c) => c.destinations.map((d) => d.area)));
  options("state", "all", ["left", ...states], (s) => (s === "left" ? "left to fix" : stateName(s)));
  options("area", "all", [...areas].sort(), areaName);
  render();
}

for (const id of ["find", "state", "area"])
  byId(id).addEventListener("input", () => {
    shown = PAGE;
    render();
  });
byId("filters").addEventListener("submit", (event) => event.preventDefault());
byId("more").addEventListener("click", () => {
  shown += PAGE;
  render();
});
