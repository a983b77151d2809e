"""Many tabs in a real browser (RT-60 to RT-64): one connection for all, whoever leads goes, and the next one leads.

Twenty consoles on one small machine are close to what it can carry, so the twenty run on the profile `docker`, whose intervals are
those of real life; `test` divides them by twenty, which would be four hundred consoles' requests. Takeovers run on `test` with a few
tabs, and the truth sampler (RT-84) in each of them.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from browsers import launch, new_context
from conftest import TRUTH, Console, Server, running
from playwright.sync_api import Browser, BrowserContext, Error, Page, Playwright

ROUTES = ("#/", "#/jobs", "#/jobs?status=failed", "#/jobs?status=complete", "#/jobs")
LIGHT = "light.html"


def eventually(says: Callable[[], object], *, timeout_s: float = 30) -> None:
    """Ask until it is so; what was said last stands in the failure."""
    deadline = time.monotonic() + timeout_s
    while not (said := says()):
        assert time.monotonic() < deadline, f"still {said!r} after {timeout_s} s"
        time.sleep(0.1)


def connections(server: Server) -> set[tuple[str, str]]:
    """The connections that streams come by, as the server sees them."""
    return {(stream["path"], stream["client"]) for stream in server.get("__streams__")["streams"]}


class Tabs:
    """The consoles of one browser context."""

    def __init__(self, context: BrowserContext, url: str, *, truth: bool) -> None:
        self.context = context
        self.url = url
        self.all: list[Console] = []
        if truth:
            context.add_init_script(path=TRUTH)

    def open(self, route: str = "") -> Console:
        console = Console(self.context.new_page())
        self.all.append(console)
        return console.open(self.url + route)

    def open_some(self, count: int) -> list[Console]:
        return [self.open(ROUTES[number % len(ROUTES)]) for number in range(count)]

    def roles(self) -> list[str]:
        return [role(console) for console in self.all]

    def leader(self) -> Console:
        """The one that leads, as soon as one does and all others follow it."""
        eventually(lambda: sorted(self.roles()) == ["following"] * (len(self.all) - 1) + ["leading"])
        return next(console for console in self.all if role(console) == "leading")

    def gone(self, console: Console) -> None:
        """A tab that is no more, or cannot be asked."""
        self.all.remove(console)

    def live(self, *, timeout_ms: float = 30_000) -> None:
        """Every tab says live where it can, and holds what the server says."""
        for console in self.all:
            console.until(ANY_LIVE, timeout_ms=timeout_ms)

    def check(self) -> None:
        """Nobody ever lied, and nothing was raised."""
        for console in self.all:
            found = console.page.evaluate("globalThis.__truth ?? null")
            assert found is None or found["violations"] == []
            said = console.diagnostics()
            assert said["errors"] == []
            assert said["page"]["errors"] == []
            assert console.problems == []


ANY_LIVE = "() => document.querySelector('[data-panel=jobs][data-freshness=live], [data-panel=activity-jobs][data-freshness=live]')"


def tabs_of(console: Console) -> dict[str, Any]:
    return console.diagnostics()["tabs"]


def role(console: Console) -> str:
    return tabs_of(console)["role"]


@pytest.fixture
def open_tabs() -> Generator[Callable[..., Tabs]]:
    """Contexts with tabs in them, closed at the end."""
    contexts: list[BrowserContext] = []

    def open_one(browser: Browser, url: str, *, truth: bool = True) -> Tabs:
        context = new_context(browser)
        contexts.append(context)
        return Tabs(context, url, truth=truth)

    yield open_one
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    """A few events a second, and intervals of real life."""
    arguments = ("--source", "sim", "--rate", "5", "--profile", "docker", "--requests-per-minute", "0")
    with running(*arguments, data=tmp_path_factory.mktemp("busy")) as server:
        yield server


def test_twenty_visible_tabs_hold_one_connection_and_requests_are_answered(
    chromium: Browser, busy: Server, open_tabs: Callable[..., Tabs]
) -> None:
    # RT-60, RT-64
    tabs = open_tabs(chromium, busy.url, truth=False)
    opened = tabs.open_some(20)
    leader = tabs.leader()
    tabs.live()
    eventually(lambda: len(connections(busy)) == 1)
    eventually(lambda: tabs_of(leader)["tabs"] == 20)
    assert {console.page.evaluate("fetch('api/v1/jobs?limit=1').then((answer) => answer.status)") for console in opened} == {200}
    assert {console.diagnostics()["requests"]["limit"] for console in opened} == {5}
    tabs.check()


def test_a_few_tabs_share_in_every_engine(engine: Browser, moving: Server, open_tabs: Callable[..., Tabs]) -> None:
    # RT-60
    tabs = open_tabs(engine, moving.url)
    tabs.open_some(3)
    leader = tabs.leader()
    tabs.live()
    eventually(lambda: len(connections(moving)) == 1)
    leader.page.close()
    tabs.gone(leader)
    tabs.leader()
    tabs.live()
    eventually(lambda: len(connections(moving)) == 1)
    tabs.check()


def close(console: Console) -> None:
    console.page.close()


def crash(console: Console) -> None:
    with pytest.raises(Error):
        console.page.goto("chrome://crash", timeout=5_000)


def hide(console: Console) -> None:
    console.hide(True)


def freeze(console: Console) -> None:
    """As the browser freezes a tab in the background: the page is told. A headless browser freezes no page that it calls visible, so
    the event is sent, and the lock must be free when it returns."""
    console.page.evaluate("() => document.dispatchEvent(new Event('freeze'))")
    eventually(lambda: role(console) == "alone")


def stall(console: Console) -> None:
    """Busy: its main thread does something else for three seconds, without a word."""
    console.page.evaluate("() => { setTimeout(() => { const end = performance.now() + 3000; while (performance.now() < end); }, 0); }")


@pytest.mark.parametrize("way", [close, crash, hide, freeze, stall])
def test_when_the_leader_goes_another_leads_and_every_tab_is_live(
    chromium: Browser, moving: Server, open_tabs: Callable[..., Tabs], way: Callable[[Console], None]
) -> None:
    # RT-61
    tabs = open_tabs(chromium, moving.url)
    tabs.open_some(3)
    leader = tabs.leader()
    tabs.live()
    before = tabs_of(leader)["term"]
    tabs.gone(leader)
    way(leader)
    successor = tabs.leader()
    assert int(tabs_of(successor)["term"].partition(":")[0]) > int(before.partition(":")[0])
    tabs.live()
    eventually(lambda: len(connections(moving)) == 1)
    tabs.check()
    if way in (hide, freeze, stall):
        # It comes back, and follows.
        if way is hide:
            leader.hide(False)
        if way is freeze:
            leader.page.evaluate("() => document.dispatchEvent(new Event('resume'))")
        tabs.all.append(leader)
        tabs.leader()
        tabs.live()
        eventually(lambda: len(connections(moving)) == 1)
        assert role(leader) == "following"
        tabs.check()


def test_a_leader_in_the_back_forward_cache_holds_nothing_and_follows_when_it_is_back(
    playwright: Playwright, moving: Server, open_tabs: Callable[..., Tabs]
) -> None:
    # RT-53, RT-61
    browser = launch(playwright, "chromium", bfcache=True)
    try:
        tabs = open_tabs(browser, moving.url)
        tabs.open_some(2)
        leader = tabs.leader()
        tabs.live()
        tabs.gone(leader)
        leader.page.evaluate("() => { globalThis.kept = true; }")
        leader.page.goto("about:blank")
        tabs.leader()
        tabs.live()
        leader.page.go_back(wait_until="commit")  # what is kept does not load again
        leader.page.wait_for_selector("[data-panel]", timeout=60_000)
        tabs.all.append(leader)
        tabs.leader()
        tabs.live()
        eventually(lambda: len(connections(moving)) == 1)
        assert leader.page.evaluate("() => globalThis.kept === true"), "the page was not kept by the browser: the test proves nothing"
        tabs.check()
    finally:
        browser.close()


def test_at_a_part_a_server_all_tabs_together_hold_four_streams(
    chromium: Browser, open_tabs: Callable[..., Tabs], tmp_path: Path
) -> None:
    # RT-64
    arguments = ("--source", "sim", "--rate", "5", "--profile", "docker", "--contract", "a", "--requests-per-minute", "0")
    with running(*arguments, data=tmp_path) as server:
        tabs = open_tabs(chromium, server.url, truth=False)
        opened = tabs.open_some(3)
        leader = tabs.leader()
        tabs.live()
        eventually(lambda: len(connections(server)) == 4)
        # The overview wants five: what is left out polls, and says why.
        overview = opened[0]
        overview.page.wait_for_selector('[data-freshness="polling"][data-reason="budget"]', timeout=30_000)
        assert overview.page.evaluate("fetch('api/v1/jobs?limit=1').then((answer) => answer.status)") == 200
        tabs.gone(leader)
        leader.page.close()
        tabs.leader()
        tabs.live()
        assert len(connections(server)) <= 4
        tabs.check()


def storm(tabs: Tabs, seconds: float, seed: int) -> None:
    """Kill, hide, freeze, reload, navigate and open at random."""
    chance = random.Random(seed)
    end = time.monotonic() + seconds
    hidden: set[Console] = set()
    while time.monotonic() < end:
        console = chance.choice(tabs.all)
        match chance.randrange(6):
            case 0 if len(tabs.all) > 2:
                tabs.gone(console)
                hidden.discard(console)
                chance.choice((close, crash))(console)
                tabs.open(chance.choice(ROUTES))
            case 1:
                hidden ^= {console}
                console.hide(console in hidden)
            case 2:
                stall(console)
            case 3:
                console.page.reload()
                hidden.discard(console)
                console.page.wait_for_selector("[data-panel]", timeout=60_000)
            case _:
                console.page.evaluate("(route) => { location.hash = route; }", chance.choice(ROUTES))
        time.sleep(chance.random())
    for console in hidden:
        console.hide(False)


def test_a_storm_of_closing_hiding_stalling_and_navigating_ends_with_every_tab_live(
    chromium: Browser, open_tabs: Callable[..., Tabs], tmp_path: Path
) -> None:
    # RT-60, RT-61
    with running("--source", "sim", "--rate", "200", "--profile", "docker", "--requests-per-minute", "0", data=tmp_path) as server:
        tabs = open_tabs(chromium, server.url)
        tabs.open_some(4)
        tabs.leader()
        storm(tabs, 12, seed=1)
        tabs.leader()
        for console in tabs.all:
            console.page.evaluate("() => { location.hash = '#/jobs'; }")
        tabs.live(timeout_ms=60_000)
        eventually(lambda: len(connections(server)) == 1)
        tabs.check()


def test_two_hundred_tabs_that_come_and_go_leave_no_lock_and_no_stream(
    chromium: Browser, moving: Server, open_tabs: Callable[..., Tabs]
) -> None:
    """Light pages: locks and channel as the console has them, without Python: two hundred consoles are more than a machine holds."""
    # RT-53, RT-60
    tabs = open_tabs(chromium, moving.url)
    leader = tabs.open("#/jobs")
    tabs.leader()
    tabs.context.route(f"**/{LIGHT}", lambda route: route.fulfill(content_type="text/html", body="<!doctype html><title>light</title>"))
    group = leader.page.evaluate("async () => (await navigator.locks.query()).held[0].name")
    for begin in range(0, 200, 10):
        pages: list[Page] = []
        for number in range(begin, begin + 10):
            page = tabs.context.new_page()
            page.goto(f"{moving.url}{LIGHT}")
            page.evaluate(LIGHT_TAB, [group, f"light{number}"])
            pages.append(page)
        for page in pages:
            page.close()
    state = "async () => { const all = await navigator.locks.query(); return [all.held.length, all.pending.length]; }"
    eventually(lambda: leader.page.evaluate(state) == [1, 0])
    assert role(leader) == "leading"
    eventually(lambda: tabs_of(leader)["serving"] == 0)
    eventually(lambda: len(connections(moving)) == 1)
    tabs.live()
    tabs.check()


LIGHT_TAB = """([group, tab]) => new Promise((resolve) => {
    navigator.locks.request(group, () => new Promise(() => {})).catch(() => {});
    const channel = new BroadcastChannel(group);
    channel.onmessage = ({ data }) => {
        if (typeof data !== "string") return;
        const said = JSON.parse(data);
        if (said.say !== "beat") return;
        const streams = [["workers", [], ""]];
        channel.postMessage(JSON.stringify({ say: "want", from: tab, term: said.term, streams, ask: ["workers"] }));
        resolve();
    };
    channel.postMessage(JSON.stringify({ say: "who", from: tab }));
})"""


def test_where_sharing_is_off_each_tab_is_alone_and_says_so(chromium: Browser, moving: Server, open_tabs: Callable[..., Tabs]) -> None:
    # RT-63, RT-71
    tabs = open_tabs(chromium, moving.url)
    one, two = tabs.open_some(2)
    tabs.leader()
    two.page.evaluate("penstock.flags.set('tab_sharing', false)")
    eventually(lambda: role(two) == "alone")
    assert tabs_of(two)["reason"] == "sharing is switched off"
    two.until(ANY_LIVE)
    eventually(lambda: len(connections(moving)) == 2)
    two.page.evaluate("penstock.flags.set('tab_sharing', true)")
    eventually(lambda: sorted(tabs.roles()) == ["following", "leading"])
    tabs.live()
    eventually(lambda: len(connections(moving)) == 1)
    assert json.loads(one.page.evaluate("penstock.diagnostics()"))["tabs"]["tabs"] == 2
    tabs.check()
