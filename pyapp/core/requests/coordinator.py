"""Every request goes through here (RT-65, first part): shared while in flight, bounded in number and time, counted.

A request is plain: what is worth asking, and when, the cache and the feeds decide. The coordinator answers with text that a 2xx JSON
answer held, or with one `RequestError` that says in a sentence what happened.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from pydantic_core import from_json

from pyapp.core.clock import Clock, Timer
from pyapp.core.errors import Disposed, HttpError, NetworkError, RequestError, TimedOut, WrongContent
from pyapp.core.ports import Cancel, Http, HttpAnswer, HttpRequest
from pyapp.core.timings import Timings


@dataclass(frozen=True, slots=True)
class Answer:
    """A good answer. `began_ms` is the clock time at which the request that brought it was sent (RT-31)."""

    text: str
    headers: dict[str, str]
    began_ms: float


RETRY_AFTER_AT_MOST_S = 3_600.0
"""A longer `Retry-After` is not believed."""
WORDS_LENGTH = 300
"""So much of what a server says about an error is shown."""

Done = Callable[[Answer | RequestError], None]


@dataclass(frozen=True, slots=True)
class EndpointStatistics:
    endpoint: str
    sent: int
    joined: int
    failed: int
    cancelled: int
    last_ms: float | None
    last_error: str


@dataclass(frozen=True, slots=True)
class RequestStatistics:
    """`in_flight` and `queued` now, `limit` of the first, and each endpoint since the start."""

    in_flight: int
    queued: int
    limit: int
    endpoints: tuple[EndpointStatistics, ...]


@dataclass(slots=True)
class _Flight:
    endpoint: str
    request: HttpRequest
    waiters: dict[int, Done]
    began_ms: float = 0.0
    cancel: Cancel | None = None
    timer: Timer | None = None
    sent: bool = False
    over: bool = False


@dataclass(slots=True)
class _Count:
    sent: int = 0
    joined: int = 0
    failed: int = 0
    cancelled: int = 0
    last_ms: float | None = None
    last_error: str = ""


@dataclass(slots=True)
class _Ticket:
    """A waiter's hold on its flight; giving it up ends the flight when nobody else waits."""

    owner: Requests
    flight: _Flight
    number: int
    given_up: bool = field(default=False)

    def cancel(self) -> None:
        if not self.given_up:
            self.given_up = True
            self.owner.give_up(self.flight, self.number)


