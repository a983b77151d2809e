from __future__ import annotations

from typing import Any

import pytest
from page_fakes import NOW, draw, elements, result, stats, take, words

from pyapp.contract.dashboard import FailingFunction, QueuedJob
from pyapp.core.cache.keys import aggregate
from pyapp.pages import dashboard as page
from pyapp.pages.runbook import ChooseMinRate, ChooseRunbook


def state(**params: str) -> Any:
    return page.initial(params)


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


def test_the_least_rate_is_asked_of_the_server_and_stands_in_the_address() -> None:
    assert page.needs(state())["stats"].key == aggregate("stats", window_minutes=5)
    chosen, _ = take(page.update(state(), ChooseMinRate(value="25")))
    assert page.needs(chosen)["stats"].key == aggregate("stats", window_minutes=5, failing_min_rate=25)
    assert page.params(chosen) == {"min_rate": "25"}
    assert page.initial(page.params(chosen)).min_rate == 25
    assert page.initial({"min_rate": "7"}).min_rate == 0
    drawn = draw(page.PANELS, "runbook", chosen, {"stats": result(stats())})
    assert "Nothing fails as often as 25 %." in words(drawn)
    assert not elements(draw(page.PANELS, "runbook", state(runbook="stuck"), {"stats": result(stats())}), "select")


def test_what_fails_leads_to_its_function_and_what_waits_to_its_job() -> None:
    data = stats(
        top_failing_functions=(FailingFunction(key="a/b", name="x", runs=2, failures=1, failure_rate=50),),
        oldest_queued_jobs=(QueuedJob(id="job_1", function="f", function_name="leaf", queued_at=NOW, age_seconds=1, source="stream"),),
    )
    for tab, address in (("failing", "#/functions/a%2Fb"), ("queued", "#/jobs/job_1")):
        drawn = draw(page.PANELS, "runbook", state(runbook=tab), {"stats": result(data)})
        assert [one.attributes["href"] for one in elements(drawn, "a")] == [address]
