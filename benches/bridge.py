#!/usr/bin/env python3
"""Measures a bridge between two mosquittos: CPU time a million messages and memory, beside mosquitto's own bridge.

    benches/bridge.py IOTCTL                 # some minutes; needs mosquitto
    benches/bridge.py IOTCTL --count 400000

Messages of 100 bytes go into the first mosquitto; a subscriber at the second one counts them. The CPU time of our bridge is its
own; that of mosquitto's bridge is what the broker that holds it uses more than one that does not, with the same messages going
to a subscriber of its own. Both in turns, in one run.

Needs Python 3.9.
"""

import argparse
import os
import pathlib
import socket
import statistics
import subprocess
import tempfile
import time

BODY = "x" * 100


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ticks(process):
    """CPU seconds of a process so far, and its peak memory in MiB."""
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), peak / 1024


class Server:
    def __init__(self, folder, name, lines=""):
        self.port = free_port()
        config = folder / f"{name}.conf"
        config.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n"
                          f"max_inflight_messages 100\nlog_dest none\n{lines}")
        self.process = subprocess.Popen(["mosquitto", "-c", config], stderr=subprocess.DEVNULL)
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                time.sleep(0.02)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def wait_for(path):
    while not path.exists():
        time.sleep(0.02)


class Bench:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder

    def passed(self, source, sink, qos):
        """Sends all messages into one server, and waits until all have come out of the other; messages a second."""
        ready = self.folder / "ready"
        ready.unlink(missing_ok=True)
        count = str(self.options.count)
        receiver = subprocess.Popen([self.options.iotctl, "mqtt", "sub", "-h", "127.0.0.1", "-p", str(sink.port), "-t", "n/#", "-q",
                                     str(qos), "-C", count, "--ready-file", ready, "-W", "600"],
                                    stdout=subprocess.DEVNULL)
        wait_for(ready)
        began = time.monotonic()
        sender = subprocess.Popen([self.options.iotctl, "mqtt", "pub", "-h", "127.0.0.1", "-p", str(source.port), "-t", "n/a", "-q",
                                   str(qos), "--repeat", count, "-m", BODY])
        if sender.wait() != 0 or receiver.wait() != 0:
            raise SystemExit("messages were lost")
        return self.options.count / (time.monotonic() - began)

    def ours(self, qos):
        with Server(self.folder, "one") as one, Server(self.folder, "two") as two:
            ready = self.folder / "bridged"
            ready.unlink(missing_ok=True)
            bridge = subprocess.Popen([self.options.iotctl, "bridge", f"mqtt://127.0.0.1:{one.port}", f"mqtt://127.0.0.1:{two.port}",
                                       "-t", f"n/# out {qos}", "--clean", "--ready-file", ready],
                                      stderr=subprocess.DEVNULL)
            wait_for(ready)
            rate = self.passed(one, two, qos)
            cpu, peak = ticks(bridge)
            bridge.terminate()
            bridge.wait()
            return cpu, rate, peak

    def theirs(self, qos):
        with Server(self.folder, "two") as two:
            section = (f"connection b\naddress 127.0.0.1:{two.port}\ntopic n/# out {qos}\nbridge_protocol_version mqttv50\n"
                       "notifications false\n")
            with Server(self.folder, "one", section) as one:
                time.sleep(1)
                rate = self.passed(one, two, qos)
                bridged, peak = ticks(one.process)
        with Server(self.folder, "alone") as alone:
            self.passed(alone, alone, qos)
            plain, _ = ticks(alone.process)
        return bridged - plain, rate, peak


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("iotctl", type=lambda path: str(pathlib.Path(path).resolve()))
    parser.add_argument("--count", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    million = options.count / 1e6
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(options, pathlib.Path(folder))
        for qos in (0, 1):
            rounds = {"iotctl bridge": [], "mosquitto's bridge": []}
            for _ in range(options.rounds):
                rounds["iotctl bridge"].append(bench.ours(qos))
                rounds["mosquitto's bridge"].append(bench.theirs(qos))
            for name, values in rounds.items():
                cpu, rate, peak = (statistics.median(column) for column in zip(*values))
                print(f"QoS {qos}  {name:<20} {cpu / million:6.2f} s of CPU a million, {rate:9,.0f} msg/s, {peak:5.1f} MiB", flush=True)


if __name__ == "__main__":
    main()
