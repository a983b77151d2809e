"""Who leads, as a machine without I/O (RT-60, RT-61, RT-63).

`step(state, event, now_ms)` gives the next state and the effects that a shell must run, in order.

    state      event                          next       effects
    ---------  -----------------------------  ---------  ----------------------------------------------------------------------
    out        Joined                         waiting    OpenChannel, RequestLock, AskWhoLeads, SetTimer silence
    any other  Left(reason)                   out        Resign (leading), ReleaseLock, ClearTimers, CloseChannel, ActAlone
    waiting,   Granted                        leading    ClearTimers, StoreTerm, Lead(term), SetTimer beat
      following
    waiting    Heard(term), not an older one  following  Follow(term), SetTimer silence
    following  Heard(the term followed)       following  (the silence is over)
    following  Heard(a higher term)           following  Follow(term), SetTimer silence
    following  Resigned(the term followed)    waiting    Unled, SetTimer silence
    waiting,   Due silence, not silent        same       SetTimer silence (also where this tab itself was late)
      following  Due silence, silent          waiting    Unled (following), SetTimer steal (visible) or silence
                 Due silence, no lock asked   –          RequestLock on top of that
    waiting    Due steal, visible             waiting    ReleaseLock, RequestLock(steal), SetTimer silence
               Due steal, hidden              waiting    SetTimer silence
    leading    Due beat                       leading    Beat(term), SetTimer beat
    leading    Heard(a higher term)           following  StepDown, ReleaseLock, RequestLock, Follow(term), SetTimer silence
    leading    Heard(an older term)           leading    Beat(term) (so that it hears of us)
    leading    Taken                          waiting    StepDown, RequestLock, SetTimer silence
    waiting,   Taken                          same       (the request failed: it is made again with the next silence)
      following

A term is a pair (number, tab), so no two tabs ever lead in one; the number is one above every number seen or stored, at the moment the
lock is granted. Everything that says a term below the highest seen is ignored. Every lock and every timer carries a number; one that is
not the current one does nothing. A leader acts only between `Lead` and `StepDown` or `Resign`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from pyapp.core.ports import Random
from pyapp.core.timings import Timings


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
        heard_ms: when the leader was heard last, or this tab began to wait.
        takeovers, steals, deposed: how often it led, took the lock, and lost it.
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
    takeovers: int = 0
    steals: int = 0
    deposed: int = 0


# Events ---------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Joined:
    """The tab is to take part."""


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
    """A sign of life under a term."""

    term: Term


@dataclass(frozen=True, slots=True)
class Resigned:
    """The leader of a term says that it goes."""

    term: Term


@dataclass(frozen=True, slots=True)
class Due:
    """A timer; `visible` is whether a person can see this tab now."""

    timer: int
    name: TimerName
    visible: bool


Event: TypeAlias = Joined | Left | Granted | Taken | Heard | Resigned | Due

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
    """From now on this tab acts for all, under the term."""

    term: Term


@dataclass(frozen=True, slots=True)
class Beat:
    """Say that we lead."""

    term: Term


@dataclass(frozen=True, slots=True)
class Resign:
    """Say that we go, and act for nobody from now on."""

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
    | StepDown
    | Follow
    | Unled
    | ActAlone
    | SetTimer
    | ClearTimer
)
Step: TypeAlias = tuple[Election, tuple[Effect, ...]]


class Machine:
    """The transition function with what it needs to know: the times and chance."""

    def __init__(self, timings: Timings, random: Random) -> None:
        self._timings = timings
        self._random = random

    def step(self, state: Election, event: Event, now_ms: float) -> Step:
        """The table of this module's docstring."""
        if state.role is Role.OUT:
            return self._join(state, now_ms) if isinstance(event, Joined) else (state, ())
        match event:
            case Joined():
                return state, ()
            case Left(reason):
                return self._leave(state, reason, now_ms)
            case Granted(lock, stored):
                if lock != state.lock or state.role is Role.LEADING:
                    return state, ()
                return self._lead(state, stored, now_ms)
            case Taken(lock):
                return self._taken(state, now_ms) if lock == state.lock else (state, ())
            case Heard(term):
                return self._heard(state, term, now_ms)
            case Resigned(term):
                if state.role is not Role.FOLLOWING or term != state.term:
                    return state, ()
                return self._wait(replace(state, heard_ms=now_ms), now_ms, Unled())
            case Due(timer, name, visible):  # pragma: no branch - there is no other event
                return self._due(state, name, now_ms, visible=visible) if timer == state.timer else (state, ())

    # Coming and going ---------------------------------------------------------------------------------------------------------

    def _join(self, state: Election, now_ms: float) -> Step:
        state, request = self._request(replace(state, heard_ms=now_ms))
        return self._wait(state, now_ms, OpenChannel(), request, AskWhoLeads())

    def _leave(self, state: Election, reason: Out, now_ms: float) -> Step:
        effects: list[Effect] = []
        if state.role is Role.LEADING:
            effects.append(Resign(state.term))
        if state.lock:
            effects.append(ReleaseLock(state.lock))
        effects.extend((ClearTimer(), CloseChannel(), ActAlone()))
        after = replace(state, role=Role.OUT, reason=reason, since_ms=now_ms, lock=0, timer=state.timer + 1)
        return after, tuple(effects)

    # Leading ------------------------------------------------------------------------------------------------------------------

    def _lead(self, state: Election, stored: int, now_ms: float) -> Step:
        term = Term(max(state.term.number, stored) + 1, state.tab)
        after = replace(state, role=Role.LEADING, since_ms=now_ms, term=term, takeovers=state.takeovers + 1)
        after, timer = self._timer(after, TimerName.BEAT, now_ms + self._timings.leader_beat_ms)
        return after, (StoreTerm(term.number), Lead(term), timer)

    def _taken(self, state: Election, now_ms: float) -> Step:
        leading = state.role is Role.LEADING
        after = replace(state, lock=0, deposed=state.deposed + leading)
        if not leading:
            # The request failed. It is made again with the next silence: one that always fails must not spin.
            return after, ()
        after, request = self._request(replace(after, heard_ms=now_ms))
        return self._wait(after, now_ms, StepDown(), request)

    def _heard(self, state: Election, term: Term, now_ms: float) -> Step:
        if term < state.term:
            return (state, (Beat(state.term),)) if state.role is Role.LEADING else (state, ())
        if state.role is Role.LEADING:
            if term == state.term:
                return state, ()
            # Somebody acts in a later term: the lock was taken from us, and the word of that is on its way.
            left = ReleaseLock(state.lock)
            after, request = self._request(replace(state, lock=0, deposed=state.deposed + 1))
            return self._follow(after, term, now_ms, StepDown(), left, request)
        if state.role is Role.FOLLOWING and term == state.term:
            return replace(state, heard_ms=now_ms), ()
        return self._follow(state, term, now_ms)

    # Following and waiting ----------------------------------------------------------------------------------------------------

    def _follow(self, state: Election, term: Term, now_ms: float, *first: Effect) -> Step:
        after = replace(state, role=Role.FOLLOWING, reason=Out.NONE, since_ms=now_ms, term=term, heard_ms=now_ms)
        after, timer = self._timer(after, TimerName.SILENCE, now_ms + self._timings.leader_silence_ms)
        return after, (*first, Follow(term), timer)

    def _wait(self, state: Election, now_ms: float, *first: Effect) -> Step:
        after = replace(state, role=Role.WAITING, reason=Out.NONE, since_ms=now_ms)
        after, timer = self._timer(after, TimerName.SILENCE, now_ms + self._timings.leader_silence_ms)
        return after, (*first, timer)

    def _due(self, state: Election, name: TimerName, now_ms: float, *, visible: bool) -> Step:
        if name is TimerName.BEAT:
            after, timer = self._timer(state, TimerName.BEAT, now_ms + self._timings.leader_beat_ms)
            return after, (Beat(state.term), timer)
        silence = self._timings.leader_silence_ms
        if name is TimerName.STEAL and visible:
            left: tuple[Effect, ...] = (ReleaseLock(state.lock),) if state.lock else ()
            after, request = self._request(replace(state, steals=state.steals + 1), steal=True)
            after, timer = self._timer(replace(after, heard_ms=now_ms), TimerName.SILENCE, now_ms + silence)
            return after, (*left, request, timer)
        again: tuple[Effect, ...] = ()
        if not state.lock:
            state, request = self._request(state)
            again = (request,)
        # A timer that is late itself says nothing of the leader: what it said waits behind the timer.
        late = now_ms - state.due_ms > self._timings.leader_beat_ms
        if late or now_ms - state.heard_ms < silence:
            at = now_ms + self._timings.leader_beat_ms if late else state.heard_ms + silence
            after, timer = self._timer(state, TimerName.SILENCE, at)
            return after, (*again, timer)
        lost: tuple[Effect, ...] = (Unled(),) if state.role is Role.FOLLOWING else ()
        after = state if state.role is Role.WAITING else replace(state, role=Role.WAITING, since_ms=now_ms)
        if not visible:
            # A hidden tab never steals: it would only have to hand over.
            after, timer = self._timer(after, TimerName.SILENCE, now_ms + silence)
        else:
            # Spread, so that twenty tabs do not take it from each other; who hears of a leader meanwhile takes nothing.
            after, timer = self._timer(after, TimerName.STEAL, now_ms + self._timings.steal_jitter_ms * self._random.random())
        return after, (*lost, *again, timer)

    # Numbers ------------------------------------------------------------------------------------------------------------------

    def _request(self, state: Election, *, steal: bool = False) -> tuple[Election, RequestLock]:
        after = replace(state, lock=state.locks + 1, locks=state.locks + 1)
        return after, RequestLock(after.lock, steal)

    def _timer(self, state: Election, name: TimerName, at_ms: float) -> tuple[Election, SetTimer]:
        after = replace(state, timer=state.timer + 1, due_ms=at_ms)
        return after, SetTimer(after.timer, name, at_ms)
