"""The overview: the queue, the system's figures, what happened today, and what happens now.

    message          state
    ChooseMinutes    the window of the figures; the queue reads the same answer, so it is one request
    SetLive          one of the trends goes on, or stops where it is
    ChooseRunbook,   which of its lists is shown, and from which rate on a function fails
    ChooseMinRate
    those of         hourly or daily bars, and of which type of jobs
    `trends`
    ShowJobs         → Navigate: the jobs of the hours that were chosen on a chart
    Reload           → Refresh
    those of         live, window and held of the list that they name
    `listing`

The URL: `minutes=60`, `runbook=queued`, `min_rate=10`, `trends=daily`, `type=cron`, `paused=job-trends`, and for the lists
`jobs.after=…&jobs.before=…`, `requests.after=…`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from pyapp.contract.dashboard import DashboardStats
from pyapp.contract.workers import Worker
from pyapp.core.cache.keys import QueryKey, aggregate, live, window
from pyapp.core.cache.result import Result
from pyapp.pages import addresses, listing, trends
from pyapp.pages.activity import activity
from pyapp.pages.chart_panel import chart_panel
from pyapp.pages.figures import count_stale, queue_bones, queue_figures, success_level, system_bones, system_figures
from pyapp.pages.jobs_table import short_table
from pyapp.pages.listing import ListState, ShowWindow
from pyapp.pages.listings import ranged
from pyapp.pages.live_control import SetLive
from pyapp.pages.panel import Reload, did_not_load, panel
from pyapp.pages.protocol import Effect, Env, Heading, Message, Navigate, Need, Panel, Refresh, Results
from pyapp.pages.requests_table import requests_table
from pyapp.pages.rows import Table
from pyapp.pages.runbook import TABS as RUNBOOK_TABS
from pyapp.pages.runbook import ChooseMinRate, ChooseRunbook, RunbookTab, min_rate_of, runbook
from pyapp.pages.trends import ChooseStep, ChooseType, TrendView, api_trends, chart_bones, job_trends, together, type_trends
from pyapp.ui import Action, TemplateResult, html
from pyapp.ui.components.bars import Choosing
from pyapp.ui.components.controls import Choice, segments

Minutes = Literal[1, 5, 15, 60, 1440]
ListName = Literal["jobs", "requests"]
TrendName = Literal["job-trends", "api-trends"]

DEFAULT_MINUTES: Minutes = 5
_WINDOWS: tuple[tuple[Minutes, str], ...] = ((1, "1m"), (5, "5m"), (15, "15m"), (60, "1h"), (1440, "24h"))
_LISTS: tuple[ListName, ...] = get_args(ListName)
_TRENDS: tuple[TrendName, ...] = get_args(TrendName)
_BY_TYPE = ("job-trends", "job-trends-2", "job-trends-3")
"""The needs of job trends: the first alone, or one per type."""


class ShowJobs(Action):
    """The jobs of the hours that were chosen."""

    after: datetime
    before: datetime


class ChooseMinutes(Action):
    """The window of the figures."""

    minutes: Minutes


class State(BaseModel):
    """What the overview shows; no data."""

    model_config = ConfigDict(frozen=True)

    minutes: Minutes = DEFAULT_MINUTES
    jobs: ListState = Field(default_factory=ListState)
    requests: ListState = Field(default_factory=ListState)
    runbook: RunbookTab = "failing"
    min_rate: int = 0
    trends: TrendView = Field(default_factory=TrendView)
    paused: frozenset[TrendName] = frozenset()
    problem: str | None = None


def initial(params: Mapping[str, str]) -> State:
    """The page of a URL. What makes no sense is dropped, and said."""
    jobs, jobs_problem = listing.from_params(params, "jobs.")
    requests, requests_problem = listing.from_params(params, "requests.")
    problem = jobs_problem or requests_problem
    named: dict[str, Minutes] = {str(minutes): minutes for minutes, _ in _WINDOWS}
    chosen = named.get(params.get("minutes", str(DEFAULT_MINUTES)))
    if chosen is None:
        chosen, problem = DEFAULT_MINUTES, "The address names a window of figures that there is not; these are of 5 minutes."
    tabs: dict[str, RunbookTab] = {name: name for name, _ in RUNBOOK_TABS}
    tab = tabs.get(params.get("runbook", ""), RUNBOOK_TABS[0][0])
    known: dict[str, TrendName] = {name: name for name in _TRENDS}
    paused: frozenset[TrendName] = frozenset(known[name] for name in params.get("paused", "").split(",") if name in known)
    return State(
        minutes=chosen,
        jobs=jobs,
        requests=requests,
        runbook=tab,
        min_rate=min_rate_of(params.get("min_rate", "")),
        trends=trends.view_of(params),
        paused=paused,
        problem=problem,
    )


def params(state: State) -> dict[str, str]:
    """The URL of a page; the defaults are left out."""
    out = {} if state.minutes == DEFAULT_MINUTES else {"minutes": str(state.minutes)}
    if state.runbook != RUNBOOK_TABS[0][0]:
        out["runbook"] = state.runbook
    if state.paused:
        out["paused"] = ",".join(sorted(state.paused))
    if state.min_rate:
        out["min_rate"] = str(state.min_rate)
    out |= trends.to_params(state.trends)
    return out | listing.to_params(state.jobs, "jobs.") | listing.to_params(state.requests, "requests.")


def needs(state: State) -> dict[str, Need]:
    """One answer for all figures and the runbook, two lists, two trends, and the workers for their heartbeats."""
    view = state.trends
    by_type = {
        name: Need(aggregate("jobs.trends", hours=view.hours, type=kind), live="job-trends" not in state.paused)
        for name, kind in zip(_BY_TYPE, view.types(), strict=False)
    }
    return {
        "stats": Need(aggregate("stats", window_minutes=state.minutes, failing_min_rate=state.min_rate or None)),
        "workers": Need(live("workers")),
        **by_type,
        "api-trends": Need(aggregate("apis.trends", hours=view.hours), live="api-trends" not in state.paused),
        **{name: Need(_key(name, getattr(state, name))) for name in _LISTS},
    }


def _key(family: ListName, shown: ListState) -> QueryKey:
    span = shown.range
    return window(family, after=span.after, before=span.before) if span else live(family)


def update(state: State, message: Message) -> State | tuple[State, *tuple[Effect, ...]]:
    """The next state: the table above. A message of no interest here changes nothing."""
    match message:
        case ChooseMinutes(minutes=minutes):
            return state.model_copy(update={"minutes": minutes, "problem": None})
        case ChooseRunbook(tab=tab):
            return state.model_copy(update={"runbook": tab})
        case ChooseMinRate(value=value):
            return state.model_copy(update={"min_rate": min_rate_of(value)})
        case ChooseStep() | ChooseType():
            return state.model_copy(update={"trends": trends.update(state.trends, message)})
        case ShowJobs(after=after, before=before):
            chosen = listing.to_params(ListState(range=listing.Range(after=after, before=before)))
            return state, Navigate(addresses.to("jobs", **chosen))
        case SetLive(panel=name, live=live) if name in _TRENDS:
            return state.model_copy(update={"paused": state.paused - {name} if live else state.paused | {name}})
        case Reload(needs=names):
            return state, *(Refresh(name) for name in names)
        case action if isinstance(action, listing.ListAction) and action.panel in _LISTS:
            shown: ListState = getattr(state, action.panel)
            after = listing.update(shown, action)
            # The sentence about the address stays until the address is another.
            problem = state.problem if after.range == shown.range else None
            return state.model_copy(update={action.panel: after, "problem": problem})
        case _:
            return state


def heading(state: State) -> Heading:
    return Heading("Overview")


def layout(state: State, env: Env) -> TemplateResult:
    """Figures above, what happened today in the middle, what happens now below."""
    return html(
        t'<div class="grid"><div class="root" data-root="panel queue"></div><div class="root" data-root="panel system"></div>'
        t'<div class="root" data-root="panel job-trends"></div><div class="root" data-root="panel api-trends"></div>'
        t'<div class="root" data-root="panel runbook"></div>'
        t'<div class="root" data-root="panel activity-jobs"></div><div class="root" data-root="panel activity-apis"></div></div>'
    )


# -- Figures ----------------------------------------------------------------------------------------------------------


def _queue(state: State, results: Results, env: Env) -> TemplateResult:
    result = results["stats"]
    body = _figures("Queue", result, queue_bones(), lambda stats: queue_figures(stats.queue))
    return panel("queue", "Queue", result, body, reload=("stats",), opened=env.opened, classes="c5")


def _system(state: State, results: Results, env: Env) -> TemplateResult:
    result = results["stats"]
    stale = _stale(results, env.now_ms)
    body = _figures("System", result, system_bones(), lambda stats: system_figures(stats, stale))
    windows = segments(
        "Window of the figures",
        [Choice(word, minutes == state.minutes, ChooseMinutes(minutes=minutes)) for minutes, word in _WINDOWS],
    )
    return panel("system", "System", result, body, reload=("stats", "workers"), opened=env.opened, classes="c7", controls=windows)


def _figures(
    name: str, result: Result[Any], bones: TemplateResult, figures: Callable[[DashboardStats], TemplateResult]
) -> TemplateResult:
    if result.data is not None:
        return figures(result.data)
    return did_not_load(name, result, ("stats",), as_high_as="figures") if result.error else bones


def _stale(results: Results, now_ms: float) -> int | None:
    """How many instances have not been heard of for too long."""
    result = results.get("workers")
    if result is None or result.data is None:
        return None
    workers: tuple[Worker, ...] = result.data.rows
    return count_stale((one for worker in workers for one in worker.instances), now_ms)


# -- What happened today ---------------------------------------------------------------------------------------------


def _job_trends(state: State, results: Results, env: Env) -> TemplateResult:
    names, view = _BY_TYPE[: len(state.trends.types())], state.trends
    tools = trends.tools(view)
    choosing = Choosing(ShowJobs.on("after", "before"), "shows its jobs")

    def chart(data: Any) -> TemplateResult:
        if view.type == "each":
            return type_trends(data, view, choosing, tools)
        return job_trends(data[0], view, choosing, tools)

    result = together([results[name] for name in names])
    return chart_panel(
        "job-trends",
        "Job trends",
        view.unit,
        "c5",
        result,
        chart,
        env,
        live="job-trends" not in state.paused,
        tools=tools,
        before=trends.types(view),
        reload=names,
    )


def _api_trends(state: State, results: Results, env: Env) -> TemplateResult:
    view = state.trends
    tools = trends.tools(view)
    choosing = Choosing(ShowWindow.on("after", "before", panel="requests"), "shows its requests", "activity-apis")
    live = "api-trends" not in state.paused

    def chart(data: Any) -> TemplateResult:
        return api_trends(data, view, choosing, tools)

    return chart_panel("api-trends", "API trends", view.unit, "c4", results["api-trends"], chart, env, live=live, tools=tools)


def _runbook(state: State, results: Results, env: Env) -> TemplateResult:
    result = results["stats"]
    if result.data is not None:
        body = runbook(result.data, state.runbook, state.min_rate)
    else:
        body = did_not_load("Runbook", result, ("stats",), as_high_as="chart") if result.error else chart_bones("Runbook")
    return panel("runbook", "Runbook", result, body, reload=("stats",), opened=env.opened, classes="c3")


def _failing(results: Results, now_ms: float) -> str:
    """Functions that fail more often than is ordinary, for the browser's tab."""
    result = results.get("stats")
    stats: DashboardStats | None = result.data if result is not None else None
    if stats is None:
        return ""
    failing = sum(success_level(100 - one.failure_rate) == "bad" for one in stats.top_failing_functions)
    return f"{failing} failing" if failing else ""


