"""Numbers as people read them: at most three significant figures and two decimals, the unit apart (it has its own slot).

Marks are those of the viewer's locale (`pyapp.numbers`). No value is `NONE`, never 0. Times of day are not written here: the
viewer's zone is the browser's business (`<pen-age>`, `<pen-time>`).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from pyapp import numbers

NONE = "—"
"""What stands where there is no value."""

_MINUTE_MS = 60_000.0
_HOUR_MS = 60 * _MINUTE_MS
_DAY_MS = 24 * _HOUR_MS
# A unit ends where rounding would write a whole one of the next: 999.7 ms is a second, 59.96 s a minute.
_DURATIONS = (
    ("ms", 1.0, 999.5),
    ("s", 1_000.0, 59.95 * 1_000),
    ("min", _MINUTE_MS, 59.95 * _MINUTE_MS),
    ("h", _HOUR_MS, 23.95 * _HOUR_MS),
)


class Quantity(NamedTuple):
    """Digits and their unit, for two slots."""

    digits: str
    unit: str = ""

    def __str__(self) -> str:
        return f"{self.digits} {self.unit}".rstrip()


NO_QUANTITY = Quantity(NONE)


def count(value: int | None) -> str:
    """A count in full, with thousands marks."""
    return NONE if value is None else numbers.count(value)


def plural(value: int, one: str, many: str = "") -> str:
    """`1 job`, `2 jobs`: the count with its noun."""
    return f"{numbers.count(value)} {one if value == 1 else many or one + 's'}"


def figures(value: float) -> str:
    """A measured number: at most three significant figures and two decimals, without zeros that say nothing."""
    size = abs(value)
    if size == 0:
        return "0"
    if size < 0.005:
        return f"<{numbers.decimal(0.01, 2)}"
    # 9.995 and 99.95 round up into the next class, and are written with that class's decimals.
    decimals = 2 if size < 9.995 else 1 if size < 99.95 else 0
    return numbers.trimmed(numbers.decimal(value, decimals))


def measure(value: float | None, unit: str) -> Quantity:
    """A measured number with a unit that does not change, for example `/min`."""
    return NO_QUANTITY if value is None else Quantity(figures(value), unit)


def percent(value: float | None) -> Quantity:
    """A rate of 0..100."""
    return measure(value, "%")


def share(value: float) -> int:
    """A part of 0..1 as whole percent; only what is complete is 100."""
    # 0.58 times 100 is 57.99… to a machine.
    return max(0, min(100, int(round(value * 100, 6))))


def duration(ms: float | None) -> Quantity:
    """A length of time in the unit that keeps it short: `0.77 ms`, `51.3 ms`, `402 ms`, `1.62 s`, `2.5 min`."""
    if ms is None or ms < 0:
        return NO_QUANTITY
    for unit, one, end in _DURATIONS:
        if ms < end:
            return Quantity(figures(ms / one), unit)
    return Quantity(figures(ms / _DAY_MS), "d")


def seconds(value: float | None) -> Quantity:
    """A length of time given in seconds."""
    return duration(None if value is None else value * 1_000)


def iso(at: datetime | None) -> str | None:
    """A moment as ISO text in UTC, as `data-updated` and the time elements take it."""
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def iso_ms(ms: float | None) -> str | None:
    """The same of wall time in ms."""
    return None if ms is None else iso(datetime.fromtimestamp(ms / 1_000, UTC))


def wall_ms(at: datetime) -> float:
    """The moment as wall time in ms, to compare with `Env.now_ms`."""
    return at.timestamp() * 1_000
