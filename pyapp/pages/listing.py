"""The state of a list that is live or a window, and everything a user does to it; the same on every page (RT-4, RT-5).

    message        live                                  window
    Hold           rows keep still, new ones wait        (never sent)
    Release        rows move again                       (never sent)
    ShowNew        as Release, scrolled to the top       nothing
    ShowWindow     → window                              → other window
    ShiftWindow    nothing                               → the window before or after, as long
    BackToLive     nothing                               → live
    Scrolled       (never sent)                          other lines are in sight

The URL form is `after=…&before=…`, ISO in UTC, with a prefix where a page has several lists.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from pyapp.pages import formats
from pyapp.ui import Action

FIRST_LINES = 48
"""Lines of a window that are rendered before the page knows which can be seen."""


class Hold(Action):
    """The pointer, the focus or a selection is in the list, or it is scrolled away from its top."""

    panel: str


class Release(Action):
    """None of these any more."""

    panel: str


class ShowNew(Action):
    """Let the rows in that were held back."""

    panel: str


class ShowWindow(Action):
    """Show the range between two moments, both inclusive."""

    panel: str
    after: datetime
    before: datetime


class ShiftWindow(Action):
    """Show the range of the same length before or after this one."""

    panel: str
    to: Literal["earlier", "later"]


class BackToLive(Action):
    """Leave the window."""

    panel: str


class Scrolled(Action):
    """These lines of a window can be seen, `end` excluded."""

    panel: str
    start: int = Field(ge=0)
    end: int = Field(ge=0)


ListAction = Hold | Release | ShowNew | ShowWindow | ShiftWindow | BackToLive | Scrolled


class Range(BaseModel):
    """A chosen range of time; its bounds were fixed when it was chosen."""

    model_config = ConfigDict(frozen=True)

    after: datetime
    before: datetime

    @property
    def length(self) -> timedelta:
        return self.before - self.after

    def shifted(self, to: Literal["earlier", "later"]) -> Range:
        """The range of the same length that touches this one."""
        by = self.length if to == "later" else -self.length
        return Range(after=self.after + by, before=self.before + by)


class Painted:
    """The rows of a list as they were painted last, so that a held list can stand still.

    A memo and not state: it holds nothing that was not on the screen, and is only read while the list is held. A row that the live
    list has dropped meanwhile stays as it was, because a row must not vanish under the pointer.
    """

    __slots__ = ("rows",)

    def __init__(self) -> None:
        self.rows: tuple[Any, ...] = ()

    def show[Row](self, rows: tuple[Row, ...], *, held: bool, key: Callable[[Row], str]) -> tuple[Row, ...]:
        """The rows to paint: all of them, or, held, the painted ones with what is known now, in their order.

        Args:
            key: what names a row.
        """
        shown = rows
        if held and self.rows:
            newest = {key(row): row for row in rows}
            before: tuple[Row, ...] = self.rows
            shown = tuple(newest.get(key(row), row) for row in before)
        self.rows = shown
        return shown


class Arranged:
    """Rows as they were filtered and put in order last, so that it is done once for each answer.

    A memo and not state, like `Painted`.
    """

    __slots__ = ("_by", "_made", "_rows")

    def __init__(self) -> None:
        self._rows: object = None
        self._by: object = None
        self._made: tuple[Any, ...] = ()

    def of[Row](self, rows: tuple[Row, ...], by: object, make: Callable[[], tuple[Row, ...]]) -> tuple[Row, ...]:
        """What `make` makes of these rows.

        Args:
            by: what it depends on besides the rows, which are compared by identity.
        """
        if self._rows is not rows or self._by != by:
            self._made, self._rows, self._by = make(), rows, by
        return self._made


class ListState(BaseModel):
    """One list: live or a window, held or moving, and which lines of a window are rendered."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    range: Range | None = None
    held: bool = False
    top: int = 0
    start: int = 0
    end: int = FIRST_LINES
    painted: Painted = Field(default_factory=Painted, repr=False, exclude=True)
    arranged: Arranged = Field(default_factory=Arranged, repr=False, exclude=True)

    @property
    def live(self) -> bool:
        return self.range is None

    def fresh(self, span: Range | None = None) -> ListState:
        """The same list with nothing of before: for another range or other filters."""
        return ListState(range=span, top=self.top)


def update(state: ListState, action: ListAction) -> ListState:
    """The next state of a list: the table above."""
    match action:
        case Hold():
            return state.model_copy(update={"held": state.live})
        case Release():
            return state.model_copy(update={"held": False})
        case ShowNew():
            return state.model_copy(update={"held": False, "top": state.top + 1})
        case ShowWindow(after=after, before=before):
            return state.fresh(Range(after=min(after, before), before=max(after, before)))
        case ShiftWindow(to=to):
            return state.fresh(state.range.shifted(to)) if state.range else state
        case BackToLive():
            return state.fresh()
        case Scrolled(start=start, end=end):
            return state.model_copy(update={"start": start, "end": max(start, end)})


def to_params(state: ListState, prefix: str = "") -> dict[str, str]:
    """What the URL says of a list: nothing while it is live."""
    if state.range is None:
        return {}
    return {
        f"{prefix}after": formats.iso(state.range.after) or "",
        f"{prefix}before": formats.iso(state.range.before) or "",
    }


def from_params(params: Mapping[str, str], prefix: str = "") -> tuple[ListState, str | None]:
    """A list as the URL says, and a sentence where it makes no sense (the list is live then)."""
    after, before = params.get(f"{prefix}after"), params.get(f"{prefix}before")
    if after is None and before is None:
        return ListState(), None
    bounds = tuple(_moment(text) for text in (after, before))
    match bounds:
        case (datetime() as first, datetime() as last) if first < last:
            return ListState(range=Range(after=first, before=last)), None
        case _:
            return ListState(), "The address names a time window that cannot be; this is live instead."


def _moment(text: str | None) -> datetime | None:
    """ISO text as a time in UTC; naive means UTC, as everywhere on this wire."""
    try:
        at = datetime.fromisoformat(text or "")
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except ValueError, OverflowError:
        return None
