"""Profiles and flags (RT-70, RT-71)."""

from __future__ import annotations

from typing import Any

import pytest

from pyapp.contract.config import ServerConfig
from pyapp.core.feeds.changes import Level
from pyapp.core.timings import Timings
from pyapp.flags import STREAMING, VERIFYING
from pyapp.settings import page_file_of, settings_of


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


def test_the_page_s_file_has_the_word_where_the_server_has_none() -> None:
    # RT-70
    page = page_file_of('{"api": "", "profile": "docker", "flags": {"verify_streams": true}}')
    settings = settings_of(None, page)
    assert (settings.profile, settings.profile_source, settings.level) == ("docker", "page", Level.INFO)
    assert settings.timings.fallback_poll_ms == 8_000
    assert settings.flags[VERIFYING] == (True, "page")
    served = settings_of(config(profile="development"), page)
    assert (served.profile, served.profile_source) == ("development", "server")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("no json", "cannot be read"),
        ("[]", "cannot be read"),
        ('{"flags": 1}', '"flags" must be'),
        ('{"flags": {"verify_streams": "yes"}}', '"flags" must be'),
        ('{"profile": "staging"}', '"profile" must be one of'),
        ('{"flags": {"nonsense": true}}', "nonsense"),
    ],
)
def test_what_the_page_s_file_says_wrongly_is_said_in_a_sentence_and_not_guessed(text: str, part: str) -> None:
    # RT-70
    page = page_file_of(text)
    assert part in (page.problem or "")
    assert settings_of(None, page).profile == "production"
    assert page_file_of('{"api": "/"}').problem is None


def test_each_profile_has_its_limits_level_and_defaults_of_flags() -> None:
    # RT-67, RT-70
    for profile, level, verifying in (
        ("development", Level.DEBUG, True),
        ("docker", Level.INFO, False),
        ("production", Level.WARNING, False),
        ("test", Level.DEBUG, True),
    ):
        settings = settings_of(config(profile=profile))
        assert (settings.level, settings.flags[VERIFYING], settings.limits) == (level, (verifying, "default"), profile != "test")


def test_an_unknown_flag_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        settings_of(None).flag("x")
