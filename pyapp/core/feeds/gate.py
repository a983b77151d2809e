"""When an active query is next fetched by itself, and why (RT-8, RT-31, RT-32, RT-33): a pure function.

First match:
    hidden, offline, forbidden, or a window        never
    a fetch is under way                           never (its end asks again)
    the last fetch failed                          after its backoff, or when the server or a breaker said; never if it cannot help
    a person gave up the last fetch                after an interval
    no data yet                                    now, or when its stream had its chance to be confirmed
    the flag pauses fetching                       never
    the data is known to be old                    now
    a snapshot is owed                             when the bucket lets it; no later than a fallback's poll
    no stream writes it                            every interval: its own, its observers' shortest, or the live-refresh interval;
                                                   by a lag later while another tab's answers serve (RT-62)
    its scope polls because it is not healthy      every fallback interval, with the same lag
    its scope is healthy                           the rare safety snapshot
    else (connecting, or within the grace)         never
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from pyapp.core.feeds.pause import NOTHING, Pause, Pauses
from pyapp.core.timings import Timings


class Why(StrEnum):
    """Why a query is fetched."""

    FIRST = "first"
    RETRY = "retry"
    CATCH_UP = "catch up"
    DESIGN = "polling by design"
    FALLBACK = "polling (fallback)"
    SAFETY = "safety"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class Situation:
    """What the gate needs to know of one query. Times are clock times in ms.

    Attributes:
        pauses: what pauses fetching (RT-31).
        fetching, has_data: as in the query.
        began_ms: when the request of the last snapshot began.
        failed_ms, failures, retryable, floor_ms: the end of the last fetch if it failed, how many did in a row, whether asking again
            can help, and how long the server asked to wait.
        first_at_ms: until when a query without data waits for its stream.
        owed_at_ms: when the snapshot that is owed may be asked for.
        streamed: whether a stream writes it directly.
        healthy, polling: of its scope.
        announces: whether the server announces what it sends (part B), so that a safety snapshot may be rarer.
        stale: somebody said that the data is old.
        cancelled_ms: when a person gave up the last fetch.
        interval_ms: how often it is polled by design; `None` is the profile's interval, infinity is never.
        lag_ms: how much later than its interval, because another tab asks first.
    """

    pauses: Pauses = NOTHING
    fetching: bool = False
    has_data: bool = False
    began_ms: float | None = None
    failed_ms: float | None = None
    failures: int = 0
    retryable: bool = True
    floor_ms: float = 0.0
    first_at_ms: float = 0.0
    owed_at_ms: float | None = None
    streamed: bool = False
    healthy: bool = False
    polling: bool = False
    announces: bool = False
    stale: bool = False
    cancelled_ms: float | None = None
    interval_ms: float | None = None
    lag_ms: float = 0.0


_TIMED = frozenset({Pause.FLAG, Pause.BREAKER})
"""Pauses with a row of their own: what has no data yet is asked for once, and a breaker says when it lets one through."""


def next_fetch(now_ms: float, s: Situation, timings: Timings) -> tuple[float, Why] | None:
    """The clock time of the next automatic fetch with its reason, or `None` while there is none to come."""
    if s.pauses - _TIMED or s.fetching:
        return None
    interval = timings.live_refresh_ms if s.interval_ms is None else s.interval_ms
    if s.failures and s.failed_ms is not None:
        if not s.retryable:
            return None
        wait = min(timings.backoff_cap_ms, timings.backoff_base_ms * 2 ** min(s.failures - 1, 30))
        if not s.streamed:
            # A server that is down is asked no more often than one that answers.
            wait = max(wait, min(interval, timings.backoff_cap_ms)) if s.has_data else wait
        return s.failed_ms + max(wait, s.floor_ms), Why.RETRY
    if s.cancelled_ms is not None:
        return (s.cancelled_ms + interval, Why.DESIGN) if interval < math.inf else None
    if not s.has_data:
        return max(now_ms, s.first_at_ms), Why.FIRST
    if Pause.FLAG in s.pauses:
        return None
    if s.stale:
        return now_ms, Why.STALE
    began = now_ms if s.began_ms is None else s.began_ms
    if s.owed_at_ms is not None:
        poll_ms = began + timings.fallback_poll_ms
        return (poll_ms, Why.FALLBACK) if s.polling and poll_ms < s.owed_at_ms else (s.owed_at_ms, Why.CATCH_UP)
    if not s.streamed:
        return (began + interval + s.lag_ms, Why.DESIGN) if interval < math.inf else None
    if s.healthy:
        return began + (timings.safety_b_ms if s.announces else timings.safety_a_ms), Why.SAFETY
    if s.polling:
        return began + timings.fallback_poll_ms + s.lag_ms, Why.FALLBACK
    return None
