"""What lies over every page: the palette, the keyboard with its sheet of help, and what both can do.

    action                  what happens
    Command                 by its name: a page, the palette, the sheet, refresh, live or still, copy the link, a theme, an export
    palette.*               the palette's own state; `Choose` runs an entry and closes
    CloseSheet              the sheet closes
    CopyText                to the clipboard, and said

While the palette is open it observes the lists that it names without keeping them alive: that opens no stream (RT-20), and a list
that the cache has is not asked for again. Its roots are painted apart: typing draws `palette` and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final, Protocol, cast

from pyapp.core.client import Client
from pyapp.core.storage import Memory, Storage
from pyapp.pages import commands, exporting, findable, formats, palette, shortcuts
from pyapp.pages.commands import Command, CopyText
from pyapp.pages.findable import Entry
from pyapp.pages.observing import Observers
from pyapp.pages.panel import Reload
from pyapp.pages.preferences import Choose, ChooseTheme, Theme
from pyapp.pages.protocol import Effect, Env, Listing, Navigate, Need, Page, Results, ShowToast, ToastLevel
from pyapp.ui import Action, TemplateResult, html

ROOTS: Final = ("keys", "palette", "sheet")
RECENT: Final = "palette.recent"
"""The name under which the browser keeps what was chosen in the palette."""
RECENT_MAX: Final = 6
BRIEF_MAX: Final = 120
_THEME: Final = "theme "
_THEMES: Final[tuple[tuple[Theme, str, str], ...]] = (
    ("system", "Theme: follow the system", "t-theme"),
    ("light", "Theme: light", "t-light"),
    ("dark", "Theme: dark", "t-dark"),
)


class Desk(Protocol):
    """What is on screen, and what can be done with it: the program."""

    @property
    def env(self) -> Env: ...

    @property
    def page(self) -> Page | None: ...

    @property
    def state(self) -> Any: ...

    def read(self, panel: str) -> Results:
        """What was read for a panel."""
        ...

    def send(self, action: Action) -> None:
        """As if a person had done it on the page."""
        ...

    def run(self, effect: Effect) -> None: ...

    def redraw(self, root: str) -> None: ...

    def choose(self, choice: Choose) -> None:
        """Keep what a person prefers."""
        ...

    def copy(self, text: str, told: Callable[[bool], None]) -> None: ...

    def link(self) -> str:
        """The whole address of what is shown."""
        ...


class Tools:
    """The palette and the keyboard, over whatever page is shown."""

    def __init__(self, client: Client, desk: Desk, storage: Storage | None) -> None:
        """Build it.

        Args:
            storage: what outlives the page: the entries that were chosen last.
        """
        self._client = client
        self._desk = desk
        self._storage = storage or Memory()
        self._lists = Observers(client, lambda name, news: desk.redraw("palette"))
        self._palette = palette.State()
        self._sheet = False
        self._recent = _recent(self._storage.read(RECENT))
        self.exports = exporting.Exports(desk)

    # What a person does -------------------------------------------------------------------------------------------------------

    def take(self, action: Action) -> bool:
        """Do what an action of this kind says; whether it was one."""
        match action:
            case Command(name=name):
                self._command(name)
            case palette.Choose(id=chosen):
                self._choose(chosen)
            case palette.Close():
                self._open(False)
            case palette.Type() | palette.Step():
                self._palette = palette.update(self._palette, action, len(self._found()))
                self._desk.redraw("palette")
            case shortcuts.CloseSheet():
                self._show_sheet(False)
            case CopyText(text=text):
                self._copy(text, _brief(text))
            case exporting.Export(panel=panel, format=form):
                self.exports.ask(panel, form)
            case _:
                return False
        return True

    def left(self) -> None:
        """Another page is shown: what was open over the old one closes, and what it was to write is given up."""
        self._open(False)
        self._show_sheet(False)
        self.exports.give_up()

    def _command(self, name: str) -> None:
        if name.startswith(commands.GO):
            self._desk.run(Navigate(f"#/{name.removeprefix(commands.GO)}"))
        elif name.startswith(_THEME):
            self._desk.choose(ChooseTheme(theme=cast("Theme", name.removeprefix(_THEME))))
        elif name.startswith(exporting.COMMAND):
            panel, _, form = name.removeprefix(exporting.COMMAND).rpartition(" ")
            self.exports.ask(panel, cast("exporting.Format", form))
        else:
            match name:
                case commands.PALETTE:
                    self._open(not self._palette.open)
                case commands.HELP:
                    self._show_sheet(True)
                case commands.REFRESH:
                    self._refresh()
                case commands.LIVE:
                    self._toggle()
                case commands.LINK:
                    self._copy(self._desk.link(), "The link to this view")
                case _:
                    pass

    def _refresh(self) -> None:
        """Every panel's Refresh (RT-37)."""
        page = self._desk.page
        if page is not None:
            names = dict.fromkeys(name for panel in page.PANELS.values() for name in panel.needs)
            self._desk.send(Reload(needs=tuple(name for name in names if name in page.needs(self._desk.state))))

    def _toggle(self) -> None:
        """Every list goes on; where all do, all stop (RT-5)."""
        listings, state = self._listings(), self._desk.state
        if not listings:
            self._desk.run(ShowToast(ToastLevel.INFO, "Nothing on this page can be stopped."))
        going = all(one.live(state) for one in listings.values())
        for one in listings.values():
            state = self._desk.state
            if one.live(state) is going:
                self._desk.send(one.set_live(state, not going, self._desk.env.now_ms))

    def _listings(self) -> dict[str, Listing]:
        page = self._desk.page
        panels = page.PANELS.items() if page is not None else ()
        return {name: panel.listing for name, panel in panels if panel.listing is not None}

    def _copy(self, text: str, what: str) -> None:
        def told(done: bool) -> None:
            if done:
                self._desk.run(ShowToast(ToastLevel.OK, "Copied", what))
            else:
                why = "The browser does not permit it here. Select it and copy it by hand:"
                self._desk.run(ShowToast(ToastLevel.WARNING, "Not copied", f"{why} {_brief(text)}"))
            self._client.wake()

        self._desk.copy(text, told)

    # The palette --------------------------------------------------------------------------------------------------------------

    def _open(self, open_: bool) -> None:
        if open_ == self._palette.open:
            return
        self._palette = palette.State(open=open_)
        if open_:
            self._lists.want({name: Need(key, live=False) for name, key in findable.LISTS.items()}, lambda name: "palette")
        else:
            self._lists.end()
        self._desk.redraw("palette")

    def _choose(self, chosen: str) -> None:
        entries = self._found()
        marked = entries[self._palette.at] if self._palette.at < len(entries) else None
        entry = next((one for one in entries if one.id == chosen), None) if chosen else marked
        if entry is None:
            return
        self._recent = (entry.id, *(one for one in self._recent if one != entry.id))[:RECENT_MAX]
        self._storage.write(RECENT, json.dumps(self._recent))
        self._open(False)
        if entry.address:
            self._desk.run(Navigate(entry.address))
        else:
            self._command(entry.command)

    def _found(self) -> list[Entry]:
        results = {name: self._lists.result(name) for name in findable.LISTS}
        entries = [*findable.pages(), *self._doable(), *findable.things(results)]
        return findable.found(self._palette.query, entries, self._recent)

    def _doable(self) -> list[Entry]:
        """What can be done here and now."""
        out: list[Entry] = []
        listings, state = self._listings(), self._desk.state
        if listings:
            going = all(one.live(state) for one in listings.values())
            words = "Stop the lists of this page" if going else "Let the lists of this page go on"
            out.append(_act(commands.LIVE, words, "t-pause" if going else "t-play", "pause resume live window"))
        if self._desk.page is not None:
            out.append(_act(commands.REFRESH, "Refresh every panel", "t-refresh", "reload"))
        out.append(_act(commands.LINK, "Copy the link to this view", "t-copy", "share address url"))
        for name, one in listings.items():
            for form in exporting.FORMATS:
                words = f"Export {one.word} as {form.upper()}"
                out.append(_act(f"{exporting.COMMAND}{name} {form}", words, "t-export", "download file"))
        for theme, words, symbol in _THEMES:
            if theme != self._desk.env.preferences.theme:
                out.append(_act(f"{_THEME}{theme}", words, symbol, "appearance mode"))
        out.append(_act(commands.HELP, "Keyboard shortcuts", "t-keys", "help keys"))
        return out

    # The sheet and the keys ---------------------------------------------------------------------------------------------------

    def _show_sheet(self, shown: bool) -> None:
        if shown != self._sheet:
            self._sheet = shown
            self._desk.redraw("sheet")

    # Painting -----------------------------------------------------------------------------------------------------------------

    def draw(self, root: str) -> TemplateResult:
        """One of `ROOTS`."""
        match root:
            case "palette":
                results = [self._lists.result(name) for name in findable.LISTS]
                waiting = self._palette.open and any(result.data is None and result.error is None for result in results)
                return palette.view(self._palette, self._found() if self._palette.open else (), waiting=waiting)
            case "sheet":
                return shortcuts.sheet(shown=self._sheet, on=self._desk.env.preferences.shortcuts)
            case _:
                bound = shortcuts.bindings(on=self._desk.env.preferences.shortcuts)
                return html(
                    t"<pen-keys bindings={bound} @command={Command.on('name')}></pen-keys>"
                    t"<pen-copies @copytext={CopyText.on('text')}></pen-copies>"
                )


def _brief(text: str) -> str:
    """A text for a message: itself while it is short."""
    if len(text) <= BRIEF_MAX and "\n" not in text:
        return text
    return f"{text[:BRIEF_MAX].partition('\n')[0]}… ({formats.plural(len(text), 'character')})"


def _act(command: str, words: str, symbol: str, also: str) -> Entry:
    return Entry(f"do {command}", "Action", words, symbol, command=command, also=(also,))


def _recent(text: str | None) -> tuple[str, ...]:
    """What an earlier visit chose; what cannot be read is forgotten."""
    try:
        found: Any = json.loads(text or "[]")
    except ValueError:
        return ()
    if not isinstance(found, list):
        return ()
    return tuple(one for one in cast("list[Any]", found) if isinstance(one, str))[:RECENT_MAX]
