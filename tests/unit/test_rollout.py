"""Flags while the page is open (RT-71, RT-72, RT-74)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from pyapp.contract.config import ServerConfig
from pyapp.core.errors import HttpError, NetworkError, RequestError, WrongContent
from pyapp.core.identity import GUEST, Visitor
from pyapp.core.storage import Memory
from pyapp.core.testing import VirtualClock
from pyapp.flags import BYPASS, COORDINATION, FETCHING, FLAGS, STREAM, STREAMING, VERIFYING
from pyapp.rollout import OVERRIDES, ConfigWatch, Counts, Rollout, apply
from pyapp.settings import PageFile, Settings, settings_of


def config(flags: dict[str, Any] | None = None) -> ServerConfig:
    return ServerConfig.model_validate(
        {
            "profile": "production",
            "flags": flags or {},
            "metrics_interval_ms": 5_000,
            "live_refresh_interval_ms": 5_000,
            "server": {"name": "penstock", "version": "1.2", "epoch": "e", "contract": ["a", "b"]},
        }
    )


class Recorder:
    """What flags acted on, as it stands now."""

    def __init__(self) -> None:
        self.now: dict[str, Any] = {}
        self.calls = 0

    def _set(self, name: str, value: Any) -> None:
        self.calls += 1
        self.now[name] = value

    def set_streaming(self, on: bool) -> None:
        self._set("streaming", on)

    def set_sharing(self, on: bool) -> None:
        self._set("sharing", on)

    def set_verifying(self, on: bool) -> None:
        self._set("verifying", on)

    def set_fetching(self, on: bool) -> None:
        self._set("fetching", on)

    def configure_requests(self, *, coordinate: bool) -> None:
        self._set("coordinate", coordinate)

    def deny_streams(self, names: frozenset[str]) -> None:
        self._set("denied", names)


class World:
    def __init__(self, served: ServerConfig | None = None, *, storage: Memory | None = None, page: PageFile | None = None) -> None:
        self.clock, self.storage, self.switches = VirtualClock(), storage or Memory(), Recorder()
        self.counts = Counts(0, 0, 0)
        self.visitor = Visitor(self.storage, lambda: "0001")
        self.rollout = Rollout(config=served, page=page or PageFile(), storage=self.storage, identity=self.visitor)
        self.rollout.run(self.clock, self.switches, lambda: self.counts)


def test_every_flag_is_read_and_what_reads_it_follows_it() -> None:
    # RT-74
    plain = settings_of(None, overrides={spec.name: False for spec in FLAGS})
    for spec in FLAGS:
        off, on = Recorder(), Recorder()
        base = {**{other.name: True for other in FLAGS}, BYPASS: False}
        apply(settings_of(None, overrides={**base, spec.name: False}), off)
        apply(settings_of(None, overrides={**base, spec.name: True}), on)
        assert off.now != on.now, f"nothing reads {spec.name}"
    assert not any(value for value, _ in plain.flags.values())


def test_bypass_switches_streams_and_coordination_off_together() -> None:
    # RT-71
    world = World(config())
    on: dict[str, object] = {
        "streaming": True,
        "sharing": True,
        "verifying": False,
        "fetching": True,
        "coordinate": True,
        "denied": frozenset(),
    }
    assert world.switches.now == on
    world.rollout.set(BYPASS, True)
    assert [world.switches.now[name] for name in ("streaming", "sharing", "coordinate")] == [False] * 3
    world.rollout.unset(BYPASS)
    assert (world.switches.now["streaming"], world.switches.now["coordinate"]) == (True, True)


def test_a_flip_acts_at_once_both_ways_and_is_kept_for_the_next_visit() -> None:
    # RT-71
    world = World(config())
    world.rollout.set(f"{STREAM}events", False)
    assert world.switches.now["denied"] == frozenset({"events"})
    assert json.loads(world.storage.texts[OVERRIDES]) == {f"{STREAM}events": False}
    again = World(config(), storage=world.storage)
    assert again.switches.now["denied"] == frozenset({"events"})
    assert again.rollout.settings.flags[f"{STREAM}events"] == (False, "you")
    again.rollout.set(f"{STREAM}events", True)
    assert again.switches.now["denied"] == frozenset()
    again.rollout.unset(f"{STREAM}events")
    assert OVERRIDES not in again.storage.texts
    assert again.rollout.settings.flags[f"{STREAM}events"] == (True, "default")


def test_a_flag_that_another_tab_sets_holds_here_and_whoever_shows_settings_is_told() -> None:
    # RT-71
    world, told = World(config()), list[bool]()
    world.rollout.on_change(lambda: told.append(world.rollout.settings.flag(STREAMING)))
    world.storage.elsewhere(OVERRIDES, json.dumps({STREAMING: False}))
    assert (world.switches.now["streaming"], told) == (False, [False])
    assert world.rollout.settings.chosen == {STREAMING: False}
    world.storage.elsewhere("theme", "dark")
    assert told == [False]
    world.storage.elsewhere(OVERRIDES, None)
    assert (world.switches.now["streaming"], told) == (True, [False, True])
    world.rollout.set(STREAMING, True)  # the same value, from somebody else
    assert (told, world.rollout.settings.flags[STREAMING]) == ([False, True, True], (True, "you"))


def test_what_the_server_switched_off_is_known_apart_from_what_is_off() -> None:
    # RT-71
    world = World(config({STREAMING: {"enabled": False}, VERIFYING: {"enabled": True, "percentage": 0}}))
    assert world.rollout.settings.locked == {STREAMING}
    assert world.rollout.settings.flags[VERIFYING] == (False, "server")


@pytest.mark.parametrize("kept", ["no json", "[1]", '{"gone": true, "enable_sse_streaming": "x"}', "{}"])
def test_what_was_kept_and_cannot_be_used_is_left_out(kept: str) -> None:
    # RT-71
    storage = Memory()
    storage.write(OVERRIDES, kept)
    assert World(config(), storage=storage).rollout.settings.flags == settings_of(config()).flags


def test_the_server_s_off_reaches_the_page_wins_over_the_person_and_its_on_gives_the_person_back() -> None:
    # RT-71, RT-72
    world = World(config())
    world.rollout.set(STREAMING, True)
    world.rollout.heard(config({STREAMING: {"enabled": False}}))
    assert world.rollout.settings.flags[STREAMING] == (False, "server")
    assert world.switches.now["streaming"] is False
    world.rollout.set(STREAMING, True)
    assert world.switches.now["streaming"] is False
    world.rollout.heard(config({STREAMING: {"enabled": True}}))
    assert world.rollout.settings.flags[STREAMING] == (True, "you")
    calls = world.switches.calls
    world.rollout.heard(config({STREAMING: {"enabled": True}}))
    assert world.switches.calls == calls  # what says the same again flips nothing


def test_a_flag_that_does_not_exist_is_said_in_a_sentence() -> None:
    # RT-71
    world = World()
    for call in (lambda: world.rollout.set("x", True), lambda: world.rollout.unset("x")):
        with pytest.raises(ValueError, match="There is no flag 'x': there are automatic_fetching"):
            call()


def test_another_identity_has_the_flags_of_its_own() -> None:
    # RT-71
    world = World(config({VERIFYING: {"enabled": True, "percentage": 0, "users": ["ann"]}}))
    assert world.storage.texts[GUEST] == "guest-0001"
    assert (world.rollout.settings.user, world.switches.now["verifying"]) == ("guest-0001", False)
    told: list[str] = []
    world.visitor.on_change(lambda: told.append(world.visitor.user()))
    world.visitor.sign_in("ann")
    world.visitor.sign_in("ann")
    assert (world.rollout.settings.user, world.switches.now["verifying"], told) == ("ann", True, ["ann"])
    world.visitor.sign_in("")
    assert (world.switches.now["verifying"], told) == (False, ["ann", "guest-0001"])
    assert Visitor(world.storage, lambda: "0002").user() == "guest-0001"


def test_guests_of_one_browser_profile_are_one_group_of_tabs_whatever_ids_they_made() -> None:
    # RT-60: two tabs of a new profile that begin at once read no id, and each makes one
    one, other = Visitor(Memory(), lambda: "0001"), Visitor(Memory(), lambda: "0002")
    assert one.user() != other.user()
    assert one.whose() == other.whose() == GUEST
    one.sign_in(GUEST)
    assert one.whose() != other.whose()
    other.sign_in(GUEST)
    assert one.whose() == other.whose()


def test_each_flip_is_remembered_with_the_rates_before_and_after_it() -> None:
    # RT-72
    world = World(config())
    assert Rollout(config=None, page=PageFile(), storage=Memory(), identity=world.visitor).flips() == ()
    world.clock.advance(10_000)
    world.counts = Counts(20, 2, 1)
    world.rollout.set(FETCHING, False)
    world.clock.advance(5_000)
    world.counts = Counts(20, 2, 1)
    world.rollout.heard(config({COORDINATION: {"enabled": False}}))
    world.clock.advance(1_000)
    world.counts = Counts(24, 5, 3)
    first, second = world.rollout.flips()
    assert (first.flag, first.value, first.source) == (FETCHING, False, "you")
    assert (first.before.seconds, first.before.requests, first.before.failed, first.before.failed_share) == (10, 20, 2, 0.1)
    assert (first.after.seconds, first.after.requests, first.after.failed_share) == (5, 0, None)
    assert (second.flag, second.source, second.after.failed_share, second.after.drops) == (COORDINATION, "server", 0.75, 2)
    for number in range(60):
        world.rollout.set(FETCHING, bool(number % 2))
    assert len(world.rollout.flips()) == 20


class Watched:
    """A watch of the configuration, answered by the test."""

    def __init__(self) -> None:
        self.clock, self.hidden = VirtualClock(), False
        self.asked: list[Callable[[str | RequestError], None]] = []
        self.heard: list[ServerConfig] = []
        self.watch = ConfigWatch(self.clock, 30_000, self.asked.append, lambda: self.hidden, self.heard.append)
        self.watch.start()


def test_the_configuration_is_read_again_every_thirty_seconds_but_not_while_nobody_sees_the_page() -> None:
    # RT-50, RT-72
    w = Watched()
    w.clock.advance(29_000)
    assert w.asked == []
    w.clock.advance(1_000)
    w.asked.pop()(config({STREAMING: {"enabled": False}}).model_dump_json())
    assert [one.flags[STREAMING].enabled for one in w.heard] == [False]
    w.hidden = True
    w.clock.advance(600_000)
    assert w.asked == []
    w.hidden = False
    w.clock.advance(30_000)
    assert len(w.asked) == 1


def test_what_cannot_be_read_changes_nothing_and_a_server_without_one_is_never_asked_again() -> None:
    # RT-72
    w = Watched()
    for outcome in ("{}", NetworkError("x"), HttpError("x", status=500)):
        w.clock.advance(30_000)
        w.asked.pop()(outcome)
    assert w.heard == []
    w.clock.advance(30_000)
    w.asked.pop()(HttpError("x", status=404))
    w.clock.advance(600_000)
    assert w.asked == []
    w = Watched()
    w.clock.advance(30_000)
    w.asked.pop()(WrongContent("x"))
    w.clock.advance(600_000)
    assert w.asked == []


def test_an_ended_watch_asks_no_more_and_hears_no_more() -> None:
    # RT-53
    w = Watched()
    w.clock.advance(30_000)
    w.watch.end()
    w.asked.pop()(config().model_dump_json())
    assert (w.heard, w.clock.timers) == ([], 0)
    w = Watched()
    w.watch.end()
    assert w.clock.timers == 0


def test_settings_are_those_of_now() -> None:
    assert isinstance(World().rollout.settings, Settings)
