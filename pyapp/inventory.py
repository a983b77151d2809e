"""The inventory: one table of every stream, query, action and view, from which the rest of the application is made.

The router's first requests, the feeds, the stream manager and `docs/streams.md` come from here (`python docs/streams.py`); the server's
route test asks for every path of it. A row says what a thing is; how an event changes data is in `reducers/`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, cast
from urllib.parse import quote, urlencode

from pydantic import TypeAdapter
from pydantic_core import to_json

from pyapp.contract import apis, dashboard, events, functions, jobs, workers
from pyapp.core.cache.keys import LIVE_LIST_LIMIT, Mode, QueryKey, WindowKey, WritableKey, aggregate, item, live
from pyapp.core.cache.lists import LiveList, WindowData
from pyapp.core.cache.spec import Exchange, QuerySpec, Reduction
from pyapp.core.client import MutationSpec
from pyapp.core.ports import HttpRequest
from pyapp.core.requests.endpoint import EndpointClass, EndpointSpec
from pyapp.core.streams.decode import Decoder
from pyapp.core.streams.spec import StreamKey, StreamSpec, stream_key

Reduce: TypeAlias = Callable[[WritableKey, Any, Sequence[Any]], Reduction[Any]]

TREND_HOURS = 24
WINDOW_PAGE = 500
"""Rows of a window that are asked for at once: 5,000 in one answer would hold the page for 70 ms."""
REQUESTS_WINDOW_PAGE = 500


# Streams --------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StreamRow:
    """One stream of the server.

    Attributes:
        name: as in stream keys.
        path: below `/api/v1/`; names in braces come from the key.
        query: parameters that it understands besides those.
        event: the model, or union of models, of its events.
        types: their `type`s.
        priority: which go first where connections are few (RT-64); lower is earlier.
        replaceable: types of which only the last of an entity matters (RT-40).
        entity: what an event is about.
        writes: families that it writes directly (RT-8).
        cadence: how often it speaks.
        on_reconnect: what to expect then.
    """

    name: str
    path: str
    query: tuple[str, ...]
    event: Any
    types: tuple[str, ...]
    priority: int
    replaceable: frozenset[str]
    entity: Callable[[Any], str | None]
    writes: tuple[str, ...]
    cadence: str
    on_reconnect: str


def _whole(event: Any) -> None:
    return None


def _job_of(event: Any) -> str:
    return event.job_id


_SNAPSHOT_AGAIN = "a fresh snapshot as its first data frame"
_RESUMED = "events after `last_event_id` from a ring of 1,000 (part B); else a gap and a snapshot by request"

STREAMS: tuple[StreamRow, ...] = (
    StreamRow(
        "events",
        "events/stream",
        (),
        events.JobEvent,
        ("job.started", "job.progress", "job.completed", "job.failed", "job.retrying", "job.cancelled", "job.checkpoint"),
        1,
        frozenset({"job.progress", "job.checkpoint"}),
        _job_of,
        ("jobs",),
        "one event per change of a job; none at rest",
        _RESUMED,
    ),
    StreamRow(
        "requests",
        "apis/events/stream",
        ("api_name",),
        events.ApiRequestEvent,
        ("api.request",),
        2,
        frozenset(),
        _whole,
        ("requests",),
        "one event per request to an API; none at rest, and with a filter not even comments",
        _RESUMED,
    ),
    StreamRow(
        "workers",
        "workers/stream",
        (),
        events.WorkersEvent,
        ("workers.snapshot",),
        3,
        frozenset({"workers.snapshot"}),
        _whole,
        ("workers",),
        "a snapshot per heartbeat or change; at most two a second from our server, unthrottled from a part-A server",
        _SNAPSHOT_AGAIN,
    ),
    StreamRow(
        "jobs.trends",
        "jobs/trends/stream",
        ("hours", "function", "type"),
        events.JobsTrendsEvent,
        ("jobs.trends.snapshot",),
        4,
        frozenset({"jobs.trends.snapshot"}),
        _whole,
        ("jobs.trends",),
        "a snapshot per change, which may lag the server by one event (RT-44)",
        _SNAPSHOT_AGAIN,
    ),
    StreamRow(
        "apis.trends",
        "apis/trends/stream",
        ("hours",),
        events.ApisTrendsEvent,
        ("apis.trends.snapshot",),
        5,
        frozenset({"apis.trends.snapshot"}),
        _whole,
        ("apis.trends",),
        "a snapshot per change",
        _SNAPSHOT_AGAIN,
    ),
    StreamRow(
        "apis",
        "apis/stream",
        (),
        events.ApisEvent,
        ("apis.snapshot", "api.snapshot"),
        6,
        frozenset({"apis.snapshot"}),
        _whole,
        ("apis",),
        "a snapshot per change",
        _SNAPSHOT_AGAIN,
    ),
    StreamRow(
        "api",
        "apis/{name}/stream",
        (),
        events.ApiEvent,
        ("api.snapshot",),
        7,
        frozenset({"api.snapshot"}),
        _whole,
        ("apis",),
        "a snapshot per change of that API",
        _SNAPSHOT_AGAIN,
    ),
    StreamRow(
        "artifacts",
        "jobs/{id}/artifacts/stream",
        (),
        events.ArtifactEvent,
        ("artifact.created", "artifact.queued", "artifact.promoted", "artifact.deleted"),
        8,
        frozenset(),
        _whole,
        ("artifacts",),
        "one event per change of an artifact of that job",
        _RESUMED,
    ),
)


def stream_specs() -> dict[str, StreamSpec]:
    """What the stream manager needs, by name."""
    return {
        row.name: StreamSpec(
            row.name,
            row.path,
            Decoder(row.event),
            row.priority,
            row.replaceable,
            row.entity,
            defaults=(("hours", TREND_HOURS),) if "hours" in row.query else (),
            whole=row.on_reconnect == _SNAPSHOT_AGAIN,
        )
        for row in STREAMS
    }


# Endpoint classes -----------------------------------------------------------------------------------------------------------------

JOBS = EndpointClass("jobs")
APIS = EndpointClass("apis")
WORKERS = EndpointClass("workers")
FIGURES = EndpointClass("figures")
"""What the server works out over many rows: the first to be slow when it is busy."""
STATS = EndpointClass("stats")
FUNCTIONS = EndpointClass("functions")
"""These two also ask the store of queues, and fail alone where a part-A server has none: what still answers must not suffer for it."""
ACTIONS = EndpointClass("actions")


# Queries --------------------------------------------------------------------------------------------------------------------------


def _url(path: str, pairs: Sequence[tuple[str, Any]]) -> HttpRequest:
    query: list[tuple[str, str]] = []
    for name, value in pairs:
        alternatives = cast("tuple[object, ...]", value) if isinstance(value, tuple) else (value,)
        query.extend((name, str(one)) for one in alternatives)
    return HttpRequest("GET", f"{path}?{urlencode(query)}" if query else path)


def _list_request(path: str, page: int) -> Callable[[QueryKey], HttpRequest]:
    def request(key: QueryKey) -> HttpRequest:
        return _url(path, [*key.params, ("limit", page if isinstance(key, WindowKey) else LIVE_LIST_LIMIT)])

    return request


def _plain_request(path: str) -> Callable[[QueryKey], HttpRequest]:
    return lambda key: _url(path, key.params)


def _item_or(path: str, otherwise: Callable[[QueryKey], HttpRequest]) -> Callable[[QueryKey], HttpRequest]:
    def request(key: QueryKey) -> HttpRequest:
        return HttpRequest("GET", f"{path}/{quote(str(key.get('id')), safe='')}") if key.mode == "item" else otherwise(key)

    return request


class _Reader:
    """Reads an answer with a model whose schema is built at first use: a page shows a few of them, and each costs its boot."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._adapter: TypeAdapter[Any] | None = None

    def __call__(self, text: str) -> Any:
        if self._adapter is None:
            self._adapter = TypeAdapter(self._model)
        return self._adapter.validate_json(text)


