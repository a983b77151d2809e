from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from page_fakes import LiveList, WindowData, draw, elements, job, jobs, result, section, take, words, worker

from pyapp.contract.jobs import JOB_STATUSES, JobsStats
from pyapp.core.cache.keys import WindowKey, aggregate, item, live, window
from pyapp.core.cache.result import Result
from pyapp.core.errors import NetworkError
from pyapp.core.freshness import FreshnessReason as Why
from pyapp.core.freshness import FreshnessState
from pyapp.pages import jobs as page
from pyapp.pages.asked import AskCancel, Asked, Cancel, Dismiss, KeepJob, Retry
from pyapp.pages.jobs_state import ChooseFunction, ChooseStatus, ChooseWorker, ClearFilters, Search, State
from pyapp.pages.listing import BackToLive, Hold, Range, Scrolled, ShowWindow
from pyapp.pages.panel import Reload
from pyapp.pages.protocol import Mutate, MutationDone, MutationFailed, Refresh

AFTER, BEFORE = datetime(2026, 11, 20, 6, tzinfo=UTC), datetime(2026, 11, 20, 7, tzinfo=UTC)
WINDOW = {"after": "2026-11-20T06:00:00Z", "before": "2026-11-20T07:00:00Z"}
EVIL = '<img src=x onerror="alert(1)">\u202e'


def step(state: State, *messages: Any) -> State:
    for message in messages:
        state, _ = take(page.update(state, message))
    return state


def the_list(state: State, one: Result[Any], **others: Result[Any]) -> str:
    return draw(page.PANELS, "jobs", state, {"jobs": one, **others})


# -- The address and the queries


names = st.text(min_size=1, max_size=30)
addresses = st.fixed_dictionaries(
    {},
    optional={"status": st.sampled_from(JOB_STATUSES), "function": names, "worker": names, "q": names},
) | st.just(WINDOW)


@given(addresses)
def test_an_address_survives_its_way_through_the_state(params: dict[str, str]) -> None:
    state = page.initial(params)
    assert page.params(state) == params
    assert state.problem is None


@given(st.dictionaries(st.sampled_from(["status", "function", "worker", "q", "after", "before"]), st.text(max_size=20)))
def test_any_address_gives_a_page_whose_queries_can_be_named(params: dict[str, str]) -> None:
    state = page.initial(params)
    assert {str(need.key) for need in page.needs(state).values()}
    assert page.initial(page.params(state)).model_copy(update={"list": state.list, "problem": state.problem}) == state


def test_a_status_that_does_not_exist_is_dropped_and_said() -> None:
    state = page.initial({"status": "exploded"})
    assert state.status is None
    assert "status" in (state.problem or "")


def test_a_live_page_asks_for_the_list_the_counts_and_the_jobs_in_flight() -> None:
    needs = page.needs(page.initial({"status": "failed", "function": "demo.leaf"}))
    assert needs["jobs"].key == live("jobs", status=("failed",), function="demo.leaf")
    assert needs["in-flight"].key == live("jobs", status=("active", "queued", "retrying"), function="demo.leaf")
    assert needs["counts"].key == aggregate("jobs.stats", function="demo.leaf")
    assert needs["counts"].live
    assert {"functions", "workers"} <= needs.keys()


def test_a_window_asks_for_the_range_and_holds_its_counts_still() -> None:  # RT-3
    needs = page.needs(page.initial({**WINDOW, "status": "failed"}))
    assert needs["jobs"].key == window("jobs", after=AFTER, before=BEFORE, status=("failed",))
    assert needs["counts"].key == aggregate("jobs.stats", after=AFTER, before=BEFORE)
    assert not needs["counts"].live
    assert "in-flight" not in needs


def test_the_server_has_no_counts_of_one_worker() -> None:
    assert "counts" not in page.needs(page.initial({"worker": "worker_1"}))


def test_a_window_looks_after_the_jobs_that_something_was_asked_of() -> None:  # RT-3
    state = step(page.initial(WINDOW), Retry(job_id="job_1"), Retry(job_id="job_2"))
    asked = {name: need.key for name, need in page.needs(state).items() if name.startswith("asked-")}
    assert asked == {"asked-0": item("jobs", "job_2"), "asked-1": item("jobs", "job_1")}
    assert not any(name.startswith("asked-") for name in page.needs(step(state, BackToLive(panel="jobs"))))


