#!/usr/bin/env python3
"""Stands in for mosquitto in its own tests: its command line and configuration become flags of `iotctl mqtt broker`."""

import os
import sys

# What mosquitto does unless it is told otherwise, where ours differs.
DEFAULTS = {"--receive-maximum": "20", "--max-inflight": "20", "--topic-alias-maximum": "10"}
RENAMED = {
    "max_inflight_messages": "--max-inflight",
    "max_queued_messages": "--max-queued",
    "max_queued_bytes": "--max-queued-bytes",
    "max_packet_size": "--max-packet-size",
    "maximum_qos": "--max-qos",
    "max_connections": "--max-connections",
    "max_keepalive": "--server-keep-alive",
    "acl_file": "--acl-file",
    "password_file": "--password-file",
    "certfile": "--cert",
    "keyfile": "--key",
}


def settings(path):
    with open(path) as lines:
        for line in lines:
            words = line.strip().split(None, 1)
            if words and not words[0].startswith("#"):
                yield words[0], words[1] if len(words) > 1 else ""


def main():
    words = sys.argv[1:]
    port, config = "1883", None
    for flag, value in zip(words, words[1:] + [""]):
        port = value if flag == "-p" else port
        config = value if flag == "-c" else config
    valued, flags, ports, said = dict(DEFAULTS), [], [], {}
    for name, value in settings(config) if config else []:
        said[name] = value
        if name in ("port", "listener"):
            ports.append(value.split()[0])
        elif name in RENAMED:
            valued[RENAMED[name]] = value
            if name == "max_inflight_messages":
                valued["--receive-maximum"] = value
    scheme = "mqtts" if "certfile" in said else "mqtt"
    if said.get("require_certificate") == "true":
        valued["--client-ca"] = said["cafile"]
    if said.get("allow_anonymous") == "true" and "password_file" in said:
        flags.append("--allow-anonymous")
    # With a listener of its own mosquitto lets nobody in who is not known, unless it is told to.
    closed = said.get("allow_anonymous", "false" if ports else "true") == "false"
    if closed and "password_file" not in said:
        valued["--password-file"] = os.devnull
    if said.get("retain_available") == "false":
        flags.append("--no-retain")
    if said.get("allow_zero_length_clientid") == "false":
        flags.append("--refuse-empty-id")
    for number in ports or [port]:
        # The tests connect to "localhost", which is IPv4 and IPv6.
        flags += ["--listen", f"{scheme}://127.0.0.1:{number}"]
    flags += [word for pair in valued.items() for word in pair]
    program = "@IOTCTL@"
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.execv(program, [program, "mqtt", "broker", "--quiet"] + flags)


main()
