"""Why a query is not fetched by itself (RT-31): a set, and fetching goes on when it is empty."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Pause(StrEnum):
    """One reason. Several may hold at once, and each is visible in the statistics.

    - `HIDDEN`: nobody sees the page (RT-50).
    - `OFFLINE`: the browser says that there is no network (RT-52).
    - `FORBIDDEN`: the server said 403 to the query or its scope (RT-36).
    - `BREAKER`: the breaker of its endpoint class is open, until the time that its error says (RT-66).
    - `WINDOW`: a chosen range is fetched by a person only (RT-3).
    - `FLAG`: periodic fetching is switched off for the whole page; what has no data yet is still asked for once.
    """

    HIDDEN = "hidden"
    OFFLINE = "offline"
    FORBIDDEN = "forbidden"
    BREAKER = "breaker"
    WINDOW = "window"
    FLAG = "flag"


Pauses = frozenset[Pause]
NOTHING: Pauses = frozenset()


def words(pauses: Iterable[Pause]) -> tuple[str, ...]:
    """The reasons as text, in the order of the enum."""
    held = frozenset(pauses)
    return tuple(str(pause) for pause in Pause if pause in held)