# -- What happens now -------------------------------------------------------------------------------------------------


def _jobs(state: State, results: Results, env: Env) -> TemplateResult:
    def table(live: bool, left: frozenset[str]) -> Table[Any]:
        return short_table("jobs", live=live, left=left)

    empty = ("The server has no jobs.", "New ones appear here as they happen.")
    return activity("activity-jobs", "Jobs", "jobs", "c7", state.jobs, results["jobs"], table, empty, env)


def _requests(state: State, results: Results, env: Env) -> TemplateResult:
    def table(live: bool, left: frozenset[str]) -> Table[Any]:
        return requests_table("requests", live=live, left=left)

    empty = ("The server has no requests.", "New ones appear here as they happen.")
    return activity("activity-apis", "API requests", "requests", "c5", state.requests, results["requests"], table, empty, env)


PANELS: Mapping[str, Panel] = {
    "queue": Panel(("stats",), _queue),
    "system": Panel(("stats", "workers"), _system, clock=_stale),
    "job-trends": Panel(_BY_TYPE, _job_trends),
    "api-trends": Panel(("api-trends",), _api_trends),
    "runbook": Panel(("stats",), _runbook, alarm=_failing),
    "activity-jobs": Panel(("jobs",), _jobs, listing=ranged("jobs", "jobs", lambda state: state.jobs)),
    "activity-apis": Panel(("requests",), _requests, listing=ranged("API requests", "requests", lambda state: state.requests)),
}
