"""The shell around the connections: what is open is reconciled with what is wanted (RT-20 to RT-30, RT-52, RT-64).

The owner (the feeds) says which streams are wanted and which reason, if any, keeps all or some of them closed. This module runs the
effects of `machine.Machine` through the transport, takes the waiting frames when the beat comes, and reports what it learns to a
`Listener`. It knows no cache and decides no fetch.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pyapp.core.clock import Clock, Timer
from pyapp.core.errors import KeyMisuse
from pyapp.core.ports import FrameKind, Random, RawFrame
from pyapp.core.streams import connection as c
from pyapp.core.streams.budget import within_budget
from pyapp.core.streams.control import event_of, said_at
from pyapp.core.streams.entry import Entry, StreamPulse, StreamStatistics, StreamTotals, added
from pyapp.core.streams.inbox import Batch, Inbox, Item
from pyapp.core.streams.listener import Listener
from pyapp.core.streams.machine import Machine
from pyapp.core.streams.position import Position
from pyapp.core.streams.probe import StatusProbe
from pyapp.core.streams.refusal import Verdict
from pyapp.core.streams.spec import Control, StreamKey, StreamSpec
from pyapp.core.streams.transport import Transport, TransportStatistics
from pyapp.core.timings import Timings

STREAMS_REMEMBERED = 64
"""So many streams that nobody wants any more keep their counters and their last place; older ones are forgotten."""


class StreamManager:
    """Opens and closes streams until what is open is what is wanted."""

    def __init__(
        self,
        *,
        clock: Clock,
        transport: Transport,
        probe: StatusProbe,
        specs: Mapping[str, StreamSpec],
        timings: Timings,
        random: Random,
        limit: Callable[[], int],
        listener: Listener,
        contract: str | None = None,
    ) -> None:
        """Args:
        transport: what brings the frames.
        probe: asks why a stream was refused.
        limit: how many connections of their own streams may have (RT-64).
        contract: the parts that the server speaks: a stream of another is never asked for (RT-25), and one that speaks part B greets
            (RT-30). `None` where nobody knows: everything may be asked for, and a server is taken to greet once it did.
        """
        self._clock = clock
        self._transport = transport
        self._probe = probe
        self._specs = specs
        self._timings = timings
        self._machine = Machine(timings, random)
        self._limit = limit
        self._listener = listener
        self._contract = contract
        self._entries: dict[StreamKey, Entry] = {}
        self._by_source: dict[int, Entry] = {}
        self._sources_made = 0
        self._served = 0
        """The source of the last batch of a beat that had no time for more: the next beat begins behind it."""
        self._own: Mapping[StreamKey, Position | None] = {}
        self._others: Mapping[StreamKey, Position | None] = {}
        self._wanted: dict[StreamKey, Position | None] = {}
        self._blocked: c.Reason | None = None
        self._denied: Mapping[StreamKey | str, c.Reason] = {}
        self._kept: frozenset[str] = frozenset()
        self._suspended = False
        self._limited: int | None = None
        self._online = True
        self._forgotten = StreamTotals()
        self._sleeps = 0
        transport.on_ready(self._ready)

    # What is wanted -----------------------------------------------------------------------------------------------------------

    def want(self, wanted: Mapping[StreamKey, Position | None]) -> None:
        """The whole set of wanted streams, each with a place from which nothing is missing, where one is known (RT-20)."""
        self._own = dict(wanted)
        self._unite()

    def want_for_others(self, wanted: Mapping[StreamKey, Position | None]) -> None:
        """The whole set of streams that other tabs want of this one (RT-60)."""
        if dict(wanted) != self._others:
            self._others = dict(wanted)
            self._unite()

    def _unite(self) -> None:
        self._wanted = {**self._others, **self._own}
        self.reconcile()

    def block(self, reason: c.Reason | None) -> None:
        """Keep every stream closed for a reason (hidden, flag off), or lift that (RT-50)."""
        if reason is not self._blocked:
            self._blocked = reason
            self.reconcile()

    def deny(self, denied: Mapping[StreamKey | str, c.Reason]) -> None:
        """Keep some closed, each for a reason: by key, or by name for all streams of that name (RT-71). It is the whole set."""
        keys = {key if isinstance(key, str) else self.canonical(key): reason for key, reason in denied.items()}
        if keys != self._denied:
            self._denied = keys
            self.reconcile()

    def keep(self, names: Iterable[str]) -> None:
        """Streams of these names stay open in a hidden page: what a person opted in to (RT-54). It is the whole set."""
        self._kept = frozenset(names)
        self.reconcile()

    def suspend(self, suspended: bool) -> None:
        """The page is put away: nothing at all stays open, until it is taken out again (RT-53)."""
        self._suspended = suspended
        self.reconcile()

    def recheck_budget(self) -> None:
        """Reconcile if the limit is another than before: the protocol is known only after the first answers (RT-64)."""
        if self._transport.limit(self._limit()) != self._limited:
            self.reconcile()

    def reconcile(self) -> None:
        """Bring what is open to what is wanted; call it when the budget may have changed."""
        closed = {key: reason for key in self._wanted if (reason := self._closed_for(key)) is not None}
        limit = self._limited = self._transport.limit(self._limit())
        granted = within_budget(((self._specs[key.name].priority, key) for key in self._wanted if key not in closed), limit)
        for key in list(self._entries):
            entry = self._entries[key]
            reason = self._closed_for(key)
            if key in granted:
                self._drop_linger(entry)
            elif reason is not None or key in self._wanted:
                self._drop_linger(entry)
                self._step(entry, c.Unwanted(reason or c.Reason.BUDGET))
            elif entry.linger is None and entry.state.phase is not c.Phase.CLOSED:
                # No longer wanted: a route that comes straight back finds its stream still open.
                entry.linger = self._clock.call_at(self._clock.now() + self._timings.linger_ms, lambda e=entry: self._lingered(e))
            elif entry.state.phase is c.Phase.CLOSED:
                self._step(entry, c.Unwanted(c.Reason.NOT_WANTED))
        self._make_room(limit - len(granted))
        for key, resume_from in self._wanted.items():
            entry = self._entries.get(key) or self._new_entry(key)
            self._step(entry, c.Wanted(resume_from) if key in granted else c.Unwanted(closed.get(key, c.Reason.BUDGET)))
        if self._blocked is not None or self._suspended:
            self._transport.release(self._blocked or c.Reason.HIDDEN)

    def _closed_for(self, key: StreamKey) -> c.Reason | None:
        """Why a stream must not be open, if it must not."""
        if self._suspended:
            return c.Reason.HIDDEN
        if self._blocked is not None and not (self._blocked is c.Reason.HIDDEN and key.name in self._kept):
            return self._blocked
        if self._contract is not None and self._specs[key.name].contract not in self._contract:
            return c.Reason.UNAVAILABLE
        return self._denied.get(key, self._denied.get(key.name))

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
            self._forgotten = added(self._forgotten, entry)
            del self._entries[entry.key]

    def _new_entry(self, key: StreamKey) -> Entry:
        spec = self._specs[key.name]
        greets = "b" in (self._contract or "")
        state = c.Connection(since_ms=self._clock.now(), scoped=spec.scoped, offline=not self._online, greets=greets)
        entry = self._entries[key] = Entry(key, spec, Inbox(spec), state)
        return entry

    def _lingered(self, entry: Entry) -> None:
        entry.linger = None
        self._step(entry, c.Unwanted(c.Reason.NOT_WANTED))

    def _drop_linger(self, entry: Entry) -> None:
        if entry.linger is not None:
            entry.linger.cancel()
            entry.linger = None

    # What the page tells ------------------------------------------------------------------------------------------------------

    def try_now(self) -> None:
        """A person asks, or is somebody else now: attempt what waits, and what was forbidden or ended (RT-25)."""
        self._transport.try_now()
        for entry in list(self._entries.values()):
            self._forgive(entry)
        self.reconcile()

    def permit(self, key: StreamKey) -> None:
        """Try a stream again that was given up, because a person or another identity asks (RT-25, RT-36, RT-37)."""
        entry = self._entries.get(key)
        if entry is not None:
            self._transport.try_now()
            self._forgive(entry)
            self.reconcile()

    def _forgive(self, entry: Entry) -> None:
        self._step(entry, c.Forgiven())
        if not entry.state.shared:  # else whoever brings the connection back brings it back, too
            self._step(entry, c.TryNow())

    def set_online(self, online: bool) -> None:
        """The network's hint (RT-52)."""
        if online is self._online:
            return
        self._online = online
        renews = self._transport.network(online=online)
        for entry in list(self._entries.values()):
            self._step(entry, c.CameOnline(renews) if online else c.WentOffline())

    def slept(self) -> None:
        """The machine slept or the page was frozen: a gap for every stream, and a fresh attempt (RT-52)."""
        self._sleeps += 1
        self._transport.forget()
        for entry in list(self._entries.values()):
            self._step(entry, c.Slept())

    def chosen(self, key: StreamKey) -> bool:
        """Whether the key names everything that the stream's path needs: its scope is chosen (RT-30)."""
        named = {name for name, _ in key.params}
        return all(name in named for name in re.findall(r"{(\w+)}", self._specs[key.name].path))

    def entity(self, key: StreamKey, event: Any) -> str | None:
        """What an event of a stream is about."""
        return self._specs[key.name].entity(event)

    def canonical(self, key: StreamKey) -> StreamKey:
        """The one key of all that name the same stream to the server.

        Raises:
            KeyMisuse: there is no such stream.
        """
        if not isinstance(key, StreamKey):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise KeyMisuse(f"{key!r} is no stream key: make one by stream_key.")
        spec = self._specs.get(key.name)
        if spec is None:
            raise KeyMisuse(f"There is no stream {key.name!r}: register it in the inventory.")
        return spec.canonical(key)

    def close(self) -> None:
        """Give up every connection and timer (RT-53)."""
        self._wanted, self._own, self._others = {}, {}, {}
        for entry in list(self._entries.values()):
            self._drop_linger(entry)
            self._step(entry, c.Unwanted(c.Reason.SHUTDOWN))
        self._transport.forget()

    def _ready(self, sources: Container[int] | None = None) -> None:
        """The transport brings a shared connection back, or its limit changed."""
        self.reconcile()
        for entry in list(self._entries.values()):
            if entry.state.shared and (sources is None or entry.source in sources):
                self._step(entry, c.TryNow())

    # What arrives -------------------------------------------------------------------------------------------------------------

    def collect(self) -> None:
        """Take all waiting records across the bridge at once and put them where they belong (RT-41)."""
        for frame in self._transport.drain():
            entry = self._by_source.get(frame.source)
            if entry is None:
                continue  # of a socket that is closed: an older epoch has no say
            entry.frames += 1
            if entry.behind or (frame.kind is not FrameKind.MESSAGE and entry.inbox_waits()):
                entry.put_behind(frame)  # what came before this record comes before it here, too, and in its own time
            elif frame.kind is FrameKind.MESSAGE:
                entry.inbox.put(frame.id, frame.data)
            else:
                self._control(entry, frame)
        self._tell_alive()

    def waiting(self) -> bool:
        """Whether something waits to be delivered."""
        return any(entry.waits() for entry in self._by_source.values())

    def deliver(self, within: Callable[[], bool]) -> None:
        """Apply what waits, in order and in batches, while `within()` says that the beat has time left.

        One batch is applied in any case, of another stream each time: on a machine so busy that a beat is over its time before it
        begins, what waits would wait for ever, and its panels would go on saying that they are live (RT-84).
        """
        began = False
        for entry in sorted(self._by_source.values(), key=lambda entry: entry.source <= self._served):
            while entry.waits():
                if not within() and began:
                    self._tell_alive()
                    return
                began = True
                self._served = entry.source
                if entry.inbox_waits():
                    self._deliver_batch(entry)
                else:
                    self._control(entry, entry.next_behind())
                    entry.bring_up()
        self._served = 0
        self._tell_alive()

    def _tell_alive(self) -> None:
        for entry in list(self._by_source.values()):
            if entry.spoke:
                entry.spoke = False
                self._listener.stream_alive(entry.key)

    def _deliver_batch(self, entry: Entry) -> None:
        epoch = entry.state.epoch
        batch = entry.inbox.take()
        # The machine first: a first frame confirms, and a hole makes the scope catch up, before anybody shows these events.
        self._step(entry, c.Delivered(epoch, batch.position, batch.hole, bool(batch.items), batch.begins_at))
        begin = 0
        for index, item in enumerate(batch.items):
            control = entry.spec.control(item.event)
            if control is not None:
                # In its place among the events, and handed on like them.
                self._hand_on(entry, batch.items[begin:index], batch)
                begin = index
                self._controlled(entry, control, epoch)
        self._hand_on(entry, batch.items[begin:], batch)

    def _hand_on(self, entry: Entry, items: Sequence[Item], batch: Batch) -> None:
        if items:
            entry.last_delivery_ms = self._clock.now()
            part = batch if len(items) == len(batch.items) else Batch(items, items[-1].position, False)
            used = self._listener.stream_delivered(entry.key, part)
            entry.inbox.count(applied=used, ignored=len(items) - used)

    def _controlled(self, entry: Entry, control: Control, epoch: int) -> None:
        match control:
            case Control.SYNCED:
                self._step(entry, c.Synced(epoch))
            case Control.RESET:
                self._step(entry, c.WasReset(epoch))
            case Control.ERROR:
                self._step(entry, c.Erred(epoch))
            case Control.FORBIDDEN:  # pragma: no branch - there is no other
                self._step(entry, c.Refused(epoch, Verdict.FORBIDDEN))

    def _control(self, entry: Entry, frame: RawFrame) -> None:
        """One record that is not data."""
        event = event_of(frame, entry.state.epoch)
        if event is None:
            return
        if frame.kind is FrameKind.RESET:
            entry.inbox.restart(None)
        self._step(entry, event)
        if frame.kind in (FrameKind.HELLO, FrameKind.HEARTBEAT):
            if frame.kind is FrameKind.HELLO:
                entry.inbox.restart(entry.state.position)
            else:
                entry.inbox.advance(entry.state.position)
            entry.last_beat_ms = self._clock.now()
            entry.spoke = True
            self._listener.server_time(said_at(frame.data))

    # Effects ------------------------------------------------------------------------------------------------------------------

    def _step(self, entry: Entry, event: c.Event) -> None:
        before = entry.state
        entry.state, effects = self._machine.step(before, event, self._clock.now())
        for effect in effects:
            self._run(entry, effect)
        if _shown(before) != _shown(entry.state):
            self._listener.stream_changed(entry.key, entry.state)

    def _run(self, entry: Entry, effect: c.Effect) -> None:
        match effect:
            case c.OpenSocket(epoch, last):
                self._sources_made += 1
                entry.source = self._sources_made
                self._by_source[entry.source] = entry
                entry.inbox.restart(last)
                entry.reconnects += epoch > 1
                self._transport.open(entry.source, entry.key, entry.spec, last)
            case c.CloseSocket():
                self._by_source.pop(entry.source, None)
                self._transport.close(entry.source)
                entry.inbox.restart(entry.state.position)  # a closed stream holds nothing
                entry.forget_behind()
            case c.SetTimer(name, at_ms, epoch):
                self._clear(entry, name)
                entry.timers[name] = self._clock.call_at(at_ms, lambda: self._due(entry, name, epoch, at_ms))
            case c.ClearTimer(name):
                self._clear(entry, name)
            case c.Probe(epoch):
                last = entry.state.position
                entry.probe = self._probe.ask(
                    entry.spec.url(entry.key, str(last) if last else None),
                    lambda verdict, wait: self._step(entry, c.Refused(epoch, verdict, wait)),
                )
            case c.CancelProbe():
                assert entry.probe is not None  # only what was asked is given up
                entry.probe.cancel()
                entry.probe = None
            case c.Confirmed():
                self._listener.stream_confirmed(entry.key, effect)
            case c.Gap(cause):
                entry.gaps += 1
                self._listener.stream_gap(entry.key, cause)
            case c.Placed(position):
                self._listener.stream_placed(entry.key, position)
            case c.Lost():  # pragma: no branch - there is no other
                entry.drops += 1

    def _due(self, entry: Entry, name: c.TimerName, epoch: int, at_ms: float) -> None:
        entry.timers.pop(name, None)
        self._step(entry, c.TimerDue(epoch, name, self._clock.now() - at_ms))

    def _clear(self, entry: Entry, name: c.TimerName) -> None:
        timer: Timer | None = entry.timers.pop(name, None)
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
        """Connections that the streams hold now, open or opening: many streams may ride one."""
        return self._transport.connections()

    def statistics(self) -> tuple[StreamStatistics, ...]:
        now = self._clock.now()
        return tuple(entry.statistics(now) for entry in self._entries.values())

    def totals(self) -> StreamTotals:
        """Over all streams so far (RT-80)."""
        totals = self._forgotten
        for entry in self._entries.values():
            totals = added(totals, entry)
        return replace(totals, probes=self._probe.asked, sleeps=self._sleeps)

    def transport(self) -> TransportStatistics:
        return self._transport.statistics()


def _shown(state: c.Connection) -> tuple[object, ...]:
    """What the listener is told changes of."""
    return (state.phase, state.reason, state.confirmed, state.awaiting, state.error_ms, state.offline)
