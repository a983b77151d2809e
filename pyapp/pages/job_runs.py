"""The task runs of a job: every job of its tree as a row, in the order that somebody chose."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pyapp.contract.jobs import Job, Timeline
from pyapp.core.cache.result import Result
from pyapp.pages import addresses, formats
from pyapp.pages.job_state import State
from pyapp.pages.job_timeline import extent, lasted, tree_panel
from pyapp.pages.job_tree import began
from pyapp.pages.panel import did_not_load
from pyapp.pages.protocol import Env, Results
from pyapp.pages.rows import Column, Table, loading, plain_rows
from pyapp.pages.sorting import Sort, arranged
from pyapp.ui import TemplateResult, html, nothing
from pyapp.ui.components.marks import quantity, status

_COLUMNS = (
    Column("Status", "w7 w-st", "w4", sort="status"),
    Column("Function", "", "w2", sort="function"),
    Column("Job", "w11 p1", "w4"),
    Column("Attempt", "w6 num p2", "w2", sort="attempt"),
    Column("Started", "w8 num p1", "w3", sort="started"),
    Column("Wait", "w6 num p2", "w3", sort="wait"),
    Column("Duration", "w9 num w-dur", "w2", sort="duration"),
)
_RANK = {"failed": 0, "retrying": 1, "active": 2, "queued": 3, "pending": 4, "cancelled": 5, "complete": 6}
"""Trouble first."""


def _length(job: Job) -> float | None:
    """What runs has no length yet, and stands behind all that have one."""
    return job.duration_ms


_KEYS: Mapping[str, Callable[[Job], Any]] = {
    "status": lambda job: _RANK[job.status],
    "function": lambda job: job.function_name.casefold(),
    "attempt": lambda job: job.attempts,
    "started": lambda job: job.started_at or began(job),
    "wait": lambda job: job.queue_wait_ms,
    "duration": _length,
}


def runs(state: State, results: Results, env: Env) -> TemplateResult:
    """The panel; nothing while another part of the job is shown."""
    if state.tab != "runs":
        return html(t"")
    result: Result[Timeline] = results["timeline"]
    tree = result.data
    table = _table(state.sort, state.job_id)
    if tree is None:
        body = did_not_load("Task runs", result, ("timeline",)) if result.error else loading(table)
        return tree_panel("runs", "Task runs", state, result, body, env, nothing)
    rows = arranged(tree.jobs, state.sort, _KEYS, lambda job: job.id)
    body = plain_rows(table, rows, same=(state.job_id,))
    return tree_panel("runs", "Task runs", state, result, body, env, extent(tree))


def _table(sort: Sort, current: str) -> Table[Job]:
    def row(job: Job) -> TemplateResult:
        tries = f"{job.attempts}/{max(job.attempts, job.max_retries + 1)}"
        here = "true" if job.id == current else nothing
        wrong = html(t' <bdi class="err" title={job.error}>{job.error}</bdi>') if job.error and job.status == "failed" else nothing
        started = html(t"<pen-time at={formats.iso(job.started_at)}></pen-time>") if job.started_at else formats.NONE
        return html(
            t'<tr aria-current={here}><td>{status(job.status)}</td><td><a class="fn" href={addresses.to("jobs", job.id)} '
            t'title={job.function}><bdi>{job.function_name}</bdi></a>{wrong}<span class="sub-line mono">{job.id}</span></td>'
            t'<td class="p1"><span class="mono">{job.id}</span></td><td class="num p2">{tries}</td><td class="num p1">{started}</td>'
            t'<td class="num p2">{quantity(formats.duration(job.queue_wait_ms))}</td><td class="num">{lasted(job)}</td></tr>'
        )

    return Table("runs", "Task runs", _COLUMNS, key=lambda job: job.id, render=row, bones=4, sort=sort)
