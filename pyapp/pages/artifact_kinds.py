"""What an artifact is, by what its job said of it: how it may be shown, and in which words.

kind     shown as
text     text, its beginning where it is long
json     a tree, where all of it was read
image    an image: nothing in it runs, an SVG neither
pdf      the browser's own reader
html     a page in a sandbox without scripts
none     only a download
"""

from __future__ import annotations

from typing import Literal

from pyapp.contract.artifacts import Artifact
from pyapp.pages import formats
from pyapp.pages.formats import NO_QUANTITY, Quantity

Kind = Literal["text", "json", "image", "pdf", "html", "none"]

_IMAGES = frozenset({"png", "jpeg", "gif", "webp", "avif", "bmp", "svg+xml", "x-icon", "vnd.microsoft.icon"})
_TEXTS = frozenset({"xml", "yaml", "x-yaml", "toml", "javascript", "x-ndjson", "jsonl", "sql", "x-sh", "csv"})
_UNITS = (("KB", 1024.0), ("MB", 1024.0**2), ("GB", 1024.0**3))


def content_type(artifact: Artifact) -> str:
    """The type without its parameters, in small letters; what the job called it where it has none."""
    return (artifact.content_type or artifact.type).partition(";")[0].strip().lower()


def kind_of(artifact: Artifact) -> Kind:
    """How it may be shown."""
    said = content_type(artifact)
    group, _, name = said.partition("/")
    if said in ("application/pdf", "text/html", "application/xhtml+xml"):
        return "pdf" if name == "pdf" else "html"
    if said == "json" or name == "json" or name.endswith("+json"):
        return "json"
    if group == "image" and name in _IMAGES:
        return "image"
    if said == "text" or group == "text" or (group == "application" and (name in _TEXTS or name.endswith("+xml"))):
        return "text"
    return "none"


def size(bytes_: int | None) -> Quantity:
    """A size in the unit that keeps it short: `28 B`, `1.5 KB`, `12.4 MB`."""
    if bytes_ is None:
        return NO_QUANTITY
    if bytes_ < 1000:
        return Quantity(str(bytes_), "B")
    for unit, one in _UNITS:
        if bytes_ < 999.5 * one or unit == "GB":
            return Quantity(formats.figures(bytes_ / one), unit)
    raise AssertionError("the last unit takes every size")
