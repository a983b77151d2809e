"""A place for a few words that outlive the page, as a port."""

from __future__ import annotations

from typing import Protocol


class Storage(Protocol):
    """Texts by name. Where there is none (storage switched off, full), what is written is forgotten with the page; nothing raises."""

    def read(self, name: str) -> str | None: ...

    def write(self, name: str, text: str) -> None: ...

    def remove(self, name: str) -> None: ...


class Memory:
    """A storage that lasts as long as the object: for tests, and where a page has no other."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    def read(self, name: str) -> str | None:
        return self.texts.get(name)

    def write(self, name: str, text: str) -> None:
        self.texts[name] = text

    def remove(self, name: str) -> None:
        self.texts.pop(name, None)
