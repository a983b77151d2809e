"""What a worker is by its instances: whether somebody has heard of them, what they run, and for how many there is room.

A worker that crashed is not announced: its instances stay in the list and fall silent, and only the age of a heartbeat tells (contract,
part A). Ages are by the server's clock (RT-55).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pyapp.contract.workers import Instance, Worker
from pyapp.pages import formats
from pyapp.pages.figures import STALE_HEARTBEAT_MS
from pyapp.ui import TemplateResult, html, svg
from pyapp.ui.components.marks import icon

State = Literal["ready", "partly", "stale", "stopped"]

_MARKS: dict[State, tuple[str, str]] = {
    "ready": ("complete", "Ready"),
    "partly": ("warn", "Partly stale"),
    "stale": ("failed", "Stale"),
    "stopped": ("cancelled", "Stopped"),
}
RANK: dict[State, int] = {"stale": 0, "partly": 1, "stopped": 2, "ready": 3}
"""The order of states when a table is sorted by them: what needs somebody is first."""

_METER_WARN, _METER_FULL = 0.8, 1.0


def is_stale(instance: Instance, now_ms: float) -> bool:
    """Whether an instance was silent for too long."""
    return now_ms - formats.wall_ms(instance.last_heartbeat) > STALE_HEARTBEAT_MS


def stale_ids(workers: Iterable[Worker], now_ms: float) -> frozenset[str]:
    """The instances that were silent for too long."""
    return frozenset(one.id for worker in workers for one in worker.instances if is_stale(one, now_ms))


@dataclass(frozen=True, slots=True)
class Fleet:
    """The instances of a worker together.

    Attributes:
        instances, stale: how many there are, and how many of them are silent.
        running, capacity: of those that are heard of: a silent one runs nothing that anybody knows of.
        processed, failed: jobs since their starts, of all of them.
        heard: the latest heartbeat, if there ever was one.
        started: the earliest start.
    """

    state: State
    instances: int
    stale: int
    running: int
    capacity: int
    processed: int
    failed: int
    heard: datetime | None
    started: datetime | None


def fleet_of(worker: Worker, stale: frozenset[str]) -> Fleet:
    """Add up a worker's instances; `stale` are the ids of silent ones."""
    silent = sum(one.id in stale for one in worker.instances)
    heard_of = [one for one in worker.instances if one.id not in stale]
    state: State = "ready"
    if not worker.active or not worker.instances:
        state = "stopped"
    elif silent:
        state = "stale" if not heard_of else "partly"
    return Fleet(
        state,
        len(worker.instances),
        silent,
        sum(one.active_jobs for one in heard_of),
        sum(one.concurrency for one in heard_of),
        sum(one.jobs_processed for one in worker.instances),
        sum(one.jobs_failed for one in worker.instances),
        max((one.last_heartbeat for one in worker.instances), default=None),
        min((one.started_at for one in worker.instances), default=None),
    )


def state_mark(state: State) -> TemplateResult:
    """Shape and word."""
    kind, word = _MARKS[state]
    return html(t'<span class="st" data-st={kind}>{icon(f"s-{kind}")}<span class="word">{word}</span></span>')


def meter(taken: int, room: int, label: str) -> TemplateResult:
    """A bar of what is taken, and the figures behind it; colour only where it is nearly or wholly full."""
    share = min(1.0, taken / room) if room else 0.0
    level = "full" if room and share >= _METER_FULL else "warn" if share >= _METER_WARN else ""
    width = f"{100 * share:.1f}%"
    bar = svg(t'<rect class="t" width="100%" height="100%"></rect><rect class="v" width={width} height="100%"></rect>')
    return html(
        t'<span class="load"><svg class="meter {level}" role="img" aria-label="{label}: {taken} of {room}">{bar}</svg>'
        t'<span class="p" aria-hidden="true">{formats.count(taken)}<span class="u">of {formats.count(room)}</span></span></span>'
    )


def failures(failed: int, processed: int) -> TemplateResult:
    """How many failed; none is no news."""
    if not failed:
        return html(t'<span class="dim">{formats.count(failed) if processed else formats.NONE}</span>')
    return html(t'<span class="err">{formats.count(failed)}</span>')
