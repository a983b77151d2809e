"""What a flow of events costs the page, against React and against a listener that does nothing.

    python tests/bench/event_flow.py [--rounds 3] [--events 20000] [--rate 2000] [--where]

20,000 job events at 2,000 a second reach a live table of the 50 newest jobs, once per variant and round, each in a browser that was
started for it and was warmed up with 2,000 events. A figure is the CPU time of the page's process (every renderer of that browser)
from the first event until half a second after the last, less that of the page that only counts (`no-op`) in the same round; ratios are
of the medians. After each run the rows on the screen must be those that the server says are right, cell for cell; a variant that lost
one is an error and no figure. React per frame and per event, which nobody would ship, run in the first round only. With `--where` one
more run of ours tells where the time of a beat goes.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import ConsoleMessage, Page, Playwright, sync_playwright

sys.path[:0] = [str(Path(__file__).resolve().parents[n] / name) for n, name in ((0, ""), (1, "e2e"), (2, ""))]

from browsers import launch  # noqa: E402
from event_site import emitter, state_of, write_site  # noqa: E402

from pyapp.pages import formats  # noqa: E402

WARM_UP = 2_000
SETTLE_S = 0.5
LATE_S = 10.0
VARIANTS = {
    "no-op": "noop/",
    "penstock": "console/",
    "react_100ms": "react/?batch=100",
    "react_frame": "react/?batch=frame",
    "react_event": "react/?batch=event",
}
ONCE = ("react_frame", "react_event")
"""Shown for comparison, and so far from the others that one run tells."""
ROWS = """() => [...document.querySelectorAll("tbody tr")].map((row) =>
  [...row.cells].slice(0, 6).map((cell) => cell.querySelector("pen-age") ? "running" : cell.textContent.trim()))"""
STATUS = {"active": "Active", "complete": "Complete", "failed": "Failed"}


def right_rows(rows: Sequence[dict[str, Any]]) -> list[list[str]]:
    """The cells that a table must show, but for the age."""
    return [
        [STATUS[row["status"]], row["function"].rpartition(".")[2], row["id"], "1/4", row["worker_id"], _duration(row)] for row in rows
    ]


def _duration(row: dict[str, Any]) -> str:
    if row["status"] == "active":
        return f"{int(row['progress'] * 100)}%" if row["progress"] else "running"
    return "".join(formats.duration(row["duration_ms"]))


def wait_done(base: str) -> dict[str, Any]:
    """Until the emitter has sent everything; its state then."""
    while not (state := state_of(base))["done"]:
        time.sleep(0.1)
    return state


def flow(page: Page, base: str, count: int, rate: float) -> dict[str, Any]:
    """Let `count` events flow and settle; the emitter's state at the end."""
    page.evaluate("([count, rate]) => fetch(`/bench/go?count=${count}&rate=${rate}`, { method: 'POST' })", [count, rate])
    time.sleep(0.05)
    state = wait_done(base)
    until = time.monotonic() + LATE_S
    # A page that waits for animation frames may be behind on a busy machine; ours counts by itself, and is asked afterwards.
    while time.monotonic() < until and (page.evaluate("() => globalThis.benchApplied") or state["sent"]) < state["sent"]:
        time.sleep(0.1)
    time.sleep(SETTLE_S)
    return state


def tell_errors(message: ConsoleMessage) -> None:
    """What a page complains of; the emitter knows one list only, and what the boot asks besides is not found."""
    if message.type == "error" and "404" not in message.text:
        print(message.text[:600], file=sys.stderr)


def renderers(session: Any) -> float:
    """CPU seconds of all page processes of a browser."""
    found = session.send("SystemInfo.getProcessInfo")["processInfo"]
    return sum(process["cpuTime"] for process in found if process["type"] == "renderer")


PARTS = ("ScriptDuration", "LayoutDuration", "RecalcStyleDuration", "TaskDuration", "LayoutCount", "RecalcStyleCount")


def parts(page: Page) -> Any:
    """The main thread's time so far by kind, as the browser counts it; what is called gives what has been spent since."""
    session: Any = page.context.new_cdp_session(page)
    session.send("Performance.enable")

    def now() -> dict[str, float]:
        return {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}

    before = now()
    return lambda: {name: round(now()[name] - before[name], 3) for name in PARTS}


