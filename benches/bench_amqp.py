#!/usr/bin/env python3
"""The figures of `bench amqp` beside the raw limit, in one window, and whether the targets are reached.

    cargo build --release --bin iotctl && cargo build --release --bench load
    benches/bench_amqp.py                             # about two minutes
    benches/bench_amqp.py --only publish --rounds 5

Ours and the raw limit take turns (A B A B …), so that whatever else the machine does meets both alike; medians are
shown, and the ratio of the medians is what counts. The raw limit is what the kernel alone takes for the same bytes:
frames encoded beforehand, one write(2) a batch, nothing measured per message, and with confirms a wait for those of a
whole window (benches/load/amqp.rs). The peers are processes of their own. "s/M" are CPU-seconds, user and system, of
the client per million messages; bodies have 64 bytes.

The rows `rabbitmq` and `connections` start a private RabbitMQ, as the tests do.
"""

import argparse
import glob
import json
import os
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"
MISSED = []


def newest(pattern):
    found = [path for path in glob.glob(str(pattern)) if os.access(path, os.X_OK) and not path.endswith(".d")]
    return max(found, key=os.path.getmtime, default=None)


class Sink:
    """A server that only answers, in a process of its own; its URL comes through a file."""

    def __enter__(self):
        self.file = tempfile.NamedTemporaryFile()
        self.process = subprocess.Popen([ARGS.load, "amqp-sink", self.file.name])
        while not (url := pathlib.Path(self.file.name).read_text()):
            time.sleep(0.01)
        return url

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


