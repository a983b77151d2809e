"""A place for a few words that outlive the page, as a port."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Storage(Protocol):
    """Texts by name. Where there is none (storage switched off, full), what is written is forgotten with the page; nothing raises."""

    def read(self, name: str) -> str | None: ...

    def write(self, name: str, text: str) -> None: ...

    def remove(self, name: str) -> None: ...

    def clear(self) -> None:
        """Forget everything that the application keeps in this browser profile, whoever wrote it."""
        ...

    def on_change(self, callback: Callable[[str], None]) -> None:
        """Call back with the name of a text that another page of this profile wrote or removed."""
        ...


class Memory:
    """A storage that lasts as long as the object: for tests, and where a page has no other."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self._callbacks: list[Callable[[str], None]] = []

    def read(self, name: str) -> str | None:
        return self.texts.get(name)

    def write(self, name: str, text: str) -> None:
        self.texts[name] = text

    def remove(self, name: str) -> None:
        self.texts.pop(name, None)

    def clear(self) -> None:
        self.texts.clear()

    def on_change(self, callback: Callable[[str], None]) -> None:
        self._callbacks.append(callback)

    def elsewhere(self, name: str, text: str | None) -> None:
        """Another page writes a text, or removes it."""
        if text is None:
            self.remove(name)
        else:
            self.write(name, text)
        for callback in tuple(self._callbacks):
            callback(name)
