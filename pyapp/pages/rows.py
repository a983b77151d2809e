"""A list of rows in its states: bones, nothing, live and held, or a window of any length (RT-4).

A live list stands in `<pen-hold>`, a window in `<pen-viewport>`; both call back with the actions of `listing`. All lines of a window
are equally high, so what is not rendered is two spacers whose height the style sheet works out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pyapp.pages.listing import Hold, ListState, Release, Scrolled, ShowNew
from pyapp.pages.sorting import Sort, SortBy
from pyapp.ui import On, TemplateResult, each, html, nothing
from pyapp.ui.components.marks import bones, icon

NEW_SHOWN_MAX = 50


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        word: its head.
        classes: of its head cell: width, alignment, when it leaves.
        bone: the width of what stands in for its cells.
        newest_first: the list's own order, which nothing changes.
        hidden_word: the head is for screen readers only.
        sort: the name under which rows can be sorted by it; empty where they cannot.
        id: its name in an address, where that is neither the sort's nor its word.
    """

    word: str
    classes: str = ""
    bone: str = "w3"
    newest_first: bool = False
    hidden_word: bool = False
    sort: str = ""
    id: str = ""

    @property
    def name(self) -> str:
        """What an address calls it."""
        return self.id or self.sort or self.word.casefold().replace(" ", "-")


@dataclass(frozen=True, slots=True)
class Table[Item]:
    """How a list looks.

    Attributes:
        panel: the list's name in its page.
        caption: what the table is, for screen readers.
        columns: from left to right.
        key, render: the name of an item, and its row; `render` gets the item and its number in the list, from 1.
        scrolls: whether the list scrolls by itself instead of with the page.
        bones: how many rows stand in for the first load.
        sort: the order of the rows, where columns can be sorted by.
        picks: the head of the column of boxes, where rows can be selected (`selecting`).
        change: what hears of every box.
        hidden: the places of columns that are not shown, from 1: their cells are drawn, and the style sheet leaves them out.
    """

    panel: str
    caption: str
    columns: Sequence[Column]
    key: Callable[[Item], str]
    render: Callable[[Item], TemplateResult]
    scrolls: bool = False
    bones: int = 8
    sort: Sort | None = None
    hidden: frozenset[int] = frozenset()
    picks: TemplateResult | None = None
    change: On | None = None


def loading[Item](table: Table[Item]) -> TemplateResult:
    """Rows that are not there yet, with the geometry of those that will be."""
    cells = [column.bone for column in table.columns]
    row = tuple(html(t"<td class={column.classes}>{bone}</td>") for column, bone in zip(table.columns, bones(cells), strict=True))
    lines = each(range(table.bones), key=lambda n: n, render=lambda _: html(t"<tr>{row}</tr>"), same=(row,))
    body = html(
        t'<div class="rows" aria-hidden="true"><table class="tight" data-hide={_hidden(table)}><thead><tr>{_heads(table)}</tr></thead>'
        t"<tbody>{lines}</tbody></table></div>"
        t'<p class="sr" role="status">Loading {table.caption}</p>'
    )
    return _scroller(table, body)


def live_rows[Item](table: Table[Item], state: ListState, rows: Sequence[Item], scope: str, same: tuple[object, ...]) -> TemplateResult:
    """A live list.

    Args:
        scope: names the filters; when it changes, the next rows are not marked as new.
        same: what the rows depend on besides their items.
    """
    body = each(rows, key=table.key, render=table.render, same=same, recycle=True)
    return _scroller(
        table,
        html(
            t'<pen-hold class="rows" scope={scope} top={state.top} '
            t"@hold={Hold(panel=table.panel)} @release={Release(panel=table.panel)} @change={table.change}>"
            t'<table class="tight" data-hide={_hidden(table)}><caption class="sr">{table.caption}</caption>'
            t"<thead><tr>{_heads(table)}</tr></thead><tbody>{body}</tbody></table></pen-hold>"
        ),
    )


def plain_rows[Item](table: Table[Item], rows: Sequence[Item], same: tuple[object, ...]) -> TemplateResult:
    """A list that is short and in an order of its own: rows change in place, and nothing has to be held back."""
    body = each(rows, key=table.key, render=table.render, same=same)
    return _scroller(
        table,
        html(
            t'<div class="rows"><table class="tight" data-hide={_hidden(table)}><caption class="sr">{table.caption}</caption>'
            t"<thead><tr>{_heads(table)}</tr></thead><tbody>{body}</tbody></table></div>"
        ),
    )


