"""One connection of one stream, as a machine without I/O (RT-20 to RT-24, RT-26 to RT-28, RT-30).

`step(state, event)` gives the next state and the effects that a shell must run, in order. Every socket, timer and callback carries
the epoch it was made for; an event of another epoch changes nothing and has no effect.

    state         event                     next                effects
    ------------  ------------------------  ------------------  -----------------------------------------------
    closed        Wanted                    connecting          OpenSocket (epoch + 1)
    closed        anything else             closed
    connecting    SocketOpened              open, unconfirmed   SetTimer confirm
    connecting,   Hello                     open, confirmed     Confirmed, SetTimer silence
      open
    connecting,   Delivered, unconfirmed    open, confirmed     Confirmed (part A: the first data confirms)
      open
    open          TimerDue confirm          open, confirmed     Confirmed (part A: quiet, and no error or end)
    open          Delivered with a hole     open                Gap
    open          Beaten, sequence above    open                Gap
    open          Beaten, no place known    open                Placed (the first word of where the stream is)
    open          WasReset                  open                Gap (and the place is forgotten)
    open          TimerDue silence, silent  reconnecting        CloseSocket, Lost, SetTimer retry
    connecting,   SocketFailed, ErrorFrame, reconnecting        CloseSocket, Lost, SetTimer retry
      open          Bye
    reconnecting  TimerDue retry            connecting          OpenSocket (epoch + 1)
    reconnecting  TryNow                    connecting          ClearTimer retry, OpenSocket (epoch + 1)
    any but       Unwanted(reason)          closed              CloseSocket, ClearTimers, Lost
      closed

`failures` goes back to 0 only when an epoch was confirmed and held (RT-23); being unwanted in between does not help a server that
drops. There is at most one retry timer, because only `reconnecting` has one and every way out of it clears it (RT-22).
"""

from __future__ import annotations

from dataclasses import replace

