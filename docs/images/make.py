#!/usr/bin/env python3
"""Makes the pictures of the documentation from real runs: terminal.svg, report.png, watch.svg and watch.png beside this file.

    cargo build --release
    docs/images/make.py                   # about half a minute
    docs/images/make.py --iotctl PATH     # another binary than target/release/iotctl
    docs/images/make.py --only watch      # watch.svg and watch.png alone

Needs Python 3.9, tmux and chromium; pngquant and optipng, where installed, make the PNG smaller. The commands run in a
terminal of tmux, against servers on ports that the system chooses; what the terminal shows is drawn as SVG.
"""

import argparse
import contextlib
import html
import math
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
COLUMNS, ROWS = 92, 60

SESSION = """\
iotctl mqtt pub $MQTT -t home/kitchen -m '{"temp": 21.5}' -q 1 -r
iotctl mqtt pub $MQTT -t home/bath -m '{"temp": 31}' -q 1 -r
iotctl mqtt sub $MQTT -t 'home/#' -C 2 -v
iotctl mqtt sub $MQTT -t home/bath -C 1 --expect '/temp < 30'; echo "exit code $?"
iotctl coap put $COAP/store/m -t senml+json -m '[{"n":"temp","u":"Cel","v":21.5}]'
iotctl coap get $COAP/store/m --decode
iotctl coap discover $COAP
iotctl amqp publish $AMQP --declare -k jobs -m 'resize a.png' --header tries:int=1
iotctl amqp consume $AMQP jobs -C 1 --exec sh -c 'echo "$(cat) for $IOTCTL_TOPIC"'
iotctl bench mqtt $MQTT --subscribers 1 --rate 1k -d 3s -q 1 --assert 'p99 < 50ms' > out
grep -e passed -e ' = ' -e p50 -e 'response  ' out
"""

SERVERS = {"MQTT": "mqtt broker", "COAP": "coap server", "AMQP": "amqp broker"}

LOAD = "--subscribers 2 --stage 3s:0-1k --stage 4s:1k --stage 1s:3k --stage 4s:1k -q 1".split()
LOAD += ["--assert", "lost == 0", "--assert", "p99 < 100ms"]

FLEET = {f"devices/{name}/status": "online" for name in ["boiler", "pump-1", "roof"]}
FLEET["devices/pump-2/status"] = '{"status":"offline"}'
FLEET |= {f"sensors/{name}/{metric}": f'{{"value":{value}}}' for name, metric, value in
          [("boiler", "pressure", 1.6), ("pump-1", "current", 3.2), ("pump-1", "temperature", 41), ("roof", "humidity", 67),
           ("roof", "temperature", 8.5)]}
FLEET["alerts/pump-2/lost"] = '{"state":"firing","severity":"critical","value":"offline"}'

PATTERNS = {"--device": "devices/{id}/status", "--value": "sensors/{id}/{metric}=/value", "--alerts": "alerts/#"}

