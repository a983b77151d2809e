"""From what is known of a query and of its scope to what its panel may say (RT-83)."""

from __future__ import annotations

from pyapp.core.cache.keys import WindowKey
from pyapp.core.cache.query import Query
from pyapp.core.feeds import fallback as fb
from pyapp.core.feeds.health import HealthReason
from pyapp.core.feeds.mark import OVERDUE_INTERVALS, Reading, mark
from pyapp.core.feeds.modes import Fed, mode_of
from pyapp.core.feeds.pause import Pause, Pauses
from pyapp.core.feeds.scope import Feed
from pyapp.core.freshness import Freshness
from pyapp.core.streams.connection import Connection, Reason
from pyapp.core.timings import Timings

_BEFORE_POLLING = (fb.Fallback.OFF, fb.Fallback.WAITING, fb.Fallback.CALMING)
AGE_STEP_MS = 1_000
"""Marks and times that change by time alone are looked at so often, and no oftener."""


def ages(
    query: Query, feed: Feed, connection: Connection | None, timings: Timings, *, now_ms: float, interval_ms: float | None
) -> bool:
    """Whether time alone may have changed the mark of a query: only two kinds of rows of the table in `mark` look at the clock.

    Args: those of `freshness_of`.
    """
    scope = feed.scope
    if scope is not None and scope.health.healthy:
        announces = connection is not None and connection.heartbeat_ms is not None
        return not announces and scope.heard_ms is not None and now_ms - scope.heard_ms >= timings.unverified_ms
    interval = timings.fallback_poll_ms if scope is not None else (interval_ms or timings.live_refresh_ms)
    return query.began_ms is None or now_ms - query.began_ms > OVERDUE_INTERVALS * interval


def freshness_of(
    query: Query,
    feed: Feed | None,
    connection: Connection | None,
    timings: Timings,
    pauses: Pauses,
    *,
    now_ms: float,
    wall_ms: float,
    interval_ms: float | None = None,
) -> Freshness:
    """The freshness of a query.

    Args:
        feed: `None` while nobody looks at the query, or everybody paused it.
        connection: of the scope's stream.
        pauses: of its automatic fetches.
        now_ms, wall_ms: the clock's two times.
        interval_ms: how often it is polled where no stream writes it; `None` is the profile's interval.
    """
    scope = feed.scope if feed is not None else None
    polling = scope is not None and scope.polling
    reading = Reading(
        window=isinstance(query.key, WindowKey),
        fed=feed is not None,
        has_data=query.has_data,
        fetching=query.fetching,
        error=query.error,
        hidden=Pause.HIDDEN in pauses and feed is not None,
        offline=Pause.OFFLINE in pauses and feed is not None,
        flag=Pause.FLAG in pauses and feed is not None,
        forbidden=Pause.FORBIDDEN in pauses,
        drifted=scope is not None and scope.drifted,
        streamed=scope is not None,
        healthy=scope is not None and scope.health.healthy,
        delivering=scope is not None and scope.health.reason is HealthReason.DELIVERING,
        announces=connection is not None and connection.heartbeat_ms is not None,
        silent_ms=now_ms - scope.heard_ms if scope is not None and scope.heard_ms is not None else 0.0,
        owed=feed is not None and feed.owed is not None,
        polling=polling,
        budget=scope is not None and scope.health.connection is Reason.BUDGET,
        first_connect=scope is not None and not scope.was_confirmed and scope.fallback in _BEFORE_POLLING,
        age_ms=now_ms - query.began_ms if query.began_ms is not None else 0.0,
        interval_ms=timings.fallback_poll_ms if scope is not None else (interval_ms or timings.live_refresh_ms),
        unverified_ms=timings.unverified_ms,
    )
    state, reason = mark(reading)
    upcoming = feed.due_ms if feed is not None else None
    if reading.forbidden:
        upcoming = None  # nothing will be asked (RT-36)
    elif connection is not None and connection.retry_at_ms is not None and not polling and query.error is None:
        upcoming = connection.retry_at_ms
    fed = Fed(
        queries=feed is not None,
        streamed=scope is not None,
        healthy=reading.healthy,
        polling=polling,
        metrics=query.spec.metrics,
        whole=query.spec.whole,
        stream=str(connection.phase) if connection is not None else "closed",
    )
    return Freshness(
        state=state,
        reason=reason,
        since_ms=wall_ms,
        mode=mode_of(fed),
        health=str(scope.health) if scope is not None else "",
        stream=str(scope.key) if scope is not None else "",
        last_delivery_ms=scope.heard_wall_ms if scope is not None else None,
        last_snapshot_ms=query.snapshot_wall_ms,
        next_attempt_ms=None if upcoming is None else _stepped(wall_ms + upcoming - now_ms),
    )


def _stepped(wall_ms: float | None) -> float | None:
    return None if wall_ms is None else wall_ms // AGE_STEP_MS * AGE_STEP_MS
