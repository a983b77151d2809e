from __future__ import annotations

import pytest
from page_fakes import NOW_MS, elements, result, section, words

from pyapp.core.cache.result import Result
from pyapp.core.errors import HttpError, NetworkError
from pyapp.core.freshness import FreshnessReason as Why
from pyapp.core.freshness import FreshnessState as State
from pyapp.pages.listing import BackToLive
from pyapp.pages.panel import did_not_load, mark_of, panel, worst
from pyapp.ui import html, to_html

DOWN = NetworkError("The server could not be reached.")


def draw(one: Result[object], **given: object) -> str:
    return to_html(panel("jobs", "Jobs", one, html(t"<p>rows</p>"), reload=("jobs",), **given))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("state", "reason", "style", "says"),
    [
        (State.LIVE, Why.DELIVERING, "live", "Live"),
        (State.LIVE, Why.SYNCHRONIZED, "live", "Live"),
        (State.LIVE, Why.UNVERIFIED, "unverified", "Live, unverified"),
        (State.POLLING, Why.DESIGN, "polling", "Polling"),
        (State.POLLING, Why.FALLBACK, "polling", "Polling (fallback)"),
        (State.POLLING, Why.BUDGET, "polling", "Polling (budget)"),
        (State.WINDOW, Why.NONE, "window", "Window"),
        (State.PAUSED, Why.HIDDEN, "paused", "Paused"),
        (State.STALE, Why.OLD, "stale", "Stale since"),
        (State.STALE, Why.CONNECTING, "stale", "Connecting"),
        (State.STALE, Why.CATCHING_UP, "catching-up", "Catching up"),
        (State.ERROR, Why.SERVER, "error", "Error, data from"),
        (State.ERROR, Why.BREAKER, "error", "Error, data from"),
        (State.ERROR, Why.FORBIDDEN, "forbidden", "Forbidden"),
        (State.ERROR, Why.MISSING, "paused", "Not available"),
        (State.LOADING, Why.NONE, "loading", "Loading"),
    ],
)
def test_each_state_has_its_mark_and_its_attributes(state: State, reason: Why, style: str, says: str) -> None:  # RT-83
    drawn = draw(result((), state, reason, mode="streaming"))
    marks = elements(drawn, "button", data_s=style)
    assert len(marks) == 1
    mark = mark_of(result((), state, reason))
    assert mark.words + mark.link == says
    attributes = section(drawn)
    assert attributes["data-panel"] == "jobs"
    assert attributes["data-mode"] == "streaming"
    assert attributes["data-freshness"] == state.value
    assert attributes["data-reason"] == reason.value
    assert attributes["data-updated"] == "2026-11-20T07:13:39Z"


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("reason", list(Why))
def test_every_pair_of_state_and_reason_can_be_drawn(state: State, reason: Why) -> None:
    assert elements(draw(result((), state, reason)), "header")
    assert elements(draw(result(None, state, reason, error=DOWN)), "header")


def test_a_panel_without_data_has_no_time_of_update() -> None:
    assert "data-updated" not in section(draw(Result()))


@pytest.mark.parametrize(
    ("state", "reason", "remedy"),
    [
        (State.LIVE, Why.DELIVERING, ""),
        (State.STALE, Why.CATCHING_UP, ""),
        (State.STALE, Why.OLD, "Refresh"),
        (State.ERROR, Why.SERVER, "Retry"),
        (State.ERROR, Why.FORBIDDEN, "Ask again"),
        (State.PAUSED, Why.USER, "Go live"),
    ],
)
def test_the_remedy_stands_where_refresh_stands(state: State, reason: Why, remedy: str) -> None:
    drawn = draw(result((), state, reason), go_live=BackToLive(panel="jobs"))
    if remedy:
        assert remedy in words(drawn)
    assert bool(elements(drawn, "button", aria_label="Refresh Jobs")) == (remedy == "")


def test_a_paused_panel_counts_what_it_does_not_show() -> None:
    for changes, says in ((12, ", 12 changes since"), (1, ", 1 change since"), (0, "")):
        mark = mark_of(result((), State.PAUSED, Why.USER, changes_since=changes))
        assert (mark.words, mark.link) == ("Paused", says)


def test_the_mark_opens_and_says_why_and_what_comes_next() -> None:
    shown = result((), State.POLLING, Why.FALLBACK, health="unhealthy, server closed", next_attempt_ms=NOW_MS + 4_000)
    assert "Last delivery" not in words(draw(shown, opened="why-others"))  # what nobody can see is not drawn
    drawn = draw(shown, opened="why-jobs")
    assert elements(drawn, "button", popovertarget="why-jobs")
    assert elements(drawn, "div", id="why-jobs", role="dialog")
    for said in ("unhealthy, server closed", "Last delivery", "Last snapshot", "Next attempt", "not healthy"):
        assert said in words(drawn)


def test_the_age_of_a_live_mark_follows_its_stream_and_that_of_kept_data_does_not() -> None:  # RT-83
    drawn = draw(result((), State.LIVE, stream="things"))
    assert elements(drawn, "pen-age", of="things")
    for state, reason in ((State.POLLING, Why.DESIGN), (State.STALE, Why.CONNECTING), (State.ERROR, Why.FORBIDDEN)):
        assert [one.attributes.get("of") for one in elements(draw(result((), state, reason, stream="things")), "pen-age")] == [None]


def test_several_needs_show_the_worst_of_them() -> None:
    live, polling = result((), State.LIVE), result((), State.POLLING, Why.DESIGN)
    unverified, fallback = result((), State.LIVE, Why.UNVERIFIED), result((), State.POLLING, Why.FALLBACK)
    stale, broken, window = result((), State.STALE, Why.OLD), result((), State.ERROR, Why.SERVER), result((), State.WINDOW, Why.NONE)
    assert worst([live, polling]) is polling
    assert worst([live, unverified]) is unverified
    assert worst([polling, fallback]) is fallback
    assert worst([live, stale, polling]) is stale
    assert worst([stale, broken]) is broken
    assert worst([window, live]) is live
    assert worst([live, Result()]).freshness.state is State.LOADING


def test_data_that_is_no_longer_permitted_is_marked_as_retained() -> None:  # RT-36
    assert "retained" in section(draw(result((), State.ERROR, Why.FORBIDDEN)))["class"]
    assert "retained" not in section(draw(result((), State.ERROR, Why.SERVER)))["class"]


def test_a_first_load_that_failed_says_what_why_and_what_next() -> None:
    failed = result(None, State.ERROR, Why.NETWORK, error=DOWN, next_attempt_ms=NOW_MS + 8_000)
    said = words(to_html(did_not_load("Jobs", failed, ("jobs",))))
    assert said.startswith("Jobs did not load.The server could not be reached. Next try in")
    assert "Retry now" in said


def test_what_is_forbidden_or_missing_offers_no_retry_in_the_body() -> None:
    refused = HttpError("Not for you.", status=403)
    for reason in (Why.FORBIDDEN, Why.MISSING):
        drawn = to_html(did_not_load("Jobs", result(None, State.ERROR, reason, error=refused), ("jobs",)))
        assert not elements(drawn, "button")


def test_a_hostile_message_is_text() -> None:
    evil = NetworkError("<script>alert(1)</script>\u202e")
    drawn = to_html(did_not_load("Jobs", result(None, State.ERROR, Why.SERVER, error=evil), ("jobs",)))
    assert not elements(drawn, "script")
    assert "<script>alert(1)</script>" in words(drawn)
