"""Each rule of docs/realtime.md that is built has a test that names it, and docs/rules.md says which."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture(scope="module")
def rules() -> dict[str, object]:
    return runpy.run_path(str(DOCS / "rules.py"))


def test_every_rule_that_is_built_has_a_test_and_every_named_rule_is_known(rules: dict[str, object]) -> None:
    assert rules["without_test"]() == []  # type: ignore[operator]


def test_docs_rules_md_is_made_from_the_tests_as_they_are(rules: dict[str, object]) -> None:
    made = rules["text"]()  # type: ignore[operator]
    assert (DOCS / "rules.md").read_text(encoding="utf-8") == made, "run `python docs/rules.py`"


def test_a_comment_within_a_test_or_above_it_names_its_rules(rules: dict[str, object]) -> None:
    lines = ["# RT-1, RT-2: prose", "def test_a():", "    pass", "", "def test_b():", '    """RT-3 and RT-4."""', "    # RT-5 to RT-7"]
    found = {name: (first, last) for name, first, last in rules["_tests"](lines)}  # type: ignore[operator]
    assert found == {"test_a": (2, 3), "test_b": (5, 7)}
    said = list(rules["_comments"]("\n".join(lines) + "\n"))  # type: ignore[operator]
    assert said == [(1, ["RT-1", "RT-2"]), (6, ["RT-3", "RT-4"]), (7, ["RT-5", "RT-6", "RT-7"])]
