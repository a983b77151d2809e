"""Fan-out: one ring, one sequence and many readers per stream key.

Invariants: a key's frames enter its ring in the order of their sequences, without a hole; every frame is made once and
every reader is given the same bytes; a snapshot stream sends at most one frame per ``snapshot_interval_s`` and what
changed last is always sent (RT-44 aside, there is no later frame to wait for).
"""

import asyncio
import logging
import secrets
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any

from . import keys, snapshots
from .connection import Connection
from .encoding import encode
from .frames import Frame, multiplexed, part_a
from .moments import iso, now_us
from .reader import Reader
from .settings import Times
from .store.database import Database
from .store.writer import position

log = logging.getLogger(__name__)

RING = 1_000
"""Frames that a resume can go back."""
IDLE_KEYS = 500
"""Keys without readers whose ring is kept."""
PERMANENT = (keys.EVENTS, keys.API_REQUESTS)
SLICE = 64
"""Frames that are offered before the readers get a turn: far below a reader's bound."""


class Stream:
    """One key: its ring and its readers."""

    def __init__(self, key: str, known: "asyncio.Future[int]") -> None:
        """``known`` gives the sequence that the store has counted so far."""
        self.key = key
        self.name_json = encode(key)
        self.known = known
        self.sequence = 0
        self.ring: deque[tuple[int, Frame]] = deque(maxlen=RING)
        self.readers: set[Reader] = set()
        self.snapshot = snapshots.parse_key(key)
        self.last_data: dict[str, object] | None = None
        self.last_sent_s = float("-inf")
        self.dirty = False
        self.flushing: asyncio.Task[None] | None = None

    def since(self, sequence: int) -> list[Frame] | None:
        """The frames after ``sequence``; None when the ring does not reach back so far."""
        if sequence > self.sequence:
            return None
        if sequence == self.sequence:
            return []
        if not self.ring or self.ring[0][0] > sequence + 1:
            return None
        return [frame for number, frame in self.ring if number > sequence]


