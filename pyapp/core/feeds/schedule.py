"""When each active query is fetched: the one timer of a query, the snapshots owed to it, and the refetches that events cause.

Decided by `gate` (RT-31), throttled by a bucket for what is owed (RT-32) and by an interval for what events outdate (RT-42, RT-44).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from pyapp.core.cache.cache import QueryCache
from pyapp.core.cache.query import Query
from pyapp.core.clock import Clock
from pyapp.core.feeds.gate import Situation, Why, next_fetch
from pyapp.core.feeds.pause import Pauses
from pyapp.core.feeds.scope import Feed, Owed
from pyapp.core.ports import Random
from pyapp.core.streams.position import Position
from pyapp.core.timings import Timings

FIRST_SNAPSHOT = "first snapshot"
LOOKED_AGAIN = "looked at again"
_NOT_THROTTLED = frozenset({FIRST_SNAPSHOT, LOOKED_AGAIN})
"""A query has no other way to become live (RT-34)."""


class Schedule:
    """Fetches queries at their time.

    Args:
        active: whether a feed is still that of an active query.
        announces: whether the server of a feed's stream says what it sends.
        pauses: what keeps a query from being fetched by itself.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        cache: QueryCache,
        timings: Timings,
        random: Random,
        active: Callable[[Feed], bool],
        announces: Callable[[Feed], bool],
        pauses: Callable[[Feed], Pauses],
    ) -> None:
        self._clock = clock
        self._cache = cache
        self._timings = timings
        self._random = random
        self._active = active
        self._announces = announces
        self._pauses = pauses
        self._fetched: dict[Why, int] = {}

    def owe(self, feed: Feed, cause: str, *, covers: Position | None, jitter: bool, wait_ms: float = 0.0) -> None:
        """A snapshot is owed (RT-32): one, however many reasons there are, and the last one is never lost.

        Not to a query that the server refused: it is not asked for again by itself, and its scope must not wait for it (RT-36).

        Args:
            covers: a snapshot whose position covers this will do, whenever it was asked for.
            wait_ms: how long the stream itself may take to pay.
            jitter: spread it over the time in which it is due, so that clients of a server that restarted do not all ask at once.
        """
        if feed.query.error is not None and not feed.query.error.retryable:
            return
        now = self._clock.now()
        spread = self._random.random() * (self._timings.catch_up_ms - wait_ms) if jitter else 0.0
        at = now + wait_ms + spread
        if cause not in _NOT_THROTTLED:
            at = max(at, feed.allowance.bucket.ready_at(now))
        if feed.owed is not None:
            at = min(at, feed.owed.at_ms)  # gap after gap must not put it off for ever
        feed.owed = Owed(not_before_ms=now, covers=covers, at_ms=at, cause=cause)
        if feed.scope is not None and cause not in _NOT_THROTTLED:
            feed.scope.resyncs += 1
        self.plan(feed)
        self._cache.touch(feed.query)

    def paid(self, feed: Feed, began_ms: float, position: Position | None) -> None:
        """A snapshot of this place came whose request began then: is what was owed paid?"""
        owed = feed.owed
        if owed is not None and owed.paid_by(began_ms, position):
            feed.owed = None
            if owed.cause not in _NOT_THROTTLED:
                feed.allowance.bucket.take(self._clock.now())

    def refetch(self, feed: Feed) -> None:
        """A refetch caused by events: at once, then one in so long, the trailing one kept (RT-42).

        A request under way is left to end, however long it takes: events that come faster than answers would else keep every one of
        them from arriving. While fetching is paused it is only remembered.
        """
        feed.outdated_ms = self._clock.now()
        self._await_turn(feed)

    def _await_turn(self, feed: Feed) -> None:
        if feed.trailing is not None or feed.outdated_ms is None or self._pauses(feed):
            return
        last = feed.allowance.refetched_ms
        now = self._clock.now()
        due = now if last is None else max(now, last + self._timings.event_refetch_ms)
        feed.trailing = self._clock.call_at(due + feed.lag_ms, lambda: self._turn(feed))

    def took_turn(self, feed: Feed, began_ms: float) -> None:
        """Another tab's answer served: the next refetch that events cause waits as if it had been asked for here (RT-62)."""
        feed.allowance.refetched_ms = max(began_ms, feed.allowance.refetched_ms or began_ms)
        if feed.trailing is not None:
            feed.trailing.cancel()
            feed.trailing = None
            self._await_turn(feed)

    def _turn(self, feed: Feed) -> None:
        feed.trailing = None
        wanted = self._active(feed) and feed.outdated_ms is not None
        if wanted and feed.query.fetching:
            feed.allowance.refetched_ms = feed.query.fetch_began_ms  # what is under way took this turn; its end asks for the next
        elif wanted and not self._pauses(feed):
            feed.allowance.refetched_ms = self._clock.now()
            self._cache.fetch(feed.query, not_before_ms=feed.outdated_ms)

    def settle(self, feed: Feed) -> None:
        """An event came of a stream that may lag the server by one: refetch once it has been quiet for a moment (RT-44)."""
        if feed.settling is not None:
            feed.settling.cancel()
        feed.settling = self._clock.call_at(self._clock.now() + self._timings.settle_ms, lambda: self._settled(feed))

    def _settled(self, feed: Feed) -> None:
        feed.settling = None
        self.refetch(feed)

    def caught_up(self, feed: Feed, began_ms: float) -> None:
        """A snapshot came whose request began then: did it see what outdated the query?"""
        if feed.outdated_ms is None:
            return
        if began_ms >= feed.outdated_ms:
            feed.outdated_ms = None
        else:
            self.refetch(feed)

    def plan(self, feed: Feed) -> None:
        """Set the one timer of a query to its next automatic fetch (RT-31), and wait for its turn if events outdated it."""
        if not self._active(feed):
            return
        upcoming = next_fetch(self._clock.now(), self._situation(feed), self._timings)
        due, why = upcoming if upcoming is not None else (None, None)
        if feed.timer is not None and (due, why) == (feed.due_ms, feed.why):
            return
        if feed.timer is not None:
            feed.timer.cancel()
            feed.timer = None
        feed.due_ms, feed.why = due, why
        if due is not None and why is not None:
            feed.timer = self._clock.call_at(due, lambda: self._due(feed, why))

    def hasten(self, feed: Feed) -> None:
        """What the last attempt was refused for is over: a retry that waits for its time happens now."""
        if feed.timer is not None and feed.why is Why.RETRY:
            feed.timer.cancel()
            self._due(feed, Why.RETRY)

    def resume(self, feed: Feed) -> None:
        """What paused a query may have ended, or begun."""
        self.plan(feed)
        self._await_turn(feed)

    def _due(self, feed: Feed, why: Why) -> None:
        feed.timer = None
        feed.due_ms = feed.why = None
        self._fetched[why] = self._fetched.get(why, 0) + 1
        feed.asked_why = why
        self._cache.fetch(feed.query, not_before_ms=feed.owed.not_before_ms if feed.owed else _newer(feed.query))

    def _situation(self, feed: Feed) -> Situation:
        query, scope, error = feed.query, feed.scope, feed.query.error
        return Situation(
            pauses=self._pauses(feed),
            fetching=query.fetching,
            has_data=query.has_data,
            began_ms=query.began_ms,
            failed_ms=query.tried_ms if error else None,
            failures=query.failures,
            retryable=error.retryable if error else True,
            floor_ms=(error.retry_after_ms or 0.0) if error else 0.0,
            first_at_ms=feed.first_at_ms,
            owed_at_ms=feed.owed.at_ms if feed.owed else None,
            streamed=scope is not None,
            healthy=scope is not None and scope.health.healthy,
            polling=scope is not None and scope.polling,
            announces=self._announces(feed),
            stale=query.stale_at_ms is not None,
            cancelled_ms=query.cancelled_ms,
            interval_ms=self._cache.interval_ms(query) if scope is None else None,
            lag_ms=feed.lag_ms,
        )

    @staticmethod
    def stop(feed: Feed) -> None:
        """Take back what was planned for a query that nobody looks at any more."""
        for timer in (feed.timer, feed.trailing, feed.settling):
            if timer is not None:
                timer.cancel()

    def counts(self) -> Mapping[str, int]:
        """How many automatic fetches there were, by reason."""
        return {str(why): count for why, count in self._fetched.items()}


def _newer(query: Query) -> float | None:
    """An answer that was slow and is still shared would else serve the fetch that it made due, and that one the next."""
    return None if query.began_ms is None else math.nextafter(query.began_ms, math.inf)
