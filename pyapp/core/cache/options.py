"""What one observer asks for: how old data may be, how long it is kept, what it makes of it, and what it shows meanwhile (RT-10)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias

from pyapp.core.cache.result import Result
from pyapp.core.errors import TimeMisuse

Interval: TypeAlias = float | Callable[[Result[Any]], float | None] | None
Select: TypeAlias = Callable[[Any], Any]


class Placeholder(Enum):
    """What is shown while the first fetch of a key runs, where it is not a value of the application's."""

    NOTHING = "nothing"
    PREVIOUS = "previous"
    """What the same owner saw last of the same family and mode."""


@dataclass(frozen=True, slots=True)
class ObserverOptions:
    """How one observer looks at a query. Times in ms.

    Attributes:
        live: off keeps what is shown until it is set on again (RT-5).
        enabled: off causes no fetch and wants no stream; what others fetch is shown.
        owner: who looks, for the request counters: a panel's name.
        stale_ms: data older than this when the observer comes is fetched again, unless a healthy stream writes it; `None` leaves it to
            the interval at which it is fetched anyway.
        gc_ms: how long the data is kept once nobody looks; the longest that anyone asked for counts. `None` is the profile's.
        select: what this observer makes of the data; called again only when the data or the function is another.
        placeholder: shown while the first fetch runs: `Placeholder.PREVIOUS`, a value, or a function of nothing.
        interval: how often the query is polled while this observer looks, as in `QuerySpec.interval_ms`; the shortest wins.

    Raises:
        TimeMisuse: a time below zero, or an interval that is not above it.
    """

    live: bool = True
    enabled: bool = True
    owner: str = ""
    stale_ms: float | None = None
    gc_ms: float | None = None
    select: Select | None = None
    placeholder: Any = Placeholder.NOTHING
    interval: Interval = None

    def __post_init__(self) -> None:
        for name, value in (("stale_ms", self.stale_ms), ("gc_ms", self.gc_ms)):
            if value is not None and not value >= 0:
                raise TimeMisuse(f"{name} is {value}: give a time in ms that is zero or more, or math.inf for ever.")
        if self.interval is not None and not callable(self.interval):
            require_interval(self.interval)


def require_interval(value: float) -> float:
    """An interval that can be.

    Raises:
        TimeMisuse: one that is zero, negative or no number.
    """
    if not value > 0:
        raise TimeMisuse(f"An interval is {value}: give a time in ms above zero, or math.inf for never.")
    return value


def shortest(intervals: Sequence[float | Callable[[Result[Any]], float | None]], result: Result[Any]) -> float:
    """The shortest of several intervals, of which there is at least one; infinity where each says never.

    Raises:
        TimeMisuse: a function said a time that cannot be; or what else a function raises.
    """
    given: list[float] = []
    for interval in intervals:
        if callable(interval):
            said = interval(result)
            given.append(math.inf if said is None else require_interval(said))
        else:
            given.append(require_interval(interval))
    return min(given)
