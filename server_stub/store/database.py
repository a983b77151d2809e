"""Connections and threads: one writer thread, a few reader threads, the event loop never waits for SQLite.

Invariants: the writer connection is used in the writer thread only; every read runs in one read transaction on a
connection of its own thread, so what it returns is one moment of the database, positions included (RT-7).
"""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from . import schema

P = ParamSpec("P")
R = TypeVar("R")

READER_THREADS = 4


class Database:
    """One SQLite file in WAL mode."""

    def __init__(self, path: Path, *, durable: bool = True, fresh: bool = False) -> None:
        """Open or create ``path``. ``fresh`` discards what was there; not ``durable`` never waits for the disk."""
        path.parent.mkdir(parents=True, exist_ok=True)
        if fresh:
            for suffix in ("", "-wal", "-shm"):
                path.with_name(path.name + suffix).unlink(missing_ok=True)
        self._path = path
        self._synchronous = "NORMAL" if durable else "OFF"
        self._writer_pool = ThreadPoolExecutor(1, "store-writer")
        self._reader_pool = ThreadPoolExecutor(READER_THREADS, "store-reader")
        self._local = threading.local()
        self._readers: list[sqlite3.Connection] = []
        self._writer = self._writer_pool.submit(self._open_writer).result()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, cached_statements=256)
        connection.execute(f"PRAGMA synchronous = {self._synchronous}")
        connection.execute("PRAGMA busy_timeout = 5000")
        connection.row_factory = sqlite3.Row
        return connection

    def _open_writer(self) -> sqlite3.Connection:
        connection = self._connect()
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(schema.TABLES + schema.INDEXES + schema.TRIGGERS)
        # Sequences belong to an epoch and an epoch to a process.
        connection.execute("DELETE FROM positions")
        return connection

    def _reader(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._connect()
            connection.execute("PRAGMA query_only = 1")
            self._local.connection = connection
            self._readers.append(connection)
        return connection

    def _read_now(self, query: Callable[Concatenate[sqlite3.Connection, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        connection = self._reader()
        connection.execute("BEGIN")
        try:
            return query(connection, *args, **kwargs)
        finally:
            connection.execute("ROLLBACK")

    def _write_now(self, action: Callable[Concatenate[sqlite3.Connection, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        self._writer.execute("BEGIN IMMEDIATE")
        try:
            result = action(self._writer, *args, **kwargs)
        except BaseException:
            self._writer.execute("ROLLBACK")
            raise
        self._writer.execute("COMMIT")
        return result

    async def read(self, query: Callable[Concatenate[sqlite3.Connection, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run ``query(connection, …)`` in one read transaction."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._reader_pool, lambda: self._read_now(query, *args, **kwargs))

    async def write(self, action: Callable[Concatenate[sqlite3.Connection, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run ``action(connection, …)`` in one write transaction; one at a time, in the order asked."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._writer_pool, lambda: self._write_now(action, *args, **kwargs))

    def write_now(self, action: Callable[Concatenate[sqlite3.Connection, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """As ``write``, for callers without a loop: waits."""
        return self._writer_pool.submit(lambda: self._write_now(action, *args, **kwargs)).result()

    def close(self) -> None:
        """Finish what is running and close every connection."""
        self._reader_pool.shutdown(wait=True, cancel_futures=True)
        self._writer_pool.shutdown(wait=True)
        for connection in [*self._readers, self._writer]:
            connection.close()
