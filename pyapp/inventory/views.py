"""Every route: the streams that it may hold, and what its first paint needs."""

from __future__ import annotations

from dataclasses import dataclass

from pyapp.core.cache.keys import QueryKey, WritableKey, aggregate, live
from pyapp.core.ports import HttpRequest
from pyapp.inventory.queries import QUERIES
from pyapp.inventory.streams import TREND_HOURS


@dataclass(frozen=True, slots=True)
class ViewRow:
    """One route: which streams it may hold, and the keys that its first paint needs whatever its URL says."""

    route: str
    title: str
    streams: tuple[str, ...]
    first: tuple[WritableKey, ...]


VIEWS: tuple[ViewRow, ...] = (
    ViewRow(
        "/dashboard",
        "Overview",
        ("events", "requests", "workers", "jobs.trends", "apis.trends"),
        (
            live("jobs"),
            live("requests"),
            aggregate("stats", window_minutes=5),
            live("workers"),
            aggregate("jobs.trends", hours=TREND_HOURS),
            aggregate("apis.trends", hours=TREND_HOURS),
        ),
    ),
    ViewRow("/jobs", "Jobs", ("events",), (live("jobs"), live("functions"), live("workers"), aggregate("jobs.stats"))),
    ViewRow("/jobs/{job_id}", "Job", ("events", "artifacts"), ()),
    ViewRow("/functions", "Functions", ("events",), (live("functions"),)),
    ViewRow("/functions/{key}", "Function", ("events", "jobs.trends"), (live("functions"),)),
    ViewRow("/apis", "APIs", ("apis",), (live("apis"),)),
    ViewRow("/apis/{name}", "API", ("api", "requests"), ()),
    ViewRow("/workers", "Workers", ("workers",), (live("workers"),)),
    ViewRow("/workers/{name}", "Worker", ("workers",), (live("workers"),)),
    ViewRow("/settings", "Settings", (), ()),
)

GLOBAL_STREAMS: tuple[tuple[str, str], ...] = ()
"""Streams that every route holds, with why. Presence and notifications will be the only ones: they concern the person and not the route
(RT-76); this version has neither."""


def request_of(key: QueryKey) -> HttpRequest:
    """The request of a key.

    Raises:
        KeyError: no such family.
    """
    return next(row for row in QUERIES if row.family == key.family).request(key)


def boot_keys(route: str) -> tuple[WritableKey, ...]:
    """The keys of a route's first paint, for the answers that the page fetches while Python starts (RT-34)."""
    return next((view.first for view in VIEWS if view.route == route), ())


def boot_requests() -> dict[str, tuple[str, ...]]:
    """The paths below `/api/v1/` of those requests and of the configuration by route, for `boot.json`; `/` is the first page."""
    paths = {view.route: tuple(request_of(key).url for key in view.first) for view in VIEWS}
    return {route: ("config", *asked) for route, asked in {"/": paths["/dashboard"], **paths}.items()}
