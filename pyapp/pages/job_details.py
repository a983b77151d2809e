"""What a job was given and what it gave: arguments, checkpoint, result, error, and everything it is known by; each can be copied."""

from __future__ import annotations

from datetime import datetime

from pyapp import numbers
from pyapp.contract.jobs import TERMINAL_STATUSES, Job
from pyapp.core.cache.result import Result
from pyapp.pages import formats
from pyapp.pages.copying import copy_button
from pyapp.pages.job_state import State
from pyapp.pages.panel import did_not_load, panel
from pyapp.pages.protocol import Env, Results
from pyapp.ui import TemplateResult, each, html, nothing
from pyapp.ui.components.json_tree import json_tree, pretty
from pyapp.ui.components.marks import age, time


def details(state: State, results: Results, env: Env) -> TemplateResult:
    """The panel; nothing while another part of the job is shown."""
    if state.tab != "details":
        return html(t"")
    result: Result[Job] = results["job"]
    job = result.data
    if job is None:
        missing = html(t'<div class="blank">Nothing is known of this job.</div>')
        waiting = html(t'<p class="sr" role="status">Loading the details</p>')
        body = waiting if result.error is None else missing if result.error.status == 404 else did_not_load("Details", result, ("job",))
    else:
        body = html(t'<div class="halves"><div>{_given(job)}</div><div>{_known(job)}</div></div>')
    return panel("details", "Details", result, body, reload=("job",), opened=env.opened, classes="c12")


def _given(job: Job) -> TemplateResult:
    wrote = html(t"written {age(formats.iso(job.checkpoint_at), plain=True)} ago") if job.checkpoint_at else nothing
    has_result = job.result is not None or job.status == "complete"
    no_result = "None, it has not ended yet." if job.status not in TERMINAL_STATUSES else "None: it did not complete."
    return html(
        t"{_error(job)}{_value('Arguments', job.kwargs, 'It was given none.', known=bool(job.kwargs))}"
        t"{_value('Result', job.result, no_result, known=has_result)}"
        t"{_value('Checkpoint', job.checkpoint, 'None was written.', known=job.checkpoint is not None, more=wrote)}"
    )


def _error(job: Job) -> TemplateResult | None:
    if not job.error:
        return nothing
    return html(
        t'<div class="sec"><h3>Error {copy_button("the error", job.error)}</h3>'
        t'<pre class="code bad" tabindex="0"><bdi>{job.error}</bdi></pre></div>'
    )


def _value(word: str, value: object, absent: str, *, known: bool, more: object = nothing) -> TemplateResult:
    if not known:
        return html(t'<div class="sec"><h3>{word}</h3><p class="dim">{absent}</p></div>')
    copy = copy_button(f"the {word.lower()}", pretty(value))
    return html(
        t'<div class="sec"><h3>{word} {copy}<span class="soft">{more}</span></h3><div class="code">{json_tree(value)}</div></div>'
    )


def _known(job: Job) -> TemplateResult:
    ids = [("Job", job.id), ("Key", job.job_key), ("Root", job.root_id), ("Parent", job.parent_id), ("Worker", job.worker_id)]
    named = [("Function", job.function_name), ("Function key", job.function)]
    rows: list[tuple[str, object]] = [(word, _copied(word, text)) for word, text in (*ids, *named) if text]
    if job.source is not None:
        given = job.source.model_dump(exclude_none=True)
        rows += [(_SOURCE.get(name, name), html(t'<bdi class="mono">{text}</bdi>')) for name, text in given.items()]
    rows += [
        ("Attempts", f"{numbers.count(job.attempts)}, at most {numbers.count(max(job.attempts, job.max_retries + 1))}"),
        ("Timeout", str(formats.seconds(job.timeout)) if job.timeout is not None else "none"),
        ("Queue wait", str(formats.duration(job.queue_wait_ms))),
        ("Duration", str(formats.duration(job.duration_ms))),
        *((word, time(formats.iso(at))) for word, at in _moments(job) if at is not None),
    ]
    items = each(rows, key=lambda row: row[0], render=lambda row: html(t"<dt>{row[0]}</dt><dd>{row[1]}</dd>"))
    return html(t'<div class="sec"><h3>Known by</h3><dl class="kv">{items}</dl></div>')


_SOURCE = {"type": "Source", "schedule": "Schedule", "event_pattern": "Event", "event_handler_name": "Handler"}


def _moments(job: Job) -> tuple[tuple[str, datetime | None], ...]:
    return (
        ("Created", job.created_at),
        ("Scheduled", job.scheduled_at),
        ("Started", job.started_at),
        ("Ended", job.completed_at),
        ("Checkpoint", job.checkpoint_at),
    )


def _copied(word: str, text: str) -> TemplateResult:
    return html(t'<bdi class="mono" title={text}>{text}</bdi> {copy_button(f"{word.lower()}", text)}')
