"""The state of the jobs page: what is filtered, which list is shown, what was asked; and the URL's form of it.

    message                       state
    ChooseStatus, ChooseFunction, that filter; the list begins anew in the same mode
    ChooseWorker, ClearFilters
    Search                        the text, looked for in what is loaded
    SortBy                        that column's order, in a window
    those of `columns`            which columns are shown
    those of `selecting`          which rows are ticked, by their ids
    AskMany, CancelMany, KeepMany the dialog about many opens; asked of each; closes
    AskCancel, KeepJob            the dialog opens, closes
    Cancel, Retry                 asked; → Mutate
    MutationDone, MutationFailed  accepted, refused
    Reload                        → Refresh
    those of `listing`            live, window, held; a list that is read anew forgets what was accepted before

Filters and the window are in the URL; what was asked and the dialog are not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from pydantic import ConfigDict, Field

from pyapp.contract.jobs import JobStatus
from pyapp.pages import asked as asking
from pyapp.pages import columns, jobs_many, listing, selecting, sorting
from pyapp.pages.asked import AskCancel, AskingState, Cancel, Dismiss, KeepJob, Retry
from pyapp.pages.columns import Chosen
from pyapp.pages.jobs_many import AskMany, CancelMany, KeepMany, Many
from pyapp.pages.jobs_table import LONG, SORT_DEFAULT, SORT_KEYS, SORT_LARGEST_FIRST
from pyapp.pages.listing import ListState
from pyapp.pages.panel import Reload
from pyapp.pages.protocol import Effect, Message, MutationDone, MutationFailed, Refresh, WithShown
from pyapp.pages.selecting import Batch, Selected
from pyapp.pages.sorting import Sort, SortBy
from pyapp.ui import Action

_STATUSES: tuple[JobStatus, ...] = get_args(JobStatus)
QUERY_MAX = 200


class ChooseStatus(Action):
    """Show jobs of one status; `None` is all."""

    status: JobStatus | None


class ChooseFunction(Action):
    """Show jobs of one function; an empty value is any."""

    value: str


class ChooseWorker(Action):
    """Show jobs of one worker instance; an empty value is any."""

    value: str


class Search(Action):
    """Look for a text in what is loaded."""

    value: str


class ClearFilters(Action):
    """Show everything of the mode that is shown."""


class State(AskingState):
    """What the jobs page shows; no data."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    status: JobStatus | None = None
    function: str | None = None
    worker: str | None = None
    query: str = Field(default="", max_length=QUERY_MAX)
    columns: Chosen = None
    sort: Sort = SORT_DEFAULT
    list: ListState = Field(default_factory=ListState)
    selected: Selected = frozenset()
    many: Many | None = None
    batch: Batch | None = None
    problem: str | None = None

    @property
    def filtered(self) -> bool:
        """Whether anything narrows the list."""
        return bool(self.status or self.function or self.worker or self.query)


def initial(params: Mapping[str, str]) -> State:
    """The page of a URL. A status that does not exist and a window that cannot be are dropped, and said."""
    chosen, problem = columns.from_param(params.get("columns"), LONG)
    shown, unsound = listing.from_params(params)
    sort, unsorted = sorting.from_param(params.get("sort"), SORT_KEYS, SORT_DEFAULT)
    problem = unsound or problem or unsorted
    status = params.get("status") or None
    if status is not None and status not in _STATUSES:
        status, problem = None, "The address names a status that does not exist; all jobs are shown."
    return State(
        status=status,
        function=params.get("function") or None,
        worker=params.get("worker") or None,
        query=params.get("q", "")[:QUERY_MAX],
        columns=chosen,
        sort=sort,
        list=shown,
        problem=problem,
    )


def params(state: State) -> dict[str, str]:
    """The URL of a page: filters and window."""
    sort = str(state.sort) if state.sort != SORT_DEFAULT else None
    chosen = {"status": state.status, "function": state.function, "worker": state.worker, "q": state.query, "sort": sort}
    return {name: value for name, value in chosen.items() if value} | columns.to_params(state.columns) | listing.to_params(state.list)


