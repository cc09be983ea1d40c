// Runs the script of the page of `iotctl watch` (standard input) against a browser that refuses events, and prints what the page
// says and when it asks again, one JSON object a line.
"use strict";
const { readFileSync } = require("node:fs");

const elements = new Map();
const made = () => new Proxy(function () {}, {
  get(own, name) {
    if (name in own) return own[name];
    if (name === Symbol.iterator) return function* () {};
    if (name === Symbol.toPrimitive) return () => "";
    return made();
  },
  set(own, name, value) { own[name] = value; return true; },
  apply: made,
});
const element = (id) => {
  if (!elements.has(id)) elements.set(id, made());
  return elements.get(id);
};
globalThis.document = { getElementById: element, createElement: made, createElementNS: made };
globalThis.location = { search: "" };
globalThis.requestAnimationFrame = (draw) => queueMicrotask(draw);
globalThis.setInterval = () => 0;
Math.random = () => 0;

// What each attempt meets, in turn: a status that refuses it, or a stream of events.
const met = [503, 503, 502, 200, 503];
const snapshot = {
  source: "mqtt://h", connected: true, time: "", alerts: [], topics: [], fleet: {},
  counts: { devices: 0, alerts: 0, topics: 0, rate: 0, bytes_per_second: 0 },
};
let streams = 0, current = null;
globalThis.EventSource = class {
  static CLOSED = 2;
  constructor() {
    this.heard = {};
    this.status = met[streams++];
    current = this;
    setImmediate(() => this.answer());
  }
  addEventListener(name, hear) { this.heard[name] = hear; }
  answer() {
    if (this.status === 200) {
      this.heard.all({ data: JSON.stringify(snapshot) });
      setImmediate(() => { tell("open"); this.status = 503; this.answer(); });
      return;
    }
    this.readyState = EventSource.CLOSED;
    this.heard.error({});
  }
};
globalThis.fetch = async (path, options) => {
  if (path !== "/events" || options.method !== "HEAD") throw new Error(path);
  return { status: current.status };
};
const tell = (what, after) => console.log(JSON.stringify({ what, after, says: elements.get("state")?.textContent }));
globalThis.setTimeout = (again, after) => setImmediate(() => {
  tell("refused", after);
  if (streams < met.length) again();
});
(0, eval)(readFileSync(0, "utf8"));
