"""What tabs say of the answers that they hold comes back as it was said, and anything else is no message (RT-62)."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyapp.core.streams.position import Position
from pyapp.core.tabs import messages
from pyapp.core.tabs import share_messages as m

KEY = '["jobs","live",{}]'
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)


@pytest.mark.parametrize(
    "message",
    [
        m.Holding("a1", True, {}),
        m.Holding("a1", False, {KEY: 0.0, "b": 1200.0}, ("c",)),
        m.Question("b2", 7, KEY),
        m.Nothing("a1", {"b2": 7}),
        m.Given("a1", {"b2": 7, "c3": 4}, KEY, 1200.0, 0.0, Position("e1", 5), '{"rows":\n["two lines"]}'),
        m.Given("a1", {"b2": 7}, KEY, 1200.0, 0.0, None, "", True),
    ],
)
def test_a_message_comes_back_as_it_was_said_and_is_none_of_the_election(message: m.ShareMessage) -> None:
    # RT-62
    text = m.write(message)
    assert m.read(text) == message
    assert text.startswith(m.BEGIN)
    assert messages.read(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        '{"share":',
        '{"share":"hold"}',
        '{"share":"hold","from":""}',
        '{"share":"dance","from":"a"}',
        '{"share":"ask","from":"a","ask":7}',
        '{"share":"ask","from":"a","ask":true,"key":"k"}',
        '{"share":"give","from":"a","to":{},"key":"k","began":-1,"updated":0,"position":""}',
        '{"share":"give","from":"a","to":{},"key":"k","began":1e999,"updated":0,"position":""}',
        '{"share":"give","from":"a","to":{},"key":"k","began":1,"updated":true,"position":""}',
        '{"share":"give","from":"a","to":{},"key":"k","began":1,"updated":1}',
        "[1]",
    ],
)
def test_what_is_no_message_is_none(text: str) -> None:
    # RT-62
    assert m.read(text) is None


def test_of_a_message_that_is_partly_nonsense_the_rest_counts() -> None:
    keys = [["a", 5], ["b", -1], ["c", "x"], [7, 1], ["d"], "e", ["f", None], ["g" * 3_000, None], ["h" * 3_000, 1]]
    said = {"share": "hold", "from": "a1", "hello": 1, "keys": keys, "gone": ["x", 7]}
    assert m.read(json.dumps(said)) == m.Holding("a1", False, {"a": 5.0}, ("x",))
    assert m.read('{"share":"none","from":"a","to":{"b":7,"c":"x"}}') == m.Nothing("a", {"b": 7})
    assert m.read('{"share":"none","from":"a","to":[7]}') == m.Nothing("a", {})


def test_no_more_keys_are_read_than_a_tab_can_hold() -> None:
    message = m.read(json.dumps({"share": "hold", "from": "a", "keys": [[f"k{n}", 1] for n in range(1_000)]}))
    assert isinstance(message, m.Holding)
    assert len(message.keys) == m.KEYS_AT_MOST


@settings(derandomize=True, max_examples=100, deadline=None)
@given(st.sampled_from(["hold", "ask", "none", "give"]), JSON)
def test_any_json_is_read_without_an_error(word: str, value: object) -> None:
    # RT-29
    names = ("hello", "keys", "gone", "ask", "key", "to", "began", "updated", "position")
    m.read(json.dumps({"share": word, "from": "a", **dict.fromkeys(names, value)}))
