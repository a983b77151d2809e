"""Pausing and resuming functions: what was asked, and what became of it.

A paused function's jobs wait in the queue. That the server accepted says nothing yet: a row shows what the function says of itself, and
until then that it was asked. Neither loses anything, so neither is asked for twice.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from pyapp.contract.functions import Function
from pyapp.pages.protocol import Effect, Mutate, MutationDone, MutationFailed, ShowToast, ToastLevel
from pyapp.ui import Action, TemplateResult, html
from pyapp.ui.components.marks import icon

REMEMBERED = 200

MUTATIONS = {True: "functions.pause", False: "functions.resume"}
_PAUSES = {name: paused for paused, name in MUTATIONS.items()}


class Switch(Action):
    """Pause a function, or let it go on."""

    key: str
    paused: bool


class Switched(BaseModel):
    """One thing asked of one function."""

    model_config = ConfigDict(frozen=True)

    key: str
    paused: bool
    phase: Literal["sent", "accepted"] = "sent"

    def pending(self, function: Function) -> bool:
        """Whether the function has yet to say that it happened."""
        return function.paused is not self.paused


Asked = tuple[Switched, ...]


def find(asked: Asked, function: Function) -> Switched | None:
    """What was asked of a function and has not happened yet."""
    return next((one for one in asked if one.key == function.key and one.pending(function)), None)


def ask(asked: Asked, message: Switch) -> tuple[Asked, Effect]:
    """Remember the newest first, and send it."""
    others = tuple(one for one in asked if one.key != message.key)
    newest = Switched(key=message.key, paused=message.paused)
    return (newest, *others)[:REMEMBERED], Mutate(name=MUTATIONS[message.paused], args={"key": message.key})


def settle(asked: Asked, message: MutationDone | MutationFailed) -> tuple[Asked, tuple[Effect, ...]]:
    """Take the server's answer in; what was refused is told, and was never asked."""
    paused, key = _PAUSES.get(message.name), message.args.get("key", "")
    if paused is None:
        return asked, ()
    if isinstance(message, MutationFailed):
        title = "Pause was refused" if paused else "Resume was refused"
        effect = ShowToast(level=ToastLevel.ERROR, title=title, text=f"{key}: {message.message}")
        return tuple(one for one in asked if one.key != key), (effect,)
    return tuple(one.model_copy(update={"phase": "accepted"}) if one.key == key else one for one in asked), ()


def switch(function: Function, asked: Asked) -> TemplateResult:
    """The button of a function, or that it was pressed."""
    if find(asked, function):
        return html(t'<span class="asked" role="status">Asked</span>')
    word, symbol = ("Resume", "t-play") if function.paused else ("Pause", "t-pause")
    press = Switch(key=function.key, paused=not function.paused)
    return html(
        t'<button type="button" class="btn" @click={press}>{icon(symbol, small=True)}<span class="word">{word}</span>'
        t'<span class="sr"> {function.name}</span></button>'
    )
