"""JSON as a tree of native elements, with bounds."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pyapp.ui import to_html
from pyapp.ui.components.json_tree import DEPTH_MAX, json_tree, pretty

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=20,
)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(values)
def test_any_value_is_drawn_and_closed(value: Any) -> None:
    text = to_html(json_tree(value))
    assert text.count("<details") == text.count("</details>")
    assert "<script" not in to_html(json_tree({"<script>": "<script>"}))


def test_the_first_levels_are_open_and_the_others_wait() -> None:
    text = to_html(json_tree({"a": {"b": {"c": 1}}}))
    assert [part.startswith(" open") for part in text.split("<details")[1:]] == [True, True, False]
    assert "1 key" in text


def test_what_is_beyond_the_bounds_is_counted() -> None:
    assert "7 more values are not shown" in to_html(json_tree(list(range(10)), nodes_max=3))
    deep: Any = 1
    for _ in range(DEPTH_MAX + 5):
        deep = [deep]
    assert "too deep to show" in to_html(json_tree(deep))


def test_what_is_copied_is_json_as_people_write_it() -> None:
    assert pretty({"a": ["é"]}) == '{\n  "a": [\n    "é"\n  ]\n}'
