"""Flags while the page is open: a person's, the server's new word, another identity; each flip at once (RT-71, RT-72).

    Rollout   holds what each source says, works the settings out anew, and applies what is different
    ConfigWatch   asks `/config` again every so often while somebody sees the page

Times and limits of a profile are those the page was opened with; flags are always those of now.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol, cast

from pydantic import ValidationError

from pyapp.contract.config import ServerConfig
from pyapp.core.clock import Clock, Timer
from pyapp.core.errors import RequestError
from pyapp.core.identity import Identity
from pyapp.core.storage import Storage
from pyapp.flags import BYPASS, COORDINATION, FETCHING, FLAGS, SHARING, STREAM, STREAMING, VERIFYING, Source
from pyapp.settings import PageFile, Settings, settings_of

OVERRIDES = "flags"
"""Where a person's flags are kept."""
FLIPS_KEPT = 20


class Switches(Protocol):
    """What flags act on: the client."""

    def set_streaming(self, on: bool) -> None: ...

    def set_sharing(self, on: bool) -> None: ...

    def set_verifying(self, on: bool) -> None: ...

    def set_fetching(self, on: bool) -> None: ...

    def configure_requests(self, *, coordinate: bool) -> None: ...

    def deny_streams(self, names: frozenset[str]) -> None: ...


def apply(settings: Settings, switches: Switches) -> None:
    """Bring everything that reads a flag to its value; twice is once."""
    plain = settings.flag(BYPASS)
    switches.set_streaming(settings.flag(STREAMING) and not plain)
    switches.set_sharing(settings.flag(SHARING) and not plain)
    switches.set_verifying(settings.flag(VERIFYING))
    switches.set_fetching(settings.flag(FETCHING))
    switches.configure_requests(coordinate=settings.flag(COORDINATION) and not plain)
    streams = (spec.name for spec in FLAGS if spec.name.startswith(STREAM))
    switches.deny_streams(frozenset(name.removeprefix(STREAM) for name in streams if not settings.flag(name)))


@dataclass(frozen=True, slots=True)
class Counts:
    """Requests and how many of them failed, streams lost: since the page was opened."""

    requests: int
    failed: int
    drops: int


@dataclass(frozen=True, slots=True)
class Rates:
    """What happened in a stretch of time between two flips. `failed_share` is `None` where nothing was asked."""

    seconds: float
    requests: int
    failed: int
    drops: int
    failed_share: float | None


@dataclass(frozen=True, slots=True)
class Flip:
    """A flag that changed its value while the page was open, with the rates before it and since, up to the flip after it (RT-72)."""

    flag: str
    value: bool
    source: Source
    at_ms: float
    before: Rates
    after: Rates


@dataclass(frozen=True, slots=True)
class _Mark:
    """A moment at which flags changed."""

    flags: tuple[str, ...]
    at_ms: float
    counts: Counts
    settings: Settings


