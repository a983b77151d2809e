"""The frame around every page: where one can go, how the connection is, what was said.

Only what exists is shown. The shell's roots are painted apart: `shell` once per route and theme, `pill`, `toasts`, `notice` and
`strip` as their part of `Env` changes, `page` with the layout of the page.
"""

from __future__ import annotations

from dataclasses import dataclass
from string.templatelib import Template

from pyapp import numbers
from pyapp.pages import formats
from pyapp.pages.commands import PALETTE, Command
from pyapp.pages.copying import copy_button
from pyapp.pages.preferences import ChooseTheme, Theme
from pyapp.pages.protocol import HEARTBEAT, Connection, ConnectionView, Env, Heading, Toast, ToastLevel
from pyapp.ui import Action, TemplateResult, each, html, nothing
from pyapp.ui.components.controls import details_popover, facts, icon_button
from pyapp.ui.components.marks import heard, icon

CONNECTION = "connection"
"""The name of the pill's popover."""


class DismissToast(Action):
    """A message was read."""

    id: int


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of the rail."""

    route: str
    word: str
    icon: str


RAIL = (
    Place("dashboard", "Overview", "n-dash"),
    Place("jobs", "Jobs", "n-jobs"),
    Place("functions", "Functions", "n-fn"),
    Place("apis", "APIs", "n-api"),
    Place("workers", "Workers", "n-work"),
    Place("settings", "Settings", "n-set"),
)

_THEMES: dict[Theme, tuple[Theme, str, str]] = {
    "system": ("light", "Theme: as the system. Switch to light.", "t-theme"),
    "light": ("dark", "Theme: light. Switch to dark.", "t-light"),
    "dark": ("system", "Theme: dark. Follow the system.", "t-dark"),
}

_GLYPHS = {
    Connection.LIVE: "g-live",
    Connection.CONNECTING: "g-loading",
    Connection.DEGRADED: "g-catching-up",
    Connection.RECONNECTING: "s-retrying",
    Connection.POLLING: "g-polling",
    Connection.PAUSED: "g-paused",
    Connection.OFFLINE: "g-error",
    Connection.ERROR: "g-error",
    Connection.FORBIDDEN: "g-forbidden",
}

_TOAST_ICONS = {
    ToastLevel.INFO: "t-info",
    ToastLevel.OK: "s-complete",
    ToastLevel.WARNING: "s-warn",
    ToastLevel.ERROR: "s-failed",
}


def shell(heading: Heading, env: Env) -> TemplateResult:
    """The frame with its roots, and what the page is about."""
    places = each(RAIL, key=lambda place: place.route, render=lambda place: _place(place, env.route), same=(env.route,))
    profile = html(t'<span class="env">{env.profile}</span>') if env.profile else nothing
    following, words, symbol = _THEMES[env.preferences.theme]
    return html(
        t'<pen-skip to="main"><a class="skip" href="#main">Skip to content</a></pen-skip><div class="app">'
        t'<nav class="rail" aria-label="Pages"><a class="mark" href="#/dashboard" aria-label="Penstock, overview">{icon("logo")}</a>'
        t"<ul>{places}</ul></nav>"
        t'<header class="bar">{_crumbs(heading)}{profile}<span class="grow"></span><div class="root" data-root="pill"></div>{_find()}'
        t"{icon_button(symbol, words, ChooseTheme(theme=following))}</header>"
        t'<main id="main" tabindex="-1"><div class="root" data-root="notice"></div><div class="root" data-root="page"></div></main>'
        t'<footer class="strip"><div class="root" data-root="strip"></div></footer></div>'
        t'<div class="toasts" role="log" aria-label="Messages"><div class="root" data-root="toasts"></div></div>'
        t'<div class="root" data-root="keys"></div>'
        t'<div class="root" data-root="palette"></div><div class="root" data-root="sheet"></div>'
    )


def _find() -> TemplateResult:
    """Where the palette is for who does not know its keys, which it names."""
    return html(
        t'<button type="button" class="btn finder" aria-haspopup="dialog" aria-keyshortcuts="Control+K Meta+K" '
        t'@click={Command(name=PALETTE)}>{icon("t-find", small=True)}<span class="word">Find</span><kbd>Ctrl K</kbd></button>'
    )


def _crumbs(heading: Heading) -> TemplateResult:
    """A list's word, or the way back to it and the name of the one thing that is shown."""
    if not heading.name:
        return html(t"<h1>{heading.word}</h1>")
    return html(
        t'<div class="crumbs"><a class="parent" href={heading.back}>{heading.word}</a>'
        t'<span class="sep parent" aria-hidden="true">/</span>'
        t"<h1 title={heading.name}><bdi>{heading.name}</bdi></h1>{copy_button(heading.name, heading.name)}</div>"
    )


