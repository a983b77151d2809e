"""What a server says wrongly: recorded frames and answers, mutated, through the inbox and the queries' parsers (RT-29, RT-40)."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any, cast

import part_a
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from part_a import Script
from replaying import SseParser, World, json_answer

from pyapp.core.cache.keys import QueryKey, WritableKey, aggregate, item, live, window
from pyapp.core.streams.inbox import FRAME_LENGTH_LIMIT, SAMPLE_LENGTH, SAMPLES, Inbox
from pyapp.core.streams.spec import StreamKey, stream_key
from pyapp.inventory import STREAMS, query_specs, stream_specs
from pyapp.reducers import REDUCERS
from pyapp.reducers.comparing import COMPARED

FOLDER = part_a.recordings()
pytestmark = pytest.mark.skipif(FOLDER is None, reason=part_a.MISSING)
BOUNDED = settings(derandomize=True, deadline=None, max_examples=120, suppress_health_check=[HealthCheck.too_slow])

SSE = {
    "events": "events",
    "requests": "apis.events",
    "workers": "workers",
    "jobs.trends": "jobs.trends",
    "apis.trends": "apis.trends",
    "apis": "apis",
    "api": "apis.name",
    "artifacts": "jobs.artifacts",
}
"""The recording of each stream of the inventory."""

ANSWERS: dict[QueryKey, str] = {
    live("jobs"): "jobs.list.default",
    item("jobs", "job_1"): "job_complete",
    item("timeline", "job_1"): "job.timeline",
    item("artifacts", "job_1"): "job.artifacts",
    window("jobs", after="2026-11-20T07:00:00Z", before="2026-11-20T08:00:00Z"): "jobs.list.page2",
    live("requests"): "apis.events",
    window("requests", after="2026-11-20T07:00:00Z", before="2026-11-20T08:00:00Z"): "apis.events.offset",
    aggregate("stats", window_minutes=5): "dashboard.stats.5m",
    aggregate("jobs.stats"): "jobs.stats",
    live("functions"): "functions.list",
    live("workers"): "workers.list",
    live("apis"): "apis.list",
    item("apis", "demo-api"): "api.demo-api",
    aggregate("jobs.trends", hours=24): "jobs.trends",
    aggregate("apis.trends", hours=24): "apis.trends",
}
"""A recorded answer of each query of the inventory."""

ANY_TEXT = {("artifacts.content", "item")}
"""What is whatever a job wrote, and never wrong."""

DEEP = 10_000
NASTY: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    10**400,
    1e308,
    "",
    "NaN",
    "\x00",
    "\x1e\x1f",
    "\ufeff",
    "\u202e\u2066",
    "<img src=x onerror=alert(1)>",
    "'; DROP TABLE jobs; --",
    "{{7*7}}${7*7}%s%n",
    "../../../../etc/passwd",
    "ﷺ" * 50,
    "a\u0301" * 200,
    [],
    {},
    [[]],
    {"__proto__": {"polluted": True}, "constructor": 1, "__class__": 1},
)


@cache
def frames(name: str, build: str = "") -> tuple[str, ...]:
    """The data frames of a recorded stream."""
    assert FOLDER is not None
    said = (FOLDER / build / f"{SSE[name]}.stream.sse").read_bytes()
    return tuple(frame.data for frame in SseParser().feed(said) if frame.event == "message")


@cache
def answer(name: str) -> str:
    assert FOLDER is not None
    return (FOLDER / f"{name}.json").read_text(encoding="utf-8")


def kept(inbox: Inbox) -> list[Any]:
    """Everything that an inbox gives; the sum of what it counts is right all the time (RT-40)."""
    events: list[Any] = []
    while len(inbox):
        batch = inbox.take()
        inbox.count(applied=len(batch.items), ignored=0)
        events.extend(entry.event for entry in batch.items)
    c = inbox.statistics()
    assert c.received == c.applied + c.coalesced + c.dropped + c.invalid + c.old + c.ignored
    assert sum(count for _, count in c.invalid_by_reason) == c.invalid
    assert len(c.samples) == min(c.invalid, SAMPLES)
    assert all(len(sample.text) <= SAMPLE_LENGTH for sample in c.samples)
    return events


def one(name: str) -> str:
    """The shortest frame of a stream: every byte of it is cut below."""
    return min(frames(name), key=len)


def test_every_stream_and_every_query_of_the_inventory_has_its_recording() -> None:
    assert {row.name for row in STREAMS} == set(SSE)
    families = {(key.family, key.mode) for key in ANSWERS}
    assert families | ANY_TEXT == {(spec.family, mode) for spec in query_specs(REDUCERS, COMPARED).values() for mode in spec.modes}
    assert all(frames(name) for name in SSE)


@pytest.mark.parametrize("build", ["", "sqlite", "head"])
@pytest.mark.parametrize("name", SSE)
def test_every_recorded_frame_passes_the_inbox_of_its_stream(name: str, build: str) -> None:
    # RT-29, RT-40
    inbox = Inbox(stream_specs()[name])
    for data in frames(name, build):
        inbox.put("", data)
    events = kept(inbox)
    counts = inbox.statistics()
    assert (counts.invalid, counts.dropped, counts.old) == (0, 0, 0)
    assert counts.received == len(frames(name, build)) == len(events) + counts.coalesced


@pytest.mark.parametrize("key", ANSWERS, ids=str)
def test_every_recorded_answer_is_read_by_its_query(key: QueryKey) -> None:
    assert query_specs(REDUCERS, COMPARED)[key.family].parse(key, answer(ANSWERS[key])) is not None


# Frames --------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SSE)
def test_a_frame_that_is_cut_at_any_byte_is_counted_and_its_neighbours_are_read(name: str) -> None:
    # RT-29
    data = one(name).encode()
    step = max(1, len(data) // 1_000)
    inbox = Inbox(stream_specs()[name])
    cuts = range(1, len(data), step)
    for cut in cuts:
        inbox.put("", data[:cut].decode("utf-8", "replace"))
    inbox.put("", one(name))
    assert len(kept(inbox)) == 1
    assert dict(inbox.statistics().invalid_by_reason) == {"not JSON": len(cuts)}


def test_two_halves_of_a_frame_do_not_join_into_one() -> None:
    # RT-29
    inbox = Inbox(stream_specs()["events"])
    data = one("events")
    for cut in range(1, len(data), 7):
        inbox.put("", data[:cut])
        inbox.put("", data[cut:])
    assert kept(inbox) == []
    assert inbox.statistics().invalid == inbox.statistics().received


def with_value(data: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    copy = dict(cast("dict[Any, Any]", data)) if isinstance(data, dict) else list(cast("list[Any]", data))
    copy[path[0]] = with_value(copy[path[0]], path[1:], value)
    return copy


def paths(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place of a value."""
    found = [path]
    if isinstance(data, dict):
        for name, value in cast("dict[str, Any]", data).items():
            found += paths(value, (*path, name))
    elif isinstance(data, list):
        for number, value in enumerate(cast("list[Any]", data)[:2]):
            found += paths(value, (*path, number))
    return found


SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.sampled_from(NASTY))
VALUES = st.recursive(
    SCALARS, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)), max_leaves=6
)


def mutated(draw: Callable[[st.SearchStrategy[Any]], Any], text: str) -> str:
    """Another text from a recorded one: cut, spliced, a byte changed, a value of any place replaced, removed or doubled."""
    how = draw(st.sampled_from(("value", "value", "remove", "cut", "byte", "splice", "double", "raw")))
    if how == "raw":
        return draw(st.text(max_size=40))
    if how in ("value", "remove"):
        data = json.loads(text)
        path = draw(st.sampled_from(paths(data)))
        if how == "value" or not path or not isinstance(path[-1], str):
            return json.dumps(with_value(data, path, draw(VALUES)))
        holder: Any = data
        for step in path[:-1]:
            holder = holder[step]
        del holder[path[-1]]
        return json.dumps(data)
    at = draw(st.integers(0, len(text)))
    if how == "cut":
        return text[:at]
    if how == "double":
        return text + text[at:]
    if how == "splice":
        return text[:at] + draw(st.text(max_size=5)) + text[at:]
    return text[:at] + draw(st.characters()) + text[at + 1 :]


@BOUNDED
@given(st.data())
def test_mutated_frames_are_counted_once_each_and_never_raised_and_the_good_ones_all_come_through(data: st.DataObject) -> None:
    # RT-29, RT-40
    name = data.draw(st.sampled_from(sorted(SSE)))
    spec = stream_specs()[name]
    inbox = Inbox(spec)
    good = frames(name)[: data.draw(st.integers(1, 4))]
    sent = 0
    for text in good:
        for _ in range(data.draw(st.integers(0, 3))):
            inbox.put("", mutated(data.draw, one(name)))
            sent += 1
        inbox.put("", text)
        sent += 1
    events = kept(inbox)
    counts = inbox.statistics()
    assert counts.received == sent
    assert counts.received - counts.invalid - counts.coalesced == len(events)
    if not spec.replaceable:
        assert len(events) >= len(good)


