"""The scopes of a page: which streams are wanted, whether each can be believed, and whether it is replaced by polling.

What a scope's health is, is worked out here and nowhere else (RT-30), and so is its fallback (RT-33). Whoever must act on a change is
told once per change, through `on_change`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pyapp.core.clock import Clock
from pyapp.core.feeds import fallback as fb
from pyapp.core.feeds.health import Health, HealthReason, Signs, measure
from pyapp.core.feeds.scope import EventCallback, Scope
from pyapp.core.streams.connection import Connection, Phase, Reason
from pyapp.core.streams.manager import StreamManager
from pyapp.core.streams.position import Position
from pyapp.core.streams.spec import StreamKey
from pyapp.core.timings import Timings

_EXCUSED = frozenset({Reason.HIDDEN, Reason.OFFLINE, Reason.LIVE_OFF, Reason.NOT_WANTED, Reason.FORBIDDEN, Reason.SHUTDOWN})
_NO_GRACE = frozenset({Reason.BUDGET, Reason.UNAVAILABLE, Reason.ENDED, Reason.FLAG_OFF})


def signal_of(health: Health, *, offline: bool, resource: bool) -> fb.Signal:
    """What a scope's health means for its fallback (RT-33).

    Args:
        offline: the browser says that there is no network: polling could not bring more.
        resource: the domain is one of resources, which get no grace.
    """
    if health.healthy:
        return fb.Signal.HEALTHY
    if offline or health.reason in (HealthReason.PERMISSIONS, HealthReason.NO_SCOPE) or health.connection in _EXCUSED:
        return fb.Signal.EXCUSED
    if resource or health.connection in _NO_GRACE:
        return fb.Signal.NOT_HEALTHY_NO_GRACE
    return fb.Signal.NOT_HEALTHY


class Scopes:
    """Every stream that somebody wants."""

    def __init__(self, clock: Clock, timings: Timings, on_change: Callable[[Scope], None]) -> None:
        self._clock = clock
        self._timings = timings
        self._on_change = on_change
        self._scopes: dict[StreamKey, Scope] = {}
        self._manager: StreamManager
        self._hidden = False
        self._streaming = True
        self.offline = False
        """The browser says that there is no network (RT-52)."""

    def connect(self, manager: StreamManager) -> None:
        """The manager that is steered from here; set once, by the composition (each needs the other)."""
        self._manager = manager

    def __iter__(self) -> Iterator[Scope]:
        return iter(tuple(self._scopes.values()))

    def find(self, key: StreamKey) -> Scope | None:
        return self._scopes.get(key)

    def get(self, key: StreamKey) -> Scope:
        """The scope of a stream, made when it is first wanted. Keys that name the same stream to the server are one (RT-20)."""
        key = self._manager.canonical(key)
        scope = self._scopes.get(key)
        if scope is None:
            scope = self._scopes[key] = Scope(key)
            connection = self.connection(scope)
            # A stream that lingered is known already.
            scope.was_confirmed = connection is not None and connection.confirmed
        return scope

    def leave(self, scope: Scope) -> bool:
        """Somebody left; a scope that nobody wants any more is gone, and then this is true."""
        gone = not scope.feeds and not scope.subscribers and self._scopes.get(scope.key) is scope
        if gone:
            del self._scopes[scope.key]
            if scope.fallback_timer is not None:
                scope.fallback_timer.cancel()
        self.want()
        return gone

    def subscribe(self, key: StreamKey, callback: EventCallback) -> Callable[[], None]:
        """Hand every event of a stream to `callback`; returns what ends it (RT-77)."""
        scope = self.get(key)

        def subscriber(event: Any) -> None:  # one of its own: the same callback may subscribe twice
            callback(event)

        scope.subscribers.append(subscriber)
        self.want()
        self.assess(scope)

        def end() -> None:
            if subscriber in scope.subscribers:
                scope.subscribers.remove(subscriber)
                self.leave(scope)

        return end

    def want(self) -> None:
        """Tell the manager what is wanted, and from where each stream can go on without a hole (RT-27)."""
        wanted: dict[StreamKey, Position | None] = {}
        for key, scope in self._scopes.items():
            if scope.forbidden or not self._chosen(key):
                continue  # its snapshots are refused, so the stream is not even tried (RT-36); or there is nothing to try
            known = [feed.query.position for feed in scope.feeds.values() if feed.query.has_data]
            places = [place for place in known if place is not None]
            same_life = bool(places) and len(places) == len(known) and len({place.epoch for place in places}) == 1
            wanted[key] = min(places, key=lambda place: place.sequence) if same_life else None
        self._manager.want(wanted)

    def recheck_budget(self) -> None:
        """How many streams may be open is known only once the first answers came (RT-64)."""
        self._manager.recheck_budget()

    def block(self, *, hidden: bool | None = None, streaming: bool | None = None) -> None:
        """What keeps every stream closed: nobody sees the page (RT-50), or the kill switch (RT-71)."""
        self._hidden = self._hidden if hidden is None else hidden
        self._streaming = self._streaming if streaming is None else streaming
        reason = Reason.HIDDEN if self._hidden else None if self._streaming else Reason.FLAG_OFF
        if reason is None:
            self.want()  # from where the data is now, not from where it was when the streams were closed
        self._manager.block(reason)

    def connection(self, scope: Scope) -> Connection | None:
        return self._manager.state(scope.key)

    def announces(self, scope: Scope) -> bool:
        """Whether the server says what it sends (part B), so that silence proves something."""
        connection = self.connection(scope)
        return connection is not None and connection.heartbeat_ms is not None

    def in_sequence(self, scope: Scope) -> bool:
        """Whether the stream is confirmed and nothing is missing from what it said: the scope is not being resynced (RT-35)."""
        return scope.health.healthy and not scope.owing and not scope.drifted

    def silent_ms(self, scope: Scope) -> float:
        """For how long nothing has come from the stream."""
        return self._clock.now() - scope.heard_ms if scope.heard_ms is not None else 0.0

    def entity(self, scope: Scope, event: object) -> str | None:
        """What an event of the scope's stream is about."""
        return self._manager.entity(scope.key, event)

    def heard(self, scope: Scope, *, data: bool = False) -> None:
        """A delivery came (RT-30)."""
        scope.heard_ms = self._clock.now()
        scope.heard_wall_ms = self._clock.wall()
        if data:
            scope.data_epoch = self._epoch(scope)

    def heard_at(self) -> dict[str, float]:
        """When each scope's stream last delivered something, heartbeats included: wall time in ms by the stream's name (RT-30)."""
        return {str(scope.key): scope.heard_wall_ms for scope in self if scope.heard_wall_ms is not None}

    def failed(self, scope: Scope) -> None:
        """An event of this epoch could not be applied: until a snapshot makes that good, the scope is in error (RT-30)."""
        scope.failed_epoch = self._epoch(scope)

    def _chosen(self, key: StreamKey) -> bool:
        return self._manager.chosen(key)

    def _epoch(self, scope: Scope) -> int:
        connection = self.connection(scope)
        return connection.epoch if connection is not None else -1

    def forbidden(self, scope: Scope) -> bool:
        """Whether the server said 403 to the scope, by its stream or by a snapshot (RT-36)."""
        connection = self.connection(scope)
        closed = connection is not None and connection.phase is Phase.CLOSED and connection.reason is Reason.FORBIDDEN
        return scope.forbidden or closed

    def refused(self, scope: Scope) -> None:
        """A snapshot of the scope got 403: nothing more is asked, and its stream is given up (RT-36)."""
        scope.forbidden = True
        self.want()

    def permitted(self, scope: Scope) -> None:
        """The server answered again, or somebody else is signed in: the stream may be tried."""
        scope.forbidden = False
        self._manager.permit(scope.key)
        self.want()

    def assess(self, scope: Scope) -> None:
        """Work out a scope's health anew, and its fallback from it."""
        connection = self.connection(scope)
        epoch = self._epoch(scope)
        owing = scope.owing
        if not owing:
            scope.drifted, scope.failed_epoch = False, -1  # what was wrong is corrected by the snapshots that came
        signs = Signs(
            connection=connection,
            chosen=self._chosen(scope.key),
            forbidden=self.forbidden(scope),
            drifted=scope.drifted,
            failed=connection is not None and scope.failed_epoch == epoch,
            owed=owing,
            offline=self.offline,
            data_came=connection is not None and scope.data_epoch == epoch,
        )
        before = (scope.health, scope.fallback)
        scope.health = measure(signs)
        resource = any(query.spec.resource for query in scope.feeds)
        self._fall_back(scope, signal_of(scope.health, offline=self.offline, resource=resource))
        if (scope.health, scope.fallback) != before:
            self._on_change(scope)

    def _fall_back(self, scope: Scope, signal: fb.Signal) -> None:
        before = scope.fallback
        scope.fallback, action = fb.step(before, signal)
        if action is not None and scope.fallback_timer is not None:
            scope.fallback_timer.cancel()
            scope.fallback_timer = None
        if action == "grace":
            scope.grace_ends_ms = self._clock.now() + self._timings.fallback_grace_ms
        if action is not None and action != "clear":
            at = self._clock.now() + self._timings.recover_ms if action == "recover" else scope.grace_ends_ms
            scope.fallback_timer = self._clock.call_at(at, lambda: self._due(scope))
        if scope.fallback is fb.Fallback.POLLING and before is not fb.Fallback.POLLING:
            scope.fallbacks += 1

    def _due(self, scope: Scope) -> None:
        scope.fallback_timer = None
        self._fall_back(scope, fb.Signal.DUE)
        self._on_change(scope)

    def close(self) -> None:
        for scope in list(self._scopes.values()):
            scope.subscribers.clear()
            self.leave(scope)
