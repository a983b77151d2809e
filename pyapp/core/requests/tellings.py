"""Outcomes that are known before `send` has returned, and are told right after (a kept answer, a refusal).

One timer for however many there are: a kept answer must cost no more than reading it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from pyapp.core.clock import Clock, Timer
from pyapp.core.errors import RequestError
from pyapp.core.requests.answer import Answer, Done


@dataclass(slots=True)
class Telling:
    """One outcome and who is told."""

    done: Done | None
    outcome: Answer | RequestError

    def cancel(self) -> None:
        """Do not tell it."""
        self.done = None

    def tell(self) -> None:
        """Tell it, once."""
        done, self.done = self.done, None
        if done is not None:
            done(self.outcome)


class Tellings:
    """Those that wait."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: deque[Telling] = deque()
        self._timer: Timer | None = None

    def add(self, done: Done, outcome: Answer | RequestError) -> Telling:
        """Tell an outcome as soon as this turn is over."""
        telling = Telling(done, outcome)
        self._waiting.append(telling)
        self._arm()
        return telling

    def close(self) -> None:
        """Tell nobody anything."""
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self) -> None:
        if self._timer is None and self._waiting:
            self._timer = self._clock.call_at(self._clock.now(), self.tell_all)

    def tell_all(self) -> None:
        """Tell every outcome that waits; what is added meanwhile has its own turn."""
        self._timer = None
        try:
            for _ in range(len(self._waiting)):
                if self._waiting:
                    self._waiting.popleft().tell()
        finally:
            self._arm()  # a callback that raises must not keep the others from their answers
