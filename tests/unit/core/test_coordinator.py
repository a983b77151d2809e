"""Every request goes through one door (RT-64, RT-65)."""

from __future__ import annotations

from typing import Any

import pytest

from pyapp.core.errors import Disposed, HttpError, NetworkError, RequestError, TimedOut, WrongContent
from pyapp.core.ports import HttpAnswer, HttpRequest
from pyapp.core.requests.coordinator import Answer, Requests, error_of
from pyapp.core.testing import FakeHttp, VirtualClock
from pyapp.core.timings import Timings

GET = HttpRequest("GET", "x")
JSON = {"content-type": "application/json; charset=utf-8"}


class Door:
    def __init__(self, limit: int = 6) -> None:
        self.clock, self.http, self.limit = VirtualClock(), FakeHttp(), limit
        self.requests = Requests(self.clock, self.http, Timings(), lambda: self.limit, {"X-A": "1"})
        self.got: list[Any] = []

    def ask(self, url: str = "x", method: str = "GET", not_before: float | None = None) -> Any:
        return self.requests.send(url, HttpRequest(method, url), self.got.append, not_before_ms=not_before)


def test_what_asks_for_the_same_while_it_is_in_flight_shares_one_request() -> None:
    # RT-65
    door = Door()
    for _ in range(10):
        door.ask()
    door.http.take("x").reply([1])
    assert len(door.http.sent) == 1
    assert [answer.text for answer in door.got] == ["[1]"] * 10
    assert door.requests.statistics().endpoints[0].joined == 9
    assert door.http.sent[0].request.headers == {"X-A": "1"}


def test_an_answer_that_began_too_early_is_not_shared_and_changes_never_are() -> None:
    # RT-31
    door = Door()
    door.ask()
    door.clock.advance(10)
    door.ask(not_before=5)
    door.ask(not_before=10)
    assert len(door.http.sent) == 2
    door.ask("y", "POST")
    door.ask("y", "POST")
    assert len(door.http.sent) == 4


def test_what_exceeds_the_limit_waits_its_turn_and_goes_when_the_budget_grows() -> None:
    # RT-64
    door = Door(limit=2)
    for name in "abcd":
        door.ask(name)
    assert [p.request.url for p in door.http.sent] == ["a", "b"]
    door.clock.advance(100)
    door.http.take("a").reply([])
    assert [p.request.url for p in door.http.sent] == ["a", "b", "c"]
    door.limit = 6
    door.requests.pump()
    door.http.take("d").reply([])
    assert door.got[-1].began_ms == 100  # when it was sent, not when it was asked for
    assert door.requests.statistics().queued == 0


def test_giving_up_ends_the_request_when_nobody_else_waits() -> None:
    door = Door(limit=1)
    first, second, queued = door.ask(), door.ask(), door.ask("q")
    first.cancel()
    first.cancel()
    assert door.http.waiting != []
    queued.cancel()
    second.cancel()
    assert (door.http.waiting, door.got, door.clock.timers) == ([], [], 0)
    assert door.requests.statistics().in_flight == 0


def test_no_answer_in_ten_seconds_is_an_error_and_a_late_one_is_ignored() -> None:
    door = Door()
    door.ask()
    late = door.http.take("x")
    door.clock.advance(10_000)
    assert [type(one) for one in door.got] == [TimedOut]
    late.on_answer(HttpAnswer(200, JSON, "[]"))
    assert len(door.got) == 1
    assert (late.cancelled, door.clock.timers) == (True, 0)


def test_after_close_nothing_is_under_way_and_nothing_more_is_sent() -> None:
    # RT-53
    door = Door(limit=1)
    tickets = [door.ask(), door.ask("q")]
    door.requests.close()
    for ticket in tickets:
        ticket.cancel()
    assert (door.http.waiting, door.clock.timers, door.got) == ([], 0, [])
    with pytest.raises(Disposed):
        door.ask()


@pytest.mark.parametrize(
    ("answer", "kind", "sentence"),
    [
        (HttpAnswer(0, {}, ""), NetworkError, "The server could not be reached."),
        (HttpAnswer(404, JSON, '{"detail": "Job not found."}'), HttpError, "The server answered 404: Job not found."),
        (HttpAnswer(404, JSON, "{"), HttpError, "The server answered 404: Not found."),
        (HttpAnswer(422, JSON, '{"detail": [{"msg": "Too big"}]}'), HttpError, "The server answered 422: Too big."),
        (HttpAnswer(500, {"content-type": "text/plain"}, "boom"), HttpError, "The server answered 500."),
        (HttpAnswer(503, JSON, "[" * 100_000), HttpError, "The server answered 503: Unavailable."),
        (HttpAnswer(500, JSON, '{"detail": "' + "x" * 10_000 + '"}'), HttpError, "The server answered 500: " + "x" * 300 + "."),
        (HttpAnswer(200, {"content-type": "text/html"}, "<p>"), WrongContent, None),
        (HttpAnswer(200, {}, ""), WrongContent, None),
    ],
)
def test_every_bad_answer_is_one_error_with_a_sentence(answer: HttpAnswer, kind: type, sentence: str | None) -> None:
    error = error_of(answer, "x")
    assert type(error) is kind
    assert sentence is None or str(error) == sentence


def test_good_json_and_no_content_are_no_errors() -> None:
    assert error_of(HttpAnswer(200, JSON, "[]")) is None
    assert error_of(HttpAnswer(204, {}, "")) is None


@pytest.mark.parametrize(("said", "wait"), [("5", 5_000.0), ("9" * 400, 3_600_000.0), ("soon", None), ("-1", None), ("", None)])
def test_retry_after_is_believed_within_reason(said: str, wait: float | None) -> None:
    error = error_of(HttpAnswer(429, {**JSON, "retry-after": said}, "{}"))
    assert error is not None
    assert error.retry_after_ms == wait


def test_which_errors_are_worth_another_try() -> None:
    # RT-36, RT-66
    kinds = {
        status: (HttpError("x", status=status).kind, HttpError("x", status=status).retryable)
        for status in (401, 403, 404, 408, 409, 429, 500)
    }
    assert kinds == {
        401: ("forbidden", False),
        403: ("forbidden", False),
        404: ("missing", False),
        408: ("refused", True),
        409: ("refused", False),
        429: ("refused", True),
        500: ("server", True),
    }
    assert RequestError("x").retryable


def test_failures_are_counted_by_endpoint() -> None:
    door = Door()
    door.ask()
    door.clock.advance(30)
    door.http.take("x").lose()
    row = door.requests.statistics().endpoints[0]
    assert (row.endpoint, row.sent, row.failed, row.last_ms, row.last_error) == ("x", 1, 1, 30, "The server could not be reached.")
    assert not isinstance(door.got[0], Answer)
