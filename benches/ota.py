#!/usr/bin/env python3
"""Measures `iotctl ota` and fails if a target is missed.

    cargo build --release --bin iotctl
    benches/ota.py                    # about a minute
    benches/ota.py --agents 20 --fleet 200    # fewer devices
    benches/ota.py --ours target/debug/iotctl

Needs Python 3.9 and mosquitto in the path, which is started on a free port.

| row      | what                                                            | target                    |
|----------|-----------------------------------------------------------------|---------------------------|
| sign     | `ota sign` of 1 MiB, start to exit                              | 10 ms                     |
| verify   | `ota verify --payload` of 1 MiB, start to exit                  | 10 ms                     |
| one      | 1 MiB to one agent, offer to confirmation, blocks of 4 KiB      | 1 s                       |
| many     | 256 KiB to --agents agents at once, a process each              | server 10 ms CPU an agent |
| carousel | the same with --carousel                                        | fewer blocks than `many`  |
| fleet    | 256 KiB to --fleet devices at once, all of them in one process  | 30 s, server 10 s CPU,    |
|          | that asks for blocks as an agent does and checks each of them   | the image is read once    |
| simulated | 256 KiB to --fleet agents of `iotctl simulate`               | 30 s, server 10 s CPU     |
| idle     | memory of an agent that waits, and what of it is its own: the   | 8 MB, 2 MB                |
|          | rest is program text, which all programs of iotctl share        |                           |
"""

import argparse
import hashlib
import json
import os
import pathlib
import resource
import select
import socket
import statistics
import subprocess
import sys
import tempfile
import time

from figures import MISSED, TARGET, Mosquitto, figure

FLEET = """
[[device]]
id = "s{{n:04}}"
count = {count}
ota = {{ vendor = "example.com", class = "bench", trust = ["key.pub.pem"], install = "50ms", reboot = "500ms", health = "50ms" }}
"""

DEVICE = ["--vendor", "example.com", "--class", "bench"]


def text(it):
    it = it.encode()
    return len(it).to_bytes(2, "big") + it


def packet(kind, body):
    length, size = bytearray(), len(body)
    while True:
        size, digit = size >> 7, size & 127
        length.append(digit | (128 if size else 0))
        if not size:
            return bytes([kind]) + length + body


def cbor(major, number):
    if number < 24:
        return bytes([major << 5 | number])
    return bytes([major << 5 | 25]) + number.to_bytes(2, "big") if number > 255 else bytes([major << 5 | 24, number])


