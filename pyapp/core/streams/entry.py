"""One stream as the manager holds it: its state, its inbox, its timers, and the records that wait behind data."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from pyapp.core.clock import Timer
from pyapp.core.ports import Cancel, FrameKind, RawFrame
from pyapp.core.streams import connection as c
from pyapp.core.streams.inbox import BYTES_LIMIT, FRAMES_LIMIT, Inbox, InboxStatistics
from pyapp.core.streams.spec import StreamKey, StreamSpec


@dataclass(frozen=True, slots=True)
class StreamStatistics:
    """What the dock shows of one stream (RT-80). Times are clock times in ms, spans are in ms.

    Attributes:
        state: phase, reason, epoch, failures, next retry, and the times within the epoch.
        attempts: sockets opened so far.
        uptime_ms: how long it has been open, `None` while it is not.
        reconnects, drops, gaps: attempts after the first; confirmed epochs that ended; times something may be missing.
        frames: records of any kind.
        last_delivery_ms: when data was last applied.
        heartbeat_age_ms: since the last hello or heartbeat.
        counts: of its inbox.
    """

    key: StreamKey
    state: c.Connection
    attempts: int
    uptime_ms: float | None
    reconnects: int
    drops: int
    gaps: int
    frames: int
    last_delivery_ms: float | None
    heartbeat_age_ms: float | None
    counts: InboxStatistics


@dataclass(frozen=True, slots=True)
class StreamTotals:
    """Over all streams of the page, also those that are forgotten (RT-80)."""

    active: int = 0
    attempts: int = 0
    reconnects: int = 0
    drops: int = 0
    gaps: int = 0
    overflows: int = 0
    received: int = 0
    dropped: int = 0
    invalid: int = 0
    probes: int = 0
    sleeps: int = 0


class StreamPulse(NamedTuple):
    """The little of a stream that is looked at all the time: its state, and how many data frames came."""

    key: StreamKey
    state: c.Connection
    received: int


@dataclass(slots=True)
class Entry:
    """A stream that is or was wanted."""

    key: StreamKey
    spec: StreamSpec
    inbox: Inbox
    state: c.Connection
    source: int = 0
    timers: dict[c.TimerName, Timer] = field(default_factory=dict[c.TimerName, Timer])
    linger: Timer | None = None
    probe: Cancel | None = None
    reconnects: int = 0
    drops: int = 0
    gaps: int = 0
    frames: int = 0
    last_delivery_ms: float | None = None
    last_beat_ms: float | None = None
    spoke: bool = False  # a frame of this beat proved the server alive
    behind: deque[RawFrame] = field(default_factory=deque[RawFrame])
    """Records that wait because data waits before them (RT-40): the first is never data."""
    behind_length: int = 0

    def waits(self) -> bool:
        """Whether something of it is still to be delivered."""
        return bool(self.behind) or self.inbox_waits()

    def inbox_waits(self) -> bool:
        return len(self.inbox) > 0 or self.inbox.missing

    def put_behind(self, frame: RawFrame) -> None:
        """Keep the order: what came after a record that waits, waits, too; bounded as the inbox is."""
        self.behind.append(frame)
        self.behind_length += len(frame.data)
        if len(self.behind) > FRAMES_LIMIT or self.behind_length > BYTES_LIMIT:
            self.lose_behind(hole=True)

    def lose_behind(self, *, hole: bool) -> None:
        """Drop the data among them; with `hole` it is missed."""
        kept = [frame for frame in self.behind if frame.kind is not FrameKind.MESSAGE]
        self.inbox.lose(len(self.behind) - len(kept), hole=hole)
        self.behind = deque(kept[-FRAMES_LIMIT:])
        self.behind_length = sum(len(frame.data) for frame in self.behind)

    def forget_behind(self) -> None:
        """The connection is gone, and so is what it said."""
        self.lose_behind(hole=False)
        self.behind.clear()
        self.behind_length = 0

    def next_behind(self) -> RawFrame:
        """The record that is next, where one waits and the inbox is empty; the data after it goes into the inbox."""
        frame = self.behind.popleft()
        self.behind_length -= len(frame.data)
        return frame

    def bring_up(self) -> None:
        """The data that is now at the front goes into the inbox."""
        while self.behind and self.behind[0].kind is FrameKind.MESSAGE:
            frame = self.behind.popleft()
            self.behind_length -= len(frame.data)
            self.inbox.put(frame.id, frame.data)

    def statistics(self, now_ms: float) -> StreamStatistics:
        state = self.state
        return StreamStatistics(
            key=self.key,
            state=state,
            attempts=state.epoch,
            uptime_ms=None if state.opened_ms is None else now_ms - state.opened_ms,
            reconnects=self.reconnects,
            drops=self.drops,
            gaps=self.gaps,
            frames=self.frames,
            last_delivery_ms=self.last_delivery_ms,
            heartbeat_age_ms=None if self.last_beat_ms is None else now_ms - self.last_beat_ms,
            counts=self.inbox.statistics(),
        )


def added(totals: StreamTotals, entry: Entry) -> StreamTotals:
    """The totals with one stream more in them."""
    counts = entry.inbox.statistics()
    return StreamTotals(
        active=totals.active + (entry.state.phase is c.Phase.OPEN),
        attempts=totals.attempts + entry.state.epoch,
        reconnects=totals.reconnects + entry.reconnects,
        drops=totals.drops + entry.drops,
        gaps=totals.gaps + entry.gaps,
        overflows=totals.overflows + counts.overflows,
        received=totals.received + counts.received,
        dropped=totals.dropped + counts.dropped,
        invalid=totals.invalid + counts.invalid,
        probes=totals.probes,
        sleeps=totals.sleeps,
    )
