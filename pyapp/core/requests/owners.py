"""Owners: who asks, and how often it may (RT-67).

An owner is an endpoint and the panel that asks for it. Each has a bucket of 10 requests, refilled 20 a minute. Past that its requests
wait for their turn, in order and none lost, and an alert names the owner until it kept to its rate for a minute. Requests that a person
caused are exempt, and so is what needed no request: joins and kept answers.

An owner is registered by its first request and disposed of when it sent nothing for a minute, so what is remembered is bounded by what
was sent in the last one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from pyapp.core.alerts import AlertKind, Alerts
from pyapp.core.clock import Clock, Timer
from pyapp.core.requests.flight import Flight, Stage
from pyapp.core.timings import Timings

BURST = 10
"""So many requests an owner may send at once."""


@dataclass(frozen=True, slots=True)
class OwnerStatistics:
    """One owner.

    Attributes:
        owner: endpoint and panel.
        active: requests that it has under way or waiting.
        sent: since it was registered.
        last_minute: sent in the last minute.
        waiting: held back now.
        held: held back since it was registered.
    """

    owner: str
    active: int
    sent: int
    last_minute: int
    waiting: int
    held: int


@dataclass(frozen=True, slots=True)
class OwnersStatistics:
    """`registered` and `disposed` since the start; `owners` are those there are now."""

    registered: int
    disposed: int
    owners: tuple[OwnerStatistics, ...]


@dataclass(slots=True, eq=False)
class _Owner:
    name: str
    filled_ms: float
    tokens: float = BURST
    active: int = 0
    sent: int = 0
    held: int = 0
    times: deque[float] = field(default_factory=deque[float])
    waiting: deque[Flight] = field(default_factory=deque[Flight])
    timer: Timer | None = None
    quiet: Timer | None = None


class Owners:
    """Every owner.

    Args:
        release: sends a request that was held back.
        limits: off: nothing is held back, everything is counted. `exempt` does the same for another reason.
    """

    def __init__(
        self, clock: Clock, timings: Timings, alerts: Alerts, release: Callable[[Flight], None], *, limits: bool = True
    ) -> None:
        self._clock = clock
        self._timings = timings
        self._alerts = alerts
        self._release = release
        self.limits = limits
        self.exempt = False
        self._owners: dict[str, _Owner] = {}
        self._registered = self._disposed = 0

    def admit(self, flight: Flight) -> bool:
        """A new request: whether it may go now; if not it is released at its turn."""
        now = self._clock.now()
        owner = self._owner(flight.owner, now)
        owner.active += 1
        if flight.by_user or not self.limiting or (not owner.waiting and self._pay(owner, now)):
            self._sent(owner, now)
            return True
        flight.stage = Stage.HELD
        owner.waiting.append(flight)
        owner.held += 1
        self._alerts.begin(
            AlertKind.OWNER,
            owner.name,
            f"{owner.name} asks more often than {self._rate()} times a minute: it has to wait. Look for a loop in that panel.",
        )
        if owner.quiet is not None:
            owner.quiet.cancel()
            owner.quiet = None
        self._arm(owner, now)
        return False

    def joined(self, flight: Flight, name: str, *, by_user: bool) -> None:
        """Somebody else waits for a request that is held back: it goes now if a person asks, or if that owner may still send."""
        now = self._clock.now()
        if by_user or (name != flight.owner and self._pay(self._owner(name, now), now)):
            self.forget(flight)
            self._sent(self._owners[flight.owner], now)
            self._release(flight)

    def forget(self, flight: Flight) -> None:
        """A request that was held back waits no longer."""
        owner = self._owners[flight.owner]
        owner.waiting.remove(flight)
        if not owner.waiting:
            self._settled(owner)

    def ended(self, name: str) -> None:
        """A request of an owner is over, however it ended."""
        self._owners[name].active -= 1

    def release_all(self) -> None:
        """The limits are off: what was held back goes, in order."""
        now = self._clock.now()
        for owner in self._owners.values():
            if owner.waiting:
                flights, owner.waiting = owner.waiting, deque()
                self._settled(owner)
                for flight in flights:
                    self._sent(owner, now)
                    self._release(flight)

    @property
    def limiting(self) -> bool:
        """Whether anything is held back."""
        return self.limits and not self.exempt

    def close(self) -> None:
        """Forget what was held back, and every timer."""
        for owner in self._owners.values():
            for flight in owner.waiting:
                flight.stage = Stage.OVER
            owner.waiting.clear()
            for timer in (owner.timer, owner.quiet):
                if timer is not None:
                    timer.cancel()

    # Inside -------------------------------------------------------------------------------------------------------------------

    def _owner(self, name: str, now: float) -> _Owner:
        owner = self._owners.get(name)
        if owner is None:
            for idle in [idle for idle in self._owners.values() if self._idle(idle, now)]:
                del self._owners[idle.name]
                self._disposed += 1
            owner = self._owners[name] = _Owner(name, now)
            self._registered += 1
        return owner

    def _idle(self, owner: _Owner, now: float) -> bool:
        quiet_ms = self._timings.owner_quiet_ms
        return not owner.active and owner.quiet is None and (not owner.times or owner.times[-1] <= now - quiet_ms)

    def _pay(self, owner: _Owner, now: float) -> bool:
        owner.tokens = min(BURST, owner.tokens + (now - owner.filled_ms) / self._timings.owner_refill_ms)
        owner.filled_ms = now
        # Refilling in many small steps must not leave a token a hair's breadth short.
        if owner.tokens < 1 - 1e-9:
            return False
        owner.tokens -= 1
        return True

    def _sent(self, owner: _Owner, now: float) -> None:
        owner.sent += 1
        owner.times.append(now)
        while owner.times[0] <= now - self._timings.owner_quiet_ms:
            owner.times.popleft()

    def _arm(self, owner: _Owner, now: float) -> None:
        if owner.timer is None and owner.waiting:
            missing = max(0.0, 1 - owner.tokens)
            owner.timer = self._clock.call_at(now + missing * self._timings.owner_refill_ms, lambda: self._turn(owner))

    def _turn(self, owner: _Owner) -> None:
        owner.timer = None
        now = self._clock.now()
        if self._pay(owner, now):
            flight = owner.waiting.popleft()
            self._sent(owner, now)
            if not owner.waiting:
                self._settled(owner)
            self._release(flight)
        self._arm(owner, now)

    def _settled(self, owner: _Owner) -> None:
        """Nothing is held back any more: the episode ends unless that comes again within a minute."""
        if owner.timer is not None:
            owner.timer.cancel()
            owner.timer = None
        owner.quiet = self._clock.call_at(self._clock.now() + self._timings.owner_quiet_ms, lambda: self._quiet(owner))

    def _quiet(self, owner: _Owner) -> None:
        owner.quiet = None
        self._alerts.end(AlertKind.OWNER, owner.name)

    def _rate(self) -> int:
        return round(60_000 / self._timings.owner_refill_ms)

    def statistics(self) -> OwnersStatistics:
        since = self._clock.now() - self._timings.owner_quiet_ms
        rows = tuple(
            OwnerStatistics(o.name, o.active, o.sent, sum(1 for at in o.times if at > since), len(o.waiting), o.held)
            for o in self._owners.values()
        )
        return OwnersStatistics(self._registered, self._disposed, rows)
