from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from page_fakes import job, jobs

from pyapp.contract.jobs import Job
from pyapp.pages.listing import (
    BackToLive,
    Hold,
    ListState,
    Painted,
    Range,
    Release,
    Scrolled,
    ShiftWindow,
    ShowNew,
    ShowWindow,
    from_params,
    to_params,
    update,
)

AT = datetime(2026, 11, 20, 7, tzinfo=UTC)


def name_of(row: Job) -> str:
    return row.id


HOUR = Range(after=AT - timedelta(hours=1), before=AT)
moments = st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2200, 1, 1), timezones=st.just(UTC))


@settings(deadline=None)
@given(after=moments, before=moments, prefix=st.sampled_from(["", "jobs."]))
def test_a_window_survives_its_way_through_the_address(after: datetime, before: datetime, prefix: str) -> None:
    if after >= before:
        return
    state = ListState(range=Range(after=after, before=before))
    read, problem = from_params(to_params(state, prefix), prefix)
    assert (read.range, problem) == (state.range, None)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["after", "before"]), st.text(max_size=40)))
def test_any_address_is_a_list_and_what_makes_no_sense_is_said(params: dict[str, str]) -> None:
    state, problem = from_params(params)
    assert isinstance(state, ListState)
    assert (problem is not None) == (state.live and bool(params))


def test_a_window_without_a_zone_is_read_as_utc() -> None:
    state, _ = from_params({"after": "2026-11-20T06:00:00", "before": "2026-11-20T07:00:00Z"})
    assert state.range == HOUR


def test_a_live_list_says_nothing_in_the_address() -> None:
    assert to_params(ListState()) == {}


def test_earlier_and_later_touch_the_window_and_are_as_long() -> None:
    state = ListState(range=HOUR)
    earlier = update(state, ShiftWindow(panel="jobs", to="earlier")).range
    assert earlier == Range(after=AT - timedelta(hours=2), before=AT - timedelta(hours=1))
    assert earlier is not None
    assert earlier.shifted("later") == HOUR
    assert update(ListState(), ShiftWindow(panel="jobs", to="earlier")).live


def test_bounds_that_were_given_the_wrong_way_round_are_turned() -> None:
    assert update(ListState(), ShowWindow(panel="jobs", after=HOUR.before, before=HOUR.after)).range == HOUR


def test_going_back_to_live_starts_with_nothing_of_the_window() -> None:  # RT-5
    scrolled = update(ListState(range=HOUR), Scrolled(panel="jobs", start=500, end=560))
    live = update(scrolled, BackToLive(panel="jobs"))
    assert (live.live, live.start, live.painted.rows) == (True, 0, ())


def test_a_window_is_never_held() -> None:
    assert not update(ListState(range=HOUR), Hold(panel="jobs")).held


def test_showing_new_rows_lets_go_and_asks_to_scroll_up() -> None:
    held = update(ListState(), Hold(panel="jobs"))
    shown = update(held, ShowNew(panel="jobs"))
    assert (held.held, shown.held, shown.top) == (True, False, held.top + 1)
    assert not update(held, Release(panel="jobs")).held


def test_a_held_list_keeps_its_rows_in_place_and_updates_them() -> None:
    painted = Painted()
    first = jobs(3)
    painted.show(first, held=False, key=name_of)
    failed = first[1].model_copy(update={"status": "failed"})
    shown = painted.show((job(0), first[0], failed, first[2]), held=True, key=name_of)
    assert [row.id for row in shown] == ["job_1", "job_2", "job_3"]
    assert shown[1].status == "failed"


def test_a_row_that_leaves_while_the_list_is_held_stays_as_it_was() -> None:
    painted = Painted()
    first = jobs(3)
    painted.show(first, held=False, key=name_of)
    assert painted.show((job(0),), held=True, key=name_of) == first
    assert painted.show((job(0),), held=False, key=name_of) == (job(0),)


def test_a_list_that_was_never_painted_has_nothing_to_hold() -> None:
    assert Painted().show(jobs(2), held=True, key=name_of) == jobs(2)
