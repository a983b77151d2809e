"""What the benchmarks of many tabs share: consoles that are opened together, and what their processes take."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Error, Page

ROUTES = ("#/", "#/jobs", "#/jobs?status=failed", "#/jobs?status=active", "#/jobs?status=complete")
LOADED = "() => document.querySelector('[data-panel] tbody tr [data-st]') !== null"
ROLE = "() => JSON.parse(penstock.diagnostics()).tabs.role"
GO = "(address) => { setTimeout(() => { location.href = address; }, 0); }"
PATIENCE_S = 60.0
"""No further tab loaded for so long: those that are left will not."""


def say(figure: str, unit: str, value: float | None, **more: Any) -> None:
    """One figure as a line."""
    told = {"bench": "tabs", "figure": figure, "unit": unit, "value": value if value is None else round(value, 2)}
    print(json.dumps({**told, **more, "load": round(os.getloadavg()[0], 1)}), flush=True)


def route(number: int) -> str:
    """The address of one of many tabs: neighbours are on different ones."""
    return ROUTES[number % len(ROUTES)]


def open_tabs(context: BrowserContext, addresses: Sequence[str], patience_s: float = PATIENCE_S) -> list[Page]:
    """A console for each address, begun at once; those that show data, once all of them do or none did for `patience_s`."""
    waiting: list[Page] = []
    for address in addresses:
        page = context.new_page()
        page.evaluate(GO, address)
        waiting.append(page)
    loaded: list[Page] = []
    last = time.monotonic()
    while waiting and time.monotonic() - last < patience_s:
        time.sleep(0.2)
        for page in list(waiting):
            with suppress(Error):  # it is on its way from one document to the next
                if page.evaluate(LOADED):
                    waiting.remove(page)
                    loaded.append(page)
                    last = time.monotonic()
    return loaded


def open_together(context: BrowserContext, addresses: Sequence[str]) -> list[Page]:
    """The first alone: a new profile gets its visitor's name by it, and tabs of different names share nothing. Then the others."""
    return open_tabs(context, addresses[:1]) + open_tabs(context, addresses[1:])


def renderers_memory(session: Any) -> float:
    """MB that the pages' processes hold for themselves."""
    found = session.send("SystemInfo.getProcessInfo")["processInfo"]
    total = 0
    for process in found:
        if process["type"] == "renderer":
            with suppress(FileNotFoundError):
                fields = Path(f"/proc/{process['id']}/statm").read_text(encoding="ascii").split()
                total += int(fields[1]) - int(fields[2])
    return total * os.sysconf("SC_PAGE_SIZE") / 1e6


def server_sockets(port: int) -> int | None:
    """TCP connections that are established to a port of this machine; `None` where the system does not tell."""
    table = Path("/proc/net/tcp")
    if not table.exists():
        return None
    rows = [line.split() for line in table.read_text(encoding="ascii").splitlines()[1:]]
    return sum(row[1].endswith(f":{port:04X}") and row[3] == "01" for row in rows)
