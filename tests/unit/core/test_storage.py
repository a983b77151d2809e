from __future__ import annotations

from pyapp.core.storage import Memory


def test_a_text_is_kept_until_it_is_removed_or_everything_is_forgotten() -> None:
    storage = Memory()
    storage.write("one", "1")
    storage.write("two", "2")
    storage.remove("one")
    assert (storage.read("one"), storage.read("two")) == (None, "2")
    storage.clear()
    assert storage.read("two") is None


def test_what_another_page_writes_is_told_and_what_this_one_writes_is_not() -> None:
    storage, told = Memory(), list[str]()
    storage.on_change(told.append)
    storage.write("theme", "dark")
    assert told == []
    storage.elsewhere("theme", "light")
    assert (told, storage.read("theme")) == (["theme"], "light")
    storage.elsewhere("theme", None)
    assert (told, storage.read("theme")) == (["theme", "theme"], None)
