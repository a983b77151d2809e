"""The tasks of a page's main thread, from a trace of the browser."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, Page


@dataclass
class Tasks:
    """How long each task took, longest first, in ms.

    Attributes:
        clock: by the clock: on a busy machine that counts what others took.
        cpu: the CPU time that the task itself had.
    """

    clock: list[float] = field(default_factory=list[float])
    cpu: list[float] = field(default_factory=list[float])

    def figure(self) -> dict[str, object]:
        """The longest, and what stands beside it in a benchmark's line."""
        return {
            "value": round(self.clock[0], 1),
            "cpu_ms": round(self.cpu[0], 1),
            "over_50_ms": sum(value > 50 for value in self.clock),
            "ten_longest": [round(value) for value in self.clock[:10]],
            "ten_longest_cpu": [round(value) for value in self.cpu[:10]],
            "tasks": len(self.clock),
        }


@contextmanager
def traced(browser: Browser, page: Page, folder: Path) -> Generator[Tasks]:
    """The tasks of what happens in the block; they are there when it has ended."""
    trace = folder / "trace.json"
    tasks = Tasks()
    browser.start_tracing(page=page, path=str(trace), categories=["toplevel", "devtools.timeline"])
    yield tasks
    browser.stop_tracing()
    events = json.loads(trace.read_text(encoding="utf-8"))["traceEvents"]
    named = [e for e in events if e["ph"] == "M" and e["name"] == "thread_name" and e["args"]["name"] == "CrRendererMain"]
    mains = {(e["pid"], e["tid"]) for e in named}
    found = [e for e in events if e["ph"] == "X" and e["name"].endswith("::RunTask") and (e["pid"], e["tid"]) in mains]
    tasks.clock, tasks.cpu = (sorted((e.get(name, 0) / 1_000 for e in found), reverse=True) for name in ("dur", "tdur"))
