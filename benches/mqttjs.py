#!/usr/bin/env python3
"""Measures `iotctl mqtt pub` and `mqtt sub` beside the command line of MQTT.js, on which mqttx stands.

    npm install mqtt && PATH="$PWD/node_modules/.bin:$PATH" benches/mqttjs.py          # about two minutes
    benches/mqttjs.py --quick                                                          # fewer rounds and messages

Needs, in the path, mosquitto and `mqtt`, which the npm package mqtt brings. How it measures is told in side_by_side.py. MQTT.js has no
target to meet: the rows are for comparison.

| row        | what runs                                                                   |
|------------|-----------------------------------------------------------------------------|
| js-pub     | one message at QoS 1, start to exit                                         |
| js-sub     | a subscriber to a file, through mosquitto; MQTT.js is ended when it has all |
| js-lines-0 | a file of lines, QoS 0, onto the wire                                       |
| js-lines-1 | a file of lines, QoS 1, onto the wire                                       |
"""

import math
import os
import pathlib
import signal
import sys
import tempfile
import threading
import time

from side_by_side import PAYLOAD, TOPIC, Bench, Started, arguments, tool


class MqttJs(Bench):
    """As beside mosquitto's clients, with MQTT.js as the other."""

    def client(self, ours, command, port, *words):
        if ours:
            return super().client(ours, command, port, *words)
        named = {"pub": "publish", "sub": "subscribe"}[command]
        lines = ["-s", "-M"] if "-l" in words else []
        others = [word for word in words if word != "-l"]
        return [tool("mqtt"), named, "-h", "127.0.0.1", "-p", str(port), *others, *lines]

    def subscribe(self, ours, count, through_broker):
        if ours:
            return super().subscribe(ours, count, through_broker)
        self.round += 1
        topic = f"{TOPIC}/{self.round:04}"
        path = self.folder / "received"
        size = len(f"{topic} ".encode() + PAYLOAD + b"\n")
        with open(path, "wb") as file:
            started = Started(self.client(ours, "sub", self.mosquitto.port, "-t", topic, "-v"), stdout=file)
            self.mosquitto.wait_for_subscription(topic)
            threading.Thread(target=self.mosquitto.publish, args=(topic, count)).start()
            # It knows no number of messages to end after.
            threading.Thread(target=self.end, args=(started.pid, path, size * count), daemon=True).start()
            run = started.finish(self.options.limit, watch=True)
        run.arrived = path.stat().st_size // size
        return run

    def publish_lines(self, ours, qos, lines):
        run = super().publish_lines(ours, qos, lines)
        if run.code != 0:
            sys.exit(f"{'iotctl' if ours else 'MQTT.js'} did not end within --limit {self.options.limit} s, or failed: {run.words}")
        return run

    def end(self, process, path, size):
        until = time.monotonic() + self.options.limit
        while path.stat().st_size < size and time.monotonic() < until:
            time.sleep(0.005)
        os.kill(process, signal.SIGTERM)

    def run(self):
        few, many, count = (2, 5, 5_000) if self.options.quick else (5, 20, 50_000)
        lines = self.folder / "lines"
        lines.write_bytes((PAYLOAD + b"\n") * count)
        self.short("js-pub", many, lambda ours: self.publish_once(ours, "1"), {})
        self.stream("js-sub", few, count, lambda ours: self.subscribe(ours, count, True), math.inf, 1)
        for quality in ("0", "1"):
            self.stream(f"js-lines-{quality}", few, count, lambda ours: self.publish_lines(ours, quality, lines), math.inf, 1)


def main():
    options = arguments(__doc__)
    tool("mqtt")
    with tempfile.TemporaryDirectory() as folder:
        bench = MqttJs(options, pathlib.Path(folder))
        try:
            bench.run()
        finally:
            bench.stop()
    sys.exit(1 if bench.missed else 0)


if __name__ == "__main__":
    main()
