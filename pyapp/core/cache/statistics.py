"""What the cache says of itself (RT-80): plain figures, read at one moment."""

from __future__ import annotations

from dataclasses import dataclass

from pyapp.core.cache.query import Query


@dataclass(frozen=True, slots=True)
class QueryStatistics:
    """What the dock shows of one query.

    Attributes:
        stale: it is known to be old, and is fetched when somebody looks.
        gc_due_ms: so long until it is forgotten; `None` while somebody looks.
        layers: what a person did and the server has not confirmed.
        fetches, select_errors: since it was made.
    """

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
    pages: int
    stale: bool
    gc_due_ms: float | None
    layers: int
    fetches: int
    select_errors: int


@dataclass(frozen=True, slots=True)
class CacheStatistics:
    """Every query, and since the start: results told and held back as unchanged, fetches begun and given up, queries forgotten
    after their time and because they were too much, callbacks that raised, and functions of observers that did."""

    queries: tuple[QueryStatistics, ...]
    notified: int
    unchanged: int
    fetches: int
    cancelled: int
    collected: int
    evicted: int
    raised: int
    select_errors: int


def statistics_of(query: Query, now_ms: float) -> QueryStatistics:
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
        pages=query.pages,
        stale=query.stale_at_ms is not None,
        gc_due_ms=None if query.gc_at_ms is None else query.gc_at_ms - now_ms,
        layers=0 if query.layers is None else len(query.layers),
        fetches=query.fetches,
        select_errors=query.select_errors,
    )
