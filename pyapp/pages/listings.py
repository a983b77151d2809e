"""Lists as those see them who do not know their page: what they show, whether they go on, and the action that changes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pyapp.pages.listing import BackToLive, ListState, ShowWindow
from pyapp.pages.live_control import SetLive
from pyapp.pages.protocol import Env, Listing, Results, Shown, State

STILL: Final = timedelta(minutes=15)
"""A list with a history is stopped by showing the window that ends now: this long."""

Narrow = Callable[[State, Results, Env, Sequence[Any]], Sequence[Any]]
"""What filters and order leave of the rows that were read."""


def whole(panel: str, word: str, need: str, narrow: Narrow, *, live: Callable[[State], bool] = lambda state: state.live) -> Listing:
    """A list that the server answers whole: live or paused.

    Args:
        panel: as the page's `SetLive` names it.
        word: what the rows are.
        need: where they are read from.
        live: whether it goes on.
    """

    def shown(state: State, results: Results, env: Env) -> Shown | None:
        result = results.get(need)
        if result is None or result.data is None:
            return None
        return Shown(tuple(narrow(state, results, env, result.data.rows)), "all")

    return Listing(word, shown, live, lambda state, on, now_ms: SetLive(panel=panel, live=on))


def _all_of_it(state: State, results: Results, env: Env, rows: Sequence[Any]) -> Sequence[Any]:
    return rows


def ranged(word: str, need: str, of: Callable[[State], ListState], narrow: Narrow = _all_of_it) -> Listing:
    """A list that is live or a window.

    Args:
        word: what the rows are.
        need: where they are read from, also what the list's messages name.
        of: the state of the list.
        narrow: what filters leave.
    """

    def shown(state: State, results: Results, env: Env) -> Shown | None:
        result = results.get(need)
        if result is None or result.data is None:
            return None
        data: Any = result.data
        rows = tuple(narrow(state, results, env, data.rows))
        span = of(state).range
        if span is None:
            return Shown(rows, "latest")
        # While another window is read the old one may still be in hand, and a live list never is a window's rows.
        complete = bool(getattr(data, "complete", False))
        return Shown(rows, "window", (span.after, span.before), complete)

    def set_live(state: State, on: bool, now_ms: float) -> Any:
        if on:
            return BackToLive(panel=need)
        now = datetime.fromtimestamp(now_ms / 1_000, UTC)
        return ShowWindow(panel=need, after=now - STILL, before=now)

    return Listing(word, shown, lambda state: of(state).live, set_live)
