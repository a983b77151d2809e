"""How frames come: one connection per stream, or something that carries many (RT-60, RT-64).

The manager opens *sources* by number and takes records that carry these numbers. Whether a source is an event source of its own, a
place in the one multiplexed connection, or what a leading tab passes on, it cannot tell. Records are told apart by `FrameKind`: a
transport that shares a connection says `LOST` when that is gone and `on_ready` when it is being brought back, and keeps the places of
its sources in between.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from typing import Protocol

from pyapp.core.ports import EventSources, RawFrame
from pyapp.core.streams.connection import Connection, Reason
from pyapp.core.streams.position import Position
from pyapp.core.streams.spec import StreamKey, StreamSpec


class Ready(Protocol):
    """Who waits for a shared connection."""

    def __call__(self, sources: Container[int] | None = None) -> None:
        """Open anew what waits: these sources, or all."""
        ...


SHARED_LIMIT = 64
"""So many streams may ride one connection."""


@dataclass(frozen=True, slots=True)
class TransportStatistics:
    """What the dock shows of the transport (RT-80).

    Attributes:
        kind: `direct`, `multiplexed`, or `direct (the server has no multiplexed connection)`.
        connections: how many the browser holds now.
        state: of the physical connection, where there is one for all.
        requests: changes of the set that were asked for.
        envelopes, invalid, strays, early: frames with an address; those that are none; those for nobody; those from before the
            subscription that they would belong to was greeted.
        reconnects, drops: of the physical connection.
        samples: frames that were no envelope, shortened.
    """

    kind: str
    connections: int
    state: Connection | None = None
    requests: int = 0
    envelopes: int = 0
    invalid: int = 0
    strays: int = 0
    early: int = 0
    reconnects: int = 0
    drops: int = 0
    samples: tuple[str, ...] = ()


class Transport(Protocol):
    """What the manager needs of whatever brings frames."""

    def open(self, source: int, key: StreamKey, spec: StreamSpec, last: Position | None) -> None:
        """Open a stream under a number, after `last` where a place is known; its records carry the number."""
        ...

    def close(self, source: int) -> None:
        """Give it up. Its waiting records may still come; unknown numbers are ignored."""
        ...

    def drain(self) -> Sequence[RawFrame]:
        """All waiting records in order, and ask to be woken by the next."""
        ...

    def on_wake(self, callback: Callable[[], None]) -> None:
        """Call back when a record comes in while none was waiting."""
        ...

    def on_ready(self, callback: Ready) -> None:
        """Call back when a shared connection is about to be opened again, or the limit changed: who waits for it opens now."""
        ...

    def limit(self, single: int) -> int:
        """How many streams may be open, where `single` is the limit for connections of their own (RT-64)."""
        ...

    def connections(self) -> int:
        """How many connections are held."""
        ...

    def try_now(self) -> None:
        """Attempt a shared connection without waiting, also one that was forbidden."""
        ...

    def network(self, *, online: bool) -> bool:
        """The network's hint (RT-52); true where a shared connection is renewed from here, so that its streams need not be."""
        ...

    def release(self, reason: Reason) -> None:
        """Nothing will be wanted soon, for this reason: what is held for nobody is closed at once and not after the linger."""
        ...

    def forget(self) -> None:
        """What is open is dead or to be taken for dead, without a word: the streams are about to be opened anew."""
        ...

    def statistics(self) -> TransportStatistics: ...


class DirectTransport:
    """An event source per stream."""

    def __init__(self, sources: EventSources) -> None:
        self._sources = sources
        self._open: set[int] = set()

    def open(self, source: int, key: StreamKey, spec: StreamSpec, last: Position | None) -> None:
        self._open.add(source)
        self._sources.open(source, spec.url(key, str(last) if last else None))

    def close(self, source: int) -> None:
        self._open.discard(source)
        self._sources.close(source)

    def drain(self) -> Sequence[RawFrame]:
        return self._sources.drain()

    def on_wake(self, callback: Callable[[], None]) -> None:
        self._sources.on_wake(callback)

    def on_ready(self, callback: Ready) -> None:
        """Never called: every stream brings back its own connection."""

    def limit(self, single: int) -> int:
        return single

    def connections(self) -> int:
        return len(self._open)

    def try_now(self) -> None:
        """Nothing is shared."""

    def network(self, *, online: bool) -> bool:
        return False

    def release(self, reason: Reason) -> None:
        """Nothing is held for nobody."""

    def forget(self) -> None:
        """Each stream closes its own."""

    def statistics(self) -> TransportStatistics:
        return TransportStatistics("direct", len(self._open))
