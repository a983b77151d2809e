"""Many streams on one connection, over a real socket: envelopes, refusals, changes of the set, bounds, goodbye."""

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from pyapp.contract.frames import Bye, Heartbeat, Hello
from server_stub import changes as c
from server_stub import keys
from server_stub.connection import CAPACITY, Connection
from server_stub.encoding import EncodeCounter, encode
from server_stub.frames import Frame as Sent
from server_stub.moments import now_us
from server_stub.routes.multiplexed import MAX_STREAMS
from server_stub.settings import Limits

from .running import DEADLINE_S, Frame, Running, StreamClient, running, sim, until

HOSTILE = 'a","data":{"x":1},"'


def request(number: int, api: str = "fill-api", path: str = "/fill") -> c.Requested:
    return c.Requested(f"many-{number}", now_us(), api, "GET", path, 200, 1.0)


def publish(server: Running, *changes: c.Change) -> None:
    server.do(server.context.journal.commit(*changes))


class Many:
    """A multiplexed connection: ``hello`` first, then envelopes as frames of their streams."""

    def __init__(self, server: Running, *wanted: str | tuple[str, str], headers: dict[str, str] | None = None) -> None:
        self._server = server
        self._headers = headers or {}
        want = json.dumps([_wanted(each) for each in wanted])
        self.raw = StreamClient(server.port, f"/api/v1/streams?want={quote(want)}", headers)
        assert self.raw.status == 200
        first = self.raw.next()
        assert first is not None
        assert first.event == "hello"
        self.hello = first.data
        self.id: str = first.data["connection"]

    def until(self, condition: Callable[[str, Frame], bool]) -> list[tuple[str, Frame]]:
        """What each stream said, up to and with the first that meets ``condition``."""
        found: list[tuple[str, Frame]] = []

        def meets(frame: Frame) -> bool:
            if frame.event != "message":
                return condition("", frame)
            data = frame.data
            assert list(data) == ["stream", "id", "event", "data"]
            found.append((data["stream"], Frame(data["event"], data["id"], data["data"])))
            return condition(*found[-1])

        self.raw.until(meets)
        return found

    def of(self, stream: str, event: str) -> Frame:
        """The next frame of that kind of a stream."""
        return self.until(lambda name, frame: (name, frame.event) == (stream, event))[-1][1]

    def change(self, *, add: tuple[str | tuple[str, str], ...] = (), remove: tuple[str, ...] = (), **headers: str) -> httpx.Response:
        """POST a change of the set."""
        body = {"add": [_wanted(each) for each in add], "remove": list(remove)}
        return self._server.http.post(f"/api/v1/streams/{self.id}", json=body, headers=self._headers | headers)

    def close(self) -> None:
        self.raw.close()


def _wanted(each: str | tuple[str, str]) -> dict[str, str]:
    return {"stream": each} if isinstance(each, str) else {"stream": each[0], "last_event_id": each[1]}


@pytest.fixture(autouse=True)
def quiet(server: Running) -> None:
    """No test sees a connection of the one before."""
    until(lambda: not server.context.hub.connections(), "the clients of the test before have left")


def connections(server: Running) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.http.get("/__streams__").json()["connections"]
    return found


def test_the_connection_says_who_it_is_and_each_stream_begins_as_on_a_connection_of_its_own(server: Running) -> None:  # RT-26
    many = Many(server, "events", "workers", "jobs/trends?hours=48")
    times = server.settings.times
    assert many.hello["epoch"] == server.context.hub.epoch
    assert (many.hello["heartbeat_ms"], many.hello["retry_ms"]) == (250, times.retry_ms)
    assert set(many.hello) == {"connection", "epoch", "at", "heartbeat_ms", "retry_ms"}
    said: dict[str, list[Frame]] = {"events": [], "workers": [], "jobs/trends?hours=48": []}
    wanted = {("workers", "message"), ("jobs/trends?hours=48", "message"), ("events", "hello")}
    seen: set[tuple[str, str]] = set()

    def complete(name: str, frame: Frame) -> bool:
        seen.add((name, frame.event))
        return wanted <= seen

    for name, frame in many.until(complete):
        said[name].append(frame)
    for name, frames in said.items():
        assert frames[0].event == "hello", name
        assert Hello.model_validate(frames[0].data).resumed is False
    assert said["workers"][1].data["type"] == "workers.snapshot"
    assert said["workers"][1].id.startswith(server.context.hub.epoch + ":")
    assert [(each["id"], each["keys"]) for each in connections(server)] == [(many.id, ["events", "jobs/trends?hours=48", "workers"])]
    many.close()
    until(lambda: not connections(server), "it is forgotten")


