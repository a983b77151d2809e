"""All templates of the console, read from its sources: none waits for its first visitor to be found wrong."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from pyapp.ui.scan import scan

ROOT = Path(__file__).resolve().parents[3] / "pyapp"
SOURCES = sorted([*ROOT.joinpath("pages").rglob("*.py"), *ROOT.joinpath("ui").rglob("*.py")])


def templates(path: Path) -> list[tuple[int, str, tuple[str, ...]]]:
    """Line, kind and strings of each `html(t"…")` and `svg(t"…")` of a file."""
    found: list[tuple[int, str, tuple[str, ...]]] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Call(func=ast.Name(id="html" | "svg" as kind), args=[ast.TemplateStr(values=values)]):
                strings = [""]
                for value in values:
                    if isinstance(value, ast.Constant):
                        strings[-1] += str(value.value)
                    else:
                        strings.append("")
                found.append((node.lineno, kind, tuple(strings)))
            case _:
                pass
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_template_can_be_drawn(path: Path) -> None:
    for _, kind, strings in templates(path):
        scan(strings, svg=kind == "svg")


def test_templates_are_found() -> None:
    assert [kind for _, kind, _ in templates(ROOT / "ui" / "boundary.py")] == ["html"]
