"""The scopes of a page: which streams are wanted, whether each can be believed, and whether it is replaced by polling.

What a scope's health is, is worked out here and nowhere else (RT-30), and so is its fallback (RT-33). Whoever must act on a change is
told once per change, through `on_change`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pyapp.core.clock import Clock
from pyapp.core.feeds import fallback as fb
from pyapp.core.feeds.health import HealthState, measure
from pyapp.core.feeds.scope import Scope
from pyapp.core.streams.connection import Connection, Reason
from pyapp.core.streams.manager import StreamManager
from pyapp.core.streams.position import Position
from pyapp.core.streams.spec import StreamKey
from pyapp.core.timings import Timings

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


class Scopes:
    """Every stream that somebody wants."""

    def __init__(self, clock: Clock, timings: Timings, on_change: Callable[[Scope], None]) -> None:
        self._clock = clock
        self._timings = timings
        self._on_change = on_change
        self._scopes: dict[StreamKey, Scope] = {}
        self._manager: StreamManager | None = None
        self._hidden = False
        self._streaming = True

    def connect(self, manager: StreamManager) -> None:
        """The manager that is steered from here; set once, by the composition (each needs the other)."""
        self._manager = manager

    def find(self, key: StreamKey) -> Scope | None:
        return self._scopes.get(key)

    def get(self, key: StreamKey) -> Scope:
        """The scope of a stream, made when it is first wanted."""
        scope = self._scopes.get(key)
        if scope is None:
            scope = self._scopes[key] = Scope(key)
            connection = self.connection(scope)
            # A stream that lingered is known already.
            scope.was_confirmed = connection is not None and connection.confirmed
        return scope

    def leave(self, scope: Scope) -> None:
        """Somebody left; a scope that nobody wants any more is gone."""
        if not scope.feeds and not scope.subscribers and self._scopes.get(scope.key) is scope:
            del self._scopes[scope.key]
            if scope.fallback_timer is not None:
                scope.fallback_timer.cancel()
        self.want()

    def want(self) -> None:
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

    def block(self, *, hidden: bool | None = None, streaming: bool | None = None) -> None:
        """What keeps every stream closed: nobody sees the page (RT-50), or the kill switch (RT-71)."""
        self._hidden = self._hidden if hidden is None else hidden
        self._streaming = self._streaming if streaming is None else streaming
        if self._manager is None:
            return
        reason = Reason.HIDDEN if self._hidden else None if self._streaming else Reason.FLAG_OFF
        if reason is None:
            self.want()  # from where the data is now, not from where it was when the streams were closed
        self._manager.block(reason)

    def connection(self, scope: Scope) -> Connection | None:
        return self._manager.state(scope.key) if self._manager is not None else None

    def announces(self, scope: Scope) -> bool:
        """Whether the server says what it sends (part B), so that silence proves something."""
        connection = self.connection(scope)
        return connection is not None and connection.heartbeat_ms is not None

    def entity(self, scope: Scope, event: object) -> str | None:
        """What an event of the scope's stream is about."""
        return self._manager.entity(scope.key, event) if self._manager is not None else None

    def heard(self, scope: Scope, *, data: bool = False) -> None:
        """A delivery came (RT-30)."""
        scope.heard_ms = self._clock.now()
        scope.heard_wall_ms = self._clock.wall()
        if data:
            connection = self.connection(scope)
            scope.data_epoch = connection.epoch if connection is not None else -1

    def assess(self, scope: Scope) -> None:
        """Work out a scope's health anew, and its fallback from it."""
        connection = self.connection(scope)
        owed = any(feed.owed is not None for feed in scope.feeds.values())
        came = connection is not None and scope.data_epoch == connection.epoch
        health = measure(connection, owed=owed, data_came=came)
        # A scope that is new, or whose excuse ended, starts its grace although its health reads the same.
        unsettled = scope.fallback is fb.Fallback.OFF and not health.healthy
        if health == scope.health and not unsettled:
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
        self._fall_back(scope, signal)
        self._on_change(scope)

    def _fall_back(self, scope: Scope, signal: fb.Signal) -> None:
        before = scope.fallback
        scope.fallback, action = fb.step(before, signal)
        if action is not None and scope.fallback_timer is not None:
            scope.fallback_timer.cancel()
            scope.fallback_timer = None
        if action in ("grace", "recover"):
            wait = self._timings.fallback_grace_ms if action == "grace" else self._timings.recover_ms
            scope.fallback_timer = self._clock.call_at(self._clock.now() + wait, lambda: self._due(scope))
        if scope.fallback is fb.Fallback.POLLING and before is not fb.Fallback.POLLING:
            scope.fallbacks += 1

    def _due(self, scope: Scope) -> None:
        scope.fallback_timer = None
        if self._scopes.get(scope.key) is scope:
            self._fall_back(scope, fb.Signal.DUE)
            self._on_change(scope)

    def close(self) -> None:
        for scope in list(self._scopes.values()):
            scope.subscribers.clear()
            self.leave(scope)

    def statistics(self) -> tuple[ScopeStatistics, ...]:
        return tuple(
            ScopeStatistics(
                key=str(scope.key),
                mode="streaming" if scope.health.healthy else str(scope.fallback),
                health=str(scope.health),
                polling="enabled" if scope.polling else "disabled",
                interval_ms=self._timings.fallback_poll_ms if scope.polling else None,
                queries=len(scope.feeds),
                subscribers=len(scope.subscribers),
                last_delivery_ms=scope.heard_wall_ms,
                resyncs=scope.resyncs,
                fallbacks=scope.fallbacks,
            )
            for scope in self._scopes.values()
        )
