"""Who leads: the table, and random histories of tabs with a lock, a channel and clocks that stop."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from pyapp.core.tabs import election as e
from pyapp.core.tabs.election import Election, Out, Role, Term, TimerName
from pyapp.core.tabs.machine import Machine
from pyapp.core.timings import Timings

TIMINGS = Timings()
MACHINE = Machine(TIMINGS, random.Random(1))


def kinds(effects: tuple[e.Effect, ...]) -> list[str]:
    return [type(effect).__name__ for effect in effects]


def step(state: Election, event: e.Event, now_ms: float = 0.0) -> tuple[Election, list[str]]:
    after, effects = MACHINE.step(state, event, now_ms)
    return after, kinds(effects)


def joined(tab: str = "b") -> Election:
    return step(Election(tab), e.Joined())[0]


A3 = Term(3, "a")


def following(term: Term = A3, tab: str = "b") -> Election:
    return step(joined(tab), e.Heard(term))[0]


def leading(stored: int = 0, tab: str = "b") -> Election:
    state = joined(tab)
    return step(state, e.Granted(state.lock, stored))[0]


def test_a_tab_that_comes_queues_for_the_lock_and_asks_who_leads() -> None:
    # RT-60
    state, effects = step(Election("b"), e.Joined())
    assert state.role is Role.WAITING
    assert effects == ["OpenChannel", "RequestLock", "AskWhoLeads", "SetTimer"]
    assert step(state, e.Joined()) == (state, [])


def test_who_acts_in_a_term_before_the_one_that_is_remembered_is_not_followed() -> None:
    # RT-60, RT-61
    came, _ = step(Election("b"), e.Joined(stored=3))
    assert step(came, e.Heard(Term(2, "z")))[0].role is Role.WAITING
    assert step(came, e.Heard(A3))[0].term == A3
    # One that left for another group and is back has forgotten this one's terms, and the store has not.
    away, _ = step(following(), e.Left(Out.MOVED))
    back, _ = step(away, e.Joined(stored=4))
    assert step(back, e.Heard(A3))[0].role is Role.WAITING
    # What it saw itself counts where nothing could be stored.
    hidden, _ = step(following(), e.Left(Out.HIDDEN))
    shown, _ = step(hidden, e.Joined())
    assert step(shown, e.Heard(Term(2, "z")))[0].role is Role.WAITING


def test_a_tab_that_is_out_hears_nothing() -> None:
    # RT-62
    out = Election("b")
    for event in (e.Heard(Term(1, "a")), e.Granted(0, 0), e.Taken(0), e.Resigned(Term(1, "a")), e.Left(Out.HIDDEN)):
        assert step(out, event) == (out, [])


@pytest.mark.parametrize(("seen", "stored", "number"), [(0, 0, 1), (7, 3, 8), (3, 7, 8)])
def test_a_new_term_is_above_every_number_seen_or_stored(seen: int, stored: int, number: int) -> None:
    # RT-61
    state = replace(joined(), term=Term(seen, "a"))
    after, effects = MACHINE.step(state, e.Granted(state.lock, stored), 0.0)
    assert after.role is Role.LEADING
    assert after.term == Term(number, "b")
    assert e.StoreTerm(number) in effects
    assert e.Lead(Term(number, "b"), TIMINGS.leader_silence_ms) in effects


def test_a_lock_of_before_means_nothing() -> None:
    # RT-61
    state = joined()
    assert step(state, e.Granted(state.lock - 1, 0)) == (state, [])
    assert step(state, e.Taken(state.lock - 1)) == (state, [])
    led = leading()
    assert step(led, e.Granted(led.lock, 9)) == (led, [])


def test_a_leader_beats_every_half_second() -> None:
    # RT-61
    state = leading()
    after, effects = MACHINE.step(state, e.Due(state.timer, TimerName.BEAT, visible=False), 500.0)
    assert effects[0] == e.Beat(state.term, TIMINGS.leader_silence_ms)
    assert effects[1] == e.SetTimer(after.timer, TimerName.BEAT, 1_000.0)
    assert step(after, e.Due(state.timer, TimerName.BEAT, visible=False)) == (after, [])


def test_who_is_told_of_a_leader_follows_it() -> None:
    # RT-60
    state, effects = step(joined(), e.Heard(Term(3, "a")))
    assert (state.role, state.term) == (Role.FOLLOWING, Term(3, "a"))
    assert effects == ["Follow", "SetTimer"]


def test_messages_of_an_older_term_are_ignored_and_a_later_one_is_followed() -> None:
    # RT-61
    state = following(Term(3, "b"), "c")
    assert step(state, e.Heard(Term(2, "z"))) == (state, [])
    assert step(state, e.Heard(Term(3, "a"))) == (state, [])
    assert step(state, e.Resigned(Term(2, "z"))) == (state, [])
    after, effects = step(state, e.Heard(Term(3, "z")))
    assert after.term == Term(3, "z")
    assert effects == ["Follow", "SetTimer"]


def test_a_beat_ends_the_silence_without_a_new_timer() -> None:
    state = following()
    after, effects = step(state, e.Heard(state.term), 900.0)
    assert effects == []
    again, effects = MACHINE.step(after, e.Due(after.timer, TimerName.SILENCE, visible=True), 1_500.0)
    assert again.role is Role.FOLLOWING
    assert effects == (e.SetTimer(again.timer, TimerName.SILENCE, 2_400.0),)


def silent(state: Election, *, visible: bool = True) -> tuple[Election, tuple[e.Effect, ...]]:
    return MACHINE.step(state, e.Due(state.timer, TimerName.SILENCE, visible=visible), state.due_ms)


def due(state: Election, now_ms: float) -> tuple[Election, tuple[e.Effect, ...]]:
    """The timer of the silence fires at a time."""
    return MACHINE.step(state, e.Due(state.timer, TimerName.SILENCE, visible=True), now_ms)


def doubting(state: Election) -> Election:
    """Silence that was long enough: the theft is planned."""
    after, effects = silent(state)
    assert kinds(effects) == ["SetTimer"]
    assert isinstance(effects[0], e.SetTimer)
    assert effects[0].name is TimerName.STEAL
    return after


def steal(state: Election, *, visible: bool = True) -> tuple[Election, tuple[e.Effect, ...]]:
    return MACHINE.step(state, e.Due(state.timer, TimerName.STEAL, visible=visible), state.due_ms)


def test_a_leader_silent_for_long_is_robbed_by_a_visible_tab_after_a_jitter() -> None:
    # RT-61
    state = doubting(following())
    assert state.role is Role.FOLLOWING
    assert 1_500.0 <= state.due_ms <= 1_500.0 + TIMINGS.steal_jitter_ms
    after, effects = steal(state)
    assert kinds(effects) == ["Unled", "ReleaseLock", "Claim", "RequestLock", "SetTimer"]
    assert e.Claim(A3) in effects
    assert e.RequestLock(after.lock, steal=True) in effects
    assert (after.role, after.steals, after.before) == (Role.WAITING, 1, A3)


def test_the_more_tabs_there_are_the_wider_their_thefts_are_spread() -> None:
    # RT-61
    machine = Machine(TIMINGS, Last())
    few, many = (step(joined(), e.Heard(A3, tabs))[0] for tabs in (3, 40))
    silence = e.Due(few.timer, TimerName.SILENCE, visible=True)
    assert machine.step(few, silence, 1_500.0)[0].due_ms == pytest.approx(1_500.0 + TIMINGS.steal_jitter_ms)
    assert machine.step(many, silence, 1_500.0)[0].due_ms == pytest.approx(1_500.0 + 10 * TIMINGS.steal_jitter_ms)


class Last:
    """Chance that always says the most."""

    def random(self) -> float:
        return 1.0


def test_a_beat_calls_the_theft_off() -> None:
    # RT-61
    state = doubting(following())
    same, effects = step(state, e.Heard(A3), 1_510.0)
    assert (same.role, effects) == (Role.FOLLOWING, [])
    after, effects = steal(same)
    assert (after.role, kinds(effects)) == (Role.FOLLOWING, ["SetTimer"])
    assert after.due_ms >= 1_510.0 + TIMINGS.leader_silence_ms
    after, effects = step(state, e.Heard(Term(4, "z")), 1_510.0)
    assert (after.term, effects) == (Term(4, "z"), ["Follow", "SetTimer"])
    assert step(after, e.Due(state.timer, TimerName.STEAL, visible=True)) == (after, [])


def test_the_theft_of_another_tab_calls_ones_own_off() -> None:
    # RT-61
    state = doubting(following())
    claimed, effects = step(state, e.Claimed(A3), 1_510.0)
    assert effects == []
    after, effects = steal(claimed)
    assert kinds(effects) == ["SetTimer"]
    assert (after.steals, after.due_ms) == (0, 1_510.0 + TIMINGS.leader_silence_ms)
    # One that speaks of an older leader, and one to who leads itself, mean nothing.
    assert step(state, e.Claimed(Term(2, "a")), 1_510.0) == (state, [])
    led = leading()
    assert step(led, e.Claimed(led.term), 10.0) == (led, [])


def test_a_hidden_tab_never_steals() -> None:
    # RT-61
    state, effects = silent(following(), visible=False)
    assert state.role is Role.WAITING
    assert kinds(effects) == ["Unled", "SetTimer"]
    assert isinstance(effects[-1], e.SetTimer)
    assert effects[-1].name is TimerName.SILENCE
    after, effects = steal(doubting(following()), visible=False)
    assert kinds(effects) == ["Unled", "SetTimer"]
    assert (after.role, after.steals) == (Role.WAITING, 0)
    again, effects = silent(after, visible=False)
    assert (again.role, kinds(effects)) == (Role.WAITING, ["SetTimer"])


def test_a_tab_that_was_late_itself_begins_the_silence_anew_and_once() -> None:
    # RT-61
    state = following()
    after, effects = due(state, 2_100.0)
    assert (after.role, after.stalls) == (Role.FOLLOWING, 1)
    assert effects == (e.SetTimer(after.timer, TimerName.SILENCE, 3_600.0),)
    # Late again without a word in between: whatever waited has been heard by now, and the leader is as gone as it was.
    again, effects = due(after, 4_200.0)
    assert again.stalls == 1
    assert isinstance(effects[0], e.SetTimer)
    assert effects[0].name is TimerName.STEAL
    # A word gives the next stall its excuse back.
    heard, _ = step(after, e.Heard(A3), 2_200.0)
    excused, _ = due(heard, 4_200.0)
    assert (excused.stalls, excused.role) == (2, Role.FOLLOWING)


def beats(state: Election, now_ms: float, *gaps_ms: float) -> tuple[Election, float]:
    """The leader is heard after each of these gaps, by a tab whose own timers come in time."""
    for gap_ms in gaps_ms:
        now_ms += gap_ms
        state, _ = step(replace(state, due_ms=max(state.due_ms, now_ms)), e.Heard(A3), now_ms)
    return state, now_ms


def test_a_machine_on_which_beats_come_late_gets_more_patience_and_loses_it_when_they_come_in_time() -> None:
    # RT-61
    state = following()
    assert MACHINE.patience_ms(state) == 1_500.0
    state, now = beats(state, 0.0, 1_400.0, 1_300.0)
    assert MACHINE.patience_ms(state) == 1_500.0  # twice is chance
    state, now = beats(state, now, 1_200.0)
    assert MACHINE.patience_ms(state) == pytest.approx(1_800.0)
    looked, _ = step(replace(state, due_ms=now), e.Due(state.timer, TimerName.SILENCE, visible=True), now)
    assert looked.due_ms == pytest.approx(now + 1_800.0)
    state, now = beats(state, now, *[500.0] * 17)
    assert MACHINE.patience_ms(state) == pytest.approx(1_800.0)
    state, _ = beats(state, now, 500.0)
    assert MACHINE.patience_ms(state) == 1_500.0


def test_a_tab_that_was_late_itself_measures_nothing() -> None:
    # RT-61
    state = following()
    for number in range(1, 6):
        now = 2_900.0 * number
        heard, effects = step(replace(state, due_ms=now - 900.0), e.Heard(A3), now)
        assert effects == []
        assert (heard.gaps, heard.heard_ms) == ((), now)
        state = heard
    # Without a leader was it only while it ran: until its own timer should have come.
    assert state.unled_ms == 2_000.0


def test_patience_has_a_bound_and_a_leader_that_was_gone_is_no_measure_of_it() -> None:
    # RT-61
    state = following()
    gone, _ = step(state, e.Heard(A3), 60_000.0)
    assert MACHINE.patience_ms(gone) == 1_500.0
    late, now = state, 0.0
    for _ in range(20):
        late, now = beats(late, now, 1.9 * MACHINE.patience_ms(late))
    assert MACHINE.patience_ms(late) == 8 * 1_500.0


def test_the_longest_time_without_a_leader_is_kept_without_ones_own_stalls() -> None:
    # RT-61
    state, _ = step(following(), e.Heard(A3), 500.0)
    assert state.unled_ms == 500.0
    thief, _ = steal(doubting(following()))
    led, _ = step(thief, e.Granted(thief.lock, 3), 1_700.0)
    assert led.unled_ms == 1_700.0
    robbed, _ = step(led, e.Heard(Term(9, "z")), 60_000.0)
    assert (robbed.role, robbed.unled_ms) == (Role.FOLLOWING, 1_700.0)
    stalled, _ = due(following(), 5_000.0)
    assert step(stalled, e.Heard(A3), 5_400.0)[0].unled_ms == 400.0
    hidden, _ = silent(following(), visible=False)
    assert step(hidden, e.Heard(A3), 1_700.0)[0].unled_ms == 200.0
    begun, _ = MACHINE.step(Election("b"), e.Joined(), 9_000.0)
    assert step(begun, e.Heard(A3), 9_010.0)[0].unled_ms == 10.0
    resigned, _ = step(following(), e.Resigned(A3), 300.0)
    assert step(resigned, e.Heard(Term(4, "c")), 350.0)[0].unled_ms == 50.0


def test_a_leader_tells_how_late_its_own_beats_are() -> None:
    # RT-61
    after = leading()
    for number in range(1, 3):
        after, _ = MACHINE.step(after, e.Due(after.timer, TimerName.BEAT, visible=True), 1_600.0 * number)
    after, effects = MACHINE.step(after, e.Due(after.timer, TimerName.BEAT, visible=True), 4_800.0)
    assert effects[0] == e.Beat(after.term, 2_400.0)
    told, _ = step(following(), e.Heard(A3, 3, 2_400.0))
    assert MACHINE.patience_ms(told) == 2_400.0
    # What a leader asked for ends with it.
    lost, _ = step(told, e.Resigned(A3))
    assert MACHINE.patience_ms(lost) == 1_500.0
    assert MACHINE.patience_ms(after) == pytest.approx(2_400.0)


def test_a_robbed_leader_that_was_only_late_is_learnt_from_once() -> None:
    # RT-61
    thief, _ = steal(doubting(following()))
    thief, _ = step(thief, e.Granted(thief.lock, 3), thief.due_ms)
    late, effects = step(thief, e.Lagged(A3), 2_000.0)
    assert (effects, late.hasty) == ([], 1)
    assert late.gaps[-1] == 2_000.0
    assert step(late, e.Lagged(A3), 2_100.0) == (late, [])
    # One that follows the thief learns it from a beat in the old term, too; what came much later was gone.
    other, _ = step(following(tab="c"), e.Heard(Term(4, "b")), 1_700.0)
    learnt, effects = step(other, e.Heard(A3), 1_900.0)
    assert (effects, learnt.hasty, learnt.term) == ([], 1, Term(4, "b"))
    assert step(other, e.Lagged(A3), 9_000.0)[0].hasty == 0


def test_a_lock_that_was_stolen_ends_the_leadership_at_once() -> None:
    # RT-61
    state = leading()
    after, effects = step(state, e.Taken(state.lock))
    assert after.role is Role.WAITING
    assert effects == ["StepDown", "RequestLock", "Lag", "SetTimer"]
    assert after.deposed == 1


def test_a_leader_that_hears_a_later_term_steps_down_and_answers_an_older_one() -> None:
    # RT-61
    state = leading(stored=4)
    after, effects = step(state, e.Heard(Term(6, "a")))
    assert (after.role, after.term) == (Role.FOLLOWING, Term(6, "a"))
    assert effects == ["StepDown", "ReleaseLock", "RequestLock", "Lag", "Follow", "SetTimer"]
    assert step(state, e.Heard(Term(4, "a"))) == (state, ["Beat"])
    assert step(state, e.Heard(state.term)) == (state, [])


def test_a_request_that_fails_is_made_again_with_the_next_silence() -> None:
    state = joined()
    after, effects = step(state, e.Taken(state.lock))
    assert (after.lock, effects) == (0, [])
    again, effects = silent(after)
    assert kinds(effects) == ["RequestLock", "SetTimer"]
    assert again.lock > state.lock
    stolen = steal(replace(again, lock=0))
    assert kinds(stolen[1]) == ["Claim", "RequestLock", "SetTimer"]


def test_a_leader_that_leaves_says_so_and_frees_the_lock() -> None:
    # RT-61, RT-53
    state, effects = step(leading(), e.Left(Out.SUSPENDED))
    assert effects == ["Resign", "ReleaseLock", "ClearTimer", "CloseChannel", "ActAlone"]
    assert (state.role, state.reason, state.lock) == (Role.OUT, Out.SUSPENDED, 0)
    _, effects = step(following(), e.Left(Out.HIDDEN))
    assert effects == ["ReleaseLock", "ClearTimer", "CloseChannel", "ActAlone"]
    failed = replace(joined(), lock=0)
    assert step(failed, e.Left(Out.HIDDEN))[1] == ["ClearTimer", "CloseChannel", "ActAlone"]


def test_a_tab_that_goes_to_another_group_forgets_the_terms_of_its_own() -> None:
    # RT-60
    state, effects = step(following(), e.Left(Out.MOVED))
    assert effects == ["ReleaseLock", "ClearTimer", "CloseChannel", "ActAlone"]
    assert (state.role, state.term) == (Role.OUT, e.NO_TERM)
    hidden, _ = step(following(), e.Left(Out.HIDDEN))
    assert hidden.term == A3
    assert step(hidden, e.Left(Out.MOVED)) == (replace(hidden, term=e.NO_TERM), [])


def test_a_leader_that_resigned_is_gone_at_once() -> None:
    # RT-61
    state, effects = step(following(Term(3, "a")), e.Resigned(Term(3, "a")))
    assert (state.role, effects) == (Role.WAITING, ["Unled", "SetTimer"])


SETTLED_MS = 30_000.0
"""More than the longest patience and the silence after it."""


class TabsModel(RuleBasedStateMachine):
    """Tabs over one lock and one channel. Messages wait until they are delivered, and clocks of single tabs stop."""

    NAMES = ("a", "b", "c", "d")

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.machine = Machine(TIMINGS, random.Random(2))
        self.states = {name: Election(name) for name in self.NAMES}
        self.timers: dict[str, e.SetTimer | None] = dict.fromkeys(self.NAMES)
        self.stopped: set[str] = set()
        self.mail: dict[str, list[e.Event]] = {name: [] for name in self.NAMES}
        self.holder: tuple[str, int] | None = None
        self.queue: list[tuple[str, int]] = []
        self.stored = 0
        self.acting: dict[str, Term] = {}
        self.terms: set[Term] = set()

    # The world ----------------------------------------------------------------------------------------------------------------

    def step(self, name: str, event: e.Event) -> None:
        self.states[name], effects = self.machine.step(self.states[name], event, self.now)
        for effect in effects:
            self.run_effect(name, effect)

    def run_effect(self, name: str, effect: e.Effect) -> None:
        match effect:
            case e.RequestLock(lock, steal):
                self.ask(name, lock, steal=steal)
            case e.ReleaseLock(lock):
                self.give_up(name, lock)
            case e.StoreTerm(number):
                self.stored = number
            case e.Lead(term, _):
                assert term not in self.terms, "a term was led twice"
                self.terms.add(term)
                self.acting[name] = term
                self.tell_all(name, e.Heard(term))
            case e.Claim(term):
                self.tell_all(name, e.Claimed(term))
            case e.Lag(term):
                assert name not in self.acting
                self.tell_all(name, e.Lagged(term))
            case e.Beat(term, _):
                assert self.acting.get(name) == term, "a beat of who does not lead"
                self.tell_all(name, e.Heard(term))
            case e.Resign(term):
                assert self.acting.pop(name) == term
                self.tell_all(name, e.Resigned(term))
            case e.StepDown():
                del self.acting[name]
            case e.Follow() | e.Unled() | e.ActAlone():
                assert name not in self.acting
            case e.AskWhoLeads():
                for other, term in list(self.acting.items()):
                    if other not in self.stopped:
                        self.mail[name].append(e.Heard(term))
            case e.SetTimer():
                self.timers[name] = effect
            case e.ClearTimer():
                self.timers[name] = None
            case e.OpenChannel() | e.CloseChannel():
                self.mail[name] = [event for event in self.mail[name] if isinstance(event, e.Granted | e.Taken)]

    def tell_all(self, sender: str, event: e.Event) -> None:
        for name in self.NAMES:
            if name != sender and self.states[name].role is not Role.OUT:
                self.mail[name].append(event)

    def ask(self, name: str, lock: int, *, steal: bool) -> None:
        if steal and self.holder is not None:
            self.mail[self.holder[0]].append(e.Taken(self.holder[1]))
            self.holder = None
        if self.holder is None:
            self.grant((name, lock))
        else:
            self.queue.append((name, lock))

    def grant(self, asked: tuple[str, int]) -> None:
        self.holder = asked
        self.mail[asked[0]].append(e.Granted(asked[1], -1))

    def give_up(self, name: str, lock: int) -> None:
        if (name, lock) in self.queue:
            self.queue.remove((name, lock))
        elif self.holder == (name, lock):
            self.holder = None
            if self.queue:
                self.grant(self.queue.pop(0))

    def deliver(self, name: str) -> None:
        while self.mail[name] and name not in self.stopped:
            event = self.mail[name].pop(0)
            if isinstance(event, e.Granted):
                event = e.Granted(event.lock, self.stored)
            self.step(name, event)

    # What happens -------------------------------------------------------------------------------------------------------------

    @rule(name=st.sampled_from(NAMES))
    def join(self, name: str) -> None:
        if name not in self.stopped:
            self.step(name, e.Joined())

    @rule(name=st.sampled_from(NAMES), reason=st.sampled_from((Out.HIDDEN, Out.SUSPENDED)))
    def leave(self, name: str, reason: Out) -> None:
        if name not in self.stopped:
            self.step(name, e.Left(reason))

    @rule(name=st.sampled_from(NAMES))
    def crash(self, name: str) -> None:
        state = self.states[name]
        self.acting.pop(name, None)
        self.mail[name].clear()
        self.timers[name] = None
        self.stopped.discard(name)
        self.states[name] = Election(name, locks=state.locks, timer=state.timer)
        self.queue = [asked for asked in self.queue if asked[0] != name]
        if self.holder is not None and self.holder[0] == name:
            self.give_up(*self.holder)

    @rule(name=st.sampled_from(NAMES))
    def stop(self, name: str) -> None:
        self.stopped.add(name)

    @rule(name=st.sampled_from(NAMES))
    def go_on(self, name: str) -> None:
        self.stopped.discard(name)

    @rule(name=st.sampled_from(NAMES))
    def hear(self, name: str) -> None:
        self.deliver(name)

    @rule(ms=st.sampled_from((10.0, 160.0, 500.0, 1_500.0)))
    def wait(self, ms: float) -> None:
        self.pass_time(ms)

    def pass_time(self, ms: float, *, deliver: bool = False) -> None:
        end = self.now + ms
        while self.now < end:
            self.now = min(end, self.now + 10.0)
            for name in self.NAMES:
                timer = self.timers[name]
                if timer is not None and timer.at_ms <= self.now and name not in self.stopped:
                    self.timers[name] = None
                    self.step(name, e.Due(timer.timer, timer.name, visible=True))
                if deliver:
                    self.deliver(name)

    # What must hold -----------------------------------------------------------------------------------------------------------

    @invariant()
    def nobody_shares_a_term(self) -> None:
        assert len(set(self.acting.values())) == len(self.acting)
        assert all(term.tab == name for name, term in self.acting.items())

    @invariant()
    def roles_and_actions_agree(self) -> None:
        assert set(self.acting) == {name for name, state in self.states.items() if state.role is Role.LEADING}

    @invariant()
    def whoever_takes_part_has_a_timer(self) -> None:
        for name, state in self.states.items():
            assert (self.timers[name] is not None) == (state.role is not Role.OUT)

    @rule()
    def settle(self) -> None:
        """In quiet one leads, and within two seconds all who can run follow it."""
        self.stopped.clear()
        self.pass_time(SETTLED_MS, deliver=True)
        part = {name: state for name, state in self.states.items() if state.role is not Role.OUT}
        if part:
            assert len(self.acting) == 1
            (term,) = self.acting.values()
            assert {state.term for state in part.values()} == {term}
            assert self.holder is not None
            assert self.holder[0] == term.tab


@pytest.mark.chance
def test_random_histories_never_have_two_leaders_in_a_term_and_always_end_with_one() -> None:
    # RT-60, RT-61
    run_state_machine_as_test(TabsModel, settings=settings(derandomize=True, max_examples=60, stateful_step_count=40, deadline=None))
