"""Answers of the last moment (RT-65): how long, how many, how big."""

from __future__ import annotations

from pyapp.core.requests.answer import Answer
from pyapp.core.requests.kept import BYTES_AT_MOST, ENTRIES_AT_MOST, Kept


def test_an_answer_is_kept_for_its_window_and_for_who_does_not_ask_for_a_newer_one() -> None:
    # RT-31, RT-65
    kept = Kept()
    kept.put("x", "e", Answer("1", {}, 5.0), 10.0, 20.0)
    assert [kept.get("x", now, least) is not None for now, least in ((10, None), (19, 5), (19, 6), (20, None))] == [
        True,
        True,
        False,
        False,
    ]
    assert kept.get("y", 10.0, None) is None


def test_what_has_no_window_or_is_too_big_is_not_kept_and_takes_the_place_of_an_older_answer() -> None:
    # RT-65
    kept = Kept()
    for text, until in (("1", 10.0), ("x" * (BYTES_AT_MOST + 1), 99.0)):
        kept.put("x", "e", Answer("0", {}, 0.0), 0.0, 50.0)
        kept.put("x", "e", Answer(text, {}, 5.0), 10.0, until)
        assert kept.get("x", 10.0, None) is None
    assert (kept.statistics().entries, kept.statistics().bytes) == (0, 0)


def test_the_oldest_go_first_when_there_are_too_many_or_they_are_too_big() -> None:
    # RT-65
    kept = Kept()
    for n in range(ENTRIES_AT_MOST + 3):
        kept.put(f"{n}", "e", Answer("1", {}, 0.0), 0.0, 50.0)
    assert kept.statistics().entries == ENTRIES_AT_MOST
    assert [kept.get(f"{n}", 1.0, None) is None for n in (0, 2, 3)] == [True, True, False]
    big = "x" * (BYTES_AT_MOST * 2 // 3)
    kept.put("a", "e", Answer(big, {}, 0.0), 0.0, 50.0)
    kept.put("b", "f", Answer(big, {}, 0.0), 0.0, 50.0)
    assert (kept.get("a", 1.0, None), kept.statistics().entries) == (None, 1)
    kept.forget("f")
    assert (kept.statistics().entries, kept.statistics().bytes) == (0, 0)
