"""The simulator: seeded history, a seeded timeline at any rate, and jobs on request.

A job on request runs by the wall clock at any rate, 0 included; its arguments steer it: ``steps`` (3), ``seconds``
(0.3, in all), ``fail`` (true: every attempt fails; a number: so many attempts fail).
"""

import asyncio
import random
from collections.abc import Mapping
from typing import Any

from server_stub import changes as c
from server_stub.journal import Journal
from server_stub.moments import SECOND, now_us
from server_stub.settings import Settings
from server_stub.store.database import Database

from . import sim_history as world
from .base import UnknownFunctionError
from .sim_timeline import Timeline

TICK_S = 0.02
"""Events of one tick are recorded together: 50 turns a second, at any rate."""
MAX_BEHIND_S = 1.0
"""After a pause (a suspended machine) the timeline goes on from now instead of making up for it."""
MAX_PENDING = 2_000
STILL_HEARTBEAT_S = 10.0
"""At rate 0 nothing moves but the workers' heartbeats, which must not grow stale."""


class Simulator:
    """A source of made-up work."""

    def __init__(self, database: Database, journal: Journal, settings: Settings, *, origin: int | None = None) -> None:
        """``origin`` (now) is where history ends and the timeline begins, in microseconds."""
        self._database = database
        self._journal = journal
        self._settings = settings
        self._rate = settings.rate
        self._heartbeat_s = settings.times.worker_heartbeat_s if self._rate else STILL_HEARTBEAT_S
        self._origin = origin
        self._timeline = Timeline(settings.seed)
        self._ids = random.Random(f"requested {settings.seed}")
        self._requested: dict[str, asyncio.Task[None]] = {}
        self._held: dict[str, list[tuple[c.JobRef, Mapping[str, Any], int]]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._started_at = 0

    async def start(self) -> None:
        """Write the history, then begin the timeline."""
        origin = now_us() if self._origin is None else self._origin
        self._started_at = origin
        await self._database.write(world.write, self._settings.seed, origin, self._settings.sim_history)
        await self._journal.commit(*(function.seen() for function in world.FUNCTIONS), *self._alive(origin))
        self._tasks = [asyncio.create_task(self._beat())]
        if self._rate:
            self._tasks.append(asyncio.create_task(self._play()))

    async def stop(self) -> None:
        """End every task."""
        tasks = [*self._tasks, *self._requested.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def run(self, key: str, kwargs: Mapping[str, Any]) -> str:
        """Queue a job; it starts at once unless its function is paused."""
        function = world.BY_KEY.get(key)
        if function is None:
            raise UnknownFunctionError(key)
        own_id = world.job_id(self._ids)
        ref = c.JobRef(own_id, key, function.name, own_id, None, function.max_retries)
        await self._journal.commit(c.Queued(ref, now_us(), kwargs, function.job_type, function.source(), 300.0))
        self._dispatch(ref, kwargs, 1)
        return own_id

    async def cancel(self, job: Mapping[str, Any]) -> bool:
        """Cancel a job, of the timeline or on request."""
        job_id: str = job["id"]
        task = self._requested.pop(job_id, None)
        if task is not None:
            task.cancel()
            await self._journal.commit(c.Cancelled(_ref(job), now_us(), job["worker_id"], job["attempts"]))
            return True
        for held in self._held.values():
            for each in held:
                if each[0].id == job_id:
                    held.remove(each)
                    await self._journal.commit(c.Cancelled(each[0], now_us(), None, each[2]))
                    return True
        cancelled = self._timeline.cancel(job_id, now_us())
        if cancelled is not None:
            await self._journal.commit(cancelled)
        return cancelled is not None

    async def retry(self, job: Mapping[str, Any]) -> bool:
        """Run a finished job once more, with the next attempt."""
        ref = _ref(job)
        if ref.id in self._requested:
            return False
        await self._journal.commit(c.Requeued(ref, now_us()))
        self._dispatch(ref, job["kwargs"], int(job["attempts"]) + 1)
        return True

    async def set_paused(self, key: str, paused: bool) -> None:
        """A paused function's jobs wait."""
        await self._journal.commit(c.FunctionPaused(key, paused))
        if paused:
            self._timeline.paused.add(key)
            self._held.setdefault(key, [])
            return
        self._timeline.paused.discard(key)
        for ref, kwargs, attempt in self._held.pop(key, []):
            self._dispatch(ref, kwargs, attempt)

    def _alive(self, at: int) -> list[c.Change]:
        timeline = self._timeline
        seen = world.workers(at, self._started_at, timeline.busy(), timeline.done, timeline.failed)
        return [*seen, *world.apis(at, self._started_at)]

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._heartbeat_s)
            self._journal.record(*self._alive(now_us()))

    async def _play(self) -> None:
        """Step so that after t seconds exactly t · rate events have happened, in batches of one tick."""
        interval_us = SECOND / self._rate
        origin, made = now_us(), 0
        while True:
            await asyncio.sleep(max(TICK_S, (origin + (made + 1) * interval_us - now_us()) / SECOND))
            now = now_us()
            if now - (origin + made * interval_us) > MAX_BEHIND_S * SECOND:
                origin, made = now, 0
            due = int((now - origin) / interval_us) - made
            changes: list[c.Change] = []
            for number in range(made, made + due):
                changes += self._timeline.step(origin + int((number + 1) * interval_us))
            made += due
            self._journal.record(*changes)
            if self._journal.pending > MAX_PENDING:
                await self._journal.commit()  # a slow disk must not fill the memory

    def _dispatch(self, ref: c.JobRef, kwargs: Mapping[str, Any], attempt: int) -> None:
        if ref.function in self._held:
            self._held[ref.function].append((ref, kwargs, attempt))
            self._journal.record(c.NotDispatched(ref.function, "paused"))
            return
        task = asyncio.create_task(self._perform(ref, kwargs, attempt))
        self._requested[ref.id] = task
        task.add_done_callback(lambda _: self._requested.pop(ref.id, None))

    async def _perform(self, ref: c.JobRef, kwargs: Mapping[str, Any], attempt: int) -> None:
        steps, seconds = max(1, int(kwargs.get("steps", 3))), float(kwargs.get("seconds", 0.3))
        fail = kwargs.get("fail", 0)
        failures = (1 << 30) if fail is True else int(fail or 0)
        worker = world.WORKERS[0][0]
        while True:
            started_at = now_us()
            await self._journal.commit(c.Started(ref, started_at, worker, attempt))
            for step in range(1, steps):
                await asyncio.sleep(seconds / steps)
                self._journal.record(c.Progressed(ref, now_us(), worker, round(step / steps, 4), f"step {step}/{steps}"))
            await asyncio.sleep(seconds / steps)
            now = now_us()
            duration_ms = (now - started_at) / 1000
            if attempt > failures:
                await self._journal.commit(c.Completed(ref, now, worker, attempt, duration_ms, {"steps": steps}))
                return
            error = "RuntimeError: asked to fail"
            if attempt > ref.max_retries:
                await self._journal.commit(c.Failed(ref, now, worker, attempt, error, duration_ms))
                return
            delay_s = seconds / steps
            await self._journal.commit(c.Retrying(ref, now, worker, attempt, error, now + int(delay_s * SECOND)))
            await asyncio.sleep(delay_s)
            attempt += 1


def _ref(job: Mapping[str, Any]) -> c.JobRef:
    return c.JobRef(job["id"], job["function"], job["function_name"], job["root_id"], job["parent_id"], job["max_retries"])
