"""What the cache says of itself (RT-80): plain figures, read at one moment."""

from __future__ import annotations

from dataclasses import dataclass

from pyapp.core.cache.query import Query


@dataclass(frozen=True, slots=True)
class QueryStatistics:
    """What the dock shows of one query."""

    key: str
    state: str
    reason: str
    observers: int
    live_observers: int
    has_data: bool
    fetching: bool
    updated_ms: float | None
    position: str
    error: str
    events: int


@dataclass(frozen=True, slots=True)
class CacheStatistics:
    queries: tuple[QueryStatistics, ...]
    notified: int
    unchanged: int
    fetches: int
    collected: int
    raised: int


def statistics_of(query: Query) -> QueryStatistics:
    """One query's figures."""
    return QueryStatistics(
        key=str(query.key),
        state=query.freshness.state,
        reason=query.freshness.reason,
        observers=len(query.observers),
        live_observers=query.live_observers,
        has_data=query.has_data,
        fetching=query.fetching,
        updated_ms=query.updated_wall_ms,
        position=str(query.position or ""),
        error=str(query.error or ""),
        events=query.events_seen,
    )
