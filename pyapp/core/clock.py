"""Time as a port: what the core knows of clocks and timers, and a heap of timers over one timer of the host.

All times are milliseconds. `now()` never goes back and means nothing by itself; `wall()` is milliseconds since 1970 and may jump.

`TimerHeap` serves any number of timers from a single host timer, so that a page with hundreds of polls and watches holds one
JavaScript timeout. A cancelled timer costs its place in the heap until then, so the heap throws them out when they are more than half
of it.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

ARM_AT_MOST_MS = 2_147_483_647.0
"""The longest delay that a browser's timeout knows: with a longer one it fires at once. The heap arms again when it has passed."""

CANCELLED_AT_LEAST = 32
"""Fewer cancelled timers than this are not worth a new heap."""


class Timer(Protocol):
    """A timer that has been set."""

    def cancel(self) -> None:
        """The callback will not be called. Twice is once; after it has been called, nothing happens."""
        ...


class Clock(Protocol):
    """Now, and later."""

    def now(self) -> float:
        """Monotonic time in ms."""
        ...

    def wall(self) -> float:
        """Milliseconds since 1970 by this machine's clock."""
        ...

    def call_at(self, when_ms: float, callback: Callable[[], None]) -> Timer:
        """Call back once at `when_ms` of `now()`, or as soon as may be where that is past; never before this call returns."""
        ...

    def on_late(self, late_ms: float, callback: Callable[[], None]) -> None:
        """Call back before the timers that are due when they come more than `late_ms` late: the machine slept (RT-52)."""
        ...

    def suspend(self) -> None:
        """Give up the host's timer: nothing is called until `resume` (RT-53)."""
        ...

    def resume(self) -> None:
        """Go on. What fell due meanwhile is called soon; that it is late is no sleep: whoever suspended knows."""
        ...


class HostTimer(Protocol):
    """The one timer of the host that `TimerHeap` needs."""

    def now(self) -> float: ...

    def wall(self) -> float: ...

    def arm(self, delay_ms: float) -> None:
        """Call the heap's `fire` once after `delay_ms`, in place of any earlier arming."""
        ...

    def disarm(self) -> None: ...


class _Entry:
    __slots__ = ("callback", "heap", "set_at_ms")

    def __init__(self, heap: TimerHeap, callback: Callable[[], None], set_at_ms: float) -> None:
        self.set_at_ms = set_at_ms  # a timer may be set for a time that is past: it is late from here on
        self.callback: Callable[[], None] | None = callback
        self.heap: TimerHeap | None = heap  # while it has a place there

    def cancel(self) -> None:
        if self.callback is not None:
            self.callback = None
            if self.heap is not None:
                self.heap.cancelled()


@dataclass(frozen=True, slots=True)
class ClockStatistics:
    """`pending`: timers set and neither fired nor cancelled; `held`: places in the heap, with those of cancelled ones; `fired`:
    callbacks called; `late_ms`: the worst delay so far; `sleeps`: times it was so late that the machine must have slept."""

    pending: int
    fired: int
    late_ms: float
    sleeps: int = 0
    held: int = 0


class TimerHeap:
    """A `Clock` over one host timer.

    Timers due at the same time fire in the order in which they were set. A callback that raises does not keep the others from firing:
    its error goes to `on_error`.
    """

    def __init__(self, host: HostTimer, on_error: Callable[[Exception], None]) -> None:
        self._host = host
        self._on_error = on_error
        self._heap: list[tuple[float, int, _Entry]] = []
        self._cancelled = 0
        self._order = 0
        self._armed_for: float | None = None
        self._fired = 0
        self._late_ms = 0.0
        self._sleeps = 0
        self._suspended = False
        self._watch: tuple[float, Callable[[], None]] | None = None
        self._ahead_ms: float | None = None
        """Wall time minus our own at the last look: some machines stop the latter while they sleep."""

    def on_late(self, late_ms: float, callback: Callable[[], None]) -> None:
        self._watch = (late_ms, callback)
        self._ahead_ms = self._host.wall() - self._host.now()

    def suspend(self) -> None:
        self._suspended = True
        self._armed_for = None
        self._host.disarm()

    def resume(self) -> None:
        self._suspended = False
        self._ahead_ms = None
        self._arm()

    def now(self) -> float:
        return self._host.now()

    def wall(self) -> float:
        return self._host.wall()

    def call_at(self, when_ms: float, callback: Callable[[], None]) -> Timer:
        entry = _Entry(self, callback, self._host.now())
        self._order += 1
        heapq.heappush(self._heap, (when_ms, self._order, entry))
        self._arm()
        return entry

    def fire(self) -> None:
        """Called by the host when its timer is due: runs what is due now, and arms for the next."""
        self._armed_for = None
        if self._suspended:
            return
        now = self._host.now()
        # All that is due is taken out first: a callback that sets a timer for "now" must not starve the page.
        due: list[tuple[float, int, _Entry]] = []
        while self._heap and self._heap[0][0] <= now:
            row = self._pop()
            if row[2].callback is not None:
                due.append(row)
        late = max((now - max(when, entry.set_at_ms) for when, _, entry in due), default=0.0)
        self._late_ms = max(self._late_ms, late)
        self._look_for_sleep(now, late)
        for _, _, entry in due:
            callback, entry.callback = entry.callback, None
            if callback is None:
                continue  # cancelled by one before it
            self._fired += 1
            try:
                callback()
            except Exception as error:
                self._on_error(error)
        self._arm()

    def _look_for_sleep(self, now: float, late_ms: float) -> None:
        """A timer that comes far too late, or a wall clock that ran on while ours stood still."""
        if self._watch is None:
            return
        ahead = self._host.wall() - now
        before, self._ahead_ms = self._ahead_ms, ahead
        # Without a word of the time before (after `resume`), being late is no sleep.
        if before is not None and max(late_ms, ahead - before) > self._watch[0]:
            self._sleeps += 1
            try:
                self._watch[1]()
            except Exception as error:
                self._on_error(error)

    def cancelled(self) -> None:
        """A timer that is in the heap was cancelled: too many of those, and they are thrown out."""
        self._cancelled += 1
        if self._cancelled > CANCELLED_AT_LEAST and self._cancelled * 2 > len(self._heap):
            self._heap = [row for row in self._heap if row[2].callback is not None]
            heapq.heapify(self._heap)
            self._cancelled = 0

    def _pop(self) -> tuple[float, int, _Entry]:
        row = heapq.heappop(self._heap)
        row[2].heap = None
        self._cancelled -= row[2].callback is None
        return row

    def _drop_cancelled(self) -> None:
        while self._heap and self._heap[0][2].callback is None:
            self._pop()

    def _arm(self) -> None:
        if self._suspended:
            return
        self._drop_cancelled()
        if not self._heap:
            if self._armed_for is not None:
                self._armed_for = None
                self._host.disarm()
            return
        when = self._heap[0][0]
        if self._armed_for is None or when != self._armed_for:
            self._armed_for = when
            self._host.arm(min(ARM_AT_MOST_MS, max(0.0, when - self._host.now())))

    def statistics(self) -> ClockStatistics:
        pending = len(self._heap) - self._cancelled
        return ClockStatistics(pending, self._fired, self._late_ms, self._sleeps, len(self._heap))
