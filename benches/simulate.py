#!/usr/bin/env python3
"""Measures a fleet at mosquitto: how many devices connect in a second, CPU time and memory of 10,000 devices of three sensors, and
what a message costs without a wire.

    benches/simulate.py IOTCTL               # about a minute; needs mosquitto
    benches/simulate.py IOTCTL --devices 1000 --seconds 20

Connections are opened all at once, and counted until the last is accepted; the goal is 2,000 a second. Then each device reports three
values every ten seconds at QoS 1, so that 10,000 devices make 3,000 messages a second. CPU time and
memory are read while all are connected, from the middle of the run on. A preview makes the same messages on a clock of its own:
its CPU time divided by their number is what values, payload and record cost (`cargo bench --bench fleet` measures values and payload
alone; the goal is 0.5 µs).

Needs Python 3.9.
"""

import argparse
import json
import pathlib
import resource
import subprocess
import tempfile
import time

from figures import Mosquitto, figure, spent

FLEET = """
[[device]]
count = {devices}
id = "sensor-{{n:05}}"
connect = {{ spread = "{spread}s" }}
status = {{ topic = "devices/{{id}}/status" }}
"""

SENSOR = """
[[device.sensor]]
name = "{name}"
topic = "sensors/{{id}}/{name}"
every = "10s"
value = {{ walk = {{ min = 15, max = 35, step = 0.4 }} }}
payload = '{{"value":{{value:.2}},"unit":"celsius"}}'
qos = 1
"""


def preview(iotctl, file, count):
    """CPU seconds for so many messages."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([iotctl, "simulate", file, "--preview", str(count)], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def connected(options, folder):
    """Connections a second, from the start of the program on."""
    file, ready = folder / "connect.toml", folder / "ready"
    file.write_text(FLEET.format(devices=options.devices, spread=0))
    with Mosquitto(folder) as server:
        began = time.monotonic()
        fleet = subprocess.Popen([options.iotctl, "simulate", server.url, file, "--ready-file", ready],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not ready.exists() and fleet.poll() is None:
            time.sleep(0.002)
        elapsed = time.monotonic() - began
        fleet.terminate()
        fleet.wait()
    return options.devices / elapsed


def live(options, file, folder):
    with Mosquitto(folder) as server:
        account = folder / "account.json"
        whole = options.spread + options.seconds
        fleet = subprocess.Popen([options.iotctl, "simulate", server.url, file, "--for", f"{whole + 2}s",
                                  "--save-json", account])
        time.sleep(options.spread + 1)
        (before, _), began = spent(fleet.pid), time.monotonic()
        time.sleep(options.seconds)
        (after, peak), elapsed = spent(fleet.pid), time.monotonic() - began
        fleet.wait()
        return (after - before) / elapsed, peak, json.loads(account.read_text())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("iotctl", help="the program")
    parser.add_argument("--devices", type=int, default=10_000)
    parser.add_argument("--spread", type=int, default=10, help="seconds in which they connect")
    parser.add_argument("--seconds", type=int, default=30, help="how long is measured")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        file = folder / "fleet.toml"
        sensors = "".join(SENSOR.format(name=name) for name in ("a", "b", "c"))
        file.write_text(FLEET.format(devices=options.devices, spread=options.spread) + sensors)
        rate = connected(options, folder)
        figure("connections a second", rate, "1/s", least=2000)
        share, peak, account = live(options, file, folder)
        figure("messages acknowledged a second", account["acknowledged"] / account["seconds"], "msg/s")
        figure(f"{options.devices} devices, CPU", share * 100, "% of a core", most=30)
        figure(f"{options.devices} devices, memory", peak, "MiB", most=60)
        few, many = (preview(options.iotctl, file, count) for count in (20_000, 1_020_000))
        figure("value, payload and record, a message", many - few, "µs CPU")


if __name__ == "__main__":
    main()
