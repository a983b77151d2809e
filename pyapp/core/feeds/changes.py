"""Each change of a domain's state, told once, for one structured console line (RT-80)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum


class Level(IntEnum):
    """How loud a line is; a profile prints its own level and what is above."""

    DEBUG = 10
    INFO = 20
    WARNING = 30


@dataclass(frozen=True, slots=True)
class StateChange:
    """A domain is fed otherwise than before, or believed otherwise. `at_ms` is wall time."""

    at_ms: float
    level: Level
    domain: str
    mode: str
    was: str
    health: str
    polling: str


Log = Callable[[StateChange], None]


class Changes:
    """Remembers what was said of each domain, and says what is new."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._said: dict[str, tuple[str, str, str]] = {}

    def say(self, at_ms: float, domain: str, *, mode: str, health: str, polling: str, healthy: bool, calm: bool) -> None:
        """Tell of a domain if anything changed.

        Args:
            healthy: it can be believed.
            calm: it cannot, for a reason that is no failure.
        """
        now = (mode, health, polling)
        before = self._said.get(domain)
        if now == before:
            return
        self._said[domain] = now
        level = Level.INFO if healthy else Level.DEBUG if calm else Level.WARNING
        self._log(StateChange(at_ms, level, domain, mode, before[0] if before is not None else "", health, polling))

    def forget(self, domain: str) -> None:
        """Nobody wants it any more."""
        self._said.pop(domain, None)
