from __future__ import annotations

from page_fakes import LiveList, job, jobs

from pyapp.contract.jobs import JobsStats
from pyapp.pages.tally import IN_FLIGHT, TABS, live_tally, window_tally

STATS = JobsStats(total=1_162, success_count=1_146, failure_count=11, cancelled_count=1, success_rate=92.0)


def test_live_counts_come_from_the_statistics_and_the_jobs_in_flight() -> None:
    flying = LiveList((job(1, "active"), job(2, "active"), job(3, "queued")), 3)
    assert live_tally(STATS, flying) == {
        None: "1,162",
        "complete": "1,146",
        "failed": "11",
        "cancelled": "1",
        "active": "2",
        "queued": "1",
        "retrying": "0",
    }


def test_jobs_in_flight_that_do_not_fit_into_one_list_are_not_guessed() -> None:  # RT-6
    assert [live_tally(None, LiveList(jobs(50, "active"), 51))[tab] for tab in IN_FLIGHT] == ["50+"] * 3
    assert live_tally(None, LiveList(jobs(50, "active"), 50))["active"] == "50"


def test_jobs_in_flight_of_unknown_total_are_counted_as_far_as_they_are_known() -> None:
    assert live_tally(None, LiveList(jobs(4, "retrying"), None))["retrying"] == "4"


def test_what_is_not_known_has_no_count() -> None:
    assert set(live_tally(None, None).values()) == {""}
    assert set(window_tally(None, None).values()) == {""}


def test_a_whole_window_is_counted_by_itself() -> None:
    rows = (*jobs(3), job(4, "failed"), job(5, "active"))
    counts = window_tally(rows, STATS)
    assert (counts[None], counts["complete"], counts["failed"], counts["active"], counts["queued"]) == ("5", "3", "1", "1", "0")


def test_a_window_that_is_narrowed_takes_the_statistics_of_its_range() -> None:
    counts = window_tally(None, STATS)
    assert (counts[None], counts["failed"], counts["active"]) == ("1,162", "11", "")


def test_every_tab_has_an_entry_in_every_mode() -> None:
    for counts in (live_tally(STATS, None), window_tally(None, STATS), window_tally(jobs(1), None)):
        assert set(counts) == set(TABS)
