"""The page as the composition root sees it: the boot's findings, the renderer's browser half, and what scripts may call (RT-83)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pyapp.browser.javascript import create_proxy, js, to_js
from pyapp.browser.ports import (
    BrowserHttp,
    BrowserLifecycle,
    BrowserNetwork,
    BrowserSources,
    BrowserStorage,
    BrowserVisibility,
    browser_clock,
)
from pyapp.browser.tabs import browser_tabs
from pyapp.core.clock import TimerHeap
from pyapp.core.network import network_for
from pyapp.core.ports import HttpAnswer, Network
from pyapp.core.tabs.ports import TabPorts

API_PREFIX = "api/v1/"


@dataclass(frozen=True, slots=True)
class Prefetched:
    """An answer that the page asked for while Python started. Times are of the page's clock.

    Attributes:
        shared: another tab gave it (RT-62), which knew at `updated_ms` that it was true, and waited for more if `partial`.
    """

    answer: HttpAnswer
    began_ms: float
    shared: bool = False
    updated_ms: float = 0.0
    partial: bool = False


class Host:
    """Everything of JavaScript that `main` needs."""

    def __init__(self, on_error: Callable[[Exception], None]) -> None:
        self._host = js.penstockHost
        config = self._host.config
        self.base = str(config.api) + API_PREFIX
        self.version = str(config.version)
        self.same_origin = str(js.URL.new(config.api).origin) == str(js.location.origin)
        self._ports = self._host.createPorts(self.base)
        self.clock: TimerHeap = browser_clock(self._ports.timer, on_error)
        self.sources = BrowserSources(self._ports.frames, self.base)
        self.http = BrowserHttp(self._ports.requests, self.base)
        self.visibility = BrowserVisibility()
        self.storage = BrowserStorage(self._ports.storage)
        self.network: Network = network_for(self.base, BrowserNetwork())
        self.lifecycle = BrowserLifecycle(self._ports.lifecycle)
        self._copies: dict[int, Callable[[bool], None]] = {}
        self._copy_number = 0
        self._ports.page.onCopied(create_proxy(self._copied))
        self._bridge: Any = None

    def tabs(self, identity: str) -> TabPorts:
        """What this tab needs to be one of many, of the same person and version, at the same API (RT-60)."""
        return browser_tabs(self._host, self._ports.frames, self.group(identity))

    def group(self, identity: str) -> str:
        """The name of the tabs of a person, at this version and API: versions and identities stay apart."""
        return f"penstock:{identity}:{self.version}:{self.base}"

    def protocol(self) -> str:
        """The browser's word for the protocol of the API's connections."""
        return self._ports.protocol()

    def page_file(self) -> str:
        """The text of `penstock.json`."""
        return str(self._host.config.text)

    def notice(self) -> str | None:
        """What the boot found worth saying, for example that penstock.json is missing."""
        return " ".join(str(text) for text in self._host.notices) or None

    def prefetched(self, path: str) -> Prefetched | None:
        """The boot's answer for a path below the API's prefix, if it is there."""
        answer = self._host.prefetched.get(str(js.URL.new(path, self.base).href))
        if not answer:
            return None
        headers = {"content-type": str(answer.headers.type or "")}
        for name, header in (("position", "x-penstock-position"), ("etag", "etag"), ("date", "date")):
            value = getattr(answer.headers, name)
            if value:
                headers[header] = str(value)
        given = HttpAnswer(int(answer.status), headers, str(answer.text))
        if getattr(answer, "shared", False):
            return Prefetched(given, float(answer.began), True, float(answer.updated), bool(answer.partial))
        return Prefetched(given, float(answer.began))

    def connect(self, dispatch: Callable[[str], None]) -> None:
        """Build the renderer's browser half; actions go to `dispatch` as text."""
        options = js.Object.new()
        options.root = js.document
        options.dispatch = create_proxy(dispatch)
        self._bridge = self._host.createBridge(options)

    def on_route(self, callback: Callable[[str], None]) -> None:
        self._ports.page.onRoute(create_proxy(callback))

    def hash(self) -> str:
        return str(self._ports.page.hash())

    def marks(self) -> Mapping[str, Any]:
        """How the viewer's locale writes numbers and names days: what `Marks` takes."""
        said: dict[str, Any] = json.loads(str(self._host.marks()))
        return {**said, "weekdays": tuple(said["weekdays"])}

    def booted(self) -> None:
        """The console is painted: the boot screen goes."""
        self._host.booted()

    def log(self, text: str) -> None:
        js.console.warn(text)

    def line(self, level: int, text: str) -> None:
        """One line on the console, as loud as its level (`pyapp.core.feeds.changes.Level`)."""
        print_ = js.console.warn if level >= 30 else js.console.info if level >= 20 else js.console.debug
        print_(text)

    def expose(
        self,
        *,
        version: str,
        diagnostics: Callable[[], str],
        query: Callable[[str], str | None],
        set_flag: Callable[[str, bool], None],
        unset_flag: Callable[[str], None],
    ) -> None:
        """Put `globalThis.penstock` in place of the boot's (RT-83)."""
        flags = to_js({"set": create_proxy(set_flag), "unset": create_proxy(unset_flag)}, dict_converter=js.Object.fromEntries)
        js.globalThis.penstock = to_js(
            {"version": version, "diagnostics": create_proxy(diagnostics), "query": create_proxy(query), "flags": flags},
            dict_converter=js.Object.fromEntries,
        )

    def boot_report(self) -> Mapping[str, Any]:
        """What the boot says of itself, kept for the diagnostics."""
        return json.loads(str(js.globalThis.penstock.diagnostics()))

    # The program's screen -----------------------------------------------------------------------------------------------------

    def paint(self, text: str) -> str:
        return str(self._bridge.paint(text))

    def forget(self, root: str) -> None:
        self._bridge.forget(root)

    def set_title(self, title: str) -> None:
        self._ports.page.setTitle(title)

    def replace_hash(self, address: str) -> None:
        self._ports.page.replaceHash(address)

    def go(self, address: str) -> None:
        self._ports.page.go(address)

    def set_icon(self, kind: str) -> None:
        self._ports.page.setIcon(kind)

    def set_choice(self, name: str, value: str) -> None:
        self._ports.page.setChoice(name, value)

    def reload(self) -> None:
        self._ports.page.reload()

    def set_clock_offset(self, ms: float) -> None:
        self._host.clockOffsetMs = ms

    def set_moments(self, moments: str) -> None:
        self._host.setMoments(moments)

    def copy(self, text: str, told: Callable[[bool], None]) -> None:
        number = self._copy_number = self._copy_number + 1
        self._copies[number] = told
        self._ports.page.copy(number, text)

    def _copied(self, number: int, done: bool) -> None:
        told = self._copies.pop(int(number), None)
        if told is not None:
            told(bool(done))

    def download(self, name: str, kind: str, text: str) -> None:
        self._ports.page.download(name, kind, text)

    def link(self) -> str:
        return str(js.location.href)
