#!/usr/bin/env python3
"""What `iotctl watch` costs: CPU and memory of the watcher, from /proc, while it is served by the embedded broker.

    benches/watch.py target/release/iotctl

| row | goal |
|---|---|
| 50,000 msg/s, table mode and screen | 25 % of a core |
| idle, screen | 0.2 % of a core |
| 100,000 topics | 120 MB |
| first frame of the screen | 100 ms after the start |
"""

import contextlib
import os
import pathlib
import subprocess
import sys
import tempfile
import time

from figures import figure

TICKS = os.sysconf("SC_CLK_TCK")


def main():
    iotctl = str(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "target/release/iotctl").resolve())
    with tempfile.TemporaryDirectory() as folder, broker(iotctl) as url:
        flood(iotctl, url, folder, "table")
        flood(iotctl, url, folder, "screen")
        idle(iotctl, url, folder)
        many(iotctl, url, folder)
        first_frame(iotctl, url, folder)


@contextlib.contextmanager
def broker(iotctl):
    words = [iotctl, "mqtt", "broker", "--listen", "127.0.0.1:0", "--quiet"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


@contextlib.contextmanager
def watcher(iotctl, url, folder, kind, *more):
    """A watcher that is subscribed, by its process id."""
    ready = pathlib.Path(folder, "ready")
    ready.unlink(missing_ok=True)
    words = [iotctl, "watch", url, "--ready-file", str(ready), *more]
    if kind == "table":
        with subprocess.Popen([*words, "--every", "1s"], stdout=subprocess.DEVNULL) as child:
            wait(ready.exists)
            try:
                yield child.pid
            finally:
                child.terminate()
        return
    with terminal(folder, words) as shell:
        wait(ready.exists)
        yield shell


@contextlib.contextmanager
def terminal(folder, words):
    tmux = ["tmux", "-S", f"{folder}/tmux", "-f", "/dev/null", "-u"]
    subprocess.run([*tmux, "new-session", "-d", "-x", "120", "-y", "40", *words], check=True)
    shown = subprocess.run([*tmux, "display-message", "-p", "#{pane_pid}"], check=True, capture_output=True, text=True)
    try:
        yield int(shown.stdout)
    finally:
        subprocess.run([*tmux, "kill-server"], check=False)
        time.sleep(0.2)


def wait(state):
    end = time.time() + 60
    while not state():
        assert time.time() < end, "waited in vain"
        time.sleep(0.002)


def cpu(process):
    fields = pathlib.Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory(process):
    lines = pathlib.Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def flood(iotctl, url, folder, kind):
    with watcher(iotctl, url, folder, kind) as process:
        words = [iotctl, "bench", "mqtt", url, "--scenario", "publish", "--publishers", "10", "--size", "64",
                 "--rate", "50k", "--duration", "10s", "--quiet", "--output", "json"]
        before, began = cpu(process), time.time()
        subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        used, passed = cpu(process) - before, time.time() - began
        figure(f"50,000 msg/s, {kind}", 100 * used / passed, "% of a core", most=25)


def idle(iotctl, url, folder):
    with watcher(iotctl, url, folder, "screen", "-t", "nothing") as process:
        time.sleep(1)
        before, began = cpu(process), time.time()
        time.sleep(20)
        used, passed = cpu(process) - before, time.time() - began
        figure("idle, screen", 100 * used / passed, "% of a core", most=0.2)


def many(iotctl, url, folder):
    with watcher(iotctl, url, folder, "screen", "-t", "many/#") as process:
        lines = "".join(f"many/site-{at % 10}/device-{at // 10}/temperature {{\"value\":{at % 40}.5,\"unit\":\"C\"}}\n"
                        for at in range(100_000))
        words = [iotctl, "mqtt", "pub", url, "-l", "--topic-separator", " ", "-q", "0"]
        subprocess.run(words, input=lines.encode(), check=True)
        time.sleep(2)
        figure("100,000 topics", memory(process), "MiB", most=120)


def first_frame(iotctl, url, folder):
    def took(words):
        tmux = ["tmux", "-S", f"{folder}/tmux", "-f", "/dev/null", "-u"]
        began = time.time()
        with terminal(folder, words):
            while True:
                seen = subprocess.run([*tmux, "capture-pane", "-p"], capture_output=True, text=True, check=False).stdout
                if "Topics" in seen:
                    return 1000 * (time.time() - began)

    # The terminal itself takes its time, too.
    bare = min(took(["sh", "-c", "echo Topics; cat"]) for _ in range(5))
    whole = min(took([iotctl, "watch", url]) for _ in range(5))
    figure("first frame, more than echo takes there", whole - bare, "ms", most=100)


if __name__ == "__main__":
    main()