from pyapp.core.ports import Random
from pyapp.core.streams.backoff import delay_ms
from pyapp.core.streams.connection import (
    Beaten,
    Bye,
    ClearTimer,
    CloseSocket,
    Confirmed,
    Connection,
    Delivered,
    ErrorFrame,
    Event,
    Gap,
    Hello,
    Lost,
    OpenSocket,
    Phase,
    Placed,
    Reason,
    SetTimer,
    SocketFailed,
    SocketOpened,
    Step,
    TimerDue,
    TimerName,
    TryNow,
    Unwanted,
    Wanted,
    WasReset,
)
from pyapp.core.streams.position import Position
from pyapp.core.timings import Timings


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
                known = resume_from if resume_from is not None else state.position
                return self._connect(replace(state, position=known), now_ms)
            case Unwanted(reason):
                return self._close(state, reason, now_ms)
            case TryNow():
                if state.phase is not Phase.RECONNECTING:
                    return state, ()
                after, effects = self._connect(state, now_ms)
                return after, (ClearTimer(TimerName.RETRY), *effects)
            case _:
                if event.epoch != state.epoch or state.phase is Phase.CLOSED:
                    return state, ()
                return self._within(state, event, now_ms)

    def _within(
        self,
        state: Connection,
        event: SocketOpened | SocketFailed | ErrorFrame | Hello | Delivered | Beaten | WasReset | Bye | TimerDue,
        now_ms: float,
    ) -> Step:
        if state.phase is Phase.RECONNECTING:
            if event == TimerDue(state.epoch, TimerName.RETRY):
                return self._connect(state, now_ms)
            return state, ()
        match event:
            case SocketOpened(epoch):
                if state.phase is Phase.OPEN:
                    return state, ()
                opened = replace(state, phase=Phase.OPEN, reason=Reason.NONE, since_ms=now_ms, opened_ms=now_ms, last_frame_ms=now_ms)
                return opened, (SetTimer(TimerName.CONFIRM, now_ms + self._timings.confirm_ms, epoch),)
            case SocketFailed(_, final):
                return self._fail(state, Reason.REFUSED if final and state.last_frame_ms is None else Reason.DROPPED, now_ms)
            case ErrorFrame():
                return self._fail(state, Reason.SERVER_ERROR, now_ms)
            case Bye(_, retry_ms):
                return self._fail(replace(state, floor_ms=max(state.floor_ms, retry_ms)), Reason.PLANNED, now_ms)
            case Hello():
                return self._greeted(state, event, now_ms)
            case Delivered(_, position, hole):
                after = replace(state, last_frame_ms=now_ms, position=position or state.position)
                if after.phase is Phase.CONNECTING:  # data without the socket's own event: it is open
                    after = replace(after, phase=Phase.OPEN, since_ms=now_ms, opened_ms=now_ms)
                after, effects = self._confirm(after, now_ms, resumed=False) if not state.confirmed else (after, ())
                return after, (*effects, Gap("a hole in the sequence")) if hole else effects
            case Beaten(_, sequence):
                after = replace(state, last_frame_ms=now_ms)
                known = state.position
                if sequence is None or not state.server_epoch or (known is not None and sequence <= known.sequence):
                    return after, ()
                told = Position(state.server_epoch, sequence)
                after = replace(after, position=told)
                # The heartbeat speaks for all that was sent before it: what it counts and we have not seen is lost (RT-28). Where we
                # had no place yet, it gives us one, and the owner knows whether its data reaches there.
                return after, (Gap("a heartbeat ahead of the data") if known is not None else Placed(told),)
            case WasReset():
                # What the server threw away lies after the last place seen: a snapshot that only covers that place does not pay.
                return replace(state, last_frame_ms=now_ms, position=None), (Gap("reset by the server"),)
            case TimerDue(epoch, TimerName.CONFIRM):
                return self._confirm(state, now_ms, resumed=False) if not state.confirmed else (state, ())
            case TimerDue(epoch, TimerName.SILENCE):
                deadline = self._silent_at(state)
                if deadline is None:
                    return state, ()
                # Frames do not move the timer, which would cost one timer per frame: it looks when it is due.
                if deadline > now_ms:
                    return state, (SetTimer(TimerName.SILENCE, deadline, epoch),)
                return self._fail(state, Reason.SILENT, now_ms)
            case TimerDue():
                return state, ()

    def _greeted(self, state: Connection, hello: Hello, now_ms: float) -> Step:
        known = state.position
        same_life = known is not None and known.epoch == hello.server_epoch
        resumed = hello.resumed and same_life
        begins_at = known if resumed else None if hello.sequence is None else Position(hello.server_epoch, hello.sequence)
        after = replace(
            state,
            phase=Phase.OPEN,
            reason=Reason.NONE,
            since_ms=state.since_ms if state.phase is Phase.OPEN else now_ms,
            opened_ms=state.opened_ms if state.opened_ms is not None else now_ms,
            last_frame_ms=now_ms,
            heartbeat_ms=hello.heartbeat_ms,
            server_epoch=hello.server_epoch,
            floor_ms=hello.retry_ms,
            # A server that did not resume starts us anew: what lies before is what the snapshot is for.
            position=begins_at,
        )
        after, effects = self._confirm(after, now_ms, resumed=resumed)
        deadline = self._silent_at(after)
        if deadline is None:
            return after, effects
        return after, (*effects, SetTimer(TimerName.SILENCE, deadline, state.epoch))

    def _silent_at(self, state: Connection) -> float | None:
        if state.heartbeat_ms is None or state.last_frame_ms is None:
            return None
        return state.last_frame_ms + self._timings.heartbeat_factor * state.heartbeat_ms

    def _confirm(self, state: Connection, now_ms: float, *, resumed: bool) -> Step:
        away = None if state.lost_ms is None else now_ms - state.lost_ms
        confirmed = Confirmed(resumed, away, state.position if state.server_epoch else None)
        return replace(state, confirmed_ms=now_ms, lost_ms=None), (ClearTimer(TimerName.CONFIRM), confirmed)

    def _connect(self, state: Connection, now_ms: float) -> Step:
        epoch = state.epoch + 1
        after = replace(
            state,
            phase=Phase.CONNECTING,
            reason=Reason.NONE,
            since_ms=now_ms,
            epoch=epoch,
            opened_ms=None,
            confirmed_ms=None,
            last_frame_ms=None,
            retry_at_ms=None,
            heartbeat_ms=None,
            server_epoch="",
        )
        return after, (OpenSocket(epoch, state.position),)

    def _fail(self, state: Connection, reason: Reason, now_ms: float) -> Step:
        failures = self._failures(state, now_ms) + 1
        retry_at = now_ms + delay_ms(failures, self._timings, self._random, state.floor_ms)
        after = replace(
            state,
            phase=Phase.RECONNECTING,
            reason=reason,
            since_ms=now_ms,
            failures=failures,
            retry_at_ms=retry_at,
            confirmed_ms=None,
            opened_ms=None,
            lost_ms=now_ms if state.confirmed else state.lost_ms,
        )
        lost = (Lost(reason),) if state.confirmed else ()
        return after, (
            CloseSocket(state.epoch),
            ClearTimer(TimerName.CONFIRM),
            ClearTimer(TimerName.SILENCE),
            *lost,
            SetTimer(TimerName.RETRY, retry_at, state.epoch),
        )

    def _failures(self, state: Connection, now_ms: float) -> int:
        """Failures in a row so far: none once an epoch was confirmed and held (RT-23)."""
        held = state.confirmed_ms is not None and now_ms - state.confirmed_ms >= self._timings.hold_ms
        return 0 if held else state.failures

    def _close(self, state: Connection, reason: Reason, now_ms: float) -> Step:
        if state.phase is Phase.CLOSED:
            return replace(state, reason=reason), ()
        after = replace(
            state,
            phase=Phase.CLOSED,
            reason=reason,
            since_ms=now_ms,
            failures=self._failures(state, now_ms),
            confirmed_ms=None,
            opened_ms=None,
            retry_at_ms=None,
            lost_ms=now_ms if state.confirmed else state.lost_ms,
        )
        socket = () if state.phase is Phase.RECONNECTING else (CloseSocket(state.epoch),)
        lost = (Lost(reason),) if state.confirmed else ()
        return after, (*socket, *(ClearTimer(name) for name in TimerName), *lost)
