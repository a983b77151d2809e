"""The overview's figures: the queue drawn as the pipe it is, and the six numbers of the system."""

from __future__ import annotations

from collections.abc import Iterable

from pyapp.contract.dashboard import DashboardStats, QueueTotals
from pyapp.contract.workers import Instance
from pyapp.pages import formats
from pyapp.pages.formats import Quantity
from pyapp.ui import TemplateResult, html, nothing, svg
from pyapp.ui.components.marks import figure, icon

STALE_HEARTBEAT_MS = 30_000
"""A worker that was silent for longer is stale: nobody announces a crashed one (contract, part A)."""

_SLOTS_SHOWN_MAX = 48
_ERRORS_WARN = 1.0
_ERRORS_BAD = 5.0
_SUCCESS_WARN = 95.0
_SUCCESS_BAD = 80.0


def queue_figures(queue: QueueTotals) -> TemplateResult:
    """Scheduled later, backlog, running: water on its way to the turbine."""
    return html(
        t'<div class="pipe"><div><p class="lab">Scheduled later</p><p class="mid">{formats.count(queue.scheduled_future)}</p>'
        t'<p class="sub"></p></div>'
        t'<div><p class="lab">Backlog</p><p class="big">{formats.count(queue.backlog)}</p><p class="sub">'
        t"<span><b>{formats.count(queue.scheduled_due)}</b> due</span><span><b>{formats.count(queue.waiting)}</b> waiting</span>"
        t"<span><b>{formats.count(queue.claimed)}</b> claimed</span></p></div>"
        t'<div><p class="lab">Running</p><p class="mid">{formats.count(queue.running)}'
        t'<span class="u">of {formats.count(queue.capacity)}</span></p>{_slots(queue.running, queue.capacity)}</div></div>'
    )


def _slots(running: int, capacity: int) -> TemplateResult:
    """One box per slot; a fleet that is too large for boxes is one bar, filled by its share."""
    label = f"{formats.count(running)} of {formats.count(capacity)} slots running"
    total = max(capacity, running)
    if total > _SLOTS_SHOWN_MAX:
        share = f"{100 * running / total:.2f}%"
        boxes = (
            svg(t'<rect x="0" y="0.5" width={share} height="17" class="on"></rect>'),
            svg(t'<rect x="0" y="0.5" width="100%" height="17"></rect>'),
        )
    else:
        step = 100 / max(1, total)
        boxes = tuple(
            svg(
                t'<rect class={"on" if slot < running else nothing} x="{slot * step + 0.6:.1f}%" y="0.5" '
                t'width="{max(0.4, step - 1.2):.1f}%" height="17"></rect>'
            )
            for slot in range(total)
        )
    return html(t'<svg class="slots" role="img" aria-label={label}>{boxes}</svg>')


def system_figures(stats: DashboardStats, stale: int | None) -> TemplateResult:
    """Six numbers of the chosen window; colour only for what is out of the ordinary.

    Args:
        stats: the answer.
        stale: worker instances whose heartbeat is old; `None` while the workers are not known.
    """
    runs, apis = stats.runs, stats.apis
    slots = formats.plural(stats.queue.capacity, "slot")
    workers = f"{slots}, {stale} stale" if stale else slots
    failed = round(runs.total * (100 - runs.success_rate) / 100)
    wrong = round(apis.requests * apis.error_rate / 100)
    success = formats.percent(runs.success_rate) if runs.total else formats.NO_QUANTITY
    unsuccessful = f"{formats.count(failed)} unsuccessful"
    latency = formats.duration(apis.avg_latency_ms) if apis.requests else formats.NO_QUANTITY
    errors = formats.percent(apis.error_rate) if apis.requests else formats.NO_QUANTITY
    return html(
        t'<dl class="figures">'
        t"{_figure('Workers', Quantity(formats.count(stats.workers.total)), workers, 'warn' if stale else '')}"
        t"{_figure('Jobs', formats.measure(runs.jobs_per_min, '/min'), formats.plural(runs.total, 'run'))}"
        t"{_figure('Job success', success, unsuccessful, success_level(runs.success_rate) if runs.total else '')}"
        t"{_figure('API requests', formats.measure(apis.requests_per_min, '/min'), formats.plural(apis.requests, 'request'))}"
        t"{_figure('API latency', latency, 'mean')}"
        t"{_figure('API errors', errors, formats.plural(wrong, 'error'), errors_level(apis.error_rate) if apis.requests else '')}"
        t"</dl>"
    )


def figure_list(figures: Iterable[tuple[str, Quantity, object, str]]) -> TemplateResult:
    """Figures in a row: label, value, what stands under it, and `warn` or `bad` where it is out of the ordinary."""
    return html(t'<dl class="figures">{tuple(_figure(*one) for one in figures)}</dl>')


def success_level(rate: float) -> str:
    """`warn` or `bad` for a rate of success (0..100) that is out of the ordinary."""
    return "bad" if rate < _SUCCESS_BAD else "warn" if rate < _SUCCESS_WARN else ""


def errors_level(rate: float) -> str:
    """`warn` or `bad` for a rate of errors (0..100) that is out of the ordinary."""
    return "bad" if rate >= _ERRORS_BAD else "warn" if rate >= _ERRORS_WARN else ""


def _figure(name: str, value: Quantity, small: object, level: str = "") -> TemplateResult:
    shape = {"warn": "s-warn", "bad": "s-failed"}.get(level)
    mark = icon(shape) if shape else nothing
    return html(t'<div class="fig {level}"><dt>{name}</dt><dd class="v">{mark}{figure(value)}</dd><dd class="s">{small}</dd></div>')


def queue_bones() -> TemplateResult:
    """The pipe before its first answer."""
    bone = html(t'<span class="bone w2"></span>')
    return html(
        t'<div class="pipe" aria-hidden="true">'
        t'<div><p class="lab">Scheduled later</p><p class="mid">{bone}</p><p class="sub"></p></div>'
        t'<div><p class="lab">Backlog</p><p class="big">{bone}</p><p class="sub"></p></div>'
        t'<div><p class="lab">Running</p><p class="mid">{bone}</p><svg class="slots"></svg></div></div>'
        t'<p class="sr" role="status">Loading the queue</p>'
    )


def system_bones() -> TemplateResult:
    """The figures before their first answer."""
    bone = html(t'<span class="bone w3"></span>')
    names = ("Workers", "Jobs", "Job success", "API requests", "API latency", "API errors")
    figures = tuple(html(t'<div class="fig"><dt>{name}</dt><dd class="v">{bone}</dd><dd class="s"></dd></div>') for name in names)
    return html(t'<dl class="figures" aria-hidden="true">{figures}</dl><p class="sr" role="status">Loading the system</p>')


def count_stale(instances: Iterable[Instance], now_ms: float) -> int:
    """How many instances were silent for too long, by the server's clock (RT-55)."""
    return sum(now_ms - formats.wall_ms(one.last_heartbeat) > STALE_HEARTBEAT_MS for one in instances)
