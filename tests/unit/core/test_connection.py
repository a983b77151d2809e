"""The connection's machine: its table row by row, and random histories against a model that was written from the table alone."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyapp.core.streams import connection as c
from pyapp.core.streams.connection import Connection, Phase, Reason, TimerName
from pyapp.core.streams.machine import Machine
from pyapp.core.streams.position import Position
from pyapp.core.timings import Timings

T = Timings()
AT = Position("e1", 5)


def machine() -> Machine:
    return Machine(T, random.Random(1))


def run(*events: tuple[float, c.Event], state: Connection | None = None) -> tuple[Connection, list[tuple[c.Effect, ...]]]:
    m, state = machine(), state or Connection()
    out: list[tuple[c.Effect, ...]] = []
    for now, event in events:
        state, effects = m.step(state, event, now)
        out.append(effects)
    return state, out


def hello(epoch: int = 1, **fields: object) -> c.Hello:
    given_: dict[str, object] = {
        "server_epoch": "e1",
        "heartbeat_ms": 5_000.0,
        "retry_ms": 1_000.0,
        "resumed": False,
        "sequence": None,
        **fields,
    }
    return c.Hello(epoch, **given_)  # type: ignore[arg-type]


OPEN = ((0.0, c.Wanted()), (10.0, c.SocketOpened(1)))
GREETED = (*OPEN, (20.0, hello()))


def test_wanted_opens_one_socket_and_wanting_it_again_none() -> None:
    # RT-20
    state, effects = run((0, c.Wanted(AT)), (1, c.Wanted(AT)))
    assert effects == [(c.OpenSocket(1, AT),), ()]
    assert (state.phase, state.reason, state.epoch) == (Phase.CONNECTING, Reason.NONE, 1)


def test_wanted_without_a_place_goes_on_from_the_last_one_seen() -> None:
    # RT-27
    _, effects = run(*OPEN, (11, c.Delivered(1, AT)), (12, c.Unwanted(Reason.HIDDEN)), (13, c.Wanted()))
    assert effects[-1] == (c.OpenSocket(2, AT),)


def test_an_open_socket_is_not_confirmed_until_two_seconds_have_passed() -> None:
    # RT-30
    state, effects = run(*OPEN)
    assert effects[1] == (c.SetTimer(TimerName.CONFIRM, 2_010.0, 1),)
    assert not state.confirmed
    state, effects = run(*OPEN, (2_010, c.TimerDue(1, TimerName.CONFIRM)))
    assert effects[-1] == (c.ClearTimer(TimerName.CONFIRM), c.Confirmed(False))
    assert state.confirmed_ms == 2_010


@pytest.mark.parametrize("opened", [True, False])
def test_the_first_data_confirms_at_once_and_once(opened: bool) -> None:
    # RT-30
    state, effects = run(*OPEN[: 2 if opened else 1], (30, c.Delivered(1)), (40, c.Delivered(1)))
    assert effects[-2:] == [(c.ClearTimer(TimerName.CONFIRM), c.Confirmed(False)), ()]
    assert (state.phase, state.confirmed_ms, state.last_frame_ms) == (Phase.OPEN, 30, 40)


def test_hello_confirms_watches_for_silence_and_says_where_the_epoch_begins() -> None:
    # RT-26, RT-27, RT-30
    state, effects = run(*OPEN, (20, hello(sequence=9)))
    begins = Position("e1", 9)
    assert effects[-1] == (
        c.ClearTimer(TimerName.CONFIRM),
        c.Confirmed(False, None, begins),
        c.SetTimer(TimerName.SILENCE, 20 + 12_500, 1),
    )
    assert (state.position, state.heartbeat_ms, state.floor_ms) == (begins, 5_000, 1_000)


@pytest.mark.parametrize(
    ("known", "server", "resumed", "expected"), [(AT, "e1", True, True), (AT, "e2", True, False), (None, "e1", True, False)]
)
def test_resumed_counts_only_within_one_life_of_the_server(known: Position | None, server: str, resumed: bool, expected: bool) -> None:
    # RT-27: another server epoch is always a gap
    state, effects = run((0, c.Wanted(known)), (20, hello(server_epoch=server, resumed=resumed)))
    confirmed = next(effect for effect in effects[-1] if isinstance(effect, c.Confirmed))
    assert (confirmed.resumed, state.position) == (expected, known if expected else None)


def test_a_hole_a_heartbeat_ahead_and_a_reset_are_gaps_and_old_heartbeats_are_not() -> None:
    # RT-28, RT-38
    state, effects = run(
        *GREETED,
        (30, c.Delivered(1, AT)),
        (40, c.Delivered(1, Position("e1", 8), hole=True)),
        (50, c.Beaten(1, 8)),
        (60, c.Beaten(1, 7)),
        (70, c.Beaten(1, None)),
        (80, c.Beaten(1, 9)),
        (90, c.WasReset(1)),
    )
    gaps = [[type(effect).__name__ for effect in row] for row in effects[3:]]
    assert gaps == [[], ["Gap"], [], [], [], ["Gap"], ["Gap"]]
    assert state.position is None  # only a later snapshot can pay for a reset


def test_the_first_heartbeat_gives_the_place_where_none_is_known() -> None:
    # RT-28
    state, effects = run(*GREETED, (30, c.Beaten(1, 4)), (40, c.Beaten(1, 4)))
    assert effects[-2:] == [(c.Placed(Position("e1", 4)),), ()]
    assert state.position == Position("e1", 4)


def test_a_heartbeat_before_any_hello_says_nothing_of_the_place() -> None:
    state, effects = run(*OPEN, (30, c.Beaten(1, 4)))
    assert (effects[-1], state.position, state.last_frame_ms) == ((), None, 30)


def test_silence_of_two_and_a_half_heartbeats_reconnects_and_a_frame_in_between_puts_it_off() -> None:
    # RT-26
    due = c.TimerDue(1, TimerName.SILENCE)
    state, effects = run(*GREETED, (5_000, c.Beaten(1, 0)), (12_520, due), (17_500, due))
    assert effects[-2] == (c.SetTimer(TimerName.SILENCE, 17_500, 1),)
    assert (state.phase, state.reason) == (Phase.RECONNECTING, Reason.SILENT)
    assert effects[-1][0] == c.CloseSocket(1)


def test_a_stream_without_heartbeats_has_no_idle_reconnect() -> None:
    # RT-26
    state, effects = run(*OPEN, (3_600_000, c.TimerDue(1, TimerName.SILENCE)))
    assert (state.phase, effects[-1]) == (Phase.OPEN, ())


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (c.SocketFailed(1), Reason.DROPPED),
        (c.SocketFailed(1, final=True), Reason.DROPPED),
        (c.ErrorFrame(1), Reason.SERVER_ERROR),
        (c.Bye(1, 4_000), Reason.PLANNED),
    ],
)
def test_every_failure_closes_the_socket_clears_the_timers_and_sets_one_retry(event: c.Event, reason: Reason) -> None:
    # RT-22, RT-24, RT-38
    state, effects = run(*GREETED, (30, event))
    assert [type(effect).__name__ for effect in effects[-1]] == ["CloseSocket", "ClearTimer", "ClearTimer", "Lost", "SetTimer"]
    assert (state.phase, state.reason, state.failures, state.lost_ms) == (Phase.RECONNECTING, reason, 1, 30)
    assert state.retry_at_ms is not None


def test_a_socket_that_is_refused_before_its_first_frame_says_so() -> None:
    state, _ = run((0, c.Wanted()), (5, c.SocketFailed(1, final=True)))
    assert state.reason == Reason.REFUSED


def test_bye_s_time_is_a_lower_bound() -> None:
    # RT-23
    state, _ = run(*GREETED, (30, c.Bye(1, 4_000)))
    assert state.retry_at_ms is not None
    assert 4_030 <= state.retry_at_ms <= 4_000 * 1.15 + 30


def test_failures_are_forgotten_only_after_a_confirmed_epoch_held_five_seconds() -> None:
    # RT-23
    m = machine()
    state, now, counts = Connection(), 0.0, list[int]()
    state, _ = m.step(state, c.Wanted(), now)
    for held in (0, 4_999, 5_000, 0, 10_000):
        state, _ = m.step(state, hello(state.epoch), now)
        now += held
        state, _ = m.step(state, c.SocketFailed(state.epoch), now)
        counts.append(state.failures)
        state, _ = m.step(state, c.TimerDue(state.epoch, TimerName.RETRY), now)
    assert counts == [1, 2, 1, 2, 1]


def test_being_unwanted_keeps_the_count_of_failures_unless_the_epoch_held() -> None:
    # RT-23
    for held, expected in ((0, 3), (6_000, 1)):
        state, _ = run((0, c.Wanted()), state=Connection(failures=2))
        state, _ = run(
            (10, hello()),
            (10 + held, c.Unwanted(Reason.NOT_WANTED)),
            (20 + held, c.Wanted()),
            (30 + held, c.SocketFailed(2)),
            state=state,
        )
        assert state.failures == expected


def test_try_now_goes_without_waiting_and_only_while_waiting() -> None:
    state, effects = run(*GREETED, (30, c.TryNow()), (40, c.SocketFailed(1)), (50, c.TryNow()))
    assert effects[-3] == ()
    assert effects[-1] == (c.ClearTimer(TimerName.RETRY), c.OpenSocket(2, None))
    assert state.phase is Phase.CONNECTING


def test_unwanted_closes_everything_and_a_closed_connection_only_changes_its_reason() -> None:
    # RT-20, RT-21
    state, effects = run(*GREETED, (30, c.Unwanted(Reason.HIDDEN)), (40, c.Unwanted(Reason.NOT_WANTED)), (50, c.SocketOpened(1)))
    assert effects[-3] == (c.CloseSocket(1), *(c.ClearTimer(name) for name in TimerName), c.Lost(Reason.HIDDEN))
    assert effects[-2:] == [(), ()]
    assert (state.phase, state.reason, state.since_ms) == (Phase.CLOSED, Reason.NOT_WANTED, 30)


def test_while_reconnecting_there_is_no_socket_to_close_and_nothing_but_the_retry_counts() -> None:
    state, effects = run(*GREETED, (30, c.SocketFailed(1)), (31, hello()), (32, c.Delivered(1, AT)), (33, c.Unwanted(Reason.BUDGET)))
    assert effects[-3:-1] == [(), ()]
    assert effects[-1] == tuple(c.ClearTimer(name) for name in TimerName)
    assert state.position is None


def test_a_second_opening_and_unknown_timers_change_nothing() -> None:
    state, effects = run(
        *GREETED, (30, c.SocketOpened(1)), (40, c.TimerDue(1, TimerName.CONFIRM)), (50, c.TimerDue(1, TimerName.RETRY))
    )
    assert effects[-3:] == [(), (), ()]
    assert state.confirmed_ms == 20


def test_a_hello_without_an_interval_sets_no_watch() -> None:
    _, effects = run(*OPEN, (20, c.Hello(1, "e1", None, 0.0, False)))  # type: ignore[arg-type]
    assert [type(effect).__name__ for effect in effects[-1]] == ["ClearTimer", "Confirmed"]


# Against a model -------------------------------------------------------------------------------------------------------------------

EVENTS = st.sampled_from(
    [
        "wanted",
        "unwanted",
        "opened",
        "failed",
        "error",
        "hello",
        "data",
        "hole",
        "beat",
        "reset",
        "bye",
        "confirm",
        "silence",
        "retry",
        "try",
    ]
)
STEPS = st.lists(st.tuples(EVENTS, st.integers(0, 8_000), st.integers(-2, 0)), max_size=60)


class Model:
    """What the table says, as a person would write it down: phase, confirmation, and what hangs on them."""

    def __init__(self) -> None:
        self.phase = "closed"
        self.confirmed = False
        self.epoch = 0
        self.heartbeats = False

    def step(self, what: str, old: bool, silent: bool) -> None:
        if what == "wanted":
            if self.phase == "closed":
                self._connect()
        elif what == "unwanted":
            self.phase, self.confirmed = "closed", False
        elif what == "try":
            if self.phase == "reconnecting":
                self._connect()
        elif old or self.phase == "closed":
            return
        elif self.phase == "reconnecting":
            if what == "retry":
                self._connect()
        elif what in ("failed", "error", "bye") or (what == "silence" and self.heartbeats and silent):
            self.phase, self.confirmed = "reconnecting", False
        elif what == "opened":
            self.phase = "open"
        elif what in ("hello", "data", "hole"):
            self.phase, self.confirmed = "open", True
            self.heartbeats = self.heartbeats or what == "hello"
        elif what == "confirm":
            self.confirmed = True

    def _connect(self) -> None:
        self.phase, self.confirmed, self.heartbeats = "connecting", False, False
        self.epoch += 1


@settings(max_examples=400, deadline=None)
@given(STEPS)
def test_any_history_agrees_with_the_table_and_leaves_one_socket_and_one_timer_of_each_name(steps: list[tuple[str, int, int]]) -> None:
    # RT-20 to RT-23
    m, model, state = machine(), Model(), Connection()
    now, sockets, timers, sequence = 0.0, set[int](), dict[TimerName, float](), 0
    last_frame = 0.0
    for what, wait, back in steps:
        now += wait
        epoch = state.epoch + back
        sequence += 1
        place = Position("e1", sequence)
        event: c.Event
        match what:
            case "wanted":
                event = c.Wanted()
            case "unwanted":
                event = c.Unwanted(Reason.NOT_WANTED)
            case "try":
                event = c.TryNow()
            case "opened":
                event = c.SocketOpened(epoch)
            case "failed":
                event = c.SocketFailed(epoch)
            case "error":
                event = c.ErrorFrame(epoch)
            case "hello":
                event = hello(epoch)
            case "data" | "hole":
                event = c.Delivered(epoch, place, hole=what == "hole")
            case "beat":
                event = c.Beaten(epoch, sequence)
            case "reset":
                event = c.WasReset(epoch)
            case "bye":
                event = c.Bye(epoch, 100.0)
            case _:
                event = c.TimerDue(epoch, TimerName(what))
                # A timer's callback comes only while that timer is set; the confirm timer, only of a socket that opened.
                if back == 0 and TimerName(what) not in timers:
                    continue
                if back == 0:
                    timers.pop(TimerName(what))
        before = state
        state, effects = m.step(state, event, now)
        old = back != 0
        if old and what not in ("wanted", "unwanted", "try"):
            assert (state, effects) == (before, ()), "an old epoch acts"
        if state.last_frame_ms is not None:
            last_frame = before.last_frame_ms if before.last_frame_ms is not None else state.last_frame_ms
        model.step(what, old, now - last_frame >= 12_500)
        for effect in effects:
            match effect:
                case c.OpenSocket(number):
                    assert not sockets
                    sockets.add(number)
                case c.CloseSocket(number):
                    sockets.discard(number)
                case c.SetTimer(name, at_ms, number):
                    assert name not in timers or name is not TimerName.RETRY
                    assert number == state.epoch
                    assert at_ms >= now
                    timers[name] = at_ms
                case c.ClearTimer(name):
                    timers.pop(name, None)
                case _:
                    pass
        assert (state.phase, state.confirmed, state.epoch) == (model.phase, model.confirmed, model.epoch)
        assert len(sockets) == (state.phase in (Phase.CONNECTING, Phase.OPEN))
        assert sockets <= {state.epoch}
        assert (TimerName.RETRY in timers) == (state.phase is Phase.RECONNECTING)
        if state.phase is Phase.RECONNECTING:
            assert set(timers) == {TimerName.RETRY}
            assert state.retry_at_ms is not None
            n = state.failures - 1
            low = min(30_000, 1_000 * 2**n) * 0.85 if before.phase is not Phase.RECONNECTING else 0
            assert state.retry_at_ms - state.since_ms >= low
            assert state.retry_at_ms - state.since_ms <= max(min(30_000, 1_000 * 2**n), state.floor_ms) * 1.1501
        if state.phase is Phase.CLOSED:
            assert not timers
        assert max(Counter(type(e).__name__ for e in effects if isinstance(e, c.OpenSocket | c.Confirmed)).values(), default=0) <= 1
