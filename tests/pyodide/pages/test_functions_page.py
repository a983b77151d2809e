"""The functions: what can run, how it did, and pausing it."""

from __future__ import annotations

from typing import Any, cast

import pytest
from page_fakes import NOW, LiveList, draw, elements, jobs, result, words

from pyapp.contract.functions import Function
from pyapp.contract.jobs import JobTrends
from pyapp.core.cache.keys import aggregate, live
from pyapp.core.cache.result import Result
from pyapp.pages import function as one_page
from pyapp.pages import functions as page
from pyapp.pages.live_control import SetLive
from pyapp.pages.protocol import Mutate, MutationDone, MutationFailed, ShowToast
from pyapp.pages.sorting import SortBy
from pyapp.pages.switching import Switch

PAUSE = Switch(key="k_mail", paused=True)


def function(name: str, **fields: Any) -> Function:
    given = {"key": f"k_{name}", "name": name, "type": "task", "active": True, "paused": False, "runs_24h": 10, "success_rate": 100.0}
    return Function.model_validate({**given, **fields})


def listed(*functions: Function) -> dict[str, Result[Any]]:
    return {"functions": result(LiveList(functions, len(functions)))}


def names(drawn: str) -> list[str]:
    return [one.attributes["title"].removeprefix("k_") for one in elements(drawn, "a", **{"class": "fn"})]


def stepped(module: Any, state: Any, *messages: Any) -> tuple[Any, list[Any]]:
    """The state after these messages, and every effect."""
    effects: list[Any] = []
    for message in messages:
        out = module.update(state, message)
        step = cast("tuple[Any, ...]", out) if isinstance(out, tuple) else (out,)
        state, more = step[0], step[1:]
        effects += more
    return state, effects


def test_a_row_says_what_the_answer_says_and_what_never_ran_has_no_rate() -> None:
    ran = function(
        "mail", type="cron", schedule="*/5 * * * *", success_rate=93.25, avg_duration_ms=1_620, queue_backlog=3, last_run_at=NOW
    )
    drawn = draw(page.PANELS, "functions", page.initial({}), listed(ran, function("new", runs_24h=0, success_rate=0)))
    said = words(drawn)
    for text in ("*/5 * * * *", "93.2", "1.62", "Pause"):
        assert text in said, text
    assert elements(drawn, "td", **{"class": "num warn"})
    assert not elements(drawn, "td", **{"class": "num bad"})


def test_filters_narrow_and_each_is_in_the_address() -> None:
    fleet = listed(
        function("mail", workers=["general"]),
        function("cron", type="cron", paused=True),
        function("lost", active=False),
    )
    for address, shown in (
        ({"q": "K_MA"}, ["mail"]),
        ({"type": "cron"}, ["cron"]),
        ({"state": "paused"}, ["cron"]),
        ({"state": "inactive"}, ["lost"]),
        ({"worker": "general"}, ["mail"]),
        ({}, ["cron", "lost", "mail"]),
    ):
        state = page.initial(address)
        assert page.params(state) == address
        assert names(draw(page.PANELS, "functions", state, fleet)) == shown
    none = draw(page.PANELS, "functions", page.initial({"type": "event"}), fleet)
    assert "No function is like that." in words(none)
    cleared, _ = stepped(page, page.initial({"type": "event", "q": "x"}), page.ClearFilters())
    assert page.params(cleared) == {}


@pytest.mark.parametrize("address", [{"type": "task2"}, {"state": "gone"}, {"sort": "colour"}])
def test_what_there_is_not_is_dropped_and_said(address: dict[str, str]) -> None:
    state = page.initial(address)
    assert state.problem is not None
    assert page.params(state) == {}


def test_figures_sort_with_the_largest_first_and_success_with_the_worst() -> None:
    fleet = listed(function("a", runs_24h=1, success_rate=99), function("b", runs_24h=5, success_rate=50), function("c", runs_24h=0))
    runs, _ = stepped(page, page.initial({}), SortBy(column="runs"))
    assert names(draw(page.PANELS, "functions", runs, fleet)) == ["b", "a", "c"]
    success, _ = stepped(page, page.initial({}), SortBy(column="success"))
    assert names(draw(page.PANELS, "functions", success, fleet)) == ["b", "a", "c"]
    assert page.params(success) == {"sort": "success"}


