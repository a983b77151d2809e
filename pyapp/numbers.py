"""Counts and decimals with the marks of the viewer's locale.

The browser's `Intl` says once, at the boot, which marks those are (`web/src/marks.mjs`); from then on numbers are written here, because
a call to JavaScript per cell and paint would cost more than the cell. Digits are the Latin ones in every locale: the console's figures
are tabular, and its font has no others. Where nobody said anything, marks are English.
"""

from __future__ import annotations

from dataclasses import dataclass

_GROUP = 3


@dataclass(frozen=True, slots=True)
class Marks:
    """How a locale writes numbers, and names days.

    Attributes:
        group, decimal: between thousands, and before decimals.
        further: digits of every group but the last, which has three: two of them in India.
        shortest: digits before groups begin: 1234 is written without a mark where that is five.
        weekdays: short names from Monday on.
    """

    group: str = ","
    decimal: str = "."
    further: int = 3
    shortest: int = 4
    weekdays: tuple[str, ...] = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


ENGLISH = Marks()


class _Viewer:
    """Whose page this is."""

    marks: Marks = ENGLISH


def use(marks: Marks) -> None:
    """Write with these from now on."""
    _Viewer.marks = marks


def weekday(number: int) -> str:
    """The short name of a day, Monday being 0."""
    return _Viewer.marks.weekdays[number]


def count(value: int) -> str:
    """A whole number in full, for example `12,345`."""
    return f"{value:,}" if _Viewer.marks is ENGLISH else _grouped(str(value))


def short(value: int) -> str:
    """A round number for a scale: `500`, `1.5k`, `30k`, `2M`."""
    for unit, letter in ((1_000_000, "M"), (1_000, "k")):
        if value >= unit:
            return trimmed(decimal(value / unit, 1)) + letter
    return count(value)


def decimal(value: float, decimals: int) -> str:
    """A number with so many decimals, for example `12,345.60`."""
    if _Viewer.marks is ENGLISH:
        return f"{value:,.{decimals}f}"
    whole, _, part = f"{value:.{decimals}f}".partition(".")
    return f"{_grouped(whole)}{_Viewer.marks.decimal}{part}" if part else _grouped(whole)


def trimmed(text: str) -> str:
    """A number of `decimal` without zeros that say nothing behind its decimal mark."""
    mark = _Viewer.marks.decimal
    return text.rstrip("0").removesuffix(mark) if mark in text else text


def _grouped(text: str) -> str:
    marks = _Viewer.marks
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
    if len(digits) < marks.shortest:
        return text
    head, tail = digits[:-_GROUP], [digits[-_GROUP:]]
    while head:
        head, group = head[: -marks.further], head[-marks.further :]
        tail.insert(0, group)
    return sign + marks.group.join(tail)
