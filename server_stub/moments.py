"""Time as the store keeps it: whole microseconds since 1970, UTC."""

import time
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def now_us() -> int:
    """The wall clock, in microseconds."""
    return time.time_ns() // 1_000


def iso(moment: int) -> str:
    """A moment as the wire writes it: ``…Z``."""
    return (_EPOCH + timedelta(microseconds=moment)).isoformat(timespec="microseconds")[:-6] + "Z"


def iso_or_none(moment: int | None) -> str | None:
    """``iso``, and None for None."""
    return None if moment is None else iso(moment)


def from_datetime(value: datetime) -> int:
    """A datetime as a moment; a naive one is UTC."""
    aware = value.replace(tzinfo=UTC) if value.tzinfo is None else value
    return (aware - _EPOCH) // _MICROSECOND


def from_iso(text: str) -> int:
    """A time of the wire (``Z``, ``+00:00`` or naive) as a moment."""
    return from_datetime(datetime.fromisoformat(text))
