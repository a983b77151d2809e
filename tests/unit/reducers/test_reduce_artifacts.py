"""How the events of a job's artifacts change their list (RT-9)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pyapp.contract.artifacts import Artifact, ArtifactsPage
from pyapp.contract.events import ArtifactCreated, ArtifactDeleted, ArtifactPromoted, ArtifactQueued
from pyapp.core.cache.keys import item
from pyapp.reducers import REDUCERS

reduce_artifacts = REDUCERS["artifacts"]
KEY = item("artifacts", "j")
NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)


def artifact(name: str, at: int = 0, status: str = "available") -> Artifact:
    return Artifact(
        id=name,
        job_id="j",
        name=name,
        type="text",
        storage_backend="local",
        storage_key=name,
        status=status,
        created_at=NOW + timedelta(seconds=at),
    )


def page(*artifacts: Artifact) -> ArtifactsPage:
    return ArtifactsPage(artifacts=artifacts, total=len(artifacts))


def said(model: Any, one: Artifact | None, job: str = "j", **more: Any) -> Any:
    return model(at=NOW, job_id=job, artifact_id=one.id if one else None, artifact=one, **more)


def names(reduction: Any) -> list[str]:
    return [row.id for row in reduction.data.artifacts]


def test_a_new_artifact_stands_where_its_time_says() -> None:
    # RT-9
    after = reduce_artifacts(KEY, page(artifact("b", 2), artifact("a", 1)), [said(ArtifactCreated, artifact("c", 3))])
    assert (names(after), after.data.total, after.refetch) == (["c", "b", "a"], 3, False)


def test_what_is_told_twice_stands_once() -> None:
    before = page(artifact("a"))
    after = reduce_artifacts(KEY, before, [said(ArtifactCreated, artifact("a"))])
    assert after.data is before


def test_a_waiting_one_is_replaced_by_what_it_became() -> None:
    waiting = artifact("p-1", status="queued")
    after = reduce_artifacts(KEY, page(waiting), [said(ArtifactPromoted, artifact("a", 1), pending_id="p-1")])
    assert [(row.id, row.status) for row in after.data.artifacts] == [("a", "available")]


def test_a_deleted_one_is_gone_and_one_that_was_not_there_changes_nothing() -> None:
    before = page(artifact("a"))
    event = ArtifactDeleted(at=NOW, job_id="j", artifact_id="a")
    assert names(reduce_artifacts(KEY, before, [event])) == []
    other = ArtifactDeleted(at=NOW, job_id="j", artifact_id="x")
    assert reduce_artifacts(KEY, before, [other]).data is before


@pytest.mark.parametrize("model", [ArtifactQueued, ArtifactCreated, ArtifactPromoted])
def test_an_event_that_does_not_say_what_it_is_about_asks_the_server(model: Any) -> None:
    after = reduce_artifacts(KEY, page(), [said(model, None, pending_id="p-1")])
    assert (names(after), after.refetch) == ([], True)


def test_another_jobs_artifacts_are_none_of_this_ones() -> None:
    before = page()
    assert reduce_artifacts(KEY, before, [said(ArtifactCreated, artifact("a"), job="other")]).data is before
