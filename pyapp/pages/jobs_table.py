"""Jobs as rows: the long table of the jobs page, and the short one of the overview."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pyapp.contract.jobs import JOB_STATUSES, Job
from pyapp.core.cache.result import Result
from pyapp.pages import addresses, formats
from pyapp.pages.asked import AskCancel, Asked, AskedJobs, Dismiss, Retry, ending, find
from pyapp.pages.columns import Chosen, hidden, visible
from pyapp.pages.rows import Column, Table, spread
from pyapp.pages.selecting import PICK, Selected, box, boxes
from pyapp.pages.sorting import Sort
from pyapp.ui import TemplateResult, html, nothing
from pyapp.ui.components.controls import COPY
from pyapp.ui.components.marks import age, icon, progress, quantity, status, status_word

STOPPABLE = ("pending", "queued", "active", "retrying")
REPEATABLE = ("failed", "cancelled")

_STATUS = Column("Status", "w7 w-st", "w4")
_FUNCTION = Column("Function", "", "w2")
_DURATION = Column("Duration", "w9 num w-dur", "w2")
_AGE = Column("Age", "w5 num w-age", "w3", newest_first=True, id="when")
_TIME = Column("Time", "w8 num w-time", "w3", newest_first=True, id="when")

SHORT = (_STATUS, _FUNCTION, Column("Job", "w12 p2", "w4"), _DURATION, _AGE)
SHORT_WINDOW = (*SHORT[:-1], _TIME)
LONG = (
    PICK,
    _STATUS,
    _FUNCTION,
    Column("Job", "w12 p1", "w4"),
    Column("Type", "w4 p3", "w3"),
    Column("Attempt", "w5 num p2", "w2"),
    Column("Worker", "w9 p3", "w4"),
    Column("Wait", "w6 num p2", "w3"),
    _DURATION,
    _AGE,
    Column("Actions", "w5 act w-act", "", hidden_word=True),
)
LONG_WINDOW = tuple(
    column if column.hidden_word else replace(column, sort=column.name, newest_first=False) for column in (*LONG[:-2], _TIME, LONG[-1])
)
"""A window is the whole answer, so it can be sorted by any column; a live list is the latest, in the server's order."""

SORT_KEYS: Mapping[str, Callable[[Job], Any]] = {
    "status": lambda job: JOB_STATUSES.index(job.status),
    "function": lambda job: job.function_name.casefold(),
    "job": lambda job: job.id,
    "type": lambda job: job.job_type,
    "attempt": lambda job: job.attempts,
    "worker": lambda job: job.worker_id,
    "wait": lambda job: job.queue_wait_ms,
    "duration": lambda job: job.duration_ms,
    "when": lambda job: job.created_at or job.started_at,
}
SORT_LARGEST_FIRST = frozenset({"attempt", "wait", "duration", "when"})
SORT_DEFAULT = Sort(column="when", descending=True)
"""The server's own order."""


@dataclass(frozen=True, slots=True)
class Aside:
    """A line of a window under the row of a job: what happened since the window was read."""

    job: Job
    asked: Asked
    now: Result[Job] | None


Line = Job | Aside


def line_key(line: Line) -> str:
    """What names a line of a window."""
    return f"aside {line.job.id}" if isinstance(line, Aside) else line.id


def short_table(panel: str, *, live: bool, left: frozenset[str] = frozenset()) -> Table[Job]:
    """The overview's table: what runs, how long, how old."""

    def row(job: Job) -> TemplateResult:
        gone = "left" if job.id in left else nothing
        return html(
            t"<tr class={gone}><td>{status(job.status)}</td><td>{_function(job)}</td>"
            t'<td class="p2" data-copy={job.id}><span class="mono">{job.id}</span>{COPY}</td>'
            t'<td class="num">{_duration(job, live=live)}</td>{_when(job, live=live)}</tr>'
        )

    columns = SHORT if live else SHORT_WINDOW
    return Table(panel, "Latest jobs", columns, key=lambda job: job.id, render=row, scrolls=True, bones=9)


def long_table(
    panel: str,
    asked: AskedJobs,
    *,
    left: frozenset[str] = frozenset(),
    chosen: Chosen = None,
    selected: Selected = frozenset(),
    picks: TemplateResult | None = None,
) -> Table[Job]:
    """The jobs page, live: what was asked of a job is shown in its row until the job shows it."""
    shown = visible(LONG, chosen)

    def row(job: Job) -> TemplateResult:
        one = find(asked, job.id)
        pending = bool(one and one.pending(job))
        classes = " ".join(word for word, on in (("asked", pending), ("left", job.id in left), ("ticked", job.id in selected)) if on)
        refused = _refused(one, shown) if one and one.phase == "refused" else nothing
        cells, actions = _cells(job, live=True), _actions(job, pending=pending)
        return html(t"<tr class={classes} data-id={job.id}>{_box(job, selected)}{cells}{actions}</tr>{refused}")

    return Table(
        panel,
        "Jobs",
        LONG,
        key=lambda job: job.id,
        render=row,
        bones=20,
        hidden=hidden(LONG, chosen),
        picks=picks,
        change=boxes(panel),
    )


def _box(job: Job, selected: Selected) -> TemplateResult:
    return box(f"Select {job.function_name} {job.id}", checked=job.id in selected)


