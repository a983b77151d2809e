"""The workers page: every worker with what it runs, for how much it has room, and when it was last heard of.

    message                 state
    Search                  the text, looked for in names, hosts and instances
    SortBy                  that column's order
    those of `columns`      which columns are shown
    SetLive                 the list goes on, or stops where it is
    Reload                  → Refresh
    Hold, Release, ShowNew  as in `listing`

The URL: `q=…`, `sort=-failed`, `columns=…`, `paused=1`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from pyapp.contract.workers import Worker
from pyapp.core.cache.keys import live
from pyapp.pages import addresses, columns, formats, listing, sorting
from pyapp.pages.columns import Chosen
from pyapp.pages.fleet import RANK, Fleet, failures, fleet_of, meter, stale_ids, state_mark
from pyapp.pages.list_menu import list_menu
from pyapp.pages.listing import ListState
from pyapp.pages.listings import whole
from pyapp.pages.live_control import SetLive
from pyapp.pages.panel import Reload
from pyapp.pages.protocol import Effect, Env, Heading, Message, Need, Panel, Refresh, Results
from pyapp.pages.rows import Column, Table
from pyapp.pages.sorting import Sort, SortBy
from pyapp.pages.whole_list import whole_list
from pyapp.ui import Action, TemplateResult, html, nothing
from pyapp.ui.components.controls import search_field
from pyapp.ui.components.marks import age

QUERY_MAX = 200
DEFAULT_SORT = Sort(column="worker")

COLUMNS: Final = (
    Column("State", "w8 w-st", "w4", sort="state"),
    Column("Worker", "", "w2", sort="worker"),
    Column("Instances", "w7 num p1", "w2", sort="instances"),
    Column("Running", "w9 w-load", "w4", sort="running"),
    Column("Processed", "w7 num p2", "w3", sort="processed"),
    Column("Failed", "w6 num p2", "w2", sort="failed"),
    Column("Functions", "w7 num p3", "w2", sort="functions"),
    Column("Heartbeat", "w7 num w-dur", "w3", sort="heartbeat"),
)
_LARGEST_FIRST: Final = frozenset({"instances", "running", "processed", "failed", "functions", "heartbeat"})

Line = tuple[Worker, Fleet]


class Search(Action):
    """Look for a text in what is loaded."""

    value: str


class State(BaseModel):
    """What the workers page shows; no data."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    query: str = Field(default="", max_length=QUERY_MAX)
    sort: Sort = DEFAULT_SORT
    columns: Chosen = None
    live: bool = True
    list: ListState = Field(default_factory=ListState)
    problem: str | None = None


def initial(params: Mapping[str, str]) -> State:
    """The page of a URL. A column that there is not is dropped, and said."""
    shown, problem = columns.from_param(params.get("columns"), COLUMNS)
    sort, unsorted = sorting.from_param(params.get("sort"), _KEYS, DEFAULT_SORT)
    query, going = params.get("q", "")[:QUERY_MAX], params.get("paused") != "1"
    return State(query=query, sort=sort, columns=shown, live=going, problem=problem or unsorted)


def params(state: State) -> dict[str, str]:
    """The URL of a page; what is as usual is left out."""
    out = ({"q": state.query} if state.query else {}) | columns.to_params(state.columns)
    if state.sort != DEFAULT_SORT:
        out["sort"] = str(state.sort)
    return out if state.live else out | {"paused": "1"}


def needs(state: State) -> dict[str, Need]:
    """The whole fleet: one answer, and its stream."""
    return {"workers": Need(live("workers"), live=state.live)}


def update(state: State, message: Message) -> State | tuple[State, *tuple[Effect, ...]]:
    """The next state: the table above. A message of no interest here changes nothing."""
    match message:
        case Search(value=value):
            return state.model_copy(update={"query": value[:QUERY_MAX], "list": state.list.fresh(), "problem": None})
        case SortBy(column=column) if column in _KEYS:
            sort = state.sort.by(column, largest_first=column in _LARGEST_FIRST)
            return state.model_copy(update={"sort": sort, "list": state.list.fresh(), "problem": None})
        case columns.ShowColumn() | columns.AllColumns():
            return state.model_copy(update={"columns": columns.update(state.columns, message, COLUMNS), "problem": None})
        case SetLive(live=on):
            return state.model_copy(update={"live": on})
        case Reload(needs=names):
            return state, *(Refresh(name) for name in names)
        case listing.Hold() | listing.Release() | listing.ShowNew():
            return state.model_copy(update={"list": listing.update(state.list, message)})
        case _:
            return state


def heading(state: State) -> Heading:
    return Heading("Workers")


def layout(state: State, env: Env) -> TemplateResult:
    """The search above, the list below."""
    return html(t'<div class="root" data-root="panel filters"></div><div class="root" data-root="panel workers"></div>')


