"""Endpoints and their classes: how requests are grouped for joining, concurrency and the breaker (RT-65, RT-66).

A class is a group of endpoints that the server answers from the same place, so that one of them failing says something about the
others and nothing about the rest. An application declares classes where it matters; an endpoint of which nobody said anything is a
class of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

CONCURRENCY = 4
"""Requests of one class that are under way at once, where its application says nothing."""


@dataclass(frozen=True, slots=True)
class EndpointClass:
    """A group of endpoints with one join window, one limit and one breaker.

    Attributes:
        name: for people, alerts and statistics.
        join_ms: for so long after an answer came it serves whoever asks for the same; `None` is the model's (`Timings.join_ms`).
        concurrency: how many of its requests may be under way at once.
    """

    name: str
    join_ms: float | None = None
    concurrency: int = CONCURRENCY

    def room(self, limit: int) -> int:
        """How many of `limit` places it may take: never the last one, so that another class always has a way (RT-64)."""
        return min(self.concurrency, max(1, limit - 1))


@dataclass(frozen=True, slots=True)
class EndpointSpec:
    """One endpoint, by the name under which requests are sent and counted."""

    name: str
    cls: EndpointClass


def endpoint(name: str) -> EndpointSpec:
    """An endpoint that is a class of its own."""
    return EndpointSpec(name, EndpointClass(name))
