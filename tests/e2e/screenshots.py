"""`make screenshots`: a picture of every page, wide and narrow, light and dark, in each of its states, for people to look at.

    live        as it is
    window      a range that was chosen, where the page has one
    empty       a server without jobs and requests, or a search that finds nothing
    error       no answer, and nothing kept
    kept        a refresh that failed, beside what was read before
    forbidden   not permitted
    compact     the other density (wide only)
    print       as on paper (wide only)

They are written to `test-results/screenshots` as `ROUTE.STATE.WIDTH.THEME.png`. Arguments narrow it down: words that a name must have.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from browsers import launch, new_context
from conftest import BOOT_MS, ROOT, Console, Server, running
from everywhere import NARROW, WIDE, addresses
from playwright.sync_api import Browser, sync_playwright

OUT = ROOT / "test-results" / "screenshots"
SETTLED_MS = 700
"""Marks fade, rows come in: long enough for a page to look as it stays."""
WIDTHS: Mapping[str, Any] = {"wide": WIDE, "narrow": NARROW}
THEMES = ("light", "dark")
WINDOW = "after=2026-01-01T00:00:00Z&before=2100-01-01T00:00:00Z"
WINDOWS = {
    "/dashboard": "&".join(f"{name}.{bound}" for name in ("jobs", "requests") for bound in WINDOW.split("&")),
    "/jobs": WINDOW,
    "/functions/{key}": WINDOW,
    "/apis/{name}": WINDOW,
}
SEARCHED = ("/functions", "/workers", "/apis")
ASKED = ("jobs", "functions", "apis", "workers", "dashboard", "artifacts")


@dataclass(frozen=True)
class Shot:
    """One picture: the page, its state, how it is looked at."""

    route: str
    state: str
    width: str
    theme: str

    @property
    def name(self) -> str:
        page = self.route.strip("/").replace("/", "-").replace("{", "").replace("}", "")
        return f"{page}.{self.state}.{self.width}.{self.theme}"


class Camera:
    """One browser context per server; pages are reached by their hash."""

    def __init__(self, browser: Browser, wanted: list[str]) -> None:
        self._browser = browser
        self._wanted = wanted
        self.taken = 0

    def shots(self, routes: Mapping[str, str], state: str, *, widths: tuple[str, ...] = ("wide", "narrow")) -> Iterator[Shot]:
        for route in routes:
            for width in widths:
                for theme in THEMES if state != "print" else ("light",):
                    shot = Shot(route, state, width, theme)
                    if all(word in shot.name for word in self._wanted):
                        yield shot

    def take(self, server: Server, shots: list[Shot], routes: Mapping[str, str], *, density: str = "", media: str = "screen") -> None:
        """Take pictures, of one page after the other."""
        if not shots:
            return
        context = new_context(self._browser, viewport=WIDE)
        if density:
            context.add_init_script(f"localStorage.setItem('penstock.density', '{density}')")
        console = Console(context.new_page())
        console.page.goto(f"{server.url}#/settings")
        console.page.wait_for_selector("[data-panel]", timeout=BOOT_MS)
        shown = ""
        for shot in shots:
            if routes[shot.route] != shown:
                shown = routes[shot.route]
                console.page.evaluate("(hash) => { location.hash = hash; scrollTo(0, 0); }", shown)
            console.page.set_viewport_size(WIDTHS[shot.width])
            console.page.emulate_media(color_scheme=shot.theme, media=media)  # type: ignore[arg-type]
            if shot.state == "kept":
                self._refresh(server, console, shot)
            console.page.wait_for_timeout(SETTLED_MS)
            console.page.screenshot(path=OUT / f"{shot.name}.png", full_page=media == "print")
            self.taken += 1
            if shot.state == "kept":
                fault(server, None)
        for problem in console.problems:
            print(problem, file=sys.stderr)
        context.close()

    @staticmethod
    def _refresh(server: Server, console: Console, shot: Shot) -> None:
        """Let it be read, then fail every refresh."""
        with suppress(Exception):
            console.until("() => !document.querySelector('[data-freshness=loading], [data-freshness=error]')", timeout_ms=4_000)
        fault(server, "unavailable")
        for button in console.page.query_selector_all(".remedy button"):
            with suppress(Exception):
                button.click(timeout=300)


def fault(server: Server, kind: str | None) -> None:
    """Every answer but the configuration's fails, or none does."""
    if kind is None:
        server.post("__faults__", {"fault": "clear"})
        return
    for path in ASKED:
        server.post("__faults__", {"fault": kind, "prefix": f"/api/v1/{path}"})


def run(wanted: list[str]) -> int:
    """Take them all; how many there are."""
    OUT.mkdir(parents=True, exist_ok=True)
    if not wanted:
        shutil.rmtree(OUT)
        OUT.mkdir()
    data = Path(tempfile.mkdtemp(prefix="penstock-shots-"))
    try:
        with sync_playwright() as driver:
            browser = launch(driver, "chromium")
            camera = Camera(browser, wanted)
            with running("--source", "sim", "--rate", "5", data=data / "sim") as server:
                routes = addresses(server)
                camera.take(server, list(camera.shots(routes, "live")), routes)
                spans = {route: f"{routes[route]}?{WINDOWS[route]}" for route in WINDOWS}
                camera.take(server, list(camera.shots(spans, "window")), spans)
                searched = {route: f"{routes[route]}?q=zzzz" for route in SEARCHED}
                camera.take(server, list(camera.shots(searched, "empty")), searched)
                camera.take(server, list(camera.shots(routes, "compact", widths=("wide",))), routes, density="compact")
                camera.take(server, list(camera.shots(routes, "print", widths=("wide",))), routes, media="print")
                camera.take(server, list(camera.shots(routes, "kept")), routes)
                for state, kind in (("error", "unavailable"), ("forbidden", "403")):
                    fault(server, kind)
                    camera.take(server, list(camera.shots(routes, state)), routes)
                    fault(server, None)
            with running("--source", "local", "--no-schedule", data=data / "local") as server:
                bare = {route: address for route, address in routes.items() if route in ("/dashboard", "/jobs")}
                camera.take(server, list(camera.shots(bare, "empty")), bare)
            browser.close()
        return camera.taken
    finally:
        shutil.rmtree(data, ignore_errors=True)


if __name__ == "__main__":
    print(f"{run(sys.argv[1:])} pictures in {OUT}")
