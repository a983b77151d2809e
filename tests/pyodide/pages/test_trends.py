from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from page_fakes import NOW, draw, elements, result, section, stats, take, words

from pyapp.contract.apis import ApiTrendHour, ApiTrends
from pyapp.contract.dashboard import FailingFunction, QueuedJob
from pyapp.contract.jobs import JobTrendHour, JobTrends
from pyapp.core.cache.keys import aggregate
from pyapp.core.freshness import FreshnessReason as Why
from pyapp.core.freshness import FreshnessState
from pyapp.pages import dashboard as page
from pyapp.pages.trends import ChooseRunbook, api_trends, job_trends
from pyapp.ui import to_html
from pyapp.ui.components.bars import Bar, Part, scale, stacked_bars

HOUR = NOW.replace(minute=0, second=0)
PARTS = (Part("good", "complete"), Part("bad", "failed", overhangs=True))


def hours(count: int = 24) -> JobTrends:
    return JobTrends(
        hourly=tuple(
            JobTrendHour(hour=HOUR - timedelta(hours=count - 1 - n), complete=n, failed=n % 2, retrying=0, active=0)
            for n in range(count)
        )
    )


def state(**params: str) -> Any:
    return page.initial(params)


@given(st.integers(0, 10**9))
def test_the_scale_is_round_and_holds_the_highest_bar(highest: int) -> None:
    top = scale(highest)
    assert top >= max(highest, 1)
    assert top % 3 == 0
    assert top <= max(3, highest * 4)


def test_one_failure_among_ten_thousand_can_be_seen() -> None:
    drawn = to_html(stacked_bars("Jobs", PARTS, (Bar((10_000, 1)),)))
    (failed,) = [
        one for one in elements(drawn, "rect", **{"class": "f-failed"}) if "height" in one.attributes and "y" in one.attributes
    ]
    assert float(failed.attributes["height"]) >= 1


def test_what_is_zero_takes_no_room() -> None:
    drawn = to_html(stacked_bars("Jobs", PARTS, (Bar((5, 0)), Bar((0, 0)))))
    assert len([one for one in elements(drawn, "rect") if "y" in one.attributes and one.attributes["class"] != "sofar"]) == 1


def test_the_running_hour_stands_in_a_frame_and_the_chart_says_its_totals() -> None:
    drawn = to_html(job_trends(hours()))
    assert len(elements(drawn, "rect", **{"class": "sofar"})) == 1
    (chart,) = elements(drawn, "svg", role="img")
    assert chart.attributes["aria-label"] == "Jobs per hour over 24 hours: 276 complete, 0 active, 0 retrying, 12 failed"
    assert "complete 276" in words(drawn)


def test_trends_of_no_hours_can_be_drawn() -> None:
    for drawn in (to_html(job_trends(JobTrends())), to_html(api_trends(ApiTrends()))):
        assert elements(drawn, "svg", role="img")


def test_requests_are_stacked_by_the_class_of_their_status() -> None:
    trends = ApiTrends(hourly=(ApiTrendHour(hour=HOUR, success_2xx=2_982, client_4xx=151, server_5xx=59),))
    assert "2xx 2,9824xx 1515xx 59" in words(to_html(api_trends(trends)))


def test_paused_trends_are_kept_and_not_updated() -> None:  # RT-5
    live = page.needs(state())["job-trends"]
    paused, _ = take(page.update(state(), page.SetLive(panel="job-trends", live=False)))
    assert (live.key, live.live) == (aggregate("jobs.trends", hours=24), True)
    assert (page.needs(paused)["job-trends"].key, page.needs(paused)["job-trends"].live) == (live.key, False)
    assert page.needs(paused)["api-trends"].live
    assert page.params(paused) == {"paused": "job-trends"}
    assert page.params(take(page.update(paused, page.SetLive(panel="job-trends", live=True)))[0]) == {}


def test_a_paused_panel_offers_to_go_live() -> None:
    drawn = draw(
        page.PANELS, "job-trends", state(paused="job-trends"), {"job-trends": result(hours(), FreshnessState.PAUSED, Why.USER)}
    )
    assert section(drawn)["data-freshness"] == "paused"
    assert "Go live" in words(drawn)
    assert elements(drawn, "button", aria_pressed="true")


@pytest.mark.parametrize(
    ("tab", "says"),
    [("failing", "always_fail100%11 of 11 failed"), ("queued", "leaf9.2sstream"), ("stuck", "Nothing is stuck.")],
)
def test_the_runbook_shows_what_fails_waits_or_is_stuck(tab: Any, says: str) -> None:
    data = stats(
        top_failing_functions=(FailingFunction(key="f", name="always_fail", runs=11, failures=11, failure_rate=100),),
        oldest_queued_jobs=(QueuedJob(id="j", function="f", function_name="leaf", queued_at=NOW, age_seconds=9.2, source="stream"),),
    )
    chosen, _ = take(page.update(state(), ChooseRunbook(tab=tab)))
    said = words(draw(page.PANELS, "runbook", chosen, {"stats": result(data)}))
    assert says in said
    assert "Failing1Queued1Stuck0" in said
    assert page.initial(page.params(chosen)).runbook == tab