def update(state: State, message: Message) -> State | tuple[State, *tuple[Effect, ...]]:
    """The next state: the table above. A message of no interest here changes nothing."""
    match message:
        case ChooseStatus(status=status):
            return _filter(state, status=status)
        case ChooseFunction(value=value):
            return _filter(state, function=value or None)
        case ChooseWorker(value=value):
            return _filter(state, worker=value or None)
        case Search(value=value):
            return _filter(state, query=value[:QUERY_MAX])
        case ClearFilters():
            return _filter(state, status=None, function=None, worker=None, query="")
        case SortBy(column=column) if column in SORT_KEYS:
            return _filter(state, sort=state.sort.by(column, largest_first=column in SORT_LARGEST_FIRST))
        case columns.ShowColumn() | columns.AllColumns():
            return state.model_copy(update={"columns": columns.update(state.columns, message, LONG), "problem": None})
        case Reload(needs=needs):
            return _read_again(state), *(Refresh(need) for need in needs)
        case listing.ShowWindow() | listing.ShiftWindow() | listing.BackToLive():
            return _read_again(state).model_copy(update={"list": listing.update(state.list, message), "problem": None})
        case listing.Hold() | listing.Release() | listing.ShowNew() | listing.Scrolled():
            return state.model_copy(update={"list": listing.update(state.list, message)})
        case selecting.Select() | selecting.ClearSelection() | WithShown() | CancelMany() | KeepMany():
            return _about_many(state, message)
        case AskCancel() | KeepJob() | Cancel() | Retry() | Dismiss():
            return asking.act(state, message)
        case MutationDone() | MutationFailed():
            return _settle(state, message)
        case _:
            return state


def _read_again(state: State) -> State:
    """What was accepted before a list is read stands in its rows; only what is under way or was refused has still to be said."""
    return state.model_copy(update={"asked": tuple(one for one in state.asked if one.phase != "accepted")})


def _filter(state: State, **change: Any) -> State:
    return state.model_copy(update={**change, "list": state.list.fresh(state.list.range), "problem": None})


def _about_many(state: State, message: Message) -> State | tuple[State, *tuple[Effect, ...]]:
    match message:
        case selecting.Select(id=name, checked=checked):
            return state.model_copy(update={"selected": selecting.select(state.selected, name, checked=checked)})
        case selecting.ClearSelection():
            return state.model_copy(update={"selected": frozenset()})
        case WithShown(selecting.SelectShown(checked=checked), rows):
            selected = selecting.select_shown(state.selected, (row.id for row in rows), checked=checked)
            return state.model_copy(update={"selected": selected})
        case WithShown(AskMany(verb="cancel"), rows):
            jobs = jobs_many.meant(rows, state.selected, state.asked, "cancel")
            return state.model_copy(update={"many": jobs_many.many_of(jobs) if jobs else None})
        case WithShown(AskMany(verb="retry"), rows):
            jobs = jobs_many.meant(rows, state.selected, state.asked, "retry")
            return _start(state, {job.id: asking.ending(job) for job in jobs}, "retry")
        case CancelMany() if state.many is not None:
            return _start(state, dict.fromkeys(state.many.ids, ""), "cancel")
        case KeepMany():
            return state.model_copy(update={"many": None})
        case _:
            return state


def _start(state: State, wanted: Mapping[str, str], verb: asking.Verb) -> State | tuple[State, *tuple[Effect, ...]]:
    if not wanted:
        return state.model_copy(update={"many": None})
    asked, batch, effects = jobs_many.start(state.asked, wanted, verb)
    return state.model_copy(
        update={"asked": asked, "batch": batch, "many": None, "selected": state.selected - frozenset(wanted)}
    ), *effects


def _settle(state: State, message: MutationDone | MutationFailed) -> tuple[State, *tuple[Effect, ...]]:
    asked, effects = asking.settle(state.asked, message)
    batch = state.batch
    if batch is not None and selecting.concerns(batch, message):
        # Told once for all of them; why one was refused stands in its row too.
        batch, effects = selecting.settle(batch, message)
    return state.model_copy(update={"asked": asked, "batch": batch}), *effects
