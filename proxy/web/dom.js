// Elements, and values as people read them. Whatever a peer has said goes in as text, never as markup.

const SVG = "http://www.w3.org/2000/svg";

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== ""));
  return element;
}

/** An element with attributes (null and false: without) and children, which are elements or text. */
export function el(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

export const byId = (id) => document.getElementById(id);

/** Gives an element other contents. */
export function put(id, ...children) {
  byId(id).replaceChildren(...children);
}

/** The same, unless they are what is there already: what does not change is not read out again. */
export function putIfChanged(id, ...children) {
  const next = byId(id).cloneNode();
  next.append(...children);
  if (!next.isEqualNode(byId(id))) byId(id).replaceChildren(...next.childNodes);
}

const numbers = new Intl.NumberFormat("en");
export const number = (n) => numbers.format(n);
export const plural = (n, one, many = `${one}s`) => `${number(n)} ${n === 1 ? one : many}`;

const UNITS = [
  [86400, "d"],
  [3600, "h"],
  [60, "min"],
];

/** How long ago, as `3 h ago`; exactly, as a tooltip and for machines. */
export function ago(time) {
  const seconds = (Date.now() - Date.parse(time)) / 1000;
  const [size, unit] = UNITS.find(([s]) => seconds >= s) ?? [1, "s"];
  const text = seconds < 5 ? "just now" : `${Math.floor(seconds / size)} ${unit} ago`;
  return el("time", { datetime: time, title: new Date(time).toLocaleString() }, text);
}

export const clock = (time) =>
  el("time", { datetime: time, title: new Date(time).toLocaleString() }, new Date(time).toLocaleTimeString());

const AREAS = { Skype: "Teams", MEM: "Intune" };
export const areaName = (area) => AREAS[area] ?? area;

const VERSIONS = { plain: "plain text", ssl2: "SSL 2.0", ssl3: "SSL 3.0" };
export const versionName = (version) => VERSIONS[version] ?? `TLS ${version}`;

const TONES = {
  blocked: "bad",
  "would-block": "warn",
  upgraded: "info",
  passes: "plain",
  fallback: "plain",
  silent: "plain",
  fixed: "good",
};
const STATES = { "would-block": "would be blocked", silent: "not seen for 30 days" };
export const stateName = (state) => STATES[state] ?? state;
export const stateBadge = (state) => el("span", { class: `badge ${TONES[state] ?? "plain"}` }, stateName(state));

/** host:port, which breaks before the port rather than in it; `?` where the host was never known. */
export const destination = (host, port) =>
  el(
    "span",
    { class: "mono" },
    host === "" ? "?" : host.includes(":") ? `[${host}]` : host,
    ...(port ? [el("wbr"), `:${port}`] : []),
  );

/** A table. `columns`: [{name, class}] or [{head, name, class}]; `rows`: lists of cells, each an element or text.
 * Roles are told, since narrow screens lay rows out as cards, and a browser then forgets them. */
export function table(caption, columns, rows) {
  const cell = (content, i) =>
    el("td", { role: "cell", class: columns[i].class ?? null, "data-label": columns[i].name }, content);
  const heads = columns.map(
    (c) => c.head ?? el("th", { scope: "col", role: "columnheader", class: c.class ?? null }, c.name),
  );
  return el(
    "table",
    { role: "table" },
    el("caption", { class: "unseen" }, caption),
    el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, ...heads)),
    el("tbody", { role: "rowgroup" }, ...rows.map((cells) => el("tr", { role: "row" }, ...cells.map(cell)))),
  );
}

export const empty = (...children) => el("div", { class: "empty" }, ...children);
