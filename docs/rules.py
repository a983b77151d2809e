"""Writes docs/rules.md, the tests of each rule of docs/realtime.md: `python docs/rules.py`.

A test names its rules in a comment, `# RT-23` or `# RT-23, RT-30`, directly above it or anywhere within it, or as the first words of
its docstring; a comment within a class counts for the class. Only the comment's list counts: what follows a colon is prose.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MODEL = Path(__file__).with_name("realtime.md")
TARGET = Path(__file__).with_name("rules.md")

_RULE = re.compile(r"^- \*\*(RT-\d+)\*\* (.+)$", re.MULTILINE)
_NAMED = re.compile(r"# ((?:RT-\d+(?: to RT-\d+)?(?:, | and )?)+)")
_DOCSTRING = re.compile(r'"""((?:RT-\d+(?:, | and )?)+)')
_PART = re.compile(r"RT-(\d+)(?: to RT-(\d+))?")
_DEFINED = re.compile(r"^( *)(?:def (?=test_)|class )(\w+)")
NOT_BUILT = "*(not built)*"


def rules() -> dict[str, str]:
    """Each rule with its sentence, in the model's order."""
    return dict(_RULE.findall(MODEL.read_text(encoding="utf-8")))


def _comments(source: str) -> Iterator[tuple[int, list[str]]]:
    """The lines of comments that name rules, with these rules."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        named = _NAMED.match(token.string) if token.type == tokenize.COMMENT else None
        if named is not None:
            found: list[str] = []
            for first, last in _PART.findall(named.group(1)):
                found += [f"RT-{number}" for number in range(int(first), int(last or first) + 1)]
            yield token.start[0], found
        elif token.type == tokenize.STRING and (said := _DOCSTRING.match(token.string)):
            yield token.start[0], [f"RT-{number}" for number, _ in _PART.findall(said.group(1))]


def _tests(lines: list[str]) -> Iterator[tuple[str, int, int]]:
    """Every test function and every class of a module: its name, and its first and last line with its decorators.

    By lines and not by a parser: some tests are in the syntax of a later Python than the one that runs this.
    """
    for number, line in enumerate(lines, start=1):
        named = _DEFINED.match(line)
        if named is None:
            continue
        indent, first, last = len(named.group(1)), number, number
        while first > 1 and lines[first - 2].startswith(f"{named.group(1)}@"):
            first -= 1
        for later, text in enumerate(lines[number:], start=number + 1):
            if text.strip() and len(text) - len(text.lstrip()) <= indent and text.lstrip()[0] not in ")]#":
                break
            last = later if text.strip() else last
        yield named.group(2), first, last


def tests_of_rules() -> dict[str, list[str]]:
    """Each rule that a test names, with the tests as `path::name`."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "tests").rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        lines = source.splitlines()
        tests = list(_tests(lines))
        for line, named in _comments(source):
            after = line
            while after < len(lines) and lines[after].lstrip().startswith("#"):
                after += 1
            # Within a test, or on the lines directly above one.
            of = next((name for name, first, last in reversed(tests) if first <= line <= last or first == after + 1), None)
            if of is None:
                continue
            for rule in named:
                entry = f"{path.relative_to(ROOT).as_posix()}::{of}"
                if entry not in found.setdefault(rule, []):
                    found[rule].append(entry)
    return found


def without_test() -> list[str]:
    """Rules that are built and that no test names, and rules that tests name and the model does not know."""
    found, known = tests_of_rules(), rules()
    bare = [f"{rule} has no test" for rule, text in known.items() if NOT_BUILT not in text and rule not in found]
    return [*bare, *(f"{rule} is not in docs/realtime.md" for rule in found if rule not in known)]


def text() -> str:
    """The whole document."""
    found = tests_of_rules()
    lines = [
        "# Rules and their tests",
        "",
        "Made from `docs/realtime.md` and the comments of the tests by `python docs/rules.py`; a test fails when it is out of date,",
        "and when a rule that is built has no test.",
        "",
    ]
    for rule, sentence in rules().items():
        lines += [f"## {rule}", "", sentence, ""]
        by_file: dict[str, list[str]] = {}
        for entry in found.get(rule, []):
            path, _, name = entry.partition("::")
            by_file.setdefault(path, []).append(name)
        for path, names in by_file.items():
            lines.append(f"- `{path}`")
            lines += [f"  - {name.removeprefix('test_').replace('_', ' ')}" for name in names]
        lines += [""] if by_file else ["No test.", ""]
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
    for line in without_test():
        print(line)
