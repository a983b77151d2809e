"""The tree of a job in order, and what is drawn of each of its jobs over time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from page_fakes import NOW, draw, elements, job, result, section, words

from pyapp.contract.jobs import JOB_STATUSES, Timeline
from pyapp.core.errors import HttpError
from pyapp.core.freshness import FreshnessReason as Why
from pyapp.core.freshness import FreshnessState
from pyapp.pages import formats
from pyapp.pages import job as page
from pyapp.pages.job_state import State
from pyapp.pages.job_timeline import pieces_of
from pyapp.pages.job_tree import arrange

START = formats.wall_ms(NOW)
EVIL = '<img src=x onerror="alert(1)">\u202e'


def member(name: str, at_s: float = 0.0, status: Any = "complete", parent: str | None = "root", **more: Any) -> Any:
    at = NOW + timedelta(seconds=at_s)
    given = {"id": name, "created_at": at, "started_at": at, "root_id": "root", "parent_id": None if name == "root" else parent}
    return job(1, status, **{**given, **more})


def tree(*jobs: Any, total: int = 0) -> Timeline:
    return Timeline(jobs=jobs, total=total or len(jobs), has_more=False)


def shown(data: Timeline, state: State | None = None) -> str:
    return draw(page.PANELS, "timeline", state or State(job_id="root"), {"timeline": result(data)})


# -- The tree


def test_children_stand_below_their_parents_in_the_order_of_their_beginnings() -> None:
    jobs = [member("b", 2), member("c", 3, parent="a"), member("a", 1), member("root"), member("d", 4, parent="a")]
    places = arrange(jobs)
    assert [(one.job_id, one.depth, one.last) for one in places] == [
        ("root", 0, True),
        ("a", 1, False),
        ("c", 2, False),
        ("d", 2, True),
        ("b", 1, True),
    ]
    assert [one.guides for one in places] == [(), (), (True,), (True,), ()]


def test_a_job_whose_parent_is_not_there_is_an_orphan_at_the_root() -> None:
    places = arrange([member("root"), member("x", 1, parent="gone"), member("y", 2, parent="x")])
    assert [(one.job_id, one.depth, one.orphan) for one in places] == [("root", 0, False), ("x", 0, True), ("y", 1, False)]


def test_parents_that_lead_in_a_circle_are_cut_at_the_oldest() -> None:
    places = arrange([member("b", 2, parent="a"), member("a", 1, parent="b"), member("s", 3, parent="s")])
    assert [(one.job_id, one.depth, one.orphan) for one in places] == [("s", 0, True), ("a", 0, True), ("b", 1, False)]


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 12), st.integers(-1, 14), st.floats(0, 9)), max_size=12, unique_by=lambda one: one[0]))
def test_every_job_has_exactly_one_place_whatever_its_parents_are(raw: list[tuple[int, int, float]]) -> None:
    jobs = [member(str(one), at, parent=None if parent < 0 else str(parent)) for one, parent, at in raw]
    places = arrange(jobs)
    assert sorted(one.job_id for one in places) == sorted(one.id for one in jobs)
    above: list[int] = [-1]
    for place in places:
        assert 0 <= place.depth <= above[-1] + 1
        assert len(place.guides) == max(0, place.depth - 1)
        above.append(place.depth)


def test_a_chain_of_a_thousand_jobs_needs_no_stack() -> None:
    jobs = [member("0", parent=None), *(member(str(n), n, parent=str(n - 1)) for n in range(1, 1_000))]
    assert arrange(jobs)[-1].depth == 999


# -- What is drawn


def pieces(**more: Any) -> list[tuple[str, float, float | None]]:
    one = member("root", **more)
    return [(piece.kind, piece.start, piece.end) for piece in pieces_of(one, START)]


def at(seconds: float) -> Any:
    return NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("job_fields", "drawn"),
    [
        ({"completed_at": at(2)}, [("complete", 0, 2_000)]),
        ({"started_at": at(1), "completed_at": at(2)}, [("wait", 0, 1_000), ("complete", 1_000, 2_000)]),
        ({"status": "failed", "completed_at": at(2)}, [("failed", 0, 2_000)]),
        ({"status": "active"}, [("active", 0, None)]),
        ({"status": "queued", "started_at": None}, [("queued", 0, None)]),
        ({"status": "cancelled", "started_at": None, "completed_at": at(3)}, [("queued", 0, 3_000)]),
        # Without an end its duration tells, without either there is only its beginning.
        ({"duration_ms": 500}, [("complete", 0, 500)]),
        ({}, [("complete", 0, 0)]),
        # What came before the attempt that is seen, its wait apart.
        (
            {"status": "failed", "attempts": 2, "started_at": at(4), "queue_wait_ms": 500, "completed_at": at(5)},
            [("back", 0, 3_500), ("wait", 3_500, 4_000), ("failed", 4_000, 5_000)],
        ),
        ({"status": "retrying", "duration_ms": 300}, [("failed", 0, 300), ("back", 300, None)]),
        # An end before the beginning is a piece without a length.
        ({"started_at": at(3), "completed_at": at(2)}, [("wait", 0, 3_000), ("complete", 3_000, 3_000)]),
        ({"status": "pending", "created_at": None, "started_at": None}, []),
    ],
)
def test_a_job_is_drawn_as_far_as_it_is_known(job_fields: dict[str, Any], drawn: list[Any]) -> None:
    assert pieces(**job_fields) == drawn


@settings(derandomize=True, max_examples=80, deadline=None)
@given(
    st.sampled_from(JOB_STATUSES),
    st.tuples(*[st.none() | st.integers(-5, 50)] * 4),
    st.none() | st.floats(0, 1e7),
    st.integers(1, 4),
)
def test_no_times_however_wrong_draw_anything_before_the_beginning(status: Any, times: Any, wait: float | None, attempts: int) -> None:
    names = ("created_at", "scheduled_at", "started_at", "completed_at")
    given: dict[str, Any] = {name: None if when is None else at(when) for name, when in zip(names, times, strict=True)}
    one = member("root", status=status, **given, queue_wait_ms=wait, attempts=attempts)
    for piece in pieces_of(one, START):
        assert piece.start >= 0
        assert piece.end is None or piece.end >= piece.start


def test_the_rows_are_those_of_a_table_and_each_leads_to_its_job() -> None:
    text = shown(tree(member("root", completed_at=at(5)), member("a/b", 1, "failed", completed_at=at(2), error="boom\nmore")))
    assert section(text)["data-panel"] == "timeline"
    rows = elements(text, "div", role="row")
    assert [one.attributes.get("aria-current") for one in rows] == [None, "true", None]
    assert [one.attributes["href"] for one in elements(text, "a")] == ["#/jobs/root", "#/jobs/a%2Fb"]
    assert "failed from 1 s to 2 s" in words(text)
    assert "Failed: boom" in [one.attributes.get("title") for one in elements(text, "span")]


def test_the_axis_begins_with_the_tree_and_grows_only_while_something_runs() -> None:
    ended = elements(shown(tree(member("root", completed_at=at(5)))), "pen-gantt")[0].attributes
    assert (float(ended["start"]), float(ended["end"]), "running" in ended) == (START, START + 5_000, False)
    running = elements(shown(tree(member("root", status="active"))), "pen-gantt")[0].attributes
    assert "running" in running


def test_orphans_are_said_and_so_is_a_tree_that_is_not_read_to_its_end() -> None:
    text = shown(tree(member("root"), member("x", parent="gone"), total=5))
    assert "The parents of 1 job are not in the answer" in words(text)
    assert "2 of 5 jobs read so far" in words(text)


def test_a_server_without_timelines_says_so_and_the_page_stands() -> None:
    missing = HttpError("The server answered 404: Not found.", status=404)
    there_is_none = result(None, FreshnessState.ERROR, Why.MISSING, error=missing)
    text = draw(page.PANELS, "timeline", State(job_id="root"), {"timeline": there_is_none})
    assert "There is no timeline of this job." in words(text)
    broken = HttpError("The server answered 500.", status=500)
    text = draw(
        page.PANELS, "timeline", State(job_id="root"), {"timeline": result(None, FreshnessState.ERROR, Why.SERVER, error=broken)}
    )
    assert "The timeline did not load." in words(text)


def test_nothing_is_drawn_of_a_part_that_is_not_chosen() -> None:
    assert shown(tree(member("root")), State(job_id="root", tab="details")) == ""


def test_hostile_words_are_text() -> None:
    text = shown(tree(member("root", function_name=EVIL, error=EVIL, status="failed")))
    assert elements(text, "img") == []
    assert EVIL in words(text)


# -- Task runs


def test_the_task_runs_stand_in_the_order_that_somebody_chose() -> None:
    data = tree(member("root", duration_ms=5), member("b", 1, "failed", duration_ms=50), member("a", 2, "active"))
    state = State(job_id="root", tab="runs")

    def order(one: State) -> list[str]:
        text = draw(page.PANELS, "runs", one, {"timeline": result(data)})
        return [link.attributes["href"].removeprefix("#/jobs/") for link in elements(text, "a")]

    assert order(state) == ["root", "b", "a"]
    by_length = page.initial({"job_id": "root", "tab": "runs", "sort": "-duration"})
    assert order(by_length) == ["b", "root", "a"]
    by_status = page.initial({"job_id": "root", "tab": "runs", "sort": "status"})
    assert order(by_status) == ["b", "a", "root"]
    text = draw(page.PANELS, "runs", by_status, {"timeline": result(data)})
    assert [one.attributes["aria-sort"] for one in elements(text, "th") if "aria-sort" in one.attributes] == ["ascending"]
