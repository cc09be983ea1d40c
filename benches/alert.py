#!/usr/bin/env python3
"""Measures what a reading costs that raises no alarm, by a limit and by jq, and the memory of many alarms.

    benches/alert.py IOTCTL                  # about a minute
    benches/alert.py IOTCTL --count 1000000

Readings come from a recording. Its messages are first read for a topic that none of them has; what more CPU time a message takes when
it is judged is what judging costs: its key, its value and its alarm. Goals: 1 µs with a limit and 4 µs with jq. `cargo bench --bench
alert` measures the alarm alone. Memory is that of a process that has seen so many keys and waits for more; goal: 40 MB for 100,000.

Needs Python 3.9.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import tempfile

from figures import figure

KEYS = 1_000
GOALS = {"a limit": 1, "jq": 4}
JUDGED = {
    "read only": ["-t", "other/{device}", "--value", "/temperature", "--above", "27"],
    "a limit": ["-t", "s/{device}", "--value", "/temperature", "--above", "27"],
    "a condition": ["-t", "s/{device}", "--when", "/temperature > 27"],
    "jq": ["-t", "s/{device}", "--when", "jq: .temperature > 27"],
}


def record(number, key, temperature):
    body = f'{{\\"device\\":\\"sensor-{key:06}\\",\\"temperature\\":{temperature},\\"humidity\\":40.25,\\"unit\\":\\"celsius\\",\\"n\\":{number}}}'
    stamp = f"2026-11-20T{number // 3_600_000 % 24:02}:{number // 60_000 % 60:02}:{number // 1000 % 60:02}.{number % 1000:03}Z"
    return f'{{"time":"{stamp}","topic":"s/sensor-{key:06}","payload":"{body}","mqtt":{{"qos":1,"retain":false}}}}\n'


def cpu(iotctl, file, words):
    """CPU seconds of judging all records."""
    process = subprocess.Popen([iotctl, "alert", file, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{process.args} ended with {process.returncode}")
    return usage.ru_utime + usage.ru_stime


def memory(iotctl, keys, folder):
    """MiB of a process that has read a value of each key: the last of them is told."""
    words = ["--state", pathlib.Path(folder, f"{keys}.journal"), "-t", "s/{device}", "--value", "/temperature", "--above", "27"]
    process = subprocess.Popen([iotctl, "alert", "-", *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=True)
    for key in range(keys):
        process.stdin.write(record(key, key, 21.5))
    process.stdin.write(record(keys, 0, 28.5))
    process.stdin.flush()
    if "firing" not in process.stdout.readline():
        raise SystemExit("nothing was told")
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    process.stdin.close()
    process.wait()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("iotctl", type=lambda path: str(pathlib.Path(path).resolve()))
    parser.add_argument("--count", type=int, default=300_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "records.ndjson")
        with file.open("w") as records:
            for number in range(options.count):
                records.write(record(number, number % KEYS, 21.5))
        rounds = {name: [] for name in JUDGED}
        for _ in range(options.rounds):
            for name, words in JUDGED.items():
                rounds[name].append(cpu(options.iotctl, file, words) * 1e6 / options.count)
        few, many = (memory(options.iotctl, keys, folder) for keys in (1, 100_000))
    medians = {name: statistics.median(values) for name, values in rounds.items()}
    for name, median in medians.items():
        figure(f"{name}, a reading", median, "µs CPU")
        if name != "read only":
            figure(f"{name}, judging alone", median - medians["read only"], "µs CPU", most=GOALS.get(name))
    figure("100,000 keys", many, "MiB", most=40)
    figure("100,000 keys, more than one key", many - few, "MiB")


if __name__ == "__main__":
    main()
