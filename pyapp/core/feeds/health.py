"""Whether a scope's stream can be believed (RT-30): a pure function of what is known about its connection.

First match:
    closed or reconnecting                      unhealthy, the connection's reason
    not confirmed on this epoch                 degraded, awaiting
    a snapshot is owed or on its way            degraded, catching up
    data came on this epoch                     healthy, delivering
    confirmed                                   healthy, synchronized

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
    NOT_CONNECTED = "not connected"
    AWAITING = "awaiting"
    CATCHING_UP = "catching up"
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


def measure(connection: Connection | None, *, owed: bool, data_came: bool) -> Health:
    """RT-30's table.

    Args:
        connection: the stream's, `None` where there is none yet.
        owed: whether a query of the scope waits for a snapshot.
        data_came: whether data came on this epoch.
    """
    if connection is None or connection.phase in (Phase.CLOSED, Phase.RECONNECTING):
        return Health(HealthState.UNHEALTHY, HealthReason.NOT_CONNECTED, connection.reason if connection else Reason.NOT_WANTED)
    if not connection.confirmed:
        return Health(HealthState.DEGRADED, HealthReason.AWAITING)
    if owed:
        return Health(HealthState.DEGRADED, HealthReason.CATCHING_UP)
    return Health(HealthState.HEALTHY, HealthReason.DELIVERING if data_came else HealthReason.SYNCHRONIZED)
