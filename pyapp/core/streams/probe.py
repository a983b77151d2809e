"""One plain request that tells why an event source was refused, because `EventSource` hides the status (RT-25).

It stands outside of joins, breaker and limits: it is asked once per refused attempt, and ends at the headers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pyapp.core.clock import Clock
from pyapp.core.ports import Cancel, Http, HttpAnswer, HttpRequest
from pyapp.core.streams.refusal import Verdict, retry_after_ms, verdict_of


class StatusProbe:
    """Asks, and says what the answer means."""

    def __init__(self, clock: Clock, http: Http, headers: Mapping[str, str]) -> None:
        self._clock = clock
        self._http = http
        self._headers = {**headers, "Accept": "text/event-stream"}
        self.asked = 0

    def ask(self, url: str, on_verdict: Callable[[Verdict, float], None]) -> Cancel:
        """Ask for `url`; `on_verdict` gets the meaning and the server's `Retry-After` in ms, never before this call returns.

        The caller ends it after its time-out.
        """
        self.asked += 1

        def answered(answer: HttpAnswer) -> None:
            wait = retry_after_ms(answer.headers.get("retry-after", ""), self._clock.wall())
            on_verdict(verdict_of(answer.status, answer.headers.get("content-type", "")), wait)

        return self._http.send(HttpRequest("GET", url, self._headers, head_only=True), answered)
