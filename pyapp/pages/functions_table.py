"""Functions as rows, and the words that the list and the page of one share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

from pyapp.contract.functions import Function
from pyapp.pages import addresses, figures, formats, switching
from pyapp.pages.formats import Quantity
from pyapp.pages.protocol import Results
from pyapp.pages.rows import Column, Table
from pyapp.pages.selecting import PICK, Selected, box, boxes
from pyapp.pages.sorting import Sort
from pyapp.ui import TemplateResult, html, nothing
from pyapp.ui.components.marks import age, icon, quantity, status_word

State = Literal["active", "paused", "inactive"]

STATES: tuple[State, ...] = ("active", "paused", "inactive")
STATE_WORDS: Mapping[State, str] = {"active": "Active", "paused": "Paused", "inactive": "No worker"}
_SHAPES: Mapping[State, tuple[str, str]] = {
    "active": ("complete", "s-complete"),
    "paused": ("queued", "g-paused"),
    "inactive": ("warn", "s-warn"),
}
_RANK: Mapping[State, int] = {"inactive": 0, "paused": 1, "active": 2}

COLUMNS: Final = (
    PICK,
    Column("State", "w7 w-st", "w4", sort="state"),
    Column("Function", "", "w2", sort="function"),
    Column("Type", "w5 p2", "w3", sort="type"),
    Column("Runs, 24 h", "w6 num p1", "w2", sort="runs"),
    Column("Success", "w6 num w-time", "w2", sort="success"),
    Column("Mean", "w6 num p3", "w3", sort="mean"),
    Column("p95", "w6 num p2", "w3", sort="p95"),
    Column("Wait", "w6 num p3", "w3", sort="wait"),
    Column("Backlog", "w5 num p1", "w2", sort="backlog"),
    Column("Last run", "w7 num p2", "w3", sort="last"),
    Column("Actions", "w6 act w-act", "", hidden_word=True),
)
LARGEST_FIRST: Final = frozenset({"runs", "mean", "p95", "wait", "backlog", "last"})
DEFAULT_SORT = Sort(column="function")


def state_of(function: Function) -> State:
    """Whether its jobs are dispatched: not while it is paused, and by nobody where no worker offers it."""
    if function.paused:
        return "paused"
    return "active" if function.active else "inactive"


def state_mark(function: Function) -> TemplateResult:
    """Shape and word."""
    state = state_of(function)
    kind, shape = _SHAPES[state]
    return html(t'<span class="st" data-st={kind}>{icon(shape)}<span class="word">{STATE_WORDS[state]}</span></span>')


def success(function: Function) -> Quantity:
    """The rate of what succeeded; what never ran has none."""
    return formats.percent(function.success_rate) if function.runs_24h else formats.NO_QUANTITY


def success_level(function: Function) -> str:
    """`bad` or `warn` where the rate is out of the ordinary."""
    return figures.success_level(function.success_rate) if function.runs_24h else ""


def mean(function: Function) -> float | None:
    """How long a run takes, in ms; what never ran has no mean."""
    return function.avg_duration_ms if function.runs_24h else None


def failing(results: Results, now_ms: float) -> str:
    """How many functions fail more often than is ordinary, for the browser's tab."""
    result = results.get("functions")
    rows: tuple[Function, ...] = () if result is None or result.data is None else result.data.rows
    bad = sum(success_level(one) == "bad" for one in rows)
    return f"{bad} failing" if bad else ""


KEYS: Final[Mapping[str, Callable[[Function], Any]]] = {
    "state": lambda one: _RANK[state_of(one)],
    "function": lambda one: one.name.casefold(),
    "type": lambda one: one.type,
    "runs": lambda one: one.runs_24h,
    "success": lambda one: one.success_rate if one.runs_24h else None,
    "mean": mean,
    "p95": lambda one: one.p95_duration_ms,
    "wait": lambda one: one.avg_wait_ms,
    "backlog": lambda one: one.queue_backlog,
    "last": lambda one: one.last_run_at,
}


def key_of(function: Function) -> str:
    return function.key


def functions_table(
    asked: switching.Asked,
    sort: Sort,
    left: frozenset[str] = frozenset(),
    selected: Selected = frozenset(),
    picks: TemplateResult | None = None,
) -> Table[Function]:
    """Every function with the figures of its last day."""

    def row(one: Function) -> TemplateResult:
        classes = " ".join(
            word
            for word, on in (("asked", switching.find(asked, one)), ("left", one.key in left), ("ticked", one.key in selected))
            if on
        )
        backlog = "num p1" if one.queue_backlog else "num p1 dim"
        return html(
            t"<tr class={classes} data-id={one.key}>{box(f'Select {one.name}', checked=one.key in selected)}<td>{state_mark(one)}</td>"
            t'<td><a class="fn" href={addresses.to("functions", one.key)} title={one.key}><bdi>{one.name}</bdi></a>{_when(one)}</td>'
            t'<td class="p2 dim">{one.type}</td><td class="num p1">{formats.count(one.runs_24h)}</td>'
            t'<td class="num {success_level(one)}">{quantity(success(one))}</td>'
            t'<td class="num p3">{quantity(formats.duration(mean(one)))}</td>'
            t'<td class="num p2">{quantity(formats.duration(one.p95_duration_ms))}</td>'
            t'<td class="num p3">{quantity(formats.duration(one.avg_wait_ms))}</td>'
            t'<td class={backlog}>{formats.count(one.queue_backlog)}</td><td class="num p2">{_last(one)}</td>'
            t'<td class="act">{switching.switch(one, asked)}</td></tr>'
        )

    return Table("functions", "Functions", COLUMNS, key=key_of, render=row, bones=9, sort=sort, picks=picks, change=boxes("functions"))


def _when(one: Function) -> TemplateResult:
    """What starts it by itself, and the key under the name where the panel is narrow."""
    starts = one.schedule or one.pattern
    behind = html(t' <bdi class="dim mono">{starts}</bdi>') if starts else nothing
    return html(t'{behind}<span class="sub-line mono">{one.key}</span>')


def _last(one: Function) -> TemplateResult:
    if one.last_run_at is None:
        return quantity(formats.NO_QUANTITY)
    failed = one.last_run_status == "failed"
    shape = html(t'<span class="st" data-st="failed" title={status_word("failed")}>{icon("s-failed")}</span>') if failed else nothing
    return html(t"{shape}{age(formats.iso(one.last_run_at))}")
