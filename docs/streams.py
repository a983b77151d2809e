"""Writes docs/streams.md from the inventory: `python docs/streams.py`, or `--check` to be told whether it is up to date."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TARGET = Path(__file__).with_name("streams.md")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return [*lines, *(f"| {' | '.join(map(_cell, row))} |" for row in rows), ""]


def _code(names: object) -> str:
    return ", ".join(f"`{name}`" for name in names) or "none"  # type: ignore[attr-defined]


def text() -> str:
    """The whole document."""
    sys.path.insert(0, str(ROOT))
    from pyapp import inventory

    lines = [
        "# Streams, queries and routes",
        "",
        "Made from `pyapp/inventory` by `python docs/streams.py`; a test fails when it is out of date. Rules (RT-…) are those",
        "of the realtime model. Paths are below `/api/v1/`.",
        "",
        "## Streams",
        "",
        "Priority decides which streams go first where connections are few (RT-64): lower is earlier. Of replaceable events only",
        "the last of an entity is kept when many wait (RT-40).",
        "",
    ]
    for row in sorted(inventory.STREAMS, key=lambda row: row.priority):
        query = f", parameters {_code(row.query)}" if row.query else ""
        lines += [
            f"### {row.name}",
            "",
            f"- **Path**: `{row.path}`{query}",
            f"- **Events**: {_code(row.types)}",
            f"- **Replaceable**: {_code(sorted(row.replaceable))}",
            f"- **Writes**: {_code(row.writes)}",
            f"- **Priority**: {row.priority}",
            f"- **Cadence**: {row.cadence}",
            f"- **On reconnect**: {row.on_reconnect}",
            "",
        ]
    lines += ["## Queries", "", "What a view of each family may expect live, in a window, and of refreshing.", ""]
    lines += _table(
        ("family", "modes", "endpoint", "class", "live", "window", "refresh", "outdated by"),
        [
            (
                f"`{row.family}`",
                ", ".join(sorted(row.modes)),
                f"`{row.endpoint}`",
                row.cls.name,
                row.live,
                row.window,
                row.refresh,
                _code(f"{prefix}*" for prefix in row.outdated_by),
            )
            for row in inventory.QUERIES
        ],
    )
    lines += ["## Routes", "", "The streams that a route may hold, and what its first paint asks for.", ""]
    lines += _table(
        ("route", "title", "streams", "first requests"),
        [
            (
                f"`{view.route}`",
                view.title,
                _code(view.streams),
                _code(inventory.boot_requests()[view.route]),
            )
            for view in inventory.VIEWS
        ],
    )
    lines += ["## Global streams", ""]
    if inventory.GLOBAL_STREAMS:
        lines += _table(("stream", "why"), [(f"`{name}`", why) for name, why in inventory.GLOBAL_STREAMS])
    else:
        lines += [
            "None: every stream is held by the routes that show it. Presence and notifications will be the only global ones, because",
            "they concern the person and not the route (RT-76).",
            "",
        ]
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Write the file, or compare it."""
    made = text()
    if arguments == ["--check"]:
        current = TARGET.read_text(encoding="utf-8") if TARGET.exists() else ""
        if current != made:
            print("docs/streams.md is out of date: run `python docs/streams.py`.", file=sys.stderr)
            return 1
        return 0
    TARGET.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
