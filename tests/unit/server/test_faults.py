"""The faults that tests ask for, and that they are served only with ``--faults``."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from .running import Running, running, sim


@pytest.fixture(autouse=True)
def cleared(server: Running) -> Iterator[None]:
    yield
    server.http.post("/__faults__", json={"fault": "clear"})


def test_unavailable_is_503_so_many_times(server: Running) -> None:
    server.http.post("/__faults__", json={"fault": "unavailable", "prefix": "/api/v1/jobs", "count": 2})
    assert [server.http.get("/api/v1/jobs").status_code for _ in range(3)] == [503, 503, 200]
    assert server.http.get("/api/v1/workers").status_code == 200


def test_drop_cuts_open_streams_and_the_connections_of_new_requests(server: Running) -> None:
    stream = server.stream("/events/stream")
    stream.until(lambda frame: frame.event == "hello")
    wanted = {"fault": "drop", "prefix": "/api/v1/events", "count": 1}
    assert server.http.post("/__faults__", json=wanted).json()["dropped"] == 1
    while stream.next() is not None:
        pass
    with pytest.raises(httpx.RemoteProtocolError):
        server.http.get("/api/v1/events/stream")
    again = server.stream("/events/stream")
    assert again.next() is not None
    stream.close()
    again.close()


def test_stall_keeps_streams_open_and_silent_until_cleared(server: Running) -> None:
    stream = server.stream("/events/stream")
    stream.until(lambda frame: frame.event == "heartbeat")
    server.http.post("/__faults__", json={"fault": "stall", "prefix": "/api/v1/events"})
    other = server.stream("/workers/stream")
    # Another stream's heartbeats go on; this one's wait in its buffer.
    for _ in range(2):
        other.until(lambda frame: frame.event == "heartbeat")
    inside = next(reader for reader in server.context.hub.readers() if reader.key == "events")
    assert inside.pending >= 1
    server.http.post("/__faults__", json={"fault": "clear"})
    assert stream.next() is not None
    stream.close()
    other.close()


def test_a_fault_for_some_seconds_ends_by_itself(server: Running) -> None:
    server.http.post("/__faults__", json={"fault": "stall", "prefix": "/api/v1/events", "seconds": 0.05})
    stream = server.stream("/events/stream")
    assert stream.next() is not None
    stream.close()


def test_without_the_option_nothing_of_it_is_served(tmp_path: Path) -> None:
    with running(sim(tmp_path)) as server:
        assert server.http.get("/__streams__").status_code == 404
        assert server.http.post("/__faults__", json={"fault": "clear"}).status_code in (404, 405)
