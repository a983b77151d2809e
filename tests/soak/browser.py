"""A person at the real console for some minutes: routes, windows, live toggles, other tabs in front, and a server with faults.

At the end, and all along: the truth invariant was never broken (RT-84), nothing was raised, the streams are those of one route, the
memory has not grown past its bounds since the warm-up, and what the page shows equals the server.
"""

from __future__ import annotations

import json
import random
import tempfile
import time
from pathlib import Path
from typing import Any

from browsers import launch, new_context
from conftest import TRUTH, Console, Server, running
from playwright.sync_api import sync_playwright

WARM_UP_S = 30
GROWTH = 1.05
"""How much the heaps may have grown since the warm-up (quality.md)."""
SETTLED_MS = 60_000
FAULTS: tuple[dict[str, object], ...] = (
    {"fault": "drop", "prefix": "/api/v1/", "count": 1},
    {"fault": "stall", "prefix": "/api/v1/", "seconds": 2},
    {"fault": "unavailable", "prefix": "/api/v1/jobs", "seconds": 2},
)
ROUTES = ("#/", "#/jobs", "#/jobs?status=failed")


def _heaps(console: Console) -> dict[str, float]:
    """The two heaps in MB, after collecting: Python's, and JavaScript's."""
    session: Any = console.page.context.new_cdp_session(console.page)
    session.send("HeapProfiler.collectGarbage")
    session.send("Performance.enable")
    metrics = {row["name"]: row["value"] for row in session.send("Performance.getMetrics")["metrics"]}
    session.detach()
    wasm = console.page.evaluate("penstockHost.python._module.HEAPU8.length")
    return {"wasm_mb": round(wasm / 1e6, 1), "js_mb": round(metrics["JSHeapUsedSize"] / 1e6, 1), "nodes": metrics["Nodes"]}


def _act(console: Console, server: Server, chance: random.Random) -> str:
    """One thing that happens."""
    kind = chance.choice(("route", "route", "route", "live", "hide", "fault", "rest"))
    match kind:
        case "route":
            console.page.evaluate("(hash) => { location.hash = hash }", chance.choice(ROUTES))
        case "live":
            panels = console.page.locator("[data-panel]:has(.seg)")
            if panels.count():
                panel = panels.nth(chance.randrange(panels.count()))
                buttons = panel.locator(".seg button")
                buttons.nth(chance.randrange(buttons.count())).click(timeout=5_000)
                preset = panel.locator('.presets >> text="5m"').first
                if preset.is_visible():  # it was the window's: choose one
                    preset.click(timeout=5_000)
        case "hide":
            console.hide(True)
            console.page.wait_for_timeout(chance.choice((200, 2_000)))
            console.hide(False)
        case "fault":
            server.post("__faults__", chance.choice(FAULTS))
        case _:
            pass
    return kind


def soak(minutes: float, rate: int, seed: int) -> int:
    """Run it; the exit code."""
    chance = random.Random(seed)
    seen: dict[str, Any] = {"soak": "browser", "minutes": minutes, "rate": rate, "seed": seed, "acts": {}}
    simulator = ("--source", "sim", "--rate", str(rate), "--profile", "test")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver, running(*simulator, data=Path(folder)) as server:
        browser = launch(driver, "chromium")
        context = new_context(browser)
        context.add_init_script(path=TRUTH)
        console = Console(context.new_page()).open(server.url)
        console.page.wait_for_timeout(WARM_UP_S * 1_000)
        seen["before"] = _heaps(console)
        end = time.monotonic() + minutes * 60
        while time.monotonic() < end:
            act = _act(console, server, chance)
            seen["acts"][act] = seen["acts"].get(act, 0) + 1
            console.page.wait_for_timeout(chance.choice((50, 500, 3_000)))
        server.post("__faults__", {"fault": "clear"})
        console.page.evaluate("location.hash = '#/jobs'")
        console.fresh("jobs", "live", timeout_ms=SETTLED_MS)
        seen["after"] = _heaps(console)
        truth = console.page.evaluate("globalThis.__truth")
        diagnostics = console.diagnostics()
        seen |= {"checked": truth["checked"], "violations": truth["violations"], "problems": console.problems}
        seen["errors"] = [*diagnostics["errors"], *diagnostics["page"]["errors"]]
        browser.close()
    grown = [name for name in ("wasm_mb", "js_mb") if seen["after"][name] > seen["before"][name] * GROWTH]
    seen["grown"] = grown
    print(json.dumps(seen))
    return int(bool(seen["violations"] or seen["problems"] or seen["errors"] or grown))
