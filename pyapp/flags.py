"""The flags that this version reads, and how each gets its value (RT-71, RT-74).

First match:
    the server says off                              off, server
    the person set it                                theirs, you
    the page's file sets it                          that, page
    the server has a word for this person            that, server
    else                                             the profile's default

A server's word: named users have it; of the others a percentage, by a stable hash of the flag and the identity, so that 10 → 50 → 100
only ever adds people; without a percentage all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from pyapp.contract.config import Flag
from pyapp.inventory import STREAMS

Source = Literal["default", "server", "page", "you"]

STREAMING: Final = "enable_sse_streaming"
SHARING: Final = "tab_sharing"
VERIFYING: Final = "verify_streams"
COORDINATION: Final = "request_coordination"
FETCHING: Final = "automatic_fetching"
BYPASS: Final = "bypass_all"
STREAM: Final = "stream."
"""With a stream's name behind it: the flag of one stream."""


@dataclass(frozen=True, slots=True)
class FlagSpec:
    """A flag that this version reads.

    Attributes:
        owner: the part that reads it.
        purpose: what it is for.
        default: without a word from anybody.
        by_profile: defaults of some profiles (RT-70).
        removed_when: the condition for its removal, if it is temporary.
    """

    name: str
    owner: str
    purpose: str
    default: bool
    removed_when: str
    by_profile: Mapping[str, bool] = field(default_factory=dict[str, bool])


FLAGS: Final[tuple[FlagSpec, ...]] = (
    FlagSpec(STREAMING, "feeds", "Streams feed the panels; off, everything polls.", True, "never: it is the kill switch"),
    FlagSpec(
        SHARING,
        "tabs",
        "The tabs of an origin share one leader's streams; off, each has connections of its own.",
        True,
        "never: it tells a fault of the sharing from one of the streams",
    ),
    FlagSpec(
        VERIFYING,
        "feeds",
        "One safety snapshot in ten is compared with what the streams had made of the data.",
        False,
        "when a year of production found no drift",
        {"development": True, "test": True},
    ),
    FlagSpec(
        COORDINATION,
        "requests",
        "Requests are joined, kept for a moment, asked by ETag and held back by breakers; off, each is sent as it is.",
        True,
        "never: it tells a fault of the coordinator from one of the server",
    ),
    FlagSpec(
        FETCHING,
        "feeds",
        "Queries are fetched at intervals by themselves; off, once when first looked at and when a person asks.",
        True,
        "never: it takes the load of open pages off a server in trouble",
    ),
    FlagSpec(
        BYPASS,
        "main",
        "Plain fetch and polling: no streams, no tabs, no coordination of requests.",
        False,
        "never: it is the last resort when the console itself is in doubt",
    ),
    *(
        FlagSpec(f"{STREAM}{row.name}", "streams", f"The stream {row.name}; off, what it feeds polls.", True, "never: a kill switch")
        for row in STREAMS
    ),
)


def share_of(name: str, user: str) -> float:
    """Where somebody stands among all, 0 to below 100, the same at every visit and independent from flag to flag."""
    digest = hashlib.sha256(f"{name}:{user}".encode()).digest()
    return int.from_bytes(digest[:4]) * 100 / 2**32


def has(flag: Flag, name: str, user: str) -> bool:
    """Whether a server's flag is on for somebody."""
    if not flag.enabled:
        return False
    return user in flag.users or flag.percentage is None or share_of(name, user) < flag.percentage


def value_of(
    spec: FlagSpec, *, server: Flag | None, override: bool | None, page: bool | None, profile: str, user: str
) -> tuple[bool, Source]:
    """A flag's value and where it came from: the table of this module's docstring."""
    if server is not None and not server.enabled:
        return False, "server"
    if override is not None:
        return override, "you"
    if page is not None:
        return page, "page"
    if server is not None:
        return has(server, spec.name, user), "server"
    return spec.by_profile.get(profile, spec.default), "default"
