"""The fakes say what is the matter where a test asks them for what is not there."""

from __future__ import annotations

import pytest

from pyapp.core.ports import HttpAnswer, HttpRequest
from pyapp.core.testing import FakeHttp, FakeSources


def test_a_source_is_found_by_its_path_and_one_that_is_not_open_is_an_error_that_says_what_is() -> None:
    sources = FakeSources()
    for number, url in enumerate(("events/stream", "jobs/stream?last_event_id=e1%3A5")):
        sources.open(number, url)
    assert sources.source("jobs/stream") == 1
    with pytest.raises(AssertionError, match=r"workers/stream is not open; open are \['events/stream', 'jobs/stream\?last"):
        sources.accept("workers/stream")


def test_a_request_that_does_not_wait_is_an_error_that_says_what_does() -> None:
    http = FakeHttp()
    http.send(HttpRequest("GET", "jobs?limit=50"), print)
    with pytest.raises(AssertionError, match=r"no request for stats waits; waiting are \['jobs\?limit=50'\]"):
        http.take("stats")


def test_who_gave_a_request_up_hears_neither_its_answer_nor_that_it_was_lost() -> None:
    http, told = FakeHttp(), list[HttpAnswer]()
    for url in ("a", "b", "c"):
        http.send(HttpRequest("GET", url), told.append)
    one, other, last = http.waiting
    one.cancel()
    other.cancel()
    one.reply({})
    other.lose()
    last.lose()
    assert [(answer.status, answer.body) for answer in told] == [(0, "The server could not be reached.")]
    assert http.waiting == []
