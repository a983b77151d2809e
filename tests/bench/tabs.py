"""Many tabs: what they cost with and without sharing, how long a takeover takes, and how far followers are behind their leader.

    python tests/bench/tabs.py [cost] [takeover] [freshness] [--tabs 1 5 20] [--seconds 6]

`cost`: tabs on different routes, with sharing and without, at 20 events a second. `connections`: those of streams, as the tabs count
them, and all that are established at the server. `requests`: calls that were answered, a minute. CPU and memory are of the pages'
processes. `plain_request`: how long a small request takes that one of the tabs sends, or nothing where it has no answer after 5 s.
Without sharing the streams of six tabs use up a browser's six connections to an origin, and no later tab loads: they are opened one
after the other until one has not loaded within 10 s, and `loaded` are those before it. With sharing all are opened at once.

`takeover`: three tabs; from the moment in which the leader goes until another tab says that it leads, and until all are live again.

`freshness`: 5 tabs at 200 events a second and 20 at 50. `beyond_leader`: the same frame at the leader's event source and in the
follower's channel, by the wall clock of one machine: what a follower is behind before the beat, which is the same on both sides.
`painted`: from the event at the server to the frame that shows it (`freshness.py`), for the leader and for its followers.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Error, Page, Playwright, sync_playwright

sys.path[:0] = [str(Path(__file__).resolve().parents[n] / name) for n, name in ((0, ""), (1, "e2e"), (2, ""))]

from browsers import launch  # noqa: E402
from console_at_work import HIDE  # noqa: E402
from event_flow import renderers  # noqa: E402
from event_site import DIST, build_site, reference_server  # noqa: E402
from freshness import WATCH, Wire, percentile  # noqa: E402
from many_tabs import PATIENCE_S, ROLE, open_tabs, open_together, renderers_memory, route, say, server_sockets  # noqa: E402

LIVE = "() => document.querySelector('[data-panel=jobs]')?.dataset.freshness === 'live'"
SETTLE_S = 4.0
HANG_S = 10.0
CONNECTIONS_OF_A_BROWSER = 6
SETTLED_S = 1.0
PATIENT_S = 30.0
SHARES = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
SIZES = ((5, 200), (20, 50))
CONNECTIONS = "() => JSON.parse(penstock.diagnostics()).transport.connections"
PLAIN_REQUEST = """async () => {
  const began = performance.now();
  try {
    await (await fetch("/api/v1/config", { cache: "no-store", signal: AbortSignal.timeout(5000) })).text();
  } catch {
    return null;
  }
  return performance.now() - began;
}"""
# Every frame that comes by an event source or by the channel, with the wall clock.
ARRIVALS = """(() => {
    globalThis.arrived = new Map();
    const now = () => performance.timeOrigin + performance.now();
    const note = (text) => {
        const id = /"id":"([^"]+)"/.exec(text)?.[1];
        if (id && text.startsWith('{"stream":"events"') && !arrived.has(id)) arrived.set(id, now());
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

# -- Cost --------------------------------------------------------------------------------------------------------------------


def cost(browser: Browser, base: str, count: int, seconds: float, *, sharing: bool) -> None:
    """So many tabs on different routes, for some seconds."""
    context = browser.new_context()
    session = browser.new_browser_cdp_session()
    answered: list[str] = []
    context.on("requestfinished", lambda request: answered.append(request.url))
    first = open_tabs(context, [base + route(0)])
    if not sharing:
        first[0].evaluate("penstock.flags.set('tab_sharing', false)")  # kept in the browser profile: later tabs have it, too
    addresses = [base + route(number) for number in range(1, count)]
    loaded = first + (open_tabs(context, addresses) if sharing else open_until_one_hangs(context, addresses))
    time.sleep(SETTLE_S)
    held = sum(page.evaluate(CONNECTIONS) for page in loaded)
    sockets = server_sockets(int(urlsplit(base).port or 80))
    answered.clear()
    before, begun = renderers(session), time.monotonic()
    loaded[0].wait_for_timeout(seconds * 1_000)
    took = time.monotonic() - begun
    cpu = (renderers(session) - before) / took * 100
    more: dict[str, Any] = {"tabs": count, "loaded": len(loaded), "sharing": sharing}
    say("connections", "count", held, **more, at_the_server=sockets)
    say("requests", "per minute", len(answered) * 60 / took, **more)
    say("cpu", "%", cpu, **more)
    say("memory", "MB", renderers_memory(session), **more)
    say("plain_request", "ms", loaded[0].evaluate(PLAIN_REQUEST), **more)
    context.close()


def open_until_one_hangs(context: BrowserContext, addresses: Sequence[str]) -> list[Page]:
    """One after the other, as a person opens them; after one that hangs every other would, too."""
    loaded: list[Page] = []
    for address in addresses:
        patience_s = PATIENCE_S if len(loaded) + 1 < CONNECTIONS_OF_A_BROWSER else HANG_S
        opened = open_tabs(context, [address], patience_s)
        if not opened:
            break
        loaded += opened
    return loaded


# -- Takeover ----------------------------------------------------------------------------------------------------------------


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


def takeover(browser: Browser, base: str, way: Callable[[Page], None]) -> None:
    """Three tabs, of which the leading one goes."""
    context = browser.new_context()
    pages = open_together(context, [f"{base}#/jobs"] * 3)
    wait(lambda: sorted(page.evaluate(ROLE) for page in pages) == ["following", "following", "leading"])
    wait(lambda: all(page.evaluate(LIVE) for page in pages))
    time.sleep(SETTLED_S)
    leader = next(page for page in pages if page.evaluate(ROLE) == "leading")
    others = [page for page in pages if page is not leader]
    begun = time.monotonic()
    way(leader)
    led = wait(lambda: any(page.evaluate(ROLE) == "leading" for page in others)) - begun
    live = wait(lambda: all(page.evaluate(LIVE) for page in others) and not any(page.evaluate(ROLE) == "waiting" for page in others))
    say("takeover", "ms", led * 1_000, way=way.__name__, live_ms=round((live - begun) * 1_000))
    context.close()


def wait(until: Callable[[], bool]) -> float:
    """Until it is so; the time when it was."""
    begun = time.monotonic()
    while not until():
        assert time.monotonic() - begun < PATIENT_S, f"it was not so within {PATIENT_S:g} s"
        time.sleep(0.005)
    return time.monotonic()


# -- Freshness ---------------------------------------------------------------------------------------------------------------


def freshness(browser: Browser, base: str, count: int, rate: int, seconds: float) -> None:
    """So many tabs on the jobs page, and every event that the leader and a follower both saw."""
    context = browser.new_context()
    context.add_init_script(ARRIVALS)
    wire = Wire(base)
    wire.start()
    pages = open_together(context, [f"{base}#/jobs"] * count)
    assert len(pages) == count, f"{len(pages)} of {count} tabs loaded"
    wait(lambda: all(page.evaluate(LIVE) for page in pages))
    time.sleep(SETTLE_S)
    for page in pages:
        page.evaluate(WATCH)
        page.evaluate("() => arrived.clear()")
    pages[0].wait_for_timeout(seconds * 1_000)
    roles = [page.evaluate(ROLE) for page in pages]
    assert sorted(roles) == ["following"] * (count - 1) + ["leading"], f"the tabs are {roles}"
    seen: list[dict[str, float]] = [dict(page.evaluate("() => [...arrived]")) for page in pages]
    painted: list[dict[str, float]] = [dict(page.evaluate("() => [...benchPainted].filter(([, at]) => at)")) for page in pages]
    context.close()
    unsaid = {pair for one in painted for pair in one} - wire.said
    assert not unsaid, f"{len(unsaid)} rows were painted that no event told of: {sorted(unsaid)[:3]}"
    leading = roles.index("leading")
    followers = [number for number in range(count) if number != leading]
    behind = sorted(at - seen[leading][frame] for n in followers for frame, at in seen[n].items() if frame in seen[leading])
    about: dict[str, Any] = {"tabs": count, "rate": rate}
    assert behind, "the followers saw nothing that their leader saw"
    for name, share in SHARES:
        aim = {(5, "p95"): (50, 20), (20, "p50"): (50, 20), (20, "p95"): (1_000, 500)}.get((count, name), (None, None))
        say(f"beyond_leader_{name}", "ms", percentile(behind, share), **about, frames=len(behind), least=aim[0], aim=aim[1])
    ages = [sorted(_ages(painted[leading], wire)), sorted(age for number in followers for age in _ages(painted[number], wire))]
    for name, share in SHARES:
        ours, theirs = (percentile(values, share) for values in ages)
        say(f"painted_{name}", "ms", theirs, **about, leader=round(ours), beyond=round(theirs - ours), rows=len(ages[1]))


def _ages(painted: dict[str, float], wire: Wire) -> list[float]:
    return [at - wire.happened[pair] for pair, at in painted.items() if pair in wire.happened]


# -- All -----------------------------------------------------------------------------------------------------------------------


@contextmanager
def at_work(playwright: Playwright, rate: int) -> Generator[tuple[Browser, str]]:
    """A browser and a server of their own."""
    with tempfile.TemporaryDirectory() as folder, reference_server(DIST, rate, data=Path(folder)) as base:
        browser = launch(playwright, "chromium")
        try:
            yield browser, base
        finally:
            browser.close()


WHAT = ("cost", "takeover", "freshness")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Many tabs.")
    parser.add_argument("what", nargs="*", metavar="what", help=f"any of {', '.join(WHAT)}; all of them without")
    parser.add_argument("--tabs", nargs="*", type=int, default=[1, 5, 20])
    parser.add_argument("--seconds", type=float, default=6)
    options = parser.parse_args()
    unknown = [one for one in options.what if one not in WHAT]
    if unknown:
        parser.error(f"there is no measurement {unknown[0]!r}: choose from {', '.join(WHAT)}")
    build_site()
    with sync_playwright() as playwright:
        for what in options.what or WHAT:
            if what == "cost":
                for count, sharing in product(options.tabs, (True, False)):
                    with at_work(playwright, 20) as (browser, base):
                        cost(browser, base, count, options.seconds, sharing=sharing)
            elif what == "takeover":
                with at_work(playwright, 20) as (browser, base):
                    for way in WAYS:
                        takeover(browser, base, way)
            else:
                for count, rate in SIZES:
                    with at_work(playwright, rate) as (browser, base):
                        freshness(browser, base, count, rate, options.seconds)


if __name__ == "__main__":
    main()
