"""The envelopes of the multiplexed connection."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyapp.core.ports import FrameKind
from pyapp.core.streams.envelope import Envelope, open_envelope


def wrapped(data: str, stream: str = "events", frame_id: str = "e:5", event: str = "message") -> str:
    head = f'"stream":{json.dumps(stream)},"id":{json.dumps(frame_id)},"event":{json.dumps(event)}'
    return f'{{{head},"data":{data}}}'


def test_the_payload_is_passed_on_as_it_was_written() -> None:
    text = '{ "b":1.50, "a" : "\\u00e9,\\"data\\":" }'
    assert open_envelope(wrapped(text)) == Envelope("events", FrameKind.MESSAGE, "e:5", text)


@pytest.mark.parametrize("event", ["hello", "heartbeat", "reset", "refused", "bye"])
def test_control_frames_keep_their_kind(event: str) -> None:
    envelope = open_envelope(wrapped("{}", frame_id="", event=event))
    assert envelope is not None
    assert (envelope.kind, envelope.id) == (FrameKind(event), "")


def test_a_stream_s_name_cannot_move_the_cut() -> None:
    name = 'apis/a","data":{"evil":1},"x'
    assert open_envelope(wrapped('{"n":1}', stream=name)) == Envelope(name, FrameKind.MESSAGE, "e:5", '{"n":1}')


def test_another_order_of_the_fields_is_read_the_slow_way() -> None:
    text = '{"data":{"n":1},"event":"message","id":"e:5","stream":"events"}'
    assert open_envelope(text) == Envelope("events", FrameKind.MESSAGE, "e:5", '{"n":1}')
    more = '{"stream":"events","id":"e:5","extra":1,"event":"message","data":{"n":1}}'
    assert open_envelope(more) == Envelope("events", FrameKind.MESSAGE, "e:5", '{"n":1}')


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "null",
        "[1]",
        '{"stream":"a"}',
        '{"stream":1,"id":"","event":"message","data":1}',
        '{"stream":"a","id":"","event":"nonsense","data":1}',
        '{"stream":"a","id":"","event":["message"],"data":1}',
        '{"stream":"a","id":"","event":"message","data":1',
        ',"data":}',
        "[" * 10_000,
        '{"stream":"\ud800","id":"","event":"message","data":1}',
        "\x00\x1e\x1f\ufeff",
    ],
)
def test_what_is_no_envelope_is_none(text: str) -> None:
    # RT-29
    assert open_envelope(text) is None


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.text(max_size=30), st.recursive(st.none() | st.integers() | st.text(max_size=8), lambda inner: st.lists(inner, max_size=3)))
def test_any_key_and_any_payload_survive(stream: str, payload: object) -> None:
    try:
        stream.encode()
    except UnicodeEncodeError:
        return
    for data in (json.dumps(payload), json.dumps(payload, ensure_ascii=False, separators=(",", ":"))):
        if any("\ud800" <= sign <= "\udfff" for sign in data):
            continue
        envelope = open_envelope(wrapped(data, stream=stream))
        assert envelope == Envelope(stream, FrameKind.MESSAGE, "e:5", data)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.text(max_size=80))
def test_nothing_that_a_server_says_raises(text: str) -> None:
    # RT-29
    open_envelope(text)
    open_envelope('{"stream":"a",' + text + ',"data":' + text + "}")
