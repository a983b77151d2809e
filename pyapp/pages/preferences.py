"""What a person chose for every visit: theme, density, whether keys are shortcuts (kept in this browser profile).

Invariants. What is as usual is not kept, so that a later version may change what is usual. A choice holds for every tab of the profile
from the moment it is made. The root element says it too (`data-theme`, `data-density`, `data-shortcuts`), and the first script of the
page puts it there before anything is painted: the words kept here are known to `web/src/first.js`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, cast, get_args

from pyapp.core.storage import Storage
from pyapp.ui import Action

Theme = Literal["system", "light", "dark"]
"""`system` follows the machine."""
Density = Literal["comfortable", "compact"]
"""How high rows and controls are."""


class ChooseTheme(Action):
    """Follow the system, or be light or dark whatever it says."""

    theme: Theme


class ChooseDensity(Action):
    """High rows and controls, or as many rows as fit."""

    density: Density


class ChooseShortcuts(Action):
    """Whether single keys do something."""

    shortcuts: bool


Choose = ChooseTheme | ChooseDensity | ChooseShortcuts


@dataclass(frozen=True, slots=True)
class Preferences:
    """The choices of now; the defaults are what is usual."""

    theme: Theme = "system"
    density: Density = "comfortable"
    shortcuts: bool = True

    def words(self) -> dict[str, str]:
        """Each choice as it is kept and as the root says it; empty where it is as usual."""
        return {
            "theme": "" if self.theme == "system" else self.theme,
            "density": "" if self.density == "comfortable" else self.density,
            "shortcuts": "" if self.shortcuts else "off",
        }


NAMES: Final = frozenset(Preferences().words())


class PreferenceStore:
    """The choices of this browser profile.

    Args:
        storage: keeps them.
        show: puts a choice (name, word) on the page.
    """

    def __init__(self, storage: Storage, show: Callable[[str, str], None]) -> None:
        self._storage = storage
        self._show = show
        self._callbacks: list[Callable[[], None]] = []
        self.now = self._read()
        storage.on_change(self._changed)

    def choose(self, choice: Choose) -> None:
        """Keep a choice, and show it at once."""
        self._take(
            Preferences(
                choice.theme if isinstance(choice, ChooseTheme) else self.now.theme,
                choice.density if isinstance(choice, ChooseDensity) else self.now.density,
                choice.shortcuts if isinstance(choice, ChooseShortcuts) else self.now.shortcuts,
            )
        )
        for name, word in self.now.words().items():
            if word:
                self._storage.write(name, word)
            else:
                self._storage.remove(name)

    def on_change(self, callback: Callable[[], None]) -> None:
        """Call back when a choice is another, made here or in another tab."""
        self._callbacks.append(callback)

    def _changed(self, name: str) -> None:
        if name in NAMES:
            self._take(self._read())

    def _take(self, after: Preferences) -> None:
        before, self.now = self.now, after
        words = before.words()
        for name, word in after.words().items():
            if words[name] != word:
                self._show(name, word)
        if before != after:
            for callback in tuple(self._callbacks):
                callback()

    def _read(self) -> Preferences:
        """What is kept; a word that means nothing to this version counts as usual."""
        theme, density = self._storage.read("theme"), self._storage.read("density")
        return Preferences(
            cast(Theme, theme) if theme in get_args(Theme) else "system",
            cast(Density, density) if density in get_args(Density) else "comfortable",
            self._storage.read("shortcuts") != "off",
        )
