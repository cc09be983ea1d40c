#!/usr/bin/env python3
"""Stands in for mosquitto 2.1 in the tests of its clients: the older one that is installed, with the limits of the newer
in its CONNACK, which the tests expect to the letter."""

import os
import sys
import tempfile

LIMIT = "max_packet_size 2000000\n"


def main():
    words = sys.argv[1:]
    given = dict(zip(words, words[1:]))
    if "-c" in given:
        with open(given["-c"]) as lines:
            text = LIMIT + lines.read()
        more = ["-p", given["-p"]] if "-p" in given else []
    else:
        text = f"{LIMIT}allow_anonymous true\nlistener {given['-p']}\n"
        more = []
    # The program that takes our place reads it through the descriptor, and nothing is left behind.
    with tempfile.TemporaryFile("w") as config:
        config.write(text)
        config.flush()
        config.seek(0)
        os.set_inheritable(config.fileno(), True)
        os.execv("@MOSQUITTO@", ["mosquitto", "-v", "-c", f"/dev/fd/{config.fileno()}"] + more)


if __name__ == "__main__":
    main()
