"""Every request goes through one door (RT-64, RT-65): what is shared, who goes next, what is counted."""

from __future__ import annotations

from typing import Any

import pytest

from pyapp.core.errors import Disposed, HttpError, NetworkError, RequestError, TimedOut, WrongContent
from pyapp.core.ports import HttpAnswer, HttpRequest
from pyapp.core.requests.answer import Answer, error_of
from pyapp.core.requests.coordinator import Requests
from pyapp.core.requests.endpoint import EndpointClass, EndpointSpec
from pyapp.core.testing import FakeHttp, VirtualClock
from pyapp.core.timings import Timings

GET = HttpRequest("GET", "x")
JSON = {"content-type": "application/json; charset=utf-8"}


SLOW = EndpointClass("slow", join_ms=5_000, concurrency=2)
ENDPOINTS = {name: EndpointSpec(name, SLOW) for name in ("s1", "s2", "s3", "s4")}


class Door:
    def __init__(self, limit: int = 6) -> None:
        self.clock, self.http, self.limit = VirtualClock(), FakeHttp(), limit
        self.dates: list[Any] = []
        self.requests = Requests(
            self.clock,
            self.http,
            Timings(),
            lambda: self.limit,
            {"X-A": "1"},
            endpoints=ENDPOINTS,
            on_date=lambda text, began, ended: self.dates.append((text, began, ended)),
        )
        self.got: list[Any] = []

    def ask(self, url: str = "x", method: str = "GET", not_before: float | None = None, *, by_user: bool = False) -> Any:
        return self.requests.send(url, HttpRequest(method, url), self.got.append, not_before_ms=not_before, by_user=by_user)

    def row(self, name: str = "x") -> Any:
        return next(row for row in self.requests.statistics().endpoints if row.endpoint == name)

    def lane(self, name: str) -> Any:
        return next(row for row in self.requests.statistics().classes if row.cls == name)

    @property
    def urls(self) -> list[str]:
        return [pending.request.url for pending in self.http.sent]


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


def test_text_of_any_kind_is_an_answer_where_the_request_wants_text_and_only_there() -> None:
    door = Door()
    page = HttpAnswer(200, {"content-type": "text/plain"}, "hello")
    assert error_of(page, any_text=True) is None
    assert isinstance(error_of(page), WrongContent)
    assert isinstance(error_of(HttpAnswer(404, {}, ""), any_text=True), HttpError)
    door.requests.send("x", HttpRequest("GET", "content", text_at_most=10), door.got.append)
    sent = door.http.take("content")
    assert sent.request.text_at_most == 10
    sent.on_answer(page)
    assert [one.text for one in door.got] == ["hello"]


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


# An answer of the last moment ------------------------------------------------------------------------------------------------------


def test_an_answer_serves_for_a_second_after_it_came_and_never_before_the_asker_has_its_ticket() -> None:
    # RT-65
    door = Door()
    door.ask()
    door.clock.advance(700)
    door.http.take("x").reply([1])
    door.clock.advance(999)
    door.ask()
    assert len(door.got) == 1
    door.clock.advance(0)
    assert [answer.began_ms for answer in door.got] == [0, 0]
    door.clock.advance(1)
    door.ask()
    assert (len(door.http.sent), door.row().kept, door.row().sent) == (2, 1, 2)


def test_an_answer_whose_request_began_too_early_is_not_given_to_anybody() -> None:
    # RT-31
    door = Door()
    door.clock.advance(100)
    door.ask()
    door.clock.advance(50)
    door.http.take("x").reply([1])
    door.ask(not_before=100)
    door.ask(not_before=101)
    assert (len(door.http.sent), door.row().kept) == (2, 1)


def test_a_class_has_a_window_of_its_own() -> None:
    # RT-65
    door = Door()
    door.ask("s1")
    door.http.take("s1").reply([1])
    door.clock.advance(4_999)
    door.ask("s1")
    assert door.urls == ["s1"]
    door.clock.advance(1)
    door.ask("s1")
    assert door.urls == ["s1", "s1"]


def test_who_gave_up_is_not_told_a_kept_answer_and_an_error_is_never_kept() -> None:
    # RT-65
    door = Door()
    door.ask()
    door.http.take("x").reply({}, status=404)
    door.ask()
    assert len(door.http.sent) == 2
    door.http.take("x").reply([1])
    door.ask().cancel()
    door.clock.advance(0)
    assert [type(one) for one in door.got] == [HttpError, Answer]
    assert door.clock.timers == 0


def test_requests_with_other_headers_are_other_requests() -> None:
    # RT-65
    door = Door()
    for language in ("de", "en", "de"):
        door.requests.send("x", HttpRequest("GET", "x", {"Accept-Language": language}), door.got.append)
    assert [pending.request.headers["Accept-Language"] for pending in door.http.sent] == ["de", "en"]


