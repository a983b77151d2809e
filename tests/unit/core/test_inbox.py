"""The inbox: bounded, coalescing, and its sum is right whatever comes (RT-28, RT-29, RT-40)."""

from __future__ import annotations

import json
from typing import Annotated, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, BeforeValidator, Field

from pyapp.core.streams.decode import Decoder
from pyapp.core.streams.inbox import FRAME_LENGTH_LIMIT, Batch, Inbox
from pyapp.core.streams.position import Position
from pyapp.core.streams.spec import StreamSpec


def _odd(value: object) -> object:
    if value == "overflow":
        raise OverflowError("date value out of range")
    return value


class Progress(BaseModel):
    type: Literal["progress"] = "progress"
    entity: Annotated[str, BeforeValidator(_odd)] = "a"
    n: int = 0


class Done(BaseModel):
    type: Literal["done"] = "done"
    entity: str = "a"
    n: int = 0


SPEC = StreamSpec(
    "s",
    "s",
    Decoder(Annotated[Progress | Done, Field(discriminator="type")]),
    1,
    frozenset({"progress"}),
    lambda event: event.entity,
)


def inbox(**limits: int) -> Inbox:
    return Inbox(SPEC, **limits)


def progress(n: int, entity: str = "a", pad: str = "") -> str:
    return json.dumps({"type": "progress", "entity": entity, "n": n, "pad": pad})


def done(n: int, entity: str = "a", pad: str = "") -> str:
    return json.dumps({"type": "done", "entity": entity, "n": n, "pad": pad})


def shown(batch: Batch) -> list[tuple[str, int]]:
    return [(item.event.type, item.event.n) for item in batch.items]


def adds_up(box: Inbox) -> bool:
    s = box.statistics()
    return s.received == s.applied + s.coalesced + s.dropped + s.invalid + s.old + s.ignored + s.waiting


def test_replaceable_events_of_an_entity_replace_their_predecessor_unless_another_lies_between() -> None:
    # RT-40
    box = inbox()
    for text in (progress(1), progress(2), progress(3, "b"), done(4), progress(5), progress(6)):
        box.put("", text)
    assert shown(box.take()) == [("progress", 2), ("progress", 3), ("done", 4), ("progress", 6)]
    assert box.statistics().coalesced == 2


def test_numbers_at_or_below_the_last_seen_are_old_and_a_hole_or_another_epoch_is_told_once() -> None:
    # RT-27, RT-28
    box = inbox()
    seen: list[tuple[list[tuple[str, int]], bool, str]] = []
    for frame_id in ("e1:7", "e1:7", "e1:6", "e1:8", "e1:10", "e2:1", "", "e2:2"):
        box.put(frame_id, done(len(seen)))
        batch = box.take()
        seen.append((shown(batch), batch.hole, str(batch.position)))
    assert [row[1] for row in seen] == [False, False, False, False, True, True, False, False]
    assert [len(row[0]) for row in seen] == [1, 0, 0, 1, 1, 1, 1, 1]
    assert [row[2] for row in seen] == ["e1:7", "e1:7", "e1:7", "e1:8", "e1:10", "e2:1", "e2:1", "e2:2"]
    assert box.statistics().old == 2


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "not JSON"),
        ("", "not one value"),
        ('{"type":"nonsense"}', "unknown type"),
        ("{}", "unknown type"),
        ('{"type":"done","n":"x"}', "invalid: int_parsing"),
        (done(1) + "," + done(2), "not one value"),
        ("[" * 10_000, "not JSON"),
        ('{"type":"progress","entity":"overflow"}', "OverflowError in a validator"),
        ("x" * (FRAME_LENGTH_LIMIT + 1), "too large"),
    ],
)
def test_what_is_not_valid_is_counted_by_reason_and_kept_as_a_short_sample(text: str, reason: str) -> None:
    # RT-29
    for company in ([], [done(1), done(2)]):
        box = inbox()
        for other in company:
            box.put("", other)
        box.put("", text)
        assert len(shown(box.take())) == len(company)
        s = box.statistics()
        assert s.invalid_by_reason == ((reason, 1),)
        assert [(sample.reason, sample.text) for sample in s.samples] == [(reason, text[:300])]


def test_only_the_last_twenty_samples_are_kept() -> None:
    # RT-29
    box = inbox()
    for n in range(50):
        box.put("", f"bad {n}")
    box.take()
    assert [sample.text for sample in box.statistics().samples] == [f"bad {n}" for n in range(30, 50)]


