"""A window of 10,000 jobs: how soon its first rows stand there, and whether it scrolls without a long task.

    python tests/bench/window_list.py [--rows 10000] [--runs 3]

The address of the window is set on a page that shows the live list; `first_rows` is the time until rows of the window are painted,
`whole` until the last page was read. Then the list is scrolled from its top to its end and back by the wheel, and in ten jumps. Every
task of the main thread is traced while that happens, and while the pages are read.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import NamedTuple

from playwright.sync_api import Browser, Page, sync_playwright

sys.path[:0] = [str(Path(__file__).resolve().parents[n] / name) for n, name in ((0, ""), (1, "e2e"), (2, ""))]

from browsers import launch  # noqa: E402
from console_at_work import open_console  # noqa: E402
from event_site import DIST, build_site, reference_server  # noqa: E402
from main_thread import Tasks, traced  # noqa: E402

HISTORY_H = 22
# From the address to the frame behind the first rows, by the page's own clock.
OPEN = """(hash) => new Promise((done) => {
  const began = performance.now();
  const look = () => {
    const row = document.querySelector("[data-panel=jobs][data-freshness=window] pen-viewport tbody tr:not(.spacer)");
    if (row) requestAnimationFrame(() => setTimeout(() => done(performance.now() - began)));
    else requestAnimationFrame(look);
  };
  location.hash = hash;
  look();
})"""
WHOLE = "() => document.querySelector('[data-panel=jobs] .count')?.innerText.includes('the whole range')"
WHEEL_PX, WHEELS, JUMPS = 1_200, 120, 10


def bounds(base: str, rows: int) -> tuple[str, str]:
    """The bounds of a window that ended a minute ago and has at least so many jobs.

    Raises:
        SystemExit: the simulator's history is too short.
    """
    before = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1)
    for hours in range(1, HISTORY_H + 1):
        after = before - timedelta(hours=hours)
        texts = [at.isoformat().replace("+00:00", "Z") for at in (after, before)]
        with urllib.request.urlopen(f"{base}api/v1/jobs/stats?after={texts[0]}&before={texts[1]}", timeout=30) as response:
            if json.load(response)["total"] >= rows:
                return texts[0], texts[1]
    raise SystemExit(f"The simulator has no {rows} jobs in {HISTORY_H} hours.")


def scroll(page: Page) -> None:
    """To the end by the wheel, back, and in jumps."""
    page.mouse.move(700, 500)
    for direction in (1, -1):
        for _ in range(WHEELS):
            page.mouse.wheel(0, direction * WHEEL_PX)
            page.wait_for_timeout(16)
    for jump in range(JUMPS):
        page.evaluate("(share) => scrollTo(0, share * document.documentElement.scrollHeight)", (jump * 7 % JUMPS) / JUMPS)
        page.wait_for_timeout(100)


class Run(NamedTuple):
    """One page: ms to the first rows and to the whole, how many there are, and the tasks of reading and of scrolling."""

    first_ms: float
    whole_ms: float
    rows: int
    reading: Tasks
    scrolling: Tasks


def run(browser: Browser, base: str, folder: Path, window: tuple[str, str]) -> Run:
    """Open a window, read it to its end and scroll it."""
    page = open_console(browser, f"{base}#/jobs")
    with traced(browser, page, folder) as reading:
        first = float(page.evaluate(OPEN, f"#/jobs?after={window[0]}&before={window[1]}"))
        began = page.evaluate("performance.now()")
        page.wait_for_function(WHOLE, timeout=120_000)
        whole = first + float(page.evaluate("performance.now()")) - began
    total = int(page.eval_on_selector("pen-viewport", "view => view.getAttribute('count')"))
    with traced(browser, page, folder) as scrolling:
        scroll(page)
    page.context.close()
    return Run(first, whole, total, reading, scrolling)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="A window of many rows.")
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    build_site()
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        folder = Path(temporary)
        with reference_server(DIST, 0, data=folder / "data") as base:
            window = bounds(base, options.rows)
            browser = launch(playwright, "chromium")
            runs = [run(browser, base, folder, window) for _ in range(options.runs)]
            browser.close()
    common = {"bench": "window_list", "rows": runs[0].rows, "runs": len(runs), "load": round(os.getloadavg()[0], 1)}
    first, whole = [round(one.first_ms) for one in runs], [round(one.whole_ms) for one in runs]
    print(json.dumps({**common, "figure": "first_rows", "unit": "ms", "value": median(first), "all": first, "least": 500}))
    print(json.dumps({**common, "figure": "whole", "unit": "ms", "value": median(whole), "all": whole}))
    for figure, found in (
        ("longest_task_reading", [one.reading for one in runs]),
        ("longest_task_scrolling", [one.scrolling for one in runs]),
    ):
        tasks = sorted(found, key=lambda tasks: tasks.clock[0])[len(runs) // 2]
        print(json.dumps({**common, "figure": figure, "unit": "ms", **tasks.figure(), "least": 50}))


if __name__ == "__main__":
    main()
