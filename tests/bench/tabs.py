"""Many tabs: what they cost with and without sharing, how long a takeover takes, and how far followers are behind their leader.

    python tests/bench/tabs.py [cost] [takeover] [freshness] [--tabs 1 5 20] [--seconds 20]

`cost`: connections at the server, requests a minute, CPU and memory of the pages' processes. Without sharing a browser's six
connections to an origin are used up by the sixth tab, and no later one loads: so many that loaded in time are told as `loaded`.

`takeover`: from the moment in which the leader goes until another tab says that it leads, and until every tab is live again.

`freshness`: the same frame at the leader's event source and in the follower's channel, by the wall clock of one machine. Beats are the
same on both sides, so this is what a follower is behind.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Error, Page, sync_playwright

sys.path[:0] = [str(Path(__file__).resolve().parents[n] / name) for n, name in ((0, ""), (1, "e2e"), (2, ""))]

from browsers import launch  # noqa: E402
from console_at_work import HIDE  # noqa: E402
from event_flow import renderers  # noqa: E402
from event_site import DIST, build_site, reference_server  # noqa: E402

ROUTES = ("#/", "#/jobs", "#/jobs?status=failed", "#/jobs?status=active", "#/jobs?status=complete")
PANELS = "() => document.querySelector('[data-panel]')"
ROLE = "() => JSON.parse(penstock.diagnostics()).tabs.role"
LOAD_MS = 60_000
STREAM_REQUESTS = "/stream"
# Every frame that comes by an event source or by the channel, with the wall clock.
ARRIVALS = """(() => {
    globalThis.arrived = new Map();
    const at = () => performance.timeOrigin + performance.now();
    const note = (text) => {
        const id = /"id":"([^"]+)"/.exec(text)?.[1];
        if (id && text.startsWith('{"stream":"events"') && !arrived.has(id)) arrived.set(id, at());
    };
    const Native = EventSource;
    globalThis.EventSource = class extends Native {
        constructor(...options) {
            super(...options);
            this.addEventListener("message", (event) => note(event.data));
        }
    };
    const Channel = BroadcastChannel;
    globalThis.BroadcastChannel = class extends Channel {
        constructor(name) {
            super(name);
            this.addEventListener("message", ({ data }) => Array.isArray(data) && note(data[5]));
        }
    };
})()"""


def say(figure: str, unit: str, value: float | None, **more: Any) -> None:
    """One figure as a line."""
    told = {"bench": "tabs", "figure": figure, "unit": unit, "value": value if value is None else round(value, 2)}
    print(json.dumps({**told, **more, "load": round(os.getloadavg()[0], 1)}), flush=True)


def open_tab(context: BrowserContext, address: str, *, sharing: bool = True) -> Page | None:
    """One console, or nothing where it does not load in time."""
    page = context.new_page()
    try:
        page.goto(address, timeout=LOAD_MS, wait_until="commit")
        page.wait_for_selector("[data-panel]", timeout=LOAD_MS)
    except Error:
        page.close()
        return None
    if not sharing:
        page.evaluate("penstock.flags.set('tab_sharing', false)")  # kept in the browser profile: later tabs have it, too
    return page


def memory(session: Any) -> float:
    """MB that the pages' processes hold for themselves."""
    found = session.send("SystemInfo.getProcessInfo")["processInfo"]
    total = 0
    for process in found:
        if process["type"] == "renderer":
            fields = Path(f"/proc/{process['id']}/statm").read_text(encoding="ascii").split()
            total += int(fields[1]) - int(fields[2])
    return total * os.sysconf("SC_PAGE_SIZE") / 1e6


