"""A programmer's mistake is a typed error, raised at once, that says in a sentence what to do instead; and it changes nothing."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from core_world import THINGS, World

from pyapp.core.client import Client, LiveKey, MutationSpec, Patch, aggregate, item, live, prefix, stream_key, window
from pyapp.core.errors import Disposed, KeyMisuse, Misuse, SpecMisuse, TimeMisuse, UnknownMutation
from pyapp.core.ports import HttpRequest
from pyapp.core.streams.connection import Reason
from pyapp.core.testing.things import thing_queries
from pyapp.core.timings import Timings

ANY: Any = object()
UNHASHABLE: Any = []


def no_page(key: object, data: object) -> None:
    """There is no further page."""


RANGE: Any = window("things", after="2026-01-01T00:00:00Z", before="2026-01-02T00:00:00Z")
SPEC = thing_queries()["things"]
TOUCHES_A_WINDOW = MutationSpec("bad", lambda args: HttpRequest("POST", "x"), optimistic=lambda args: [Patch(RANGE, lambda data: data)])


def nothing(*args: object) -> None:
    """A callback that is never called."""
    raise AssertionError("a callback was called")


Do = Callable[[Client], object]

TABLE: list[tuple[str, type[Misuse], str, Do]] = [
    ("a key that is text", KeyMisuse, "make one by", lambda c: c.use_query(ANY, nothing)),
    ("a family that nobody registered", KeyMisuse, "register", lambda c: c.use_query(live("nonsense"), nothing)),
    ("a mode that the family has not", KeyMisuse, "register", lambda c: c.use_query(live("count"), nothing)),
    ("several keys, one unknown", KeyMisuse, "register", lambda c: c.use_queries([THINGS, live("nonsense")], nothing)),
    ("a negative stale time", TimeMisuse, "zero or more", lambda c: c.use_query(THINGS, nothing, stale_ms=-1)),
    ("a gc time that is no number", TimeMisuse, "zero or more", lambda c: c.use_query(THINGS, nothing, gc_ms=math.nan)),
    ("an interval of zero", TimeMisuse, "above zero", lambda c: c.use_query(THINGS, nothing, interval=0)),
    ("a negative stale time of a prefetch", TimeMisuse, "zero or more", lambda c: c.prefetch(THINGS, stale_ms=-1)),
    ("a negative gc time of an ensure", TimeMisuse, "zero or more", lambda c: c.ensure(THINGS, nothing, gc_ms=-1)),
    ("pages of an unknown family", KeyMisuse, "register", lambda c: c.use_pages(live("nonsense"), nothing)),
    ("a prefetch of an unknown family", KeyMisuse, "register", lambda c: c.prefetch(live("nonsense"))),
    ("an ensure of an unknown family", KeyMisuse, "register", lambda c: c.ensure(live("nonsense"), nothing)),
    ("a refresh of an unknown family", KeyMisuse, "register", lambda c: c.refresh(live("nonsense"))),
    ("a seed of an unknown family", KeyMisuse, "register", lambda c: c.seed(live("nonsense"), "[]", {}, 0.0)),
    ("writing a window", KeyMisuse, "nothing writes it", lambda c: c.set_data(RANGE, [])),
    ("resetting a window", KeyMisuse, "nothing writes it", lambda c: c.reset(RANGE)),
    ("invalidating a window", KeyMisuse, "nothing writes it", lambda c: c.invalidate(RANGE)),
    ("a prefix of windows", KeyMisuse, "refresh", lambda c: c.invalidate(prefix("things", "window"))),
    ("a patch on a window", KeyMisuse, "nothing writes it", lambda c: c.mutate("bad", {}, nothing)),
    ("a mutation that nobody registered", UnknownMutation, "register", lambda c: c.mutate("nonsense", {}, nothing)),
    ("a stream that nobody registered", KeyMisuse, "register", lambda c: c.use_stream(stream_key("nonsense"), nothing)),
    ("a stream key that is text", KeyMisuse, "stream_key", lambda c: c.use_stream(ANY, nothing)),
    ("denying an unknown stream", KeyMisuse, "register", lambda c: c.deny({stream_key("nonsense"): Reason.FLAG_OFF})),
    ("an item without an id", KeyMisuse, "needs the entity", lambda c: item("things", "")),
    ("a key without a family", KeyMisuse, "needs a family", lambda c: live("")),
    ("a key part without a form", KeyMisuse, "a key takes text", lambda c: live("things", a=ANY)),
    ("a key part in a list without a form", KeyMisuse, "a key takes text", lambda c: aggregate("things", a=[ANY])),
    ("a stream key part without a form", KeyMisuse, "a key takes text", lambda c: stream_key("things", a=ANY)),
    ("a number that is none", KeyMisuse, "finite", lambda c: live("things", a=math.nan)),
    ("a part without a hash", KeyMisuse, "make keys by", lambda c: LiveKey("things", (("a", UNHASHABLE),))),
    ("a negative timing", TimeMisuse, "zero or more", lambda c: Timings(linger_ms=-1)),
    ("a timing that is no number", TimeMisuse, "zero or more", lambda c: Timings(beat_ms=math.nan)),
    ("a query of no mode", SpecMisuse, "some of aggregate, item, live, window", lambda c: replace(SPEC, modes=frozenset())),
    ("a query of a mode that is none", SpecMisuse, "some of", lambda c: replace(SPEC, modes=frozenset({"history"}))),  # type: ignore[arg-type]
    ("a next page that nothing adds", SpecMisuse, "add_page", lambda c: replace(SPEC, next_page=no_page, add_page=None)),
    ("an interval of a query below zero", TimeMisuse, "above zero", lambda c: replace(SPEC, interval_ms=-5)),
]


@pytest.mark.parametrize(("mistake", "error", "says", "do"), TABLE, ids=[row[0] for row in TABLE])
def test_misuse_is_a_typed_error_that_says_what_to_do_and_changes_nothing(mistake: str, error: type[Misuse], says: str, do: Do) -> None:
    world = World(mutations={"bad": TOUCHES_A_WINDOW})
    before = (world.client.statistics().cache, world.clock.timers)
    with pytest.raises(error, match=says) as caught:
        do(world.client)
    assert str(caught.value).endswith(".")
    world.clock.advance(1_000)
    assert (world.http.sent, world.sources.open_urls, world.client.statistics().errors) == ([], {}, ())
    if mistake != "several keys, one unknown":  # the first was looked at for a moment, and is remembered for its gc time
        assert (world.client.statistics().cache, world.clock.timers) == before


CLOSED: list[tuple[str, Do]] = [
    ("use_query", lambda c: c.use_query(live("things", state="hot"), nothing)),
    ("use_queries", lambda c: c.use_queries([THINGS], nothing)),
    ("use_pages", lambda c: c.use_pages(live("things", state="hot"), nothing)),
    ("use_stream", lambda c: c.use_stream(stream_key("things"), nothing)),
    ("prefetch", lambda c: c.prefetch(live("things", state="hot"))),
    ("ensure", lambda c: c.ensure(live("things", state="hot"), nothing)),
    ("set_data", lambda c: c.set_data(THINGS, None)),
    ("mutate", lambda c: c.mutate("good", {}, nothing)),
    ("request", lambda c: c.request("x", HttpRequest("GET", "x"), nothing)),
]


@pytest.mark.parametrize(("name", "do"), CLOSED, ids=[row[0] for row in CLOSED])
def test_a_closed_client_says_that_it_is_closed_and_starts_nothing(name: str, do: Do) -> None:
    # RT-53
    world = World(mutations={"good": MutationSpec("good", lambda args: HttpRequest("POST", "x"))})
    world.connected()
    world.client.close()
    sent, history = len(world.http.sent), len(world.sources.history)
    with pytest.raises(Disposed, match="make a new one"):
        do(world.client)
    world.clock.advance(60_000)
    assert (len(world.http.sent), len(world.sources.history), world.clock.timers) == (sent, history, 0)


def test_what_only_switches_or_ends_something_is_silent_on_a_closed_client() -> None:
    # RT-53
    world = World()
    observer, _ = world.connected()
    client = world.client
    client.close()
    observer.close()
    for do in (
        client.close,
        client.suspend,
        client.resume,
        client.try_now,
        client.wake,
        client.identity_changed,
        lambda: client.refresh(THINGS),
        lambda: client.cancel(THINGS),
        lambda: client.invalidate(THINGS),
        lambda: client.set_streaming(False),
        lambda: client.set_streaming(True),
        lambda: client.set_offline(True),
        lambda: client.set_offline(False),
        lambda: client.deny({}),
    ):
        do()
    world.clock.advance(60_000)
    assert (world.http.waiting, world.sources.open_urls, world.clock.timers) == ([], {}, 0)
