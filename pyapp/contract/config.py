"""``GET /config`` of a part-B server (RT-70, RT-71)."""

from collections.abc import Mapping
from typing import Literal

from .base import Items, WireModel

Profile = Literal["development", "production", "docker", "test"]


class Flag(WireModel):
    """A flag: off for all, or on for named users and for ``percentage`` (0..100) of the others; absent = all."""

    enabled: bool
    percentage: float | None = None
    users: Items[str] = ()


class ServerInfo(WireModel):
    """Who answers. ``epoch`` changes with every start; ``contract`` holds the parts it speaks."""

    name: str
    version: str
    epoch: str
    contract: Items[str] = ()


class ServerConfig(WireModel):
    """The whole answer. Intervals are milliseconds."""

    profile: Profile
    flags: Mapping[str, Flag] = {}
    metrics_interval_ms: int
    live_refresh_interval_ms: int
    server: ServerInfo
