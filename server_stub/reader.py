"""One client of one stream: a bounded buffer between the hub and the socket.

| state | a frame is offered | the socket takes what is pending |
|---|---|---|
| flowing, fewer than 256 pending | kept | all pending frames leave as one chunk |
| flowing, 256 pending | pending is dropped, state lagging | – |
| lagging | dropped | ``reset`` leaves, state flowing (a snapshot stream's snapshot follows) |
| closed | dropped | what is pending leaves (``bye``), then the end |

So memory is bounded, order is kept and a hole is always announced.
"""

import asyncio
from collections.abc import Callable

from .encoding import named_frame

CAPACITY = 256
"""Frames that may wait for one reader."""

RESET_FRAME = named_frame("reset", {"reason": "backpressure"})


class Reader:
    """What one client has not been sent yet."""

    def __init__(self, key: str, *, path: str, query: str, client: str, user: str, since: int) -> None:
        """``since`` is microseconds."""
        self.key = key
        self.path = path
        self.query = query
        self.client = client
        self.user = user
        self.since = since
        self.sent = 0
        self.resets = 0
        self.held = True
        """Held back while its first frames are put together; frames offered meanwhile wait in order."""
        self.floor = 0
        """Frames up to this sequence are in what the reader was given first."""
        self.on_lag: Callable[[Reader], None] | None = None
        """Called when a reset leaves, so that the hub can send a snapshot behind it."""
        self._pending: list[bytes] = []
        self._lagging = False
        self._closed = False
        self._abort = False
        self._wake = asyncio.Event()

    @property
    def pending(self) -> int:
        """Frames that wait."""
        return len(self._pending)

    @property
    def lagging(self) -> bool:
        """Whether frames are being dropped until the socket takes the reset."""
        return self._lagging

    def offer(self, frame: bytes) -> None:
        """Keep a frame for the client, within the bound."""
        if self._lagging or self._closed:
            return
        if len(self._pending) >= CAPACITY:
            self._pending.clear()
            self._lagging = True
            self.resets += 1
        else:
            self._pending.append(frame)
        self._wake.set()

    def begin(self, first: list[bytes]) -> None:
        """Put the first frames before what was offered meanwhile, and let them flow."""
        self._pending[:0] = first
        self.held = False
        self._wake.set()

    def close(self, last: bytes = b"") -> None:
        """End after what is pending and ``last``."""
        if last and not self._closed:
            self._pending.append(last)
        self._closed = True
        self.held = False
        self._wake.set()

    def abort(self) -> None:
        """End at once, without what is pending."""
        self._abort = True
        self.close()

    async def take(self) -> bytes | None:
        """All that is pending as one chunk; waits for something; None at the end."""
        while True:
            if self._abort:
                return None
            if not self.held:
                if self._lagging:
                    self._lagging = False
                    self._pending.append(RESET_FRAME)
                    if self.on_lag is not None:
                        self.on_lag(self)
                if self._pending:
                    chunk = b"".join(self._pending)
                    self.sent += len(self._pending)
                    self._pending.clear()
                    return chunk
                if self._closed:
                    return None
            self._wake.clear()
            await self._wake.wait()
