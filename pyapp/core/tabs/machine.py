"""Who leads, as a machine without I/O (RT-60, RT-61, RT-63).

`step(state, event, now_ms)` gives the next state and the effects that a shell must run, in order.

    state      event                          next       effects
    ---------  -----------------------------  ---------  ----------------------------------------------------------------------
    out        Joined                         waiting    OpenChannel, RequestLock, AskWhoLeads, SetTimer silence
    any other  Left(reason)                   out        Resign (leading), ReleaseLock, ClearTimers, CloseChannel, ActAlone
    any        Left(moved)                    out        the same, and the terms of that group mean nothing any more
    waiting,   Granted                        leading    ClearTimers, StoreTerm, Lead(term), SetTimer beat
      following
    waiting    Heard(term), not an older one  following  Follow(term), SetTimer silence
    following  Heard(the term followed)       following  (the silence is over)
    following  Heard(a higher term)           following  Follow(term), SetTimer silence
    following  Resigned(the term followed)    waiting    Unled, SetTimer silence
    waiting,   Claimed(no older term)         same       (somebody else takes the lock: the silence begins anew)
      following
    any        Lagged(the term before)        same       (its leader was late and not gone: from now on there is more patience)
    waiting,   Due silence, not silent        same       SetTimer silence
      following  or this tab was late itself  same       SetTimer silence (begun anew, once until something is heard)
               Due silence, silent, visible   same       SetTimer steal
               Due silence, silent, hidden    waiting    Unled (following), SetTimer silence
                 Due silence, no lock asked   –          RequestLock on top of that
    waiting,   Due steal, still silent        waiting    Unled (following), ReleaseLock, Claim, RequestLock(steal), SetTimer silence
      following  and visible
               Due steal, else                same       SetTimer silence
    leading    Due beat                       leading    Beat(term), SetTimer beat
    leading    Heard(a higher term)           following  StepDown, ReleaseLock, RequestLock, Lag, Follow(term), SetTimer silence
    leading    Heard(an older term)           leading    Beat(term) (so that it hears of us)
    leading    Taken                          waiting    StepDown, RequestLock, Lag, SetTimer silence
    waiting,   Taken                          same       (the request failed: it is made again with the next silence)
      following

A term is a pair (number, tab), so no two tabs ever lead in one; the number is one above every number seen or stored, at the moment the
lock is granted. Everything that says a term below the highest seen, or stored when this tab came, is ignored. Every lock and every
timer carries a number; one that is not the current one does nothing. A leader acts only between `Lead` and `StepDown` or `Resign`.

How long a silence must be is learnt (`Machine.patience_ms`): the model's time where beats come as they should, and more where the
machine cannot keep that up. Every gap between two signs of life of one leader counts, measured by the leader and by who follows it, and
so does that of a leader which was robbed and says that it was only late. A gap of more than twice the patience is a leader that was
gone, and no measure; neither is one in which the tab that measures was late itself. The third worst of the last twenty decides: a slow
machine is slow all the time, and a tab that stood still once says nothing of the next beat.
"""

from __future__ import annotations

from dataclasses import replace

from pyapp.core.ports import Random
from pyapp.core.tabs.election import (
    NO_TERM,
    ActAlone,
    AskWhoLeads,
    Beat,
    Claim,
    Claimed,
    ClearTimer,
    CloseChannel,
    Due,
    Effect,
    Election,
    Event,
    Follow,
    Granted,
    Heard,
    Joined,
    Lag,
    Lagged,
    Lead,
    Left,
    OpenChannel,
    Out,
    ReleaseLock,
    RequestLock,
    Resign,
    Resigned,
    Role,
    SetTimer,
    Step,
    StepDown,
    StoreTerm,
    Taken,
    Term,
    TimerName,
    Unled,
)
from pyapp.core.timings import Timings

GAP_FACTOR = 1.5
"""A silence must be this many times the gaps between two beats of late."""
GAPS = 20
"""So many gaps are of late: ten seconds where beats come in time."""
OUTLIERS = 2
"""The worst of them, which do not count."""
PATIENCE_AT_MOST = 8
"""However late the beats are, no silence must be longer than so many times the model's."""
TABS_PER_JITTER = 4
"""For so many tabs more the theft is spread over the jitter once more: the first one is as early, and the others hear of it."""


