"""Cancelling and retrying many jobs: what it makes sense for, the bar, and the dialog that names how many.

What cancels is asked for twice; a retry adds a run and destroys nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from pydantic import BaseModel, ConfigDict

from pyapp.contract.jobs import Job
from pyapp.pages import asked as asking
from pyapp.pages import formats, selecting
from pyapp.pages.asked import AskedJobs, Verb
from pyapp.pages.jobs_table import REPEATABLE, STOPPABLE
from pyapp.pages.protocol import Effect, OfShown
from pyapp.pages.selecting import MANY_MAX, Act, Batch, Selected
from pyapp.ui import Action, TemplateResult, html, nothing

PANEL: Final = "jobs"
_WORDS: Final[dict[Verb, str]] = {"cancel": "Cancel", "retry": "Retry"}
_NAMED_MAX: Final = 3


class AskMany(OfShown):
    """Cancel or retry was pressed for what is selected."""

    verb: Verb


class CancelMany(Action):
    """It was meant."""


class KeepMany(Action):
    """It was not."""


class Many(BaseModel):
    """The jobs that the dialog asks about, as they were selected and shown when it opened."""

    model_config = ConfigDict(frozen=True)

    ids: tuple[str, ...]
    names: tuple[str, ...]


def meant(rows: Iterable[Job], selected: Selected, asked: AskedJobs, verb: Verb) -> list[Job]:
    """The selected jobs for which it makes sense now; what was asked of one and has not happened yet is not asked again."""
    statuses = STOPPABLE if verb == "cancel" else REPEATABLE
    out: list[Job] = []
    for job in rows:
        if job.id in selected and job.status in statuses:
            one = asking.find(asked, job.id)
            if one is None or not one.pending(job):
                out.append(job)
    return out[:MANY_MAX]


def many_of(jobs: Sequence[Job]) -> Many:
    """What the dialog says of them."""
    return Many(ids=tuple(job.id for job in jobs), names=tuple(dict.fromkeys(job.function_name for job in jobs)))


def start(asked: AskedJobs, wanted: Mapping[str, str], verb: Verb) -> tuple[AskedJobs, Batch, tuple[Effect, ...]]:
    """Ask it of each; the coordinator sends a few at a time.

    Args:
        wanted: the jobs by their ids, each with the end of it that was seen (`asked.ending`); empty where that means nothing.
    """
    effects: list[Effect] = []
    for job_id, seen in reversed(tuple(wanted.items())):
        asked, effect = asking.ask(asked, job_id, verb, seen)
        effects.append(effect)
    return asked, selecting.begin(asking.MUTATIONS[verb], _WORDS[verb], wanted), tuple(reversed(effects))


def bar(rows: Sequence[Job], selected: Selected, asked: AskedJobs, batch: Batch | None) -> TemplateResult:
    """What is selected and what can be done with it."""
    acts = (
        Act("Retry", "t-refresh", len(meant(rows, selected, asked, "retry")), AskMany(panel=PANEL, verb="retry")),
        Act("Cancel", "t-x", len(meant(rows, selected, asked, "cancel")), AskMany(panel=PANEL, verb="cancel"), danger=True),
    )
    return selecting.bar("job", selected, (job.id for job in rows), acts, batch)


def dialog(many: Many | None) -> TemplateResult:
    """Cancelling cannot be undone, so it is asked for twice, and how many it is for is said."""
    count = formats.plural(len(many.ids), "job") if many else ""
    return html(
        t'<pen-dialog ?open={many is not None} @dismiss={KeepMany()}><dialog aria-labelledby="many-title">'
        t'<h2 id="many-title">Cancel {count}?</h2><p>{_says(many)}</p>'
        t'<div class="row"><button type="button" class="btn" autofocus @click={KeepMany()}>Keep them running</button>'
        t'<button type="button" class="btn danger" @click={CancelMany()}>Cancel {count}</button></div></dialog></pen-dialog>'
    )


def _says(many: Many | None) -> TemplateResult | None:
    if many is None:
        return nothing
    named = many.names[:_NAMED_MAX]
    rest = len(many.names) - len(named)
    more = f" and {formats.plural(rest, 'other function')}" if rest else ""
    return html(t"Of <bdi>{', '.join(named)}</bdi>{more}. They stop, and what they have done so far is not undone.")
