"""Feeds: the one place where streams and the cache meet, and where a stream is a reason to fetch (RT-6 to RT-9, RT-30 to RT-38).

For every active query a feed knows which stream writes it and what is owed to it. `scopes` says whether a stream can be believed and
whether it is replaced by polling, `schedule` when a query is fetched, `delivery` what events do, `reading` what its panel may say; this
module brings the cache's side and the streams' side together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pyapp.core.cache.cache import QueryCache
from pyapp.core.cache.keys import WindowKey
from pyapp.core.cache.query import Query
from pyapp.core.clock import Clock, Timer
from pyapp.core.feeds.allowance import Allowance, Bucket
from pyapp.core.feeds.changes import Changes, Log
from pyapp.core.feeds.delivery import Delivery
from pyapp.core.feeds.fallback import Fallback
from pyapp.core.feeds.lending import Lending, kept_from
from pyapp.core.feeds.modes import mode_of, polling_of
from pyapp.core.feeds.pause import Pause
from pyapp.core.feeds.pausing import BREAKER, Pausing
from pyapp.core.feeds.permission import Permission
from pyapp.core.feeds.reading import AGE_STEP_MS, ages, freshness_of
from pyapp.core.feeds.schedule import FIRST_SNAPSHOT, LOOKED_AGAIN, Schedule
from pyapp.core.feeds.scope import EventCallback, Feed, Scope
from pyapp.core.feeds.scopes import Scopes
from pyapp.core.feeds.statistics import FeedsStatistics, domain_of, fed_of, polled_domains, query_row
from pyapp.core.feeds.verifier import Verifier
from pyapp.core.freshness import Freshness, FreshnessReason
from pyapp.core.ports import Random
from pyapp.core.requests.coordinator import Answer
from pyapp.core.streams.connection import Confirmed, Connection, Phase
from pyapp.core.streams.inbox import Batch
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
        log: Log = lambda change: None,
    ) -> None:
        self._clock = clock
        self._cache = cache
        self._timings = timings
        self._on_server_time = on_server_time
        self._feeds: dict[Query, Feed] = {}
        self._allowances: dict[Query, Allowance] = {}
        self._returned_ms = 0.0
        self._ticking: Timer | None = None
        self._changes = Changes(log)
        self._scopes = Scopes(clock, timings, self._scope_changed)
        self._pausing = Pausing(self._scope_forbidden)
        self._schedule = Schedule(
            clock=clock,
            cache=cache,
            timings=timings,
            random=random,
            active=lambda feed: self._feeds.get(feed.query) is feed,
            announces=lambda feed: feed.scope is not None and self._scopes.announces(feed.scope),
            pauses=lambda feed: self._pausing.of(feed.query),
        )
        self._delivery = Delivery(clock, cache, self._scopes, self._schedule, on_error)
        self._permission = Permission(clock, cache, self._scopes, self._schedule)
        self._verifier = Verifier(self._scopes, self._schedule, timings, random)
        self.lending = Lending(
            clock=clock,
            cache=cache,
            scopes=self._scopes,
            schedule=self._schedule,
            feeds=self._feeds,
            timings=timings,
            random=random,
            pauses=lambda: self._pausing.page,
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
        if query not in self._allowances:
            self._allowances[query] = Allowance(Bucket(self._timings, now))
        feed = self._feeds[query] = Feed(query, scope, self._allowances[query])
        if scope is not None:
            scope.feeds[query] = feed
            connection = self._scopes.connection(scope)
            if connection is None or not connection.confirmed:
                feed.first_at_ms = now + self._timings.first_wait_ms
            may_resume = query.position is not None and (connection is None or connection.phase is Phase.CLOSED)
            if query.fetching:
                # A request from before somebody looked away: its answer knows nothing of the events in between.
                feed.log, feed.log_since_ms = [], now
                kept_from(feed, connection)
            if (query.has_data and not may_resume) or query.fetching:
                self._schedule.owe(feed, LOOKED_AGAIN, covers=None, jitter=False)
            self._scopes.want()
            self._scopes.assess(scope)
        self.lending.activated(feed)
        self._schedule.plan(feed)
        self._tick()

    def deactivated(self, query: Query) -> None:
        """Nobody looks any more, or everybody paused it: no fetch, no stream."""
        feed = self._feeds.pop(query, None)
        if feed is None:
            return
        if feed.owed is not None:
            query.position = None  # what is missing is still missing: nobody may go on from here as if it were not (RT-32)
        self._schedule.stop(feed)
        if feed.scope is not None:
            feed.scope.feeds.pop(query, None)
            if self._scopes.leave(feed.scope):
                self._changes.forget(str(feed.scope.key))

    def collected(self, query: Query) -> None:
        """The cache forgot a query: so is what it had left to ask."""
        self._allowances.pop(query, None)

    def fetch_began(self, query: Query) -> None:
        feed = self._feeds.get(query)
        if feed is not None:
            feed.log = [] if feed.scope is not None else None
            feed.log_since_ms = query.fetch_began_ms  # taken before the request was sent: what is sent now begins no earlier
            kept_from(feed, self._scopes.connection(feed.scope) if feed.scope is not None else None)
            feed.before = None
            self._schedule.plan(feed)

    def replacing(self, query: Query) -> None:
        """A snapshot is about to replace the data: keep what streams made of it, to compare (RT-35)."""
        feed = self._feeds.get(query)
        if feed is not None and feed.scope is not None:
            self._verifier.replacing(feed, feed.scope)

    def fetched(self, query: Query, answer: Answer | None) -> None:
        """A snapshot came, or did not: lay the events since on top of it (RT-7), and see what is still owed (RT-32)."""
        self._scopes.recheck_budget()
        feed = self._feeds.get(query)
        if feed is None:
            return
        log, feed.log = feed.log, None
        why, feed.asked_why = feed.asked_why, None
        if answer is not None:
            # By the snapshot's own place: events on top of it say nothing of what lies between the two.
            self._schedule.paid(feed, answer.began_ms, query.position)
            if feed.scope is not None:
                self._reaches(feed, feed.scope)
            if log:
                self._delivery.apply(feed, log)
            proven = answer.shared and self.lending.unbroken(feed, query.position)
            if feed.scope is not None and answer.began_ms < feed.log_since_ms and not proven:
                # The answer of a request that another had sent before: what came between its beginning and our log is in neither.
                self._schedule.owe(feed, "an older request was joined", covers=None, jitter=True)
            self.lending.came(feed, answer)
            self._schedule.caught_up(feed, answer.began_ms)
            if feed.scope is not None:
                self._permission.answered(feed.scope)
                self._verifier.compare(feed, feed.scope, why, log_empty=not log)
        elif query.error is not None and not query.error.retryable:
            # The server said no: asking again cannot help, and the others of the scope must not wait for it.
            feed.owed = None
            self._permission.failed(feed)
        feed.before = None
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
        return bool(self._pausing.of(query))

    def borrows(self, query: Query) -> float | None:
        return self.lending.borrows(query)

    def admits(self, query: Query, began_ms: float, position: Position | None, not_before_ms: float | None) -> bool:
        return self.lending.admits(query, began_ms, position, not_before_ms)

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
        scope.begins_at = confirmed.begins_at
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
            # A return during the absence had its snapshot; one from before says nothing of this absence.
            returned = self._returned_ms > 0 and self._returned_ms >= self._clock.now() - (confirmed.away_ms or 0.0)
            caught_up = returned and query.began_ms is not None and query.began_ms >= self._returned_ms
            if confirmed.resumed and (in_time or caught_up) and (complete or not query.has_data):
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
        """The stream is heard since here: data that does not reach so far misses what was lost before (RT-28)."""
        scope = self._scopes.find(key)
        if scope is None:
            return
        scope.begins_at = position
        for feed in list(scope.feeds.values()):
            self._reaches(feed, scope)
        self._scopes.assess(scope)

    def _reaches(self, feed: Feed, scope: Scope) -> None:
        """Owe a snapshot to data that ends before the stream begins: the events between the two came to nobody (RT-28)."""
        at, begins_at = feed.query.position, scope.begins_at
        if not feed.query.has_data or at is None or begins_at is None or at.epoch != begins_at.epoch:
            return  # another life is another connection, whose catch-up is owed anyway
        if not at.covers(begins_at):
            self._schedule.owe(feed, "the stream begins after the data", covers=begins_at, jitter=True)

    def stream_alive(self, key: StreamKey) -> None:
        scope = self._scopes.find(key)
        if scope is not None:
            self._scopes.heard(scope)
            for query in scope.feeds:
                # Nobody is told of a heartbeat, but that a silent stream is not silent any more is seen in its mark.
                if query.freshness.reason is FreshnessReason.UNVERIFIED:
                    self._cache.touch(query)

    def heard(self) -> dict[str, float]:
        return self._scopes.heard_at()

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
            self._delivery.deliver(feed, batch.items)
        for callback in list(scope.subscribers):
            self._delivery.tell(callback, events)
        for feed in list(self._feeds.values()):
            if self._delivery.outdates(feed, events):
                self._schedule.refetch(feed)
        self._scopes.assess(scope)
        return len(events)

    # Subscribing without a query ----------------------------------------------------------------------------------------------

    def subscribe(self, key: StreamKey, callback: EventCallback) -> Callable[[], None]:
        """Hand every event of a stream to `callback`; returns what ends it (RT-77)."""
        return self._scopes.subscribe(key, callback)

    # What the page does -------------------------------------------------------------------------------------------------------

    def set_hidden(self, hidden: bool) -> None:
        """Past its grace a hidden page asks nothing and holds nothing (RT-50); seen again, it catches up (RT-51)."""
        if not self._pausing.set(Pause.HIDDEN, hidden):
            return
        self._scopes.block(hidden=hidden)
        self._cache.hold(hidden)
        self._went_on(returned="" if hidden else "seen again")
        self._tick()

    def set_offline(self, offline: bool) -> None:
        """The browser says that there is no network: automatic fetches and retries wait (RT-31, RT-52), and are owed afterwards."""
        if not self._pausing.set(Pause.OFFLINE, offline):
            return
        self._scopes.offline = offline
        self._went_on(returned="" if offline else "online again")
        if not offline:
            self.recovered(lambda endpoint: True)  # what failed may have been the network

    def recovered(self, concerns: Callable[[str], bool]) -> None:
        """A breaker closed: whoever it refused asks again at once, one by one as there is room (RT-66).

        Args:
            concerns: whether an endpoint is of its class.
        """
        for feed in list(self._feeds.values()):
            error = feed.query.error
            if error is not None and error.kind == BREAKER and concerns(feed.query.spec.endpoint):
                self._schedule.hasten(feed)

    def set_fetching(self, on: bool) -> None:
        """The flag for periodic fetching: off, only a person and what has no data yet asks (RT-31)."""
        if self._pausing.set(Pause.FLAG, not on):
            self._went_on()

    def set_streaming(self, on: bool) -> None:
        """The kill switch: off closes every stream, and what they fed polls (RT-71)."""
        self._scopes.block(streaming=on)

    def set_verifying(self, on: bool) -> None:
        """The flag `verify_streams`: compare stream-fed rows with a snapshot in ten (RT-35)."""
        self._verifier.sampling = on

    def refresh(self, query: Query) -> None:
        """One fetch past cache and throttle, the stream untouched; while forbidden it asks again (RT-36, RT-37)."""
        self._cache.refresh(query)

    def forgive(self) -> None:
        """Somebody else is signed in: what was forbidden is asked for again (RT-36)."""
        self._permission.forgive(self._feeds.values())
        self._went_on()

    def close(self) -> None:
        if self._ticking is not None:
            self._ticking.cancel()
        for query in list(self._feeds):
            self.deactivated(query)
        self._scopes.close()

    # Inside -------------------------------------------------------------------------------------------------------------------

    def _went_on(self, returned: str = "") -> None:
        """Pauses changed: plan anew; `returned` names what each query of a stream is owed a snapshot for (RT-32)."""
        if returned:
            self._returned_ms = self._clock.now()
        for feed in list(self._feeds.values()):
            if returned:
                # What failed before says nothing about now.
                feed.query.failures = min(feed.query.failures, 1)
                if feed.scope is not None and feed.query.has_data:
                    # Half of the time is the stream's, so that one request does for it and for its confirmation (RT-34).
                    self._schedule.owe(feed, returned, covers=None, jitter=True, wait_ms=self._timings.catch_up_ms / 2)
            self._schedule.resume(feed)
            self._cache.touch(feed.query)
        for scope in self._scopes:
            self._scopes.assess(scope)

    def _scope_forbidden(self, query: Query) -> bool:
        feed = self._feeds.get(query)
        return feed is not None and feed.scope is not None and self._scopes.forbidden(feed.scope)

    def _scope_changed(self, scope: Scope) -> None:
        for feed in list(scope.feeds.values()):
            self._schedule.plan(feed)
        self._touch(scope)
        fed = fed_of(scope, self._scopes.connection(scope), self._pausing.page)
        self._changes.say(
            self._clock.wall(),
            str(scope.key),
            mode=mode_of(fed),
            health=str(scope.health),
            polling=polling_of(fed),
            healthy=fed.healthy,
            calm=scope.fallback in (Fallback.OFF, Fallback.WAITING, Fallback.CALMING),
        )

    def _touch(self, scope: Scope) -> None:
        for query in scope.feeds:
            self._cache.touch(query)

    def _mark(self, query: Query) -> Freshness:
        feed = self._feeds.get(query)
        connection = self._scopes.connection(feed.scope) if feed is not None and feed.scope is not None else None
        now, wall = self._clock.now(), self._clock.wall()
        pauses = self._pausing.of(query)
        interval = self._interval(query, feed)
        return freshness_of(query, feed, connection, self._timings, pauses, now_ms=now, wall_ms=wall, interval_ms=interval)

    def _interval(self, query: Query, feed: Feed | None) -> float | None:
        return self._cache.interval_ms(query) if feed is not None and feed.scope is None else None

    def _tick(self) -> None:
        """Marks that change by time alone (unverified, overdue): looked at once a second while somebody can see them."""
        if self._ticking is None and self._feeds and Pause.HIDDEN not in self._pausing.page:
            self._ticking = self._clock.call_at(self._clock.now() + AGE_STEP_MS, self._ticked)

    def _ticked(self) -> None:
        self._ticking = None
        now = self._clock.now()
        for query, feed in self._feeds.items():
            connection = self._scopes.connection(feed.scope) if feed.scope is not None else None
            if ages(query, feed, connection, self._timings, now_ms=now, interval_ms=self._interval(query, feed)):
                shown, fresh = query.freshness, self._mark(query)
                if (fresh.state, fresh.reason) != (shown.state, shown.reason):
                    self._cache.touch(query)
        self._tick()

    def statistics(self) -> FeedsStatistics:
        """Domains, queries and the automatic fetches by reason (RT-80)."""
        pauses, timings = self._pausing, self._timings
        streamed = [domain_of(scope, fed_of(scope, self._scopes.connection(scope), pauses.page), timings) for scope in self._scopes]
        polled = polled_domains(self._feeds.values(), pauses.of, timings)
        rows = [query_row(query, self._feeds.get(query), pauses.of(query)) for query in self._cache.queries() if query.observers]
        return FeedsStatistics((*streamed, *polled), tuple(rows), self._schedule.counts())
