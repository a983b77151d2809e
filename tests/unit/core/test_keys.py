"""Keys: one form however they were spelled, four types, and no window for a writer (RT-1 to RT-3)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyapp.core.cache.keys import (
    LIVE_LIST_LIMIT,
    AggregateKey,
    LiveKey,
    WindowKey,
    aggregate,
    canonical,
    item,
    live,
    parse_key,
    require_writable,
    window,
)
from pyapp.core.errors import KeyMisuse

SCALARS = st.one_of(st.text(max_size=5), st.integers(-(2**40), 2**40), st.booleans(), st.floats(allow_nan=False, allow_infinity=False))
PARAMS = st.dictionaries(
    st.text(min_size=1, max_size=4),
    st.one_of(SCALARS, st.none(), st.lists(SCALARS, max_size=4), st.sets(st.text(max_size=3), max_size=3)),
    max_size=5,
)


@given(PARAMS, st.randoms())
def test_equal_parameters_give_the_equal_key_however_they_were_spelled(params: dict[str, Any], chance: Any) -> None:
    # RT-1
    names = list(params)
    chance.shuffle(names)
    other: dict[str, Any] = {}
    for name in names:
        value = params[name]
        if isinstance(value, list):
            value = [*value, *value]  # pyright: ignore[reportUnknownVariableType]
            chance.shuffle(value)
        elif isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**40:
            value = float(value)
        other[name] = value
    other["unasked"], other["empty"] = None, []
    left, right = LiveKey("f", canonical(params)), LiveKey("f", canonical(other))
    assert left == right
    assert hash(left) == hash(right)
    assert left.to_json() == right.to_json()


@given(PARAMS, PARAMS)
def test_keys_are_equal_exactly_where_their_text_is(one: dict[str, Any], other: dict[str, Any]) -> None:
    # RT-1
    left, right = LiveKey("f", canonical(one)), LiveKey("f", canonical(other))
    assert (left == right) == (left.to_json() == right.to_json())


@given(PARAMS)
def test_a_key_s_text_reads_back_as_the_key(params: dict[str, Any]) -> None:
    # RT-1, RT-83
    for kind in (LiveKey, WindowKey, AggregateKey):
        key = kind("f", canonical(params))
        assert parse_key(key.to_json()) == key


def test_one_and_true_are_not_the_same_parameter() -> None:
    # RT-1
    assert aggregate("f", x=1) != aggregate("f", x=True)
    assert live("f", x=[1, True]).get_all("x") == (True, 1)
    assert live("f", x=[1]) != live("f", x=[True])
    assert aggregate("f", x=24.0) == aggregate("f", x=24)
    assert len({aggregate("f", x=1), aggregate("f", x=True), aggregate("f", x=1.0)}) == 2


def test_the_json_form_is_the_one_of_the_rules() -> None:
    # RT-1
    assert live("jobs", status=["failed"]).to_list() == ["jobs", "live", {"status": ["failed"]}]
    assert item("jobs", "job_1a2b").to_list() == ["jobs", "item", "job_1a2b"]
    east = datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))
    key = window("jobs", after=east, before=datetime(2026, 1, 2, tzinfo=UTC))
    assert key.to_json() == '["jobs","window",{"after":"2026-01-01T00:00:00Z","before":"2026-01-02T00:00:00Z"}]'
    assert str(key) == key.to_json()


def test_defaults_are_dropped_and_only_where_their_type_is_the_same() -> None:
    # RT-1
    assert canonical({"hours": 24, "x": 1}, {"hours": 24.0, "x": True}) == (("x", 1),)
    assert canonical({"a": ["y", "x"]}, {"a": ("x", "y")}) == ()


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), {"a": 1}, object(), [object()], datetime(2026, 1, 1), [[1]], b"x" and {"a": 2}]
)
def test_what_has_no_canonical_form_is_refused(value: Any) -> None:
    # RT-1
    with pytest.raises(KeyMisuse):
        live("f", x=value)


def test_keys_of_different_modes_are_never_equal() -> None:
    # RT-2
    assert len({LiveKey("f"), WindowKey("f"), AggregateKey("f"), live("g")}) == 4
    assert LiveKey("f") != "f"
    assert LIVE_LIST_LIMIT == 50


def test_parameters_can_be_asked_for() -> None:
    key = live("f", status=["b", "a"], name="x")
    assert (key.get("status"), key.get("name"), key.get("none")) == (("a", "b"), "x", None)
    assert (key.get_all("status"), key.get_all("name"), key.get_all("none")) == (("a", "b"), ("x",), ())


def test_a_window_cannot_be_handed_to_a_writer() -> None:
    # RT-3
    key = window("jobs", after="a", before="b")
    with pytest.raises(KeyMisuse, match="nothing writes it"):
        require_writable(key)
    assert require_writable(item("jobs", "x")).entity == "x"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '["a","b",{}]', '["a","live",[]]', '["","live",{}]', '["a","item",""]', "[" * 100_000, "1"]
)
def test_what_is_no_key_s_text_is_refused_with_a_sentence(text: str) -> None:
    # RT-83
    with pytest.raises(KeyMisuse):
        parse_key(text)


def test_the_json_text_keeps_other_alphabets_readable() -> None:
    assert json.loads(live("f", name="Ünïcode").to_json())[2] == {"name": "Ünïcode"}
    assert "Ünïcode" in live("f", name="Ünïcode").to_json()


def test_a_mapping_and_what_cannot_be_iterated_are_no_parts_of_a_key() -> None:
    # RT-1
    for part in ({"a": 1}, object(), b"x"[0:0].__class__):
        with pytest.raises(KeyMisuse, match="a key takes text"):
            aggregate("stats", part=part)  # type: ignore[arg-type]


def test_none_and_no_alternatives_are_no_parameter() -> None:
    # RT-1
    assert live("jobs", status=[]) == live("jobs", status=None) == live("jobs")
    assert str(live("jobs", status=[], name="a")) == '["jobs","live",{"name":"a"}]'
