"""Every endpoint of part A answers in the contract's shape."""

from typing import Any

import pytest
from pydantic import BaseModel

from pyapp.contract import apis, artifacts, config, dashboard, errors, functions, health, jobs, workers
from server_stub import changes as c
from server_stub.moments import now_us

from .running import Running, until

ANSWERS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("/api/v1/dashboard/stats", dashboard.DashboardStats),
    ("/api/v1/dashboard/stats?window_minutes=5&failing_min_rate=10", dashboard.DashboardStats),
    ("/api/v1/jobs", jobs.JobsPage),
    ("/api/v1/jobs?status=failed&status=retrying&limit=3", jobs.JobsPage),
    ("/api/v1/jobs/stats", jobs.JobsStats),
    ("/api/v1/jobs/trends?hours=3", jobs.JobTrends),
    ("/api/v1/functions", functions.FunctionsPage),
    ("/api/v1/functions?type=cron", functions.FunctionsPage),
    ("/api/v1/functions/nope", functions.FunctionDetail),
    ("/api/v1/workers", workers.WorkersPage),
    ("/api/v1/workers/worker_sim_a1", workers.Instance),
    ("/api/v1/apis", apis.ApisPage),
    ("/api/v1/apis/detail", apis.EndpointsPage),
    ("/api/v1/apis/trends?hours=3", apis.ApiTrends),
    ("/api/v1/apis/events?limit=5", apis.RequestsPage),
    ("/api/v1/apis/events?api_name=shop-api&method=get&status=404", apis.RequestsPage),
    ("/api/v1/apis/events?instance_id=__none__", apis.RequestsPage),
    ("/api/v1/apis/shop-api", apis.ApiDetail),
    ("/api/v1/apis/nope", apis.ApiDetail),
    ("/api/v1/jobs/nope/artifacts", artifacts.ArtifactsPage),
    ("/api/v1/metrics/queue", health.QueueMetrics),
    ("/api/v1/auth/status", health.AuthStatus),
    ("/api/v1/config", config.ServerConfig),
    ("/health", health.Health),
    ("/ready", health.Health),
)

REFUSED: tuple[tuple[str, int], ...] = (
    ("/api/v1/dashboard/stats?window_minutes=7", 422),
    ("/api/v1/dashboard/stats?window_minutes=0", 422),
    ("/api/v1/jobs?status=nope", 422),
    ("/api/v1/jobs?cursor=job_nope", 422),
    ("/api/v1/jobs?limit=1001", 422),
    ("/api/v1/jobs/trends?hours=169", 422),
    ("/api/v1/jobs/trends?type=zzz", 422),
    ("/api/v1/functions?type=zzz", 422),
    ("/api/v1/apis/events?limit=2001", 422),
    ("/api/v1/artifacts", 422),
    ("/api/v1/jobs/nope", 404),
    ("/api/v1/jobs/nope/timeline", 404),
    ("/api/v1/workers/nope", 404),
    ("/api/v1/artifacts/nope", 404),
    ("/api/v1/artifacts/nope/content", 404),
    ("/api/v1/nope", 404),
)

POSITIONS = (
    *("/jobs", "/jobs/stats", "/jobs/trends", "/workers", "/apis", "/apis/events", "/apis/trends", "/apis/shop-api"),
    "/jobs/nope/artifacts",
)


@pytest.mark.parametrize(("path", "model"), ANSWERS, ids=[path for path, _ in ANSWERS])
def test_every_answer_has_the_contracts_shape(server: Running, path: str, model: type[BaseModel]) -> None:
    answer = server.http.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.headers["x-request-id"]
    assert answer.headers["date"]
    model.model_validate_json(answer.content)
    assert "+00:00" not in answer.text, "times are sent with Z"


@pytest.mark.parametrize(("path", "status"), REFUSED, ids=[path for path, _ in REFUSED])
def test_every_refusal_has_the_contracts_shape(server: Running, path: str, status: int) -> None:
    answer = server.http.get(path)
    assert answer.status_code == status
    assert errors.ErrorAnswer.model_validate_json(answer.content).sentence()


@pytest.mark.parametrize("path", POSITIONS)
def test_every_answer_that_a_stream_keeps_up_to_date_carries_its_position(server: Running, path: str) -> None:  # RT-7
    epoch, _, sequence = server.http.get(f"/api/v1{path}").headers["x-penstock-position"].rpartition(":")
    assert epoch == server.context.hub.epoch
    assert int(sequence) >= 0


