"""What the server is told at its start. Times are seconds unless the name says ``_ms``.

Profile ``test`` divides every time by 20 (RT-70), so that a test of a rule waits for milliseconds, and has no limits.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from pyapp.contract.config import Profile

Contract = Literal["a", "b"]
PROFILES: tuple[Profile, ...] = get_args(Profile)
TEST_DIVISOR = 20


@dataclass(frozen=True, slots=True)
class Times:
    """Every interval of the server, for one profile."""

    heartbeat_s: float = 5.0
    retry_ms: int = 1_000
    keep_alive_s: float = 15.0
    """The silence after which a part-A stream says that it is alive."""
    snapshot_interval_s: float = 0.5
    """The shortest time between two snapshot frames of one stream."""
    refresh_s: float = 5.0
    """How often figures that change by the clock alone are looked at again."""
    worker_heartbeat_s: float = 5.0
    metrics_interval_ms: int = 5_000
    live_refresh_interval_ms: int = 5_000

    @classmethod
    def of(cls, profile: Profile) -> "Times":
        """The times of a profile."""
        if profile != "test":
            return cls()
        plain = cls()
        return cls(
            heartbeat_s=plain.heartbeat_s / TEST_DIVISOR,
            keep_alive_s=plain.keep_alive_s / TEST_DIVISOR,
            retry_ms=plain.retry_ms // TEST_DIVISOR,
            snapshot_interval_s=plain.snapshot_interval_s / TEST_DIVISOR,
            refresh_s=plain.refresh_s / TEST_DIVISOR,
            worker_heartbeat_s=plain.worker_heartbeat_s / TEST_DIVISOR,
            metrics_interval_ms=plain.metrics_interval_ms // TEST_DIVISOR,
            live_refresh_interval_ms=plain.live_refresh_interval_ms // TEST_DIVISOR,
        )


@dataclass(frozen=True, slots=True)
class Limits:
    """Zero means no limit."""

    streams_per_user: int = 24
    streams: int = 2_000
    requests_per_minute: int = 600

    @classmethod
    def of(cls, profile: Profile) -> "Limits":
        """The limits of a profile: none in ``test``."""
        return cls(0, 0, 0) if profile == "test" else cls()


@dataclass(frozen=True, slots=True)
class Settings:
    """The server's whole configuration."""

    host: str = "127.0.0.1"
    port: int = 8787
    source: str = "local"
    replay_dir: Path | None = None
    rate: float = 20.0
    seed: int = 1
    profile: Profile = "development"
    sim_history: int = 24_000
    """Jobs, and as many requests, of the day before the simulator's start."""
    contract: Contract = "b"
    """``a``: speak part A of the contract only, as a server that knows nothing of this console."""
    faults: bool = False
    schedule: bool = True
    """Whether the local source runs its functions on their schedules; on request they run anyway."""
    allowed_origins: tuple[str, ...] = ()
    allowed_hosts: tuple[str, ...] = ()
    site: Path = Path("web/dist")
    dev: bool = False
    """Serve ``app.zip`` from the working tree."""
    data: Path = Path(".state")
    times: Times = field(default_factory=Times)
    limits: Limits = field(default_factory=Limits)


def detect_profile() -> Profile:
    """``PENSTOCK_PROFILE``, then the marks of a container, else ``development`` (RT-70).

    Raises ``ValueError`` with one sentence for a profile that does not exist.
    """
    named = os.environ.get("PENSTOCK_PROFILE")
    if named:
        for profile in PROFILES:
            if profile == named:
                return profile
        raise ValueError(f"PENSTOCK_PROFILE is {named!r}; it must be one of {', '.join(PROFILES)}.")
    in_container = Path("/.dockerenv").exists() or Path("/run/.containerenv").exists()
    return "docker" if in_container else "development"
