"""The dialog before a job is cancelled: that cannot be undone, so it is asked for twice."""

from __future__ import annotations

from pyapp.pages.asked import Cancel, Confirming, KeepJob
from pyapp.ui import TemplateResult, html


def cancel_dialog(job: Confirming | None) -> TemplateResult:
    """The dialog, open while a job is being asked about."""
    name, job_id = (job.name, job.job_id) if job else ("", "")
    return html(
        t'<pen-dialog ?open={job is not None} @dismiss={KeepJob()}><dialog aria-labelledby="confirm-title">'
        t'<h2 id="confirm-title">Cancel <bdi>{name}</bdi>?</h2>'
        t'<p><span class="mono">{job_id}</span> stops, and what it has done so far is not undone.</p>'
        t'<div class="row"><button type="button" class="btn" autofocus @click={KeepJob()}>Keep it running</button>'
        t'<button type="button" class="btn danger" @click={Cancel(job_id=job_id)}>Cancel job</button></div></dialog></pen-dialog>'
    )
