"""The breaker (RT-66): its table row by row, and its invariants under any history."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pyapp.core.requests import breaker
from pyapp.core.requests.breaker import FAILURES, Breaker, BreakerState, Verdict

WINDOW_MS = OPEN_MS = 30_000.0
CLOSED = Breaker()
OPEN = Breaker(BreakerState.OPEN, since_ms=1_000, retry_at_ms=31_000, probe=3, opens=1)
HALF = Breaker(BreakerState.HALF_OPEN, since_ms=31_000, retry_at_ms=31_000, probe=4, opens=1)
PROVED = Breaker(BreakerState.CLOSED, since_ms=31_100, probe=4, opens=1)


def fail(state: Breaker, now: float, probe: int = 0) -> Breaker:
    return breaker.failed(state, now, probe, window_ms=WINDOW_MS, open_ms=OPEN_MS)


def after(*times: float) -> Breaker:
    state = CLOSED
    for at in times:
        state = fail(state, at)
    return state


def test_five_failures_within_thirty_seconds_open_it_and_four_or_older_ones_do_not() -> None:
    # RT-66
    assert after(0, 1, 2, 3).state is BreakerState.CLOSED
    opened = after(0, 1, 2, 3, 4)
    assert (opened.state, opened.since_ms, opened.retry_at_ms, opened.opens) == (BreakerState.OPEN, 4, 30_004, 1)
    assert after(0, 1, 2, 3, 30_000).state is BreakerState.CLOSED
    assert after(0, 1, 2, 3, 29_999).state is BreakerState.OPEN


@pytest.mark.parametrize(
    ("state", "now", "by_user", "given"),
    [
        (CLOSED, 0, False, Verdict.PASS),
        (OPEN, 30_999, False, Verdict.REFUSE),
        (OPEN, 30_999, True, Verdict.PROBE),
        (OPEN, 31_000, False, Verdict.PROBE),
        (HALF, 99_000, False, Verdict.REFUSE),
        (HALF, 99_000, True, Verdict.REFUSE),
    ],
)
def test_what_becomes_of_a_request(state: Breaker, now: float, by_user: bool, given: Verdict) -> None:
    # RT-66
    assert breaker.verdict(state, now, by_user=by_user) is given
    asked, same = breaker.ask(state, now, by_user=by_user)
    assert same is given
    if given is Verdict.PROBE:
        assert asked == replace(state, state=BreakerState.HALF_OPEN, since_ms=now, probe=state.probe + 1)
    else:
        assert asked is state


@pytest.mark.parametrize(
    ("state", "event", "probe", "expected"),
    [
        (HALF, "failed", 4, (BreakerState.OPEN, 70_000)),
        (HALF, "succeeded", 4, (BreakerState.CLOSED, 31_000)),
        (HALF, "abandoned", 4, (BreakerState.OPEN, 40_000)),
        (HALF, "failed", 3, (BreakerState.HALF_OPEN, 31_000)),
        (HALF, "succeeded", 0, (BreakerState.HALF_OPEN, 31_000)),
        (HALF, "abandoned", 3, (BreakerState.HALF_OPEN, 31_000)),
        (OPEN, "failed", 0, (BreakerState.OPEN, 31_000)),
        (OPEN, "failed", 3, (BreakerState.OPEN, 31_000)),
        (OPEN, "succeeded", 3, (BreakerState.OPEN, 31_000)),
        (OPEN, "abandoned", 3, (BreakerState.OPEN, 31_000)),
        (CLOSED, "succeeded", 0, (BreakerState.CLOSED, 0)),
        (PROVED, "failed", 4, (BreakerState.OPEN, 70_000)),
        (PROVED, "failed", 3, (BreakerState.CLOSED, 0)),
    ],
)
def test_what_a_request_brings(state: Breaker, event: str, probe: int, expected: tuple[BreakerState, float]) -> None:
    # RT-66
    events = {"failed": fail, "succeeded": breaker.succeeded, "abandoned": breaker.abandoned}
    now = events[event](state, 40_000, probe)
    assert (now.state, now.retry_at_ms) == expected
    assert now.opens == state.opens  # the same episode


def test_a_reset_forgets_everything_but_how_often_it_opened() -> None:
    assert breaker.reset(HALF, 40_000) == Breaker(since_ms=40_000, probe=5, opens=1)
    assert fail(breaker.reset(HALF, 40_000), 41_000, 4).state is BreakerState.CLOSED


class BreakerMachine(RuleBasedStateMachine):
    """Requests that are sent when they may be, and end in any order and way."""

    @initialize()
    def begin(self) -> None:
        self.state, self.now = Breaker(), 0.0
        self.flying: list[int] = []
        self.failures: list[float] = []

    @rule(ms=st.sampled_from([0.0, 1.0, 700.0, 6_000.0, 29_999.0, 30_000.0]))
    def wait(self, ms: float) -> None:
        self.now += ms

    @rule(by_user=st.booleans())
    def request(self, by_user: bool) -> None:
        before = self.state
        self.state, given = breaker.ask(before, self.now, by_user=by_user)
        if before.state is BreakerState.OPEN and self.now < before.retry_at_ms and not by_user:
            assert given is Verdict.REFUSE  # while it is open nothing is sent
        if before.state is BreakerState.HALF_OPEN:
            assert given is Verdict.REFUSE
        if given is not Verdict.REFUSE:
            self.flying.append(self.state.probe if given is Verdict.PROBE else 0)

    @precondition(lambda self: self.flying)
    @rule(data=st.data(), how=st.sampled_from(["failed", "failed", "failed", "succeeded", "abandoned"]))
    def end(self, data: st.DataObject, how: str) -> None:
        probe = self.flying.pop(data.draw(st.integers(0, len(self.flying) - 1)))
        before = self.state
        if how == "failed":
            self.failures.append(self.now)
            self.state = fail(before, self.now, probe)
        else:
            self.state = (breaker.succeeded if how == "succeeded" else breaker.abandoned)(before, self.now, probe)
        was, state = before.state, self.state.state
        if was is BreakerState.CLOSED and state is BreakerState.OPEN and not probe:
            assert how == "failed"
            assert sum(1 for at in self.failures if at > self.now - WINDOW_MS) >= FAILURES
        if was is BreakerState.HALF_OPEN and probe == before.probe:
            assert state is (BreakerState.CLOSED if how == "succeeded" else BreakerState.OPEN)
        if was is BreakerState.HALF_OPEN and probe != before.probe:
            assert self.state is before
        if was is BreakerState.OPEN:
            assert self.state is before  # nothing that comes late puts the next try off

    @invariant()
    def one_probe(self) -> None:
        under_way = self.flying.count(self.state.probe) if self.state.probe else 0
        assert under_way == (1 if self.state.state is BreakerState.HALF_OPEN else 0)
        assert len(self.state.failures) < FAILURES


BreakerMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None, derandomize=True)
test_the_invariants_hold_under_any_history = BreakerMachine.TestCase
