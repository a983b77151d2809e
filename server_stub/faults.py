"""Faults that tests ask for (``POST /__faults__``, only with ``--faults``).

| kind | to a request | to what an open stream says |
|---|---|---|
| ``drop`` | its connection is cut before any answer | open connections are cut |
| ``stall`` | – | nothing, heartbeats included; it waits, within the bound |
| ``delay`` | answered ``ms`` later | said ``ms`` later |
| ``unavailable``, ``403``, ``404``, ``429`` | that status (503 and 429 with ``Retry-After``) | – |
| ``html`` | 200 and a page, as a proxy in between would answer | – |
| ``garble`` | invalid JSON, or with ``form`` ``types`` values of wrong types | the same, for data frames |
| ``duplicate`` | – | data frames twice |
| ``reorder`` | – | neighbouring data frames of a stream swapped |
| ``skip`` | – | a data frame is lost, while its number is counted |
| ``store`` | 500; a stream 200, ``open``, ``error``, end | ``error`` and the end |
| ``restart`` | – | at once and once: a new epoch, every connection cut |

A fault is in force for ``count`` requests or frames, or for ``seconds``, else until it is cleared; it concerns the paths
that begin with ``prefix``, or one ``stream`` by its key, on a connection of its own and on a multiplexed one. There, what
a request would be answered is ``refused`` with the same status (``html``: 502, ``store``: 503), and ``drop`` cuts the connection
that carries the stream. ``stall`` uses no ``count``; cutting what is open counts none.
"""

import asyncio
import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from . import keys

FaultKind = Literal[
    "drop", "stall", "delay", "unavailable", "403", "404", "429", "html", "garble", "duplicate", "reorder", "skip", "store", "restart"
]
Form = Literal["json", "types"]
STATUSES: dict[FaultKind, int] = {"unavailable": 503, "403": 403, "404": 404, "429": 429, "html": 502, "store": 503}
"""What a stream of a multiplexed connection is refused with."""
ANSWERED: frozenset[FaultKind] = frozenset({"drop", *STATUSES})
"""Kinds that a request meets before the application."""
FRAMES: frozenset[FaultKind] = frozenset({"garble", "duplicate", "reorder", "skip"})
"""Kinds that change what a reader is sent."""
_BASE = "/api/v1/"
_STREAM = "/stream"


@dataclass(slots=True)
class Fault:
    """One fault in force. ``until`` is on the monotonic clock; ``stream`` is a canonical key."""

    kind: FaultKind
    prefix: str
    count: int | None = None
    until: float | None = None
    stream: str | None = None
    ms: int = 0
    form: Form = "json"
    hits: int = 0

    @property
    def over(self) -> bool:
        """Whether it has run out."""
        spent = self.count is not None and self.count <= 0
        return spent or (self.until is not None and time.monotonic() >= self.until)

    def concerns(self, path: str, key: str | None) -> bool:
        """Whether a path, or a stream on it, is what the fault is about."""
        return path.startswith(self.prefix) if self.stream is None else key == self.stream

    def hit(self) -> "Fault":
        """Count."""
        self.hits += 1
        if self.count is not None:
            self.count -= 1
        return self


def stream_of(path: str, query: str) -> str | None:
    """The key of the stream that a request asks for; None for another request."""
    if not (path.startswith(_BASE) and path.endswith(_STREAM)):
        return None
    try:
        return keys.canonical(f"{path.removeprefix(_BASE).removesuffix(_STREAM)}?{query}")
    except (keys.UnknownStreamError, keys.ParameterError):
        return None


class Faults:
    """The faults in force, in the order they were asked for; the first that concerns something is met."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._changed = asyncio.Event()

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self._faults)

    def add(self, fault: Fault) -> None:
        """Put a fault in force."""
        self._faults.append(fault)
        self._change()

    def clear(self) -> None:
        """End every fault."""
        self._faults.clear()
        self._change()

    def in_force(self) -> list[Fault]:
        """Those that have not run out."""
        return [fault for fault in self._faults if not fault.over]

    def find(self, kinds: Collection[FaultKind], path: str, key: str | None = None) -> Fault | None:
        """The first fault of ``kinds`` that concerns ``path`` or the stream ``key``, uncounted."""
        for fault in self._faults:
            if fault.kind in kinds and fault.concerns(path, key) and not fault.over:
                return fault
        return None

    def find_for_stream(self, kinds: Collection[FaultKind], key: str) -> Fault | None:
        """The same, for faults about a stream only and not about a path."""
        found = (fault for fault in self._faults if fault.kind in kinds and fault.stream == key and not fault.over)
        return next(found, None)

    async def late(self, path: str, key: str | None) -> None:
        """Wait as long as ``path`` is delayed."""
        fault = self.find(("delay",), path, key)
        if fault is not None:
            await asyncio.sleep(fault.hit().ms / 1000)

    async def until_flowing(self, path: str, key: str | None) -> None:
        """Wait while ``path`` is stalled."""
        while (fault := self.find(("stall",), path, key)) is not None:
            fault.hits = max(1, fault.hits)
            changed = self._changed
            try:
                async with asyncio.timeout(None if fault.until is None else max(0.001, fault.until - time.monotonic())):
                    await changed.wait()
            except TimeoutError:
                continue

    def _change(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
