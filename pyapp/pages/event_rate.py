"""How many events came per minute, over the last one; in steps, because a rate over a minute is no news every second."""

from __future__ import annotations

STEP_MS = 5_000
OVER_MS = 60_000
FROM_MS = 10_000
"""A rate is not said before there is a sixth of a minute."""


class EventRate:
    """A window of a minute over a counter that only grows."""

    def __init__(self) -> None:
        self._seen: list[tuple[float, int]] = []
        self.per_min: int | None = None

    def count(self, received: int, now_ms: float) -> None:
        """The counter at this moment; within a step of the last one nothing is worked out."""
        if self._seen and now_ms - self._seen[-1][0] < STEP_MS:
            return
        self._seen.append((now_ms, received))
        while len(self._seen) > 2 and self._seen[0][0] < now_ms - OVER_MS:
            self._seen.pop(0)
        began, first = self._seen[0]
        self.per_min = None if now_ms - began < FROM_MS else round((received - first) * OVER_MS / (now_ms - began))
