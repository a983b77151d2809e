"""What the user asked the server to do with jobs, and what became of it.

A 200 may change nothing (contract, part A), so a row shows what its job does next and not what was asked:

    phase     then                              shown
    sent      the answer is on its way          slanted ground, `Asked`
    accepted  the job has not changed yet       slanted ground, `Asked`
    accepted  the job has changed               nothing: the row says it
    refused                                     the reason, under the row, until it is dismissed or asked again
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from pyapp.contract.jobs import TERMINAL_STATUSES, Job
from pyapp.pages.protocol import Effect, Mutate, MutationDone, MutationFailed, ShowToast, ToastLevel
from pyapp.ui import Action

Verb = Literal["cancel", "retry"]
Phase = Literal["sent", "accepted", "refused"]

REMEMBERED = 200
"""How many asked jobs a page remembers."""
FOLLOWED = 20
"""How many of them a window asks about, the latest: each is one more query."""

MUTATIONS: dict[Verb, str] = {"cancel": "jobs.cancel", "retry": "jobs.retry"}
_VERBS = {name: verb for verb, name in MUTATIONS.items()}


class AskCancel(Action):
    """Cancel was pressed: ask whether it is meant."""

    job_id: str
    name: str


class KeepJob(Action):
    """It was not meant."""


class Cancel(Action):
    """It was."""

    job_id: str


class Retry(Action):
    """Run a failed or cancelled job again; `seen` is the end of it that was seen (`ending`)."""

    job_id: str
    seen: str = ""


class Dismiss(Action):
    """The reason was read."""

    job_id: str


JobAction = AskCancel | KeepJob | Cancel | Retry | Dismiss


class Confirming(BaseModel):
    """The job that the dialog asks about."""

    model_config = ConfigDict(frozen=True)

    job_id: str
    name: str


class Asked(BaseModel):
    """One thing asked of one job; `message` is why it was refused, `seen` the end of the job that was to be tried again."""

    model_config = ConfigDict(frozen=True)

    job_id: str
    verb: Verb
    phase: Phase = "sent"
    message: str = ""
    seen: str = ""

    def pending(self, job: Job) -> bool:
        """Whether the job has yet to show that something happened."""
        if self.phase == "refused":
            return False
        if self.verb == "cancel":
            return job.status not in TERMINAL_STATUSES
        # A job that was tried again may have failed again: that is another end, and it happened.
        return job.status in ("failed", "cancelled") and self.seen in ("", ending(job))


class AskingState(BaseModel):
    """The part of a page's state that actions on one job change."""

    model_config = ConfigDict(frozen=True)

    asked: tuple[Asked, ...] = ()
    confirming: Confirming | None = None


def act[S: AskingState](state: S, action: JobAction) -> S | tuple[S, Effect]:
    """The next state of whatever page has jobs to act on: what destroys is asked for twice, all else is sent."""
    match action:
        case AskCancel(job_id=job_id, name=name):
            return state.model_copy(update={"confirming": Confirming(job_id=job_id, name=name)})
        case KeepJob():
            return state.model_copy(update={"confirming": None})
        case Cancel(job_id=job_id):
            asked, effect = ask(state.asked, job_id, "cancel")
            return state.model_copy(update={"asked": asked, "confirming": None}), effect
        case Retry(job_id=job_id, seen=seen):
            asked, effect = ask(state.asked, job_id, "retry", seen)
            return state.model_copy(update={"asked": asked}), effect
        case Dismiss(job_id=job_id):
            return state.model_copy(update={"asked": dismiss(state.asked, job_id)})


def ending(job: Job) -> str:
    """What tells one end of a job from the next: its attempt, and when."""
    return f"{job.attempts} {job.completed_at}"


AskedJobs = tuple[Asked, ...]


def find(asked: AskedJobs, job_id: str) -> Asked | None:
    """What was asked of a job last."""
    return next((one for one in asked if one.job_id == job_id), None)


def ask(asked: AskedJobs, job_id: str, verb: Verb, seen: str = "") -> tuple[AskedJobs, Effect]:
    """Remember the newest first, and send it; `seen` as in `Retry`."""
    others = tuple(one for one in asked if one.job_id != job_id)
    newest = Asked(job_id=job_id, verb=verb, seen=seen)
    return (newest, *others)[:REMEMBERED], Mutate(name=MUTATIONS[verb], args={"job_id": job_id})


def dismiss(asked: AskedJobs, job_id: str) -> AskedJobs:
    """Forget what was asked of a job."""
    return tuple(one for one in asked if one.job_id != job_id)


def settle(asked: AskedJobs, message: MutationDone | MutationFailed) -> tuple[AskedJobs, tuple[Effect, ...]]:
    """Take the server's answer in. A refusal is told in the corner too, where its row may be out of sight."""
    verb, job_id = _VERBS.get(message.name), message.args.get("job_id", "")
    if verb is None or not any(one.job_id == job_id and one.verb == verb for one in asked):
        return asked, ()
    effects: tuple[Effect, ...] = ()
    change: dict[str, str] = {"phase": "accepted"}
    if isinstance(message, MutationFailed):
        change = {"phase": "refused", "message": message.message}
        title = "Cancel was refused" if verb == "cancel" else "Retry was refused"
        effects = (ShowToast(level=ToastLevel.ERROR, title=title, text=f"{job_id}: {message.message}"),)
    return tuple(one.model_copy(update=change) if one.job_id == job_id else one for one in asked), effects
