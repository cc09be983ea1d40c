// Runs the script of the page of `iotctl watch` on a small document of its own, with a snapshot and changes, and prints what is
// seen: the rows of tables, and for each topic that is clicked on its text, its number and what is drawn. Standard input is
// a JSON object: `script`, and `events`, a list of [event, data].
"use strict";
const { readFileSync } = require("node:fs");

class Element {
  constructor(name) { Object.assign(this, { name, own: "", children: [], heard: {}, attributes: {}, parts: {}, value: "" }); }
  get textContent() { return this.own + this.children.map((it) => it.textContent ?? it).join(""); }
  set textContent(text) { this.own = String(text); this.children = []; }
  get firstChild() { return this.children[0]; }
  append(...more) { this.children.push(...more); }
  replaceChildren(...all) { this.own = ""; this.children = all; }
  setAttribute(name, value) { this.attributes[name] = String(value); }
  toggleAttribute() {}
  remove() {}
  addEventListener(name, hear) { this.heard[name] = hear; }
  querySelector(name) { return this.parts[name] ??= new Element(name); }
}
const elements = {};
const element = (id) => elements[id] ??= new Element(id);
const create = (name) => new Element(name);
globalThis.document = { getElementById: element, createElement: create, createElementNS: (_, name) => create(name) };
globalThis.location = { search: "" };
globalThis.requestAnimationFrame = (draw) => draw();
globalThis.setInterval = () => 0;
let stream;
globalThis.EventSource = class {
  constructor() { this.heard = {}; stream = this; }
  addEventListener(name, hear) { this.heard[name] = hear; }
};

const { script, events } = JSON.parse(readFileSync(0, "utf8"));
(0, eval)(script);
for (const [event, data] of events) stream.heard[event]({ data });
const rows = (id, part) => element(id).querySelector(part).children.map((row) => row.children.map((cell) => cell.textContent));
const body = () => element("topics").querySelector("tbody").children;
const seen = { columns: element("fleet").querySelector("thead").children[0]?.children.map((it) => it.textContent) };
seen.fleet = rows("fleet", "tbody");
seen.topics = rows("topics", "tbody").map((row) => row.slice(0, 2));
seen.graphs = [];
for (const row of [...body()]) {
  row.heard.click();
  const graph = element("graphs").children.at(-1);
  const find = (name) => graph.children.find((it) => it.name === name);
  const drawn = [];
  const walk = (it) => { if (it.attributes) { drawn.push(...Object.values(it.attributes)); it.children.forEach(walk); } };
  walk(find("svg"));
  seen.graphs.push({ text: find("pre").textContent, number: find("b").textContent, wrong: drawn.filter((it) => /NaN|Infinity/.test(it)) });
}
console.log(JSON.stringify(seen));
