from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from page_fakes import NOW, draw, elements, result, section, take, words

from pyapp.contract.apis import ApiTrendHour, ApiTrends
from pyapp.contract.jobs import JobTrendHour, JobTrends
from pyapp.core.cache.keys import aggregate
from pyapp.core.freshness import FreshnessReason as Why
from pyapp.core.freshness import FreshnessState
from pyapp.pages import dashboard as page
from pyapp.pages.protocol import Navigate
from pyapp.pages.trends import (
    ChooseStep,
    ChooseType,
    TrendView,
    _label,  # pyright: ignore[reportPrivateUsage]
    api_trends,
    job_trends,
    type_trends,
)
from pyapp.ui import Encoder, to_html
from pyapp.ui.components.bars import Bar, Part, scale, stacked_bars

HOUR = NOW.replace(minute=0, second=0)
HOURLY, DAILY = TrendView(), TrendView(step="day")
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


@settings(deadline=None)
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
    assert len([one for one in elements(drawn, "rect") if "y" in one.attributes and one.attributes["class"].startswith("f-")]) == 1


def test_the_running_hour_stands_in_a_frame_and_the_chart_says_its_totals() -> None:
    drawn = to_html(job_trends(hours(), HOURLY))
    assert len(elements(drawn, "rect", **{"class": "sofar"})) == 1
    (chart,) = elements(drawn, "div", role="slider")
    assert chart.attributes["aria-label"] == "Jobs per hour over 24 hours: 276 complete, 0 active, 0 retrying, 12 failed"
    assert "complete 276" in words(drawn)


def test_trends_of_no_hours_can_be_drawn() -> None:
    for drawn in (to_html(job_trends(JobTrends(), HOURLY)), to_html(api_trends(ApiTrends(), HOURLY))):
        assert elements(drawn, "div", role="slider", aria_valuemax="0")


def test_requests_are_stacked_by_the_class_of_their_status() -> None:
    trends = ApiTrends(hourly=(ApiTrendHour(hour=HOUR, success_2xx=2_982, client_4xx=151, server_5xx=59),))
    assert "2xx 2,9824xx 1515xx 59" in words(to_html(api_trends(trends, HOURLY)))


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


def test_daily_are_seven_days_of_the_viewer_and_their_sums() -> None:
    trends = hours(168)
    drawn = to_html(job_trends(trends, DAILY))
    begins = {(HOUR - timedelta(hours=167 - n)).astimezone().date() for n in range(168)}
    first = (HOUR - timedelta(hours=167)).astimezone()
    whole = len(begins) - (first.hour > 0)
    assert whole in (7, 8)
    spans = elements(drawn, "pen-span")
    assert len(spans) == whole
    assert all(one.attributes["to"] == after.attributes["from"] for one, after in pairwise(spans))
    left_out = 24 - first.hour if first.hour else 0
    assert f"complete {sum(range(left_out, 168)):,}" in words(drawn)
    assert elements(drawn, "div", role="slider")[0].attributes["aria-label"].startswith(f"Jobs per day over {whole} days: ")


def test_one_day_that_is_not_whole_is_shown_and_not_left_out() -> None:
    assert len(elements(to_html(job_trends(hours(2), DAILY)), "pen-span")) in (1, 2)


def test_types_are_stacked_by_what_each_of_them_ran() -> None:
    one = hours(2)
    late = JobTrends(hourly=one.hourly[1:])
    drawn = to_html(type_trends((one, late, JobTrends()), HOURLY))
    assert "task 2cron 2event 0" in words(drawn)
    assert {row.attributes["data-fill"] for row in elements(drawn, "th", scope="col") if "data-fill" in row.attributes} == {
        "task",
        "cron",
        "event",
    }


