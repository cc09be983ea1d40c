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

import socket
import statistics
import subprocess
import time

from figures import OPTIONS, Peer, free_port, main, ours, raw, say

# CPU-seconds per million requests at 256 outstanding against a fast server.
GOAL = 1.3


class Server:
    """A server on a free port, by its command line; it is there when it answers a ping."""

    def __init__(self, scheme, *words):
        self.scheme, self.words = scheme, words

    def __enter__(self):
        port = free_port(socket.SOCK_DGRAM)
        words = [word.format(port=port) for word in self.words]
        self.process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not answers(port):
            time.sleep(0.02)
        # DTLS is one port further on.
        return f"{self.scheme}://127.0.0.1:{port + (self.scheme == 'coaps')}"

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def answers(port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(0.2)
        asking.connect(("127.0.0.1", port))
        try:
            asking.send(b"\x40\x00\x00\x01")
            return asking.recv(16)[:1] == b"\x70"
        except OSError:
            return False


def each(found):
    """CPU-seconds per million requests: of the measured time, and of the whole process."""
    messages = found["messages"]
    if lost := messages["sent"] - messages["acknowledged"]:
        print(f"  {lost} of {messages['sent']} requests were not answered")
    return found["generator"]["cpu_s"] / messages["sent"] * 1e6, found["whole_cpu_s"] / messages["sent"] * 1e6


def side_by_side(name, url, words, outstanding=None, goal=None, path="/bench"):
    """CPU per request of ours and of the limit, in turns."""
    cpu, whole, rates, p50, limits, raw_rates = [], [], [], [], [], []
    for _ in range(OPTIONS.rounds):
        found = ours("coap", url + path, f"--duration {OPTIONS.seconds}s {words}")
        one, all_of_it = each(found)
        cpu.append(one)
        whole.append(all_of_it)
        rates.append(found["rates"]["accepted_per_s"])
        p50.append(found["latency"]["service"]["p50_ms"])
        if outstanding:
            there = raw("coap", url, outstanding)
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
    with Peer("coap-sink") as url:
        for outstanding in (1, 64, 256):
            words = f"--max --outstanding {outstanding}"
            side_by_side(f"GET, {outstanding} outstanding", url, words, outstanding, GOAL if outstanding == 256 else None)


def others():
    with Peer("coap-sink") as url:
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
        found = [ours("coap", url, f"--scenario churn --sockets 20 --max --outstanding 1 --duration {OPTIONS.seconds}s {key}") for _ in range(OPTIONS.rounds)]
        rate = statistics.median(one["rates"]["accepted_per_s"] for one in found)
        cpu = statistics.median(each(one)[0] / 1e3 for one in found)
        say("DTLS (PSK), handshakes", f"{rate:.0f}/s  {cpu:.3f} ms of CPU each")


main(__doc__, [get, others, libcoap, dtls])
