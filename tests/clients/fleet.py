#!/usr/bin/env python3
"""Eclipse Paho beside a simulated fleet.

fleet.py statuses PORT: counts what comes at devices/+/status until a message at the/end.
fleet.py pins PORT COUNT: toggles pins from 1 to COUNT, and waits for the state and the acknowledgement of each.
"""

import json
import queue
import sys

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

TIME = 60


def connected(port, *filters):
    """A client with these subscriptions, and the queue of its messages."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    messages, subscribed = queue.Queue(), queue.Queue()
    client.on_message = lambda *event: messages.put(event[2])
    client.on_subscribe = lambda *event: subscribed.put(event[3])
    client.connect("127.0.0.1", port)
    client.loop_start()
    client.subscribe([(name, 1) for name in filters])
    subscribed.get(timeout=TIME)
    return client, messages


def statuses(port):
    client, messages = connected(port, "devices/+/status", "the/end")
    print("ready", flush=True)
    counts = {"online": 0, "offline": 0}
    while (message := messages.get(timeout=TIME)).topic != "the/end":
        counts[message.payload.decode()] += 1
    print(counts["online"], counts["offline"], flush=True)
    client.disconnect()


def pins(port, count):
    client, messages = connected(port, "gpio/+/state", "commands/pi/ack")
    for pin in range(1, count + 1):
        client.publish(f"gpio/{pin}/command", "toggle", qos=1)
    states, acks = set(), 0
    while len(states) < count or acks < count:
        message = messages.get(timeout=TIME)
        if message.topic == "commands/pi/ack":
            assert json.loads(message.payload)["status"] == "ok", message.payload
            acks += 1
        elif message.payload == b"1":
            states.add(message.topic)
    print(f"ok {len(states)} {acks}", flush=True)
    client.disconnect()


if __name__ == "__main__":
    if sys.argv[1] == "statuses":
        statuses(int(sys.argv[2]))
    else:
        pins(int(sys.argv[2]), int(sys.argv[3]))
