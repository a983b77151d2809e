"""Answers of the last moment (RT-65): whoever asks for the same within a class's window after an answer came gets that answer.

Whether an answer is recent enough is decided by when its request *began* (RT-31). Bounded; what is past its window goes when the next
answer comes.
"""

from __future__ import annotations

from dataclasses import dataclass
from sys import getsizeof

from pyapp.core.requests.answer import Answer
from pyapp.core.requests.bodies import RequestKey

ENTRIES_AT_MOST = 64
BYTES_AT_MOST = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Entry:
    endpoint: str
    answer: Answer
    until_ms: float
    bytes: int


@dataclass(frozen=True, slots=True)
class KeptStatistics:
    """`bytes` of text; a text that is kept by its ETag as well is in memory once."""

    entries: int
    bytes: int


class Kept:
    """The answers."""

    def __init__(self) -> None:
        self._entries: dict[RequestKey, _Entry] = {}
        self._bytes = 0

    def put(self, key: RequestKey, endpoint: str, answer: Answer, now_ms: float, until_ms: float) -> None:
        """Keep an answer until a clock time, in place of an older one of the same request."""
        for other in [other for other, entry in self._entries.items() if entry.until_ms <= now_ms or other == key]:
            self._remove(other)
        size = getsizeof(answer.text)
        if until_ms <= now_ms or size > BYTES_AT_MOST:
            return
        self._entries[key] = _Entry(endpoint, answer, until_ms, size)
        self._bytes += size
        while len(self._entries) > ENTRIES_AT_MOST or self._bytes > BYTES_AT_MOST:
            self._remove(next(iter(self._entries)))

    def get(self, key: RequestKey, now_ms: float, not_before_ms: float | None) -> Answer | None:
        """An answer within its window whose request began at or after `not_before_ms`."""
        entry = self._entries.get(key)
        if entry is None or now_ms >= entry.until_ms:
            return None
        answer = entry.answer
        return answer if not_before_ms is None or answer.began_ms >= not_before_ms else None

    def forget(self, endpoint: str) -> None:
        """Drop the answers of an endpoint: nobody can read them."""
        for key in [key for key, entry in self._entries.items() if entry.endpoint == endpoint]:
            self._remove(key)

    def clear(self) -> None:
        """Drop everything."""
        self._entries.clear()
        self._bytes = 0

    def _remove(self, key: RequestKey) -> None:
        self._bytes -= self._entries.pop(key).bytes

    def statistics(self) -> KeptStatistics:
        return KeptStatistics(len(self._entries), self._bytes)
