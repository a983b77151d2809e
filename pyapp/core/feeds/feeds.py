"""Feeds: the one place where streams and the cache meet, and where a stream is a reason to fetch (RT-6 to RT-9, RT-30 to RT-34).

For every active query a feed knows which stream writes it and what is owed to it. `scopes` says whether a stream can be believed and
whether it is replaced by polling, `schedule` when a query is fetched, `reading` what its panel may say; this module brings the cache's
side and the streams' side together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pyapp.core.cache.cache import QueryCache
from pyapp.core.cache.keys import ItemKey, WindowKey
from pyapp.core.cache.query import Query
from pyapp.core.clock import Clock, Timer
from pyapp.core.feeds.reading import AGE_STEP_MS, freshness_of
from pyapp.core.feeds.schedule import FIRST_SNAPSHOT, Schedule
from pyapp.core.feeds.scope import Bucket, EventCallback, Feed, Scope
from pyapp.core.feeds.scopes import Scopes, ScopeStatistics
from pyapp.core.freshness import Freshness
from pyapp.core.ports import Random
from pyapp.core.requests.coordinator import Answer
from pyapp.core.streams.connection import Confirmed, Connection, Phase
from pyapp.core.streams.inbox import Batch, Item
from pyapp.core.streams.manager import StreamManager
from pyapp.core.streams.position import Position
from pyapp.core.streams.spec import StreamKey
from pyapp.core.timings import Timings


class Feeds:
    """Keeps every active query as fresh as its stream, or its interval, allows; and says how fresh that is."""

    def __init__(
        self,
        *,
        clock: Clock,
        cache: QueryCache,
        timings: Timings,
        random: Random,
        on_error: Callable[[Exception], None],
        on_server_time: Callable[[str], None],
    ) -> None:
        self._clock = clock
        self._cache = cache
        self._timings = timings
        self._on_error = on_error
        self._on_server_time = on_server_time
        self._feeds: dict[Query, Feed] = {}
        self._hidden = False
        self._ticking: Timer | None = None
        self._scopes = Scopes(clock, timings, self._scope_changed)
        self._schedule = Schedule(
            clock=clock,
            cache=cache,
            timings=timings,
            random=random,
            active=lambda feed: self._feeds.get(feed.query) is feed,
            announces=lambda feed: feed.scope is not None and self._scopes.announces(feed.scope),
        )

    def connect(self, manager: StreamManager) -> None:
        """The manager that these feeds steer; set once, by the composition (each needs the other)."""
        self._scopes.connect(manager)

    # The cache's side (cache.Watcher) -----------------------------------------------------------------------------------------

    def activated(self, query: Query) -> None:
        """A query is looked at again (RT-11): its stream is wanted, and what it missed is owed to it."""
        now = self._clock.now()
        if isinstance(query.key, WindowKey):
            return
        stream = query.spec.stream(query.key)
        scope = self._scopes.get(stream) if stream is not None else None
        feed = self._feeds[query] = Feed(query, scope, Bucket(self._timings, now))
        if scope is not None:
            scope.feeds[query] = feed
            connection = self._scopes.connection(scope)
            if connection is None or not connection.confirmed:
                feed.first_at_ms = now + self._timings.first_wait_ms
            may_resume = query.position is not None and (connection is None or connection.phase is Phase.CLOSED)
            if query.fetching:
                # A request from before somebody looked away: its answer knows nothing of the events in between.
                feed.log, feed.log_since_ms = [], now
            if (query.has_data and not may_resume) or query.fetching:
                self._schedule.owe(feed, "looked at again", covers=None, jitter=False)
            self._scopes.want()
            self._scopes.assess(scope)
        self._schedule.plan(feed)
        self._tick()

    def deactivated(self, query: Query) -> None:
        """Nobody looks any more, or everybody paused it: no fetch, no stream."""
        feed = self._feeds.pop(query, None)
        if feed is None:
            return
        self._schedule.stop(feed)
        if feed.scope is not None:
            feed.scope.feeds.pop(query, None)
            self._scopes.leave(feed.scope)

    def fetch_began(self, query: Query) -> None:
        feed = self._feeds.get(query)
        if feed is not None:
            feed.log = [] if feed.scope is not None else None
            feed.log_since_ms = query.fetch_began_ms  # taken before the request was sent: what is sent now begins no earlier
            self._schedule.plan(feed)

    def fetched(self, query: Query, answer: Answer | None) -> None:
        """A snapshot came, or did not: lay the events since on top of it (RT-7), and see what is still owed (RT-32)."""
        feed = self._feeds.get(query)
        if feed is None:
            return
        log, feed.log = feed.log, None
        if answer is not None:
            if log:
                self._apply(feed, log)
            self._schedule.paid(feed, answer.began_ms)
            if feed.scope is not None and answer.began_ms < feed.log_since_ms:
                # The answer of a request that another had sent before: what came between its beginning and our log is in neither.
                self._schedule.owe(feed, "an older request was joined", covers=None, jitter=True)
            self._schedule.caught_up(feed, answer.began_ms)
        elif query.error is not None and not query.error.retryable:
            # The server said no: asking again cannot help, and the others of the scope must not wait for it.
            feed.owed = None
        self._schedule.plan(feed)
        if feed.scope is not None:
            self._scopes.assess(feed.scope)

    def measure(self, query: Query) -> None:
        """Bring the mark of a query up to date (RT-83); its `since_ms` stays while the state does."""
        old = query.freshness
        fresh = self._mark(query)
        if (old.state, old.reason) == (fresh.state, fresh.reason) and old.since_ms:
            fresh = replace(fresh, since_ms=old.since_ms)
        query.freshness = fresh

    def reconsider(self, query: Query) -> None:
        """What decides about the next fetch of a query changed: an interval, an invalidation, a fetch given up, a further page."""
        feed = self._feeds.get(query)
        if feed is None:
            return
        if not query.fetching:
            feed.log = None
            self._schedule.caught_up(feed, query.began_ms or 0.0)  # events asked for a refetch while another request was under way
        self._schedule.plan(feed)

    def fed(self, query: Query) -> bool:
        """Whether a healthy stream writes it: nothing newer could be asked for."""
        feed = self._feeds.get(query)
        return feed is not None and feed.scope is not None and feed.scope.health.healthy

    def paused(self, query: Query) -> bool:
        """Whether something pauses fetching (RT-31)."""
        return bool(self._schedule.paused)

    # The streams' side (manager.Listener) -------------------------------------------------------------------------------------

    def stream_changed(self, key: StreamKey, state: Connection) -> None:
        scope = self._scopes.find(key)
        if scope is not None:
            self._scopes.assess(scope)

    def stream_confirmed(self, key: StreamKey, confirmed: Confirmed) -> None:
        """Subscribe, confirm, then snapshot (RT-34), unless what is there provably misses nothing."""
        scope = self._scopes.find(key)
        if scope is None:
            return
        again, scope.was_confirmed = scope.was_confirmed, True
        self._scopes.heard(scope)
        in_time = confirmed.away_ms is None or confirmed.away_ms <= self._timings.drop_grace_ms
        for feed in list(scope.feeds.values()):
            query = feed.query
            # A stream that says the whole state begins with it: that is on its way, and pays what is owed.
            wait = self._timings.catch_up_ms / 2 if query.spec.whole else 0.0
            feed.first_at_ms = self._clock.now() + wait
            at = query.position if query.has_data else None
            # Everything after `begins_at` will come: data that reaches there misses nothing.
            complete = confirmed.begins_at is not None and at is not None and at.covers(confirmed.begins_at)
            if confirmed.resumed and in_time and (complete or not query.has_data):
                continue
            if not again and complete:
                continue
            cause = "connected again" if again else FIRST_SNAPSHOT
            self._schedule.owe(feed, cause, covers=confirmed.begins_at, jitter=again, wait_ms=wait)
        self._scopes.assess(scope)

    def stream_gap(self, key: StreamKey, cause: str) -> None:
        scope = self._scopes.find(key)
        if scope is None:
            return
        connection = self._scopes.connection(scope)
        for feed in list(scope.feeds.values()):
            self._schedule.owe(feed, cause, covers=connection.position if connection else None, jitter=True)
        self._scopes.assess(scope)

    def stream_placed(self, key: StreamKey, position: Position) -> None:
        """A heartbeat ahead of what the data holds: something was lost before any event could show it (RT-28)."""
        scope = self._scopes.find(key)
        if scope is None:
            return
        for feed in list(scope.feeds.values()):
            at = feed.query.position
            if feed.query.has_data and at is not None and not at.covers(position):
                self._schedule.owe(feed, "a heartbeat ahead of the data", covers=position, jitter=True)
        self._scopes.assess(scope)

    def stream_alive(self, key: StreamKey) -> None:
        scope = self._scopes.find(key)
        if scope is not None:
            self._scopes.heard(scope)
            self._touch(scope)

    def server_time(self, wall_ms_text: str) -> None:
        self._on_server_time(wall_ms_text)

    def stream_delivered(self, key: StreamKey, batch: Batch) -> int:
        """Apply events to every active query of the scope, hand them to subscribers, and note what they make old (RT-9)."""
        scope = self._scopes.find(key)
        events = [entry.event for entry in batch.items]
        if scope is None or not (scope.feeds or scope.subscribers):
            return 0
        self._scopes.heard(scope, data=True)
        for feed in list(scope.feeds.values()):
            feed.query.events_seen += len(batch.items)
            if feed.log is not None:
                feed.log.extend(batch.items)
            self._apply(feed, batch.items)
            if self._came_to_be(feed, events):
                self._schedule.refetch(feed)
        for callback in list(scope.subscribers):
            self._tell(callback, events)
        for feed in list(self._feeds.values()):
            if self._outdated(feed, events):
                self._schedule.refetch(feed)
        self._scopes.assess(scope)
        return len(events)

    # Subscribing without a query ----------------------------------------------------------------------------------------------

    def subscribe(self, key: StreamKey, callback: EventCallback) -> Callable[[], None]:
        """Hand every event of a stream to `callback`; returns what ends it (RT-77)."""
        scope = self._scopes.get(key)

        def subscriber(event: Any) -> None:  # one of its own: the same callback may subscribe twice
            callback(event)

        scope.subscribers.append(subscriber)
        self._scopes.want()
        self._scopes.assess(scope)

        def end() -> None:
            if subscriber in scope.subscribers:
                scope.subscribers.remove(subscriber)
                self._scopes.leave(scope)

        return end

    # What the page does -------------------------------------------------------------------------------------------------------

    def set_hidden(self, hidden: bool) -> None:
        """Past its grace a hidden page asks nothing and holds nothing (RT-50); seen again, it catches up (RT-51)."""
        if hidden == self._hidden:
            return
        self._hidden = self._schedule.paused = hidden
        self._scopes.block(hidden=hidden)
        for feed in list(self._feeds.values()):
            self._schedule.plan(feed)
            self._cache.touch(feed.query)
        self._tick()

    def set_streaming(self, on: bool) -> None:
        """The kill switch: off closes every stream, and what they fed polls (RT-71)."""
        self._scopes.block(streaming=on)

    def refresh(self, query: Query) -> None:
        """One fetch past cache and throttle, the stream untouched (RT-37)."""
        self._cache.refresh(query)

    def close(self) -> None:
        if self._ticking is not None:
            self._ticking.cancel()
        for query in list(self._feeds):
            self.deactivated(query)
        self._scopes.close()

    # Inside -------------------------------------------------------------------------------------------------------------------

    def _tell(self, callback: EventCallback, events: list[Any]) -> None:
        for event in events:
            try:
                callback(event)
            except Exception as error:
                self._on_error(error)

    def _apply(self, feed: Feed, items: Sequence[Item]) -> None:
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
            query.began_ms = query.began_ms if query.began_ms is not None else self._clock.now()
            self._schedule.plan(feed)
        if reduction.refetch:
            self._schedule.refetch(feed)

    def _outdated(self, feed: Feed, events: list[Any]) -> bool:
        """Whether one of these events makes a query's data old without telling the new (RT-9)."""
        outdated = feed.query.spec.invalidated_by
        if outdated is None:
            return False
        try:
            return any(outdated(feed.query.key, event) for event in events)  # type: ignore[arg-type]
        except Exception as error:
            self._on_error(error)
            return True

    def _came_to_be(self, feed: Feed, events: list[Any]) -> bool:
        """Whether an event speaks of an entity of which the server said that there is none: it was too early to ask."""
        query = feed.query
        missing = not query.has_data and query.error is not None and not query.error.retryable
        if not missing or feed.scope is None or not isinstance(query.key, ItemKey):
            return False
        return any(self._scopes.entity(feed.scope, event) == query.key.entity for event in events)

    def _scope_changed(self, scope: Scope) -> None:
        for feed in list(scope.feeds.values()):
            self._schedule.plan(feed)
        self._touch(scope)

    def _touch(self, scope: Scope) -> None:
        for query in scope.feeds:
            self._cache.touch(query)

    def _mark(self, query: Query) -> Freshness:
        feed = self._feeds.get(query)
        connection = self._scopes.connection(feed.scope) if feed is not None and feed.scope is not None else None
        now, wall = self._clock.now(), self._clock.wall()
        interval = self._cache.interval_ms(query) if feed is not None and feed.scope is None else None
        return freshness_of(query, feed, connection, self._timings, hidden=self._hidden, now_ms=now, wall_ms=wall, interval_ms=interval)

    def _tick(self) -> None:
        """Marks that change by time alone (unverified, overdue): looked at once a second while somebody can see them."""
        if self._ticking is None and self._feeds and not self._hidden:
            self._ticking = self._clock.call_at(self._clock.now() + AGE_STEP_MS, self._ticked)

    def _ticked(self) -> None:
        self._ticking = None
        for query in self._feeds:
            shown = query.freshness
            fresh = self._mark(query)
            if (fresh.state, fresh.reason) != (shown.state, shown.reason):
                self._cache.touch(query)
        self._tick()

    def statistics(self) -> tuple[ScopeStatistics, ...]:
        return self._scopes.statistics()

    def fetch_counts(self) -> Mapping[str, int]:
        """How many automatic fetches there were, by reason."""
        return self._schedule.counts()
