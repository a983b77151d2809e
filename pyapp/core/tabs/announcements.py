"""Who announced what: the book of the other tabs' keys, and what of our own was said (RT-62). Parts without I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from pydantic_core import to_json

from pyapp.core.cache.keys import QueryKey
from pyapp.core.tabs.ports import Storage
from pyapp.core.tabs.share_messages import KEYS_AT_MOST

K = TypeVar("K")

TABS_AT_MOST = 256
"""So many tabs are known; of more the one that was heard longest ago is forgotten."""


@dataclass(slots=True)
class _Tab:
    """The keys of a tab, with the clock time at about which the request of its last snapshot began."""

    keys: dict[str, float] = field(default_factory=dict[str, float])


class Book:
    """What the other tabs hold, as far as they said. The one that was heard last stands last."""

    def __init__(self) -> None:
        self._tabs: dict[str, _Tab] = {}

    def __len__(self) -> int:
        """How many tabs are known."""
        return len(self._tabs)

    def __contains__(self, tab: str) -> bool:
        """Whether a tab is known."""
        return tab in self._tabs

    @property
    def keys(self) -> int:
        """How many keys are announced, by whomever."""
        return sum(len(tab.keys) for tab in self._tabs.values())

    def heard(self, tab: str, keys: Mapping[str, float], gone: tuple[str, ...], now_ms: float) -> None:
        """A tab announced keys, with ages in ms, and withdrew others."""
        known = self._tabs.pop(tab, None) or _Tab()
        self._tabs[tab] = known
        for key in gone:
            known.keys.pop(key, None)
        for key, age_ms in keys.items():
            if key in known.keys or len(known.keys) < KEYS_AT_MOST:
                known.keys[key] = now_ms - age_ms
        while len(self._tabs) > TABS_AT_MOST:
            del self._tabs[next(iter(self._tabs))]

    def withdraw(self, tab: str, key: str) -> None:
        """A tab turned out not to hold a key."""
        if tab in self._tabs:
            self._tabs[tab].keys.pop(key, None)

    def silence(self, tab: str) -> None:
        """A tab does not answer: what it announced counts no longer, until it announces again."""
        if tab in self._tabs:
            self._tabs[tab].keys.clear()

    def gone(self, tab: str) -> None:
        self._tabs.pop(tab, None)

    def clear(self) -> None:
        self._tabs.clear()

    def holder(self, key: str, not_before_ms: float) -> str | None:
        """Who holds the newest answer to a key, if its request began at `not_before_ms` or later; of several who was heard last."""
        best, newest = None, not_before_ms
        for tab, known in self._tabs.items():
            began = known.keys.get(key)
            if began is not None and began >= newest:
                best, newest = tab, began
        return best


class Said(Generic[K]):
    """What this tab announced last, to say only what is new."""

    def __init__(self) -> None:
        self._keys: dict[K, float] = {}

    def __len__(self) -> int:
        return len(self._keys)

    def news(self, held: Mapping[K, float]) -> tuple[dict[K, float], tuple[K, ...]]:
        """The keys that are new or have newer data, and those that are held no longer; from now on they have been said.

        Args:
            held: clock times as in `Book`.
        """
        held = dict(list(held.items())[:KEYS_AT_MOST])
        news = {key: began for key, began in held.items() if self._keys.get(key) != began}
        gone = tuple(key for key in self._keys if key not in held)
        self._keys = held
        return news, gone

    def clear(self) -> None:
        self._keys.clear()


class Notes:
    """What this tab holds, written down where a page that starts reads it before its Python runs: its boot asks this tab first.

    Args:
        storage: of the origin; `None` where there is none.
        name: of this tab's note.
    """

    def __init__(self, storage: Storage | None, name: str) -> None:
        self._storage = storage
        self._name = name
        self._written: frozenset[QueryKey] = frozenset()

    def write(self, held: Mapping[QueryKey, object], path: Callable[[QueryKey], str]) -> None:
        """Write the keys by the paths under which the server is asked for them, if they are others than before."""
        keys = frozenset(held)
        if self._storage is not None and keys != self._written:
            self._written = keys
            self._storage.set(self._name, to_json({path(key): key.to_json() for key in keys}).decode() if keys else "")

    def renew(self) -> None:
        """Somebody may have deleted the note: the next `write` writes it in any case."""
        self._written = frozenset()
