"""The table of functions, filled by ``functions`` and read by the server (what exists) and the workers (what to call)."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pyapp.contract.jobs import JobType
from server_stub.changes import FunctionSeen

from .job import Job

Body = Callable[[Job, dict[str, Any]], Any]


@dataclass(frozen=True, slots=True)
class Function:
    """A function. ``every_s`` puts it on a schedule (aligned to the clock); ``retry_delay_s`` is between attempts."""

    name: str
    body: Body
    every_s: int | None
    max_retries: int
    retry_delay_s: float
    max_concurrency: int | None

    @property
    def job_type(self) -> JobType:
        """Scheduled functions are cron, the others are tasks."""
        return "task" if self.every_s is None else "cron"

    @property
    def key(self) -> str:
        """The key on the wire."""
        return f"{self.job_type}_{self.name}_{hashlib.blake2b(self.name.encode(), digest_size=6).hexdigest()}"

    @property
    def schedule(self) -> str | None:
        """Six cron fields, seconds first."""
        if self.every_s is None:
            return None
        return f"*/{self.every_s} * * * * *" if self.every_s < 60 else f"0 */{self.every_s // 60} * * * *"

    def seen(self) -> FunctionSeen:
        """The function as a change."""
        return FunctionSeen(
            self.key,
            self.name,
            self.job_type,
            {
                "max_retries": self.max_retries,
                "retry_delay": self.retry_delay_s,
                "max_concurrency": self.max_concurrency,
                "schedule": self.schedule,
                "every_s": self.every_s,
                "missed_run_policy": None if self.every_s is None else "skip",
            },
        )


FUNCTIONS: dict[str, Function] = {}
"""By name."""


def function(
    *,
    every_s: int | None = None,
    max_retries: int = 0,
    retry_delay_s: float = 1.0,
    max_concurrency: int | None = None,
) -> Callable[[Body], Body]:
    """Register a function under its Python name."""

    def register(body: Body) -> Body:
        FUNCTIONS[body.__name__] = Function(body.__name__, body, every_s, max_retries, retry_delay_s, max_concurrency)
        return body

    return register


def by_key() -> dict[str, Function]:
    """Every function by its key on the wire."""
    return {each.key: each for each in FUNCTIONS.values()}
