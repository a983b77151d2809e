"""The core's ports over `web/src/ports.mjs`.

Every callback into Python is one proxy that lives as long as the page. Frames, answers and timers carry numbers, so that nothing is
made, and nothing can leak, per frame, request or timer.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from pyapp.browser.javascript import create_proxy, js
from pyapp.core.clock import TimerHeap
from pyapp.core.ports import FrameKind, HttpAnswer, HttpRequest, RawFrame

US = "\x1f"
RS = "\x1e"
_KINDS = {str(kind): kind for kind in FrameKind}


class BrowserTimer:
    """`HostTimer` over one JavaScript timeout."""

    def __init__(self, port: Any) -> None:
        self._port = port
        self._now = js.performance.now
        self._wall = js.Date.now

    def now(self) -> float:
        return self._now()

    def wall(self) -> float:
        return self._wall()

    def arm(self, delay_ms: float) -> None:
        self._port.arm(delay_ms)

    def disarm(self) -> None:
        self._port.disarm()


def browser_clock(port: Any, on_error: Callable[[Exception], None]) -> TimerHeap:
    """The page's clock."""
    heap = TimerHeap(BrowserTimer(port), on_error)
    port.onFire(create_proxy(heap.fire))
    return heap


class BrowserSources:
    """`EventSources`: native ones, whose frames wait in JavaScript.

    Args:
        frames: the `FrameQueue` of ports.mjs.
        base: the API's base, to which stream paths are relative.
    """

    def __init__(self, frames: Any, base: str) -> None:
        self._frames = frames
        self._base = base

    def open(self, source: int, url: str) -> None:
        self._frames.attach(source, js.EventSource.new(self._base + url))

    def close(self, source: int) -> None:
        self._frames.close(source)

    def drain(self) -> Sequence[RawFrame]:
        text: str = self._frames.drain()
        if not text:
            return ()
        frames: list[RawFrame] = []
        for record in text.split(RS):
            source, kind, frame_id, data = record.split(US)
            frames.append(RawFrame(int(source), _KINDS[kind], frame_id, data))
        return frames

    def on_wake(self, callback: Callable[[], None]) -> None:
        self._frames.onWake(create_proxy(callback))


class _Call:
    __slots__ = ("_http", "_number")

    def __init__(self, http: BrowserHttp, number: int) -> None:
        self._http = http
        self._number = number

    def cancel(self) -> None:
        self._http.cancel(self._number)


class BrowserHttp:
    """`Http` over `fetch`."""

    def __init__(self, requests: Any, base: str) -> None:
        self._requests = requests
        self._base = base
        self._number = 0
        self._waiting: dict[int, Callable[[HttpAnswer], None]] = {}
        requests.onAnswer(create_proxy(self._answered))

    def send(self, request: HttpRequest, on_answer: Callable[[HttpAnswer], None]) -> _Call:
        self._number += 1
        self._waiting[self._number] = on_answer
        headers = {"Accept": "application/json" if request.text_at_most is None else "*/*", **request.headers}
        if request.body is not None:
            headers["Content-Type"] = "application/json"
        url = self._base + request.url
        at_most = -1 if request.text_at_most is None else request.text_at_most
        self._requests.send(self._number, request.method, url, json.dumps(headers), request.body, request.head_only, at_most)
        return _Call(self, self._number)

    def cancel(self, number: int) -> None:
        if self._waiting.pop(number, None) is not None:
            self._requests.cancel(number)

    def _answered(self, number: int, status: int, headers: str, text: str) -> None:
        on_answer = self._waiting.pop(number, None)
        if on_answer is not None:
            on_answer(HttpAnswer(status, json.loads(headers), text))


def _without_event(callback: Callable[[], None]) -> Callable[[Any], None]:
    return lambda event: callback()


class BrowserVisibility:
    """`Visibility` over the document's."""

    def hidden(self) -> bool:
        return js.document.visibilityState == "hidden"

    def on_change(self, callback: Callable[[], None]) -> None:
        js.document.addEventListener("visibilitychange", create_proxy(_without_event(callback)))


class BrowserStorage:
    """`Storage` over the browser profile's."""

    def __init__(self, port: Any) -> None:
        self._port = port
        self._written: dict[str, str | None] = {}  # what the browser may have refused to keep

    def read(self, name: str) -> str | None:
        if name in self._written:
            return self._written[name]
        return str(self._port.read(name)) or None

    def write(self, name: str, text: str) -> None:
        self._written[name] = text
        self._port.write(name, text)

    def remove(self, name: str) -> None:
        self._written[name] = None
        self._port.remove(name)

    def clear(self) -> None:
        self._written.clear()
        self._port.clear()

    def on_change(self, callback: Callable[[str], None]) -> None:
        def changed(name: str) -> None:
            self._written.pop(name, None)
            callback(name)

        self._port.onChange(create_proxy(changed))


class BrowserNetwork:
    """`Network` over `navigator.onLine`."""

    def online(self) -> bool:
        return bool(js.navigator.onLine)

    def on_change(self, callback: Callable[[], None]) -> None:
        told = create_proxy(_without_event(callback))
        js.addEventListener("online", told)
        js.addEventListener("offline", told)


class BrowserLifecycle:
    """`Lifecycle` over the page's: `pagehide`, `pageshow`, `freeze` and `resume`.

    Args:
        lifecycle: the `LifecyclePort` of ports.mjs.
    """

    def __init__(self, lifecycle: Any) -> None:
        self._lifecycle = lifecycle

    def on_suspend(self, callback: Callable[[], None]) -> None:
        self._lifecycle.onSuspend(create_proxy(callback))

    def on_resume(self, callback: Callable[[], None]) -> None:
        self._lifecycle.onResume(create_proxy(callback))
