"""Things that end together: a route, a panel, a widget."""

from __future__ import annotations

from collections.abc import Callable


class Scope:
    """What was used within it ends with it, the latest first.

    What ended by itself before is forgotten at once (`add` returns how), so that a scope that lives as long as the page does not grow.
    """

    def __init__(self) -> None:
        self._ends: dict[int, Callable[[], None]] = {}
        self._next = 0
        self._closed = False

    def __len__(self) -> int:
        """How many things will end with it."""
        return len(self._ends)

    def add(self, end: Callable[[], None]) -> Callable[[], None]:
        """Run `end` when the scope closes; at once if it has. Returns what forgets it, for what ends earlier."""
        if self._closed:
            end()
            return lambda: None
        self._next += 1
        number = self._next
        self._ends[number] = end

        def forget() -> None:
            self._ends.pop(number, None)

        return forget

    def close(self) -> None:
        """End everything in it, the latest first; twice is once."""
        self._closed = True
        while self._ends:
            self._ends.popitem()[1]()
