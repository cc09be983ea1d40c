#!/usr/bin/env python3
"""Measures `iotctl amqp publish` and `amqp consume` beside amqp-publish, amqp-consume and a program on lapin, and fails if a target is missed.

    cargo build --release --bin iotctl && cargo build --release --bench load
    benches/amqp_side_by_side.py                        # about two minutes
    benches/amqp_side_by_side.py --quick                # fewer rounds and messages
    benches/amqp_side_by_side.py --only lines,once      # some rows
    benches/amqp_side_by_side.py --url amqp://HOST      # also through a RabbitMQ that runs already

Needs Python 3.9 and, in the path, amqp-publish, amqp-consume and amqp-get (Debian: amqp-tools). The server is
`iotctl amqp broker`, which costs a client as little as a server can that does what it must, and with --url another
one besides, whose queue `side-by-side` is filled and emptied.

How it measures. All take turns (A B C A B C …) in one run, so that whatever else the machine does meets all alike;
medians are shown, and the ratio of the medians is what counts: CPU-seconds, user and system, of the client's own process
(wait4) per million messages of 64 bytes. Rates depend on what else has a core, most of all the server.

| row     | ours                                        | theirs                                  | target for ours       |
|---------|---------------------------------------------|-----------------------------------------|-----------------------|
| once    | `publish -m`, confirmed, start to exit      | amqp-publish -b, unconfirmed            | CPU <= 1.5 of theirs  |
| lines   | `publish -l`, each message confirmed        | amqp-publish -l, nothing confirmed      | CPU <= theirs         |
| quick   | `publish -l --no-confirm`, proved to be read | amqp-publish -l, nothing confirmed     | CPU <= 0.6 of theirs  |
| lapin   | `publish -l`, each message confirmed        | lapin, window 1000, confirmed           | CPU <= 0.3 of theirs  |
| consume | `consume` to a file, acknowledged           | lapin, prefetch 1000, acks of 100       | CPU <= 1.5 of theirs  |
| work    | `consume --exec cat`, one worker            | amqp-consume cat                        | CPU <= 1.5 of theirs  |

In `consume` ours makes and writes a line for each message; the program on lapin looks at nothing. In `work` ours
acknowledges by the exit code, and hands the message's facts over in the environment.
"""

import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from figures import TARGET, newest_load

QUEUE = "side-by-side"
LINE = b"x" * 64 + b"\n"


class Run:
    def __init__(self, cpu, wall):
        self.cpu, self.wall = cpu, wall


def measure(words, stdin=os.devnull, stdout=os.devnull):
    """Runs a program to its end, which must be a good one."""
    with open(stdin, "rb") as source, open(stdout, "wb") as sink:
        began = time.perf_counter()
        process = subprocess.Popen(words, stdin=source, stdout=sink, stderr=subprocess.PIPE)
        said = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stderr.close()
    if process.returncode != 0:
        sys.exit(f"{words[:3]} ended with {process.returncode}: {said.decode(errors='replace')}")
    return Run(usage.ru_utime + usage.ru_stime, wall)