class Machine:
    """The transition function with what it needs to know: the times and chance."""

    def __init__(self, timings: Timings, random: Random) -> None:
        self._timings = timings
        self._random = random

    def step(self, state: Election, event: Event, now_ms: float) -> Step:
        """The table of this module's docstring."""
        if state.role is Role.OUT:
            if isinstance(event, Joined):
                return self._join(replace(state, term=max(state.term, Term(event.stored, ""))), now_ms)
            return (_forgotten(state) if event == Left(Out.MOVED) else state), ()
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
            case Heard():
                return self._heard(state, event, now_ms)
            case Resigned(term):
                if state.role is not Role.FOLLOWING or term != state.term:
                    return state, ()
                return self._wait(replace(state, heard_ms=now_ms, sign_ms=now_ms), now_ms, Unled())
            case Claimed(term):
                waits = state.role is not Role.LEADING and term >= state.term
                return (replace(state, heard_ms=now_ms) if waits else state), ()
            case Lagged(term):
                return self._lagged(state, term, now_ms), ()
            case Due(timer, name, visible):  # pragma: no branch - there is no other event
                return self._due(state, name, now_ms, visible=visible) if timer == state.timer else (state, ())

    # Coming and going ---------------------------------------------------------------------------------------------------------

    def _join(self, state: Election, now_ms: float) -> Step:
        state, request = self._request(replace(state, heard_ms=now_ms, sign_ms=now_ms))
        return self._wait(state, now_ms, OpenChannel(), request, AskWhoLeads())

    def _leave(self, state: Election, reason: Out, now_ms: float) -> Step:
        effects: list[Effect] = []
        if state.role is Role.LEADING:
            effects.append(Resign(state.term))
        if state.lock:
            effects.append(ReleaseLock(state.lock))
        effects.extend((ClearTimer(), CloseChannel(), ActAlone()))
        after = replace(state, role=Role.OUT, reason=reason, since_ms=now_ms, lock=0, timer=state.timer + 1)
        return (_forgotten(after) if reason is Out.MOVED else after), tuple(effects)

    # Leading ------------------------------------------------------------------------------------------------------------------

    def _lead(self, state: Election, stored: int, now_ms: float) -> Step:
        term = Term(max(state.term.number, stored) + 1, state.tab)
        takeovers = state.takeovers + 1
        after = replace(self._signed(state, now_ms), role=Role.LEADING, since_ms=now_ms, told_ms=0.0, term=term, takeovers=takeovers)
        after, timer = self._timer(after, TimerName.BEAT, now_ms + self._timings.leader_beat_ms)
        return after, (StoreTerm(term.number), Lead(term, self.patience_ms(after)), timer)

    def _beat(self, state: Election) -> Beat:
        return Beat(state.term, self.patience_ms(state))

    def _taken(self, state: Election, now_ms: float) -> Step:
        leading = state.role is Role.LEADING
        after = replace(state, lock=0, deposed=state.deposed + leading)
        if not leading:
            # The request failed. It is made again with the next silence: one that always fails must not spin.
            return after, ()
        after, request = self._request(replace(after, heard_ms=now_ms, sign_ms=now_ms))
        return self._wait(after, now_ms, StepDown(), request, Lag(state.term))

    def _heard(self, state: Election, heard: Heard, now_ms: float) -> Step:
        term = heard.term
        if term < state.term:
            return (state, (self._beat(state),)) if state.role is Role.LEADING else (self._lagged(state, term, now_ms), ())
        if state.role is Role.LEADING:
            if term == state.term:
                return state, ()
            # Somebody acts in a later term: the lock was taken from us, and the word of that is on its way.
            left = ReleaseLock(state.lock)
            after, request = self._request(replace(state, lock=0, sign_ms=now_ms, deposed=state.deposed + 1))
            return self._follow(after, heard, now_ms, StepDown(), left, request, Lag(state.term))
        if state.role is Role.FOLLOWING and term == state.term:
            measured = state if self._late(state, now_ms) else self._gap(state, now_ms - state.heard_ms)
            return self._told(measured, heard, now_ms), ()
        return self._follow(state, heard, now_ms)

    # Patience -----------------------------------------------------------------------------------------------------------------

    def patience_ms(self, state: Election) -> float:
        """How long the leader of this state must be silent until it is taken for gone."""
        silence = self._timings.leader_silence_ms
        worst = sorted(state.gaps, reverse=True)[OUTLIERS : OUTLIERS + 1]
        return min(PATIENCE_AT_MOST * silence, max(silence, *(GAP_FACTOR * gap for gap in worst), state.told_ms))

    def _gap(self, state: Election, gap_ms: float) -> Election:
        """So long was it between two signs of life of one leader."""
        if gap_ms >= 2 * self.patience_ms(state):
            return state
        return replace(state, gaps=(*state.gaps, gap_ms)[-GAPS:])

    def _told(self, state: Election, heard: Heard, now_ms: float) -> Election:
        return replace(self._signed(state, now_ms), tabs=heard.tabs, told_ms=heard.patience_ms, excused=False)

    def _lagged(self, state: Election, term: Term, now_ms: float) -> Election:
        """A leader that was robbed lives: it was late. Each theft is learnt from once."""
        if term != state.before or term == NO_TERM:
            return state
        gap = now_ms - state.before_ms
        hasty = gap < 2 * self.patience_ms(state)
        return replace(self._gap(state, gap), before=NO_TERM, hasty=state.hasty + hasty)

    def _late(self, state: Election, now_ms: float) -> bool:
        """Whether this tab's own timer should have come long ago: it did not run, and what it hears now waited for it."""
        return now_ms - state.due_ms > self._timings.leader_beat_ms

    def _signed(self, state: Election, now_ms: float) -> Election:
        """Somebody leads, as far as this tab knows. While it did not run itself it was not without a leader."""
        until_ms = state.due_ms if self._late(state, now_ms) else now_ms
        return replace(state, heard_ms=now_ms, sign_ms=now_ms, unled_ms=max(state.unled_ms, until_ms - state.sign_ms))

    # Following and waiting ----------------------------------------------------------------------------------------------------

    def _follow(self, state: Election, heard: Heard, now_ms: float, *first: Effect) -> Step:
        if state.role is Role.FOLLOWING:
            state = replace(state, before=state.term, before_ms=state.heard_ms)
        after = self._told(state, heard, now_ms)
        after = replace(after, role=Role.FOLLOWING, reason=Out.NONE, since_ms=now_ms, term=heard.term)
        after, timer = self._timer(after, TimerName.SILENCE, now_ms + self.patience_ms(after))
        return after, (*first, Follow(heard.term), timer)

    def _wait(self, state: Election, now_ms: float, *first: Effect) -> Step:
        after = replace(state, role=Role.WAITING, reason=Out.NONE, since_ms=now_ms, told_ms=0.0, excused=False)
        after, timer = self._timer(after, TimerName.SILENCE, now_ms + self.patience_ms(after))
        return after, (*first, timer)

    def _due(self, state: Election, name: TimerName, now_ms: float, *, visible: bool) -> Step:
        if name is TimerName.BEAT:
            after = replace(self._gap(state, now_ms - state.heard_ms), heard_ms=now_ms)
            after, timer = self._timer(after, TimerName.BEAT, now_ms + self._timings.leader_beat_ms)
            return after, (self._beat(after), timer)
        patience = self.patience_ms(state)
        again: tuple[Effect, ...] = ()
        if not state.lock and name is TimerName.SILENCE:
            state, request = self._request(state)
            again = (request,)
        if self._late(state, now_ms) and not state.excused:
            # A timer that is late itself says nothing of the leader: what it said waits behind the timer.
            state = replace(state, heard_ms=now_ms, sign_ms=now_ms, excused=True, stalls=state.stalls + 1)
        if not visible:
            state = replace(state, sign_ms=now_ms)
        if now_ms - state.heard_ms < patience:
            after, timer = self._timer(state, TimerName.SILENCE, state.heard_ms + patience)
            return after, (*again, timer)
        if visible and name is TimerName.SILENCE:
            # Spread, so that twenty tabs do not take it from each other; who hears of a leader meanwhile takes nothing.
            spread = self._timings.steal_jitter_ms * max(1.0, state.tabs / TABS_PER_JITTER)
            after, timer = self._timer(state, TimerName.STEAL, now_ms + spread * self._random.random())
            return after, (*again, timer)
        lost: tuple[Effect, ...] = ()
        if state.role is Role.FOLLOWING:
            lost = (Unled(),)
            state = replace(state, role=Role.WAITING, since_ms=now_ms, told_ms=0.0, before=state.term, before_ms=state.heard_ms)
        if not visible:
            # A hidden tab never steals: it would only have to hand over.
            after, timer = self._timer(state, TimerName.SILENCE, now_ms + patience)
            return after, (*lost, *again, timer)
        left: tuple[Effect, ...] = (ReleaseLock(state.lock),) if state.lock else ()
        after, request = self._request(replace(state, steals=state.steals + 1), steal=True)
        after, timer = self._timer(replace(after, heard_ms=now_ms), TimerName.SILENCE, now_ms + patience)
        return after, (*lost, *left, Claim(state.term), request, timer)

    # Numbers ------------------------------------------------------------------------------------------------------------------

    def _request(self, state: Election, *, steal: bool = False) -> tuple[Election, RequestLock]:
        after = replace(state, lock=state.locks + 1, locks=state.locks + 1)
        return after, RequestLock(after.lock, steal)

    def _timer(self, state: Election, name: TimerName, at_ms: float) -> tuple[Election, SetTimer]:
        after = replace(state, timer=state.timer + 1, due_ms=at_ms)
        return after, SetTimer(after.timer, name, at_ms)


def _forgotten(state: Election) -> Election:
    """Without the terms of a group that the tab left for another, which counts its own."""
    return replace(state, term=NO_TERM, before=NO_TERM)
