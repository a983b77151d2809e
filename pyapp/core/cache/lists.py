"""The data of list queries: live lists with their cap (RT-6) and windows in pages (RT-4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class LiveList(Generic[Row]):
    """The latest rows, newest first.

    Attributes:
        rows: at most `LIVE_LIST_LIMIT` of them.
        total: how many match at the server, `None` where it does not say.
        approximate: `total` was counted on from events and is shown with `≈` until the next snapshot (RT-6).
    """

    rows: tuple[Row, ...] = ()
    total: int | None = None
    approximate: bool = False


@dataclass(frozen=True, slots=True)
class WindowData(Generic[Row]):
    """The rows of a chosen range as far as they have been read, newest first.

    Attributes:
        rows: what has been read.
        total: how many the server says there are.
        complete: every page has been read.
        cursor: where the next page begins.
    """

    rows: tuple[Row, ...] = ()
    total: int = 0
    complete: bool = True
    cursor: str | None = None


def weight(data: object) -> int:
    """How much there is of some data, in rows: what is no list weighs as much as one row."""
    if isinstance(data, LiveList | WindowData):
        return len(cast("LiveList[Any] | WindowData[Any]", data).rows)
    return len(cast("list[Any] | tuple[Any, ...]", data)) if isinstance(data, list | tuple) else 1