class RabbitMq:
    """A private RabbitMQ on free ports of the loopback interface, without a port mapper."""

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        port, dist, mapper = free_port(), free_port(), free_port()
        for name in ("mnesia", "log"):
            (self.folder / name).mkdir()
        (self.folder / "plugins").write_text("[].")
        (self.folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{port}\nloopback_users = none\nlog.console = false\ndisk_free_limit.absolute = 50MB\n"
        )
        at = lambda name: str(self.folder / name)
        local = "-kernel inet_dist_use_interface {127,0,0,1}"
        environment = {
            "HOME": at(""), "RABBITMQ_NODENAME": f"bench{dist}@localhost", "RABBITMQ_DIST_PORT": str(dist),
            "RABBITMQ_CONFIG_FILE": at("rabbitmq.conf"), "RABBITMQ_ADVANCED_CONFIG_FILE": "/dev/null.none",
            "RABBITMQ_CONF_ENV_FILE": "/dev/null", "RABBITMQ_MNESIA_BASE": at("mnesia"), "RABBITMQ_MNESIA_DIR": at("mnesia/db"),
            "RABBITMQ_FEATURE_FLAGS_FILE": at("mnesia/flags"), "RABBITMQ_LOG_BASE": at("log"), "RABBITMQ_LOGS": at("log/rabbit.log"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": at("plugins"), "RABBITMQ_PLUGINS_EXPAND_DIR": at("expand"),
            "RABBITMQ_GENERATED_CONFIG_DIR": at("generated"), "RABBITMQ_SCHEMA_DIR": at("schema"), "RABBITMQ_PID_FILE": at("pid"),
            "ERL_EPMD_PORT": str(mapper), "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": f"-start_epmd false -erl_epmd_port {dist} {local}",
        }
        self.mapper = {**os.environ, "ERL_EPMD_PORT": str(mapper)}
        with open(at("out"), "w") as said:
            self.process = subprocess.Popen(
                ["/usr/lib/rabbitmq/bin/rabbitmq-server"], env={**os.environ, **environment}, cwd=self.folder,
                stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True,
            )
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                return f"amqp://127.0.0.1:{port}"
            except ConnectionRefusedError:
                time.sleep(0.05)

    def __exit__(self, *_):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        # The start script may have started one, of this port alone.
        subprocess.run(["epmd", "-kill"], env=self.mapper, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        shutil.rmtree(self.folder, ignore_errors=True)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def ours(url, words):
    """One run; its report."""
    command = [ARGS.ours, "bench", "amqp", url, "--quiet", "--output", "json", *words.split()]
    ended = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return json.loads(ended.stdout)


def raw(url, *words):
    command = [ARGS.load, "raw", "amqp", url, str(ARGS.seconds), *map(str, words)]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def say(name, figures, kept=None):
    mark = {None: " ", True: "+", False: "-"}[kept]
    print(f"{mark} {name:34} {figures}", flush=True)
    if kept is False:
        MISSED.append(name)


def side_by_side(name, goal, url, words, window):
    """CPU per message of ours and of the limit, in turns."""
    cpu, rates, limits, raw_rates = [], [], [], []
    for _ in range(ARGS.rounds):
        found = ours(url, f"--size 64 --scenario publish --duration {ARGS.seconds}s {words}")
        cpu.append(found["generator"]["cpu_s_per_million"])
        rates.append(found["rates"]["accepted_per_s"])
        there = raw(url, 64, window)
        limits.append(there["cpu_s_per_million"])
        raw_rates.append(there["rate"])
    middle, bottom = statistics.median(cpu), statistics.median(limits)
    goal_text = "" if goal is None else f" (goal {goal})"
    figures = f"{middle:8.4f} s/M{goal_text}  {statistics.median(rates) / 1e6:7.3f} M/s   raw {bottom:.4f} s/M {statistics.median(raw_rates) / 1e6:.3f} M/s   ratio {middle / bottom:.2f}"
    say(name, figures, None if goal is None else middle <= goal)


def publish():
    # The peer cannot make queues.
    there = "--predeclared --queue raw"
    with Sink() as url:
        side_by_side("publish without confirms", 0.05, url, f"{there} --no-confirm", 0)
        side_by_side("publish, confirm window 100", None, url, f"{there} --window 100", 100)
        side_by_side("publish, confirm window 1000", None, url, f"{there} --window 1000", 1000)


def rabbitmq():
    with RabbitMq() as url:
        side_by_side("RabbitMQ, without confirms", None, url, "--no-confirm", 0)
        side_by_side("RabbitMQ, confirm window 100", 1.0, url, "--window 100", 100)
        found = [ours(url, f"--size 64 --duration {ARGS.seconds}s --multi-ack 100") for _ in range(ARGS.rounds)]
        each = statistics.median(one["generator"]["cpu_s_per_million"] for one in found)
        fast = statistics.median(one["rates"]["delivered_per_s"] for one in found)
        lost = sum(one["messages"]["missing"] for one in found)
        say("RabbitMQ, and consume", f"{each:8.4f} s/M  {fast / 1e6:7.3f} M/s   {lost} missing")


def connections():
    with RabbitMq() as url:
        idle = "--scenario idle --duration 1s --producers"
        found = ours(url, f"{idle} 1000")
        memory, opened = found["generator"]["max_rss_bytes"] / 1e6, found["connections"]["opened"]
        say("1,000 connections, memory", f"{memory:.1f} MB (goal 20), {opened} opened", memory <= 20 and opened == 1000)
        found = ours(url, "--producers 1000 --consumers 0 --rate 2k --duration 2s --queues 10")
        memory, done = found["generator"]["max_rss_bytes"] / 1e6, found["messages"]["acknowledged"]
        say("1,000 producers, memory", f"{memory:.1f} MB (goal 20), {done} acknowledged", memory <= 20)


ROWS = [publish, rabbitmq, connections]


def words():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help=f"some of: {','.join(row.__name__ for row in ROWS)}")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3, help="of each run")
    parser.add_argument("--ours", default=str(TARGET / "iotctl"))
    parser.add_argument("--load", default=newest(TARGET / "deps" / "load-*"))
    return parser.parse_args()


ARGS = words()


def main():
    chosen = ARGS.only.split(",") if ARGS.only else [row.__name__ for row in ROWS]
    for row in ROWS:
        if row.__name__ in chosen:
            row()
    if MISSED:
        raise SystemExit(f"missed: {', '.join(MISSED)}")


main()
