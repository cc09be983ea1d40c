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
import statistics
import subprocess
import sys
import tempfile

from figures import MISSED, Mosquitto, figure

INTERVAL = 0.02
RECORDS = 1_000_000
START = 1_763_672_400.0


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
    server = Mosquitto(folder, "max_inflight_messages 0\n")
    url = server.url
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
        own = name == "iotctl replay"
        figure(f"{name}, late by, p50", ordered[len(ordered) // 2], "ms")
        figure(f"{name}, late by, p99", ordered[len(ordered) * 99 // 100], "ms", most=1 if own else None)
        figure(f"{name}, late by, max", ordered[-1], "ms")
        figure(f"{name}, late by, at the end", late[-1], "ms", most=1 if own else None)
    server.__exit__()


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
    server = Mosquitto(folder, "max_inflight_messages 0\n")
    url = server.url
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
    server.__exit__()
    for name, all_times in times.items():
        figure(f"{name}, CPU", statistics.median(all_times), "s/M")
        figure(f"{name}, memory", memory[name] / 1024, "MiB", most=16 if name == "replay" else None)
    ratio = statistics.median(times["replay"]) / statistics.median(times["mqtt pub --ndjson"])
    figure("replay beside mqtt pub --ndjson, CPU", ratio, "×", most=1.5)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("iotctl", type=lambda path: os.path.abspath(path))
    parser.add_argument("--recorder", default=shutil.which("mqtt-recorder"))
    parser.add_argument("--only", choices=["timing", "cost"])
    parser.add_argument("--seconds", type=int, default=10, help="of the recording for timing")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        if options.only != "cost":
            timing(options, folder)
        if options.only != "timing":
            cost(options, folder)
    sys.exit(1 if MISSED else 0)


main()
