#!/usr/bin/env python3
"""Measures what it costs to keep messages: CPU time of `iotctl log` beside `iotctl mqtt sub --output json`, and rows a second.

    benches/log.py IOTCTL                 # a build with the feature sqlite; some minutes
    benches/log.py IOTCTL --count 1000000

Messages of 130 bytes come from the embedded broker of the same build, at QoS 1. A row is the median of some rounds; in brackets is
how much more that is than `mqtt sub` takes, into nothing and into a file. The rows of `log FILE`
read a recording, so that nothing but keeping is counted.

Needs Python 3.9.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

from figures import figure

BODY = {"device": "sensor-0042", "timestamp": "2026-11-20T21:00:00.000Z", "temperature": 21.5, "humidity": 40.25, "n": 0}
COLUMNS = "timestamp=/timestamp,device=/device,temperature=/temperature,humidity=/humidity,n=/n"


def used(process):
    """Waits for the end; CPU seconds of this process alone, and how long it took."""
    began = time.monotonic()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{process.args} ended with {process.returncode}")
    return usage.ru_utime + usage.ru_stime, time.monotonic() - began


class Bench:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.lines = folder / "lines"
        with self.lines.open("w") as lines:
            for number in range(options.count):
                lines.write(json.dumps({**BODY, "n": number}) + "\n")
        self.records = folder / "records.ndjson"
        with self.records.open("w") as records, self.lines.open() as lines:
            for line in lines:
                record = {"time": "2026-11-20T21:00:00.000000Z", "topic": "sensors/d/all", "payload": line[:-1],
                          "mqtt": {"qos": 1, "retain": False}}
                records.write(json.dumps(record) + "\n")

    def received(self, *words, into=os.devnull):
        """CPU seconds of a command that receives all messages from a broker, and says what it says into a file."""
        broker = subprocess.Popen([self.options.iotctl, "mqtt", "broker", "--quiet", "--listen", "127.0.0.1:0"],
                                  stdout=subprocess.PIPE, text=True)
        try:
            place = broker.stdout.readline().split()[-1]
            url = place if "://" in place else f"mqtt://{place}"
            ready = self.folder / "ready"
            words = [word.replace("URL", url) for word in words]
            with open(into, "wb") as said:
                receiver = subprocess.Popen([self.options.iotctl, *words, "-C", str(self.options.count), "--ready-file", ready],
                                            stdout=said, stderr=subprocess.DEVNULL, cwd=self.folder)
            while not ready.exists():
                time.sleep(0.01)
            with self.lines.open() as lines:
                # To MQTT 3.1.1 the broker holds acknowledgements back while a subscriber is behind; MQTT 5 is told that the
                # quota is exceeded.
                publisher = subprocess.Popen([self.options.iotctl, "mqtt", "pub", url, "-V", "311", "-t", "sensors/d/all", "-l", "-q", "1"],
                                             stdin=lines)
            cpu, _ = used(receiver)
            publisher.wait()
            return cpu
        finally:
            broker.terminate()
            broker.wait()

    def read(self, *words):
        """CPU seconds and seconds of a command that keeps the recording."""
        process = subprocess.Popen([self.options.iotctl, "log", self.records, *words], cwd=self.folder,
                                   stderr=subprocess.DEVNULL)
        return used(process)

    def clear(self):
        for file in self.folder.glob("out*"):
            file.unlink()

    def median(self, measure):
        rounds = []
        for _ in range(self.options.rounds):
            self.clear()
            rounds.append(measure())
        return statistics.median(rounds)


def has_sqlite(iotctl):
    said = subprocess.run([iotctl, "--version"], capture_output=True, text=True)
    return "+sqlite" in said.stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("iotctl", type=lambda path: str(pathlib.Path(path).resolve()))
    parser.add_argument("--count", type=int, default=300_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(options, pathlib.Path(folder))
        million = options.count / 1e6
        topic = ["-t", "sensors/+/all", "-q", "1"]
        words = ["mqtt", "sub", "-L", "URL", *topic, "--output", "json"]
        shown = bench.median(lambda: bench.received(*words)) / million
        figure("mqtt sub --output json into nothing", shown, "s/M")
        # What a file costs that nobody waits for.
        in_file = bench.median(lambda: bench.received(*words, into=bench.folder / "out.shown")) / million
        figure("mqtt sub --output json into a file", in_file, "s/M")
        for name, words in [("out.ndjson", []), ("out.csv", ["--columns", COLUMNS])]:
            kept = bench.median(lambda: bench.received("log", "URL", *topic, "--to", name, *words)) / million
            figure(f"log --to {name}", kept, "s/M")
            figure(f"log --to {name}, more than into nothing", kept - shown, "s/M", most=0.3 if not words else None)
            figure(f"log --to {name}, more than into a file", kept - in_file, "s/M")
        for name, words in [("out.ndjson", []), ("sqlite:out.db", ["--columns", COLUMNS]),
                            ("influx:out.lp", ["--measurement", "w", "--tag", "device=/device"])]:
            if name.startswith("sqlite") and not has_sqlite(options.iotctl):
                print("the rows of SQLite are left out: this build is without the feature sqlite")
                continue
            sqlite = name.startswith("sqlite")
            cpu = bench.median(lambda: bench.read("--to", name, *words)[0]) / million
            took = bench.median(lambda: bench.read("--to", name, *words)[1])
            figure(f"log FILE --to {name}, CPU", cpu, "s/M", most=3 if sqlite else None)
            figure(f"log FILE --to {name}, rate", options.count / took, "rows/s", least=1e5 if sqlite else None)


if __name__ == "__main__":
    main()