def test_an_envelope_has_its_payload_behind_the_first_data_field_whatever_a_stream_is_called() -> None:
    for name in (
        "events",
        HOSTILE,
        "apis/" + HOSTILE,
        f"apis/events?api_name={HOSTILE}",
        '\\","data":',
        '","data":',
        "a\nb\u2028",
        '\\\\","data":',
    ):
        payload = encode({"type": "x", "data": {"stream": HOSTILE}})
        line = Sent(encode("events"), "message", payload, "ab:7").envelope(encode(name)).decode()
        assert line.startswith('data: {"stream":')
        assert line.endswith("}\n\n")
        assert "\n" not in line[:-2]
        head, cut, rest = line.removeprefix("data: ").removesuffix("\n\n").partition(',"data":')
        assert cut
        assert rest == payload.decode() + "}"
        assert json.loads(head + "}") == {"stream": name, "id": "ab:7", "event": "message"}


def test_a_hostile_name_comes_back_as_it_was_spelled(server: Running) -> None:
    name = f"apis/events?api_name={HOSTILE}"
    spelled = keys.api_requests(HOSTILE)
    many = Many(server, name, spelled)
    many.until(lambda stream, frame: (stream, frame.event) == (spelled, "hello"))
    publish(server, request(1, HOSTILE))
    got: dict[str, Frame] = {}

    def both(stream: str, frame: Frame) -> bool:
        if frame.event == "message":
            got[stream] = frame
        return len(got) == 2

    many.until(both)
    assert got[name] == got[spelled]
    assert got[name].data["request"]["api_name"] == HOSTILE
    many.close()


def test_heartbeats_come_for_each_stream_and_for_the_connection(server: Running) -> None:  # RT-26
    many = Many(server, "events", "no/such")
    beat = many.of("events", "heartbeat")
    Heartbeat.model_validate(beat.data)
    alive = Many(server)
    for _ in range(2):
        frame = alive.raw.next()
        assert frame is not None
        assert (frame.event, list(frame.data)) == ("heartbeat", ["at"])
    alive.close()
    many.close()


def test_an_event_is_encoded_once_and_its_envelope_shared(server: Running) -> None:
    readers = [Many(server, "apis/events") for _ in range(5)]
    plain = server.stream("/apis/events/stream")
    plain.until(lambda frame: frame.event == "hello")
    for reader in readers:
        reader.of("apis/events", "hello")
    before = EncodeCounter.total
    publish(server, *(request(number) for number in range(20)))
    alone = plain.data(20)
    for reader in readers:
        assert [reader.of("apis/events", "message") for _ in range(20)] == alone
    assert EncodeCounter.total - before == 20
    frame = Sent(b'"a"', "message", b"{}", "e:1")
    assert frame.envelope(b'"a"') is frame.envelope(b'"a"')
    assert frame.single() is frame.single()
    plain.close()
    for reader in readers:
        reader.close()


def test_streams_resume_each_from_its_own_place(server: Running) -> None:  # RT-27
    many = Many(server, "apis/events", "apis/events?api_name=mine")
    many.until(lambda name, frame: name.endswith("mine") and frame.event == "hello")
    publish(server, request(1, "mine"))
    last: dict[str, str] = {}
    while len(last) < 2:
        name, frame = many.until(lambda _, frame: frame.event == "message" and bool(frame.id))[-1]
        last[name] = frame.id
    many.close()
    publish(server, request(2, "mine"), request(3, "other"))
    again = Many(server, *last.items(), ("events", "00000000:3"))
    said: dict[str, list[Any]] = {}

    def complete(name: str, frame: Frame) -> bool:
        said.setdefault(name, []).append(frame.data["resumed"] if frame.event == "hello" else frame.data["request"]["id"])
        return sum(map(len, said.values())) == 6

    again.until(lambda name, frame: bool(name) and frame.event in ("hello", "message") and complete(name, frame))
    assert said == {"apis/events": [True, "many-2", "many-3"], "apis/events?api_name=mine": [True, "many-2"], "events": [False]}
    again.close()


