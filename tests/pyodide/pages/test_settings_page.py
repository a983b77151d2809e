from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest
from page_fakes import ENV, draw, elements, take, words

from pyapp.contract.config import ServerConfig
from pyapp.core.timings import Timings
from pyapp.flags import FLAGS, STREAMING
from pyapp.pages import settings as page
from pyapp.pages.intervals import GROUPS, in_force, value_of
from pyapp.pages.preferences import Preferences
from pyapp.pages.protocol import Env, Forget, SetFlag
from pyapp.settings import PageFile, settings_of


def config(**changes: Any) -> ServerConfig:
    server = {"name": "penstock", "version": "1.2", "epoch": "e", "contract": ["a", "b"]}
    given = {"profile": "production", "metrics_interval_ms": 5_000, "live_refresh_interval_ms": 7_000, "server": server}
    return ServerConfig.model_validate({**given, **changes})


def env(served: ServerConfig | None = None, page_file: PageFile | None = None, overrides: dict[str, bool] | None = None) -> Env:
    return replace(ENV, settings=settings_of(served, page_file, overrides, "guest-1"))


def shown(panel: str, seen: Env, state: page.State | None = None) -> str:
    return draw(page.PANELS, panel, state or page.State(), {}, seen)


def pressed(drawn: str) -> int:
    return len(elements(drawn, "button", aria_pressed="true"))


def test_every_time_of_the_model_is_listed_once_with_a_unit() -> None:
    # RT-70
    listed = [one.field for _, intervals in GROUPS for one in intervals]
    assert sorted(listed) == sorted(field.name for field in fields(Timings))
    for _, intervals in GROUPS:
        for one in intervals:
            said = value_of(Timings(), one)
            assert said.unit or said.digits in ("off", "0"), one.field


def test_the_effective_intervals_are_those_of_the_settings() -> None:
    # RT-70
    said = words(shown("intervals", env(config())))
    assert "What no stream writes, every7s" in said
    assert "What streams write, to be safe, every (part B)10min" in said
    assert "(part A)" not in said
    assert "every (part A)1min" in words(shown("intervals", env()))
    assert "Then every250ms" in words(shown("intervals", env(config(profile="test"))))
    assert not in_force(settings_of(config()), next(one for one in GROUPS[1][1] if one.field == "confirm_ms"))


def test_the_environment_says_where_the_profile_comes_from() -> None:
    # RT-70
    assert "production, the server says so" in words(shown("environment", env(config())))
    assert "docker, penstock.json says so" in words(shown("environment", env(None, PageFile(profile="docker"))))
    said = words(shown("environment", env()))
    assert "production, nobody says another" in said
    assert "part A" in said
    assert "guest-1" in said


def test_each_flag_says_its_value_and_where_it_came_from() -> None:
    # RT-71
    drawn = shown("flags", env(config(), PageFile(flags={"tab_sharing": False}), {"verify_streams": True}))
    said = words(drawn)
    assert all(spec.name in said for spec in FLAGS)
    for expected in ("Off by penstock.json", "On by you", "On by default"):
        assert expected in said
    assert pressed(drawn) == len(FLAGS)
    assert elements(drawn, "button", **{"class": "btn small"})
    assert not elements(shown("flags", env(config())), "button", **{"class": "btn small"})


def test_a_flag_that_the_server_switched_off_cannot_be_set_here() -> None:
    # RT-71
    drawn = shown("flags", env(config(flags={STREAMING: {"enabled": False}}), None, {STREAMING: True}))
    assert "Off by the server" in words(drawn)
    assert not elements(drawn, "div", aria_label=f"Set {STREAMING}")
    assert pressed(drawn) == len(FLAGS) - 1


@pytest.mark.parametrize(("wish", "value"), [("on", True), ("off", False), ("given", None)])
def test_a_flag_is_set_or_given_back(wish: page.Wish, value: bool | None) -> None:
    # RT-71
    state = page.State()
    after, effects = take(page.update(state, page.Flip(flag=STREAMING, wish=wish)))
    assert (after, effects) == (state, (SetFlag(STREAMING, value),))


def test_every_flag_is_given_back_at_once() -> None:
    _, effects = take(page.update(page.State(), page.GiveBack()))
    assert effects == tuple(SetFlag(spec.name, None) for spec in FLAGS)


def test_what_is_chosen_is_pressed() -> None:
    drawn = shown("appearance", replace(ENV, preferences=Preferences("dark", "compact", False)))
    chosen = words(drawn)
    assert pressed(drawn) == 3
    assert all(word in chosen for word in ("Dark", "Compact", "Off"))


def test_forgetting_asks_first() -> None:
    # a destructive action confirms
    asked, effects = take(page.update(page.State(), page.AskForget()))
    assert (asked.confirming, effects) == (True, ())
    assert "open" in elements(shown("confirm", ENV, asked), "pen-dialog")[0].attributes
    kept, effects = take(page.update(asked, page.KeepAll()))
    assert (kept.confirming, effects) == (False, ())
    gone, effects = take(page.update(asked, page.ForgetAll()))
    assert (gone.confirming, effects) == (False, (Forget(),))


def test_the_address_says_nothing_and_nothing_is_needed() -> None:
    # RT-20
    assert page.needs(page.initial({"x": "1"})) == {}
    assert page.params(page.initial({"x": "1"})) == {}
