"""The program that runs the pages: address → page → needs → results → panels, and actions back (one direction).

It holds the only state that moves: which page is shown, its state, its observers and their latest results, and which roots have to be
painted. It paints when the client's beat says so, and at once after an action (RT-43).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from pyapp.core.client import Client, Result
from pyapp.core.clock import Timer
from pyapp.core.storage import Storage
from pyapp.pages import routes, shell
from pyapp.pages.commands import CopyText
from pyapp.pages.connection import connection_view, strip_view
from pyapp.pages.effects import Effects
from pyapp.pages.event_rate import EventRate
from pyapp.pages.list_menu import MENU
from pyapp.pages.observing import Observers
from pyapp.pages.panel import WHY
from pyapp.pages.ports import Choices, Screen
from pyapp.pages.preferences import Choose, ChooseDensity, ChooseShortcuts, ChooseTheme, PreferenceStore
from pyapp.pages.protocol import (
    HEARTBEAT,
    Connection,
    Effect,
    Env,
    Heading,
    Message,
    OfShown,
    Page,
    Panel,
    Results,
    ShowToast,
    Toast,
    ToastLevel,
    Visit,
    WithShown,
)
from pyapp.pages.tab_health import TabHealth
from pyapp.pages.toasts import Toasts
from pyapp.pages.tools import ROOTS, Tools
from pyapp.ui import Action
from pyapp.ui.actions import decode_action
from pyapp.ui.components.controls import Toggled
from pyapp.ui.encode import Encoder, RenderStatistics
from pyapp.ui.errors import UiError

TICK_MS = 1_000
COARSE_MS = 5_000
"""The step of `Env.now_ms`: good for a worker that is stale after 30 s, and no reason to paint every second."""
MEASURE_MS = 250
"""How old the shell's figures may be when something else is painted."""
SHELL_ROOTS = ("pill", "notice", "strip", "toasts", *ROOTS)
_STEADY = (Connection.LIVE, Connection.POLLING, Connection.PAUSED)
"""What the pill says without a count-down."""


@dataclass(frozen=True, slots=True)
class ProgramStatistics:
    """What the dock shows of the page: each need's key, and which of them, kept up to date, each panel reads."""

    route: str
    needs: Mapping[str, str]
    panels: Mapping[str, tuple[str, ...]]
    rendered: RenderStatistics
    errors: tuple[str, ...]


