"""``--contract a``: a living server that speaks part A of the contract only."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from server_stub import changes as c
from server_stub.connection import CAPACITY
from server_stub.frames import Frame
from server_stub.moments import now_us

from .running import DEADLINE_S, Running, running, sim, until

OPEN = b"event: open\ndata: connected\n\n"


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(sim(tmp_path_factory.mktemp("a"), faults=True, contract="a")) as it:
        yield it


class Raw:
    """The bytes of a stream, without its chunks' sizes."""

    def __init__(self, server: Running, path: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", server.port), DEADLINE_S)
        self._socket.sendall(f"GET /api/v1{path} HTTP/1.0\r\nHost: 127.0.0.1\r\nOrigin: http://other.site\r\n\r\n".encode())
        self.body = b""
        self.head = self._until(b"\r\n\r\n")

    def _until(self, end: bytes) -> bytes:
        while end not in self.body:
            chunk = self._socket.recv(65_536)
            assert chunk, self.body
            self.body += chunk
        found, _, self.body = self.body.partition(end)
        return found + end

    def frame(self) -> bytes:
        return self._until(b"\n\n")

    def rest(self) -> bytes:
        while chunk := self._socket.recv(65_536):
            self.body += chunk
        return self.body

    def close(self) -> None:
        self._socket.close()


def test_a_stream_says_open_then_data_without_ids_and_comments_in_silence(plain: Running) -> None:
    stream = Raw(plain, "/apis/events/stream?last_event_id=x:1")
    assert b"access-control-allow-origin: *" in stream.head.lower()
    assert b"allow-credentials" not in stream.head.lower()
    assert stream.frame() == OPEN
    assert stream.frame() == b": keep-alive\n\n"
    plain.do(plain.context.journal.commit(c.Requested("a1", now_us(), "x", "GET", "/", 200, 1.0)))
    said = stream.frame()
    assert said.startswith(b'data: {"type":"api.request","at":"')
    assert said.endswith(b"}\n\n")
    stream.close()


def test_a_snapshot_stream_begins_with_a_snapshot_and_sends_one_per_change(plain: Running) -> None:
    stream = Raw(plain, "/apis/stream")
    assert stream.frame() == OPEN
    assert stream.frame().startswith(b'data: {"type":"apis.snapshot",')
    for number in range(5):
        plain.do(plain.context.journal.commit(c.Requested(f"s{number}", now_us(), "y", "GET", "/", 200, 1.0)))
        while (frame := stream.frame()) == b": keep-alive\n\n":
            pass
        assert f'"requests_24h":{number + 1},'.encode() in frame
    stream.close()


def test_a_filtered_stream_says_nothing_in_silence(plain: Running) -> None:
    filtered, other = Raw(plain, "/apis/events/stream?api_name=z"), Raw(plain, "/workers/stream")
    assert filtered.frame() == OPEN
    keep_alives = 0
    while keep_alives < 2:
        keep_alives += other.frame() == b": keep-alive\n\n"
    plain.do(plain.context.journal.commit(c.Requested("z1", now_us(), "z", "GET", "/", 200, 1.0)))
    assert filtered.frame().startswith(b"data: ")
    filtered.close()
    other.close()


def test_nothing_of_part_b_is_there(plain: Running) -> None:
    for path in ("config", "streams", "streams?want=[]"):
        assert plain.http.get(f"/api/v1/{path}").status_code == 404
    answer = plain.http.get("/api/v1/jobs", headers={"Origin": "http://other.site"})
    assert answer.status_code == 200
    assert not {"etag", "x-penstock-position", "access-control-allow-credentials"} & set(answer.headers)
    assert answer.headers["access-control-allow-origin"] == "*"


def test_any_site_may_ask_and_change(plain: Running) -> None:
    asked = {"Origin": "http://other.site", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    answer = plain.http.options("/api/v1/jobs/x/cancel", headers=asked)
    assert (answer.status_code, answer.text) == (200, "OK")
    assert answer.headers["access-control-allow-headers"] == "authorization"
    assert plain.http.post("/api/v1/jobs/x/cancel", headers={"Origin": "http://other.site"}).status_code == 404


def test_a_failure_is_said_and_is_the_end(plain: Running) -> None:  # RT-24
    stream = Raw(plain, "/events/stream")
    assert stream.frame() == OPEN
    plain.http.post("/__faults__", json={"fault": "store"})
    assert stream.rest().endswith(b'event: error\ndata: {"error": "stream disconnected"}\n\n')
    again = Raw(plain, "/events/stream")
    assert again.rest() == OPEN + b'event: error\ndata: {"error": "stream disconnected"}\n\n'
    assert (plain.http.get("/api/v1/workers").status_code, plain.http.get("/api/v1/workers").text) == (500, "Internal Server Error")
    plain.http.post("/__faults__", json={"fault": "clear"})
    stream.close()
    again.close()


def test_a_reader_too_slow_fails_because_part_a_has_no_word_for_a_hole(plain: Running) -> None:  # RT-38
    until(lambda: not plain.context.hub.connections(), "the clients of the tests before have left")
    stream = Raw(plain, "/apis/events/stream")
    assert stream.frame() == OPEN
    inside = plain.context.hub.readers()[0]

    def overflow() -> None:
        for _ in range(CAPACITY + 1):
            inside.offer(Frame(b'""', "message", b"{}"))

    plain.loop.call_soon_threadsafe(overflow)
    assert stream.rest().endswith(b'event: error\ndata: {"error": "stream disconnected"}\n\n')
    stream.close()


def test_at_its_end_the_server_says_nothing(tmp_path: Path) -> None:
    server = Running(sim(tmp_path, contract="a"))
    stream = Raw(server, "/apis/events/stream")
    assert stream.frame() == OPEN
    assert server.stop() < 2.0
    assert stream.rest().replace(b": keep-alive\n\n", b"") == b""
    stream.close()
