"""Taking what a list shows out of the console, as CSV or JSON: what the filters show now, raw.

A window is taken whole: where pages are still on their way the file is written when the last one is there. A live list is taken as it
is held, which is what the server was asked for and not everything that it has; the file's name and the message say which.

Values are those of the wire: ISO times in UTC, milliseconds, JSON for what is nested. A text that a spreadsheet would take for a
formula gets an apostrophe in front in CSV (OWASP, "CSV injection"); JSON has every text as it is.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, Literal, Protocol, cast, get_args

from pydantic_core import to_json

from pyapp.pages import formats
from pyapp.pages.protocol import Download, Effect, Env, Listing, Page, Results, Shown, ShowToast, ToastLevel
from pyapp.ui import Action

Format = Literal["csv", "json"]
FORMATS: Final[tuple[Format, ...]] = get_args(Format)
COMMAND: Final = "export "
"""What the names of commands begin with that export; the panel and the format follow."""

_KINDS: Final[dict[Format, str]] = {"csv": "text/csv;charset=utf-8", "json": "application/json"}
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


class Export(Action):
    """Write what a list shows into a file."""

    panel: str
    format: Format


def csv_text(rows: Sequence[dict[str, Any]]) -> str:
    """Rows as CSV by RFC 4180, a line of names first, with the mark by which spreadsheets know UTF-8."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(names)
    writer.writerows([_cell(row.get(name)) for name in names] for row in rows)
    return f"\ufeff{out.getvalue()}"


def _cell(value: Any) -> str | int | float:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return value
        case str():
            return f"'{value}" if value.startswith(_FORMULA) else value
        case _:
            return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def records(rows: Sequence[Any]) -> list[dict[str, Any]]:
    """Models of the contract as the server would write them."""
    return cast("list[dict[str, Any]]", json.loads(to_json(list(rows))))


def json_text(rows: Sequence[Any]) -> str:
    """Rows as a JSON list."""
    return to_json(list(rows), indent=2).decode()


def file_name(word: str, shown: Shown, form: Format, now_ms: float) -> str:
    """`jobs-window-20261120T070000Z-20261120T080000Z.csv`, or `jobs-latest-50-…`, `workers-all-…` with the moment of writing."""
    if shown.span is not None:
        extent = f"window-{_stamp(shown.span[0])}-{_stamp(shown.span[1])}"
    else:
        size = f"latest-{len(shown.rows)}" if shown.extent == "latest" else "all"
        extent = f"{size}-{_stamp(datetime.fromtimestamp(now_ms / 1_000, UTC))}"
    return f"{word.lower().replace(' ', '-')}-{extent}.{form}"


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


_EXTENTS: Final = {"window": "the whole window", "latest": "the latest, as they are loaded here", "all": "all that the filters show"}


def effects(word: str, shown: Shown, form: Format, now_ms: float) -> tuple[Effect, ...]:
    """The file, and the message that says how much is in it."""
    text = csv_text(records(shown.rows)) if form == "csv" else json_text(shown.rows)
    name = file_name(word, shown, form, now_ms)
    count = formats.plural(len(shown.rows), "row")
    return Download(name, _KINDS[form], text), ShowToast(ToastLevel.OK, f"{count} exported", f"{name}: {_EXTENTS[shown.extent]}.")


class Desk(Protocol):
    """What is on screen (`tools.Desk`)."""

    @property
    def env(self) -> Env: ...

    @property
    def page(self) -> Page | None: ...

    @property
    def state(self) -> Any: ...

    def read(self, panel: str) -> Results: ...

    def run(self, effect: Effect) -> None: ...


class Exports:
    """The files that were asked for, at once or when their windows are complete."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._waiting: dict[tuple[str, Format], None] = {}

    def ask(self, panel: str, form: Format) -> None:
        """Write the file of a panel, now or when everything is there."""
        listing = self._listing(panel)
        if listing is None:
            return
        shown = listing.shown(self._desk.state, self._desk.read(panel), self._desk.env)
        if shown is None:
            self._say(ToastLevel.WARNING, "Nothing was exported", f"The {listing.word} are not here yet. Try again when they are.")
        elif not shown.complete:
            self._waiting[panel, form] = None
            self._say(ToastLevel.INFO, "The window is still being read", "The file is written when its last page is here.")
        else:
            self._write(listing, shown, form)

    def came(self) -> None:
        """Something was read: what waited may be complete."""
        for panel, form in tuple(self._waiting):
            listing = self._listing(panel)
            shown = listing.shown(self._desk.state, self._desk.read(panel), self._desk.env) if listing is not None else None
            if listing is not None and shown is not None and shown.complete:
                del self._waiting[panel, form]
                self._write(listing, shown, form)

    def give_up(self) -> None:
        """The page was left, and with it what it showed."""
        if self._waiting:
            self._waiting.clear()
            self._say(ToastLevel.WARNING, "Nothing was exported", "The page was left before its window was read.")

    def _listing(self, panel: str) -> Listing | None:
        page = self._desk.page
        found = page.PANELS.get(panel) if page is not None else None
        return found.listing if found is not None else None

    def _write(self, listing: Listing, shown: Shown, form: Format) -> None:
        if not shown.rows:
            self._say(ToastLevel.INFO, "Nothing was exported", f"No {listing.word} are shown.")
            return
        for effect in effects(listing.word, shown, form, self._desk.env.now_ms):
            self._desk.run(effect)

    def _say(self, level: ToastLevel, title: str, text: str) -> None:
        self._desk.run(ShowToast(level, title, text))