def test_what_began_before_a_change_was_answered_serves_nobody_after_it() -> None:
    # RT-31
    door = Door()
    door.ask("kept")
    door.http.take("kept").reply([1])
    door.ask("flying")
    change = door.ask("do", "POST")
    for url in ("kept", "flying"):  # from before it was sent
        door.ask(url)
    door.ask("kept")  # from after: joined
    assert door.urls == ["kept", "flying", "do", "kept", "flying"]
    for url in ("flying", "kept", "flying"):
        door.http.take(url).reply([1])
    door.http.take("do").reply({})
    change.cancel()
    for url in ("kept", "flying"):  # from before it was answered: who knows what they saw
        door.ask(url)
    assert door.urls[5:] == ["kept", "flying"]


def test_a_callback_that_raises_keeps_no_other_from_its_kept_answer() -> None:
    door = Door()
    door.ask()
    door.http.take("x").reply([1])

    def mistaken(outcome: Any) -> None:
        raise ZeroDivisionError

    door.requests.send("x", GET, mistaken)
    door.ask()
    with pytest.raises(ZeroDivisionError):
        door.clock.advance(0)
    door.clock.advance(0)
    assert len(door.got) == 2


# By ETag ---------------------------------------------------------------------------------------------------------------------------


def test_a_304_yields_the_body_that_is_kept_with_the_position_of_now() -> None:
    # RT-65
    door = Door()
    door.ask()
    door.http.take("x").reply([1], position="e1:5", headers={"etag": 'W/"1"', "date": "then"})
    door.clock.advance(2_000)
    door.ask()
    second = door.http.take("x")
    assert second.request.headers == {"X-A": "1", "If-None-Match": 'W/"1"'}
    second.on_answer(HttpAnswer(304, {"etag": 'W/"1"', "x-penstock-position": "e1:9", "date": "now"}, ""))
    answer = door.got[-1]
    assert (answer.text, answer.began_ms) == ("[1]", 2_000)
    assert answer.headers == {"content-type": "application/json", "etag": 'W/"1"', "x-penstock-position": "e1:9", "date": "now"}
    assert (door.row().not_modified, door.requests.statistics().bodies.hits) == (1, 1)
    assert door.dates == [("then", 0, 0), ("now", 2_000, 2_000)]


def test_a_304_that_nobody_asked_for_is_an_error_and_a_body_is_asked_about_only_under_its_own_address() -> None:
    # RT-65
    door = Door()
    door.ask("a")
    door.http.take("a").reply([1], headers={"etag": '"1"'})
    door.ask("b")
    assert "If-None-Match" not in door.http.take("b").request.headers
    door.http.take("b").on_answer(HttpAnswer(304, {"etag": '"1"'}, ""))
    assert type(door.got[-1]) is WrongContent


def test_where_a_condition_is_what_keeps_requests_from_the_server_it_is_not_asked_again() -> None:
    # RT-65
    door = Door()
    for etag in ('"1"', '"2"'):
        door.ask()
        assert "If-None-Match" not in door.http.take("x").request.headers
        door.http.take("x").reply([1], headers={"etag": etag})
        door.clock.advance(2_000)
        door.ask()
        pending = door.http.take("x")
        if etag == '"1"':
            assert pending.request.headers["If-None-Match"] == '"1"'
            pending.lose()
        else:
            assert "If-None-Match" not in pending.request.headers
    known = Door()
    for outcome in ("reply", "reply", "lose"):
        known.ask()
        known.http.take("x").lose() if outcome == "lose" else known.http.take("x").reply([1], headers={"etag": '"1"'})
        known.clock.advance(2_000)
    known.ask()
    assert known.http.take("x").request.headers["If-None-Match"] == '"1"'  # it worked before: the network was lost


def test_what_the_page_fetched_before_python_ran_is_asked_about_by_its_etag() -> None:
    # RT-34, RT-55
    door = Door()
    door.clock.advance(3_000)
    door.requests.heard("x", GET, Answer("[1]", {"etag": '"1"', "date": "then"}, 100))
    door.ask()
    pending = door.http.take("x")
    assert pending.request.headers["If-None-Match"] == '"1"'
    pending.on_answer(HttpAnswer(304, {}, ""))
    assert (door.got[0].text, door.dates) == ("[1]", [("then", 100, 3_000)])


# Who goes next ---------------------------------------------------------------------------------------------------------------------


def test_a_class_keeps_to_its_places_and_the_others_have_their_turn() -> None:
    # RT-64, RT-65
    door = Door(limit=3)
    for name in ("s1", "s2", "s3", "s4", "other"):
        door.ask(name)
    assert door.urls == ["s1", "s2", "other"]  # the class has two places
    assert (door.lane("slow").in_flight, door.lane("slow").queued, door.row("s3").waited, door.row("other").waited) == (2, 2, 1, 0)
    door.http.take("s2").reply([])
    assert door.urls[3:] == ["s3"]