class Program:
    """The console, from the address to the screen."""

    def __init__(
        self,
        *,
        client: Client,
        screen: Screen,
        choices: Choices,
        preferences: PreferenceStore,
        forget: Callable[[], None],
        version: str,
        notice: str | None,
        storage: Storage | None = None,
        api: str = "",
    ) -> None:
        """Build it; nothing is shown before `navigate`.

        Args:
            choices: the settings of now.
            preferences: what the person chose for every visit.
            forget: forgets what this browser keeps, and starts anew.
            notice: one line for the whole page, from the boot.
            storage: what outlives the page of a person's choices.
            api: `Env.api`.
        """
        self._client = client
        self._screen = screen
        self._version = version
        self._notice = notice
        self._encoder = Encoder()
        self._choices = choices
        self._preferences = preferences
        self._tools = Tools(client, self, storage)
        settings = choices.settings
        profile = settings.profile if settings.profile_source == "server" else ""
        self._env = Env(preferences=preferences.now, settings=settings, profile=profile, api=api)
        self._location = routes.Location("")
        self._page: Page | None = None
        self._state: Any = None
        self._observers = Observers(client, self._came)
        self._effects = Effects(client, screen, choices, self._observers, self, forget)
        self._dirty: dict[str, None] = {}
        self._later: dict[str, None] = {}
        self._clocks: dict[str, object] = {}
        self._moments: dict[str, float] = {}
        self._errors: list[str] = []
        self._toasts = Toasts(client.clock, self._toasted)
        self._events = EventRate()
        self._timer: Timer | None = None
        self._timer_ms = 0.0
        self._measured_ms = 0.0
        self._tab = TabHealth(screen.set_title, screen.set_icon)
        self._alarms: tuple[str, ...] = ()
        self._alarmed = False
        self.on_first_paint: Callable[[], None] = lambda: None
        client.on_paint(self.paint)
        client.on_paused(self._paused)
        choices.on_change(self._chosen)
        preferences.on_change(self._chosen)

    # Where one is -------------------------------------------------------------------------------------------------------------

    def navigate(self, address: str) -> None:
        """Show what `location.hash` names."""
        location = routes.parse(address)
        page = routes.page_of(location)
        same = page is not None and page is self._page and location.route == self._location.route
        if same and page is not None and dict(location.params) == page.params(self._state):
            return  # our own word: the address follows the state
        self._leave()
        self._location = location
        self._page = page
        self._env = replace(self._env, route=location.route, opened="")
        if page is not None:
            self._state = page.initial(routes.given(location))
            self._observe()
        self._alarms, self._alarmed = (), True
        self._measure()
        self._show_health()
        self._later = {}
        self._dirty = dict.fromkeys(("shell", *SHELL_ROOTS, "page", *self._panel_roots()))
        self._client.now()
        self._tick()

    def _leave(self) -> None:
        self._tools.left()
        for root in self._panel_roots():
            self._encoder.forget(root)
            self._screen.forget(root)
        self._observers.end()
        self._page = None
        self._state = None

    def _panel_roots(self) -> tuple[str, ...]:
        return tuple(f"panel {name}" for name in self._page.PANELS) if self._page is not None else ()

    def _show_health(self) -> None:
        """Title and icon of the browser's tab: what fails is looked for when a panel that knows it has news."""
        if self._alarmed:
            self._alarmed = False
            panels = self._page.PANELS.values() if self._page is not None else ()
            said = (panel.alarm(self._needed(panel), self._env.now_ms) for panel in panels if panel.alarm is not None)
            self._alarms = tuple(filter(None, said))
        self._tab.show(self._heading(), self._env.connection, self._alarms, paused=self._client.paused)

    def _heading(self) -> Heading:
        return self._page.heading(self._state) if self._page is not None else Heading("Not found")

    def _toasted(self, shown: tuple[Toast, ...]) -> None:
        self._set_env(toasts=shown)
        self._client.wake()

    def _paused(self, paused: bool) -> None:
        self._show_health()

    def _chosen(self) -> None:
        """The settings or the preferences are others: in this tab, in another one, at the server."""
        self._env = replace(self._env, preferences=self._preferences.now, settings=self._choices.settings)
        self._dirty |= dict.fromkeys(("shell", *ROOTS, *self._panel_roots()))
        self._client.wake()

    # What is needed -----------------------------------------------------------------------------------------------------------

    def _observe(self) -> None:
        assert self._page is not None
        self._observers.want(self._page.needs(self._state), self._owner)

    def _owner(self, name: str) -> str:
        """The panel that a need is for."""
        assert self._page is not None
        return next((panel for panel, spec in self._page.PANELS.items() if name in spec.needs), "")

    def _came(self, name: str, news: bool) -> None:
        """A result: the panels that read it are drawn, at the next beat or, where it is no news, with the next second."""
        if self._page is not None:
            for panel, spec in self._page.PANELS.items():
                if name in spec.needs:
                    (self._dirty if news else self._later)[f"panel {panel}"] = None
                    self._alarmed = self._alarmed or (news and spec.alarm is not None)
            self._tools.exports.came()
        if self._later:
            self._tick()

    # What a person does -------------------------------------------------------------------------------------------------------

    def dispatch(self, text: str) -> None:
        """An action of the bridge."""
        try:
            root, action = decode_action(text)
        except UiError as error:
            self._record(error)
            return
        if root.startswith("panel ") and root not in self._panel_roots():
            return  # of a page that was left: what lost the focus with it says so afterwards
        match action:
            case ChooseTheme() | ChooseDensity() | ChooseShortcuts():
                self.choose(action)
            case Toggled(id=name, new_state=state):
                self._open(name if state == "open" else "")
            case shell.DismissToast(id=number):
                self._toasts.dismiss(number)
            case _ if not self._tools.take(action):
                self.send(action)
            case _:
                pass
        self._client.now()

    # What the tools do on the page (`tools.Desk`) -----------------------------------------------------------------------------

    @property
    def env(self) -> Env:
        return self._env

    @property
    def page(self) -> Page | None:
        return self._page

    @property
    def state(self) -> Any:
        return self._state

    def read(self, panel: str) -> Results:
        return self._needed(self._page.PANELS[panel]) if self._page is not None else {}

    def send(self, action: Action) -> None:
        if isinstance(action, OfShown):
            panel = self._page.PANELS.get(action.panel) if self._page is not None else None
            if panel is None or panel.listing is None:
                return
            shown = panel.listing.shown(self._state, self._needed(panel), self._env)
            self.update(WithShown(action, shown.rows if shown is not None else ()))
        else:
            self.update(action)

    def run(self, effect: Effect) -> None:
        self._effects.run(effect)

    def say(self, wish: ShowToast) -> None:
        self._toasts.show(wish)

    def copied(self, text: str) -> None:
        self._tools.take(CopyText(text=text))

    def redraw(self, root: str) -> None:
        self._dirty[root] = None

    def choose(self, choice: Choose) -> None:
        self._preferences.choose(choice)

    def copy(self, text: str, told: Callable[[bool], None]) -> None:
        self._screen.copy(text, told)

    def link(self) -> str:
        return self._screen.link()

    def _open(self, name: str) -> None:
        """Another popover is open, or none: the root that it is in draws its body."""
        for one in (self._env.opened, name):
            if one:
                prefix = next((prefix for prefix in (WHY, MENU) if one.startswith(prefix)), "")
                self._dirty[f"panel {one.removeprefix(prefix)}" if prefix else "pill"] = None
        self._env = replace(self._env, opened=name)
        self._measure()
        self._tick()

    def update(self, message: Message) -> None:
        """One step of the page, and its effects. A page that raises keeps its state."""
        if self._page is None:
            return
        try:
            outcome: Any = self._page.update(self._state, message)
        except Exception as error:
            self._record(error)
            self.say(ShowToast(ToastLevel.ERROR, "That did not work", "The console made a mistake. Reload if it stays."))
            return
        state: Any
        effects: tuple[Effect, ...]
        state, *rest = cast("tuple[Any, ...]", outcome) if isinstance(outcome, tuple) else (outcome,)
        effects = tuple(rest)
        if state is not self._state:
            self._state = state
            self._location = routes.Location(self._location.route, self._page.params(state))
            show = self._screen.go if Visit() in effects else self._screen.replace_hash
            show(routes.build(self._location))
            self._observe()
            self._dirty |= dict.fromkeys(("page", *self._panel_roots()))
            self._measure()
        for effect in effects:
            self._effects.run(effect)

    # What is measured ---------------------------------------------------------------------------------------------------------

    def _tick(self) -> None:
        """Look at what changes by time alone: at the next whole second if there is something to show, else rarely.

        The ages of the page tick at the clock's whole seconds too, so that both are one frame of the browser.
        """
        soon = self._later or self._env.opened or self._env.connection.state not in _STEADY
        step = TICK_MS if soon else COARSE_MS
        when = (self._client.clock.now() // step + 1) * step
        if self._timer is not None:
            if self._timer_ms <= when:
                return
            self._timer.cancel()
        self._timer, self._timer_ms = self._client.clock.call_at(when, self._ticked), when

    def _ticked(self) -> None:
        self._timer = None
        if not self._client.paused:
            self._measure()
            self._dirty |= self._later
            if self._dirty:
                self._client.now()
        self._tick()

    def _measure(self) -> None:
        """The shell's figures, and the panels that compare times with the clock."""
        now = self._measured_ms = self._client.clock.now()
        pulse = self._client.pulse()
        self._events.count(sum(row.received for row in pulse.streams), now)
        self._screen.set_clock_offset(pulse.clock_offset_ms or 0.0)
        self._set_env(
            connection=connection_view(
                self._observers.moving(),
                pulse,
                now,
                opened=self._env.opened == shell.CONNECTION,
                idle=not self._observers.keys(),
            ),
            strip=strip_view(pulse, self._events.per_min, self._version),
            notice=getattr(self._state, "problem", None) or self._notice,
            now_ms=self._client.server_clock.now_ms() // COARSE_MS * COARSE_MS,
        )

    def _tell_moments(self) -> None:
        """What was heard of the streams moves the ages that show it; nothing is drawn for that."""
        heard = self._client.heard()
        if heard != self._moments:
            self._moments = heard
            rounded = {name: round(at) for name, at in heard.items()}
            self._screen.set_moments(json.dumps(rounded | {HEARTBEAT: max(rounded.values())} if rounded else {}))

    def _set_env(self, **changes: Any) -> None:
        before = self._env
        self._env = replace(before, **changes)
        for root, part in (("pill", "connection"), ("strip", "strip"), ("notice", "notice"), ("toasts", "toasts")):
            if part in changes and getattr(before, part) != getattr(self._env, part):
                self._dirty[root] = None
        if before.now_ms != self._env.now_ms and self._page is not None:
            for name, panel in self._page.PANELS.items():
                if panel.clock is not None:
                    made = panel.clock(self._needed(panel), self._env.now_ms)
                    if self._clocks.get(name) != made:
                        self._clocks[name] = made
                        self._dirty[f"panel {name}"] = None
                        self._alarmed = self._alarmed or panel.alarm is not None

    # Painting -----------------------------------------------------------------------------------------------------------------

    def paint(self) -> bool:
        """Draw what changed; whether there was anything."""
        self._tell_moments()
        if not self._dirty:
            return False
        if self._client.clock.now() - self._measured_ms >= MEASURE_MS:
            self._measure()
        dirty, self._dirty = self._dirty | self._later, {}
        self._later = {}
        # A root that holds others comes before them.
        order = sorted(dirty, key=lambda root: {"shell": 0, "page": 2}.get(root, 3 if root.startswith("panel ") else 1))
        self._show_health()
        answer = self._screen.paint(self._encoder.paint({root: self._root(root) for root in order}))
        self._encoder.report(answer)
        first, self.on_first_paint = self.on_first_paint, lambda: None
        first()
        return True

    def _root(self, root: str) -> Any:
        env, page, state = self._env, self._page, self._state
        if root.startswith("panel ") and page is not None:
            panel = page.PANELS[root.removeprefix("panel ")]
            results = self._needed(panel)
            return lambda: panel.view(state, results, env)
        match root:
            case "shell":
                return lambda: shell.shell(self._heading(), env)
            case "pill":
                return lambda: shell.pill(env)
            case "notice":
                return lambda: shell.notice(env)
            case "strip":
                return lambda: shell.strip(env)
            case "toasts":
                return lambda: shell.toasts(env)
            case _ if root in ROOTS:
                return lambda: self._tools.draw(root)
            case _:
                return lambda: page.layout(state, env) if page is not None else shell.not_found(env.route)

    def _needed(self, panel: Panel) -> dict[str, Result[Any]]:
        return {name: self._observers.result(name) for name in panel.needs}

    def _panels(self) -> dict[str, tuple[str, ...]]:
        panels: Mapping[str, Panel] = self._page.PANELS if self._page is not None else {}
        moving = self._observers.keys(live=True)
        return {name: tuple(moving[need] for need in panel.needs if need in moving) for name, panel in panels.items()}

    def _record(self, error: Exception) -> None:
        self._errors.append(f"{type(error).__name__}: {error}")
        del self._errors[:-20]

    def statistics(self) -> ProgramStatistics:
        return ProgramStatistics(
            route=routes.build(self._location) if self._location.route else "",
            needs=self._observers.keys(),
            panels=self._panels(),
            rendered=self._encoder.statistics(),
            errors=(*self._errors, *(f"{error.root}: {error.message}" for error in self._encoder.errors)),
        )
