"""What earlier answers are good for: an answer of the last moment as it is, a body that the server says still holds (RT-65).

Whatever is no GET may change the server. From its beginning to its end generations pass: an answer whose request began in an earlier
one is given to nobody who asks in a later one.
"""

from __future__ import annotations

from collections.abc import Mapping

from pyapp.core.requests.answer import Answer
from pyapp.core.requests.bodies import Bodies, Body, BodyStatistics, RequestKey
from pyapp.core.requests.flight import Flight
from pyapp.core.requests.kept import Kept, KeptStatistics


class Earlier:
    """The answers of the last moment, and the bodies by ETag."""

    def __init__(self) -> None:
        self._kept = Kept()
        self._bodies = Bodies()
        self._conditional: bool | None = None
        self.generation = 0

    def answer(self, key: RequestKey, now_ms: float, not_before_ms: float | None) -> Answer | None:
        """An answer that serves a request as it is."""
        return self._kept.get(key, now_ms, not_before_ms)

    def body(self, key: RequestKey) -> Body | None:
        """The body about which the server can be asked."""
        return None if self._conditional is False else self._bodies.get(key)

    def keep(self, flight: Flight, answer: Answer, now_ms: float, join_ms: float) -> None:
        """The answer of a GET came."""
        if flight.key is None:
            return
        name = flight.endpoint.name
        self._bodies.put(flight.key, name, answer.text, answer.headers)
        if flight.generation == self.generation:
            self._kept.put(flight.key, name, answer, now_ms, now_ms + join_ms)

    def keep_body(self, key: RequestKey, endpoint: str, text: str, headers: Mapping[str, str]) -> None:
        """A body from elsewhere."""
        self._bodies.put(key, endpoint, text, headers)

    def holds(self, flight: Flight, body: Body, headers: Mapping[str, str]) -> Answer:
        """The server said 304: the body as it was, with what the server says of it now, its position before all."""
        self._bodies.hit()
        return Answer(body.text, {**body.headers, **headers}, flight.began_ms)

    def learn(self, flight: Flight, answered: bool) -> None:
        """A request came back, or was lost on its way.

        Across origins a server may refuse what carries `If-None-Match` before it is sent, which looks like a lost network. Until one
        such request was answered, a loss ends asking by ETag: it saves traffic, and may not cost an answer.
        """
        if flight.body is None or self._conditional is not None:
            return
        self._conditional = answered
        if not answered:
            self._bodies.clear()

    def changed(self) -> None:
        """Something that may change the server was sent, or is over."""
        self.generation += 1
        self._kept.clear()

    def forget(self, endpoint: str) -> None:
        """Nobody can read the answers of an endpoint."""
        self._kept.forget(endpoint)
        self._bodies.forget(endpoint)

    def clear(self) -> None:
        """Drop everything."""
        self._kept.clear()
        self._bodies.clear()

    def statistics(self) -> tuple[BodyStatistics, KeptStatistics]:
        """Both stores."""
        return self._bodies.statistics(), self._kept.statistics()
