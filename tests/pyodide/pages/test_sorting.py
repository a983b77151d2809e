from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pyapp.pages.sorting import Sort, arranged, from_param

Row = tuple[str, int | None]

KEYS: dict[str, Callable[[Row], Any]] = {"size": lambda row: row[1], "name": lambda row: row[0]}
ROWS = st.lists(st.tuples(st.text(max_size=4), st.one_of(st.none(), st.integers(-3, 3))), max_size=12)


def name_of(row: Row) -> str:
    return row[0]


@given(ROWS, st.booleans())
def test_what_has_no_value_is_last_whichever_way(rows: list[Row], descending: bool) -> None:
    sizes = [size for _, size in arranged(rows, Sort(column="size", descending=descending), KEYS, name_of)]
    known = [size for size in sizes if size is not None]
    assert sizes == known + [None] * (len(sizes) - len(known))
    assert known == sorted(known, reverse=descending)


@given(ROWS, st.booleans())
def test_equal_rows_stand_by_name_so_that_an_update_does_not_shuffle_them(rows: list[Row], descending: bool) -> None:
    made = arranged(rows, Sort(column="size", descending=descending), KEYS, name_of)
    assert made == arranged(list(reversed(rows)), Sort(column="size", descending=descending), KEYS, name_of)


def test_an_order_is_its_own_text() -> None:
    usual = Sort(column="name")
    for text in ("name", "-name", "size", "-size"):
        assert str(from_param(text, KEYS, usual)[0]) == text
    assert from_param(None, KEYS, usual) == (usual, None)
    sort, problem = from_param("-colour", KEYS, usual)
    assert (sort, problem is not None) == (usual, True)


def test_pressing_a_head_again_turns_the_order_round() -> None:
    first = Sort(column="name").by("size", largest_first=True)
    assert (str(first), str(first.by("size", largest_first=True))) == ("-size", "size")
    assert str(first.by("name", largest_first=False)) == "name"