COLOURS = ["#484f58", "#ff7b72", "#7ee787", "#e3b341", "#79c0ff", "#d2a8ff", "#76e3ea", "#c9d1d9"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--iotctl", type=pathlib.Path, default=HERE.parents[1] / "target/release/iotctl")
    parser.add_argument("--only", choices=["watch"])
    options = parser.parse_args()
    os.environ.pop("NO_COLOR", None)
    iotctl = options.iotctl.resolve()
    watched(iotctl)
    if options.only:
        return
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        urls = {name: stack.enter_context(serving(iotctl, words)) for name, words in SERVERS.items()}
        (HERE / "terminal.svg").write_text(svg(terminal(iotctl, urls, folder)))
        page = pathlib.Path(folder, "report.html")
        words = ["bench", "mqtt", urls["MQTT"], *LOAD, "--quiet", "--html", page]
        subprocess.run([iotctl, *words], stdout=subprocess.DEVNULL, check=True)
        screenshot(page, HERE / "report.png")


@contextlib.contextmanager
def serving(iotctl, words):
    """An embedded server, by its URL."""
    command = [iotctl, *words.split(), "--quiet", "--listen", "127.0.0.1:0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


def terminal(iotctl, urls, folder):
    """What a terminal shows after the session, line by line, with the escape sequences of its colours."""
    script = pathlib.Path(folder, "session")
    tmux = ["tmux", "-S", f"{folder}/tmux", "-f", "/dev/null"]
    shown = "".join(f"printf '\\033[1;32m$\\033[0m %s\\n' {quoted(line)}\n{line}\n" for line in SESSION.splitlines())
    search = f"{iotctl.parent}{os.pathsep}{os.environ['PATH']}"
    values = {**urls, "PATH": search, "HOME": folder}
    variables = "".join(f"export {name}={quoted(value)}\n" for name, value in values.items())
    script.write_text(f"{variables}cd\n{shown}{' '.join(tmux)} wait-for -S done\nsleep 600\n")
    size = ["-x", str(COLUMNS), "-y", str(ROWS)]
    subprocess.run([*tmux, "new-session", "-d", *size, "sh", script], check=True)
    try:
        subprocess.run([*tmux, "wait-for", "done"], check=True, timeout=120)
        seen = subprocess.run([*tmux, "capture-pane", "-e", "-p"], check=True, capture_output=True, text=True)
    finally:
        subprocess.run([*tmux, "kill-server"], check=False)
    return seen.stdout.rstrip().splitlines()


def watched(iotctl):
    """A fleet on the screen of `iotctl watch`, and on its page."""
    with tempfile.TemporaryDirectory() as folder, serving(iotctl, "mqtt broker") as url:
        for topic, payload in FLEET.items():
            subprocess.run([iotctl, "mqtt", "pub", url, "-t", topic, "-m", payload, "-r"], check=True)
        words = [iotctl, "watch", url, "-t", "#", "--web", "127.0.0.1:0"]
        for flag, pattern in PATTERNS.items():
            words += [flag, pattern]
        with subprocess.Popen([*words, "--output", "none"], stderr=subprocess.PIPE, text=True) as web:
            page = web.stderr.readline().split()[-1]
            stream(iotctl, url, 20)
            screenshot(f"{page}?still", HERE / "watch.png")
            web.terminate()
        tmux = ["tmux", "-S", f"{folder}/tmux", "-f", "/dev/null", "-u"]
        size = ["-x", str(COLUMNS), "-y", "26"]
        subprocess.run([*tmux, "new-session", "-d", *size, *words], check=True)
        try:
            subprocess.run([*tmux, "send-keys", "-l", "/boiler/temperature"], check=True)
            time.sleep(1)
            subprocess.run([*tmux, "send-keys", "Enter", "Enter"], check=True)
            stream(iotctl, url, 60)
            time.sleep(1)
            seen = subprocess.run([*tmux, "capture-pane", "-e", "-p"], check=True, capture_output=True, text=True)
        finally:
            subprocess.run([*tmux, "kill-server"], check=False)
        (HERE / "watch.svg").write_text(svg(seen.stdout.rstrip().splitlines()))


def stream(iotctl, url, count):
    """Readings that go up and down, ten a second."""
    values = [61 + 4 * math.sin(at / 6) + at % 3 / 5 for at in range(count)]
    lines = "".join(f'{{"value":{value:.1f},"unit":"C"}}\n' for value in values)
    words = ["mqtt", "pub", url, "-t", "sensors/boiler/temperature", "-l", "--rate", "10", "-r"]
    subprocess.run([iotctl, *words], input=lines, text=True, check=True)


def quoted(text):
    return "'" + text.replace("'", "'\\''") + "'"


def svg(lines):
    """The lines as a picture of a terminal."""
    across, down, size = 8.4, 18, 14
    width, height = round(COLUMNS * across) + 32, len(lines) * down + 32
    picture = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">',
        f'<rect width="{width}" height="{height}" rx="8" fill="#0d1117"/>',
        f'<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, monospace" font-size="{size}" '
        'fill="#c9d1d9">',
    ]
    for row, line in enumerate(lines):
        column = 0
        for text, style in runs(line):
            word = text.strip()
            if word:
                x = 16 + (column + text.index(word)) * across
                place = f'x="{x:.1f}" y="{30 + row * down}" textLength="{len(word) * across:.1f}"'
                picture.append(f"<text {place}{style}>{html.escape(word, quote=False)}</text>")
            column += len(text)
    return "\n".join([*picture, "</g>", "</svg>", ""])


def runs(line):
    """The pieces of a line of one look each, with the attributes of that look."""
    bold, colour = False, None
    for piece in re.split(r"(\x1b\[[0-9;]*m)", line):
        if not piece.startswith("\x1b["):
            # Blanks in a row are one in SVG, so that what follows them has a place of its own.
            style = ' font-weight="bold"' if bold else ""
            style += f' fill="{colour}"' if colour else ""
            for part in re.split(r"( {2,})", piece):
                yield part, style
            continue
        # One of the eight colours, as tmux writes those of 256.
        codes = re.sub(r"38;5;([0-7])(?![0-9])", r"3\1", piece[2:-1])
        for code in (int(number or 0) for number in codes.split(";")):
            if code == 0:
                bold, colour = False, None
            elif code == 1:
                bold = True
            elif code in (22, 39):
                bold, colour = (False, colour) if code == 22 else (bold, None)
            elif 30 <= code <= 37 or 90 <= code <= 97:
                colour = COLOURS[code % 10]


def screenshot(page, picture):
    chromium = next(filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])))
    words = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1100,975"]
    page = page.as_uri() if isinstance(page, pathlib.Path) else page
    words += ["--virtual-time-budget=3000", f"--screenshot={picture}", page]
    subprocess.run([chromium, *words], stderr=subprocess.DEVNULL, check=True)
    if shutil.which("pngquant"):
        subprocess.run(["pngquant", "--force", "--output", picture, "64", picture], check=True)
    if shutil.which("optipng"):
        subprocess.run(["optipng", "-quiet", "-o2", picture], check=True)


if __name__ == "__main__":
    main()
