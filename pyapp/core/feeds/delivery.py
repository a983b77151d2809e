"""What a batch of events does to the active queries (RT-6, RT-7, RT-9): through the reducers, in the order of positions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pyapp.core.cache.cache import QueryCache
from pyapp.core.cache.keys import ItemKey
from pyapp.core.clock import Clock
from pyapp.core.feeds.reading import AGE_STEP_MS
from pyapp.core.feeds.schedule import Schedule
from pyapp.core.feeds.scope import EventCallback, Feed
from pyapp.core.feeds.scopes import Scopes
from pyapp.core.streams.inbox import Item


class Delivery:
    """Applies events; a mistake of an application's reducer or predicate is told to `on_error` and costs one snapshot."""

    def __init__(
        self, clock: Clock, cache: QueryCache, scopes: Scopes, schedule: Schedule, on_error: Callable[[Exception], None]
    ) -> None:
        self._clock = clock
        self._cache = cache
        self._scopes = scopes
        self._schedule = schedule
        self._on_error = on_error

    def deliver(self, feed: Feed, items: Sequence[Item]) -> None:
        """New events of the stream that writes this query."""
        feed.query.events_seen += len(items)
        if feed.log is not None:
            feed.log.extend(items)
        self.apply(feed, items)
        if feed.query.spec.settles:
            self._schedule.settle(feed)
        if self._came_to_be(feed, items):
            self._schedule.refetch(feed)

    def apply(self, feed: Feed, items: Sequence[Item]) -> None:
        """Events that the data does not contain yet, through the reducer (RT-7)."""
        query = feed.query
        reduce = query.spec.reduce
        at = query.position
        news = [
            entry
            for entry in items
            if at is None or entry.position is None or entry.position.epoch != at.epoch or entry.position.sequence > at.sequence
        ]
        if not news:
            return
        last = news[-1].position
        if reduce is None or not (query.has_data or query.spec.whole):
            return
        try:
            reduction = reduce(query.key, query.data, [entry.event for entry in news])  # type: ignore[arg-type]
        except Exception as error:
            self._on_error(error)
            assert feed.scope is not None  # only what a stream writes is given its events
            self._scopes.failed(feed.scope)
            self._schedule.owe(feed, "an event could not be applied", covers=None, jitter=False)
            return
        if not (query.has_data or reduction.complete):
            return
        if last is not None:
            query.position = last
        wall = self._clock.wall()
        # Events that change nothing here still prove the data; said once a second, so that they do not repaint the panel ten times.
        if reduction.data is not query.data or wall - (query.updated_wall_ms or 0.0) >= AGE_STEP_MS:
            query.data = reduction.data
            query.updated_wall_ms = wall
            self._cache.touch(query)
        if reduction.complete:
            # As good as a snapshot by request: nothing is owed any more, and what failed before is made good.
            feed.owed = None
            query.has_data, query.error, query.failures = True, None, 0
            query.borrowed = False
            query.began_ms = query.began_ms if query.began_ms is not None else self._clock.now()
            self._schedule.plan(feed)
        if reduction.refetch:
            self._schedule.refetch(feed)

    def outdates(self, feed: Feed, events: Sequence[Any]) -> bool:
        """Whether one of these events makes a query's data old without telling the new (RT-9)."""
        outdated = feed.query.spec.invalidated_by
        if outdated is None:
            return False
        try:
            return any(outdated(feed.query.key, event) for event in events)  # type: ignore[arg-type]
        except Exception as error:
            self._on_error(error)
            return True

    def _came_to_be(self, feed: Feed, items: Sequence[Item]) -> bool:
        """Whether an event speaks of an entity of which the server said that there is none: it was too early to ask."""
        query = feed.query
        missing = not query.has_data and query.error is not None and query.error.kind == "missing"
        if not missing or feed.scope is None or not isinstance(query.key, ItemKey):
            return False
        return any(self._scopes.entity(feed.scope, entry.event) == query.key.entity for entry in items)

    def tell(self, callback: EventCallback, events: Sequence[Any]) -> None:
        """Hand events to a subscriber, whatever it does with them."""
        for event in events:
            try:
                callback(event)
            except Exception as error:
                self._on_error(error)
