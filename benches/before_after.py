#!/usr/bin/env python3
"""Measures two builds of iotctl beside each other, to see whether a change made anything dearer.

    benches/before_after.py BEFORE AFTER                     # some minutes
    benches/before_after.py BEFORE AFTER --only sub,lines-1  # some rows
    benches/before_after.py BEFORE AFTER --rounds 15         # more turns, for a busy machine

Both builds take turns (B A B A …) in one run against the same far side: the wires of side_by_side.py, or servers of
the build BEFORE. What counts is the ratio of the medians of CPU time (user + system, as the kernel accounts it);
instructions are counted by callgrind, and do not depend on what else the machine does. A row is missed when AFTER takes more than
its limit allows; the exit code is then 1.

Needs Python 3.9, mosquitto (for side_by_side.py) and, for the rows `start-*`, valgrind.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import types

from side_by_side import Bench, Started, instructions

# What AFTER may take, in proportion to BEFORE.
LIMIT = 1.03
LINES = 300_000


class Server:
    """A server of one build, until the end."""

    def __init__(self, path, *words):
        self.process = subprocess.Popen([path, *words], stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().split()[-1]

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Pair:
    def __init__(self, options, folder):
        self.options, self.folder, self.missed = options, folder, []
        self.builds = [options.before, options.after]
        before = types.SimpleNamespace(ours=options.before, limit=options.limit, drop_in=False)
        self.bench = Bench(before, folder)
        self.mqtt = f"mqtt://127.0.0.1:{self.bench.broker_of_ours.port}"
        self.coap = self.bench.device.uris[0]
        self.amqp = Server(options.before, "amqp", "broker", "--quiet", "--listen", "amqp://127.0.0.1:0")
        self.lines = folder / "lines"
        self.lines.write_bytes((b"x" * 32 + b"\n") * LINES)

    def stop(self):
        self.amqp.stop()
        for server in (self.bench.mosquitto, self.bench.broker_of_ours, self.bench.device):
            server.stop()

    # One run of one build: seconds of CPU, or another cost.

    def run(self, *words, stdin=None):
        with open(stdin or os.devnull, "rb") as source:
            done = Started(list(map(str, words)), stdin=source).finish(self.options.limit)
        if done.code != 0:
            sys.exit(f"{words[:4]} ended with {done.code}: {done.words}")
        return done.cpu

    def of_bench(self, what):
        def cost(build):
            self.bench.options.ours = build
            return what().cpu

        return cost

    def published(self, *words):
        def cost(build):
            self.run(self.options.before, "amqp", "purge", self.amqp.url, "q")
            return self.run(build, "amqp", "publish", self.amqp.url, "-k", "q", "-l", *words, stdin=self.lines)

        return cost

    def consumed(self, build):
        self.published()(self.options.before)
        return self.run(build, "amqp", "consume", self.amqp.url, "q", "-C", LINES, "-W", "60", "--prefetch", "1000")

    def peak(self, build):
        self.bench.options.ours = build
        return self.bench.publish_unanswered(True).peak

    def instructions(self, *words):
        def cost(build):
            return instructions([build, *words])

        return cost

    def rows(self):
        bench, closed = self.bench, "127.0.0.1"
        # With a fixed time of gathering: how long an adaptive one waits, and with it the cost, is a matter of the machine's moment.
        load = ("--quiet", "--output", "json", "--warmup", "0", "--max", "--coalesce", "300us")
        return {
            "sub": self.of_bench(lambda: bench.subscribe(True, LINES, False)),
            "lines-0": self.of_bench(lambda: bench.publish_lines(True, "0", self.lines)),
            "lines-1": self.of_bench(lambda: bench.publish_lines(True, "1", self.lines)),
            "amqp-lines": self.published(),
            "amqp-consume": self.consumed,
            "coap-repeat": lambda build: self.run(build, "coap", "get", self.coap, "--repeat", 10_000),
            "bench-0": lambda build: self.run(build, "bench", "mqtt", self.mqtt, *load, "--count", 3_000_000),
            "bench-1": lambda build: self.run(build, "bench", "mqtt", self.mqtt, *load, "-q", 1, "--count", 2_000_000),
            "bench-amqp": lambda build: self.run(build, "bench", "amqp", self.amqp.url, *load, "--window", 100, "--count", 1_000_000),
            "bench-coap": lambda build: self.run(build, "bench", "coap", self.coap, *load, "--outstanding", 256, "--count", 500_000),
            "memory": self.peak,
            "start-version": self.instructions("--version"),
            "start-mqtt": self.instructions("mqtt", "pub", f"mqtt://{closed}:1", "-t", "a", "-m", "b"),
            "start-coap": self.instructions("coap", "get", f"coap+tcp://{closed}:1/a"),
            "start-amqp": self.instructions("amqp", "publish", f"amqp://{closed}:1", "-k", "a", "-m", "b"),
        }

    def row(self, name, cost):
        # Instructions are the same each time.
        rounds = 1 if name.startswith("start-") else self.options.rounds
        warmed = 0 if name.startswith("start-") else 1
        turns = [[cost(build) for build in self.builds] for _ in range(rounds + warmed)][warmed:]
        before, after = (statistics.median(turn[side] for turn in turns) for side in (0, 1))
        ratio = after / before
        good = ratio <= LIMIT
        print(f"{name:<14} {before:10.3f} {after:10.3f} {ratio:6.2f}  {'ok' if good else 'MISSED'}", flush=True)
        if not good:
            self.missed.append(name)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before", help="the binary to compare with")
    parser.add_argument("after", help="the binary under judgement")
    parser.add_argument("--only", help="some rows, separated by commas")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--limit", type=float, default=60, help="seconds that one process may take")
    options = parser.parse_args()
    options.before, options.after = (str(pathlib.Path(path).resolve()) for path in (options.before, options.after))
    sizes = [os.path.getsize(path) / 1e6 for path in (options.before, options.after)]
    print(f"{'row':<14} {'before':>10} {'after':>10}  ratio  (limit {LIMIT}; CPU s, MiB, million instructions)")
    print(f"{'MB of binary':<14} {sizes[0]:10.3f} {sizes[1]:10.3f} {sizes[1] / sizes[0]:6.2f}")
    with tempfile.TemporaryDirectory() as folder:
        pair = Pair(options, pathlib.Path(folder))
        try:
            pair.run(options.before, "amqp", "declare", "queue", pair.amqp.url, "q")
            rows = pair.rows()
            for name in options.only.split(",") if options.only else rows:
                pair.row(name, rows.get(name) or sys.exit(f"no row {name!r}; there are {', '.join(rows)}"))
        finally:
            pair.stop()
    sys.exit(1 if pair.missed else 0)


if __name__ == "__main__":
    main()
