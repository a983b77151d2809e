"""The execution timeline: the tree of a job over time, one row per job.

Every position is a length of time from the tree's beginning; the element `<pen-gantt>` knows how much time there is to show, and where
now is: running bars grow without anything being drawn. The rows are those of a table, so a screen reader reads them as one.

    known of a job                       drawn
    asked for or due, and started        a thin line: it waited
    attempts before the one that is seen a dotted line from its beginning
    started                              a bar in the colour and shape of its state, to its end or to now
    retrying                             the attempt, then a dotted line to now
    never started                        a hollow box, to its end or to now
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pyapp.contract.jobs import TERMINAL_STATUSES, Job, Timeline
from pyapp.core.cache.result import Result
from pyapp.pages import addresses, formats
from pyapp.pages.job_state import State
from pyapp.pages.job_tree import Place, arrange, began
from pyapp.pages.live_control import SetLive, live_control
from pyapp.pages.panel import did_not_load, panel
from pyapp.pages.protocol import Env, Results
from pyapp.ui import TemplateResult, each, html, nothing
from pyapp.ui.components.marks import age, icon, quantity, status_word

INDENTED_MAX = 12
"""Deeper levels stand no further to the right: their names would have no room."""

_LEGEND = (
    ("complete", "complete"),
    ("active", "running"),
    ("failed", "failed"),
    ("cancelled", "cancelled"),
    ("wait", "in queue"),
    ("back", "earlier attempts, waiting to retry"),
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a row: `start` and `end` in ms from the tree's beginning; without an end it goes on to now."""

    kind: str
    start: float
    end: float | None


def timeline(state: State, results: Results, env: Env) -> TemplateResult:
    """The panel; nothing while another part of the job is shown."""
    if state.tab != "timeline":
        return html(t"")
    result: Result[Timeline] = results["timeline"]
    tree = result.data
    count: object = nothing
    if tree is None:
        body = _not_there(result)
    else:
        body = gantt(tree.jobs, state.job_id)
        count = extent(tree)
    return tree_panel("timeline", "Execution timeline", state, result, body, env, count)


def tree_panel(
    name: str, words: str, state: State, result: Result[Any], body: TemplateResult, env: Env, count: object, need: str = ""
) -> TemplateResult:
    """A panel below the tabs: live or paused with all the others there."""
    return panel(
        name,
        words,
        result,
        body,
        reload=(need or "timeline",),
        opened=env.opened,
        classes="c12",
        count=count,
        controls=live_control(name, live=state.live),
        go_live=SetLive(panel=name, live=True),
    )


def extent(tree: Timeline) -> str:
    """How many jobs are shown, and of how many."""
    shown = len(tree.jobs)
    return (
        formats.plural(shown, "job")
        if shown >= tree.total
        else f"{formats.count(shown)} of {formats.plural(tree.total, 'job')} read so far"
    )


def _not_there(result: Result[Any]) -> TemplateResult:
    if result.error is None:
        rows = tuple(html(t'<div class="g-row"><span class="bone w2"></span><span class="bone w4"></span></div>') for _ in range(4))
        return html(t'<div class="gantt" aria-hidden="true">{rows}</div><p class="sr" role="status">Loading the timeline</p>')
    if result.error.kind in ("missing", "content"):
        return html(
            t'<div class="blank"><span class="strong">There is no timeline of this job.</span>This server has none, or does not know '
            t"the job. What is known of it stands above and in the details.</div>"
        )
    return did_not_load("The timeline", result, ("timeline",))


def gantt(jobs: tuple[Job, ...], current: str) -> TemplateResult:
    """The rows with their axis."""
    known = {job.id: job for job in jobs}
    places = arrange(jobs)
    start = min((formats.wall_ms(at) for job in jobs if (at := began(job)) is not None), default=0.0)
    pieces = {job.id: pieces_of(job, start) for job in jobs}
    growing = any(piece.end is None for parts in pieces.values() for piece in parts)
    end = start + max((piece.end or piece.start for parts in pieces.values() for piece in parts), default=0.0)
    where = {place.job_id: place for place in places}
    rows = each(
        [known[place.job_id] for place in places],
        key=lambda job: job.id,
        render=lambda job: _row(job, where[job.id], pieces[job.id], current),
        same=(start, current, places),
    )
    orphans = sum(place.orphan for place in places)
    kinds = {piece.kind for parts in pieces.values() for piece in parts}
    legend = tuple(
        html(t'<span><span class="g-key k-{kind}" aria-hidden="true"></span>{words}</span>') for kind, words in _LEGEND if kind in kinds
    )
    note = f"The parents of {formats.plural(orphans, 'job')} are not in the answer: these stand at the root." if orphans else ""
    return html(
        t'<pen-gantt class="gantt" role="table" aria-label="Execution timeline" start={start} end={end} ?running={growing}>'
        t'<div class="g-row g-head" role="row"><span class="g-lab" role="columnheader">Run <span class="d">Duration</span></span>'
        t'<span class="g-axis" role="columnheader"><span class="sr">When</span></span></div>{rows}</pen-gantt>'
        t'<p class="legend">{legend}</p>{html(t'<p class="note">{note}</p>') if note else nothing}'
    )


