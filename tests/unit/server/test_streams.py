"""Streams over a real socket: framing, resume, heartbeats, throttle, backpressure, goodbye."""

import contextlib
import time
from pathlib import Path

import pytest
from pydantic import BaseModel, TypeAdapter

from pyapp.contract import events
from pyapp.contract.frames import Bye, Heartbeat, Hello, Reset
from server_stub import changes as c
from server_stub.connection import CAPACITY
from server_stub.encoding import EncodeCounter
from server_stub.frames import Frame as Sent
from server_stub.hub import RING
from server_stub.moments import now_us
from server_stub.routes.streams import STREAMS

from .running import Frame, Running, plug, sim, until

EVENT: TypeAdapter[BaseModel] = TypeAdapter(events.AnyEvent)


def request(number: int, api: str = "fill-api", path: str = "/fill") -> c.Requested:
    return c.Requested(f"fill-{number}", now_us(), api, "GET", path, 200, 1.0)


def publish(server: Running, *changes: c.Change) -> None:
    server.do(server.context.journal.commit(*changes))


@pytest.mark.parametrize("path", [path for path, _ in STREAMS])
def test_every_stream_begins_with_hello_and_is_not_taken_for_another_route(server: Running, path: str) -> None:
    stream = server.stream(path.replace("{name}", "shop-api").replace("{job_id}", "job_1"))
    assert stream.status == 200
    assert stream.headers["content-type"] == "text/event-stream; charset=utf-8"
    first = stream.next()
    assert first is not None
    assert first.event == "hello"
    hello = Hello.model_validate(first.data)
    assert (hello.epoch, hello.heartbeat_ms, hello.resumed) == (server.context.hub.epoch, 250, False)
    expected = {
        "/apis/stream": "apis.snapshot",
        "/apis/trends/stream": "apis.trends.snapshot",
        "/apis/{name}/stream": "api.snapshot",
        "/workers/stream": "workers.snapshot",
        "/jobs/trends/stream": "jobs.trends.snapshot",
    }.get(path)
    if expected is not None:
        snapshot = stream.data(1)[0]
        EVENT.validate_python(snapshot.data)
        assert snapshot.data["type"] == expected
        assert snapshot.sequence >= 1
    stream.close()


def test_ids_rise_by_one_and_every_reader_gets_the_same_bytes_encoded_once(server: Running) -> None:
    readers = [server.stream("/apis/events/stream") for _ in range(20)]
    for reader in readers:
        reader.until(lambda frame: frame.event == "hello")
    before = EncodeCounter.total
    publish(server, *(request(number) for number in range(50)))
    frames = [reader.data(50) for reader in readers]
    assert all(each == frames[0] for each in frames)
    first = frames[0][0].sequence
    assert [frame.sequence for frame in frames[0]] == list(range(first, first + 50))
    assert EncodeCounter.total - before == 50  # nobody reads a snapshot stream here
    for reader in readers:
        reader.close()


def test_a_filtered_stream_has_a_sequence_of_its_own_without_holes(server: Running) -> None:
    mine = server.stream("/apis/events/stream?api_name=mine")
    mine.until(lambda frame: frame.event == "hello")
    publish(server, *(request(number, "mine" if number % 3 == 0 else "other") for number in range(9)))
    assert [frame.sequence for frame in mine.data(3)] == [1, 2, 3]
    assert server.http.get("/api/v1/apis/events?api_name=mine").headers["x-penstock-position"].endswith(":3")
    mine.close()


def test_a_resume_gives_exactly_what_was_missed(server: Running) -> None:  # RT-27
    first = server.stream("/apis/events/stream")
    first.until(lambda frame: frame.event == "hello")
    publish(server, request(1))
    last = first.data(1)[0]
    first.close()
    publish(server, request(2), request(3))
    for headers, query in (({"Last-Event-ID": last.id}, ""), ({}, f"?last_event_id={last.id}")):
        again = server.stream(f"/apis/events/stream{query}", headers)
        hello = again.next()
        assert hello is not None
        assert hello.data["resumed"] is True
        assert [frame.data["request"]["id"] for frame in again.data(2)] == ["fill-2", "fill-3"]
        again.close()


@pytest.mark.parametrize("stale", ["too old", "another epoch", "from the future", "nonsense"])
def test_what_cannot_be_resumed_says_so(server: Running, stale: str) -> None:  # RT-27
    reader = server.stream("/apis/events/stream")
    reader.until(lambda frame: frame.event == "hello")
    publish(server, request(0))
    last = reader.data(1)[0]
    reader.close()
    if stale == "too old":
        publish(server, *(request(number) for number in range(RING + 1)))
    epoch = server.context.hub.epoch
    given = {
        "too old": last.id,
        "another epoch": f"00000000:{last.sequence}",
        "from the future": f"{epoch}:999999999",
        "nonsense": "%F0%9F%92%A5",
    }[stale]
    again = server.stream(f"/apis/events/stream?last_event_id={given}")
    hello = again.next()
    assert hello is not None
    assert hello.data["resumed"] is False
    again.close()


