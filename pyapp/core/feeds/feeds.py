"""Feeds: the one place where streams and the cache meet, and where a stream is a reason to fetch (RT-6 to RT-9, RT-30 to RT-34).

For every active query a feed knows which stream writes it, what is owed to it and when it is fetched next (`gate`). For every stream
that is wanted a scope knows whether it can be believed (`health`) and whether it must be replaced by polling (`fallback`). The marks
that panels show (`mark`) are worked out here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pyapp.core.cache.cache import QueryCache
from pyapp.core.cache.keys import ItemKey, WindowKey
from pyapp.core.cache.query import Query
from pyapp.core.clock import Clock, Timer
from pyapp.core.feeds import fallback as fb
from pyapp.core.feeds.gate import Situation, Why, next_fetch
from pyapp.core.feeds.health import HealthReason, HealthState, measure
from pyapp.core.feeds.mark import Reading, mark
from pyapp.core.feeds.scope import Bucket, EventCallback, Feed, Owed, Scope
from pyapp.core.freshness import Freshness
from pyapp.core.ports import Random
from pyapp.core.requests.coordinator import Answer
from pyapp.core.streams.connection import Confirmed, Connection, Phase, Reason
from pyapp.core.streams.inbox import Batch, Item
from pyapp.core.streams.manager import StreamManager
from pyapp.core.streams.position import Position
from pyapp.core.streams.spec import StreamKey
from pyapp.core.timings import Timings

AGE_STEP_MS = 1_000
"""A mark's times move in steps of this: a panel need not hear of every heartbeat."""

FIRST_SNAPSHOT = "first snapshot"
"""The one cause that is not throttled: a query has no other way to become live (RT-34)."""

_EXCUSED = frozenset({Reason.HIDDEN, Reason.OFFLINE, Reason.LIVE_OFF, Reason.NOT_WANTED, Reason.FORBIDDEN, Reason.SHUTDOWN})
_NO_GRACE = frozenset({Reason.BUDGET, Reason.UNAVAILABLE, Reason.FLAG_OFF})


