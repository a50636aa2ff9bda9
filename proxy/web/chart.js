// Pictures: the burn-down, and bars. Each has its numbers as text beside it or in a table.
import { byId, el, empty, number, plural, put, svg, table } from "./dom.js";

const HEIGHT = 190;
const PAD = { right: 12, top: 12, bottom: 24 };
const DIGIT = 7.5; // the width of one beside the axis, rounded up
const NAMED_BY = "burn-title burn-note";
const DAYS_MIN = 14; // so that the first day is no wall

/** The days, with empty ones in front where there are few: nobody had been seen by then. */
function atLeast(days, n) {
  if (days.length === 0 || days.length >= n) return days;
  const first = Date.parse(days[0].day);
  const before = Array.from({ length: n - days.length }, (_, i) => ({
    day: new Date(first - (n - days.length - i) * 86400000).toISOString().slice(0, 10),
    left: 0,
    new: 0,
    fixed: 0,
  }));
  return [...before, ...days];
}

/** A round number that is not below n. */
function roundUp(n) {
  const size = 10 ** Math.floor(Math.log10(Math.max(n, 1)));
  return Math.max([1, 2, 4, 5, 10].find((step) => step * size >= n) * size, 2);
}

function draw(days, width) {
  const top = roundUp(Math.max(...days.map((d) => d.left)));
  const left = 16 + DIGIT * number(top).length;
  const [w, h] = [width - left - PAD.right, HEIGHT - PAD.top - PAD.bottom];
  const x = (i) => left + (w * i) / days.length;
  const y = (n) => PAD.top + h - (h * n) / top;
  const steps = days.map((d, i) => `H${x(i).toFixed(1)}V${y(d.left).toFixed(1)}`).join("");
  const line = `M${x(0)} ${y(days[0].left)}${steps}H${x(days.length)}`;
  const grid = [0, top / 2, top].map((n) =>
    svg(
      "g",
      {},
      svg("line", { class: "grid", x1: left, x2: width - PAD.right, y1: y(n), y2: y(n) }),
      svg("text", { x: left - 8, y: y(n) + 4, "text-anchor": "end" }, number(n)),
    ),
  );
  const slot = Math.max(w / days.length - 1, 1);
  const fixed = days.map((d, i) =>
    d.fixed > 0 ? svg("rect", { class: "fixed", x: x(i), width: slot, y: y(d.fixed), height: y(0) - y(d.fixed) }) : "",
  );
  const middle = Math.floor((days.length - 1) / 2);
  const label = (at, anchor, day) => svg("text", { x: at, y: HEIGHT - 6, "text-anchor": anchor }, day);
  const labels = [
    label(x(0), "start", days[0].day),
    label((x(middle) + x(middle + 1)) / 2, "middle", days[middle].day),
    label(x(days.length), "end", days[days.length - 1].day),
  ];
  return svg(
    "svg",
    { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, role: "img", "aria-labelledby": NAMED_BY },
    ...grid,
    svg("path", { class: "area", d: `${line}V${y(0)}H${x(0)}Z` }),
    ...fixed,
    svg("path", { class: "line", d: line }),
    ...labels,
  );
}

let days = [];

function render() {
  if (days.length === 0) return;
  put("burn", draw(atLeast(days, DAYS_MIN), Math.max(byId("burn").clientWidth, 240)));
}

const DAY_COLUMNS = [
  { name: "Day" },
  { name: "Left", class: "n" },
  { name: "New", class: "n" },
  { name: "Fixed", class: "n" },
];

export function showBurnDown(report) {
  days = report.burn_down;
  if (days.length === 0) {
    byId("burn-note").textContent = "";
    put("burn", empty(el("p", {}, "It begins with the first client that is seen.")));
    put("burn-table");
    return;
  }
  const [first, last] = [days[0], days[days.length - 1]];
  const fixed = days.reduce((sum, d) => sum + d.fixed, 0);
  byId("burn-note").textContent =
    `${number(last.left)} left on ${last.day}, at most ${number(Math.max(...days.map((d) => d.left)))}; ` +
    `${number(fixed)} fixed since ${first.day} (green). A client is left from the day on which it is first seen, ` +
    "until it is fixed or has not been seen for 30 days.";
  render();
  const rows = days.map((d) => [d.day, number(d.left), number(d.new), number(d.fixed)]).reverse();
  put("burn-table", table("Clients left, new and fixed, by day", DAY_COLUMNS, rows));
}

/** Bars with their numbers. `rows`: [{name, parts: [{tone, n, of}]}], where `of` says what n counts. */
export function bars(rows) {
  const sum = (row) => row.parts.reduce((total, part) => total + part.n, 0);
  const most = Math.max(...rows.map(sum), 1);
  const bar = (row) => {
    let at = 0;
    const parts = row.parts.map((part) => {
      const rect = svg("rect", { class: part.tone, x: at, y: 0, width: (100 * part.n) / most, height: 10 });
      at += (100 * part.n) / most;
      return rect;
    });
    const fit = { viewBox: "0 0 100 10", preserveAspectRatio: "none" };
    return svg("svg", { class: "bar", ...fit, "aria-hidden": "true" }, ...parts);
  };
  const said = (row) => row.parts.filter((part) => part.n > 0).map((part) => `${number(part.n)} ${part.of}`);
  const item = (row) =>
    el("li", {}, el("span", {}, row.name), bar(row), el("span", { class: "small" }, said(row).join(", ") || "0"));
  return el("ul", { class: "bars" }, ...rows.map(item));
}

new ResizeObserver(render).observe(byId("burn"));
