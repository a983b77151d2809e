"""What a status means for a stream that was refused (RT-25), and how long the server asks to be left alone (RT-23)."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from enum import StrEnum

RETRY_AFTER_AT_MOST_MS = 3_600_000.0
"""A longer `Retry-After` is not believed: a typing error there must not silence a page for ever."""

_TRANSIENT = frozenset({408, 425, 429})


class Verdict(StrEnum):
    """What a refusal means.

    `ENDED`: closed for good, until it is asked for anew. `FORBIDDEN`: not again until the identity changes or the person asks.
    `UNAVAILABLE`: the server has no such stream; polling at once, a rare try. `AGAIN`: the usual backoff.
    """

    AGAIN = "again"
    ENDED = "ended"
    FORBIDDEN = "forbidden"
    UNAVAILABLE = "unavailable"


def verdict_of(status: int, content_type: str = "") -> Verdict:
    """The meaning of a status; 0 is a server that could not be reached.

    A page of HTML is an endpoint that does not exist, whatever its status. A refusal that no time will mend (400, 422 and the like)
    counts as unavailable, too: asking twice a minute for ever would not make it right.
    """
    if status == 204:
        return Verdict.ENDED
    if status in (401, 403):
        return Verdict.FORBIDDEN
    if content_type.partition(";")[0].strip().lower() == "text/html" and status < 500:
        return Verdict.UNAVAILABLE
    if 400 <= status < 500 and status not in _TRANSIENT:
        return Verdict.UNAVAILABLE
    return Verdict.AGAIN


def retry_after_ms(text: str, wall_ms: float) -> float:
    """`Retry-After`, seconds or a date, in ms from `wall_ms`; 0 where there is none that can be read."""
    text = text.strip()
    if text.isascii() and text.isdecimal() and len(text) < 10:
        wait = float(text) * 1000
    else:
        try:
            wait = parsedate_to_datetime(text).timestamp() * 1000 - wall_ms
        except (ValueError, TypeError, OverflowError, OSError):
            return 0.0
    return min(max(wait, 0.0), RETRY_AFTER_AT_MOST_MS)
