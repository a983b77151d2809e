"""What is pressed or chosen: segmented controls, selects, icon buttons, popovers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pyapp.ui.actions import Action, On
from pyapp.ui.components.marks import icon
from pyapp.ui.template import TemplateResult, each, html, nothing


@dataclass(frozen=True, slots=True)
class Choice:
    """One part of a segmented control."""

    word: str
    chosen: bool
    choose: Action | On


@dataclass(frozen=True, slots=True)
class Option:
    """One entry of a select."""

    value: str
    word: str


def segments(label: str, choices: Iterable[Choice]) -> TemplateResult:
    """A small segmented control: one of several, all in sight."""
    parts = each(
        choices,
        key=lambda choice: choice.word,
        render=lambda choice: html(
            t'<button type="button" aria-pressed={"true" if choice.chosen else "false"} @click={choice.choose}>{choice.word}</button>'
        ),
    )
    return html(t'<div class="seg small" role="group" aria-label={label}>{parts}</div>')


def select(label: str, options: Iterable[Option], chosen: str, choose: On) -> TemplateResult:
    """A native select that says what it filters; its first entry is `any`. A chosen value that is not offered stays selectable."""
    entries = [Option("", "any"), *options]
    if chosen and all(entry.value != chosen for entry in entries):
        entries.append(Option(chosen, chosen))
    items = each(
        entries,
        key=lambda entry: entry.value,
        render=lambda entry: html(t"<option value={entry.value} ?selected={entry.value == chosen}>{entry.word}</option>"),
        same=(chosen,),
    )
    classes = "select chosen" if chosen else "select"
    return html(
        t'<label class={classes}><span class="k">{label}</span>'
        t"<select .value={chosen} @change={choose}>{items}</select>{icon('t-down', small=True)}</label>"
    )


def search_field(label: str, hint: str, value: str, search: On) -> TemplateResult:
    """A text that is looked for while it is typed; `search` gets it as `value`."""
    return html(
        t'<label class="input"><span class="sr">{label}</span>{icon("t-find", small=True)}'
        t'<input type="search" name="value" placeholder={hint} autocomplete="off" spellcheck="false" '
        t"maxlength=200 .value={value} @input={search}></label>"
    )


def icon_button(name: str, label: str, press: Action) -> TemplateResult:
    """A quiet button that shows a symbol only; the label is for screen readers and the tooltip."""
    return html(
        t'<button type="button" class="btn quiet icon" aria-label={label} title={label} @click={press}>'
        t"{icon(name, small=True)}</button>"
    )


COPY = html(t'<button type="button" class="copy" aria-label="Copy" title="Copy">{icon("t-copy", small=True)}</button>')
"""Copies the nearest `data-copy` around it (`web/src/elements/copies.mjs`): the same for every row, so that it costs a row nothing."""


def popover(name: str, label: str, body: TemplateResult) -> TemplateResult:
    """A native popover; the button that opens it says `popovertarget="name"` and is placed beside it by elements/popover.mjs."""
    return html(t'<div class="pop" id={name} popover role="dialog" aria-label={label}>{body}</div>')


class Toggled(Action):
    """A popover with details opens or closes; who keeps the state draws its body for as long as it is open."""

    id: str
    new_state: str


def details_popover(name: str, label: str, body: Callable[[], TemplateResult], opened: str) -> TemplateResult:
    """A popover whose body is drawn only while it is open: nobody pays for what nobody can see.

    Args:
        opened: the name of the popover that is open.
    """
    toggled = Toggled.on("new_state", id=name)
    return html(
        t'<div class="pop" id={name} popover role="dialog" aria-label={label} @beforetoggle={toggled}>'
        t"{body() if opened == name else nothing}</div>"
    )


def facts(rows: Iterable[tuple[str, object]]) -> TemplateResult:
    """Labels and values, one below the other."""
    items = each(rows, key=lambda row: row[0], render=lambda row: html(t"<dt>{row[0]}</dt><dd>{row[1]}</dd>"))
    return html(t"<dl>{items}</dl>")
