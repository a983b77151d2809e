"""A stream as a raw ASGI response: what is pending for its reader leaves as one chunk per turn of the socket.

A slow client makes ``send`` wait; meanwhile the reader's bounded buffer fills and at last resets (``reader``).
"""

import asyncio

from starlette.types import Receive, Scope, Send

from .faults import Faults
from .hub import Hub
from .reader import Reader

HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]


class EventStream:
    """The response to one stream request."""

    def __init__(self, hub: Hub, faults: Faults, reader: Reader, last_event_id: str | None) -> None:
        self._hub = hub
        self._faults = faults
        self._reader = reader
        self._last_event_id = last_event_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the client leaves, the hub ends the stream or the server goes away."""
        reader = self._reader
        leaving = asyncio.create_task(self._watch(receive))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
            await self._hub.open(reader, self._last_event_id)
            while (chunk := await reader.take()) is not None:
                await self._faults.until_flowing(reader.path)
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            leaving.cancel()
            self._hub.close(reader)

    async def _watch(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._reader.abort()
