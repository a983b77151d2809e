"""Whatever a server says that is not in the contract is counted by its reason and kept as a sample; nothing is raised and nothing lost
(RT-25, RT-29, RT-40): every kind of malformed frame, answer and greeting, one by one and between good ones."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from core_world import STREAM, THINGS, World, changed, states, thing, versions

from pyapp.core.client import live
from pyapp.core.ports import FrameKind

FRAMES: list[tuple[str, str, str]] = [
    ("nothing at all", "", "not one value"),
    ("half a frame", '{"type": "thing.changed", "thi', "not JSON"),
    ("a word", "hello", "not JSON"),
    ("two frames in one", '{"type": "thing.changed"}, {"type": "thing.changed"}', "unknown type|not one value|invalid: .*"),
    ("a number", "5", "invalid: .*|unknown type"),
    ("null", "null", "invalid: .*|unknown type"),
    ("a list", "[]", "invalid: .*|unknown type"),
    ("no type", "{}", "unknown type|invalid: .*"),
    ("a type of the future", '{"type": "thing.painted", "thing": {}}', "unknown type"),
    ("a field that is missing", '{"type": "thing.changed"}', "invalid: missing"),
    ("a field of another kind", '{"type": "thing.changed", "thing": 5}', "invalid: .*"),
    ("a number that is text", json.dumps({**changed("a"), "thing": {**thing("a"), "version": "new"}}), "invalid: int_parsing"),
    ("more than 1 MiB", json.dumps({**changed("a"), "pad": "x" * 1024 * 1024}), "over 1 MiB|.*"),
    ("deep nesting", "[" * 5_000 + "]" * 5_000, ".*"),
    ("half of a surrogate pair", '{"type": "thing.changed", "thing": "\ud800"}', ".*"),
]


@pytest.mark.parametrize(("what", "text", "reason"), FRAMES, ids=[row[0] for row in FRAMES])
def test_a_malformed_frame_is_counted_and_sampled_and_the_good_ones_around_it_arrive(what: str, text: str, reason: str) -> None:
    # RT-29, RT-40
    world = World()
    _, seen = world.connected()
    world.say(changed("a", 2), "e1:1")
    world.say(text, "e1:2")
    world.say(changed("a", 3), "e1:3")
    world.settle()
    assert versions(seen)[-1] == [("a", 3)]
    row = world.client.statistics().streams[0]
    counts = row.counts
    ((why, number),) = counts.invalid_by_reason
    assert number == 1
    assert re.fullmatch(reason, why)
    assert [sample.reason for sample in counts.samples] == [why]
    assert len(counts.samples[0].text) <= 300
    assert counts.received == 3 == counts.applied + counts.coalesced + counts.dropped + counts.invalid + counts.old + counts.ignored
    assert (row.state.phase, world.client.statistics().errors) == ("open", ())
    # What it said is not known: unless its type is none of ours, a snapshot makes good what it may have been.
    assert (states(seen)[-1] == "live") is (why == "unknown type")
    world.clock.advance(1_100)
    for pending in world.http.waiting:
        pending.reply([thing("a", 3)], position="e1:3")
    world.settle()
    assert states(seen)[-1] == "live"


CONTROLS: list[tuple[str, FrameKind, str]] = [
    (f"{kind} {name}", kind, text)
    for kind in (FrameKind.HELLO, FrameKind.HEARTBEAT, FrameKind.BYE, FrameKind.NAMED_OPEN)
    for name, text in (
        ("empty", ""),
        ("torn", '{"epoch": "e1", "hea'),
        ("of another kind", "[1]"),
        ("without fields", "{}"),
        ("with fields of another kind", '{"epoch": 5, "heartbeat_ms": "x", "retry_ms": [], "sequence": "y", "resumed": 1, "at": {}}'),
        ("with numbers that cannot be", '{"epoch": "e1", "heartbeat_ms": -5, "retry_ms": -1, "sequence": -1}'),
        ("with infinity", '{"epoch": "e1", "heartbeat_ms": 1e999, "retry_ms": 1e999, "sequence": 1e999}'),
    )
]


@pytest.mark.parametrize(("what", "kind", "text"), CONTROLS, ids=[row[0] for row in CONTROLS])
def test_a_malformed_control_frame_raises_nothing_and_the_stream_comes_to_be_live(what: str, kind: FrameKind, text: str) -> None:
    # RT-24, RT-29
    world = World()
    _, seen = world.connected()
    world.sources.record(world.sources.source(STREAM), kind, text)
    world.settle()
    assert world.client.statistics().errors == ()
    for second in range(4_300):  # a wait that the server may ask for is bounded, too
        if second > 30 and states(seen)[-1] == "live":
            break
        for pending in world.http.waiting:
            pending.reply([thing("a")], position="e1:0")
        paths = [url.partition("?")[0] for url in world.sources.open_urls.values()]
        if paths == [STREAM] and world.client.statistics().streams[0].state.phase == "connecting":
            world.open(sequence=0)
        elif paths == [STREAM]:
            world.sources.beat(STREAM)
        world.clock.advance(1_000)
    assert (states(seen)[-1], world.client.statistics().errors) == ("live", ())


ANSWERS: list[tuple[str, dict[str, Any], str]] = [
    ("not JSON", {"body": "{torn"}, "invalid"),
    ("JSON of another shape", {"body": {"rows": 1}}, "invalid"),
    ("rows that are none", {"body": [5, None]}, "invalid"),
    ("a page of HTML", {"body": "<html>", "headers": {"content-type": "text/html"}}, "content"),
    ("no kind of content", {"body": [], "headers": {"content-type": ""}}, "content"),
    ("no content", {"body": "", "status": 204}, "invalid"),
    ("a redirection", {"body": "", "status": 302}, "invalid"),
    ("a status that is none", {"body": [], "status": 999}, "server"),
    ("an error whose detail is no text", {"body": {"detail": {"a": [1]}}, "status": 422}, "refused"),
    ("an error that is no JSON", {"body": "oops", "status": 500}, "server"),
    ("a wait that is no number", {"body": {}, "status": 429, "headers": {"retry-after": "soon"}}, "refused"),
    ("a wait without end", {"body": {}, "status": 503, "headers": {"retry-after": "inf"}}, "server"),
]


@pytest.mark.parametrize(("what", "reply", "kind"), ANSWERS, ids=[row[0] for row in ANSWERS])
def test_a_malformed_answer_is_an_error_beside_the_data_and_counted_by_its_kind(what: str, reply: dict[str, Any], kind: str) -> None:
    # RT-12, RT-66
    world = World()
    _, seen = world.connected()
    world.client.refresh(THINGS)
    body = reply.pop("body")
    world.http.take("things").reply(body, **reply)
    world.settle()
    error = seen[-1].error
    assert error is not None
    assert re.fullmatch(kind, error.kind)
    assert str(error).endswith(".")
    assert versions(seen)[-1] == [("a", 1)]
    row = next(row for row in world.client.statistics().requests.endpoints if row.endpoint == "things")
    assert dict(row.failures) == {error.kind: 1}
    assert world.client.statistics().errors == ()


@pytest.mark.parametrize("position", ["", "e1", ":", "e1:", "e1:x", ":5", "e1:-1", "e1:1e5", "\x00:1", "e1:" + "9" * 400])
def test_a_malformed_position_is_no_position_and_the_answer_counts(position: str) -> None:
    # RT-7
    world = World()
    _, seen = world.connected()
    world.client.refresh(THINGS)
    world.http.take("things").reply([thing("a", 2)], position=position)
    world.say(changed("a", 3), "e1:1")
    world.settle()
    assert versions(seen)[-1] == [("a", 3)]
    assert world.client.statistics().errors == ()


@pytest.mark.parametrize("text", ["", "{torn", '{"type": 1}', "[5]"])
def test_a_malformed_seed_is_not_taken_and_nothing_is_raised(text: str) -> None:
    # RT-34
    world = World()
    assert not world.client.seed(live("things", state="hot"), text, {"date": "never", "x-penstock-position": "x"}, 0.0)
    assert world.client.statistics().errors == ()
