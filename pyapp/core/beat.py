"""One beat moves everything (RT-41, RT-43).

Frames wait raw on the host's side. The first after quiet is taken within 16 ms, then there is a beat every 100 ms for as long as
something comes, by timer and never by animation frame, which stops or slows in pages that are not in front. A beat collects, applies,
notifies and paints once. What does not fit into its budget goes on in slices until the next beat, which only collect and apply: each
has the budget of a beat, and leaves the page to others for as long as that, so that a flood takes half of the main thread.

What the user did does not wait: `now()` runs everything but the streams at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pyapp.core.clock import Clock, Timer
from pyapp.core.timings import Timings

PAUSE_MS = 4.0
"""The shortest pause before a slice: browsers let timers that set timers wait as long."""


@dataclass(frozen=True, slots=True)
class BeatStatistics:
    """`beats` run and `slices` between them, `over` of both past their budget, `longest_ms` the longest so far, `paints` times
    something was drawn."""

    beats: int
    over: int
    longest_ms: float
    paints: int
    slices: int = 0


class Beat:
    """The one cadence of a page."""

    def __init__(
        self,
        clock: Clock,
        timings: Timings,
        *,
        collect: Callable[[], None],
        deliver: Callable[[Callable[[], bool]], None],
        waiting: Callable[[], bool],
        notify: Callable[[], None],
        paint: Callable[[], bool],
        visible: Callable[[], bool],
    ) -> None:
        self._clock = clock
        self._timings = timings
        self._collect = collect
        self._deliver = deliver
        self._waiting = waiting
        self._notify = notify
        self._paint = paint
        self._visible = visible
        self._timer: Timer | None = None
        self._last_ms = -1e18
        self._beats = self._over = self._paints = self._slices = 0
        self._longest_ms = 0.0
        self._closed = False

    def wake(self) -> None:
        """Something waits: there will be a beat."""
        if self._timer is None and not self._closed:
            when = max(self._clock.now() + self._timings.beat_first_ms, self._last_ms + self._timings.beat_ms)
            self._timer = self._clock.call_at(when, self._run)

    def now(self) -> None:
        """Notify and paint what the user changed, outside the beat (RT-43)."""
        if not self._closed:
            self._notify()
            self._draw()

    def close(self) -> None:
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _run(self) -> None:
        self._timer = None
        begun = self._clock.now()
        whole = begun >= self._last_ms + self._timings.beat_ms
        if whole:
            self._last_ms = begun
        deadline = begun + self._timings.beat_budget_ms
        try:
            self._collect()
            self._deliver(lambda: self._clock.now() < deadline)
            if whole:
                self._notify()
                self._draw()
        finally:
            # One mistake must not end the beat of the page: what waits is taken by the next.
            took = self._clock.now() - begun
            self._beats += whole
            self._slices += not whole
            self._over += took > self._timings.beat_budget_ms
            self._longest_ms = max(self._longest_ms, took)
            if self._waiting():
                self._go_on(took)
            elif not whole:
                self.wake()  # what the slices applied is told and drawn by the next beat

    def _go_on(self, took_ms: float) -> None:
        """Something is left: a slice after a pause, or the next beat where that comes first."""
        if self._timer is None and not self._closed:
            pause = max(PAUSE_MS, min(took_ms, self._timings.beat_budget_ms))
            self._timer = self._clock.call_at(self._clock.now() + pause, self._run)

    def _draw(self) -> None:
        # Hidden within its grace: apply, do not paint.
        if self._visible() and self._paint():
            self._paints += 1

    def statistics(self) -> BeatStatistics:
        return BeatStatistics(self._beats, self._over, self._longest_ms, self._paints, self._slices)
