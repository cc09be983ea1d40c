"use strict";
const SHOWN = 200, MOST = 2000, POINTS = 600, GRAPHS = 6;
const $ = (id) => document.getElementById(id);
const topics = new Map(), fleet = new Map(), graphs = new Map();
let head = null, alerts = [], fresh = 0, order = "topic", live = false, due = false, trouble = "", attempts = 0;
const rates = [];
const query = new URLSearchParams(location.search).get("token");
const address = (path) => query === null ? path : path + "?token=" + encodeURIComponent(query);

function node(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = shown(String(text));
  if (className) made.className = className;
  return made;
}
const age = (seconds) => seconds < 100 ? Math.floor(seconds) + "s" : seconds < 6000 ? Math.floor(seconds / 60) + "m" :
  seconds < 172800 ? Math.floor(seconds / 3600) + "h" : Math.floor(seconds / 86400) + "d";
const number = (value) => value < 0.05 ? "0" : value < 9.95 ? value.toFixed(1) : value < 9999.5 ? value.toFixed(0) :
  value < 999950 ? (value / 1e3).toFixed(0) + "k" : (value / 1e6).toFixed(1) + "M";
const count = (value) => value < 10000 ? String(value) : number(value);
const bytes = (value) => value < 999.5 ? value.toFixed(0) + " B" : value < 999500 ? (value / 1e3).toFixed(1) + " kB" : (value / 1e6).toFixed(1) + " MB";
const now = () => performance.now() / 1000;
// What drives terminals, or shows text in another order than it has (UAX #9), is shown as its bytes, as everywhere in iotctl.
const shown = (text, but = "") => text.replace(/[\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, (letter) =>
  but.includes(letter) ? letter : [...new TextEncoder().encode(letter)].map((byte) => "\\x" + byte.toString(16).padStart(2, "0")).join(""));

function take(all, whole) {
  const at = now();
  if (whole) { topics.clear(); fleet.clear(); }
  head = all;
  alerts = all.alerts;
  for (const name of all.topics_removed || []) topics.delete(name);
  // The latest comes last, as in changes: where there are more than there is room for, the first goes.
  for (const one of whole ? all.topics.reverse().sort((a, b) => b.age_seconds - a.age_seconds) : all.topics) {
    one.at = at - one.age_seconds;
    topics.delete(one.topic);
    topics.set(one.topic, one);
    const graph = graphs.get(one.topic);
    if (graph) graph.push(one);
  }
  while (topics.size > MOST) topics.delete(topics.keys().next().value);
  if (whole || all.fleet_is_whole) fleet.clear();
  for (const id of all.fleet_removed || []) fleet.delete(id);
  for (const [id, device] of Object.entries(all.fleet)) {
    device.at = at - device.seen_seconds;
    fleet.set(id, device);
  }
  rates.push([at, all.counts.rate]);
  if (rates.length > POINTS) rates.shift();
  fresh = at;
  render();
}

function render() {
  if (due) return;
  due = true;
  requestAnimationFrame(() => { due = false; draw(); });
}

function tile(name, value) {
  const made = node("div");
  made.append(node("span", name), node("b", value));
  return made;
}

function drawState() {
  const state = $("state");
  const [tone, words] = !live ? ["bad", trouble || "iotctl does not answer: what is shown is old"] :
    head.ended ? ["good", "all was read"] : head.connected ? ["good", "connected"] : ["bad", head.waiting || "not connected"];
  state.className = "badge " + tone;
  state.textContent = shown(words);
}

function draw() {
  if (head || trouble) drawState();
  if (!head) return;
  const counts = head.counts;
  $("source").textContent = shown(head.source);
  document.title = shown(head.source) + " – iotctl watch";
  const tiles = [];
  if (counts.devices) {
    tiles.push(tile("devices", counts.devices), tile("online", counts.online), tile("offline", counts.offline));
    if (counts.unknown) tiles.push(tile("unknown", counts.unknown));
  }
  tiles.push(tile("alerts", counts.alerts), tile("topics", count(counts.topics)),
    tile("messages/s", number(counts.rate)), tile("payload/s", bytes(counts.bytes_per_second)));
  $("tiles").replaceChildren(...tiles);
  drawFleet();
  drawAlerts();
  drawTopics();
  for (const graph of graphs.values()) graph.draw();
  $("foot").textContent = "as of " + head.time + (counts.forgotten ? ", " + counts.forgotten + " topics forgotten for want of room" : "");
}

function row(kind, cells) {
  const made = node("tr");
  for (const [text, className] of cells) made.append(node(kind, text, className));
  return made;
}

function fill(id, titles, rows, all) {
  const section = $(id);
  section.querySelector("thead").replaceChildren(titles);
  section.querySelector("tbody").replaceChildren(...rows);
  section.querySelector(".words").textContent = all > rows.length ? "and " + (all - rows.length) + " more" : "";
}

// A value as it came: a number of JavaScript may be another one.
const spelled = (device, name) => device.spelled && Object.hasOwn(device.spelled, name) ? device.spelled[name] : String(device.values[name]);

function drawFleet() {
  $("fleet").hidden = fleet.size === 0;
  if (!fleet.size) return;
  const names = new Set();
  for (const device of fleet.values()) for (const name of Object.keys(device.values)) names.add(name);
  const metrics = [...names].sort().slice(0, 12);
  const rank = (device) => device.status === "offline" ? 0 : device.status === "online" ? 2 : 1;
  const sorted = [...fleet].sort((a, b) => rank(a[1]) - rank(b[1]) || (a[0] < b[0] ? -1 : 1));
  const rows = sorted.slice(0, SHOWN).map(([id, device]) => row("td", [[id],
    [device.status, device.status === "online" || device.status === "offline" ? device.status : "unknown"],
    [age(now() - device.at), "n"],
    ...metrics.map((name) => Object.hasOwn(device.values, name) ? [spelled(device, name), "n"] : ["–", "n none"])]));
  const titles = row("th", [["device"], ["status"], ["seen", "n"], ...metrics.map((name) => [name, "n"])]);
  fill("fleet", titles, rows, fleet.size);
}

function drawAlerts() {
  $("alerts").hidden = alerts.length === 0;
  const rows = alerts.slice(0, SHOWN).map((one) => row("td", [[one.topic],
    [one.severity || "–", one.severity === "critical" ? "critical" : ""],
    [age(one.age_seconds + now() - fresh), "n"], [one.text]]));
  fill("alerts", row("th", [["alert"], ["severity"], ["since", "n"], ["text"]]), rows, head.counts.alerts);
}

const payload = (one) => one.payload !== undefined ? one.payload : "base64 " + one.payload_base64;
const columns = [
  ["topic", "topic", "", (a, b) => a.topic < b.topic ? -1 : 1],
  ["value", null, "", null],
  ["msg/s", "rate", "n", (a, b) => b.rate - a.rate],
  ["B/s", "flood", "n optional", (a, b) => b.bytes_per_second - a.bytes_per_second],
  ["age", "age", "n", (a, b) => b.at - a.at],
];

function topicsHead() {
  const made = node("tr");
  for (const [title, key, className] of columns) {
    const cell = node("th", undefined, className);
    if (!key) { cell.textContent = title; made.append(cell); continue; }
    const button = node("button", title);
    button.type = "button";
    if (order === key) button.setAttribute("aria-sort", "descending");
    button.addEventListener("click", () => { order = key; draw(); });
    cell.append(button);
    made.append(cell);
  }
  return made;
}

function drawTopics() {
  const search = $("search").value.toLowerCase();
  let found = [...topics.values()];
  if (search) found = found.filter((one) => one.topic.toLowerCase().includes(search) || payload(one).toLowerCase().includes(search));
  found.sort(columns.find((one) => one[1] === order)[3]);
  const rows = found.slice(0, SHOWN).map((one) => {
    const quiet = now() - one.at;
    const fading = Math.exp(-Math.max(0, quiet - 1) / 5);
    const made = row("td", [[one.topic, "name"], [payload(one).slice(0, 300), "value"],
      [number(one.rate * fading), "n"], [number(one.bytes_per_second * fading), "n optional"], [age(quiet), "n"]]);
    if (one.retained) made.firstChild.append(node("span", "retained", "flag"));
    if (one.stale) made.className = "stale";
    made.tabIndex = 0;
    const look = () => { if (graphs.has(one.topic)) graphs.get(one.topic).close(); else new Graph(one); };
    made.addEventListener("click", look);
    made.addEventListener("keydown", (event) => { if (event.key === "Enter") look(); });
    return made;
  });
  fill("topics", topicsHead(), rows, search ? found.length : head.counts.topics);
}

// The words of a JSON text as they are spelled; null: it is none.
function words(text) {
  try { JSON.parse(text); } catch { return null; }
  return text.match(/"(?:[^"\\]|\\.)*"|[[\]{},:]|[^\s[\]{},:"]+/g);
}
// JSON in lines. Only white space is added or left out: numbers, names that come twice and escapes are as they came.
function pretty(text) {
  const all = words(text);
  if (!all) return text;
  let made = "", depth = 0;
  const line = () => "\n" + "  ".repeat(Math.min(depth, 32));
  all.forEach((word, at) => {
    const opens = word === "{" || word === "[", closes = word === "}" || word === "]";
    if (closes) depth -= 1;
    if (closes && all[at - 1] !== "{" && all[at - 1] !== "[") made += line();
    made += word;
    if (opens) depth += 1;
    if (word === ":") made += " ";
    else if (word === "," || (opens && all[at + 1] !== "}" && all[at + 1] !== "]")) made += line();
  });
  return made;
}
// What of a JSON text is a number, or a text that is one: its JSON pointer, and how it is spelled. Of equal names the last counts.
function leaves(all) {
  const found = new Map();
  let at = 0;
  const visit = (path) => {
    const word = all[at++];
    if (word === "{" || word === "[") {
      for (let index = 0; all[at] !== "}" && all[at] !== "]"; index++) {
        if (all[at] === ",") at++;
        let name = String(index);
        if (word === "{") { name = JSON.parse(all[at]).replace(/~/g, "~0").replace(/\//g, "~1"); at += 2; }
        visit(path + "/" + name);
      }
      at++;
      return;
    }
    const text = word.startsWith("\"") ? JSON.parse(word) : word;
    if (text.trim() !== "" && isFinite(text) && (found.has(path) || found.size <= 50)) found.set(path, text);
  };
  visit("");
  return found;
}
function numbers(one) {
  if (one.payload === undefined || one.cut) return new Map();
  return leaves(words(one.payload) || [JSON.stringify(one.payload)]);
}

class Graph {
  constructor(one) {
    if (graphs.size >= GRAPHS) graphs.values().next().value.close();
    this.topic = one.topic;
    this.series = new Map();
    this.chosen = null;
    this.box = node("figure");
    const close = node("button", "✕", "close");
    close.type = "button";
    close.setAttribute("aria-label", "close");
    close.addEventListener("click", () => this.close());
    this.select = node("select");
    this.select.addEventListener("change", () => { this.chosen = this.select.value; this.draw(); });
    this.value = node("b", "–");
    this.svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    this.svg.setAttribute("viewBox", "0 0 480 130");
    this.svg.setAttribute("role", "img");
    this.text = node("pre");
    this.box.append(close, node("h2", one.topic), this.value, node("span", " "), this.select, this.svg, this.text);
    graphs.set(one.topic, this);
    $("graphs").append(this.box);
    this.push(one);
    this.draw();
  }
  close() {
    graphs.delete(this.topic);
    this.box.remove();
  }
  push(one) {
    this.last = one;
    for (const [path, text] of numbers(one)) {
      if (!this.series.has(path)) {
        if (this.series.size >= 50) continue;
        this.series.set(path, []);
        const choice = node("option", path === "" ? "value" : path);
        choice.value = path;
        this.select.append(choice);
        if (this.chosen === null) this.chosen = path;
      }
      const points = this.series.get(path);
      points.push([one.at, Number(text), text]);
      if (points.length > POINTS) points.shift();
    }
  }
  draw() {
    const text = this.last.payload === undefined ? payload(this.last) : pretty(this.last.payload);
    this.text.textContent = shown(text, "\n\t") + (this.last.cut ? " …" : "");
    const points = this.chosen === null ? [] : this.series.get(this.chosen) || [];
    this.select.hidden = this.series.size < 2;
    this.svg.toggleAttribute("hidden", points.length === 0);
    this.value.textContent = points.length ? shown(points[points.length - 1][2]) : "";
    if (points.length) plot(this.svg, points);
  }
}

function shape(name, attributes, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}
function plot(svg, points, least) {
  const [left, right, top, bottom] = [52, 472, 10, 106];
  let [low, high] = [Infinity, -Infinity];
  for (const [, value] of points) { low = Math.min(low, value); high = Math.max(high, value); }
  if (least !== undefined) { low = 0; high = Math.max(high, least); }
  if (low === high) {
    // As far as a number so large can be told from its neighbours.
    const more = Math.max(0.5, Math.abs(low) * 1e-6), most = Number.MAX_VALUE;
    [low, high] = [Math.max(-most, low - more), Math.min(most, high + more)];
  }
  // Halves, as the difference of large ones may be none.
  const part = (value) => high - low < Infinity ? (value - low) / (high - low) : (value / 2 - low / 2) / (high / 2 - low / 2);
  const end = now(), begin = Math.min(points[0][0], end - 10);
  const x = (at) => (left + (right - left) * (at - begin) / (end - begin)).toFixed(1);
  const y = (value) => (bottom - (bottom - top) * part(value)).toFixed(1);
  const line = points.map(([at, value]) => x(at) + "," + y(value)).join(" ");
  const drawn = [];
  for (const value of [low, low / 2 + high / 2, high]) {
    drawn.push(shape("line", { class: "grid", x1: left, x2: right, y1: y(value), y2: y(value) }));
    drawn.push(shape("text", { x: left - 6, y: Number(y(value)) + 4, "text-anchor": "end" }, Number(value.toPrecision(4)).toString()));
  }
  drawn.push(shape("text", { x: left, y: 124 }, age(end - begin) + " ago"), shape("text", { x: right, y: 124, "text-anchor": "end" }, "now"));
  const plotted = shape("g", { class: "s0" });
  plotted.append(shape("polyline", { class: "line", points: line }));
  for (const [at, value] of points.slice(-1)) plotted.append(shape("circle", { cx: x(at), cy: y(value), r: 3, fill: "currentColor" }));
  drawn.push(plotted);
  svg.replaceChildren(...drawn);
}

const load = node("figure"), loadPlot = shape("svg", { viewBox: "0 0 480 130", role: "img" });
load.append(node("h2", "messages/s"), loadPlot);
$("graphs").append(load);
const loadGraph = { draw() { if (rates.length) plot(loadPlot, rates, 1); }, push() {}, close() {} };

$("search").addEventListener("input", render);
setInterval(() => { if (head) { loadGraph.draw(); render(); } }, 1000);

// With ?still the page shows how it stands, once: for pictures of it.
if (new URLSearchParams(location.search).has("still")) {
  fetch(address("/snapshot.json")).then((answer) => answer.json()).then((all) => { live = true; take(all, true); loadGraph.draw(); });
} else {
  listen();
}

function listen() {
  const events = new EventSource(address("/events"));
  events.addEventListener("error", () => {
    live = false;
    // A browser tries again by itself where the connection was lost, but not where it was refused.
    if (events.readyState === EventSource.CLOSED) retry();
    render();
  });
  events.addEventListener("all", (event) => {
    live = true;
    attempts = 0;
    trouble = "";
    take(JSON.parse(event.data), true);
    loadGraph.draw();
  });
  events.addEventListener("delta", (event) => take(JSON.parse(event.data), false));
}

// Says why events were refused, and asks again: after 1, 2, 4 … 30 seconds, and a bit, so that many pages do not ask at once.
function retry() {
  const wait = Math.min(30, 2 ** attempts) * (1 + Math.random() / 4);
  attempts += 1;
  const say = (why) => { trouble = why + ": trying again in " + Math.round(wait) + " s"; render(); };
  const why = (status) => status === 503 ? "too many pages are open" : status === 200 ? "events were refused" : "no events (status " + status + ")";
  fetch(address("/events"), { method: "HEAD" }).then((answer) => say(why(answer.status)), () => say("iotctl does not answer"));
  setTimeout(listen, wait * 1000);
}