def _place(place: Place, route: str) -> TemplateResult:
    current = "page" if place.route == route else "true" if route.startswith(f"{place.route}/") else nothing
    return html(t'<li><a href="#/{place.route}" aria-current={current}>{icon(place.icon)}{place.word}</a></li>')


def pill(env: Env) -> TemplateResult:
    """The worst state among what is on screen, and what it means."""
    connection = env.connection
    extra = html(t'<span class="x">{connection.extra}</span>') if connection.extra else nothing
    details = details_popover(CONNECTION, "Connection", lambda: _says(connection), env.opened)
    return html(
        t'<button type="button" class="pill" data-c={connection.state.value} popovertarget={CONNECTION} aria-haspopup="dialog">'
        t"{icon(_GLYPHS[connection.state])}{connection.words}{extra}</button>{details}"
    )


def _says(connection: ConnectionView) -> TemplateResult:
    return html(t'<h3>{connection.words}</h3><p class="note">{connection.says}</p>{facts(connection.rows)}')


def toasts(env: Env) -> TemplateResult:
    """What was said, newest last. Trouble interrupts a screen reader, the rest waits."""
    return html(t"{each(env.toasts, key=lambda toast: toast.id, render=_toast)}")


def _toast(toast: Toast) -> TemplateResult:
    role = "alert" if toast.level is ToastLevel.ERROR else "status"
    text = html(t"<p>{toast.text}</p>") if toast.text else nothing
    return html(
        t'<div class="toast" data-l={toast.level.value} role={role}>{icon(_TOAST_ICONS[toast.level])}'
        t'<span class="strong">{toast.title}</span>{icon_button("t-x", "Dismiss", DismissToast(id=toast.id))}{text}</div>'
    )


def notice(env: Env) -> TemplateResult:
    """One line under the bar, where something concerns the whole page."""
    if not env.notice:
        return html(t"")
    return html(t'<div class="say notice" role="status">{icon("s-warn", small=True)}<span>{env.notice}</span></div>')


def strip(env: Env) -> TemplateResult:
    """What is measured about the connection; what is not measured is not there.

    What comes and goes stands at an end of its side, so that it moves nothing.
    """
    of = env.strip
    offset = of.clock_offset_ms
    about = " ± 1 s" if of.clock_coarse else ""
    return html(
        t"<span><b>{of.connections}</b> {'connection' if of.connections == 1 else 'connections'}, "
        t"<b>{of.streams}</b> {'stream' if of.streams == 1 else 'streams'}</span>"
        t"{_item(t'server clock <b class="slot">{_signed(offset, of.clock_coarse)}</b> s{about}') if offset is not None else nothing}"
        t"{_item(t'heartbeat <b>{heard(None, HEARTBEAT)}</b> ago') if of.beats else nothing}"
        t'<span class="grow"></span>'
        t"{_item(t'<b class="slot">{formats.figures(of.events_per_min)}</b> events/min') if of.events_per_min is not None else nothing}"
        t"{_item(t'penstock {of.version}') if of.version else nothing}"
    )


def _signed(ms: float, coarse: bool) -> str:
    """Seconds with their sign; what rounds to nothing has none. No tenths where they are not known."""
    decimals = 0 if coarse else 1
    seconds = round(ms / 1_000, decimals)
    return ("+" if seconds > 0 else "") + numbers.decimal(seconds or 0.0, decimals)


def _item(words: Template) -> TemplateResult:
    return html(t"<span>{html(words)}</span>")


def not_found(route: str) -> TemplateResult:
    """The page of a route that there is not."""
    return html(
        t'<div class="blank"><span class="strong">There is no page here.</span>'
        t'<span class="mono">#/{route}</span> names none of this console’s pages.<br>'
        t'<a class="btn" href="#/dashboard">Go to the overview</a></div>'
    )
