"""What a job left behind: the list, which its stream keeps up to date, and a look into one of them."""

from __future__ import annotations

from pyapp.contract.artifacts import Artifact, ArtifactsPage
from pyapp.core.cache.result import Result
from pyapp.pages import formats
from pyapp.pages.artifact_kinds import content_type, kind_of, size
from pyapp.pages.artifact_preview import content_address, preview
from pyapp.pages.job_state import ChooseArtifact, State
from pyapp.pages.job_timeline import tree_panel
from pyapp.pages.panel import did_not_load
from pyapp.pages.protocol import Env, Results
from pyapp.pages.rows import Column, Table, loading, plain_rows
from pyapp.ui import TemplateResult, each, html, nothing
from pyapp.ui.components.marks import age, icon, quantity

_COLUMNS = (
    Column("State", "w7 w-st", "w4"),
    Column("Name", "", "w3"),
    Column("Type", "w9 p1", "w4"),
    Column("Size", "w6 num", "w2"),
    Column("Age", "w5 num p1", "w2", newest_first=True),
    Column("Actions", "w9 act w-acts", "", hidden_word=True),
)
_SHAPES = {"available": "complete", "stored": "complete", "queued": "queued", "pending": "pending", "failed": "failed"}
_WORDS = {"available": "Stored", "queued": "Queued", "pending": "Pending", "failed": "Failed"}


def artifacts(state: State, results: Results, env: Env) -> TemplateResult:
    """The panel; nothing while another part of the job is shown."""
    if state.tab != "artifacts":
        return html(t"")
    result: Result[ArtifactsPage] = results["artifacts"]
    page = result.data
    table = _table(state.artifact, env)
    count: object = nothing
    if page is None:
        body = did_not_load("Artifacts", result, ("artifacts",)) if result.error else loading(table)
    else:
        count = formats.count(page.total)
        listed = plain_rows(table, page.artifacts, same=(state.artifact,)) if page.artifacts else _none()
        body = html(t"{listed}{_chosen(state, page, results, env)}")
    return tree_panel("artifacts", "Artifacts", state, result, body, env, count, need="artifacts")


def _none() -> TemplateResult:
    return html(
        t'<div class="blank"><span class="strong">This job left nothing behind.</span>An artifact appears here when it does.</div>'
    )


def _table(chosen: str, env: Env) -> Table[Artifact]:
    def row(one: Artifact) -> TemplateResult:
        shown = one.id == chosen
        wrong = html(t' <bdi class="err" title={one.error}>{one.error}</bdi>') if one.error else nothing
        press = ChooseArtifact(artifact_id="" if shown else one.id)
        look = html(
            t'<button type="button" class="btn" aria-expanded={"true" if shown else "false"} @click={press}>'
            t'{icon("t-right", small=True)}<span class="word">{"Close" if shown else "Preview"}</span>'
            t'<span class="sr"> {one.name}</span></button>'
        )
        take = html(
            t'<a class="btn" href={content_address(env.api, one.id, download=True)} download={one.name}>{icon("t-dl", small=True)}'
            t'<span class="word">Download</span><span class="sr"> {one.name}</span></a>'
        )
        ready = one.status not in ("queued", "pending", "failed")
        actions = html(t"{look if kind_of(one) != 'none' else nothing}{take}") if ready else nothing
        shape = _SHAPES.get(one.status, "pending")
        return html(
            t'<tr aria-current={"true" if shown else nothing}><td><span class="st" data-st={shape}>{icon(f"s-{shape}")}'
            t'<span class="word">{_WORDS.get(one.status, one.status)}</span></span></td>'
            t'<td class="strong" title={one.name}><bdi>{one.name}</bdi>{wrong}</td>'
            t'<td class="p1"><span class="mono">{content_type(one)}</span></td><td class="num">{quantity(size(one.size_bytes))}</td>'
            t'<td class="num p1">{age(formats.iso(one.created_at))}</td><td class="act">{actions}</td></tr>'
        )

    return Table("artifacts", "Artifacts", _COLUMNS, key=lambda one: one.id, render=row, bones=3)


def _chosen(state: State, page: ArtifactsPage, results: Results, env: Env) -> TemplateResult | None:
    """The artifact that is looked into; one that is not there any more says so."""
    if not state.artifact:
        return nothing
    one = next((artifact for artifact in page.artifacts if artifact.id == state.artifact), None)
    if one is None:
        return html(
            t'<div class="blank" role="status"><span class="strong">This artifact is gone.</span>It was deleted, or it belongs to '
            t"another job.</div>"
        )
    # One look is one element: another artifact never takes over what a browser has made of this one.
    content = results.get("content")
    look = each((one,), key=lambda artifact: artifact.id, render=lambda _: preview(one, content, env.api), same=(content, env.api))
    return html(t"{look}")
