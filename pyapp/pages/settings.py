"""What this browser runs with and where it came from, and what a person may change of it: theme, density, keys, flags.

    message          state
    Choose…          (the program's: kept and shown at once, in every tab)
    Flip             → SetFlag
    GiveBack         → SetFlag for every flag that the person set
    AskForget        the dialog is open
    KeepAll          it is not
    ForgetAll        → Forget

The page asks the server for nothing and holds no stream: what it shows is in `Env`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Literal, get_args

from pydantic import BaseModel, ConfigDict

from pyapp.flags import FLAGS, FlagSpec, Source
from pyapp.pages.intervals import GROUPS, Interval, in_force, value_of
from pyapp.pages.panel import plain_panel
from pyapp.pages.preferences import ChooseDensity, ChooseShortcuts, ChooseTheme, Density, Theme
from pyapp.pages.protocol import Effect, Env, Forget, Heading, Message, Need, Panel, Results, SetFlag
from pyapp.settings import Settings
from pyapp.ui import Action, TemplateResult, each, html, nothing
from pyapp.ui.components.controls import Choice, segments

Wish = Literal["given", "on", "off"]


class Flip(Action):
    """Set a flag, or leave it as it is given."""

    flag: str
    wish: Wish


class GiveBack(Action):
    """Set no flag any more."""


class AskForget(Action):
    """Forget was pressed: ask whether it is meant."""


class KeepAll(Action):
    """It was not meant."""


class ForgetAll(Action):
    """It was."""


class State(BaseModel):
    """Whether the dialog is open."""

    model_config = ConfigDict(frozen=True)

    confirming: bool = False
    problem: str | None = None


def initial(params: Mapping[str, str]) -> State:
    return State()


def params(state: State) -> dict[str, str]:
    return {}


def needs(state: State) -> dict[str, Need]:
    """Nothing: no request, no stream."""
    return {}


def update(state: State, message: Message) -> State | tuple[State, *tuple[Effect, ...]]:
    """The next state: the table above."""
    match message:
        case Flip(flag=name, wish=wish):
            return state, SetFlag(name, None if wish == "given" else wish == "on")
        case GiveBack():
            return state, *(SetFlag(spec.name, None) for spec in FLAGS)
        case AskForget():
            return state.model_copy(update={"confirming": True})
        case KeepAll():
            return state.model_copy(update={"confirming": False})
        case ForgetAll():
            return state.model_copy(update={"confirming": False}), Forget()
        case _:
            return state


def heading(state: State) -> Heading:
    return Heading("Settings")


def layout(state: State, env: Env) -> TemplateResult:
    """What is chosen beside where one is; flags; times; the way to forget it all."""
    return html(
        t'<div class="grid"><div class="root" data-root="panel appearance"></div><div class="root" data-root="panel environment"></div>'
        t'<div class="root" data-root="panel flags"></div><div class="root" data-root="panel intervals"></div>'
        t'<div class="root" data-root="panel browser"></div></div><div class="root" data-root="panel confirm"></div>'
    )


# -- What a person likes ----------------------------------------------------------------------------------------------

_THEMES: Final[Mapping[Theme, str]] = {"system": "As the system", "light": "Light", "dark": "Dark"}
_DENSITIES: Final[Mapping[Density, str]] = {"comfortable": "Comfortable", "compact": "Compact"}


def _setting(title: object, says: str, control: object, now: object = nothing) -> TemplateResult:
    return html(
        t'<li class="setting"><div class="what">{title}<p class="note">{says}</p></div>'
        t'<div class="now">{now}</div><div class="ctl">{control}</div></li>'
    )


def _appearance(state: State, results: Results, env: Env) -> TemplateResult:
    chosen = env.preferences
    themes = [Choice(_THEMES[one], chosen.theme == one, ChooseTheme(theme=one)) for one in get_args(Theme)]
    densities = [Choice(_DENSITIES[one], chosen.density == one, ChooseDensity(density=one)) for one in get_args(Density)]
    keys = [Choice(word, chosen.shortcuts is on, ChooseShortcuts(shortcuts=on)) for word, on in (("On", True), ("Off", False))]
    rows = (
        _setting(_name("Theme"), "Light, dark, or whatever this machine says.", segments("Theme", themes)),
        _setting(_name("Density"), "How high rows and controls are.", segments("Density", densities)),
        _setting(_name("Keyboard shortcuts"), "Single keys act on the page while no field has the focus.", segments("Shortcuts", keys)),
    )
    return plain_panel("appearance", "Appearance", html(t'<ul class="settings">{rows}</ul>'), classes="c7", count="in this browser")


def _name(word: str) -> TemplateResult:
    return html(t'<span class="strong">{word}</span>')


# -- Where one is -----------------------------------------------------------------------------------------------------

_PROFILE_FROM: Final[Mapping[Source, str]] = {
    "server": "the server says so",
    "page": "penstock.json says so",
    "default": "nobody says another",
    "you": "you said so",
}


def _environment(state: State, results: Results, env: Env) -> TemplateResult:
    settings = env.settings
    rows: list[tuple[str, object]] = [
        ("Profile", html(t'{settings.profile}<span class="dim">, {_PROFILE_FROM[settings.profile_source]}</span>')),
        ("Server", html(t"<bdi>{settings.server or 'does not say'}</bdi>")),
        ("Contract", " and ".join(f"part {part.upper()}" for part in settings.contract) or "unknown"),
        ("You", html(t'<bdi class="mono">{settings.user}</bdi>') if settings.user else "nobody yet"),
        ("Request limits", "on: who asks too often waits" if settings.limits else "off: this profile is for tests"),
        ("Log level", settings.level.name.lower()),
        ("Version", env.strip.version or "unknown"),
    ]
    return plain_panel("environment", "Environment", _facts(rows), classes="c5")


def _facts(rows: Iterable[tuple[str, object]]) -> TemplateResult:
    items = each(rows, key=lambda row: row[0], render=lambda row: html(t"<dt>{row[0]}</dt><dd>{row[1]}</dd>"))
    return html(t'<dl class="kv">{items}</dl>')


# -- Flags ------------------------------------------------------------------------------------------------------------

_FROM: Final[Mapping[Source, str]] = {
    "default": "by default",
    "server": "by the server",
    "page": "by penstock.json",
    "you": "by you",
}
_WISHES: Final[Mapping[Wish, str]] = {"given": "As given", "on": "On", "off": "Off"}


def _flags(state: State, results: Results, env: Env) -> TemplateResult:
    settings = env.settings
    known = [spec for spec in FLAGS if spec.name in settings.flags]
    rows = each(known, key=lambda spec: spec.name, render=lambda spec: _flag(spec, settings), same=(settings,))
    mine = len(settings.chosen)
    count = f"{len(known)}, {mine} set by you" if mine else f"{len(known)}, none set by you"
    back = html(t'<button type="button" class="btn small" @click={GiveBack()}>Give all back</button>') if mine else nothing
    body = html(t'<ul class="settings">{rows}</ul>')
    return plain_panel("flags", "Flags", body, classes="c12", count=count, controls=back)


def _flag(spec: FlagSpec, settings: Settings) -> TemplateResult:
    value, source = settings.flags[spec.name]
    mine = settings.chosen.get(spec.name)
    wish: Wish = "given" if mine is None else "on" if mine else "off"
    if spec.name in settings.locked:
        control = html(t'<span class="note">Switched off for everyone; only the server can switch it on.</span>')
    else:
        control = segments(f"Set {spec.name}", [Choice(_WISHES[one], one == wish, Flip(flag=spec.name, wish=one)) for one in _WISHES])
    now = html(t'<span class="strong">{"On" if value else "Off"}</span> <span class="dim">{_FROM[source]}</span>')
    return _setting(html(t'<span class="mono">{spec.name}</span>'), spec.purpose, control, now)


# -- Times ------------------------------------------------------------------------------------------------------------


def _intervals(state: State, results: Results, env: Env) -> TemplateResult:
    settings = env.settings
    groups = each(GROUPS, key=lambda group: group[0], render=lambda group: _group(*group, settings), same=(settings,))
    whose = "the profile’s; the first is the server’s" if settings.server else "the profile’s"
    return plain_panel("intervals", "Intervals", html(t'<div class="groups">{groups}</div>'), classes="c12", count=whose)


def _group(word: str, intervals: tuple[Interval, ...], settings: Settings) -> TemplateResult:
    shown = [one for one in intervals if in_force(settings, one)]
    items = each(shown, key=lambda one: one.field, render=lambda one: _interval(one, settings))
    return html(t'<section><h3>{word}</h3><dl class="times">{items}</dl></section>')


def _interval(one: Interval, settings: Settings) -> TemplateResult:
    digits, unit = value_of(settings.timings, one)
    return html(t'<dt title={one.field}>{one.words}</dt><dd>{digits}<span class="u">{unit}</span></dd>')


# -- This browser -----------------------------------------------------------------------------------------------------


def _browser(state: State, results: Results, env: Env) -> TemplateResult:
    forget = html(t'<button type="button" class="btn" @click={AskForget()}>Forget…</button>')
    says = "Theme, density and shortcuts, your flags, columns and filters that were kept, and the name by which flags know you."
    rows = _setting(_name("What this browser keeps"), says, forget)
    return plain_panel("browser", "This browser", html(t'<ul class="settings">{rows}</ul>'), classes="c12")


def _confirm(state: State, results: Results, env: Env) -> TemplateResult:
    return html(
        t'<pen-dialog ?open={state.confirming} @dismiss={KeepAll()}><dialog aria-labelledby="confirm-title">'
        t'<h2 id="confirm-title">Forget what this browser keeps?</h2>'
        t"<p>Every choice on this page is as it was at your first visit, in all tabs, and the page loads anew. "
        t"Nothing at the server changes.</p>"
        t'<div class="row"><button type="button" class="btn" autofocus @click={KeepAll()}>Keep it</button>'
        t'<button type="button" class="btn danger" @click={ForgetAll()}>Forget it all</button></div></dialog></pen-dialog>'
    )


PANELS: Mapping[str, Panel] = {
    "appearance": Panel((), _appearance),
    "environment": Panel((), _environment),
    "flags": Panel((), _flags),
    "intervals": Panel((), _intervals),
    "browser": Panel((), _browser),
    "confirm": Panel((), _confirm),
}
