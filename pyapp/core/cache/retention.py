"""How long, and how much, data of queries without observers is kept (RT-10, RT-11).

Each is kept for the longest time that anyone asked for. Those with more rows than a live list are together at most `KEPT_ROWS` rows:
what was left the longest ago goes first, and what alone is more than that goes at the next beat. Who opens one window of thousands of
rows after the other would else hold them all for the whole of that time. What somebody asked to be kept for ever is not counted.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from pyapp.core.cache.keys import LIVE_LIST_LIMIT
from pyapp.core.cache.lists import weight
from pyapp.core.cache.query import Query
from pyapp.core.clock import Clock

KEPT_ROWS = 10_000
"""As many as the longest window that the console promises to scroll, so that going back to one finds it."""


class Retention:
    """The one timer of each query that nobody looks at, in the order in which they were left.

    Args:
        default_ms: the time of who asked for none.
        forget: takes a query out of the cache.
    """

    def __init__(self, clock: Clock, default_ms: float, forget: Callable[[Query], None]) -> None:
        self._clock = clock
        self._default_ms = default_ms
        self._forget = forget
        self._left: dict[Query, None] = {}
        self._grown = False
        self.collected = self.evicted = 0

    def hold(self, query: Query, gc_ms: float | None) -> None:
        """Somebody looks, and wants it kept for so long afterwards."""
        self.drop(query)
        asked = self._default_ms if gc_ms is None else gc_ms
        query.gc_ms = asked if query.gc_ms is None else max(query.gc_ms, asked)

    def release(self, query: Query) -> None:
        """Nobody looks, or what nobody looks at has other data: it is forgotten after its time, counted from the first call."""
        self._grown = True
        if query in self._left:
            return
        self._left[query] = None
        wait = self._default_ms if query.gc_ms is None else query.gc_ms
        if not math.isinf(wait):
            query.gc_at_ms = self._clock.now() + wait
            query.gc = self._clock.call_at(query.gc_at_ms, lambda: self._due(query))

    def drop(self, query: Query) -> None:
        """It is not forgotten for now."""
        self._left.pop(query, None)
        if query.gc is not None:
            query.gc.cancel()
            query.gc = query.gc_at_ms = None

    def trim(self) -> None:
        """Forget what is too much, the longest left first; called once per beat."""
        if not self._grown:
            return
        self._grown = False
        heavy = {query: weight(query.data) for query in self._left if query.gc is not None}
        heavy = {query: rows for query, rows in heavy.items() if rows > LIVE_LIST_LIMIT}
        total = sum(heavy.values())
        for query, rows in heavy.items():
            if total <= KEPT_ROWS:
                break
            total -= rows
            self.evicted += 1
            self.drop(query)
            self._forget(query)

    def _due(self, query: Query) -> None:
        self.drop(query)
        self.collected += 1
        self._forget(query)
