"""Tabs give each other what they hold (RT-62) in a real browser: a second tab is live with hardly a request of its own."""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import Any

import pytest
from browsers import new_context
from conftest import TRUTH, Console, Server, running
from playwright.sync_api import Browser, BrowserContext, Request
from test_tabs import ANY_LIVE, eventually, tabs_of

HELD = "() => Object.keys(localStorage).filter((name) => name.includes(':held:')).map((name) => JSON.parse(localStorage.getItem(name)))"


class Asked:
    """What the pages of a context ask of the API, by page: paths with their query, without streams and the configuration."""

    def __init__(self, context: BrowserContext) -> None:
        self._requests: list[Request] = []
        context.on("request", self._note)

    def _note(self, request: Request) -> None:
        self._requests.append(request)

    def by(self, console: Console, *, boot: bool = False) -> list[str]:
        """Of a page, or of its boot alone: what the page asked for before its Python ran."""
        gets = [one for one in self._requests if one.frame.page == console.page and one.method == "GET"]
        urls = [one.url for one in gets if not boot or one.headers.get("x-penstock-client") == "boot"]
        paths = [url.partition("/api/v1/")[2] for url in urls]
        return [path for path in paths if path and path != "config" and "stream" not in path]


@pytest.fixture
def calm(tmp_path: Any) -> Generator[Server]:
    """Intervals of real life, a few events a second."""
    with running("--source", "sim", "--rate", "5", "--profile", "docker", "--requests-per-minute", "0", data=tmp_path) as server:
        yield server


@pytest.fixture
def context(engine: Browser) -> Generator[BrowserContext]:
    one = new_context(engine)
    one.add_init_script(path=TRUTH)
    yield one
    one.close()


def check(*consoles: Console) -> None:
    """Nobody lied, and nothing was raised."""
    for console in consoles:
        assert console.page.evaluate("globalThis.__truth.violations") == []
        said = console.diagnostics()
        assert (said["errors"], said["page"]["errors"]) == ([], [])
        assert console.problems == []


def shared(console: Console) -> dict[str, Any]:
    return tabs_of(console)["shared"]


def test_a_second_tab_on_the_same_route_is_live_with_fewer_requests_than_the_first(calm: Server, context: BrowserContext) -> None:
    # RT-62
    asked = Asked(context)
    one = Console(context.new_page())
    one.open(calm.url + "#/jobs")
    one.until(ANY_LIVE, timeout_ms=60_000)
    first = asked.by(one, boot=True)
    assert {"jobs?limit=50", "jobs/stats"} <= set(first)
    for _ in range(3):  # on a machine that is overloaded another tab may not answer in time: then it is not waited for
        eventually(lambda: any({"jobs?limit=50", "jobs/stats"} <= set(held) for held in one.page.evaluate(HELD)))
        two = Console(context.new_page())
        two.open(calm.url + "#/jobs")
        two.until(ANY_LIVE, timeout_ms=60_000)
        # What comes later is what every tab asks for while jobs are moving; the first rows are what the boot brings.
        second = asked.by(two, boot=True)
        if "jobs?limit=50" not in second:
            break
        two.page.close()
    else:
        pytest.fail("no boot was answered by the other tab")
    assert len(second) < len(first)
    assert shared(two)["received"] >= 1
    key = json.dumps(["jobs", "live", {}], separators=(",", ":"))
    assert two.page.evaluate("(key) => JSON.parse(penstock.query(key)).rows.length", key) > 0
    check(one, two)


def test_a_tab_that_goes_to_a_route_which_another_shows_asks_that_tab(calm: Server, context: BrowserContext) -> None:
    # RT-62
    one, two = Console(context.new_page()), Console(context.new_page())
    one.open(calm.url + "#/jobs?status=failed")
    two.open(calm.url + "#/")
    for console in (one, two):
        console.until(ANY_LIVE, timeout_ms=60_000)
    eventually(lambda: shared(two)["known"] >= 2)
    before = shared(two)["received"]
    two.page.evaluate("() => { location.hash = '#/jobs?status=failed'; }")
    two.page.wait_for_selector("[data-panel=jobs][data-freshness=live]", timeout=30_000)
    eventually(lambda: shared(two)["received"] > before)
    assert shared(one)["served"] >= 1
    check(one, two)


def test_with_sharing_off_each_tab_asks_for_itself(calm: Server, context: BrowserContext) -> None:
    # RT-62, RT-71
    asked = Asked(context)
    one = Console(context.new_page())
    one.open(calm.url + "#/jobs")
    one.until(ANY_LIVE, timeout_ms=60_000)
    eventually(lambda: one.page.evaluate(HELD))
    one.page.evaluate("penstock.flags.set('tab_sharing', false)")
    eventually(lambda: not one.page.evaluate(HELD))
    two = Console(context.new_page())
    two.open(calm.url + "#/jobs")
    two.until(ANY_LIVE, timeout_ms=60_000)
    assert "jobs?limit=50" in asked.by(two)
    assert (shared(one)["served"], shared(two)["received"]) == (0, 0)
    check(one, two)
