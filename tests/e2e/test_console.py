"""The console in real browsers against the real server and the built site: what a person relies on."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from browsers import new_context
from conftest import DIST, ROOT, Console, Server, running
from playwright.sync_api import Browser
from static_site import serve

Open = Callable[..., Console]

HIDDEN_GRACE_MS = 500  # 10 s of RT-50, divided by 20
LINGER_MS = 25


def recordings() -> Path:
    """The recordings of a real server; the few samples of this repository where those are not at hand."""
    named = Path(os.environ.get("PENSTOCK_RECORDINGS", ROOT.parent / "shared" / "recordings"))
    return named if named.is_dir() else ROOT / "tests" / "unit" / "contract" / "samples"


def eventually(says: Callable[[], object], *, timeout_s: float = 20) -> None:
    """Ask until it is so; what was said last stands in the failure."""
    deadline = time.monotonic() + timeout_s
    while not (said := says()):
        assert time.monotonic() < deadline, f"still {said!r} after {timeout_s} s"


def first_function(server: Server) -> dict[str, Any]:
    return server.get("api/v1/functions")["functions"][0]


def test_the_overview_boots_and_shows_live_rows(engine: Browser, moving: Server, open_console: Open) -> None:
    console = open_console(engine, moving.url)
    for panel in ("activity-jobs", "activity-apis"):
        console.fresh(panel, "live")
        assert len(console.rows(panel)) == 50
    console.fresh("queue", "polling")
    assert console.page.title().endswith("Overview · Penstock")
    # RT-84: let the sampler look at it while it moves.
    console.until("() => __truth.checked >= 3")


def test_on_a_narrow_screen_the_page_ends_with_its_content_and_no_mark_is_cut(
    chromium: Browser, moving: Server, open_console: Open
) -> None:
    console = open_console(chromium, moving.url)
    console.page.set_viewport_size({"width": 390, "height": 844})
    console.fresh("activity-apis", "live")
    console.until("() => document.documentElement.scrollHeight <= Math.ceil(document.querySelector('.app').offsetHeight) + 1")
    assert console.page.evaluate(
        "() => [...document.querySelectorAll('.fresh .w')].every((word) => word.scrollWidth <= word.clientWidth)"
    )


def test_a_job_started_through_the_api_appears_without_reload(engine: Browser, quiet: Server, open_console: Open) -> None:
    console = open_console(engine, f"{quiet.url}#/jobs")
    console.fresh("jobs", "live")
    function = first_function(quiet)
    job = quiet.post(f"api/v1/functions/{function['key']}/run", {"kwargs": {}})["job_id"]
    console.until("(id) => document.body.innerText.includes(id.slice(0, 12))", job)
    console.until(
        """(id) => {
            const data = JSON.parse(penstock.query('["jobs","live",{}]'));
            return ["complete", "failed"].includes(data.rows.find((row) => row.id === id)?.status);
        }""",
        job,
    )


def test_a_window_stands_still_and_holds_the_whole_range(engine: Browser, moving: Server, open_console: Open) -> None:
    """RT-3, RT-4, RT-5: while twenty events a second arrive."""
    page_of_all = moving.get("api/v1/jobs?limit=1000")
    newest = page_of_all["jobs"][0]["created_at"]
    oldest = page_of_all["jobs"][600]["created_at"]
    console = open_console(engine, f"{moving.url}#/jobs?after={oldest}&before={newest}")
    console.fresh("jobs", "window")
    key = ["jobs", "window", {"after": oldest, "before": newest}]
    console.until("(key) => JSON.parse(penstock.query(key) ?? '{}').complete === true", _json(key))
    before = console.query(key)
    told = moving.get(f"api/v1/jobs?limit=1000&after={oldest}&before={newest}")
    assert [row["id"] for row in before["rows"]] == [row["id"] for row in told["jobs"]]
    assert len(before["rows"]) > 500
    # Twenty more events arrive at the server, and nothing of the window moves.
    seen = moving.get("api/v1/jobs?limit=1")["jobs"][0]["id"]
    eventually(lambda: moving.get("api/v1/jobs?limit=1")["jobs"][0]["id"] != seen)
    assert console.query(key) == before
    # Every page can be reached: the last row is painted once it is scrolled to.
    last = before["rows"][-1]["id"]
    console.page.eval_on_selector("pen-viewport", "view => view.scrollIntoView({ block: 'end' })")
    console.page.evaluate("window.scrollTo(0, document.documentElement.scrollHeight)")
    console.until("(id) => document.querySelector('[data-panel=jobs]').innerText.includes(id.slice(0, 12))", last)


def test_live_off_freezes_and_live_on_asks_once(engine: Browser, moving: Server, open_console: Open) -> None:
    """RT-5."""
    console = open_console(engine, moving.url)
    console.fresh("activity-jobs", "live")
    panel = console.panel("activity-jobs")
    console.page.click(f"{panel} .seg >> text=Window")
    console.page.click(f'{panel} .presets >> text="5m"')
    console.fresh("activity-jobs", "window")
    console.until("() => !JSON.parse(penstock.diagnostics()).cache.queries.some((query) => query.fetching)")
    frozen = console.rows("activity-jobs")
    assert frozen
    eventually(lambda: "events" not in moving.streams())
    console.until("() => __truth.samples >= 2")
    assert console.rows("activity-jobs") == frozen
    console.page.click(f"{panel} .seg >> text=Live")
    console.fresh("activity-jobs", "live")
    assert "events" in moving.streams()


def test_leaving_a_route_closes_its_streams(engine: Browser, moving: Server, open_console: Open) -> None:
    """RT-20, asked of the server."""
    console = open_console(engine, moving.url)
    console.fresh("activity-apis", "live")
    eventually(lambda: "apis/events" in moving.streams())
    console.page.click("nav >> text=Jobs")
    console.fresh("jobs", "live")
    eventually(lambda: moving.streams() == ["events"])
    console.page.click("nav >> text=Overview")
    console.fresh("activity-apis", "live")
    eventually(lambda: "apis/events" in moving.streams())


def test_one_connection_carries_every_stream_and_follows_the_route(engine: Browser, moving: Server, open_console: Open) -> None:
    """RT-64, RT-20: nothing is left out at a part-B server, and a change of the set opens no other connection."""
    console = open_console(engine, moving.url)
    console.fresh("activity-jobs", "live")
    eventually(lambda: len(moving.streams()) == 5)
    first = [connection["id"] for connection in moving.get("__streams__")["connections"]]
    assert moving.get("__streams__")["sockets"] == len(first) == 1
    assert console.page.query_selector('[data-reason="budget"]') is None
    console.page.click("nav >> text=Jobs")
    eventually(lambda: moving.streams() == ["events"])
    assert [connection["id"] for connection in moving.get("__streams__")["connections"]] == first
    transport = console.diagnostics()["transport"]
    assert (transport["kind"], transport["invalid"], transport["drops"]) == ("multiplexed", 0, 0)


def test_a_server_without_the_one_connection_gets_four_and_what_is_left_out_polls_and_says_why(engine: Browser, moving: Server) -> None:
    """RT-25, RT-64."""
    context = new_context(engine)
    try:
        context.route("**/api/v1/streams?*", lambda route: route.fulfill(status=404, json={"detail": "Not Found"}))
        console = Console(context.new_page()).open(moving.url)
        console.fresh("activity-jobs", "live")
        eventually(lambda: len(moving.streams()) == 4)
        console.page.wait_for_selector('[data-freshness="polling"][data-reason="budget"]')
        # Requests of the origin are still answered.
        assert console.page.evaluate("fetch('/api/v1/jobs?limit=1').then((response) => response.status)") == 200
        assert console.diagnostics()["transport"]["kind"].startswith("direct")
    finally:
        context.close()


def test_a_hidden_page_holds_no_stream_and_asks_nothing(engine: Browser, moving: Server, open_console: Open) -> None:
    """RT-50, RT-51."""
    console = open_console(engine, moving.url)
    console.fresh("activity-jobs", "live")
    console.hide(True)
    eventually(lambda: moving.streams() == [])
    assert console.page.title().startswith("Paused")
    sent = _requests(console)
    console.page.wait_for_function(
        "(then) => performance.now() - then > 1500", arg=console.page.evaluate("performance.now()"), timeout=10_000
    )
    assert _requests(console) == sent
    console.hide(False)
    console.fresh("activity-jobs", "live")
    assert console.page.title().endswith("Overview · Penstock")


def test_the_streams_of_fixed_paths_are_not_taken_for_names(quiet: Server) -> None:
    """Route order: `/jobs/trends/stream` is not the stream of a job called trends."""
    for path, first in (("jobs/trends", "jobs.trends.snapshot"), ("apis/trends", "apis.trends.snapshot"), ("apis/events", "hello")):
        with urllib.request.urlopen(f"{quiet.url}api/v1/{path}/stream", timeout=10) as stream:
            text = ""
            while first not in text:
                text += stream.readline().decode()
            assert text.startswith("event: hello")


def test_a_replay_shows_the_jobs_that_were_recorded(engine: Browser, open_console: Open, tmp_path: Path) -> None:
    with running("--source", f"replay:{recordings()}", "--profile", "test", data=tmp_path) as server:
        console = open_console(engine, f"{server.url}#/jobs")
        console.page.wait_for_selector(f"{console.panel('jobs')} tbody tr")
        told = {job["function_name"] for job in server.get("api/v1/jobs?limit=50")["jobs"]}
        shown = "\n".join(console.rows("jobs"))
        assert told
        assert all(name in shown for name in told)


def test_the_static_site_works_from_a_sub_folder_against_an_api_on_another_port(
    engine: Browser, open_console: Open, tmp_path: Path
) -> None:
    """`web/dist` under a plain static host; `penstock.json` and the page's policy name the API."""
    out = tmp_path / "host" / "some" / "where"
    out.mkdir(parents=True)
    with serve(tmp_path / "host") as host:
        origin = host.rstrip("/")
        with running("--source", "sim", "--rate", "10", "--profile", "test", "--allow-origin", origin, data=tmp_path / "data") as api:
            subprocess.run([sys.executable, str(ROOT / "web" / "build.py"), "--api", api.url, "--out", str(out)], check=True)
            console = open_console(engine, f"{host}some/where/#/jobs")
            console.fresh("jobs", "live")
            assert len(console.rows("jobs")) == 50
            eventually(lambda: "events" in api.streams())


