"""Consoles in many tabs of one browser: what tests of leadership do to them, and a storm of all of it at random."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

import pytest
from conftest import BOOT_MS, TRUTH, Console, Server
from playwright.sync_api import BrowserContext, Error

ROUTES = ("#/", "#/jobs", "#/jobs?status=failed", "#/jobs?status=complete", "#/jobs")


def eventually(says: Callable[[], object], *, timeout_s: float = 30) -> None:
    """Ask until it is so; what was said last stands in the failure."""
    deadline = time.monotonic() + timeout_s
    while not (said := says()):
        assert time.monotonic() < deadline, f"still {said!r} after {timeout_s} s"
        time.sleep(0.1)


def connections(server: Server) -> set[tuple[str, str]]:
    """The connections that streams come by, as the server sees them."""
    return {(stream["path"], stream["client"]) for stream in server.get("__streams__")["streams"]}


class Tabs:
    """The consoles of one browser context."""

    def __init__(self, context: BrowserContext, url: str, *, truth: bool) -> None:
        self.context = context
        self.url = url
        self.all: list[Console] = []
        if truth:
            context.add_init_script(path=TRUTH)

    def open(self, route: str = "") -> Console:
        console = Console(self.context.new_page())
        self.all.append(console)
        return console.open(self.url + route)

    def open_some(self, count: int, *, at_once: int = 1) -> list[Console]:
        """So many, on different routes; as many as said boot side by side."""
        opened: list[Console] = []
        for first in range(0, count, at_once):
            begun = [Console(self.context.new_page()) for _ in range(first, min(first + at_once, count))]
            for number, console in enumerate(begun, first):
                console.page.goto(self.url + ROUTES[number % len(ROUTES)], wait_until="commit")
            for console in begun:
                console.page.wait_for_selector("[data-panel]", timeout=BOOT_MS)
            opened += begun
        self.all += opened
        return opened

    def roles(self) -> list[str]:
        return [role(console) for console in self.all]

    def leader(self) -> Console:
        """The one that leads, as soon as one does and all others follow it."""
        eventually(lambda: sorted(self.roles()) == ["following"] * (len(self.all) - 1) + ["leading"])
        return next(console for console in self.all if role(console) == "leading")

    def gone(self, console: Console) -> None:
        """A tab that is no more, or cannot be asked."""
        self.all.remove(console)

    def live(self, *, timeout_ms: float = 30_000) -> None:
        """Every tab says live where it can, and holds what the server says."""
        for console in self.all:
            console.until(ANY_LIVE, timeout_ms=timeout_ms)

    def settle(self, server: Server) -> None:
        """After whatever happened: one leads, everybody is live by one connection and equal to the server, and nobody ever lied."""
        self.leader()
        for console in self.all:
            console.page.evaluate("() => { location.hash = '#/jobs'; }")
        self.live(timeout_ms=60_000)
        eventually(lambda: len(connections(server)) == 1)
        before = [truth_of(console)["checked"] for console in self.all]
        eventually(lambda: all(truth_of(one)["checked"] > checked + 1 for one, checked in zip(self.all, before, strict=True)))
        self.check()
        for console in self.all:
            # What was said twice is ignored by its number, and said so; what was applied is what the server said.
            for stream in console.diagnostics()["streams"]:
                counts = stream["counts"]
                told = sum(counts[name] for name in ("applied", "coalesced", "dropped", "invalid", "old", "ignored", "waiting"))
                assert counts["received"] == told

    def check(self) -> None:
        """Nobody ever lied, and nothing was raised."""
        for console in self.all:
            found = console.page.evaluate("globalThis.__truth ?? null")
            assert found is None or found["violations"] == []
            said = console.diagnostics()
            assert said["errors"] == []
            assert said["page"]["errors"] == []
            assert console.problems == []


ANY_LIVE = "() => document.querySelector('[data-panel=jobs][data-freshness=live], [data-panel=activity-jobs][data-freshness=live]')"


def truth_of(console: Console) -> dict[str, Any]:
    """What the sampler found (RT-84)."""
    return console.page.evaluate("globalThis.__truth")


def tabs_of(console: Console) -> dict[str, Any]:
    return console.diagnostics()["tabs"]


def role(console: Console) -> str:
    return tabs_of(console)["role"]


def close(console: Console) -> None:
    console.page.close()


def crash(console: Console) -> None:
    with pytest.raises(Error):
        console.page.goto("chrome://crash", timeout=5_000)


def hide(console: Console) -> None:
    console.hide(True)


def show(console: Console) -> None:
    console.hide(False)


def freeze(console: Console) -> None:
    """As the browser freezes a tab in the background: the page is told. A headless browser freezes no page that it calls visible, so
    the event is sent, and the lock must be free when it returns."""
    console.page.evaluate("() => document.dispatchEvent(new Event('freeze'))")
    eventually(lambda: role(console) == "alone")


def thaw(console: Console) -> None:
    console.page.evaluate("() => document.dispatchEvent(new Event('resume'))")


def still(console: Console) -> Any:
    """Frozen without a word: nothing of it runs until `Debugger.resume`, and what comes waits."""
    session: Any = console.page.context.new_cdp_session(console.page)
    session.send("Debugger.enable")
    session.send("Debugger.pause")
    return session


def stall(console: Console) -> None:
    """Busy: its main thread does something else for three seconds, without a word."""
    console.page.evaluate("() => { setTimeout(() => { const end = performance.now() + 3000; while (performance.now() < end); }, 0); }")


class Storm:
    """Random tabs close, crash, reload, are hidden, stalled, frozen, put into the back/forward cache, and look at other things."""

    def __init__(self, tabs: Tabs, seed: int) -> None:
        self.tabs = tabs
        self.chance = random.Random(seed)
        self.hidden: set[Console] = set()
        self.frozen: dict[Console, tuple[float, Any]] = {}
        self.away: dict[Console, float] = {}
        self.acts: dict[str, int] = {}
        self.kept = 0
        """How often a page came back from the cache as it was."""
        self.unled_ms = self.patience_ms = self.late_ms = 0.0
        """The longest time that a tab saw no leader; the longest patience that was seen; and how late the tabs' own timers were."""

    def run(self, seconds: float) -> None:
        """So long, and then everybody is there again."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.bring_back(time.monotonic())
            self.act()
            time.sleep(0.6 * self.chance.random())
        self.bring_back(float("inf"))
        for console in self.hidden:
            console.hide(False)

    def bring_back(self, now: float) -> None:
        for console in [console for console, (until, _) in self.frozen.items() if until <= now]:
            self.frozen.pop(console)[1].send("Debugger.resume")
        for console in [console for console, until in self.away.items() if until <= now]:
            del self.away[console]
            console.page.go_back(wait_until="commit")  # what is kept does not load again
            console.page.wait_for_selector("[data-panel]", timeout=60_000)
            self.kept += console.page.evaluate("() => globalThis.kept === true")

    def act(self) -> None:
        able = [console for console in self.tabs.all if console not in self.frozen and console not in self.away]
        if len(able) < 2:
            return  # somebody must lead
        console = self.chance.choice(able)
        kind = self.chance.choice(("kill", "hide", "stall", "freeze", "put away", "reload", "route", "route"))
        self.acts[kind] = self.acts.get(kind, 0) + 1
        match kind:
            case "kill":
                self.look_at(console)
                self.tabs.gone(console)
                self.hidden.discard(console)
                self.chance.choice((close, crash))(console)
                self.tabs.open(self.chance.choice(ROUTES))
            case "hide":
                self.hidden ^= {console}
                console.hide(console in self.hidden)
            case "stall":
                stall(console)
            case "freeze":
                self.frozen[console] = (time.monotonic() + self.chance.choice((0.3, 1.0, 4.0)), still(console))
            case "put away":
                self.look_at(console)
                self.hidden.discard(console)
                console.page.evaluate("() => { globalThis.kept = true; }")
                console.page.goto("about:blank")
                self.away[console] = time.monotonic() + self.chance.choice((0.0, 1.0, 3.0))
            case "reload":
                self.look_at(console)
                console.page.reload()
                self.hidden.discard(console)
                console.page.wait_for_selector("[data-panel]", timeout=60_000)
            case _:
                console.page.evaluate("(route) => { location.hash = route; }", self.chance.choice(ROUTES))

    def look_at(self, console: Console) -> None:
        """What a tab that goes has to say: it never lied, and how long it was without a leader."""
        found = console.page.evaluate("globalThis.__truth ?? null")
        assert found is None or found["violations"] == []
        said = console.diagnostics()
        self.unled_ms = max(self.unled_ms, round(said["tabs"]["unled_ms"]))
        self.patience_ms = max(self.patience_ms, said["tabs"]["patience_ms"])
        self.late_ms = max(self.late_ms, said["clock"]["late_ms"])
