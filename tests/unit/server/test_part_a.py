"""The server made of recordings: what it says is what was recorded."""

import http.client
from collections.abc import Iterator

import httpx
import part_a
import pytest
from part_a import KEY, PartA, State

from .running import DEADLINE_S, until

FOLDER = part_a.recordings()
pytestmark = pytest.mark.skipif(FOLDER is None, reason=part_a.MISSING)

BROKEN = b'event: open\ndata: connected\n\nevent: error\ndata: {"error": "stream disconnected"}\n\n'


@pytest.fixture
def server() -> Iterator[PartA]:
    with PartA(factor=200) as it:
        yield it


def get(server: PartA, path: str, **headers: str) -> httpx.Response:
    return httpx.get(f"{server.url}{path}", headers=headers, timeout=DEADLINE_S)


def recorded(name: str) -> bytes:
    assert FOLDER is not None
    return (FOLDER / name).read_bytes()


class Stream:
    """A stream's bytes."""

    def __init__(self, server: PartA, path: str, **headers: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=DEADLINE_S)
        self._connection.request("GET", f"/api/v1{path}", headers=headers)
        self.answer = self._connection.getresponse()

    def read(self, count: int | None = None) -> bytes:
        return self.answer.read(count) if count is not None else self.answer.read()

    def close(self) -> None:
        self.answer.close()
        self._connection.close()


def test_answers_are_verbatim_and_an_unknown_query_gets_its_paths(server: PartA) -> None:
    answer = get(server, "/api/v1/jobs/job_nope")
    assert (answer.status_code, answer.content) == (404, recorded("job_404.json"))
    assert get(server, "/api/v1/dashboard/stats?window_minutes=15").content == recorded("dashboard.stats.json")
    assert get(server, "/api/v1/jobs/trends?hours=169").status_code == 422
    assert get(server, "/api/v1/config").status_code == 404
    assert "access-control-allow-origin" not in answer.headers
    assert get(server, "/health", Origin="http://other.site").headers["access-control-allow-origin"] == "*"
    assert server.requests[0] == "GET /api/v1/jobs/job_nope"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/events/stream", "events.stream"),
        ("/apis/stream", "apis.stream"),
        ("/apis/events/stream", "apis.events.stream"),
        ("/apis/events/stream?api_name=x", "apis.events.stream.filtered"),
        ("/apis/trends/stream?hours=24", "apis.trends.stream"),
        ("/apis/any/stream", "apis.name.stream"),
        ("/workers/stream", "workers.stream"),
        ("/jobs/trends/stream", "jobs.trends.stream"),
        ("/jobs/trends/stream?type=task", "jobs.trends.stream.task"),
        ("/jobs/any/artifacts/stream", "jobs.artifacts.stream"),
    ],
)
def test_a_healthy_stream_is_the_recorded_one_byte_for_byte(server: PartA, path: str, name: str) -> None:
    whole = recorded(f"{name}.sse")
    stream = Stream(server, path)
    assert stream.answer.getheader("content-type") == "text/event-stream; charset=utf-8"
    assert stream.answer.getheader("cache-control") == "no-cache"
    assert stream.read(len(whole)) == whole
    assert server.streams == 1
    stream.close()
    until(lambda: server.streams == 0, "it is forgotten")


def test_at_rest_there_are_comments_and_on_a_filtered_stream_not_even_those(server: PartA) -> None:
    server.change("idle")
    stream = Stream(server, "/jobs/x/artifacts/stream")
    said = b"event: open\ndata: connected\n\n" + b": keep-alive\n\n" * 3
    assert stream.read(len(said)) == said
    stream.close()
    # Where a chunk was recorded in part, a whole frame stands for it.
    stream = Stream(server, "/workers/stream")
    first = b"event: open\ndata: connected\n\n" + recorded("workers.stream.sse").split(b"\n\n")[1] + b"\n\n"
    assert stream.read(len(first)) == first
    stream.close()


@pytest.mark.parametrize("path", ["/events/stream", "/workers/stream", "/jobs/trends/stream", "/apis/trends/stream"])
def test_a_store_that_stops_ends_every_stream_with_an_error_each_time(server: PartA, path: str) -> None:  # RT-24
    server.change("redis-stop")
    for _ in range(2):
        stream = Stream(server, path)
        said = stream.read()
        assert said.startswith(b"event: open\ndata: connected\n\n")
        assert said.endswith(b'event: error\ndata: {"error": "stream disconnected"}\n\n')
        assert all(frame.startswith((b"event: ", b"data: ", b": ")) for frame in said.split(b"\n\n") if frame)
        stream.close()


def test_without_its_store_streams_open_fail_and_end_and_answers_are_500(server: PartA) -> None:  # RT-24
    server.change("redis-down")
    stream = Stream(server, "/workers/stream")
    assert stream.read() == BROKEN
    stream.close()
    for path in ("/workers", "/apis", "/functions", "/dashboard/stats?window_minutes=60", "/events/stream"):
        answer = get(server, f"/api/v1{path}")
        assert (answer.status_code, answer.text, answer.headers["content-type"]) == (
            *(500, "Internal Server Error"),
            "text/plain; charset=utf-8",
        )
    assert get(server, "/api/v1/jobs?limit=50").json() == {"jobs": [], "total": 0, "has_more": False, "next_cursor": None}


def test_never_having_had_one_it_says_503(server: PartA) -> None:
    server.change("no-redis")
    sentence = {"detail": "Redis not connected. Call connect_redis() first."}
    for path in ("/events/stream", "/jobs/any/artifacts/stream", "/workers/any"):
        answer = get(server, f"/api/v1{path}")
        assert (answer.status_code, answer.json()) == (503, sentence)
    assert httpx.post(f"{server.url}/api/v1/jobs/any/cancel").json() == sentence
    assert get(server, "/api/v1/dashboard/stats").status_code == 500
    assert get(server, "/api/v1/workers").json() == {"workers": [], "total": 0}


def test_with_sign_in_a_key_is_wanted(server: PartA) -> None:
    server.change("auth")
    right = {"Authorization": f"Bearer {KEY}"}
    assert get(server, "/api/v1/auth/status").json() == {"auth_enabled": True}
    for path in ("/jobs?limit=1", "/events/stream"):
        answer = get(server, f"/api/v1{path}")
        assert (answer.status_code, answer.json()) == (401, {"detail": "Missing or invalid Authorization header"})
        assert get(server, f"/api/v1{path}", Authorization="Bearer wrong").json() == {"detail": "Invalid API key"}
    assert get(server, "/api/v1/workers", **right).content == recorded("workers.list.json")
    said = b"event: open\ndata: connected\n\n: keep-alive\n\n"
    stream = Stream(server, "/events/stream", **right)
    assert stream.read(len(said)) == said
    asked = {"Origin": "http://x", "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
    preflight = httpx.options(f"{server.url}/api/v1/jobs", headers=asked)
    assert preflight.headers["access-control-allow-headers"] == "authorization"
    stream.close()


@pytest.mark.parametrize("state", part_a.STATES)
def test_another_state_cuts_open_streams(server: PartA, state: State) -> None:
    stream = Stream(server, "/events/stream")
    assert stream.read(5) == b"event"
    server.change(state)
    with pytest.raises((ConnectionResetError, http.client.IncompleteRead)):
        stream.read()
    stream.close()


def test_it_ends_by_itself() -> None:
    with PartA(lifetime_s=0.05) as server:
        until(lambda: not server._thread.is_alive(), "it ends")  # pyright: ignore[reportPrivateUsage]
