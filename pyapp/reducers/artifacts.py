"""The artifacts of a job, newest first: each event brings one, or takes one away (RT-9).

An event that does not say what the artifact is (one that waits for its job has only a number for the time being) asks the server.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyapp.contract.artifacts import Artifact, ArtifactsPage
from pyapp.contract.events import ArtifactDeleted, ArtifactEventBase
from pyapp.core.cache.keys import WritableKey
from pyapp.core.cache.spec import Reduction


def reduce_artifacts(key: WritableKey, data: ArtifactsPage, events: Sequence[ArtifactEventBase]) -> Reduction[ArtifactsPage]:
    """The reducer of the family `artifacts`."""
    rows: list[Artifact] = list(data.artifacts)
    refetch = False
    for event in events:
        if event.job_id != key.get("id"):
            continue
        if isinstance(event, ArtifactDeleted):
            rows = [row for row in rows if row.id != event.artifact_id]
        elif event.artifact is None:
            refetch = True
        else:
            # A promoted one may have had another name while it waited.
            gone = {event.artifact.id, event.pending_id}
            rows = [event.artifact, *(row for row in rows if row.id not in gone)]
    rows.sort(key=lambda row: (row.created_at, row.id), reverse=True)
    if tuple(rows) == data.artifacts:
        return Reduction(data, refetch)
    return Reduction(data.model_copy(update={"artifacts": tuple(rows), "total": len(rows)}), refetch)
