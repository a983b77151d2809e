"""The way from a source to the store and the streams: changes of some milliseconds are committed together.

One task commits, so events leave in the order they were recorded. The time between commits grows with the number of
connections: at 500 of them each commit is 500 writes to sockets, and 25 a second still deliver within 100 ms.
"""

import asyncio
import logging
from collections.abc import Iterable

from .changes import Change
from .hub import Hub
from .moments import now_us
from .store import pruning
from .store.database import Database
from .store.writer import Written, apply, forget_positions

log = logging.getLogger(__name__)

MIN_TICK_S = 0.005
MAX_TICK_S = 0.04
TICK_PER_CONNECTION_S = 0.0001
PRUNE_EVERY_S = 2.0


class Journal:
    """Takes changes in order, commits them in batches and publishes what came of them."""

    def __init__(self, database: Database, hub: Hub) -> None:
        self._database = database
        self._hub = hub
        self._pending: list[Change] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._wake = asyncio.Event()
        self._committing = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._pruner: asyncio.Task[None] | None = None

    @property
    def pending(self) -> int:
        """Changes that wait for the next commit."""
        return len(self._pending)

    def start(self) -> None:
        """Begin to commit and to prune."""
        self._task = asyncio.create_task(self._run())
        self._pruner = asyncio.create_task(self._prune())

    async def stop(self) -> None:
        """Commit what is pending and end."""
        if self._pruner is not None:
            self._pruner.cancel()
        if self._task is not None:
            await self.commit()
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def record(self, *changes: Change) -> None:
        """Take changes; they are committed within some milliseconds. Event loop only."""
        self._pending.extend(changes)
        self._wake.set()

    async def commit(self, *changes: Change) -> None:
        """Take changes and wait until they, and all before them, are committed and published."""
        self._pending.extend(changes)
        if self._task is None or self._task.done():
            await self._commit(self._swap())
            return
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(done)
        self._wake.set()
        await done

    async def renew(self) -> int:
        """Begin a new epoch between two commits; return how many connections were cut."""
        async with self._committing:
            await self._database.write(forget_positions)
            return self._hub.renew()

    def _swap(self) -> list[Change]:
        batch, self._pending = self._pending, []
        return batch

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._wake.wait()
            self._wake.clear()
            began = loop.time()
            batch, waiting = self._swap(), self._waiting
            self._waiting = []
            await self._commit(batch)
            for done in waiting:
                if not done.done():
                    done.set_result(None)
            if not self._waiting:
                tick_s = min(MAX_TICK_S, max(MIN_TICK_S, self._hub.connection_count * TICK_PER_CONNECTION_S))
                await asyncio.sleep(max(0.0, began + tick_s - loop.time()))

    async def _commit(self, batch: list[Change]) -> None:
        if not batch:
            return
        async with self._committing:
            await self._commit_now(batch)

    async def _commit_now(self, batch: list[Change]) -> None:
        try:
            await self._publish(await self._database.write(apply, batch))
        except Exception:
            log.exception("A batch of %d changes could not be written; writing them one by one.", len(batch))
            await self._one_by_one(batch)

    async def _one_by_one(self, batch: Iterable[Change]) -> None:
        """One change that cannot be written does not take the others with it."""
        for change in batch:
            try:
                await self._publish(await self._database.write(apply, [change]))
            except Exception:
                log.exception("A change could not be written and is lost: %r", change)

    async def _publish(self, written: Written) -> None:
        await self._hub.publish(written.events)
        self._hub.touch(written.touched)

    async def _prune(self) -> None:
        while True:
            await asyncio.sleep(PRUNE_EVERY_S)
            await self._database.write(pruning.step, now_us())