@dataclass(frozen=True, slots=True)
class ScopeStatistics:
    """What the dock shows of one scope (RT-80)."""

    key: str
    mode: str
    health: str
    polling: str
    interval_ms: float | None
    queries: int
    subscribers: int
    last_delivery_ms: float | None
    resyncs: int
    fallbacks: int


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
        self._random = random
        self._on_error = on_error
        self._on_server_time = on_server_time
        self._feeds: dict[Query, Feed] = {}
        self._scopes: dict[StreamKey, Scope] = {}
        self._hidden = False
        self._streaming = True
        self._fetched: dict[Why, int] = {}
        self._manager: StreamManager | None = None
        self._ticking: Timer | None = None

    def connect(self, manager: StreamManager) -> None:
        """The manager that these feeds steer; set once, by the composition (each needs the other)."""
        self._manager = manager

    # The cache's side (cache.Watcher) -----------------------------------------------------------------------------------------

    def activated(self, query: Query) -> None:
        """A query is looked at again (RT-11): its stream is wanted, and what it missed is owed to it."""
        now = self._clock.now()
        if isinstance(query.key, WindowKey):
            return
        stream = query.spec.stream(query.key)
        scope = self._scope(stream) if stream is not None else None
        feed = self._feeds[query] = Feed(query, scope, Bucket(self._timings, now))
        if scope is not None:
            scope.feeds[query] = feed
            connection = self._connection(scope)
            may_resume = query.position is not None and (connection is None or connection.phase is Phase.CLOSED)
            if query.fetching:
                # A request from before somebody looked away: its answer knows nothing of the events in between.
                feed.log, feed.log_since_ms = [], now
            if (query.has_data and not may_resume) or query.fetching:
                self._owe(feed, "looked at again", covers=None, jitter=False)
            self._want()
            self._assess(scope)
        self._schedule(feed)
        self._tick()

    def deactivated(self, query: Query) -> None:
        """Nobody looks any more, or everybody paused it: no fetch, no stream."""
        feed = self._feeds.pop(query, None)
        if feed is None:
            return
        for timer in (feed.timer, feed.trailing):
            if timer is not None:
                timer.cancel()
        if feed.scope is not None:
            feed.scope.feeds.pop(query, None)
            self._leave(feed.scope)

    def fetch_began(self, query: Query) -> None:
        feed = self._feeds.get(query)
        if feed is not None:
            feed.log = [] if feed.scope is not None else None
            feed.log_since_ms = query.fetch_began_ms  # taken before the request was sent: what is sent now begins no earlier
            self._schedule(feed)

    def fetched(self, query: Query, answer: Answer | None) -> None:
        """A snapshot came, or did not: lay the events since on top of it (RT-7), and see what is still owed (RT-32)."""
        feed = self._feeds.get(query)
        if feed is None:
            return
        log, feed.log = feed.log, None
        if answer is not None:
            if log:
                self._apply(feed, log)
            owed = feed.owed
            if owed is not None and owed.paid_by(answer.began_ms, query.position):
                feed.owed = None
                if owed.cause != FIRST_SNAPSHOT:
                    feed.bucket.take(self._clock.now())
            if feed.scope is not None and answer.began_ms < feed.log_since_ms:
                # The answer of a request that another had sent before: what came between its beginning and our log is in neither.
                self._owe(feed, "an older request was joined", covers=None, jitter=True)
            if feed.outdated_ms is not None:
                if answer.began_ms >= feed.outdated_ms:
                    feed.outdated_ms = None
                else:
                    self._refetch(feed)
        elif query.error is not None and not query.error.retryable:
            # The server said no: asking again cannot help, and the others of the scope must not wait for it.
            feed.owed = None
        self._schedule(feed)
        if feed.scope is not None:
            self._assess(feed.scope)

    def measure(self, query: Query) -> None:
        """Bring the mark of a query up to date (RT-83); its `since_ms` stays while the state does."""
        old = query.freshness
        fresh = self._mark(query)
        if (old.state, old.reason) == (fresh.state, fresh.reason) and old.since_ms:
            fresh = replace(fresh, since_ms=old.since_ms)
        query.freshness = fresh

    # The streams' side (manager.Listener) -------------------------------------------------------------------------------------

    def stream_changed(self, key: StreamKey, state: Connection) -> None:
        scope = self._scopes.get(key)
        if scope is not None:
            self._assess(scope)

    def stream_confirmed(self, key: StreamKey, confirmed: Confirmed) -> None:
        """Subscribe, confirm, then snapshot (RT-34), unless what is there provably misses nothing."""
        scope = self._scopes.get(key)
        if scope is None:
            return
        again, scope.was_confirmed = scope.was_confirmed, True
        self._heard(scope)
        in_time = confirmed.away_ms is None or confirmed.away_ms <= self._timings.drop_grace_ms
        for feed in list(scope.feeds.values()):
            query = feed.query
            at = query.position if query.has_data else None
            # Everything after `begins_at` will come: data that reaches there misses nothing.
            complete = confirmed.begins_at is not None and at is not None and at.covers(confirmed.begins_at)
            if confirmed.resumed and in_time and (complete or not query.has_data):
                continue
            if not again and complete:
                continue
            self._owe(feed, "connected again" if again else FIRST_SNAPSHOT, covers=confirmed.begins_at, jitter=again)
        self._assess(scope)

    def stream_gap(self, key: StreamKey, cause: str) -> None:
        scope = self._scopes.get(key)
        if scope is None:
            return
        connection = self._connection(scope)
        for feed in list(scope.feeds.values()):
            self._owe(feed, cause, covers=connection.position if connection else None, jitter=True)
        self._assess(scope)

    def stream_placed(self, key: StreamKey, position: Position) -> None:
        """A heartbeat ahead of what the data holds: something was lost before any event could show it (RT-28)."""
        scope = self._scopes.get(key)
        if scope is None:
            return
        for feed in list(scope.feeds.values()):
            at = feed.query.position
            if feed.query.has_data and at is not None and not at.covers(position):
                self._owe(feed, "a heartbeat ahead of the data", covers=position, jitter=True)
        self._assess(scope)

    def stream_alive(self, key: StreamKey) -> None:
        scope = self._scopes.get(key)
        if scope is not None:
            self._heard(scope)
            self._touch(scope)

    def server_time(self, wall_ms_text: str) -> None:
        self._on_server_time(wall_ms_text)

    def stream_delivered(self, key: StreamKey, batch: Batch) -> int:
        """Apply events to every active query of the scope, hand them to subscribers, and note what they make old (RT-9)."""
        scope = self._scopes.get(key)
        events = [entry.event for entry in batch.items]
        if scope is None or not (scope.feeds or scope.subscribers):
            return 0
        self._heard(scope)
        connection = self._connection(scope)
        scope.data_epoch = connection.epoch if connection else -1
        for feed in list(scope.feeds.values()):
            feed.query.events_seen += len(batch.items)
            if feed.log is not None:
                feed.log.extend(batch.items)
            self._apply(feed, batch.items)
            if self._came_to_be(feed, events):
                self._refetch(feed)
        for callback in list(scope.subscribers):
            self._tell(callback, events)
        for feed in list(self._feeds.values()):
            if self._outdated(feed, events):
                self._refetch(feed)
        self._assess(scope)
        return len(events)

    # Subscribing without a query ----------------------------------------------------------------------------------------------

    def subscribe(self, key: StreamKey, callback: EventCallback) -> Callable[[], None]:
        """Hand every event of a stream to `callback`; returns what ends it (RT-77)."""
        scope = self._scope(key)

        def subscriber(event: Any) -> None:  # one of its own: the same callback may subscribe twice
            callback(event)

        scope.subscribers.append(subscriber)
        self._want()
        self._assess(scope)

        def end() -> None:
            if subscriber in scope.subscribers:
                scope.subscribers.remove(subscriber)
                self._leave(scope)

        return end

    # What the page does -------------------------------------------------------------------------------------------------------

    def set_hidden(self, hidden: bool) -> None:
        """Past its grace a hidden page asks nothing and holds nothing (RT-50); seen again, it catches up (RT-51)."""
        if hidden == self._hidden:
            return
        self._hidden = hidden
        self._block()
        for feed in list(self._feeds.values()):
            self._schedule(feed)
            self._cache.touch(feed.query)
        self._tick()

    def set_streaming(self, on: bool) -> None:
        """The kill switch: off closes every stream, and what they fed polls (RT-71)."""
        self._streaming = on
        self._block()

    def _block(self) -> None:
        if self._manager is None:
            return
        reason = Reason.HIDDEN if self._hidden else None if self._streaming else Reason.FLAG_OFF
        if reason is None:
            self._want()  # from where the data is now, not from where it was when the streams were closed
        self._manager.block(reason)

    def refresh(self, query: Query) -> None:
        """One fetch past cache and throttle, the stream untouched (RT-37)."""
        self._cache.refresh(query)

    def close(self) -> None:
        if self._ticking is not None:
            self._ticking.cancel()
        for query in list(self._feeds):
            self.deactivated(query)
        for scope in list(self._scopes.values()):
            scope.subscribers.clear()
            self._leave(scope)

    # Inside -------------------------------------------------------------------------------------------------------------------

    def _scope(self, key: StreamKey) -> Scope:
        scope = self._scopes.get(key)
        if scope is None:
            scope = self._scopes[key] = Scope(key)
            connection = self._connection(scope)
            # A stream that lingered is known already.
            scope.was_confirmed = connection is not None and connection.confirmed
        return scope

    def _leave(self, scope: Scope) -> None:
        if not scope.feeds and not scope.subscribers and self._scopes.get(scope.key) is scope:
            del self._scopes[scope.key]
            if scope.fallback_timer is not None:
                scope.fallback_timer.cancel()
        self._want()

    def _want(self) -> None:
        """Tell the manager what is wanted, and from where each stream can go on without a hole (RT-27)."""
        if self._manager is None:
            return
        wanted: dict[StreamKey, Position | None] = {}
        for key, scope in self._scopes.items():
            known = [feed.query.position for feed in scope.feeds.values() if feed.query.has_data]
            places = [place for place in known if place is not None]
            same_life = bool(places) and len(places) == len(known) and len({place.epoch for place in places}) == 1
            wanted[key] = min(places, key=lambda place: place.sequence) if same_life else None
        self._manager.want(wanted)

    def _connection(self, scope: Scope) -> Connection | None:
        return self._manager.state(scope.key) if self._manager is not None else None

    def _heard(self, scope: Scope) -> None:
        scope.heard_ms = self._clock.now()
        scope.heard_wall_ms = self._clock.wall()

    def _tell(self, callback: EventCallback, events: list[Any]) -> None:
        for event in events:
            try:
                callback(event)
            except Exception as error:
                self._on_error(error)

    def _apply(self, feed: Feed, items: list[Item] | Any) -> None:
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
        if not query.has_data or reduce is None:
            return
        try:
            reduction = reduce(query.key, query.data, [entry.event for entry in news])  # type: ignore[arg-type]
        except Exception as error:
            self._on_error(error)
            self._owe(feed, "an event could not be applied", covers=None, jitter=False)
            return
        if last is not None:
            query.position = last
        wall = self._clock.wall()
        # Events that change nothing here still prove the data; said once a second, so that they do not repaint the panel ten times.
        if reduction.data is not query.data or wall - (query.updated_wall_ms or 0.0) >= AGE_STEP_MS:
            query.data = reduction.data
            query.updated_wall_ms = wall
            self._cache.touch(query)
        if reduction.refetch:
            self._refetch(feed)

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
        if not missing or feed.scope is None or self._manager is None or not isinstance(query.key, ItemKey):
            return False
        return any(self._manager.entity(feed.scope.key, event) == query.key.entity for event in events)

    def _refetch(self, feed: Feed) -> None:
        """A refetch caused by events: at once, then one in so long, the trailing one kept (RT-42).

        A request under way is left to end, however long it takes: events that come faster than answers would else keep every one of
        them from arriving.
        """
        feed.outdated_ms = self._clock.now()
        if feed.trailing is not None or self._hidden:
            return
        now = self._clock.now()
        due = now if feed.refetched_ms is None else feed.refetched_ms + self._timings.event_refetch_ms

        def run() -> None:
            feed.trailing = None
            wanted = self._feeds.get(feed.query) is feed and feed.outdated_ms is not None
            if wanted and feed.query.fetching:
                feed.refetched_ms = feed.query.fetch_began_ms  # what is under way took this turn; its end asks for the next
            elif wanted and not self._hidden:
                feed.refetched_ms = self._clock.now()
                self._cache.fetch(feed.query)

        feed.trailing = self._clock.call_at(max(due, now), run)

    def _owe(self, feed: Feed, cause: str, *, covers: Position | None, jitter: bool) -> None:
        """A snapshot is owed (RT-32): one, however many reasons there are, and the last one is never lost.

        Not to a query that the server refused: it is not asked for again by itself, and its scope must not wait for it (RT-36).
        """
        if feed.query.error is not None and not feed.query.error.retryable:
            return
        now = self._clock.now()
        spread = self._random.random() * self._timings.catch_up_ms if jitter else 0.0
        at = max(now + spread, feed.bucket.ready_at(now)) if cause != FIRST_SNAPSHOT else now
        if feed.owed is not None:
            at = min(at, feed.owed.at_ms)  # gap after gap must not put it off for ever
        feed.owed = Owed(not_before_ms=now, covers=covers, at_ms=at, cause=cause)
        if feed.scope is not None and cause != FIRST_SNAPSHOT:
            feed.scope.resyncs += 1
        self._schedule(feed)
        self._cache.touch(feed.query)

    def _schedule(self, feed: Feed) -> None:
        """Set the one timer of a query to its next automatic fetch (RT-31)."""
        if self._feeds.get(feed.query) is not feed:
            return
        now = self._clock.now()
        upcoming = next_fetch(now, self._situation(feed), self._timings)
        due = None if upcoming is None else upcoming[0]
        if feed.timer is not None:
            if due == feed.due_ms:
                return
            feed.timer.cancel()
            feed.timer = None
        feed.due_ms = due
        if upcoming is not None:
            feed.timer = self._clock.call_at(upcoming[0], lambda: self._due(feed, upcoming[1]))

    def _due(self, feed: Feed, why: Why) -> None:
        feed.timer = None
        feed.due_ms = None
        if self._feeds.get(feed.query) is not feed:
            return
        self._fetched[why] = self._fetched.get(why, 0) + 1
        self._cache.fetch(feed.query, not_before_ms=feed.owed.not_before_ms if feed.owed else None)

    def _situation(self, feed: Feed) -> Situation:
        query, scope = feed.query, feed.scope
        error = query.error
        return Situation(
            paused=self._hidden,
            fetching=query.fetching,
            has_data=query.has_data,
            began_ms=query.began_ms,
            failed_ms=query.tried_ms if error else None,
            failures=query.failures,
            retryable=error.retryable if error else True,
            floor_ms=(error.retry_after_ms or 0.0) if error else 0.0,
            owed_at_ms=feed.owed.at_ms if feed.owed else None,
            streamed=scope is not None,
            healthy=scope is not None and scope.health.healthy,
            polling=scope is not None and scope.fallback is fb.Fallback.POLLING,
            announces=self._announces(scope),
        )

    def _announces(self, scope: Scope | None) -> bool:
        connection = self._connection(scope) if scope is not None else None
        return connection is not None and connection.heartbeat_ms is not None

    def _assess(self, scope: Scope) -> None:
        """Work out a scope's health anew, and everything that hangs on it."""
        connection = self._connection(scope)
        owed = any(feed.owed is not None for feed in scope.feeds.values())
        came = connection is not None and scope.data_epoch == connection.epoch
        health = measure(connection, owed=owed, data_came=came)
        if health == scope.health and not self._unsettled(scope):
            return
        scope.health = health
        if health.healthy:
            signal = fb.Signal.HEALTHY
        elif health.state is HealthState.UNHEALTHY and health.connection in _EXCUSED:
            signal = fb.Signal.EXCUSED
        elif health.connection in _NO_GRACE:
            signal = fb.Signal.NOT_HEALTHY_NO_GRACE
        else:
            signal = fb.Signal.NOT_HEALTHY
        self._fallback(scope, signal)
        for feed in list(scope.feeds.values()):
            self._schedule(feed)
        self._touch(scope)

    def _unsettled(self, scope: Scope) -> bool:
        return scope.fallback is fb.Fallback.OFF and not scope.health.healthy

    def _fallback(self, scope: Scope, signal: fb.Signal) -> None:
        before = scope.fallback
        scope.fallback, action = fb.step(before, signal)
        if action is not None and scope.fallback_timer is not None:
            scope.fallback_timer.cancel()
            scope.fallback_timer = None
        if action in ("grace", "recover"):
            wait = self._timings.fallback_grace_ms if action == "grace" else self._timings.recover_ms
            scope.fallback_timer = self._clock.call_at(self._clock.now() + wait, lambda: self._fallback_due(scope))
        if scope.fallback is fb.Fallback.POLLING and before is not fb.Fallback.POLLING:
            scope.fallbacks += 1

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

    def _fallback_due(self, scope: Scope) -> None:
        scope.fallback_timer = None
        if self._scopes.get(scope.key) is not scope:
            return
        self._fallback(scope, fb.Signal.DUE)
        for feed in list(scope.feeds.values()):
            self._schedule(feed)
        self._touch(scope)

    def _touch(self, scope: Scope) -> None:
        for query in scope.feeds:
            self._cache.touch(query)

    def _mark(self, query: Query) -> Freshness:
        feed = self._feeds.get(query)
        scope = feed.scope if feed else None
        now = self._clock.now()
        connection = self._connection(scope) if scope is not None else None
        polling = scope is not None and scope.fallback is fb.Fallback.POLLING
        interval = self._timings.fallback_poll_ms if scope is not None else self._timings.live_refresh_ms
        budget = scope is not None and scope.health.connection is Reason.BUDGET
        silent = now - scope.heard_ms if scope is not None and scope.heard_ms is not None else 0.0
        reading = Reading(
            window=isinstance(query.key, WindowKey),
            has_data=query.has_data,
            fetching=query.fetching,
            error=query.error,
            hidden=self._hidden and feed is not None,
            streamed=scope is not None,
            healthy=scope is not None and scope.health.healthy,
            delivering=scope is not None and scope.health.reason is HealthReason.DELIVERING,
            announces=self._announces(scope),
            silent_ms=silent,
            owed=feed is not None and feed.owed is not None,
            polling=polling,
            budget=budget,
            first_connect=scope is not None and not scope.was_confirmed and scope.fallback in (fb.Fallback.OFF, fb.Fallback.WAITING),
            age_ms=now - query.began_ms if query.began_ms is not None else 0.0,
            interval_ms=interval,
            unverified_ms=self._timings.unverified_ms,
        )
        state, reason = mark(reading)
        if scope is None:
            mode = "polling" if feed is not None else "snapshot"
        elif reading.healthy:
            mode = "streaming"
        else:
            mode = "polling (fallback)" if polling else f"{connection.phase if connection else 'closed'} (unhealthy)"
        upcoming = feed.due_ms if feed is not None else None
        if scope is not None and connection is not None and connection.retry_at_ms is not None and not polling:
            upcoming = connection.retry_at_ms
        return Freshness(
            state=state,
            reason=reason,
            since_ms=self._clock.wall(),
            mode=mode,
            health=str(scope.health) if scope is not None else "",
            last_delivery_ms=_stepped(scope.heard_wall_ms) if scope is not None else None,
            last_snapshot_ms=query.snapshot_wall_ms,
            next_attempt_ms=None if upcoming is None else _stepped(self._clock.wall() + upcoming - now),
        )

    def statistics(self) -> tuple[ScopeStatistics, ...]:
        return tuple(
            ScopeStatistics(
                key=str(scope.key),
                mode="streaming" if scope.health.healthy else str(scope.fallback),
                health=str(scope.health),
                polling="enabled" if scope.fallback is fb.Fallback.POLLING else "disabled",
                interval_ms=self._timings.fallback_poll_ms if scope.fallback is fb.Fallback.POLLING else None,
                queries=len(scope.feeds),
                subscribers=len(scope.subscribers),
                last_delivery_ms=scope.heard_wall_ms,
                resyncs=scope.resyncs,
                fallbacks=scope.fallbacks,
            )
            for scope in self._scopes.values()
        )

    def fetch_counts(self) -> Mapping[str, int]:
        """How many automatic fetches there were, by reason."""
        return {str(why): count for why, count in self._fetched.items()}


def _stepped(wall_ms: float | None) -> float | None:
    return None if wall_ms is None else wall_ms // AGE_STEP_MS * AGE_STEP_MS