class Device:
    """A session that asks for blocks as an agent does: eight at a time, and on when half of them have come."""

    BLOCK, WINDOW = 4096, 8

    def __init__(self, port, name, image):
        self.name, self.image, self.received = name, image, bytearray()
        self.blocks = -(-len(image) // self.BLOCK)
        self.missing, self.next, self.under_way = set(range(self.blocks)), 0, 0
        self.digest = hashlib.sha256(image).hexdigest()
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.sendall(packet(0x10, text("MQTT") + bytes([4, 2, 0, 0]) + text(name)))
        self.socket.sendall(packet(0x82, b"\0\1" + text(f"ota/to/{name}/{self.digest[:8]}/+") + b"\0"))
        self.subscribed = False

    def ask(self):
        count = min(self.WINDOW - self.under_way, self.blocks - self.next)
        if self.under_way > self.WINDOW // 2 or count <= 0:
            return
        name = self.name.encode()
        wanted = b"\xa4\x01" + cbor(3, len(name)) + name + b"\x02" + cbor(0, self.BLOCK)
        wanted += b"\x03" + cbor(0, self.next) + b"\x04" + cbor(0, count)
        self.socket.sendall(packet(0x30, text(f"ota/blob/{self.digest}/get") + wanted))
        self.next, self.under_way = self.next + count, self.under_way + count

    def again(self):
        """Asks again for what has not come."""
        if self.missing:
            self.next, self.under_way = min(self.missing), 0
            self.ask()

    def readable(self):
        self.received += self.socket.recv(1 << 17)
        at = 0
        while True:
            size, shift, start = 0, 0, at + 1
            while start < len(self.received):
                size |= (self.received[start] & 127) << shift
                shift, start = shift + 7, start + 1
                if self.received[start - 1] < 128:
                    break
            else:
                break
            if start + size > len(self.received):
                break
            self.take(self.received[at], memoryview(self.received)[start:start + size])
            at = start + size
        del self.received[:at]

    def take(self, kind, body):
        if kind == 0x90:
            self.subscribed = True
        if kind & 0xF0 != 0x30:
            return
        length = int.from_bytes(body[:2], "big")
        number = int(bytes(body[2:2 + length]).rsplit(b"/", 1)[1])
        block = bytes(body[2 + length:])
        if block != self.image[number * self.BLOCK:(number + 1) * self.BLOCK]:
            sys.exit(f"{self.name} was sent another block {number}")
        if number in self.missing:
            self.missing.discard(number)
            self.under_way -= 1
            self.ask()


class Bench:
    def __init__(self, options, folder):
        self.ours, self.options, self.folder = str(options.ours), options, folder
        self.broker = Mosquitto(folder)
        self.port, self.url = self.broker.port, self.broker.url
        self.run("keygen", folder / "key.pem")

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
                        "--sequence", sequence, *DEVICE, "--force", "-o", self.folder / "updates")[0]

    def agent(self, name, *more):
        return self.start("agent", self.url, "--device", name, "--slots", self.folder / name,
                          "--trust", self.folder / "key.pub.pem", *DEVICE, *more)

    def wait(self, goal):
        self.run("status", self.url, "--until", goal, "--timeout", "10m")

    def files(self):
        times = [self.sign(1 << 20, 1) for _ in range(11)]
        figure("sign 1 MiB", statistics.median(times) * 1e3, "ms", 10)
        updates = self.folder / "updates"
        words = ["verify", updates / "fw-1.1.suit", "--trust", self.folder / "key.pub.pem", "--payload", updates / "fw-1.1.bin"]
        times = [self.run(*words)[0] for _ in range(11)]
        figure("verify 1 MiB", statistics.median(times) * 1e3, "ms", 10)

    def one(self):
        server = self.start("serve", self.folder / "updates", self.url)
        agent = self.agent("one")
        self.wait("idle == 1")
        with open(f"/proc/{agent.pid}/status") as status:
            kib = {line.split(":")[0]: int(line.split()[1]) for line in status if line.startswith(("VmRSS", "RssAnon"))}
        figure("idle agent", kib["VmRSS"] / 1024, "MB", 8)
        figure("of it no program text", kib["RssAnon"] / 1024, "MB", 2)
        began = time.perf_counter()
        self.run("publish", self.url, "--manifest", self.folder / "updates", "--to", "device:one")
        self.wait("updated == 1")
        figure("1 MiB to one agent", time.perf_counter() - began, "s", 1)
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
        figure(f"256 KiB to {count}, {row}", time.perf_counter() - began, "s")
        for agent in agents:
            agent.terminate()
            agent.wait()
        server.terminate()
        _, _, usage = os.wait4(server.pid, 0)
        cpu = (usage.ru_utime + usage.ru_stime) * 1e3 / count
        figure(f"server CPU an agent, {row}", cpu, "ms", 10)
        self.clear()

    def fleet(self, sequence):
        self.sign(256 << 10, sequence)
        image = (self.folder / "updates" / f"fw-1.{sequence}.bin").read_bytes()
        server = self.start("serve", self.folder / "updates", self.url)
        poll, devices = select.epoll(), {}
        for at in range(self.options.fleet):
            device = Device(self.port, f"fleet{at}", image)
            devices[device.socket.fileno()] = device
            poll.register(device.socket, select.EPOLLIN)

        def turn(done, stuck):
            while not all(done(it) for it in devices.values()):
                ready = poll.poll(5)
                for number, _ in ready:
                    devices[number].readable()
                if not ready:
                    stuck()

        turn(lambda it: it.subscribed, lambda: sys.exit("mosquitto takes no subscriptions"))
        before, began = self.spent(server), time.perf_counter()
        for device in devices.values():
            device.ask()
        turn(lambda it: not it.missing, lambda: [it.again() for it in devices.values()])
        row = f"256 KiB to a fleet of {len(devices)}"
        figure(row, time.perf_counter() - began, "s", 30)
        cpu, read = (after - before for after, before in zip(self.spent(server), before))
        figure("server CPU, fleet", cpu, "s", 10)
        figure("image read by the server", read / len(image), "times", 1.1)
        for device in devices.values():
            device.socket.close()
        server.terminate()
        server.wait()

    @staticmethod
    def spent(process):
        """Seconds of CPU, and bytes that were read from files."""
        with open(f"/proc/{process.pid}/stat") as stat, open(f"/proc/{process.pid}/io") as io:
            fields = stat.read().rsplit(")", 1)[1].split()
            ticks = int(fields[11]) + int(fields[12])
            return ticks / os.sysconf("SC_CLK_TCK"), int(io.readline().split()[1])

    def simulated(self, sequence):
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
        figure(f"256 KiB to {count}, simulated", time.perf_counter() - began, "s", 30)
        with open(f"/proc/{fleet.pid}/status") as status:
            kib = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
        figure("memory of the fleet", kib / 1024, "MB")
        fleet.terminate()
        _, _, usage = os.wait4(fleet.pid, 0)
        figure("CPU of the fleet", usage.ru_utime + usage.ru_stime, "s")
        server.terminate()
        _, _, usage = os.wait4(server.pid, 0)
        figure("server CPU, simulated", usage.ru_utime + usage.ru_stime, "s", 10)

    def clear(self):
        _, text = self.run("status", self.url, "--output", "json")
        for device in json.loads(text)["devices"]:
            subprocess.run([self.ours, "mqtt", "pub", self.url, "-t", f"ota/status/{device['id']}", "-n", "-r", "-q", "1"], check=True)
        self.run("publish", self.url, "--remove", "--to", "all")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours", type=pathlib.Path, default=TARGET / "iotctl")
    parser.add_argument("--agents", type=int, default=100)
    parser.add_argument("--fleet", type=int, default=1000)
    options = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(options, pathlib.Path(folder))
        try:
            bench.files()
            bench.one()
            bench.clear()
            bench.many("many", 2)
            bench.many("carousel", 3, "--carousel")
            bench.fleet(4)
            bench.simulated(5)
        finally:
            bench.broker.__exit__()
    sys.exit(f"missed: {', '.join(MISSED)}" if MISSED else 0)


if __name__ == "__main__":
    main()
