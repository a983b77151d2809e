"""Whether the page counts as seen (RT-50, RT-51): a machine without I/O.

state    event                 next     effects
-------  --------------------  -------  -----------------------------
shown    Changed(hidden)       leaving  SetGrace(now + hidden grace)
leaving  Changed(shown)        shown    ClearGrace      (nothing happened)
leaving  GraceOver             hidden   Pause
hidden   Changed(shown)        shown    Resume
shown    PutAway               hidden   Pause            (RT-53: no grace)
leaving  PutAway               hidden   ClearGrace, Pause
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from pyapp.core.clock import Clock, Timer
from pyapp.core.ports import Visibility
from pyapp.core.timings import Timings


class Seen(StrEnum):
    SHOWN = "shown"
    LEAVING = "leaving"
    HIDDEN = "hidden"


class SeenEvent(StrEnum):
    WENT = "hidden"
    CAME = "shown"
    GRACE_OVER = "grace over"
    PUT_AWAY = "put away"


class SeenEffect(StrEnum):
    SET_GRACE = "set grace"
    CLEAR_GRACE = "clear grace"
    PAUSE = "pause"
    RESUME = "resume"


_TABLE: dict[tuple[Seen, SeenEvent], tuple[Seen, SeenEffect]] = {
    (Seen.SHOWN, SeenEvent.WENT): (Seen.LEAVING, SeenEffect.SET_GRACE),
    (Seen.LEAVING, SeenEvent.CAME): (Seen.SHOWN, SeenEffect.CLEAR_GRACE),
    (Seen.LEAVING, SeenEvent.GRACE_OVER): (Seen.HIDDEN, SeenEffect.PAUSE),
    (Seen.HIDDEN, SeenEvent.CAME): (Seen.SHOWN, SeenEffect.RESUME),
    (Seen.SHOWN, SeenEvent.PUT_AWAY): (Seen.HIDDEN, SeenEffect.PAUSE),
    (Seen.LEAVING, SeenEvent.PUT_AWAY): (Seen.HIDDEN, SeenEffect.PAUSE),
}


def step(state: Seen, event: SeenEvent) -> tuple[Seen, SeenEffect | None]:
    """The table of this module's docstring; what it does not hold changes nothing."""
    return _TABLE.get((state, event), (state, None))


class VisibilityWatch:
    """The shell: the port's changes and one timer go into the machine, `on_change(paused)` comes out."""

    def __init__(self, clock: Clock, visibility: Visibility, timings: Timings, on_change: Callable[[bool], None]) -> None:
        self._clock = clock
        self._visibility = visibility
        self._timings = timings
        self._on_change = on_change
        self._timer: Timer | None = None
        self._closed = False
        self._away = False
        self._pausing = True
        self.state = Seen.SHOWN
        self.since_ms = clock.now()
        visibility.on_change(self._changed)
        self._changed()

    @property
    def paused(self) -> bool:
        return self.state is Seen.HIDDEN

    @property
    def painting(self) -> bool:
        return self.state is Seen.SHOWN

    def set_pausing(self, on: bool) -> None:
        """Off, a hidden page goes on as if it were seen: for wallboards (RT-50, `pause_hidden`)."""
        self._pausing = on
        self._changed()

    def put_away(self) -> None:
        """The page goes into the back/forward cache or is frozen: paused at once (RT-53)."""
        self._away = True
        self._step(SeenEvent.PUT_AWAY)

    def taken_out(self) -> None:
        """It is back: as after hidden, if somebody can see it."""
        self._away = False
        self._changed()

    def _changed(self) -> None:
        if not (self._closed or self._away):
            self._step(SeenEvent.WENT if self._pausing and self._visibility.hidden() else SeenEvent.CAME)

    def _step(self, event: SeenEvent) -> None:
        after, effect = step(self.state, event)
        if effect is None:
            return
        self.state = after
        self.since_ms = self._clock.now()
        match effect:
            case SeenEffect.SET_GRACE:
                due = self._clock.now() + self._timings.hidden_grace_ms
                self._timer = self._clock.call_at(due, lambda: self._step(SeenEvent.GRACE_OVER))
            case SeenEffect.CLEAR_GRACE:
                self._clear()
                self._on_change(False)
            case SeenEffect.PAUSE:
                self._clear()
                self._on_change(True)
            case SeenEffect.RESUME:  # pragma: no branch - there is no other
                self._on_change(False)

    def close(self) -> None:
        """Watch no longer: the port may go on telling, and nothing comes of it."""
        self._closed = True
        self._clear()

    def _clear(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
