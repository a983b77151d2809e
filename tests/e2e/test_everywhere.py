"""What holds on every page, by the table of routes: nobody is shut out, and nothing moves by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from conftest import ROOT, Console, Server
from everywhere import NARROW, WIDE, addresses, show
from playwright.sync_api import Browser, Route

Open = Callable[..., Console]

AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
LOOKS = ["color-contrast", "target-size", "scrollable-region-focusable", "link-in-text-block", "aria-hidden-focus"]
"""Rules whose answer depends on theme and width; the others read the document, which is the same."""

_RUN = """async (rules) => {
    const only = rules.length ? { runOnly: { type: "rule", values: rules } } : {};
    const { violations } = await axe.run(document, { resultTypes: ["violations"], ...only });
    return violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map((node) => node.target.join(" ")).join(", ")}`);
}"""


def _violations(console: Console, rules: list[str]) -> list[str]:
    found: list[str] = console.page.evaluate(_RUN, rules)
    return found


def test_axe_finds_no_violation_on_any_page_in_either_theme_wide_and_narrow(
    chromium: Browser, moving: Server, open_console: Open
) -> None:
    console = open_console(
        chromium, f"{moving.url}#/settings", truth=False, viewport=WIDE, color_scheme="light", reduced_motion="reduce"
    )
    # Evaluated, not added as a script: the policy of the page lets no other script in, and it should not.
    console.page.evaluate(AXE.read_text(encoding="utf-8"))
    found: dict[str, Any] = {}
    for route, address in addresses(moving).items():
        show(console, address)
        # As high as any page is: what the bars cover until one scrolls is no target that is too small.
        for viewport, width in ((WIDE, "wide"), ({**NARROW, "height": 8_000}, "narrow")):
            console.page.set_viewport_size(viewport)  # type: ignore[arg-type]
            for theme in ("light", "dark"):
                console.page.emulate_media(color_scheme=theme)
                whole = (width, theme) == ("wide", "light")
                if violations := _violations(console, [] if whole else LOOKS):
                    found[f"{route} {width} {theme}"] = violations
    assert found == {}


# -- Nothing moves by itself ------------------------------------------------------------------------------------------

_WATCH_SHIFTS = """() => {
    const found = (globalThis.__shifts = []);
    const place = ({ x, y, width, height }) => [x, y, width, height].map(Math.round).join(",");
    new PerformanceObserver((list) => {
        for (const { hadRecentInput, sources } of list.getEntries()) {
            if (hadRecentInput) continue;
            for (const { node, previousRect, currentRect } of sources) {
                const element = node?.nodeType === 1 ? node : node?.parentElement;
                // Rows that enter a list in which nobody is move the rows below them: that is what such a list is for. A unit follows
                // its own digits; a mark, its count and its remedy say another state of their panel. Nothing else moves.
                if (!element || element.closest("pen-hold tbody, .list ul, .fig .u, .fresh, .count, .remedy, .pill")) continue;
                const panel = element.closest("[data-panel]")?.dataset.panel;
                found.push(`${panel}: ${place(previousRect)} -> ${place(currentRect)} ${element.className}: ${element.textContent}`);
            }
        }
    }).observe({ type: "layout-shift", buffered: false });
}"""
_DELIVERED = "() => Object.values(JSON.parse(penstock.diagnostics()).streams).reduce((sum, row) => sum + row.counts.received, 0)"


def _delivered(console: Console, more: int) -> None:
    """Wait for so many more events."""
    before = console.page.evaluate(_DELIVERED)
    console.until(f"(wanted) => ({_DELIVERED})() >= wanted", before + more)


def test_nothing_shifts_while_live_data_come_in(chromium: Browser, moving: Server, open_console: Open) -> None:
    """A minute of the model's time on each page: the profile `test` divides it by 20."""
    console = open_console(chromium, f"{moving.url}#/settings", viewport=WIDE)
    console.page.evaluate(_WATCH_SHIFTS)
    pages = addresses(moving)
    for route in ("/dashboard", "/jobs", "/workers"):
        show(console, pages[route])
        console.until("() => document.querySelector('main [data-freshness=live]') && !document.querySelector('[data-freshness=stale]')")
        # What the way here moved is no shift of live data.
        console.page.evaluate("() => new Promise((done) => setTimeout(() => { __shifts.length = 0; done(); }, 600))")
        _delivered(console, 5 if route == "/workers" else 60)
        assert console.page.evaluate("__shifts") == [], route


def test_focus_selection_and_scroll_stand_still_over_a_hundred_live_updates(
    chromium: Browser, moving: Server, open_console: Open
) -> None:
    console = open_console(chromium, f"{moving.url}#/jobs", viewport=WIDE)
    console.fresh("jobs", "live")
    page = console.page
    place = """() => {
        const at = document.activeElement, row = at.closest("tr");
        const { top } = row.getBoundingClientRect();
        return [at === globalThis.__at, at.isConnected, row.rowIndex, Math.round(top), row.querySelector(".fn").title];
    }"""
    page.evaluate(
        """() => {
            globalThis.__at = [...document.querySelectorAll("[data-panel=jobs] tbody tr")][2].querySelector("a, button");
            __at.focus();
        }"""
    )
    before = page.evaluate(place)
    assert before[:2] == [True, True]
    _delivered(console, 100)
    console.until("() => document.querySelector('[data-panel=jobs] .newchip')")
    assert page.evaluate(place) == before
    # A selection holds as the focus does, and is not lost.
    page.evaluate(
        """() => {
            const cell = document.querySelector("[data-panel=jobs] tbody tr:nth-child(4) .fn");
            getSelection().selectAllChildren(cell);
            globalThis.__selected = String(getSelection());
            document.activeElement.blur();
        }"""
    )
    _delivered(console, 40)
    assert page.evaluate("() => [String(getSelection()), __selected.length > 0]") == [page.evaluate("__selected"), True]
    # New rows come in when they are asked for, at the top; below it nothing moves.
    page.evaluate("() => getSelection().removeAllRanges()")
    page.mouse.move(700, 400)
    console.until("() => document.querySelector('[data-panel=jobs] .newchip')")
    page.mouse.wheel(0, 500)
    console.until("() => scrollY > 300")
    scrolled = page.evaluate("() => [scrollY, document.querySelectorAll('[data-panel=jobs] tbody tr')[20].getBoundingClientRect().top]")
    _delivered(console, 40)
    assert (
        page.evaluate("() => [scrollY, document.querySelectorAll('[data-panel=jobs] tbody tr')[20].getBoundingClientRect().top]")
        == scrolled
    )
    page.click("[data-panel=jobs] .newchip")
    console.until("() => scrollY < 200 && !document.querySelector('[data-panel=jobs] .newchip')")


# -- Trouble is said where it is, and nowhere else ----------------------------------------------------------------------


def test_a_refresh_that_fails_stands_beside_what_was_read_and_the_browser_s_tab_says_it(
    chromium: Browser, quiet: Server, open_console: Open
) -> None:
    """On a narrow screen: the words and the moment of the mark are whole there too."""
    console = open_console(chromium, f"{quiet.url}#/functions", viewport=NARROW)
    page = console.page
    console.fresh("functions", "polling")
    rows = len(console.rows("functions"))
    icon = "() => document.querySelector('link[rel=icon]').dataset.kind ?? 'calm'"
    before = page.title(), page.evaluate(icon)
    quiet.post("__faults__", {"fault": "unavailable", "prefix": "/api/v1/functions"})
    try:
        page.click("[data-panel=functions] .remedy button")
        console.fresh("functions", "error")
        assert len(console.rows("functions")) == rows > 0
        mark = "[data-panel=functions] .fresh .w"
        assert page.inner_text(f"{mark} pen-time").count(":") == 2
        assert page.eval_on_selector(mark, "(word) => word.scrollWidth <= word.clientWidth")
        assert page.eval_on_selector("[data-panel=functions] .head", "(head) => head.scrollWidth <= head.clientWidth")
        console.until("() => document.title.startsWith('Error · Functions')")
        assert page.evaluate(icon) == "trouble"
        # One endpoint that fails is the trouble of those who read it.
        show(console, "#/jobs")
        console.fresh("jobs", "live")
        show(console, "#/functions")
        console.fresh("functions", "error")
    finally:
        quiet.post("__faults__", {"fault": "clear"})
    page.click("[data-panel=functions] .remedy button")
    console.fresh("functions", "polling")
    console.until("(title) => document.title === title", before[0])
    assert page.evaluate(icon) == before[1]


# -- What comes from elsewhere is text --------------------------------------------------------------------------------

_HOSTILE = "<img src=x onerror='globalThis.__pwned=1'>\u202e\u0007\"'" + "W" * 10_000
_NAMES = ("function_name", "error", "worker_id", "name")


def _spoil(value: Any) -> Any:
    """An answer whose every name and message is hostile."""
    if isinstance(value, list):
        return [_spoil(one) for one in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    fields = cast("dict[str, Any]", value)
    return {name: _HOSTILE if name in _NAMES and one is not None else _spoil(one) for name, one in fields.items()}


def test_hostile_text_is_shown_as_text_and_widens_nothing(chromium: Browser, quiet: Server, open_console: Open) -> None:
    console = open_console(chromium, f"{quiet.url}#/settings", truth=False, viewport=NARROW)
    page = console.page

    def answer(route: Route) -> None:
        response = route.fetch()
        route.fulfill(response=response, json=_spoil(response.json())) if response.status == 200 else route.fulfill(response=response)

    for path in ("jobs?*", "functions", "workers", "dashboard/stats?*"):
        page.route(f"**/api/v1/{path}", answer)
    for address in ("#/jobs", "#/functions", "#/dashboard"):
        show(console, address)
        console.until("() => document.querySelector('main').textContent.includes('onerror=')")
        assert page.evaluate("() => [globalThis.__pwned, document.querySelectorAll('main :is(img, script)').length]") == [None, 0]
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), address
    page.unroute_all(behavior="ignoreErrors")
