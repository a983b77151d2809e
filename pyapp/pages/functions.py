"""The functions page: what can run, how it did in the last day, and pausing it.

    message                       state
    Search, ChooseType,           that filter
    ChooseState, ChooseWorker,
    ClearFilters
    SortBy                        that column's order
    those of `columns`            which columns are shown
    Switch                        asked; → Mutate
    those of `selecting`          which rows are ticked, by their keys
    SwitchMany (with its rows)    asked of each that is ticked and shown
    MutationDone, MutationFailed  accepted, or forgotten and told
    SetLive                       the list goes on, or stops where it is
    Reload                        → Refresh
    Hold, Release, ShowNew        as in `listing`

The URL: `q=…`, `type=cron`, `state=paused`, `worker=…`, `sort=-runs`, `columns=…`, `paused=1`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from pyapp.contract.functions import Function
from pyapp.contract.jobs import JOB_TYPES, JobType
from pyapp.core.cache.keys import live
from pyapp.pages import columns, formats, functions_many, listing, selecting, sorting, switching
from pyapp.pages.columns import Chosen
from pyapp.pages.functions_many import SwitchMany
from pyapp.pages.functions_table import (
    COLUMNS,
    DEFAULT_SORT,
    KEYS,
    LARGEST_FIRST,
    STATE_WORDS,
    STATES,
    failing,
    functions_table,
    state_of,
)
from pyapp.pages.functions_table import (
    State as Dispatch,
)
from pyapp.pages.list_menu import list_menu
from pyapp.pages.listing import ListState
from pyapp.pages.listings import whole
from pyapp.pages.live_control import SetLive
from pyapp.pages.panel import Reload
from pyapp.pages.protocol import Effect, Env, Heading, Message, MutationDone, MutationFailed, Need, Panel, Refresh, Results, WithShown
from pyapp.pages.selecting import Batch, Selected
from pyapp.pages.sorting import Sort, SortBy
from pyapp.pages.switching import Switch
from pyapp.pages.whole_list import whole_list
from pyapp.ui import Action, TemplateResult, html, nothing
from pyapp.ui.components.controls import Option, search_field, select

QUERY_MAX = 200


class Search(Action):
    """Look for a text in names and keys."""

    value: str


class ChooseType(Action):
    """Show functions of one type; an empty value is any."""

    value: str


class ChooseState(Action):
    """Show functions that are active, paused, or without a worker; an empty value is any."""

    value: str


class ChooseWorker(Action):
    """Show what one worker offers; an empty value is any."""

    value: str


class ClearFilters(Action):
    """Show every function."""


class State(BaseModel):
    """What the functions page shows; no data."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    query: str = Field(default="", max_length=QUERY_MAX)
    type: JobType | None = None
    state: Dispatch | None = None
    worker: str | None = None
    sort: Sort = DEFAULT_SORT
    columns: Chosen = None
    live: bool = True
    asked: switching.Asked = ()
    selected: Selected = frozenset()
    batch: Batch | None = None
    list: ListState = Field(default_factory=ListState)
    problem: str | None = None

    @property
    def filtered(self) -> bool:
        """Whether anything narrows the list."""
        return bool(self.query or self.type or self.state or self.worker)


def initial(params: Mapping[str, str]) -> State:
    """The page of a URL. What there is not is dropped, and said."""
    shown, problem = columns.from_param(params.get("columns"), COLUMNS)
    sort, unsorted = sorting.from_param(params.get("sort"), KEYS, DEFAULT_SORT)
    problem = problem or unsorted
    kind: JobType | None = _one_of(params.get("type"), JOB_TYPES)
    dispatch: Dispatch | None = _one_of(params.get("state"), STATES)
    if (params.get("type") and kind is None) or (params.get("state") and dispatch is None):
        problem = "The address names a type or a state that there is not; functions of all are shown."
    return State(
        query=params.get("q", "")[:QUERY_MAX],
        type=kind,
        state=dispatch,
        worker=params.get("worker") or None,
        sort=sort,
        columns=shown,
        live=params.get("paused") != "1",
        problem=problem,
    )


def _one_of[Name: str](text: str | None, names: tuple[Name, ...]) -> Name | None:
    return next((name for name in names if name == text), None)


def params(state: State) -> dict[str, str]:
    """The URL of a page; what is as usual is left out."""
    sort = str(state.sort) if state.sort != DEFAULT_SORT else None
    paused = None if state.live else "1"
    chosen = {"q": state.query, "type": state.type, "state": state.state, "worker": state.worker, "sort": sort, "paused": paused}
    return {name: value for name, value in chosen.items() if value} | columns.to_params(state.columns)


def needs(state: State) -> dict[str, Need]:
    """Every function in one answer."""
    return {"functions": Need(live("functions"), live=state.live)}


