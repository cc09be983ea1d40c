#!/usr/bin/env python3
"""aiocoap's library observes a resource.

coap_observer.py URI COUNT: prints so many notifications, the first response among them, and ends the observation.
"""

import asyncio
import sys

import aiocoap

TIME = 60


async def observe(uri, count):
    context = await aiocoap.Context.create_client_context()
    request = context.request(aiocoap.Message(code=aiocoap.GET, uri=uri, observe=0))
    print((await request.response).payload.decode(), flush=True)
    observation = aiter(request.observation)
    for _ in range(count - 1):
        print((await anext(observation)).payload.decode(), flush=True)
    request.observation.cancel()
    await context.shutdown()


uri, count = sys.argv[1:]
asyncio.run(asyncio.wait_for(observe(uri, int(count)), TIME))
