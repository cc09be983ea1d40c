// MQTT.js against a broker: mqttjs.cjs URL CA. Prints `ok VERSION` for each version of MQTT.
//
// A hundred messages at each QoS come back once and in order, with their properties, and a retained one is there for whoever
// subscribes later. NODE_PATH names the folder that MQTT.js is in.

const { deepStrictEqual, strictEqual } = require("node:assert");
const { once } = require("node:events");
const { randomUUID } = require("node:crypto");
const { readFileSync } = require("node:fs");
const mqtt = require("mqtt");

const COUNT = 100;
const [url, ca] = process.argv.slice(2);

async function check(protocolVersion) {
  const base = `js/${randomUUID()}`;
  const protocolId = protocolVersion === 3 ? "MQIsdp" : "MQTT";
  const settings = { protocolId, protocolVersion, ca: readFileSync(ca), reconnectPeriod: 0 };
  const client = await mqtt.connectAsync(url, settings);
  for (const qos of [0, 1, 2]) {
    const topic = `${base}/${qos}`;
    const got = [];
    const all = new Promise((resolve) => {
      client.on("message", (name, payload, packet) => {
        if (name === topic && got.push([payload.toString(), packet.qos]) === COUNT) resolve(packet);
      });
    });
    await client.subscribeAsync(topic, { qos });
    const properties = protocolVersion === 5 ? { contentType: "text/plain", userProperties: { k: ["v", "w"] } } : undefined;
    const numbers = [...Array(COUNT).keys()];
    await Promise.all(numbers.map((it) => client.publishAsync(topic, `${it}`, { qos, properties })));
    const last = await all;
    deepStrictEqual(got, numbers.map((it) => [`${it}`, qos]));
    if (protocolVersion === 5) {
      strictEqual(last.properties.contentType, "text/plain");
      deepStrictEqual([...last.properties.userProperties.k], ["v", "w"]);
    }
  }
  await client.publishAsync(`${base}/kept`, "kept", { qos: 1, retain: true });
  const late = await mqtt.connectAsync(url, settings);
  const kept = once(late, "message");
  await late.subscribeAsync(`${base}/+`, { qos: 1 });
  const [topic, payload, packet] = await kept;
  deepStrictEqual([topic, payload.toString(), packet.retain], [`${base}/kept`, "kept", true]);
  await Promise.all([late.endAsync(), client.endAsync()]);
}

async function main() {
  for (const [version, name] of [[3, "3.1"], [4, "3.1.1"], [5, "5"]]) {
    await check(version);
    console.log("ok", name);
  }
}

const limit = setTimeout(() => { console.error("timed out"); process.exit(1); }, 60_000);
main().then(() => clearTimeout(limit), (why) => { console.error(why); process.exit(1); });
