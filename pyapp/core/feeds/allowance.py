"""How often a query may be fetched because of its stream: kept for as long as the query lives (RT-32, RT-42).

Leaving a page and coming back earns nothing: the allowance is the query's, not its observers'.
"""

from __future__ import annotations

from dataclasses import dataclass

from pyapp.core.timings import Timings


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
class Allowance:
    """What one query has left.

    Attributes:
        bucket: of the snapshots owed to it (RT-32).
        refetched_ms: when events last caused a refetch of it (RT-42).
    """

    bucket: Bucket
    refetched_ms: float | None = None
