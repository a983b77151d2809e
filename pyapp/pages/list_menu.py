"""The small menu of a list: which columns it shows, how it is sorted where no head can be pressed, and taking it along."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pyapp.pages.columns import AllColumns, Chosen, ShowColumn, choosable, is_shown
from pyapp.pages.commands import LINK, Command
from pyapp.pages.exporting import FORMATS, Export, Format
from pyapp.pages.rows import Column
from pyapp.pages.sorting import Sort, SortBy
from pyapp.ui import TemplateResult, each, html, nothing
from pyapp.ui.components.controls import details_popover
from pyapp.ui.components.marks import icon

MENU: Final = "view-"
"""What the popover is named by, before the panel's name."""


def list_menu(
    panel: str,
    words: str,
    opened: str,
    *,
    columns: Sequence[Column] = (),
    chosen: Chosen = None,
    sort: Sort | None = None,
    choose: bool = True,
) -> TemplateResult:
    """The button with its popover, which is drawn while it is open.

    Args:
        panel: the panel that has the list.
        words: what the list is, for who cannot see where the button stands.
        opened: `Env.opened`.
        columns: those that can be chosen from; none where they cannot.
        chosen: which of them are shown.
        choose: whether columns can be chosen; false where they only name the order.
        sort: the order, where the columns can be sorted by.
    """
    name = f"{MENU}{panel}"

    def body() -> TemplateResult:
        parts = (
            _columns(panel, columns, chosen) if columns and choose else nothing,
            _order(columns, sort) if sort else nothing,
            _take(panel),
        )
        return html(t"{parts}")

    label = f"View of {words}: {'columns, ' if choose else ''}order, export" if columns else f"Export {words}"
    button = html(
        t'<button type="button" class="btn quiet icon menu" popovertarget={name} aria-haspopup="dialog" '
        t"aria-label={label} title={label}>{icon('t-view' if columns else 't-export', small=True)}</button>"
    )
    return html(t"{button}{details_popover(name, label, body, opened)}")


def _columns(panel: str, columns: Sequence[Column], chosen: Chosen) -> TemplateResult:
    def box(column: Column) -> TemplateResult:
        shown = is_shown(column, chosen)
        press = ShowColumn(panel=panel, name=column.name, shown=not shown)
        return html(t'<label class="check"><input type="checkbox" .checked={shown} @change={press}>{column.word}</label>')

    boxes = each(choosable(columns), key=lambda column: column.name, render=box, same=(chosen,))
    reset = html(t'<button type="button" class="btn small" @click={AllColumns(panel=panel)}>Show all</button>')
    return html(
        t'<fieldset><legend>Columns</legend><div class="checks">{boxes}</div></fieldset>'
        t'<div class="row"><span class="note grow">On a narrow screen some of them leave.</span>'
        t"{nothing if chosen is None else reset}</div>"
    )


def _order(columns: Sequence[Column], sort: Sort) -> TemplateResult:
    entries = each(
        [column for column in columns if column.sort],
        key=lambda column: column.sort,
        render=lambda column: html(t"<option value={column.sort} ?selected={column.sort == sort.column}>{column.word}</option>"),
        same=(sort.column,),
    )
    arrow, words = ("t-sort", "Descending") if sort.descending else ("t-sort-up", "Ascending")
    return html(
        t'<form class="row" @change={SortBy.on("column")} @submit={SortBy.on("column", prevent=True)}>'
        t'<label class="select"><span class="k">Sort by</span><select name="column" .value={sort.column}>{entries}</select>'
        t'{icon("t-down", small=True)}</label><button type="button" class="btn" @click={SortBy(column=sort.column)}>'
        t'{icon(arrow, small=True)}{words}<span class="sr">. Turn it around.</span></button></form>'
    )


def _take(panel: str) -> TemplateResult:
    return html(
        t'<div class="row">{tuple(_file(panel, form) for form in FORMATS)}<span class="grow"></span>'
        t'<button type="button" class="btn" @click={Command(name=LINK)}>{icon("t-copy", small=True)}Copy link</button></div>'
    )


def _file(panel: str, form: Format) -> TemplateResult:
    press = Export(panel=panel, format=form)
    return html(t'<button type="button" class="btn" @click={press}>{icon("t-export", small=True)}{form.upper()}</button>')