def test_the_step_and_the_type_stand_in_the_address_and_choose_the_queries() -> None:
    daily, _ = take(page.update(state(), ChooseStep(step="day")))
    assert page.needs(daily)["job-trends"].key == aggregate("jobs.trends", hours=168)
    assert page.needs(daily)["api-trends"].key == aggregate("apis.trends", hours=168)
    cron, _ = take(page.update(daily, ChooseType(value="cron")))
    assert page.needs(cron)["job-trends"].key == aggregate("jobs.trends", hours=168, type="cron")
    stacked, _ = take(page.update(cron, ChooseType(value="each")))
    keys = [need.key for name, need in page.needs(stacked).items() if name.startswith("job-trends")]
    assert keys == [aggregate("jobs.trends", hours=168, type=kind) for kind in ("task", "cron", "event")]
    assert page.params(stacked) == {"trends": "daily", "type": "each"}
    assert page.initial(page.params(stacked)).trends == stacked.trends
    assert page.initial({"trends": "weekly", "type": "dog"}).trends == TrendView()
    assert take(page.update(stacked, ChooseType(value="")))[0].trends == TrendView(step="day")


def test_stacked_types_are_as_fresh_as_the_worst_of_them_and_wait_for_all() -> None:
    shown = state(type="each")
    good = result(hours())
    names = [name for name in page.needs(shown) if name.startswith("job-trends")]
    stale = result(hours(), FreshnessState.STALE, Why.CONNECTING)
    polled = draw(page.PANELS, "job-trends", shown, {**dict.fromkeys(names, good), names[1]: stale})
    assert section(polled)["data-freshness"] == "stale"
    assert elements(polled, "div", role="slider")
    waiting = draw(page.PANELS, "job-trends", shown, {names[0]: good, names[1]: good, names[2]: result(None, FreshnessState.LOADING)})
    assert not elements(waiting, "div", role="slider")


def test_the_numbers_stand_in_a_table_behind_the_drawing() -> None:
    drawn = to_html(job_trends(hours(3), HOURLY))
    assert len(elements(drawn, "caption")) == 1
    assert [one.attributes["from"] for one in elements(drawn, "pen-span")] == [
        "2026-11-20T05:00:00Z",
        "2026-11-20T06:00:00Z",
        "2026-11-20T07:00:00Z",
    ]
    assert len(elements(drawn, "td")) == 3 * 4


def test_a_range_of_bars_leads_to_the_jobs_or_the_requests_of_that_time() -> None:  # RT-4
    after, before = HOUR - timedelta(hours=2), HOUR
    _, (effect,) = take(page.update(state(), page.ShowJobs(after=after, before=before)))
    assert effect == Navigate("#/jobs?after=2026-11-20T05:00:00Z&before=2026-11-20T07:00:00Z")
    drawn = draw(page.PANELS, "api-trends", state(), {"api-trends": result(ApiTrends())})
    (chart,) = elements(drawn, "pen-chart")
    assert chart.attributes["shows"] == "activity-apis"


def test_a_chart_in_which_nothing_changed_is_not_drawn_again() -> None:
    encoder, view = Encoder(), TrendView()
    first = hours()
    encoder.paint({"chart": lambda: job_trends(first, view)})
    sent = encoder.statistics().rows_sent
    equal = JobTrends.model_validate_json(first.model_dump_json())
    again = encoder.paint({"chart": lambda: job_trends(equal, view)})
    # What is sent again are the four words of the head and of the legend; no bar, and no row of the table.
    assert encoder.statistics().rows_sent - sent <= 4
    assert encoder.paint({"chart": lambda: job_trends(equal, view)}) == again
    grown = JobTrends(hourly=(*first.hourly[:-1], first.hourly[-1].model_copy(update={"complete": 24})))
    before = encoder.statistics().rows_sent
    encoder.paint({"chart": lambda: job_trends(grown, view)})
    assert encoder.statistics().rows_sent - before <= 4 + 2, "the bar that grew and its row"


def test_a_zone_that_is_half_an_hour_off_has_hours_that_say_so() -> None:
    assert _label(HOUR + timedelta(minutes=30), "hour", always=True).endswith(":30")
    assert ":" not in _label(HOUR, "hour", always=True)