class Requests:
    """The one door to the server for everything but streams."""

    def __init__(
        self,
        clock: Clock,
        http: Http,
        timings: Timings,
        limit: Callable[[], int],
        headers: dict[str, str] | None = None,
    ) -> None:
        self._clock = clock
        self._http = http
        self._timings = timings
        self._limit = limit
        self._headers = headers or {}
        self._flying: list[_Flight] = []
        self._queue: deque[_Flight] = deque()
        self._tickets = 0
        self._closed = False
        self._counts: dict[str, _Count] = {}

    def send(self, endpoint: str, request: HttpRequest, done: Done, *, not_before_ms: float | None = None) -> Cancel:
        """Send a request, or join one for the same in flight.

        Args:
            endpoint: its name in the inventory.
            done: called once with the answer or the error, never before this returns, not at all once cancelled.
            not_before_ms: an answer whose request began earlier will not do (RT-31); `None` takes any in flight.

        Raises:
            Disposed: the coordinator is closed.
        """
        if self._closed:
            raise Disposed("The client is closed: make a new one.")
        self._tickets += 1
        number = self._tickets
        count = self._counts.setdefault(endpoint, _Count())
        if request.method == "GET":
            for flight in (*self._flying, *self._queue):
                fresh_enough = not flight.sent or not_before_ms is None or flight.began_ms >= not_before_ms
                if flight.request.url == request.url and flight.request.method == "GET" and fresh_enough:
                    flight.waiters[number] = done
                    count.joined += 1
                    return _Ticket(self, flight, number)
        flight = _Flight(endpoint, request, {number: done})
        self._queue.append(flight)
        self.pump()
        return _Ticket(self, flight, number)

    def pump(self) -> None:
        """Send what waits, as far as the budget lets (RT-64); call it when the budget grew."""
        while self._queue and len(self._flying) < self._limit():
            self._take_off(self._queue.popleft())

    def give_up(self, flight: _Flight, number: int) -> None:
        flight.waiters.pop(number, None)
        if flight.waiters or flight.over:
            return
        if not flight.sent:
            self._queue.remove(flight)
            return
        self._counts[flight.endpoint].cancelled += 1
        self._land(flight)
        if flight.cancel is not None:
            flight.cancel.cancel()

    def _take_off(self, flight: _Flight) -> None:
        flight.sent = True
        flight.began_ms = self._clock.now()
        self._flying.append(flight)
        self._counts[flight.endpoint].sent += 1
        flight.timer = self._clock.call_at(flight.began_ms + self._timings.request_timeout_ms, lambda: self._timed_out(flight))
        request = flight.request
        headers = {**self._headers, **request.headers}
        flight.cancel = self._http.send(
            HttpRequest(request.method, request.url, headers, request.body),
            lambda answer: self._answered(flight, answer),
        )

    def _land(self, flight: _Flight) -> None:
        flight.over = True
        if flight.timer is not None:
            flight.timer.cancel()
        self._flying.remove(flight)
        self.pump()

    def _timed_out(self, flight: _Flight) -> None:
        if flight.over:
            return
        seconds = self._timings.request_timeout_ms / 1000
        if flight.cancel is not None:
            flight.cancel.cancel()
        self._finish(flight, TimedOut(f"The server did not answer within {seconds:g} s.", endpoint=flight.endpoint))

    def _answered(self, flight: _Flight, answer: HttpAnswer) -> None:
        if flight.over:
            return
        error = error_of(answer, flight.endpoint)
        self._finish(flight, error or Answer(answer.body, dict(answer.headers), flight.began_ms))

    def _finish(self, flight: _Flight, outcome: Answer | RequestError) -> None:
        count = self._counts[flight.endpoint]
        count.last_ms = self._clock.now() - flight.began_ms
        if isinstance(outcome, RequestError):
            count.failed += 1
            count.last_error = str(outcome)
        waiters = list(flight.waiters.values())
        flight.waiters.clear()
        self._land(flight)
        for done in waiters:
            done(outcome)

    def close(self) -> None:
        """Give up everything under way; nothing is sent from here on."""
        self._closed = True
        for flight in self._queue:
            flight.over = True
        self._queue.clear()
        for flight in list(self._flying):
            flight.waiters.clear()
            self.give_up(flight, 0)

    @property
    def in_flight(self) -> int:
        """Requests under way."""
        return len(self._flying)

    def statistics(self) -> RequestStatistics:
        rows = tuple(
            EndpointStatistics(name, n.sent, n.joined, n.failed, n.cancelled, n.last_ms, n.last_error)
            for name, n in sorted(self._counts.items())
        )
        return RequestStatistics(len(self._flying), len(self._queue), self._limit(), rows)


def error_of(answer: HttpAnswer, endpoint: str = "") -> RequestError | None:
    """The error that an answer is, or `None` for good JSON.

    A 200 with `text/html` is a missing endpoint at this contract, and a 500 may be plain text.
    """
    if answer.status == 0:
        return NetworkError(answer.body or "The server could not be reached.", endpoint=endpoint)
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if answer.status >= 400:
        seconds = answer.headers.get("retry-after", "")
        wait = min(float(seconds), RETRY_AFTER_AT_MOST_S) * 1000 if seconds.isdecimal() else None
        return HttpError(_sentence(answer, kind), endpoint=endpoint, status=answer.status, retry_after_ms=wait)
    if answer.status != 204 and kind != "application/json":
        what = "a page of HTML" if kind == "text/html" else f"{kind or 'an unknown kind of content'}"
        return WrongContent(
            f"The server answered with {what} where JSON was expected: check the API's address in penstock.json.",
            endpoint=endpoint,
            status=answer.status,
        )
    return None


def _sentence(answer: HttpAnswer, kind: str) -> str:
    detail: object = None
    if kind == "application/json":
        try:
            body = from_json(answer.body)
        except (ValueError, TypeError):
            body = None
        if isinstance(body, dict):
            detail = cast("dict[str, object]", body).get("detail")
        if isinstance(detail, list) and detail and isinstance(detail[0], dict):
            detail = cast("dict[str, object]", detail[0]).get("msg")
    words = detail[:WORDS_LENGTH] if isinstance(detail, str) else ""
    words = words or {404: "Not found", 503: "Unavailable"}.get(answer.status, "")
    return f"The server answered {answer.status}{': ' + words if words else ''}".rstrip(".") + "."
