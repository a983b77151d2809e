"""RT-80's words for how a domain is fed, and the line that each change is."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from core_world import THINGS, World

from pyapp.core.client import StreamKey, aggregate, stream_key
from pyapp.core.feeds.changes import Changes, Level, StateChange
from pyapp.core.feeds.modes import Fed, mode_of, polling_of
from pyapp.core.feeds.pause import Pause

HEALTHY = Fed(streamed=True, healthy=True, stream="open")
HIDDEN = frozenset({Pause.HIDDEN, Pause.FLAG})


@pytest.mark.parametrize(
    ("fed", "mode", "polling"),
    [
        (Fed(queries=False, streamed=True), "streaming", "disabled"),
        (replace(HEALTHY, metrics=True, whole=True), "metrics-only", "disabled"),
        (HEALTHY, "streaming", "disabled"),
        (replace(HEALTHY, whole=True), "watch", "disabled"),
        (Fed(streamed=True, polling=True, stream="reconnecting"), "polling (fallback)", "enabled"),
        (Fed(streamed=True, polling=True, pauses=HIDDEN), "polling (fallback)", "paused (hidden, flag)"),
        (Fed(), "polling", "enabled"),
        (Fed(pauses=HIDDEN), "polling", "paused (hidden, flag)"),
        (Fed(streamed=True, stream="connecting"), "connecting (unhealthy)", "disabled"),
        (Fed(queries=False), "snapshot", "disabled"),
    ],
)
def test_the_first_that_matches_is_the_mode_and_polling_says_why_it_is_paused(fed: Fed, mode: str, polling: str) -> None:
    # RT-80
    assert (mode_of(fed), polling_of(fed)) == (mode, polling)


def test_every_domain_of_the_page_is_in_the_figures() -> None:
    # RT-80
    world = World()
    world.connected()
    world.look(aggregate("count"))
    world.settle()
    world.client.use_stream(stream_key("things"), lambda event: None)
    rows = {row.key: row for row in world.client.statistics().feeds.domains}
    things, count = rows["things"], rows["count"]
    assert (things.mode, things.health, things.polling, things.interval_ms) == (
        "streaming",
        "healthy (synchronized)",
        "disabled",
        None,
    )
    assert (things.queries, things.subscribers) == (1, 1)
    assert (count.mode, count.health, count.polling, count.interval_ms) == ("polling", "", "enabled", 5_000)


def test_a_stream_whose_key_names_no_scope_is_not_opened_and_says_so() -> None:
    # RT-30
    world = World()
    spec = world.client._streams._specs["things"]  # pyright: ignore[reportPrivateUsage]
    world = World(streams={"things": replace(spec, path="clusters/{cluster}/stream")})
    world.look(THINGS)
    world.settle()
    assert world.sources.open_urls == {}
    assert world.client.statistics().feeds.domains[0].health == "unhealthy (no scope)"
    world.client.use_stream(StreamKey("things", (("cluster", "west"),)), lambda event: None)
    world.settle()
    assert list(world.sources.open_urls.values()) == ["clusters/west/stream"]


def test_each_change_of_a_domain_is_told_once() -> None:
    # RT-80
    world = World()
    observer, _ = world.connected()
    world.break_off()
    world.clock.advance(12_500)
    world.page.set(hidden=True)
    world.clock.advance(10_100)
    told = [(line.domain, line.was, line.mode, line.health, line.level) for line in world.changes]
    assert told[0][:3] == ("things", "", "closed (unhealthy)") or told[0][1] == ""
    assert ("things", "connecting (unhealthy)", "streaming", "healthy (synchronized)", Level.INFO) in told or any(
        mode == "streaming" and level is Level.INFO for _, _, mode, _, level in told
    )
    assert any(mode == "polling (fallback)" and level is Level.WARNING for _, _, mode, _, level in told)
    assert told[-1][3:] == ("unhealthy (hidden)", Level.DEBUG)
    assert all(before[2:4] != after[2:4] for before, after in pairwise(told))
    observer.close()


def test_what_was_said_is_not_said_again_until_it_was_forgotten() -> None:
    # RT-80
    said: list[StateChange] = []
    changes = Changes(said.append)
    for _ in range(2):
        changes.say(1.0, "things", mode="streaming", health="healthy", polling="disabled", healthy=True, calm=True)
    assert [(line.level, line.was) for line in said] == [(Level.INFO, "")]
    changes.say(2.0, "things", mode="polling (fallback)", health="x", polling="enabled", healthy=False, calm=False)
    assert said[-1] == StateChange(2.0, Level.WARNING, "things", "polling (fallback)", "streaming", "x", "enabled")
    changes.forget("things")
    changes.say(3.0, "things", mode="polling (fallback)", health="x", polling="enabled", healthy=False, calm=True)
    assert (said[-1].was, said[-1].level, len(said)) == ("", Level.DEBUG, 3)


def test_a_poll_that_changes_nothing_is_told_once_and_not_when_it_begins() -> None:
    # RT-10
    world = World()
    _, seen = world.look(aggregate("count"))
    world.settle()
    world.http.take("count").reply({"n": 1})
    world.settle()
    before = len(seen)
    for _ in range(4):
        world.clock.advance(5_000)
        for pending in world.http.waiting:
            pending.reply({"n": 1})
        world.settle()
    assert len(seen) - before <= 4
