"""Trends as stacked bars: by the hour or by the day, by outcome or by type.

    message        state
    ChooseStep     hourly or daily; a day is one of the viewer's, from midnight to midnight
    ChooseType     every type, one of them, or each stacked on the others

The server says hours only (at most 168). Daily are those of seven days put together here; the day that they do not cover from its
midnight is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict

from pyapp import numbers
from pyapp.contract.apis import ApiTrends
from pyapp.contract.jobs import JOB_TYPES, JobTrends, JobType
from pyapp.core.cache.result import Result
from pyapp.pages import formats
from pyapp.pages.panel import worst
from pyapp.ui import Action, TemplateResult, html
from pyapp.ui.components.bars import Bar, Choosing, Part, stacked_bars
from pyapp.ui.components.controls import Choice, Option, segments, select

HOURS = 24
DAYS = 7
_LABEL_HOURS = 6
_HOUR = timedelta(hours=1)

Step = Literal["hour", "day"]
TypeShown = Literal["", "each", "task", "cron", "event"]
"""Which jobs a trend is of: all, all by type, or those of one type."""

_STEPS: tuple[tuple[str, Step], ...] = (("Hourly", "hour"), ("Daily", "day"))
_JOB_PARTS = (
    Part("complete", "complete"),
    Part("active", "active"),
    Part("retrying", "retrying"),
    Part("failed", "failed", overhangs=True),
)
_TYPE_PARTS = tuple(Part(word, word) for word in JOB_TYPES)
_API_PARTS = (Part("2xx", "complete"), Part("4xx", "retrying"), Part("5xx", "failed", overhangs=True))


class ChooseStep(Action):
    """Bars of hours, or of days."""

    step: Step


class ChooseType(Action):
    """Which jobs, as in `TypeShown`; what is not in it is all."""

    value: str


class TrendView(BaseModel):
    """How trends are shown. The URL: `trends=daily`, `type=cron`, `type=each`."""

    model_config = ConfigDict(frozen=True)

    step: Step = "hour"
    type: TypeShown = ""

    @property
    def hours(self) -> int:
        """How many are asked for."""
        return HOURS if self.step == "hour" else DAYS * 24

    @property
    def unit(self) -> str:
        return f"per {self.step}"

    def types(self) -> tuple[JobType | None, ...]:
        """One query each; `None` is all types in one."""
        if self.type == "each":
            return JOB_TYPES
        return (next((one for one in JOB_TYPES if one == self.type), None),)


def view_of(params: Mapping[str, str]) -> TrendView:
    """As the URL says; what makes no sense is left out."""
    step: Step = "day" if params.get("trends") == "daily" else "hour"
    return TrendView(step=step, type=_type_shown(params.get("type", "")))


def to_params(view: TrendView) -> dict[str, str]:
    """What the URL says of it; the defaults are left out."""
    out = {"trends": "daily"} if view.step == "day" else {}
    return out | ({"type": view.type} if view.type else {})


def update(view: TrendView, message: ChooseStep | ChooseType) -> TrendView:
    """The next view: the table above."""
    if isinstance(message, ChooseStep):
        return view.model_copy(update={"step": message.step})
    return view.model_copy(update={"type": _type_shown(message.value)})


def _type_shown(text: str) -> TypeShown:
    return next((one for one in get_args(TypeShown) if one == text), "")


# -- The charts -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bar: its bounds, and a value per part."""

    start: datetime
    end: datetime
    values: tuple[int, ...]


def job_trends(trends: JobTrends, view: TrendView, choosing: Choosing | None = None, tools: object = "") -> TemplateResult:
    """Jobs by what became of them."""
    return _chart("Jobs", _JOB_PARTS, _outcomes(trends, view.step), view, choosing, tools)


def type_trends(each: Sequence[JobTrends], view: TrendView, choosing: Choosing | None = None, tools: object = "") -> TemplateResult:
    """Jobs by their type.

    Args:
        each: the trends of every type, in the order of `JOB_TYPES`.
    """
    counted: dict[datetime, list[int]] = {}
    for number, trends in enumerate(each):
        for one in trends.hourly:
            totals = counted.setdefault(one.hour, [0] * len(_TYPE_PARTS))
            totals[number] = one.complete + one.active + one.retrying + one.failed
    hours = [Bucket(hour, hour + _HOUR, tuple(counted[hour])) for hour in sorted(counted)]
    return _chart("Jobs", _TYPE_PARTS, _stepped(hours, view.step), view, choosing, tools)


def api_trends(trends: ApiTrends, view: TrendView, choosing: Choosing | None = None, tools: object = "") -> TemplateResult:
    """API requests by the class of their status."""
    return _chart("API requests", _API_PARTS, _classes(trends, view.step), view, choosing, tools)


