"""A connection as a raw ASGI response: what is pending for its readers leaves as one chunk per turn of the socket.

A slow client makes ``send`` wait; meanwhile the connection's bounded buffer fills and at last resets (``connection``).
"""

import asyncio
from collections.abc import Callable

from starlette.types import Receive, Scope, Send

from .connection import Connection, Item
from .faults import Faults
from .frames import KEEP_ALIVE, part_a
from .hub import Hub
from .shaping import Shaper

HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]


class EventStream:
    """The response to a request for one stream or for many."""

    def __init__(self, hub: Hub, faults: Faults, connection: Connection, begin: Callable[[], None], keep_alive_s: float = 15.0) -> None:
        """``begin`` opens the readers, once the answer's head is on its way; ``keep_alive_s`` is of part A."""
        self._hub = hub
        self._faults = faults
        self._connection = connection
        self._begin = begin
        self._keep_alive_s = keep_alive_s
        self._keeps_alive = connection.wire is part_a and not connection.filtered
        self._key = next((reader.key for reader in connection.readers.values()), None)
        """The stream of a connection of its own; a multiplexed one has none yet, and its streams are seen to one by one."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the client leaves, the hub ends the connection or the server goes away."""
        connection = self._connection
        leaving = asyncio.create_task(self._watch(receive))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
            self._hub.connect(connection)
            self._begin()
            shaper = Shaper(self._faults, connection)
            while (items := await self._take(shaper)) is not None:
                if self._faults:
                    await self._faults.until_flowing(connection.path, self._key)
                    await self._faults.late(connection.path, self._key)
                chunk = shaper.write(items)
                if not chunk and self._keeps_alive:
                    chunk = KEEP_ALIVE
                if chunk:
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            leaving.cancel()
            self._hub.disconnect(connection)

    async def _take(self, shaper: Shaper) -> list[Item] | None:
        """What is pending; nothing, when something else is due first."""
        wait_s = self._keep_alive_s if self._keeps_alive else shaper.wait_s()
        if wait_s is None:
            return await self._connection.take()
        try:
            async with asyncio.timeout(wait_s):
                return await self._connection.take()
        except TimeoutError:
            return []

    async def _watch(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._connection.abort()
