"""What tabs say to each other comes back as it was said, and anything else is no message."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyapp.core.streams.position import Position
from pyapp.core.streams.spec import stream_key
from pyapp.core.tabs import messages as m
from pyapp.core.tabs.election import Term

TERM = Term(3, "a1")
LEAVES = st.none() | st.integers() | st.text()
STREAMS = {stream_key("events"): Position("e1", 5), stream_key("jobs.trends", hours=24, status=["a", "b"]): None}


@pytest.mark.parametrize(
    "message",
    [
        m.Beating(TERM, 4, 1, 1_500.0),
        m.Resigning(TERM),
        m.Claiming(TERM),
        m.Lagging(TERM),
        m.Asking("b2"),
        m.Wanting("b2", TERM, STREAMS, frozenset({"events"})),
        m.Going("b2"),
        m.Urging(TERM),
    ],
)
def test_a_message_comes_back_as_it_was_said(message: m.Message) -> None:
    # RT-60
    assert m.read(m.write(message)) == message


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "[1]",
        '{"say":"dance"}',
        '{"say":"beat"}',
        '{"say":"beat","term":[0,"a"]}',
        '{"say":"beat","term":["1","a"]}',
        '{"say":"beat","term":[1,""]}',
        '{"say":"want","from":"a"}',
        '{"say":"want","from":7,"term":[1,"a"]}',
        '{"say":"again"}',
        '{"say":"gone"}',
        '{"say":"who"}',
        '{"say":"resign"}',
    ],
)
def test_what_is_no_message_is_none(text: str) -> None:
    assert m.read(text) is None


def test_of_a_message_that_is_partly_nonsense_the_rest_counts() -> None:
    rows: list[Any] = [["events", [], "e1:5"], ["bad"], [1, [], ""], ["x", [["p", {}]], ""], ["y", [1], ""], "z", ["w", "no list", ""]]
    said: dict[str, Any] = {"say": "want", "from": "b", "term": [3, "a1"], "streams": rows, "ask": ["events", 5]}
    message = m.read(json.dumps(said))
    assert isinstance(message, m.Wanting)
    assert set(message.streams) == {stream_key("events"), stream_key("w")}
    assert message.ask == {"events"}
    assert m.read(json.dumps({"say": "beat", "term": [3, "a1"], "tabs": -1, "connections": "x"})) == m.Beating(TERM, 0, 0)


def test_no_more_streams_are_read_than_a_page_can_want() -> None:
    rows: list[Any] = [[f"s{number}", [], ""] for number in range(1_000)]
    message = m.read(json.dumps({"say": "want", "from": "b", "term": [3, "a1"], "streams": rows}))
    assert isinstance(message, m.Wanting)
    assert len(message.streams) == m.WANTS_AT_MOST


@settings(derandomize=True, max_examples=100, deadline=None)
@given(st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8))
def test_any_json_is_read_without_an_error(value: object) -> None:
    said = {"say": "want", "from": "b", "term": [3, "a1"], "streams": [value, ["x", value, ""]], "ask": value}
    m.read(json.dumps(said))
