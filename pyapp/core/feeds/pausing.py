"""What pauses each query now (RT-31): the page's reasons, and those of the query and its scope."""

from __future__ import annotations

from collections.abc import Callable

from pyapp.core.cache.keys import WindowKey
from pyapp.core.cache.query import Query
from pyapp.core.feeds.pause import NOTHING, Pause, Pauses

REFUSED = "forbidden"
"""The kind of the error that a 403 is."""
BREAKER = "breaker"
"""The kind of the error of a request that a breaker kept back; it says when the next may be sent."""


class Pausing:
    """The reasons that hold.

    Args:
        forbidden: whether the scope of a query was refused with 403.
    """

    def __init__(self, forbidden: Callable[[Query], bool]) -> None:
        self._forbidden = forbidden
        self.page: Pauses = NOTHING
        """Of every query."""

    def set(self, pause: Pause, on: bool) -> bool:
        """Let a reason of the page hold, or end it; false where that is no change."""
        if (pause in self.page) is on:
            return False
        self.page = self.page | {pause} if on else self.page - {pause}
        return True

    def of(self, query: Query) -> Pauses:
        """What keeps a query from being fetched by itself."""
        held: set[Pause] = set(self.page)
        if isinstance(query.key, WindowKey):
            held.add(Pause.WINDOW)
        if query.error is not None and query.error.kind == BREAKER:
            held.add(Pause.BREAKER)
        if refused(query) or self._forbidden(query):
            held.add(Pause.FORBIDDEN)
        return frozenset(held)


def refused(query: Query) -> bool:
    """Whether the server said 403 to the query itself (RT-36)."""
    return query.error is not None and query.error.kind == REFUSED
