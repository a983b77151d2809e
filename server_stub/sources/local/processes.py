"""The consumer's process group: started with the server, ended with it, nothing left behind."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
TERM_S = 0.8
"""How long the group may take to end before it is killed."""


class ConsumerProcess:
    """``python -m server_stub.sources.local.consumer`` in a session of its own, so that Ctrl-C reaches the server only."""

    def __init__(self, environment: dict[str, str]) -> None:
        path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))
        self._environment = {**os.environ, **environment, "PYTHONPATH": path}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the group; it ends by itself when the pipe to its standard input closes."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "server_stub.sources.local.consumer"],
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )

    async def stop(self) -> None:
        """SIGTERM, then SIGKILL, to the whole group."""
        process = self._process
        if process is None:
            return
        self._signal(process.pid, signal.SIGTERM)
        loop = asyncio.get_running_loop()
        with contextlib.suppress(subprocess.TimeoutExpired):
            await loop.run_in_executor(None, process.wait, TERM_S)
        self._signal(process.pid, signal.SIGKILL)
        await loop.run_in_executor(None, process.wait)
        if process.stdin is not None:
            process.stdin.close()

    @staticmethod
    def _signal(group: int, number: signal.Signals) -> None:
        try:
            os.killpg(group, number)
        except (ProcessLookupError, PermissionError):
            return  # ended already (macOS says EPERM of a group of zombies)
