"""One class of endpoints fails, and nothing else of the console changes (RT-65, RT-66): asked of the page and of its requests."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from itertools import pairwise
from typing import Any

import pytest
from conftest import Console, Server, running
from engine_lab import CLOCK_MS, TIMES, wait_until
from playwright.sync_api import Browser

FAILING = "/api/v1/dashboard/stats"
"""Polled by design every quarter of a second on this profile, so its failures are quick; the panel `queue` shows it."""
OTHERS = ("activity-jobs", "activity-apis")
"""Panels whose data is of other classes."""
WATCH = """() => {
    const fetched = (globalThis.__fetched = []);
    const ask = globalThis.fetch;
    globalThis.fetch = (input, options) => {
        fetched.push([performance.now(), new URL(input.url ?? input, location.href).pathname]);
        return ask(input, options);
    };
    const said = (globalThis.__said = {});
    const look = () => {
        for (const panel of document.querySelectorAll("[data-panel]")) {
            const mark = `${panel.dataset.freshness} ${panel.dataset.reason}`;
            const marks = (said[panel.dataset.panel] ??= []);
            if (marks.at(-1) !== mark) marks.push(mark);
        }
    };
    look();
    new MutationObserver(look).observe(document.body, {
        subtree: true, attributes: true, attributeFilter: ["data-freshness", "data-reason"],
    });
}"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    with running("--source", "sim", "--rate", "10", "--profile", "test", data=tmp_path_factory.mktemp("cascade")) as found:
        yield found


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"fault": "503"}, id="503"),
        pytest.param({"fault": "garble"}, id="garbage"),
        pytest.param({"fault": "delay", "ms": 20_000}, id="hanging"),
    ],
)
def test_one_class_that_fails_leaves_the_others_as_they_were(
    chromium: Browser, server: Server, open_console: Callable[..., Console], fault: Mapping[str, object]
) -> None:
    # RT-65, RT-66, RT-84
    console = open_console(chromium, server.url)
    for panel in OTHERS:
        console.fresh(panel, "live")
    console.fresh("queue", "polling")
    console.page.evaluate(WATCH)
    server.post("__faults__", {**fault, "prefix": FAILING})
    try:
        if fault["fault"] == "delay":
            # A request takes as long as its time-out allows, ten seconds; whoever waits for it holds nobody up.
            console.page.wait_for_timeout(4_000)
        else:
            console.fresh("queue", "error")
            wait_until(lambda: console.page.get_attribute(console.panel("queue"), "data-reason") == "breaker", timeout_s=30)
            console.page.evaluate("globalThis.__broken = performance.now()")
            console.page.wait_for_timeout(3 * TIMES.breaker_open_ms)
        fetched: list[list[Any]] = console.page.evaluate("__fetched")
        said: dict[str, list[str]] = console.page.evaluate("__said")
        broken = float(console.page.evaluate("globalThis.__broken ?? 0"))
    finally:
        server.post("__faults__", {"fault": "clear"})
    for panel in OTHERS:
        assert all(mark.startswith("live ") or mark in ("stale old", "stale catching-up") for mark in said[panel]), said[panel]
        assert console.page.get_attribute(console.panel(panel), "data-freshness") == "live"
    own = [at for at, path in fetched if path == FAILING]
    if broken:
        probes = [at for at in own if at > broken]
        assert len(probes) <= 4, "more than one probe in each time of the breaker"
        assert all(b - a >= TIMES.breaker_open_ms - CLOCK_MS for a, b in pairwise(probes)), probes
    else:
        assert len(own) <= 2, "one request hangs, and no more are sent after it"
    console.fresh("queue", "polling")
    assert console.diagnostics()["errors"] == []
