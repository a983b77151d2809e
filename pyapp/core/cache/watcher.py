"""Who is told what happens to queries, and decides when an active one is fetched: the feeds."""

from __future__ import annotations

from typing import Protocol

from pyapp.core.cache.query import Query
from pyapp.core.requests.coordinator import Answer
from pyapp.core.streams.position import Position


class Watcher(Protocol):
    """The one listener of a cache."""

    def activated(self, query: Query) -> None:
        """The first observer that lets it move came."""
        ...

    def deactivated(self, query: Query) -> None: ...

    def fetch_began(self, query: Query) -> None: ...

    def replacing(self, query: Query) -> None:
        """A snapshot is about to replace what the query holds."""
        ...

    def collected(self, query: Query) -> None:
        """The query is forgotten."""
        ...

    def fetched(self, query: Query, answer: Answer | None) -> None:
        """A fetch ended: with data (already in the query), or with `query.error`."""
        ...

    def measure(self, query: Query) -> None:
        """Bring `query.freshness` up to date; called before observers are told."""
        ...

    def reconsider(self, query: Query) -> None:
        """What decides when an active query is fetched next changed: an interval, an invalidation, a fetch that was given up."""
        ...

    def fed(self, query: Query) -> bool:
        """Whether a healthy stream writes it: such data is never stale."""
        ...

    def paused(self, query: Query) -> bool:
        """Whether something pauses fetching; what became old meanwhile is fetched when it goes on."""
        ...

    def borrows(self, query: Query) -> float | None:
        """How old an answer of another tab may be in ms; `None` where only the server will do (RT-62)."""
        ...

    def admits(self, query: Query, began_ms: float, position: Position | None, not_before_ms: float | None) -> bool:
        """Whether data of another tab misses nothing that a request since `not_before_ms` would bring (RT-7, RT-31)."""
        ...


class Nobody:
    """A cache by itself: nothing is fetched but by those who ask."""

    def activated(self, query: Query) -> None: ...

    def deactivated(self, query: Query) -> None: ...

    def fetch_began(self, query: Query) -> None: ...

    def replacing(self, query: Query) -> None: ...

    def collected(self, query: Query) -> None: ...

    def fetched(self, query: Query, answer: Answer | None) -> None: ...

    def measure(self, query: Query) -> None: ...

    def reconsider(self, query: Query) -> None: ...

    def fed(self, query: Query) -> bool:
        return False

    def paused(self, query: Query) -> bool:
        return False

    def borrows(self, query: Query) -> float | None:
        return None

    def admits(self, query: Query, began_ms: float, position: Position | None, not_before_ms: float | None) -> bool:
        return False  # pragma: no cover - nothing is borrowed, so nobody asks
