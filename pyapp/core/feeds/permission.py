"""What the server refuses with 403, and what asks again (RT-36, RT-37).

A refused list refuses its scope: nothing more is asked and its stream is given up, until a person refreshes one of its queries and the
server answers, or somebody else is there. An item may be refused by itself.
"""

from __future__ import annotations

from collections.abc import Iterable

from pyapp.core.cache.cache import QueryCache
from pyapp.core.cache.keys import ItemKey
from pyapp.core.clock import Clock
from pyapp.core.feeds.pausing import refused
from pyapp.core.feeds.schedule import Schedule
from pyapp.core.feeds.scope import Feed, Scope
from pyapp.core.feeds.scopes import Scopes


class Permission:
    """Learns from answers what is permitted."""

    def __init__(self, clock: Clock, cache: QueryCache, scopes: Scopes, schedule: Schedule) -> None:
        self._clock = clock
        self._cache = cache
        self._scopes = scopes
        self._schedule = schedule

    def failed(self, feed: Feed) -> None:
        """A fetch failed: with 403, the whole scope is refused."""
        if feed.scope is not None and refused(feed.query) and not isinstance(feed.query.key, ItemKey):
            self._scopes.refused(feed.scope)

    def answered(self, scope: Scope) -> None:
        """The server answered a query of the scope: what was forbidden is not any more."""
        if self._scopes.forbidden(scope):
            self._scopes.permitted(scope)
            self._ask_again(scope.feeds.values())

    def forgive(self, feeds: Iterable[Feed]) -> None:
        """Somebody else is there: everything that was forbidden is asked for again."""
        for scope in self._scopes:
            self._scopes.permitted(scope)
        self._ask_again(feeds)

    def _ask_again(self, feeds: Iterable[Feed]) -> None:
        for feed in tuple(feeds):
            if refused(feed.query):
                self._cache.fetch(feed.query, not_before_ms=self._clock.now())
            self._schedule.plan(feed)
