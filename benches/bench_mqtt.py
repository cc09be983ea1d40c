#!/usr/bin/env python3
"""The figures of the load engine beside the raw limit, in one window.

  cargo build --release --bench load --bin iotctl
  benches/bench_mqtt.py PATH_OF_THE_LOAD_BENCH [SECONDS]

The load bench has the raw limit in it (one write(2) or read(2) per batch of pre-encoded packets, nothing measured per
message), the null peer, and a peer that blasts stamped messages at its subscribers. CPU is user and system time of the
client alone, in seconds per million messages.
"""
import json
import os
import re
import subprocess
import sys
import tempfile
import time

LOAD = sys.argv[1]
SECONDS = sys.argv[2] if len(sys.argv) > 2 else "3"


class Peer:
    """A peer in a process of its own; its URL comes through a file."""

    def __init__(self, kind, **env):
        self.file = tempfile.NamedTemporaryFile()
        self.process = subprocess.Popen([LOAD, kind, self.file.name], env={**os.environ, **env})
        while not (url := open(self.file.name).read()):
            time.sleep(0.01)
        self.url = url

    def __enter__(self):
        return self.url

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def ours(url, *words):
    done = subprocess.run([LOAD, f"url={url}", *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return json.loads(done.stdout)


def raw(url, qos, window):
    words = [LOAD, "raw", url, str(qos), str(window), SECONDS]
    said = subprocess.run(words, stdout=subprocess.PIPE, check=True).stdout.decode()
    rate, cpu = re.search(r": (\d+)/s, ([\d.]+)", said).groups()
    return float(rate), float(cpu)


def row(name, report, goal, limit=None):
    generator, rates = report["generator"], report["rates"]
    cpu = generator["cpu_s_per_million"]
    rate = max(rates["accepted_per_s"], rates["delivered_per_s"])
    beside = "" if limit is None else f"  raw {limit[0] / 1e6:6.2f} M/s {limit[1]:.4f}  ratio {cpu / limit[1]:.2f}"
    print(f"{name:34} {rate / 1e6:7.3f} M/s  {cpu:8.4f} CPU-s/M (goal {goal}){beside}", flush=True)


def main():
    lasts = f"duration={SECONDS}"
    with Peer("sink") as url:
        row("publish QoS 0", ours(url, lasts), 0.12, raw(url, 0, 1))
        row("publish QoS 0, 64 B", ours(url, lasts, "size=64"), 0.06)
        row("publish QoS 1, window 100", ours(url, lasts, "qos=1"), 0.20, raw(url, 1, 100))
        row("publish QoS 1, 100 connections", ours(url, lasts, "qos=1", "pub=100"), 0.15)
        fleet = ours(url, lasts, "pub=5000", "rate=10000", "arrivals=devices")
        row("fleet, 5,000 x 2/s", fleet, 6)
        print(f"{'':34} {fleet['generator']['max_rss_bytes'] / 1e6:.1f} MB (goal 15)")
        idle = ours(url, "scenario=idle", "pub=10000", "duration=1")
        small = ours(url, "scenario=idle", "pub=10", "duration=1")
        each = (idle["generator"]["max_rss_bytes"] - small["generator"]["max_rss_bytes"]) / 9990 / 1024
        print(f"{'connections, 10,000':34} {idle['connections']['rate_per_s']:.0f}/s (goal 30000), {each:.2f} KiB each (goal 2)")
        lag = ours(url, lasts, "rate=1000", "qos=1")["latency"]["lag"]
        print(f"{'send lag at 1 kHz':34} p50 {lag['p50_ms'] * 1e3:.0f} us (goal 10), p99 {lag['p99_ms'] * 1e3:.0f} us (goal 60)")
    for subscribers in ("1", "100"):
        with Peer("blast", SUBS=subscribers) as url:
            words = (f"sub={subscribers}", "pub=0", "version=4", "drain=0.1", "run-id=4711", "topic=bench/00")
            report = ours(url, lasts, *words)
            row(f"receive, {subscribers} subscribers", report, 0.07)


main()
