"""Rows that are ticked, and asking the server the same thing of all of them.

    message                     state
    Select                      that row is ticked, or not
    SelectShown (with its rows) all rows that are shown are ticked, or none of them
    ClearSelection              no row is ticked
    begin                       a batch: one request per row, all handed to the request coordinator, which sends a few at a time
    settle                      one answer; at the last one the batch is over and is summed up

A selection is a set of names: it survives live updates, sorting and filters. What is ticked and filtered away is not acted on, and the
bar says so. A batch counts what the server answered, never what became of the rows: that is for events and snapshots to show.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from pyapp import numbers
from pyapp.pages import formats
from pyapp.pages.protocol import Effect, MutationDone, MutationFailed, OfShown, ShowToast, ToastLevel
from pyapp.pages.rows import Column
from pyapp.ui import Action, TemplateResult, each, html, nothing
from pyapp.ui.actions import On
from pyapp.ui.components.marks import icon

MANY_MAX: Final = 200
"""How many rows are acted on at once: each is a request of its own."""

PICK: Final = Column("Select", "w-pick", "", hidden_word=True)
"""The column of boxes."""


class Select(Action):
    """Tick a row, or not."""

    panel: str
    id: str
    checked: bool


class SelectShown(OfShown):
    """Tick every row that is shown, or none of them."""

    checked: bool


class ClearSelection(Action):
    """Tick nothing."""


Selected = frozenset[str]


def boxes(panel: str) -> On:
    """What a list listens to for all of its boxes; a row says its name by `data-id`."""
    return Select.on("id", "checked", panel=panel)


def box(words: str, *, checked: bool) -> TemplateResult:
    """The cell of a row."""
    return html(t'<td class="w-pick"><input type="checkbox" aria-label={words} .checked={checked}></td>')


def head_box(panel: str, words: str, shown: Iterable[str], selected: Selected) -> TemplateResult:
    """The box of the head: all that is shown, some of it, nothing."""
    names = frozenset(shown)
    ticked = len(names & selected)
    whole = 0 < ticked == len(names)
    press = SelectShown.on("checked", panel=panel, stop=True)
    return html(
        t'<input type="checkbox" aria-label="Select {words}" .checked={whole} .indeterminate={0 < ticked < len(names)} @change={press}>'
    )


def select(selected: Selected, name: str, *, checked: bool) -> Selected:
    """One row."""
    return selected | {name} if checked else selected - {name}


def select_shown(selected: Selected, shown: Iterable[str], *, checked: bool) -> Selected:
    """All that is shown; what is ticked elsewhere stays as it is."""
    return selected | frozenset(shown) if checked else selected - frozenset(shown)


# -- The bar ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Act:
    """What can be done with some of the ticked rows.

    Attributes:
        word: of its button, before how many it is for.
        count: how many of the ticked rows that are shown it makes sense for; none hides it.
        press: the action.
        danger: it destroys something: it is asked for twice.
    """

    word: str
    icon: str
    count: int
    press: Action
    danger: bool = False


def bar(one: str, selected: Selected, shown: Iterable[str], acts: Sequence[Act], batch: Batch | None) -> TemplateResult:
    """What is ticked and what can be done with it: over the list, at the lower edge of the window, so that nothing moves.

    Args:
        one: what a row is: `job`.
        shown: names of the rows that the filters show.
    """
    if not selected and batch is None:
        return html(t"")
    here = len(selected & frozenset(shown))
    away = len(selected) - here
    count = html(t'<span class="strong">{formats.plural(len(selected), one)} selected</span>') if selected else nothing
    gone = html(t'<span class="note">{numbers.count(away)} not shown: left alone</span>') if away else nothing
    offered = [act for act in acts if act.count]
    buttons = each(offered, key=lambda act: act.word, render=_button)
    none = html(t'<span class="note">Nothing can be done with them now.</span>') if here and not offered else nothing
    clear = html(
        t'<button type="button" class="btn quiet icon" aria-label="Clear the selection" title="Clear the selection" '
        t"@click={ClearSelection()}>{icon('t-x', small=True)}</button>"
    )
    return html(
        t'<section class="picked" aria-label="Selected rows"><span role="status">{count} {gone} {none}{_progress(batch)}</span>'
        t'<span class="grow"></span>{buttons}{clear if selected else nothing}</section><div class="picked-room"></div>'
    )


def _button(act: Act) -> TemplateResult:
    classes = "btn danger" if act.danger else "btn"
    return html(
        t'<button type="button" class={classes} @click={act.press}>{icon(act.icon, small=True)}{act.word} '
        t"<b>{numbers.count(act.count)}</b></button>"
    )


def _progress(batch: Batch | None) -> TemplateResult | None:
    if batch is None:
        return nothing
    answered = batch.total - len(batch.waiting)
    return html(t'<span class="note">{batch.word}: {numbers.count(answered)} of {numbers.count(batch.total)} answered</span>')


# -- The batch --------------------------------------------------------------------------------------------------------


class Batch(BaseModel):
    """The same asked of several rows.

    Attributes:
        mutation: its name in the inventory.
        word: for people: `Cancel`.
        waiting: the rows whose answer is not here yet.
        accepted, refused: how many the server took, and why it did not take the others.
    """

    model_config = ConfigDict(frozen=True)

    mutation: str
    word: str
    total: int
    waiting: frozenset[str]
    accepted: int = 0
    refused: tuple[str, ...] = ()


def begin(mutation: str, word: str, names: Iterable[str]) -> Batch:
    """A batch whose requests are on their way."""
    waiting = frozenset(names)
    return Batch(mutation=mutation, word=word, total=len(waiting), waiting=waiting)


def concerns(batch: Batch | None, message: MutationDone | MutationFailed) -> bool:
    """Whether an answer is one of the batch."""
    return batch is not None and message.name == batch.mutation and _name(message) in batch.waiting


def settle(batch: Batch, message: MutationDone | MutationFailed) -> tuple[Batch | None, tuple[Effect, ...]]:
    """Take one answer in; the last one brings the summary."""
    change: dict[str, object] = {"waiting": batch.waiting - {_name(message)}}
    if isinstance(message, MutationFailed):
        change["refused"] = (*batch.refused, message.message.replace(_name(message), "…"))
    else:
        change["accepted"] = batch.accepted + 1
    after = batch.model_copy(update=change)
    return (after, ()) if after.waiting else (None, (_summary(after),))


def _name(message: MutationDone | MutationFailed) -> str:
    return next(iter(message.args.values()), "")


def _summary(batch: Batch) -> ShowToast:
    """What the server said; what becomes of the rows is in the rows."""
    accepted = f"{numbers.count(batch.accepted)} accepted"
    if not batch.refused:
        return ShowToast(ToastLevel.OK, f"{batch.word}: {accepted}", "What becomes of them is in their rows.")
    reasons = "; ".join(f"{numbers.count(count)}: {reason}" for reason, count in Counter(batch.refused).most_common(3))
    level: Literal[ToastLevel.ERROR, ToastLevel.WARNING] = ToastLevel.WARNING if batch.accepted else ToastLevel.ERROR
    return ShowToast(level, f"{batch.word}: {accepted}, {numbers.count(len(batch.refused))} refused", reasons)
