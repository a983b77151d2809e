"""What an observer is given: the data, how fresh it is, and what went wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

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
        placeholder: the data is not of this key: it is shown while the first fetch runs, and never called live (RT-10).
        pending: what a person did and the server has not confirmed yet lies over the data (RT-10).
        select_error: this observer's own function failed; `data` is what it made last.
    """

    data: T_co | None = None
    has_data: bool = False
    error: RequestError | None = None
    fetching: bool = False
    updated_ms: float | None = None
    freshness: Freshness = field(default_factory=Freshness)
    placeholder: bool = False
    pending: bool = False
    select_error: Exception | None = None


def unchanged(before: Result[Any] | None, after: Result[Any]) -> bool:
    """Whether an observer that saw `before` needs to hear of `after`: by identity for data, by value for the rest (RT-10).

    That a request is under way is no news where the data is as fresh as it should be: every poll would be told twice.
    """
    return before is after or (
        before is not None
        and before.data is after.data
        and before.has_data is after.has_data
        and before.error is after.error
        and (before.fetching is after.fetching or (after.has_data and after.freshness.calm))
        and before.updated_ms == after.updated_ms
        and before.placeholder is after.placeholder
        and before.pending is after.pending
        and before.select_error is after.select_error
        and before.freshness == after.freshness
    )
