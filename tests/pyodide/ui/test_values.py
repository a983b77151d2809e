"""What a hole takes, and how it is said in JSON and in text."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timezone
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import Any

import pytest

from pyapp.ui import Action, Encoder, HoleError, TemplateResult, each, html, nothing, svg, to_html
from pyapp.ui.values import safe_url


class Color(StrEnum):
    RED = "red"


class Old(str, Enum):  # noqa: UP042 - its str() is its name, which must not be shown
    BLUE = "blue"


class Level(IntEnum):
    HIGH = 3


class Do(Action):
    n: int = 0


def wire(result: TemplateResult) -> list[Any]:
    """The values of one template on the wire."""
    encoder = Encoder()
    paint = json.loads(encoder.paint({"main": result}))
    if encoder.errors:
        raise AssertionError(encoder.errors[-1].message)
    values: list[Any] = paint["r"][0][1][1:]
    return values


def failure(make: Callable[[], TemplateResult]) -> str:
    """The message of the error that drawing has, which must be the same in `to_html`."""
    encoder = Encoder()
    encoder.paint({"main": make})
    message = encoder.errors[-1].message
    assert message.startswith("HoleError: ")
    with pytest.raises(HoleError) as caught:
        to_html(make())
    assert str(caught.value) == message.removeprefix("HoleError: ")
    return str(caught.value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("text", "text"),
        (7, 7),
        (2.5, "2.5"),
        (5.0, "5.0"),
        (2**53, str(2**53)),
        (-(2**60), str(-(2**60))),
        (Color.RED, "red"),
        (Old.BLUE, "blue"),
        (Level.HIGH, 3),
        (None, None),
        (nothing, None),
        (False, None),
        (True, None),
        ([], [-1]),
        (["a", None, [1]], [-1, "a", None, [-1, 1]]),
        (("a",), [-1, "a"]),
        ("\ud800a\udfff", "\ufffda\ufffd"),
        ("\\ud800 \U0001f600", "\\ud800 \U0001f600"),
    ],
)
def test_a_child_is_text_a_number_or_nothing(value: object, expected: object) -> None:
    assert wire(html(t"<p>{value}</p>")) == [expected]


@pytest.mark.parametrize(
    ("value", "attribute", "part"),
    [
        ("a", "a", "a"),
        (3, 3, 3),
        (0.5, "0.5", "0.5"),
        (True, "true", "true"),
        (False, "false", ""),
        (None, None, ""),
        (Color.RED, "red", "red"),
    ],
)
def test_attributes_take_text_and_numbers(value: object, attribute: object, part: object) -> None:
    assert wire(html(t'<p title={value} class="x {value}"></p>')) == [attribute, part]


def test_booleans_properties_and_fields_take_what_is_theirs() -> None:
    data = {"a": [1, None, 2.5], "b": (True,)}
    result = html(t"<input ?hidden={[]} ?inert={'x'} .data={data} .n={2**60} .value={None} .checked={''} .x={None}>")
    assert wire(result) == [False, True, {"a": [1, None, 2.5], "b": [True]}, str(2**60), "", False, None]
    assert wire(html(t"<input .value={1.5} .value2={1.5}>")) == ["1.5", 1.5]


def test_styles_are_names_and_text() -> None:
    assert wire(html(t"<p .style={ {'--W': 1, 'margin-left': '2px', 'color': None} }></p>")) == [{"--W": "1", "margin-left": "2px"}]
    assert wire(html(t"<p .style={None}></p>")) == [{}]


def test_conversions_and_formats_are_applied() -> None:
    number, text, width = 3.14159, "ü", 6
    assert wire(html(t"<p title={text!a}>{text!r} {number:.2f} {number!s:>{width}.3}</p>")) == ["'\\xfc'", "'ü'", "3.14", "   3.1"]
    assert wire(html(t"<p>{None!s}</p>")) == ["None"]


def test_a_format_that_does_not_fit_names_the_hole() -> None:
    duration = None
    assert failure(lambda: html(t"<p>{duration:.1f}</p>")) == "{duration} is a NoneType, which does not take the format '.1f'."


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (float("nan"), "decide what to show"),
        (float("inf"), "decide what to show"),
        (datetime(2025, 1, 1, tzinfo=timezone.utc), "format it"),  # noqa: UP017 - the same in words
        (b"x", "decode it"),
        ({1}, "make a list"),
        ({"a": 1}, "make a list"),
        ((x for x in "a"), "make a list"),
        (Decimal(1), "give text"),
        (object(), "give text"),
        (t"x", "must go through html"),
        (Do(), "write @click"),
        (Do.on(), "write @click"),
        (print, "call it"),
    ],
    ids=str,
)
def test_children_of_other_types_are_errors(value: object, words: str) -> None:
    assert words in failure(lambda: html(t"<p>{value}</p>"))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: html(t"<p title={float('nan')}></p>"), "decide what to show"),
        (lambda: html(t"<p title={[]}></p>"), "an attribute takes"),
        (lambda: html(t'<p class="a {b"x"}"></p>'), "an attribute takes"),
        (lambda: html(t"<p .style={'color: red'}></p>"), "give a dict"),
        (lambda: html(t"<p .style={ {'backgroundColor': 'red'} }></p>"), "as CSS does"),
        (lambda: html(t"<p .style={ {'color': True} }></p>"), "give text or a number"),
        (lambda: html(t"<input .value={True}>"), "takes text and numbers"),
        (lambda: html(t"<p @click={print}></p>"), "handlers are data"),
        (lambda: html(t"<p @click={'go()'}></p>"), "handlers are data"),
        (lambda: html(t"<p @click={Do}></p>"), "is a class"),
        (lambda: html(t"<svg>{html(t'<g></g>')}</svg>"), "inside an <svg>"),
        (lambda: html(t"<p>{[svg(t'<g></g>')]}</p>"), "outside of an <svg>"),
        (lambda: html(t"<svg><title>{html(t'<g></g>')}</title></svg>"), "TemplateResult"),
    ],
)
def test_values_that_a_hole_cannot_take_are_errors(make: Callable[[], TemplateResult], words: str) -> None:
    assert words in failure(make)


def test_handlers_are_data_or_absent() -> None:
    assert wire(html(t"<p @a={Do(n=2)} @b={None} @c={False}></p>")) == [[f"{__name__}.Do", '{"n":2}'], None, None]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("#/jobs/1", "#/jobs/1"),
        ("/a:b", "/a:b"),
        ("https://example.org/", "https://example.org/"),
        ("MAILTO:a@b", "MAILTO:a@b"),
        ("javascript:alert(1)", "unsafe:javascript:alert(1)"),
        (" java\nscript:alert(1)", "unsafe: java\nscript:alert(1)"),
        ("\x01JavaScript:alert(1)", "unsafe:\x01JavaScript:alert(1)"),
        ("data:text/html,x", "unsafe:data:text/html,x"),
        ("vbscript:x", "unsafe:vbscript:x"),
    ],
)
def test_addresses_that_would_run_a_script_are_disarmed(address: str, expected: str) -> None:
    assert safe_url(address) == expected
    assert wire(html(t"<a href={address} .href={address}></a>")) == [expected, expected]


def test_to_html_escapes_text_and_attributes() -> None:
    hostile = "<script>\"&'"
    escaped = "&lt;script&gt;&quot;&amp;&#39;"
    assert to_html(html(t"<p title={hostile} class='a {hostile}'>{hostile}</p>")) == (
        f'<p title="{escaped}" class="a {escaped}">&lt;script&gt;"&amp;\'</p>'
    )
    assert to_html(html(t"<title>{hostile}</title>")) == "<title>&lt;script&gt;\"&amp;'</title>"


def test_to_html_leaves_out_what_has_no_text() -> None:
    result = html(t'<p a="1" @click={Do()} ?hidden={False} .data={[1]} title={None} .style={ {"color": "red"} } b="2">{None}</p>')
    assert to_html(result) == '<p a="1" b="2"></p>'


def test_to_html_shows_what_a_control_shows() -> None:
    assert to_html(html(t"<input .value={'<a>'} ?disabled={True}>")) == '<input value="&lt;a&gt;" disabled="">'
    assert to_html(html(t"<input type=checkbox .checked={True}><input .checked={False}>")) == '<input type=checkbox checked=""><input>'
    assert to_html(html(t"<textarea .value={'<a>'} rows={2}></textarea>!")) == '<textarea rows="2">&lt;a&gt;</textarea>!'
    assert to_html(html(t"<textarea .value={'a'}></textarea>{'b'}")) == "<textarea>a</textarea>b"
    assert to_html(html(t"<select .value={'a'}></select>")) == "<select></select>"


def test_to_html_writes_attributes_of_several_holes() -> None:
    assert to_html(html(t"<p class=a-{1}-{2}-b lang={'de'}>{3}</p>")) == '<p class="a-1-2-b" lang="de">3</p>'
    assert to_html(html(t'<p class="{1} {2}" id="x"></p>')) == '<p class="1 2" id="x"></p>'


def test_to_html_draws_lists_and_svg() -> None:
    rows = each("ab", key=lambda letter: letter, render=lambda letter: html(t"<li>{letter}</li>"))
    assert to_html(html(t"<ul>{rows}</ul>")) == "<ul><li>a</li><li>b</li></ul>"
    assert to_html(svg(t"<g>{[svg(t'<rect width={1} />')]}</g>")) == '<g><rect width="1" /></g>'
    assert to_html("a<b") == "a&lt;b"
    assert to_html(None) == ""
    assert to_html("\ud800ü") == "\ufffdü"
