"""The connection's machine: its table row by row, and random histories against a model that was written from the table alone."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyapp.core.streams import connection as c
from pyapp.core.streams.connection import Connection, Phase, Reason, TimerName
from pyapp.core.streams.machine import Machine
from pyapp.core.streams.position import Position
from pyapp.core.streams.refusal import Verdict
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
    assert effects == [(c.OpenSocket(1, AT), c.SetTimer(TimerName.CONNECT, 20_000, 1)), ()]
    assert (state.phase, state.reason, state.epoch) == (Phase.CONNECTING, Reason.NONE, 1)


def test_wanted_without_a_place_goes_on_from_the_last_one_seen() -> None:
    # RT-27
    _, effects = run(*OPEN, (11, c.Delivered(1, AT)), (12, c.Unwanted(Reason.HIDDEN)), (13, c.Wanted()))
    assert effects[-1][0] == c.OpenSocket(2, AT)


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


def test_a_server_that_greets_is_believed_after_its_hello_and_after_nothing_else() -> None:
    # RT-30: an open socket of part B that says nothing may be a proxy that holds everything back
    state, effects = run(*OPEN, (30, c.Delivered(1, AT)), state=Connection(greets=True))
    assert (effects[1], effects[2], state.confirmed) == ((), (), False)
    state, effects = run(*OPEN, (20_000, c.TimerDue(1, TimerName.CONNECT)), state=Connection(greets=True))
    assert (state.phase, state.reason) == (Phase.RECONNECTING, Reason.SILENT)


def test_one_that_greeted_once_is_known_to_greet_and_its_silence_counts_from_the_opening() -> None:
    # RT-26, RT-30
    again = (*GREETED, (100, c.SocketFailed(1)), (1_100, c.TimerDue(1, TimerName.RETRY)), (1_110, c.SocketOpened(2)))
    state, effects = run(*again)
    assert (effects[-1], state.confirmed) == ((c.SetTimer(TimerName.SILENCE, 1_110 + 12_500, 2),), False)
    state, _ = run(*again, (13_610, c.TimerDue(2, TimerName.SILENCE)))
    assert (state.phase, state.reason) == (Phase.RECONNECTING, Reason.SILENT)


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


def test_a_timer_that_is_late_itself_is_no_witness_of_a_silence_and_once_only() -> None:
    # RT-26
    late = c.TimerDue(1, TimerName.SILENCE, 3_000.0)
    state, effects = run(*GREETED, (15_510, late))
    assert (state.phase, effects[-1]) == (Phase.OPEN, (c.SetTimer(TimerName.SILENCE, 15_710, 1),))
    # What waited behind it was said in time.
    heard, effects = run(*GREETED, (15_510, late), (15_600, c.Beaten(1, 0)), (15_710, c.TimerDue(1, TimerName.SILENCE)))
    assert (heard.phase, effects[-1]) == (Phase.OPEN, (c.SetTimer(TimerName.SILENCE, 28_100, 1),))
    # Nothing waited: late again or not, it is silent.
    state, _ = run(*GREETED, (15_510, late), (19_000, late))
    assert (state.phase, state.reason) == (Phase.RECONNECTING, Reason.SILENT)
    state, _ = run(*GREETED, (15_510, late), (15_600, c.Beaten(1, 0)), (31_000, late))
    assert state.phase is Phase.OPEN


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
    names = [type(effect).__name__ for effect in effects[-1]]
    assert names == ["CloseSocket", "ClearTimer", "ClearTimer", "ClearTimer", "Lost", "SetTimer"]
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
    assert effects[-1][:2] == (c.ClearTimer(TimerName.RETRY), c.OpenSocket(2, None))
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


# Refusals, scopes, the network and sleep (RT-25, RT-30, RT-52) ---------------------------------------------------------------------

REFUSED = ((0.0, c.Wanted()), (5.0, c.SocketFailed(1, final=True)))


def names(effects: tuple[c.Effect, ...]) -> list[str]:
    return [type(effect).__name__ for effect in effects]


def test_a_refusal_before_the_first_frame_is_asked_about_and_nothing_is_tried_until_the_answer() -> None:
    # RT-25
    state, effects = run(*REFUSED)
    assert effects[-1][-2:] == (c.Probe(1), c.SetTimer(TimerName.PROBE, 3_005.0, 1))
    assert (state.phase, state.reason, state.retry_at_ms) == (Phase.RECONNECTING, Reason.REFUSED, None)
    assert run(*REFUSED, (9_000, c.TimerDue(1, TimerName.RETRY)))[1][-1] == ()


@pytest.mark.parametrize(
    ("verdict", "phase", "reason", "least"),
    [
        (Verdict.AGAIN, Phase.RECONNECTING, Reason.REFUSED, 850),
        (Verdict.UNAVAILABLE, Phase.RECONNECTING, Reason.UNAVAILABLE, 300_000),
        (Verdict.FORBIDDEN, Phase.CLOSED, Reason.FORBIDDEN, None),
        (Verdict.ENDED, Phase.CLOSED, Reason.ENDED, None),
    ],
)
@pytest.mark.parametrize("probed", [True, False])
def test_what_a_refusal_means_decides_when_it_is_tried_again(
    probed: bool, verdict: Verdict, phase: Phase, reason: Reason, least: float | None
) -> None:
    # RT-25
    begin = REFUSED if probed else GREETED
    state, effects = run(*begin, (30, c.Refused(1, verdict)))
    assert (state.phase, state.reason, state.failures) == (phase, reason, 1)
    assert ("Lost" in names(effects[-1])) is (not probed)
    assert ("CloseSocket" in names(effects[-1])) is (not probed)
    if least is None:
        assert state.retry_at_ms is None
        assert "SetTimer" not in names(effects[-1])
    else:
        assert state.retry_at_ms is not None
        assert state.retry_at_ms >= 30 + least


def test_retry_after_is_a_lower_bound_once() -> None:
    # RT-23, RT-25
    state, _ = run(*REFUSED, (30, c.Refused(1, Verdict.AGAIN, 60_000)))
    assert state.retry_at_ms is not None
    assert 60_030 <= state.retry_at_ms <= 60_000 * 1.15 + 30
    assert state.floor_ms == 0


def test_what_ended_is_not_wanted_again_until_it_is_asked_for_anew() -> None:
    # RT-25
    ended = (*REFUSED, (30.0, c.Refused(1, Verdict.ENDED)), (40.0, c.Wanted()), (50.0, c.Unwanted(Reason.HIDDEN)), (60.0, c.Wanted()))
    state, effects = run(*ended)
    assert (effects[-3:], state.phase, state.reason) == ([(), (), ()], Phase.CLOSED, Reason.ENDED)
    state, effects = run(*ended, (70, c.Unwanted(Reason.NOT_WANTED)), (80, c.Wanted()))
    assert effects[-1][0] == c.OpenSocket(2, None)


def test_what_is_forbidden_stays_so_until_it_is_forgiven() -> None:
    # RT-25, RT-36
    denied = (*REFUSED, (30.0, c.Refused(1, Verdict.FORBIDDEN)), (40.0, c.Unwanted(Reason.NOT_WANTED)), (50.0, c.Wanted()))
    state, effects = run(*denied, (60, c.TryNow()))
    assert (effects[-2:], state.reason) == ([(), ()], Reason.FORBIDDEN)
    state, effects = run(*denied, (60, c.Forgiven()), (70, c.Wanted()))
    assert effects[-1][0] == c.OpenSocket(2, None)


def test_a_probe_without_an_answer_is_given_up_and_the_backoff_goes_on() -> None:
    # RT-25
    state, effects = run(*REFUSED, (3_005, c.TimerDue(1, TimerName.PROBE)))
    assert names(effects[-1]) == ["CancelProbe", "SetTimer"]
    assert (state.failures, state.probing) == (1, False)
    for way_out, expected in ((c.TryNow(), "OpenSocket"), (c.Unwanted(Reason.HIDDEN), "ClearTimer"), (c.Slept(), "OpenSocket")):
        _, effects = run(*REFUSED, (100, way_out))
        assert {"CancelProbe", expected} <= set(names(effects[-1]))
    assert run(*REFUSED, (3_005, c.TimerDue(1, TimerName.PROBE)), (3_010, c.Refused(1, Verdict.ENDED)))[1][-1] == ()


def test_an_attempt_that_gives_no_sign_of_life_is_ended() -> None:
    due = c.TimerDue(1, TimerName.CONNECT)
    state, effects = run((0, c.Wanted()), (20_000, due))
    assert (state.reason, names(effects[-1])[0]) == (Reason.SILENT, "CloseSocket")
    assert run(*OPEN, (20_000, due))[1][-1] == ()


def test_an_idle_time_out_closes_a_stream_without_heartbeats_only_where_it_is_set() -> None:
    # RT-26
    m = Machine(replace(T, idle_timeout_ms=60_000), random.Random(1))
    state, _ = m.step(Connection(), c.Wanted(), 0)
    state, effects = m.step(state, c.SocketOpened(1), 10)
    assert c.SetTimer(TimerName.SILENCE, 60_010, 1) in effects
    state, _ = m.step(state, c.Delivered(1), 50_000)
    state, effects = m.step(state, c.TimerDue(1, TimerName.SILENCE), 60_010)
    assert effects == (c.SetTimer(TimerName.SILENCE, 110_000, 1),)
    state, _ = m.step(state, c.TimerDue(1, TimerName.SILENCE), 110_000)
    assert (state.phase, state.reason) == (Phase.RECONNECTING, Reason.SILENT)


def test_a_scoped_stream_is_confirmed_by_its_scope_alone() -> None:
    # RT-30
    scoped = Connection(scoped=True)
    confirm = c.TimerDue(1, TimerName.CONFIRM)
    state, effects = run(*GREETED, (30, c.Delivered(1, AT)), (40, c.Beaten(1, 5)), state=scoped)
    assert (state.phase, state.confirmed) == (Phase.OPEN, False)
    assert all(effect != c.SetTimer(TimerName.CONFIRM, 2_010.0, 1) for row in effects for effect in row)
    assert c.SetTimer(TimerName.SILENCE, 12_520.0, 1) in effects[2]
    state, effects = run(*GREETED, (50, c.Synced(1)), (60, c.Synced(1)), state=scoped)
    assert (names(effects[-2]), effects[-1], state.confirmed_ms) == (["ClearTimer", "Confirmed"], (), 50)
    assert confirm.name is TimerName.CONFIRM


def test_an_error_of_a_scope_is_made_good_by_its_next_confirmation() -> None:
    # RT-30
    scoped = Connection(scoped=True)
    begin = (*GREETED, (30.0, c.Synced(1)), (40.0, c.Erred(1)))
    state, effects = run(*begin, state=scoped)
    assert (state.phase, state.error_ms, effects[-1]) == (Phase.OPEN, 40, ())
    state, effects = run(*begin, (50, c.Synced(1)), state=scoped)
    assert (state.error_ms, names(effects[-1])) == (None, ["ClearTimer", "Confirmed"])


def test_frames_that_cannot_be_read_show_life_and_confirm_nothing() -> None:
    # RT-29, RT-30
    state, effects = run(*OPEN, (30, c.Delivered(1, None, hole=True, valid=False)))
    assert (state.confirmed, state.last_frame_ms, effects[-1]) == (False, 30, (c.Gap("a hole in the sequence"),))


def test_a_lost_shared_connection_is_no_failure_and_sets_no_timer() -> None:
    # RT-22, RT-64
    state, effects = run(*GREETED, (30, c.SocketLost(1, Reason.DROPPED, 1_030.0)))
    assert names(effects[-1]) == ["ClearTimer", "ClearTimer", "ClearTimer", "Lost"]
    assert (state.phase, state.shared, state.retry_at_ms, state.failures) == (Phase.RECONNECTING, True, 1_030, 0)
    begin = (*GREETED, (30.0, c.SocketLost(1, Reason.DROPPED, 1_030.0)))
    later, effects = run(*begin, (2_000, c.TimerDue(1, TimerName.RETRY)), (2_001, c.SocketLost(1, Reason.SILENT, 9_000.0)))
    assert (effects[-2:], later.reason, later.retry_at_ms) == ([(), ()], Reason.SILENT, 9_000)
    _, effects = run(*begin, (2_000, c.TryNow()))
    assert effects[-1][:2] == (c.CloseSocket(1), c.OpenSocket(2, None))
    _, effects = run(*begin, (2_000, c.Unwanted(Reason.NOT_WANTED)))
    assert effects[-1][0] == c.CloseSocket(1)
    state, _ = run(*begin, (2_000, c.Refused(1, Verdict.FORBIDDEN)))
    assert (state.phase, state.reason, state.shared) == (Phase.CLOSED, Reason.FORBIDDEN, False)


def test_offline_an_open_stream_is_awaited_until_its_next_frame() -> None:
    # RT-52
    state, effects = run(*GREETED, (30, c.WentOffline()), (31, c.WentOffline()))
    assert (state.phase, state.awaiting, effects[-2:]) == (Phase.OPEN, True, [(), ()])
    for frame in (hello(), c.Delivered(1, AT), c.Beaten(1, 0), c.WasReset(1)):
        assert not run(*GREETED, (30, c.WentOffline()), (40, frame))[0].awaiting
    # Online again: what proved itself goes on, what did not is opened anew within a second.
    state, effects = run(*GREETED, (30, c.WentOffline()), (40, c.Beaten(1, 0)), (50, c.CameOnline()))
    assert (state.phase, state.offline, effects[-1]) == (Phase.OPEN, False, ())
    state, effects = run(*GREETED, (30, c.WentOffline()), (50, c.CameOnline()))
    assert (state.phase, state.failures, names(effects[-1])[0]) == (Phase.RECONNECTING, 0, "CloseSocket")
    assert state.retry_at_ms is not None
    assert 50 <= state.retry_at_ms <= 1_050


def test_offline_retries_go_on_at_the_cap_and_online_within_a_second() -> None:
    # RT-52
    lost = (*GREETED, (30.0, c.SocketFailed(1)))
    state, effects = run(*lost, (40, c.WentOffline()))
    assert (state.reason, names(effects[-1])) == (Reason.OFFLINE, ["ClearTimer", "SetTimer"])
    assert state.retry_at_ms is not None
    assert 40 + 25_500 <= state.retry_at_ms <= 40 + 34_500
    state, effects = run(*lost, (40, c.WentOffline()), (100, c.CameOnline()))
    assert names(effects[-1]) == ["ClearTimer", "SetTimer"]
    assert state.retry_at_ms is not None
    assert 100 <= state.retry_at_ms <= 1_100
    # An attempt that fails while there is no network is not asked about.
    state, _ = run((0, c.WentOffline()), (0, c.Wanted()), (5, c.SocketFailed(1, final=True)))
    assert (state.reason, state.probing) == (Reason.OFFLINE, False)
    # What the server does not have is no matter of the network.
    state, effects = run(*REFUSED, (30, c.Refused(1, Verdict.UNAVAILABLE)), (40, c.WentOffline()), (50, c.CameOnline()))
    assert (state.reason, effects[-2:]) == (Reason.UNAVAILABLE, [(), ()])


def test_sleep_is_a_gap_and_a_fresh_attempt_in_every_state_but_closed() -> None:
    # RT-52
    assert run((0, c.Slept()))[1] == [()]
    _, effects = run(*GREETED, (90_000, c.Slept()))
    assert names(effects[-1]) == [
        "Lost", "Gap", "CloseSocket", "ClearTimer", "ClearTimer", "ClearTimer", "OpenSocket", "SetTimer"
    ]  # fmt: skip
    _, effects = run(*GREETED, (30, c.SocketFailed(1)), (90_000, c.Slept()))
    assert names(effects[-1]) == ["Gap", "ClearTimer", "OpenSocket", "SetTimer"]
    assert c.ClearTimer(TimerName.RETRY) in effects[-1]


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
        "connect",
        "probe",
        "try",
        "garbage",
        "refuse",
        "again",
        "unavailable",
        "forbid",
        "end",
        "forgive",
        "lost",
        "offline",
        "online",
        "sleep",
    ]
)
VERDICTS = {"again": Verdict.AGAIN, "unavailable": Verdict.UNAVAILABLE, "forbid": Verdict.FORBIDDEN, "end": Verdict.ENDED}
ALWAYS = ("wanted", "unwanted", "try", "forgive", "offline", "online", "sleep")
STEPS = st.lists(st.tuples(EVENTS, st.integers(0, 8_000), st.integers(-2, 0)), max_size=60)


class Model:
    """What the table says, as a person would write it down: phase, confirmation, and what hangs on them."""

    def __init__(self) -> None:
        self.phase = "closed"
        self.confirmed = False
        self.epoch = 0
        self.heartbeats = self.greets = False
        self.offline = self.awaiting = self.probing = self.shared = False
        self.ended = ""

    def step(self, what: str, old: bool, silent: bool) -> None:
        if what == "wanted":
            if self.phase == "closed" and not self.ended:
                self._connect()
        elif what == "unwanted":
            self._leave("closed")
            self.ended = "" if self.ended == "end" else self.ended
        elif what == "forgive":
            self.ended = ""
        elif what in ("try", "sleep"):
            if self.phase == "reconnecting" or (what == "sleep" and self.phase != "closed"):
                self._connect()
        elif what == "offline":
            self.awaiting = self.awaiting or (self.phase == "open" and not self.offline)
            self.offline = True
        elif what == "online":
            self.offline = False
            if self.awaiting:
                self._leave("reconnecting")
        elif old or self.phase == "closed":
            return
        elif self.phase == "reconnecting":
            self._wait(what)
        else:
            self._live(what, silent)

    def _wait(self, what: str) -> None:
        if what == "retry" and not self.shared and not self.probing:
            self._connect()
        elif what == "probe" and self.probing:
            self.probing = False
        elif self.probing or self.shared:
            self._verdict(what)

    def _live(self, what: str, silent: bool) -> None:
        if what in ("failed", "error", "bye") or (what == "silence" and self.greets and silent):
            self._leave("reconnecting")
        elif what == "connect":
            if self.phase == "connecting" or (self.greets and not self.heartbeats):
                self._leave("reconnecting")
        elif what == "refuse":
            probing = self.phase == "connecting" and not self.offline
            self._leave("reconnecting")
            self.probing = probing
        elif what == "lost":
            self._leave("reconnecting")
            self.shared = True
        elif what == "opened":
            self.phase = "open"
        elif what in ("hello", "data", "hole", "beat", "reset", "garbage"):
            self.phase, self.awaiting = "open", False
            self.greets = self.greets or what == "hello"
            self.confirmed = self.confirmed or what == "hello" or (what in ("data", "hole") and not self.greets)
            self.heartbeats = self.heartbeats or what == "hello"
        elif what == "confirm":
            self.confirmed = True
        else:
            self._verdict(what)

    def _verdict(self, what: str) -> None:
        if what in ("again", "unavailable"):
            self._leave("reconnecting")
        elif what in ("forbid", "end"):
            self._leave("closed")
            self.ended = what

    def _leave(self, phase: str) -> None:
        self.phase, self.confirmed = phase, False
        self.awaiting = self.probing = self.shared = False

    def _connect(self) -> None:
        self._leave("connecting")
        self.heartbeats = False
        self.epoch += 1


@settings(max_examples=400, deadline=None, derandomize=True)
@given(STEPS)
def test_any_history_agrees_with_the_table_and_leaves_one_socket_and_one_timer_of_each_name(steps: list[tuple[str, int, int]]) -> None:
    # RT-20 to RT-23
    m, model, state = machine(), Model(), Connection()
    now, sockets, timers, sequence, probes = 0.0, set[int](), dict[TimerName, float](), 0, 0
    last_frame, failures = 0.0, 0
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
            case "garbage":
                event = c.Delivered(epoch, None, hole=True, valid=False)
            case "refuse":
                event = c.SocketFailed(epoch, final=True)
            case "again" | "unavailable" | "forbid" | "end":
                event = c.Refused(epoch, VERDICTS[what])
            case "forgive":
                event = c.Forgiven()
            case "lost":
                event = c.SocketLost(epoch, Reason.DROPPED, now + 1_000)
            case "offline":
                event = c.WentOffline()
            case "online":
                event = c.CameOnline()
            case "sleep":
                event = c.Slept()
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
        if old and what not in ALWAYS:
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
                case c.Probe():
                    probes += 1
                    assert probes == 1
                case c.CancelProbe():
                    probes -= 1
                case _:
                    pass
        if what in VERDICTS and before.probing and not old:
            probes -= 1  # its answer came
        assert (state.phase, state.confirmed, state.epoch) == (model.phase, model.confirmed, model.epoch)
        assert (state.offline, state.awaiting, state.probing, state.shared) == (
            model.offline,
            model.awaiting,
            model.probing,
            model.shared,
        )
        assert len(sockets) == (state.phase in (Phase.CONNECTING, Phase.OPEN) or state.shared)
        assert sockets <= {state.epoch}
        assert probes == state.probing
        waits = state.phase is Phase.RECONNECTING
        assert (TimerName.RETRY in timers) == (waits and not state.probing and not state.shared)
        assert (TimerName.PROBE in timers) == state.probing
        if waits:
            assert set(timers) <= {TimerName.RETRY, TimerName.PROBE}
        if state.phase is Phase.CLOSED:
            assert not timers, "something is scheduled that nobody wants"
        if before.phase in (Phase.CONNECTING, Phase.OPEN) and waits and state.reason in (Reason.DROPPED, Reason.SERVER_ERROR):
            assert state.shared or state.failures in (failures + 1, 1)
        # Failures only grow until an epoch was confirmed and held.
        held = before.confirmed_ms is not None and now - before.confirmed_ms >= 5_000
        assert state.failures >= failures or held
        failures = state.failures
        if waits and state.retry_at_ms is not None and not state.shared and state.reason not in (Reason.OFFLINE, Reason.UNAVAILABLE):
            n = max(state.failures - 1, 0)
            low = min(30_000, 1_000 * 2**n) * 0.85 if before.phase is not Phase.RECONNECTING else 0
            assert state.retry_at_ms - state.since_ms >= low
            assert state.retry_at_ms - state.since_ms <= max(min(30_000, 1_000 * 2**n), state.floor_ms) * 1.1501
        assert max(Counter(type(e).__name__ for e in effects if isinstance(e, c.OpenSocket | c.Confirmed)).values(), default=0) <= 1


def test_a_flag_that_closes_a_stream_forgets_what_was_learnt_of_the_connection_but_not_its_place() -> None:
    # RT-71
    known = replace(Connection(), failures=7, floor_ms=20_000.0, lost_ms=1.0, position=AT)
    for state in (known, replace(known, phase=Phase.RECONNECTING, reason=Reason.DROPPED, retry_at_ms=9.0)):
        after, _ = run((10, c.Unwanted(Reason.FLAG_OFF)), state=state)
        assert (after.phase, after.failures, after.floor_ms, after.lost_ms, after.position) == (Phase.CLOSED, 0, 0.0, None, AT)
        again, effects = run((20, c.Wanted()), (30, c.SocketFailed(1)), state=after)
        assert effects[0][0] == c.OpenSocket(1, AT)
        assert 850 <= (again.retry_at_ms or 0) - 30 <= 1_150
    hidden, _ = run((10, c.Unwanted(Reason.HIDDEN)), state=known)
    assert (hidden.failures, hidden.floor_ms) == (7, 20_000.0)
