"""The inventory is one table, and everything that is made of it agrees with it and with the server."""

from __future__ import annotations

import asyncio
import runpy
from pathlib import Path
from typing import Any, get_args
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import TypeAdapter

from pyapp import inventory
from pyapp.contract.events import JobProgress, JobStarted
from pyapp.core.cache.keys import Mode, aggregate, canonical, item, live, window
from pyapp.core.cache.lists import WindowData
from pyapp.core.client import WindowKey
from pyapp.core.streams.spec import StreamKey, stream_key
from pyapp.reducers import REDUCERS
from server_stub import keys
from server_stub.app import build
from server_stub.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
STREAM_NAMES = {row.name for row in inventory.STREAMS}


STREAM_PATHS = {row.name: row.path.replace("{name}", "shop").replace("{id}", "job_1") for row in inventory.STREAMS}
BOOT_PATHS = sorted({path for paths in inventory.boot_requests().values() for path in paths})


async def _ask(application: Any, path: str) -> tuple[int, str, bytes]:
    """Status, content type and the first bytes of an answer; then the client leaves."""
    begun: dict[str, Any] = {}
    spoke, left = asyncio.Event(), asyncio.Event()
    first = bytearray()
    asked = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> dict[str, Any]:
        if asked:
            return asked.pop()
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            begun.update(message)
        else:
            first.extend(message.get("body", b""))
            if first or not message.get("more_body"):
                spoke.set()

    url = urlsplit(f"/api/v1/{path}")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": url.path,
        "raw_path": url.path.encode(),
        "root_path": "",
        "query_string": url.query.encode(),
        "headers": [(b"host", b"localhost:8787")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8787),
        "state": {},
    }
    answering = asyncio.ensure_future(application(scope, receive, send))
    await asyncio.wait([answering, asyncio.ensure_future(spoke.wait())], return_when=asyncio.FIRST_COMPLETED, timeout=10)
    left.set()
    await asyncio.wait_for(answering, 10)
    kind = dict(begun["headers"]).get(b"content-type", b"").decode().partition(";")[0]
    return begun["status"], kind, bytes(first)


async def _ask_all(data: Path) -> dict[str, tuple[int, str, bytes]]:
    application, _ = build(Settings(data=data, source="sim", rate=0.0, profile="test"))
    told: asyncio.Queue[Any] = asyncio.Queue()
    stages = [asyncio.Event(), asyncio.Event()]

    async def sent(message: Any) -> None:
        stages[0 if message["type"] == "lifespan.startup.complete" else 1].set()

    running = asyncio.ensure_future(application({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, told.get, sent))
    told.put_nowait({"type": "lifespan.startup"})
    await asyncio.wait_for(stages[0].wait(), 20)
    answers = {path: await _ask(application, path) for path in (*STREAM_PATHS.values(), *BOOT_PATHS)}
    told.put_nowait({"type": "lifespan.shutdown"})
    await asyncio.wait_for(running, 20)
    return answers


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str, bytes]]:
    """What the reference server says to every path of the inventory."""
    return asyncio.run(_ask_all(tmp_path_factory.mktemp("data")))


@pytest.mark.parametrize("row", inventory.STREAMS, ids=lambda row: row.name)
def test_every_stream_s_path_is_a_stream_of_the_server_and_greets(answers: Any, row: inventory.StreamRow) -> None:
    status, kind, first = answers[STREAM_PATHS[row.name]]
    assert (status, kind) == (200, "text/event-stream")
    assert first.startswith(b"event: hello")


@pytest.mark.parametrize("path", BOOT_PATHS)
def test_every_boot_request_is_answered_with_what_the_page_reads(answers: Any, path: str) -> None:
    # RT-34
    status, kind, _ = answers[path]
    assert (status, kind) == (200, "application/json")


def test_docs_streams_md_is_made_from_the_inventory_as_it_is() -> None:
    made = runpy.run_path(str(ROOT / "docs" / "streams.py"))["text"]()
    assert (ROOT / "docs" / "streams.md").read_text(encoding="utf-8") == made, "run `python docs/streams.py`"


