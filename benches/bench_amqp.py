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

import os
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import time

from figures import OPTIONS, Peer, free_port, main, ours, raw, say


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


def side_by_side(name, goal, url, words, window):
    """CPU per message of ours and of the limit, in turns."""
    cpu, rates, limits, raw_rates = [], [], [], []
    for _ in range(OPTIONS.rounds):
        found = ours("amqp", url, f"--size 64 --scenario publish --duration {OPTIONS.seconds}s {words}")
        cpu.append(found["generator"]["cpu_s_per_million"])
        rates.append(found["rates"]["accepted_per_s"])
        there = raw("amqp", url, 64, window)
        limits.append(there["cpu_s_per_million"])
        raw_rates.append(there["rate"])
    middle, bottom = statistics.median(cpu), statistics.median(limits)
    goal_text = "" if goal is None else f" (goal {goal})"
    figures = f"{middle:8.4f} s/M{goal_text}  {statistics.median(rates) / 1e6:7.3f} M/s   raw {bottom:.4f} s/M {statistics.median(raw_rates) / 1e6:.3f} M/s   ratio {middle / bottom:.2f}"
    say(name, figures, None if goal is None else middle <= goal)


def publish():
    # The peer cannot make queues.
    there = "--predeclared --queue raw"
    with Peer("amqp-sink") as url:
        side_by_side("publish without confirms", 0.05, url, f"{there} --no-confirm", 0)
        side_by_side("publish, confirm window 100", None, url, f"{there} --window 100", 100)
        side_by_side("publish, confirm window 1000", None, url, f"{there} --window 1000", 1000)


def rabbitmq():
    with RabbitMq() as url:
        side_by_side("RabbitMQ, without confirms", None, url, "--no-confirm", 0)
        side_by_side("RabbitMQ, confirm window 100", 1.0, url, "--window 100", 100)
        found = [ours("amqp", url, f"--size 64 --duration {OPTIONS.seconds}s --multi-ack 100") for _ in range(OPTIONS.rounds)]
        each = statistics.median(one["generator"]["cpu_s_per_million"] for one in found)
        fast = statistics.median(one["rates"]["delivered_per_s"] for one in found)
        lost = sum(one["messages"]["missing"] for one in found)
        say("RabbitMQ, and consume", f"{each:8.4f} s/M  {fast / 1e6:7.3f} M/s   {lost} missing")


def connections():
    with RabbitMq() as url:
        idle = "--scenario idle --duration 1s --producers"
        found = ours("amqp", url, f"{idle} 1000")
        memory, opened = found["generator"]["max_rss_bytes"] / 1e6, found["connections"]["opened"]
        say("1,000 connections, memory", f"{memory:.1f} MB (goal 20), {opened} opened", memory <= 20 and opened == 1000)
        found = ours("amqp", url, "--producers 1000 --consumers 0 --rate 2k --duration 2s --queues 10")
        memory, done = found["generator"]["max_rss_bytes"] / 1e6, found["messages"]["acknowledged"]
        say("1,000 producers, memory", f"{memory:.1f} MB (goal 20), {done} acknowledged", memory <= 20)


main(__doc__, [publish, rabbitmq, connections])
