"""What a tab's part in leadership is: its state, what can happen to it, and what a shell must do (RT-60, RT-61, RT-63).

Values only; `machine.py` has the transitions.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, TypeAlias


class Term(NamedTuple):
    """A time of leadership: compared as a pair."""

    number: int
    tab: str

    def __str__(self) -> str:
        return f"{self.number}:{self.tab}"


NO_TERM = Term(0, "")


class Role(StrEnum):
    OUT = "alone"
    """Not taking part; why is the state's reason."""
    WAITING = "waiting"
    """Taking part, and nobody is known to lead."""
    FOLLOWING = "following"
    LEADING = "leading"


class Out(StrEnum):
    """Why a tab does not take part."""

    NONE = ""
    STARTING = "starting"
    NO_LOCKS = "this browser or origin has no Web Locks"
    NO_CHANNEL = "this browser or origin has no BroadcastChannel"
    FLAG_OFF = "sharing is switched off"
    HIDDEN = "hidden"
    SUSPENDED = "put away by the browser"
    MOVED = "somebody else is signed in"
    CLOSED = "closed"


class TimerName(StrEnum):
    BEAT = "beat"
    SILENCE = "silence"
    STEAL = "steal"


@dataclass(frozen=True, slots=True)
class Election:
    """The state.

    Attributes:
        tab: this tab's name.
        role, reason, since_ms: what it is, why where it does not take part, and since when (clock time).
        term: its own while leading, the leader's while following, else the highest seen.
        lock: the number of the lock request that waits or is held; 0 where there is none.
        timer, due_ms: the number of the one timer, and when it is due.
        heard_ms: when the leader was heard last, or this tab began to wait; while leading, when it beat last.
        tabs: how many take part, as far as the leader said.
        gaps: the last gaps between two signs of life of one leader, in ms, the latest last.
        told_ms: the patience that the leader asks for.
        before, before_ms: the leader that fell silent, and when it was heard last.
        excused: the silence began anew because this tab was late itself; not twice until something is heard.
        takeovers, steals, deposed: how often it led, took the lock, and lost it.
        sign_ms, unled_ms: the last sign of any leader (later where this tab was late itself, or hidden), and the longest time without.
        stalls: times this tab was late itself when it looked for its leader.
        hasty: thefts from a leader that was late and not gone, as far as this tab knows.
    """

    tab: str
    role: Role = Role.OUT
    reason: Out = Out.STARTING
    since_ms: float = 0.0
    term: Term = NO_TERM
    lock: int = 0
    locks: int = 0
    timer: int = 0
    due_ms: float = 0.0
    heard_ms: float = 0.0
    tabs: int = 1
    gaps: tuple[float, ...] = ()
    told_ms: float = 0.0
    before: Term = NO_TERM
    before_ms: float = 0.0
    excused: bool = False
    takeovers: int = 0
    steals: int = 0
    deposed: int = 0
    sign_ms: float = 0.0
    unled_ms: float = 0.0
    stalls: int = 0
    hasty: int = 0


# Events ---------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Joined:
    """The tab is to take part; `stored` is the number of the last term that the tabs remember together: who acts in an older one was
    robbed, and does not know it yet."""

    stored: int = 0


@dataclass(frozen=True, slots=True)
class Left:
    reason: Out


@dataclass(frozen=True, slots=True)
class Granted:
    """The lock is ours; `stored` is the number of the last term that the tabs remember together."""

    lock: int
    stored: int


@dataclass(frozen=True, slots=True)
class Taken:
    """The lock was taken from us, or could not be had."""

    lock: int


@dataclass(frozen=True, slots=True)
class Heard:
    """A sign of life under a term: how many tabs its leader counts, and how long a silence it may need, in ms."""

    term: Term
    tabs: int = 1
    patience_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Resigned:
    """The leader of a term says that it goes."""

    term: Term


@dataclass(frozen=True, slots=True)
class Claimed:
    """Another tab takes the lock from the leader of a term."""

    term: Term


@dataclass(frozen=True, slots=True)
class Lagged:
    """The leader of a term lives after all: it was late, and was robbed."""

    term: Term


@dataclass(frozen=True, slots=True)
class Due:
    """A timer; `visible` is whether a person can see this tab now."""

    timer: int
    name: TimerName
    visible: bool


Event: TypeAlias = Joined | Left | Granted | Taken | Heard | Resigned | Claimed | Lagged | Due

# Effects --------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OpenChannel:
    pass


@dataclass(frozen=True, slots=True)
class CloseChannel:
    pass


@dataclass(frozen=True, slots=True)
class RequestLock:
    lock: int
    steal: bool


@dataclass(frozen=True, slots=True)
class ReleaseLock:
    lock: int


@dataclass(frozen=True, slots=True)
class AskWhoLeads:
    pass


@dataclass(frozen=True, slots=True)
class StoreTerm:
    number: int


@dataclass(frozen=True, slots=True)
class Lead:
    """From now on this tab acts for all, under the term: it says so before anything else, with its patience in ms."""

    term: Term
    patience_ms: float


@dataclass(frozen=True, slots=True)
class Beat:
    """Say that we lead, and how long a silence we may need, in ms."""

    term: Term
    patience_ms: float


@dataclass(frozen=True, slots=True)
class Resign:
    """Say that we go, and act for nobody from now on."""

    term: Term


@dataclass(frozen=True, slots=True)
class Claim:
    """Say that we take the lock from the leader of a term, so that no other tab does."""

    term: Term


@dataclass(frozen=True, slots=True)
class Lag:
    """Say that we were late and not gone, under the term that we led."""

    term: Term


@dataclass(frozen=True, slots=True)
class StepDown:
    """Act for nobody from now on, and say nothing more under that term."""


@dataclass(frozen=True, slots=True)
class Follow:
    term: Term


@dataclass(frozen=True, slots=True)
class Unled:
    """Whoever led is gone."""


@dataclass(frozen=True, slots=True)
class ActAlone:
    """Nobody leads this tab, and it leads nobody."""


@dataclass(frozen=True, slots=True)
class SetTimer:
    """The one timer, in place of any other."""

    timer: int
    name: TimerName
    at_ms: float


@dataclass(frozen=True, slots=True)
class ClearTimer:
    pass


Effect: TypeAlias = (
    OpenChannel
    | CloseChannel
    | RequestLock
    | ReleaseLock
    | AskWhoLeads
    | StoreTerm
    | Lead
    | Beat
    | Resign
    | Claim
    | Lag
    | StepDown
    | Follow
    | Unled
    | ActAlone
    | SetTimer
    | ClearTimer
)
Step: TypeAlias = tuple[Election, tuple[Effect, ...]]