@pytest.mark.parametrize("row", inventory.STREAMS, ids=lambda row: row.name)
def test_the_types_of_a_stream_are_those_of_its_models(row: inventory.StreamRow) -> None:
    # RT-9
    schema = TypeAdapter(row.event).json_schema()
    types = [definition.get("properties", {}).get("type", {}) for definition in (schema, *schema.get("$defs", {}).values())]
    found = {one["const"] for one in types if "const" in one}
    assert found == set(row.types)
    assert row.replaceable <= set(row.types)


def test_priorities_are_distinct_and_every_written_family_has_a_reducer() -> None:
    # RT-9, RT-64
    assert len({row.priority for row in inventory.STREAMS}) == len(inventory.STREAMS)
    families = {row.family for row in inventory.QUERIES}
    written = {family for row in inventory.STREAMS for family in row.writes} & families
    assert written == set(REDUCERS)
    assert {spec.name for spec in inventory.stream_specs().values()} == STREAM_NAMES


def sample(mode: Mode, family: str) -> Any:
    """Some key of a family."""
    match mode:
        case "live":
            return live(family)
        case "item":
            return item(family, "x y/z")
        case "aggregate":
            return aggregate(family, hours=3)
        case "window":
            return window(family, after="2026-01-01T00:00:00Z", before="2026-01-02T00:00:00Z")


@pytest.mark.parametrize("row", inventory.QUERIES, ids=lambda row: row.family)
def test_every_query_has_a_request_and_is_written_by_a_stream_that_says_so(row: inventory.QueryRow) -> None:
    # RT-8
    for mode in row.modes:
        key = sample(mode, row.family)
        url = row.request(key).url
        if mode == "item":
            assert url == (row.endpoint if "{id}" in row.endpoint else f"{row.endpoint}/{{id}}").replace("{id}", "x%20y%2Fz")
        else:
            assert urlsplit(url).path.startswith(row.endpoint)
        if mode == "window":
            assert parse_qs(urlsplit(url).query)["after"] == ["2026-01-01T00:00:00Z"]
            continue
        stream = row.stream(key)
        assert stream is None or row.family in next(s for s in inventory.STREAMS if s.name == stream.name).writes
    assert all((row.live, row.window, row.refresh))


def test_a_list_asks_for_no_more_than_it_keeps_and_for_each_alternative() -> None:
    # RT-2
    url = inventory.request_of(live("jobs", status=["failed", "active"])).url
    assert parse_qs(urlsplit(url).query) == {"status": ["active", "failed"], "limit": ["50"]}
    with pytest.raises((KeyError, StopIteration)):
        inventory.request_of(live("nonsense"))


def test_a_list_of_statuses_prints_as_a_list_however_it_was_spelled() -> None:
    # RT-1
    specs = inventory.query_specs(REDUCERS)
    for key in (live("jobs", status="failed"), live("jobs", status=["failed"])):
        assert str(key.spelled(specs["jobs"].alternatives)) == '["jobs","live",{"status":["failed"]}]'
    key = live("requests", status=500)
    assert str(key.spelled(specs["requests"].alternatives)) == '["requests","live",{"status":500}]'


def test_streams_share_the_parameters_of_their_keys() -> None:
    # RT-20
    specs = inventory.query_specs(REDUCERS)
    assert specs["requests"].stream(live("requests", api_name="a", status=500)) == stream_key("requests", api_name="a")
    assert specs["apis"].stream(item("apis", "shop")) == stream_key("api", name="shop")
    assert specs["apis"].stream(live("apis")) == stream_key("apis")
    assert specs["jobs.trends"].stream(aggregate("jobs.trends", hours=24)) == StreamKey("jobs.trends", canonical({"hours": 24}))
    assert inventory.stream_specs()["api"].url(stream_key("api", name="a/b"), "e:1") == "apis/a%2Fb/stream?last_event_id=e%3A1"


def test_job_events_make_figures_old_and_progress_does_not() -> None:
    # RT-9
    specs = inventory.query_specs(REDUCERS)
    base = {"job_id": "a", "root_id": "a"}
    started = JobStarted.model_validate(
        {**base, "function": "f", "function_name": "f", "attempt": 1, "started_at": "2026-01-01T00:00:00Z"}
    )
    for family in ("stats", "jobs.stats", "functions"):
        outdated = specs[family].invalidated_by
        assert outdated is not None
        key: Any = live(family) if family == "functions" else aggregate(family)
        assert (outdated(key, started), outdated(key, JobProgress.model_validate({**base, "progress": 0.5}))) == (True, False)
    assert specs["jobs"].invalidated_by is None


