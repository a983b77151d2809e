"""What a panel may say about its data: the vocabulary of RT-83 and of the design's table of states.

A page never works these out. The feeds measure them, the cache carries them in every `Result`, and the panel's head shows them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class FreshnessState(StrEnum):
    """`data-freshness` (RT-83)."""

    LIVE = "live"
    POLLING = "polling"
    WINDOW = "window"
    PAUSED = "paused"
    STALE = "stale"
    LOADING = "loading"
    ERROR = "error"


class FreshnessReason(StrEnum):
    """`data-reason`: why the state is what it is; empty where the state says it all."""

    NONE = ""
    DELIVERING = "delivering"
    SYNCHRONIZED = "synchronized"
    UNVERIFIED = "unverified"
    DESIGN = "design"
    FALLBACK = "fallback"
    BUDGET = "budget"
    USER = "user"
    HIDDEN = "hidden"
    OFFLINE = "offline"
    FLAG = "flag"
    CONNECTING = "connecting"
    CATCHING_UP = "catching-up"
    OLD = "old"
    SERVER = "server"
    DRIFT = "drift"
    NETWORK = "network"
    CONTENT = "content"
    BREAKER = "breaker"
    FORBIDDEN = "forbidden"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Freshness:
    """How fresh one result is, measured.

    Attributes:
        state, reason: see the enums.
        since_ms: wall time in ms since when the state holds.
        mode: how the data is fed, one of RT-80's words: `streaming`, `watch`, `metrics-only`, `polling`, `polling (fallback)`,
            the stream's word with `(unhealthy)`, `snapshot`.
        health: the words of the scope's health with its reason, for the popover and the dock.
        stream: the stream that feeds it, as `Client.heard()` names it; empty where none does.
        last_delivery_ms: wall time of the last frame that counts as a delivery (RT-30), if any, when this was measured. Two marks that
            differ only in it are equal: a heartbeat is news of no data. `Client.heard()` has it up to the moment.
        last_snapshot_ms: wall time at which the last snapshot was asked for, if any.
        next_attempt_ms: wall time of the next reconnect or poll, if one is planned. Two marks that differ only in it are equal: it
            moves with every poll and is no news to a person.
        changes_since: events that a paused panel did not show.
    """

    state: FreshnessState = FreshnessState.LOADING
    reason: FreshnessReason = FreshnessReason.NONE
    since_ms: float = 0.0
    mode: str = "snapshot"
    health: str = ""
    stream: str = ""
    last_delivery_ms: float | None = field(default=None, compare=False)
    last_snapshot_ms: float | None = None
    next_attempt_ms: float | None = field(default=None, compare=False)
    changes_since: int = 0

    @property
    def calm(self) -> bool:
        """Whether the data is as fresh as it is meant to be: live, or polled because that is how it is fed."""
        polled = self.state is FreshnessState.POLLING and self.reason is FreshnessReason.DESIGN
        return polled or self.state is FreshnessState.LIVE
