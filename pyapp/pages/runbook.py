"""The runbook: what fails, waits or is stuck, from the same answer as the figures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pyapp.contract.dashboard import DashboardStats
from pyapp.pages import addresses, formats
from pyapp.pages.formats import Quantity
from pyapp.ui import Action, TemplateResult, each, html, nothing
from pyapp.ui.components.marks import age, icon

RunbookTab = Literal["failing", "queued", "stuck"]
TABS: tuple[tuple[RunbookTab, str], ...] = (("failing", "Failing"), ("queued", "Queued"), ("stuck", "Stuck"))
MIN_RATES = (0, 1, 5, 10, 25, 50)
"""Percent; the server leaves out what fails less often."""


class ChooseRunbook(Action):
    """Show what fails, waits or is stuck."""

    tab: RunbookTab


class ChooseMinRate(Action):
    """Leave out what fails less often, in percent; what is not offered is any."""

    value: str


def min_rate_of(text: str) -> int:
    """A rate that is offered, else any."""
    return next((rate for rate in MIN_RATES if str(rate) == text), 0)


@dataclass(frozen=True, slots=True)
class _Entry:
    key: str
    href: str
    name: str
    value: Quantity
    words: object


def runbook(stats: DashboardStats, shown: RunbookTab, min_rate: int) -> TemplateResult:
    """Three short lists under tabs; a tab says how many there are.

    Args:
        min_rate: the least rate of failures, in percent, that counts as failing.
    """
    entries = _entries(stats)
    counts = {tab: len(listed) for tab, listed in entries.items()}
    tabs = each(TABS, key=lambda tab: tab[0], render=lambda tab: _tab(tab, counts[tab[0]], shown == tab[0]), same=(shown, counts))
    fails = f"Nothing fails as often as {min_rate} %." if min_rate else "Nothing fails."
    empty = {"failing": fails, "queued": "Nothing waits.", "stuck": "Nothing is stuck."}[shown]
    rows = each(entries[shown], key=lambda entry: entry.key, render=_row)
    body = html(t"<ul>{rows}</ul>") if entries[shown] else html(t'<p class="note">{empty}</p>')
    rates = _rates(min_rate) if shown == "failing" else nothing
    return html(
        t'<div class="tabs" role="group" aria-label="Runbook">{tabs}<span class="grow"></span>{rates}</div>'
        t'<div class="list" role="region" tabindex="0" aria-label={shown}>{body}</div>'
    )


def _rates(min_rate: int) -> TemplateResult:
    offered = each(
        MIN_RATES,
        key=lambda rate: rate,
        render=lambda rate: html(t"<option value={str(rate)} ?selected={rate == min_rate}>{_rate(rate)}</option>"),
        same=(min_rate,),
    )
    return html(
        t'<label class="rate"><span class="sr">Least rate of failures</span>'
        t"<select .value={str(min_rate)} @change={ChooseMinRate.on('value')}>{offered}</select>{icon('t-down', small=True)}</label>"
    )


def _rate(rate: int) -> str:
    return f"from {rate} %" if rate else "any rate"


def _entries(stats: DashboardStats) -> dict[RunbookTab, tuple[_Entry, ...]]:
    failing = (
        _Entry(
            one.key,
            addresses.to("functions", one.key),
            one.name,
            formats.percent(one.failure_rate),
            _failed(one.failures, one.runs, one.last_run_at),
        )
        for one in stats.top_failing_functions
    )
    queued = (_waiting(one.id, one.function_name, one.age_seconds, one.source) for one in stats.oldest_queued_jobs)
    stuck = (_waiting(one.id, one.function_name, one.age_seconds, one.worker_id or "") for one in stats.stuck_active_jobs)
    return {"failing": tuple(failing), "queued": tuple(queued), "stuck": tuple(stuck)}


def _waiting(job_id: str, name: str, age_s: float, words: str) -> _Entry:
    return _Entry(job_id, addresses.to("jobs", job_id), name, formats.seconds(age_s), words)


def _failed(failures: int, runs: int, last: datetime | None) -> TemplateResult:
    when = html(t", last {age(formats.iso(last), plain=True)} ago") if last else html(t"")
    return html(t"{formats.count(failures)} of {formats.count(runs)} failed{when}")


def _tab(tab: tuple[RunbookTab, str], count: int, shown: bool) -> TemplateResult:
    name, word = tab
    return html(
        t'<button type="button" aria-pressed={"true" if shown else "false"} @click={ChooseRunbook(tab=name)}>'
        t'{word}<span class="c">{count}</span></button>'
    )


def _row(entry: _Entry) -> TemplateResult:
    return html(
        t'<li><a class="a fn" href={entry.href}><bdi>{entry.name}</bdi></a>'
        t'<span class="n">{entry.value.digits}<span class="u">{entry.value.unit}</span></span><span class="b">{entry.words}</span></li>'
    )
