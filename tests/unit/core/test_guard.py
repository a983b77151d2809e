"""The breaker in the coordinator (RT-66): what is refused and how, what waits, who is told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pyapp.core.alerts import Alert, Alerts
from pyapp.core.errors import BreakerOpen, HttpError
from pyapp.core.ports import HttpAnswer, HttpRequest
from pyapp.core.requests.answer import Answer
from pyapp.core.requests.coordinator import Requests
from pyapp.core.requests.endpoint import EndpointClass, EndpointSpec
from pyapp.core.testing import FakeHttp, VirtualClock
from pyapp.core.timings import Timings

JSON = {"content-type": "application/json"}
SICK = EndpointClass("sick", concurrency=2)
ENDPOINTS = {name: EndpointSpec(name, SICK) for name in ("a", "b")}
PLAIN = HttpRequest("GET", "plain")


class Door:
    def __init__(self) -> None:
        self.clock, self.http, self.told = VirtualClock(), FakeHttp(), list[Alert]()
        self.requests = Requests(
            self.clock,
            self.http,
            Timings(),
            lambda: 6,
            endpoints=ENDPOINTS,
            alerts=Alerts(self.clock, self.told.append),
        )
        self.got: list[Any] = []
        self.number = 0

    def ask(self, endpoint: str = "a", *, url: str = "", method: str = "GET", by_user: bool = False) -> Any:
        self.number += 1
        request = HttpRequest(method, url or f"{endpoint}?{self.number}")
        return self.requests.send(endpoint, request, self.got.append, owner=str(self.number), by_user=by_user)

    def fail(self, times: int = 5) -> None:
        for _ in range(times):
            self.ask()
            self.http.waiting[-1].reply({}, status=503)

    def lane(self) -> Any:
        return next(row for row in self.requests.statistics().classes if row.cls == "sick")

    def row(self, name: str = "a") -> Any:
        return next(row for row in self.requests.statistics().endpoints if row.endpoint == name)


def test_open_every_endpoint_of_the_class_fails_at_once_but_never_before_send_returns() -> None:
    # RT-66
    door = Door()
    door.fail()
    sent = len(door.http.sent)
    door.ask("b")
    assert len(door.got) == 5
    door.clock.advance(0)
    error = door.got[-1]
    assert (type(error), error.kind, error.endpoint, error.retry_after_ms) == (BreakerOpen, "breaker", "b", 30_001)
    assert str(error) == "The server failed too often when asked for sick: it is asked again in 31 s, and at once when you refresh."
    assert (len(door.http.sent), door.row("b").refused, door.row("b").failed) == (sent, 1, 0)
    assert (door.row().failures, door.lane().breaker, door.lane().opens) == ({"server": 5}, "open", 1)


def test_other_classes_notice_nothing() -> None:
    # RT-66
    door = Door()
    door.fail()
    door.requests.send("plain", PLAIN, door.got.append)
    door.http.take("plain").reply([])
    assert type(door.got[-1]) is Answer


def test_what_waits_for_its_place_when_it_opens_is_refused_and_one_who_gave_up_is_not_told() -> None:
    # RT-66
    door = Door()
    door.fail(4)
    for _ in range(2):
        door.ask()
    door.ask("b", url="same")
    given_up = door.ask("b", url="same")
    door.http.waiting[0].reply({}, status=500)
    given_up.cancel()
    given_up.cancel()
    door.clock.advance(0)
    assert [type(one) for one in door.got] == [HttpError] * 5 + [BreakerOpen]
    assert (door.lane().in_flight, door.lane().queued, len(door.http.waiting)) == (1, 0, 1)
    door.http.waiting[0].reply([])  # it was sent before: late success closes nothing
    assert door.lane().breaker == "open"


def test_after_thirty_seconds_one_request_is_the_probe_and_others_fail_until_it_is_back() -> None:
    # RT-66
    door = Door()
    door.fail()
    door.clock.advance(29_999)
    door.ask()
    door.clock.advance(1)
    door.ask(url="probe")
    door.ask(url="probe")  # joins the probe
    door.ask("b")
    door.clock.advance(0)
    assert [type(one) for one in door.got[5:]] == [BreakerOpen, BreakerOpen]
    assert "it is being tried again now" in str(door.got[-1])
    assert door.got[-1].retry_after_ms == 1_000
    door.http.take("probe").reply([1])
    assert ([type(one) for one in door.got[7:]], door.lane().breaker) == ([Answer, Answer], "closed")
    door.ask("b")
    assert len(door.http.waiting) == 1


def test_a_probe_that_fails_opens_it_again_and_one_that_is_given_up_leaves_its_chance_to_the_next() -> None:
    # RT-66
    door = Door()
    door.fail()
    door.clock.advance(30_000)
    door.ask(url="first")
    door.http.take("first").lose()
    door.clock.advance(29_999)
    door.ask(url="early")
    door.clock.advance(1)
    door.ask(url="second").cancel()
    door.ask(url="third")
    assert [pending.request.url for pending in door.http.sent[5:]] == ["first", "second", "third"]
    assert door.lane().breaker == "half-open"
    assert door.lane().opens == 1


def test_a_person_passes_as_the_probe_and_goes_on_when_the_breaker_opens_meanwhile() -> None:
    # RT-66
    door = Door()
    door.fail()
    door.ask("b", method="POST", by_user=True)
    door.ask("b", by_user=True)
    door.clock.advance(0)
    assert type(door.got[-1]) is BreakerOpen  # one probe, whoever asks
    door.http.waiting[0].reply({})
    assert door.lane().breaker == "closed"
    door.fail(4)
    for _ in range(2):
        door.ask()
    door.ask("b", url="mine", by_user=True)
    door.ask("b", url="mine, too", by_user=True)
    door.http.waiting[0].reply({}, status=500)
    assert (door.lane().breaker, door.http.waiting[-1].request.url) == ("half-open", "mine")
    door.http.waiting[0].reply([])  # there is a place for the next, and a probe under way
    door.clock.advance(0)
    assert type(door.got[-1]) is BreakerOpen


@pytest.mark.parametrize(
    ("status", "headers", "counts"),
    [(0, dict[str, str](), True), (500, JSON, True), (408, JSON, True), (429, JSON, True), (200, {"content-type": "text/html"}, True)]
    + [(status, JSON, False) for status in (400, 401, 403, 404, 409, 422)],
)
def test_which_answers_are_failures(status: int, headers: dict[str, str], counts: bool) -> None:
    # RT-66
    door = Door()
    for _ in range(6):
        door.ask()
        for pending in door.http.waiting:
            pending.on_answer(HttpAnswer(status, headers, "{}"))
            pending.answered = True
    assert (door.lane().breaker == "open") is counts


def test_time_outs_are_failures() -> None:
    # RT-66
    door = Door()
    for _ in range(3):
        door.ask()
        door.ask()
        door.clock.advance(10_000)
    assert (door.lane().breaker, door.row().failures) == ("open", {"timeout": 6})


def test_an_answer_that_nobody_can_read_is_a_failure_once_and_is_neither_kept_nor_asked_about() -> None:
    # RT-66
    door = Door()

    def read(outcome: Any) -> None:
        if isinstance(outcome, Answer):
            json.loads(outcome.text) if outcome.text != "garbage" else door.requests.unreadable("a")
        door.got.append(outcome)

    for number in range(5):
        for _ in range(3):
            door.requests.send("a", HttpRequest("GET", "a"), read)
        assert len(door.http.waiting) == 1
        assert "If-None-Match" not in door.http.waiting[0].request.headers
        assert door.row().failures.get("invalid", 0) == number
        door.http.take("a").reply("garbage", headers={"etag": '"1"'})
    assert (door.lane().breaker, door.requests.statistics().bodies.entries, door.requests.statistics().kept.entries) == ("open", 0, 0)
    door.clock.advance(30_000)
    door.requests.send("a", HttpRequest("GET", "a"), read)
    door.http.take("a").reply("garbage")  # the probe: well by its status, and no better
    assert (door.lane().breaker, door.lane().opens) == ("open", 1)
    assert [alert.ended_wall_ms for alert in door.told] == [None]  # one episode


def test_what_is_found_unreadable_later_counts_too() -> None:
    # RT-66
    door = Door()
    for _ in range(5):
        door.requests.unreadable("a")
    assert (door.lane().breaker, [alert.subject for alert in door.told]) == ("open", ["sick"])


def test_an_alert_lasts_from_the_first_opening_to_the_closing() -> None:
    # RT-66, RT-82
    door = Door()
    door.fail()
    door.clock.advance(30_000)
    door.ask()
    door.http.waiting[0].lose()
    door.clock.advance(30_000)
    door.ask()
    door.http.waiting[0].reply([])
    assert [(alert.kind, alert.subject, alert.ended_wall_ms is None) for alert in door.told] == [
        ("breaker", "sick", True),
        ("breaker", "sick", False),
    ]
    assert door.told[0].text == ("5 requests for sick failed within 30 s: the server is asked for them once in 30 s until it answers.")


def test_switched_off_there_is_no_breaker_and_what_was_open_is_closed() -> None:
    # RT-71
    door = Door()
    door.fail()
    door.clock.advance(30_000)
    door.ask(url="probe")
    door.requests.configure(coordinate=False)
    assert (door.lane().breaker, door.told[-1].ended_wall_ms is not None) == ("closed", True)
    door.fail(9)
    assert door.lane().breaker == "closed"
    door.requests.configure(coordinate=True)
    door.http.take("probe").lose()  # of a breaker that is forgotten
    assert door.lane().breaker == "closed"


def test_after_close_nothing_waits_for_the_breaker() -> None:
    # RT-53
    door = Door()
    door.fail()
    door.ask()
    door.requests.close()
    door.clock.advance(60_000)
    assert (len(door.got), door.clock.timers) == (5, 0)


def test_a_hurried_breaker_lets_the_next_request_try_and_only_that() -> None:
    # RT-66
    door = Door()
    door.fail()
    door.ask()
    door.clock.advance(0)
    assert isinstance(door.got[-1], BreakerOpen)
    door.requests.try_now()
    asked = len(door.http.sent)
    door.ask()
    door.ask()
    door.clock.advance(0)
    assert len(door.http.sent) == asked + 1
    door.http.waiting[-1].reply([])
    assert door.lane().breaker == "closed"
    door.requests.try_now()
    assert door.lane().breaker == "closed"


def test_who_may_ask_again_is_told_once_and_only_when_the_breaker_has_closed() -> None:
    # RT-66
    clock, http, told = VirtualClock(), FakeHttp(), list[str]()
    requests = Requests(clock, http, Timings(), lambda: 6, endpoints=ENDPOINTS, on_recovered=told.append)

    def ask(number: int) -> None:
        requests.send("a", HttpRequest("GET", f"a?{number}"), lambda outcome: None, by_user=True)

    for number in range(5):
        ask(number)
        http.waiting[-1].reply([] if number == 0 else {}, status=200 if number == 0 else 503)
    ask(5)
    http.waiting[-1].lose()
    assert (told, requests.class_of("b")) == ([], "sick")
    ask(6)
    http.waiting[-1].reply({}, status=500)  # the probe failed
    assert told == []
    ask(7)
    http.waiting[-1].reply([])
    ask(8)
    http.waiting[-1].reply([])
    assert told == ["sick"]


def test_a_refusal_is_no_failure_of_the_server_and_may_be_asked_again() -> None:
    # RT-66
    door = Door()
    door.fail()
    door.ask()
    door.clock.advance(0)
    assert (door.got[-1].is_failure, door.got[-1].retryable, door.got[-1].kind) == (False, True, "breaker")


def test_who_gave_up_before_a_refusal_was_told_hears_nothing_and_the_others_do() -> None:
    # RT-66
    door = Door()
    door.fail()
    door.ask().cancel()
    door.ask()
    before = len(door.got)
    door.clock.advance(0)
    assert [type(outcome) for outcome in door.got[before:]] == [BreakerOpen]
    door.ask()
    door.ask()
    door.requests.close()
    door.clock.advance(10)
    assert (len(door.got), door.clock.timers) == (before + 1, 0)