@pytest.mark.parametrize("name", SSE)
@pytest.mark.parametrize("shape", ["[", '{"a":', '{"type":"x","a":['])
def test_a_frame_ten_thousand_deep_is_counted(name: str, shape: str) -> None:
    # RT-29
    close = {"[": "]", '{"a":': "}", '{"type":"x","a":[': "]}"}[shape]
    inbox = Inbox(stream_specs()[name])
    inbox.put("", shape * DEEP + "1" + close * DEEP)
    inbox.put("", shape * DEEP)
    inbox.put("", one(name))
    assert len(kept(inbox)) == 1
    assert inbox.statistics().invalid == 2


def test_a_name_of_a_megabyte_is_refused_and_one_just_below_is_only_a_long_name() -> None:
    # RT-29
    inbox = Inbox(stream_specs()["requests"])
    event = json.loads(one("requests"))
    event["request"]["path"] = "x" * FRAME_LENGTH_LIMIT
    inbox.put("", json.dumps(event))
    event["request"]["path"] = "x" * (FRAME_LENGTH_LIMIT - 1_000)
    inbox.put("", json.dumps(event))
    events = kept(inbox)
    assert [len(event.request.path) for event in events] == [FRAME_LENGTH_LIMIT - 1_000]
    assert dict(inbox.statistics().invalid_by_reason) == {"too large": 1}


# Answers -------------------------------------------------------------------------------------------------------------------------


def read(key: QueryKey, text: str) -> bool:
    """Whether a query reads a text; anything but a `ValueError` is a mistake of ours, and fails the test."""
    try:
        query_specs(REDUCERS, COMPARED)[key.family].parse(key, text)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("key", ANSWERS, ids=str)