def test_the_last_place_is_never_taken_by_the_class_that_has_the_others() -> None:
    # RT-64
    door = Door(limit=2)
    for name in ("s1", "s2"):
        door.ask(name)
    assert door.urls == ["s1"]
    door.ask("other")
    assert door.urls == ["s1", "other"]


def test_classes_take_turns_however_many_of_one_wait() -> None:
    # RT-65
    door = Door(limit=1)
    door.ask("first")
    for name in ("s1", "s2", "s3", "other"):
        door.ask(name)
    for _ in range(4):
        door.http.waiting[0].reply([])
    assert door.urls == ["first", "s1", "other", "s2", "s3"]


def test_what_a_person_asks_for_goes_first_in_its_class() -> None:
    # RT-43
    door = Door(limit=1)
    door.ask("first")
    for name in ("s1", "s2", "s3"):
        door.ask(name)
    door.ask("s4", by_user=True)
    door.ask("s3", by_user=True)  # somebody else's request for the same goes first, too
    for _ in range(4):
        door.http.waiting[0].reply([])
    assert door.urls == ["first", "s4", "s3", "s1", "s2"]
    assert door.row("s3").joined == 1


# Switched off ----------------------------------------------------------------------------------------------------------------------


def test_switched_off_every_request_is_its_own_and_it_takes_effect_at_once() -> None:
    # RT-71
    door = Door()
    door.ask()
    door.requests.configure(coordinate=False)
    door.ask()
    door.ask()
    assert len(door.http.sent) == 3
    for pending in door.http.waiting:
        pending.reply([1], headers={"etag": '"1"'})
    door.ask()
    assert "If-None-Match" not in door.http.take("x").request.headers
    assert not door.requests.statistics().coordinated
    door.requests.configure(coordinate=True)
    door.ask()
    door.ask()
    assert (len(door.http.sent), door.row().joined, door.row().kept) == (5, 1, 0)


def test_switched_off_of_what_the_page_fetched_before_only_the_time_is_taken() -> None:
    # RT-71, RT-55
    door = Door()
    door.requests.configure(coordinate=False)
    door.requests.heard("x", GET, Answer("[1]", {"etag": '"1"', "date": "then"}, 0))
    assert door.dates == [("then", 0, 0)]
    door.requests.configure(coordinate=True)
    door.ask()
    assert "If-None-Match" not in door.http.take("x").request.headers


def test_a_request_that_the_port_could_not_send_holds_its_place_no_longer_than_its_time() -> None:
    door = Door(limit=1)
    send = door.http.send

    def broken(request: HttpRequest, on_answer: Any) -> Any:
        raise ZeroDivisionError

    door.http.send = broken
    with pytest.raises(ZeroDivisionError):
        door.ask()
    door.http.send = send
    door.ask("y")
    assert (door.requests.in_flight, door.urls) == (1, [])
    door.clock.advance(10_000)
    assert ([type(one) for one in door.got], door.urls) == ([TimedOut], ["y"])


def test_of_a_page_that_is_put_away_nothing_that_waits_for_its_place_is_sent_until_it_is_back() -> None:
    # RT-53
    door = Door(limit=1)
    for url in ("a", "b"):
        door.ask(url)
    door.requests.suspend()
    door.limit = 6
    door.requests.pump()
    assert (door.urls, door.http.waiting) == (["a"], [])
    door.requests.resume()
    assert door.urls == ["a", "a", "b"]


def test_after_close_no_kept_answer_is_told() -> None:
    # RT-53
    door = Door()
    door.ask()
    door.http.take("x").reply([1])
    door.ask()
    door.requests.close()
    door.clock.advance(0)
    assert (len(door.got), door.clock.timers) == (1, 0)


def test_who_closes_everything_when_told_a_kept_answer_is_the_last_to_be_told() -> None:
    # RT-53
    door = Door()
    door.ask()
    door.http.take("x").reply([1])
    told: list[Any] = []

    def close(outcome: Any) -> None:
        told.append(outcome)
        door.requests.close()

    door.requests.send("x", GET, close)
    door.requests.send("x", GET, told.append)
    door.clock.advance(0)
    assert (len(told), door.clock.timers) == (1, 0)


def test_a_waiter_that_raises_keeps_no_other_from_the_answer_and_its_mistake_is_heard_of() -> None:
    # RT-65
    door = Door()

    def mistake(outcome: object) -> None:
        raise ZeroDivisionError("mine")

    door.requests.send("x", GET, mistake)
    door.ask()
    door.requests.send("x", GET, mistake)
    door.ask()
    with pytest.raises(ZeroDivisionError):
        door.http.take("x").reply([1])
    assert [answer.text for answer in door.got] == ["[1]", "[1]"]
    door.ask("y")
    door.http.take("y").reply([2])
    assert (door.got[-1].text, door.requests.in_flight) == ("[2]", 0)
