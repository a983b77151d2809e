"""What a person sees of a part-A server as it truly is: its recordings over real HTTP, in the real console."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import part_a
import pytest
from conftest import DIST, Console
from part_a import PartA
from playwright.sync_api import Browser
from static_site import serve

pytestmark = pytest.mark.skipif(part_a.recordings() is None, reason=part_a.MISSING)

Open = Callable[..., Console]
Marks = dict[str, tuple[str, str]]

FACTOR = 20
"""The profile `test` divides every time by it, and so does the server with the recorded ones."""
STREAMED = ("activity-jobs", "activity-apis", "job-trends")
FIGURES = ("queue", "system", "runbook")
API_POLICY = "connect-src &#x27;self&#x27;"


def site_for(api: str, folder: Path, *, profile: str = "test") -> None:
    """The built site as a static host has it for an API elsewhere: its configuration and its policy name that API."""
    shutil.copytree(DIST, folder, copy_function=os.link)
    page = folder / "index.html"
    text = page.read_text(encoding="utf-8")
    assert API_POLICY in text
    page.unlink()
    page.write_text(text.replace(API_POLICY, f"{API_POLICY} {api}"), encoding="utf-8")
    configuration = folder / "penstock.json"
    configuration.unlink()
    configuration.write_text(json.dumps({"api": f"{api}/", "profile": profile}), encoding="utf-8")


@contextmanager
def recorded(state: part_a.State, tmp_path: Path, *, profile: str = "test") -> Generator[tuple[PartA, str]]:
    """The recorded server in a state, and the address of a console for it."""
    with PartA(state, factor=FACTOR, lifetime_s=300) as server:
        site_for(server.url, tmp_path / "site", profile=profile)
        with serve(tmp_path / "site") as url:
            yield server, url


def marks(console: Console) -> Marks:
    """What every panel says of itself (RT-83)."""
    found: list[list[str]] = console.page.eval_on_selector_all(
        "[data-panel][data-freshness]", "all => all.map(one => [one.dataset.panel, one.dataset.freshness, one.dataset.reason])"
    )
    return {name: (state, reason) for name, state, reason in found}


def pill_says(console: Console, words: str) -> None:
    """Wait until the pill in the bar says words; it is measured once a second."""
    console.until("(words) => document.querySelector('.pill').innerText.trim().startsWith(words)", words)


def says(console: Console, panel: str, state: str, *reasons: str, timeout_ms: float = 20_000) -> None:
    """Wait until a panel says a state for one of these reasons."""
    each = ",".join(f'{console.panel(panel)}[data-freshness="{state}"][data-reason="{reason}"]' for reason in reasons)
    console.page.wait_for_selector(each, timeout=timeout_ms)


def listens(console: Console) -> None:
    """Note every freshness that a panel ever says from now on."""
    console.page.evaluate(
        """() => {
            const said = (globalThis.__said = {});
            const look = () => {
                for (const { dataset } of document.querySelectorAll("[data-panel][data-freshness]"))
                    (said[dataset.panel] ??= new Set()).add(dataset.freshness);
            };
            look();
            new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributeFilter: ["data-freshness"] });
        }"""
    )


def heard(console: Console, panel: str) -> set[str]:
    """Every freshness that a panel said since."""
    return set(console.page.evaluate("(panel) => [...(__said[panel] ?? [])]", panel))


def test_a_server_at_rest_is_live_and_says_when_that_is_not_verified(chromium: Browser, open_console: Open, tmp_path: Path) -> None:
    # RT-26, RT-30, RT-84
    with recorded("idle", tmp_path) as (server, url):
        console = open_console(chromium, url)
        for panel in STREAMED:
            console.fresh(panel, "live")
        says(console, "activity-apis", "live", "unverified")
        assert len(console.rows("activity-jobs")) > 0
        assert "Live, unverified" in console.page.inner_text(f"{console.panel('activity-apis')} .head")
        opened = [one for one in server.requests if one.endswith("/apis/events/stream")]
        listens(console)
        console.page.wait_for_timeout(7_000)  # more than two of its minutes
        assert heard(console, "activity-apis") == {"live"}
        assert [one for one in server.requests if one.endswith("/apis/events/stream")] == opened


@pytest.mark.parametrize("state", ["no-redis", "redis-down"])
def test_a_server_whose_streams_never_work_is_polled_and_its_errors_are_said(
    chromium: Browser, open_console: Open, tmp_path: Path, state: part_a.State
) -> None:
    # RT-23, RT-24, RT-33
    with recorded(state, tmp_path) as (server, url):
        console = open_console(chromium, url)
        listens(console)
        says(console, "activity-jobs", "polling", "fallback")
        for panel in FIGURES:
            says(console, panel, "error", "server", "breaker")
            assert "did not load" in console.page.inner_text(console.panel(panel))
        pill_says(console, "Error")
        assert "live" not in heard(console, "activity-jobs") | heard(console, "job-trends") | heard(console, "activity-apis")
        attempts = sum(one.endswith("/jobs/trends/stream?hours=24") for one in server.requests)
        console.page.wait_for_timeout(4_000)
        more = sum(one.endswith("/jobs/trends/stream?hours=24") for one in server.requests) - attempts
        assert more <= 2 * 5  # an attempt in 1.5 s, and the question why it was refused


def test_a_store_that_stops_leaves_the_rows_and_marks_them_and_their_return_is_live_again(
    engine: Browser, open_console: Open, tmp_path: Path
) -> None:
    # RT-12, RT-32, RT-33, RT-84
    with recorded("idle", tmp_path) as (server, url):
        console = open_console(engine, url)
        for panel in STREAMED:
            console.fresh(panel, "live")
        rows = console.rows("activity-jobs")
        server.change("redis-down")
        says(console, "activity-apis", "error", "server", "breaker")
        for panel in FIGURES:
            says(console, panel, "error", "server", "breaker")
            assert "did not load" not in console.page.inner_text(console.panel(panel))  # the figures are still there
        assert len(console.rows("activity-apis")) > 0
        pill_says(console, "Error")
        server.change("idle")
        for panel in STREAMED:
            console.fresh(panel, "live", timeout_ms=30_000)
        for panel in FIGURES:
            console.fresh(panel, "polling", timeout_ms=30_000)
        assert console.rows("activity-jobs")[0].split()[0] == rows[0].split()[0]


def test_streams_that_break_every_few_seconds_are_not_called_live_while_they_are_broken(
    chromium: Browser, open_console: Open, tmp_path: Path
) -> None:
    # RT-30, RT-33
    with recorded("redis-stop", tmp_path) as (_server, url):
        console = open_console(chromium, f"{url}#/jobs")
        listens(console)
        says(console, "jobs", "polling", "fallback")
        assert len(console.rows("jobs")) > 0
        console.page.wait_for_timeout(3_000)
        assert heard(console, "jobs") <= {"loading", "stale", "live", "polling"}
        lying = [
            (query["key"], query["state"])
            for query in console.diagnostics()["cache"]["queries"]
            if query["state"] == "live"
            for domain in console.diagnostics()["domains"]
            if domain["key"] == "events" and not domain["health"].startswith("healthy")
        ]
        assert lying == []


def test_a_server_that_asks_who_one_is_is_asked_nothing_more(chromium: Browser, open_console: Open, tmp_path: Path) -> None:
    # RT-25, RT-36
    with recorded("auth", tmp_path) as (server, url):
        console = open_console(chromium, url)
        for panel in (*STREAMED, *FIGURES):
            says(console, panel, "error", "forbidden")
            assert "Nothing is asked until you ask again" in console.page.inner_text(console.panel(panel))
        pill_says(console, "Forbidden")
        console.page.wait_for_timeout(1_000)
        asked = len(server.requests)
        console.page.wait_for_timeout(5_000)
        assert len(server.requests) == asked
        assert server.streams == 0
        # The person asks: one request, and again nothing.
        console.page.click(f"{console.panel('activity-jobs')} .remedy button")
        console.page.wait_for_timeout(2_000)
        assert [one for one in server.requests[asked:] if not one.startswith("OPTIONS")] == ["GET /api/v1/jobs?limit=50"]


def test_a_session_that_ends_keeps_what_was_there_and_marks_it(chromium: Browser, open_console: Open, tmp_path: Path) -> None:
    # RT-12, RT-36
    with recorded("idle", tmp_path) as (server, url):
        console = open_console(chromium, f"{url}#/jobs")
        console.fresh("jobs", "live")
        # Its recorded events name a job that its recorded list has not, so the list is one longer until it is asked for again: what
        # must be kept is what was on the screen when the session ended, not at any time before.
        console.page.evaluate(
            """(selector) => {
                const panel = document.querySelector(selector);
                const look = () => {
                    if (panel.dataset.freshness !== "error") globalThis.__shown = panel.querySelectorAll("tbody tr").length;
                };
                look();
                new MutationObserver(look).observe(panel, { subtree: true, childList: true, attributes: true });
            }""",
            console.panel("jobs"),
        )
        server.change("auth")
        says(console, "jobs", "error", "forbidden")
        assert console.page.locator(f"{console.panel('jobs')}.retained").count() == 1
        assert len(console.rows("jobs")) == console.page.evaluate("__shown") >= 5
        assert "Ask again" in console.page.inner_text(console.panel("jobs"))
