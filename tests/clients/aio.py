#!/usr/bin/env python3
"""aiomqtt against a broker: aio.py URL CA. Prints `ok VERSION` for each version of MQTT.

A hundred messages at each QoS, published at once, come back once and in order.
"""

import asyncio
import ssl
import sys
import urllib.parse
import uuid

import aiomqtt

COUNT = 100


async def check(url, ca, version):
    url = urllib.parse.urlsplit(url)
    secured = url.scheme in ("mqtts", "wss")
    client = aiomqtt.Client(
        url.hostname,
        url.port,
        protocol=version,
        transport="websockets" if url.scheme.startswith("ws") else "tcp",
        tls_context=ssl.create_default_context(cafile=ca) if secured else None,
    )
    async with client:
        for qos in range(3):
            topic = f"aio/{uuid.uuid4()}"
            await client.subscribe(topic, qos=qos)
            await asyncio.gather(*(client.publish(topic, str(it), qos) for it in range(COUNT)))
            for it in range(COUNT):
                message = await anext(client.messages)
                known = (message.topic.value, message.payload.decode(), message.qos)
                assert known == (topic, str(it), qos), known
            await client.unsubscribe(topic)


async def main():
    for version in (aiomqtt.ProtocolVersion.V311, aiomqtt.ProtocolVersion.V5):
        await asyncio.wait_for(check(sys.argv[1], sys.argv[2], version), 60)
        print("ok", "3.1.1" if version == aiomqtt.ProtocolVersion.V311 else "5")


asyncio.run(main())