def test_on_overflow_replaced_and_replaceable_events_go_first_and_losing_another_is_a_hole() -> None:
    # RT-40
    box = inbox(frames_limit=8)
    for n in range(6):
        box.put("", progress(n, f"p{n}"))
    for n in range(3):
        box.put("", done(n))
    batch = box.take()
    assert (shown(batch), batch.hole) == (
        [("progress", 3), ("progress", 4), ("progress", 5), ("done", 0), ("done", 1), ("done", 2)],
        False,
    )
    for n in range(9):
        box.put("", done(n))
    batch = box.take()
    assert (shown(batch), batch.hole) == ([("done", n) for n in range(3, 9)], True)
    assert (box.statistics().overflows, box.statistics().dropped) == (2, 6)


def test_it_is_bounded_by_length_too_even_for_events_that_were_decoded_early() -> None:
    # RT-40
    box = inbox(bytes_limit=100_000)
    for n in range(200):
        box.put("", done(n, pad="x" * 10_000))
        assert len(box) <= 10
    batch = box.take()
    assert batch.hole
    assert shown(batch)[-1] == ("done", 199)


def test_while_decoded_events_are_left_the_place_is_that_of_the_last_one_given() -> None:
    # RT-27: resuming from beyond what was given would lose the rest
    box = inbox(frames_limit=8)
    for n in range(1, 10):
        box.put(f"e1:{n}", done(n))
    places = [(shown(batch)[-1], batch.position) for batch in (box.take(2), box.take(2), box.take(2))]
    assert places == [(("done", n), Position("e1", n)) for n in (5, 7, 9)]


def test_a_restart_drops_what_waits_and_begins_after_the_given_place() -> None:
    box = inbox()
    box.put("e1:1", done(1))
    box.restart(Position("e1", 4))
    box.put("e1:4", done(4))
    box.put("e1:5", done(5))
    batch = box.take()
    assert (shown(batch), batch.hole, len(box)) == ([("done", 5)], False, 0)
    assert (box.statistics().dropped, box.statistics().old) == (1, 1)


def test_a_heartbeat_s_place_makes_what_came_before_it_old() -> None:
    # RT-28
    box = inbox()
    box.advance(Position("e1", 3))
    box.put("e1:3", done(3))
    assert shown(box.take()) == []


def cut(length: int) -> str:
    return done(1)[:length]


def padded(n: int) -> str:
    return done(n, pad="y" * 3_000)


def frame_id(epoch: str, n: int) -> str:
    return f"{epoch}:{n}"


FRAMES = st.one_of(
    st.builds(progress, st.integers(0, 9), st.sampled_from("ab")),
    st.builds(done, st.integers(0, 9), st.sampled_from("ab")),
    st.builds(cut, st.integers(0, 40)),
    st.sampled_from(["{}", "", "null", "[]", "{{}", "}{", done(1) + "," + done(2), '{"type":"done","n":1e400}', "\ud800", "{\ud800}"]),
    st.builds(padded, st.integers(0, 9)),
    st.text(max_size=10),
)
IDS = st.one_of(st.just(""), st.builds(frame_id, st.sampled_from(["e1", "e2"]), st.integers(0, 30)), st.text(max_size=6))


@settings(max_examples=250, deadline=None)
@given(st.lists(st.one_of(st.tuples(IDS, FRAMES), st.integers(1, 7), st.just("restart")), max_size=60))
def test_received_is_the_sum_of_all_that_became_of_it_whatever_comes(steps: list[tuple[str, str] | int | str]) -> None:
    # RT-40
    box = inbox(frames_limit=12, bytes_limit=9_000)
    used = 0
    for step in steps:
        if isinstance(step, tuple):
            box.put(*step)
            assert len(box) <= 12
        elif isinstance(step, int):
            batch = box.take(step)
            assert len(batch.items) <= step
            applied = len(batch.items) // 2
            box.count(applied=applied, ignored=len(batch.items) - applied)
            used += len(batch.items)
        else:
            box.restart(None)
        assert adds_up(box)
    while len(box):
        batch = box.take()
        box.count(applied=len(batch.items), ignored=0)
        used += len(batch.items)
    assert adds_up(box)
    s = box.statistics()
    assert s.waiting == 0
    assert s.applied + s.ignored == used
    assert s.invalid == sum(count for _, count in s.invalid_by_reason)
    assert sum(count for _, count in s.by_kind) + s.invalid + s.old <= s.received


@settings(max_examples=150, deadline=None)
@given(st.lists(FRAMES, max_size=8))
def test_frames_decode_the_same_together_and_one_by_one(texts: list[str]) -> None:
    # RT-29, RT-41
    decoder = SPEC.decoder
    assert decoder.decode(texts) == [decoder.decode([text])[0] for text in texts]


def test_what_waits_is_counted_until_it_is_taken() -> None:
    # RT-40, RT-81
    box = inbox()
    waiting: list[int] = []
    for text in (done(1), done(2)):
        box.put("", text)
        waiting.append(box.statistics().waiting)
    box.count(applied=len(box.take().items), ignored=0)
    assert [*waiting, box.statistics().waiting] == [1, 2, 0]
    assert adds_up(box)
