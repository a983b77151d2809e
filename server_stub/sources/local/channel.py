"""The server's end of the channel: a loopback socket that workers connect to with a secret.

TCP and not a Unix socket: a data folder's path may be longer than a Unix socket's may be (104 bytes on macOS).
"""

import asyncio
import contextlib
import hmac
import json
import secrets
from collections.abc import Callable
from typing import Any

MAX_LINE = 32 * 1024 * 1024
"""An artifact travels in one line."""
HELLO_S = 5.0

Message = dict[str, Any]


class WorkerChannels:
    """Every worker that is connected. Callbacks run in the event loop, messages of one worker in their order."""

    def __init__(
        self,
        on_hello: Callable[[str], None],
        on_message: Callable[[str, Message], None],
        on_gone: Callable[[str], None],
    ) -> None:
        self.secret = secrets.token_hex(16)
        self.port = 0
        self._on_hello = on_hello
        self._on_message = on_message
        self._on_gone = on_gone
        self._writers: dict[str, asyncio.StreamWriter] = {}
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen on a free port of the loopback."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=MAX_LINE)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close every connection."""
        if self._server is not None:
            self._server.close()
        for writer in self._writers.values():
            writer.close()

    def tell(self, worker_id: str, kind: str, **fields: Any) -> bool:
        """Send a message; false when the worker is gone."""
        writer = self._writers.get(worker_id)
        if writer is None or writer.is_closing():
            return False
        writer.write(json.dumps({"kind": kind, **fields}).encode() + b"\n")
        return True

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        worker_id = ""
        try:
            async with asyncio.timeout(HELLO_S):
                hello: Message = json.loads(await reader.readline())
            if hello.get("kind") != "hello" or not hmac.compare_digest(str(hello.get("secret")), self.secret):
                return
            worker_id = str(hello["worker_id"])
            self._writers[worker_id] = writer
            self._on_hello(worker_id)
            while line := await reader.readline():
                self._on_message(worker_id, json.loads(line))
        except (OSError, ValueError, TimeoutError):
            pass  # a broken connection is a worker that is gone
        finally:
            writer.close()
            if worker_id and self._writers.get(worker_id) is writer:
                del self._writers[worker_id]
                with contextlib.suppress(RuntimeError):
                    self._on_gone(worker_id)