# What can go wrong ------------------------------------------------------------------------------------------------------------


def test_an_unknown_route_says_so_and_leads_back(chromium: Browser, quiet: Server, open_console: Open) -> None:
    page = open_console(chromium, quiet.url).page
    page.evaluate("location.hash = '#/nowhere'")
    page.wait_for_selector("text=There is no page here.")
    page.click("text=Go to the overview")
    page.wait_for_selector('[data-panel="queue"]')


def test_a_server_that_goes_away_leaves_the_data_and_says_since_when(chromium: Browser, open_console: Open, tmp_path: Path) -> None:
    """RT-12, RT-33: the data stays; the panel stops saying live."""
    with running("--source", "sim", "--rate", "0", "--profile", "test", data=tmp_path) as server:
        console = open_console(chromium, f"{server.url}#/jobs")
        console.fresh("jobs", "live")
        rows = len(console.rows("jobs"))
        assert server.stop() == 0
        console.page.wait_for_selector('[data-panel="jobs"]:not([data-freshness="live"])')
        console.fresh("jobs", "error")
        assert console.page.get_attribute(console.panel("jobs"), "data-reason") == "network"
        assert len(console.rows("jobs")) == rows


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"status": 200, "content_type": "text/html", "body": "<!doctype html><title>Home</title>"}, "content"),
        ({"status": 200, "content_type": "application/json", "body": '{"jobs": [{"id": 7}]}'}, "content"),
        ({"status": 200, "content_type": "application/json", "body": "{"}, "content"),
        ({"status": 500, "content_type": "text/plain", "body": "Internal Server Error"}, "server"),
        ({"status": 403, "content_type": "application/json", "body": '{"detail": "not yours"}'}, "forbidden"),
    ],
)
def test_an_answer_that_is_none_is_an_error_of_its_panel(
    chromium: Browser, quiet: Server, open_console: Open, answer: dict[str, Any], reason: str
) -> None:
    """HTML for JSON, what does not validate, plain-text 500, 403: a clear state, never a blank page or a traceback."""
    console = open_console(chromium, quiet.url)
    console.page.route("**/api/v1/jobs?*", lambda route: route.fulfill(**answer))
    console.page.evaluate("location.hash = '#/jobs?status=failed'")
    console.fresh("jobs", "error")
    assert console.page.get_attribute(console.panel("jobs"), "data-reason") == reason
    errors = [query["error"] for query in console.diagnostics()["cache"]["queries"] if query["error"]]
    assert errors
    assert all("Traceback" not in error for error in errors)
    assert "Traceback" not in console.page.inner_text("body")


