#!/usr/bin/env python3
"""Measures `iotctl replay` beside other programs: how late it is, and what it costs.

    benches/replay.py IOTCTL                          # some minutes
    benches/replay.py IOTCTL --recorder mqtt-recorder # another place of mqtt-recorder (PyPI, 1.4)
    benches/replay.py IOTCTL --only timing            # or: cost

timing: 50 messages a second, for 10 s or --seconds, go to the same mosquitto by each program, one after the other; a subscriber notes when they come.
Given is how much later each message came than it should have, by the one that came soonest.
cost: 1,000,000 records from a file at QoS 1 to mosquitto by `replay --speed max` and by `mqtt pub --ndjson`, in turns; given
are CPU time (user + system, as the kernel accounts it), the largest memory, and the ratio of the medians. A ratio above 1.5 or
more than 16 MiB is missed; the exit code is then 1.

Needs Python 3.9 and mosquitto.
"""

import argparse
import datetime
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

INTERVAL = 0.02
RECORDS = 1_000_000
START = 1_763_672_400.0


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Mosquitto:
    """A private one that drops nothing, until the end."""

    def __init__(self, folder):
        self.port = free_port()
        config = folder / "mosquitto.conf"
        config.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\n"
                          "max_inflight_messages 0\nmax_queued_messages 0\n")
        path = f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin"
        self.process = subprocess.Popen([shutil.which("mosquitto", path=path), "-c", config],
                                        stderr=subprocess.DEVNULL)
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                time.sleep(0.01)

    def stop(self):
        self.process.terminate()
        self.process.wait()


def record(number, at, payload):
    stamp = datetime.datetime.fromtimestamp(at, datetime.timezone.utc)
    return json.dumps({"time": stamp.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), "protocol": "mqtt",
                       "topic": f"site/{number % 100}", "payload": payload,
                       "mqtt": {"qos": 1, "retain": False}}, separators=(",", ":")) + "\n"


def timing(options, folder):
    records, rows = folder / "timing.ndjson", folder / "timing.csv"
    messages = round(options.seconds / INTERVAL)
    with records.open("w") as ours, rows.open("w", newline="") as theirs:
        for number in range(messages):
            at = START + number * INTERVAL
            ours.write(record(number, at, str(number)))
            theirs.write(f"site/{number % 100},{number},1,False,{at},{INTERVAL}\r\n")
    server = Mosquitto(folder)
    url = f"mqtt://127.0.0.1:{server.port}"
    programs = {"iotctl replay": [options.iotctl, "replay", records, "--to", url]}
    if options.recorder:
        programs["mqtt-recorder"] = [options.recorder, "--host", "127.0.0.1", "--port", str(server.port),
                                     "--mode", "replay", "--file", rows]
    for name, command in programs.items():
        receiver = subprocess.Popen(
            [options.iotctl, "mqtt", "sub", url, "-t", "#", "-q", "1", "-C", str(messages), "-W", str(options.seconds + 50), "--trace",
             "-F", "%{payload} %{time}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        while "SUBACK" not in receiver.stderr.readline():
            pass
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as sender:
            # Whatever else it traces must not fill the pipe.
            texts = receiver.communicate()[0].splitlines()
            sender.terminate()
        came = {}
        for line in texts:
            number, stamp = line.split()
            came[int(number)] = datetime.datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp()
        start = min(stamp - number * INTERVAL for number, stamp in came.items())
        late = [1e3 * (came[number] - start - number * INTERVAL) for number in sorted(came)]
        ordered = sorted(late)
        print(f"{name:14}  p50 {ordered[len(ordered) // 2]:8.3f} ms  p99 {ordered[len(ordered) * 99 // 100]:8.3f} ms"
              f"  max {ordered[-1]:8.3f} ms  at the end {late[-1]:8.3f} ms")
    server.stop()


def used(command, stdin):
    """Seconds of CPU time, and the largest memory in KiB."""
    child = os.fork()
    if child == 0:
        if stdin:
            os.dup2(os.open(stdin, os.O_RDONLY), 0)
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.execv(command[0], [os.fspath(word) for word in command])
    _, status, usage = os.wait4(child, 0)
    if status != 0:
        sys.exit(f"{command[1]} ended with {os.waitstatus_to_exitcode(status)}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss


def cost(options, folder):
    records = folder / "cost.ndjson"
    with records.open("w") as file:
        for number in range(RECORDS):
            file.write(record(number, START + number * 1e-3, '{"value":21.5,"unit":"C","seq":%d}' % number))
    server = Mosquitto(folder)
    url = f"mqtt://127.0.0.1:{server.port}"
    commands = {
        "replay": ([options.iotctl, "replay", records, "--to", url, "--speed", "max"], None),
        "mqtt pub --ndjson": ([options.iotctl, "mqtt", "pub", url, "--ndjson"], records),
    }
    times, memory = {name: [] for name in commands}, {}
    for _ in range(options.rounds):
        for name, (command, stdin) in commands.items():
            seconds, kib = used(command, stdin)
            times[name].append(seconds)
            memory[name] = max(kib, memory.get(name, 0))
    server.stop()
    for name, all_times in times.items():
        print(f"{name:18}  {statistics.median(all_times):6.2f} s of CPU a million  {memory[name] / 1024:6.1f} MiB")
    ratio = statistics.median(times["replay"]) / statistics.median(times["mqtt pub --ndjson"])
    print(f"ratio {ratio:.2f}")
    return ratio <= 1.5 and memory["replay"] <= 16 * 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("iotctl", type=lambda path: os.path.abspath(path))
    parser.add_argument("--recorder", default=shutil.which("mqtt-recorder"))
    parser.add_argument("--only", choices=["timing", "cost"])
    parser.add_argument("--seconds", type=int, default=10, help="of the recording for timing")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    held = True
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        if options.only != "cost":
            timing(options, folder)
        if options.only != "timing":
            held = cost(options, folder)
    sys.exit(0 if held else 1)


main()
