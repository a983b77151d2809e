"""What a page is: types only, shared by the pages and by the program that runs them.

A page is a module with these names; `Page` says them as a Protocol, so that the route table is type-checked:

    State      a frozen pydantic model: filters, mode, the window's bounds, what was asked. Never data.
    initial    the state of a URL's parameters and of the names in its path; what makes no sense is dropped, with a sentence in
               `state.problem`
    params     the other way: what the URL must say behind its path so that a reload shows the same
    needs      the queries of this state, by the names that the panels use
    update     (state, message) → the next state, alone or with effects
    heading    what is shown, in the bar and in the browser's tab; the name of one thing, where the page is about one
    layout     the static frame, with one `<div class="root" data-root="panel NAME">` per panel
    PANELS     the panels: which needs each reads, and how it looks

Invariants. `needs`, `params`, `update` and the views are functions of their arguments. Effects are data: the program runs them
and answers a `Mutate` with `MutationDone` or `MutationFailed`. A view reads results and never asks for them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, Protocol

from pyapp.core.cache.keys import QueryKey
from pyapp.core.cache.result import Result
from pyapp.pages.preferences import Preferences
from pyapp.settings import Settings
from pyapp.ui import Action, TemplateResult


class Connection(StrEnum):
    """What the pill in the bar says: the worst state among what is on screen."""

    LIVE = "live"
    CONNECTING = "connecting"
    DEGRADED = "degraded"
    RECONNECTING = "reconnecting"
    POLLING = "polling"
    PAUSED = "paused"
    OFFLINE = "offline"
    ERROR = "error"
    FORBIDDEN = "forbidden"


class ToastLevel(StrEnum):
    """How loud a toast is: its rule is short for the calm ones and whole for trouble."""

    INFO = "info"
    OK = "ok"
    WARNING = "warn"
    ERROR = "bad"


@dataclass(frozen=True, slots=True)
class Need:
    """One query that a state wants observed.

    Attributes:
        key: the query.
        live: false when the user paused it: the data is kept and not updated (RT-5). Means nothing for a window key.
        pages: every page of the answer is read, one after the other. A window always is.
    """

    key: QueryKey
    live: bool = True
    pages: bool = False


@dataclass(frozen=True, slots=True)
class ConnectionView:
    """The pill and its popover.

    Attributes:
        state: the worst state among what is on screen.
        words: the pill's word or two, for example `Live`.
        extra: what stands beside them, for example `4 streams`.
        says: one sentence: why, and what happens next.
        rows: label and value, for the popover.
    """

    state: Connection = Connection.CONNECTING
    words: str = "Connecting"
    extra: str = ""
    says: str = "Nothing is called live yet."
    rows: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Toast:
    """A message that waits in the corner until it is dismissed or times out."""

    id: int
    level: ToastLevel
    title: str
    text: str = ""


HEARTBEAT = "heartbeat"
"""The moment of the last heartbeat of any stream, by the name under which an age shows it (`marks.heard`)."""


@dataclass(frozen=True, slots=True)
class StripView:
    """The strip under the page: only what is measured; `None` is not shown.

    Attributes:
        beats: whether heartbeats come; how long ago the last one came is the moment `HEARTBEAT`.
        clock_coarse: the offset is known to the second only.
    """

    connections: int = 0
    streams: int = 0
    events_per_min: float | None = None
    beats: bool = False
    clock_offset_ms: float | None = None
    version: str = ""
    clock_coarse: bool = False


@dataclass(frozen=True, slots=True)
class Env:
    """What every view may know besides its own state and results.

    Attributes:
        now_ms: the server's clock, wall time in ms, coarse: good for thresholds such as a stale worker, not for labels that tick.
        route: the route shown, for example `jobs`.
        preferences: what the person chose for every visit.
        settings: what the page runs with, and where it came from.
        connection, toasts, notice, strip: what the shell shows; `notice` is one line under the bar.
        profile: the environment's name.
        api: the address of the API, with its version and a slash: for what the browser itself asks for, images and downloads.
        opened: the name of the popover with details that is open, or empty.
    """

    now_ms: float = 0.0
    route: str = "dashboard"
    preferences: Preferences = field(default_factory=Preferences)
    settings: Settings = field(default_factory=Settings)
    connection: ConnectionView = field(default_factory=ConnectionView)
    toasts: tuple[Toast, ...] = ()
    notice: str | None = None
    strip: StripView = field(default_factory=StripView)
    profile: str = ""
    api: str = ""
    opened: str = ""


# -- Effects: what a page asks the program to do --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Mutate:
    """Send an action to the server. The program answers with `MutationDone` or `MutationFailed`, of the same name and arguments."""

    name: str
    args: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Refresh:
    """Fetch one need past cache and throttle; the stream stays untouched (RT-37)."""

    need: str


@dataclass(frozen=True, slots=True)
class Navigate:
    """Go to another route, for example `#/jobs?status=failed`."""

    hash: str


@dataclass(frozen=True, slots=True)
class Visit:
    """The state's address is a place of its own: the back button leads to the one before."""


