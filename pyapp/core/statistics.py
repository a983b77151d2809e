"""Every part's figures at one moment (RT-80), and the few that a page shows every second."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pyapp.core.beat import BeatStatistics
from pyapp.core.cache.statistics import CacheStatistics
from pyapp.core.feeds.scopes import ScopeStatistics
from pyapp.core.mutations import MutationStatistics
from pyapp.core.requests.coordinator import RequestStatistics
from pyapp.core.streams.manager import StreamPulse, StreamStatistics


@dataclass(frozen=True, slots=True)
class Statistics:
    """Every part's figures at one moment (RT-80)."""

    streams: tuple[StreamStatistics, ...]
    scopes: tuple[ScopeStatistics, ...]
    cache: CacheStatistics
    mutations: MutationStatistics
    requests: RequestStatistics
    beat: BeatStatistics
    fetches: Mapping[str, int]
    hidden: bool
    clock_offset_ms: float | None
    errors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pulse:
    """The streams, the requests under way and the server's clock, cheaply."""

    streams: tuple[StreamPulse, ...]
    in_flight: int
    clock_offset_ms: float | None