def _filters(state: State, results: Results, env: Env) -> TemplateResult:
    field = search_field("Search in the workers", "Worker, instance or host", state.query, Search.on("value"))
    return html(t'<form class="filters" role="search" @submit={Search.on("value", prevent=True)}>{field}</form>')


def _rows(results: Results) -> tuple[Worker, ...]:
    result = results.get("workers")
    return () if result is None or result.data is None else result.data.rows


def _stale(results: Results, now_ms: float) -> frozenset[str]:
    return stale_ids(_rows(results), now_ms)


def _silent(results: Results, now_ms: float) -> str:
    """Instances that nobody hears of, for the browser's tab."""
    stale = len(_stale(results, now_ms))
    return f"{stale} stale" if stale else ""


_KEYS: Final[Mapping[str, Callable[[Line], Any]]] = {
    "state": lambda line: RANK[line[1].state],
    "worker": lambda line: line[0].name.casefold(),
    "instances": lambda line: line[1].instances,
    "running": lambda line: line[1].running,
    "processed": lambda line: line[1].processed,
    "failed": lambda line: line[1].failed,
    "functions": lambda line: len(line[0].functions),
    "heartbeat": lambda line: line[1].heard,
}


def _matches(worker: Worker, query: str) -> bool:
    texts = [worker.name, *(text for one in worker.instances for text in (one.id, one.hostname or ""))]
    return not query or any(query.casefold() in text.casefold() for text in texts)


def _matching(state: State, workers: Sequence[Worker], stale: frozenset[str]) -> list[Worker]:
    lines = ((worker, fleet_of(worker, stale)) for worker in workers if _matches(worker, state.query))
    return [worker for worker, _ in sorting.arranged(lines, state.sort, _KEYS, lambda line: line[0].name)]


def _shown(state: State, results: Results, env: Env, workers: Sequence[Worker]) -> list[Worker]:
    return _matching(state, workers, _stale(results, env.now_ms))


def _count(workers: Sequence[Worker], stale: frozenset[str]) -> str:
    words = formats.plural(len(workers), "worker")
    silent = sum(one.id in stale for worker in workers for one in worker.instances)
    return f"{words}, {formats.plural(silent, 'stale instance')}" if silent else words


def _list(state: State, results: Results, env: Env) -> TemplateResult:
    stale = _stale(results, env.now_ms)
    return whole_list(
        "workers",
        "Workers",
        results["workers"],
        state.list,
        env,
        live=state.live,
        matching=lambda workers: _matching(state, workers, stale),
        table=lambda left: _table(state, stale, left),
        same=(stale,),
        scope=f"{state.query} {state.sort}",
        count=lambda workers: _count(workers, stale),
        empty=lambda any_at_all: _nothing_here(state, any_at_all=any_at_all),
        menu=list_menu("workers", "the workers", env.opened, columns=COLUMNS, chosen=state.columns, sort=state.sort),
    )


def _name(worker: Worker) -> str:
    return worker.name


def _table(state: State, stale: frozenset[str], left: frozenset[str]) -> Table[Worker]:
    def row(worker: Worker) -> TemplateResult:
        fleet = fleet_of(worker, stale)
        gone = "left" if worker.name in left else nothing
        count = formats.plural(fleet.instances, "instance")
        return html(
            t"<tr class={gone}><td>{state_mark(fleet.state)}</td>"
            t'<td><a class="fn" href={addresses.to("workers", worker.name)}><bdi>{worker.name}</bdi></a>'
            t'<span class="sub-line">{count}</span></td>'
            t'<td class="num p1">{formats.count(fleet.instances)}</td><td>{meter(fleet.running, fleet.capacity, "Running")}</td>'
            t'<td class="num p2">{formats.count(fleet.processed)}</td>'
            t'<td class="num p2">{failures(fleet.failed, fleet.processed)}</td>'
            t'<td class="num p3">{formats.count(len(worker.functions))}</td>'
            t'<td class="num">{age(formats.iso(fleet.heard))}</td></tr>'
        )

    gone_columns = columns.hidden(COLUMNS, state.columns)
    return Table("workers", "Workers", COLUMNS, key=_name, render=row, bones=6, sort=state.sort, hidden=gone_columns)


def _nothing_here(state: State, *, any_at_all: bool) -> TemplateResult:
    if any_at_all:
        clear = html(t'<br><button type="button" class="btn" @click={Search(value="")}>Clear the search</button>')
        words = f"No worker has “{state.query}” in it."
        return html(t'<div class="blank"><bdi class="strong">{words}</bdi>The search looks at names, instances and hosts.{clear}</div>')
    return html(
        t'<div class="blank"><span class="strong">No worker is running.</span>Jobs wait in the queue until one starts. '
        t"It appears here as it does.</div>"
    )


PANELS: Mapping[str, Panel] = {
    "filters": Panel((), _filters),
    "workers": Panel(("workers",), _list, clock=_stale, alarm=_silent, listing=whole("workers", "workers", "workers", _shown)),
}
