"""Paints: what is sent once, what is remembered, and that errors stay in their root."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyapp.ui import Each, Encoder, TemplateResult, each, html


@dataclass(frozen=True)
class Item:
    id: str
    name: str = ""


A, B, C = Item("a"), Item("b"), Item("c")


def row(item: Item) -> TemplateResult:
    return html(t"<li>{item.id}</li>")


def rows(items: Sequence[Item], same: tuple[object, ...] = ()) -> Each[Item]:
    return each(items, key=lambda item: item.id, render=row, same=same)


def page(items: Sequence[Item], same: tuple[object, ...] = ()) -> TemplateResult:
    return html(t"<ul>{rows(items, same)}</ul>")


def paint(encoder: Encoder, **roots: Any) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(encoder.paint(roots))
    return made


def drawn(encoder: Encoder, items: Sequence[Item], same: tuple[object, ...] = ()) -> list[Any]:
    """The list of one paint on the wire, without the template's id and the list's number."""
    value = paint(encoder, main=page(items, same))["r"][0][1][1]
    return [value[0], *value[2:]]


def sent(key: str) -> list[Any]:
    return [html(t"<li>{key}</li>").plan.id, key]


def test_a_template_is_defined_once() -> None:
    encoder = Encoder()
    first = paint(encoder, main=html(t"<i class={1}>{2}</i>"), side=html(t"<i class={3}>{4}</i>"))
    plan = html(t"<i class={1}>{2}</i>").plan
    assert first["t"] == [[plan.id, "html", ["<i class=", ">", "</i>"], [2, 0]]]
    assert first["r"] == [["main", [plan.id, 1, 2]], ["side", [plan.id, 3, 4]]]
    assert paint(encoder, main=html(t"<i class={1}>{2}</i>")) == {"r": [["main", [plan.id, 1, 2]]]}


def test_roots_keep_their_order_and_may_be_functions_text_or_nothing() -> None:
    painted = paint(Encoder(), z=lambda: "text", a=None, m=rows([]))["r"]
    assert [name for name, _ in painted] == ["z", "a", "m"]
    assert [value for _, value in painted][:2] == ["text", None]


def test_identical_items_are_not_drawn_again() -> None:
    encoder = Encoder()
    assert drawn(encoder, [A, B]) == [-2, ["a", "b"], [sent("a"), sent("b")]]
    assert drawn(encoder, [A, B]) == [-3]
    assert drawn(encoder, [B, A]) == [-2, ["b", "a"], [0, 0]]
    assert drawn(encoder, [B]) == [-2, ["b"], [0]]
    assert drawn(encoder, [A, B]) == [-2, ["a", "b"], [sent("a"), 0]]
    assert drawn(encoder, [Item("a"), B]) == [-2, ["a", "b"], [sent("a"), 0]]


def test_rows_are_drawn_again_when_what_they_depend_on_changed() -> None:
    encoder = Encoder()
    drawn(encoder, [A], ("a",))
    assert drawn(encoder, [A], ("a",)) == [-3]
    assert drawn(encoder, [A], ("b",)) == [-2, ["a"], [sent("a")]]


def test_an_emptied_list_is_sent_and_then_left_alone() -> None:
    encoder = Encoder()
    drawn(encoder, [A])
    assert drawn(encoder, []) == [-2, [], []]
    assert drawn(encoder, []) == [-3]


def test_a_list_that_was_away_for_a_paint_starts_anew() -> None:
    encoder = Encoder()
    number = paint(encoder, main=page([A]))["r"][0][1][1][1]
    assert paint(encoder, main=html(t"<p></p>"))["x"] == [number]
    assert drawn(encoder, [A]) == [-2, ["a"], [sent("a")]]


def test_the_same_hole_with_another_template_is_another_list() -> None:
    def either(wide: bool) -> TemplateResult:
        return html(t"<div>{html(t'<b>{rows([A])}</b>') if wide else html(t'<i>{rows([A])}</i>')}</div>")

    encoder = Encoder()
    one = paint(encoder, main=either(True))["r"][0][1][1][1]
    two = paint(encoder, main=either(False))
    assert two["x"] == [one[1]]
    assert two["r"][0][1][1][1][0] == -2


def test_two_lists_from_one_call_site_do_not_share_memory() -> None:
    encoder = Encoder()

    def both(first: bool) -> TemplateResult:
        return html(t"<div>{page([A]) if first else None}{page([A])}</div>")

    before = paint(encoder, main=both(True))["r"][0][1]
    after = paint(encoder, main=both(False))
    assert after["r"][0][1][2][1] == [-3, before[2][1][1]]
    assert after["x"] == [before[1][1][1]]


def test_lists_in_rows_are_kept_with_the_row_and_dropped_with_it() -> None:
    def pair(item: tuple[str, list[Item]]) -> TemplateResult:
        return html(t"<li>{rows(item[1])}</li>")

    def outer(items: list[tuple[str, list[Item]]]) -> TemplateResult:
        return html(t"<ol>{each(items, key=lambda item: item[0], render=pair)}</ol>")

    encoder = Encoder()
    one, two = ("1", [A]), ("2", [B])
    paint(encoder, main=outer([one, two]))
    assert encoder.statistics().lists == 3
    assert paint(encoder, main=outer([one, two]))["r"][0][1][1][0] == -3
    again = paint(encoder, main=outer([("1", [A, C]), two]))["r"][0][1][1]
    assert again[3][0][1][2:] == [["a", "c"], [0, sent("c")]]
    assert again[3][1] == 0
    assert len(paint(encoder, main=outer([two]))["x"]) == 1
    assert len(paint(encoder, main="gone")["x"]) == 2
    assert encoder.statistics().lists == 0


def test_equal_keys_are_an_error_of_their_root() -> None:
    encoder = Encoder()
    paint(encoder, main=page([A, Item("a")]), side=page([A]))
    assert [error.root for error in encoder.errors] == ["main"]
    assert encoder.errors[0].message.endswith("have the key 'a': keys name one row each.")
    assert "{rows(items, same)}" in encoder.errors[0].message


def test_keys_are_text_or_whole_numbers() -> None:
    encoder = Encoder()
    numbers = each([1, 2**60], key=lambda item: item, render=str)
    assert paint(encoder, main=numbers)["r"][0][1][2:] == [[1, str(2**60)], ["1", str(2**60)]]
    paint(encoder, main=each([1.5], key=lambda item: item, render=str))  # type: ignore[arg-type, return-value]
    assert encoder.errors[-1].message.startswith("ListError: A key of the list {main} is a float")


def test_a_root_that_raises_shows_the_boundary_and_the_others_go_on() -> None:
    def bad() -> TemplateResult:
        raise RuntimeError("<no>")

    encoder = Encoder()
    painted = paint(encoder, main=bad, side=html(t"<p>{1}</p>"))
    assert "This panel could not be drawn." in str(painted["t"])
    assert "RuntimeError: <no>" in painted["r"][0][1][1]
    assert painted["r"][1][1][1] == 1
    assert encoder.errors[0].message == "RuntimeError: <no>"
    assert encoder.statistics().errors == 1


def test_a_root_that_fails_halfway_forgets_what_the_browser_never_saw() -> None:
    def half(fails: bool) -> TemplateResult:
        return html(t"<div>{rows([A, B])}{object() if fails else None}</div>")

    encoder = Encoder()
    number = paint(encoder, main=half(False))["r"][0][1][1][1]
    assert number in paint(encoder, main=lambda: half(True))["x"]
    assert paint(encoder, main=half(False))["r"][0][1][1][2:] == [["a", "b"], [sent("a"), sent("b")]]


@pytest.mark.parametrize("data", [{1}, [float("inf")], {"a": b"x"}])
def test_data_that_json_cannot_say_fails_its_root_and_names_the_property(data: object) -> None:
    encoder = Encoder()

    def chart(item: object) -> TemplateResult:
        return html(t"<x-a .p={item} title={'t'}></x-a>")

    shown = each([1, data], key=str, render=chart)
    painted = paint(encoder, main=html(t"<div>{[shown, chart(2)]}{None}</div>"), side=page([A]))
    assert encoder.errors[-1].message.startswith("HoleError: .p of <x-a> has what JSON cannot say (")
    assert [error.root for error in encoder.errors] == ["main"]
    assert painted["r"][1][1][1][2:] == [["a"], [sent("a")]]
    assert len(painted["x"]) == 1


def test_a_forgotten_root_is_painted_in_full() -> None:
    encoder = Encoder()
    drawn(encoder, [A])
    encoder.forget("main")
    encoder.forget("never seen")
    assert encoder.statistics().roots == 0
    assert drawn(encoder, [A]) == [-2, ["a"], [sent("a")]]


def test_what_the_browser_reports_is_recorded_and_painted_in_full() -> None:
    encoder = Encoder()
    drawn(encoder, [A])
    encoder.report("")
    assert encoder.statistics().errors == 0
    encoder.report('[["main", "Error: broken"]]')
    assert (encoder.errors[-1].root, encoder.errors[-1].message) == ("main", "PaintError: Error: broken")
    assert drawn(encoder, [A]) == [-2, ["a"], [sent("a")]]


def test_statistics_count_what_was_sent() -> None:
    encoder = Encoder()
    texts = [encoder.paint({"main": page([A, B])}), encoder.paint({"main": page([B, C])})]
    seen = encoder.statistics()
    assert (seen.paints, seen.templates, seen.roots, seen.lists) == (2, 2, 1, 1)
    assert (seen.rows_sent, seen.rows_same, seen.errors) == (3, 1, 0)
    assert seen.bytes == sum(map(len, texts))


def test_text_is_ascii_so_that_it_crosses_the_bridge_cheaply() -> None:
    assert Encoder().paint({"main": html(t"<p>{'ü\U0001f600'}</p>")}).isascii()


# What the browser does with a list, in a few lines: whatever the history, it must end up with the rows of the page.
_histories = st.lists(
    st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 2)), unique_by=lambda pair: pair[0]), min_size=1, max_size=12
)


@given(_histories, st.booleans())
def test_any_history_of_a_list_ends_with_the_rows_of_the_page(history: list[list[tuple[str, int]]], forgets: bool) -> None:
    encoder = Encoder()
    known = {(key, n): Item(key, str(n)) for key in "abcdef" for n in range(3)}
    lists: dict[int, dict[str, Any]] = {}
    for step, wanted in enumerate(history):
        if forgets and step % 3 == 2:
            encoder.forget("main")
        shown = each([known[pair] for pair in wanted], key=lambda item: item.id, render=lambda item: item.name)
        painted = paint(encoder, main=shown)
        for gone in painted.get("x", []):
            del lists[gone]
        value = painted["r"][0][1]
        if value[0] == -2:
            before = lists.get(value[1], {})
            lists[value[1]] = {key: before[key] if row == 0 else row for key, row in zip(value[2], value[3], strict=True)}
        assert list(lists[value[1]].items()) == [(key, str(n)) for key, n in wanted]
        assert len(lists) == 1
