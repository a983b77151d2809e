"""Plays a folder of recordings once: the answers as history, then the frames with their timing, then silence.

Workers and APIs keep their heartbeats, so nothing grows stale when the frames are over. Nothing can be run, cancelled
or paused: it all has happened already.
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from server_stub.journal import Journal
from server_stub.moments import SECOND, now_us
from server_stub.store.database import Database

from .base import NotPossibleError
from .replay_files import Recording, insert_jobs, moved

HEARTBEAT_S = 5.0


class Replay:
    """A source that repeats what was recorded."""

    def __init__(self, folder: Path, database: Database, journal: Journal) -> None:
        self._recording = Recording(folder)
        self._database = database
        self._journal = journal
        self._shift = 0
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Load the answers, then begin to play."""
        now = now_us()
        recording = self._recording
        self._shift = now - (await asyncio.to_thread(recording.newest) or now)
        jobs = await asyncio.to_thread(recording.jobs)
        await self._database.write(insert_jobs, list(jobs.values()), self._shift)
        await self._journal.commit(*recording.world(self._shift, now), *recording.past(self._shift))
        frames = await asyncio.to_thread(recording.frames, jobs)
        self._tasks = [asyncio.create_task(self._beat()), asyncio.create_task(self._play(frames))]

    async def stop(self) -> None:
        """End every task."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def run(self, key: str, kwargs: Mapping[str, Any]) -> str:
        """Not possible."""
        self._refuse()

    async def cancel(self, job: Mapping[str, Any]) -> bool:
        """Not possible."""
        self._refuse()

    async def retry(self, job: Mapping[str, Any]) -> bool:
        """Not possible."""
        self._refuse()

    async def set_paused(self, key: str, paused: bool) -> None:
        """Not possible."""
        self._refuse()

    @staticmethod
    def _refuse() -> NoReturn:
        raise NotPossibleError("This server replays a recording: what happened cannot be changed.")

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            self._journal.record(*self._recording.world(self._shift, now_us()))

    async def _play(self, frames: list[tuple[int, list[Any]]]) -> None:
        if not frames:
            return
        shift = now_us() - frames[0][0]
        for at, changes in frames:
            await asyncio.sleep(max(0.0, (at + shift - now_us()) / SECOND))
            self._journal.record(*(moved(change, shift) for change in changes))
