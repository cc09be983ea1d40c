#!/usr/bin/env python3
"""Measures `iotctl mqtt pub` and `mqtt sub` beside mosquitto's clients and `iotctl coap get` beside libcoap's, and fails if a target is missed.

    cargo build --release
    benches/side_by_side.py                        # about two minutes
    benches/side_by_side.py --quick                # about twenty seconds, fewer rounds and messages
    benches/side_by_side.py --only sub,lines-1     # some rows
    benches/side_by_side.py --ours PATH            # another binary than target/release/iotctl
    benches/side_by_side.py --drop-in              # ours called as mosquitto_pub and mosquitto_sub

Needs Python 3.9 and, in the path, mosquitto, mosquitto_pub and mosquitto_sub, for the last rows coap-client-openssl and
coap-client-notls; nothing else. Everything runs on this machine over loopback, on ports that the system chooses. No row
runs longer than --limit seconds.

How it measures. Ours and theirs take turns (A B A B …) in one run, so that whatever else the machine does
meets both alike; medians are shown, and the ratio of the medians is what counts. Wall time is from before the
process is started until it is reaped; CPU time (user + system) is the kernel's own account of that one process
(wait4), and so is the peak of resident memory (VmHWM). "s/M" are CPU-seconds of the client per million messages.

Where the far side says "wire", it is a server within this script that costs the client as little as can
be: it sends prepared PUBLISH packets in large writes, or reads in large reads, counts, and acknowledges in
batches. So the client is measured, and not the speed of a broker.

| row          | what runs                                         | target for ours                              |
|--------------|---------------------------------------------------|----------------------------------------------|
| pub-0, pub-1 | `pub -m`, one message, start to exit              | wall and CPU <= theirs                       |
| memory       | the same, before it exits                         | peak <= 6 MiB                                |
| retained     | `sub -C 1` of a retained message, start to exit   | <= 3 ms                                      |
| instructions-pub, -sub | those of pub-1 and retained, by callgrind; only when asked for, as it needs valgrind: for comparison |
| sub          | `sub -v` to a file, through mosquitto             | <= 0.15 s/M, no message missing              |
| sub-wire     | `sub -v` to a file, off the wire                  | <= 0.15 s/M, no message missing              |
| lines-0      | `pub -l` of a file, QoS 0, onto the wire          | <= 0.1 s/M, no message missing               |
| lines-1      | `pub -l` of a file, QoS 1, onto the wire          | <= 0.3 s/M, no message missing               |
| broker-0, -1 | the broker between our `pub -l` and our `sub`     | <= theirs                                    |
| coap-get     | `get` of a small resource, start to exit          | wall and CPU <= theirs                       |
| coap-bare    | the same beside the libcoap that can do no TLS    | for comparison                               |
| coaps-get    | the same over DTLS with a pre-shared key          | wall and CPU <= theirs                       |

The targets in s/M are those of a machine, idle but for this, on which mosquitto's clients take 2.0 (sub), 0.8 and 1.6
s/M (lines-0, lines-1). Where theirs take longer, the machine is slower or busy, and ours may take longer in the
same proportion.
"""

import argparse
import contextlib
import os
import pathlib
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

PAYLOAD = b"x" * 32
TOPIC = "side/by/side"
MIB = 1024 * 1024


# -- one process, measured --------------------------------------------------------------------


class Run:
    """What one process took, in seconds and MiB; its exit code and words; and what arrived at the far side."""

    def __init__(self, wall, cpu, peak, code, words):
        self.wall, self.cpu, self.peak, self.code, self.words = wall, cpu, peak, code, words
        self.arrived = None


class Started:
    """A process under measurement."""

    def __init__(self, words, stdin=None, stdout=None):
        self.errors = tempfile.TemporaryFile()
        with open(os.devnull, "r+b") as null:
            ends = (stdin or null, stdout or null, self.errors)
            actions = [(os.POSIX_SPAWN_DUP2, end.fileno(), at) for at, end in enumerate(ends)]
            self.begun = time.perf_counter()
            self.pid = os.posix_spawn(words[0], words, os.environ, file_actions=actions)

    def peak(self):
        """The most memory that was resident so far, in MiB; None when the process has ended.

        Not ru_maxrss: that begins with the memory of the process that started this one.
        """
        with contextlib.suppress(OSError), open(f"/proc/{self.pid}/status") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) / 1024
        return None

    def finish(self, limit, watch=False):
        """Reaps the process; kills it when it takes longer than `limit` seconds."""
        ended = threading.Event()
        peaks = [None]

        def look():
            while watch and not ended.wait(0.02):
                peaks.append(self.peak() or peaks[-1])

        killer = threading.Timer(limit, os.kill, (self.pid, 9))
        watcher = threading.Thread(target=look)
        killer.start()
        watcher.start()
        _, status, usage = os.wait4(self.pid, 0)
        wall = time.perf_counter() - self.begun
        killer.cancel()
        ended.set()
        watcher.join()
        self.errors.seek(0)
        words = self.errors.read().decode(errors="replace").strip()
        self.errors.close()
        cpu = usage.ru_utime + usage.ru_stime
        return Run(wall, cpu, peaks[-1], os.waitstatus_to_exitcode(status), words)


