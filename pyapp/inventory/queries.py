"""Every family of queries: its endpoint, the stream that writes it, and what the views that show it promise."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from pyapp.contract import apis, artifacts, dashboard, functions, jobs, workers
from pyapp.core.cache.keys import Mode, QueryKey, WindowKey, WritableKey
from pyapp.core.cache.spec import QuerySpec, Reduction
from pyapp.core.ports import HttpRequest
from pyapp.core.requests.endpoint import EndpointClass
from pyapp.core.streams.spec import StreamKey, stream_key
from pyapp.inventory.wire import (
    REQUESTS_WINDOW_PAGE,
    WINDOW_PAGE,
    add_page,
    add_timeline_page,
    content_request,
    exchange,
    item_or,
    list_request,
    next_jobs,
    next_requests,
    next_timeline,
    of_job,
    parse_apis,
    parse_as,
    parse_content,
    parse_jobs,
    parse_list,
    parse_requests,
    plain_request,
)

Reduce: TypeAlias = Callable[[WritableKey, Any, Sequence[Any]], Reduction[Any]]
"""How events change the data of a key: `pyapp/reducers`."""


JOBS = EndpointClass("jobs")
APIS = EndpointClass("apis")
WORKERS = EndpointClass("workers")
ARTIFACTS = EndpointClass("artifacts")
FIGURES = EndpointClass("figures")
"""What the server works out over many rows: the first to be slow when it is busy."""
STATS = EndpointClass("stats")
FUNCTIONS = EndpointClass("functions")
"""These two also ask the store of queues, and fail alone where a part-A server has none: what still answers must not suffer for it."""
ACTIONS = EndpointClass("actions")


@dataclass(frozen=True, slots=True)
class QueryRow:
    """One family of queries.

    Attributes:
        family, modes: of its keys.
        endpoint: path below `/api/v1/`, also its name in the request counters; `{id}` stands for the item.
        cls: what it shares its limits and its breaker with (RT-65, RT-66).
        request, parse: how a key is asked for and its answer read.
        stream: what writes it directly; `None` for what is polled by design (RT-8).
        outdated_by: prefixes of event types that make it old without telling the new (RT-9).
        next_page: of a window, and of a tree.
        whole: its stream says the whole state each time.
        settles: its stream may lag the server by one event (RT-44).
        alternatives: parameters that may be several, which the text of a key shows as lists (RT-1).
        rows: the name of the rows in the answer of a list.
        add_page: of what is read in pages, the data with a further one.
        shared: other tabs may have it (RT-62).
        live, window, refresh: the contract of the views that show it, for people.
    """

    family: str
    modes: frozenset[Mode]
    endpoint: str
    cls: EndpointClass
    request: Callable[[QueryKey], HttpRequest]
    parse: Callable[[QueryKey, str], Any]
    stream: Callable[[WritableKey], StreamKey | None]
    outdated_by: tuple[str, ...]
    live: str
    window: str
    refresh: str
    next_page: Callable[[WindowKey, Any], HttpRequest | None] | None = None
    whole: bool = False
    settles: bool = False
    alternatives: frozenset[str] = frozenset()
    rows: str = ""
    add_page: Callable[[Any, Any], Any] = add_page
    shared: bool = True


def _no_stream(key: WritableKey) -> StreamKey | None:
    return None


def _always(name: str) -> Callable[[WritableKey], StreamKey | None]:
    return lambda key: stream_key(name)


def _requests_stream(key: WritableKey) -> StreamKey | None:
    return stream_key("requests", api_name=key.get("api_name"))


def _trends_stream(name: str) -> Callable[[WritableKey], StreamKey | None]:
    return lambda key: StreamKey(name, key.params)


def _artifacts_stream(key: WritableKey) -> StreamKey | None:
    return stream_key("artifacts", id=key.get("id"))


def _apis_stream(key: WritableKey) -> StreamKey | None:
    return stream_key("api", name=key.get("id")) if key.mode == "item" else stream_key("apis")


_LIST = "latest 50 in the order of the server; new rows as their events come; `≈` before a total that events counted on"
_RANGE = "the whole answer for the range, page after page; nothing but the user asks again"
_NONE = "none: Live / Paused"
_POLL = "every 5 s while visible, and after events that outdate it at most once in 5 s"
_SAFE = "a safety snapshot every 60 s (part A) or 10 min (part B); polling when the stream is not healthy for 12 s"
_ALL: frozenset[Mode] = frozenset({"live", "window", "item"})
_LIVE_WINDOW: frozenset[Mode] = frozenset({"live", "window"})
_LIVE: frozenset[Mode] = frozenset({"live"})
_ITEM: frozenset[Mode] = frozenset({"item"})
_AGGREGATE: frozenset[Mode] = frozenset({"aggregate"})

QUERIES: tuple[QueryRow, ...] = (
    QueryRow(
        "jobs",
        _ALL,
        "jobs",
        JOBS,
        item_or("jobs", list_request("jobs", WINDOW_PAGE)),
        parse_jobs,
        _always("events"),
        (),
        _LIST,
        _RANGE,
        _SAFE,
        next_jobs,
        alternatives=frozenset({"status"}),
        rows="jobs",
    ),
    QueryRow(
        "timeline",
        _ITEM,
        "jobs/{id}/timeline",
        JOBS,
        of_job("timeline"),
        parse_as(jobs.Timeline),
        _always("events"),
        (),
        "every job of the tree; rows change with their events, which also ask again at most once in 5 s",
        "none",
        _SAFE,
        next_timeline,
        add_page=add_timeline_page,
    ),
    QueryRow(
        "artifacts",
        _ITEM,
        "jobs/{id}/artifacts",
        ARTIFACTS,
        of_job("artifacts"),
        parse_as(artifacts.ArtifactsPage),
        _artifacts_stream,
        (),
        "every artifact of the job",
        "none",
        _SAFE,
    ),
    QueryRow(
        "artifacts.content",
        _ITEM,
        "artifacts/{id}/content",
        ARTIFACTS,
        content_request,
        parse_content,
        _no_stream,
        (),
        "the first 256 KB of an artifact's text, read once: an artifact never changes",
        "none",
        "by the user",
        shared=False,
    ),
    QueryRow(
        "requests",
        _LIVE_WINDOW,
        "apis/events",
        APIS,
        list_request("apis/events", REQUESTS_WINDOW_PAGE),
        parse_requests,
        _requests_stream,
        (),
        _LIST,
        _RANGE,
        _SAFE,
        next_requests,
        rows="events",
    ),
    QueryRow(
        "stats",
        _AGGREGATE,
        "dashboard/stats",
        STATS,
        plain_request("dashboard/stats"),
        parse_as(dashboard.DashboardStats),
        _no_stream,
        ("job.",),
        "figures of the chosen minutes",
        _NONE,
        _POLL,
    ),
    QueryRow(
        "jobs.stats",
        _AGGREGATE,
        "jobs/stats",
        FIGURES,
        plain_request("jobs/stats"),
        parse_as(jobs.JobsStats),
        _no_stream,
        ("job.",),
        "totals by outcome",
        "totals of the range, read once",
        _POLL,
    ),
    QueryRow(
        "functions",
        _LIVE,
        "functions",
        FUNCTIONS,
        plain_request("functions"),
        parse_list(functions.FunctionsPage, "functions"),
        _no_stream,
        ("job.",),
        "every function",
        _NONE,
        _POLL,
        rows="functions",
    ),
    QueryRow(
        "workers",
        _LIVE,
        "workers",
        WORKERS,
        plain_request("workers"),
        parse_list(workers.WorkersPage, "workers"),
        _always("workers"),
        (),
        "every worker and instance",
        _NONE,
        _SAFE,
        whole=True,
        rows="workers",
    ),
    QueryRow(
        "apis",
        frozenset({"live", "item"}),
        "apis",
        APIS,
        item_or("apis", plain_request("apis")),
        parse_apis,
        _apis_stream,
        (),
        "every API",
        _NONE,
        _SAFE,
        whole=True,
        rows="apis",
    ),
    QueryRow(
        "jobs.trends",
        _AGGREGATE,
        "jobs/trends",
        FIGURES,
        plain_request("jobs/trends"),
        parse_as(jobs.JobTrends),
        _trends_stream("jobs.trends"),
        (),
        "jobs by hour",
        _NONE,
        _SAFE,
        whole=True,
        settles=True,
    ),
    QueryRow(
        "apis.trends",
        _AGGREGATE,
        "apis/trends",
        APIS,
        plain_request("apis/trends"),
        parse_as(apis.ApiTrends),
        _trends_stream("apis.trends"),
        (),
        "requests by hour",
        _NONE,
        _SAFE,
        whole=True,
    ),
)


def _outdated(prefixes: tuple[str, ...]) -> Callable[[WritableKey, Any], bool] | None:
    if not prefixes:
        return None
    # Progress changes no figure: without this a single long job would have the figures asked for all the time.
    return lambda key, event: event.type.startswith(prefixes) and event.type not in ("job.progress", "job.checkpoint")


def query_specs(
    reducers: Mapping[str, Reduce], compared: Mapping[str, Callable[[Any], Mapping[str, object]]] | None = None
) -> dict[str, QuerySpec[Any]]:
    """What the cache and the feeds need, by family.

    Args:
        reducers: by family, from `pyapp.reducers`; a family without one is never written by events.
        compared: by family, what of its rows is compared with a snapshot (RT-35); a family without one never is.
    """
    return {
        row.family: QuerySpec(
            family=row.family,
            modes=row.modes,
            endpoint=row.endpoint,
            request=row.request,
            parse=row.parse,
            stream=row.stream,
            reduce=reducers.get(row.family),
            whole=row.whole,
            settles=row.settles,
            alternatives=row.alternatives,
            rows=(compared or {}).get(row.family),
            invalidated_by=_outdated(row.outdated_by),
            next_page=row.next_page,
            add_page=row.add_page if row.next_page else None,
            exchange=exchange(row.parse, row.rows) if row.shared else None,
        )
        for row in QUERIES
    }