def test_what_cannot_be_had_is_refused_by_name_and_the_others_flow(server: Running) -> None:
    many = Many(server, "no/such", "jobs/trends?hours=999", "jobs/trends?type=x", "events")
    refused = {
        name: frame.data
        for name, frame in many.until(lambda name, frame: (name, frame.event) == ("events", "heartbeat"))
        if frame.event == "refused"
    }
    assert {name: data["status"] for name, data in refused.items()} == {
        "no/such": 404,
        "jobs/trends?hours=999": 422,
        "jobs/trends?type=x": 422,
    }
    assert refused["no/such"]["detail"] == "There is no stream 'no/such' here."
    assert connections(server)[0]["keys"] == ["events"]
    many.close()


def test_beyond_the_most_that_a_connection_may_have_streams_are_refused_for_now(server: Running) -> None:
    wanted = [f"apis/api-{number}" for number in range(MAX_STREAMS + 2)]
    many = Many(server, *wanted)
    for name in wanted[MAX_STREAMS:]:
        data = many.of(name, "refused").data
        assert data["status"] == 429
        assert data["retry_after_s"] > 0
    many.change(remove=(wanted[0],), add=(wanted[-1],))
    many.of(wanted[-1], "hello")
    many.close()


def test_the_set_is_changed_without_a_new_connection(server: Running) -> None:
    many = Many(server, "events")
    many.of("events", "hello")
    answer = many.change(add=("workers", "no/such"), remove=("events", "never/had"))
    assert answer.status_code == 200
    assert answer.json() == {"streams": ["workers"]}
    assert many.of("workers", "hello").data["resumed"] is False
    assert many.of("workers", "message").data["type"] == "workers.snapshot"
    for _ in range(2):
        assert all(name != "events" for name, _ in many.until(lambda name, frame: (name, frame.event) == ("workers", "heartbeat")))
    # Adding what is there already, or removing and adding it in one, begins it anew, here from where it was.
    last = server.http.get("/api/v1/workers").headers["x-penstock-position"]
    assert many.change(add=(("workers", last),)).json() == {"streams": ["workers"]}
    assert many.of("workers", "hello").data["resumed"] is True
    assert many.change(remove=("workers",), add=("workers",)).json() == {"streams": ["workers"]}
    assert many.of("workers", "hello").data["resumed"] is False
    assert [each["key"] for each in server.http.get("/__streams__").json()["streams"]] == ["workers"]
    many.close()


def test_a_connection_is_unknown_to_everybody_else_and_when_it_is_gone(server: Running) -> None:
    many = Many(server, "events", headers={"Cookie": "penstock_guest=one"})
    assert many.change(add=("workers",)).status_code == 200
    assert many.change(add=("workers",), Cookie="penstock_guest=two").status_code == 404
    assert server.http.post("/api/v1/streams/nonsense", json={}).status_code == 404
    many.close()
    until(lambda: not connections(server), "it is forgotten")
    assert many.change(add=("workers",)).status_code == 404


@pytest.mark.parametrize(
    "want",
    [
        "",
        "x",
        "{}",
        "[1]",
        '["events"]',
        '[{"stream":""}]',
        '[{"stream":7}]',
        "[{}]",
        '[{"stream":"\\ud800"}]',
        "[" * 3_000,
        '[{"stream":"a"}' + ',{"stream":"a"}' * 300 + "]",
    ],
)
def test_a_list_that_is_none_is_422_with_a_sentence(server: Running, want: str) -> None:
    answer = server.http.get("/api/v1/streams", params={"want": want})
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("want must be a JSON list of streams: ")


def test_a_list_may_have_the_same_stream_twice_and_it_begins_once(server: Running) -> None:
    many = Many(server, "events", "events")
    many.of("events", "hello")
    assert connections(server)[0]["keys"] == ["events"]
    frames = many.until(lambda name, frame: (name, frame.event) == ("events", "heartbeat"))
    assert [frame.event for _, frame in frames] == ["heartbeat"]
    many.close()


def test_a_slow_connection_is_bounded_and_each_stream_is_told_of_its_hole(server: Running) -> None:  # RT-38
    many = Many(server, "events", "workers")
    many.of("workers", "message")
    inside = server.context.hub.connection(many.id)
    assert inside is not None

    def overflow() -> None:
        for _ in range(CAPACITY + 1):
            inside.readers["events"].offer(Sent(b'"events"', "filler", b"{}"))

    server.loop.call_soon_threadsafe(overflow)
    seen: dict[str, list[str]] = {"events": [], "workers": []}

    def complete(name: str, frame: Frame) -> bool:
        if name and frame.event != "heartbeat":
            seen[name].append(frame.event)
        return seen["workers"][-1:] == ["message"] and seen["events"][-1:] == ["reset"]

    many.until(complete)
    assert seen == {"events": ["reset"], "workers": ["reset", "message"]}
    assert connections(server)[0]["resets"] == 1
    many.close()