def window_rows[Item](table: Table[Item], state: ListState, lines: Sequence[Item], same: tuple[object, ...]) -> TemplateResult:
    """The lines of a window that can be seen, between spacers for all the others."""
    total = len(lines)
    start = min(state.start, max(0, total - 1))
    end = min(total, max(state.end, start))
    body = each(lines[start:end], key=table.key, render=table.render, same=same, recycle=True)
    seen = Scrolled.on("start", "end", panel=table.panel)
    return _scroller(
        table,
        html(
            t'<pen-viewport class="rows" count={total} @range={seen} @change={table.change}>'
            t'<table class="tight" data-hide={_hidden(table)} aria-rowcount={total + 1}><caption class="sr">{table.caption}</caption>'
            t"<thead><tr>{_heads(table)}</tr></thead>"
            t"<tbody>{_spacer(start)}{body}{_spacer(total - end)}</tbody></table></pen-viewport>"
        ),
    )


def new_chip(panel: str, waiting: int) -> TemplateResult | None:
    """How many rows are held back, and the way to let them in. Said once to a screen reader, not at every row."""
    if waiting == 0:
        return nothing
    # A live list keeps 50 rows: when all of them are new, there may have been more.
    words = f"{NEW_SHOWN_MAX}+ new" if waiting >= NEW_SHOWN_MAX else f"{waiting} new"
    return html(
        t'<button type="button" class="newchip" @click={ShowNew(panel=panel)}>{icon("t-arrow-up", small=True)}{words}</button>'
        t'<span class="sr" role="status">New rows are waiting.</span>'
    )


def _spacer(lines: int) -> TemplateResult | None:
    if lines <= 0:
        return nothing
    # One cell: a span over columns that a narrow panel hides would make room for them again.
    height = {"--lines": str(lines)}
    return html(t'<tr class="spacer" aria-hidden="true"><td .style={height}></td></tr>')


def spread(columns: Sequence[Column], content: TemplateResult) -> TemplateResult:
    """Content across a whole row, whatever the width hides: one cell as wide as the columns that never leave, and empty ones."""
    leaving = [{"p1", "p2", "p3"}.intersection(column.classes.split()) for column in columns]
    fill = tuple(html(t"<td class={min(names)}></td>") for names in leaving if names)
    return html(t"<td colspan={leaving.count(set())}>{content}</td>{fill}")


def _hidden[Item](table: Table[Item]) -> str | None:
    return " ".join(map(str, sorted(table.hidden))) or nothing


def _heads[Item](table: Table[Item]) -> tuple[TemplateResult, ...]:
    return tuple(_picks(column, table.picks) if column.classes == "w-pick" else _head(column, table.sort) for column in table.columns)


def _picks(column: Column, box: TemplateResult | None) -> TemplateResult:
    return html(t'<th scope="col" class={column.classes}>{box or nothing}</th>')


def _head(column: Column, sort: Sort | None) -> TemplateResult:
    if column.sort and sort is not None:
        chosen = column.sort == sort.column
        order = ("descending" if sort.descending else "ascending") if chosen else nothing
        arrow = icon("t-sort" if sort.descending else "t-sort-up") if chosen else nothing
        return html(
            t'<th scope="col" class={column.classes} aria-sort={order}>'
            t'<button type="button" class="by" @click={SortBy(column=column.sort)}>'
            t'<span class="word">{column.word}</span> {arrow}</button></th>'
        )
    if column.hidden_word:
        return html(t'<th scope="col" class={column.classes}><span class="sr">{column.word}</span></th>')
    if column.newest_first:
        return html(t'<th scope="col" class={column.classes} aria-sort="descending">{column.word} {icon("t-sort")}</th>')
    return html(t'<th scope="col" class={column.classes}><span class="word">{column.word}</span></th>')


def _scroller[Item](table: Table[Item], body: TemplateResult) -> TemplateResult:
    """A region of its own where the list does not scroll with the page: reachable by keyboard, like every scrolling region."""
    if not table.scrolls:
        return body
    return html(t'<div class="scroller" role="region" tabindex="0" aria-label={table.caption}>{body}</div>')
