"""Profiles and settings: what this page runs with, and where each value came from (RT-70, RT-71)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, cast, get_args

from pyapp.contract.config import Profile, ServerConfig
from pyapp.core.feeds.changes import Level
from pyapp.core.timings import TEST_DIVISOR, Timings
from pyapp.flags import FLAGS, Source, value_of

PROFILES: Final[tuple[str, ...]] = get_args(Profile)
_FALLBACK_POLL_MS: Final[Mapping[str, float]] = {"development": 5_000, "production": 10_000, "docker": 8_000, "test": 5_000}
_LEVELS: Final[Mapping[str, Level]] = {
    "development": Level.DEBUG,
    "docker": Level.INFO,
    "production": Level.WARNING,
    "test": Level.DEBUG,
}


@dataclass(frozen=True, slots=True)
class PageFile:
    """What `penstock.json` says beside the API's address; `problem` is a sentence about what of it cannot be used."""

    profile: str = ""
    flags: Mapping[str, bool] = field(default_factory=dict[str, bool])
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """What the page runs with.

    Attributes:
        profile, profile_source: the environment's name (RT-70).
        timings: every time of the model, as the profile has them.
        level: of the console lines.
        limits: whether who asks too often has to wait; the profile `test` is exempt (RT-67).
        flags: each flag's value and where it came from.
        chosen: what a person set, whether it counts or not.
        locked: flags that the server switched off for all: no choice of a person's counts.
        user: the identity that percentages were worked out for.
        server: the server's name and version, empty at a part-A server.
        contract: the parts that the server speaks.
    """

    profile: str = "production"
    profile_source: Source = "default"
    timings: Timings = field(default_factory=Timings)
    level: Level = Level.WARNING
    limits: bool = True
    flags: Mapping[str, tuple[bool, Source]] = field(default_factory=dict[str, "tuple[bool, Source]"])
    chosen: Mapping[str, bool] = field(default_factory=dict[str, bool])
    locked: frozenset[str] = frozenset()
    user: str = ""
    server: str = ""
    contract: tuple[str, ...] = ("a",)

    def flag(self, name: str) -> bool:
        """A flag's value.

        Raises:
            KeyError: no such flag.
        """
        return self.flags[name][0]


def page_file_of(text: str) -> PageFile:
    """The `profile` and `flags` of `penstock.json`. What cannot be used is left out and said, never guessed."""
    try:
        found = cast("dict[str, object]", json.loads(text))
        profile, said = found.get("profile", ""), found.get("flags", {})
    except (ValueError, AttributeError):
        return PageFile(problem="penstock.json cannot be read: its profile and flags are not used.")
    named = cast("dict[str, object]", said) if isinstance(said, dict) else {"": said}
    flags = {name: value for name, value in named.items() if isinstance(value, bool)}
    if len(flags) < len(named):
        return PageFile(problem='penstock.json: "flags" must be names with true or false; none of them is used.')
    if profile not in ("", *PROFILES):
        return PageFile(flags=flags, problem=f'penstock.json: "profile" must be one of {", ".join(PROFILES)}; it is not used.')
    known = {spec.name for spec in FLAGS}
    unknown = sorted(name for name in flags if name not in known)
    problem = f"penstock.json names flags that do not exist: {', '.join(unknown)}." if unknown else None
    return PageFile(str(profile), flags, problem)


def settings_of(
    config: ServerConfig | None, page: PageFile | None = None, overrides: Mapping[str, bool] | None = None, user: str = ""
) -> Settings:
    """The settings of a server's `/config`, the page's file and what a person set.

    Args:
        config: `None` where the server has none, which is a part-A server.
        overrides: flags by name.
        user: the identity, for flags that only some have.
    """
    page = page if page is not None else PageFile()
    overrides = overrides if overrides is not None else {}
    profile, source = _profile(config, page)
    flags = {
        spec.name: value_of(
            spec,
            server=config.flags.get(spec.name) if config is not None else None,
            override=overrides.get(spec.name),
            page=page.flags.get(spec.name),
            profile=profile,
            user=user,
        )
        for spec in FLAGS
    }
    return Settings(
        profile=profile,
        profile_source=source,
        timings=_timings(profile, config),
        level=_LEVELS[profile],
        limits=profile != "test",
        flags=flags,
        chosen=dict(overrides),
        locked=_switched_off(config),
        user=user,
        server=f"{config.server.name} {config.server.version}" if config is not None else "",
        contract=tuple(config.server.contract) if config is not None else ("a",),
    )


def _switched_off(config: ServerConfig | None) -> frozenset[str]:
    """The flags that the server wants off for all: nothing else counts for them (RT-71)."""
    return frozenset() if config is None else frozenset(name for name, flag in config.flags.items() if not flag.enabled)


def _profile(config: ServerConfig | None, page: PageFile) -> tuple[str, Source]:
    """The server's word, else the page's, else production (RT-70)."""
    if config is not None:
        return config.profile, "server"
    return (page.profile, "page") if page.profile else ("production", "default")


def _timings(profile: str, config: ServerConfig | None) -> Timings:
    timings = replace(Timings(), fallback_poll_ms=_FALLBACK_POLL_MS[profile])
    if profile == "test":
        timings = timings.divided(TEST_DIVISOR)
    if config is None:
        return timings
    # The server has divided its own intervals already.
    return replace(timings, live_refresh_ms=float(config.live_refresh_interval_ms))
