"""One tab among many: runs the election through the ports, tells and hears what is wanted, and points the transport (RT-60 to RT-64).

    tabs = Tabs(clock=…, ports=…, inner=…, specs=…, timings=…, random=…, on_server_time=…)
    manager = StreamManager(transport=tabs.transport, listener=tabs.overhear(feeds), …)
    tabs.connect(manager)
    tabs.join()                        # … leave(Out.HIDDEN), join() again, close()

A leader holds what all want through its own manager, which knows backoff, budget and priorities: `manager.want_for_others`. So there is
one connection with one state for a stream, and what becomes of it there is what every tab is told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from pyapp.core.clock import Clock, Timer
from pyapp.core.ports import Cancel, Random
from pyapp.core.streams.connection import Confirmed, Connection
from pyapp.core.streams.inbox import Batch
from pyapp.core.streams.listener import Listener
from pyapp.core.streams.position import Position
from pyapp.core.streams.spec import StreamKey, StreamSpec
from pyapp.core.streams.transport import Transport
from pyapp.core.tabs import election as e
from pyapp.core.tabs import messages as m
from pyapp.core.tabs.machine import Machine
from pyapp.core.tabs.members import Members
from pyapp.core.tabs.ports import Channel, Passed, TabPorts
from pyapp.core.tabs.shared import SharedAnswers
from pyapp.core.tabs.statistics import TabStatistics
from pyapp.core.tabs.transport import TabTransport
from pyapp.core.timings import Timings


class Others(Protocol):
    """Who holds streams for other tabs: the manager."""

    def want_for_others(self, wanted: Mapping[StreamKey, Position | None]) -> None:
        """The whole set of streams that other tabs want."""
        ...

    def try_now(self) -> None:
        """A person asks for an attempt."""
        ...


class Tabs:
    """This tab's part in the group."""

    def __init__(
        self,
        *,
        clock: Clock,
        ports: TabPorts,
        inner: Transport,
        specs: Mapping[str, StreamSpec],
        timings: Timings,
        random: Random,
        visible: Callable[[], bool],
        on_server_time: Callable[[str], None],
        shares: SharedAnswers,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        """Args:
        inner: this tab's own connections, used while it leads or is alone.
        visible: whether a person can see the tab now: only then it steals.
        on_change: told when the role or the leader changed.
        shares: answers for and of other tabs, on the same channel (RT-62).
        """
        self._clock = clock
        self._ports = ports
        self._group = ports.group
        self._shares = shares
        self._specs = specs
        self._timings = timings
        self._visible = visible
        self._on_change = on_change
        self._machine = Machine(timings, random)
        able = e.Out.NO_LOCKS if ports.locks is None else e.Out.NO_CHANNEL if ports.channel is None else e.Out.STARTING
        self._state = e.Election(ports.tab, reason=able, since_ms=clock.now())
        self._able = able is e.Out.STARTING
        self._locks: dict[int, Cancel] = {}
        self._timer: Timer | None = None
        self._flush: Timer | None = None
        self._wanted_ms = 0.0
        """When it was told last what this tab wants."""
        self._others: Others | None = None
        self._members = Members(timings.tab_gone_ms)
        self._passing = ""
        """The term under which this tab speaks; empty while it does not lead."""
        self._counted = 1
        self._told = self._unread = 0
        self._beaten_ms = 0.0
        self.transport = TabTransport(clock=clock, inner=inner, channel=ports.channel, timings=timings, on_server_time=on_server_time)
        self.transport.connect(changed=self._wants_changed, urge=self._urged)

    def connect(self, others: Others) -> None:
        """Who holds what other tabs want; set once, by the composition (each needs the other)."""
        self._others = others

    def overhear(self, listener: Listener) -> Listener:
        """A listener for the manager that tells `listener` everything, and lets this part know how the streams change."""
        return _Overheard(listener, self._stream_changed)

    # What the page does -------------------------------------------------------------------------------------------------------

    def join(self) -> None:
        """Take part; without the browser's means nothing changes (RT-63)."""
        if self._able:
            self._step(e.Joined(self._stored()))

    def leave(self, reason: e.Out) -> None:
        """Take part no longer: hidden past its grace, put away, switched off, closed. The lock is free when this returns."""
        if self._able:
            self._step(e.Left(reason))

    def move(self, group: str) -> None:
        """Somebody else is there: from now on this tab is one of another group's (RT-60). Of the old one nothing is kept: not the lock,
        nor the connection, nor what its leader passed on."""
        if group == self._group:
            return
        taking_part = self._state.role is not e.Role.OUT
        self.leave(e.Out.MOVED)
        self._group = group
        if taking_part:
            self.join()

    def close(self) -> None:
        """The page ends: no lock, channel or timer is left."""
        self.leave(e.Out.CLOSED)
        self.transport.close_all()

    # The election -------------------------------------------------------------------------------------------------------------

    def _step(self, event: e.Event) -> None:
        before = self._state
        self._state, effects = self._machine.step(before, event, self._clock.now())
        for effect in effects:
            self._run(effect)
        if (before.role, before.term) != (self._state.role, self._state.term):
            self._on_change()

    def _run(self, effect: e.Effect) -> None:
        match effect:
            case e.OpenChannel():
                self._channel.open(self._group, self._heard)
                self._shares.join(self._group)
                self.transport.step_down()
            case e.CloseChannel():
                self._shares.leave(closed=self._state.reason is e.Out.CLOSED)
                self._say(m.Going(self._ports.tab))
                self._stop_telling()
                self._channel.follow("")
                self._channel.close()
            case e.RequestLock(lock, steal):
                self._request(lock, steal=steal)
            case e.ReleaseLock(lock):
                self._locks.pop(lock).cancel()
            case e.AskWhoLeads():
                self._say(m.Asking(self._ports.tab))
            case e.StoreTerm(number):
                if self._ports.storage is not None:
                    self._ports.storage.set(self._term_name, str(number))
            case e.Lead(term, patience_ms):
                self._lead(term, patience_ms)
            case e.Beat(term, patience_ms):
                self._beat(term, patience_ms)
            case e.Resign(term):
                self._say(m.Resigning(term))
                self._serve_nobody()
            case e.Claim(term):
                self._say(m.Claiming(term))
            case e.Lag(term):
                self._say(m.Lagging(term))
            case e.StepDown():
                self._serve_nobody()
                self.transport.step_down()
            case e.Follow(term):
                self.transport.unled()
                self._channel.follow(str(term))
                self.transport.follow()
            case e.Unled():
                self.transport.unled()
                self._stop_telling()
            case e.ActAlone():
                self._counted = 1
                self.transport.act_alone()
            case e.SetTimer(timer, name, at_ms):
                self._clear()
                self._timer = self._clock.call_at(at_ms, lambda: self._step(e.Due(timer, name, self._visible())))
            case e.ClearTimer():  # pragma: no branch - there is no other effect
                self._clear()

    @property
    def _channel(self) -> Channel:
        channel = self._ports.channel
        assert channel is not None
        return channel

    @property
    def _manager(self) -> Others:
        assert self._others is not None  # connected before anybody takes part
        return self._others

    @property
    def _term_name(self) -> str:
        return f"{self._group}:term"

    def _request(self, lock: int, *, steal: bool) -> None:
        assert self._ports.locks is not None
        self._locks[lock] = self._ports.locks.request(
            self._group,
            steal=steal,
            granted=lambda: self._step(e.Granted(lock, self._stored())),
            lost=lambda: self._taken(lock),
        )

    def _taken(self, lock: int) -> None:
        self._locks.pop(lock, None)
        self._step(e.Taken(lock))

    def _stored(self) -> int:
        text = self._ports.storage.get(self._term_name) if self._ports.storage is not None else None
        return int(text) if text is not None and text.isascii() and text.isdecimal() and len(text) < 16 else 0

    def _clear(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # Leading ------------------------------------------------------------------------------------------------------------------

    def _lead(self, term: e.Term, patience_ms: float) -> None:
        self._stop_telling()
        self._channel.follow("")
        self._passing = str(term)
        self._beat(term, patience_ms)
        self.transport.lead(self._pass_on)

    def _beat(self, term: e.Term, patience_ms: float) -> None:
        now = self._clock.now()
        late, self._beaten_ms = now - self._beaten_ms > 2 * self._timings.leader_beat_ms, now
        # What the others said waits behind a timer that is late itself: nobody is forgotten now.
        if not late and self._members.forget_silent(now):
            self._serve()
        self._counted = len(self._members) + 1
        self._say(m.Beating(term, self._counted, self.transport.connections(), patience_ms))

    def _pass_on(self, record: Passed, to: str = "") -> None:
        if self._passing and (to or self._members):
            self._told += 1
            self._channel.pass_on(self._passing, to, record)

    def _serve(self) -> None:
        """Hold what the other tabs want; pass frames on only while there are any."""
        self._channel.forward(self._passing if self._members else "")
        self._manager.want_for_others(self._members.union())

    def _serve_nobody(self) -> None:
        self._passing = ""
        self._members.clear()
        self._serve()

    def _stream_changed(self, key: StreamKey, state: Connection) -> None:
        self.transport.changed(key, self._specs[key.name], state)

    # Following ----------------------------------------------------------------------------------------------------------------

    def _wants_changed(self) -> None:
        """All changes of one tick are told at once."""
        if self._flush is None and self._state.role is e.Role.FOLLOWING:
            self._flush = self._clock.call_at(self._clock.now(), self._tell_wants)

    def _tell_wants(self) -> None:
        self._stop_telling()
        self._wanted_ms = self._clock.now()
        streams, asked = self.transport.wants()
        self._say(m.Wanting(self._ports.tab, self._state.term, streams, asked))

    def _stop_telling(self) -> None:
        if self._flush is not None:
            self._flush.cancel()
            self._flush = None

    def _urged(self) -> None:
        if self._state.role is e.Role.FOLLOWING:
            self._say(m.Urging(self._state.term))

    # Messages -----------------------------------------------------------------------------------------------------------------

    def _say(self, message: m.Message) -> None:
        self._channel.post(m.write(message))

    def _heard(self, text: str) -> None:
        if self._shares.heard(text):
            return
        match m.read(text):
            case None:
                self._unread += 1
            case m.Beating(term, tabs, connections, patience_ms):
                self._step(e.Heard(term, tabs, patience_ms))
                if self._state.role is e.Role.FOLLOWING and term == self._state.term:
                    self._counted = tabs
                    if self._clock.now() - self._wanted_ms >= self._timings.want_ms:
                        self._tell_wants()  # by the leader's beat: timers of tabs that are not in front may wait for a minute
                    self.transport.leaders_connections = connections
            case m.Resigning(term):
                self._step(e.Resigned(term))
            case m.Claiming(term):
                self._step(e.Claimed(term))
            case m.Lagging(term):
                self._step(e.Lagged(term))
            case m.Asking():
                if self._leading:
                    self._beat(self._state.term, self._machine.patience_ms(self._state))
            case m.Wanting(tab, term, streams, ask):
                if self._leading and term == self._state.term:
                    self._wanted(tab, streams, ask)
            case m.Going(tab):
                self._shares.gone(tab)
                if self._leading and self._members.gone(tab):
                    self._serve()
            case m.Urging(term):  # pragma: no branch - there is no other message
                if self._leading and term == self._state.term:
                    self._manager.try_now()

    @property
    def _leading(self) -> bool:
        return self._state.role is e.Role.LEADING

    def _wanted(self, tab: str, streams: Mapping[StreamKey, Position | None], ask: frozenset[str]) -> None:
        known = {key: last for key, last in streams.items() if key.name in self._specs}
        alone, forgotten = not self._members, tab not in self._members
        # How those stand that are open before the others are opened: of these all tabs hear as it happens.
        if self._members.heard(tab, known, self._clock.now()) or alone:
            self._serve()
        lasts = {self._specs[key.name].wire_key(key): last for key, last in known.items()}
        for record in self.transport.standing({wire: last for wire, last in lasts.items() if wire in ask}):
            self._pass_on(record, tab)
        if forgotten:
            # It thinks that it is served, but what came meanwhile may not have been passed on.
            for record in self.transport.standing({wire: last for wire, last in lasts.items() if wire not in ask}, anew=True):
                self._pass_on(record, tab)

    def statistics(self) -> TabStatistics:
        state = self._state
        taking_part = state.role is not e.Role.OUT
        led = state.role in (e.Role.FOLLOWING, e.Role.LEADING)
        served = [self._specs[key.name].wire_key(key) for key in self._members.union()]
        return TabStatistics(
            tab=state.tab,
            role=state.role,
            reason=e.Out.NONE if taking_part else state.reason,
            since_ms=state.since_ms,
            term=str(state.term) if led else "",
            leader=state.term.tab if led else "",
            tabs=self._counted,
            serving=len(served),
            forwarded=tuple(sorted(self.transport.brought() if state.role is e.Role.FOLLOWING else served)),
            told=self._told,
            received=self.transport.follower.received,
            strays=self.transport.follower.strays,
            early=self.transport.follower.early,
            invalid=self.transport.follower.invalid,
            takeovers=state.takeovers,
            steals=state.steals,
            deposed=state.deposed,
            stalls=state.stalls,
            hasty=state.hasty,
            unled_ms=state.unled_ms,
            patience_ms=self._machine.patience_ms(state),
            usual_ms=self._timings.leader_silence_ms,
            unread=self._unread,
            shared=self._shares.statistics(),
        )


class _Overheard:
    """A `Listener` that hands everything on."""

    def __init__(self, listener: Listener, changed: Callable[[StreamKey, Connection], None]) -> None:
        self._listener = listener
        self._changed = changed

    def stream_changed(self, key: StreamKey, state: Connection) -> None:
        self._changed(key, state)
        self._listener.stream_changed(key, state)

    def stream_confirmed(self, key: StreamKey, confirmed: Confirmed) -> None:
        self._listener.stream_confirmed(key, confirmed)

    def stream_gap(self, key: StreamKey, cause: str) -> None:
        self._listener.stream_gap(key, cause)

    def stream_placed(self, key: StreamKey, position: Position) -> None:
        self._listener.stream_placed(key, position)

    def stream_delivered(self, key: StreamKey, batch: Batch) -> int:
        return self._listener.stream_delivered(key, batch)

    def stream_alive(self, key: StreamKey) -> None:
        self._listener.stream_alive(key)

    def server_time(self, wall_ms_text: str) -> None:
        self._listener.server_time(wall_ms_text)
