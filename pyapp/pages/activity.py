"""A panel with a list that is live or a window: the same on every page in everything but its rows (RT-4, RT-5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from pyapp.core.cache.result import Result
from pyapp.pages import formats
from pyapp.pages.list_menu import list_menu
from pyapp.pages.listing import ListState
from pyapp.pages.panel import did_not_load, panel
from pyapp.pages.protocol import Env
from pyapp.pages.rows import Table, live_rows, loading, new_chip, window_rows
from pyapp.pages.window_control import window_control
from pyapp.ui import TemplateResult, html, nothing
from pyapp.ui.components.marks import time

MakeTable = Callable[[bool, frozenset[str]], Table[Any]]
"""The table of a list: whether it is live, and which of its rows have left the list while it is held."""


class Identified(Protocol):
    @property
    def id(self) -> str: ...


def activity(
    name: str,
    words: str,
    need: str,
    classes: str,
    shown: ListState,
    result: Result[Any],
    table: MakeTable,
    empty: tuple[str, str],
    env: Env,
    *,
    before: object = nothing,
    menu: TemplateResult | None = None,
) -> TemplateResult:
    """The panel.

    Args:
        name, words, classes: its name, its title, and the style sheet's classes.
        need: what the page calls the list, in its needs, its messages and its address.
        shown, result: the list's state and what was read of it.
        before: what narrows the list, behind its mark.
        menu: the list's `list_menu`, where it is not the plain one.
        empty: that a live list has no rows, and what will change that.
    """
    data = result.data
    count: object = nothing
    chip: object = nothing
    if data is None:
        body = did_not_load(words, result, (need,)) if result.error else loading(table(shown.live, frozenset()))
    elif not data.rows:
        what, then = empty if shown.live else ("Nothing in this window.", "Choose a longer one, or go live.")
        body = html(t'<div class="blank"><span class="strong">{what}</span>{then}</div>')
    elif shown.live:
        body, chip = _live(need, shown, data.rows, table)
        count = f"latest {len(data.rows)}"
    else:
        body = window_rows(table(False, frozenset()), shown, data.rows, same=())
        count = html(t"{formats.count(data.total)}, read {time(result.updated_ms)}")
    return panel(
        name,
        words,
        result,
        body,
        reload=(need,),
        opened=env.opened,
        classes=classes,
        before=before,
        count=count,
        chip=chip,
        controls=html(t"{window_control(need, shown)}{menu or list_menu(name, words, env.opened)}"),
    )


def _live[Row: Identified](
    need: str, shown: ListState, rows: tuple[Row, ...], table: MakeTable
) -> tuple[TemplateResult, TemplateResult | None]:
    painted = shown.painted.show(rows, held=shown.held, key=lambda row: row.id)
    here, known = {row.id for row in painted}, {row.id for row in rows}
    left = frozenset(here - known)
    waiting = len(known - here) if shown.held else 0
    return live_rows(table(True, left), shown, painted, need, same=(left,)), new_chip(need, waiting)
