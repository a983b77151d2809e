"""What may be said of a query's data (RT-83, RT-84): a pure function of what was measured, in the design's words.

First match:
    forbidden, itself or its scope                 error, forbidden; what is there is retained and marked (RT-36)
    the last fetch failed, and nothing excuses it  error, by its kind; the data stays (RT-12)
    nothing there                                  loading
    a window                                       window
    nobody looks, so nothing keeps it fresh        stale
    hidden                                         paused, hidden
    no network                                     stale, offline
    no stream writes it, or it is not healthy,
      and fetching is switched off                 paused, flag
    no stream writes it, asked in time             polling, design
    no stream writes it, not asked in time         stale
    its scope is healthy                           live; unverified when nothing announces and nothing came for a minute
    rows differed from the server's                stale, drift
    a snapshot is owed                             stale, catching up
    its scope polls                                polling, fallback or budget
    the stream is being opened for the first time  loading, connecting
    else                                           stale
"""

from __future__ import annotations

from dataclasses import dataclass

from pyapp.core.errors import RequestError
from pyapp.core.freshness import FreshnessReason as R
from pyapp.core.freshness import FreshnessState as S

OVERDUE_INTERVALS = 3
"""Polled data is stale when it is older than so many intervals: one answer may be late, and the next is on its way."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What is known of one query when its mark is worked out; times in ms, ages from now."""

    window: bool = False
    fed: bool = True
    has_data: bool = False
    fetching: bool = False
    error: RequestError | None = None
    hidden: bool = False
    offline: bool = False
    flag: bool = False
    forbidden: bool = False
    drifted: bool = False
    streamed: bool = False
    healthy: bool = False
    delivering: bool = False
    announces: bool = False
    silent_ms: float = 0.0
    owed: bool = False
    polling: bool = False
    budget: bool = False
    first_connect: bool = False
    age_ms: float = 0.0
    interval_ms: float = 0.0
    unverified_ms: float = 60_000.0


_ERRORS = {
    "network": R.NETWORK,
    "timeout": R.NETWORK,
    "server": R.SERVER,
    "refused": R.SERVER,
    "forbidden": R.FORBIDDEN,
    "missing": R.MISSING,
    "content": R.CONTENT,
    "invalid": R.CONTENT,
    "breaker": R.BREAKER,
}


def mark(r: Reading) -> tuple[S, R]:
    """The state and reason of this module's docstring."""
    excused = (r.hidden or (r.offline and not r.window)) and r.has_data
    if r.forbidden and not (r.hidden and r.has_data):
        return S.ERROR, R.FORBIDDEN
    # A window stays what was read; that its refresh failed is said as well as for live data.
    if r.error is not None and not excused:
        return S.ERROR, _ERRORS.get(r.error.kind, R.SERVER)
    if not r.has_data:
        return S.LOADING, R.NONE
    if r.window:
        return S.WINDOW, R.NONE
    if not r.fed:
        return S.STALE, R.OLD
    if r.hidden:
        return S.PAUSED, R.HIDDEN
    if r.offline:
        return S.STALE, R.OFFLINE
    if r.flag and not r.healthy:
        return S.PAUSED, R.FLAG
    if not r.streamed:
        overdue = r.interval_ms > 0 and r.age_ms > OVERDUE_INTERVALS * r.interval_ms
        return (S.STALE, R.OLD) if overdue else (S.POLLING, R.DESIGN)
    if r.healthy:
        if not r.announces and r.silent_ms >= r.unverified_ms:
            return S.LIVE, R.UNVERIFIED
        return S.LIVE, R.DELIVERING if r.delivering else R.SYNCHRONIZED
    if r.polling:
        overdue = r.interval_ms > 0 and r.age_ms > OVERDUE_INTERVALS * r.interval_ms
        return (S.STALE, R.OLD) if overdue else (S.POLLING, R.BUDGET if r.budget else R.FALLBACK)
    if r.first_connect:
        return S.LOADING, R.CONNECTING
    if r.drifted:
        return S.STALE, R.DRIFT
    if r.owed:
        return S.STALE, R.CATCHING_UP
    return S.STALE, R.OLD
