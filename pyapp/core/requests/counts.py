"""What the coordinator counts, by endpoint and by class (RT-80)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pyapp.core.requests.bodies import BodyStatistics
from pyapp.core.requests.kept import KeptStatistics
from pyapp.core.requests.owners import OwnersStatistics


@dataclass(frozen=True, slots=True)
class EndpointStatistics:
    """One endpoint since the start.

    Attributes:
        endpoint, cls: its name and that of its class.
        sent: requests that left the page.
        joined: asked for while the same was on its way.
        kept: asked for within the window after an answer, and given that.
        not_modified: answers 304, whose body was kept.
        failed, failures: requests that brought no data, in all and by `RequestError.kind`.
        refused: not sent, because the breaker was open.
        cancelled: given up while under way.
        waited: had to wait for a free place.
        last_ms: how long the latest took.
        last_error: what it said when it last failed.
    """

    endpoint: str
    cls: str
    sent: int
    joined: int
    kept: int
    not_modified: int
    failed: int
    failures: Mapping[str, int]
    refused: int
    cancelled: int
    waited: int
    last_ms: float | None
    last_error: str


@dataclass(frozen=True, slots=True)
class ClassStatistics:
    """One class now: its breaker's state, since when (wall time), how often it opened; requests under way and waiting."""

    cls: str
    breaker: str
    since_wall_ms: float
    opens: int
    in_flight: int
    queued: int


@dataclass(frozen=True, slots=True)
class RequestStatistics:
    """`in_flight` and `queued` now, `limit` of the first; `coordinated` and `limited` as the flags say."""

    in_flight: int
    queued: int
    limit: int
    coordinated: bool
    limited: bool
    endpoints: tuple[EndpointStatistics, ...]
    classes: tuple[ClassStatistics, ...]
    owners: OwnersStatistics
    bodies: BodyStatistics
    kept: KeptStatistics


@dataclass(slots=True)
class Count:
    """The running figures of one endpoint; its attributes are those of `EndpointStatistics`."""

    endpoint: str
    cls: str
    sent: int = 0
    joined: int = 0
    kept: int = 0
    not_modified: int = 0
    refused: int = 0
    cancelled: int = 0
    waited: int = 0
    failures: dict[str, int] = field(default_factory=dict[str, int])
    last_ms: float | None = None
    last_error: str = ""

    def fail(self, kind: str, text: str) -> None:
        """A request brought no data."""
        self.failures[kind] = self.failures.get(kind, 0) + 1
        self.last_error = text

    def statistics(self) -> EndpointStatistics:
        """The figures at this moment."""
        return EndpointStatistics(
            endpoint=self.endpoint,
            cls=self.cls,
            sent=self.sent,
            joined=self.joined,
            kept=self.kept,
            not_modified=self.not_modified,
            failed=sum(self.failures.values()),
            failures=dict(self.failures),
            refused=self.refused,
            cancelled=self.cancelled,
            waited=self.waited,
            last_ms=self.last_ms,
            last_error=self.last_error,
        )
