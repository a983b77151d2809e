"""A look into an artifact. It is somebody's output: nothing of it ever runs here.

Text and JSON come through Python and are text. Images are images. A page of HTML stands in a frame without scripts, forms, ways out and
an origin. A PDF is opened by the browser's own reader. Whatever cannot be shown says why in a sentence, and can be downloaded.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from pydantic_core import from_json

from pyapp.contract.artifacts import Artifact
from pyapp.core.cache.result import Result
from pyapp.inventory.wire import CONTENT_BYTES
from pyapp.pages import formats
from pyapp.pages.artifact_kinds import content_type, kind_of, size
from pyapp.pages.copying import copy_button
from pyapp.pages.job_state import ChooseArtifact
from pyapp.pages.panel import Reload
from pyapp.ui import TemplateResult, html, nothing
from pyapp.ui.components.controls import icon_button
from pyapp.ui.components.json_tree import json_tree
from pyapp.ui.components.marks import icon, time

EMBEDDED_MAX = 32 * 1024 * 1024
"""An image or a page that is larger is only downloaded: drawing it could take the whole browser."""


def content_address(api: str, artifact_id: str, *, download: bool = False) -> str:
    """Where the browser finds the content; `download` has it saved under its name."""
    return f"{api}artifacts/{quote(artifact_id, safe='')}/content{'?download=1' if download else ''}"


def preview(one: Artifact, content: Result[Any] | None, api: str) -> TemplateResult:
    """The artifact's name, what is known of it, and what is in it."""
    digest = html(t'<dt>SHA-256</dt><dd><span class="mono cut">{one.sha256}</span>{copy_button("the SHA-256", one.sha256 or "")}</dd>')
    return html(
        t'<section class="preview" aria-label="Preview"><h3><bdi>{one.name}</bdi>{copy_button("the name", one.name)}'
        t'<span class="grow"></span>{icon_button("t-x", "Close the preview", ChooseArtifact(artifact_id=""))}</h3>'
        t'<dl class="in-line"><dt>Type</dt><dd class="mono">{one.content_type or one.type}</dd><dt>Size</dt>'
        t"<dd>{str(size(one.size_bytes))}</dd><dt>Created</dt><dd>{time(formats.iso(one.created_at))}</dd>"
        t"{digest if one.sha256 else nothing}</dl>{_body(one, content, api)}</section>"
    )


def _body(one: Artifact, content: Result[Any] | None, api: str) -> TemplateResult:
    kind, address = kind_of(one), content_address(api, one.id)
    if kind == "none":
        return _sentence(f"There is no preview of {content_type(one)}.", "Download it to look at it.")
    if kind in ("text", "json"):
        return _text(one, content, as_json=kind == "json")
    if (one.size_bytes or 0) > EMBEDDED_MAX:
        return _sentence(f"It is too large to be shown: {size(one.size_bytes)}.", "Download it to look at it.")
    words = f"Content of {one.name}"
    if kind == "image":
        return html(t'<div class="shown"><img src={address} alt={words} decoding="async"></div>')
    if kind == "pdf":
        return html(t'<pen-pdf class="shown" src={address} name={words}></pen-pdf>')
    return html(
        t'<p class="note">Without scripts, forms and links out: it is what the job wrote, and it does not run here.</p>'
        t'<iframe class="shown" sandbox="" referrerpolicy="no-referrer" loading="lazy" title={words} src={address}></iframe>'
    )


def _text(one: Artifact, content: Result[Any] | None, *, as_json: bool) -> TemplateResult:
    if content is None or (content.data is None and content.error is None):
        return html(t'<p class="note" role="status">Reading…</p>')
    if content.data is None:
        return _unread(content)
    text: str = content.data
    cut = (one.size_bytes or 0) > CONTENT_BYTES or len(text.encode("utf-8", "replace")) >= CONTENT_BYTES
    if as_json and not cut:
        try:
            # This reader stops at a depth: json.loads would take the whole interpreter with it.
            return html(t'<div class="code">{json_tree(from_json(text))}</div>')
        except ValueError as error:
            what = "It is nested too deeply for a tree." if "recursion" in str(error) else "It says that it is JSON, and it is not."
            return html(t"{_sentence(what, f'{error}. This is its text:')}{_pre(text)}")
    if not text:
        return _sentence("It is empty.", "")
    said: object = nothing
    if cut:
        whole = f" of {size(one.size_bytes)}" if one.size_bytes else ""
        as_text = " As a tree only what was read whole can be shown." if as_json else ""
        said = html(t'<p class="note">The first {str(size(CONTENT_BYTES))}{whole} are shown.{as_text}</p>')
    return html(t"{said}{_pre(text)}")


def _unread(content: Result[Any]) -> TemplateResult:
    error = content.error
    if error is not None and error.status in (404, 410):
        return _sentence("Its content is gone.", "The server does not have it any more.")
    again = html(
        t'<button type="button" class="btn" @click={Reload(needs=("content",))}>{icon("t-refresh", small=True)}Read again</button>'
    )
    return html(t"{_sentence('Its content could not be read.', str(error) if error else '')}{again}")


def _pre(text: str) -> TemplateResult:
    return html(t'<pre class="code" tabindex="0"><bdi>{text}</bdi></pre>')


def _sentence(what: str, then: str) -> TemplateResult:
    return html(t'<p class="blank" role="status"><span class="strong">{what}</span>{then}</p>')
