"""Who may ask: Host, Origin, the CSRF header, limits; and what is left out of the figures."""

from pathlib import Path

import pytest

from server_stub.limits import RequestLimiter, StreamLimiter
from server_stub.settings import Limits

from .running import running, sim

CONSOLE = "https://console.example.org"


@pytest.mark.parametrize("host", ["127.0.0.1:8787", "localhost", "[::1]:1", "penstock.lan:8787"])
def test_hosts_that_the_server_was_told_of_are_let_in(host: str, tmp_path: Path) -> None:
    with running(sim(tmp_path, allowed_hosts=("penstock.lan",))) as server:
        assert server.http.get("/health", headers={"Host": host}).status_code == 200


def test_another_host_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with running(sim(tmp_path)) as server:
        answer = server.http.get("/health", headers={"Host": "evil.example.org"})
        assert answer.status_code == 421
        assert answer.json()["detail"].endswith("allow it with --allow-host.")


def test_only_the_allowed_origins_may_read_and_see_the_headers(tmp_path: Path) -> None:
    with running(sim(tmp_path, allowed_origins=(CONSOLE,))) as server:
        told = server.http.get("/api/v1/jobs", headers={"Origin": CONSOLE})
        assert told.headers["access-control-allow-origin"] == CONSOLE
        assert told.headers["access-control-allow-credentials"] == "true"
        exposed = "ETag, Retry-After, Date, X-Request-ID, X-Penstock-Position"
        assert told.headers["access-control-expose-headers"] == exposed
        assert "Origin" in told.headers["vary"]
        other = server.http.get("/api/v1/jobs", headers={"Origin": "https://evil.example.org"})
        assert "access-control-allow-origin" not in other.headers
        asks = {"Origin": CONSOLE, "Access-Control-Request-Method": "POST"}
        preflight = server.http.options("/api/v1/jobs/x/cancel", headers=asks)
        assert preflight.status_code == 204
        assert "X-Penstock-CSRF" in preflight.headers["access-control-allow-headers"]
        refused = server.http.options("/api/v1/jobs", headers={**asks, "Origin": "https://evil.example.org"})
        assert refused.status_code == 403


def test_a_page_needs_the_csrf_header_to_change_anything_and_a_script_does_not(tmp_path: Path) -> None:
    with running(sim(tmp_path, allowed_origins=(CONSOLE,))) as server:
        path = "/api/v1/jobs/nope/cancel"
        assert server.http.post(path).status_code == 404
        assert server.http.post(path, headers={"Origin": CONSOLE}).status_code == 403
        assert server.http.post(path, headers={"Origin": server.base}).status_code == 403
        assert server.http.post(path, headers={"Origin": server.base, "X-Penstock-CSRF": "1"}).status_code == 404
        assert server.http.post(path, headers={"Origin": CONSOLE, "X-Penstock-CSRF": "1"}).status_code == 404
        evil = {"Origin": "https://evil.example.org", "X-Penstock-CSRF": "1"}
        assert server.http.post(path, headers=evil).status_code == 403


def test_past_the_limits_is_429_with_retry_after(tmp_path: Path) -> None:
    with running(sim(tmp_path, limits=Limits(1, 10, 5))) as server:
        stream = server.stream("/events/stream")
        second = server.http.get("/api/v1/workers/stream")
        assert second.status_code == 429
        assert int(second.headers["retry-after"]) > 0
        answers = [server.http.get("/api/v1/auth/status") for _ in range(6)]
        assert {answer.status_code for answer in answers[:3]} == {200}
        assert answers[-1].status_code == 429
        assert int(answers[-1].headers["retry-after"]) > 0
        guest = server.http.get("/api/v1/auth/status", headers={"Cookie": "penstock_guest=ada"})
        assert guest.status_code == 200
        stream.close()


def test_zero_means_no_limit_and_a_stream_that_ends_is_counted_no_longer() -> None:
    assert all(RequestLimiter(Limits(0, 0, 0)).refuse("ada") is None for _ in range(1000))
    streams = StreamLimiter(Limits(2, 3, 0))
    assert [streams.enter("ada") is None for _ in range(3)] == [True, True, False]
    assert streams.enter("bob") is None
    assert "3 streams open" in (streams.enter("eve") or "")
    streams.leave("ada")
    assert streams.enter("eve") is None


def test_a_sane_request_id_is_kept_and_another_is_replaced(tmp_path: Path) -> None:
    with running(sim(tmp_path)) as server:
        assert server.http.get("/health", headers={"X-Request-ID": "abc-1"}).headers["x-request-id"] == "abc-1"
        assert len(server.http.get("/health", headers={"X-Request-ID": "x" * 99}).headers["x-request-id"]) == 32
