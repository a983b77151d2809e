"""The local source, end to end: real processes, real work."""

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from server_stub.settings import Settings
from server_stub.sources.local.recovery import INTERRUPTED

from .running import Running, running, sim, until

ENDED = ("complete", "failed", "cancelled")


def local(data: Path) -> Settings:
    return replace(sim(data), source="local", schedule=False)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(local(tmp_path_factory.mktemp("local"))) as it:
        until(lambda: it.json("/metrics/queue")["totals"]["capacity"] == 4, "four workers live")
        yield it


def run(server: Running, name: str, **kwargs: Any) -> str:
    key = next(each["key"] for each in server.json("/functions")["functions"] if each["name"] == name)
    answer = server.http.post(f"/api/v1/functions/{key}/run", json={"kwargs": kwargs})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["job_id"])


def job_when(server: Running, job_id: str, condition: Callable[[dict[str, Any]], bool], what: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        job: dict[str, Any] = server.json(f"/jobs/{job_id}")
        return job if condition(job) else None

    return until(look, what)


def ended(server: Running, job_id: str) -> dict[str, Any]:
    return job_when(server, job_id, lambda job: job["status"] in ENDED, f"{job_id} ends")


def test_work_is_done_with_progress_checkpoint_and_result(server: Running) -> None:
    stream = server.stream("/events/stream")
    job_id = run(server, "hash_tree", package="json", pace_s=0)
    job = ended(server, job_id)
    assert job["status"] == "complete"
    assert job["result"]["files"] >= 5
    assert len(job["result"]["sha256"]) == 64
    assert job["checkpoint"]["files"] == job["result"]["files"]
    frames = stream.until(lambda frame: frame.data.get("type") == "job.completed")
    types = [frame.data["type"] for frame in frames if frame.event == "message" and frame.data["job_id"] == job_id]
    assert types[0] == "job.started"
    assert {"job.progress", "job.checkpoint"} <= set(types)
    stream.close()


def test_an_artifact_is_left_behind(server: Running) -> None:
    job_id = run(server, "compress_logs", files=4, pace_s=0)
    assert ended(server, job_id)["result"]["bytes_after"] > 0
    artifact = server.json(f"/jobs/{job_id}/artifacts")["artifacts"][0]
    assert "4 files" in server.http.get(f"/api/v1/artifacts/{artifact['id']}/content").text


def test_a_refused_connection_is_tried_again_until_the_server_is_up(server: Running) -> None:
    stream = server.stream("/events/stream")
    job_id = run(server, "flaky_fetch", delay_s=0.3)
    frames = stream.until(lambda frame: frame.data.get("type") == "job.completed")
    mine = [frame.data for frame in frames if frame.event == "message" and frame.data["job_id"] == job_id]
    assert [each["type"] for each in mine] == ["job.started", "job.retrying", "job.started", "job.completed"]
    assert "ConnectionRefusedError" in mine[1]["error"]
    assert ended(server, job_id)["attempts"] == 2
    stream.close()


def test_a_job_that_always_fails_says_why_and_is_retried_on_request(server: Running) -> None:
    job = ended(server, run(server, "always_fail"))
    assert (job["status"], job["attempts"]) == ("failed", 2)
    assert "no-such-file.txt" in job["error"]
    assert server.http.post(f"/api/v1/jobs/{job['id']}/retry").json()["retried"] is True
    again = job_when(server, job["id"], lambda each: each["attempts"] == 3 and each["status"] in ENDED, "third attempt")
    assert again["status"] == "failed"


def test_children_run_and_their_results_are_collected(server: Running) -> None:
    job_id = run(server, "fan_out", packages=["json", "logging"])
    assert ended(server, job_id)["status"] == "complete"
    tree = server.json(f"/jobs/{job_id}/timeline")["jobs"]
    children = [job for job in tree if job["parent_id"] == job_id]
    assert len(children) == 2
    assert {job["root_id"] for job in tree} == {job_id}
    assert sum(job["result"]["lines"] for job in children) == server.json(f"/jobs/{job_id}")["result"]["lines"]


def test_an_active_job_is_cancelled_within_a_second(server: Running) -> None:
    job_id = run(server, "hash_tree", pace_s=30)
    job_when(server, job_id, lambda job: job["progress"] > 0, "it runs")
    assert server.http.post(f"/api/v1/jobs/{job_id}/cancel").json()["cancelled"] is True
    until(lambda: server.json(f"/jobs/{job_id}")["status"] == "cancelled", "it is cancelled", 1.0)


def test_a_queued_job_is_cancelled_and_never_runs(server: Running) -> None:
    busy = [run(server, "hash_tree", pace_s=30) for _ in range(4)]
    for job_id in busy:
        job_when(server, job_id, lambda job: job["status"] == "active", "all workers are busy")
    queued = run(server, "check_disk")
    assert server.json(f"/jobs/{queued}")["status"] == "queued"
    assert server.http.post(f"/api/v1/jobs/{queued}/cancel").json()["deleted_stream_entries"] == 1
    assert server.json(f"/jobs/{queued}")["status"] == "cancelled"
    for job_id in busy:
        server.http.post(f"/api/v1/jobs/{job_id}/cancel")
        assert ended(server, job_id)["status"] == "cancelled"
    assert ended(server, run(server, "check_disk"))["status"] == "complete"
    assert server.json(f"/jobs/{queued}")["started_at"] is None


def test_a_paused_functions_jobs_wait(server: Running) -> None:
    key = next(each["key"] for each in server.json("/functions")["functions"] if each["name"] == "check_disk")
    server.http.post(f"/api/v1/functions/{key}/pause")
    job_id = run(server, "check_disk")
    assert server.json(f"/functions/{key}")["dispatch_reasons"]["paused"] == 1
    assert server.json(f"/jobs/{job_id}")["status"] == "queued"
    server.http.post(f"/api/v1/functions/{key}/resume")
    assert ended(server, job_id)["status"] == "complete"


def test_requests_are_measured_and_the_consoles_own_are_left_out(server: Running) -> None:  # RT-42
    server.http.get("/api/v1/auth/status", headers={"X-Penstock-Client": "console"})
    assert ended(server, run(server, "measure_latency"))["result"]["latency_ms"]["/api/v1/workers"] > 0

    def paths() -> set[str]:
        return {each["path"] for each in server.json("/apis/penstock")["endpoints"]}

    until(lambda: "/api/v1/workers" in paths(), "the requests are counted")
    assert "/api/v1/auth/status" not in paths()
    assert "/api/v1/jobs/{job_id}" in paths()


def test_a_killed_workers_job_fails_honestly(server: Running) -> None:
    job_id = run(server, "hash_tree", pace_s=30)
    job = job_when(server, job_id, lambda each: each["status"] == "active", "it runs")
    os.kill(int(job["worker_id"].removeprefix("local_")), signal.SIGKILL)
    assert "worker process ended" in ended(server, job_id)["error"]


def test_history_outlives_a_restart_and_an_interrupted_job_says_so(tmp_path: Path) -> None:
    with running(local(tmp_path)) as first:
        done = ended(first, run(first, "check_disk"))
        cut = run(first, "hash_tree", pace_s=30)
        job_when(first, cut, lambda job: job["progress"] > 0, "it runs")
        group = [each["id"] for worker in first.json("/workers")["workers"] for each in worker["instances"]]
    for worker in group:
        with pytest.raises(ProcessLookupError):
            os.kill(int(worker.removeprefix("local_")), 0)
    with running(local(tmp_path)) as second:
        assert second.json(f"/jobs/{done['id']}") == done
        job = second.json(f"/jobs/{cut}")
        assert (job["status"], job["error"]) == ("failed", INTERRUPTED)
