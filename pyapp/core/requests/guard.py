"""The breakers of the lanes: the shell of `breaker`, with its alert and its error (RT-66)."""

from __future__ import annotations

import math

from pyapp.core.alerts import AlertKind, Alerts
from pyapp.core.clock import Clock
from pyapp.core.errors import BreakerOpen
from pyapp.core.requests import breaker
from pyapp.core.requests.breaker import BreakerState, Verdict
from pyapp.core.requests.flight import Flight
from pyapp.core.requests.lanes import Lane
from pyapp.core.timings import Timings


class Guard:
    """Lets requests pass, or not. While `on` is false everything passes and nothing counts."""

    def __init__(self, clock: Clock, timings: Timings, alerts: Alerts) -> None:
        self._clock = clock
        self._timings = timings
        self._alerts = alerts
        self.on = True

    def refuses(self, lane: Lane, *, by_user: bool) -> bool:
        """Whether a request would be refused now, changing nothing."""
        return self.on and breaker.verdict(lane.breaker, self._clock.now(), by_user=by_user) is Verdict.REFUSE

    def lets_pass(self, lane: Lane, flight: Flight) -> bool:
        """A request is about to be sent; it may become the probe."""
        if not self.on:
            return True
        lane.breaker, verdict = breaker.ask(lane.breaker, self._clock.now(), by_user=flight.by_user)
        if verdict is Verdict.PROBE:
            flight.probe = lane.breaker.probe
        return verdict is not Verdict.REFUSE

    def failed(self, lane: Lane, probe: int) -> bool:
        """A request failed; whether the breaker is open now. The alert waits for `announce`."""
        if not self.on:
            return False
        times = self._timings
        lane.breaker = breaker.failed(
            lane.breaker, self._clock.now(), probe, window_ms=times.breaker_window_ms, open_ms=times.breaker_open_ms
        )
        return lane.breaker.state is BreakerState.OPEN

    def succeeded(self, lane: Lane, probe: int) -> None:
        """A request was answered."""
        lane.breaker = breaker.succeeded(lane.breaker, self._clock.now(), probe)

    def abandoned(self, lane: Lane, probe: int) -> None:
        """A request was given up."""
        lane.breaker = breaker.abandoned(lane.breaker, self._clock.now(), probe)

    def hurry(self, lane: Lane) -> None:
        """Let the next request try."""
        lane.breaker = breaker.hurry(lane.breaker, self._clock.now())

    def closed_to_all(self, lane: Lane) -> bool:
        """Whether its requests are refused but for the one that tries."""
        return lane.breaker.state is not BreakerState.CLOSED

    def reset(self, lane: Lane) -> None:
        """Forget what failed."""
        lane.breaker = breaker.reset(lane.breaker, self._clock.now())
        self.announce(lane)

    def refusal(self, lane: Lane, endpoint: str) -> BreakerOpen:
        """The error of a request that is not sent."""
        state = lane.breaker
        if state.state is BreakerState.OPEN:
            # Rounded up, and a millisecond more: who waits for so long must not come a hair's breadth too early.
            wait_ms = math.ceil(max(0.0, state.retry_at_ms - self._clock.now())) + 1.0
            when = f"it is asked again in {math.ceil(wait_ms / 1000)} s, and at once when you refresh"
        else:
            wait_ms = self._timings.backoff_base_ms
            when = "it is being tried again now"
        text = f"The server failed too often when asked for {lane.cls.name}: {when}."
        return BreakerOpen(text, endpoint=endpoint, retry_after_ms=wait_ms)

    def announce(self, lane: Lane) -> None:
        """An alert for as long as the breaker is not closed."""
        name = lane.cls.name
        if lane.breaker.state is BreakerState.CLOSED:
            self._alerts.end(AlertKind.BREAKER, name)
            return
        times = self._timings
        self._alerts.begin(
            AlertKind.BREAKER,
            name,
            f"{breaker.FAILURES} requests for {name} failed within {times.breaker_window_ms / 1000:g} s: "
            f"the server is asked for them once in {times.breaker_open_ms / 1000:g} s until it answers.",
        )
