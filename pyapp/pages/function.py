"""One function: its figures of the last day, how it is set up, why its jobs wait, its trends, and its jobs live or of a window.

    message                       state
    Switch                        asked; → Mutate
    MutationDone, MutationFailed  accepted, or forgotten and told
    SetLive                       the trends go on, or stop where they are
    ChooseStep                    hourly or daily bars
    Reload                        → Refresh
    those of `listing`            live, window and held of the jobs

The URL: `functions/{key}`, `after=…&before=…` for the jobs, `trends=daily` and `paused=1` for the trends.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from pyapp.contract.functions import Function
from pyapp.core.cache.keys import QueryKey, aggregate, live, window
from pyapp.core.cache.result import Result
from pyapp.pages import addresses, formats, listing, switching, trends
from pyapp.pages.activity import activity
from pyapp.pages.chart_panel import chart_panel
from pyapp.pages.figures import figure_list
from pyapp.pages.functions_table import mean, state_mark, success, success_level
from pyapp.pages.jobs_table import short_table
from pyapp.pages.listing import ListState, ShowWindow
from pyapp.pages.listings import ranged
from pyapp.pages.live_control import SetLive
from pyapp.pages.panel import Reload, did_not_load, panel
from pyapp.pages.protocol import Effect, Env, Heading, Message, MutationDone, MutationFailed, Need, Panel, Refresh, Results
from pyapp.pages.rows import Table
from pyapp.pages.switching import Switch
from pyapp.pages.trends import ChooseStep, TrendView, job_trends
from pyapp.ui import TemplateResult, each, html, nothing
from pyapp.ui.components.bars import Choosing
from pyapp.ui.components.marks import age, time


class State(BaseModel):
    """Which function, and what of it is shown; no data."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    key: str
    live: bool = True
    trends: TrendView = Field(default_factory=TrendView)
    asked: switching.Asked = ()
    list: ListState = Field(default_factory=ListState)
    problem: str | None = None


def initial(params: Mapping[str, str]) -> State:
    """The page of a URL. A window that cannot be is dropped, and said."""
    shown, problem = listing.from_params(params)
    view = TrendView(step=trends.view_of(params).step)
    return State(key=params.get("key", ""), live=params.get("paused") != "1", trends=view, list=shown, problem=problem)


def params(state: State) -> dict[str, str]:
    """What stands behind the path."""
    return ({} if state.live else {"paused": "1"}) | trends.to_params(state.trends) | listing.to_params(state.list)


def needs(state: State) -> dict[str, Need]:
    """The answer of the list, which has all of it; its trends; its jobs."""
    return {
        "functions": Need(live("functions")),
        "trends": Need(aggregate("jobs.trends", hours=state.trends.hours, function=state.key), live=state.live),
        "jobs": Need(_jobs_key(state)),
    }


def _jobs_key(state: State) -> QueryKey:
    span = state.list.range
    return window("jobs", function=state.key, after=span.after, before=span.before) if span else live("jobs", function=state.key)


def update(state: State, message: Message) -> State | tuple[State, *tuple[Effect, ...]]:
    """The next state: the table above. A message of no interest here changes nothing."""
    match message:
        case Switch():
            asked, effect = switching.ask(state.asked, message)
            return state.model_copy(update={"asked": asked}), effect
        case MutationDone() | MutationFailed():
            asked, effects = switching.settle(state.asked, message)
            return state.model_copy(update={"asked": asked}), *effects
        case ChooseStep():
            return state.model_copy(update={"trends": trends.update(state.trends, message)})
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
    # The key, and not the name of an answer that may not have come: what the bar says follows the address alone.
    return Heading("Functions", state.key, addresses.to("functions"))


def layout(state: State, env: Env) -> TemplateResult:
    """Figures above, how it is set up beside its trends, its jobs below."""
    return html(
        t'<div class="grid"><div class="root" data-root="panel summary"></div><div class="root" data-root="panel trends"></div>'
        t'<div class="root" data-root="panel setup"></div><div class="root" data-root="panel dispatch"></div>'
        t'<div class="root" data-root="panel jobs"></div></div>'
    )


def _function(state: State, results: Results) -> Function | None:
    rows: tuple[Function, ...] = () if results["functions"].data is None else results["functions"].data.rows
    return next((one for one in rows if one.key == state.key), None)


def _absent(words: str, result: Result[Any], *, high: str = "") -> TemplateResult:
    """What stands where the function is not: not yet, or not at all, which the first panel says."""
    if result.data is None:
        if result.error:
            return did_not_load(words, result, ("functions",), as_high_as=high)
        return html(t'<p class="sr" role="status">Loading {words.lower()}</p>')
    return html(t'<div class="blank">{words}: none.</div>')


def _summary(state: State, results: Results, env: Env) -> TemplateResult:
    result, one = results["functions"], _function(state, results)
    before: object = nothing
    controls: object = nothing
    if one is None:
        body = _absent("Figures", result, high="figures") if result.data is None else _unknown(state)
    else:
        body = _figures(one)
        before, controls = state_mark(one), html(t'<span class="act-one">{switching.switch(one, state.asked)}</span>')
    title = one.name if one else "Function"
    return panel(
        "summary",
        title,
        result,
        body,
        reload=("functions",),
        opened=env.opened,
        classes="c12",
        before=before,
        count="of 24 hours",
        controls=controls,
    )