_read_job = _Reader(jobs.Job)
_read_jobs = _Reader(jobs.JobsPage)
_read_requests = _Reader(apis.RequestsPage)


def _parse_jobs(key: QueryKey, text: str) -> Any:
    if key.mode == "item":
        return _read_job(text)
    page: jobs.JobsPage = _read_jobs(text)
    if key.mode == "window":
        return WindowData(page.jobs, page.total, not page.has_more, page.next_cursor)
    return LiveList(page.jobs, page.total)


def _parse_requests(key: QueryKey, text: str) -> Any:
    page: apis.RequestsPage = _read_requests(text)
    if key.mode == "window":
        return WindowData(page.events, page.total, not page.has_more)
    return LiveList(page.events, page.total)


def _parse_list(model: Any, rows: str) -> Callable[[QueryKey, str], Any]:
    """A list that the server answers whole, as the live list that it is."""
    reader = _Reader(model)

    def parse(key: QueryKey, text: str) -> Any:
        page = reader(text)
        return LiveList(getattr(page, rows), page.total)

    return parse


_COUNTED_ON, _AS_SAID = "~", "="
"""Before the data that goes to another tab: whether a list's total was counted on from events (RT-6)."""


def _exchange(parse: Callable[[QueryKey, str], Any], rows: str) -> Exchange[Any]:
    """How data goes to another tab (RT-62): as an answer of the server would say it, so that one reader reads both.

    Args:
        rows: the name of the rows in the answer of a list.
    """

    def dump(key: QueryKey, data: Any) -> str:
        if isinstance(data, LiveList):
            shown = cast("LiveList[Any]", data)
            page = {rows: shown.rows, "total": shown.total, "has_more": False}
            return (_COUNTED_ON if shown.approximate else _AS_SAID) + to_json(page).decode()
        return _AS_SAID + to_json(data).decode()

    def load(key: QueryKey, text: str) -> Any:
        data = parse(key, text[1:])
        return replace(data, approximate=True) if text[:1] == _COUNTED_ON else data

    return Exchange(dump, load)