def _chart(
    what: str, parts: Sequence[Part], buckets: Sequence[Bucket], view: TrendView, choosing: Choosing | None, tools: object
) -> TemplateResult:
    label = _says(f"{what} {view.unit}", parts, buckets, view.step)
    return stacked_bars(label, parts, _bars(tuple(buckets), view.step), choosing=choosing, tools=tools)


def _outcomes(trends: JobTrends, step: Step) -> tuple[Bucket, ...]:
    hours = [Bucket(one.hour, one.hour + _HOUR, (one.complete, one.active, one.retrying, one.failed)) for one in trends.hourly]
    return _stepped(hours, step)


def _classes(trends: ApiTrends, step: Step) -> tuple[Bucket, ...]:
    hours = [Bucket(one.hour, one.hour + _HOUR, (one.success_2xx, one.client_4xx, one.server_5xx)) for one in trends.hourly]
    return _stepped(hours, step)


def _stepped(hours: Sequence[Bucket], step: Step) -> tuple[Bucket, ...]:
    """Hours as they are, or as days of the viewer's zone."""
    if step == "hour" or not hours:
        return tuple(hours)
    days: list[Bucket] = []
    for hour in hours:
        if days and _day(days[-1].start) == _day(hour.start):
            last = days[-1]
            days[-1] = Bucket(last.start, hour.end, tuple(a + b for a, b in zip(last.values, hour.values, strict=True)))
        else:
            days.append(hour)
    # An hour of a zone that is half an hour off belongs to the day in which it begins.
    first = days[0].start.astimezone()
    cut = len(days) > 1 and first.hour > 0
    return tuple(days[1:] if cut else days)


# The zone is the browser's, and asking it goes through JavaScript: once per hour of the chart, not once per paint.
@lru_cache(maxsize=1_024)
def _day(at: datetime) -> date:
    return at.astimezone().date()


def _bars(buckets: tuple[Bucket, ...], step: Step) -> tuple[Bar, ...]:
    last = len(buckets) - 1
    labels = [_label(one.start, step, always=n == last) for n, one in enumerate(buckets)]
    if step == "hour":
        # A label beside that of the running hour would be written over it.
        labels[-3:-1] = [""] * len(labels[-3:-1])
    return tuple(Bar(one.values, label, *_bounds(one.start, one.end)) for one, label in zip(buckets, labels, strict=True))


@lru_cache(maxsize=1_024)
def _bounds(start: datetime, end: datetime) -> tuple[str, str]:
    return formats.iso(start) or "", formats.iso(end) or ""


@lru_cache(maxsize=1_024)
def _label(at: datetime, step: Step, *, always: bool) -> str:
    """The hour of day in the viewer's zone, at every sixth hour; or the day."""
    there = at.astimezone()
    if step == "day":
        return f"{numbers.weekday(there.weekday())} {there.day}"
    if not always and there.hour % _LABEL_HOURS:
        return ""
    return f"{there.hour:02d}:{there.minute:02d}" if there.minute else f"{there.hour:02d}"


def _says(what: str, parts: Sequence[Part], buckets: Sequence[Bucket], step: Step) -> str:
    totals = (f"{formats.count(sum(one.values[n] for one in buckets))} {part.word}" for n, part in enumerate(parts))
    return f"{what} over {formats.plural(len(buckets), step)}: {', '.join(totals)}"


# -- What changes them ------------------------------------------------------------------------------------------------


def tools(view: TrendView) -> TemplateResult:
    """Hourly or daily, beside the legend."""
    steps = segments("Bars of", (Choice(word, view.step == step, ChooseStep(step=step)) for word, step in _STEPS))
    return html(t'<div class="tools">{steps}</div>')


def types(view: TrendView) -> TemplateResult:
    """Of which type the jobs are, in the head."""
    offered = [Option("each", "stacked"), *(Option(word, word) for word in JOB_TYPES)]
    return select("Type", offered, view.type, ChooseType.on("value"))


def chart_bones(name: str, below: object = "") -> TemplateResult:
    """A chart that was not read yet, as high as one that was."""
    return html(
        t'<div class="chart" aria-hidden="true"></div><div class="foot"><p class="legend"> </p>{below}</div>'
        t'<p class="sr" role="status">Loading {name}</p>'
    )


def together(results: Sequence[Result[Any]]) -> Result[Any]:
    """Several answers as one: as fresh as the worst of them, and without data until each has some."""
    shown = worst(results)
    if all(result.has_data for result in results):
        return replace(shown, data=tuple(result.data for result in results), has_data=True)
    return replace(shown, data=None, has_data=False)
