"""What holds on every page, by the table of routes: nobody is shut out, and nothing moves by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from conftest import ROOT, Console, Server
from everywhere import NARROW, WIDE, addresses, show
from playwright.sync_api import Browser

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
        for viewport, width in ((WIDE, "wide"), (NARROW, "narrow")):
            console.page.set_viewport_size(viewport)  # type: ignore[arg-type]
            for theme in ("light", "dark"):
                console.page.emulate_media(color_scheme=theme)
                whole = (width, theme) == ("wide", "light")
                if violations := _violations(console, [] if whole else LOOKS):
                    found[f"{route} {width} {theme}"] = violations
    assert found == {}