@dataclass(frozen=True, slots=True)
class ShowToast:
    """Show a message in the corner."""

    level: ToastLevel
    title: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Copy:
    """Put text on the clipboard, and say whether it is there."""

    text: str


@dataclass(frozen=True, slots=True)
class SetFlag:
    """Set a flag for this browser profile, or give it back: `None` (RT-71)."""

    name: str
    value: bool | None


@dataclass(frozen=True, slots=True)
class Forget:
    """Forget everything that this browser profile keeps, and start anew."""


@dataclass(frozen=True, slots=True)
class Download:
    """Give the browser a file to keep; `kind` is its media type."""

    name: str
    kind: str
    text: str


Effect = Mutate | Refresh | Navigate | Visit | ShowToast | Copy | SetFlag | Forget | Download


# -- Messages: what `update` is called with -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MutationDone:
    """The server accepted an action. That it accepted says nothing about what the job does next."""

    name: str
    args: Mapping[str, str]
    answer: object = None


@dataclass(frozen=True, slots=True)
class MutationFailed:
    """The server refused an action, or it did not arrive; `message` is one sentence for a person."""

    name: str
    args: Mapping[str, str]
    message: str


@dataclass(frozen=True, slots=True)
class WithShown:
    """An action about what a panel shows, with the rows that it shows: a page's state has no data, so the program looks them up."""

    action: OfShown
    rows: tuple[Any, ...]


class OfShown(Action):
    """An action about what the list of a panel shows at that moment; the page gets it in a `WithShown`."""

    panel: str


Message = Action | MutationDone | MutationFailed | WithShown

# A page's own State is known to that page only; the program passes it through unread, which is what `Any` says here.
State = Any
Results = Mapping[str, Result[Any]]
View = Callable[[State, Results, Env], TemplateResult]


@dataclass(frozen=True, slots=True)
class Shown:
    """What a list shows now, under its filters and in its order.

    Attributes:
        rows: models of the contract.
        extent: the whole window, the latest of more, or all that there are.
        span: the bounds of a window.
        complete: false while pages of a window are on their way.
    """

    rows: tuple[Any, ...]
    extent: Literal["window", "latest", "all"]
    span: tuple[datetime, datetime] | None = None
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Listing:
    """What a panel with a list tells whoever does not know its page: export, selection, the palette, the keyboard.

    Attributes:
        word: what the rows are, as one says it in a sentence: `jobs`.
        shown: the rows; `None` before they were read.
        live: whether the list goes on.
        set_live: the action that lets it go on or stops it, given the server's wall time in ms.
    """

    word: str
    shown: Callable[[State, Results, Env], Shown | None]
    live: Callable[[State], bool]
    set_live: Callable[[State, bool, float], Action]


@dataclass(frozen=True, slots=True)
class Panel:
    """One root with one error boundary, painted only when a result of its needs or the state changed.

    Attributes:
        needs: names of the page's needs that the view reads; results of others are not handed to it.
        view: state, results by need, environment → template.
        clock: what the view makes of `Env.now_ms`, for panels that compare times; painted again when it is another value. Ages tick
            by themselves.
        alarm: of its results and `Env.now_ms`: what fails, in two words for the browser's tab (`3 failing`); empty where nothing
            does.
        listing: its list, where it has one that can be exported, stopped or selected from.
    """

    needs: tuple[str, ...]
    view: View
    clock: Callable[[Results, float], object] | None = None
    alarm: Callable[[Results, float], str] | None = None
    listing: Listing | None = None


@dataclass(frozen=True, slots=True)
class Heading:
    """What a page is about.

    Attributes:
        word: the page's own word, or that of the list which the thing is from.
        name: the one thing that is shown, or empty.
        back: the address of the list, for a thing.
    """

    word: str
    name: str = ""
    back: str = ""

    def __str__(self) -> str:
        return f"{self.name} · {self.word}" if self.name else self.word


class Page(Protocol):
    """The module of a route."""

    PANELS: Mapping[str, Panel]

    def initial(self, params: Mapping[str, str]) -> State: ...
    def params(self, state: State) -> dict[str, str]: ...
    def needs(self, state: State) -> dict[str, Need]: ...
    def update(self, state: State, message: Message) -> State | tuple[State, *tuple[Effect, ...]]: ...
    def heading(self, state: State) -> Heading: ...
    def layout(self, state: State, env: Env) -> TemplateResult: ...
