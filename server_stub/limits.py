"""How much one user may ask: requests a minute, streams at once. Zero means no limit.

A user is the cookie ``penstock_guest`` where the browser has one, else the client's address.
"""

import time
from collections import OrderedDict

from .settings import Limits

WINDOW_S = 60.0
MAX_USERS = 10_000
STREAM_RETRY_S = 5


class RequestLimiter:
    """A token bucket per user: ``requests_per_minute`` at once, refilled evenly."""

    def __init__(self, limits: Limits) -> None:
        self._size = limits.requests_per_minute
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def refuse(self, user: str) -> float | None:
        """Count a request; when it is one too many, the seconds to wait."""
        if self._size == 0:
            return None
        now = time.monotonic()
        tokens, at = self._buckets.pop(user, (float(self._size), now))
        rate = self._size / WINDOW_S
        tokens = min(float(self._size), tokens + (now - at) * rate)
        allowed = tokens >= 1
        self._buckets[user] = (tokens - 1 if allowed else tokens, now)
        while len(self._buckets) > MAX_USERS:
            self._buckets.popitem(last=False)
        return None if allowed else (1 - tokens) / rate


class StreamLimiter:
    """Counts open streams by user."""

    def __init__(self, limits: Limits) -> None:
        self._per_user = limits.streams_per_user
        self._in_all = limits.streams
        self._open: dict[str, int] = {}
        self._total = 0

    @property
    def total(self) -> int:
        """Streams that are counted now."""
        return self._total

    def enter(self, user: str) -> str | None:
        """Count a stream; when it is one too many, the sentence that says so (and nothing is counted)."""
        mine = self._open.get(user, 0)
        if self._per_user and mine >= self._per_user:
            return f"You have {mine} streams open; the limit is {self._per_user}."
        if self._in_all and self._total >= self._in_all:
            return f"The server has {self._total} streams open; the limit is {self._in_all}."
        self._open[user] = mine + 1
        self._total += 1
        return None

    def leave(self, user: str) -> None:
        """A stream ended."""
        self._total -= 1
        self._open[user] -= 1
        if self._open[user] == 0:
            del self._open[user]
