"""Stacked bars over time, in SVG: the order of the parts is fixed, trouble is on top and overhangs the stack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, log10

from pyapp.ui.template import TemplateResult, each, html, svg

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
    """One bucket: a value per part, from the bottom up, and the label under it (empty for none)."""

    values: tuple[int, ...]
    label: str = ""


def scale(highest: int) -> int:
    """A round number at or above the highest bar that divides by the lines of the grid: 6, 30, 60, 90, 150, 300, …"""
    if highest <= _LINES:
        return _LINES
    power = 10 ** int(log10(highest / _LINES))
    for step in (1, 2, 3, 5, 10, 20):
        if step * power * _LINES >= highest:
            return step * power * _LINES
    return ceil(highest / _LINES) * _LINES


def stacked_bars(label: str, parts: Sequence[Part], bars: Sequence[Bar]) -> TemplateResult:
    """The chart with its legend; the last bar is the running one and stands in a dotted frame.

    Args:
        label: what the chart shows, in words, for who cannot see it.
        parts: from the bottom up.
        bars: from the oldest to the one that is still growing.
    """
    top = scale(max((sum(bar.values) for bar in bars), default=0))
    step = _PLOT / max(1, len(bars))
    grid = tuple(_line(top * line // _LINES, top) for line in range(_LINES + 1))
    drawn = each(
        [_placed(index, bar) for index, bar in enumerate(bars)],
        key=lambda entry: entry[0],
        render=lambda entry: _bar(entry[1], parts, top, entry[0] * step, step, running=entry[0] == len(bars) - 1),
        same=(top, len(bars), parts),
    )
    totals = [sum(bar.values[index] for bar in bars) for index in range(len(parts))]
    legend = each(tuple(zip(parts, totals, strict=True)), key=lambda entry: entry[0].word, render=_legend)
    return html(t'<svg class="chart" role="img" aria-label={label}>{grid}{drawn}</svg><p class="legend">{legend}</p>')


@lru_cache(maxsize=512)
def _placed(index: int, bar: Bar) -> tuple[int, Bar]:
    """The same object for the same bar in the same place: only bars that changed are drawn again."""
    return index, bar


def _line(value: int, top: int) -> TemplateResult:
    y = _BASE - _HEIGHT * value / top
    return svg(
        t'<line x1="0" x2="{_PLOT}%" y1="{y:.1f}" y2="{y:.1f}" class={"base" if value == 0 else ""}></line>'
        t'<text x="100%" y="{y + 4:.1f}" text-anchor="end">{value:,}</text>'
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
        t"{part.word} <b>{total:,}</b></span>"
    )
