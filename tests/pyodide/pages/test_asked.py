from __future__ import annotations

import pytest
from page_fakes import job

from pyapp.contract.jobs import JobStatus
from pyapp.pages.asked import REMEMBERED, Asked, AskedJobs, Verb, ask, dismiss, find, settle
from pyapp.pages.protocol import Mutate, MutationDone, MutationFailed, ShowToast, ToastLevel

CANCEL = {"job_id": "job_1"}


def test_asking_sends_the_mutation_and_remembers_the_newest_first() -> None:
    asked, effect = ask((), "job_1", "cancel")
    asked, retry = ask(asked, "job_2", "retry")
    assert effect == Mutate("jobs.cancel", {"job_id": "job_1"})
    assert retry == Mutate("jobs.retry", {"job_id": "job_2"})
    assert [one.job_id for one in asked] == ["job_2", "job_1"]


def test_asking_the_same_job_again_replaces_what_was_asked_before() -> None:
    asked, _ = ask((Asked(job_id="job_1", verb="cancel", phase="refused", message="No."),), "job_1", "cancel")
    assert asked == (Asked(job_id="job_1", verb="cancel", phase="sent"),)


def test_a_page_remembers_only_so_many() -> None:
    asked: AskedJobs = ()
    for number in range(REMEMBERED + 5):
        asked, _ = ask(asked, f"job_{number}", "retry")
    assert len(asked) == REMEMBERED
    assert find(asked, "job_0") is None


def test_an_accepted_action_is_not_called_done() -> None:
    asked, _ = ask((), "job_1", "cancel")
    asked, effects = settle(asked, MutationDone("jobs.cancel", CANCEL))
    assert (asked[0].phase, effects) == ("accepted", ())


def test_a_refusal_is_kept_with_its_reason_and_told_in_the_corner() -> None:
    asked, _ = ask((), "job_1", "cancel")
    asked, effects = settle(asked, MutationFailed("jobs.cancel", CANCEL, "The job is complete."))
    assert (asked[0].phase, asked[0].message) == ("refused", "The job is complete.")
    assert effects == (ShowToast(ToastLevel.ERROR, "Cancel was refused", "job_1: The job is complete."),)
    assert dismiss(asked, "job_1") == ()


@pytest.mark.parametrize("name", ["jobs.retry", "functions.pause"])
def test_an_answer_to_something_else_changes_nothing(name: str) -> None:
    asked, _ = ask((), "job_1", "cancel")
    assert settle(asked, MutationDone(name, CANCEL)) == (asked, ())
    assert settle((), MutationDone("jobs.cancel", CANCEL)) == ((), ())


@pytest.mark.parametrize(
    ("verb", "status", "pending"),
    [
        ("cancel", "active", True),
        ("cancel", "queued", True),
        ("cancel", "cancelled", False),
        ("cancel", "complete", False),
        ("retry", "failed", True),
        ("retry", "cancelled", True),
        ("retry", "queued", False),
        ("retry", "active", False),
    ],
)
def test_what_was_asked_is_pending_until_the_job_shows_otherwise(verb: Verb, status: JobStatus, pending: bool) -> None:
    for phase in ("sent", "accepted"):
        assert Asked(job_id="job_1", verb=verb, phase=phase).pending(job(1, status)) is pending
    assert not Asked(job_id="job_1", verb=verb, phase="refused").pending(job(1, status))