def test_without_penstock_json_the_page_takes_its_own_origin_and_says_so(
    chromium: Browser, quiet: Server, open_console: Open, tmp_path: Path
) -> None:
    site = tmp_path / "site"
    shutil.copytree(DIST, site)
    (site / "penstock.json").unlink()
    with running("--source", "sim", "--rate", "0", "--profile", "test", "--site", str(site), data=tmp_path / "data") as server:
        console = open_console(chromium, server.url)
        console.fresh("activity-jobs", "live")
        assert "penstock.json" in console.page.inner_text(".notice")


def test_a_flag_is_a_kill_switch_both_ways(chromium: Browser, moving: Server, open_console: Open) -> None:
    """RT-71: streams close within a second and polling takes over; and back."""
    console = open_console(chromium, f"{moving.url}#/jobs")
    console.fresh("jobs", "live")
    console.page.evaluate("penstock.flags.set('enable_sse_streaming', false)")
    console.fresh("jobs", "polling")
    eventually(lambda: moving.streams() == [])
    console.page.evaluate("penstock.flags.set('enable_sse_streaming', true)")
    console.fresh("jobs", "live")


def test_a_flip_at_the_server_reaches_an_open_page_both_ways(chromium: Browser, open_console: Open, tmp_path: Path) -> None:
    # RT-71, RT-72
    data = tmp_path / "data"
    with running("--source", "sim", "--rate", "20", "--profile", "test", data=data) as server:
        console = open_console(chromium, f"{server.url}#/jobs")
        console.fresh("jobs", "live")
        (data / "flags.json").write_text(json.dumps({"enable_sse_streaming": {"enabled": False}}))
        console.fresh("jobs", "polling")
        eventually(lambda: server.streams() == [])
        flags = console.diagnostics()["settings"]["flags"]
        assert flags["enable_sse_streaming"] == [False, "server"]
        console.page.evaluate("penstock.flags.set('enable_sse_streaming', true)")  # the server's off always wins
        assert console.diagnostics()["settings"]["flags"]["enable_sse_streaming"] == [False, "server"]
        (data / "flags.json").unlink()
        console.fresh("jobs", "live")
        flips = [(flip["flag"], flip["value"]) for flip in console.diagnostics()["flips"]]
        assert flips == [("enable_sse_streaming", False), ("enable_sse_streaming", True)]


def test_scripts_read_keys_and_get_a_sentence_for_what_is_none(chromium: Browser, quiet: Server, open_console: Open) -> None:
    """RT-83."""
    console = open_console(chromium, quiet.url)
    console.fresh("activity-jobs", "live")
    assert len(console.query(["jobs", "live", {}])["rows"]) == 50
    assert console.query(["jobs", "live", {"status": ["cancelled"]}]) is None
    with pytest.raises(Exception, match="is not a key"):
        console.page.evaluate("penstock.query('nonsense')")


def _json(key: Sequence[object]) -> str:
    return json.dumps(key)


def _requests(console: Console) -> int:
    return sum(row["sent"] for row in console.diagnostics()["requests"]["endpoints"])
