"""The server's clock, as hello and heartbeats tell it (RT-55): ages are differences of the server's times, not of two machines'."""

from __future__ import annotations

from datetime import datetime

from pyapp.core.clock import Clock


class ServerClock:
    """An estimate of how far the server's clock is ahead of ours.

    The time in a heartbeat is as old as its way here. So the largest offset lately seen is the best estimate: the frame that
    travelled fastest. It is forgotten slowly, so that a clock that was set back is believed within a minute.
    """

    FORGET_MS_PER_S = 1.0

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset_ms: float | None = None
        self._at_ms = 0.0

    @property
    def offset_ms(self) -> float | None:
        """Server minus this machine, `None` before the server said its time."""
        return self._offset_ms

    def now_ms(self) -> float:
        """Wall time in ms by the server's clock, as far as it is known."""
        return self._clock.wall() + (self._offset_ms or 0.0)

    def heard(self, text: str) -> None:
        """The server said its time, as ISO text; anything else is ignored."""
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            return
        if at.tzinfo is None:
            return
        now = self._clock.now()
        seen = at.timestamp() * 1000 - self._clock.wall()
        if self._offset_ms is not None:
            fading = self._offset_ms - self.FORGET_MS_PER_S * (now - self._at_ms) / 1000
            # A jump of more than a second is a clock that was set, not a slow frame.
            if abs(seen - self._offset_ms) < 1_000:
                seen = max(seen, fading)
        self._offset_ms = seen
        self._at_ms = now
