"""The order of a table's rows: by a column, one way or the other; in the URL as `sort=name` or `sort=-name`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from pyapp.ui import Action


class SortBy(Action):
    """Sort by a column; by the same again, the other way round."""

    column: str


class Sort(BaseModel):
    """By which column, and whether the largest is first."""

    model_config = ConfigDict(frozen=True)

    column: str
    descending: bool = False

    def __str__(self) -> str:
        return f"-{self.column}" if self.descending else self.column

    def by(self, column: str, *, largest_first: bool) -> Sort:
        """What pressing a column's head makes of it: figures begin with the largest, words with the first."""
        if column == self.column:
            return Sort(column=column, descending=not self.descending)
        return Sort(column=column, descending=largest_first)


def from_param(text: str | None, columns: Iterable[str], default: Sort) -> tuple[Sort, str | None]:
    """The order that a URL names, and a sentence where there is no such column."""
    if not text:
        return default, None
    descending = text.startswith("-")
    column = text.removeprefix("-")
    if column not in set(columns):
        return default, "The address names a column that there is not; the usual order is shown."
    return Sort(column=column, descending=descending), None


def arranged[Row](rows: Iterable[Row], sort: Sort, keys: Mapping[str, Callable[[Row], Any]], name: Callable[[Row], str]) -> list[Row]:
    """The rows in their order. Equal ones stand by name, whichever way; what has no value is last, whichever way."""
    key = keys[sort.column]
    known: list[tuple[Any, Row]] = []
    unknown: list[Row] = []
    for row in sorted(rows, key=name):
        value = key(row)
        if value is None:
            unknown.append(row)
        else:
            known.append((value, row))
    known.sort(key=lambda pair: pair[0], reverse=sort.descending)
    return [*(row for _, row in known), *unknown]
