"""How long the data of a query without observers is kept: the longest that anyone asked for (RT-10, RT-11)."""

from __future__ import annotations

import math
from collections.abc import Callable

from pyapp.core.cache.query import Query
from pyapp.core.clock import Clock


class Retention:
    """The one timer of each query that nobody looks at.

    Args:
        default_ms: the time of who asked for none.
        forget: takes a query out of the cache.
    """

    def __init__(self, clock: Clock, default_ms: float, forget: Callable[[Query], None]) -> None:
        self._clock = clock
        self._default_ms = default_ms
        self._forget = forget
        self.collected = 0

    def hold(self, query: Query, gc_ms: float | None) -> None:
        """Somebody looks, and wants it kept for so long afterwards."""
        self.drop(query)
        asked = self._default_ms if gc_ms is None else gc_ms
        query.gc_ms = asked if query.gc_ms is None else max(query.gc_ms, asked)

    def release(self, query: Query) -> None:
        """Nobody looks: it is forgotten after its time, counted from the first call."""
        if query.gc is not None:
            return
        wait = self._default_ms if query.gc_ms is None else query.gc_ms
        if not math.isinf(wait):
            query.gc_at_ms = self._clock.now() + wait
            query.gc = self._clock.call_at(query.gc_at_ms, lambda: self._due(query))

    def drop(self, query: Query) -> None:
        """It is not forgotten for now."""
        if query.gc is not None:
            query.gc.cancel()
            query.gc = query.gc_at_ms = None

    def _due(self, query: Query) -> None:
        self.drop(query)
        self.collected += 1
        self._forget(query)
