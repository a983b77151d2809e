"""The tabs that a leader serves."""

from __future__ import annotations

from pyapp.core.streams.position import Position
from pyapp.core.streams.spec import stream_key
from pyapp.core.tabs.members import MEMBERS_AT_MOST, Members

A, B = stream_key("a"), stream_key("b")


def test_the_union_is_what_anybody_wants_from_the_oldest_place_that_somebody_has() -> None:
    # RT-60
    members = Members(5_000)
    assert members.heard("x", {A: None}, 0)
    assert members.heard("y", {A: Position("e1", 7), B: None}, 0)
    assert not members.heard("z", {A: Position("e1", 5)}, 0)
    assert not members.heard("w", {A: None}, 0)
    assert members.union() == {A: Position("e1", 5), B: None}
    assert len(members) == 4


def test_places_in_two_lives_of_the_server_are_none() -> None:
    members = Members(5_000)
    members.heard("x", {A: Position("e1", 7)}, 0)
    members.heard("y", {A: Position("e2", 1)}, 0)
    assert members.union() == {A: None}


def test_a_tab_that_says_goodbye_or_nothing_wants_nothing() -> None:
    # RT-60
    members = Members(5_000)
    members.heard("x", {A: None}, 0)
    members.heard("y", {A: None, B: None}, 4_000)
    assert not members.gone("x")
    assert not members.gone("x")
    assert not members.forget_silent(8_999)
    assert members.forget_silent(9_000)
    assert members.union() == {}
    members.heard("x", {A: None}, 9_000)
    assert members.gone("x")
    members.heard("x", {A: None}, 9_000)
    members.clear()
    assert members.union() == {}


def test_there_are_never_more_than_so_many() -> None:
    members = Members(5_000)
    for number in range(MEMBERS_AT_MOST + 5):
        members.heard(str(number), {}, 0)
    assert len(members) == MEMBERS_AT_MOST