def window_table(
    panel: str,
    asked: AskedJobs,
    number: Callable[[str], int | None],
    chosen: Chosen = None,
    selected: Selected = frozenset(),
    picks: TemplateResult | None = None,
    sort: Sort | None = None,
) -> Table[Line]:
    """The jobs page, a window: rows never change; what happened since is written under them (RT-3)."""
    shown = visible(LONG_WINDOW, chosen)

    def row(line: Line) -> TemplateResult:
        if isinstance(line, Aside):
            return _aside(line, shown)
        one = find(asked, line.id)
        sent = one is not None and one.phase == "sent"
        cells, actions = _cells(line, live=False), _actions(line, pending=sent)
        classes = " ".join(word for word, on in (("asked", sent), ("ticked", line.id in selected)) if on)
        ticked = _box(line, selected)
        return html(t"<tr class={classes} data-id={line.id} aria-rowindex={number(line.id)}>{ticked}{cells}{actions}</tr>")

    return Table(
        panel,
        "Jobs of the window",
        LONG_WINDOW,
        key=line_key,
        render=row,
        bones=20,
        sort=sort,
        hidden=hidden(LONG_WINDOW, chosen),
        picks=picks,
        change=boxes(panel),
    )


def _cells(job: Job, *, live: bool) -> TemplateResult:
    tries = f"{job.attempts}/{max(job.attempts, job.max_retries + 1)}"
    again = "num p2" if job.attempts > 1 else "num p2 dim"
    return html(
        t"<td>{status(job.status)}</td><td>{_function(job)}</td>"
        t'<td class="p1" data-copy={job.id}><span class="mono">{job.id}</span>{COPY}</td>'
        t'<td class="p3 dim">{job.job_type or formats.NONE}</td>'
        t'<td class={again}>{tries}</td><td class="p3"><span class="mono">{job.worker_id or formats.NONE}</span></td>'
        t'<td class="num p2">{quantity(formats.duration(job.queue_wait_ms))}</td>'
        t'<td class="num">{_duration(job, live=live)}</td>{_when(job, live=live)}'
    )


def _function(job: Job) -> TemplateResult:
    """The name, what went wrong behind it, and the id under it where the panel is narrow. Foreign text stays in its direction."""
    tries = f" · {job.attempts}/{max(job.attempts, job.max_retries + 1)}" if job.attempts > 1 else ""
    wrong = nothing
    if job.error:
        kind = "err" if job.status == "failed" else "dim"
        wrong = html(t" <bdi class={kind} title={job.error}>{job.error}</bdi>")
    name = html(t'<a class="fn" href={addresses.to("jobs", job.id)} title={job.function}><bdi>{job.function_name}</bdi></a>')
    return html(t'{name}{wrong}<span class="sub-line mono">{job.id}{tries}</span>')


def _duration(job: Job, *, live: bool) -> TemplateResult:
    """How long it took; while it runs, how far it is, or how long it has been running."""
    if job.status == "active" and live:
        if job.progress > 0:
            return progress(formats.share(job.progress))
        return age(formats.iso(job.started_at)) if job.started_at else quantity(formats.NO_QUANTITY)
    return quantity(formats.duration(job.duration_ms))


def _when(job: Job, *, live: bool) -> TemplateResult:
    at = formats.iso(job.created_at or job.started_at)
    if live:
        return html(t'<td class="num"><pen-age at={at}></pen-age></td>')
    return html(t'<td class="num"><pen-time at={at}></pen-time></td>')


def _actions(job: Job, *, pending: bool) -> TemplateResult:
    if pending:
        return html(t'<td class="act"><span class="asked" role="status">Asked</span></td>')
    if job.status in STOPPABLE:
        return _action(AskCancel(job_id=job.id, name=job.function_name), "Cancel", "t-x", job)
    if job.status in REPEATABLE:
        return _action(Retry(job_id=job.id, seen=ending(job)), "Retry", "t-refresh", job)
    return html(t'<td class="act"></td>')


def _action(press: AskCancel | Retry, word: str, symbol: str, job: Job) -> TemplateResult:
    return html(
        t'<td class="act"><button type="button" class="btn" @click={press}>{icon(symbol, small=True)}<span class="word">{word}</span>'
        t'<span class="sr"> {job.function_name} {job.id}</span></button></td>'
    )


def _refused(one: Asked, columns: Sequence[Column]) -> TemplateResult:
    what = "Cancel" if one.verb == "cancel" else "Retry"
    words = html(
        t"{icon('t-right', small=True)} {what} was refused: <bdi>{one.message}</bdi>"
        t'<button type="button" class="btn small" @click={Dismiss(job_id=one.job_id)}>Dismiss</button>'
    )
    return html(t'<tr class="aside">{spread(columns, words)}</tr>')


def _aside(line: Aside, columns: Sequence[Column]) -> TemplateResult:
    """Since the window was read: what was asked, and where the job is now."""
    one = line.asked
    if one.phase == "refused":
        return _refused(one, columns)
    said = f"{one.verb} asked" if one.phase == "sent" else f"{one.verb} accepted"
    words = html(t"{icon('t-right', small=True)} Since this window was read: {said}, {_now(line)}")
    return html(t'<tr class="aside">{spread(columns, words)}</tr>')


def _now(line: Aside) -> TemplateResult:
    now = line.now
    if now is None or not now.has_data or now.data is None:
        return html(t"{now.error.args[0] if now and now.error else 'its state is on its way.'}")
    job = now.data
    if line.asked.pending(job):
        return html(t"and it is still {status(job.status)}. The server has not changed it.")
    attempt = f" attempt {job.attempts}" if job.attempts > 1 else ""
    return html(t"now {status(job.status)}{attempt}.")


def words_of(status_name: str | None) -> str:
    """A status as an adjective of jobs, empty for all."""
    return f"{status_word(status_name).lower()} " if status_name else ""
