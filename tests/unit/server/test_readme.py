"""What the README tells a newcomer to type is there."""

from __future__ import annotations

import re
from pathlib import Path

from server_stub.sources.local import functions as functions  # which registers them
from server_stub.sources.local.registry import FUNCTIONS

README = Path(__file__).resolve().parents[3] / "README.md"


def test_the_function_that_the_readme_starts_exists() -> None:
    named = re.findall(r"/functions/([^/\s]+)/run", README.read_text(encoding="utf-8"))
    assert named
    assert set(named) <= {function.key for function in FUNCTIONS.values()}
