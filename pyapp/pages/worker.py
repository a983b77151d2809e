"""One worker: its room as a ring, its instances with their heartbeats, and the functions that it runs.

    message   state
    SortBy    that column's order of the instances
    SetLive   the page goes on, or stops where it is
    Reload    → Refresh

It reads the same answer and stream as the list of workers. The URL: `workers/{name}`, `sort=-failed`, `paused=1`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from pyapp.contract.workers import Instance, Worker
from pyapp.core.cache.keys import live
from pyapp.core.cache.result import Result
from pyapp.pages import addresses, formats, sorting
from pyapp.pages.fleet import Fleet, failures, fleet_of, meter, stale_ids, state_mark
from pyapp.pages.list_menu import list_menu
from pyapp.pages.listings import whole
from pyapp.pages.live_control import SetLive, live_control
from pyapp.pages.panel import Reload, did_not_load, panel
from pyapp.pages.protocol import Effect, Env, Heading, Message, Need, Panel, Refresh, Results
from pyapp.pages.rows import Column, Table, loading, plain_rows
from pyapp.pages.sorting import Sort, SortBy
from pyapp.ui import TemplateResult, each, html, nothing
from pyapp.ui.components.controls import COPY
from pyapp.ui.components.donut import donut
from pyapp.ui.components.marks import age

_COLUMNS: Final = (
    Column("State", "w7 w-st", "w4", sort="state"),
    Column("Instance", "", "w2", sort="instance"),
    Column("Host", "w7 p2", "w3", sort="host"),
    Column("Running", "w9 w-load", "w4", sort="running"),
    Column("Processed", "w6 num p2", "w3", sort="processed"),
    Column("Failed", "w5 num p1", "w2", sort="failed"),
    Column("Up for", "w6 num p3", "w3", sort="up"),
    Column("Heartbeat", "w6 num w-dur", "w3", sort="heartbeat"),
)
_LARGEST_FIRST: Final = frozenset({"running", "processed", "failed", "heartbeat"})
DEFAULT_SORT: Final = Sort(column="instance")

Line = tuple[Instance, bool]
"""An instance, and whether nobody has heard of it for too long."""

_KEYS: Final[Mapping[str, Callable[[Line], Any]]] = {
    "state": lambda line: not line[1],
    "instance": lambda line: line[0].id,
    "host": lambda line: line[0].hostname,
    "running": lambda line: line[0].active_jobs,
    "processed": lambda line: line[0].jobs_processed,
    "failed": lambda line: line[0].jobs_failed,
    "up": lambda line: line[0].started_at,
    "heartbeat": lambda line: line[0].last_heartbeat,
}


class State(BaseModel):
    """Which worker, and whether the page moves; no data."""

    model_config = ConfigDict(frozen=True)

    name: str
    sort: Sort = DEFAULT_SORT
    live: bool = True
    problem: str | None = None


def initial(params: Mapping[str, str]) -> State:
    """The page of a URL."""
    sort, problem = sorting.from_param(params.get("sort"), _KEYS, DEFAULT_SORT)
    return State(name=params.get("name", ""), sort=sort, live=params.get("paused") != "1", problem=problem)


def params(state: State) -> dict[str, str]:
    """What stands behind the path."""
    sort = {} if state.sort == DEFAULT_SORT else {"sort": str(state.sort)}
    return sort if state.live else sort | {"paused": "1"}


def needs(state: State) -> dict[str, Need]:
    """The whole fleet, as the list has it: going from one to the other asks nothing anew."""
    return {"workers": Need(live("workers"), live=state.live)}


def update(state: State, message: Message) -> State | tuple[State, *tuple[Effect, ...]]:
    """The next state: the table above. A message of no interest here changes nothing."""
    match message:
        case SortBy(column=column) if column in _KEYS:
            sort = state.sort.by(column, largest_first=column in _LARGEST_FIRST)
            return state.model_copy(update={"sort": sort, "problem": None})
        case SetLive(live=on):
            return state.model_copy(update={"live": on})
        case Reload(needs=names):
            return state, *(Refresh(name) for name in names)
        case _:
            return state


def heading(state: State) -> Heading:
    return Heading("Workers", state.name, addresses.to("workers"))


def layout(state: State, env: Env) -> TemplateResult:
    """Room at the left, instances beside it, functions below."""
    return html(
        t'<div class="grid"><div class="root" data-root="panel capacity"></div><div class="root" data-root="panel instances"></div>'
        t'<div class="root" data-root="panel functions"></div></div>'
    )


def _worker(state: State, results: Results) -> Worker | None:
    result = results["workers"]
    rows: tuple[Worker, ...] = () if result.data is None else result.data.rows
    return next((worker for worker in rows if worker.name == state.name), None)


def _stale(results: Results, now_ms: float) -> frozenset[str]:
    result = results["workers"]
    return frozenset() if result.data is None else stale_ids(result.data.rows, now_ms)


def _absent(words: str, result: Result[object], bones: TemplateResult) -> TemplateResult:
    """What stands where the worker is not: not yet, or not at all, which the first panel says."""
    if result.data is None:
        return did_not_load(words, result, ("workers",)) if result.error else bones
    return html(t'<div class="blank">{words}: none.</div>')


def _unknown(state: State) -> TemplateResult:
    return html(
        t'<div class="blank"><span class="strong">No worker is named <bdi>{state.name}</bdi>.</span>It may have stopped, or never '
        t'have started. It appears here when it does.<br><a class="btn" href={addresses.to("workers")}>All workers</a></div>'
    )


def _capacity(state: State, results: Results, env: Env) -> TemplateResult:
    result, worker = results["workers"], _worker(state, results)
    if worker is None:
        bones = html(t'<p class="sr" role="status">Loading the capacity</p>')
        body = _absent("Capacity", result, bones) if result.data is None else _unknown(state)
    else:
        body = _ring(fleet_of(worker, _stale(results, env.now_ms)))
    return panel("capacity", "Capacity", result, body, reload=("workers",), opened=env.opened, classes="c4")


def _counted(fleet: Fleet) -> str:
    known = formats.count(fleet.instances)
    return f"{known}, {formats.count(fleet.stale)} stale" if fleet.stale else known


def _ring(fleet: Fleet) -> TemplateResult:
    label = f"{formats.count(fleet.running)} of {formats.count(fleet.capacity)} slots running"
    facts: list[tuple[str, object]] = [
        ("State", state_mark(fleet.state)),
        ("Free", formats.plural(max(0, fleet.capacity - fleet.running), "slot")),
        ("Instances", _counted(fleet)),
        ("Processed", formats.count(fleet.processed)),
        ("Failed", failures(fleet.failed, fleet.processed)),
        ("Heartbeat", html(t"{age(formats.iso(fleet.heard), plain=True)} ago") if fleet.heard else formats.NONE),
    ]
    rows = each(facts, key=lambda row: row[0], render=lambda row: html(t"<dt>{row[0]}</dt><dd>{row[1]}</dd>"))
    return html(t'<div class="ring">{donut(label, fleet.running, fleet.capacity)}<dl class="kv">{rows}</dl></div>')


def _instances(state: State, results: Results, env: Env) -> TemplateResult:
    result, worker = results["workers"], _worker(state, results)
    stale = _stale(results, env.now_ms)
    menu = list_menu("instances", "the instances", env.opened, columns=_COLUMNS, sort=state.sort, choose=False)
    count: object = nothing
    if worker is None:
        body = _absent("Instances", result, loading(_table(stale, state.sort)))
    elif not worker.instances:
        body = html(t'<div class="blank"><span class="strong">No instance is running.</span>One appears here as it starts.</div>')
    else:
        body = plain_rows(_table(stale, state.sort), _arranged(state, worker, stale), same=(stale,))
        count = formats.count(len(worker.instances))
    return panel(
        "instances",
        "Instances",
        result,
        body,
        reload=("workers",),
        opened=env.opened,
        classes="c8",
        count=count,
        controls=html(t"{live_control('instances', live=state.live)}{menu}"),
        go_live=SetLive(panel="instances", live=True),
    )


def _shown(state: State, results: Results, env: Env, workers: Sequence[Worker]) -> list[Instance]:
    worker = _worker(state, results)
    return _arranged(state, worker, _stale(results, env.now_ms)) if worker is not None else []


def _arranged(state: State, worker: Worker, stale: frozenset[str]) -> list[Instance]:
    lines = ((one, one.id in stale) for one in worker.instances)
    return [one for one, _ in sorting.arranged(lines, state.sort, _KEYS, lambda line: line[0].id)]


def _table(stale: frozenset[str], sort: Sort) -> Table[Instance]:
    def row(one: Instance) -> TemplateResult:
        state = state_mark("stale" if one.id in stale else "ready")
        jobs = addresses.to("jobs", worker=one.id)
        return html(
            t'<tr><td>{state}</td><td data-copy={one.id}><a class="mono" href={jobs} title="Jobs of this instance">{one.id}</a>{COPY}'
            t'<span class="sub-line">{one.hostname or ""}</span></td>'
            t'<td class="p2"><bdi>{one.hostname or formats.NONE}</bdi></td>'
            t"<td>{meter(one.active_jobs, one.concurrency, 'Running')}</td>"
            t'<td class="num p2">{formats.count(one.jobs_processed)}</td>'
            t'<td class="num p1">{failures(one.jobs_failed, one.jobs_processed)}</td>'
            t'<td class="num p3">{age(formats.iso(one.started_at))}</td>'
            t'<td class="num">{age(formats.iso(one.last_heartbeat))}</td></tr>'
        )

    return Table("instances", "Instances", _COLUMNS, key=lambda one: one.id, render=row, bones=3, sort=sort)


def _functions(state: State, results: Results, env: Env) -> TemplateResult:
    result, worker = results["workers"], _worker(state, results)
    count: object = nothing
    if worker is None:
        body = _absent("Functions", result, html(t'<p class="sr" role="status">Loading the functions</p>'))
    elif not worker.functions:
        body = html(t'<div class="blank"><span class="strong">This worker runs no function.</span></div>')
    else:
        named = sorted(((key, worker.function_names.get(key, key)) for key in worker.functions), key=lambda pair: pair[1].casefold())
        items = each(named, key=lambda pair: pair[0], render=_function)
        body = html(t'<ul class="names">{items}</ul>')
        count = formats.count(len(named))
    return panel("functions", "Functions", result, body, reload=("workers",), opened=env.opened, classes="c12", count=count)


def _function(pair: tuple[str, str]) -> TemplateResult:
    key, name = pair
    return html(t'<li><a class="fn" href={addresses.to("functions", key)} title={key}><bdi>{name}</bdi></a></li>')


PANELS: Mapping[str, Panel] = {
    "capacity": Panel(("workers",), _capacity, clock=_stale),
    "instances": Panel(("workers",), _instances, clock=_stale, listing=whole("instances", "instances", "workers", _shown)),
    "functions": Panel(("workers",), _functions),
}
