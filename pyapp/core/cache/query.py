"""One query of the cache, and an observer of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from pyapp.core.cache.keys import QueryKey
from pyapp.core.cache.result import Result
from pyapp.core.cache.spec import QuerySpec
from pyapp.core.clock import Timer
from pyapp.core.errors import RequestError
from pyapp.core.freshness import Freshness, FreshnessReason, FreshnessState
from pyapp.core.ports import Cancel
from pyapp.core.streams.position import Position

ResultCallback = Callable[[Result[Any]], None]


@dataclass(slots=True, eq=False)
class Query:
    """The state of one key. Only the cache and the feeds change it.

    Attributes:
        data, has_data: the last good data, and whether there was any: `None` is data (RT-10).
        error, failures: why the last fetch failed, and how many did in a row.
        updated_wall_ms: wall time at which the data was last known to equal the server's.
        began_ms: clock time at which the request of the last snapshot began.
        tried_ms: clock time at which the last fetch, good or bad, ended.
        position: everything of the stream up to here is in the data (RT-7).
        fetch: the request under way.
        freshness: what the feeds measured last.
        asked_by_user: the fetch under way was asked for by a person: it is for those too who paused (RT-37).
    """

    key: QueryKey
    spec: QuerySpec[Any]
    data: Any = None
    has_data: bool = False
    error: RequestError | None = None
    failures: int = 0
    updated_wall_ms: float | None = None
    snapshot_wall_ms: float | None = None
    began_ms: float | None = None
    tried_ms: float | None = None
    position: Position | None = None
    fetch: Cancel | None = None
    fetch_began_ms: float = 0.0
    observers: list[Observer] = field(default_factory=list["Observer"])
    freshness: Freshness = field(default_factory=Freshness)
    gc: Timer | None = None
    asked_by_user: bool = False
    events_seen: int = 0

    @property
    def fetching(self) -> bool:
        return self.fetch is not None

    @property
    def live_observers(self) -> int:
        """How many observe it and let it move (RT-5, RT-11)."""
        return sum(1 for observer in self.observers if observer.live)

    def result(self) -> Result[Any]:
        return Result(self.data, self.has_data, self.error, self.fetching, self.updated_wall_ms, self.freshness)


class ObserverOwner(Protocol):
    def leave(self, observer: Observer) -> None: ...

    def set_live(self, observer: Observer, live: bool) -> None: ...


class Observer:
    """Somebody who looks at a query.

    While `live` is off the observer keeps the result it had: data, error and times stand still, and only the mark says that it is
    paused and how much has happened since (RT-5).
    """

    __slots__ = ("_closed", "_owner", "callback", "frozen", "frozen_at_events", "last", "live", "on_close", "query")

    def __init__(self, owner: ObserverOwner, query: Query, callback: ResultCallback, live: bool) -> None:
        self._owner = owner
        self._closed = False
        self.query = query
        self.callback = callback
        self.live = live
        self.last: Result[Any] | None = None
        self.frozen: Result[Any] | None = None
        self.frozen_at_events = 0
        self.on_close: Callable[[], None] | None = None

    @property
    def result(self) -> Result[Any]:
        """What the observer may show now."""
        if not self.live and self.frozen is not None and not self.frozen.has_data and self.query.has_data:
            # Paused before there was anything to keep: what came first is kept.
            self.keep(self.query.result())
        if self.live or self.frozen is None or not self.frozen.has_data:
            return self.query.result()
        missed = self.query.events_seen - self.frozen_at_events
        kept = self.frozen
        mark = Freshness(
            state=FreshnessState.PAUSED,
            reason=FreshnessReason.USER,
            since_ms=kept.freshness.since_ms,
            mode="snapshot",
            health="paused by you",
            last_delivery_ms=kept.freshness.last_delivery_ms,
            last_snapshot_ms=kept.freshness.last_snapshot_ms,
            changes_since=missed,
        )
        return Result(kept.data, kept.has_data, kept.error, False, kept.updated_ms, mark)

    def keep(self, result: Result[Any]) -> None:
        """Show this for as long as it is paused (RT-5)."""
        self.frozen = result
        self.frozen_at_events = self.query.events_seen

    def set_live(self, live: bool) -> None:
        """Live on or off for this observer alone (RT-5)."""
        if not self._closed and live is not self.live:
            self._owner.set_live(self, live)

    def close(self) -> None:
        """Look no longer; twice is once."""
        if not self._closed:
            self._closed = True
            self._owner.leave(self)
            if self.on_close is not None:
                self.on_close()


def unchanged(before: Result[Any] | None, after: Result[Any]) -> bool:
    """Whether an observer that saw `before` needs to hear of `after`: by identity for data, by value for the rest (RT-10).

    That a request is under way is no news where the data is as fresh as it should be: every poll would be told twice.
    """
    return (
        before is not None
        and before.data is after.data
        and before.has_data is after.has_data
        and before.error is after.error
        and (before.fetching is after.fetching or (after.has_data and after.freshness.calm))
        and before.updated_ms == after.updated_ms
        and before.freshness == after.freshness
    )
