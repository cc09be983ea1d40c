#!/usr/bin/env python3
"""The figures of `bench coap` beside the raw limit, in one window, and whether the target is reached.

    cargo build --release --bin iotctl && cargo build --release --bench load
    benches/bench_coap.py                             # about a minute
    benches/bench_coap.py --only get --rounds 5

How it measures. Ours and the raw limit take turns (A B A B ...), so that whatever else the machine does meets both
alike; medians are shown, and the ratio of the medians is what counts: on a busy machine absolute figures are worse
for both. The raw limit is what the kernel alone takes for the same datagrams: encoded beforehand, one send and one
receive each, nothing measured per request (benches/load/coap.rs). The servers are processes of their own. "s/M" are
CPU-seconds, user and system, of the client per million requests: ours of the measured time as the report says it, and
in brackets those of the whole process by getrusage, start and end included.

The rows `libcoap` and `dtls` need Debian's coap-server-notls, coap-server-openssl.
"""

import argparse
import glob
import json
import os
import pathlib
import socket
import statistics
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"
# CPU-seconds per million requests at 256 outstanding against a fast server.
GOAL = 1.3
MISSED = []


def newest(pattern):
    found = [path for path in glob.glob(str(pattern)) if os.access(path, os.X_OK) and not path.endswith(".d")]
    return max(found, key=os.path.getmtime, default=None)


class Sink:
    """The server that only answers, in a process of its own; its URL comes through a file."""

    def __enter__(self):
        self.file = tempfile.NamedTemporaryFile()
        self.process = subprocess.Popen([ARGS.load, "coap-sink", self.file.name])
        while not (url := pathlib.Path(self.file.name).read_text()):
            time.sleep(0.01)
        return url

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


class Server:
    """A server on a free port, by its command line; it is there when it answers a ping."""

    def __init__(self, scheme, *words):
        self.scheme, self.words = scheme, words

    def __enter__(self):
        port = free_port()
        words = [word.format(port=port) for word in self.words]
        self.process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not answers(port):
            time.sleep(0.02)
        # DTLS is one port further on.
        return f"{self.scheme}://127.0.0.1:{port + (self.scheme == 'coaps')}"

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def answers(port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(0.2)
        asking.connect(("127.0.0.1", port))
        try:
            asking.send(b"\x40\x00\x00\x01")
            return asking.recv(16)[:1] == b"\x70"
        except OSError:
            return False


def ours(url, words):
    """One run; the report, with the CPU time of the whole process beside it."""
    command = [ARGS.ours, "bench", "coap", url, "--quiet", "--output", "json", *words.split()]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    said = process.stdout.read()
    _, _, used = os.wait4(process.pid, 0)
    report = json.loads(said)
    report["whole_cpu_s"] = used.ru_utime + used.ru_stime
    return report


def raw(url, outstanding):
    command = [ARGS.load, "raw", "coap", url, str(ARGS.seconds), str(outstanding)]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def say(name, figures, kept=None):
    mark = {None: " ", True: "+", False: "-"}[kept]
    print(f"{mark} {name:38} {figures}", flush=True)
    if kept is False:
        MISSED.append(name)


def each(found):
    """CPU-seconds per million requests: of the measured time, and of the whole process."""
    messages = found["messages"]
    if lost := messages["sent"] - messages["acknowledged"]:
        print(f"  {lost} of {messages['sent']} requests were not answered")
    return found["generator"]["cpu_s"] / messages["sent"] * 1e6, found["whole_cpu_s"] / messages["sent"] * 1e6


def side_by_side(name, url, words, outstanding=None, goal=None, path="/bench"):
    """CPU per request of ours and of the limit, in turns."""
    cpu, whole, rates, p50, limits, raw_rates = [], [], [], [], [], []
    for _ in range(ARGS.rounds):
        found = ours(url + path, f"--duration {ARGS.seconds}s {words}")
        one, all_of_it = each(found)
        cpu.append(one)
        whole.append(all_of_it)
        rates.append(found["rates"]["accepted_per_s"])
        p50.append(found["latency"]["service"]["p50_ms"])
        if outstanding:
            there = raw(url, outstanding)
            limits.append(there["cpu_s_per_million"])
            raw_rates.append(there["rate"])
    middle = statistics.median(cpu)
    figures = f"{middle:6.3f} s/M ({statistics.median(whole):.3f})  {statistics.median(rates) / 1e3:6.1f} k/s  p50 {statistics.median(p50):.3f} ms"
    if goal:
        figures = f"{figures}  (goal {goal} s/M)"
    if limits:
        bottom = statistics.median(limits)
        figures += f"   raw {bottom:.3f} s/M {statistics.median(raw_rates) / 1e3:.1f} k/s   ratio {middle / bottom:.2f}"
    say(name, figures, middle <= goal if goal else None)


def get():
    with Sink() as url:
        for outstanding in (1, 64, 256):
            words = f"--max --outstanding {outstanding}"
            side_by_side(f"GET, {outstanding} outstanding", url, words, outstanding, GOAL if outstanding == 256 else None)


def others():
    with Sink() as url:
        side_by_side("PUT, 256 outstanding", url, "--max --outstanding 256 --method put")
        side_by_side("GET, NON, 256 outstanding", url, "--max --outstanding 256 --non")
        side_by_side("GET, 100 sockets", url, "--max --outstanding 1 --sockets 100")


def libcoap():
    with Server("coap", "coap-server-notls", "-A", "127.0.0.1", "-p", "{port}") as url:
        side_by_side("libcoap, GET, 256 outstanding", url, "--max --outstanding 256", path="/")


def dtls():
    with Server("coaps", "coap-server-openssl", "-A", "127.0.0.1", "-p", "{port}", "-k", "secret") as url:
        key = "--psk-identity me --psk secret"
        side_by_side("DTLS (PSK), GET, 64 outstanding", url, f"--max --outstanding 64 {key}", path="/")
        found = [ours(url, f"--scenario churn --sockets 20 --max --outstanding 1 --duration {ARGS.seconds}s {key}") for _ in range(ARGS.rounds)]
        rate = statistics.median(one["rates"]["accepted_per_s"] for one in found)
        cpu = statistics.median(each(one)[0] / 1e3 for one in found)
        say("DTLS (PSK), handshakes", f"{rate:.0f}/s  {cpu:.3f} ms of CPU each")


ROWS = [get, others, libcoap, dtls]


def words():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help=f"some of: {','.join(row.__name__ for row in ROWS)}")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3, help="of each run")
    parser.add_argument("--ours", default=str(TARGET / "iotctl"))
    parser.add_argument("--load", default=newest(TARGET / "deps" / "load-*"))
    return parser.parse_args()


ARGS = words()


def main():
    chosen = ARGS.only.split(",") if ARGS.only else [row.__name__ for row in ROWS]
    print(f"load average before: {os.getloadavg()[0]:.2f}, {os.cpu_count()} processors")
    for row in ROWS:
        if row.__name__ in chosen:
            row()
    print(f"load average after: {os.getloadavg()[0]:.2f}")
    if MISSED:
        raise SystemExit(f"missed: {', '.join(MISSED)}")


main()
