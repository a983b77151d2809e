"""The keyboard of the page: one table that the keys are bound by and the sheet of help is made of.

Keys are written as `<pen-keys>` reads them: one key, or two after each other with a space between. What concerns the focus alone
(`search`, `next`, `previous`, `select`, `act`, `copy`) the element does by itself; everything else comes here as a `Command`.
Single keys can be switched off (WCAG 2.1.4); Ctrl+K and Escape stay.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from pyapp.pages.commands import GO, HELP, LIVE, PALETTE, REFRESH
from pyapp.pages.preferences import ChooseShortcuts
from pyapp.pages.shell import RAIL
from pyapp.ui import Action, TemplateResult, each, html
from pyapp.ui.components.controls import icon_button


class CloseSheet(Action):
    """The sheet of help was read."""


@dataclass(frozen=True, slots=True)
class Shortcut:
    """One line of the table.

    Attributes:
        keys: as the element reads them.
        name: the command.
        words: what it does, for the sheet.
        group: under which heading the sheet has it.
    """

    keys: str
    name: str
    words: str
    group: str


_LETTERS: Final = {"dashboard": "d", "jobs": "j", "functions": "f", "apis": "a", "workers": "w", "cluster": "c", "settings": "s"}
_LIST: Final = "In a list"
_PAGE: Final = "On a page"
_EVERYWHERE: Final = "Everywhere"

SHORTCUTS: Final = (
    *(
        Shortcut(f"g {_LETTERS[place.route]}", f"{GO}{place.route}", f"Go to {place.word}", "Go to")
        for place in RAIL
        if place.route in _LETTERS
    ),
    Shortcut("/", "search", "Search in this page", _PAGE),
    Shortcut("r", REFRESH, "Refresh every panel", _PAGE),
    Shortcut("l", LIVE, "Let the lists go on, or stop them", _PAGE),
    Shortcut("j", "next", "Next row", _LIST),
    Shortcut("k", "previous", "Row before", _LIST),
    Shortcut("x", "select", "Select the row", _LIST),
    Shortcut("a", "act", "Go to what can be done with the selected rows", _LIST),
    Shortcut("c", "copy", "Copy the row’s id", _LIST),
    Shortcut("?", HELP, "Show these shortcuts", _EVERYWHERE),
)

_ALWAYS: Final = (
    Shortcut("Ctrl K", PALETTE, "Find a page, function, worker, API or job, or do something", _EVERYWHERE),
    Shortcut("Esc", "", "Close what is open", _EVERYWHERE),
)
"""What holds with single keys switched off too. On a Mac it is Cmd+K."""


def bindings(*, on: bool) -> str:
    """The keys by their commands, as JSON for `<pen-keys>`; none while they are switched off."""
    return json.dumps({one.keys: one.name for one in SHORTCUTS} if on else {})


def sheet(*, shown: bool, on: bool) -> TemplateResult:
    """The sheet of help, as a dialog.

    Args:
        on: whether single keys do anything; the sheet says so where they do not.
    """
    return html(
        t"<pen-dialog ?open={shown} @dismiss={CloseSheet()}><dialog class='sheet' aria-labelledby='sheet-title'>"
        t'<header class="row"><h2 id="sheet-title">Keyboard shortcuts</h2>{icon_button("t-x", "Close", CloseSheet())}</header>'
        t"{_body(on=on) if shown else None}</dialog></pen-dialog>"
    )


def _body(*, on: bool) -> TemplateResult:
    groups: dict[str, list[Shortcut]] = {}
    for one in (*SHORTCUTS, *_ALWAYS):
        groups.setdefault(one.group, []).append(one)
    says = "None of them does anything while you type." if on else "Single keys are switched off: only the last two do anything."
    words = f"Switch single keys {'off' if on else 'on'}"
    switch = html(t'<button type="button" class="btn small" @click={ChooseShortcuts(shortcuts=not on)}>{words}</button>')
    drawn = each(groups.items(), key=lambda group: group[0], render=lambda group: _group(*group))
    return html(t'<div class="groups">{drawn}</div><p class="row note"><span class="grow">{says}</span>{switch}</p>')


def _group(heading: str, lines: list[Shortcut]) -> TemplateResult:
    drawn = each(lines, key=lambda one: one.keys, render=lambda one: html(t"<dt>{one.words}</dt><dd>{_keys(one.keys)}</dd>"))
    return html(t"<section><h3>{heading}</h3><dl>{drawn}</dl></section>")


def _keys(keys: str) -> TemplateResult:
    marks = tuple(html(t"<kbd>{key.upper() if len(key) == 1 and key.isalpha() else key}</kbd>") for key in keys.split(" "))
    return html(t"{marks}")
