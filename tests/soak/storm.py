"""A minute of real tabs that close, crash, reload, hide, stall, freeze, go to the back/forward cache and navigate, under load.

At the end every tab is live by one connection and equal to the server; none of them ever lied (RT-84) or applied anything twice, and
none was without a leader for longer than the rules allow. One JSON line says what was seen.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import Any

from browsers import launch, new_context
from conftest import running
from playwright.sync_api import sync_playwright
from tabs_lab import Storm, Tabs, tabs_of

UNLED_MS = 2_000
"""Silence, the steal's jitter, and the way of the messages."""


def storm(seconds: float, count: int, rate: int, seed: int) -> int:
    """Run it; the exit code."""
    seen: dict[str, Any] = {"soak": "storm", "seconds": seconds, "tabs": count, "rate": rate, "seed": seed}
    simulator = ("--source", "sim", "--rate", str(rate), "--profile", "docker", "--requests-per-minute", "0")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver, running(*simulator, data=Path(folder)) as server:
        browser = launch(driver, "chromium", bfcache=True)
        tabs = Tabs(new_context(browser), server.url, truth=True)
        tabs.open_some(count)
        tabs.leader()
        raging = Storm(tabs, seed)
        begun = time.monotonic()
        raging.run(seconds)
        seen |= {"acts": raging.acts, "kept": raging.kept, "raged_s": round(time.monotonic() - begun)}
        try:
            tabs.settle(server)
            seen["wrong"] = ""
        except Exception as error:
            seen["wrong"] = str(error)[:2_000]
        for console in tabs.all:
            raging.look_at(console)
        every = [tabs_of(console) for console in tabs.all]
        names = ("takeovers", "steals", "deposed", "stalls", "hasty")
        seen |= {name: sum(row[name] for row in every) for name in names}
        seen |= {"unled_ms": raging.unled_ms, "patience_ms": round(raging.patience_ms), "late_ms": round(raging.late_ms)}
        browser.close()
    seen["unled_too_long"] = raging.unled_ms > UNLED_MS
    print(json.dumps(seen))
    return int(bool(seen["wrong"]) or seen["unled_too_long"])