class Rollout:
    """The settings of now.

    Args:
        config: the server's, `None` at a part-A server.
        page: what `penstock.json` says.
        storage: keeps what a person set.
        identity: for flags that only some people have.
    """

    def __init__(
        self,
        *,
        config: ServerConfig | None,
        page: PageFile,
        storage: Storage,
        identity: Identity,
    ) -> None:
        self._config = config
        self._page = page
        self._storage = storage
        self._identity = identity
        self._overrides = _overrides_of(storage.read(OVERRIDES))
        self._switches: Switches | None = None
        self._count: Callable[[], Counts] = lambda: Counts(0, 0, 0)
        self._clock: Clock | None = None
        self._marks: list[_Mark] = []
        self._callbacks: list[Callable[[], None]] = []
        self.settings = self._work_out()
        storage.on_change(self._kept_elsewhere)

    def run(self, clock: Clock, switches: Switches, count: Callable[[], Counts]) -> None:
        """Apply the flags, and from now on every change of them; `count` gives the counters for the rates."""
        self._clock, self._switches, self._count = clock, switches, count
        self._mark(())
        apply(self.settings, switches)
        self._identity.on_change(self._again)

    def on_change(self, callback: Callable[[], None]) -> None:
        """Call back when a setting has another value, or its value comes from elsewhere."""
        self._callbacks.append(callback)

    def heard(self, config: ServerConfig | None) -> None:
        """The server's configuration as it is now."""
        self._config = config
        self._again()

    def set(self, name: str, value: bool) -> None:
        """A person sets a flag: kept for the next visit; the server's `off` wins (RT-71).

        Raises:
            ValueError: no such flag.
        """
        self._require(name)
        self._overrides = {**self._overrides, name: bool(value)}
        self._keep()

    def unset(self, name: str) -> None:
        """A person gives a flag back to the page and the server.

        Raises:
            ValueError: no such flag.
        """
        self._require(name)
        self._overrides = {flag: value for flag, value in self._overrides.items() if flag != name}
        self._keep()

    def flips(self) -> tuple[Flip, ...]:
        """Each change of a flag since the page was opened, the latest last."""
        if self._clock is None:
            return ()
        now = _Mark((), self._clock.wall(), self._count(), self.settings)
        marks = [*self._marks, now]
        found: list[Flip] = []
        for before, mark, after in zip(marks, marks[1:], marks[2:], strict=False):
            earlier, later = _rates(before, mark), _rates(mark, after)
            for name in mark.flags:
                value, source = mark.settings.flags[name]
                found.append(Flip(name, value, source, mark.at_ms, earlier, later))
        return tuple(found[-FLIPS_KEPT:])

    def _kept_elsewhere(self, name: str) -> None:
        """Another tab of this profile set a flag, or gave one back: it holds here too."""
        if name == OVERRIDES:
            self._overrides = _overrides_of(self._storage.read(OVERRIDES))
            self._again()

    def _require(self, name: str) -> None:
        if name not in self.settings.flags:
            raise ValueError(f"There is no flag {name!r}: there are {', '.join(sorted(self.settings.flags))}.")

    def _keep(self) -> None:
        if self._overrides:
            self._storage.write(OVERRIDES, json.dumps(self._overrides))
        else:
            self._storage.remove(OVERRIDES)
        self._again()

    def _work_out(self) -> Settings:
        return settings_of(self._config, self._page, self._overrides, self._identity.user())

    def _again(self) -> None:
        before, self.settings = self.settings, self._work_out()
        flipped = tuple(name for name, (value, _) in self.settings.flags.items() if before.flags[name][0] is not value)
        if self._switches is not None and flipped:
            self._mark(flipped)
            apply(self.settings, self._switches)
        if self.settings != before:
            for callback in tuple(self._callbacks):
                callback()

    def _mark(self, flags: tuple[str, ...]) -> None:
        assert self._clock is not None
        self._marks.append(_Mark(flags, self._clock.wall(), self._count(), self.settings))
        del self._marks[: -FLIPS_KEPT - 1]


def _overrides_of(text: str | None) -> Mapping[str, bool]:
    """What a person set at an earlier visit; names that are no flags any more are dropped."""
    try:
        found: object = json.loads(text or "{}")
    except ValueError:
        return {}
    if not isinstance(found, dict):
        return {}
    known = {spec.name for spec in FLAGS}
    kept = cast("dict[str, object]", found).items()
    return {name: value for name, value in kept if name in known and isinstance(value, bool)}


def _rates(begin: _Mark, end: _Mark) -> Rates:
    requests, failed = end.counts.requests - begin.counts.requests, end.counts.failed - begin.counts.failed
    return Rates(
        (end.at_ms - begin.at_ms) / 1000,
        requests,
        failed,
        end.counts.drops - begin.counts.drops,
        failed / requests if requests else None,
    )


class ConfigWatch:
    """Asks for `/config` again, so that a flip at the server reaches open pages (RT-72).

    Args:
        ask: sends the request; its callback gets the answer's text or the error.
        paused: whether nobody sees the page: then nothing is asked.
        on_config: told of each answer that can be read.
    """

    def __init__(
        self,
        clock: Clock,
        interval_ms: float,
        ask: Callable[[Callable[[str | RequestError], None]], None],
        paused: Callable[[], bool],
        on_config: Callable[[ServerConfig], None],
    ) -> None:
        self._clock = clock
        self._interval_ms = interval_ms
        self._ask = ask
        self._paused = paused
        self._on_config = on_config
        self._timer: Timer | None = None
        self._ended = False

    def start(self) -> None:
        """The first is asked for after one interval: the page was opened with an answer."""
        self._timer = self._clock.call_at(self._clock.now() + self._interval_ms, self._due)

    def end(self) -> None:
        """Ask no more."""
        self._ended = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _due(self) -> None:
        self._timer = None
        if self._paused():
            self.start()
        else:
            self._ask(self._answered)

    def _answered(self, outcome: str | RequestError) -> None:
        if self._ended:
            return
        if isinstance(outcome, RequestError):
            if outcome.kind in ("missing", "content"):
                return  # another server answers now, one that has no configuration: what it said before stays
        else:
            with suppress(ValidationError):  # not readable: what it said before stays
                self._on_config(ServerConfig.model_validate_json(outcome))
        self.start()
