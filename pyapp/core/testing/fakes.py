"""Fakes of the ports that record what was asked of them and say what a test tells them to."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from pyapp.core.ports import FrameKind, HttpAnswer, HttpRequest, RawFrame


class FakeSources:
    """Event sources without a network: `opened` lists what was asked for, `say` and its kin make records."""

    def __init__(self) -> None:
        self.open_urls: dict[int, str] = {}
        self.history: list[str] = []
        self._records: list[RawFrame] = []
        self._wake: Callable[[], None] = lambda: None
        self._armed = True
        self._sequence: dict[str, int] = {}

    def open(self, source: int, url: str) -> None:
        self.open_urls[source] = url
        self.history.append(f"open {url}")

    def close(self, source: int) -> None:
        url = self.open_urls.pop(source, None)
        self._records = [record for record in self._records if record.source != source]
        if url is not None:
            self.history.append(f"close {url}")

    def drain(self) -> Sequence[RawFrame]:
        records, self._records = self._records, []
        self._armed = True
        return records

    def on_wake(self, callback: Callable[[], None]) -> None:
        self._wake = callback

    # What a test does ---------------------------------------------------------------------------------------------------------

    def source(self, path: str) -> int:
        """The number of the open source of a path; an error says what is open instead."""
        for number, url in self.open_urls.items():
            if urlsplit(url).path == path:
                return number
        raise AssertionError(f"{path} is not open; open are {sorted(self.open_urls.values())}")

    def record(self, source: int, kind: FrameKind, data: str = "", frame_id: str = "") -> None:
        """One record, as the browser would queue it."""
        self._records.append(RawFrame(source, kind, frame_id, data))
        if self._armed:
            self._armed = False
            self._wake()

    def accept(self, path: str) -> None:
        """The socket opens."""
        self.record(self.source(path), FrameKind.OPENED)

    def fail(self, path: str, *, final: bool = False) -> None:
        """The socket breaks."""
        self.record(self.source(path), FrameKind.FAILED, "2" if final else "0")

    def hello(
        self,
        path: str,
        *,
        epoch: str = "e1",
        resumed: bool = False,
        heartbeat_ms: int = 5_000,
        sequence: int | None = None,
    ) -> None:
        """A part-B server greets."""
        fields: dict[str, object] = {
            "epoch": epoch,
            "at": "2027-01-15T08:00:00Z",
            "heartbeat_ms": heartbeat_ms,
            "retry_ms": 1_000,
            "resumed": resumed,
            "scopes": [],
        }
        if sequence is not None:
            fields["sequence"] = sequence
            self._sequence.setdefault(path, sequence)
        self.record(self.source(path), FrameKind.HELLO, json.dumps(fields))

    def beat(self, path: str, sequence: int = 0) -> None:
        """A heartbeat."""
        self.record(
            self.source(path),
            FrameKind.HEARTBEAT,
            json.dumps({"at": "2027-01-15T08:00:00Z", "scopes": [], "sequence": sequence}),
        )

    def say(self, path: str, event: Mapping[str, Any] | str, frame_id: str = "") -> None:
        """One data frame; text goes as it is."""
        self.record(self.source(path), FrameKind.MESSAGE, event if isinstance(event, str) else json.dumps(event), frame_id)


@dataclass(slots=True)
class Pending:
    """A request that waits for the test's answer. `seen` is for whoever answers it, for example a `ScriptedServer`."""

    request: HttpRequest
    on_answer: Callable[[HttpAnswer], None]
    cancelled: bool = False
    answered: bool = field(default=False)
    seen: bool = field(default=False)

    def cancel(self) -> None:
        self.cancelled = True

    def reply(self, body: object, *, status: int = 200, position: str = "", headers: Mapping[str, str] | None = None) -> None:
        """Answer it; `body` goes as JSON unless it is text."""
        known = {"content-type": "application/json", **(headers or {})}
        if position:
            known["x-penstock-position"] = position
        self.answered = True
        text = "" if self.request.head_only else body if isinstance(body, str) else json.dumps(body)
        if not self.cancelled:
            self.on_answer(HttpAnswer(status, known, text))

    def lose(self) -> None:
        """Nothing comes back."""
        self.answered = True
        if not self.cancelled:
            self.on_answer(HttpAnswer(0, {}, "The server could not be reached."))


class FakeHttp:
    """Requests wait until the test answers them."""

    def __init__(self) -> None:
        self.sent: list[Pending] = []

    def send(self, request: HttpRequest, on_answer: Callable[[HttpAnswer], None]) -> Pending:
        pending = Pending(request, on_answer)
        self.sent.append(pending)
        return pending

    @property
    def waiting(self) -> list[Pending]:
        """What was neither answered nor cancelled."""
        return [pending for pending in self.sent if not (pending.answered or pending.cancelled)]

    def take(self, path: str) -> Pending:
        """The oldest waiting request of a path; an error says what waits instead."""
        for pending in self.waiting:
            if urlsplit(pending.request.url).path == path:
                return pending
        raise AssertionError(f"no request for {path} waits; waiting are {[p.request.url for p in self.waiting]}")

    def forget(self) -> None:
        """Drop what was answered or cancelled, in tests of hours: `count` knows only what is kept."""
        self.sent = self.waiting

    def count(self, path: str) -> int:
        """How many requests of a path there have been."""
        return sum(1 for pending in self.sent if urlsplit(pending.request.url).path == path)


class FakeVisibility:
    """A page that a test hides and shows."""

    def __init__(self) -> None:
        self._hidden = False
        self._callbacks: list[Callable[[], None]] = []

    def hidden(self) -> bool:
        return self._hidden

    def on_change(self, callback: Callable[[], None]) -> None:
        self._callbacks.append(callback)

    def set(self, *, hidden: bool) -> None:
        self._hidden = hidden
        for callback in list(self._callbacks):
            callback()


class FakeNetwork:
    """A network that a test takes away and brings back."""

    def __init__(self) -> None:
        self._online = True
        self._callbacks: list[Callable[[], None]] = []

    def online(self) -> bool:
        return self._online

    def on_change(self, callback: Callable[[], None]) -> None:
        self._callbacks.append(callback)

    def set(self, *, online: bool) -> None:
        self._online = online
        for callback in list(self._callbacks):
            callback()


class FakeLifecycle:
    """A page that a test puts away and takes out again."""

    def __init__(self) -> None:
        self._suspend: list[Callable[[], None]] = []
        self._resume: list[Callable[[], None]] = []

    def on_suspend(self, callback: Callable[[], None]) -> None:
        self._suspend.append(callback)

    def on_resume(self, callback: Callable[[], None]) -> None:
        self._resume.append(callback)

    def suspend(self) -> None:
        for callback in list(self._suspend):
            callback()

    def resume(self) -> None:
        for callback in list(self._resume):
            callback()
