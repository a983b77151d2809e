"""The real console on the reference server: what it costs at rest, and whether it answers while 2,000 events a second flow.

    python tests/bench/console_at_work.py [idle] [responsiveness] [--seconds 60]

`idle`: CPU of the page's process, and its requests, over a minute without events; then hidden past its grace, over a third of that. A
headless browser cannot hide a page, so `document.visibilityState` is replaced and the event is sent.

`responsiveness`: on the jobs page a user types into the search while events flow; every task of the main thread is traced, and the
longest is told by the clock (on a busy machine that counts what others took) and by the CPU time that the task itself had.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

sys.path[:0] = [str(Path(__file__).resolve().parents[n] / name) for n, name in ((0, ""), (1, "e2e"), (2, ""))]

from browsers import launch  # noqa: E402
from event_flow import renderers  # noqa: E402
from event_site import DIST, build_site, reference_server  # noqa: E402
from main_thread import traced  # noqa: E402

HIDE = """() => {
  Object.defineProperty(document, "visibilityState", { get: () => "hidden", configurable: true });
  Object.defineProperty(document, "hidden", { get: () => true, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
LIVE = "() => document.querySelector('[data-panel][data-freshness=live] tbody tr')"
GRACE_S = 12
SETTLE_S = 60
TYPED = "order payment reindex thumbnail daily report "


def open_console(browser: Browser, address: str) -> Page:
    """The console with live rows."""
    page = browser.new_context().new_page()
    page.goto(address)
    page.wait_for_function(LIVE, timeout=60_000)
    page.wait_for_timeout(5_000)
    return page


def idle(browser: Browser, base: str, seconds: float) -> None:
    """CPU and requests of a page where nothing happens."""
    page = open_console(browser, base)
    # Quiet is a page on which nothing is younger than a minute: until then ages tick in seconds.
    page.wait_for_timeout(SETTLE_S * 1_000)
    session = browser.new_browser_cdp_session()
    for name, span_s, least, aim in (("visible", seconds, 1.0, 0.3), ("hidden", seconds / 3, 1.0, 0.3)):
        if name == "hidden":
            page.evaluate(HIDE)
            page.wait_for_timeout(GRACE_S * 1_000)
        asked: list[str] = []

        def note(request: Any, asked: list[str] = asked) -> None:
            asked.append(request.url)

        page.on("request", note)
        before = renderers(session)
        page.wait_for_timeout(span_s * 1_000)
        percent = (renderers(session) - before) / span_s * 100
        page.remove_listener("request", note)
        figure = {"bench": "idle", "figure": name, "unit": "%", "value": round(percent, 2), "requests": len(asked), "seconds": span_s}
        print(json.dumps({**figure, "least": least, "aim": aim, "load": round(os.getloadavg()[0], 1)}))
        if asked:
            print(f"{name}: {sorted({url.rpartition('/api/v1/')[2] for url in asked})}", file=sys.stderr)
    page.context.close()


def responsiveness(browser: Browser, base: str, folder: Path) -> None:
    """The longest task of the main thread while a user types."""
    page = open_console(browser, f"{base}#/jobs")
    field = page.get_by_role("searchbox")
    field.fill("")
    with traced(browser, page, folder) as tasks:
        field.press_sequentially(TYPED, delay=150)
        for _ in TYPED:
            field.press("Backspace")
            time.sleep(0.1)
    page.context.close()
    figure = {"bench": "responsiveness", "figure": "longest_task", "unit": "ms", **tasks.figure(), "least": 50, "aim": 20}
    print(json.dumps({**figure, "rate": 2_000, "load": round(os.getloadavg()[0], 1)}))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="The console at rest and under load.")
    parser.add_argument("what", nargs="*", default=["idle", "responsiveness"], choices=["idle", "responsiveness"])
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    build_site()
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        folder = Path(temporary)
        for what in options.what:
            with reference_server(DIST, 0 if what == "idle" else 2_000, data=folder / what) as base:
                browser = launch(playwright, "chromium")
                if what == "idle":
                    idle(browser, base, options.seconds)
                else:
                    responsiveness(browser, base, folder)
                browser.close()


if __name__ == "__main__":
    main()
