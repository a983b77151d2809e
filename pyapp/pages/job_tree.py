"""The tree of a job, flat and in order: every job under its parent, by the moment at which it began to wait or to run.

Invariants. Each job stands exactly once. A job whose parent is not in the answer, or whose parents lead round in a circle, stands at
the root and says so: it is an orphan. Pure functions; the deepest tree needs no stack.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pyapp.contract.jobs import Job

_LAST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a job stands.

    Attributes:
        job_id: whose place it is.
        depth: how many parents are above it.
        guides: for each level above it, from the root on, whether more rows of that level follow below.
        last: no sibling follows.
        orphan: its parent is not in the answer.
    """

    job_id: str
    depth: int = 0
    guides: tuple[bool, ...] = ()
    last: bool = True
    orphan: bool = False


def began(job: Job) -> datetime | None:
    """The first moment that is known of a job: it was asked for, was to run, or ran."""
    return min((at for at in (job.created_at, job.scheduled_at, job.started_at) if at is not None), default=None)


def arrange(jobs: Sequence[Job]) -> tuple[Place, ...]:
    """The places of all jobs, from the root down."""
    rows = sorted(jobs, key=lambda job: (job.parent_id is not None, began(job) or _LAST, job.id))
    known = {job.id: job for job in rows}
    children: dict[str, list[str]] = {}
    tops: list[str] = []
    for job in rows:
        if job.parent_id in known and job.parent_id != job.id:
            children.setdefault(str(job.parent_id), []).append(job.id)
        else:
            tops.append(job.id)
    places = _walk(tops, children, known)
    circling = [job.id for job in rows if job.id not in places]
    while circling:
        # Some parents lead in a circle: it is cut at its oldest job.
        places |= _walk([circling[0]], children, known, {*places})
        circling = [one for one in circling if one not in places]
    return tuple(places.values())


def _walk(
    tops: Iterable[str], children: Mapping[str, Sequence[str]], jobs: Mapping[str, Job], done: Iterable[str] = ()
) -> dict[str, Place]:
    known = set(done)
    places: dict[str, Place] = {}
    waiting = [Place(top, orphan=jobs[top].parent_id is not None) for top in reversed(list(tops))]
    while waiting:
        place = waiting.pop()
        if place.job_id in known:
            continue
        known.add(place.job_id)
        places[place.job_id] = place
        below = [one for one in children.get(place.job_id, ()) if one not in known]
        guides = (*place.guides, not place.last) if place.depth else ()
        for number, child in reversed(list(enumerate(below, 1))):
            waiting.append(Place(child, place.depth + 1, guides, number == len(below)))
    return places