# -- the far side: mosquitto ------------------------------------------------------------------


class Mosquitto:
    """A private broker that tells when somebody has subscribed."""

    def __init__(self, folder):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        config = folder / "mosquitto.conf"
        config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n"
            "persistence false\nlog_dest stderr\nlog_type subscribe\nlog_type error\n"
        )
        self.process = subprocess.Popen(
            [tool("mosquitto"), "-c", str(config)], stderr=subprocess.PIPE, text=True
        )
        for _ in range(200):
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            time.sleep(0.02)
        sys.exit("mosquitto does not start")

    def wait_for_subscription(self, topic):
        for line in self.process.stderr:
            if topic in line:
                return

    def publish(self, topic, count=1, retain=False):
        """Publishes `count` messages as fast as the broker takes them."""
        with contextlib.closing(connect(self.port)) as stream:
            packet = publish_packet(topic, retain=retain)
            blast(stream, packet, count)
            stream.sendall(b"\xe0\x00")
            stream.shutdown(socket.SHUT_WR)
            while stream.recv(4096):
                pass

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Ours:
    """Our broker."""

    def __init__(self, path):
        words = [path, "mqtt", "broker", "--quiet", "--listen", "127.0.0.1:0"]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().rsplit(":", 1)[1])

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Device:
    """Our CoAP server, over UDP and DTLS."""

    def __init__(self, path):
        words = [path, "coap", "server", "--quiet", "-r", "/temp=text:21.5"]
        words += ["--psk-identity", "me", "--psk", "secret"]
        for scheme in ("coap", "coaps"):
            words += ["--listen", f"{scheme}://127.0.0.1:0"]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        self.uris = [self.process.stdout.readline().strip() + "/temp" for _ in range(2)]

    def stop(self):
        self.process.terminate()
        self.process.wait()


def cpu_of(pid):
    """The CPU-seconds of a running process of one thread."""
    with open(f"/proc/{pid}/schedstat") as facts:
        return int(facts.read().split()[0]) / 1e9


def tool(name):
    # Debian keeps the server where only root's path leads.
    path = os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin"
    return shutil.which(name, path=path) or sys.exit(f"{name} is not installed")


def instructions(words):
    """How many millions of instructions a command takes, libraries and their loading included."""
    command = [tool("valgrind"), "--tool=callgrind", "--callgrind-out-file=/dev/null", *words]
    said = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True).stderr
    return int(re.search(r"Collected : (\d+)", said)[1]) / 1e6


# -- the far side: the wire -------------------------------------------------------------------


def text(value):
    raw = value.encode()
    return len(raw).to_bytes(2, "big") + raw


def publish_packet(topic, level=4, retain=False):
    body = text(topic) + (b"\x00" if level == 5 else b"") + PAYLOAD
    return bytes([0x31 if retain else 0x30, len(body)]) + body


def connect(port):
    stream = socket.create_connection(("127.0.0.1", port))
    body = text("MQTT") + b"\x04\x02\x00\x3c" + text(f"side-by-side-{time.monotonic_ns()}")
    stream.sendall(bytes([0x10, len(body)]) + body)
    stream.recv(4, socket.MSG_WAITALL)
    return stream


def blast(stream, packet, count):
    batch = packet * min(count, 20_000)
    while count > 0:
        some = min(count, 20_000)
        stream.sendall(memoryview(batch)[: some * len(packet)])
        count -= some


