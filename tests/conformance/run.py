#!/usr/bin/env python3
"""Runs mosquitto's own broker tests (MQTT 3.1, 3.1.1 and 5) against `iotctl mqtt broker`.

    tests/conformance/run.py                      # target/debug/iotctl
    tests/conformance/run.py --ours PATH --only 02- --show

The tests come with Debian's source package of mosquitto, which is fetched with apt into a temporary folder;
nothing of it is kept. Each test starts "mosquitto" from its build folder: a small stand-in there turns the
configuration that the test wrote into flags of ours. `expected.txt` lists the tests that are about something
that this broker does not have (bridges, plugins, …) or does otherwise, each with the reason. The run fails when
any other test fails, or when one on the list of differences passes.
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SOURCES = "Types: deb-src\nURIs: {uri}\nSuites: {suite}\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
LIMIT = 240


def main():
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--ours", default=ROOT / "target/debug/iotctl", type=pathlib.Path)
    words.add_argument("--source", type=pathlib.Path, help="an unpacked mosquitto source, instead of fetching it")
    words.add_argument("--only", default="", help="tests whose name begins like this")
    words.add_argument("--show", action="store_true", help="show what failing tests say")
    words.add_argument("--jobs", default=4, type=int)
    asked = words.parse_args()
    with tempfile.TemporaryDirectory(prefix="iotctl-conformance-") as folder:
        source = asked.source or fetch(pathlib.Path(folder))
        put_stand_in(source, asked.ours.resolve())
        known = expected("expected.txt")
        return report(run_all(source / "test/broker", known, asked), known, asked.show)


def fetch(folder, suite=None):
    """Unpacks Debian's source of mosquitto below `folder`, leaving the system's package lists alone; of the installed
    release unless another is named."""
    known = pathlib.Path("/etc/apt/sources.list.d/debian.sources")
    text = known.read_text() if known.exists() else ""
    uri = next(iter(re.findall(r"^URIs: (\S+)", text, re.M)), None)
    if uri is None:
        sys.exit(f"{known} names no mirror to get the source of mosquitto from")
    suite = suite or re.search(r"VERSION_CODENAME=(\S+)", pathlib.Path("/etc/os-release").read_text()).group(1)
    (folder / "deb-src.sources").write_text(SOURCES.format(uri=uri, suite=suite))
    (folder / "lists/partial").mkdir(parents=True)
    apt = ["apt-get", "-q", "-o", f"Dir::Etc::sourcelist={folder}/deb-src.sources",
           "-o", "Dir::Etc::sourceparts=/nonexistent", "-o", f"Dir::State::lists={folder}/lists"]
    for call in (["update"], ["source", "--download-only", "mosquitto"]):
        subprocess.run(apt + call, cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with tarfile.open(next(folder.glob("mosquitto_*.orig.tar.gz"))) as archive:
        archive.extractall(folder, filter="data")
    return next(path for path in folder.glob("*mosquitto-*") if path.is_dir())


def put_stand_in(source, ours):
    program = source / "src/mosquitto"
    program.write_text((HERE / "stand_in.py").read_text().replace("@IOTCTL@", str(ours)))
    program.chmod(0o755)


def run_all(folder, known, asked):
    listed = re.findall(r"\((\d), '\./([^']+)'\)", (folder / "test.py").read_text())
    jobs, port = [], 20000
    for ports, name in listed:
        if name.startswith(asked.only):
            jobs.append((name, [str(port + at) for at in range(int(ports))]))
            port += int(ports)
    with concurrent.futures.ThreadPoolExecutor(asked.jobs) as pool:
        results = dict(pool.map(lambda job: (job[0], run_one(folder, known, *job)), jobs))
    # These tests have time limits of their own, which a busy machine may miss: each gets a second chance alone.
    for name, ports in jobs:
        if results[name] is not None and name not in known:
            results[name] = run_one(folder, known, name, ports)
    return results


def run_one(folder, known, name, ports):
    """The output of a failed test; None for one that passed."""
    reason = known.get(name, "")
    if reason.startswith("not ours:"):
        return reason
    try:
        ended = subprocess.run([sys.executable, "./" + name] + ports, cwd=folder, timeout=LIMIT, text=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except subprocess.TimeoutExpired:
        return f"no end within {LIMIT} s"
    return (ended.stdout or "no words") if ended.returncode else None


def expected(file):
    lines = (HERE / file).read_text().splitlines()
    pairs = [line.split(None, 1) for line in lines if line and not line.startswith("#")]
    return {name: reason for name, reason in pairs}


def report(results, known, show):
    failed = {name for name, said in results.items() if said is not None}
    wrong = sorted(failed - known.keys())
    better = sorted(name for name in results if name in known and name not in failed)
    for name in wrong:
        print(f"FAILED {name}")
        if show:
            print("    " + (results[name] or "").strip().replace("\n", "\n    "))
    for name in better:
        print(f"PASSED, though expected to differ: {name}: {known[name]}")
    passed = len(results) - len(failed)
    print(f"conformance: {passed} passed, {len(wrong) + len(better)} failed, {len(failed) - len(wrong)} skipped")
    return 1 if wrong or better else 0


if __name__ == "__main__":
    sys.exit(main())
