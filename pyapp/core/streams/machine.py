"""One connection of one stream, as a machine without I/O (RT-20 to RT-30, RT-52).

`step(state, event)` gives the next state and the effects that a shell must run, in order. Every socket, timer and callback carries
the epoch it was made for; an event of another epoch changes nothing and has no effect.

    state         event                     next                effects
    ------------  ------------------------  ------------------  -----------------------------------------------
    closed        Wanted, not ended         connecting          OpenSocket (epoch + 1), SetTimer connect
    closed        Wanted, ended             closed              (forbidden, or ended by the server)
    closed        Forgiven                  closed, not ended
    closed        anything else             closed
    connecting    SocketOpened              open, unconfirmed   SetTimer confirm (part A, not scoped), silence
    connecting,   Hello                     open, confirmed     Confirmed, SetTimer silence
      open                                    (scoped: not yet)
    connecting,   Delivered, unconfirmed    open, confirmed     Confirmed (part A: the first data confirms)
      open                                    (scoped: not yet)
    connecting,   Synced                    open, confirmed     Confirmed (a scoped stream, also after Erred)
      open
    open          Erred                     open, error
    open          TimerDue confirm          open, confirmed     Confirmed (part A: quiet, and no error or end)
    open          Delivered with a hole     open                Gap
    open          Beaten, sequence above    open                Gap
    open          Beaten, no place known    open                Placed (the first word of where the stream is)
    open          WasReset                  open                Gap (and the place is forgotten)
    open          WentOffline               open, awaiting      (until its next frame)
    open          CameOnline, awaiting      reconnecting        CloseSocket, Lost, SetTimer retry (0 to 1 s)
    open          TimerDue silence, silent  reconnecting        CloseSocket, Lost, SetTimer retry
      the timer late itself                 open                SetTimer silence (once until a frame comes)
    connecting    TimerDue connect          reconnecting        CloseSocket, SetTimer retry
    open, part B, TimerDue connect          reconnecting        CloseSocket, SetTimer retry
      no hello yet
    connecting    SocketFailed, final       reconnecting,       CloseSocket, Probe, SetTimer probe
                                              probing
    connecting,   SocketFailed, ErrorFrame, reconnecting        CloseSocket, Lost, SetTimer retry
      open          Bye
    connecting,   SocketLost                reconnecting,       Lost (no timer: somebody else brings it back)
      open                                    shared
    connecting,   Refused: again            reconnecting        CloseSocket, Lost, SetTimer retry
      open,                unavailable      reconnecting        CloseSocket, Lost, SetTimer retry (5 min)
      probing,             forbidden, ended closed, ended       CloseSocket, Lost
      shared
    probing       TimerDue probe            reconnecting        CancelProbe, SetTimer retry
    reconnecting  TimerDue retry            connecting          OpenSocket (epoch + 1)
    reconnecting  TryNow                    connecting          ClearTimer, CancelProbe, CloseSocket (shared), OpenSocket
    reconnecting  WentOffline, CameOnline   reconnecting        SetTimer retry (the cap; 0 to 1 s)
    any but       Slept                     connecting          CloseSocket, Lost, Gap, OpenSocket (epoch + 1)
      closed
    any but       Unwanted(reason)          closed              CloseSocket, ClearTimers, CancelProbe, Lost
      closed

`failures` goes back to 0 only when an epoch was confirmed and held (RT-23); being unwanted in between does not help a server that
drops. But with what a flag closes all is forgotten that was learnt of the connection (RT-71); its place is kept, because the server
says whether it still is one. There is at most one retry timer, because only `reconnecting` has one and every way out of it clears it
(RT-22). A stream that is lost with a shared connection keeps its place there (its socket) until it is opened anew or unwanted.
"""

from __future__ import annotations

from dataclasses import replace

from pyapp.core.ports import Random
from pyapp.core.streams.backoff import delay_ms
from pyapp.core.streams.connection import (
    Beaten,
    Bye,
    CameOnline,
    CancelProbe,
    ClearTimer,
    CloseSocket,
    Confirmed,
    Connection,
    Delivered,
    Effect,
    Erred,
    ErrorFrame,
    Event,
    Forgiven,
    FrameEvent,
    Gap,
    Hello,
    Lost,
    OpenSocket,
    Phase,
    Placed,
    Probe,
    Reason,
    Refused,
    SetTimer,
    Slept,
    SocketFailed,
    SocketLost,
    SocketOpened,
    Step,
    Synced,
    TimerDue,
    TimerName,
    TryNow,
    Unwanted,
    Wanted,
    WasReset,
    WentOffline,
)
from pyapp.core.streams.position import Position
from pyapp.core.streams.refusal import Verdict
from pyapp.core.timings import Timings

