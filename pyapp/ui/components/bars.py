"""Stacked bars over time, in SVG: the order of the parts is fixed, trouble is on top and overhangs the stack.

The drawing stands in `<pen-chart>` (`web/src/elements/chart.mjs`), which shows what one bar is made of, and lets a range of bars be
chosen. It reads the numbers in the table behind the drawing, which is there for screen readers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, log10

from pyapp.numbers import count, short
from pyapp.ui.actions import Action, On
from pyapp.ui.components.marks import span
from pyapp.ui.template import TemplateResult, each, html, nothing, svg

_HEIGHT = 120.0
_TOP = 8.0
_BASE = _TOP + _HEIGHT
_PLOT = 93.0
"""Percent of the width that the bars take; the scale stands to the right of them."""
_FILL = 0.72
_OVERHANG = 1.28
_SLIM = 1.2
"""The least height of a part that is not zero: one failure in ten thousand must be seen."""
_LINES = 3


@dataclass(frozen=True, slots=True)
class Part:
    """One kind of thing that is stacked: its word, and the style sheet's `f-…` class."""

    word: str
    fill: str
    overhangs: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """One bucket: a value per part, from the bottom up, the label under it (empty for none), and its bounds as ISO text."""

    values: tuple[int, ...]
    label: str = ""
    start: str = ""
    end: str = ""


@dataclass(frozen=True, slots=True)
class Choosing:
    """What a range of bars does.

    Attributes:
        choose: gets `after` and `before`.
        does: what that is, for the hint, for example `shows its jobs`.
        shows: the panel that shows it, when it is on the same page.
    """

    choose: Action | On
    does: str
    shows: str = ""


def scale(highest: int) -> int:
    """A round number at or above the highest bar that divides by the lines of the grid: 6, 30, 60, 90, 150, 300, …"""
    if highest <= _LINES:
        return _LINES
    power = 10 ** int(log10(highest / _LINES))
    for step in (1, 2, 3, 5, 10, 20):
        if step * power * _LINES >= highest:
            return step * power * _LINES
    return ceil(highest / _LINES) * _LINES


def stacked_bars(
    label: str, parts: Sequence[Part], bars: Sequence[Bar], *, choosing: Choosing | None = None, tools: object = nothing
) -> TemplateResult:
    """The chart with its legend and the table behind it; the last bar is the running one and stands in a dotted frame.

    Args:
        label: what the chart shows, in words, for who cannot see it.
        parts: from the bottom up.
        bars: from the oldest to the one that is still growing.
        choosing: what a range of bars does; nothing, where there is nothing to show of it.
        tools: what changes the chart, beside the legend.
    """
    placed = [_placed(index, bar) for index, bar in enumerate(bars)]
    totals = [sum(bar.values[index] for bar in bars) for index in range(len(parts))]
    legend = each(tuple(zip(parts, totals, strict=True)), key=lambda entry: entry[0].word, render=_legend)
    does = choosing.does if choosing else nothing
    shows = choosing.shows if choosing and choosing.shows else nothing
    return html(
        t"<pen-chart does={does} shows={shows} @choose={choosing.choose if choosing else nothing}>"
        t'<div class="plot" role="slider" tabindex="0" aria-label={label} aria-valuemin="0" aria-valuemax={len(bars)} '
        t'aria-valuenow="0" aria-valuetext="No bar">{_drawing(parts, bars, placed)}<div class="tip" hidden></div></div>'
        t'<div class="sr">{_table(label, parts, placed)}</div></pen-chart>'
        t'<div class="foot"><p class="legend">{legend}</p>{tools}</div>'
    )


def _drawing(parts: Sequence[Part], bars: Sequence[Bar], placed: Sequence[tuple[int, Bar]]) -> TemplateResult:
    top = scale(max((sum(bar.values) for bar in bars), default=0))
    step = _PLOT / max(1, len(bars))
    grid = tuple(_line(top * line // _LINES, top) for line in range(_LINES + 1))
    drawn = each(
        placed,
        key=lambda entry: entry[0],
        render=lambda entry: _bar(entry[1], parts, top, entry[0] * step, step, running=entry[0] == len(bars) - 1),
        same=(top, len(bars), parts),
    )
    return html(
        t'<svg class="chart" aria-hidden="true" data-plot={_PLOT}>'
        t'<rect class="pick" y="6" height="{_BASE - 6:.1f}" width="0"></rect>{grid}{drawn}</svg>'
    )


def _table(label: str, parts: Sequence[Part], placed: Sequence[tuple[int, Bar]]) -> TemplateResult:
    """The numbers of the drawing; `pen-chart` reads them too."""
    heads = each(parts, key=lambda part: part.word, render=lambda part: html(t'<th scope="col" data-fill={part.fill}>{part.word}</th>'))
    rows = each(placed, key=lambda entry: entry[0], render=lambda entry: _row(entry[1]), same=(parts,))
    return html(
        t'<table><caption>{label}</caption><thead><tr><th scope="col">Time</th>{heads}</tr></thead><tbody>{rows}</tbody></table>'
    )


def _row(bar: Bar) -> TemplateResult:
    cells = tuple(html(t"<td>{count(value)}</td>") for value in bar.values)
    return html(t'<tr><th scope="row">{span(bar.start, bar.end)}</th>{cells}</tr>')


@lru_cache(maxsize=512)
def _placed(index: int, bar: Bar) -> tuple[int, Bar]:
    """The same object for the same bar in the same place: only bars that changed are drawn again."""
    return index, bar


def _line(value: int, top: int) -> TemplateResult:
    y = _BASE - _HEIGHT * value / top
    return svg(
        t'<line x1="0" x2="{_PLOT}%" y1="{y:.1f}" y2="{y:.1f}" class={"base" if value == 0 else ""}></line>'
        t'<text x="100%" y="{y + 4:.1f}" text-anchor="end">{short(value)}</text>'
    )


def _bar(bar: Bar, parts: Sequence[Part], top: int, left: float, step: float, *, running: bool) -> TemplateResult:
    boxes: list[TemplateResult] = []
    y = _BASE
    for part, value in zip(parts, bar.values, strict=True):
        if value == 0:
            continue
        height = max(_SLIM, _HEIGHT * value / top - 0.8)
        width = step * _FILL * (_OVERHANG if part.overhangs else 1)
        y -= height + 0.8
        boxes.append(
            svg(
                t'<rect class="f-{part.fill}" x="{left + (step - width) / 2:.2f}%" width="{width:.2f}%" '
                t'y="{y:.1f}" height="{height:.1f}"></rect>'
            )
        )
    frame = svg(t'<rect class="sofar" x="{left:.2f}%" width="{step:.2f}%" y="6" height="{_BASE - 6:.1f}"></rect>') if running else None
    text = (
        svg(t'<text class={"now" if running else ""} x="{left + step / 2:.2f}%" y="144" text-anchor="middle">{bar.label}</text>')
        if bar.label
        else None
    )
    return svg(t"{tuple(boxes)}{frame}{text}")


def _legend(entry: tuple[Part, int]) -> TemplateResult:
    part, total = entry
    return html(
        t'<span><svg aria-hidden="true"><rect class="f-{part.fill}" width="100%" height="100%"></rect></svg>'
        t"{part.word} <b>{count(total)}</b></span>"
    )
