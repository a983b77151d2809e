"""Structural sharing: equal is identical, by type and value (RT-10)."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from pyapp.core.cache.lists import LiveList
from pyapp.core.cache.sharing import same, share


class Row(BaseModel):
    id: str
    value: Any = None


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")
    id: str


class Pair(NamedTuple):
    a: Any
    b: Any


@dataclass(frozen=True)
class Box:
    value: Any


LEAVES = st.one_of(st.none(), st.booleans(), st.integers(0, 2), st.sampled_from([0.0, 1.0, 2.5]), st.text("ab", max_size=2))
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from("xyz"), inner, max_size=3),
        st.tuples(inner, inner),
        st.builds(Box, inner),
        st.builds(Pair, inner, inner),
        st.builds(Row, id=st.sampled_from("pqr"), value=inner),
        st.frozensets(st.integers(0, 2), max_size=2),
    ),
    max_leaves=8,
)


def exact(value: Any) -> Any:
    """A value with all its types, for an independent comparison."""
    if isinstance(value, BaseModel):
        return (type(value), {name: exact(one) for name, one in value})
    if isinstance(value, Box):
        return (Box, exact(value.value))
    if isinstance(value, dict):
        return (dict, {name: exact(one) for name, one in value.items()})  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, list | tuple):
        return (type(value), [exact(one) for one in value])  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return (type(value), value)


@given(VALUES)
def test_a_copy_is_shared_back_to_the_very_same_object(value: Any) -> None:
    # RT-10
    assert share(value, copy.deepcopy(value)) is value


@given(VALUES, VALUES)
def test_the_result_always_equals_the_new_value_by_type_and_value(old: Any, new: Any) -> None:
    # RT-10
    assert exact(share(old, new)) == exact(new)
    assert (share(old, new) is old) == (exact(old) == exact(new)) or old is new
    assert same(old, new) == (exact(old) == exact(new))


def _row(value: Any) -> Row:
    return Row(id="a", value=value)


def _set(value: Any) -> frozenset[Any]:
    return frozenset({value})


def _object(value: Any) -> dict[str, Any]:
    return {"a": value}


def _box(value: Any) -> Box:
    return Box([value])


WRAPS: list[Callable[[Any], Any]] = [_row, _set, _object, _box]


def test_one_and_true_and_one_point_zero_are_three_values_wherever_they_are() -> None:
    # RT-10
    for wrap in WRAPS:
        values: list[Any] = [wrap(1), wrap(True), wrap(1.0)]
        for i, left in enumerate(values):
            for j, right in enumerate(values):
                assert same(left, right) == (i == j)
                assert (share(left, right) is left) == (i == j)


def test_rows_keep_their_identity_when_others_come_before_them_and_go() -> None:
    # RT-10
    old = LiveList((Row(id="a"), Row(id="b", value=[1]), Row(id="c")), 3)
    new = share(old, LiveList((Row(id="new"), Row(id="b", value=[1]), Row(id="a", value=2)), 3))
    assert new.rows[1] is old.rows[1]
    assert new.rows[2] is not old.rows[0]
    assert [row.id for row in new.rows] == ["new", "b", "a"]


def test_a_named_tuple_stays_one() -> None:
    assert share(Pair(1, 2), Pair(1, 3)) == Pair(1, 3)
    assert isinstance(share(Pair(1, 2), Pair(1, 3)), Pair)


def test_fields_that_a_model_did_not_declare_count_too() -> None:
    # RT-10
    old = Open(id="a", more=1)  # type: ignore[call-arg]
    new = Open(id="a", more=2)  # type: ignore[call-arg]
    assert share(old, new) is new
    assert share(old, Open(id="a", more=1)) is old  # type: ignore[call-arg]


def test_parts_of_a_changed_model_are_shared() -> None:
    # RT-10
    old = Row(id="a", value=(Row(id="x"), Row(id="y")))
    new = share(old, Row(id="b", value=(Row(id="x"), Row(id="y", value=1))))
    assert new.id == "b"
    assert new.value[0] is old.value[0]
    assert new.value[1] == Row(id="y", value=1)