class Wire:
    """A server for one client at a time that does the least a server can do."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def serve(self, talk, *words):
        """Takes the next client in a thread; its `join` gives what `talk` returned."""
        result = []

        def run():
            stream, _ = self.listener.accept()
            with stream, contextlib.suppress(ConnectionError):
                stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                result.append(talk(stream, welcome(stream), *words))

        thread = threading.Thread(target=run, daemon=True)
        thread.start()

        def join():
            thread.join(5)
            return result[0] if result else 0

        return join


def read_packet(stream):
    header = stream.recv(2, socket.MSG_WAITALL)
    # Packets shorter than 128 bytes only: what a client says before and after its messages.
    return header + stream.recv(header[1], socket.MSG_WAITALL)


def welcome(stream):
    """Answers CONNECT; gives the protocol level."""
    level = read_packet(stream)[8]
    stream.sendall(b"\x20\x03\x00\x00\x00" if level == 5 else b"\x20\x02\x00\x00")
    return level


def send_messages(stream, level, topic, count):
    subscribe = read_packet(stream)
    answer = subscribe[2:4] + (b"\x00\x00" if level == 5 else b"\x00")
    stream.sendall(bytes([0x90, len(answer)]) + answer)
    blast(stream, publish_packet(topic, level), count)
    while stream.recv(65536):
        pass
    return count


def hold_back(stream, level, held):
    """Reads a message and does not answer."""
    read_packet(stream)
    held.set()
    stream.recv(1)


def receive(stream, room):
    try:
        return stream.recv_into(room)
    except ConnectionError:
        return 0


def count_qos_0(stream, level, topic):
    """Counts messages and answers PINGREQ. No message contains the bytes of a PINGREQ or DISCONNECT."""
    size = len(publish_packet(topic, level))
    total, pings, rest = 0, 0, b""
    room = memoryview(bytearray(MIB))
    while True:
        got = receive(stream, room)
        if got == 0:
            return (total - 2 * pings) // size
        chunk = rest + bytes(room[:got])
        found = chunk.count(b"\xc0\x00")
        rest = b"\xc0" if chunk.endswith(b"\xc0") else b""
        total += got
        pings += found
        if found:
            stream.sendall(b"\xd0\x00" * found)


# The acknowledgements of all identifiers in their order, twice, so that any run of them is one slice.
ALL_ACKS = b"".join(b"\x40\x02" + id.to_bytes(2, "big") for id in range(1, 65536)) * 2


def count_qos_1(stream, level, topic):
    """Counts and acknowledges messages whose identifiers follow each other, and checks some of them."""
    size = len(publish_packet(topic, level)) + 2
    at = 4 + len(topic.encode())
    total, rest = 0, b""
    room = memoryview(bytearray(MIB))
    while True:
        got = receive(stream, room)
        if got == 0:
            return total
        chunk = rest + bytes(room[:got])
        whole = len(chunk) // size
        if whole:
            first, last = chunk[:size], chunk[(whole - 1) * size : whole * size]
            begin = int.from_bytes(first[at : at + 2], "big")
            expected = (begin + whole - 2) % 65535 + 1
            if int.from_bytes(last[at : at + 2], "big") != expected:
                return total
            # A client that does not wait for the acknowledgements has been counted all the same.
            with contextlib.suppress(ConnectionError):
                stream.sendall(memoryview(ALL_ACKS)[4 * (begin - 1) : 4 * (begin - 1 + whole)])
        rest = chunk[whole * size :]
        total += whole


# -- the rows ---------------------------------------------------------------------------------


class Bench:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.mosquitto, self.wire = Mosquitto(folder), Wire()
        self.broker_of_ours, self.device = Ours(options.ours), Device(options.ours)
        self.missed = []
        self.round = 0

    def stop(self):
        for server in (self.mosquitto, self.broker_of_ours, self.device):
            server.stop()

    def client(self, ours, command, port, *words):
        theirs = [tool(f"mosquitto_{command}"), "-h", "127.0.0.1", "-p", str(port), *words]
        words = [theirs[0]] if self.options.drop_in else ["mqtt", command]
        return [self.options.ours, *words, *theirs[1:]] if ours else theirs

    def take_turns(self, rounds, one):
        """Runs `one(ours)` in turns; the first turn of each only warms up."""
        turns = [(one(True), one(False)) for _ in range(rounds + 1)][1:]
        return [ours for ours, _ in turns], [theirs for _, theirs in turns]

    # Each row: what one run does.

    def publishes(self, ours, qos):
        return self.client(ours, "pub", self.mosquitto.port, "-t", TOPIC, "-q", qos, "-m", "21.5")

    def publish_once(self, ours, qos):
        return Started(self.publishes(ours, qos)).finish(self.options.limit)

    def publish_unanswered(self, ours):
        """The memory of a publisher that has done all it has to do but exit."""
        held = threading.Event()
        self.wire.serve(hold_back, held)
        words = self.client(ours, "pub", self.wire.port, "-t", TOPIC, "-q", "1", "-m", "21.5")
        started = Started(words)
        held.wait(5)
        time.sleep(0.01)
        peak = started.peak()
        os.kill(started.pid, 9)
        run = started.finish(5)
        run.peak, run.code = peak, 0
        return run

    def reads(self, ours):
        return self.client(ours, "sub", self.mosquitto.port, "-t", TOPIC + "/kept", "-C", "1")

    def read_retained(self, ours):
        return Started(self.reads(ours)).finish(self.options.limit)

    def get_once(self, ours, secured, build="openssl"):
        theirs = [tool(f"coap-client-{build}")]
        words = [self.options.ours, "coap", "get"] if ours else theirs
        if secured:
            words += ["--psk-identity", "me", "--psk", "secret"] if ours else ["-u", "me", "-k", "secret"]
        return Started([*words, self.device.uris[secured]]).finish(self.options.limit)

    def subscribe(self, ours, count, through_broker):
        self.round += 1
        topic = f"{TOPIC}/{self.round:04}"
        port = self.mosquitto.port if through_broker else self.wire.port
        path = self.folder / "received"
        if not through_broker:
            self.wire.serve(send_messages, topic, count)
        words = self.client(ours, "sub", port, "-t", topic, "-v", "-C", str(count))
        with open(path, "wb") as file:
            started = Started(words, stdout=file)
            if through_broker:
                self.mosquitto.wait_for_subscription(topic)
                threading.Thread(target=self.mosquitto.publish, args=(topic, count)).start()
            run = started.finish(self.options.limit, watch=True)
        run.arrived = path.stat().st_size // len(f"{topic} ".encode() + PAYLOAD + b"\n")
        return run

    def publish_lines(self, ours, qos, lines):
        joined = self.wire.serve(count_qos_1 if qos == "1" else count_qos_0, TOPIC)
        words = self.client(ours, "pub", self.wire.port, "-t", TOPIC, "-q", qos, "-l")
        with open(lines, "rb") as file:
            run = Started(words, stdin=file).finish(self.options.limit, watch=True)
        run.arrived = joined()
        return run

    def pass_on(self, ours, qos, count):
        """The CPU time of the broker that takes `count` lines from our publisher to our subscriber."""
        broker = self.broker_of_ours if ours else self.mosquitto
        self.round += 1
        to = ["-h", "127.0.0.1", "-p", str(broker.port), "-t", f"{TOPIC}/{self.round:04}", "-q", qos]
        lines = self.folder / "some-lines"
        lines.write_bytes((PAYLOAD + b"\n") * count)
        before = cpu_of(broker.process.pid)
        limit = str(self.options.limit)
        subscriber = Started([self.options.ours, "mqtt", "sub", *to, "-C", str(count), "-W", limit])
        time.sleep(0.2)
        with open(lines, "rb") as file:
            Started([self.options.ours, "mqtt", "pub", *to, "-l"], stdin=file).finish(self.options.limit)
        run = subscriber.finish(self.options.limit)
        run.cpu = cpu_of(broker.process.pid) - before
        return run

    # Each row: what is shown and asked of it.

    def short(self, name, rounds, one, limits):
        ours, theirs = self.take_turns(rounds, one)
        self.check_codes(name, ours)
        self.line(name, "wall ms", [1e3 * run.wall for run in ours], [1e3 * run.wall for run in theirs], limits.get("wall"))
        self.line(name, "cpu ms", [1e3 * run.cpu for run in ours], [1e3 * run.cpu for run in theirs], limits.get("cpu"))

    def instructions(self, name, words):
        ours, theirs = (instructions(words(ours)) for ours in (True, False))
        self.line(name, "million", [ours], [theirs], None)

    def memory(self, name, rounds, one, limit):
        ours, theirs = self.take_turns(rounds, one)
        self.line(name, "peak MiB", [run.peak for run in ours], [run.peak for run in theirs], limit)

    def stream(self, name, rounds, count, one, limit, theirs_then):
        ours, theirs = self.take_turns(rounds, one)
        self.check_codes(name, ours)
        a, b = ([run.cpu * 1e6 / count for run in runs] for runs in (ours, theirs))
        self.line(name, "cpu s/M", a, b, limit * max(1, statistics.median(b) / theirs_then))
        rate = lambda runs: [count / run.wall / 1e3 for run in runs]
        self.line(name, "k msg/s", rate(ours), rate(theirs), None)
        peaks = lambda runs: [run.peak for run in runs if run.peak] or [0]
        self.line(name, "peak MiB", peaks(ours), peaks(theirs), None)
        lost = lambda runs: [count - run.arrived for run in runs]
        self.line(name, "missing", lost(ours), lost(theirs), 0, worst=True)

    def broker(self, name, rounds, count, one):
        ours, theirs = self.take_turns(rounds, one)
        self.check_codes(name, ours)
        a, b = ([run.cpu * 1e6 / count for run in runs] for runs in (ours, theirs))
        self.line(name, "cpu s/M", a, b, "theirs")

    def check_codes(self, name, runs):
        for run in runs:
            if run.code != 0:
                self.missed.append(f"{name}: exit code {run.code}: {run.words}")

    def line(self, name, what, ours, theirs, limit, worst=False):
        """One line of the table. `limit` is a number, or "theirs"."""
        a, b = (max(ours), max(theirs)) if worst else map(statistics.median, (ours, theirs))
        bound = b if limit == "theirs" else limit
        good = bound is None or a <= bound
        shown = "" if limit is None else f"<= {limit:.3g}" if bound == limit else f"<= {limit}"
        ratio = f"{a / b:.2f}" if b else ""
        verdict = "" if bound is None else "ok" if good else "MISSED"
        print(f"{name:<16} {what:<9} {a:>10.3f} {b:>10.3f} {ratio:>7}  {shown:<10} {verdict}", flush=True)
        if not good:
            self.missed.append(f"{name}: {what} is {a:.3f}, asked for {shown}")

    def run(self):
        quick = self.options.quick
        few, many = (3, 60) if quick else (7, 300)
        million = 200_000 if quick else 1_000_000
        through_broker = 100_000 if quick else 300_000
        lines = self.folder / "lines"
        lines.write_bytes((PAYLOAD + b"\n") * million)
        self.mosquitto.publish(TOPIC + "/kept", retain=True)
        once = {"wall": "theirs", "cpu": "theirs"}
        rows = {
            "pub-0": lambda name: self.short(name, many, lambda ours: self.publish_once(ours, "0"), once),
            "pub-1": lambda name: self.short(name, many, lambda ours: self.publish_once(ours, "1"), once),
            "memory": lambda name: self.memory(name, few, self.publish_unanswered, 6),
            "retained": lambda name: self.short(name, many // 3, self.read_retained, {"wall": 3}),
            "sub": lambda name: self.stream(name, few, through_broker, lambda ours: self.subscribe(ours, through_broker, True), 0.15, 2.0),
            "sub-wire": lambda name: self.stream(name, few, million, lambda ours: self.subscribe(ours, million, False), 0.15, 2.0),
            "lines-0": lambda name: self.stream(name, few, million, lambda ours: self.publish_lines(ours, "0", lines), 0.1, 0.8),
            "lines-1": lambda name: self.stream(name, few, million, lambda ours: self.publish_lines(ours, "1", lines), 0.3, 1.6),
            "broker-0": lambda name: self.broker(name, few, through_broker, lambda ours: self.pass_on(ours, "0", through_broker)),
            "broker-1": lambda name: self.broker(name, few, through_broker, lambda ours: self.pass_on(ours, "1", through_broker)),
            "coap-get": lambda name: self.short(name, many, lambda ours: self.get_once(ours, False), once),
            "coap-bare": lambda name: self.short(name, many, lambda ours: self.get_once(ours, False, "notls"), {}),
            "coaps-get": lambda name: self.short(name, many, lambda ours: self.get_once(ours, True), once),
        }
        wanted = self.options.only.split(",") if self.options.only else list(rows)
        rows["instructions-pub"] = lambda name: self.instructions(name, lambda ours: self.publishes(ours, "1"))
        rows["instructions-sub"] = lambda name: self.instructions(name, self.reads)
        print(f"{'row':<16} {'what':<9} {'ours':>10} {'theirs':>10} {'ratio':>7}  target")
        for name in wanted:
            if name not in rows:
                sys.exit(f"no row {name!r}; there are {', '.join(rows)}")
            rows[name](name)


def arguments(doc, rows=False):
    root = pathlib.Path(__file__).resolve().parent.parent
    default = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", root / "target")) / "release" / "iotctl"
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--drop-in", action="store_true", help="call ours as mosquitto_pub and mosquitto_sub")
    parser.add_argument("--ours", default=str(default), help="the iotctl to measure")
    parser.add_argument("--quick", action="store_true", help="fewer rounds and messages")
    parser.add_argument("--limit", type=float, default=60, help="seconds that one process may take")
    if rows:
        parser.add_argument("--only", help="some rows, separated by commas")
    options = parser.parse_args()
    if not os.access(options.ours, os.X_OK):
        sys.exit(f"{options.ours} is not there: cargo build --release makes it")
    return options


def main():
    options = arguments(__doc__, rows=True)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(options, pathlib.Path(folder))
        try:
            bench.run()
        finally:
            bench.stop()
    for missed in bench.missed:
        print(f"missed: {missed}", file=sys.stderr)
    sys.exit(1 if bench.missed else 0)


if __name__ == "__main__":
    main()
