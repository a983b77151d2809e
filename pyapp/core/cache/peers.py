"""What other tabs may know of a query: an answer of theirs in place of one of the server's (RT-62)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from pyapp.core.cache.query import Query
from pyapp.core.ports import Cancel
from pyapp.core.streams.position import Position


@dataclass(frozen=True, slots=True)
class Shared:
    """Another tab's data of a query.

    Attributes:
        data, position: as that tab has them.
        began_ms: a clock time of this tab at which, or later, the request of that tab's last snapshot began.
        updated_wall_ms: wall time at which, or later, that tab knew its data to equal the server's.
        partial: that tab waits for more from the server: events told less than the data needs (RT-6).
    """

    data: Any
    position: Position | None
    began_ms: float
    updated_wall_ms: float
    partial: bool = False


Told = Callable[[Shared | None], bool]
"""Called once with what came, `None` if nothing did; says whether it was of use."""


class Peers(Protocol):
    """The other tabs."""

    def ask(self, query: Query, not_before_ms: float | None, at_most_ms: float, done: Told) -> Cancel | None:
        """Ask a tab that announced the key for its data.

        Args:
            not_before_ms: nobody is asked whose request began earlier (RT-31).
            at_most_ms: nor whose answer is older than this; infinity also takes what a stream keeps fresh.
            done: not called before this returns, nor once it is cancelled.

        Returns:
            `None` where no tab announced such data: nothing is waited for.
        """
        ...


class Alone:
    """No other tabs."""

    def ask(self, query: Query, not_before_ms: float | None, at_most_ms: float, done: Told) -> None:
        return None
