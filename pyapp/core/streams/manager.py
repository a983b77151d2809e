"""The shell around the connections: what is open is reconciled with what is wanted (RT-20 to RT-24, RT-64).

The owner (the feeds) says which streams are wanted and which reason, if any, keeps all of them closed. This module runs the effects
of `machine.Machine` through the ports, takes the waiting frames when the beat comes, and reports what it learns to a `Listener`.
It knows no cache and decides no fetch.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, cast

from pydantic_core import from_json

from pyapp.core.clock import Clock, Timer
from pyapp.core.ports import EventSources, FrameKind, Random, RawFrame
from pyapp.core.streams import connection as c
from pyapp.core.streams.budget import within_budget
from pyapp.core.streams.inbox import Batch, Inbox, InboxStatistics
from pyapp.core.streams.machine import Machine
from pyapp.core.streams.position import Position
from pyapp.core.streams.spec import StreamKey, StreamSpec
from pyapp.core.timings import Timings

STREAMS_REMEMBERED = 64
"""So many streams that nobody wants any more keep their counters and their last place; older ones are forgotten."""

WAIT_AT_MOST_MS = 3_600_000.0
"""No interval that a server names is believed beyond an hour: a typing error there must not silence a page for ever."""


class Listener(Protocol):
    """Who is told what the streams do."""

    def stream_changed(self, key: StreamKey, state: c.Connection) -> None:
        """A public state, a confirmation or a reason changed."""
        ...

    def stream_confirmed(self, key: StreamKey, confirmed: c.Confirmed) -> None: ...

    def stream_gap(self, key: StreamKey, cause: str) -> None: ...

    def stream_placed(self, key: StreamKey, position: Position) -> None:
        """A heartbeat told where the stream is, before any event of it came."""
        ...

    def stream_delivered(self, key: StreamKey, batch: Batch) -> int:
        """Events to apply; returns how many of them somebody used."""
        ...

    def stream_alive(self, key: StreamKey) -> None:
        """A hello or a heartbeat came: a delivery without data (RT-30)."""
        ...

    def server_time(self, wall_ms_text: str) -> None:
        """The server's clock, as hello and heartbeats carry it (RT-55)."""
        ...


@dataclass(frozen=True, slots=True)
class StreamStatistics:
    """What the dock shows of one stream (RT-80). Times are clock times in ms; `counts` are of its inbox."""

    key: StreamKey
    state: c.Connection
    reconnects: int
    drops: int
    gaps: int
    frames: int
    counts: InboxStatistics


class StreamPulse(NamedTuple):
    """The little of a stream that is looked at all the time: its state, and how many data frames came."""

    key: StreamKey
    state: c.Connection
    received: int


@dataclass(slots=True)
class _Entry:
    key: StreamKey
    spec: StreamSpec
    inbox: Inbox
    state: c.Connection = field(default_factory=c.Connection)
    source: int = 0
    timers: dict[c.TimerName, Timer] = field(default_factory=dict[c.TimerName, Timer])
    linger: Timer | None = None
    reconnects: int = 0
    drops: int = 0
    gaps: int = 0
    frames: int = 0
    spoke: bool = False  # a frame of this beat proved the server alive


