from __future__ import annotations

from typing import get_args

import pytest

from pyapp.core.storage import Memory
from pyapp.pages.preferences import (
    ChooseDensity,
    ChooseShortcuts,
    ChooseTheme,
    Density,
    Preferences,
    PreferenceStore,
    Theme,
)


class World:
    def __init__(self, **kept: str) -> None:
        self.storage = Memory()
        for name, word in kept.items():
            self.storage.write(name, word)
        self.shown: list[tuple[str, str]] = []
        self.changes = 0
        self.store = PreferenceStore(self.storage, lambda name, word: self.shown.append((name, word)))
        self.store.on_change(self._changed)

    def _changed(self) -> None:
        self.changes += 1


def test_a_first_visit_has_what_is_usual_and_keeps_nothing() -> None:
    world = World()
    assert world.store.now == Preferences("system", "comfortable", True)
    world.store.choose(ChooseTheme(theme="system"))
    assert (world.storage.texts, world.shown, world.changes) == ({}, [], 0)


def test_a_choice_is_shown_kept_and_taken_back() -> None:
    world = World()
    world.store.choose(ChooseTheme(theme="dark"))
    world.store.choose(ChooseDensity(density="compact"))
    world.store.choose(ChooseShortcuts(shortcuts=False))
    assert world.storage.texts == {"theme": "dark", "density": "compact", "shortcuts": "off"}
    assert world.shown == [("theme", "dark"), ("density", "compact"), ("shortcuts", "off")]
    assert World(**world.storage.texts).store.now == Preferences("dark", "compact", False)
    world.store.choose(ChooseTheme(theme="system"))
    world.store.choose(ChooseDensity(density="comfortable"))
    world.store.choose(ChooseShortcuts(shortcuts=True))
    assert world.storage.texts == {}
    assert world.shown[3:] == [("theme", ""), ("density", ""), ("shortcuts", "")]
    assert world.changes == 6


def test_another_tab_s_choice_holds_here_and_its_other_words_are_none_of_ours() -> None:
    world = World()
    world.storage.elsewhere("theme", "light")
    world.storage.elsewhere("guest", "guest-1")
    assert (world.store.now.theme, world.shown, world.changes) == ("light", [("theme", "light")], 1)
    world.storage.elsewhere("theme", None)
    assert (world.store.now.theme, world.shown[-1]) == ("system", ("theme", ""))


@pytest.mark.parametrize("word", ["", "sepia", "<script>", "on"])
def test_a_word_that_means_nothing_counts_as_usual(word: str) -> None:
    assert World(theme=word, density=word, shortcuts=word).store.now == Preferences()


def test_what_is_usual_is_never_written() -> None:
    assert set(Preferences().words().values()) == {""}
    assert get_args(Theme)[0] == "system"
    assert get_args(Density)[0] == "comfortable"
