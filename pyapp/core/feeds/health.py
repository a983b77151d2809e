"""Whether a scope's stream can be believed (RT-30): a pure function of what is known about it.

First match:
    no scope is chosen                          unhealthy, no scope
    the server said 403                         unhealthy, permissions
    drift seen and not yet corrected            unhealthy, drift
    closed or reconnecting                      unhealthy, the connection's reason
    an error on this epoch, not made good       unhealthy, error
    a snapshot is owed or on its way            degraded, catching up
    no network, or no frame since it went       degraded, awaiting
    data came on this epoch                     healthy, delivering
    confirmed                                   healthy, synchronized
    else                                        degraded, awaiting

Health never outlives a connection: it is worked out anew from the connection of now. Opening a socket confirms nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pyapp.core.streams.connection import Connection, Phase, Reason


class HealthState(StrEnum):
    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"


class HealthReason(StrEnum):
    NO_SCOPE = "no scope"
    PERMISSIONS = "permissions"
    DRIFT = "drift"
    NOT_CONNECTED = "not connected"
    ERROR = "error"
    CATCHING_UP = "catching up"
    AWAITING = "awaiting"
    DELIVERING = "delivering"
    SYNCHRONIZED = "synchronized"


@dataclass(frozen=True, slots=True)
class Health:
    """The state with its reason; `connection` names why there is no connection."""

    state: HealthState
    reason: HealthReason
    connection: Reason = Reason.NONE

    @property
    def healthy(self) -> bool:
        return self.state is HealthState.HEALTHY

    def __str__(self) -> str:
        return f"{self.state} ({self.connection or self.reason})"


@dataclass(frozen=True, slots=True)
class Signs:
    """What is known of a scope.

    Attributes:
        connection: the stream's, `None` where there is none yet.
        chosen: whether a scope is chosen, where its domain needs one.
        forbidden: its stream or a snapshot of it was refused with 403 (RT-36).
        drifted: a difference was found and is not corrected yet (RT-35).
        failed: an error on this epoch, newer than its confirmation, that no snapshot made good.
        owed: a query of the scope waits for a snapshot.
        offline: the browser says that there is no network: an open stream is only awaited (RT-52).
        data_came: data came on this epoch.
    """

    connection: Connection | None = None
    chosen: bool = True
    forbidden: bool = False
    drifted: bool = False
    failed: bool = False
    owed: bool = False
    offline: bool = False
    data_came: bool = False


def measure(signs: Signs) -> Health:
    """RT-30's table."""
    connection = signs.connection
    if not signs.chosen:
        return Health(HealthState.UNHEALTHY, HealthReason.NO_SCOPE)
    if signs.forbidden:
        return Health(HealthState.UNHEALTHY, HealthReason.PERMISSIONS)
    if signs.drifted:
        return Health(HealthState.UNHEALTHY, HealthReason.DRIFT)
    if connection is None or connection.phase in (Phase.CLOSED, Phase.RECONNECTING):
        return Health(HealthState.UNHEALTHY, HealthReason.NOT_CONNECTED, connection.reason if connection else Reason.NOT_WANTED)
    if signs.failed or connection.error_ms is not None:
        return Health(HealthState.UNHEALTHY, HealthReason.ERROR)
    if signs.owed:
        return Health(HealthState.DEGRADED, HealthReason.CATCHING_UP)
    if signs.offline or connection.awaiting or not connection.confirmed:
        return Health(HealthState.DEGRADED, HealthReason.AWAITING)
    return Health(HealthState.HEALTHY, HealthReason.DELIVERING if signs.data_came else HealthReason.SYNCHRONIZED)
