"""The faults that tests ask for, and that they are served only with ``--faults``."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from server_stub import changes as c
from server_stub.moments import now_us

from .running import Frame, Running, StreamClient, running, sim, until
from .test_multiplexed import Many


@pytest.fixture(autouse=True)
def cleared(server: Running) -> Iterator[None]:
    server.http.post("/__faults__", json={"fault": "clear"})
    until(lambda: not server.context.hub.connections(), "the clients of the test before have left")
    yield
    server.http.post("/__faults__", json={"fault": "clear"})
    until(lambda: not server.context.hub.connections(), "the clients have left")


def fault(server: Running, kind: str, **more: Any) -> dict[str, Any]:
    answer = server.http.post("/__faults__", json={"fault": kind, **more})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def hits(server: Running) -> list[tuple[str, int]]:
    return [(each["fault"], each["hits"]) for each in server.http.get("/__faults__").json()["faults"]]


def met(server: Running, times: int) -> None:
    """Each of two readers has met the fault so often in all."""
    until(lambda: hits(server)[0][1] == times, "the fault is met")


def publish(server: Running, *numbers: int) -> None:
    requests = [c.Requested(f"r{number}", now_us(), "fault-api", "GET", "/", 200, 1.0) for number in numbers]
    server.do(server.context.journal.commit(*requests))


def ids(frames: list[Frame]) -> list[str]:
    return [frame.data["request"]["id"] for frame in frames]


class Both:
    """The requests' stream on a connection of its own and on a multiplexed one, which must not differ."""

    def __init__(self, server: Running) -> None:
        self.many = Many(server, "apis/events", "events")
        self.single = server.stream("/apis/events/stream")
        self.many.of("apis/events", "hello")
        self.single.until(lambda frame: frame.event == "hello")

    def data(self, count: int) -> list[Frame]:
        frames = self.single.data(count)
        assert [self.many.of("apis/events", "message") for _ in range(count)] == frames
        return frames

    def close(self) -> None:
        self.many.close()
        self.single.close()


def rest(stream: StreamClient) -> list[Frame]:
    frames: list[Frame] = []
    while (frame := stream.next()) is not None:
        frames.append(frame)
    return frames


