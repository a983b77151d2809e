"""RT-80's words: how a domain is fed, and whether it is polled. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass

from pyapp.core.feeds.pause import NOTHING, Pauses, words


@dataclass(frozen=True, slots=True)
class Fed:
    """What is known of a domain.

    Attributes:
        queries: whether a query that may move wants it; subscribers alone are no query.
        streamed: whether a stream writes it directly.
        healthy, polling: of its scope (RT-30, RT-33).
        metrics: the domain's rows have metrics that only a tick brings (RT-68).
        whole: its stream says the whole state each time.
        stream: the stream's state in a word.
        pauses: of its polling.
    """

    queries: bool = True
    streamed: bool = False
    healthy: bool = False
    polling: bool = False
    metrics: bool = False
    whole: bool = False
    stream: str = "closed"
    pauses: Pauses = NOTHING


def mode_of(fed: Fed) -> str:
    """The first that matches."""
    if fed.streamed and not fed.queries:
        return "streaming"
    if fed.healthy and fed.metrics:
        return "metrics-only"
    if fed.healthy:
        return "watch" if fed.whole else "streaming"
    if fed.polling:
        return "polling (fallback)"
    if not fed.queries:
        return "snapshot"
    return f"{fed.stream} (unhealthy)" if fed.streamed else "polling"


def polling_of(fed: Fed) -> str:
    """`enabled`, `paused` with why, or `disabled`."""
    wanted = fed.queries and (fed.polling or not fed.streamed)
    if not wanted:
        return "disabled"
    return f"paused ({', '.join(words(fed.pauses))})" if fed.pauses else "enabled"
