from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from page_fakes import ENV, LiveList, WindowData, draw, elements, job, jobs, request, result, section, stats, words, worker

from pyapp.contract.apis import ApiTrends
from pyapp.contract.dashboard import ApiTotals, QueueTotals, RunTotals
from pyapp.contract.jobs import JobTrends
from pyapp.core.cache.keys import aggregate, live, window
from pyapp.core.cache.result import Result
from pyapp.core.errors import NetworkError
from pyapp.core.freshness import FreshnessReason as Why
from pyapp.core.freshness import FreshnessState
from pyapp.pages import dashboard as page
from pyapp.pages.listing import BackToLive, Hold, ShowWindow
from pyapp.pages.panel import Reload
from pyapp.pages.protocol import Refresh

AFTER, BEFORE = datetime(2026, 11, 20, 6, tzinfo=UTC), datetime(2026, 11, 20, 7, tzinfo=UTC)
POLLING = (FreshnessState.POLLING, Why.DESIGN)
EVIL = "<script>alert(1)</script>"


@settings(deadline=None)
@given(st.sampled_from([1, 15, 60, 1440]), st.booleans(), st.booleans())
def test_an_address_survives_its_way_through_the_state(minutes: int, jobs_window: bool, requests_window: bool) -> None:
    bounds = {"after": "2026-11-20T06:00:00Z", "before": "2026-11-20T07:00:00Z"}
    chosen = {"jobs.": jobs_window, "requests.": requests_window}
    params = {"minutes": str(minutes)} | {f"{prefix}{name}": at for prefix, on in chosen.items() if on for name, at in bounds.items()}
    assert page.params(page.initial(params)) == params


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["minutes", "jobs.after", "jobs.before", "requests.after"]), st.text(max_size=20)))
def test_any_address_gives_a_page_and_what_makes_no_sense_is_said(params: dict[str, str]) -> None:
    state = page.initial(params)
    assert page.initial(page.params(state)).problem is None
    assert state.problem is not None or page.params(state) == {k: v for k, v in params.items() if (k, v) != ("minutes", "5")}


def test_all_figures_are_one_request() -> None:
    needs = page.needs(page.initial({"minutes": "60"}))
    assert needs["stats"].key == aggregate("stats", window_minutes=60)
    assert {name for name, panel in page.PANELS.items() if "stats" in panel.needs} >= {"queue", "system"}


def test_each_list_is_live_or_a_window_by_itself() -> None:  # RT-5
    state: Any = page.update(page.initial({}), ShowWindow(panel="jobs", after=AFTER, before=BEFORE))
    needs = page.needs(state)
    assert needs["jobs"].key == window("jobs", after=AFTER, before=BEFORE)
    assert needs["requests"].key == live("requests")
    assert page.needs(page.update(state, BackToLive(panel="jobs")))["jobs"].key == live("jobs")  # type: ignore[arg-type]


def test_a_message_about_another_list_changes_nothing() -> None:
    state = page.initial({})
    assert page.update(state, Hold(panel="workers")) is state


def test_refresh_and_the_window_of_the_figures_are_what_they_say() -> None:
    state = page.initial({})
    assert page.update(state, Reload(needs=("stats",))) == (state, Refresh("stats"))
    chosen: Any = page.update(state, page.ChooseMinutes(minutes=1440))
    assert page.params(chosen) == {"minutes": "1440"}


def test_the_queue_shows_every_part_of_the_pipe() -> None:
    drawn = draw(page.PANELS, "queue", page.initial({}), {"stats": result(stats(), *POLLING)})
    said = words(drawn)
    for part in ("Scheduled later18", "Backlog14", "2 due", "9 waiting", "3 claimed", "Running6of 8"):
        assert part in said
    assert elements(drawn, "svg", aria_label="6 of 8 slots running")
    assert len(elements(drawn, "rect", **{"class": "on"})) == 6
    assert section(drawn)["data-freshness"] == "polling"


@pytest.mark.parametrize(("running", "capacity"), [(0, 0), (3, 0), (500, 1_000)])
def test_the_slots_can_be_drawn_for_every_fleet(running: int, capacity: int) -> None:
    queue = QueueTotals(
        running=running, waiting=0, claimed=0, scheduled_due=0, scheduled_future=0, backlog=0, capacity=capacity, total=running
    )
    drawn = draw(page.PANELS, "queue", page.initial({}), {"stats": result(stats(queue=queue))})
    assert len(elements(drawn, "rect")) <= 48


