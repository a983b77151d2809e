"""What of a list its stream must have right (RT-35)."""

from __future__ import annotations

import json
from pathlib import Path

from pyapp.contract.apis import RequestsPage
from pyapp.contract.jobs import JobsPage
from pyapp.core.cache.lists import LiveList
from pyapp.reducers.comparing import job_rows, request_rows

SAMPLES = Path(__file__).parents[1] / "contract" / "samples"


def test_a_job_that_waits_is_the_same_whether_it_is_queued_or_will_be_tried_again() -> None:
    # RT-35
    page = JobsPage.model_validate_json((SAMPLES / "jobs.list.json").read_text())
    done = page.jobs[0]
    waits = [done.model_copy(update={"status": status, "attempts": attempts}) for status, attempts in (("queued", 0), ("retrying", 1))]
    assert len({json.dumps(job_rows(job)) for job in waits}) == 1
    assert job_rows(LiveList(page.jobs, None))[done.id] == (done.status, done.attempts)
    assert job_rows(done.model_copy(update={"attempts": 9})) != job_rows(done)


def test_requests_are_compared_by_what_they_were() -> None:
    # RT-35
    page = RequestsPage.model_validate_json((SAMPLES / "apis.events.json").read_text())
    rows = request_rows(LiveList(page.events, None))
    assert set(rows) == {row.id for row in page.events}
    assert rows[page.events[0].id] == (page.events[0].method, page.events[0].path, page.events[0].status)
