"""The ages that the page keeps right by itself, in real browsers under a clock that the test moves."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from browsers import new_context
from playwright.sync_api import Browser, Route
from renderer_lab import ORIGIN, POLICY, WEB

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Ages</title>
<body><script type="module" src="/elements.js"></script></body></html>"""
# Fifty rows whose minutes end at fifty moments, one that is young, and every change with the page's time.
ROWS = """() => {
  window.changed = [];
  const rows = Array.from({ length: 50 }, (_, number) => 61_000 + number * 1_170);
  document.body.innerHTML = [30_000, ...rows].map((ms) => `<pen-age at="${Date.now() - ms}"></pen-age>`).join("");
  new MutationObserver((records) => {
    for (const record of records) {
      const age = (record.target.parentElement ?? record.target).closest("pen-age");
      changed.push([performance.now(), age === document.body.firstElementChild]);
    }
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""
SHOWN = (
    """() => [...document.querySelectorAll("pen-age")].map((age) => [age.textContent, Date.now() - Number(age.getAttribute("at"))])"""
)


def test_minutes_tick_together_every_ten_seconds_and_seconds_every_second(engine: Browser, tmp_path: Path) -> None:
    elements, entry = tmp_path / "elements.js", tmp_path / "entry.mjs"
    age = (WEB / "src" / "elements" / "age.mjs").as_posix()
    entry.write_text(f'import {{ PenAge }} from "{age}";\ncustomElements.define("pen-age", PenAge);\n', encoding="utf-8")
    command = [str(WEB / "node_modules" / ".bin" / "esbuild"), str(entry), "--bundle", "--format=iife", f"--outfile={elements}"]
    subprocess.run([*command, "--log-level=warning"], check=True)
    context = new_context(engine)
    files = {"/": ("text/html", PAGE), "/elements.js": ("text/javascript", elements.read_text(encoding="utf-8"))}

    def answer(route: Route) -> None:
        kind, body = files.get(route.request.url.removeprefix(ORIGIN), ("text/plain", ""))
        route.fulfill(body=body, headers={"content-type": f"{kind}; charset=utf-8", "content-security-policy": POLICY})

    context.route(f"{ORIGIN}/**", answer)
    page = context.new_page()
    page.clock.install(time=1_800_000_000)
    page.goto(f"{ORIGIN}/")
    page.wait_for_function("() => customElements.get('pen-age')")
    page.clock.pause_at(1_800_000_060)
    page.evaluate(ROWS)
    page.clock.run_for(70_000)
    changed: list[list[Any]] = page.evaluate("() => changed")
    shown: list[list[Any]] = page.evaluate(SHOWN)
    context.close()
    young = {round(at) for at, is_young in changed if is_young}
    old = {round(at) for at, is_young in changed if not is_young}
    assert len(young) >= 30, "an age of seconds moves every second"
    assert len(old) <= 8, "fifty ages of minutes move together"
    assert all(at % 10_000 == 0 for at in old)
    assert [text for text, ms in shown[1:] if text not in (f"{ms // 60_000}min", f"{(ms - 10_000) // 60_000}min")] == []
