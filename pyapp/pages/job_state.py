"""The state of a job's page: which tab, which artifact, in which order; what was asked of the job; and the URL's form of it.

    message                       state
    ChooseTab, ChooseArtifact     that tab, that artifact; a place of its own in the browser's history
    SortBy                        the order of the task runs
    SetLive                       timeline and artifacts go on, or stop where they are
    AskCancel, KeepJob            the dialog opens, closes
    Cancel, Retry                 asked; → Mutate
    MutationDone, MutationFailed  accepted, refused
    Reload                        → Refresh

The URL: `jobs/{job_id}`, `tab=runs`, `artifact=…`, `sort=-duration`, `paused=1`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

from pydantic import ConfigDict

from pyapp.core.cache.keys import item, live
from pyapp.pages import asked as asking
from pyapp.pages import sorting
from pyapp.pages.asked import AskCancel, AskingState, Cancel, Dismiss, KeepJob, Retry
from pyapp.pages.live_control import SetLive
from pyapp.pages.panel import Reload
from pyapp.pages.protocol import Effect, Message, MutationDone, MutationFailed, Need, Refresh, Visit
from pyapp.pages.sorting import Sort, SortBy
from pyapp.ui import Action

Tab = Literal["timeline", "runs", "artifacts", "details"]
TABS: tuple[Tab, ...] = get_args(Tab)

RUN_COLUMNS = {"status": False, "function": False, "attempt": True, "started": False, "wait": True, "duration": True}
"""The columns of the task runs by which they can be sorted, and whether the largest is first."""
_ORDER = Sort(column="started")


class ChooseTab(Action):
    """Show another part of the job."""

    tab: Tab


class ChooseArtifact(Action):
    """Show what is in an artifact; an empty id shows none."""

    artifact_id: str


class State(AskingState):
    """Which job, and what of it is shown; no data."""

    model_config = ConfigDict(frozen=True)

    job_id: str
    tab: Tab = "timeline"
    artifact: str = ""
    sort: Sort = _ORDER
    live: bool = True
    problem: str | None = None


def initial(params: Mapping[str, str]) -> State:
    """The page of a URL. A tab or a column that does not exist is dropped, and said."""
    sort, problem = sorting.from_param(params.get("sort"), RUN_COLUMNS, _ORDER)
    tab = params.get("tab") or TABS[0]
    chosen: Tab | None = next((one for one in TABS if one == tab), None)
    if chosen is None:
        problem = "The address names a part of a job that there is not; the timeline is shown."
    return State(
        job_id=params.get("job_id") or "none",
        tab=chosen or TABS[0],
        artifact=params.get("artifact", "") if chosen == "artifacts" else "",
        sort=sort,
        live=params.get("paused") != "1",
        problem=problem,
    )


def params(state: State) -> dict[str, str]:
    """What stands behind the path."""
    out = {"tab": state.tab} if state.tab != TABS[0] else {}
    if state.artifact:
        out["artifact"] = state.artifact
    if state.sort != _ORDER:
        out["sort"] = str(state.sort)
    return out if state.live else out | {"paused": "1"}


def needs(state: State) -> dict[str, Need]:
    """The job, its tree and its artifacts; what is in the chosen artifact, where that is text, and which worker an instance is of."""
    shown = state.tab == "artifacts"
    out = {
        "job": Need(item("jobs", state.job_id)),
        "timeline": Need(item("timeline", state.job_id), live=state.live, pages=True),
        # Only its own tab holds the stream of the artifacts (RT-20); elsewhere they are counted once.
        "artifacts": Need(item("artifacts", state.job_id), live=state.live and shown),
        "workers": Need(live("workers"), live=False),
    }
    if shown and state.artifact:
        out["content"] = Need(item("artifacts.content", state.artifact), live=False)
    return out


def update(state: State, message: Message) -> State | tuple[State, *tuple[Effect, ...]]:
    """The next state: the table above. A message of no interest here changes nothing."""
    match message:
        case ChooseTab(tab=tab):
            return state.model_copy(update={"tab": tab, "artifact": "", "problem": None}), Visit()
        case ChooseArtifact(artifact_id=artifact):
            return state.model_copy(update={"tab": "artifacts", "artifact": artifact, "problem": None}), Visit()
        case SortBy(column=column) if column in RUN_COLUMNS:
            return state.model_copy(update={"sort": state.sort.by(column, largest_first=RUN_COLUMNS[column]), "problem": None})
        case SetLive(live=on):
            return state.model_copy(update={"live": on})
        case Reload(needs=names):
            return state, *(Refresh(name) for name in names)
        case AskCancel() | KeepJob() | Cancel() | Retry() | Dismiss():
            return asking.act(state, message)
        case MutationDone() | MutationFailed():
            asked, effects = asking.settle(state.asked, message)
            return state.model_copy(update={"asked": asked}), *effects
        case _:
            return state
