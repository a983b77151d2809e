"""A replay answers from recordings and plays their frames."""

import os
from pathlib import Path

import pytest

from pyapp.contract.dashboard import DashboardStats
from pyapp.contract.functions import FunctionsPage
from pyapp.contract.jobs import JobsPage

from .running import running, sim

SAMPLES = Path(__file__).parents[1] / "contract" / "samples"
SHARED = Path(os.environ.get("PENSTOCK_RECORDINGS", Path(__file__).parents[4] / "shared" / "recordings"))


@pytest.mark.parametrize("folder", [SAMPLES, *([SHARED] if SHARED.is_dir() else [])], ids=lambda path: path.name)
def test_recorded_answers_are_history_and_recorded_frames_are_played(folder: Path, tmp_path: Path) -> None:
    with running(sim(tmp_path, source="replay", replay_dir=folder)) as server:
        page = JobsPage.model_validate(server.json("/jobs?limit=1000"))
        recorded = JobsPage.model_validate_json((folder / "jobs.list.json").read_bytes())
        assert {job.id for job in recorded.jobs} <= {job.id for job in page.jobs}
        function = recorded.jobs[0].function
        filtered = JobsPage.model_validate(server.json(f"/jobs?function={function}&status=complete"))
        assert {job.function for job in filtered.jobs} == {function}
        assert FunctionsPage.model_validate(server.json("/functions")).total > 0
        assert DashboardStats.model_validate(server.json("/dashboard/stats")).workers.total == 1
        stream = server.stream(f"/events/stream?last_event_id={server.context.hub.epoch}:0")
        frames = stream.until(lambda frame: frame.event == "message" and frame.data["type"] == "job.started")
        assert str(frames[-1].data["job_id"]).endswith("-again")
        stream.close()
        refused = server.http.post(f"/api/v1/functions/{function}/pause")
        assert refused.status_code == 503
        assert "replays a recording" in refused.json()["detail"]