# -- What the user does


def test_a_filter_begins_the_list_anew_in_the_same_mode() -> None:
    scrolled = step(page.initial(WINDOW), Scrolled(panel="jobs", start=400, end=460))
    for action in (ChooseStatus(status="failed"), ChooseFunction(value="f"), ChooseWorker(value="w"), Search(value="x")):
        narrowed = step(scrolled, action)
        assert narrowed.list.range == Range(after=AFTER, before=BEFORE)
        assert narrowed.list.start == 0
        assert narrowed.filtered
        assert not step(narrowed, ClearFilters()).filtered


def test_any_is_no_filter() -> None:
    state = step(page.initial({"function": "f", "worker": "w"}), ChooseFunction(value=""), ChooseWorker(value=""))
    assert page.params(state) == {}


def test_cancel_is_asked_for_twice_and_sent_once() -> None:
    asked = step(page.initial({}), AskCancel(job_id="job_1", name="leaf"))
    assert asked.confirming is not None
    assert step(asked, KeepJob()).confirming is None
    state, effects = take(page.update(asked, Cancel(job_id="job_1")))
    assert effects == (Mutate("jobs.cancel", {"job_id": "job_1"}),)
    assert (state.confirming, state.asked[0].phase) == (None, "sent")


def test_retry_is_sent_at_once() -> None:
    state, effects = take(page.update(page.initial({}), Retry(job_id="job_1")))
    assert effects == (Mutate("jobs.retry", {"job_id": "job_1"}),)
    assert state.asked[0].verb == "retry"


def test_refresh_is_an_effect_per_need() -> None:  # RT-37
    state = page.initial({})
    assert page.update(state, Reload(needs=("jobs", "counts"))) == (state, Refresh("jobs"), Refresh("counts"))


def test_choosing_a_window_is_in_the_address_and_leaving_it_is_too() -> None:
    state = step(page.initial({}), ShowWindow(panel="jobs", after=AFTER, before=BEFORE))
    assert page.params(state) == WINDOW
    assert page.params(step(state, BackToLive(panel="jobs"))) == {}


def test_a_list_that_is_read_anew_forgets_what_was_accepted_before() -> None:
    asked = step(page.initial(WINDOW), Retry(job_id="job_1"), Retry(job_id="job_2"), MutationDone("jobs.retry", {"job_id": "job_1"}))
    for action in (Reload(needs=("jobs",)), BackToLive(panel="jobs"), ShowWindow(panel="jobs", after=AFTER, before=BEFORE)):
        assert [one.job_id for one in step(asked, action).asked] == ["job_2"]


# -- What is shown


@pytest.mark.parametrize(
    ("one", "freshness", "says"),
    [
        (Result[Any](), "loading", "Loading Jobs"),
        (result(LiveList((), 0)), "live", "The server has no jobs."),
        (
            result(None, FreshnessState.ERROR, Why.NETWORK, error=NetworkError("The server could not be reached.")),
            "error",
            "did not load",
        ),
        (result(LiveList(jobs(2), 2), FreshnessState.STALE, Why.OLD), "stale", "Stale since"),
        (result(LiveList(jobs(2), 2), FreshnessState.PAUSED, Why.USER), "paused", "Paused"),
    ],
)
def test_the_list_says_each_of_its_states(one: Result[Any], freshness: str, says: str) -> None:
    drawn = the_list(page.initial({}), one)
    assert section(drawn)["data-freshness"] == freshness
    assert section(drawn)["data-panel"] == "jobs"
    assert says in words(drawn)


def test_what_an_event_did_not_say_of_a_job_is_a_dash_and_not_made_up() -> None:  # RT-6
    known = words(the_list(page.initial({}), result(LiveList((job(1, "active", job_type="cron", queue_wait_ms=5.0),), 1))))
    unknown = words(the_list(page.initial({}), result(LiveList((job(1, "active", job_type=None, queue_wait_ms=None),), 1))))
    assert "cron" in known
    assert unknown.count("—") == known.count("—") + 2


