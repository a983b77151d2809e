"""Which columns of a list are shown: all of them, or those that a person chose; in the URL as `columns=status,wait`.

The column that names a row, and those without a word of their own, are always there. What is chosen still leaves where there is no
room for it: a narrow screen shows what it can.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyapp.pages.rows import Column
from pyapp.ui import Action

Chosen = tuple[str, ...] | None
"""The names of the columns that are shown; `None` is the default: all."""


class ShowColumn(Action):
    """Show a column of a list, or hide it."""

    panel: str
    name: str
    shown: bool


class AllColumns(Action):
    """Show every column again."""

    panel: str


def choosable(columns: Sequence[Column]) -> tuple[Column, ...]:
    """The columns that may be hidden: not the wide one that says what a row is, nor those without a visible head."""
    return tuple(column for column in columns if column.classes and not column.hidden_word)


def is_shown(column: Column, chosen: Chosen) -> bool:
    """Whether a column that may be hidden is shown."""
    return chosen is None or column.name in chosen


def hidden(columns: Sequence[Column], chosen: Chosen) -> frozenset[int]:
    """The places of the columns that are not shown, from 1, as the style sheet counts them."""
    free = choosable(columns)
    return frozenset(place for place, column in enumerate(columns, 1) if column in free and not is_shown(column, chosen))


def visible(columns: Sequence[Column], chosen: Chosen) -> tuple[Column, ...]:
    """The columns that are shown."""
    gone = hidden(columns, chosen)
    return tuple(column for place, column in enumerate(columns, 1) if place not in gone)


def update(chosen: Chosen, action: ShowColumn | AllColumns, columns: Sequence[Column]) -> Chosen:
    """What is shown after an action; all of them is the default again."""
    if isinstance(action, AllColumns):
        return None
    free = [column.name for column in choosable(columns)]
    now = {name for name in free if chosen is None or name in chosen}
    now = now | {action.name} if action.shown else now - {action.name}
    names = tuple(name for name in free if name in now)
    return None if len(names) == len(free) else names


def to_params(chosen: Chosen) -> dict[str, str]:
    """What the URL says: nothing of the default. No column at all is a line of its own, because an empty value is left out."""
    return {} if chosen is None else {"columns": ",".join(chosen) or "none"}


def from_param(text: str | None, columns: Sequence[Column]) -> tuple[Chosen, str | None]:
    """What a URL names, and a sentence where it names a column that there is not."""
    if not text:
        return None, None
    asked = [] if text == "none" else text.split(",")
    free = [column.name for column in choosable(columns)]
    names = tuple(name for name in free if name in asked)
    problem = None if set(asked) <= set(free) else "The address names a column that there is not; the others are shown."
    if not names and asked:
        return None, problem
    return (None if len(names) == len(free) else names), problem