class StreamManager:
    """Opens and closes streams until what is open is what is wanted."""

    def __init__(
        self,
        *,
        clock: Clock,
        sources: EventSources,
        specs: Mapping[str, StreamSpec],
        timings: Timings,
        random: Random,
        limit: Callable[[], int],
        listener: Listener,
    ) -> None:
        self._clock = clock
        self._sources = sources
        self._specs = specs
        self._timings = timings
        self._machine = Machine(timings, random)
        self._limit = limit
        self._listener = listener
        self._entries: dict[StreamKey, _Entry] = {}
        self._by_source: dict[int, _Entry] = {}
        self._sources_made = 0
        self._wanted: dict[StreamKey, Position | None] = {}
        self._blocked: c.Reason | None = None
        self._limited: int | None = None
        self._denied: Mapping[StreamKey | str, c.Reason] = {}

    # What is wanted -----------------------------------------------------------------------------------------------------------

    def want(self, wanted: Mapping[StreamKey, Position | None]) -> None:
        """The whole set of wanted streams, each with a place from which nothing is missing, where one is known (RT-20)."""
        self._wanted = dict(wanted)
        self.reconcile()

    def block(self, reason: c.Reason | None) -> None:
        """Keep every stream closed for a reason (hidden, flag off), or lift that (RT-50)."""
        if reason is not self._blocked:
            self._blocked = reason
            self.reconcile()

    def deny(self, denied: Mapping[StreamKey | str, c.Reason]) -> None:
        """Keep some closed, each for a reason: by key, or by name for all streams of that name (RT-71). It is the whole set."""
        if dict(denied) != self._denied:
            self._denied = dict(denied)
            self.reconcile()

    def _closed_for(self, key: StreamKey) -> c.Reason | None:
        """Why a stream must not be open, if it must not."""
        return self._denied.get(key, self._denied.get(key.name))

    def reconcile(self) -> None:
        """Bring what is open to what is wanted; call it when the budget may have changed."""
        limit = self._limited = self._limit()
        closed = {key: reason for key in self._wanted if (reason := self._closed_for(key)) is not None}
        granted = within_budget(((self._specs[key.name].priority, key) for key in self._wanted if key not in closed), limit)
        for key in list(self._entries):
            entry = self._entries[key]
            if self._blocked is not None:
                self._drop_linger(entry)
                self._step(entry, c.Unwanted(self._blocked))
            elif key in granted:
                self._drop_linger(entry)
            elif key in self._wanted:
                self._drop_linger(entry)
                self._step(entry, c.Unwanted(closed.get(key, c.Reason.BUDGET)))
            elif entry.linger is None and entry.state.phase is not c.Phase.CLOSED:
                # No longer wanted: a route that comes straight back finds its stream still open.
                entry.linger = self._clock.call_at(self._clock.now() + self._timings.linger_ms, lambda e=entry: self._lingered(e))
            elif entry.state.phase is c.Phase.CLOSED:
                self._step(entry, c.Unwanted(c.Reason.NOT_WANTED))
        self._make_room(limit - len(granted))
        for key, resume_from in self._wanted.items():
            entry = self._entries.get(key) or self._new_entry(key)
            if self._blocked is not None:
                self._step(entry, c.Unwanted(self._blocked))
            elif key in granted:
                self._step(entry, c.Wanted(resume_from))
            else:
                self._step(entry, c.Unwanted(closed.get(key, c.Reason.BUDGET)))

    def recheck_budget(self) -> None:
        """Reconcile if the limit is another than before: the protocol is known only after the first answers (RT-64)."""
        if self._limit() != self._limited:
            self.reconcile()

    def _make_room(self, room: int) -> None:
        """Streams that linger count as open too: where the wanted ones need their connections, they go at once (RT-64)."""
        lingering = [entry for entry in self._entries.values() if entry.linger is not None]
        for entry in lingering[: max(0, len(lingering) - max(0, room))]:
            self._drop_linger(entry)
            self._step(entry, c.Unwanted(c.Reason.NOT_WANTED))
        self._forget()

    def _forget(self) -> None:
        """A page that is open for days sees many streams come and go: of those nobody wants only the latest are remembered."""
        idle = [e for e in self._entries.values() if e.state.phase is c.Phase.CLOSED and e.key not in self._wanted]
        for entry in sorted(idle, key=lambda e: e.state.since_ms)[: max(0, len(idle) - STREAMS_REMEMBERED)]:
            del self._entries[entry.key]

    def _new_entry(self, key: StreamKey) -> _Entry:
        spec = self._specs[key.name]
        entry = self._entries[key] = _Entry(key, spec, Inbox(spec), c.Connection(since_ms=self._clock.now()))
        return entry

    def _lingered(self, entry: _Entry) -> None:
        entry.linger = None
        if entry.key not in self._wanted:
            self._step(entry, c.Unwanted(c.Reason.NOT_WANTED))

    def _drop_linger(self, entry: _Entry) -> None:
        if entry.linger is not None:
            entry.linger.cancel()
            entry.linger = None

    def try_now(self) -> None:
        """Attempt every waiting connection at once, because a person or the network asks."""
        for entry in list(self._entries.values()):
            self._step(entry, c.TryNow())

    def permit(self, key: StreamKey) -> None:
        """Try a stream again that was given up, because a person or another identity asks (RT-36)."""
        entry = self._entries.get(key)
        if entry is not None:
            self._step(entry, c.TryNow())

    def chosen(self, key: StreamKey) -> bool:
        """Whether the key names everything that the stream's path needs: its scope is chosen (RT-30)."""
        named = {name for name, _ in key.params}
        return all(name in named for name in re.findall(r"{(\w+)}", self._specs[key.name].path))

    def entity(self, key: StreamKey, event: Any) -> str | None:
        """What an event of a stream is about."""
        return self._specs[key.name].entity(event)

    def knows(self, key: StreamKey) -> bool:
        """Whether there is such a stream."""
        return key.name in self._specs

    def close(self) -> None:
        """Give up every connection and timer (RT-53)."""
        self._wanted = {}
        for entry in list(self._entries.values()):
            self._drop_linger(entry)
            self._step(entry, c.Unwanted(c.Reason.SHUTDOWN))

    # What arrives -------------------------------------------------------------------------------------------------------------

    def collect(self) -> None:
        """Take all waiting records across the bridge at once and put them where they belong (RT-41)."""
        spoken: list[_Entry] = []
        for frame in self._sources.drain():
            entry = self._by_source.get(frame.source)
            if entry is None:
                continue  # of a socket that is closed: an older epoch has no say
            entry.frames += 1
            if frame.kind is FrameKind.MESSAGE:
                entry.inbox.put(frame.id, frame.data)
            else:
                # What came before this record comes before it here, too.
                self._deliver(entry)
                if self._control(entry, frame) and not entry.spoke:
                    entry.spoke = True
                    spoken.append(entry)
        for entry in spoken:
            entry.spoke = False
            self._listener.stream_alive(entry.key)

    def waiting(self) -> bool:
        """Whether frames wait in an inbox."""
        return any(len(entry.inbox) for entry in self._by_source.values())

    def deliver(self, within: Callable[[], bool]) -> None:
        """Apply what waits, in batches, while `within()` says that the beat has time left."""
        for entry in list(self._by_source.values()):
            while len(entry.inbox):
                if not within():
                    return
                self._deliver_batch(entry)

    def _deliver(self, entry: _Entry) -> None:
        while len(entry.inbox):
            self._deliver_batch(entry)

    def _deliver_batch(self, entry: _Entry) -> None:
        batch = entry.inbox.take()
        # The machine first: a first frame confirms, and a hole makes the scope catch up, before anybody shows these events.
        self._step(entry, c.Delivered(entry.state.epoch, batch.position, batch.hole))
        used = self._listener.stream_delivered(entry.key, batch) if batch.items else 0
        entry.inbox.count(applied=used, ignored=len(batch.items) - used)

    def _control(self, entry: _Entry, frame: RawFrame) -> bool:
        """One record that is not data; true when it is a delivery of the server (RT-30)."""
        epoch = entry.state.epoch
        match frame.kind:
            case FrameKind.OPENED:
                self._step(entry, c.SocketOpened(epoch))
            case FrameKind.FAILED:
                self._step(entry, c.SocketFailed(epoch, final=frame.data == "2"))
            case FrameKind.NAMED_ERROR:
                self._step(entry, c.ErrorFrame(epoch))
            case FrameKind.HELLO:
                hello = _fields(frame.data)
                event = c.Hello(
                    epoch,
                    str(hello.get("epoch", "")),
                    _number(hello, "heartbeat_ms"),
                    _number(hello, "retry_ms"),
                    hello.get("resumed") is True,
                    _sequence(hello),
                )
                if event.heartbeat_ms <= 0:
                    return False  # not a hello we can rely on: the stream goes on as one without
                self._step(entry, event)
                entry.inbox.restart(entry.state.position)
                self._listener.server_time(str(hello.get("at", "")))
                return True
            case FrameKind.HEARTBEAT:
                beat = _fields(frame.data)
                self._step(entry, c.Beaten(epoch, _sequence(beat)))
                entry.inbox.advance(entry.state.position)
                self._listener.server_time(str(beat.get("at", "")))
                return True
            case FrameKind.RESET:
                entry.inbox.restart(None)
                self._step(entry, c.WasReset(epoch))
            case FrameKind.BYE:
                self._step(entry, c.Bye(epoch, _number(_fields(frame.data), "retry_ms")))
            case FrameKind.NAMED_OPEN | FrameKind.MESSAGE:
                pass
        return False

    # Effects ------------------------------------------------------------------------------------------------------------------

    def _step(self, entry: _Entry, event: c.Event) -> None:
        before = entry.state
        entry.state, effects = self._machine.step(before, event, self._clock.now())
        for effect in effects:
            self._run(entry, effect)
        if (before.phase, before.reason, before.confirmed) != (
            entry.state.phase,
            entry.state.reason,
            entry.state.confirmed,
        ):
            self._listener.stream_changed(entry.key, entry.state)

    def _run(self, entry: _Entry, effect: c.Effect) -> None:
        match effect:
            case c.OpenSocket(epoch, last):
                self._sources_made += 1
                entry.source = self._sources_made
                self._by_source[entry.source] = entry
                entry.inbox.restart(last)
                entry.reconnects += epoch > 1
                self._sources.open(entry.source, entry.spec.url(entry.key, str(last) if last else None))
            case c.CloseSocket():
                self._by_source.pop(entry.source, None)
                self._sources.close(entry.source)
                entry.inbox.restart(entry.state.position)  # a closed stream holds nothing
            case c.SetTimer(name, at_ms, epoch):
                self._clear(entry, name)
                entry.timers[name] = self._clock.call_at(at_ms, lambda: self._due(entry, name, epoch))
            case c.ClearTimer(name):
                self._clear(entry, name)
            case c.Confirmed():
                self._listener.stream_confirmed(entry.key, effect)
            case c.Gap(cause):
                entry.gaps += 1
                self._listener.stream_gap(entry.key, cause)
            case c.Placed(position):
                self._listener.stream_placed(entry.key, position)
            case c.Lost():
                entry.drops += 1

    def _due(self, entry: _Entry, name: c.TimerName, epoch: int) -> None:
        entry.timers.pop(name, None)
        self._step(entry, c.TimerDue(epoch, name))

    def _clear(self, entry: _Entry, name: c.TimerName) -> None:
        timer = entry.timers.pop(name, None)
        if timer is not None:
            timer.cancel()

    # Looking in ---------------------------------------------------------------------------------------------------------------

    def state(self, key: StreamKey) -> c.Connection | None:
        entry = self._entries.get(key)
        return entry.state if entry else None

    def pulse(self) -> tuple[StreamPulse, ...]:
        """Every stream, cheaply: `statistics` sorts and copies, which is for when somebody reads it."""
        return tuple(StreamPulse(entry.key, entry.state, entry.inbox.received) for entry in self._entries.values())

    def open_count(self) -> int:
        """Sockets that are open or opening now."""
        return len(self._by_source)

    def keys(self) -> Iterable[StreamKey]:
        return self._entries.keys()

    def statistics(self) -> tuple[StreamStatistics, ...]:
        return tuple(
            StreamStatistics(e.key, e.state, e.reconnects, e.drops, e.gaps, e.frames, e.inbox.statistics())
            for e in self._entries.values()
        )


def _fields(text: str) -> Mapping[str, Any]:
    """A control frame's fields; anything that is no object has none."""
    try:
        value = from_json(text)  # not `json`: on deep nesting it takes the whole interpreter of a browser down
    except (ValueError, TypeError):  # the latter for a lone surrogate
        return {}
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else {}


def _number(values: Mapping[str, Any], name: str) -> float:
    """A time in ms; what is none, negative or no number is 0."""
    value = values.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool) or not value >= 0:
        return 0.0
    return float(min(value, WAIT_AT_MOST_MS))


def _sequence(values: Mapping[str, Any]) -> int | None:
    value = values.get("sequence")
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