@pytest.mark.parametrize(("module", "panel"), [(page, "functions"), (one_page, "summary")])
def test_pausing_is_shown_as_asked_until_the_function_says_so(module: Any, panel: str) -> None:
    state, effects = stepped(module, module.initial({"key": "k_mail"}), PAUSE)
    assert effects == [Mutate("functions.pause", {"key": "k_mail"})]
    assert "Asked" in words(draw(module.PANELS, panel, state, listed(function("mail"))))
    state, effects = stepped(module, state, MutationDone("functions.pause", {"key": "k_mail"}))
    assert effects == []
    # The server accepted: that is not what the function does.
    assert "Asked" in words(draw(module.PANELS, panel, state, listed(function("mail"))))
    paused = words(draw(module.PANELS, panel, state, listed(function("mail", paused=True))))
    assert "Asked" not in paused
    assert "Resume" in paused
    assert "Paused" in paused


@pytest.mark.parametrize(("module", "panel"), [(page, "functions"), (one_page, "summary")])
def test_a_refusal_is_told_and_the_button_is_back(module: Any, panel: str) -> None:
    asked, _ = stepped(module, module.initial({"key": "k_mail"}), PAUSE)
    state, effects = stepped(module, asked, MutationFailed("functions.pause", {"key": "k_mail"}, "The source cannot pause."))
    assert [type(effect) for effect in effects] == [ShowToast]
    assert "The source cannot pause." in effects[0].text
    assert "Pause" in words(draw(module.PANELS, panel, state, listed(function("mail"))))
    assert stepped(module, state, MutationDone("jobs.cancel", {"job_id": "j"}))[1] == []


def test_no_function_at_all_says_what_that_means() -> None:
    assert "No worker has offered a function." in words(draw(page.PANELS, "functions", page.initial({}), listed()))


def test_one_function_needs_its_trends_and_its_jobs_and_the_answer_of_the_list() -> None:
    # RT-20: nothing that the list has read is asked for again
    needs = one_page.needs(one_page.initial({"key": "k_mail"}))
    assert needs["functions"].key == live("functions")
    assert needs["trends"].key == aggregate("jobs.trends", hours=24, function="k_mail")
    assert needs["jobs"].key == live("jobs", function="k_mail")
    paused, _ = stepped(one_page, one_page.initial({"key": "k_mail"}), SetLive(panel="trends", live=False))
    assert one_page.needs(paused)["trends"].live is False
    assert one_page.params(paused) == {"paused": "1"}


def test_one_function_shows_how_it_is_set_up_and_why_its_jobs_wait() -> None:
    made = function(
        "mail", schedule="0 * * * *", timeout=300, max_retries=2, retry_delay=1, workers=["general"], dispatch_reasons={"paused": 7}
    )
    state = one_page.initial({"key": "k_mail"})
    setup = draw(one_page.PANELS, "setup", state, listed(made))
    for text in ("k_mail", "0 * * * *", "5 min", "2, after 1 s", "no limit"):
        assert text in words(setup), text
    assert elements(setup, "a", href="#/workers/general")
    assert "7" in words(draw(one_page.PANELS, "dispatch", state, listed(made)))
    drawn = draw(one_page.PANELS, "jobs", state, {"jobs": result(LiveList(jobs(2), 2))})
    assert len(elements(drawn, "tr")) == 3
    assert "jobs per hour" in words(draw(one_page.PANELS, "trends", state, {"trends": result(JobTrends())}))


def test_a_function_that_is_not_there_is_said_once_with_the_way_back() -> None:
    state = one_page.initial({"key": "nobody"})
    said = [draw(one_page.PANELS, name, state, listed(function("mail"))) for name in ("summary", "setup", "dispatch")]
    assert sum("No function has the key nobody." in words(drawn) for drawn in said) == 1
    assert elements(said[0], "a", href="#/functions")