def test_a_window_is_read_page_after_page_each_row_once_and_comes_to_an_end() -> None:
    # RT-4
    specs = inventory.query_specs(REDUCERS)
    key = WindowKey("jobs", canonical({"after": "a", "before": "b"}))
    rows = [type("Row", (), {"id": str(n)})() for n in range(5)]
    first: Any = WindowData(tuple(rows[:3]), 5, False, "c1")
    spec = specs["jobs"]
    assert spec.next_page is not None
    assert spec.add_page is not None
    request = spec.next_page(key, first)
    assert request is not None
    assert parse_qs(urlsplit(request.url).query) == {"after": ["a"], "before": ["b"], "limit": ["500"], "cursor": ["c1"]}
    both: Any = spec.add_page(first, WindowData(tuple(rows[2:]), 5, True, None))
    assert ([row.id for row in both.rows], both.complete, both.total) == (["0", "1", "2", "3", "4"], True, 5)
    assert spec.next_page(key, both) is None
    stuck: Any = spec.add_page(first, WindowData(tuple(rows[:3]), 9, False, "c2"))
    assert (stuck.complete, stuck.total) == (True, 3)
    following = specs["requests"].next_page
    assert following is not None
    asked = following(WindowKey("requests", ()), first)
    assert asked is not None
    assert parse_qs(urlsplit(asked.url).query)["offset"] == ["3"]
    assert following(WindowKey("requests", ()), WindowData()) is None


def test_routes_name_streams_and_keys_that_exist_and_hold_few_enough_streams() -> None:
    # RT-20, RT-76
    specs = inventory.query_specs(REDUCERS)
    for view in inventory.VIEWS:
        assert set(view.streams) <= STREAM_NAMES
        for key in view.first:
            assert key.mode in specs[key.family].modes
            stream = specs[key.family].stream(key)
            assert view.route != "/dashboard" or stream is None or stream.name in view.streams
        assert inventory.boot_keys(view.route) == view.first
    assert inventory.boot_keys("/nowhere") == ()
    assert inventory.GLOBAL_STREAMS == ()
    assert inventory.boot_requests()["/"] == inventory.boot_requests()["/dashboard"]


def test_actions_carry_the_csrf_header_and_quote_what_they_name() -> None:
    specs = inventory.mutation_specs()
    request = specs["jobs.cancel"].request({"job_id": "a/b"})
    assert (request.method, request.url, request.headers) == ("POST", "jobs/a%2Fb/cancel", {"X-Penstock-CSRF": "1"})
    assert specs["jobs.retry"].invalidates({"job_id": "x"}) == (item("jobs", "x"),)


def test_the_modes_are_the_four_of_the_rules() -> None:
    # RT-2
    assert {mode for row in inventory.QUERIES for mode in row.modes} == set(get_args(Mode))


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (stream_key("events"), keys.EVENTS),
        (stream_key("requests"), keys.api_requests(None)),
        (stream_key("requests", api_name="a b/c?d"), keys.api_requests("a b/c?d")),
        (stream_key("workers"), keys.WORKERS),
        (stream_key("jobs.trends", hours=24), keys.jobs_trends(24, None, None)),
        (stream_key("jobs.trends", hours=6, type="cron", function="mail.send & co"), keys.jobs_trends(6, "mail.send & co", "cron")),
        (stream_key("apis.trends", hours=24), keys.apis_trends(24)),
        (stream_key("apis.trends", hours=1), keys.apis_trends(1)),
        (stream_key("apis"), keys.APIS),
        (stream_key("api", name="v1/ü?"), keys.api("v1/ü?")),
        (stream_key("artifacts", id="job_1/2"), keys.artifacts("job_1/2")),
    ],
)
def test_the_wire_key_of_every_stream_is_the_server_s(key: StreamKey, expected: str) -> None:
    # RT-64
    assert inventory.stream_specs()[key.name].wire_key(key) == expected == keys.canonical(expected)
