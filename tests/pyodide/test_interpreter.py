"""The interpreter that the browser runs is the one these tests run in, and it can do what the console needs."""

from __future__ import annotations

import sys
from string.templatelib import Template

import pydantic
from hypothesis import given
from hypothesis import strategies as st


def test_this_is_the_browsers_python() -> None:
    assert sys.platform == "emscripten"
    assert sys.version_info[:2] == (3, 14)


def test_template_strings_keep_their_parts_apart() -> None:
    name = "<b>"
    template = t"<td>{name}</td>"
    assert isinstance(template, Template)
    assert template.strings == ("<td>", "</td>")
    assert template.values == ("<b>",)


@given(st.lists(st.integers()))
def test_hypothesis_and_pydantic_work(numbers: list[int]) -> None:
    adapter = pydantic.TypeAdapter(list[int])
    assert adapter.validate_json(adapter.dump_json(numbers)) == numbers
