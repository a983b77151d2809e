"""Addresses of pages, for links from one to another: `to("workers", name)` is `#/workers/…`, with the name quoted."""

from __future__ import annotations

from urllib.parse import quote, urlencode


def to(*parts: str, **params: str | None) -> str:
    """The hash of a page; parameters without a value are left out."""
    path = "/".join(quote(part, safe="") for part in parts)
    query = urlencode(sorted((name, value) for name, value in params.items() if value), safe=":,")
    return f"#/{path}?{query}" if query else f"#/{path}"
