"""One API: its figures of the last day, its routes as a tree, and its requests live or of a window.

    message            state
    ChooseStatus       which requests are shown: all, 2xx, 4xx or 5xx of what is loaded
    those of           which columns of the requests are shown
    `columns`
    SetLive            the routes go on, or stop where they are
    Reload             → Refresh
    those of           live, window and held of the requests
    `listing`

The URL: `apis/{name}`, `status=5xx`, `after=…&before=…` for the requests, `paused=1` for the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from pyapp.contract.apis import Api, ApiDetail, RequestEvent
from pyapp.core.cache.keys import QueryKey, item, live, window
from pyapp.core.cache.result import Result
from pyapp.pages import addresses, columns, formats, listing
from pyapp.pages.activity import activity
from pyapp.pages.apis_table import branches, errors, errors_level, routes_table, state_mark
from pyapp.pages.columns import Chosen
from pyapp.pages.figures import figure_list
from pyapp.pages.list_menu import list_menu
from pyapp.pages.listing import ListState
from pyapp.pages.listings import ranged
from pyapp.pages.live_control import SetLive, live_control
from pyapp.pages.panel import Reload, did_not_load, panel
from pyapp.pages.protocol import Effect, Env, Heading, Message, Need, Panel, Refresh, Results
from pyapp.pages.requests_table import columns_of, requests_table
from pyapp.pages.rows import Table, loading, plain_rows
from pyapp.ui import Action, TemplateResult, html, nothing
from pyapp.ui.components.controls import Choice, segments

StatusClass = Literal["2xx", "4xx", "5xx"]

_CLASSES: tuple[StatusClass, ...] = get_args(StatusClass)


class ChooseStatus(Action):
    """Show requests of one class of status; `None` is all."""

    status: StatusClass | None


class State(BaseModel):
    """Which API, and what of it is shown; no data."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    name: str
    status: StatusClass | None = None
    columns: Chosen = None
    live: bool = True
    list: ListState = Field(default_factory=ListState)
    problem: str | None = None


def initial(params: Mapping[str, str]) -> State:
    """The page of a URL. What makes no sense is dropped, and said."""
    chosen, problem = columns.from_param(params.get("columns"), columns_of(live=True))
    shown, unsound = listing.from_params(params)
    problem = unsound or problem
    status: StatusClass | None = next((one for one in _CLASSES if one == params.get("status")), None)
    if params.get("status") and status is None:
        problem = "The address names a class of status that there is not; every request is shown."
    going = params.get("paused") != "1"
    return State(name=params.get("name", ""), status=status, columns=chosen, live=going, list=shown, problem=problem)


def params(state: State) -> dict[str, str]:
    """What stands behind the path."""
    chosen = {"status": state.status, "paused": None if state.live else "1"}
    return {name: value for name, value in chosen.items() if value} | columns.to_params(state.columns) | listing.to_params(state.list)


def needs(state: State) -> dict[str, Need]:
    """The API with its routes, and its requests."""
    return {"api": Need(item("apis", state.name), live=state.live), "requests": Need(_requests_key(state))}


def _requests_key(state: State) -> QueryKey:
    span = state.list.range
    if span:
        return window("requests", api_name=state.name, after=span.after, before=span.before)
    return live("requests", api_name=state.name)


def update(state: State, message: Message) -> State | tuple[State, *tuple[Effect, ...]]:
    """The next state: the table above. A message of no interest here changes nothing."""
    match message:
        case ChooseStatus(status=status):
            return state.model_copy(update={"status": status, "list": state.list.fresh(state.list.range), "problem": None})
        case columns.ShowColumn() | columns.AllColumns():
            chosen = columns.update(state.columns, message, columns_of(live=True))
            return state.model_copy(update={"columns": chosen, "problem": None})
        case SetLive(live=on):
            return state.model_copy(update={"live": on})
        case Reload(needs=names):
            return state, *(Refresh(name) for name in names)
        case action if isinstance(action, listing.ListAction):
            after = listing.update(state.list, action)
            problem = state.problem if after.range == state.list.range else None
            return state.model_copy(update={"list": after, "problem": problem})
        case _:
            return state


def heading(state: State) -> Heading:
    return Heading("APIs", state.name, addresses.to("apis"))


def layout(state: State, env: Env) -> TemplateResult:
    """Figures above, the routes beside the requests."""
    return html(
        t'<div class="grid"><div class="root" data-root="panel summary"></div><div class="root" data-root="panel routes"></div>'
        t'<div class="root" data-root="panel requests"></div></div>'
    )


def _known(result: Result[Any]) -> ApiDetail | None:
    """What was read of the API. A part-A server answers an unknown name with zeros, which is nobody's API."""
    detail: ApiDetail | None = result.data
    if detail is None:
        return None
    unknown = not detail.api.active and not detail.api.instances and not detail.endpoints and not detail.api.requests_24h
    return None if unknown else detail


