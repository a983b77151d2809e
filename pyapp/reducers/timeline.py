"""The tree of a job: its rows change with the events of its jobs (RT-7, RT-9).

Whose tree it is, the answer says: every job of one tree has the same root. A job of it that starts and was not known stands in the tree
at once, with what its event tells; that event, and every one that moves a job to another state, asks the server again within RT-42's
limit, because of jobs that wait no event ever speaks, and because an end says less than the answer has. Progress asks for nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyapp.contract.events import JobEventBase, JobProgress, JobStarted
from pyapp.contract.jobs import Job, Timeline
from pyapp.core.cache.keys import WritableKey
from pyapp.core.cache.spec import Reduction
from pyapp.reducers.jobs import apply_event, born


def reduce_timeline(key: WritableKey, data: Timeline, events: Sequence[JobEventBase]) -> Reduction[Timeline]:
    """The reducer of the family `timeline`."""
    at = {job.id: index for index, job in enumerate(data.jobs)}
    roots = {job.root_id for job in data.jobs}
    rows: list[Job] = list(data.jobs)
    refetch = False
    for event in events:
        if event.root_id not in roots and event.job_id not in at:
            continue
        index = at.get(event.job_id)
        if index is not None:
            rows[index] = apply_event(rows[index], event)
        elif isinstance(event, JobStarted):
            at[event.job_id] = len(rows)
            rows.append(born(event))
        refetch = refetch or not isinstance(event, JobProgress)
    if len(rows) == len(data.jobs) and all(old is new for old, new in zip(data.jobs, rows, strict=True)):
        return Reduction(data, refetch)
    total = data.total + len(rows) - len(data.jobs)
    return Reduction(data.model_copy(update={"jobs": tuple(rows), "total": total}), refetch)
