"""JSON as a tree that opens and closes by itself: native `<details>`, so the keyboard and a screen reader know it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import cast

from pyapp import numbers
from pyapp.ui.template import TemplateResult, html, nothing

OPEN_DEPTH = 2
NODES_MAX = 2_000
DEPTH_MAX = 60


def json_tree(value: object, *, nodes_max: int = NODES_MAX) -> TemplateResult:
    """The tree of a JSON value.

    Args:
        nodes_max: what is beyond so many values is counted and not drawn: a page must stay quick.
    """
    budget = _Budget(nodes_max)
    body = _node(nothing, value, 0, budget)
    rest = html(t'<p class="note">{numbers.count(budget.left_out)} more values are not shown.</p>') if budget.left_out else nothing
    return html(t'<div class="json mono">{body}</div>{rest}')


def pretty(value: object) -> str:
    """The text of a JSON value as people copy it."""
    return json.dumps(value, indent=2, ensure_ascii=False)


class _Budget:
    __slots__ = ("left_out", "room")

    def __init__(self, room: int) -> None:
        self.room = room
        self.left_out = 0

    def take(self) -> bool:
        if self.room <= 0:
            self.left_out += 1
            return False
        self.room -= 1
        return True


def _node(name: object, value: object, depth: int, budget: _Budget) -> TemplateResult:
    if isinstance(value, dict):
        pairs = cast("dict[str, object]", value)
        return _branch(name, "{", "}", ((_key(key), one) for key, one in pairs.items()), len(pairs), depth, budget)
    if isinstance(value, list | tuple):
        items = cast("list[object]", value)
        numbered = ((html(t'<span class="ji">{number}</span> '), one) for number, one in enumerate(items))
        return _branch(name, "[", "]", numbered, len(items), depth, budget)
    kind = "js" if isinstance(value, str) else "jn"
    return html(t'<span class="jl">{name}<bdi class={kind}>{json.dumps(value, ensure_ascii=False)}</bdi></span>')


def _key(key: str) -> TemplateResult:
    return html(t'<bdi class="jk">{json.dumps(key, ensure_ascii=False)}</bdi>: ')


def _branch(
    name: object, opens: str, closes: str, children: Iterable[tuple[object, object]], count: int, depth: int, budget: _Budget
) -> TemplateResult:
    if not count:
        return html(t'<span class="jl">{name}{opens}{closes}</span>')
    if depth >= DEPTH_MAX:
        budget.left_out += count
        return html(t'<span class="jl">{name}{opens} {numbers.count(count)} inside, too deep to show {closes}</span>')
    drawn = tuple(html(t"<li>{_node(key, one, depth + 1, budget)}</li>") for key, one in children if budget.take())
    noun = ("value" if opens == "[" else "key") + ("" if count == 1 else "s")
    return html(
        t"<details ?open={depth < OPEN_DEPTH}><summary>{name}{opens}"
        t'<span class="jc">{numbers.count(count)} {noun}</span>{closes}</summary>'
        t"<ul>{drawn}</ul></details>"
    )