def test_an_answer_that_the_client_has_is_304_without_a_body(server: Running) -> None:
    first = server.http.get("/api/v1/jobs?limit=2")
    again = server.http.get("/api/v1/jobs?limit=2", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    assert again.content == b""
    assert again.headers["x-penstock-position"]


def test_a_304_carries_the_date_and_the_position_of_now(server: Running) -> None:  # RT-7
    path = "/api/v1/apis/events?path=/never"
    first = server.http.get(path)
    server.do(server.context.journal.commit(c.Requested("etag", now_us(), "x", "GET", "/", 200, 1.0)))
    tag = first.headers["etag"]
    for given in (tag, tag.removeprefix("W/"), f'"other", {tag}', "*"):
        again = server.http.get(path, headers={"If-None-Match": given})
        assert (again.status_code, again.headers["etag"]) == (304, tag)
        assert again.headers["date"]
        before, after = (int(each.headers["x-penstock-position"].rpartition(":")[2]) for each in (first, again))
        assert after == before + 1
    for given in ("", '"other"', f"x{tag}", tag[:-2]):
        assert server.http.get(path, headers={"If-None-Match": given}).status_code == 200


@pytest.mark.parametrize(
    "path", [path for path, _ in ANSWERS if path.startswith("/api/v1/") and "auth" not in path and "config" not in path]
)
def test_lists_and_figures_carry_a_tag_of_their_body(server: Running, path: str) -> None:
    first = server.http.get(path)
    assert first.headers["etag"].startswith('W/"')
    assert server.http.get(path, headers={"If-None-Match": first.headers["etag"]}).status_code in (200, 304)


def test_pages_reach_every_job_once(server: Running) -> None:
    seen: list[str] = []
    cursor = ""
    while True:
        page = server.json(f"/jobs?limit=150{cursor}")
        seen += [job["id"] for job in page["jobs"]]
        if not page["has_more"]:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert len(seen) == len(set(seen)) == page["total"]


def _ended(server: Running, job_id: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        job = server.json(f"/jobs/{job_id}")
        return job if job["status"] in ("complete", "failed", "cancelled") else None

    return until(look, f"{job_id} ends")


def _run(server: Running, kwargs: dict[str, Any]) -> str:
    key = next(each["key"] for each in server.json("/functions")["functions"] if each["name"] == "resize_image")
    answer = server.http.post(f"/api/v1/functions/{key}/run", json={"kwargs": kwargs})
    assert answer.status_code == 202
    return str(answer.json()["job_id"])


def test_a_job_on_request_runs_at_rate_zero_fails_is_retried_and_cancelled(server: Running) -> None:
    assert _ended(server, _run(server, {"seconds": 0.03}))["progress"] == 1.0
    failed = _ended(server, _run(server, {"seconds": 0.03, "fail": True}))
    assert (failed["status"], failed["attempts"]) == ("failed", 2)
    assert server.http.post(f"/api/v1/jobs/{failed['id']}/retry").json() == {"job_id": failed["id"], "retried": True}
    until(lambda: server.json(f"/jobs/{failed['id']}")["attempts"] == 3, "the third attempt")
    assert server.http.post("/api/v1/jobs/nope/retry").status_code == 404
    long = _run(server, {"seconds": 60})
    until(lambda: server.json(f"/jobs/{long}")["status"] == "active", "it starts")
    assert server.http.post(f"/api/v1/jobs/{long}/cancel").json()["cancelled"] is True
    assert server.json(f"/jobs/{long}")["status"] == "cancelled"
    assert server.http.post(f"/api/v1/jobs/{long}/cancel").status_code == 409


def test_a_paused_functions_jobs_wait_until_it_is_resumed(server: Running) -> None:
    key = next(each["key"] for each in server.json("/functions")["functions"] if each["name"] == "resize_image")
    assert server.http.post(f"/api/v1/functions/{key}/pause").json() == {"key": key, "paused": True}
    assert server.http.post(f"/api/v1/functions/{key}/pause").status_code == 409
    job_id = _run(server, {"seconds": 0.01})
    assert server.json(f"/jobs/{job_id}")["status"] == "queued"
    assert job_id not in [job["id"] for job in server.json("/jobs")["jobs"]]
    assert [job["id"] for job in server.json("/jobs?status=queued")["jobs"]] == [job_id]
    assert server.json("/dashboard/stats")["oldest_queued_jobs"][0]["id"] == job_id
    assert server.http.post(f"/api/v1/functions/{key}/resume").status_code == 200
    assert _ended(server, job_id)["status"] == "complete"
    assert server.http.post("/api/v1/functions/nope/pause").status_code == 404


def test_artifacts_are_made_read_told_and_deleted(server: Running) -> None:
    job_id = server.json("/jobs?limit=1")["jobs"][0]["id"]
    stream = server.stream(f"/jobs/{job_id}/artifacts/stream")
    assert stream.until(lambda frame: frame.event == "hello")
    body = {"name": "note.txt", "type": "text", "data": "<b>hello</b>"}
    made = artifacts.Artifact.model_validate_json(server.http.post(f"/api/v1/jobs/{job_id}/artifacts", json=body).content)
    assert made.size_bytes == 12
    content = server.http.get(f"/api/v1/artifacts/{made.id}/content?download=1")
    assert content.text == "<b>hello</b>"
    assert "sandbox" in content.headers["content-security-policy"]
    assert content.headers["content-disposition"] == "attachment; filename*=UTF-8''note.txt"
    assert server.http.delete(f"/api/v1/artifacts/{made.id}").json() == {"status": "deleted", "id": made.id}
    assert server.http.delete(f"/api/v1/artifacts/{made.id}").status_code == 404
    assert [frame.data["type"] for frame in stream.data(2)] == ["artifact.created", "artifact.deleted"]
    stream.close()
    bad = {"name": "x.png", "type": "image/png", "data": "not base64!"}
    assert server.http.post(f"/api/v1/jobs/{job_id}/artifacts", json=bad).status_code == 422


def test_a_change_that_cannot_be_written_does_not_take_the_others_with_it(server: Running, caplog: pytest.LogCaptureFixture) -> None:
    def request(number: int, at: int) -> c.Requested:
        return c.Requested(f"survivor-{number}", at, "survivors", "GET", "/", 200, 1.0)

    broken: Any = None
    server.do(server.context.journal.commit(request(1, now_us()), request(2, broken), request(3, now_us())))
    found = server.json("/apis/events?api_name=survivors")["events"]
    assert [each["id"] for each in found] == ["survivor-3", "survivor-1"]
    assert "is lost" in caplog.text
