"""What one connection of one stream is: its state, what can happen to it, and what a shell must do (RT-20 to RT-24, RT-26 to RT-30).

Values only; `machine.py` has the transitions. Every event and effect of a socket or timer carries the epoch it was made for.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from pyapp.core.streams.position import Position


class Phase(StrEnum):
    """The public states (RT-21)."""

    CONNECTING = "connecting"
    OPEN = "open"
    RECONNECTING = "reconnecting"
    CLOSED = "closed"


class Reason(StrEnum):
    """Why a connection is as it is (RT-21)."""

    NONE = ""
    NOT_WANTED = "not wanted"
    HIDDEN = "hidden"
    OFFLINE = "offline"
    LIVE_OFF = "live off"
    FLAG_OFF = "flag off"
    BUDGET = "budget"
    FORBIDDEN = "forbidden"
    UNAVAILABLE = "unavailable"
    PLANNED = "planned"
    DROPPED = "dropped"
    REFUSED = "refused"
    SERVER_ERROR = "server error"
    SILENT = "silent"
    SHUTDOWN = "shutdown"


class TimerName(StrEnum):
    RETRY = "retry"
    CONFIRM = "confirm"
    SILENCE = "silence"


@dataclass(frozen=True, slots=True)
class Connection:
    """The state.

    Attributes:
        phase, reason, since_ms: the public state, why, and since when (clock time).
        epoch: counts the sockets of this connection.
        failures: attempts in a row that did not hold (RT-23).
        opened_ms, confirmed_ms, last_frame_ms: clock times within this epoch.
        retry_at_ms: when the next attempt is due, while reconnecting.
        heartbeat_ms: the interval that hello announced; `None` at a part-A server.
        floor_ms: `retry_ms` of the last hello or bye.
        server_epoch: the life of the server that hello named; empty at a part-A server.
        position: the last place seen, kept over epochs for the resume (RT-27).
        lost_ms: when the last confirmed epoch ended, until the next confirmation.
    """

    phase: Phase = Phase.CLOSED
    reason: Reason = Reason.NOT_WANTED
    since_ms: float = 0.0
    epoch: int = 0
    failures: int = 0
    opened_ms: float | None = None
    confirmed_ms: float | None = None
    last_frame_ms: float | None = None
    retry_at_ms: float | None = None
    heartbeat_ms: float | None = None
    floor_ms: float = 0.0
    server_epoch: str = ""
    position: Position | None = None
    lost_ms: float | None = None

    @property
    def confirmed(self) -> bool:
        return self.confirmed_ms is not None


# Events ---------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wanted:
    """The stream is to be open. `resume_from` is a place from which nothing is missing, where the owner knows one."""

    resume_from: Position | None = None


@dataclass(frozen=True, slots=True)
class Unwanted:
    reason: Reason


@dataclass(frozen=True, slots=True)
class SocketOpened:
    epoch: int


@dataclass(frozen=True, slots=True)
class SocketFailed:
    """The socket's own error; `final` when the browser would not have tried again."""

    epoch: int
    final: bool = False


@dataclass(frozen=True, slots=True)
class ErrorFrame:
    """A frame that the server named `error`: this stream failed although the status was 200 (RT-24)."""

    epoch: int


@dataclass(frozen=True, slots=True)
class Hello:
    """The greeting. `sequence`, where the server says it, is the last event before this connection: where it begins."""

    epoch: int
    server_epoch: str
    heartbeat_ms: float
    retry_ms: float
    resumed: bool
    sequence: int | None = None


@dataclass(frozen=True, slots=True)
class Delivered:
    """Data came: `position` of the last frame where frames are numbered; `hole` if one is missing before it."""

    epoch: int
    position: Position | None = None
    hole: bool = False


@dataclass(frozen=True, slots=True)
class Beaten:
    """A heartbeat; `sequence` is the last that the server sent on this stream."""

    epoch: int
    sequence: int | None = None


@dataclass(frozen=True, slots=True)
class WasReset:
    epoch: int


@dataclass(frozen=True, slots=True)
class Bye:
    epoch: int
    retry_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class TimerDue:
    epoch: int
    name: TimerName


@dataclass(frozen=True, slots=True)
class TryNow:
    """The person, or a network that came back, asks for an attempt without waiting."""


Event: TypeAlias = (
    Wanted | Unwanted | SocketOpened | SocketFailed | ErrorFrame | Hello | Delivered | Beaten | WasReset | Bye | TimerDue | TryNow
)

# Effects --------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OpenSocket:
    epoch: int
    last_event_id: Position | None


@dataclass(frozen=True, slots=True)
class CloseSocket:
    epoch: int


@dataclass(frozen=True, slots=True)
class SetTimer:
    name: TimerName
    at_ms: float
    epoch: int


@dataclass(frozen=True, slots=True)
class ClearTimer:
    name: TimerName


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The epoch is confirmed (RT-30).

    Attributes:
        resumed: nothing was missed since the place it resumed from (RT-27).
        away_ms: how long the stream had been lost, `None` if it never was.
        begins_at: where the epoch begins; a snapshot that covers it misses nothing.
    """

    resumed: bool
    away_ms: float | None = None
    begins_at: Position | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """Something may be missing: a snapshot is owed (RT-32)."""

    cause: str


@dataclass(frozen=True, slots=True)
class Placed:
    """A heartbeat told where the stream is before any event did: data that does not reach there misses something (RT-28)."""

    position: Position


@dataclass(frozen=True, slots=True)
class Lost:
    """A confirmed epoch ended."""

    reason: Reason


Effect: TypeAlias = OpenSocket | CloseSocket | SetTimer | ClearTimer | Confirmed | Gap | Placed | Lost
Step: TypeAlias = tuple[Connection, tuple[Effect, ...]]
