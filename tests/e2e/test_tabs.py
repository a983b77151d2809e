"""Many tabs in a real browser (RT-60 to RT-64): one connection for all, whoever leads goes, and the next one leads.

Twenty consoles on one small machine are close to what it can carry, so the twenty run on the profile `docker`, whose intervals are
those of real life; `test` divides them by twenty, which would be four hundred consoles' requests. Takeovers run on `test` with a few
tabs, and the truth sampler (RT-84) in each of them.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from browsers import launch, new_context
from conftest import Server, running
from playwright.sync_api import Browser, BrowserContext, Error, Page, Playwright
from tabs_lab import ANY_LIVE, Storm, Tabs, close, connections, crash, eventually, freeze, hide, role, show, stall, tabs_of, thaw

LIGHT = "light.html"


@pytest.fixture
def open_tabs() -> Generator[Callable[..., Tabs]]:
    """Contexts with tabs in them, closed at the end."""
    contexts: list[BrowserContext] = []

    def open_one(browser: Browser, url: str, *, truth: bool = True) -> Tabs:
        context = new_context(browser, viewport={"width": 640, "height": 480})
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


def test_tabs_that_are_opened_at_once_in_a_new_profile_are_one_group(
    chromium: Browser, busy: Server, open_tabs: Callable[..., Tabs]
) -> None:
    # RT-60: a browser that restores its tabs
    tabs = open_tabs(chromium, busy.url)
    tabs.open_some(4, at_once=4)
    tabs.leader()
    tabs.live()
    eventually(lambda: len(connections(busy)) == 1)
    tabs.check()


def test_whichever_way_the_leader_goes_another_leads_and_every_tab_is_live(
    chromium: Browser, moving: Server, open_tabs: Callable[..., Tabs]
) -> None:
    # RT-61
    tabs = open_tabs(chromium, moving.url)
    tabs.open_some(4, at_once=2)
    for way, back in ((hide, show), (freeze, thaw), (stall, None), (close, None), (crash, None)):
        leader = tabs.leader()
        tabs.live()
        before = tabs_of(leader)["term"]
        tabs.gone(leader)
        way(leader)
        successor = tabs.leader()
        assert int(tabs_of(successor)["term"].partition(":")[0]) > int(before.partition(":")[0]), way.__name__
        tabs.live()
        eventually(lambda: len(connections(moving)) == 1)
        if way in (close, crash):
            continue
        # It comes back, and follows.
        if back is not None:
            back(leader)
        tabs.all.append(leader)
        tabs.leader()
        tabs.live()
        eventually(lambda: len(connections(moving)) == 1)
        assert role(leader) == "following", way.__name__
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


def test_a_storm_of_closing_hiding_freezing_and_navigating_ends_with_every_tab_live(
    playwright: Playwright, open_tabs: Callable[..., Tabs], tmp_path: Path
) -> None:
    """Twelve seconds of it; a minute is `python -m tests.soak storm`."""
    # RT-60, RT-61
    browser = launch(playwright, "chromium", bfcache=True)
    try:
        with running("--source", "sim", "--rate", "200", "--profile", "docker", "--requests-per-minute", "0", data=tmp_path) as server:
            tabs = open_tabs(browser, server.url)
            tabs.open_some(4)
            tabs.leader()
            Storm(tabs, seed=1).run(12)
            tabs.settle(server)
    finally:
        browser.close()


def test_without_sharing_the_seventh_tab_hangs_on_http1(chromium: Browser, busy: Server, open_tabs: Callable[..., Tabs]) -> None:
    """Why tabs share: what the twenty of above do on one connection, seven cannot do on their own. Each holds one of the browser's six
    connections to the origin for good, and after that not even a page is answered."""
    # RT-64
    tabs = open_tabs(chromium, busy.url, truth=False)
    tabs.context.add_init_script("try { localStorage.setItem('penstock.flags', '{\"tab_sharing\": false}'); } catch {}")
    opened = tabs.open_some(6)
    eventually(lambda: len(connections(busy)) == 6)
    live = [console for console in opened if console.page.evaluate(f"({ANY_LIVE})() !== null")]
    assert tabs_of(live[-1])["reason"] == "sharing is switched off"
    answered = """() => Promise.race([
        fetch('api/v1/jobs?limit=1').then((answer) => answer.status),
        new Promise((resolve) => setTimeout(() => resolve('no answer'), 3000)),
    ])"""
    assert opened[-1].page.evaluate(answered) == "no answer"
    seventh = tabs.context.new_page()
    with pytest.raises(Error, match="Timeout"):
        seventh.goto(busy.url, timeout=3_000)
    assert len(live) < 7
    # One tab less, and the next one is answered: nothing else was wrong.
    tabs.gone(opened[0])
    opened[0].page.close()
    eventually(lambda: opened[-1].page.evaluate(answered) == 200)


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
    opener = tabs.context.new_page()
    opener.goto(f"{moving.url}{LIGHT}")
    for begin in range(0, 200, 10):
        pages: list[Page] = []
        for number in range(begin, begin + 10):
            with opener.expect_popup() as opened:
                opener.evaluate("(light) => { open(light); }", LIGHT)
            opened.value.wait_for_url(f"**/{LIGHT}")
            opened.value.evaluate(LIGHT_TAB, [group, f"light{number}"])
            pages.append(opened.value)
        for page in pages:
            page.close()
    opener.close()
    state = "async () => { const all = await navigator.locks.query(); return [all.held.length, all.pending.length]; }"
    eventually(lambda: leader.page.evaluate(state) == [1, 0])
    assert role(leader) == "leading"
    eventually(lambda: tabs_of(leader)["forwarded"] == [])
    # What only they wanted is closed at the server, and one socket is left of all.
    eventually(lambda: "workers" not in moving.streams() and moving.get("__streams__")["sockets"] == 1)
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
    eventually(lambda: tabs_of(one)["tabs"] == 2)  # it says what it wants with the leader's next beat
    tabs.check()