def _unknown(state: State) -> TemplateResult:
    return html(
        t'<div class="blank as-figures"><span class="strong">No function has the key <bdi>{state.key}</bdi>.</span>No worker has '
        t'offered it. It appears here when one does.<br><a class="btn" href={addresses.to("functions")}>All functions</a></div>'
    )


def _figures(one: Function) -> TemplateResult:
    failed = round(one.runs_24h * (100 - one.success_rate) / 100)
    backlog = formats.Quantity(formats.count(one.queue_backlog))
    return figure_list(
        [
            ("Runs", formats.Quantity(formats.count(one.runs_24h)), _last(one), ""),
            ("Success", success(one), f"{formats.count(failed)} unsuccessful", success_level(one)),
            ("Mean", formats.duration(mean(one)), "of a run", ""),
            ("p95", formats.duration(one.p95_duration_ms), "95 of 100 are shorter", ""),
            ("Wait", formats.duration(one.avg_wait_ms), _slow(one), ""),
            ("Backlog", backlog, "waiting now", ""),
        ]
    )


def _last(one: Function) -> object:
    return html(t"last {age(formats.iso(one.last_run_at), plain=True)} ago") if one.last_run_at else "never ran"


def _slow(one: Function) -> str:
    return f"mean; p95 {formats.duration(one.p95_wait_ms)}" if one.p95_wait_ms is not None else "mean"


def _trends(state: State, results: Results, env: Env) -> TemplateResult:
    view = state.trends
    tools = trends.tools(view)
    choosing = Choosing(ShowWindow.on("after", "before", panel="jobs"), "shows its jobs", "jobs")

    def chart(data: Any) -> TemplateResult:
        return job_trends(data, view, choosing, tools)

    return chart_panel("trends", "Trends", f"jobs {view.unit}", "c5", results["trends"], chart, env, live=state.live, tools=tools)


def _setup(state: State, results: Results, env: Env) -> TemplateResult:
    result, one = results["functions"], _function(state, results)
    body = _absent("Configuration", result) if one is None else _facts(_configured(one))
    return panel("setup", "Configuration", result, body, reload=("functions",), opened=env.opened, classes="c4")


def _configured(one: Function) -> list[tuple[str, object]]:
    """How it is set up; what is not limited says so."""
    rows: list[tuple[str, object]] = [("Key", html(t'<bdi class="mono" title={one.key}>{one.key}</bdi>')), ("Type", one.type)]
    if one.schedule:
        rows += [("Schedule", html(t'<bdi class="mono">{one.schedule}</bdi>')), ("Next run", _next(one))]
    if one.pattern:
        rows.append(("Event", html(t'<bdi class="mono">{one.pattern}</bdi>')))
    if one.missed_run_policy:
        rows.append(("Missed runs", one.missed_run_policy))
    rows += [
        ("Timeout", str(formats.seconds(one.timeout)) if one.timeout is not None else "none"),
        ("Retries", _retries(one)),
        ("At once", formats.count(one.max_concurrency) if one.max_concurrency is not None else "no limit"),
        ("Rate", one.rate_limit or "no limit"),
    ]
    if one.routing_group:
        rows.append(("Group", one.routing_group))
    rows.append(("Workers", _workers(one)))
    return rows


def _next(one: Function) -> object:
    return time(formats.iso(one.next_run_at)) if one.next_run_at else formats.NONE


def _retries(one: Function) -> str:
    if not one.max_retries:
        return "none"
    retries = formats.count(one.max_retries)
    return f"{retries}, after {formats.seconds(one.retry_delay)}" if one.retry_delay else retries


def _workers(one: Function) -> object:
    if not one.workers:
        return "none runs it"
    links = each(
        one.workers,
        key=lambda name: name,
        render=lambda name: html(t'<a class="link" href={addresses.to("workers", name)}><bdi>{name}</bdi></a> '),
    )
    return html(t"{links}")


def _facts(rows: list[tuple[str, object]]) -> TemplateResult:
    items = each(rows, key=lambda row: row[0], render=lambda row: html(t"<dt>{row[0]}</dt><dd>{row[1]}</dd>"))
    return html(t'<dl class="kv">{items}</dl>')


def _dispatch(state: State, results: Results, env: Env) -> TemplateResult:
    result, one = results["functions"], _function(state, results)
    if one is None:
        body = _absent("Held back", result)
    else:
        why = one.dispatch_reasons
        counted = [
            ("Paused", why.paused),
            ("Rate limited", why.rate_limited),
            ("No capacity", why.no_capacity),
            ("Cancelled", why.cancelled),
            ("Retrying", why.retrying),
        ]
        body = _facts([(word, formats.count(number)) for word, number in counted])
    return panel("dispatch", "Held back", result, body, reload=("functions",), opened=env.opened, classes="c3", count="times")


def _jobs(state: State, results: Results, env: Env) -> TemplateResult:
    def table(live: bool, left: frozenset[str]) -> Table[Any]:
        return short_table("jobs", live=live, left=left)

    empty = ("This function has no jobs.", "New ones appear here as they happen.")
    return activity("jobs", "Jobs", "jobs", "c12", state.list, results["jobs"], table, empty, env)


PANELS: Mapping[str, Panel] = {
    "summary": Panel(("functions",), _summary),
    "trends": Panel(("trends",), _trends),
    "setup": Panel(("functions",), _setup),
    "dispatch": Panel(("functions",), _dispatch),
    "jobs": Panel(("jobs",), _jobs, listing=ranged("jobs", "jobs", lambda state: state.list)),
}
