"""How many jobs there are of each status, as far as that is known; what is not known is not shown.

    tab                           live                                      window
    All, Complete, Failed,        the statistics of the function            the rows, once the whole range is read and no
    Cancelled                     (none for one worker: the server          status narrows it; else the statistics of the
                                  has none)                                 range
    Active, Queued, Retrying      the jobs in flight, while they fit        the rows, as above; else nothing
                                  into one live list; else `50+`

The server counts by function and range, never by worker.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from pyapp.contract.jobs import Job, JobsStats, JobStatus
from pyapp.core.cache.keys import LIVE_LIST_LIMIT
from pyapp.pages import formats

IN_FLIGHT: Final[tuple[JobStatus, ...]] = ("active", "queued", "retrying")
TABS: Final[tuple[JobStatus | None, ...]] = (None, *IN_FLIGHT, "failed", "cancelled", "complete")
"""The tabs in their order; `None` is all."""

UNKNOWN = ""
"""The count of a tab of which nothing is known."""

Tally = Mapping[JobStatus | None, str]


class Rows(Protocol):
    """A live list or a window, as the cache holds it."""

    @property
    def rows(self) -> Sequence[Job]: ...
    @property
    def total(self) -> int | None: ...


@dataclass(slots=True)
class _Counted:
    rows: Sequence[Job] | None = None
    counts: Counter[str] | None = None


_last: Final = _Counted()


def count_rows(rows: Sequence[Job]) -> Counter[str]:
    """Jobs by status. A window has thousands of rows and never changes, so the last one counted is remembered."""
    if _last.rows is not rows or _last.counts is None:
        _last.rows, _last.counts = rows, Counter(row.status for row in rows)
    return _last.counts


def live_tally(stats: JobsStats | None, in_flight: Rows | None) -> Tally:
    """The counts while the list is live."""
    return {**_of_stats(stats), **_of_in_flight(in_flight)}


def window_tally(rows: Sequence[Job] | None, stats: JobsStats | None) -> Tally:
    """The counts of a window; `rows` is `None` unless they are all jobs of the range, of every status."""
    if rows is None:
        return {**_of_stats(stats), **_unknown(IN_FLIGHT)}
    counts = count_rows(rows)
    return {None: formats.count(len(rows)), **{tab: formats.count(counts[tab]) for tab in TABS if tab is not None}}


def _of_stats(stats: JobsStats | None) -> dict[JobStatus | None, str]:
    if stats is None:
        return _unknown((None, "complete", "failed", "cancelled"))
    return {
        None: formats.count(stats.total),
        "complete": formats.count(stats.success_count),
        "failed": formats.count(stats.failure_count),
        "cancelled": formats.count(stats.cancelled_count),
    }


def _of_in_flight(in_flight: Rows | None) -> dict[JobStatus | None, str]:
    if in_flight is None:
        return _unknown(IN_FLIGHT)
    total = len(in_flight.rows) if in_flight.total is None else in_flight.total
    if total > LIVE_LIST_LIMIT:
        return dict.fromkeys(IN_FLIGHT, f"{LIVE_LIST_LIMIT}+")
    counts = Counter(row.status for row in in_flight.rows)
    return {tab: formats.count(counts[tab]) for tab in IN_FLIGHT}


def _unknown(tabs: Iterable[JobStatus | None]) -> dict[JobStatus | None, str]:
    return dict.fromkeys(tabs, UNKNOWN)