def pieces_of(job: Job, start: float) -> tuple[Piece, ...]:
    """What is drawn of a job: the table above. Times that contradict each other make a piece of no length, and nothing worse."""

    def at(moment: Any) -> float | None:
        return None if moment is None else max(0.0, formats.wall_ms(moment) - start)

    first, started = at(began(job)), at(job.started_at)
    end = at(job.completed_at) if job.status in TERMINAL_STATUSES else None
    if first is None:
        return ()
    if started is None:
        if job.status == "active":
            return ()
        return (Piece("queued", first, None if end is None and job.status not in TERMINAL_STATUSES else max(first, end or first)),)
    if job.status in TERMINAL_STATUSES:
        end = max(started, started + (job.duration_ms or 0.0) if end is None else end)
    waited = max(0.0, job.queue_wait_ms if job.queue_wait_ms is not None else 0.0)
    due = max(first, started - waited) if job.queue_wait_ms is not None else started if job.attempts > 1 else first
    out: list[Piece] = []
    if job.attempts > 1 and due > first:
        out.append(Piece("back", first, due))
    if started > due:
        out.append(Piece("wait", due, started))
    if job.status in ("queued", "pending"):
        # It ran before and waits again: of what it waits for, only the beginning of the last attempt is known.
        return (*out, Piece("back", started, None))
    if job.status == "retrying":
        ran = started + (job.duration_ms or 0.0)
        return (*out, Piece("failed", started, ran), Piece("back", ran, None))
    return (*out, Piece(job.status, started, end))


def _row(job: Job, place: Place, pieces: tuple[Piece, ...], current: str) -> TemplateResult:
    depth = min(place.depth, INDENTED_MAX)
    guides = tuple(html(t'<span class="g-tree {"on" if on else ""}"></span>') for on in place.guides[:INDENTED_MAX])
    own = html(t'<span class="g-tree own {"last" if place.last else ""}"></span>') if depth else nothing
    here = "true" if job.id == current else nothing
    tries = html(t'<span class="att">attempt {job.attempts} of {max(job.attempts, job.max_retries + 1)}</span>')
    word = status_word(job.status)
    orphan = html(t'<span class="att" title="Parent {job.parent_id}">parent not in the answer</span>') if place.orphan else nothing
    bars = tuple(_bar(piece) for piece in pieces)
    wrong = f": {job.error.splitlines()[0]}" if job.error and job.error.strip() else ""
    return html(
        t'<div class="g-row" role="row" aria-current={here}><span class="g-lab" role="rowheader">{guides}{own}'
        t'<span class="st" data-st={job.status} title="{word}{wrong}">{icon(f"s-{job.status}")}<span class="sr">{word}</span></span>'
        t'<a class="fn" href={addresses.to("jobs", job.id)} title={job.id}><bdi>{job.function_name}</bdi></a>'
        t'{tries if job.attempts > 1 else nothing}{orphan}<span class="d">{lasted(job)}</span></span>'
        t'<span class="g-track" role="cell"><span class="sr">{_said(pieces)}</span>{bars}</span></div>'
    )


def _bar(piece: Piece) -> TemplateResult:
    if piece.end is None:
        begins = {"--from": round(piece.start, 3)}
        return html(t'<span class="g-bar k-{piece.kind} grows" aria-hidden="true" .style={begins}></span>')
    ends = {"--from": round(piece.start, 3), "--to": round(piece.end, 3)}
    return html(t'<span class="g-bar k-{piece.kind}" aria-hidden="true" .style={ends}></span>')


def lasted(job: Job) -> TemplateResult:
    """How long it took; while it runs, how far it is, or how long it has been running."""
    if job.status == "active":
        if job.progress > 0:
            return quantity((str(formats.share(job.progress)), "%"))
        return age(formats.iso(job.started_at)) if job.started_at else quantity(formats.NO_QUANTITY)
    return quantity(formats.duration(job.duration_ms))


def _said(pieces: tuple[Piece, ...]) -> str:
    """The bars in words, for who cannot see them."""
    words = {"wait": "in queue", "back": "earlier attempts", "queued": "waiting"}
    said = [
        f"{words.get(piece.kind, piece.kind)} from {formats.duration(piece.start)}"
        + (f" to {formats.duration(piece.end)}" if piece.end is not None else ", goes on")
        for piece in pieces
    ]
    return "; ".join(said) or "not known yet"
