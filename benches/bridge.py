#!/usr/bin/env python3
"""Measures a bridge between two mosquittos: CPU time a million messages and memory, beside mosquitto's own bridge.

    benches/bridge.py IOTCTL                 # some minutes; needs mosquitto
    benches/bridge.py IOTCTL --count 400000

Messages of 100 bytes go into the first mosquitto; a subscriber at the second one counts them. mosquitto's bridge is a part of
the first: beside it stands the CPU time of the first and of our bridge together. Both in turns, in one run.

Needs Python 3.9.
"""

import argparse
import pathlib
import statistics
import subprocess
import tempfile
import time

from figures import Mosquitto, figure, spent

BODY = "x" * 100
# CPU seconds a million messages by QoS.
GOALS = {0: 0.3, 1: 8}
# At QoS 1 as many are under way as iotctl asks for.
MORE = "max_inflight_messages 100\n"


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
        with Mosquitto(self.folder, MORE, "one") as one, Mosquitto(self.folder, MORE, "two") as two:
            ready = self.folder / "bridged"
            ready.unlink(missing_ok=True)
            bridge = subprocess.Popen([self.options.iotctl, "bridge", f"mqtt://127.0.0.1:{one.port}", f"mqtt://127.0.0.1:{two.port}",
                                       "-t", f"n/# out {qos}", "--clean", "--ready-file", ready],
                                      stderr=subprocess.DEVNULL)
            wait_for(ready)
            rate = self.passed(one, two, qos)
            cpu, peak = spent(bridge.pid)
            whole = cpu + spent(one.process.pid)[0]
            bridge.terminate()
            bridge.wait()
            return cpu, whole, rate, peak

    def theirs(self, qos):
        with Mosquitto(self.folder, MORE, "two") as two:
            section = (f"connection b\naddress 127.0.0.1:{two.port}\ntopic n/# out {qos}\nbridge_protocol_version mqttv50\n"
                       "notifications false\n")
            with Mosquitto(self.folder, MORE + section, "one") as one:
                time.sleep(1)
                rate = self.passed(one, two, qos)
                cpu, peak = spent(one.process.pid)
        return cpu, cpu, rate, peak


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
            medians = {name: [statistics.median(column) for column in zip(*values)] for name, values in rounds.items()}
            for name, (cpu, whole, rate, peak) in medians.items():
                own = name == "iotctl bridge"
                if own:
                    figure(f"{name}, QoS {qos}, CPU", cpu / million, "s/M", most=GOALS[qos])
                figure(f"{name} and first server, QoS {qos}, CPU", whole / million, "s/M")
                figure(f"{name}, QoS {qos}, memory", peak, "MiB", most=12 if own else None)
                figure(f"{name}, QoS {qos}, rate", rate, "msg/s")
            (_, whole, rate, _), (_, other, theirs, _) = medians.values()
            figure(f"CPU beside mosquitto's, QoS {qos}", whole / other, "×")
            figure(f"rate beside mosquitto's, QoS {qos}", rate / theirs, "×", least=1 if qos else None)


if __name__ == "__main__":
    main()
