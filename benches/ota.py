#!/usr/bin/env python3
"""Measures `iotctl ota` and fails if a target is missed.

    cargo build --release --bin iotctl
    benches/ota.py                    # about a minute
    benches/ota.py --agents 20        # fewer devices
    benches/ota.py --ours target/debug/iotctl

Needs Python 3.9 and mosquitto in the path, which is started on a free port.

| row      | what                                                            | target                    |
|----------|-----------------------------------------------------------------|---------------------------|
| sign     | `ota sign` of 1 MiB, start to exit                              | 10 ms                     |
| verify   | `ota verify --payload` of 1 MiB, start to exit                  | 10 ms                     |
| one      | 1 MiB to one agent, offer to confirmation, blocks of 4 KiB      | 1 s                       |
| many     | 256 KiB to --agents agents at once, a process each              | server 10 ms CPU an agent |
| carousel | the same with --carousel                                        | fewer blocks than `many`  |
| fleet    | 256 KiB to --fleet agents in one process (`iotctl simulate`)    | 30 s; server 10 s CPU     |
| idle     | memory of an agent that waits                                   | 8 MB                      |
"""

import argparse
import json
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

from figures import TARGET

FLEET = """
[[device]]
id = "s{{n:04}}"
count = {count}
ota = {{ vendor = "example.com", class = "bench", trust = ["key.pub.pem"], install = "50ms", reboot = "500ms", health = "50ms" }}
"""

DEVICE = ["--vendor", "example.com", "--class", "bench"]


def free_port():
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return it.getsockname()[1]


class Bench:
    def __init__(self, options, folder):
        self.ours, self.options, self.folder = str(options.ours), options, folder
        self.port = free_port()
        self.url = f"mqtt://127.0.0.1:{self.port}"
        self.missed = []
        config = folder / "mosquitto.conf"
        config.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 10000\n")
        self.broker = subprocess.Popen(["mosquitto", "-c", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.wait_for_broker()
        self.run("keygen", folder / "key.pem")

    def wait_for_broker(self):
        for _ in range(500):
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                time.sleep(0.01)
        sys.exit("mosquitto does not start")

    def run(self, *words):
        began = time.perf_counter()
        ended = subprocess.run([self.ours, "ota", *map(str, words)], capture_output=True, text=True)
        if ended.returncode != 0:
            sys.exit(f"ota {words[0]} ended with {ended.returncode}: {ended.stderr}")
        return time.perf_counter() - began, ended.stdout

    def start(self, *words):
        return subprocess.Popen([self.ours, "ota", *map(str, words)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def sign(self, size, sequence):
        firmware = self.folder / "fw.bin"
        firmware.write_bytes(os.urandom(size))
        return self.run("sign", firmware, "--key", self.folder / "key.pem", "--version", f"1.{sequence}",
                        "--sequence", sequence, *DEVICE, "-o", self.folder / "updates")[0]

    def agent(self, name, *more):
        return self.start("agent", self.url, "--device", name, "--slots", self.folder / name,
                          "--trust", self.folder / "key.pub.pem", *DEVICE, *more)

    def wait(self, goal):
        self.run("status", self.url, "--until", goal, "--timeout", "10m")

    def show(self, row, value, unit, target):
        good = target is None or value <= target
        told = "" if target is None else f"  target {target:g} {unit}{'' if good else '  MISSED'}"
        print(f"{row:<28}{value:>10.2f} {unit}{told}")
        if not good:
            self.missed.append(row)

    def files(self):
        times = [self.sign(1 << 20, 1) for _ in range(11)]
        self.show("sign 1 MiB", statistics.median(times) * 1e3, "ms", 10)
        updates = self.folder / "updates"
        words = ["verify", updates / "fw-1.1.suit", "--trust", self.folder / "key.pub.pem", "--payload", updates / "fw-1.1.bin"]
        times = [self.run(*words)[0] for _ in range(11)]
        self.show("verify 1 MiB", statistics.median(times) * 1e3, "ms", 10)

    def one(self):
        server = self.start("serve", self.folder / "updates", self.url)
        agent = self.agent("one")
        self.wait("idle == 1")
        with open(f"/proc/{agent.pid}/status") as status:
            kib = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
        self.show("idle agent", kib / 1024, "MB", 8)
        began = time.perf_counter()
        self.run("publish", self.url, "--manifest", self.folder / "updates", "--to", "device:one")
        self.wait("updated == 1")
        self.show("1 MiB to one agent", time.perf_counter() - began, "s", 1)
        for it in (agent, server):
            it.terminate()
            it.wait()

    def many(self, row, sequence, *more):
        self.sign(256 << 10, sequence)
        count = self.options.agents
        server = self.start("serve", self.folder / "updates", self.url, *more)
        agents = [self.agent(f"{row}{at}") for at in range(count)]
        self.wait(f"idle == {count}")
        began = time.perf_counter()
        self.run("publish", self.url, "--manifest", self.folder / "updates", "--to", "all")
        self.wait(f"updated >= {count}")
        self.show(f"256 KiB to {count}, {row}", time.perf_counter() - began, "s", None)
        for agent in agents:
            agent.terminate()
            agent.wait()
        server.terminate()
        _, _, usage = os.wait4(server.pid, 0)
        cpu = (usage.ru_utime + usage.ru_stime) * 1e3 / count
        self.show(f"server CPU an agent, {row}", cpu, "ms", 10)
        self.clear()

    def fleet(self, sequence):
        self.sign(256 << 10, sequence)
        count = self.options.fleet
        server = self.start("serve", self.folder / "updates", self.url)
        file = self.folder / "fleet.toml"
        file.write_text(FLEET.format(count=count))
        fleet = subprocess.Popen([self.ours, "simulate", self.url, file], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.wait(f"idle == {count}")
        began = time.perf_counter()
        self.run("publish", self.url, "--manifest", self.folder / "updates", "--to", "all")
        self.wait(f"updated >= {count}")
        self.show(f"256 KiB to {count}, simulated", time.perf_counter() - began, "s", 30)
        with open(f"/proc/{fleet.pid}/status") as status:
            kib = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
        self.show("memory of the fleet", kib / 1024, "MB", None)
        fleet.terminate()
        _, _, usage = os.wait4(fleet.pid, 0)
        self.show("CPU of the fleet", usage.ru_utime + usage.ru_stime, "s", None)
        server.terminate()
        _, _, usage = os.wait4(server.pid, 0)
        self.show("server CPU, simulated", usage.ru_utime + usage.ru_stime, "s", 10)

    def clear(self):
        _, text = self.run("status", self.url, "--output", "json")
        for device in json.loads(text)["devices"]:
            subprocess.run([self.ours, "mqtt", "pub", self.url, "-t", f"ota/status/{device['id']}", "-n", "-r", "-q", "1"], check=True)
        self.run("publish", self.url, "--remove", "--to", "all")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours", type=pathlib.Path, default=TARGET / "release" / "iotctl")
    parser.add_argument("--agents", type=int, default=100)
    parser.add_argument("--fleet", type=int, default=1000)
    options = parser.parse_args()
    if shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin") is None:
        sys.exit("mosquitto is not installed")
    os.environ["PATH"] += ":/usr/sbin"
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(options, pathlib.Path(folder))
        try:
            bench.files()
            bench.one()
            bench.clear()
            bench.many("many", 2)
            bench.many("carousel", 3, "--carousel")
            bench.fleet(4)
        finally:
            bench.broker.terminate()
            bench.broker.wait()
    sys.exit(f"missed: {', '.join(bench.missed)}" if bench.missed else 0)


if __name__ == "__main__":
    main()