def _parse_as(model: Any) -> Callable[[QueryKey, str], Any]:
    reader = _Reader(model)
    return lambda key, text: reader(text)


def _next_jobs(key: WindowKey, data: Any) -> HttpRequest | None:
    if data.complete or data.cursor is None:
        return None
    return _url("jobs", [*key.params, ("limit", WINDOW_PAGE), ("cursor", data.cursor)])


def _next_requests(key: WindowKey, data: Any) -> HttpRequest | None:
    if data.complete or not data.rows:
        return None
    return _url("apis/events", [*key.params, ("limit", REQUESTS_WINDOW_PAGE), ("offset", len(data.rows))])


def _add_page(data: WindowData[Any], page: WindowData[Any]) -> WindowData[Any]:
    """A window with a further page. A row that an insertion pushed over the page's edge comes twice and counts once."""
    known = {row.id for row in data.rows}
    rows = data.rows + tuple(row for row in page.rows if row.id not in known)
    # A page that brought nothing new would be asked for again for ever.
    complete = page.complete or len(rows) == len(data.rows)
    return WindowData(rows, len(rows) if complete else page.total, complete, page.cursor)


@dataclass(frozen=True, slots=True)
class QueryRow:
    """One family of queries.

    Attributes:
        family, modes: of its keys.
        endpoint: path below `/api/v1/`, also its name in the request counters.
        cls: what it shares its limits and its breaker with (RT-65, RT-66).
        request, parse: how a key is asked for and its answer read.
        stream: what writes it directly; `None` for what is polled by design (RT-8).
        outdated_by: prefixes of event types that make it old without telling the new (RT-9).
        next_page: of a window.
        whole: its stream says the whole state each time.
        settles: its stream may lag the server by one event (RT-44).
        alternatives: parameters that may be several, which the text of a key shows as lists (RT-1).
        rows: the name of the rows in the answer of a list.
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


def _no_stream(key: WritableKey) -> StreamKey | None:
    return None


_read_api = _Reader(apis.ApiDetail)
_parse_api_list = _parse_list(apis.ApisPage, "apis")


def _parse_apis(key: QueryKey, text: str) -> Any:
    return _read_api(text) if key.mode == "item" else _parse_api_list(key, text)


def _always(name: str) -> Callable[[WritableKey], StreamKey | None]:
    return lambda key: stream_key(name)


def _requests_stream(key: WritableKey) -> StreamKey | None:
    return stream_key("requests", api_name=key.get("api_name"))


def _trends_stream(name: str) -> Callable[[WritableKey], StreamKey | None]:
    return lambda key: StreamKey(name, key.params)


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
_AGGREGATE: frozenset[Mode] = frozenset({"aggregate"})

QUERIES: tuple[QueryRow, ...] = (
    QueryRow(
        "jobs",
        _ALL,
        "jobs",
        JOBS,
        _item_or("jobs", _list_request("jobs", WINDOW_PAGE)),
        _parse_jobs,
        _always("events"),
        (),
        _LIST,
        _RANGE,
        _SAFE,
        _next_jobs,
        alternatives=frozenset({"status"}),
        rows="jobs",
    ),
    QueryRow(
        "requests",
        _LIVE_WINDOW,
        "apis/events",
        APIS,
        _list_request("apis/events", REQUESTS_WINDOW_PAGE),
        _parse_requests,
        _requests_stream,
        (),
        _LIST,
        _RANGE,
        _SAFE,
        _next_requests,
        rows="events",
    ),
    QueryRow(
        "stats",
        _AGGREGATE,
        "dashboard/stats",
        STATS,
        _plain_request("dashboard/stats"),
        _parse_as(dashboard.DashboardStats),
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
        _plain_request("jobs/stats"),
        _parse_as(jobs.JobsStats),
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
        _plain_request("functions"),
        _parse_list(functions.FunctionsPage, "functions"),
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
        _plain_request("workers"),
        _parse_list(workers.WorkersPage, "workers"),
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
        _item_or("apis", _plain_request("apis")),
        _parse_apis,
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
        _plain_request("jobs/trends"),
        _parse_as(jobs.JobTrends),
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
        _plain_request("apis/trends"),
        _parse_as(apis.ApiTrends),
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
            add_page=_add_page if row.next_page else None,
            exchange=_exchange(row.parse, row.rows),
        )
        for row in QUERIES
    }


# Actions --------------------------------------------------------------------------------------------------------------------------


def _post(path: Callable[[Mapping[str, Any]], str]) -> Callable[[Mapping[str, Any]], HttpRequest]:
    return lambda args: HttpRequest("POST", path(args), {"X-Penstock-CSRF": "1"})


def _job_keys(args: Mapping[str, Any]) -> tuple[WritableKey, ...]:
    return (item("jobs", str(args["job_id"])),)


def _functions_key(args: Mapping[str, Any]) -> tuple[WritableKey, ...]:
    return (live("functions"),)


MUTATIONS: tuple[MutationSpec, ...] = (
    MutationSpec("jobs.cancel", _post(lambda args: f"jobs/{quote(str(args['job_id']), safe='')}/cancel"), _job_keys),
    MutationSpec("jobs.retry", _post(lambda args: f"jobs/{quote(str(args['job_id']), safe='')}/retry"), _job_keys),
    MutationSpec("functions.pause", _post(lambda args: f"functions/{quote(str(args['key']), safe='')}/pause"), _functions_key),
    MutationSpec("functions.resume", _post(lambda args: f"functions/{quote(str(args['key']), safe='')}/resume"), _functions_key),
)


def endpoint_specs() -> dict[str, EndpointSpec]:
    """Which endpoint is of which class, by the name under which its requests are sent and counted (RT-65)."""
    specs = {row.endpoint: EndpointSpec(row.endpoint, row.cls) for row in QUERIES}
    return specs | {spec.name: EndpointSpec(spec.name, ACTIONS) for spec in MUTATIONS}


def mutation_specs() -> dict[str, MutationSpec]:
    """What a person can ask the server to do, by name."""
    return {spec.name: spec for spec in MUTATIONS}


# Views ----------------------------------------------------------------------------------------------------------------------------


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
    ViewRow("/functions", "Functions", ("events",), (live("functions"),)),
    ViewRow("/functions/{key}", "Function", ("events", "jobs.trends"), (live("functions"),)),
    ViewRow("/apis", "APIs", ("apis",), (live("apis"),)),
    ViewRow("/apis/{name}", "API", ("api", "requests"), ()),
    ViewRow("/workers", "Workers", ("workers",), (live("workers"),)),
    ViewRow("/workers/{name}", "Worker", ("workers",), (live("workers"),)),
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
