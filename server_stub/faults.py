"""Faults that tests ask for (``POST /__faults__``, only with ``--faults``).

| kind | does, to paths that begin with ``prefix``, for ``count`` requests or ``seconds`` (neither: until cleared) |
|---|---|
| ``drop`` | cuts open streams; a new request's connection is cut before any answer |
| ``stall`` | streams stay open and silent, heartbeats included |
| ``unavailable`` | answers 503 |

``count`` counts requests (for ``stall`` it is not used), and cutting the streams that are open counts none.
"""

import asyncio
import time
from dataclasses import dataclass
from typing import Literal

FaultKind = Literal["drop", "stall", "unavailable"]


@dataclass(slots=True)
class Fault:
    """One fault in force. ``until`` is on the monotonic clock."""

    kind: FaultKind
    prefix: str
    count: int | None = None
    until: float | None = None

    def holds(self, path: str) -> bool:
        """Whether the fault is in force for ``path``."""
        spent = self.count is not None and self.count <= 0
        over = self.until is not None and time.monotonic() >= self.until
        return path.startswith(self.prefix) and not spent and not over


class Faults:
    """The faults in force."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._changed = asyncio.Event()

    def add(self, kind: FaultKind, prefix: str, count: int | None, seconds: float | None) -> None:
        """Put a fault in force."""
        until = None if seconds is None else time.monotonic() + seconds
        self._faults.append(Fault(kind, prefix, count, until))
        self._change()

    def clear(self) -> None:
        """End every fault."""
        self._faults.clear()
        self._change()

    def hit(self, path: str) -> FaultKind | None:
        """What becomes of a new request, counting it."""
        for fault in self._faults:
            if fault.kind != "stall" and fault.holds(path):
                if fault.count is not None:
                    fault.count -= 1
                return fault.kind
        return None

    async def until_flowing(self, path: str) -> None:
        """Wait while ``path`` is stalled."""
        while stalls := [fault for fault in self._faults if fault.kind == "stall" and fault.holds(path)]:
            ends = [fault.until for fault in stalls if fault.until is not None]
            changed = self._changed
            try:
                async with asyncio.timeout(max(0.001, min(ends) - time.monotonic()) if ends else None):
                    await changed.wait()
            except TimeoutError:
                continue

    def _change(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
