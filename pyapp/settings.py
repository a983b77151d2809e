"""Profiles and flags: what this page runs with, and where each value came from (RT-70, RT-71, as far as this version reads them)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from pyapp.contract.config import ServerConfig
from pyapp.core.timings import TEST_DIVISOR, Timings

Source = Literal["default", "server", "you"]

STREAMING: Final = "enable_sse_streaming"


@dataclass(frozen=True, slots=True)
class FlagSpec:
    """A flag that this version reads.

    Attributes:
        owner: the part that reads it.
        purpose: what it is for.
        default: without a word from the server.
        removed_when: the condition for its removal, if it is temporary.
    """

    name: str
    owner: str
    purpose: str
    default: bool
    removed_when: str = "never: it is the kill switch"


FLAGS: Final[tuple[FlagSpec, ...]] = (FlagSpec(STREAMING, "feeds", "Streams feed the panels; off, everything polls.", True),)

_FALLBACK_POLL_MS: Final[Mapping[str, float]] = {"development": 5_000, "production": 10_000, "docker": 8_000, "test": 5_000}


@dataclass(frozen=True, slots=True)
class Settings:
    """What the page runs with.

    Attributes:
        profile, profile_source: the environment's name (RT-70).
        timings: every time of the model, as the profile has them.
        flags: each flag's value and where it came from.
        server: the server's name and version, empty at a part-A server.
        contract: the parts that the server speaks.
    """

    profile: str = "production"
    profile_source: Source = "default"
    timings: Timings = field(default_factory=Timings)
    flags: Mapping[str, tuple[bool, Source]] = field(default_factory=dict[str, "tuple[bool, Source]"])
    server: str = ""
    contract: tuple[str, ...] = ("a",)

    def flag(self, name: str) -> bool:
        """A flag's value.

        Raises:
            KeyError: no such flag.
        """
        return self.flags[name][0]

    def with_override(self, name: str, value: bool) -> Settings:
        """The settings after a person set a flag. The server's `off` always wins (RT-71).

        Raises:
            KeyError: no such flag.
        """
        now, source = self.flags[name]
        if source == "server" and not now:
            return self
        return replace(self, flags={**self.flags, name: (value, "you")})


def settings_of(config: ServerConfig | None) -> Settings:
    """The settings of a server's `/config`; `None` where it has none, which is a part-A server."""
    flags: dict[str, tuple[bool, Source]] = {spec.name: (spec.default, "default") for spec in FLAGS}
    if config is None:
        return Settings(flags=flags)
    for spec in FLAGS:
        flag = config.flags.get(spec.name)
        if flag is not None:
            flags[spec.name] = (flag.enabled, "server")
    timings = replace(
        Timings(), fallback_poll_ms=_FALLBACK_POLL_MS[config.profile], live_refresh_ms=float(config.live_refresh_interval_ms)
    )
    if config.profile == "test":
        # The server has divided its own intervals already; only what is ours remains.
        timings = replace(timings.divided(TEST_DIVISOR), live_refresh_ms=float(config.live_refresh_interval_ms))
    return Settings(
        profile=config.profile,
        profile_source="server",
        timings=timings,
        flags=flags,
        server=f"{config.server.name} {config.server.version}",
        contract=tuple(config.server.contract),
    )