def _summary(state: State, results: Results, env: Env) -> TemplateResult:
    result, detail = results["api"], _known(results["api"])
    before: object = nothing
    controls: object = nothing
    if detail is not None:
        body, before = _figures(detail.api), state_mark(detail.api)
        if detail.api.docs_url and detail.api.docs_url.startswith(("http://", "https://")):
            controls = html(t'<a class="btn small" href={detail.api.docs_url} target="_blank" rel="noreferrer">Documentation</a>')
    elif result.data is not None:
        body = html(
            t'<div class="blank as-figures"><span class="strong">No API is named <bdi>{state.name}</bdi>.</span>It was not asked in '
            t'the last day, and none of its instances is heard of.<br><a class="btn" href={addresses.to("apis")}>All APIs</a></div>'
        )
    elif result.error:
        body = did_not_load("The API", result, ("api",), as_high_as="figures")
    else:
        body = html(t'<div class="blank as-figures"></div><p class="sr" role="status">Loading the API</p>')
    return panel(
        "summary",
        "Figures",
        result,
        body,
        reload=("api",),
        opened=env.opened,
        classes="c12",
        before=before,
        count="of 24 hours",
        controls=controls,
    )


def _figures(api: Api) -> TemplateResult:
    asked = api.requests_24h
    client, server = api.client_error_rate, api.server_error_rate
    parts = f"{formats.percent(client)} 4xx, {formats.percent(server)} 5xx" if client is not None and server is not None else "of all"
    return figure_list(
        [
            ("Requests", formats.Quantity(formats.count(asked)), "in 24 hours", ""),
            ("Now", formats.measure(api.requests_per_min, "/min"), "requests", ""),
            ("Latency", formats.duration(api.avg_latency_ms) if asked else formats.NO_QUANTITY, "mean", ""),
            ("Errors", errors(asked, api.error_rate), parts, errors_level(asked, api.error_rate)),
            ("Routes", formats.Quantity(formats.count(api.endpoint_count)), "with requests", ""),
            ("Instances", formats.Quantity(formats.count(api.instance_count)), ", ".join(_hosts(api)) or formats.NONE, ""),
        ]
    )


def _hosts(api: Api) -> list[str]:
    return sorted({one.hostname or one.host or one.id for one in api.instances})


def _routes(state: State, results: Results, env: Env) -> TemplateResult:
    result, detail = results["api"], _known(results["api"])
    count: object = nothing
    if result.data is None:
        body = did_not_load("Routes", result, ("api",)) if result.error else loading(routes_table())
    elif detail is None or not detail.endpoints:
        body = html(t'<div class="blank"><span class="strong">No route was asked.</span>One appears here with its first request.</div>')
    else:
        body = plain_rows(routes_table(), branches(detail.endpoints), same=())
        count = formats.count(len(detail.endpoints))
    return panel(
        "routes",
        "Routes",
        result,
        body,
        reload=("api",),
        opened=env.opened,
        classes="c6",
        count=count,
        controls=live_control("routes", live=state.live),
        go_live=SetLive(panel="routes", live=True),
    )


def _of_status(state: State, results: Results, env: Env, rows: Sequence[RequestEvent]) -> tuple[RequestEvent, ...]:
    return tuple(one for one in rows if state.status is None or one.status // 100 == int(state.status[0]))


def _requests(state: State, results: Results, env: Env) -> TemplateResult:
    def table(live: bool, left: frozenset[str]) -> Table[Any]:
        table = requests_table("requests", live=live, left=left)
        return replace(table, hidden=columns.hidden(table.columns, state.columns))

    result = results["requests"]
    if state.status and result.data is not None:
        rows = _of_status(state, results, env, result.data.rows)
        result = replace(result, data=replace(result.data, rows=rows, total=len(rows)))
    empty = (
        (f"None of the latest requests was answered {state.status}.", "The filter looks at loaded requests only.")
        if state.status
        else ("This API has no requests.", "New ones appear here as they happen.")
    )
    choices = [Choice("All", state.status is None, ChooseStatus(status=None))]
    choices += [Choice(one, state.status == one, ChooseStatus(status=one)) for one in _CLASSES]
    before = segments("Status of the requests", choices)
    shown = columns_of(live=state.list.live)
    menu = list_menu("requests", "the requests", env.opened, columns=shown, chosen=state.columns)
    return activity("requests", "Requests", "requests", "c6", state.list, result, table, empty, env, before=before, menu=menu)


PANELS: Mapping[str, Panel] = {
    "summary": Panel(("api",), _summary),
    "routes": Panel(("api",), _routes),
    "requests": Panel(("requests",), _requests, listing=ranged("API requests", "requests", lambda state: state.list, _of_status)),
}
