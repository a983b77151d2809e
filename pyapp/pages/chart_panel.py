"""A panel with a chart, and Live / Pause: trends have no history to choose a window from (RT-5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyapp.core.cache.result import Result
from pyapp.pages.live_control import SetLive, live_control
from pyapp.pages.panel import did_not_load, panel
from pyapp.pages.protocol import Env
from pyapp.pages.trends import chart_bones
from pyapp.ui import TemplateResult, html, nothing


def chart_panel(
    name: str,
    words: str,
    unit: str,
    classes: str,
    result: Result[Any],
    chart: Callable[[Any], TemplateResult],
    env: Env,
    *,
    live: bool,
    tools: object = nothing,
    before: object = nothing,
    reload: tuple[str, ...] = (),
) -> TemplateResult:
    """The panel.

    Args:
        name: of the panel, and in its messages.
        unit: what is counted, beside the title.
        chart: how its answer looks, with its tools.
        live: whether it goes on.
        tools: what changes the chart; they stand there too while there is none.
        before: what chooses its data, in the head.
        reload: its needs; the one of its name where nothing is said.
    """
    needs = reload or (name,)
    if result.data is not None:
        body = chart(result.data)
    elif result.error:
        body = html(t'{did_not_load(words, result, needs, as_high_as="chart")}<div class="foot">{tools}</div>')
    else:
        body = chart_bones(words, tools)
    return panel(
        name,
        words,
        result,
        body,
        reload=needs,
        opened=env.opened,
        classes=classes,
        before=before,
        count=unit,
        controls=live_control(name, live=live),
        go_live=SetLive(panel=name, live=True),
    )
