"""The parts of a job, as tabs on the rule of the panel that they choose."""

from __future__ import annotations

from pyapp.contract.jobs import TERMINAL_STATUSES
from pyapp.pages import formats
from pyapp.pages.job_state import TABS, ChooseTab, State, Tab
from pyapp.pages.protocol import Env, Results
from pyapp.ui import TemplateResult, each, html, nothing

WORDS: dict[Tab, str] = {"timeline": "Timeline", "runs": "Task runs", "artifacts": "Artifacts", "details": "Details"}


def tabs(state: State, results: Results, env: Env) -> TemplateResult:
    """The four of them, with how much is behind each where that is known."""
    counts = {"runs": _runs(results), "artifacts": _artifacts(state, results)}
    entries: list[tuple[Tab, str]] = [(tab, counts.get(tab, "")) for tab in TABS]

    def one(entry: tuple[Tab, str]) -> TemplateResult:
        tab, count = entry
        number = html(t'<span class="c">{count}</span>') if count else nothing
        pressed = "true" if tab == state.tab else "false"
        return html(t'<button type="button" aria-pressed={pressed} @click={ChooseTab(tab=tab)}>{WORDS[tab]}{number}</button>')

    drawn = each(entries, key=lambda entry: entry[0], render=one, same=(state.tab, tuple(entries)))
    return html(t'<div class="tabs job-tabs" role="group" aria-label="Parts of the job">{drawn}</div>')


def _runs(results: Results) -> str:
    tree = results["timeline"].data
    return formats.count(tree.total) if tree is not None else ""


def _artifacts(state: State, results: Results) -> str:
    """How many there are, while that is followed; elsewhere only of a job that has ended, which leaves no more."""
    page, job = results["artifacts"].data, results["job"].data
    settled = job is not None and job.status in TERMINAL_STATUSES
    return formats.count(page.total) if page is not None and (settled or state.tab == "artifacts") else ""
