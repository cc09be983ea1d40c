#!/usr/bin/env python3
"""The figures of `bench mqtt` beside the raw limit, in one window, and whether the targets are reached.

    cargo build --release --bin iotctl && cargo build --release --bench load
    benches/bench_mqtt.py                             # about three minutes
    benches/bench_mqtt.py --only fleet,lag --rounds 5

How it measures. Ours and the raw limit take turns (A B A B …), so that whatever else the machine does meets both
alike; medians are shown, and the ratio of the medians is what counts: on a busy machine absolute figures are worse
for both. The raw limit is what the kernel alone takes for the same bytes: packets encoded beforehand, one write(2) or
read(2) a batch, or a message where the load is made of single messages, nothing measured per message
(benches/load/raw.rs). The peers are processes of their own. "s/M" are CPU-seconds, user and system, of the client per
million messages; payloads have 256 bytes.

The rows `mosquitto`, `tls`, `floor`, `stall` and `restart` need mosquitto, and `tls` openssl.
"""

import json
import os
import pathlib
import signal
import socket
import statistics
import subprocess
import tempfile
import time

from figures import OPTIONS, Mosquitto, Peer, free_port, main, ours, raw, say, start


class Unhindered(Mosquitto):
    """A private mosquitto, over TLS too, that holds nobody back; unless `nodelay` is off, neither does its kernel."""

    def __init__(self, more="", nodelay=True):
        self.folder, self.tls = tempfile.TemporaryDirectory(), free_port()
        self.certificate()
        folder = self.folder.name
        super().__init__(
            folder,
            f"max_inflight_messages 0\nset_tcp_nodelay {str(nodelay).lower()}\n{more}\n"
            f"listener {self.tls} 127.0.0.1\ncertfile {folder}/cert.pem\nkeyfile {folder}/key.pem\n",
        )

    @property
    def ports(self):
        return [self.port, self.tls]

    def certificate(self):
        folder = self.folder.name
        words = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
        subject = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"]
        files = ["-keyout", f"{folder}/key.pem", "-out", f"{folder}/cert.pem"]
        subprocess.run([*words.split(), *subject, *files], check=True, stderr=subprocess.DEVNULL)
        # Started by root it goes on as a user of its own, who must be able to read them.
        os.chmod(folder, 0o755)
        os.chmod(f"{folder}/key.pem", 0o644)


def rate(report):
    return max(report["rates"]["accepted_per_s"], report["rates"]["delivered_per_s"])


def side_by_side(name, goal, url, words, *limit):
    """CPU per message of ours and of the limit, in turns."""
    cpu, rates, limits, raw_rates = [], [], [], []
    for _ in range(OPTIONS.rounds):
        found = ours("mqtt", url, f"--duration {OPTIONS.seconds}s {words}")
        cpu.append(found["generator"]["cpu_s_per_million"])
        rates.append(rate(found))
        there = raw(limit[0], url, *limit[1:])
        limits.append(there["cpu_s_per_million"])
        raw_rates.append(there["rate"])
    middle, bottom = statistics.median(cpu), statistics.median(limits)
    figures = f"{middle:8.4f} s/M (goal {goal})  {statistics.median(rates) / 1e6:7.3f} M/s   raw {bottom:.4f} s/M {statistics.median(raw_rates) / 1e6:.2f} M/s   ratio {middle / bottom:.2f}"
    say(name, figures, middle <= goal)
    return found


def publish():
    with Peer("sink") as url:
        side_by_side("publish QoS 0", 0.12, url, "", "publish", 0, 1, 1)
        side_by_side("publish QoS 1, window 100", 0.20, url, "-q 1", "publish", 1, 100, 1)
        side_by_side("publish QoS 1, 100 connections", 0.15, url, "-q 1 --publishers 100", "publish", 1, 100, 100)


def fleet():
    with Peer("sink") as url:
        words = "--publishers 5000 --rate 10k --arrivals devices"
        found = side_by_side("fleet, 5,000 x 2/s", 6, url, words, "fleet", 5000, 10000)
        memory = found["generator"]["max_rss_bytes"] / 1e6
        say("fleet, memory", f"{memory:.1f} MB (goal 15)", memory <= 15)


