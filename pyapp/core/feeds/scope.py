"""What the feeds remember of one scope (one stream) and of one query."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pyapp.core.cache.query import Query
from pyapp.core.clock import Timer
from pyapp.core.feeds.fallback import Fallback
from pyapp.core.feeds.health import Health, HealthReason, HealthState
from pyapp.core.streams.inbox import Item
from pyapp.core.streams.position import Position
from pyapp.core.streams.spec import StreamKey
from pyapp.core.timings import Timings

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


class Bucket:
    """Snapshots owed to one query: `resync_bucket` at once, then one per `resync_refill_ms` (RT-32)."""

    __slots__ = ("_timings", "_tokens", "_updated_ms")

    def __init__(self, timings: Timings, now_ms: float) -> None:
        self._timings = timings
        self._tokens = float(timings.resync_bucket)
        self._updated_ms = now_ms

    def _refill(self, now_ms: float) -> None:
        earned = (now_ms - self._updated_ms) / self._timings.resync_refill_ms
        self._tokens = min(float(self._timings.resync_bucket), self._tokens + earned)
        self._updated_ms = now_ms

    def ready_at(self, now_ms: float) -> float:
        """When the next may be asked for."""
        self._refill(now_ms)
        return now_ms if self._tokens >= 1 else now_ms + (1 - self._tokens) * self._timings.resync_refill_ms

    def take(self, now_ms: float) -> None:
        """One was paid. Failed attempts cost nothing, so this is called when it came."""
        self._refill(now_ms)
        self._tokens = max(0.0, self._tokens - 1)


@dataclass(slots=True, eq=False)
class Feed:
    """One active query: what is owed to it, when it is fetched next, and the events since its request in flight began (RT-7).

    Attributes:
        owed: the snapshot that must come (RT-32).
        timer, due_ms: of the next automatic fetch.
        first_at_ms: until when the first snapshot waits for the stream, so that one request does (RT-34).
        log, log_since_ms: events since the request under way began, and since when they are kept.
        refetched_ms, outdated_ms, trailing: the last refetch that events caused, the last event that asked for one, and the timer of
            the next (RT-42).
    """

    query: Query
    scope: Scope | None
    bucket: Bucket
    first_at_ms: float = 0.0
    owed: Owed | None = None
    timer: Timer | None = None
    due_ms: float | None = None
    log: list[Item] | None = None
    log_since_ms: float = 0.0
    refetched_ms: float | None = None
    outdated_ms: float | None = None
    trailing: Timer | None = None


@dataclass(slots=True, eq=False)
class Scope:
    """One stream that somebody wants: its feeds, its subscribers, its health and fallback."""

    key: StreamKey
    feeds: dict[Query, Feed] = field(default_factory=dict[Query, Feed])
    subscribers: list[EventCallback] = field(default_factory=list[EventCallback])
    health: Health = field(default_factory=lambda: Health(HealthState.UNHEALTHY, HealthReason.NOT_CONNECTED))
    fallback: Fallback = Fallback.OFF
    fallback_timer: Timer | None = None
    was_confirmed: bool = False
    data_epoch: int = -1
    heard_ms: float | None = None
    heard_wall_ms: float | None = None
    resyncs: int = 0
    fallbacks: int = 0

    @property
    def polling(self) -> bool:
        """Whether its queries are polled because the stream cannot be believed (RT-33)."""
        return self.fallback is Fallback.POLLING
