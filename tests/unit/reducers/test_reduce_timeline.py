"""How job events change the tree of a job (RT-7, RT-9)."""

from __future__ import annotations

from typing import Any

from test_reduce_jobs import event, job

from pyapp.contract.events import JobStarted
from pyapp.contract.jobs import Timeline
from pyapp.core.cache.keys import item
from pyapp.reducers import REDUCERS

reduce_timeline = REDUCERS["timeline"]
KEY = item("timeline", "root")


def tree(*jobs: Any) -> Timeline:
    return Timeline(jobs=jobs, total=len(jobs), has_more=False)


def of_tree(kind: str, name: str, root: str = "root", **more: Any) -> Any:
    return event(kind, name, **more).model_copy(update={"root_id": root, "parent_id": None if name == root else root})


def member(name: str, status: str = "active", **more: Any) -> Any:
    return job(name, status, root_id="root", parent_id=None if name == "root" else "root", **more)


def test_a_row_follows_its_jobs_events_and_the_others_keep_their_identity() -> None:
    # RT-9
    before = tree(member("root"), member("a"))
    after = reduce_timeline(KEY, before, [of_tree("completed", "a")])
    assert [row.status for row in after.data.jobs] == ["active", "complete"]
    assert after.data.jobs[0] is before.jobs[0]
    assert after.refetch


def test_progress_moves_a_row_and_asks_for_nothing() -> None:
    # RT-42
    after = reduce_timeline(KEY, tree(member("root")), [of_tree("progress", "root", progress=0.25)])
    assert (after.data.jobs[0].progress, after.refetch) == (0.25, False)


def test_an_event_that_is_not_newer_changes_nothing() -> None:
    # RT-7
    before = tree(member("root", "complete"))
    after = reduce_timeline(KEY, before, [of_tree("started", "root"), of_tree("progress", "root")])
    assert after.data is before


def test_an_unknown_child_stands_in_the_tree_as_it_starts_and_the_server_is_asked() -> None:
    before = tree(member("root"))
    after = reduce_timeline(KEY, before, [of_tree("started", "b"), of_tree("progress", "b", progress=0.5)])
    assert [(row.id, row.parent_id, row.progress) for row in after.data.jobs] == [("root", None, 0.0), ("b", "root", 0.5)]
    assert (after.data.total, after.refetch) == (2, True)


def test_a_job_that_was_cancelled_before_it_ever_started_is_asked_for() -> None:
    before = tree(member("root"))
    after = reduce_timeline(KEY, before, [of_tree("cancelled", "b")])
    assert after.data is before
    assert after.refetch


def test_the_events_of_other_trees_are_none_of_this_ones() -> None:
    before = tree(member("root"))
    started: JobStarted = of_tree("started", "x", root="other")
    after = reduce_timeline(KEY, before, [started, of_tree("failed", "x", root="other")])
    assert after.data is before
    assert not after.refetch
