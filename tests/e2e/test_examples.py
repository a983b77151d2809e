"""The pages of web/examples: the core in somebody else's page, by plain PyScript."""

from __future__ import annotations

from pathlib import Path

from browsers import new_context
from conftest import BOOT_MS, ROOT, Server
from playwright.sync_api import Browser

EXAMPLE = ROOT / "web" / "examples" / "live-table.py"
ABOUT_TWENTY = 26
"""Statements of the example, its imports left out."""


def test_a_live_table_in_another_page_is_live_and_equals_the_server(engine: Browser, moving: Server, tmp_path: Path) -> None:
    # RT-77
    context = new_context(engine)
    try:
        page = context.new_page()
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(f"{moving.url}examples/live-table.html")
        page.wait_for_selector('#mark[data-state="live"]', timeout=BOOT_MS)
        workers = moving.get("api/v1/workers")["workers"]
        expected = [[row["name"], str(row["instance_count"]), str(row["concurrency"])] for row in workers]
        shown = page.eval_on_selector_all("#table tr:has(td)", "rows => rows.map(row => [...row.cells].map(cell => cell.innerText))")
        assert shown == expected
        assert "workers" in moving.streams()
        assert problems == []
    finally:
        context.close()


def test_the_example_takes_about_twenty_lines() -> None:
    # RT-77
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    assert len([line for line in lines if line.strip() and not line.startswith(("from ", "import "))]) <= ABOUT_TWENTY
