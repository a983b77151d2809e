"""The breaker of one endpoint class: when a server that fails is left alone, and when it is tried again (RT-66). A pure machine.

A failure is what `RequestError.is_failure` says: network, time-out, 5xx, 408, 429, an answer of the wrong kind or that nobody can read.

    state      event                                          next       effect
    closed     ask                                            closed     pass
    closed     failed, fewer than 5 in 30 s                   closed
    closed     failed, the 5th in 30 s                        open       retry in 30 s
    closed     failed, of the probe that closed it            open       retry in 30 s (its answer could not be read)
    closed     succeeded                                      closed
    open       ask, before its time                           open       refuse
    open       ask, at its time or by a person                half-open  probe
    open       failed, succeeded (sent before it opened)      open
    open       hurried                                        open       retry at once
    half-open  ask                                            half-open  refuse (one probe is under way)
    half-open  succeeded, of the probe                        closed
    half-open  failed, of the probe                           open       retry in 30 s
    half-open  abandoned, of the probe                        open       retry at once
    half-open  any of these, of another request; hurried      half-open
    any        reset                                          closed

Every probe has a number, and what an older one brings changes nothing. Invariants: at most one probe is under way; it opens only after
five failures within the window; while it is open nothing passes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

FAILURES = 5
"""So many failures within the window open it."""


class BreakerState(StrEnum):
    """Where a breaker is."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Verdict(StrEnum):
    """What becomes of a request."""

    PASS = "pass"
    PROBE = "probe"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Breaker:
    """A breaker's state. Times are clock times in ms.

    Attributes:
        since_ms: when this state began.
        failures: when the failures of the window were, the oldest first; only while closed.
        retry_at_ms: when it may be tried again; only while open.
        probe: the number of the latest probe, 0 before the first.
        opens: how often it opened from closed.
    """

    state: BreakerState = BreakerState.CLOSED
    since_ms: float = 0.0
    failures: tuple[float, ...] = ()
    retry_at_ms: float = 0.0
    probe: int = 0
    opens: int = 0


def verdict(breaker: Breaker, now_ms: float, *, by_user: bool) -> Verdict:
    """What would become of a request now, changing nothing."""
    if breaker.state is BreakerState.CLOSED:
        return Verdict.PASS
    if breaker.state is BreakerState.OPEN and (by_user or now_ms >= breaker.retry_at_ms):
        return Verdict.PROBE
    return Verdict.REFUSE


def ask(breaker: Breaker, now_ms: float, *, by_user: bool) -> tuple[Breaker, Verdict]:
    """A request is about to be sent. After `PROBE` the request carries `probe` of the new state."""
    given = verdict(breaker, now_ms, by_user=by_user)
    if given is Verdict.PROBE:
        return replace(breaker, state=BreakerState.HALF_OPEN, since_ms=now_ms, probe=breaker.probe + 1), given
    return breaker, given


def failed(breaker: Breaker, now_ms: float, probe: int, *, window_ms: float, open_ms: float) -> Breaker:
    """A request failed.

    Args:
        probe: the number that it carries if it was a probe, else 0.
        window_ms: failures that are older do not count.
        open_ms: for so long it is left alone.
    """
    of_probe = probe != 0 and probe == breaker.probe
    if breaker.state is BreakerState.OPEN or (breaker.state is BreakerState.HALF_OPEN and not of_probe):
        return breaker
    if of_probe:
        return _open(breaker, now_ms, now_ms + open_ms)
    failures = (*(at for at in breaker.failures if at > now_ms - window_ms), now_ms)
    if len(failures) < FAILURES:
        return replace(breaker, failures=failures)
    return replace(_open(breaker, now_ms, now_ms + open_ms), opens=breaker.opens + 1)


def succeeded(breaker: Breaker, now_ms: float, probe: int) -> Breaker:
    """A request was answered, well or with a refusal that is no failure."""
    if breaker.state is BreakerState.HALF_OPEN and probe == breaker.probe:
        return replace(breaker, state=BreakerState.CLOSED, since_ms=now_ms, failures=())
    return breaker


def abandoned(breaker: Breaker, now_ms: float, probe: int) -> Breaker:
    """A request was given up before its answer came: what it would have told, the next one may."""
    if breaker.state is BreakerState.HALF_OPEN and probe == breaker.probe:
        return _open(breaker, now_ms, now_ms)
    return breaker


def hurry(breaker: Breaker, now_ms: float) -> Breaker:
    """What made the requests fail may be over: the next one may try."""
    return replace(breaker, retry_at_ms=now_ms) if breaker.state is BreakerState.OPEN else breaker


def reset(breaker: Breaker, now_ms: float) -> Breaker:
    """Forget every failure, and the probe under way."""
    return Breaker(since_ms=now_ms, probe=breaker.probe + 1, opens=breaker.opens)


def _open(breaker: Breaker, now_ms: float, retry_at_ms: float) -> Breaker:
    return replace(breaker, state=BreakerState.OPEN, since_ms=now_ms, failures=(), retry_at_ms=retry_at_ms)