def test_workers_that_fell_silent_are_counted_by_the_servers_clock() -> None:  # RT-55
    data = {"stats": result(stats()), "workers": result(LiveList((worker("a", 2, 29.9), worker("b", 31, 3_600)), 2))}
    assert "8 slots, 2 stale" in words(draw(page.PANELS, "system", page.initial({}), data))
    later = type(ENV)(now_ms=ENV.now_ms + 1_000)
    assert "8 slots, 3 stale" in words(draw(page.PANELS, "system", page.initial({}), data, later))
    assert "stale" not in words(draw(page.PANELS, "system", page.initial({}), {"stats": result(stats())}))


def test_figures_of_nothing_are_dashes() -> None:
    nothing = stats(
        runs=RunTotals(total=0, success_rate=0, window_minutes=5, jobs_per_min=0),
        apis=ApiTotals(requests=0, avg_latency_ms=0, error_rate=0, window_minutes=5, requests_per_min=0),
    )
    drawn = draw(page.PANELS, "system", page.initial({}), {"stats": result(nothing)})
    assert words(drawn).count("—") >= 3
    assert not elements(drawn, "div", **{"class": "fig bad"})


def test_colour_is_for_what_is_out_of_the_ordinary() -> None:
    drawn = draw(page.PANELS, "system", page.initial({}), {"stats": result(stats())})
    assert len(elements(drawn, "div", **{"class": "fig bad"})) == 1
    assert "API errors11.5%25 errors" in words(drawn)


@pytest.mark.parametrize("name", page.PANELS)
def test_every_panel_can_be_drawn_in_every_state(name: str) -> None:
    down = NetworkError("The server could not be reached.")
    known = {
        "stats": stats(),
        "workers": LiveList((worker("a", 1),), 1),
        "jobs": LiveList(jobs(3), 3),
        "requests": LiveList((request(1), request(2, 404), request(3, 500)), 3),
        "job-trends": JobTrends(),
        "api-trends": ApiTrends(),
    }
    for state in FreshnessState:
        with_data = {need: result(data, state, Why.NONE) for need, data in known.items()}
        without = {need: result(None, state, Why.NETWORK, error=down) for need in known}
        for results in (with_data, without, {need: Result[Any]() for need in known}):
            drawn = draw(page.PANELS, name, page.initial({}), results)
            assert section(drawn)["data-panel"] == name


def test_a_window_of_the_overview_shows_times_and_its_extent() -> None:
    state: Any = page.update(page.initial({}), ShowWindow(panel="jobs", after=AFTER, before=BEFORE))
    drawn = draw(page.PANELS, "activity-jobs", state, {"jobs": result(WindowData(jobs(3_000), 3_000), FreshnessState.WINDOW, Why.NONE)})
    assert elements(drawn, "pen-viewport", count="3000")
    assert "3,000, read" in words(drawn)
    assert not elements(drawn, "pen-hold")


def test_a_list_that_scrolls_by_itself_can_be_reached_by_keyboard() -> None:
    drawn = draw(page.PANELS, "activity-apis", page.initial({}), {"requests": result(LiveList((request(),), 1))})
    assert elements(drawn, "div", role="region", tabindex="0")


def test_hostile_text_is_text() -> None:
    rows = (job(1, "failed", function_name=EVIL, error=EVIL),)
    requests = (request().model_copy(update={"path": EVIL, "method": EVIL, "api_name": EVIL}),)
    for name, data in (("activity-jobs", {"jobs": LiveList(rows, 1)}), ("activity-apis", {"requests": LiveList(requests, 1)})):
        drawn = draw(page.PANELS, name, page.initial({}), {need: result(one) for need, one in data.items()})
        assert not elements(drawn, "script")
        assert EVIL in words(drawn)


def test_the_sentence_about_the_address_stays_until_the_address_is_another() -> None:
    state = page.initial({"jobs.after": "yesterday"})
    held: Any = page.update(state, Hold(panel="jobs"))
    assert held.problem == state.problem
    chosen: Any = page.update(held, ShowWindow(panel="jobs", after=AFTER, before=BEFORE))
    assert chosen.problem is None
