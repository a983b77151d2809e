"""Bodies by ETag (RT-65): what the server says has not changed need not travel again.

The store holds the last body of a request together with the ETag that the server gave it, and nothing without one. It says nothing of
freshness: a body is handed out only when the server itself answered 304. Invariants: never over `entries_at_most` entries nor
`bytes_at_most` of text, the least recently used go first; a body is never handed out for another request than its own.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from sys import getsizeof
from typing import TypeAlias

ENTRIES_AT_MOST = 500
BYTES_AT_MOST = 16 * 1024 * 1024

RequestKey: TypeAlias = "str | tuple[str, tuple[tuple[str, str], ...]]"
"""What makes two GET requests the same: the URL, and headers where the caller gave some."""


@dataclass(frozen=True, slots=True)
class Body:
    """A body as it came. `headers` are those of the answer that brought it."""

    endpoint: str
    etag: str
    text: str
    headers: Mapping[str, str]
    bytes: int


@dataclass(frozen=True, slots=True)
class BodyStatistics:
    """`bytes` of text in memory; `hits`: how many 304 were answered with a body; `evicted`: how many gave way to others."""

    entries: int
    bytes: int
    hits: int
    evicted: int


class Bodies:
    """The store."""

    def __init__(self, entries_at_most: int = ENTRIES_AT_MOST, bytes_at_most: int = BYTES_AT_MOST) -> None:
        self._entries_at_most = entries_at_most
        self._bytes_at_most = bytes_at_most
        self._bodies: OrderedDict[RequestKey, Body] = OrderedDict()
        self._bytes = self._hits = self._evicted = 0

    def put(self, key: RequestKey, endpoint: str, text: str, headers: Mapping[str, str]) -> None:
        """An answer came. Without an ETag what was kept of that request is forgotten."""
        self._remove(key)
        etag = headers.get("etag", "")
        size = getsizeof(text)
        if not etag or size > self._bytes_at_most:
            return
        self._bodies[key] = Body(endpoint, etag, text, headers, size)
        self._bytes += size
        while len(self._bodies) > self._entries_at_most or self._bytes > self._bytes_at_most:
            self._remove(next(iter(self._bodies)))
            self._evicted += 1

    def get(self, key: RequestKey) -> Body | None:
        """The body to ask about; it counts as used."""
        body = self._bodies.get(key)
        if body is not None:
            self._bodies.move_to_end(key)
        return body

    def hit(self) -> None:
        """The server said that a body still holds."""
        self._hits += 1

    def forget(self, endpoint: str) -> None:
        """Drop the bodies of an endpoint: nobody can read them."""
        for key in [key for key, body in self._bodies.items() if body.endpoint == endpoint]:
            self._remove(key)

    def clear(self) -> None:
        """Drop everything."""
        self._bodies.clear()
        self._bytes = 0

    def _remove(self, key: RequestKey) -> None:
        body = self._bodies.pop(key, None)
        if body is not None:
            self._bytes -= body.bytes

    def statistics(self) -> BodyStatistics:
        return BodyStatistics(len(self._bodies), self._bytes, self._hits, self._evicted)
