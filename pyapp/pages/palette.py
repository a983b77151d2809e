"""The command palette: a dialog with one field and one list, by the combobox pattern of the ARIA Authoring Practices.

    message          state
    Open             open, empty, at the first entry
    Type             the query; at the first entry again
    Step             the entry before or behind, around the ends; a page of them; the first, the last
    Choose           closed; the entry is run by who asked for the state
    Close            closed

The field keeps the focus; the list says by `aria-activedescendant` which entry Enter means. Closing gives the focus back to where it
was: that is the native dialog's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pydantic import BaseModel, ConfigDict

from pyapp.pages.findable import Entry
from pyapp.ui import Action, TemplateResult, each, html, nothing
from pyapp.ui.components.marks import icon

QUERY_MAX: Final = 200
_PAGE: Final = 8
_KEYS: Final = ("ArrowDown", "ArrowUp", "PageDown", "PageUp")


class Close(Action):
    """Escape, or a press beside the dialog."""


class Type(Action):
    """What is in the field now."""

    value: str


class Step(Action):
    """A key that moves among the entries."""

    key: str


class Choose(Action):
    """Run an entry; without an id the one that is marked."""

    id: str = ""


class State(BaseModel):
    """Whether it is open, what was typed, and which entry is marked, counted from 0."""

    model_config = ConfigDict(frozen=True)

    open: bool = False
    query: str = ""
    at: int = 0


def update(state: State, action: Action, count: int) -> State:
    """The next state: the table above.

    Args:
        count: how many entries are listed now.
    """
    match action:
        case Type(value=value):
            return State(open=state.open, query=value[:QUERY_MAX])
        case Step(key=key) if count:
            by = {"ArrowDown": 1, "ArrowUp": -1, "PageDown": _PAGE, "PageUp": -_PAGE}.get(key, 0)
            at = (state.at + by) % count if abs(by) == 1 else max(0, min(count - 1, state.at + by))
            return state.model_copy(update={"at": at})
        case _:
            return state


def option_id(at: int) -> str:
    """The element of an entry, by its place: the marked one is named by the field."""
    return f"palette-{at}"


def view(state: State, entries: Sequence[Entry], *, waiting: bool = False) -> TemplateResult:
    """The dialog.

    Args:
        entries: what is listed.
        waiting: some list is not there yet.
    """
    active = option_id(state.at) if state.open and entries else nothing
    step = Step.on("key", key=_KEYS, prevent=True)
    return html(
        t'<pen-dialog ?open={state.open} @dismiss={Close()}><dialog class="palette" aria-label="Command palette">'
        t'<form @submit={Choose.on(prevent=True)}><label class="input"><span class="sr">Find or do</span>{icon("t-find")}'
        t'<input type="text" name="query" role="combobox" aria-autocomplete="list" aria-controls="palette-list" '
        t'aria-expanded={"true" if entries else "false"} aria-activedescendant={active} autofocus autocomplete="off" '
        t'autocapitalize="off" spellcheck="false" placeholder="Page, function, worker, API, job id, or what to do" '
        t'maxlength="200" .value={state.query} @input={Type.on("value")} @keydown={step}></label></form>'
        t"{_list(state, entries, active, waiting=waiting) if state.open else nothing}</dialog></pen-dialog>"
    )


def _list(state: State, entries: Sequence[Entry], active: str | None, *, waiting: bool) -> TemplateResult:
    placed = tuple(enumerate(entries))
    options = each(placed, key=lambda pair: pair[1].id, render=lambda pair: _option(*pair, state.at), same=(state.at, state.query))
    count = f"{len(entries)} found" if state.query else f"{len(entries)} entries"
    said = count if entries else "Nothing is called that."
    note = html(t'<p class="note">Lists are still on their way.</p>') if waiting else nothing
    listed = html(t'<ul role="listbox" id="palette-list" aria-label="Found">{options}</ul>')
    return html(
        t"<pen-options active={active}>{listed}</pen-options>{nothing if entries else _nothing_found()}{note}"
        t'<p class="sr" role="status">{said}</p><p class="hints" aria-hidden="true">'
        t"<span><kbd>↑</kbd><kbd>↓</kbd> move</span><span><kbd>↵</kbd> open</span><span><kbd>Esc</kbd> close</span></p>"
    )


def _nothing_found() -> TemplateResult:
    return html(t'<p class="blank"><span class="strong">Nothing is called that.</span>A job is found by its whole id.</p>')


def _option(at: int, entry: Entry, active: int) -> TemplateResult:
    detail = html(t'<bdi class="dim mono">{entry.detail}</bdi>') if entry.detail else nothing
    return html(
        t'<li role="option" id={option_id(at)} aria-selected={"true" if at == active else "false"} @click={Choose(id=entry.id)}>'
        t'{icon(entry.icon)}<bdi class="what">{entry.word}</bdi>{detail}<span class="kind">{entry.kind}</span></li>'
    )
