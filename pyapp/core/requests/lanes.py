"""Who goes next: one lane per endpoint class, served in turn (RT-64, RT-65).

A lane takes at most its class's concurrency, and never the last free place; the lanes that wait are served one request each in turn.
So a class that hangs keeps its own places and no one else's turn. Within a lane a person's requests go first.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from pyapp.core.requests.breaker import Breaker
from pyapp.core.requests.counts import ClassStatistics
from pyapp.core.requests.endpoint import EndpointClass
from pyapp.core.requests.flight import Flight, Stage


@dataclass(slots=True, eq=False)
class Lane:
    """The requests of one class: those that wait, how many are under way, and the breaker."""

    cls: EndpointClass
    breaker: Breaker
    queue: deque[Flight] = field(default_factory=deque[Flight])
    flying: int = 0


class Lanes:
    """Every class of which a request was sent."""

    def __init__(self) -> None:
        self._lanes: dict[str, Lane] = {}
        self._turn: deque[Lane] = deque()

    def of(self, cls: EndpointClass, now_ms: float) -> Lane:
        """The lane of a class, made when it is first asked for."""
        lane = self._lanes.get(cls.name)
        if lane is None:
            lane = self._lanes[cls.name] = Lane(cls, Breaker(since_ms=now_ms))
        return lane

    def put(self, lane: Lane, flight: Flight) -> None:
        """A flight waits for its place."""
        flight.stage = Stage.QUEUED
        if not lane.queue:
            self._turn.append(lane)
        place = len(lane.queue)
        if flight.by_user:
            place = next((n for n, other in enumerate(lane.queue) if not other.by_user), place)
        lane.queue.insert(place, flight)

    def take(self, limit: int) -> tuple[Lane, Flight] | None:
        """The flight whose turn it is, if its class has room under `limit`."""
        for _ in range(len(self._turn)):
            lane = self._turn.popleft()
            if lane.flying >= lane.cls.room(limit):
                self._turn.append(lane)
                continue
            flight = lane.queue.popleft()
            if lane.queue:
                self._turn.append(lane)
            return lane, flight
        return None

    def remove(self, lane: Lane, flight: Flight) -> None:
        """A queued flight waits no longer."""
        lane.queue.remove(flight)
        if not lane.queue:
            self._turn.remove(lane)

    def empty(self, lane: Lane) -> list[Flight]:
        """Take every queued flight out of a lane."""
        flights = list(lane.queue)
        lane.queue.clear()
        if flights:
            self._turn.remove(lane)
        return flights

    def all(self) -> tuple[Lane, ...]:
        """Every lane."""
        return tuple(self._lanes.values())

    def statistics(self, to_wall_ms: float) -> tuple[ClassStatistics, ...]:
        """Every class; `to_wall_ms` makes wall times of clock times."""
        return tuple(
            ClassStatistics(
                cls=lane.cls.name,
                breaker=lane.breaker.state,
                since_wall_ms=to_wall_ms + lane.breaker.since_ms,
                opens=lane.breaker.opens,
                in_flight=lane.flying,
                queued=len(lane.queue),
            )
            for lane in self._lanes.values()
        )

    @property
    def queued(self) -> int:
        """How many flights wait for a place."""
        return sum(len(lane.queue) for lane in self._lanes.values())