_OF_A_SOCKET = (TimerName.CONNECT, TimerName.CONFIRM, TimerName.SILENCE)
LATE_BEATS = 2
"""A timer later than so many beats is no witness of a silence: the beat that brings the frames is as late."""
_WITH_A_SOCKET = (Phase.CONNECTING, Phase.OPEN)


class Machine:
    """The transition function with what it needs to know: the times and chance."""

    def __init__(self, timings: Timings, random: Random) -> None:
        self._timings = timings
        self._random = random

    def step(self, state: Connection, event: Event, now_ms: float) -> Step:
        """The table of this module's docstring."""
        match event:
            case Wanted(resume_from):
                if state.phase is not Phase.CLOSED:
                    return state, ()
                if state.ended:
                    return replace(state, reason=state.ended), ()
                known = resume_from if resume_from is not None else state.position
                return self._connect(replace(state, position=known), now_ms)
            case Unwanted(reason):
                return self._close(state, reason, now_ms)
            case Forgiven():
                return replace(state, ended=Reason.NONE), ()
            case TryNow():
                return self._again(state, now_ms) if state.phase is Phase.RECONNECTING else (state, ())
            case Slept():
                return self._wake(state, now_ms)
            case WentOffline():
                return self._offline(state, now_ms)
            case CameOnline(renews):
                return self._online(state, renews, now_ms)
            case _:
                if event.epoch != state.epoch or state.phase is Phase.CLOSED:
                    return state, ()
                if state.phase is Phase.RECONNECTING:
                    return self._waiting(state, event, now_ms)
                return self._within(state, event, now_ms)

    def _waiting(self, state: Connection, event: FrameEvent, now_ms: float) -> Step:
        """What can happen while there is no socket."""
        match event:
            case TimerDue(_, TimerName.RETRY) if not state.shared and not state.probing:
                return self._connect(state, now_ms)
            case TimerDue(_, TimerName.PROBE) if state.probing:
                after, effects = self._wait(state, Reason.REFUSED, now_ms)
                return after, (CancelProbe(), *effects)
            case Refused(_, verdict, retry_ms) if state.probing or state.shared:
                return self._refused(state, verdict, retry_ms, now_ms)
            case SocketLost(_, reason, retry_at_ms) if state.shared:
                return replace(state, reason=reason, retry_at_ms=retry_at_ms), ()
            case _:
                return state, ()

    def _within(self, state: Connection, event: FrameEvent, now_ms: float) -> Step:
        """What can happen to a socket."""
        match event:
            case SocketOpened(epoch):
                if state.phase is Phase.OPEN:
                    return state, ()
                opened = replace(self._opened(state, now_ms), last_frame_ms=now_ms)
                effects: list[Effect] = []
                if not state.scoped and not state.greets:
                    effects.append(SetTimer(TimerName.CONFIRM, now_ms + self._timings.confirm_ms, epoch))
                deadline = self._silent_at(opened)
                if deadline is not None:
                    effects.append(SetTimer(TimerName.SILENCE, deadline, epoch))
                return opened, tuple(effects)
            case SocketFailed(_, final):
                unanswered = state.phase is Phase.CONNECTING
                if final and unanswered and not state.offline:
                    return self._probe(state, now_ms)
                return self._fail(state, Reason.REFUSED if final and unanswered else Reason.DROPPED, now_ms)
            case SocketLost(_, reason, retry_at_ms):
                return self._lost(state, reason, retry_at_ms, now_ms)
            case ErrorFrame():
                return self._fail(state, Reason.SERVER_ERROR, now_ms)
            case Refused(_, verdict, retry_ms):
                return self._refused(state, verdict, retry_ms, now_ms)
            case Bye(_, retry_ms):
                return self._fail(replace(state, floor_ms=max(state.floor_ms, retry_ms)), Reason.PLANNED, now_ms)
            case Hello():
                return self._greeted(state, event, now_ms)
            case Synced():
                after = self._heard(state, now_ms)
                return self._confirm(after, now_ms, resumed=False) if not state.confirmed or state.error_ms is not None else (after, ())
            case Erred():
                return replace(self._heard(state, now_ms), error_ms=now_ms), ()
            case Delivered(_, position, hole, valid, begins_at):
                placed = (Placed(begins_at),) if begins_at is not None and state.position is None and state.server_epoch else ()
                after = replace(self._heard(state, now_ms), position=position or state.position)
                first = valid and not state.confirmed and not state.scoped and not state.greets
                after, done = self._confirm(after, now_ms, resumed=False) if first else (after, ())
                return after, (*done, *placed, Gap("a hole in the sequence")) if hole else (*done, *placed)
            case Beaten(_, sequence):
                return self._beaten(state, sequence, now_ms)
            case WasReset():
                # What the server threw away lies after the last place seen: a snapshot that only covers that place does not pay.
                return replace(self._heard(state, now_ms), position=None), (Gap("reset by the server"),)
            case TimerDue():  # pragma: no branch - there is no other
                return self._due(state, event, now_ms)

    def _due(self, state: Connection, due: TimerDue, now_ms: float) -> Step:
        match due.name:
            case TimerName.CONNECT if state.phase is Phase.CONNECTING or (state.greets and state.heartbeat_ms is None):
                return self._fail(state, Reason.SILENT, now_ms)
            case TimerName.CONFIRM if not state.confirmed:
                return self._confirm(state, now_ms, resumed=False)
            case TimerName.SILENCE:
                deadline = self._silent_at(state)
                if deadline is None:
                    return state, ()
                # Frames do not move the timer, which would cost one timer per frame: it looks when it is due.
                if deadline > now_ms:
                    return state, (SetTimer(TimerName.SILENCE, deadline, due.epoch),)
                if due.late_ms > LATE_BEATS * self._timings.beat_ms and not state.stalled:
                    # The page was busy or the machine was: what the server said waits behind this timer, and comes with the next beat.
                    again = now_ms + LATE_BEATS * self._timings.beat_ms
                    return replace(state, stalled=True), (SetTimer(TimerName.SILENCE, again, due.epoch),)
                return self._fail(state, Reason.SILENT, now_ms)
            case _:
                return state, ()

    # Frames -------------------------------------------------------------------------------------------------------------------

    def _opened(self, state: Connection, now_ms: float) -> Connection:
        if state.phase is Phase.OPEN:
            return state
        return replace(state, phase=Phase.OPEN, reason=Reason.NONE, since_ms=now_ms, opened_ms=now_ms)

    def _heard(self, state: Connection, now_ms: float) -> Connection:
        """A frame came: it is open, with or without the socket's own event, and alive."""
        return replace(self._opened(state, now_ms), last_frame_ms=now_ms, awaiting=False, stalled=False)

    def _greeted(self, state: Connection, hello: Hello, now_ms: float) -> Step:
        known = state.position
        same_life = known is not None and known.epoch == hello.server_epoch
        resumed = hello.resumed and same_life
        begins_at = known if resumed else None if hello.sequence is None else Position(hello.server_epoch, hello.sequence)
        after = replace(
            self._heard(state, now_ms),
            heartbeat_ms=hello.heartbeat_ms,
            greets=True,
            rhythm_ms=hello.heartbeat_ms,
            server_epoch=hello.server_epoch,
            floor_ms=hello.retry_ms,
            # A server that did not resume starts us anew: what lies before is what the snapshot is for.
            position=begins_at,
        )
        after, effects = self._confirm(after, now_ms, resumed=resumed) if not state.scoped else (after, ())
        deadline = self._silent_at(after)
        if deadline is None:
            return after, effects
        return after, (*effects, SetTimer(TimerName.SILENCE, deadline, state.epoch))

    def _beaten(self, state: Connection, sequence: int | None, now_ms: float) -> Step:
        after = self._heard(state, now_ms)
        known = state.position
        if sequence is None or not state.server_epoch or (known is not None and sequence <= known.sequence):
            return after, ()
        told = Position(state.server_epoch, sequence)
        after = replace(after, position=told)
        # The heartbeat speaks for all that was sent before it: what it counts and we have not seen is lost (RT-28). Where we had no
        # place yet, it gives us one, and the owner knows whether its data reaches there.
        return after, (Gap("a heartbeat ahead of the data") if known is not None else Placed(told),)

    def _silent_at(self, state: Connection) -> float | None:
        assert state.last_frame_ms is not None  # since it opened
        rhythm = state.heartbeat_ms if state.heartbeat_ms is not None else state.rhythm_ms
        if rhythm is None:
            idle = self._timings.idle_timeout_ms
            return None if idle is None else state.last_frame_ms + idle
        return state.last_frame_ms + self._timings.heartbeat_factor * rhythm

    def _confirm(self, state: Connection, now_ms: float, *, resumed: bool) -> Step:
        away = None if state.lost_ms is None else now_ms - state.lost_ms
        confirmed = Confirmed(resumed, away, state.position if state.server_epoch else None)
        return replace(state, confirmed_ms=now_ms, lost_ms=None, error_ms=None), (ClearTimer(TimerName.CONFIRM), confirmed)

    # Connecting and failing ---------------------------------------------------------------------------------------------------

    def _connect(self, state: Connection, now_ms: float) -> Step:
        epoch = state.epoch + 1
        after = replace(
            self._without_socket(state, now_ms),
            phase=Phase.CONNECTING,
            reason=Reason.NONE,
            since_ms=now_ms,
            epoch=epoch,
            last_frame_ms=None,
            heartbeat_ms=None,
            server_epoch="",
        )
        return after, (OpenSocket(epoch, state.position), SetTimer(TimerName.CONNECT, now_ms + self._timings.connect_ms, epoch))

    def _without_socket(self, state: Connection, now_ms: float) -> Connection:
        """What an epoch's end leaves of it."""
        return replace(
            state,
            failures=self._failures(state, now_ms),
            lost_ms=now_ms if state.confirmed else state.lost_ms,
            confirmed_ms=None,
            opened_ms=None,
            retry_at_ms=None,
            error_ms=None,
            awaiting=False,
            stalled=False,
            probing=False,
            shared=False,
        )

    def _again(self, state: Connection, now_ms: float) -> Step:
        """From waiting to connecting."""
        left = self._leaving(state)
        after, effects = self._connect(state, now_ms)
        return after, (*left, *effects)

    def _leaving(self, state: Connection) -> tuple[Effect, ...]:
        """What must be given up on the way out of a state."""
        effects: list[Effect] = []
        if state.phase in _WITH_A_SOCKET or state.shared:
            effects.append(CloseSocket(state.epoch))
        if state.phase in _WITH_A_SOCKET:
            effects.extend(ClearTimer(name) for name in _OF_A_SOCKET)
        elif state.probing:
            effects.extend((ClearTimer(TimerName.PROBE), CancelProbe()))
        elif not state.shared:
            effects.append(ClearTimer(TimerName.RETRY))
        return tuple(effects)

    def _lost_effect(self, state: Connection, reason: Reason) -> tuple[Effect, ...]:
        return (Lost(reason),) if state.confirmed else ()

    def _fail(self, state: Connection, reason: Reason, now_ms: float) -> Step:
        left = (*self._leaving(state), *self._lost_effect(state, reason))
        after = self._without_socket(state, now_ms)
        after, effects = self._wait(replace(after, failures=after.failures + 1), reason, now_ms)
        return after, (*left, *effects)

    def _wait(self, state: Connection, reason: Reason, now_ms: float, floor_ms: float = 0.0) -> Step:
        """Reconnecting, with the one retry timer."""
        wait = delay_ms(state.failures, self._timings, self._random, max(state.floor_ms, floor_ms))
        if state.offline:
            reason, wait = Reason.OFFLINE, max(wait, self._capped())
        return self._wait_until(state, reason, now_ms + wait, now_ms)

    def _capped(self) -> float:
        return self._timings.backoff_cap_ms * (1 + self._timings.jitter * (2 * self._random.random() - 1))

    def _wait_until(self, state: Connection, reason: Reason, at_ms: float, now_ms: float) -> Step:
        after = replace(state, phase=Phase.RECONNECTING, reason=reason, since_ms=now_ms, retry_at_ms=at_ms, probing=False, shared=False)
        return after, (SetTimer(TimerName.RETRY, at_ms, state.epoch),)

    def _probe(self, state: Connection, now_ms: float) -> Step:
        left = self._leaving(state)
        after = self._without_socket(state, now_ms)
        after = replace(
            after, phase=Phase.RECONNECTING, reason=Reason.REFUSED, since_ms=now_ms, failures=after.failures + 1, probing=True
        )
        return after, (*left, Probe(state.epoch), SetTimer(TimerName.PROBE, now_ms + self._timings.probe_ms, state.epoch))

    def _refused(self, state: Connection, verdict: Verdict, retry_ms: float, now_ms: float) -> Step:
        probed = state.probing  # its answer is here: there is nothing to cancel, and the failure has been counted
        left: tuple[Effect, ...] = (ClearTimer(TimerName.PROBE),) if probed else self._leaving(state)
        after = self._without_socket(state, now_ms)
        if not probed:
            after = replace(after, failures=after.failures + 1)
        if verdict in (Verdict.ENDED, Verdict.FORBIDDEN):
            reason = Reason.ENDED if verdict is Verdict.ENDED else Reason.FORBIDDEN
            closed = replace(after, phase=Phase.CLOSED, reason=reason, since_ms=now_ms, ended=reason)
            return closed, (*left, *self._lost_effect(state, reason))
        if verdict is Verdict.UNAVAILABLE:
            reason = Reason.UNAVAILABLE
            rare = self._timings.unavailable_retry_ms * (1 + self._timings.jitter * self._random.random())
            after, effects = self._wait_until(after, reason, now_ms + max(rare, retry_ms), now_ms)
        else:
            reason = Reason.REFUSED
            after, effects = self._wait(after, reason, now_ms, retry_ms)
        return after, (*left, *self._lost_effect(state, reason), *effects)

    def _lost(self, state: Connection, reason: Reason, retry_at_ms: float | None, now_ms: float) -> Step:
        """Lost with a shared connection: no failure of this stream, and nothing to do but to wait for whoever brings it back."""
        after = replace(
            self._without_socket(state, now_ms),
            phase=Phase.RECONNECTING,
            reason=reason,
            since_ms=now_ms,
            retry_at_ms=retry_at_ms,
            shared=True,
        )
        return after, (*(ClearTimer(name) for name in _OF_A_SOCKET), *self._lost_effect(state, reason))

    def _failures(self, state: Connection, now_ms: float) -> int:
        """Failures in a row so far: none once an epoch was confirmed and held (RT-23)."""
        held = state.confirmed_ms is not None and now_ms - state.confirmed_ms >= self._timings.hold_ms
        return 0 if held else state.failures

    # The network, sleep and the end -------------------------------------------------------------------------------------------

    def _offline(self, state: Connection, now_ms: float) -> Step:
        if state.offline:
            return state, ()
        after = replace(state, offline=True, awaiting=state.phase is Phase.OPEN)
        if state.phase is not Phase.RECONNECTING or state.probing or state.shared or state.reason is Reason.UNAVAILABLE:
            return after, ()
        at = max(state.retry_at_ms or now_ms, now_ms + self._capped())
        after, effects = self._wait_until(after, Reason.OFFLINE, at, state.since_ms)
        return after, (ClearTimer(TimerName.RETRY), *effects)

    def _online(self, state: Connection, renews: bool, now_ms: float) -> Step:
        after = replace(state, offline=False)
        soon = now_ms + self._timings.online_jitter_ms * self._random.random()
        if state.awaiting and not renews:
            # Nothing came since the network went: its connections may be dead without a word, and a new one costs little.
            left = (*self._leaving(state), *self._lost_effect(state, Reason.OFFLINE))
            after, effects = self._wait_until(self._without_socket(after, now_ms), Reason.OFFLINE, soon, now_ms)
            return after, (*left, *effects)
        if state.phase is Phase.RECONNECTING and state.reason is Reason.OFFLINE and not state.shared:
            after, effects = self._wait_until(after, Reason.OFFLINE, soon, state.since_ms)
            return after, (ClearTimer(TimerName.RETRY), *effects)
        return after, ()

    def _wake(self, state: Connection, now_ms: float) -> Step:
        if state.phase is Phase.CLOSED:
            return state, ()
        lost = self._lost_effect(state, Reason.DROPPED)
        after, effects = self._again(state, now_ms)
        return after, (*lost, Gap("the machine slept"), *effects)

    def _close(self, state: Connection, reason: Reason, now_ms: float) -> Step:
        # To be asked for anew is to have been unwanted: then even what the server ended may be tried. Forbidden stays.
        ended = Reason.NONE if state.ended is Reason.ENDED and reason is Reason.NOT_WANTED else state.ended
        if state.phase is Phase.CLOSED:
            return self._cleared(replace(state, reason=reason, ended=ended)), ()
        after = replace(self._without_socket(state, now_ms), phase=Phase.CLOSED, reason=reason, since_ms=now_ms, ended=ended)
        after = self._cleared(after)
        socket = (CloseSocket(state.epoch),) if state.phase in _WITH_A_SOCKET or state.shared else ()
        probe = (CancelProbe(),) if state.probing else ()
        return after, (*socket, *probe, *(ClearTimer(name) for name in TimerName), *self._lost_effect(state, reason))

    @staticmethod
    def _cleared(state: Connection) -> Connection:
        """What a flag forgets of the connection that it closed (RT-71)."""
        return replace(state, failures=0, floor_ms=0.0, lost_ms=None) if state.reason is Reason.FLAG_OFF else state