def test_old_data_stays_when_a_refetch_fails() -> None:  # RT-12
    failed = result(LiveList(jobs(3), 3), FreshnessState.ERROR, Why.SERVER, error=NetworkError("Gone."))
    assert len(elements(the_list(page.initial({}), failed), "tr")) == 1 + 3


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (LiveList(jobs(50), 162), "latest 50 of 162"),
        (LiveList(jobs(50), 162, approximate=True), "latest 50 of about 162"),
        (LiveList(jobs(50), None), "latest 50"),
        (LiveList(jobs(3), 3), "all 3"),
    ],
)
def test_the_head_says_how_much_of_what_is_shown(data: LiveList, says: str) -> None:
    assert says in words(the_list(page.initial({}), result(data)))


def test_an_empty_list_says_which_filters_made_it_so() -> None:
    drawn = the_list(page.initial({"status": "failed", "function": "demo.leaf"}), result(LiveList((), 0)))
    assert "No failed jobs of demo.leaf." in words(drawn)
    assert "Clear filters" in words(drawn)


def test_the_search_looks_at_function_id_and_error_of_what_is_loaded() -> None:
    rows = (job(1, function_name="alpha"), job(2, error="Alphabet soup"), job(3))
    drawn = the_list(page.initial({"q": "ALPHA"}), result(LiveList(rows, 162)))
    assert "2 of 3 loaded match" in words(drawn)
    assert len(elements(drawn, "tr")) == 1 + 2


def test_held_rows_stay_and_new_ones_wait() -> None:
    state = page.initial({})
    the_list(state, result(LiveList(jobs(3), 3)))
    held = step(state, Hold(panel="jobs"))
    drawn = the_list(held, result(LiveList((job(-1), job(0), *jobs(2)), 5)))
    assert "2 new" in words(drawn)
    assert [one.attributes["class"] for one in elements(drawn, "tr") if "class" in one.attributes] == ["", "", "left"]
    assert "job_0" not in words(drawn)


def test_an_asked_row_stands_on_slanted_ground_until_its_job_has_changed() -> None:
    state = step(page.initial({}), Cancel(job_id="job_1"))
    running, stopped = LiveList((job(1, "active"),), 1), LiveList((job(1, "cancelled"),), 1)
    assert elements(the_list(state, result(running)), "tr", **{"class": "asked"})
    accepted = step(state, MutationDone("jobs.cancel", {"job_id": "job_1"}))
    assert elements(the_list(accepted, result(running)), "tr", **{"class": "asked"})
    assert not elements(the_list(accepted, result(stopped)), "tr", **{"class": "asked"})


def test_a_refused_action_says_why_under_its_row_until_it_is_dismissed() -> None:
    state = step(page.initial({}), Retry(job_id="job_1"), MutationFailed("jobs.retry", {"job_id": "job_1"}, "Not failed."))
    data = result(LiveList((job(1, "failed"),), 1))
    assert "Retry was refused: Not failed." in words(the_list(state, data))
    assert "refused" not in words(the_list(step(state, Dismiss(job_id="job_1")), data))


@pytest.mark.parametrize("status", JOB_STATUSES)
def test_each_status_offers_the_action_that_it_allows(status: Any) -> None:
    said = words(the_list(page.initial({}), result(LiveList((job(1, status),), 1))))
    assert ("Cancel leaf job_1" in said) == (status in ("pending", "queued", "active", "retrying"))
    assert ("Retry leaf job_1" in said) == (status in ("failed", "cancelled"))


def test_a_window_renders_what_can_be_seen_and_spacers_for_the_rest() -> None:  # RT-4
    state = step(page.initial(WINDOW), Scrolled(panel="jobs", start=400, end=460))
    drawn = the_list(state, result(WindowData(jobs(10_000), 10_000), FreshnessState.WINDOW, Why.NONE))
    assert len(elements(drawn, "tr")) == 1 + 60 + 2
    assert len(elements(drawn, "tr", **{"class": "spacer"})) == 2
    assert "lines" not in drawn  # their height goes through the CSSOM, which has no text form
    assert elements(drawn, "table", aria_rowcount="10001")
    assert elements(drawn, "tr", aria_rowindex="402")
    assert elements(drawn, "pen-viewport", count="10000")
    assert "10,000 jobs, the whole range, read" in words(drawn)