class Hub:
    """Every stream of the server."""

    def __init__(self, database: Database, times: Times) -> None:
        self.epoch = secrets.token_hex(4)
        self.times = times
        self._database = database
        self._streams: dict[str, Stream] = {}
        self._connections: set[Connection] = set()
        self._multiplexed: dict[str, Connection] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._beats: list[asyncio.Task[None]] = []
        self._goodbye: Frame | None = None

    def start(self) -> None:
        """Begin the heartbeats, and the rings that a first reader may resume from (a snapshot's position)."""
        for key in PERMANENT:
            self._stream(key)
        self._beats = [asyncio.create_task(self._heartbeats()), asyncio.create_task(self._refreshes())]

    async def stop(self) -> None:
        """Say goodbye to all and end every task."""
        self.say_bye("shutdown")
        tasks = [*self._beats, *self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def readers(self) -> list[Reader]:
        """Every open reader."""
        return [reader for stream in self._streams.values() for reader in stream.readers]

    def connections(self) -> list[Connection]:
        """Every open connection."""
        return list(self._connections)

    def connection(self, connection_id: str) -> Connection | None:
        """The open multiplexed connection of an id."""
        return self._multiplexed.get(connection_id)

    @property
    def connection_count(self) -> int:
        """How many connections are open, each with one stream or with many."""
        return len(self._connections)

    def connect(self, connection: Connection) -> None:
        """Register a connection. Undo with ``disconnect``."""
        self._connections.add(connection)
        if connection.wire is multiplexed:
            self._multiplexed[connection.id] = connection
            connection.say(self._connection_hello(connection))
            if self._goodbye is not None:
                connection.close(self._goodbye)

    def disconnect(self, connection: Connection) -> None:
        """Forget a connection and its readers."""
        self._connections.discard(connection)
        self._multiplexed.pop(connection.id, None)
        for reader in list(connection.readers.values()):
            self.close(reader)

    def begin(self, reader: Reader, last_event_id: str | None) -> None:
        """``open`` in a task of the hub's own. When it fails, the connection ends, or refuses the stream, if it carries more."""

        async def begin() -> None:
            try:
                await self.open(reader, last_event_id)
            except Exception:
                log.exception("The stream %r could not be begun.", reader.key)
                self.close(reader)
                if reader.connection.wire is multiplexed:
                    reader.connection.refuse(
                        reader.name, {"status": 503, "detail": "The stream could not be begun.", "retry_after_s": 1}
                    )
                else:
                    reader.connection.abort()

        self._spawn(begin())

    def say_bye(self, reason: str) -> None:
        """Tell every connection that the server goes away, and end it; later ones are told at once."""
        self._goodbye = Frame.named("bye", {"reason": reason, "retry_ms": self.times.retry_ms})
        for connection in self._connections:
            connection.close(None if connection.wire is part_a else self._goodbye)

    async def open(self, reader: Reader, last_event_id: str | None) -> None:
        """Register a reader, resume it or give it its first snapshot, and let it flow. Undo with ``close``."""
        if reader.gone:
            return
        stream = self._stream(reader.key)
        stream.readers.add(reader)  # from here on it is offered every frame, held back behind its first ones
        reader.on_lag = self._lagged
        # Registered before the store is asked: what is committed meanwhile is counted by one of the two.
        stream.sequence = max(stream.sequence, await stream.known)
        if self._goodbye is not None:
            reader.begin([self._hello(stream, resumed=False)])
            reader.connection.close(None if reader.connection.wire is part_a else self._goodbye)
            return
        missed = self._missed(stream, last_event_id)
        if missed is not None:
            reader.floor = stream.sequence
            reader.begin([self._hello(stream, resumed=True), *missed])
            if stream.dirty:
                self._schedule(stream)
            return
        first = [self._hello(stream, resumed=False)]
        if stream.snapshot is not None:
            first += await self._first_snapshot(stream, reader)
        reader.begin(first)

    def close(self, reader: Reader) -> None:
        """Forget a reader."""
        reader.connection.detach(reader)
        stream = self._streams.get(reader.key)
        if stream is not None:
            stream.readers.discard(reader)
        self._forget_idle()

    async def publish(self, events: Sequence[tuple[str, int, bytes]]) -> None:
        """Give the events of one commit to their streams' rings and readers, in slices."""
        for start in range(0, len(events), SLICE):
            for key, sequence, payload in events[start : start + SLICE]:
                stream = self._streams.get(key)
                if stream is not None and sequence > stream.sequence:
                    self._append(stream, sequence, payload)
            if start + SLICE < len(events):
                await asyncio.sleep(0)  # the readers' tasks are woken …
                await asyncio.sleep(0)  # … and write

    def touch(self, families: Iterable[str]) -> None:
        """Snapshots of these families are out of date."""
        wanted = set(families)
        if not wanted:
            return
        for stream in self._streams.values():
            if stream.snapshot is not None and stream.snapshot.family in wanted:
                stream.dirty = True
                self._schedule(stream)

    def cut(self, concerned: Callable[[Connection, str | None], bool], last: Frame | None = None) -> int:
        """Cut every connection that is ``concerned``, itself or by the key of one of its streams; return how many.

        With ``last`` they end with it.
        """
        victims = [
            connection
            for connection in self._connections
            if concerned(connection, None) or any(concerned(connection, reader.key) for reader in connection.readers.values())
        ]
        for connection in victims:
            if last is None:
                connection.abort()
            else:
                connection.close(last)
        return len(victims)

    def wake(self) -> None:
        """Let every connection look again at what it may write."""
        for connection in self._connections:
            connection.wake()

    def renew(self) -> int:
        """Begin a new epoch, as a server that was started again: no ring, no sequence, every connection cut; return how many.

        The store has forgotten its positions already (``Journal.renew``).
        """
        self.epoch = secrets.token_hex(4)
        self._streams.clear()
        for key in PERMANENT:
            self._stream(key)
        return self.cut(lambda connection, key: True)

    def _stream(self, key: str) -> Stream:
        stream = self._streams.get(key)
        if stream is None:
            known = asyncio.ensure_future(self._database.read(position, key))
            stream = self._streams[key] = Stream(key, known)
        return stream

    def _append(self, stream: Stream, sequence: int, payload: bytes) -> None:
        frame = self._data(stream, sequence, payload)
        if stream.ring and sequence != stream.sequence + 1:
            stream.ring.clear()
        stream.sequence = sequence
        stream.ring.append((sequence, frame))
        for reader in stream.readers:
            if sequence > reader.floor:
                reader.offer(frame)

    def _data(self, stream: Stream, sequence: int, payload: bytes) -> Frame:
        return Frame(stream.name_json, "message", payload, f"{self.epoch}:{sequence}")

    def _connection_hello(self, connection: Connection) -> Frame:
        times = self.times
        about = {"epoch": self.epoch, "at": iso(now_us()), "heartbeat_ms": round(times.heartbeat_s * 1000), "retry_ms": times.retry_ms}
        return Frame.named("hello", {"connection": connection.id, **about})

    def _hello(self, stream: Stream, *, resumed: bool) -> Frame:
        # A stream that is not resumed begins at its last event, and says so; one of snapshots begins with the last of them again.
        begins = {} if resumed or stream.snapshot is not None else {"sequence": stream.sequence}
        return Frame.named(
            "hello",
            {
                "epoch": self.epoch,
                "at": iso(now_us()),
                "heartbeat_ms": round(self.times.heartbeat_s * 1000),
                "retry_ms": self.times.retry_ms,
                "resumed": resumed,
                **begins,
                "scopes": [],
            },
            stream.name_json,
        )

    def _missed(self, stream: Stream, last_event_id: str | None) -> list[Frame] | None:
        """What a returning reader missed; None when it cannot be resumed (RT-27)."""
        epoch, separator, number = (last_event_id or "").rpartition(":")
        if not separator or epoch != self.epoch or not number.isdecimal():
            return None
        return stream.since(int(number))

    async def _first_snapshot(self, stream: Stream, reader: Reader) -> list[Frame]:
        """The data now, for one reader that has been offered nothing it could be older than."""
        assert stream.snapshot is not None
        before = stream.sequence
        if before == 0:
            # Sequence 0 is "nothing yet" to a client: the first snapshot of a key is its first frame, for everybody.
            stream.dirty = True
            await self._flush(stream)
            return []
        taken = await self._database.read(snapshots.current, stream.snapshot, now_us())
        if stream.sequence > before or taken.payload is None:
            return []  # a frame was offered while this one was read, and it is as new
        reader.floor = taken.sequence
        return [self._data(stream, taken.sequence, taken.payload)]

    def _lagged(self, reader: Reader) -> None:
        """A reset has left: a snapshot stream goes on from a snapshot, the others from the next event.

        A reader whose hello was among what was dropped begins anew instead.
        """
        if not reader.greeted:
            reader.held = True
            self.begin(reader, None)
            return
        stream = self._streams.get(reader.key)
        if stream is None or stream.snapshot is None:
            return

        async def follow() -> None:
            for frame in await self._first_snapshot(stream, reader):
                reader.offer(frame)

        self._spawn(follow())

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _schedule(self, stream: Stream) -> None:
        """Send a snapshot as soon as the throttle allows, if anybody reads it."""
        if stream.flushing is None and stream.readers:
            stream.flushing = self._spawn(self._flush_later(stream))

    async def _flush_later(self, stream: Stream) -> None:
        try:
            while stream.dirty and stream.readers:
                wait_s = stream.last_sent_s + self.times.snapshot_interval_s - asyncio.get_running_loop().time()
                if wait_s > 0:
                    await asyncio.sleep(wait_s)
                await self._flush(stream)
        finally:
            stream.flushing = None

    async def _flush(self, stream: Stream) -> None:
        """Send the data now as the key's next frame. What changes while it is read makes the stream dirty again."""
        assert stream.snapshot is not None
        stream.dirty = False
        stream.last_sent_s = asyncio.get_running_loop().time()
        taken = await self._database.write(snapshots.advance, stream.snapshot, now_us(), stream.last_data)
        stream.last_data = taken.data
        if taken.payload is not None and taken.sequence > stream.sequence:
            self._append(stream, taken.sequence, taken.payload)

    def _forget_idle(self) -> None:
        if len(self._streams) <= IDLE_KEYS:
            return
        idle = [key for key, stream in self._streams.items() if not stream.readers and key not in PERMANENT]
        for key in idle[: len(self._streams) - IDLE_KEYS]:
            del self._streams[key]

    async def _heartbeats(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due += self.times.heartbeat_s
            await asyncio.sleep(max(0.0, due - loop.time()))
            for stream in list(self._streams.values()):
                if stream.readers:
                    beat: dict[str, Any] = {"at": iso(now_us()), "scopes": [], "sequence": stream.sequence}
                    frame = Frame.named("heartbeat", beat, stream.name_json)
                    for reader in stream.readers:
                        if reader.connection.wire is not part_a:
                            reader.offer(frame)
            alive = Frame.named("heartbeat", {"at": iso(now_us())})
            for connection in self._multiplexed.values():
                connection.say(alive)

    async def _refreshes(self) -> None:
        """Figures per minute and hour change by the clock alone; equal data is not sent again."""
        while True:
            await asyncio.sleep(self.times.refresh_s)
            self.touch({stream.snapshot.family for stream in self._streams.values() if stream.snapshot is not None})
