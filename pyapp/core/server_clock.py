"""The server's clock (RT-55): ages are differences of the server's times, not of two machines'.

Two sources. Hello and heartbeats say the time to the microsecond; while they speak nothing else is listened to. Without them, at a
part-A server, every answer's `Date` header says it to the second: each one bounds the offset from both sides, and together they close
in on it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from pyapp.core.clock import Clock

FORGET_MS_PER_S = 1.0
SPEAKS_MS = 60_000.0
"""A frame that said the time speaks for so long; heartbeats come every few seconds."""
DATE_STEP_MS = 1_000.0
"""The resolution of a `Date` header."""
TIME_LENGTH = len("2026-01-01T00:00:00")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DATE = re.compile(r"[A-Z][a-z]{2}, (\d{2}) ([A-Z][a-z]{2}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) GMT", re.ASCII)


class ServerClock:
    """An estimate of how far the server's clock is ahead of ours.

    The time in a heartbeat is as old as its way here. So the largest offset lately seen is the best estimate: the frame that
    travelled fastest. It is forgotten slowly, so that a clock that was set back is believed within a minute.

    A `Date` was written between the beginning and the end of its request, and cut down to the second. So the offset lies between two
    bounds; each answer brings its own, the middle of what they have in common is the estimate, and bounds that have nothing in common
    with the earlier ones are those of a clock that was set.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset_ms: float | None = None
        self._at_ms: float | None = None
        self._bounds: tuple[float, float] | None = None

    @property
    def offset_ms(self) -> float | None:
        """Server minus this machine, `None` before the server said its time."""
        return self._offset_ms

    @property
    def coarse(self) -> bool:
        """Whether only `Date` headers speak, which know whole seconds."""
        return self._bounds is not None

    def now_ms(self) -> float:
        """Wall time in ms by the server's clock, as far as it is known."""
        return self._clock.wall() + (self._offset_ms or 0.0)

    def heard(self, text: str) -> None:
        """A frame said the server's time, as ISO text; one without a zone is UTC by the contract. Anything else is ignored."""
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            return
        if len(text) < TIME_LENGTH:
            return  # a day is no time
        if at.tzinfo is None:
            at = at.replace(tzinfo=UTC)
        now = self._clock.now()
        seen = at.timestamp() * 1000 - self._clock.wall()
        if self._offset_ms is not None and self._at_ms is not None:
            fading = self._offset_ms - FORGET_MS_PER_S * (now - self._at_ms) / 1000
            # A jump of more than a second is a clock that was set, not a slow frame.
            if abs(seen - self._offset_ms) < 1_000:
                seen = max(seen, fading)
        self._offset_ms = seen
        self._at_ms = now
        self._bounds = None

    def heard_date(self, text: str, began_ms: float, ended_ms: float) -> None:
        """An answer's `Date` header; ignored while frames say the time better.

        Args:
            text: as RFC 9110 wants it sent, `Sun, 06 Nov 1994 08:49:37 GMT`; anything else is ignored.
            began_ms, ended_ms: clock times between which the server wrote it.
        """
        now = self._clock.now()
        if self._at_ms is not None and now - self._at_ms < SPEAKS_MS:
            return
        at_ms = http_date_ms(text)
        if at_ms is None:
            return
        to_wall = self._clock.wall() - now
        low, high = at_ms - (ended_ms + to_wall), at_ms + DATE_STEP_MS - (began_ms + to_wall)
        if self._bounds is None and self._offset_ms is not None and low <= self._offset_ms <= high:
            return  # what frames said was more exact, and still agrees
        if self._bounds is not None:
            common = max(low, self._bounds[0]), min(high, self._bounds[1])
            if common[0] <= common[1]:
                low, high = common
        self._bounds = low, high
        self._offset_ms = (low + high) / 2


def http_date_ms(text: str) -> float | None:
    """Milliseconds since 1970 of an HTTP date, `None` for what is none. `email.utils` would cost the boot 20 ms."""
    match = _DATE.fullmatch(text)
    if match is None or match[2] not in MONTHS:
        return None
    try:
        at = datetime(int(match[3]), MONTHS.index(match[2]) + 1, *(int(match[n]) for n in (1, 4, 5, 6)), tzinfo=UTC)
    except ValueError:
        return None
    return at.timestamp() * 1000