def update(state: State, message: Message) -> State | tuple[State, *tuple[Effect, ...]]:
    """The next state: the table above. A message of no interest here changes nothing."""
    match message:
        case Search(value=value):
            return _filter(state, query=value[:QUERY_MAX])
        case ChooseType(value=value):
            return _filter(state, type=_one_of(value, JOB_TYPES))
        case ChooseState(value=value):
            return _filter(state, state=_one_of(value, STATES))
        case ChooseWorker(value=value):
            return _filter(state, worker=value or None)
        case ClearFilters():
            return _filter(state, query="", type=None, state=None, worker=None)
        case SortBy(column=column) if column in KEYS:
            return _filter(state, sort=state.sort.by(column, largest_first=column in LARGEST_FIRST))
        case Switch():
            asked, effect = switching.ask(state.asked, message)
            return state.model_copy(update={"asked": asked}), effect
        case MutationDone() | MutationFailed():
            asked, effects = switching.settle(state.asked, message)
            batch = state.batch
            if batch is not None and selecting.concerns(batch, message):
                batch, effects = selecting.settle(batch, message)
            return state.model_copy(update={"asked": asked, "batch": batch}), *effects
        case selecting.Select(id=name, checked=checked):
            return state.model_copy(update={"selected": selecting.select(state.selected, name, checked=checked)})
        case selecting.ClearSelection():
            return state.model_copy(update={"selected": frozenset()})
        case WithShown(selecting.SelectShown(checked=checked), rows):
            selected = selecting.select_shown(state.selected, (one.key for one in rows), checked=checked)
            return state.model_copy(update={"selected": selected})
        case WithShown(SwitchMany(paused=paused), rows):
            return _switch_many(state, rows, paused=paused)
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


def _switch_many(state: State, rows: Sequence[Function], *, paused: bool) -> State | tuple[State, *tuple[Effect, ...]]:
    functions = functions_many.meant(rows, state.selected, state.asked, paused=paused)
    if not functions:
        return state
    asked, batch, effects = functions_many.start(state.asked, functions, paused=paused)
    rest = state.selected - {one.key for one in functions}
    return state.model_copy(update={"asked": asked, "batch": batch, "selected": rest}), *effects


def _filter(before: State, /, **change: Any) -> State:
    return before.model_copy(update={**change, "list": before.list.fresh(), "problem": None})


def heading(state: State) -> Heading:
    return Heading("Functions")


def layout(state: State, env: Env) -> TemplateResult:
    """Filters above, the list below."""
    return html(
        t'<div class="root" data-root="panel filters"></div><div class="root" data-root="panel functions"></div>'
        t'<div class="root" data-root="panel picked"></div>'
    )


def _rows(results: Results) -> tuple[Function, ...]:
    result = results.get("functions")
    return () if result is None or result.data is None else result.data.rows


def _filters(state: State, results: Results, env: Env) -> TemplateResult:
    workers = sorted({worker for one in _rows(results) for worker in one.workers}, key=str.casefold)
    clear = html(t'<button type="button" class="btn quiet" @click={ClearFilters()}>Clear</button>') if state.filtered else nothing
    return html(
        t'<form class="filters" role="search" @submit={Search.on("value", prevent=True)}>'
        t"{search_field('Search in the functions', 'Function or key', state.query, Search.on('value'))}"
        t"{select('Type', (Option(name, name) for name in JOB_TYPES), state.type or '', ChooseType.on('value'))}"
        t"{select('State', (Option(name, STATE_WORDS[name]) for name in STATES), state.state or '', ChooseState.on('value'))}"
        t"{select('Worker', (Option(name, name) for name in workers), state.worker or '', ChooseWorker.on('value'))}{clear}</form>"
    )


def _matches(state: State, one: Function) -> bool:
    if (state.type and one.type != state.type) or (state.state and state_of(one) != state.state):
        return False
    if state.worker and state.worker not in one.workers:
        return False
    return not state.query or any(state.query.casefold() in text.casefold() for text in (one.name, one.key))


def _matching(state: State, functions: Sequence[Function]) -> list[Function]:
    return sorting.arranged((one for one in functions if _matches(state, one)), state.sort, KEYS, lambda one: one.name)


def _shown(state: State, results: Results, env: Env, functions: Sequence[Function]) -> list[Function]:
    return _matching(state, functions)


def _count(functions: Sequence[Function]) -> str:
    words = formats.plural(len(functions), "function")
    paused = sum(one.paused for one in functions)
    return f"{words}, {formats.count(paused)} paused" if paused else words


def _list(state: State, results: Results, env: Env) -> TemplateResult:
    shown = _matching(state, _rows(results))
    picks = selecting.head_box("functions", "all that is shown", (one.key for one in shown), state.selected)
    return whole_list(
        "functions",
        "Functions",
        results["functions"],
        state.list,
        env,
        live=state.live,
        matching=lambda functions: _matching(state, functions),
        table=lambda left: replace(
            functions_table(state.asked, state.sort, left, state.selected, picks), hidden=columns.hidden(COLUMNS, state.columns)
        ),
        same=(state.asked, state.selected),
        scope="&".join(params(state.model_copy(update={"columns": None})).values()),
        count=_count,
        empty=_nothing_here,
        menu=list_menu("functions", "the functions", env.opened, columns=COLUMNS, chosen=state.columns, sort=state.sort),
    )


def _picked(state: State, results: Results, env: Env) -> TemplateResult:
    return functions_many.bar(_matching(state, _rows(results)), state.selected, state.asked, state.batch)


def _nothing_here(any_at_all: bool) -> TemplateResult:
    if not any_at_all:
        return html(
            t'<div class="blank"><span class="strong">No worker has offered a function.</span>'
            t"A function appears here when a worker that runs it starts.</div>"
        )
    clear = html(t'<br><button type="button" class="btn" @click={ClearFilters()}>Clear filters</button>')
    return html(t'<div class="blank"><span class="strong">No function is like that.</span>Choose fewer filters.{clear}</div>')


PANELS: Mapping[str, Panel] = {
    "filters": Panel(("functions",), _filters),
    "functions": Panel(("functions",), _list, alarm=failing, listing=whole("functions", "functions", "functions", _shown)),
    "picked": Panel(("functions",), _picked),
}
