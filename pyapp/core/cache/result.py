"""What an observer is given: the data, how fresh it is, and what went wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from pyapp.core.errors import RequestError
from pyapp.core.freshness import Freshness

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Result(Generic[T_co]):
    """One reading of a query.

    Attributes:
        data: the last good data, kept when a refetch fails (RT-12); `None` before there was any (then `has_data` is false).
        has_data: tells `None` that is data from no data (RT-10).
        error: why the last fetch failed, gone with the next that succeeds.
        fetching: whether a request is under way.
        updated_ms: wall time in ms at which the data was last known to equal the server's.
        freshness: what a panel may say about it.
    """

    data: T_co | None = None
    has_data: bool = False
    error: RequestError | None = None
    fetching: bool = False
    updated_ms: float | None = None
    freshness: Freshness = field(default_factory=Freshness)
