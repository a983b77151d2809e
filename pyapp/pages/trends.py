"""Trends as stacked bars, and the runbook: what fails, waits or is stuck, from the same answer as the figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pyapp.contract.apis import ApiTrends
from pyapp.contract.dashboard import DashboardStats
from pyapp.contract.jobs import JobTrends
from pyapp.pages import formats
from pyapp.pages.formats import Quantity
from pyapp.ui import Action, TemplateResult, each, html
from pyapp.ui.components.bars import Bar, Part, stacked_bars
from pyapp.ui.components.marks import age

HOURS = 24
_LABEL_HOURS = 6

_FAILED = Part("failed", "failed", overhangs=True)
_JOB_PARTS = (
    Part("complete", "complete"),
    Part("active", "active"),
    Part("retrying", "retrying"),
    Part("failed", "failed", overhangs=True),
)
_API_PARTS = (Part("2xx", "complete"), Part("4xx", "retrying"), Part("5xx", "failed", overhangs=True))

RunbookTab = Literal["failing", "queued", "stuck"]
TABS: tuple[tuple[RunbookTab, str], ...] = (("failing", "Failing"), ("queued", "Queued"), ("stuck", "Stuck"))


class ChooseRunbook(Action):
    """Show what fails, waits or is stuck."""

    tab: RunbookTab


def job_trends(trends: JobTrends) -> TemplateResult:
    """Jobs per hour by what became of them."""
    hours = [(one.hour, (one.complete, one.active, one.retrying, one.failed)) for one in trends.hourly]
    return stacked_bars(_says("Jobs per hour", _JOB_PARTS, hours), _JOB_PARTS, _bars(hours))


def api_trends(trends: ApiTrends) -> TemplateResult:
    """API requests per hour by the class of their status."""
    hours = [(one.hour, (one.success_2xx, one.client_4xx, one.server_5xx)) for one in trends.hourly]
    return stacked_bars(_says("API requests per hour", _API_PARTS, hours), _API_PARTS, _bars(hours))


def chart_bones(name: str) -> TemplateResult:
    """A chart that was not read yet, as high as one that was."""
    return html(t'<div class="chart" aria-hidden="true"></div><p class="legend"> </p><p class="sr" role="status">Loading {name}</p>')


Hours = Sequence[tuple[datetime, tuple[int, ...]]]


def _bars(hours: Hours) -> tuple[Bar, ...]:
    last = len(hours) - 1
    labels = [_label(at, always=n == last) for n, (at, _) in enumerate(hours)]
    # A label beside that of the running hour would be written over it.
    labels[-3:-1] = [""] * len(labels[-3:-1])
    return tuple(Bar(values, label) for label, (_, values) in zip(labels, hours, strict=True))


def _label(at: datetime, *, always: bool) -> str:
    """The hour of day in the viewer's zone, at every sixth hour."""
    hour = at.astimezone().hour
    return f"{hour:02d}" if always or hour % _LABEL_HOURS == 0 else ""


def _says(what: str, parts: Sequence[Part], hours: Hours) -> str:
    totals = (f"{sum(values[n] for _, values in hours):,} {part.word}" for n, part in enumerate(parts))
    return f"{what} over {len(hours)} hours: {', '.join(totals)}"


# -- Runbook ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Entry:
    key: str
    name: str
    value: Quantity
    words: object


def runbook(stats: DashboardStats, shown: RunbookTab) -> TemplateResult:
    """Three short lists under tabs; a tab says how many there are."""
    entries = _entries(stats)
    counts = {tab: len(listed) for tab, listed in entries.items()}
    tabs = each(TABS, key=lambda tab: tab[0], render=lambda tab: _tab(tab, counts[tab[0]], shown == tab[0]), same=(shown, counts))
    empty = {"failing": "Nothing fails.", "queued": "Nothing waits.", "stuck": "Nothing is stuck."}[shown]
    rows = each(entries[shown], key=lambda entry: entry.key, render=_row)
    body = html(t"<ul>{rows}</ul>") if entries[shown] else html(t'<p class="note">{empty}</p>')
    return html(
        t'<div class="tabs" role="group" aria-label="Runbook">{tabs}</div>'
        t'<div class="list" role="region" tabindex="0" aria-label={shown}>{body}</div>'
    )


def _entries(stats: DashboardStats) -> dict[RunbookTab, tuple[_Entry, ...]]:
    failing = (
        _Entry(one.key, one.name, formats.percent(one.failure_rate), _failed(one.failures, one.runs, one.last_run_at))
        for one in stats.top_failing_functions
    )
    queued = (_Entry(one.id, one.function_name, formats.seconds(one.age_seconds), one.source) for one in stats.oldest_queued_jobs)
    stuck = (
        _Entry(one.id, one.function_name, formats.seconds(one.age_seconds), one.worker_id or "") for one in stats.stuck_active_jobs
    )
    return {"failing": tuple(failing), "queued": tuple(queued), "stuck": tuple(stuck)}


def _failed(failures: int, runs: int, last: datetime | None) -> TemplateResult:
    when = html(t", last {age(formats.iso(last), plain=True)} ago") if last else html(t"")
    return html(t"{failures:,} of {runs:,} failed{when}")


def _tab(tab: tuple[RunbookTab, str], count: int, shown: bool) -> TemplateResult:
    name, word = tab
    return html(
        t'<button type="button" aria-pressed={"true" if shown else "false"} @click={ChooseRunbook(tab=name)}>'
        t'{word}<span class="c">{count}</span></button>'
    )


def _row(entry: _Entry) -> TemplateResult:
    return html(
        t'<li><bdi class="a">{entry.name}</bdi><span class="n">{entry.value.digits}<span class="u">{entry.value.unit}</span></span>'
        t'<span class="b">{entry.words}</span></li>'
    )
