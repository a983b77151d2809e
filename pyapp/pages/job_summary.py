"""The head of a job's page: what it is doing now, who does it, since when; and what can be asked of it."""

from __future__ import annotations

from typing import Any

from pyapp import numbers
from pyapp.contract.jobs import Job, Timeline
from pyapp.contract.workers import Worker
from pyapp.core.cache.result import Result
from pyapp.core.freshness import FreshnessReason
from pyapp.pages import addresses, formats
from pyapp.pages.asked import AskCancel, Asked, Dismiss, Retry, ending, find
from pyapp.pages.copying import copy_button
from pyapp.pages.job_state import ChooseTab, State
from pyapp.pages.jobs_table import REPEATABLE, STOPPABLE
from pyapp.pages.panel import Reload, did_not_load, panel
from pyapp.pages.protocol import Env, Results
from pyapp.ui import TemplateResult, each, html, nothing
from pyapp.ui.components.marks import age, icon, progress, status, status_word, time

ERROR_LINES = 6
"""How much of an error stands in the head; all of it is in the details."""


def summary(state: State, results: Results, env: Env) -> TemplateResult:
    """The panel."""
    result: Result[Job] = results["job"]
    job = result.data
    state_mark: object = nothing
    controls: object = nothing
    if job is None:
        body = _absent(state, result)
    else:
        asked = find(state.asked, job.id)
        state_mark, controls = status(job.status), _controls(job, asked)
        body = html(t"{_now(job)}{_said(job, asked)}{_facts(job, results)}{nothing if state.tab == 'details' else _error(job)}")
    return panel(
        "summary",
        job.function_name if job else "Job",
        result,
        body,
        reload=("job",),
        opened=env.opened,
        classes="c12 job",
        chip=state_mark,
        controls=controls,
    )


def _absent(state: State, result: Result[Job]) -> TemplateResult:
    """No such job, no answer, or none yet."""
    if result.error is None:
        bone = html(t'<span class="bone w3"></span>')
        parts = tuple(html(t"<div><dt>{bone}</dt><dd>{bone}</dd></div>") for _ in range(6))
        return html(t'<dl class="strip-facts" aria-hidden="true">{parts}</dl><p class="sr" role="status">Loading the job</p>')
    if result.freshness.reason is not FreshnessReason.MISSING and result.error.status != 404:
        return did_not_load("The job", result, ("job",), as_high_as="figures")
    return html(
        t'<div class="blank as-figures"><span class="strong">No such job: <bdi class="mono">{state.job_id}</bdi>.</span>'
        t"The server does not know it, or does not keep it any more. Some servers know a job only when it has started.<br>"
        t'<button type="button" class="btn" @click={Reload(needs=("job", "timeline"))}>{icon("t-refresh", small=True)}Ask again'
        t"</button> "
        t'<a class="btn" href={addresses.to("jobs")}>All jobs</a></div>'
    )


def _controls(job: Job, asked: Asked | None) -> TemplateResult:
    """Retry or cancel, whichever makes sense; the place is kept while something was asked."""
    if asked is not None and asked.pending(job):
        return html(t'<span class="act-one"><span class="asked" role="status">Asked</span></span>')
    if job.status in STOPPABLE:
        press: AskCancel | Retry = AskCancel(job_id=job.id, name=job.function_name)
        word, symbol = "Cancel job", "s-cancelled"
    elif job.status in REPEATABLE:
        press, word, symbol = Retry(job_id=job.id, seen=ending(job)), "Retry", "t-refresh"
    else:
        # On a narrow screen it has a line of its own, which stays when a job ends.
        return html(t'<span class="act-one"></span>')
    return html(
        t'<span class="act-one"><button type="button" class="btn" @click={press}>{icon(symbol, small=True)}{word}</button></span>'
    )


def _now(job: Job) -> TemplateResult | None:
    """How far it is, and what it says of that."""
    if job.status != "active" or not (job.progress or job.message):
        return nothing
    message = html(t'<bdi class="soft">{job.message}</bdi>') if job.message else nothing
    return html(t'<p class="sec">{progress(formats.share(job.progress))} {message}</p>')


def _said(job: Job, asked: Asked | None) -> TemplateResult | None:
    """What became of what was asked: the job itself says whether it happened."""
    if asked is None:
        return nothing
    what = "Cancel" if asked.verb == "cancel" else "Retry"
    if asked.phase == "refused":
        dismiss = html(t'<button type="button" class="btn small" @click={Dismiss(job_id=job.id)}>Dismiss</button>')
        return html(
            t'<p class="say" role="alert">{icon("s-warn", small=True)}{what} was refused: <bdi>{asked.message}</bdi> {dismiss}</p>'
        )
    if not asked.pending(job):
        return nothing
    if asked.phase == "sent":
        return html(t'<p class="sec soft" role="status">{what} is on its way to the server.</p>')
    now = status_word(job.status).lower()
    return html(t'<p class="sec soft" role="status">The server accepted: {what.lower()}. The job is still {now}.</p>')


