"""When a scope polls because its stream is not healthy (RT-33): a machine without I/O.

    state    event                    next     effects
    -------  -----------------------  -------  ---------------------------
    off      NotHealthy(grace)        waiting  SetTimer(now + grace)
    off      NotHealthy(no grace)     polling
    waiting  NotHealthy(no grace)     polling  ClearTimer
    waiting  Healthy                  calming  SetTimer(now + recover)
    waiting  Due                      polling
    calming  NotHealthy(grace)        waiting  SetTimer(the end of the grace that began before)
    calming  NotHealthy(no grace)     polling  ClearTimer
    calming  Due                      off
    polling  Healthy                  ending   SetTimer(now + recover)
    ending   NotHealthy               polling  ClearTimer
    ending   Due                      off
    any      Excused                  off      ClearTimer

`calming` and `ending` do not poll: polling and streaming never both feed one query. They only remember that a stream that breaks again
within the recovery time gets no new grace: `calming` that its grace goes on, `ending` that it is over.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, TypeAlias


class Fallback(StrEnum):
    OFF = "off"
    WAITING = "waiting"
    CALMING = "calming"
    POLLING = "polling"
    ENDING = "ending"


class Signal(StrEnum):
    """What the scope's health says: `EXCUSED` is not healthy for a reason that is no failure (hidden, live off, not wanted)."""

    HEALTHY = "healthy"
    NOT_HEALTHY = "not healthy"
    NOT_HEALTHY_NO_GRACE = "not healthy, no grace"
    EXCUSED = "excused"
    DUE = "due"


TimerAction: TypeAlias = Literal["grace", "grace goes on", "recover", "clear"] | None


def step(state: Fallback, signal: Signal) -> tuple[Fallback, TimerAction]:
    """The table of this module's docstring: the next state and what to do with the one timer."""
    match state, signal:
        case Fallback.OFF, Signal.NOT_HEALTHY:
            return Fallback.WAITING, "grace"
        case Fallback.OFF, Signal.NOT_HEALTHY_NO_GRACE:
            return Fallback.POLLING, None
        case Fallback.WAITING, Signal.NOT_HEALTHY_NO_GRACE:
            return Fallback.POLLING, "clear"
        case Fallback.WAITING, Signal.HEALTHY:
            return Fallback.CALMING, "recover"
        case Fallback.WAITING, Signal.DUE:
            return Fallback.POLLING, None
        case Fallback.CALMING, Signal.NOT_HEALTHY:
            return Fallback.WAITING, "grace goes on"
        case Fallback.CALMING, Signal.NOT_HEALTHY_NO_GRACE:
            return Fallback.POLLING, "clear"
        case Fallback.POLLING, Signal.HEALTHY:
            return Fallback.ENDING, "recover"
        case Fallback.POLLING, Signal.EXCUSED:
            return Fallback.OFF, None
        case Fallback.ENDING, Signal.NOT_HEALTHY | Signal.NOT_HEALTHY_NO_GRACE:
            return Fallback.POLLING, "clear"
        case Fallback.WAITING | Fallback.CALMING | Fallback.ENDING, Signal.EXCUSED:
            return Fallback.OFF, "clear"
        case Fallback.CALMING | Fallback.ENDING, Signal.DUE:
            return Fallback.OFF, None
        case _:
            return state, None
