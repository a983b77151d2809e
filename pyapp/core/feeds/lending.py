"""What of the active queries other tabs may have, and what of theirs may be had (RT-62).

A tab lends what it asked the server for, never what it borrowed. Two kinds of data are lent. What a stream keeps fresh is current: it
has a place, and whoever has the stream from there on misses nothing. What is polled is as old as its request.

    to borrow           no data yet                          data
    -----------------   ----------------------------------   -----------------------------------------------------------------
    a stream writes it  what a stream keeps fresh elsewhere  only a backfill (RT-42); what is owed to it only the server pays
    it is polled        an answer within its interval        a newer answer within its interval

Borrowed data is admitted only if it misses nothing: its request began late enough (RT-31), or what is owed is paid by its place; and of
the events that came here before its own were kept, it has all (RT-7). So a truth that the server would have told is never put off.

Who borrowed asks the server later than the tab that lent, by a lag of its own, where an interval or events have both ask: so one
request serves all, and when the lender is gone the first whose lag is over lends. Data that waits for a backfill is lent with that
debt.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from pyapp.core.cache.cache import QueryCache
from pyapp.core.cache.keys import WindowKey
from pyapp.core.cache.query import Query
from pyapp.core.clock import Clock
from pyapp.core.feeds.pause import Pauses
from pyapp.core.feeds.schedule import Schedule
from pyapp.core.feeds.scope import Feed
from pyapp.core.feeds.scopes import Scopes
from pyapp.core.ports import Random
from pyapp.core.requests.answer import Answer
from pyapp.core.streams.connection import Connection, Phase
from pyapp.core.streams.position import Position
from pyapp.core.timings import Timings

NEWER_BY = 0.5
"""A polled answer is borrowed when it is newer than what is there by this part of the interval."""


@dataclass(frozen=True, slots=True)
class Held:
    """Data that other tabs may have; `began_ms` is the clock time at which the request of its last snapshot began."""

    query: Query
    began_ms: float


class Lending:
    """The rules of this module's docstring.

    Args:
        feeds: of the active queries.
        pauses: what keeps every query of the page from being fetched by itself.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        cache: QueryCache,
        scopes: Scopes,
        schedule: Schedule,
        feeds: Mapping[Query, Feed],
        timings: Timings,
        random: Random,
        pauses: Callable[[], Pauses],
    ) -> None:
        self._clock = clock
        self._cache = cache
        self._scopes = scopes
        self._schedule = schedule
        self._feeds = feeds
        self._timings = timings
        self._random = random
        self._pauses = pauses

    # Lending ------------------------------------------------------------------------------------------------------------------

    def held(self) -> Iterator[Held]:
        """What other tabs may have now."""
        for query in self._feeds:
            if query.began_ms is not None and self.lends(query):
                yield Held(query, query.began_ms)

    def lends(self, query: Query) -> bool:
        """Whether other tabs may have the data of a query."""
        feed = self._feeds.get(query)
        if feed is None or query.spec.exchange is None or not query.has_data or query.borrowed or query.pages > 1:
            return False
        if query.error is not None or query.stale_at_ms is not None or self._pauses():
            return False
        if self._polls(feed):
            # The next is on its way when an interval is over: how old is too old whoever asks decides.
            return query.began_ms is not None and self._clock.now() - query.began_ms < 2 * self._interval_ms(query, feed)
        return feed.owed is None and query.position is not None and feed.scope is not None and feed.scope.health.healthy

    def partial(self, query: Query) -> bool:
        """Whether data that is lent waits for a backfill, or for the last word of a stream that lags (RT-6, RT-44)."""
        feed = self._feeds.get(query)
        return feed is not None and not self._polls(feed) and (feed.outdated_ms is not None or feed.settling is not None)

    # Borrowing ----------------------------------------------------------------------------------------------------------------

    def borrows(self, query: Query) -> float | None:
        """As in `Watcher`."""
        if query.spec.exchange is None or isinstance(query.key, WindowKey):
            return None
        feed = self._feeds.get(query)
        polls = self._polls(feed) if feed is not None else query.spec.stream(query.key) is None
        if query.has_data and (feed is None or not (polls or self._backfills(feed))):
            return None
        if not polls:
            return math.inf
        asked = [one.options.stale_ms for one in query.observers if one.active and one.options.stale_ms is not None]
        return min([self._interval_ms(query, feed), *asked])

    def admits(self, query: Query, began_ms: float, position: Position | None, not_before_ms: float | None) -> bool:
        """As in `Watcher`."""
        feed = self._feeds.get(query)
        in_time = not_before_ms is None or began_ms >= not_before_ms
        if feed is None or feed.scope is None:
            return in_time
        owed = feed.owed
        if not in_time:
            # Too old by the clock; its place may prove that it is not. What somebody called old is old wherever it is.
            assert not_before_ms is not None
            if owed is None or not_before_ms > owed.not_before_ms or not owed.paid_by(began_ms, position):
                return False
        return self.unbroken(feed, position)

    def unbroken(self, feed: Feed, position: Position | None) -> bool:
        """Whether no event is missing between data of this place and the events that are kept."""
        if self._polls(feed):
            return True
        if position is None:
            return False
        return feed.log_whole if feed.log_after is None else position.covers(feed.log_after)

    def announced(self, query: Query, began_ms: float, *, first: bool) -> None:
        """Another tab asked the server for what is shown here too.

        Args:
            began_ms: at about which clock time.
            first: of two that ask at the same time that tab is to be the one that goes on.
        """
        feed = self._feeds.get(query)
        if feed is None or not query.has_data or query.began_ms is None or self._pauses():
            return
        polls, backfills = self._polls(feed), self._backfills(feed)
        interval = self._interval_ms(query, feed) if polls else self._timings.event_refetch_ms
        newer = began_ms >= query.began_ms + NEWER_BY * interval
        pays = backfills and feed.outdated_ms is not None and began_ms >= feed.outdated_ms
        if pays or (newer and (polls or backfills)):
            self._cache.fetching.take(query, math.nextafter(query.began_ms, math.inf))
        elif first and not newer and not feed.lag_ms:
            self._stand_back(feed)
            self._schedule.plan(feed)

    def activated(self, feed: Feed) -> None:
        """Somebody looks at a query again; its data may be another tab's."""
        if feed.query.borrowed and feed.query.began_ms is not None:
            self._took(feed, feed.query.began_ms)
            if feed.query.partial:
                self._schedule.refetch(feed)

    def came(self, feed: Feed, answer: Answer) -> None:
        """An answer came: of the server, or of another tab."""
        if not answer.shared:
            feed.lag_ms = 0.0
            return
        self._took(feed, answer.began_ms)
        if feed.query.partial:
            feed.outdated_ms = self._clock.now()  # what that tab waits for, this one does, too

    # Inside -------------------------------------------------------------------------------------------------------------------

    def _took(self, feed: Feed, began_ms: float) -> None:
        self._stand_back(feed)
        self._schedule.took_turn(feed, began_ms)

    def _stand_back(self, feed: Feed) -> None:
        """Another tab asks the server for what both show: this one asks later."""
        feed.lag_ms = self._timings.share_lag_ms * (1 + self._random.random())

    def _polls(self, feed: Feed) -> bool:
        """Whether a query is polled and no event can come in between: no stream writes it, or that one is closed."""
        if feed.scope is None:
            return True
        connection = self._scopes.connection(feed.scope)
        return feed.scope.polling and (connection is None or connection.phase is Phase.CLOSED)

    def _backfills(self, feed: Feed) -> bool:
        """Whether a query that a healthy stream writes waits for nothing but what events did not tell (RT-42)."""
        healthy = feed.scope is not None and feed.scope.health.healthy
        waits = feed.owed is None and feed.outdated_ms is not None and feed.asked_why is None
        return healthy and waits and feed.query.pages <= 1

    def _interval_ms(self, query: Query, feed: Feed | None) -> float:
        if feed is not None and feed.scope is not None:
            return self._timings.fallback_poll_ms
        interval = self._cache.interval_ms(query)
        # What is never asked for again must not begin with something old.
        return self._timings.live_refresh_ms if interval is None or interval == math.inf else interval


def kept_from(feed: Feed, connection: Connection | None) -> None:
    """The events of a query are kept from now on: everything of the stream up to here may be missing in them."""
    feed.log_after = connection.position if connection is not None else None
    feed.log_whole = connection is None or not connection.confirmed
