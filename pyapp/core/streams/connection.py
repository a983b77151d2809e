"""What one connection of one stream is: its state, what can happen to it, and what a shell must do (RT-20 to RT-30, RT-52).

Values only; `machine.py` has the transitions. Every event and effect of a socket or timer carries the epoch it was made for.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from pyapp.core.streams.position import Position
from pyapp.core.streams.refusal import Verdict


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
    ENDED = "ended"
    FOLLOWER = "follower"
    """Another tab brings the streams, and none does now (RT-61)."""
    SHUTDOWN = "shutdown"


class TimerName(StrEnum):
    RETRY = "retry"
    CONFIRM = "confirm"
    SILENCE = "silence"
    CONNECT = "connect"
    PROBE = "probe"


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
        greets: the server is known to greet (part B), because somebody said so or because it did: nothing but its hello confirms.
        rhythm_ms: the interval that it announced last, kept over epochs: silence before a hello is measured by it.
        floor_ms: `retry_ms` of the last hello or bye.
        server_epoch: the life of the server that hello named; empty at a part-A server.
        position: the last place seen, kept over epochs for the resume (RT-27).
        lost_ms: when the last confirmed epoch ended, until the next confirmation.
        scoped: confirmed by its `Synced` and by nothing else (RT-30); given when the state is made and never changed.
        error_ms: when this epoch said that it failed, until it is confirmed anew (RT-30).
        offline: the network says that it is gone (RT-52).
        stalled: its silence was looked at by a timer that was late itself, and nothing was heard since.
        awaiting: no frame came since it said so: an open connection is not to be believed until one does.
        probing: a plain request is on its way that will say why the attempt was refused (RT-25).
        shared: lost with a connection that somebody else brings back; there is no timer of its own.
        ended: `ENDED` or `FORBIDDEN` where the server said that it is no use to try again (RT-25).
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
    greets: bool = False
    rhythm_ms: float | None = None
    floor_ms: float = 0.0
    server_epoch: str = ""
    position: Position | None = None
    lost_ms: float | None = None
    scoped: bool = False
    error_ms: float | None = None
    offline: bool = False
    stalled: bool = False
    awaiting: bool = False
    probing: bool = False
    shared: bool = False
    ended: Reason = Reason.NONE

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
    """Data came: `position` of the last frame where frames are numbered; `hole` if one is missing.

    Without `valid` none of it could be read: that shows a server that speaks, and confirms nothing (RT-29). `begins_at` is the place
    before the first numbered frame, where no place was known.
    """

    epoch: int
    position: Position | None = None
    hole: bool = False
    valid: bool = True
    begins_at: Position | None = None


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
    """A timer; `late_ms` is how late it is itself: what came meanwhile waits behind it."""

    epoch: int
    name: TimerName
    late_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Refused:
    """The server said no, in a status; `retry_ms` is its `Retry-After`, a lower bound (RT-23, RT-25)."""

    epoch: int
    verdict: Verdict
    retry_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class SocketLost:
    """The connection that this stream shares with others is gone, and somebody else brings it back.

    The stream keeps its place there and has no timer of its own; `TryNow` is what brings it back.
    """

    epoch: int
    reason: Reason
    retry_at_ms: float | None


@dataclass(frozen=True, slots=True)
class Synced:
    """A scoped stream said that its scope is in step: the one thing that confirms it (RT-30)."""

    epoch: int


@dataclass(frozen=True, slots=True)
class Erred:
    """A scoped stream said that something failed; the connection goes on, and is not believed until it says `Synced` again."""

    epoch: int


@dataclass(frozen=True, slots=True)
class WentOffline:
    """The network says that it is gone: a hint (RT-52)."""


@dataclass(frozen=True, slots=True)
class CameOnline:
    """The network says that it is back (RT-52). `renews`: whoever shares its connection with this stream sees to that."""

    renews: bool = False


@dataclass(frozen=True, slots=True)
class Slept:
    """The machine slept, or the page was frozen: whatever was open is taken for dead, and something may be missing (RT-52)."""


@dataclass(frozen=True, slots=True)
class TryNow:
    """A person, or whoever brings back a shared connection, asks for an attempt without waiting."""


@dataclass(frozen=True, slots=True)
class Forgiven:
    """The person asks again, or is somebody else now: what ended or was forbidden may be tried (RT-25)."""


FrameEvent: TypeAlias = (
    SocketOpened
    | SocketFailed
    | SocketLost
    | ErrorFrame
    | Refused
    | Hello
    | Delivered
    | Beaten
    | Synced
    | Erred
    | WasReset
    | Bye
    | TimerDue
)
"""What belongs to one epoch."""
Event: TypeAlias = Wanted | Unwanted | TryNow | Forgiven | WentOffline | CameOnline | Slept | FrameEvent

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
class Probe:
    """Ask plainly why the attempt was refused (RT-25); the answer comes back as `Refused`."""

    epoch: int


@dataclass(frozen=True, slots=True)
class CancelProbe:
    pass


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
    """A heartbeat or the first event told where the stream is heard from: data that does not reach there misses something (RT-28)."""

    position: Position


@dataclass(frozen=True, slots=True)
class Lost:
    """A confirmed epoch ended."""

    reason: Reason


Effect: TypeAlias = OpenSocket | CloseSocket | SetTimer | ClearTimer | Probe | CancelProbe | Confirmed | Gap | Placed | Lost
Step: TypeAlias = tuple[Connection, tuple[Effect, ...]]
