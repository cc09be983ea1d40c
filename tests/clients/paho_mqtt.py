#!/usr/bin/env python3
"""Eclipse Paho against a broker: paho_mqtt.py URL CA. Prints `ok VERSION` for each version of MQTT.

At each QoS a message comes back, a retained one is there for whoever subscribes later, a persistent session keeps what comes
meanwhile, and a will is published when its client is gone without a word.
"""

import queue
import sys
import urllib.parse
import uuid

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

TIME = 20


class Client:
    """A connected client, whose events wait in queues."""

    def __init__(self, url, ca, version, name="", clean=True, will=None):
        url = urllib.parse.urlsplit(url)
        self.version = version
        transport = "websockets" if url.scheme.startswith("ws") else "tcp"
        clean_session = None if version == mqtt.MQTTv5 else clean
        self.paho = mqtt.Client(
            CallbackAPIVersion.VERSION2, name, clean_session, protocol=version, transport=transport
        )
        if url.scheme in ("mqtts", "wss"):
            self.paho.tls_set(ca)
        self.connected, self.subscribed, self.messages = queue.Queue(), queue.Queue(), queue.Queue()
        self.paho.on_connect = lambda *event: self.connected.put(event[2:4])
        self.paho.on_subscribe = lambda *event: self.subscribed.put(event[3])
        self.paho.on_message = lambda *event: self.messages.put(event[2])
        if will:
            self.paho.will_set(*will)
        words = {}
        if version == mqtt.MQTTv5:
            words["clean_start"] = clean
            words["properties"] = Properties(PacketTypes.CONNECT)
            words["properties"].SessionExpiryInterval = 0 if clean else 600
        self.paho.connect(url.hostname, url.port, **words)
        self.paho.loop_start()
        flags, reason = self.connected.get(timeout=TIME)
        assert not reason.is_failure, reason
        self.session_present = flags.session_present

    def subscribe(self, topic):
        if self.version == mqtt.MQTTv5:
            self.paho.subscribe(topic, options=SubscribeOptions(qos=2, retainAsPublished=True))
        else:
            self.paho.subscribe(topic, 2)
        assert [reason.value for reason in self.subscribed.get(timeout=TIME)] == [2]

    def publish(self, topic, payload, qos, retain=False):
        properties = None
        if self.version == mqtt.MQTTv5:
            properties = Properties(PacketTypes.PUBLISH)
            properties.ContentType = "text/plain"
            properties.UserProperty = [("k", "v"), ("k", "w")]
        sent = self.paho.publish(topic, payload, qos, retain, properties)
        sent.wait_for_publish(TIME)
        assert sent.is_published()

    def expect(self, topic, payload, qos, retain=False):
        got = self.messages.get(timeout=TIME)
        known = (got.topic, got.payload, got.qos, got.retain)
        assert known == (topic, payload, qos, retain), known
        if self.version == mqtt.MQTTv5 and topic.startswith("out"):
            assert got.properties.ContentType == "text/plain"
            assert got.properties.UserProperty == [("k", "v"), ("k", "w")]

    def close(self):
        self.paho.disconnect()
        self.paho.loop_stop()


def check(url, ca, version):
    def client(**words):
        return Client(url, ca, version, **words)

    base = f"out/{uuid.uuid4()}"
    one = client()
    one.subscribe(f"{base}/#")
    for qos in range(3):
        for payload in (b"", bytes(range(256)), b"x" * 200_000):
            one.publish(f"{base}/{qos}", payload, qos)
            one.expect(f"{base}/{qos}", payload, qos)
    one.publish(f"{base}/kept", b"kept", 1, retain=True)
    late = client()
    late.subscribe(f"{base}/#")
    late.expect(f"{base}/kept", b"kept", 1, retain=True)
    late.close()

    name = uuid.uuid4().hex
    away = client(name=name, clean=False)
    away.subscribe(f"{base}/jobs")
    away.close()
    for number in range(10):
        one.publish(f"{base}/jobs", b"%d" % number, 2)
    away = client(name=name, clean=False)
    # CONNACK does not say so in MQTT 3.1.
    assert away.session_present or version == mqtt.MQTTv31
    for number in range(10):
        away.expect(f"{base}/jobs", b"%d" % number, 2)
    away.close()
    client(name=name).close()

    one.close()
    witness = client()
    witness.subscribe(f"{base}/gone")
    dying = client(will=(f"will/{base}", b"gone", 1))
    witness.subscribe(f"will/{base}")
    dying.paho.loop_stop()
    dying.paho.socket().close()
    witness.expect(f"will/{base}", b"gone", 1)
    witness.close()


for version, name in ((mqtt.MQTTv31, "3.1"), (mqtt.MQTTv311, "3.1.1"), (mqtt.MQTTv5, "5")):
    check(sys.argv[1], sys.argv[2], version)
    print("ok", name)