def test_a_snapshot_stream_that_cannot_resume_begins_with_a_fresh_snapshot(server: Running) -> None:  # RT-27
    first = server.stream("/workers/stream")
    snapshot = first.data(1)[0]
    first.close()
    again = server.stream("/workers/stream?last_event_id=00000000:1")
    frames = again.until(lambda frame: frame.event == "message")
    assert [frame.event for frame in frames] == ["hello", "message"]
    assert frames[1].sequence >= snapshot.sequence
    again.close()


def test_heartbeats_come_in_time_and_carry_the_last_sequence(server: Running) -> None:  # RT-26, RT-28
    reader = server.stream("/apis/events/stream")
    reader.until(lambda frame: frame.event == "hello")
    publish(server, request(1), request(2))
    last = reader.data(2)[1]
    began = time.monotonic()
    beats = [reader.until(lambda frame: frame.event == "heartbeat")[-1] for _ in range(3)]
    assert time.monotonic() - began < 2.0
    assert {Heartbeat.model_validate(beat.data).sequence for beat in beats} == {last.sequence}
    reader.close()


def test_snapshots_are_throttled_and_the_last_is_never_lost(server: Running) -> None:
    reader = server.stream("/apis/stream")
    reader.data(1)
    began = time.monotonic()
    for number in range(40):
        publish(server, request(number, "burst-api"))

    def complete(frame: Frame) -> bool:
        if frame.event != "message":
            return False
        return any(api["name"] == "burst-api" and api["requests_24h"] == 40 for api in frame.data["apis"]["apis"])

    snapshots = [frame for frame in reader.until(complete) if frame.event == "message"]
    interval_s = server.settings.times.snapshot_interval_s
    assert len(snapshots) <= (time.monotonic() - began) / interval_s + 2
    reader.close()


def test_a_snapshot_that_says_nothing_new_is_not_sent(server: Running) -> None:
    reader = server.stream("/jobs/trends/stream?hours=2")
    reader.data(1)
    # Several refreshes and heartbeats go by (250 ms each).
    frames = [reader.next() for _ in range(3)]
    assert [frame.event for frame in frames if frame is not None] == ["heartbeat"] * 3
    reader.close()


def test_a_slow_reader_is_bounded_told_of_the_hole_and_goes_on(server: Running) -> None:  # RT-38
    client = plug(server.port, "/api/v1/apis/events/stream")
    slow = until(
        lambda: next((r for r in server.context.hub.readers() if r.key == "apis/events" and r.sent), None),
        "it is open",
    )
    long = "/" + "x" * 8_000
    sent = 0
    while slow.resets == 0:
        publish(server, *(request(sent + number, path=long) for number in range(100)))
        sent += 100
        assert slow.pending <= CAPACITY
        assert sent < 20_000, "the buffers of the sockets are bounded"
    publish(server, *(request(sent + number, path=long) for number in range(100)))
    assert slow.pending == 0, "while it lags nothing is kept"
    received = b""
    while b"event: reset\n" not in received:
        received += client.recv(1 << 20)
    publish(server, request(-1))
    while b'"fill--1"' not in received:
        received += client.recv(1 << 20)
    reset = received.partition(b"event: reset\ndata: ")[2].partition(b"\n")[0]
    assert Reset.model_validate_json(reset).reason == "backpressure"
    client.close()


def test_a_slow_reader_of_snapshots_goes_on_from_a_snapshot(server: Running) -> None:  # RT-38
    reader = server.stream("/workers/stream")
    reader.data(1)
    inside = next(r for r in server.context.hub.readers() if r.key == "workers")

    def overflow() -> None:
        for _ in range(CAPACITY + 1):
            inside.offer(Sent(b'"workers"', "filler", b"{}"))

    server.loop.call_soon_threadsafe(overflow)
    frames = reader.until(lambda frame: frame.event == "reset")
    assert frames[-1].data == {"reason": "backpressure"}
    assert reader.data(1)[0].data["type"] == "workers.snapshot"
    reader.close()


def test_a_client_that_leaves_is_forgotten(server: Running) -> None:
    reader = server.stream("/events/stream?x=1", {"X-Penstock-Client": "tab-7"})
    reader.until(lambda frame: frame.event == "hello")
    mine = [each for each in server.http.get("/__streams__").json()["streams"] if each["client"] == "tab-7"]
    assert [(each["key"], each["path"], each["query"]) for each in mine] == [("events", "/api/v1/events/stream", "x=1")]
    reader.close()

    def gone() -> bool:
        return all(each["client"] != "tab-7" for each in server.http.get("/__streams__").json()["streams"])

    until(gone, "the stream is forgotten")


def test_shutdown_says_bye_and_closes_within_two_seconds(tmp_path: Path) -> None:  # RT-38
    server = Running(sim(tmp_path))
    readers = [server.stream("/events/stream"), server.stream("/workers/stream")]
    stuck = plug(server.port, "/api/v1/events/stream")
    for reader in readers:
        reader.until(lambda frame: frame.event == "hello")
    until(lambda: len(server.context.hub.readers()) == 3, "all are open")
    assert server.stop() < 2.0
    for reader in readers:
        last = reader.until(lambda frame: frame.event == "bye")[-1]
        assert Bye.model_validate(last.data).retry_ms == 50
        assert reader.next() is None
        reader.close()
    with contextlib.suppress(ConnectionResetError):
        while stuck.recv(65_536):
            pass
    stuck.close()