def test_a_window_that_is_still_read_says_how_far_it_is() -> None:
    one = result(WindowData(jobs(500), 3_348, complete=False), FreshnessState.WINDOW, Why.NONE)
    assert "3,348 jobs, 500 read so far" in words(the_list(page.initial(WINDOW), one))


def test_a_slice_beyond_the_end_of_a_shorter_window_is_not_an_error() -> None:
    state = step(page.initial(WINDOW), Scrolled(panel="jobs", start=400, end=460))
    assert elements(the_list(state, result(WindowData(jobs(3), 3), FreshnessState.WINDOW, Why.NONE)), "tr")


@given(st.sampled_from(JOB_STATUSES), st.integers(1, 5))
def test_a_row_of_a_window_never_changes_whatever_its_job_does(status: Any, attempts: int) -> None:  # RT-3
    state = page.initial(WINDOW).model_copy(update={"asked": (Asked(job_id="job_2", verb="retry", phase="accepted"),)})
    data = result(WindowData((job(1), job(2, "failed", error="kaboom"), job(3)), 3), FreshnessState.WINDOW, Why.NONE)

    def row(now: Result[Any] | None) -> str:
        drawn = the_list(state, data, **({"asked-0": now} if now else {}))
        return drawn[drawn.index('aria-rowindex="3"') : drawn.index('class="aside"')]

    assert row(result(job(2, status, attempts=attempts))) == row(None)


def test_under_a_row_of_a_window_stands_what_became_of_it() -> None:
    state = page.initial(WINDOW).model_copy(update={"asked": (Asked(job_id="job_2", verb="retry", phase="accepted"),)})
    data = result(WindowData((job(1), job(2, "failed")), 2), FreshnessState.WINDOW, Why.NONE)
    said = words(the_list(state, data, **{"asked-0": result(job(2, "active", attempts=3))}))
    assert "Since this window was read: retry accepted, now Active attempt 3." in said
    unchanged = words(the_list(state, data, **{"asked-0": result(job(2, "failed"))}))
    assert "and it is still Failed" in unchanged


def test_hostile_text_of_a_job_is_text_everywhere() -> None:
    evil = job(1, "failed", id=EVIL, function_name=EVIL, function=EVIL, worker_id=EVIL, error=EVIL)
    for state, data in ((page.initial({"q": "img"}), LiveList((evil,), 1)), (page.initial(WINDOW), WindowData((evil,), 1))):
        drawn = the_list(state, result(data))
        assert not elements(drawn, "img")
        assert EVIL in words(drawn)
    filters = draw(page.PANELS, "filters", page.initial({"function": EVIL}), {"workers": result(LiveList((worker(EVIL, 1),), 1))})
    assert not elements(filters, "img")


# -- Filters and tabs


def test_the_selects_offer_what_the_server_has_and_keep_what_is_chosen() -> None:
    state = page.initial({"worker": "gone_7"})
    drawn = draw(page.PANELS, "filters", state, {"workers": result(LiveList((worker("demo", 1, 2),), 1)), "functions": Result()})
    options = [one.attributes["value"] for one in elements(drawn, "option")]
    assert options == ["", "", "demo_0", "demo_1", "gone_7"]


def test_the_tabs_show_the_counts_and_which_one_is_chosen() -> None:
    stats = JobsStats(total=162, success_count=150, failure_count=11, cancelled_count=1, success_rate=93.0)
    drawn = draw(
        page.PANELS, "tally", page.initial({"status": "failed"}), {"counts": result(stats), "in-flight": result(LiveList((), 0))}
    )
    assert "All 162" in words(drawn)
    assert "Failed 11" in words(drawn)
    assert [one.attributes["aria-pressed"] for one in elements(drawn, "button")].count("true") == 1


def test_the_dialog_is_open_only_while_it_asks() -> None:
    closed = draw(page.PANELS, "confirm", page.initial({}), {})
    opened = draw(page.PANELS, "confirm", step(page.initial({}), AskCancel(job_id="job_1", name=EVIL)), {})
    assert "open" not in elements(closed, "pen-dialog")[0].attributes
    assert "open" in elements(opened, "pen-dialog")[0].attributes
    assert not elements(opened, "img")


def test_only_a_window_key_is_made_for_a_window() -> None:
    assert isinstance(page.needs(page.initial(WINDOW))["jobs"].key, WindowKey)
