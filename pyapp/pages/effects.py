"""Runs what pages ask for (`protocol.Effect`): each effect is one call of the client, the screen, or what a person may choose."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from pyapp.core.client import Client
from pyapp.core.errors import RequestError
from pyapp.pages.observing import Observers
from pyapp.pages.ports import Choices, Screen
from pyapp.pages.protocol import (
    Copy,
    Download,
    Effect,
    Forget,
    Message,
    Mutate,
    MutationDone,
    MutationFailed,
    Navigate,
    Page,
    Refresh,
    SetFlag,
    ShowToast,
    ToastLevel,
    Visit,
)


class Shown(Protocol):
    """What the effects need of the page that is shown."""

    @property
    def page(self) -> Page | None: ...

    def update(self, message: Message) -> None:
        """One step of the page."""
        ...

    def say(self, wish: ShowToast) -> None: ...

    def copied(self, text: str) -> None:
        """Copy a text, and say whether it worked."""
        ...


class Effects:
    """The runner."""

    def __init__(
        self, client: Client, screen: Screen, choices: Choices, observers: Observers, shown: Shown, forget: Callable[[], None]
    ) -> None:
        self._client = client
        self._screen = screen
        self._choices = choices
        self._observers = observers
        self._shown = shown
        self._forget = forget

    def run(self, effect: Effect) -> None:
        """Do it. A `Mutate` is answered by `MutationDone` or `MutationFailed` while its page is still there."""
        match effect:
            case Mutate(name, args):
                page = self._shown.page
                self._client.mutate(name, args, lambda outcome: self._mutated(page, name, args, outcome))
            case Refresh(need):
                wanted = self._observers.need(need)
                if wanted is not None:
                    self._client.refresh(wanted.key)
            case Navigate(address):
                self._screen.go(address)
            case ShowToast():
                self._shown.say(effect)
            case Copy(text):
                self._shown.copied(text)
            case Download(name, kind, text):
                self._screen.download(name, kind, text)
            case SetFlag(name, value):
                self._choices.unset(name) if value is None else self._choices.set(name, value)
            case Forget():
                self._forget()
            case Visit():
                pass  # the address was set with the state

    def _mutated(self, page: Page | None, name: str, args: Mapping[str, str], outcome: str | RequestError) -> None:
        if page is not self._shown.page:
            if isinstance(outcome, RequestError):
                self._shown.say(ShowToast(ToastLevel.ERROR, f"{name} was not done", str(outcome)))
            return
        if isinstance(outcome, RequestError):
            self._shown.update(MutationFailed(name, args, str(outcome)))
        else:
            self._shown.update(MutationDone(name, args, outcome))
