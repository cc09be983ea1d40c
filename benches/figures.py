"""What the scripts beside it share: the programs that are measured, the peers of the load bench, and what is said."""

import argparse
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"
# What the command line says, once `main` has read it.
OPTIONS = argparse.Namespace()
MISSED = []


def newest_load():
    """The load bench, whose name has a hash at its end."""
    found = [path for path in TARGET.glob("deps/load-*") if os.access(path, os.X_OK) and not path.suffix]
    return str(max(found, key=lambda path: path.stat().st_mtime)) if found else None


class Peer:
    """A peer of the load bench in a process of its own; its URL comes through a file."""

    def __init__(self, kind, **env):
        self.file = tempfile.NamedTemporaryFile()
        self.process = subprocess.Popen([OPTIONS.load, kind, self.file.name], env={**os.environ, **env})
        while not (url := pathlib.Path(self.file.name).read_text()):
            time.sleep(0.01)
        self.url = url

    def __enter__(self):
        return self.url

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Mosquitto:
    """A private mosquitto on a free port that drops nothing; `lines` are added to its configuration."""

    def __init__(self, folder, lines="", name="mosquitto"):
        self.port = free_port()
        self.configuration = pathlib.Path(folder, f"{name}.conf")
        self.configuration.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nlog_dest none\n{lines}"
        )
        self.start()

    def start(self):
        program = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
        if program is None:
            raise SystemExit("mosquitto is not installed")
        words = [program, "-c", self.configuration]
        self.process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        # It opens them in the order of its configuration.
        self.reached(self.ports[-1])

    @property
    def ports(self):
        return [self.port]

    def reached(self, port):
        while True:
            try:
                return socket.create_connection(("127.0.0.1", port)).close()
            except ConnectionRefusedError:
                if self.process.poll() is not None:
                    raise SystemExit("mosquitto does not start")
                time.sleep(0.01)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    @property
    def url(self):
        return f"mqtt://127.0.0.1:{self.port}"


def spent(pid):
    """CPU seconds of a process so far, and its largest memory in MiB."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), peak / 1024


def start(protocol, url, words):
    command = [OPTIONS.ours, "bench", protocol, url, "--quiet", "--output", "json", *words.split()]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def ours(protocol, url, words):
    """One run; the report, with the CPU time of the whole process beside it."""
    process = start(protocol, url, words)
    said = process.stdout.read()
    _, _, used = os.wait4(process.pid, 0)
    report = json.loads(said)
    report["whole_cpu_s"] = used.ru_utime + used.ru_stime
    return report


def raw(kind, url, *words):
    """The same by the kernel's limit alone."""
    command = [OPTIONS.load, "raw", kind, url, str(OPTIONS.seconds), *map(str, words)]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def say(name, figures, kept=None):
    mark = {None: " ", True: "+", False: "-"}[kept]
    print(f"{mark} {name:38} {figures}", flush=True)
    if kept is False:
        MISSED.append(name)


def figure(name, value, unit, most=None, least=None):
    """A line of one figure, with its goal if it has one; `benches/all` reads it."""
    line = f"{name:44}{value:>12,.4g} {unit}" if value < 1e4 else f"{name:44}{value:>12,.0f} {unit}"
    if (goal := most if least is None else least) is not None:
        held = value <= goal if least is None else value >= goal
        line += f"  (goal {'≤' if least is None else '≥'} {goal:,g}{'' if held else ', missed'})"
        if not held:
            MISSED.append(name)
    print(line, flush=True)


def load():
    return f"{os.getloadavg()[0]:.2f}"


def main(doc, rows):
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help=f"some of: {','.join(row.__name__ for row in rows)}")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3, help="of each run")
    parser.add_argument("--ours", default=str(TARGET / "iotctl"))
    parser.add_argument("--load", default=newest_load())
    parser.parse_args(namespace=OPTIONS)
    chosen = OPTIONS.only.split(",") if OPTIONS.only else [row.__name__ for row in rows]
    print(f"load average before: {load()}, {os.cpu_count()} processors")
    for row in rows:
        if row.__name__ in chosen:
            row()
    print(f"load average after: {load()}")
    if MISSED:
        raise SystemExit(f"missed: {', '.join(MISSED)}")
