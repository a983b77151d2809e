"""One client's connection: a bounded buffer between its readers and the socket.

| state | a frame is offered | the socket takes what is pending |
|---|---|---|
| flowing, fewer than 256 offered | kept | all pending frames leave as one chunk |
| flowing, 256 offered | everything pending is dropped, state lagging | – |
| lagging | dropped | for each reader ``reset`` leaves, state flowing (a snapshot stream's snapshot follows) |
| closed | dropped | what is pending leaves (``bye``), then the end |

A reader whose ``hello`` was among what was dropped is not reset: it begins anew.

So memory is bounded by the connection, however many streams it carries, order is kept within a stream and a hole is
always announced. First frames (a resume, at most a ring) do not count; refusals are kept when frames are dropped.
"""

import asyncio
import secrets

from .encoding import encode
from .frames import ERROR, Frame, Wire, part_a, single
from .reader import Reader

CAPACITY = 256
"""Frames that may wait for one connection."""
MAX_REFUSALS = 256
"""Refusals that may wait for one connection."""

Item = tuple[Reader | None, Frame]
"""A frame and the reader it is for; None: it is about the connection."""


class Connection:
    """What one client has not been sent yet, and the readers it is for."""

    def __init__(self, wire: Wire = single, *, path: str, query: str, client: str, user: str, since: int) -> None:
        """``since`` is microseconds."""
        self.id = secrets.token_urlsafe(12)
        self.wire = wire
        self.path = path
        self.query = query
        self.client = client
        self.user = user
        self.since = since
        self.readers: dict[str, Reader] = {}
        self.sent = 0
        self.resets = 0
        self.lagging = False
        """Whether frames are being dropped until the socket takes the reset."""
        self.closed = False
        self._pending: list[Item] = []
        self._refusals: dict[str, Frame] = {}
        self._offered = 0
        self._abort = False
        self._wake = asyncio.Event()

    @property
    def pending(self) -> int:
        """Frames that wait."""
        return len(self._pending) + sum(len(reader.waiting) for reader in self.readers.values())

    @property
    def filtered(self) -> bool:
        """Whether a stream is a filtered one: of part A, those say nothing at all between events."""
        filters = ("api_name=", "function=", "type=")
        return any(name in reader.key.partition("?")[2] for reader in self.readers.values() for name in filters)

    def attach(self, key: str, name: str | None = None) -> Reader:
        """A new reader of ``key``, held back; ``name`` is the key as the client spells it."""
        reader = Reader(self, key, key if name is None else name)
        self._refusals.pop(reader.name, None)
        self.readers[reader.name] = reader
        return reader

    def detach(self, reader: Reader) -> None:
        """Forget a reader and what is pending for it."""
        reader.gone = True
        reader.waiting.clear()
        if self.readers.get(reader.name) is reader:
            del self.readers[reader.name]
        if not self.closed:
            self._pending = [item for item in self._pending if item[0] is not reader]

    def refuse(self, name: str, value: object) -> bool:
        """Say that a stream is refused; False when too many refusals wait already."""
        if name not in self._refusals and len(self._refusals) >= MAX_REFUSALS:
            return False
        self._refusals[name] = Frame.named("refused", value, encode(name))
        self._wake.set()
        return True

    def say(self, frame: Frame) -> None:
        """Keep a frame about the connection itself, within the bound."""
        self._keep(None, frame)

    def offer(self, reader: Reader, frame: Frame) -> None:
        """Keep a frame of a reader, within the bound."""
        if not reader.gone:
            self._keep(reader, frame)

    def begin(self, reader: Reader, first: list[Frame]) -> None:
        """Let a reader flow: its first frames, then what was offered meanwhile."""
        if reader.gone or self.closed:
            return
        reader.held = False
        if self.lagging:
            return  # the socket's next turn begins it anew
        if reader.stale:
            reader.stale = False
            reader.lag()
            return
        self._pending.extend((reader, frame) for frame in first)
        self._pending.extend((reader, frame) for frame in reader.waiting)
        reader.waiting.clear()
        self._wake.set()

    def close(self, last: Frame | None = None) -> None:
        """End after what is pending and ``last``."""
        if last is not None and not self.closed:
            for reader in self.readers.values():
                self._pending.extend((reader, frame) for frame in reader.waiting)
                reader.waiting.clear()
            self._pending.append((None, last))
        self.closed = True
        self._wake.set()

    def abort(self) -> None:
        """End at once, without what is pending."""
        self._abort = True
        self.close()

    def wake(self) -> None:
        """Let ``take`` return, with nothing if there is nothing."""
        self._wake.set()

    async def take(self) -> list[Item] | None:
        """All that is pending; waits for something (or for ``wake``: then perhaps nothing); None at the end."""
        if not (self._wake.is_set() or self._pending or self._refusals or self.lagging or self.closed):
            await self._wake.wait()
        self._wake.clear()
        if self._abort:
            return None
        if self.lagging:
            self._recover()
        taken, self._pending, self._offered = self._pending, [], 0
        if self._refusals:
            for name, frame in self._refusals.items():
                taken.append((None, Frame.ready(frame.envelope(encode(name)))))
            self._refusals.clear()
        if not taken and self.closed:
            return None
        for reader, _ in taken:
            if reader is not None:
                reader.greeted = True
                reader.sent += 1
        self.sent += len(taken)
        return taken

    def _keep(self, reader: Reader | None, frame: Frame) -> None:
        if self.lagging or self.closed:
            if reader is not None and reader.held:
                reader.stale = True
            return
        if self._offered >= CAPACITY:
            self._overflow()
        elif reader is not None and reader.held:
            reader.waiting.append(frame)
            self._offered += 1
            return
        else:
            self._pending.append((reader, frame))
            self._offered += 1
        self._wake.set()

    def _overflow(self) -> None:
        self._pending.clear()
        self.lagging = True
        self.resets += 1
        for reader in self.readers.values():
            if reader.held:
                reader.stale = True
                reader.waiting.clear()

    def _recover(self) -> None:
        """The socket takes again: every reader that flowed is told of its hole."""
        self.lagging = False
        if self.wire is part_a:  # which has no word for a hole: the stream fails, and its client asks again
            self.close(ERROR)
            return
        for reader in list(self.readers.values()):
            if reader.held:
                continue
            reader.stale = False
            if reader.greeted:
                self._pending.append((reader, Frame.named("reset", {"reason": "backpressure"}, reader.name_json)))
            reader.lag()
