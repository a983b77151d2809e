"""What the feeds remember of one scope (one stream) and of one query."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pyapp.core.cache.query import Query
from pyapp.core.clock import Timer
from pyapp.core.feeds.allowance import Allowance
from pyapp.core.feeds.fallback import Fallback
from pyapp.core.feeds.gate import Why
from pyapp.core.feeds.health import Health, HealthReason, HealthState
from pyapp.core.streams.inbox import Item
from pyapp.core.streams.position import Position
from pyapp.core.streams.spec import StreamKey

EventCallback = Callable[[Any], None]


@dataclass(frozen=True, slots=True)
class Owed:
    """A snapshot that must come: of a request that began at or after `not_before_ms`, or whose position covers `covers` (RT-32)."""

    not_before_ms: float
    covers: Position | None
    at_ms: float
    cause: str

    def paid_by(self, began_ms: float, position: Position | None) -> bool:
        if began_ms >= self.not_before_ms:
            return True
        return self.covers is not None and position is not None and position.covers(self.covers)


@dataclass(frozen=True, slots=True)
class Before:
    """The data of a query just before a snapshot replaces it, to compare the two (RT-35).

    Attributes:
        data, position: what streams had made of it, and up to where.
        settled: the scope was confirmed, in sequence and owed nothing, and no backfill of the query was due.
        silent_ms: how long the stream had been silent.
    """

    data: Any
    position: Position | None
    settled: bool
    silent_ms: float


@dataclass(slots=True, eq=False)
class Feed:
    """One active query: what is owed to it, when it is fetched next, and the events since its request in flight began (RT-7).

    Attributes:
        allowance: how often streams may have it fetched; outlives the feed.
        owed: the snapshot that must come (RT-32).
        timer, due_ms, why: of the next automatic fetch.
        asked_why: why the fetch under way was asked for, `None` where nothing of the feeds did.
        first_at_ms: until when the first snapshot waits for the stream, so that one request does (RT-34).
        log, log_since_ms: events since the request under way began, and since when they are kept.
        log_after, log_whole: the last place of the stream before those, `None` where there was none; and that nothing came before.
        before: the data that the snapshot which just came replaced.
        outdated_ms, trailing: the last event that asked for a refetch, and the timer of the next (RT-42).
        settling: the timer of the refetch after the last event (RT-44).
        lag_ms: how much later than its interval polled data is asked for, because another tab asks first (RT-62).
    """

    query: Query
    scope: Scope | None
    allowance: Allowance
    first_at_ms: float = 0.0
    owed: Owed | None = None
    timer: Timer | None = None
    due_ms: float | None = None
    why: Why | None = None
    asked_why: Why | None = None
    log: list[Item] | None = None
    log_since_ms: float = 0.0
    log_after: Position | None = None
    log_whole: bool = True
    before: Before | None = None
    outdated_ms: float | None = None
    trailing: Timer | None = None
    settling: Timer | None = None
    lag_ms: float = 0.0


@dataclass(slots=True, eq=False)
class Scope:
    """One stream that somebody wants: its feeds, its subscribers, its health and fallback.

    Attributes:
        grace_ends_ms: when the grace that began last is over (RT-33).
        was_confirmed: on any epoch since it is wanted.
        data_epoch: the epoch on which data came last.
        failed_epoch: the epoch on which an event could not be applied, until a snapshot made that good.
        forbidden: a snapshot of the scope was refused with 403 (RT-36).
        begins_at: since when this epoch of the stream is heard without a hole, as far as anything told (RT-28).
        drifted: a difference was found, and what corrects it has not all come (RT-35).
        drift_keys: of the rows that differed last, at most five.
        silent_gaps: differences found at a stream that was silent and announces nothing (RT-26).
    """

    key: StreamKey
    feeds: dict[Query, Feed] = field(default_factory=dict[Query, Feed])
    subscribers: list[EventCallback] = field(default_factory=list[EventCallback])
    health: Health = field(default_factory=lambda: Health(HealthState.UNHEALTHY, HealthReason.NOT_CONNECTED))
    fallback: Fallback = Fallback.OFF
    fallback_timer: Timer | None = None
    grace_ends_ms: float = 0.0
    was_confirmed: bool = False
    data_epoch: int = -1
    failed_epoch: int = -1
    forbidden: bool = False
    begins_at: Position | None = None
    drifted: bool = False
    drift_keys: tuple[str, ...] = ()
    heard_ms: float | None = None
    heard_wall_ms: float | None = None
    resyncs: int = 0
    fallbacks: int = 0
    drifts: int = 0
    silent_gaps: int = 0

    @property
    def polling(self) -> bool:
        """Whether its queries are polled because the stream cannot be believed (RT-33)."""
        return self.fallback is Fallback.POLLING

    @property
    def owing(self) -> bool:
        """Whether a snapshot is owed to one of its queries, or on its way for that reason (RT-32)."""
        return any(feed.owed is not None for feed in self.feeds.values())
