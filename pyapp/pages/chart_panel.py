"""A panel with a chart, and Live / Pause: trends have no history to choose a window from (RT-5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyapp.core.cache.result import Result
from pyapp.pages.live_control import SetLive, live_control
from pyapp.pages.panel import did_not_load, panel
from pyapp.pages.protocol import Env
from pyapp.pages.trends import chart_bones
from pyapp.ui import TemplateResult


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
) -> TemplateResult:
    """The panel.

    Args:
        name: of the panel, of its need and in its messages.
        unit: what is counted, beside the title.
        chart: how its answer looks.
        live: whether it goes on.
    """
    if result.data is not None:
        body = chart(result.data)
    else:
        body = did_not_load(words, result, (name,), as_high_as="chart") if result.error else chart_bones(words)
    return panel(
        name,
        words,
        result,
        body,
        reload=(name,),
        opened=env.opened,
        classes=classes,
        count=unit,
        controls=live_control(name, live=live),
        go_live=SetLive(panel=name, live=True),
    )
