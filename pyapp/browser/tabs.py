"""The ports of many tabs over `web/src/tabs.mjs` (RT-60, RT-63).

As everywhere between Python and JavaScript: one proxy per callback, made once, and numbers for what may be asked many times.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from typing import Any

from pyapp.browser.javascript import create_proxy
from pyapp.browser.ports import RS, US
from pyapp.core.tabs.ports import Passed, TabPorts


class BrowserChannel:
    """`Channel` over BroadcastChannel; `channel` is the `TabChannel` of tabs.mjs."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel
        self._on_message: Callable[[str], None] = lambda text: None
        channel.onMessage(create_proxy(self._heard))

    def _heard(self, text: str) -> None:
        self._on_message(text)

    def open(self, group: str, on_message: Callable[[str], None]) -> None:
        self._on_message = on_message
        self._channel.open(group)

    def close(self) -> None:
        self._channel.close()

    def post(self, text: str, to: Collection[str] = ()) -> None:
        if to:
            self._channel.postTo(json.dumps(sorted(to)), text)
        else:
            self._channel.post(text)

    def pass_on(self, term: str, to: str, record: Passed) -> None:
        self._channel.passOn(term, to, record.label, str(record.kind), record.id, record.data)

    def follow(self, term: str) -> None:
        self._channel.follow(term)

    def keep(self, labels: Collection[str]) -> None:
        self._channel.keep(json.dumps(sorted(labels)))

    def forward(self, term: str) -> None:
        self._channel.forward(term)

    def name_source(self, source: int, label: str) -> None:
        self._channel.nameSource(source, label)

    def drain(self) -> Sequence[Passed]:
        text: str = self._channel.drain()
        if not text:
            return ()
        return [Passed(*record.split(US, 3)) for record in text.split(RS)]

    def on_wake(self, callback: Callable[[], None]) -> None:
        self._channel.onWake(create_proxy(callback))


class _Held:
    """A request for a lock."""

    __slots__ = ("_locks", "_number")

    def __init__(self, locks: BrowserLocks, number: int) -> None:
        self._locks = locks
        self._number = number

    def cancel(self) -> None:
        self._locks.release(self._number)


class BrowserLocks:
    """`Locks` over Web Locks; `locks` is the `TabLocks` of tabs.mjs."""

    def __init__(self, locks: Any) -> None:
        self._locks = locks
        self._number = 0
        self._asked: dict[int, tuple[Callable[[], None], Callable[[], None]]] = {}
        locks.onGranted(create_proxy(self._granted))
        locks.onLost(create_proxy(self._lost))

    def request(self, name: str, *, steal: bool, granted: Callable[[], None], lost: Callable[[], None]) -> _Held:
        self._number += 1
        self._asked[self._number] = (granted, lost)
        self._locks.request(self._number, name, steal)
        return _Held(self, self._number)

    def release(self, number: int) -> None:
        if self._asked.pop(number, None) is not None:
            self._locks.release(number)

    def _granted(self, number: int) -> None:
        asked = self._asked.get(number)
        if asked is not None:
            asked[0]()

    def _lost(self, number: int) -> None:
        asked = self._asked.pop(number, None)
        if asked is not None:
            asked[1]()


class BrowserStorage:
    """`Storage` over localStorage; `storage` is the `TabStorage` of tabs.mjs."""

    def __init__(self, storage: Any) -> None:
        self._storage = storage

    def get(self, name: str) -> str | None:
        return str(self._storage.get(name)) or None

    def set(self, name: str, value: str) -> None:
        self._storage.set(name, value)


def browser_tabs(host: Any, frames: Any, group: str) -> TabPorts:
    """The ports of this tab.

    Args:
        host: `penstockHost`.
        frames: the queue of this tab's own event sources, of which a leader passes everything on.
        group: whose tabs are one, to begin with.
    """
    tab = str(host.tabName())
    return TabPorts(
        tab=tab,
        group=group,
        locks=BrowserLocks(host.TabLocks.new()) if host.canLock() else None,
        channel=BrowserChannel(host.TabChannel.new(tab, frames)) if host.canBroadcast() else None,
        storage=BrowserStorage(host.TabStorage.new()),
    )
