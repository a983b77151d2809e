"""Profiles and flags (RT-70, RT-71)."""

from __future__ import annotations

from typing import Any

import pytest

from pyapp.contract.config import ServerConfig
from pyapp.core.timings import Timings
from pyapp.settings import FLAGS, STREAMING, settings_of


def config(**fields: Any) -> ServerConfig:
    return ServerConfig.model_validate(
        {
            "profile": "production",
            "metrics_interval_ms": 5_000,
            "live_refresh_interval_ms": 5_000,
            "server": {"name": "penstock", "version": "1.2", "epoch": "e", "contract": ["a", "b"]},
            **fields,
        }
    )


def test_without_a_configuration_the_defaults_hold_and_only_part_a_is_spoken() -> None:
    # RT-70
    settings = settings_of(None)
    assert (settings.profile, settings.profile_source, settings.contract, settings.server) == ("production", "default", ("a",), "")
    assert settings.flag(STREAMING)
    assert settings.timings == Timings()


@pytest.mark.parametrize(("profile", "fallback"), [("development", 5_000), ("production", 10_000), ("docker", 8_000)])
def test_each_profile_has_its_fallback_interval(profile: str, fallback: float) -> None:
    # RT-70
    settings = settings_of(config(profile=profile, live_refresh_interval_ms=7_000))
    assert (settings.timings.fallback_poll_ms, settings.timings.live_refresh_ms) == (fallback, 7_000)
    assert (settings.profile, settings.profile_source, settings.server) == (profile, "server", "penstock 1.2")


def test_the_profile_test_divides_every_waiting_time_by_twenty_and_no_count() -> None:
    # RT-70
    timings = settings_of(config(profile="test", live_refresh_interval_ms=250)).timings
    plain = Timings()
    assert (timings.fallback_grace_ms, timings.fallback_poll_ms, timings.live_refresh_ms) == (600, 250, 250)
    assert (timings.resync_bucket, timings.jitter, timings.beat_ms, timings.heartbeat_factor) == (
        plain.resync_bucket,
        plain.jitter,
        plain.beat_ms,
        plain.heartbeat_factor,
    )


def test_the_server_s_off_always_wins_and_its_on_may_be_overridden() -> None:
    # RT-71
    off = settings_of(config(flags={STREAMING: {"enabled": False}}))
    assert off.flags[STREAMING] == (False, "server")
    assert off.with_override(STREAMING, True) is off
    on = settings_of(config(flags={STREAMING: {"enabled": True}, "unknown": {"enabled": True}}))
    assert on.with_override(STREAMING, False).flags[STREAMING] == (False, "you")
    assert on.with_override(STREAMING, False).with_override(STREAMING, True).flag(STREAMING)
    assert "unknown" not in on.flags


def test_an_unknown_flag_is_a_mistake() -> None:
    for call in (lambda: settings_of(None).flag("x"), lambda: settings_of(None).with_override("x", True)):
        with pytest.raises(KeyError):
            call()


def test_every_flag_says_who_reads_it_why_and_when_it_goes() -> None:
    # RT-74
    assert all(spec.owner and spec.purpose and spec.removed_when for spec in FLAGS)