class Side:
    """One server, and what runs against it."""

    def __init__(self, options, name, url, folder):
        self.options, self.name, self.url, self.folder = options, name, url, folder
        self.lines = folder / "lines"
        self.tool_url = url if url.count("/") > 2 else url + "/%2f"
        self.missed = []

    def amqp(self, command, *words):
        return [self.options.ours, "amqp", *command.split(), self.url, *words]

    def purge(self):
        measure(self.amqp("purge", QUEUE))

    def fill(self, count):
        self.purge()
        path = self.folder / "filling"
        path.write_bytes(LINE * count)
        measure(self.amqp("publish", "-k", QUEUE, "-l", "--mandatory"), stdin=path)

    def ours_lines(self, *words):
        self.purge()
        return measure(self.amqp("publish", "-k", QUEUE, "-l", *words), stdin=self.lines)

    def tools_lines(self):
        self.purge()
        words = [tool("amqp-publish"), "-u", self.tool_url, "-r", QUEUE, "-l"]
        return measure(words, stdin=self.lines)

    def once(self, ours):
        if ours:
            return measure(self.amqp("publish", "-k", QUEUE, "-m", "hello"))
        return measure([tool("amqp-publish"), "-u", self.tool_url, "-r", QUEUE, "-b", "hello"])

    def lapin(self, what, count):
        if what == "publish":
            self.purge()
        else:
            self.fill(count)
        return measure([self.options.load, "lapin", what, self.tool_url, QUEUE, str(count)])

    def ours_consume(self, count):
        self.fill(count)
        path = self.folder / "consumed"
        words = self.amqp("consume", QUEUE, "-C", str(count), "--prefetch", "1000", "-W", "120")
        run = measure(words, stdout=path)
        if path.stat().st_size != count * len(LINE):
            sys.exit(f"{path.stat().st_size} bytes were consumed, not {count * len(LINE)}")
        return run

    def work(self, ours, count):
        self.fill(count)
        if ours:
            words = ["consume", QUEUE, "-C", str(count), "--workers", "1", "--exec", "cat"]
            return measure(self.amqp(*words))
        # It ends when a command does not read its input, as `true` would.
        tags = ["-q", QUEUE, "-c", str(count), tool("cat")]
        return measure([tool("amqp-consume"), "-u", self.tool_url, *tags])

    def row(self, name, count, ours, theirs, limit):
        rounds = 3 if self.options.quick else 7
        turns = [(ours(), theirs()) for _ in range(rounds + 1)][1:]
        cpu = [statistics.median(turn[side].cpu for turn in turns) * 1e6 / count for side in (0, 1)]
        wall = [statistics.median(turn[side].wall for turn in turns) for side in (0, 1)]
        ratio = cpu[0] / cpu[1] if cpu[1] else float("inf")
        good = ratio <= limit
        rates = "{:9.0f} {:9.0f}".format(*(count / time for time in wall))
        figures = f"{cpu[0]:9.2f} {cpu[1]:9.2f} {ratio:6.2f} <= {limit:<4} {rates}"
        print(f"{self.name:<9} {name:<8} {figures}  {'ok' if good else 'MISSED'}", flush=True)
        if not good:
            self.missed.append(f"{self.name} {name}: {ratio:.2f} of theirs, asked for {limit}")

    def run(self, count):
        measure(self.amqp("declare queue", QUEUE))
        self.lines.write_bytes(LINE * count)
        few = max(count // 500, 100)
        rows = {
            "once": lambda: self.row("once", 1, lambda: self.once(True), lambda: self.once(False), 1.5),
            "lines": lambda: self.row("lines", count, self.ours_lines, self.tools_lines, 1.0),
            "quick": lambda: self.row("quick", count, lambda: self.ours_lines("--no-confirm"), self.tools_lines, 0.6),
            "lapin": lambda: self.row("lapin", count, self.ours_lines, lambda: self.lapin("publish", count), 0.3),
            "consume": lambda: self.row("consume", count, lambda: self.ours_consume(count), lambda: self.lapin("consume", count), 1.5),
            "work": lambda: self.row("work", few, lambda: self.work(True, few), lambda: self.work(False, few), 1.5),
        }
        wanted = self.options.only.split(",") if self.options.only else list(rows)
        for name in wanted:
            if name not in rows:
                sys.exit(f"no row {name!r}; there are {', '.join(rows)}")
            if name in ("lapin", "consume") and not self.options.load:
                print(f"{self.name:<9} {name:<8} left out: cargo build --release --bench load makes what it needs")
                continue
            rows[name]()
        measure(self.amqp("delete queue", QUEUE))


def tool(name):
    return shutil.which(name) or sys.exit(f"{name} is not installed")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours", default=str(TARGET / "iotctl"), help="the iotctl to measure")
    parser.add_argument("--load", default=newest_load(), help="the bench `load`, which has the loop on lapin")
    parser.add_argument("--url", help="another server besides, such as amqp://localhost")
    parser.add_argument("--quick", action="store_true", help="fewer rounds and messages")
    parser.add_argument("--only", help="some rows, separated by commas")
    options = parser.parse_args()
    if not os.access(options.ours, os.X_OK):
        sys.exit(f"{options.ours} is not there: cargo build --release makes it")
    count = 100_000 if options.quick else 300_000
    words = [options.ours, "amqp", "broker", "--quiet", "--listen", "127.0.0.1:0"]
    broker = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    missed = []
    print(f"{'server':<9} {'row':<8} {'ours s/M':>9} {'theirs':>9} {'ratio':>6} {'target':<7} {'ours /s':>9} {'theirs /s':>9}")
    try:
        with tempfile.TemporaryDirectory() as folder:
            servers = [("ours", broker.stdout.readline().strip())]
            servers += [("--url", options.url)] if options.url else []
            for name, url in servers:
                side = Side(options, name, url, pathlib.Path(folder))
                side.run(count)
                missed += side.missed
    finally:
        broker.terminate()
        broker.wait()
    for line in missed:
        print(f"missed: {line}", file=sys.stderr)
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
