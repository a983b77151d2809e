"""The APIs page: who serves what, how much it is asked, how fast it answers and how often it fails.

    message                 state
    Search, ChooseState,    that filter
    ClearFilters
    SortBy                  that column's order
    those of `columns`      which columns are shown
    SetLive                 the list goes on, or stops where it is
    Reload                  → Refresh
    Hold, Release, ShowNew  as in `listing`

The URL: `q=…`, `state=inactive`, `sort=-errors`, `columns=…`, `paused=1`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from pyapp.contract.apis import Api
from pyapp.core.cache.keys import live
from pyapp.pages import columns, formats, listing, sorting
from pyapp.pages.apis_table import (
    COLUMNS,
    DEFAULT_SORT,
    KEYS,
    LARGEST_FIRST,
    SERVING,
    SERVING_WORDS,
    Serving,
    apis_table,
    name_of,
    serving,
)
from pyapp.pages.columns import Chosen
from pyapp.pages.list_menu import list_menu
from pyapp.pages.listing import ListState
from pyapp.pages.listings import whole
from pyapp.pages.live_control import SetLive
from pyapp.pages.panel import Reload
from pyapp.pages.protocol import Effect, Env, Heading, Message, Need, Panel, Refresh, Results
from pyapp.pages.sorting import Sort, SortBy
from pyapp.pages.whole_list import whole_list
from pyapp.ui import Action, TemplateResult, html, nothing
from pyapp.ui.components.controls import Option, search_field, select

QUERY_MAX = 200


class Search(Action):
    """Look for a text in names."""

    value: str


class ChooseState(Action):
    """Show what serves, or what does not; an empty value is any."""

    value: str


class ClearFilters(Action):
    """Show every API."""


class State(BaseModel):
    """What the APIs page shows; no data."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    query: str = Field(default="", max_length=QUERY_MAX)
    state: Serving | None = None
    sort: Sort = DEFAULT_SORT
    columns: Chosen = None
    live: bool = True
    list: ListState = Field(default_factory=ListState)
    problem: str | None = None


def initial(params: Mapping[str, str]) -> State:
    """The page of a URL. What there is not is dropped, and said."""
    shown, problem = columns.from_param(params.get("columns"), COLUMNS)
    sort, unsorted = sorting.from_param(params.get("sort"), KEYS, DEFAULT_SORT)
    problem = problem or unsorted
    state = _state(params.get("state", ""))
    if params.get("state") and state is None:
        problem = "The address names a state that there is not; every API is shown."
    return State(
        query=params.get("q", "")[:QUERY_MAX],
        state=state,
        sort=sort,
        columns=shown,
        live=params.get("paused") != "1",
        problem=problem,
    )


def _state(text: str) -> Serving | None:
    return next((name for name in SERVING if name == text), None)


def params(state: State) -> dict[str, str]:
    """The URL of a page; what is as usual is left out."""
    sort = str(state.sort) if state.sort != DEFAULT_SORT else None
    chosen = {"q": state.query, "state": state.state, "sort": sort, "paused": None if state.live else "1"}
    return {name: value for name, value in chosen.items() if value} | columns.to_params(state.columns)


def needs(state: State) -> dict[str, Need]:
    """Every API in one answer, and its stream."""
    return {"apis": Need(live("apis"), live=state.live)}


def update(state: State, message: Message) -> State | tuple[State, *tuple[Effect, ...]]:
    """The next state: the table above. A message of no interest here changes nothing."""
    match message:
        case Search(value=value):
            return _filter(state, query=value[:QUERY_MAX])
        case ChooseState(value=value):
            return _filter(state, state=_state(value))
        case ClearFilters():
            return _filter(state, query="", state=None)
        case SortBy(column=column) if column in KEYS:
            return _filter(state, sort=state.sort.by(column, largest_first=column in LARGEST_FIRST))
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


def _filter(before: State, /, **change: Any) -> State:
    return before.model_copy(update={**change, "list": before.list.fresh(), "problem": None})


def heading(state: State) -> Heading:
    return Heading("APIs")


def layout(state: State, env: Env) -> TemplateResult:
    """Filters above, the list below."""
    return html(t'<div class="root" data-root="panel filters"></div><div class="root" data-root="panel apis"></div>')


def _filters(state: State, results: Results, env: Env) -> TemplateResult:
    clear = html(t'<button type="button" class="btn quiet" @click={ClearFilters()}>Clear</button>')
    return html(
        t'<form class="filters" role="search" @submit={Search.on("value", prevent=True)}>'
        t"{search_field('Search in the APIs', 'API', state.query, Search.on('value'))}"
        t"{select('State', (Option(name, SERVING_WORDS[name]) for name in SERVING), state.state or '', ChooseState.on('value'))}"
        t"{clear if state.query or state.state else nothing}</form>"
    )


def _matching(state: State, apis: Sequence[Api]) -> list[Api]:
    left = (
        one for one in apis if state.query.casefold() in one.name.casefold() and (state.state is None or serving(one) == state.state)
    )
    return sorting.arranged(left, state.sort, KEYS, name_of)


def _shown(state: State, results: Results, env: Env, apis: Sequence[Api]) -> list[Api]:
    return _matching(state, apis)


def _list(state: State, results: Results, env: Env) -> TemplateResult:
    return whole_list(
        "apis",
        "APIs",
        results["apis"],
        state.list,
        env,
        live=state.live,
        matching=lambda apis: _matching(state, apis),
        table=lambda left: replace(apis_table(state.sort, left), hidden=columns.hidden(COLUMNS, state.columns)),
        same=(),
        scope="&".join(params(state.model_copy(update={"columns": None})).values()),
        count=lambda here: formats.plural(len(here), "API"),
        empty=_nothing_here,
        menu=list_menu("apis", "the APIs", env.opened, columns=COLUMNS, chosen=state.columns, sort=state.sort),
    )


def _nothing_here(any_at_all: bool) -> TemplateResult:
    if not any_at_all:
        return html(
            t'<div class="blank"><span class="strong">No API has been seen.</span>'
            t"One appears here when it starts and reports its first request.</div>"
        )
    clear = html(t'<br><button type="button" class="btn" @click={ClearFilters()}>Clear filters</button>')
    return html(t'<div class="blank"><span class="strong">No API is like that.</span>Choose fewer filters.{clear}</div>')


PANELS: Mapping[str, Panel] = {
    "filters": Panel((), _filters),
    "apis": Panel(("apis",), _list, listing=whole("apis", "APIs", "apis", _shown)),
}
