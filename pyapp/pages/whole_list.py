"""A list that the server answers whole, as a panel: filtered, sorted, live or paused; on every page the same but for its rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pyapp.core.cache.result import Result
from pyapp.pages.listing import ListState
from pyapp.pages.live_control import SetLive, live_control
from pyapp.pages.panel import did_not_load, panel
from pyapp.pages.protocol import Env
from pyapp.pages.rows import Table, live_rows, loading, new_chip
from pyapp.ui import TemplateResult, html, nothing


def whole_list[Row](
    name: str,
    words: str,
    result: Result[Any],
    shown: ListState,
    env: Env,
    *,
    live: bool,
    matching: Callable[[Sequence[Row]], Sequence[Row]],
    table: Callable[[frozenset[str]], Table[Row]],
    same: tuple[object, ...],
    scope: str,
    count: Callable[[Sequence[Row]], str],
    empty: Callable[[bool], TemplateResult],
    menu: TemplateResult,
) -> TemplateResult:
    """The panel.

    Args:
        name: of the panel, of its need and in its messages.
        words: its title, for screen readers: the page's own says it.
        shown: whether rows are held, and which were painted.
        live: whether it goes on.
        matching: the rows that the filters leave, in their order.
        table: how they look, given the names of held rows that are not in the answer any more.
        same: what the rows depend on besides themselves and those names.
        scope: names filters and order: where it changes, no row is marked as new.
        count: how many there are, in words.
        empty: what stands where no row is, given whether there is any without the filters.
        menu: the list's `list_menu`.
    """
    counted: object = nothing
    chip: object = nothing
    if result.data is None:
        body = did_not_load(words, result, (name,)) if result.error else loading(table(frozenset()))
    elif here := tuple(matching(result.data.rows)):
        key = table(frozenset()).key
        painted = shown.painted.show(here, held=shown.held, key=key)
        seen = {key(row) for row in painted}
        left = frozenset(seen - {key(row) for row in result.data.rows})
        body = live_rows(table(left), shown, painted, scope, same=(left, *same))
        chip, counted = new_chip(name, sum(key(row) not in seen for row in here)), count(here)
    else:
        body = empty(bool(result.data.rows))
    return panel(
        name,
        words,
        result,
        body,
        reload=(name,),
        opened=env.opened,
        classes="listing",
        count=counted,
        chip=chip,
        controls=html(t"{live_control(name, live=live)}{menu}"),
        go_live=SetLive(panel=name, live=True),
        show_title=False,
    )