def test_an_answer_that_is_cut_anywhere_is_no_answer(key: QueryKey) -> None:
    # RT-12
    text = answer(ANSWERS[key]).rstrip()
    for cut in range(0, len(text), max(1, len(text) // 300)):
        assert not read(key, text[:cut])


@BOUNDED
@given(st.data())
def test_a_mutated_answer_is_read_or_refused_with_a_value_error(data: st.DataObject) -> None:
    # RT-12
    key = data.draw(st.sampled_from(sorted(ANSWERS, key=str)))
    read(key, mutated(data.draw, answer(ANSWERS[key])))


@pytest.mark.parametrize("key", ANSWERS, ids=str)
def test_answers_ten_thousand_deep_or_of_another_kind_are_refused(key: QueryKey) -> None:
    # RT-12
    for text in (
        "[" * DEEP + "]" * DEEP,
        '{"jobs":' * DEEP + "1" + "}" * DEEP,
        "",
        "null",
        "1",
        '"text"',
        "[]",
        "<!doctype html>",
        "\ud800",
    ):
        assert not read(key, text), text[:20]


# Through the whole client --------------------------------------------------------------------------------------------------------

BAD = (
    "{",
    "",
    "null",
    "[" * DEEP,
    '{"type":"job.exploded","job_id":"job_1"}',
    '{"type":"job.started"}',
    '{"type":"job.started","job_id":7,"root_id":[],"function":null}',
    '{"type":["job.started"]}',
    '{"a":"' + "x" * (FRAME_LENGTH_LIMIT + 1) + '"}',
    "\x1e\x1f\x00",
)


def test_bad_frames_change_nothing_that_is_shown_close_nothing_and_are_all_counted() -> None:
    # RT-24, RT-29, RT-32: what a frame said is not known, so one snapshot is owed for all of them
    world = World("idle")
    small = [text for text in BAD if len(text) < FRAME_LENGTH_LIMIT and text]
    said = b"event: open\ndata: connected\n\n" + b"".join(f"data: {text}\n\n".encode() for text in small)
    world.scripts["events/stream"] = lambda: Script(((0.0, b"event: open\ndata: connected\n\n"), (5.0, said)), ends=False)
    look = world.look(live("jobs"))
    world.run(4)
    rows, asked = look.data.rows, len(world.asked_at("jobs"))
    world.run(50)
    assert look.data.rows is rows
    assert look.words[-2:] == [("stale", "catching-up"), ("live", "synchronized")]
    assert len(world.asked_at("jobs")) == asked + 1
    stream = world.stream("events")
    assert (stream.counts.invalid, stream.counts.applied, stream.gaps, stream.reconnects) == (len(small), 0, 1, 0)
    assert len(stream.counts.samples) == len(small)
    assert world.raised() == ()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[" * DEEP,
        b'{"jobs":[{"id":7}],"total":1,"has_more":false}',
        b'{"jobs":null}',
        b"\xef\xbb\xbf{}",
        b"{}" * 3,
    ],
    ids=lambda body: body[:12].decode("utf-8", "replace"),
)
def test_a_bad_answer_stands_beside_the_data_and_takes_none_of_it(body: bytes) -> None:
    # RT-12
    world = World("idle")
    look = world.look(live("jobs"))
    world.run(4)
    rows = look.data.rows
    world.answers["jobs"] = lambda: part_a.Answer(200, "application/json", body)
    world.client.refresh(live("jobs"))
    world.run(0.5)
    assert look.now == ("error", "content")
    assert look.data.rows is rows
    assert world.raised() == ()
    del world.answers["jobs"]
    world.run(3)
    assert look.now[0] == "live"


def test_hostile_words_are_data_and_nothing_else() -> None:
    # RT-29: whatever a job is called, it is a row with that name
    world = World("idle")
    page = json.loads(answer("jobs.list"))
    words = [value for value in NASTY if isinstance(value, str) and value]
    page["jobs"] = [
        {**page["jobs"][0], "id": f"job_{number}", "function_name": value, "error": value} for number, value in enumerate(words)
    ]
    page["total"] = len(words)
    world.answers["jobs"] = lambda: json_answer(page)
    look = world.look(live("jobs"))
    world.run(4)
    assert sorted(row.function_name for row in look.data.rows) == sorted(words)
    assert look.now[0] == "live"
    assert world.raised() == ()


def test_keys_may_hold_anything_and_reach_the_server_quoted() -> None:
    # RT-1
    for value in (value for value in NASTY if isinstance(value, str) and value):
        key: WritableKey = item("jobs", value)
        url = query_specs(REDUCERS, COMPARED)["jobs"].request(key).url
        assert url.startswith("jobs/")
        assert url.count("/") == 1
        assert url.isascii()
        named: StreamKey = stream_key("api", name=value)
        path = stream_specs()["api"].url(named)
        assert path.count("/") == 2
        assert path.isascii()
