"""Alerts: what a person should hear of, once per episode and with its end (RT-82).

Whoever measures a condition calls `begin` while it holds and `end` when it does not; repeating either changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from pyapp.core.clock import Clock

EPISODES_KEPT = 50


class AlertKind(StrEnum):
    """What an alert is about."""

    BREAKER = "breaker"
    OWNER = "owner"


@dataclass(frozen=True, slots=True)
class Alert:
    """One episode.

    Attributes:
        subject: which breaker, which owner.
        began_wall_ms, ended_wall_ms: wall time; `None` while it lasts.
        text: one sentence for a person.
    """

    kind: AlertKind
    subject: str
    began_wall_ms: float
    ended_wall_ms: float | None
    text: str


class Alerts:
    """The episodes, the oldest first. Past 50 those that ended go first."""

    def __init__(self, clock: Clock, on_change: Callable[[Alert], None] = lambda alert: None) -> None:
        """`on_change` is told of each beginning and each end."""
        self._clock = clock
        self._on_change = on_change
        self._episodes: list[Alert] = []

    def begin(self, kind: AlertKind, subject: str, text: str) -> None:
        """The condition holds; nothing happens if it did before."""
        if self._open(kind, subject) is not None:
            return
        alert = Alert(kind, subject, self._clock.wall(), None, text)
        self._episodes.append(alert)
        if len(self._episodes) > EPISODES_KEPT:
            ended = next((old for old in self._episodes if old.ended_wall_ms is not None), self._episodes[0])
            self._episodes.remove(ended)
        self._on_change(alert)

    def end(self, kind: AlertKind, subject: str) -> None:
        """The condition holds no longer; nothing happens if it did not."""
        index = self._open(kind, subject)
        if index is not None:
            ended = self._episodes[index] = replace(self._episodes[index], ended_wall_ms=self._clock.wall())
            self._on_change(ended)

    def episodes(self) -> tuple[Alert, ...]:
        """Every episode that is kept."""
        return tuple(self._episodes)

    def _open(self, kind: AlertKind, subject: str) -> int | None:
        for index, alert in enumerate(self._episodes):
            if alert.ended_wall_ms is None and alert.kind is kind and alert.subject == subject:
                return index
        return None
