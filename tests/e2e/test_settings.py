"""What a person chooses: at once, in every tab, before the first paint of the next visit, and forgotten when they say so."""

from __future__ import annotations

from collections.abc import Callable

from conftest import Console, Server
from playwright.sync_api import Browser, Page

Open = Callable[..., Console]

ROW_PX = "() => parseFloat(getComputedStyle(document.querySelector('[data-panel=workers] tbody td')).height)"


def _choices(page: Page) -> dict[str, str]:
    return page.evaluate("() => ({ ...document.documentElement.dataset })")


def test_choices_hold_at_once_in_every_tab_and_before_the_next_paint_until_they_are_forgotten(
    chromium: Browser, moving: Server, open_console: Open
) -> None:
    """RT-71."""
    console = open_console(chromium, f"{moving.url}#/settings", color_scheme="light")
    page = console.page
    other = Console(page.context.new_page()).open(f"{moving.url}#/workers")
    other.fresh("workers", "live")
    before = other.page.evaluate(ROW_PX)
    # By keyboard alone: the skip link, then the page's own controls in their order.
    page.focus("[data-panel=appearance] button >> text=Dark")
    page.keyboard.press("Enter")
    page.focus("[data-panel=appearance] button >> text=Compact")
    page.keyboard.press("Space")
    page.focus("[aria-label='Set enable_sse_streaming'] >> text=Off")
    page.keyboard.press("Enter")
    console.until("() => document.querySelector('[data-panel=flags]').innerText.includes('1 set by you')")
    assert page.evaluate("() => document.activeElement.innerText") == "Off"
    # The other tab follows: colours, heights, and its list is polled from now on.
    other.fresh("workers", "polling")
    other.until(
        "(before) => parseFloat(getComputedStyle(document.querySelector('[data-panel=workers] tbody td')).height) < before", before
    )
    assert _choices(other.page)["theme"] == "dark"
    # The next visit has them before anything of the console is there.
    page.reload(wait_until="commit")
    page.wait_for_selector("[data-boot=screen]", state="attached")
    assert (_choices(page)["theme"], _choices(page)["density"]) == ("dark", "compact")
    page.wait_for_selector("[data-panel=flags]")
    console.until("() => document.querySelector('[data-panel=flags]').innerText.includes('1 set by you')")
    assert console.diagnostics()["streams"] == []
    # Forgotten only after a second word.
    page.click("[data-panel=browser] >> text=Forget…")
    page.click("dialog >> text=Keep it")
    assert _choices(page)["density"] == "compact"
    page.click("[data-panel=browser] >> text=Forget…")
    with page.expect_navigation():
        page.click("dialog >> text=Forget it all")
    page.wait_for_selector("[data-panel=flags]")
    assert {"theme", "density", "shortcuts"}.isdisjoint(_choices(page))
    other.fresh("workers", "live")
    assert {"theme", "density"}.isdisjoint(_choices(other.page))
