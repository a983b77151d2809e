"""How a key is asked for and its answer read: requests, models, pages of a window, and data for another tab."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, cast
from urllib.parse import quote, urlencode

from pydantic import TypeAdapter
from pydantic_core import to_json

from pyapp.contract import apis, jobs
from pyapp.core.cache.keys import LIVE_LIST_LIMIT, QueryKey, WindowKey
from pyapp.core.cache.lists import LiveList, WindowData
from pyapp.core.cache.spec import Exchange
from pyapp.core.ports import HttpRequest

WINDOW_PAGE = 500
"""Rows of a window that are asked for at once: 5,000 in one answer would hold the page for 70 ms."""
REQUESTS_WINDOW_PAGE = 500
CONTENT_BYTES = 256 * 1024
"""How much of an artifact's text is read for its preview."""


def url(path: str, pairs: Sequence[tuple[str, Any]]) -> HttpRequest:
    query: list[tuple[str, str]] = []
    for name, value in pairs:
        alternatives = cast("tuple[object, ...]", value) if isinstance(value, tuple) else (value,)
        query.extend((name, str(one)) for one in alternatives)
    return HttpRequest("GET", f"{path}?{urlencode(query)}" if query else path)


def list_request(path: str, page: int) -> Callable[[QueryKey], HttpRequest]:
    def request(key: QueryKey) -> HttpRequest:
        return url(path, [*key.params, ("limit", page if isinstance(key, WindowKey) else LIVE_LIST_LIMIT)])

    return request


def plain_request(path: str) -> Callable[[QueryKey], HttpRequest]:
    return lambda key: url(path, key.params)


def item_or(path: str, otherwise: Callable[[QueryKey], HttpRequest]) -> Callable[[QueryKey], HttpRequest]:
    def request(key: QueryKey) -> HttpRequest:
        return HttpRequest("GET", f"{path}/{quote(str(key.get('id')), safe='')}") if key.mode == "item" else otherwise(key)

    return request


class Reader:
    """Reads an answer with a model whose schema is built at first use: a page shows a few of them, and each costs its boot."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._adapter: TypeAdapter[Any] | None = None

    def __call__(self, text: str) -> Any:
        if self._adapter is None:
            self._adapter = TypeAdapter(self._model)
        return self._adapter.validate_json(text)


_read_job = Reader(jobs.Job)
_read_jobs = Reader(jobs.JobsPage)
_read_requests = Reader(apis.RequestsPage)


def parse_jobs(key: QueryKey, text: str) -> Any:
    if key.mode == "item":
        return _read_job(text)
    page: jobs.JobsPage = _read_jobs(text)
    if key.mode == "window":
        return WindowData(page.jobs, page.total, not page.has_more, page.next_cursor)
    return LiveList(page.jobs, page.total)


def parse_requests(key: QueryKey, text: str) -> Any:
    page: apis.RequestsPage = _read_requests(text)
    if key.mode == "window":
        return WindowData(page.events, page.total, not page.has_more)
    return LiveList(page.events, page.total)


def parse_list(model: Any, rows: str) -> Callable[[QueryKey, str], Any]:
    """A list that the server answers whole, as the live list that it is."""
    reader = Reader(model)

    def parse(key: QueryKey, text: str) -> Any:
        page = reader(text)
        return LiveList(getattr(page, rows), page.total)

    return parse


_COUNTED_ON, _AS_SAID = "~", "="
"""Before the data that goes to another tab: whether a list's total was counted on from events (RT-6)."""


def exchange(parse: Callable[[QueryKey, str], Any], rows: str) -> Exchange[Any]:
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


def parse_as(model: Any) -> Callable[[QueryKey, str], Any]:
    reader = Reader(model)
    return lambda key, text: reader(text)


def next_jobs(key: WindowKey, data: Any) -> HttpRequest | None:
    if data.complete or data.cursor is None:
        return None
    return url("jobs", [*key.params, ("limit", WINDOW_PAGE), ("cursor", data.cursor)])


def next_requests(key: WindowKey, data: Any) -> HttpRequest | None:
    if data.complete or not data.rows:
        return None
    return url("apis/events", [*key.params, ("limit", REQUESTS_WINDOW_PAGE), ("offset", len(data.rows))])


def add_page(data: WindowData[Any], page: WindowData[Any]) -> WindowData[Any]:
    """A window with a further page. A row that an insertion pushed over the page's edge comes twice and counts once."""
    known = {row.id for row in data.rows}
    rows = data.rows + tuple(row for row in page.rows if row.id not in known)
    # A page that brought nothing new would be asked for again for ever.
    complete = page.complete or len(rows) == len(data.rows)
    return WindowData(rows, len(rows) if complete else page.total, complete, page.cursor)


_read_api = Reader(apis.ApiDetail)
_parse_api_list = parse_list(apis.ApisPage, "apis")


def parse_apis(key: QueryKey, text: str) -> Any:
    return _read_api(text) if key.mode == "item" else _parse_api_list(key, text)


def of_job(what: str) -> Callable[[QueryKey], HttpRequest]:
    """The request of what belongs to one job."""
    return lambda key: HttpRequest("GET", f"jobs/{quote(str(key.get('id')), safe='')}/{what}")


def next_timeline(key: QueryKey, data: Any) -> HttpRequest | None:
    if not data.has_more or not data.next_cursor:
        return None
    return url(of_job("timeline")(key).url, [("cursor", data.next_cursor)])


def add_timeline_page(data: jobs.Timeline, page: jobs.Timeline) -> jobs.Timeline:
    """A tree with a further page, which says what comes next. One that brought nothing new is the last, whatever it says."""
    known = {row.id for row in data.jobs}
    rows = data.jobs + tuple(row for row in page.jobs if row.id not in known)
    more = page.has_more and len(rows) > len(data.jobs)
    return page.model_copy(update={"jobs": rows, "has_more": more, "next_cursor": page.next_cursor if more else None})


def content_request(key: QueryKey) -> HttpRequest:
    path = f"artifacts/{quote(str(key.get('id')), safe='')}/content"
    return HttpRequest("GET", path, text_at_most=CONTENT_BYTES)


def parse_content(key: QueryKey, text: str) -> Any:
    """Text as it is; what it is made of, the page looks at."""
    return text
