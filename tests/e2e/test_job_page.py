"""One job's page against the real server: it shows what the server answers, follows what happens, and runs nothing of an artifact."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import part_a
import pytest
from conftest import Console, Server, running
from playwright.sync_api import Browser
from test_console import eventually

Open = Callable[..., Console]
EVIL = '<img src=x onerror="globalThis.__ran = 1">\u202e'
SCRIPT = "<p id=x>as it was written</p><script>document.getElementById('x').textContent = 'it ran'; top.__ran = 1</script>"


def run(server: Server, name: str, **kwargs: Any) -> str:
    """Start a job; its id."""
    key = next(one["key"] for one in server.get("api/v1/functions")["functions"] if one["name"] == name)
    return server.post(f"api/v1/functions/{key}/run", {"kwargs": kwargs})["job_id"]


def shown_tree(console: Console) -> set[tuple[str, str]]:
    """The jobs of the timeline with their states."""
    rows = console.page.eval_on_selector_all(
        "[data-panel=timeline] .g-row[role=row]:not(.g-head)",
        "rows => rows.map((row) => [row.querySelector('a.fn').title, row.querySelector('.st').dataset.st])",
    )
    return {(job, state) for job, state in rows}


def told_tree(server: Server, job_id: str) -> set[tuple[str, str]]:
    return {(one["id"], one["status"]) for one in server.get(f"api/v1/jobs/{job_id}/timeline")["jobs"]}


def a_tree(server: Server) -> str:
    """A job with children, from the history."""
    return next(one["parent_id"] for one in server.get("api/v1/jobs?limit=1000")["jobs"] if one["parent_id"])


def test_a_tree_with_its_runs_artifacts_and_details_equals_the_servers_answers_and_back_goes_through_the_tabs(
    engine: Browser, quiet: Server, open_console: Open
) -> None:
    job_id = a_tree(quiet)
    console = open_console(engine, f"{quiet.url}#/jobs/{job_id}")
    for panel in ("summary", "timeline"):
        console.fresh(panel, "live")
    job = quiet.get(f"api/v1/jobs/{job_id}")
    assert console.page.title() == f"{job_id} · Jobs · Penstock"
    assert console.page.inner_text("[data-panel=summary] h2") == job["function_name"]
    assert shown_tree(console) == told_tree(quiet, job_id)
    assert quiet.streams() == ["events"]
    console.page.click(".job-tabs >> text=Artifacts")
    console.fresh("artifacts", "live")
    told = quiet.get(f"api/v1/jobs/{job_id}/artifacts")["artifacts"]
    assert [row.split("\t")[1] for row in console.rows("artifacts")] == [one["name"] for one in told]
    eventually(lambda: [name.partition("/")[0] for name in quiet.streams()] == ["events", "jobs"])
    console.page.click(".job-tabs >> text=Details")
    console.fresh("details", "live")
    assert json.dumps(job["kwargs"]["n"]) in console.page.inner_text("[data-panel=details] .json >> nth=0")
    console.page.click(".job-tabs >> text=Task runs")
    console.fresh("runs", "live")
    assert len(console.rows("runs")) == len(told_tree(quiet, job_id))
    for tab in ("details", "artifacts"):
        console.page.go_back()
        console.fresh(tab, "live")
        assert console.page.evaluate("location.hash") == f"#/jobs/{job_id}?tab={tab}"


def test_cancel_and_retry_by_keyboard_show_what_the_job_does_next(chromium: Browser, quiet: Server, open_console: Open) -> None:
    job_id = run(quiet, "resize_image", seconds=60, steps=30)
    console = open_console(chromium, f"{quiet.url}#/jobs/{job_id}")
    console.until("() => document.querySelector('[data-panel=summary] .st').dataset.st === 'active'")
    console.until("() => document.querySelector('[data-panel=timeline] .gantt').style.getPropertyValue('--now') > 500")
    grown = "() => document.querySelector('[data-panel=timeline] .g-bar.grows').getBoundingClientRect().width"
    width = console.page.evaluate(grown)
    console.until(f"(width) => ({grown})() > width + 2", width)
    console.page.focus("[data-panel=summary] >> text=Cancel job")
    console.page.keyboard.press("Enter")
    console.until("() => document.activeElement.textContent === 'Keep it running'")
    console.page.keyboard.press("Tab")
    console.page.keyboard.press("Enter")
    console.until("() => document.querySelector('[data-panel=summary] .st').dataset.st === 'cancelled'")
    assert quiet.get(f"api/v1/jobs/{job_id}")["status"] == "cancelled"
    console.until("() => document.querySelector('[data-panel=timeline] .g-row .st').dataset.st === 'cancelled'")
    console.page.focus("[data-panel=summary] >> text=Retry")
    console.page.keyboard.press("Enter")
    console.until("() => document.querySelector('[data-panel=summary] .st').dataset.st === 'active'")
    quiet.post(f"api/v1/jobs/{job_id}/cancel")
    console.until("() => document.querySelector('[data-panel=summary] .st').dataset.st === 'cancelled'")


def test_an_artifact_appears_live_its_words_are_text_and_nothing_runs(chromium: Browser, quiet: Server, open_console: Open) -> None:
    job_id = run(quiet, "order_placed", seconds=0.05, note=EVIL)
    eventually(lambda: quiet.get(f"api/v1/jobs/{job_id}")["status"] == "complete")
    console = open_console(chromium, f"{quiet.url}#/jobs/{job_id}?tab=artifacts")
    console.fresh("artifacts", "live")
    assert console.rows("artifacts") == []
    quiet.post(f"api/v1/jobs/{job_id}/artifacts", {"name": EVIL, "type": "text", "data": EVIL})
    console.until("() => document.querySelectorAll('[data-panel=artifacts] tbody tr').length === 1")
    console.page.click("[data-panel=artifacts] >> text=Preview")
    console.until("(text) => document.querySelector('.preview pre')?.textContent === text", EVIL)
    made = quiet.post(f"api/v1/jobs/{job_id}/artifacts", {"name": "a.html", "type": "text/html", "data": _base64(SCRIPT)})
    console.until("() => document.querySelectorAll('[data-panel=artifacts] tbody tr').length === 2")
    console.page.click("[data-panel=artifacts] tbody tr:first-child >> text=Preview")
    assert console.page.frame_locator(".preview iframe").locator("#x").inner_text() == "as it was written"
    # What an address names is a page of its own that was never in the console.
    assert console.page.evaluate("location.hash") == f"#/jobs/{job_id}?artifact={made['id']}&tab=artifacts"
    console.page.click(".job-tabs >> text=Details")
    console.fresh("details", "live")
    assert EVIL.rstrip("\u202e") in console.page.inner_text("[data-panel=details]").replace('\\"', '"')
    assert console.page.evaluate("globalThis.__ran ?? null") is None
    assert console.page.locator("[data-panel=details] img").count() == 0


def test_a_tree_of_this_machine_grows_live_and_ends_as_the_server_says(chromium: Browser, open_console: Open, tmp_path: Path) -> None:
    with running("--no-schedule", "--profile", "test", data=tmp_path / "local") as server:
        job_id = run(server, "fan_out")
        console = open_console(chromium, f"{server.url}#/jobs/{job_id}", truth=False)
        console.until("() => document.querySelectorAll('[data-panel=timeline] .g-row').length === 5", timeout_ms=40_000)
        console.until("() => document.querySelector('[data-panel=summary] .st').dataset.st === 'complete'", timeout_ms=40_000)
        eventually(lambda: shown_tree(console) == told_tree(server, job_id))
        assert len(shown_tree(console)) == 4


@pytest.mark.skipif(part_a.recordings() is None, reason=part_a.MISSING)
def test_a_recorded_tree_is_shown_as_it_was_answered(chromium: Browser, open_console: Open, tmp_path: Path) -> None:
    with running("--source", f"replay:{part_a.recordings()}", "--profile", "test", data=tmp_path / "replay") as server:
        job_id = a_tree(server)
        console = open_console(chromium, f"{server.url}#/jobs/{job_id}", truth=False)
        console.fresh("timeline", "live")
        eventually(lambda: shown_tree(console) == told_tree(server, job_id))
        assert console.page.locator("[data-panel=timeline] .k-complete.g-bar").count() >= 3
        console.page.goto(f"{server.url}#/jobs/job_nope")
        console.until("() => document.querySelector('[data-panel=summary]')?.innerText.includes('No such job')")


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
