"""What the dock shows of the feeds (RT-80): each stream that is wanted, each family that is polled by design, and each query."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from pyapp.core.cache.query import Query
from pyapp.core.feeds.modes import Fed, mode_of, polling_of
from pyapp.core.feeds.pause import NOTHING, Pauses, words
from pyapp.core.feeds.scope import Feed, Scope
from pyapp.core.streams.connection import Connection
from pyapp.core.timings import Timings


@dataclass(frozen=True, slots=True)
class DomainStatistics:
    """One domain: a stream with what it feeds, or a family that no stream writes (then there is no health).

    Attributes:
        mode, health, polling, interval_ms: RT-80's words; the interval only while it is polled.
        drift_keys: rows that differed from the server's when they were compared last (RT-35), at most five.
        silent_gaps: differences found at a stream that was silent and announces nothing (RT-26).
    """

    key: str
    mode: str
    health: str
    polling: str
    interval_ms: float | None
    queries: int
    subscribers: int
    last_delivery_ms: float | None = None
    resyncs: int = 0
    fallbacks: int = 0
    drifts: int = 0
    drift_keys: tuple[str, ...] = ()
    silent_gaps: int = 0


@dataclass(frozen=True, slots=True)
class FeedStatistics:
    """One query that somebody looks at: what pauses its fetches (RT-31), what is owed to it, and when it is fetched next and why."""

    key: str
    pauses: tuple[str, ...]
    owed: str
    next_ms: float | None
    why: str


@dataclass(frozen=True, slots=True)
class FeedsStatistics:
    """`fetches` counts automatic ones by reason."""

    domains: tuple[DomainStatistics, ...]
    queries: tuple[FeedStatistics, ...]
    fetches: Mapping[str, int]


def fed_of(scope: Scope, connection: Connection | None, pauses: Pauses = NOTHING) -> Fed:
    """How a scope is fed."""
    specs = [query.spec for query in scope.feeds]
    return Fed(
        queries=bool(specs),
        streamed=True,
        healthy=scope.health.healthy,
        polling=scope.polling,
        metrics=any(spec.metrics for spec in specs),
        whole=bool(specs) and all(spec.whole for spec in specs),
        stream=str(connection.phase) if connection is not None else "closed",
        pauses=pauses,
    )


def domain_of(scope: Scope, fed: Fed, timings: Timings) -> DomainStatistics:
    """A scope's figures."""
    polling = polling_of(fed)
    return DomainStatistics(
        key=str(scope.key),
        mode=mode_of(fed),
        health=str(scope.health),
        polling=polling,
        interval_ms=None if polling == "disabled" else timings.fallback_poll_ms,
        queries=len(scope.feeds),
        subscribers=len(scope.subscribers),
        last_delivery_ms=scope.heard_wall_ms,
        resyncs=scope.resyncs,
        fallbacks=scope.fallbacks,
        drifts=scope.drifts,
        drift_keys=scope.drift_keys,
        silent_gaps=scope.silent_gaps,
    )


def polled_domains(feeds: Iterable[Feed], pauses: Callable[[Query], Pauses], timings: Timings) -> tuple[DomainStatistics, ...]:
    """The figures of each family that no stream writes."""
    families: dict[str, list[Pauses]] = {}
    for feed in feeds:
        if feed.scope is None:
            families.setdefault(feed.query.key.family, []).append(pauses(feed.query))
    rows: list[DomainStatistics] = []
    for family, held in families.items():
        fed = Fed(pauses=NOTHING.union(*held))
        rows.append(DomainStatistics(family, mode_of(fed), "", polling_of(fed), timings.live_refresh_ms, len(held), 0))
    return tuple(rows)


def query_row(query: Query, feed: Feed | None, pauses: Pauses) -> FeedStatistics:
    """A query's figures; `feed` is `None` for a window and for what everybody paused."""
    return FeedStatistics(
        key=str(query.key),
        pauses=words(pauses),
        owed=feed.owed.cause if feed is not None and feed.owed is not None else "",
        next_ms=feed.due_ms if feed is not None else None,
        why=str(feed.why) if feed is not None and feed.why is not None else "",
    )
