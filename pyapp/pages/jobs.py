"""The jobs page: every job, live or of a chosen window, with filters, cancel and retry.

The state is in `jobs_state`; this module says what it needs and how it looks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pyapp.contract.functions import Function
from pyapp.contract.jobs import Job
from pyapp.contract.workers import Worker
from pyapp.core.cache.keys import QueryKey, aggregate, item, live, window
from pyapp.core.cache.result import Result
from pyapp.pages import formats, jobs_many
from pyapp.pages.asked import FOLLOWED
from pyapp.pages.cancel_dialog import cancel_dialog
from pyapp.pages.functions_table import failing
from pyapp.pages.jobs_state import (
    ChooseFunction,
    ChooseStatus,
    ChooseWorker,
    ClearFilters,
    Search,
    State,
    initial,
    params,
    update,
)
from pyapp.pages.jobs_table import LONG, LONG_WINDOW, SORT_DEFAULT, SORT_KEYS, Aside, Line, long_table, window_table, words_of
from pyapp.pages.list_menu import list_menu
from pyapp.pages.listings import ranged
from pyapp.pages.panel import did_not_load, panel
from pyapp.pages.protocol import Env, Heading, Need, Panel, Results
from pyapp.pages.rows import live_rows, loading, new_chip, window_rows
from pyapp.pages.selecting import head_box
from pyapp.pages.sorting import arranged
from pyapp.pages.tally import IN_FLIGHT, TABS, Tally, live_tally, window_tally
from pyapp.pages.window_control import window_control
from pyapp.ui import TemplateResult, each, html, nothing
from pyapp.ui.components.controls import Option, search_field, select
from pyapp.ui.components.marks import icon, status_word, time

__all__ = ["PANELS", "State", "heading", "initial", "layout", "needs", "params", "update"]

_ASKED = tuple(f"asked-{number}" for number in range(FOLLOWED))
"""Names of the needs of asked jobs, newest first; a window shows there what became of them."""


def needs(state: State) -> dict[str, Need]:
    """The list, what the tabs count, what the selects offer; in a window also the jobs that something was asked of."""
    chosen = {"function": state.function, "worker_id": state.worker}
    span = state.list.range
    bounds = {"after": span.after, "before": span.before} if span else {}
    # What the selects offer is read once: this route holds the stream of events and no other (RT-20).
    offered = {"functions": Need(live("functions"), live=False), "workers": Need(live("workers"), live=False)}
    out = {"jobs": Need(_list_key(state)), **offered}
    if state.worker is None:
        # A window stands still, and so do its figures.
        out["counts"] = Need(aggregate("jobs.stats", function=state.function, **bounds), live=span is None)
    if span is None:
        out["in-flight"] = Need(live("jobs", status=IN_FLIGHT, **chosen))
    else:
        out |= {name: Need(item("jobs", one.job_id)) for name, one in zip(_ASKED, state.asked, strict=False)}
    return out


def _list_key(state: State) -> QueryKey:
    filters = {"status": (state.status,) if state.status else None, "function": state.function, "worker_id": state.worker}
    span = state.list.range
    return window("jobs", after=span.after, before=span.before, **filters) if span else live("jobs", **filters)


def heading(state: State) -> Heading:
    return Heading("Jobs")


def layout(state: State, env: Env) -> TemplateResult:
    """Filters above, the list as long as the page, the dialog."""
    return html(
        t'<div class="root" data-root="panel filters"></div><div class="root" data-root="panel tally"></div>'
        t'<div class="root" data-root="panel jobs"></div><div class="root" data-root="panel picked"></div>'
        t'<div class="root" data-root="panel confirm"></div><div class="root" data-root="panel many"></div>'
    )


# -- Filters ----------------------------------------------------------------------------------------------------------


def _filters(state: State, results: Results, env: Env) -> TemplateResult:
    functions: tuple[Function, ...] = _rows(results.get("functions"))
    workers: tuple[Worker, ...] = _rows(results.get("workers"))
    instances = (
        Option(one.id, f"{worker.name}, {one.id}" if worker.name not in one.id else one.id)
        for worker in workers
        for one in worker.instances
    )
    clear = html(t'<button type="button" class="btn quiet" @click={ClearFilters()}>Clear</button>') if state.filtered else nothing
    return html(
        t'<form class="filters" role="search" @submit={Search.on("value", prevent=True)}>'
        t"{search_field('Search in the jobs that are loaded', 'Function, job id or error', state.query, Search.on('value'))}"
        t"{select('Function', (Option(f.key, f.name) for f in functions), state.function or '', ChooseFunction.on('value'))}"
        t"{select('Worker', instances, state.worker or '', ChooseWorker.on('value'))}{clear}</form>"
    )


def _rows(result: Result[Any] | None) -> tuple[Any, ...]:
    data = _data(result)
    return () if data is None else data.rows


# -- Tally ------------------------------------------------------------------------------------------------------------


def _tally(state: State, results: Results, env: Env) -> TemplateResult:
    counts = _counts(state, results)

    def tab(status: Any) -> TemplateResult:
        symbol = icon(f"s-{status}", small=True) if status else nothing
        return html(
            t'<button type="button" aria-pressed={"true" if status == state.status else "false"} '
            t"@click={ChooseStatus(status=status)}>{symbol}{status_word(status) if status else 'All'} <b>{counts[status]}</b></button>"
        )

    tabs = each(TABS, key=lambda status: status or "all", render=tab, same=(state.status, tuple(counts.items())))
    return html(t'<div class="tally" role="group" aria-label="Filter by status">{tabs}</div>')


def _counts(state: State, results: Results) -> Tally:
    stats, jobs, flying = _data(results.get("counts")), _data(results.get("jobs")), _data(results.get("in-flight"))
    if state.list.live:
        return live_tally(stats, flying)
    whole = jobs.rows if jobs is not None and jobs.complete and state.status is None else None
    return window_tally(whole, stats)


def _data(result: Result[Any] | None) -> Any:
    return result.data if result and result.has_data else None


# -- The list ---------------------------------------------------------------------------------------------------------


def _list(state: State, results: Results, env: Env) -> TemplateResult:
    result = results["jobs"]
    scope = str(_list_key(state))
    if result.data is None:
        body = did_not_load("Jobs", result, ("jobs",)) if result.error else loading(long_table("jobs", (), chosen=state.columns))
        return _panel(state, env, result, body)
    if state.list.live:
        return _live(state, env, result, result.data, scope)
    return _window(state, env, result, result.data, results)


def _panel(
    state: State, env: Env, result: Result[Any], body: TemplateResult, *, count: object = nothing, chip: object = nothing
) -> TemplateResult:
    shown = LONG if state.list.live else LONG_WINDOW
    menu = list_menu("jobs", "the jobs", env.opened, columns=shown, chosen=state.columns, sort=None if state.list.live else state.sort)
    return panel(
        "jobs",
        "Jobs",
        result,
        body,
        reload=("jobs", "counts"),
        opened=env.opened,
        classes="listing",
        count=count,
        chip=chip,
        controls=html(t"{window_control('jobs', state.list)}{menu}"),
        show_title=False,
    )


def _live(state: State, env: Env, result: Result[Any], data: Any, scope: str) -> TemplateResult:
    matching = _matching(state.query, data.rows)
    shown = state.list.painted.show(matching, held=state.list.held, key=lambda job: job.id)
    here, known = {row.id for row in shown}, {row.id for row in matching}
    waiting = sum(row.id not in here for row in matching) if state.list.held else 0
    left = frozenset(here - known)
    picks = _head_box(state, matching)
    table = long_table("jobs", state.asked, left=left, chosen=state.columns, selected=state.selected, picks=picks)
    same = (state.asked, state.columns, state.selected, left)
    body = live_rows(table, state.list, shown, scope, same=same) if shown else _nothing_here(state)
    count = html(t'<span role="status">{_live_count(state, data, len(matching))}</span>')
    return _panel(state, env, result, body, count=count, chip=new_chip("jobs", waiting))


def _live_count(state: State, data: Any, matching: int) -> str:
    loaded = len(data.rows)
    if state.query:
        return f"{matching} of {loaded} loaded match"
    if data.total is None:
        return f"latest {loaded}"
    total = f"about {formats.count(data.total)}" if data.approximate else formats.count(data.total)
    return f"latest {loaded} of {total}" if data.total > loaded else f"all {total}"


def _window(state: State, env: Env, result: Result[Any], data: Any, results: Results) -> TemplateResult:
    rows = _arranged(state, data.rows)
    lines = _lines(state, rows, results)
    # Only what is rendered needs its number: the row of the head is 1.
    start = state.list.start
    seen = {line.id: n for n, line in enumerate(lines[start : state.list.end], start + 2) if isinstance(line, Job)}
    picks = _head_box(state, rows)
    table = window_table("jobs", state.asked, seen.get, state.columns, state.selected, picks, state.sort)
    same = (state.asked, state.columns, state.selected, state.query)
    body = window_rows(table, state.list, lines, same=same) if rows else _nothing_here(state)
    total, loaded = formats.plural(data.total, "job"), formats.count(len(data.rows))
    extent = "the whole range" if data.complete else f"{loaded} read so far"
    found = f"{formats.count(len(rows))} of {loaded} loaded match, " if state.query else ""
    count = html(t'<span role="status">{found}{total}, {extent}</span>, read {time(result.updated_ms)}')
    return _panel(state, env, result, body, count=count)


def _lines(state: State, rows: tuple[Job, ...], results: Results) -> tuple[Line, ...]:
    """The rows, and under an asked one what became of it. The row itself stays as the window read it (RT-3)."""
    if not state.asked:
        return rows
    became = {one.job_id: (one, results.get(name)) for name, one in zip(_ASKED, state.asked, strict=False)}
    out: list[Line] = []
    for row in rows:
        out.append(row)
        if row.id in became:
            out.append(Aside(row, *became[row.id]))
    return tuple(out)


def _matching(query: str, rows: tuple[Job, ...]) -> tuple[Job, ...]:
    """What is loaded and has the text in its function, id or error."""
    if not query:
        return rows
    wanted = query.casefold()
    return tuple(row for row in rows if any(wanted in text.casefold() for text in (row.function_name, row.id, row.error or "")))


def _shown(state: State, results: Results, env: Env, rows: Sequence[Job]) -> tuple[Job, ...]:
    return _matching(state.query, tuple(rows)) if state.list.live else _arranged(state, tuple(rows))


def _head_box(state: State, rows: Sequence[Job]) -> TemplateResult:
    return head_box("jobs", "all that is shown", (row.id for row in rows), state.selected)


def _arranged(state: State, rows: tuple[Job, ...]) -> tuple[Job, ...]:
    """The rows of a window that match, in the chosen order. Thousands are put in order once, and not with every scroll."""

    def arrange() -> tuple[Job, ...]:
        found = _matching(state.query, rows)
        return found if state.sort == SORT_DEFAULT else tuple(arranged(found, state.sort, SORT_KEYS, lambda row: row.id))

    return state.list.arranged.of(rows, (state.query, state.sort), arrange)


def _nothing_here(state: State) -> TemplateResult:
    """Why there is no row, and what would change that."""
    of = f" of {state.function}" if state.function else ""
    if state.query:
        return _blank(f"Nothing that is loaded has “{state.query}” in it.", "The search looks at loaded jobs only.", clear=True)
    if not state.list.live:
        return _blank(f"No {words_of(state.status)}jobs{of} in this window.", "Choose a longer one, or go live.", clear=state.filtered)
    if state.filtered:
        return _blank(f"No {words_of(state.status)}jobs{of}.", "New ones appear here as they happen.", clear=True)
    return _blank("The server has no jobs.", "New ones appear here as they happen.", clear=False)


def _blank(what: str, then: str, *, clear: bool) -> TemplateResult:
    button = html(t'<br><button type="button" class="btn" @click={ClearFilters()}>Clear filters</button>') if clear else nothing
    return html(t'<div class="blank"><bdi class="strong">{what}</bdi>{then}{button}</div>')


def _picked(state: State, results: Results, env: Env) -> TemplateResult:
    rows = _rows(results.get("jobs"))
    return jobs_many.bar(_shown(state, results, env, rows), state.selected, state.asked, state.batch)


# -- The dialog -------------------------------------------------------------------------------------------------------


def _confirm(state: State, results: Results, env: Env) -> TemplateResult:
    return cancel_dialog(state.confirming)


PANELS: Mapping[str, Panel] = {
    "filters": Panel(("functions", "workers"), _filters, alarm=failing),
    "tally": Panel(("counts", "in-flight", "jobs"), _tally),
    "jobs": Panel(("jobs", *_ASKED), _list, listing=ranged("jobs", "jobs", lambda state: state.list, _shown)),
    "confirm": Panel((), _confirm),
    "many": Panel((), lambda state, results, env: jobs_many.dialog(state.many)),
    "picked": Panel(("jobs",), _picked),
}
