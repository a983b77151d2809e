"""The book of what other tabs hold, and what of our own was said (RT-62)."""

from __future__ import annotations

import json
import math

from pyapp.core.cache.keys import QueryKey, item, live
from pyapp.core.tabs.announcements import TABS_AT_MOST, Book, Notes, Said
from pyapp.core.tabs.share_messages import KEYS_AT_MOST
from pyapp.core.testing.tabs import TabStorage

ALWAYS = -math.inf


def test_who_holds_the_newest_answer_is_asked() -> None:
    # RT-62
    book = Book()
    book.heard("new", {"k": 100.0}, (), 1_000)
    book.heard("old", {"k": 900.0}, (), 1_000)
    assert book.holder("k", ALWAYS) == "new"
    assert book.holder("other", ALWAYS) is None
    assert (len(book), book.keys) == (2, 2)


def test_an_answer_whose_request_began_too_early_is_nobodys() -> None:
    # RT-62, RT-31
    book = Book()
    book.heard("a", {"k": 500.0}, (), 1_000)
    assert book.holder("k", 500.0) == "a"
    assert book.holder("k", 501.0) is None


def test_of_equal_ones_the_tab_that_was_heard_last_is_asked() -> None:
    book = Book()
    for tab in ("a", "b"):
        book.heard(tab, {"k": 0.0}, (), 0)
    assert book.holder("k", ALWAYS) == "b"
    book.heard("a", {"other": 0.0}, (), 0)
    assert book.holder("k", ALWAYS) == "a"


def test_what_is_withdrawn_or_not_answered_counts_no_longer() -> None:
    # RT-62
    book = Book()
    book.heard("a", {"k": 0.0, "l": 0.0}, (), 0)
    book.heard("a", {}, ("k",), 0)
    assert book.holder("k", ALWAYS) is None
    book.withdraw("a", "l")
    assert book.holder("l", ALWAYS) is None
    book.heard("a", {"k": 0.0}, (), 0)
    book.silence("a")
    assert (book.keys, len(book)) == (0, 1)
    book.heard("a", {"k": 0.0}, (), 0)
    book.gone("a")
    assert (book.keys, len(book)) == (0, 0)
    book.gone("nobody")
    book.silence("nobody")
    book.withdraw("nobody", "k")
    book.heard("a", {"k": 0.0}, (), 0)
    book.clear()
    assert len(book) == 0


def test_no_more_tabs_and_keys_are_known_than_the_bounds() -> None:
    # RT-62
    book = Book()
    for number in range(TABS_AT_MOST + 5):
        book.heard(f"t{number}", {"k": 0.0}, (), 0)
    assert len(book) == TABS_AT_MOST
    for number in range(3):
        book.heard("many", {f"{number} {key}": 0.0 for key in range(KEYS_AT_MOST)}, (), 0)
    book.heard("many", {"0 0": 7.0}, (), 100)
    assert book.holder("0 0", 93.0) == "many"
    assert book.keys == TABS_AT_MOST - 1 + KEYS_AT_MOST


def test_only_what_is_new_is_said() -> None:
    # RT-62
    said: Said[str] = Said()
    assert said.news({"a": 0.0, "b": 1.0}) == ({"a": 0.0, "b": 1.0}, ())
    assert said.news({"a": 0.0, "b": 1.0}) == ({}, ())
    assert said.news({"b": 2.0}) == ({"b": 2.0}, ("a",))
    assert len(said) == 1
    said.clear()
    assert said.news({"b": 2.0}) == ({"b": 2.0}, ())
    news, _ = said.news({f"k{number}": 0.0 for number in range(1_000)})
    assert len(news) == len(said) == KEYS_AT_MOST


def test_what_is_held_is_written_down_by_path_when_its_keys_change_and_forgotten_with_the_last() -> None:
    # RT-62
    items: dict[str, str] = {}
    notes = Notes(TabStorage(items), "group:held:a")
    path = {live("jobs"): "jobs?limit=50", item("jobs", "x"): "jobs/x"}.__getitem__

    def write(*keys: QueryKey) -> None:
        notes.write(dict.fromkeys(keys), path)  # type: ignore[arg-type]

    write()
    assert items == {}
    write(live("jobs"))
    assert json.loads(items["group:held:a"]) == {"jobs?limit=50": '["jobs","live",{}]'}
    items["group:held:a"] = "as it was"
    write(live("jobs"))
    assert items == {"group:held:a": "as it was"}
    write(live("jobs"), item("jobs", "x"))
    assert set(json.loads(items["group:held:a"])) == {"jobs?limit=50", "jobs/x"}
    write()
    assert items == {}
    Notes(None, "nowhere").write({live("jobs"): None}, path)  # type: ignore[arg-type]
