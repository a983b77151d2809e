"""Finding and acting in a real browser: the palette, the keys, many rows at once, and files that equal the server's answer."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

from conftest import Console, Server
from playwright.sync_api import Browser
from test_console import eventually, first_function

Open = Callable[..., Console]

FOCUSED = "document.activeElement?.getAttribute('placeholder') ?? document.activeElement?.localName"
OPEN = "document.querySelectorAll('dialog[open]').length"


def test_by_the_keyboard_alone_to_a_functions_page_and_back_to_where_one_was(
    engine: Browser, quiet: Server, open_console: Open
) -> None:
    """RT-20: the palette opens no stream."""
    console = open_console(engine, f"{quiet.url}#/jobs")
    console.fresh("jobs", "live")
    keyboard = console.page.keyboard
    streams = sorted(quiet.streams())
    keyboard.press("/")
    assert console.page.evaluate(FOCUSED) == "Function, job id or error"
    # While one types no key is a shortcut; Ctrl+K is one everywhere, and Escape gives the focus back.
    keyboard.type("g?")
    assert console.page.evaluate(OPEN) == 0
    keyboard.press("Control+k")
    console.until("() => document.querySelectorAll('dialog.palette[open] [role=option]').length > 0")
    keyboard.press("Escape")
    console.until("() => document.querySelectorAll('dialog[open]').length === 0")
    assert console.page.evaluate(FOCUSED) == "Function, job id or error"
    console.page.evaluate("document.activeElement.blur()")
    # The sheet.
    keyboard.press("?")
    console.until("() => document.querySelector('dialog.sheet[open]')?.innerText.includes('Refresh every panel')")
    keyboard.press("Escape")
    console.until("() => document.querySelectorAll('dialog[open]').length === 0")
    # A function, by a part of its name.
    function = first_function(quiet)
    keyboard.press("Control+k")
    keyboard.type(function["name"])
    name = json.dumps(function["name"])
    console.until(f"() => document.querySelector('.palette [aria-selected=true] .what')?.textContent === {name}")
    field = console.page.locator(".palette [role=combobox]")
    marked = field.get_attribute("aria-activedescendant")
    assert console.page.locator(f"#{marked}").get_attribute("aria-selected") == "true"
    assert sorted(quiet.streams()) == streams
    keyboard.press("Enter")
    console.fresh("summary", "polling")
    assert console.page.evaluate("location.hash") == f"#/functions/{function['key']}"
    # Two keys lead to a page.
    keyboard.press("g")
    keyboard.press("w")
    console.fresh("workers", "live")


def test_many_jobs_are_cancelled_by_the_keyboard_and_the_rows_say_what_became_of_them(
    chromium: Browser, quiet: Server, open_console: Open
) -> None:
    function = first_function(quiet)
    # Jobs of a paused function wait: there is time to cancel them.
    quiet.post(f"api/v1/functions/{function['key']}/pause", {})
    try:
        ids = [quiet.post(f"api/v1/functions/{function['key']}/run", {"kwargs": {}})["job_id"] for _ in range(3)]
        console = open_console(chromium, f"{quiet.url}#/jobs?function={function['key']}&status=queued")
        console.fresh("jobs", "live")
        console.until('(ids) => ids.every((id) => document.querySelector(`tr[data-id="${id}"]`))', ids)
        keyboard = console.page.keyboard
        for key in ("j", "x", "j", "x"):
            keyboard.press(key)
        console.until("() => document.querySelector('.picked')?.innerText.includes('2 jobs selected')")
        picked = console.page.eval_on_selector_all("tr.ticked", "rows => rows.map((row) => row.dataset.id)")
        assert len(picked) == 2
        assert set(picked) < set(ids)
        keyboard.press("a")
        keyboard.press("Enter")
        console.until("() => document.querySelector('dialog[open]')?.innerText.includes('Cancel 2 jobs?')")
        keyboard.press("Tab")
        keyboard.press("Enter")
        console.until("() => document.querySelector('.toasts').innerText.includes('Cancel: 2 accepted')")

        def told() -> dict[str, str]:
            return {job_id: quiet.get(f"api/v1/jobs/{job_id}")["status"] for job_id in ids}

        eventually(lambda: [told()[one] for one in picked] == ["cancelled", "cancelled"])
        (spared,) = set(ids) - set(picked)
        assert told()[spared] != "cancelled"
        # What the events told: they are queued no more, so they leave the list, or stand there as left while it is held.
        gone = "(ids) => ids.every((id) => document.querySelector(`tr[data-id='${id}']:not(.left)`) === null)"
        console.until(gone, picked)
        assert console.page.locator(f"tr[data-id={spared}]").count() == 1
    finally:
        quiet.post(f"api/v1/functions/{function['key']}/resume", {})


def test_a_file_of_a_window_has_every_row_that_the_server_has(chromium: Browser, moving: Server, open_console: Open) -> None:
    """RT-4: more rows than a page of the server, while twenty events a second arrive."""
    page_of_all = moving.get("api/v1/jobs?limit=1000")
    newest, oldest = page_of_all["jobs"][0]["created_at"], page_of_all["jobs"][600]["created_at"]
    told = moving.get(f"api/v1/jobs?limit=1000&after={oldest}&before={newest}")["jobs"]
    console = open_console(chromium, f"{moving.url}#/jobs?after={oldest}&before={newest}&columns=status")
    console.fresh("jobs", "window")
    with console.page.expect_download() as download:
        console.page.keyboard.press("Control+k")
        console.page.keyboard.type("export jobs csv")
        console.until("() => document.querySelector('.palette [aria-selected=true]')?.textContent.includes('CSV')")
        console.page.keyboard.press("Enter")
    path = Path(download.value.path())
    assert download.value.suggested_filename.startswith("jobs-window-")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == [job["id"] for job in told]
    assert len(rows) > 500
    for name in ("function", "created_at"):
        assert [row[name] for row in rows] == [job[name] or "" for job in told]
    # What still ran when this test asked has gone on since; what had ended says the same to both.
    ended = [(row, job) for row, job in zip(rows, told, strict=True) if job["status"] in ("complete", "failed", "cancelled")]
    assert len(ended) > 400
    for row, job in ended:
        assert (row["status"], row["worker_id"], row["error"]) == (job["status"], job["worker_id"] or "", job["error"] or "")
    assert [json.loads(row["kwargs"]) for row in rows] == [job["kwargs"] for job in told]
    console.until("(count) => document.querySelector('.toasts').innerText.includes(`${count} rows exported`)", len(rows))
    # The address keeps the chosen columns, and the list shows them.
    assert console.page.evaluate("location.hash").endswith("&columns=status")
    heads = console.page.eval_on_selector_all("[data-panel=jobs] th", "heads => heads.filter((head) => head.offsetWidth).length")
    assert heads == 4
