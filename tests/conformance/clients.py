#!/usr/bin/env python3
"""Runs the tests of mosquitto's own clients against iotctl in their place.

    tests/conformance/clients.py                      # target/debug/iotctl
    tests/conformance/clients.py --ours PATH --only 02- --show

The tests come with Debian's source package of mosquitto 2.1, which is fetched with apt into a temporary folder; nothing
of it is kept. Each starts a client from its build folder, where there are links to our program, and a broker, which is
the mosquitto that is installed (`newer.py`). `clients.txt` lists the tests that fail, each with the reason. The run fails when any
other test fails, or when one on the list passes.
"""

import argparse
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile

import run

HERE = pathlib.Path(__file__).resolve().parent
# The first release of Debian with mosquitto 2.1, whose clients have these tests.
SUITE = "sid"
CLIENTS = ["mosquitto_pub", "mosquitto_sub", "mosquitto_rr"]


def main():
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--ours", default=run.ROOT / "target/debug/iotctl", type=pathlib.Path)
    words.add_argument("--source", type=pathlib.Path, help="an unpacked mosquitto source, instead of fetching it")
    words.add_argument("--only", default="", help="tests whose name begins like this")
    words.add_argument("--show", action="store_true", help="show what failing tests say")
    words.add_argument("--jobs", default=2, type=int)
    asked = words.parse_args()
    # Without it the tests of proxies pass and test nothing.
    find("microsocks")
    with tempfile.TemporaryDirectory(prefix="iotctl-conformance-") as folder:
        source = asked.source or run.fetch(pathlib.Path(folder), SUITE)
        put_links(source, asked.ours.resolve())
        settle(source / "test/client")
        known = run.expected("clients.txt")
        results = run.run_all(source / "test/client", known, asked)
        return run.report(results, known, asked.show)


def put_links(source, ours):
    for name in CLIENTS:
        (source / "client" / name).unlink(missing_ok=True)
        (source / "client" / name).symlink_to(ours)
    broker = source / "src/mosquitto"
    broker.unlink(missing_ok=True)
    broker.write_text((HERE / "newer.py").read_text().replace("@MOSQUITTO@", find("mosquitto")))
    broker.chmod(0o755)


def settle(folder):
    """The tests give a subscriber a tenth of a second, which is too short for a busy machine, and some know a name for ::1
    that not every machine has."""
    try:
        socket.getaddrinfo("ip6-localhost", None)
        six = "ip6-localhost"
    except OSError:
        six = "localhost"
    for path in folder.glob("0*.py"):
        text = re.sub(r"time\.sleep\(0\.1\)", "time.sleep(1)", path.read_text())
        path.write_text(text.replace("ip6-localhost", six))


def find(program):
    return shutil.which(program, path="/usr/sbin:/usr/bin:/usr/local/bin") or sys.exit(f"{program} is not installed")


if __name__ == "__main__":
    sys.exit(main())
