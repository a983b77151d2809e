"""What happens next, from a seed: one event per step, so that any rate has exactly its number of events.

Steps know no clock: the caller says when each is. The same seed gives the same sequence of ids, functions and ends,
however fast it is played.
"""

import random
from dataclasses import dataclass

from server_stub import changes as c
from server_stub.moments import SECOND

from . import sim_content
from . import sim_history as world

ACTIVE = 12
"""Jobs that run at once, about."""
REQUEST_SHARE = 0.35


@dataclass(slots=True)
class Running:
    """A job in flight."""

    ref: c.JobRef
    function: world.SimFunction
    worker: int
    steps: int
    attempt: int = 1
    taken: int = 0
    started_at: int = 0
    open_children: int = 0
    parent: "Running | None" = None


class Timeline:
    """The simulated jobs and requests."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(f"timeline {seed}")
        self.active: list[Running] = []
        self._retrying: list[Running] = []
        self._children: list[tuple[Running, c.JobRef]] = []
        self.paused: set[str] = set()
        self.done = [0] * len(world.WORKERS)
        self.failed = [0] * len(world.WORKERS)

    def busy(self) -> list[int]:
        """Active jobs by worker."""
        return [sum(1 for job in self.active if job.worker == number) for number in range(len(world.WORKERS))]

    def step(self, at: int) -> list[c.Change]:
        """The changes of one event at ``at``: the event and what belongs to it without being one."""
        rng = self._rng
        if rng.random() < REQUEST_SHARE:
            return [self._request(at)]
        if self._retrying and rng.random() < 0.2:
            return [self._start(self._retrying.pop(0), at)]
        if len(self.active) < ACTIVE + rng.randrange(-3, 4):
            return self._begin(at)
        job = rng.choice(self.active)
        if job.taken < job.steps:
            return [self._advance(job, at)]
        if job.open_children:
            return [self._request(at)]
        return self._finish(job, at)

    def cancel(self, job_id: str, at: int) -> c.Cancelled | None:
        """Take a job out of the timeline."""
        for jobs in (self.active, self._retrying):
            for job in jobs:
                if job.ref.id == job_id:
                    jobs.remove(job)
                    self._release(job)
                    return c.Cancelled(job.ref, at, world.WORKERS[job.worker][0], job.attempt)
        return None

    def _request(self, at: int) -> c.Requested:
        request_id, api, method, path, status, latency_ms, instance = world.request(self._rng)
        return c.Requested(request_id, at, api, method, path, status, latency_ms, instance)

    def _begin(self, at: int) -> list[c.Change]:
        if self._children:
            parent, ref = self._children.pop(0)
            job = Running(ref, world.CHILD, self._worker(), self._steps(), parent=parent)
        else:
            function = self._rng.choices(world.RUNNABLE, [each.weight for each in world.RUNNABLE])[0]
            if function.key in self.paused:
                return [self._request(at)]
            own_id = world.job_id(self._rng)
            ref = c.JobRef(own_id, function.key, function.name, own_id, None, function.max_retries)
            job = Running(ref, function, self._worker(), self._steps(), open_children=function.children)
            for _ in range(function.children):
                child = world.CHILD
                child_ref = c.JobRef(world.job_id(self._rng), child.key, child.name, own_id, own_id, child.max_retries)
                self._children.append((job, child_ref))
        wait_us = int(self._rng.expovariate(1 / 5_000))
        given = sim_content.arguments(job.function.name, job.ref.id, self._rng.randrange(1000))
        queued = c.Queued(job.ref, at - wait_us, given, job.function.job_type, job.function.source(), 300.0)
        return [queued, self._start(job, at)]

    def _start(self, job: Running, at: int) -> c.Started:
        job.started_at, job.taken = at, 0
        self.active.append(job)
        return c.Started(job.ref, at, world.WORKERS[job.worker][0], job.attempt)

    def _advance(self, job: Running, at: int) -> c.Change:
        job.taken += 1
        worker = world.WORKERS[job.worker][0]
        if self._rng.random() < 0.1:
            return c.Checkpointed(job.ref, at, worker, {"step": job.taken, "of": job.steps})
        progress = round(job.taken / (job.steps + 1), 4)
        return c.Progressed(job.ref, at, worker, progress, f"step {job.taken}/{job.steps}")

    def _finish(self, job: Running, at: int) -> list[c.Change]:
        self.active.remove(job)
        worker = world.WORKERS[job.worker][0]
        duration_ms = (at - job.started_at) / 1000
        if self._rng.random() < job.function.failing:
            error = sim_content.traceback(job.ref.function_name, job.ref.id, self._rng.choice(world.ERRORS))
            if job.attempt <= job.ref.max_retries:
                retrying = c.Retrying(job.ref, at, worker, job.attempt, error, at + SECOND)
                job.attempt += 1
                self._retrying.append(job)
                return [retrying]
            self.failed[job.worker] += 1
            self._release(job)
            return [c.Failed(job.ref, at, worker, job.attempt, error, duration_ms)]
        self.done[job.worker] += 1
        self._release(job)
        result = {"items": self._rng.randrange(1, 500)}
        left = sim_content.artifacts(job.function.name, job.ref.id, at)
        return [*left, c.Completed(job.ref, at, worker, job.attempt, duration_ms, result)]

    def _release(self, job: Running) -> None:
        if job.parent is not None:
            job.parent.open_children -= 1

    def _worker(self) -> int:
        return self._rng.randrange(len(world.WORKERS))

    def _steps(self) -> int:
        return self._rng.randrange(1, 7)
