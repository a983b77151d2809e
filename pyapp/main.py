"""Placeholder of the composition root, until it is written: proves that Python, pydantic and the page meet."""

from __future__ import annotations


def start() -> None:
    """Import what every page needs and take the boot screen away."""
    import js  # type: ignore[import-not-found]
    import pydantic  # noqa: F401

    js.penstockHost.booted()