def test_unavailable_is_503_so_many_times(server: Running) -> None:
    fault(server, "unavailable", prefix="/api/v1/jobs", count=2)
    answers = [server.http.get("/api/v1/jobs") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [503, 503, 200]
    assert answers[0].headers["retry-after"] == "1"
    assert server.http.get("/api/v1/workers").status_code == 200


@pytest.mark.parametrize(("kind", "status"), [("503", 503), ("unavailable", 503), ("404", 404), ("403", 403), ("429", 429)])
def test_a_refusal_is_a_status_and_of_a_stream_of_many_its_own(server: Running, kind: str, status: int) -> None:
    fault(server, kind, stream="apis/events")
    single = server.stream("/apis/events/stream")
    assert single.status == status
    assert ("retry-after" in single.headers) == (status in (429, 503))
    many = Many(server, "apis/events", "events")
    refused = many.of("apis/events", "refused").data
    assert refused["status"] == status
    assert ("retry_after_s" in refused) == (status in (429, 503))
    many.of("events", "hello")
    assert server.http.get("/api/v1/apis/events").status_code == 200, "a stream's fault is not its endpoint's"
    assert hits(server)[0][1] == 2
    single.close()
    many.close()


def test_html_is_a_page_where_an_answer_should_be(server: Running) -> None:
    fault(server, "html", prefix="/api/v1/workers")
    for path in ("/api/v1/workers", "/api/v1/workers/stream"):
        answer = server.http.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    fault(server, "html", stream="workers")
    many = Many(server, "workers")
    assert many.of("workers", "refused").data["status"] == 502
    many.close()


def test_drop_cuts_open_streams_and_the_connections_of_new_requests(server: Running) -> None:
    stream = server.stream("/events/stream")
    stream.until(lambda frame: frame.event == "hello")
    assert fault(server, "drop", prefix="/api/v1/events", count=1)["dropped"] == 1
    rest(stream)
    with pytest.raises(httpx.RemoteProtocolError):
        server.http.get("/api/v1/events/stream")
    again = server.stream("/events/stream")
    assert again.next() is not None
    stream.close()
    again.close()


def test_drop_of_a_stream_cuts_the_connections_that_carry_it(server: Running) -> None:
    both = Both(server)
    other = Many(server, "events")
    assert fault(server, "drop", stream="apis/events", count=1)["dropped"] == 2
    rest(both.single)
    rest(both.many.raw)
    other.of("events", "heartbeat")
    other.change(add=("apis/events",))
    rest(other.raw)
    other.close()
    both.close()


def test_stall_keeps_streams_open_and_silent_until_cleared(server: Running) -> None:
    stream = server.stream("/events/stream")
    stream.until(lambda frame: frame.event == "heartbeat")
    fault(server, "stall", prefix="/api/v1/events")
    other = server.stream("/workers/stream")
    # Another stream's heartbeats go on; this one's wait in its buffer.
    for _ in range(2):
        other.until(lambda frame: frame.event == "heartbeat")
    inside = next(reader for reader in server.context.hub.readers() if reader.key == "events")
    assert inside.pending >= 1
    fault(server, "clear")
    assert stream.next() is not None
    stream.close()
    other.close()


def test_stall_of_one_stream_leaves_the_others_of_its_connection_alone(server: Running) -> None:
    both = Both(server)
    fault(server, "stall", stream="apis/events")
    publish(server, 1, 2)
    for _ in range(2):
        frames = both.many.until(lambda name, frame: (name, frame.event) == ("events", "heartbeat"))
        assert all(name != "apis/events" for name, _ in frames)
    fault(server, "clear")
    assert ids(both.data(2)) == ["r1", "r2"]
    both.close()


def test_a_stalled_stream_of_many_is_bounded_and_told_of_its_hole(server: Running) -> None:  # RT-38
    many = Many(server, "apis/events", "events")
    many.of("apis/events", "hello")
    fault(server, "stall", stream="apis/events")
    for start in range(0, 400, 50):
        publish(server, *range(start, start + 50))
        many.of("events", "heartbeat") if start % 200 == 0 else None
    many.of("events", "heartbeat")
    fault(server, "clear")
    many.of("apis/events", "reset")
    publish(server, 1000)
    many.until(lambda name, frame: frame.event == "message" and frame.data["request"]["id"] == "r1000")
    many.close()


def test_a_fault_for_some_seconds_ends_by_itself(server: Running) -> None:
    fault(server, "stall", prefix="/api/v1/events", seconds=0.05)
    stream = server.stream("/events/stream")
    assert stream.next() is not None
    fault(server, "stall", stream="workers", seconds=0.05)
    many = Many(server, "workers")
    many.of("workers", "hello")
    assert hits(server) == []
    stream.close()
    many.close()


def test_delay_makes_answers_and_frames_late(server: Running) -> None:
    both = Both(server)
    fault(server, "delay", prefix="/api/v1/jobs", ms=120, count=1)
    began = time.monotonic()
    assert server.http.get("/api/v1/jobs").status_code == 200
    assert time.monotonic() - began >= 0.12
    fault(server, "delay", stream="apis/events", ms=150)
    began = time.monotonic()
    publish(server, 1, 2)
    assert ids(both.data(2)) == ["r1", "r2"]
    assert time.monotonic() - began >= 0.15
    both.close()


def test_garble_makes_frames_no_json(server: Running) -> None:
    many = Many(server, "apis/events")
    many.of("apis/events", "hello")
    single = server.stream("/apis/events/stream")
    single.until(lambda frame: frame.event == "hello")
    fault(server, "garble", stream="apis/events", count=2)
    publish(server, 1)
    for stream in (single, many.raw):
        with pytest.raises(json.JSONDecodeError):
            stream.until(lambda frame: frame.event == "message" and "request" in frame.data.get("data", frame.data))
    assert hits(server) == [], "it has run out"
    publish(server, 2)
    assert ids(single.data(1)) == ["r2"]
    assert many.of("apis/events", "message").data["request"]["id"] == "r2"
    again = server.stream(f"/apis/events/stream?last_event_id={server.context.hub.epoch}:{single_sequence(server) - 2}")
    assert ids(again.data(2)) == ["r1", "r2"], "the ring knows nothing of it"
    for each in (single, many, again):
        each.close()


def single_sequence(server: Running) -> int:
    return int(server.http.get("/api/v1/apis/events").headers["x-penstock-position"].rpartition(":")[2])


def test_garble_makes_values_of_wrong_types_and_answers_no_json(server: Running) -> None:
    both = Both(server)
    fault(server, "garble", stream="apis/events", form="types")
    publish(server, 1)
    assert both.data(1)[0].data == {"type": {"garbled": True}, "at": {"garbled": True}, "request": "garbled"}
    fault(server, "garble", prefix="/api/v1/workers", count=1)
    answer = server.http.get("/api/v1/workers")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    with pytest.raises(json.JSONDecodeError):
        answer.json()
    fault(server, "garble", prefix="/api/v1/workers", count=1, form="types")
    assert server.http.get("/api/v1/workers").json() == {"workers": "garbled", "total": {"garbled": True}}
    assert isinstance(server.http.get("/api/v1/workers").json()["workers"], list)
    both.close()


def test_duplicate_says_frames_twice(server: Running) -> None:
    both = Both(server)
    fault(server, "duplicate", stream="apis/events")
    publish(server, 1)
    met(server, 2)
    fault(server, "clear")
    publish(server, 2)
    said = both.data(3)
    assert ids(said) == ["r1", "r1", "r2"]
    assert said[0] == said[1]
    both.close()


def test_reorder_swaps_neighbours_and_loses_nothing(server: Running) -> None:
    both = Both(server)
    fault(server, "reorder", stream="apis/events")
    publish(server, 1, 2, 3, 4)
    assert ids(both.data(4)) == ["r2", "r1", "r4", "r3"]
    # A stream that seldom speaks: the neighbour may be long in coming, and is swapped all the same.
    publish(server, 5)
    publish(server, 6)
    assert ids(both.data(2)) == ["r6", "r5"]
    # The last one has no neighbour: the end of the fault lets it go.
    publish(server, 7)
    fault(server, "clear")
    assert ids(both.data(1)) == ["r7"]
    both.close()


def test_skip_loses_a_frame_whose_number_is_counted(server: Running) -> None:
    both = Both(server)
    before = single_sequence(server)
    fault(server, "skip", stream="apis/events")
    publish(server, 1)
    met(server, 2)
    fault(server, "clear")
    publish(server, 2)
    said = both.data(1)
    assert (ids(said), said[0].sequence) == (["r2"], before + 2)
    both.close()


def test_frame_faults_of_a_path_concern_every_stream_of_a_connection(server: Running) -> None:
    both = Both(server)
    fault(server, "skip", prefix="/api/v1/streams", count=1)
    publish(server, 1, 2)
    assert ids(both.single.data(2)) == ["r1", "r2"]
    assert both.many.of("apis/events", "message").data["request"]["id"] == "r2"
    assert hits(server) == []
    both.close()


def test_restart_begins_a_new_epoch_and_no_resume_succeeds(server: Running) -> None:  # RT-30
    both = Both(server)
    publish(server, 1)
    last = both.data(1)[0]
    epoch = server.context.hub.epoch
    assert fault(server, "restart")["dropped"] == 2
    rest(both.single)
    rest(both.many.raw)
    both.close()
    assert server.context.hub.epoch != epoch
    assert server.http.get("/api/v1/config").json()["server"]["epoch"] == server.context.hub.epoch
    assert server.http.get("/api/v1/apis/events").headers["x-penstock-position"] == f"{server.context.hub.epoch}:0"
    again = server.stream(f"/apis/events/stream?last_event_id={last.id}")
    hello = again.next()
    assert hello is not None
    assert (hello.data["resumed"], hello.data["epoch"], hello.data["sequence"]) == (False, server.context.hub.epoch, 0)
    publish(server, 2)
    assert again.data(1)[0].id == f"{server.context.hub.epoch}:1"
    again.close()


def test_while_the_store_is_down_streams_open_fail_and_end_and_answers_are_500(server: Running) -> None:  # RT-24
    both = Both(server)
    assert fault(server, "store", prefix="/api/v1/")["dropped"] == 2
    assert rest(both.single)[-1] == Frame("error", "", {"error": "stream disconnected"})
    assert rest(both.many.raw)[-1].event == "error"
    for path in ("/api/v1/events/stream", "/api/v1/streams"):
        for _ in range(2):
            answer = server.http.get(path)
            assert answer.status_code == 200
            assert answer.headers["content-type"].startswith("text/event-stream")
            assert answer.text == 'event: open\ndata: connected\n\nevent: error\ndata: {"error": "stream disconnected"}\n\n'
    answer = server.http.get("/api/v1/jobs")
    assert (answer.status_code, answer.text) == (500, "Internal Server Error")
    fault(server, "clear")
    assert server.http.get("/api/v1/jobs").status_code == 200
    both.close()


def test_the_store_of_one_stream_can_be_down(server: Running) -> None:
    both = Both(server)
    assert fault(server, "store", stream="apis/events")["dropped"] == 2
    assert rest(both.single)[-1].event == "error"
    assert both.many.of("apis/events", "refused").data["status"] == 503
    both.many.of("events", "heartbeat")
    both.close()


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ('{"fault":"explode"}', "fault: Input should be"),
        ('{"fault":"delay"}', "delay needs ms"),
        ('{"fault":"skip","ms":5}', "ms belongs to delay only"),
        ('{"fault":"skip","stream":"no/such"}', "There is no stream 'no/such' here."),
        ('{"fault":"skip","stream":"events","prefix":"/"}', "give a prefix of paths or a stream's key, not both"),
        ('{"fault":"skip","count":0}', "count: "),
        ('{"fault":"skip","what":1}', "what: "),
        ("[", "Invalid JSON"),
    ],
)
def test_a_wrong_wish_is_422_with_a_sentence_and_changes_nothing(server: Running, body: str, sentence: str) -> None:
    answer = server.http.post("/__faults__", content=body)
    assert answer.status_code == 422
    detail = answer.json()["detail"]
    assert detail.startswith("No fault is changed: ")
    assert sentence.removesuffix(".") in detail
    assert server.http.get("/__faults__").json() == {"faults": [], "total": 0}


def test_what_is_in_force_is_listed_with_how_often_it_was_met(server: Running) -> None:
    fault(server, "404", prefix="/api/v1/jobs", seconds=60)
    fault(server, "skip", stream="jobs/trends?hours=24", count=3)
    server.http.get("/api/v1/jobs")
    server.http.get("/api/v1/jobs/stats")
    first, second = server.http.get("/__faults__").json()["faults"]
    assert 0 < first.pop("seconds") <= 60
    assert first == {"fault": "404", "prefix": "/api/v1/jobs", "count": None, "hits": 2}
    assert second == {"fault": "skip", "stream": "jobs/trends", "count": 3, "seconds": None, "hits": 0}


def test_without_the_option_nothing_of_it_is_served(tmp_path: Path) -> None:
    with running(sim(tmp_path)) as server:
        assert server.http.get("/__streams__").status_code == 404
        assert server.http.post("/__faults__", json={"fault": "clear"}).status_code in (404, 405)