def receive():
    for subscribers in ("1", "100"):
        with Peer("blast", SUBS=subscribers, ROUNDS=str(2 * OPTIONS.rounds)) as url:
            words = f"--subscribers {subscribers} --publishers 0 -V 311 --drain 100ms --run-id 4711 -t bench/00"
            side_by_side(f"receive, {subscribers} subscribers", 0.07, url, words, "receive", subscribers)


def connect():
    def idle(count, turn):
        return ours("mqtt", url, f"--scenario idle --publishers {count} --duration 200ms --drain 100ms --bind {sources(turn)}")

    # Fresh ones each time: an address whose ports were just used costs the kernel a long search for each connection.
    def sources(turn):
        return ",".join(f"127.1.{turn}.{number}" for number in range(1, 9))

    with Peer("sink") as url:
        small, rates, cpu, memory, limits = idle(10, 0), [], [], [], []
        for turn in range(1, 2 * OPTIONS.rounds, 2):
            found = idle(10_000, turn)
            rates.append(found["connections"]["rate_per_s"])
            cpu.append((found["whole_cpu_s"] - small["whole_cpu_s"]) / 10)
            memory.append((found["generator"]["max_rss_bytes"] - small["generator"]["max_rss_bytes"]) / 9990 / 1024)
            limits.append(raw("connect", url, 10_000, sources(turn + 1)))
    each, limit = statistics.median(cpu), statistics.median(one["cpu_s_per_million"] / 1e3 for one in limits)
    fast, top = statistics.median(rates), statistics.median(one["rate"] for one in limits)
    say("connections, 10,000", f"{fast:.0f}/s (goal 30000)   raw {top:.0f}/s   ratio {fast / top:.2f}", fast >= 30_000)
    say("connections, CPU for 1,000", f"{each:.4f} s (goal 0.018)   raw {limit:.4f} s   ratio {each / limit:.2f}", each <= 0.018)
    say("connections, memory of each", f"{statistics.median(memory):.2f} KiB (goal 2)", statistics.median(memory) <= 2)


def lag():
    with Peer("sink") as url:
        for hertz in (1_000, 10_000):
            found, limits = [], []
            for _ in range(OPTIONS.rounds):
                found.append(ours("mqtt", url, f"--duration {OPTIONS.seconds}s -q 1 --rate {hertz}")["latency"]["lag"])
                limits.append(raw("timer", url, hertz))
            p50, p99 = (statistics.median(one[part] * 1e3 for one in found) for part in ("p50_ms", "p99_ms"))
            r50, r99 = (statistics.median(one[part] for one in limits) for part in ("p50_us", "p99_us"))
            kept = p50 <= 10 and p99 <= 60 if hertz == 1_000 else None
            say(f"send lag at {hertz // 1000} kHz", f"p50 {p50:.0f} us (goal 10), p99 {p99:.0f} us (goal 60)   raw {r50:.0f} / {r99:.0f} us", kept)


def startup():
    """From the start of the process to its first packet."""
    took = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        for _ in range(5 * OPTIONS.rounds):
            begin = time.perf_counter()
            process = start("mqtt", f"mqtt://127.0.0.1:{port}", "--duration 1s")
            stream, _ = listener.accept()
            stream.recv(1)
            took.append((time.perf_counter() - begin) * 1e3)
            process.kill()
            process.wait()
            stream.close()
    middle = statistics.median(took)
    say("start to first packet", f"{middle:.1f} ms (goal 10)", middle <= 10)


def mosquitto():
    """At its default each of its writes may wait for more; without that delay it is slower, and no goal is set."""
    for nodelay in (False, True):
        with Unhindered(nodelay=nodelay) as broker:
            for window in (100, 1000):
                saturated(broker.url, nodelay, window)