def cost(browser: Browser, base: str, count: int, seconds: float, *, sharing: bool) -> None:
    """So many tabs on different routes, for some seconds."""
    context = browser.new_context()
    session = browser.new_browser_cdp_session()
    requests: list[str] = []
    streams: set[str] = set()

    def note(request: Any) -> None:
        (streams.add if STREAM_REQUESTS in request.url else requests.append)(request.url)

    context.on("request", note)
    pages = [open_tab(context, base + ROUTES[number % len(ROUTES)], sharing=sharing) for number in range(count)]
    loaded = [page for page in pages if page is not None]
    time.sleep(5)
    held = sum(page.evaluate("() => JSON.parse(penstock.diagnostics()).transport.connections") for page in loaded)
    requests.clear()
    before, begun = renderers(session), time.monotonic()
    time.sleep(seconds)
    took = time.monotonic() - begun
    more = {"tabs": count, "loaded": len(loaded), "sharing": sharing}
    say("connections", "count", held, **more)
    say("requests", "per minute", len(requests) * 60 / took, **more)
    say("cpu", "%", (renderers(session) - before) / took * 100, **more)
    say("memory", "MB", memory(session), **more)
    context.close()


def close(page: Page) -> None:
    page.close()


def crash(page: Page) -> None:
    with suppress(Error):
        page.goto("chrome://crash", timeout=2_000)


def hide(page: Page) -> None:
    page.evaluate(HIDE)


def freeze(page: Page) -> None:
    page.evaluate("() => document.dispatchEvent(new Event('freeze'))")


def stall(page: Page) -> None:
    page.evaluate("() => { setTimeout(() => { const end = performance.now() + 4000; while (performance.now() < end); }, 0); }")


WAYS: tuple[Callable[[Page], None], ...] = (close, crash, hide, freeze, stall)
LIVE = "() => document.querySelector('[data-panel=jobs]')?.dataset.freshness === 'live'"


def takeover(browser: Browser, base: str, way: Callable[[Page], None]) -> None:
    """Three tabs, of which the leading one goes."""
    context = browser.new_context()
    pages = [page for page in (open_tab(context, f"{base}#/jobs") for _ in range(3)) if page is not None]
    time.sleep(3)
    leader = next(page for page in pages if page.evaluate(ROLE) == "leading")
    others = [page for page in pages if page is not leader]
    begun = time.monotonic()
    way(leader)
    while not any(page.evaluate(ROLE) == "leading" for page in others):
        time.sleep(0.005)
    led = time.monotonic() - begun
    while not all(page.evaluate(LIVE) for page in others) or sum(page.evaluate(ROLE) == "waiting" for page in others):
        time.sleep(0.005)
    say("takeover", "ms", led * 1_000, way=way.__name__, live_ms=round((time.monotonic() - begun) * 1_000))
    context.close()


def freshness(browser: Browser, base: str, seconds: float) -> None:
    """Five tabs, and every event that all of them saw."""
    context = browser.new_context()
    context.add_init_script(ARRIVALS)
    pages = [page for page in (open_tab(context, f"{base}#/jobs") for _ in range(5)) if page is not None]
    time.sleep(3)
    for page in pages:
        page.evaluate("() => arrived.clear()")
    time.sleep(seconds)
    roles = [page.evaluate(ROLE) for page in pages]
    seen: list[dict[str, float]] = [dict(page.evaluate("() => [...arrived]")) for page in pages]
    leading = seen[roles.index("leading")]
    behind = sorted(
        at - leading[frame]
        for role, arrivals in zip(roles, seen, strict=True)
        if role == "following"
        for frame, at in arrivals.items()
        if frame in leading
    )
    for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
        value = behind[int(len(behind) * share)] if behind else None
        say(f"beyond_leader_{name}", "ms", value, tabs=len(pages), frames=len(behind), aim=20 if name == "p95" else None)
    context.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Many tabs.")
    parser.add_argument("what", nargs="*", default=["cost", "takeover", "freshness"], choices=["cost", "takeover", "freshness"])
    parser.add_argument("--tabs", nargs="*", type=int, default=[1, 5, 20])
    parser.add_argument("--seconds", type=float, default=20)
    options = parser.parse_args()
    build_site()
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        for what in options.what:
            rate = 200 if what == "freshness" else 20
            with reference_server(DIST, rate, data=Path(temporary) / what) as base:
                browser = launch(playwright, "chromium")
                if what == "cost":
                    for count in options.tabs:
                        for sharing in (True, False):
                            cost(browser, base, count, options.seconds, sharing=sharing)
                elif what == "takeover":
                    for way in WAYS:
                        takeover(browser, base, way)
                else:
                    freshness(browser, base, options.seconds)
                browser.close()


if __name__ == "__main__":
    main()
