"""Virtual time: the real heap of timers over a host timer that a test moves."""

from __future__ import annotations

from pyapp.core.clock import TimerHeap

EPOCH_MS = 1_800_000_000_000.0
"""Where wall time begins in tests: any fixed moment."""


class _Host:
    def __init__(self, creep_ms: float) -> None:
        self.now_ms = 0.0
        self.creep_ms = creep_ms
        self.wall_ahead_ms = 0.0
        self.due_ms: float | None = None
        self.armed = 0

    def now(self) -> float:
        self.now_ms += self.creep_ms
        return self.now_ms

    def wall(self) -> float:
        return EPOCH_MS + self.now_ms + self.wall_ahead_ms

    def arm(self, delay_ms: float) -> None:
        self.armed += 1
        self.due_ms = self.now_ms + delay_ms

    def disarm(self) -> None:
        self.due_ms = None


class VirtualClock(TimerHeap):
    """A clock that stands still until `advance`; errors of callbacks are raised there.

    Args:
        creep_ms: how far time goes on by itself at every reading. A real clock never says the same twice, and code that compares two
            readings of "now" works under a clock that stands still and nowhere else.
    """

    def __init__(self, creep_ms: float = 0.0) -> None:
        self._virtual = _Host(creep_ms)
        self.raised: list[Exception] = []
        super().__init__(self._virtual, self.raised.append)

    @property
    def timers(self) -> int:
        """How many timers are set."""
        return self.statistics().pending

    def advance(self, ms: float) -> None:
        """Let `ms` pass, firing what falls due in order."""
        end = self._virtual.now_ms + ms
        while self._virtual.due_ms is not None and self._virtual.due_ms <= end:
            self._virtual.now_ms = max(self._virtual.now_ms, self._virtual.due_ms)
            self._virtual.due_ms = None
            self.fire()
            if self.raised:
                raise self.raised.pop(0)
        self._virtual.now_ms = max(self._virtual.now_ms, end)

    def sleep(self, ms: float, *, clock_stops: bool = False) -> None:
        """The machine sleeps for `ms`: nothing fires meanwhile, and then what fell due fires late (RT-52).

        Args:
            clock_stops: the monotonic clock stands still while asleep, as on some machines; only wall time tells.
        """
        if clock_stops:
            self._virtual.wall_ahead_ms += ms
        else:
            self._virtual.now_ms += ms
        self.advance(0)

    def settle(self) -> None:
        """Let what is due now happen, and one beat pass."""
        self.advance(150)