def saturated(url, nodelay, window):
    words = f"-q 1 --window {window}"
    rates, cpu, limits = [], [], []
    for _ in range(OPTIONS.rounds):
        found = ours("mqtt", url, f"--duration {OPTIONS.seconds}s {words}")
        rates.append(rate(found))
        cpu.append(found["generator"]["cpu_s_per_million"])
        limits.append(raw("publish", url, 1, window, 1))
    fast, each = statistics.median(rates), statistics.median(cpu)
    top, least = (statistics.median(one[part] for one in limits) for part in ("rate", "cpu_s_per_million"))
    kept = None if nodelay else fast >= 250_000 and each <= 0.8
    name = f"mosquitto{', nodelay' if nodelay else ''}, QoS 1, window {window}"
    goal = "" if nodelay else " (goal 250000)"
    say(name, f"{fast:.0f}/s{goal}, {each:.2f} s/M (goal 0.8)   raw {top:.0f}/s {least:.2f} s/M", kept)


def tls():
    """The whole process less one of the same connections without TLS."""
    with Unhindered() as broker:
        words = "--scenario idle --publishers 1000 --duration 100ms --drain 100ms --connect-rate 100k"
        plain, secure, rates = [], [], []
        for _ in range(OPTIONS.rounds):
            plain.append(ours("mqtt", broker.url, words)["whole_cpu_s"])
            url = f"mqtts://127.0.0.1:{broker.tls}"
            found = ours("mqtt", url, f"{words} --cafile {broker.folder.name}/cert.pem")
            secure.append(found["whole_cpu_s"])
            rates.append(found["connections"]["rate_per_s"])
    each = statistics.median(secure) - statistics.median(plain)
    say("TLS, CPU of a handshake", f"{each:.3f} ms (goal 0.20)   {statistics.median(rates):.0f}/s", each <= 0.20)


def floor():
    with Unhindered() as broker:
        found = [
            ours("mqtt", broker.url, f"--duration {OPTIONS.seconds}s --subscribers 1 --rate 1k")["latency"]["end_to_end"]["p50_ms"] * 1e3
            for _ in range(OPTIONS.rounds)
        ]
    middle = statistics.median(found)
    say("end to end at 1 kHz", f"p50 {middle:.0f} us (goal 50)", middle <= 50)


def stall():
    """A broker stopped for two of ten seconds: 2,000 of 10,000 messages are late, evenly up to two seconds."""
    with Unhindered() as broker:
        for words in ("-q 0", "-q 1 --window 1", "-q 1 --window 1000", "-q 2 --window 1", "-q 2 --window 1000"):
            process = start("mqtt", broker.url, f"--subscribers 1 --rate 1k --duration 10s {words}")
            time.sleep(3)
            broker.process.send_signal(signal.SIGSTOP)
            time.sleep(2)
            broker.process.send_signal(signal.SIGCONT)
            report = json.loads(process.communicate()[0])
            quantities = ["end_to_end"] if words == "-q 0" else ["end_to_end", "response"]
            p99 = [report["latency"][one]["p99_ms"] for one in quantities]
            kept = all(1880 <= one <= 1925 for one in p99)
            say(f"stalled for 2 s, {words}", f"p99 {', '.join(f'{one:.0f}' for one in p99)} ms (goal 1880 to 1925)", kept)


def restart():
    """A broker killed and started again: every message ends somewhere, and the load comes back."""
    with Unhindered() as broker:
        process = start("mqtt", broker.url, "--publishers 10 --subscribers 1 -q 1 --rate 1k --duration 10s")
        time.sleep(4)
        broker.process.kill()
        broker.process.wait()
        time.sleep(1)
        broker.start()
        report = json.loads(process.communicate()[0])
    found, links = report["messages"], report["connections"]
    ends = ("acknowledged", "refused", "timed_out", "lost_with_connection")
    unaccounted = found["planned"] - found["unsent"] - sum(found[one] for one in ends)
    last = [point["sent"] for point in report["intervals"] if point["phase"] == "measure"][-1]
    kept = unaccounted == 0 and links["reopened"] == links["lost"] == 11 and last >= 990
    say("killed and started again", f"{unaccounted} messages unaccounted for, {links['reopened']} of {links['lost']} connections back, {last}/s at the end; {found['unsent']} unsent, {found['lost_with_connection']} lost with their connection", kept)


main(__doc__, [publish, fleet, receive, connect, lag, startup, mosquitto, tls, floor, stall, restart])
