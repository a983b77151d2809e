"""The transport of one tab among many: its own connections while it leads or is alone, its leader's while it follows (RT-60).

    alone, leading       the inner transport; leading, every record is looked at, and the tabs hear how each stream stands
    waiting, following   records of the channel; a stream that nobody brings yet waits as if it were connecting

The manager notices nothing but `LOST` when the one becomes the other, and `on_ready` when somebody brings the streams again. Records
that lie before a `LOST` are handed on before it; because the manager may still be busy with them, `on_ready` is repeated until every
stream that was lost is opened anew or given up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pyapp.core.clock import Clock, Timer
from pyapp.core.ports import RawFrame
from pyapp.core.streams.connection import Connection, Reason
from pyapp.core.streams.control import lost
from pyapp.core.streams.position import Position
from pyapp.core.streams.spec import StreamKey, StreamSpec
from pyapp.core.streams.transport import SHARED_LIMIT, Ready, Transport, TransportStatistics
from pyapp.core.tabs.follower import Follower
from pyapp.core.tabs.leader import Leader
from pyapp.core.tabs.ports import Channel, Passed
from pyapp.core.timings import Timings


@dataclass(slots=True)
class _Open:
    key: StreamKey
    spec: StreamSpec
    wire: str
    last: Position | None


class TabTransport:
    """`Transport` for the manager; the election (by `Tabs`) decides where its records come from."""

    def __init__(
        self,
        *,
        clock: Clock,
        inner: Transport,
        channel: Channel | None,
        timings: Timings,
        on_server_time: Callable[[str], None],
    ) -> None:
        self._clock = clock
        self._inner = inner
        self._channel = channel
        self._timings = timings
        self._open: dict[int, _Open] = {}
        self._stale: set[int] = set()
        """Sources that were said to be lost and must be opened anew."""
        self.follower = Follower(clock.now, on_server_time)
        self._leader: Leader | None = None
        self._pass_on: Callable[[Passed], None] = lambda record: None
        self._following = False
        self._led = False
        self._said: list[RawFrame] = []
        self._asked: set[str] = set()
        self._changed: Callable[[], None] = lambda: None
        self._urge: Callable[[], None] = lambda: None
        self._wake: Callable[[], None] = lambda: None
        self._ready: Ready = lambda sources=None: None
        self._again: Timer | None = None
        self.leaders_connections = 0

    def connect(self, *, changed: Callable[[], None], urge: Callable[[], None]) -> None:
        """Who is told, while this tab follows, that it wants other streams, and that a person asks for an attempt; set once."""
        self._changed = changed
        self._urge = urge

    # Where records come from --------------------------------------------------------------------------------------------------

    def act_alone(self) -> None:
        """Connections of our own, for nobody else."""
        self._leader = None
        self._turn(following=False)

    def lead(self, pass_on: Callable[[Passed], None]) -> None:
        """Connections of our own, and `pass_on` tells all tabs how each stream stands. Before that this tab waited or followed."""
        self._leader = Leader()
        self._pass_on = pass_on
        self._turn(following=False)

    def step_down(self) -> None:
        """Wait for somebody who leads; nothing is told to anybody any more."""
        self._leader = None
        self._turn(following=True)

    def follow(self) -> None:
        """Somebody leads: what is open is asked for there. Whatever an earlier leader brought ends here."""
        self.unled()
        self._led = True
        self._asked = {one.wire for source, one in self._open.items() if source not in self._stale}
        self._retry()
        self._changed()

    def unled(self) -> None:
        """Nobody leads: what was being brought is lost."""
        self._led = False
        self._take_in()
        self._lose(self.follower.lose(Reason.FOLLOWER))
        self._stale.update(place.source for place in self.follower.places() if place.lost)

    def _turn(self, *, following: bool) -> None:
        """From our own connections to a leader's, or back. What never was greeted just goes on there."""
        if following and not self._following:
            self._take_in()
            self._following = True
            for source in self._open:
                self._inner.close(source)
                self._name(source, "")
            self._inner.release(Reason.FOLLOWER)
            self._lose([lost(source, Reason.FOLLOWER, None) for source in self._open])
        elif not following and self._following:
            self.unled()
            self._following = False
            for source in self._open:
                self.follower.close(source)
            self.follower.forget_held()
            for source, one in list(self._open.items()):
                if source not in self._stale:
                    self._open_inner(source, one)
            self._retry()

    def _lose(self, records: Sequence[RawFrame]) -> None:
        if records:
            self._said.extend(records)
            self._stale.update(record.source for record in records)
            self._wake()

    def _due(self) -> frozenset[int]:
        """Sources that are lost, and would be brought again if they were opened anew now."""
        if not self._following:
            return frozenset(self._stale)
        held = frozenset(place.source for place in self.follower.places() if place.held)
        return held | self._stale if self._led else frozenset()

    def _retry(self) -> None:
        """Open anew what was lost, once the manager has taken that in."""
        if self._again is None and self._due():
            self._again = self._clock.call_at(self._clock.now() + self._timings.beat_first_ms, self._retried)

    def _retried(self) -> None:
        self._again = None
        if self._said:
            self._wake()
        else:
            self._ready(self._due())
            self.follower.forget_held()
        self._retry()

    # The streams' side --------------------------------------------------------------------------------------------------------

    def open(self, source: int, key: StreamKey, spec: StreamSpec, last: Position | None) -> None:
        one = self._open[source] = _Open(key, spec, spec.wire_key(key), last)
        self._keep()
        if not self._following:
            self._open_inner(source, one)
            return
        held = self.follower.open(source, key, one.wire, last)
        if held:
            self._said.extend(held)
            self._wake()
        else:
            self._asked.add(one.wire)
        self._changed()

    def _open_inner(self, source: int, one: _Open) -> None:
        if self._leader is not None:
            self._name(source, one.wire)
            self._pass_on(self._leader.open(source, one.wire, one.spec, one.last))
        self._inner.open(source, one.key, one.spec, one.last)

    def close(self, source: int) -> None:
        self._stale.discard(source)
        self._open.pop(source, None)
        self._keep()
        if self._following:
            self.follower.close(source)
            self._changed()
            return
        if self._leader is not None:
            self._leader.close(source)
            self._name(source, "")
        self._inner.close(source)

    def _keep(self) -> None:
        if self._channel is not None:
            self._channel.keep({one.wire for one in self._open.values()})

    def _name(self, source: int, label: str) -> None:
        assert self._channel is not None  # who leads or follows has one
        self._channel.name_source(source, label)

    def drain(self) -> Sequence[RawFrame]:
        self._take_in()
        said, self._said = self._said, []
        return said

    def _take_in(self) -> None:
        """Everything that waits on the host's side, in order after what was said before."""
        if not self._following:
            records = self._inner.drain()
            if self._leader is not None:
                for record in records:
                    self._leader.note(record)
            self._said.extend(records)
        else:
            assert self._channel is not None  # who follows has one
            records, ready = self.follower.passed(self._channel.drain())
            self._said.extend(records)
            if ready:
                self._retry()

    def on_wake(self, callback: Callable[[], None]) -> None:
        self._wake = callback
        self._inner.on_wake(callback)
        if self._channel is not None:
            self._channel.on_wake(callback)

    def on_ready(self, callback: Ready) -> None:
        self._ready = callback
        self._inner.on_ready(callback)  # while another tab leads, nothing is open there that could be brought back

    def limit(self, single: int) -> int:
        return SHARED_LIMIT if self._following else self._inner.limit(single)

    def connections(self) -> int:
        return self.leaders_connections if self._following else self._inner.connections()

    def try_now(self) -> None:
        if self._following:
            self._urge()
        else:
            self._inner.try_now()

    def close_all(self) -> None:
        """The page is closed: no timer is left."""
        if self._again is not None:
            self._again.cancel()
            self._again = None

    def network(self, *, online: bool) -> bool:
        renewed = self._inner.network(online=online)
        return self._following or renewed  # a leader renews for all

    def release(self, reason: Reason) -> None:
        self._inner.release(reason)

    def forget(self) -> None:
        if not self._following:
            self._inner.forget()

    def statistics(self) -> TransportStatistics:
        if self._following:
            return TransportStatistics("the leading tab's", 0, strays=self.follower.strays, early=self.follower.early)
        return self._inner.statistics()

    # What `Tabs` needs --------------------------------------------------------------------------------------------------------

    def wants(self) -> tuple[dict[StreamKey, Position | None], frozenset[str]]:
        """What this tab wants of its leader, and the wire keys of which it must be told how they stand; they are asked once."""
        asked, self._asked = frozenset(self._asked), set()
        places = {place.source: place for place in self.follower.places()}
        last = {one.key: places[source].last if source in places else one.last for source, one in self._open.items()}
        return last, asked

    def standing(self, streams: Mapping[str, Position | None], *, anew: bool = False) -> Sequence[Passed]:
        """How streams stand, by wire key, for a tab that has each up to a place: exactly up to the last record that was passed on.

        Args:
            anew: the tab missed something since, and does not know.
        """
        assert self._leader is not None  # only who leads is asked
        waiting = len(self._said)
        self._take_in()
        if len(self._said) > waiting:
            self._wake()
        tell = self._leader.anew if anew else self._leader.standing
        return [record for wire, last in streams.items() for record in tell(wire, last)]

    def brought(self) -> list[str]:
        """The wire keys of the streams that the leader brings to this tab."""
        return [place.wire for place in self.follower.places() if place.greeted]

    def changed(self, key: StreamKey, spec: StreamSpec, state: Connection) -> None:
        """A stream of this tab changed: while it leads, all tabs hear of it."""
        if self._leader is not None:
            said = self._leader.changed(spec.wire_key(key), state, self._clock.now())
            if said is not None:
                self._pass_on(said)