def _facts(job: Job, results: Results) -> TemplateResult:
    """The few figures and names that one looks for first."""
    rows: list[tuple[str, object]] = [
        (_lasted_word(job), _lasted(job)),
        ("Queue wait", _wait(job)),
        ("Attempt", f"{numbers.count(job.attempts)} of {numbers.count(max(job.attempts, job.max_retries + 1))}"),
        *_when(job),
        ("Function", _function(job)),
        ("Worker", _worker(job, results)),
        ("Type", _type(job)),
        ("Parent", _parent(job)),
        ("Tree", _below(job, results)),
    ]
    items = each(rows, key=lambda row: row[0], render=lambda row: html(t"<div><dt>{row[0]}</dt><dd>{row[1]}</dd></div>"))
    return html(t'<dl class="strip-facts">{items}</dl>')


def _function(job: Job) -> TemplateResult:
    address = addresses.to("functions", job.function)
    return html(t'<a class="link" href={address} title={job.function}><bdi>{job.function_name}</bdi></a>')


def _lasted_word(job: Job) -> str:
    if job.status == "active":
        return "Running for"
    return "Waiting for" if job.status in ("queued", "pending") else "Ran"


def _lasted(job: Job) -> object:
    if job.status == "active":
        return age(formats.iso(job.started_at), plain=True) if job.started_at else formats.NONE
    if job.status in ("queued", "pending"):
        since = job.scheduled_at or job.created_at
        return age(formats.iso(since), plain=True) if since else formats.NONE
    return str(formats.duration(job.duration_ms))


def _wait(job: Job) -> str:
    return str(formats.duration(job.queue_wait_ms))


def _when(job: Job) -> list[tuple[str, object]]:
    rows: list[tuple[str, object]] = []
    for word, at in (("Started", job.started_at), ("Ended", job.completed_at)):
        if at is not None:
            moment = formats.iso(at)
            rows.append((word, html(t"{time(moment)}, {age(moment, plain=True)} ago")))
    if not rows and job.created_at is not None:
        rows.append(("Created", html(t"{time(formats.iso(job.created_at))}")))
    return rows


def _worker(job: Job, results: Results) -> object:
    """The instance, as a link to its worker where that is known, else to its jobs."""
    if job.worker_id is None:
        return html(t'<span class="dim">none yet</span>') if job.status in STOPPABLE else formats.NONE
    known = results.get("workers")
    workers: tuple[Worker, ...] = () if known is None or known.data is None else known.data.rows
    name = next((worker.name for worker in workers if any(one.id == job.worker_id for one in worker.instances)), None)
    address = addresses.to("workers", name) if name else addresses.to("jobs", worker=job.worker_id)
    return html(t'<a class="link mono" href={address} title={name or "Jobs of this instance"}><bdi>{job.worker_id}</bdi></a>')


def _type(job: Job) -> str:
    """What kind of job it is, and what caused it."""
    source = job.source
    caused = (source.schedule or source.event_pattern) if source else None
    return f"{job.job_type or formats.NONE}, {caused}" if caused else job.job_type or formats.NONE


def _parent(job: Job) -> object:
    if job.parent_id is None:
        return html(t'<span class="dim">none, this is the root</span>')
    return html(t'<a class="link mono" href={addresses.to("jobs", job.parent_id)}><bdi>{job.parent_id}</bdi></a>')


def _below(job: Job, results: Results) -> object:
    """How large the tree is and how it fares."""
    known = results.get("timeline")
    tree: Timeline | None = None if known is None else known.data
    if tree is None:
        return formats.NONE
    failed = sum(one.status == "failed" for one in tree.jobs)
    words = "this job alone" if tree.total <= 1 else formats.plural(tree.total, "job")
    return html(t'{words}, <span class="err">{numbers.count(failed)} failed</span>') if failed and tree.total > 1 else words


def _error(job: Job) -> TemplateResult | None:
    """Why it failed, at once: that is what somebody came for. The details have all of it."""
    if not job.error or job.status not in ("failed", "retrying"):
        return nothing
    lines = job.error.splitlines() or [job.error]
    shown = "\n".join(lines if len(lines) <= ERROR_LINES else (lines[0], "…", *lines[2 - ERROR_LINES :]))
    more: object = nothing
    if len(lines) > ERROR_LINES:
        more = html(t'<button type="button" class="btn small" @click={ChooseTab(tab="details")}>Whole traceback</button>')
    head = html(t"<h3>Error {copy_button('the error', job.error)}{more}</h3>")
    return html(t'<div class="sec">{head}<pre class="code bad" tabindex="0"><bdi>{shown}</bdi></pre></div>')


def unknown(results: Results) -> bool:
    """Whether there is no job to show anything of: the head says it, and nothing else has to."""
    result: Result[Any] = results["job"]
    return result.data is None and result.error is not None
