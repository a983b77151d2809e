"""One request on its way through the coordinator, and those who wait for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from pyapp.core.clock import Timer
from pyapp.core.ports import Cancel, HttpRequest
from pyapp.core.requests.answer import Done
from pyapp.core.requests.bodies import Body, RequestKey
from pyapp.core.requests.endpoint import EndpointSpec


class Stage(Enum):
    """Where a flight is: held back by its owner's rate, queued for a place, under way, refused and not yet told, over."""

    HELD = auto()
    QUEUED = auto()
    SENT = auto()
    REFUSED = auto()
    OVER = auto()


@dataclass(slots=True, eq=False)
class Flight:
    """A request and its waiters.

    Attributes:
        key: what another GET must equal to join; `None` for what is not shared.
        owner: whose rate it counts against (RT-67).
        waiters: by ticket number.
        probe: its number if it is a breaker's probe, else 0.
        generation: how many changes had been sent or answered when it was sent: what began before one is not shared after it.
        body: the kept body about which the server is asked.
        unreadable: somebody said that nobody can read its answer.
    """

    endpoint: EndpointSpec
    request: HttpRequest
    key: RequestKey | None
    owner: str
    by_user: bool
    waiters: dict[int, Done]
    stage: Stage = Stage.QUEUED
    began_ms: float = 0.0
    cancel: Cancel | None = None
    timer: Timer | None = None
    probe: int = 0
    generation: int = 0
    body: Body | None = None
    unreadable: bool = False

    def stop(self) -> None:
        """Give up its request and its time-out."""
        for part in (self.cancel, self.timer):
            if part is not None:
                part.cancel()


@dataclass(slots=True)
class Ticket:
    """A waiter's hold on its flight; giving it up ends the flight when nobody else waits."""

    give_up: Callable[[Flight, int], None]
    flight: Flight
    number: int
    given_up: bool = False

    def cancel(self) -> None:
        """Wait no longer; twice is once."""
        if not self.given_up:
            self.given_up = True
            self.give_up(self.flight, self.number)
