"""Structural sharing: equal is identical, by type and value (RT-10)."""

# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false, reportArgumentType=false

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, PrivateAttr

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


class Moment(BaseModel):
    id: str
    at: Any = None
    parts: Any = None


class Secret(BaseModel):
    id: str
    _private: int = PrivateAttr(default=0)


@dataclass
class Counted:
    value: Any
    count: int = field(init=False, default=1)


NAN = float("nan")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (NAN, float("nan")),
        ({"a": NAN}, {"a": float("nan")}),
        (Row(id="a", value=NAN), Row(id="a", value=float("nan"))),
        (None, None),
        ((None, ()), (None, ())),
        ({"a": {"b": [1, {2}]}}, {"a": {"b": [1, {2}]}}),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        (frozenset({(1, frozenset({2}))}), frozenset({(1, frozenset({2}))})),
        (Decimal("1.50"), Decimal("1.50")),
        (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=timezone(timedelta(0), "zero"))),
        (bytearray(b"a"), bytearray(b"a")),
        (Counted([1]), Counted([1])),
        (range(3), range(3)),
    ],
)
def test_what_says_the_same_is_the_same_object(old: Any, new: Any) -> None:
    # RT-10
    box = Box(old)
    assert share(box, Box(new)) is box


def with_private(value: int) -> Secret:
    secret = Secret(id="a")
    secret._private = value  # pyright: ignore[reportPrivateUsage]
    return secret


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (1, True),
        (1, 1.0),
        ({1: "a"}, {True: "a"}),
        ({"a": 1}, {"a": True}),
        (frozenset({(1,)}), frozenset({(True,)})),
        (frozenset({frozenset({1})}), frozenset({frozenset({1.0})})),
        (Decimal("1.5"), Decimal("1.50")),
        (datetime(2026, 1, 1, 12, tzinfo=UTC), datetime(2026, 1, 1, 13, tzinfo=timezone(timedelta(hours=1)))),
        ([1], (1,)),
        (Row(id="a", value=1), Row(id="a", value=True)),
        (Row(id="a", value=[1]), Row(id="a", value=[True])),
        (Row.model_construct(id="a", value=1), Row.model_construct(value=True, id="a")),
        (Open(id="a", more=1), Open(id="a", more=True)),  # type: ignore[call-arg]
        (with_private(1), with_private(2)),
        (Counted(1), Counted(2)),
        (b"a", b"b"),
        ({"a": 1}, {"a": 1, "b": 2}),
        (None, 0),
    ],
)
def test_what_only_compares_equal_is_another_object(old: Any, new: Any) -> None:
    # RT-10
    shared = share(Box(old), Box(new))
    assert exact(shared.value) == exact(new) or shared.value is new
    assert not same(old, new)


def test_lists_and_dictionaries_are_shared_part_by_part() -> None:
    # RT-10
    old = {"rows": [Row(id="a", value=1), Row(id="b", value=2)], "head": {"x": [1]}, "n": 1}
    new = {"rows": [Row(id="c", value=0), Row(id="a", value=1), Row(id="b", value=3)], "head": {"x": [1]}, "n": 2, "more": 0}
    shared: Any = share(old, new)
    assert shared == new
    assert (shared["rows"][1] is old["rows"][0], shared["head"] is old["head"]) == (True, True)  # type: ignore[index]


def test_an_entity_that_changed_its_name_or_exists_twice_is_what_the_answer_says() -> None:
    # RT-10
    rows = (Row(id="a", value=1), Row(id="a", value=2), Row(id="b", value=3))
    copy_ = tuple(row.model_copy() for row in rows)
    assert share(rows, copy_) is rows
    renamed = (Row(id="z", value=1), *copy_[1:])
    shared = share(rows, renamed)
    assert shared == renamed
    assert shared[1] is rows[1]
    twice = (Row(id="b", value=3), Row(id="b", value=3))
    assert share(rows, twice) == twice


def test_a_dataclass_with_a_field_that_cannot_be_given_is_shared_as_a_whole_or_not_at_all() -> None:
    # RT-10
    one, other = Counted((Row(id="a"), 1)), Counted((Row(id="a"), 1))
    one.count, other.count = [5], [5]  # type: ignore[assignment]
    assert share(one, other) is one
    part = Counted((Row(id="a"), 2))
    assert share(one, part) == part


def test_what_is_remembered_of_models_is_bounded() -> None:
    # RT-10
    from pyapp.core.cache import sharing

    kinds = [type(f"T{n}", (), {"__eq__": lambda a, b: True, "__hash__": lambda a: 1}) for n in range(sharing._DEEP_KEPT + 10)]  # pyright: ignore[reportPrivateUsage]
    for kind in kinds:
        assert same(Row(id="a", value=kind()), Row(id="a", value=kind()))
    assert len(sharing._DEEP) <= sharing._DEEP_KEPT + 1  # pyright: ignore[reportPrivateUsage]
    for memory in (sharing._DEEP, sharing._COMPARE):  # pyright: ignore[reportPrivateUsage]
        memory.clear()


def test_a_part_of_which_nothing_is_left_is_what_the_answer_says() -> None:
    # RT-10
    old, new = Row(id="a", value=[1]), Row(id="a", value={"now": "another"})
    shared = share(old, new)
    assert shared is new
    assert shared.value == {"now": "another"}
