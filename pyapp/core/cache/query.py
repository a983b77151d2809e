"""The state of one key. What observers look at is built from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pyapp.core.cache.keys import QueryKey
from pyapp.core.cache.layers import Layers
from pyapp.core.cache.result import Result
from pyapp.core.cache.spec import QuerySpec
from pyapp.core.clock import Timer
from pyapp.core.errors import RequestError
from pyapp.core.freshness import Freshness
from pyapp.core.ports import Cancel
from pyapp.core.streams.position import Position

if TYPE_CHECKING:
    from pyapp.core.cache.observer import Observer


@dataclass(slots=True, eq=False)
class Query:
    """The state of one key. Only the cache and the feeds change it.

    Attributes:
        data, has_data: the last good data as the server said it, and whether there was any: `None` is data (RT-10).
        layers: what a person did and the server has not confirmed, over the data (RT-10).
        pages: how many pages are in the data.
        error, failures: why the last fetch failed, and how many did in a row.
        updated_wall_ms: wall time at which the data was last known to equal the server's.
        began_ms: clock time at which the request of the last snapshot began.
        tried_ms: clock time at which the last fetch, good or bad, ended.
        stale_at_ms: clock time at which the data became old by somebody's word, until a snapshot from later came.
        cancelled_ms: clock time at which the last fetch was given up by somebody's word, until the next begins.
        position: everything of the stream up to here is in the data (RT-7).
        borrowed, partial: the data came from another tab, and that tab waited for more from the server (RT-62).
        fetch, appending: the request under way, and whether it is only for a further page.
        freshness: what the feeds measured last.
        gc, gc_ms: the timer that forgets it, and the longest time that an observer asked for.
        asked_by_user: the fetch under way was asked for by a person: it is for those too who paused (RT-37).
        fetches, select_errors: counted since it was made.
    """

    key: QueryKey
    spec: QuerySpec[Any]
    data: Any = None
    has_data: bool = False
    layers: Layers | None = None
    pages: int = 0
    error: RequestError | None = None
    failures: int = 0
    updated_wall_ms: float | None = None
    snapshot_wall_ms: float | None = None
    began_ms: float | None = None
    tried_ms: float | None = None
    stale_at_ms: float | None = None
    cancelled_ms: float | None = None
    position: Position | None = None
    borrowed: bool = False
    partial: bool = False
    fetch: Cancel | None = None
    fetch_began_ms: float = 0.0
    appending: bool = False
    observers: list[Observer] = field(default_factory=list["Observer"])
    freshness: Freshness = field(default_factory=Freshness)
    gc: Timer | None = None
    gc_ms: float | None = None
    gc_at_ms: float | None = None
    asked_by_user: bool = False
    events_seen: int = 0
    fetches: int = 0
    select_errors: int = 0

    @property
    def fetching(self) -> bool:
        return self.fetch is not None

    @property
    def live_observers(self) -> int:
        """How many observe it and let it move (RT-5, RT-11)."""
        return sum(1 for observer in self.observers if observer.active)

    @property
    def owner(self) -> str:
        """Who its requests are for: the first that lets it move, else the first."""
        named = [observer for observer in self.observers if observer.options.owner]
        first = next((observer for observer in named if observer.active), named[0] if named else None)
        return first.options.owner if first is not None else ""

    def result(self) -> Result[Any]:
        data, pending = self.data, False
        if self.layers is not None and self.has_data:
            data, pending = self.layers.over(data), len(self.layers) > 0
        return Result(data, self.has_data, self.error, self.fetch is not None, self.updated_wall_ms, self.freshness, False, pending)