def test_a_client_that_reads_nothing_costs_a_bounded_buffer(server: Running) -> None:  # RT-38
    want = quote(json.dumps([{"stream": "apis/events"}, {"stream": "workers"}]))
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(DEADLINE_S)
        client.connect(("127.0.0.1", server.port))
        client.sendall(f"GET /api/v1/streams?want={want} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Penstock-Client: slow\r\n\r\n".encode())

        def begun() -> Connection | None:
            found = [each for each in server.context.hub.connections() if each.client == "slow"]
            both = len(found) == 1 and len(found[0].readers) == 2 and all(each.greeted for each in found[0].readers.values())
            return found[0] if both else None

        slow = until(begun, "both streams have begun")
        sent = 0
        while slow.resets == 0:
            publish(server, *(request(sent + number, path="/" + "x" * 8_000) for number in range(100)))
            sent += 100
            assert slow.pending <= CAPACITY
            assert sent < 20_000, "the buffers of the sockets are bounded"
        told: set[str] = set()
        received = b""
        while told != {"apis/events", "workers"}:
            received += client.recv(1 << 20)
            told |= {name for name in ("apis/events", "workers") if b'"%b","id":"","event":"reset"' % name.encode() in received}
            received = received[-200:]


def test_one_connection_is_one_of_the_users_streams(tmp_path: Path) -> None:
    with running(sim(tmp_path, faults=True, limits=Limits(2, 0, 0))) as server:
        first, second = Many(server, "events", "workers", "apis"), Many(server, "events")
        third = server.stream("/streams")
        assert third.status == 429
        assert third.headers["retry-after"] == "5"
        third.close()
        first.close()
        until(lambda: len(connections(server)) == 1, "one has left")
        Many(server, "events").close()
        second.close()


def test_shutdown_says_bye_for_the_whole_connection(tmp_path: Path) -> None:  # RT-38
    server = Running(sim(tmp_path))
    many = Many(server, "events", "workers")
    many.of("workers", "message")
    assert server.stop() < 2.0
    frames = many.raw.until(lambda frame: frame.event == "bye")
    assert Bye.model_validate(frames[-1].data).retry_ms == 50
    assert many.raw.next() is None
    many.close()


def test_a_thousand_connects_and_disconnects_leave_nothing(server: Running) -> None:
    context = server.context
    want = quote(json.dumps([{"stream": "events"}, {"stream": "workers"}, {"stream": "no/such"}]))
    heads = [f"/api/v1/streams?want={want}", "/api/v1/apis/events/stream"]
    for number in range(1_000):
        with socket.create_connection(("127.0.0.1", server.port), DEADLINE_S) as client:
            client.sendall(f"GET {heads[number % 2]} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
            if number % 3:  # a third leave before anything was answered
                assert client.recv(1_000)
    until(lambda: not context.hub.connections() and not context.hub.readers(), "all have left")
    until(lambda: context.streams.total == 0, "none is counted")


def test_names_of_the_path_are_percent_encoded_so_no_name_is_another_key() -> None:
    assert keys.canonical("apis/trends%3Fhours=3") == "apis/trends%3Fhours%3D3"
    assert keys.canonical("apis/shop api") == keys.canonical("apis/shop%20api") == keys.api("shop api") == "apis/shop%20api"
    assert keys.canonical("jobs/trends?type=task&hours=24&function=f&x=1") == keys.jobs_trends(24, "f", "task")
    assert keys.canonical("jobs/a%2Fb/artifacts") == keys.artifacts("a/b")
    for unknown in ("", "/events", "events/", "apis/", "jobs//artifacts", "apis/a/b", "jobs/x"):
        with pytest.raises(keys.UnknownStreamError):
            keys.canonical(unknown)
    for wrong in ("jobs/trends?hours=0", "apis/trends?hours=", "apis/trends?hours=²", "jobs/trends?type=", "apis/trends?hours=99999"):
        with pytest.raises(keys.ParameterError):
            keys.canonical(wrong)
