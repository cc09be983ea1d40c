#!/usr/bin/env python3
"""Paho and pika at the two ends of a bridge: bridged.py MQTT-URL AMQP-URL TOPIC. Prints `there` and `back`.

What Paho publishes below TOPIC/out with all properties of MQTT 5 is read by pika, and what pika publishes below TOPIC.in with
those of AMQP by Paho.
"""

import queue
import sys
import urllib.parse

import paho.mqtt.client as mqtt
import pika
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

TIME = 60

mqtt_url, amqp_url, topic = sys.argv[1:]
key = topic.replace("/", ".")


def same(what, found, expected):
    assert found == expected, f"{what}: {found!r} is not {expected!r}"


subscribed, messages = queue.Queue(), queue.Queue()
url = urllib.parse.urlsplit(mqtt_url)
paho = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
paho.on_subscribe = lambda *event: subscribed.put(event[3])
paho.on_message = lambda *event: messages.put(event[2])
paho.connect(url.hostname, url.port)
paho.loop_start()
paho.subscribe(f"{topic}/in/#", 1)
subscribed.get(timeout=TIME)

connection = pika.BlockingConnection(pika.URLParameters(amqp_url))
channel = connection.channel()
mine = channel.queue_declare("", exclusive=True).method.queue
channel.queue_bind(mine, "amq.topic", f"{key}.out.#")

properties = Properties(PacketTypes.PUBLISH)
properties.PayloadFormatIndicator = 1
properties.ContentType = "text/plain"
properties.ResponseTopic = "an/swer"
properties.CorrelationData = b"c-7"
properties.MessageExpiryInterval = 600
properties.UserProperty = [("site", "north"), ("path", "1"), ("path", "2")]
published = paho.publish(f"{topic}/out/a", b"th\xc3\xa9re", 1, retain=True, properties=properties)
published.wait_for_publish(TIME)
for method, found, body in channel.consume(mine, inactivity_timeout=TIME):
    assert method, "nothing came over AMQP"
    break
same("body", body, b"th\xc3\xa9re")
same("exchange", method.exchange, "amq.topic")
same("routing key", method.routing_key, f"{key}.out.a")
same("content type", found.content_type, "text/plain")
same("reply to", found.reply_to, "an.swer")
same("correlation id", found.correlation_id, "c-7")
same("delivery mode", found.delivery_mode, 2)
assert 0 < int(found.expiration) <= 600_000, found.expiration
same("a header", found.headers["site"], "north")
same("a header that comes twice", found.headers["path"], ["1", "2"])
channel.basic_ack(method.delivery_tag)
print("there")

channel.confirm_delivery()
channel.basic_publish(
    "amq.topic",
    f"{key}.in.b",
    b"\x00back\xff",
    pika.BasicProperties(
        content_type="application/octet-stream",
        headers={"site": "south", "count": 5, "path": ["1", "2"]},
        delivery_mode=2,
        correlation_id="c-8",
        reply_to="an.swer",
        expiration="60000",
    ),
    mandatory=True,
)
message = messages.get(timeout=TIME)
found = message.properties
same("topic", message.topic, f"{topic}/in/b")
same("payload", message.payload, b"\x00back\xff")
same("QoS", message.qos, 1)
same("content type", found.ContentType, "application/octet-stream")
same("response topic", found.ResponseTopic, "an/swer")
same("correlation data", found.CorrelationData, b"c-8")
assert 0 < found.MessageExpiryInterval <= 60, found.MessageExpiryInterval
pairs = [pair for pair in found.UserProperty if not pair[0].startswith("iotctl-")]
for pair in [("site", "south"), ("count", "5"), ("path", "1"), ("path", "2")]:
    assert pair in pairs, f"{pair} is not in {pairs}"
print("back")
connection.close()
paho.loop_stop()