def measure(playwright: Playwright, site: Path, variant: str, options: argparse.Namespace, query: str = "") -> dict[str, Any]:
    """One run of one variant."""
    with emitter(site, WARM_UP + options.events) as base:
        browser = launch(playwright, "chromium")
        try:
            page = browser.new_context().new_page()
            page.on("console", tell_errors)
            page.goto(base + VARIANTS[variant] + query)
            page.wait_for_function("() => globalThis.benchReady", timeout=60_000)
            session = browser.new_browser_cdp_session()
            flow(page, base, WARM_UP, options.rate)
            time.sleep(0.5)
            before = renderers(session)
            spent: dict[str, float] = json.loads(page.evaluate("() => benchStatistics()"))["spent_ms"] if variant == "penstock" else {}
            main_thread = parts(page) if options.where else dict
            state = flow(page, base, options.events, options.rate)
            cpu = renderers(session) - before
            found: dict[str, Any] = {"cpu_s": round(cpu, 2), "took_s": round(state["took_s"], 2), "main_thread": main_thread()}
            if variant == "penstock":
                found |= json.loads(page.evaluate("() => benchStatistics()"))
                found["spent_ms"] = {name: round(ms - spent[name], 1) for name, ms in found["spent_ms"].items()}
                handled = found["inbox"]["applied"] + found["inbox"]["coalesced"]
                assert handled == WARM_UP + options.events, f"penstock: not every event was applied: {found}"
                assert not found["errors"], found["errors"]
            else:
                applied = page.evaluate("() => benchApplied")
                assert applied == WARM_UP + options.events, f"{variant}: {applied} events arrived"
            if variant != "no-op":
                shown, right = page.evaluate(ROWS), right_rows(state_of(base)["rows"])
                wrong = [(a, b) for a, b in zip(shown, right, strict=False) if a != b]
                assert shown == right, f"{variant} shows {len(shown)} rows, wrong ones (shown, right): {wrong[:3]}"
            return found
        finally:
            browser.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Page CPU under a flow of events, against React.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--rate", type=float, default=2_000)
    parser.add_argument("--where", action="store_true", help="one run of each, and where its time goes")
    parser.add_argument("--variants", nargs="+", default=list(VARIANTS), choices=VARIANTS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        site = Path(temporary) / "site"
        site.mkdir()
        write_site(site, rivals=True)
        if options.where:
            for name in options.variants:
                found = measure(playwright, site, name, options, "?where" if name == "penstock" else "")
                print(json.dumps({"bench": "events", "figure": "where", "variant": name, **found}))
            return
        rounds: list[dict[str, float]] = []
        load: list[float] = []
        per_event: list[float] = []
        for number in range(options.rounds):
            names = [name for name in options.variants if number == 0 or name not in ONCE]
            names = names if number % 2 == 0 else names[::-1]
            runs = {name: measure(playwright, site, name, options) for name in names}
            rounds.append({name: run["cpu_s"] for name, run in runs.items()})
            load.append(round(os.getloadavg()[0], 1))
            if "penstock" in runs:
                spent = runs["penstock"]["spent_ms"]
                per_event.append((spent["collect"] + spent["deliver"]) / options.events * 1_000)
            print(f"round {number + 1}: {rounds[-1]} {runs.get('penstock')}", file=sys.stderr)
    if per_event:
        figure = {"bench": "events", "figure": "frame_to_cache", "python": "in the browser", "unit": "us", "events": options.events}
        print(json.dumps({**figure, "median": round(statistics.median(per_event), 1), "all": [round(one, 1) for one in per_event]}))
    about = {"bench": "events", "events": options.events, "rate": options.rate, "rounds": options.rounds, "load": load}
    above: dict[str, float] = {}
    for name in options.variants:
        cpu = [one[name] for one in rounds if name in one]
        figure = {"figure": name, "unit": "s", "cpu_s": round(statistics.median(cpu), 2), "all": [round(value, 2) for value in cpu]}
        if name != "no-op" and "no-op" in options.variants:
            above[name] = statistics.median(one[name] - one["no-op"] for one in rounds if name in one)
            figure["above_no_op_s"] = round(above[name], 2)
        print(json.dumps({**about, **figure}))
    for rival, least, aim in (("react_100ms", 1.0, 0.5), ("react_frame", None, None), ("react_event", None, None)):
        if rival in above and "penstock" in above:
            ratio = round(above["penstock"] / above[rival], 3)
            print(json.dumps({**about, "figure": f"penstock_to_{rival}", "unit": "ratio", "value": ratio, "least": least, "aim": aim}))


if __name__ == "__main__":
    main()
