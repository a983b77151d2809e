"""Every part's figures at one moment (RT-80), and the few that a page shows every second."""

from __future__ import annotations

from dataclasses import dataclass

from pyapp.core.alerts import Alert
from pyapp.core.beat import BeatStatistics
from pyapp.core.cache.statistics import CacheStatistics
from pyapp.core.feeds.statistics import FeedsStatistics
from pyapp.core.mutations import MutationStatistics
from pyapp.core.requests.counts import RequestStatistics
from pyapp.core.streams.entry import StreamPulse, StreamStatistics, StreamTotals
from pyapp.core.streams.transport import TransportStatistics
from pyapp.core.tabs.statistics import TabStatistics


@dataclass(frozen=True, slots=True)
class Statistics:
    """Every part's figures at one moment (RT-80)."""

    streams: tuple[StreamStatistics, ...]
    feeds: FeedsStatistics
    totals: StreamTotals
    transport: TransportStatistics
    cache: CacheStatistics
    mutations: MutationStatistics
    requests: RequestStatistics
    alerts: tuple[Alert, ...]
    beat: BeatStatistics
    hidden: bool
    clock_offset_ms: float | None
    errors: tuple[str, ...]
    tabs: TabStatistics | None = None
    """This tab among the others; `None` where the client was not given the means."""


@dataclass(frozen=True, slots=True)
class Pulse:
    """The streams, the requests under way and the server's clock, cheaply.

    Attributes:
        connections: how many the streams hold, open or opening: many streams may ride one.
        clock_coarse: the clock is known to the second only.
    """

    streams: tuple[StreamPulse, ...]
    in_flight: int
    clock_offset_ms: float | None
    tabs: TabStatistics | None = None
    connections: int = 0
    clock_coarse: bool = False
