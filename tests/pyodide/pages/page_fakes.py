"""Results as the cache would hand them to a page, made by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any, cast

from pyapp.contract.apis import RequestEvent
from pyapp.contract.dashboard import ApiTotals, DashboardStats, QueueTotals, RunTotals, WorkerTotals
from pyapp.contract.jobs import Job, JobStatus
from pyapp.contract.workers import Instance, Worker
from pyapp.core.cache.result import Result
from pyapp.core.errors import RequestError
from pyapp.core.freshness import Freshness, FreshnessReason, FreshnessState
from pyapp.pages.protocol import Effect, Env, Panel
from pyapp.ui import to_html

NOW = datetime(2026, 11, 20, 7, 13, 41, tzinfo=UTC)
NOW_MS = NOW.timestamp() * 1_000
ENV = Env(now_ms=NOW_MS)


@dataclass(frozen=True)
class LiveList:
    """The data of a live query."""

    rows: tuple[Any, ...]
    total: int | None
    approximate: bool = False


@dataclass(frozen=True)
class WindowData:
    """The data of a window query."""

    rows: tuple[Any, ...]
    total: int
    complete: bool = True


def job(number: int = 1, status: JobStatus = "complete", **fields: Any) -> Job:
    """One job; a higher number is an older one."""
    at = NOW - timedelta(seconds=number)
    given = {"id": f"job_{number}", "job_key": "k", "function": "demo.leaf", "function_name": "leaf", "root_id": f"job_{number}"}
    return Job.model_validate({**given, "status": status, "created_at": at, "started_at": at, **fields})


def jobs(count: int, status: JobStatus = "complete") -> tuple[Job, ...]:
    """Jobs, the newest first."""
    return tuple(job(number, status) for number in range(1, count + 1))


def request(number: int = 1, status: int = 200) -> RequestEvent:
    """One API request."""
    at = NOW - timedelta(seconds=number)
    return RequestEvent(id=f"req_{number}", at=at, api_name="demo", method="GET", path="/items", status=status, latency_ms=1.63)


def worker(name: str, *heartbeat_ages_s: float) -> Worker:
    """A worker with one instance per age of a heartbeat."""
    instances = tuple(
        Instance(
            id=f"{name}_{number}",
            worker_name=name,
            started_at=NOW,
            last_heartbeat=NOW - timedelta(seconds=age),
            concurrency=4,
            active_jobs=0,
            jobs_processed=0,
            jobs_failed=0,
        )
        for number, age in enumerate(heartbeat_ages_s)
    )
    return Worker(name=name, active=True, instance_count=len(instances), instances=instances, concurrency=4)


def stats(**changes: Any) -> DashboardStats:
    """The figures of the recordings' quarter of an hour."""
    given: dict[str, Any] = {
        "runs": RunTotals(total=162, success_rate=92.6, window_minutes=5, jobs_per_min=32.4),
        "queue": QueueTotals(running=6, waiting=9, claimed=3, scheduled_due=2, scheduled_future=18, backlog=14, capacity=8, total=38),
        "workers": WorkerTotals(total=3),
        "apis": ApiTotals(requests=217, avg_latency_ms=17.3, error_rate=11.5, window_minutes=5, requests_per_min=43.4),
    }
    return DashboardStats(**{**given, **changes})


def result(
    data: Any = None,
    state: FreshnessState = FreshnessState.LIVE,
    reason: FreshnessReason = FreshnessReason.DELIVERING,
    *,
    error: RequestError | None = None,
    **fresh: Any,
) -> Result[Any]:
    """One reading; without data it was never read."""
    given: dict[str, Any] = {"since_ms": NOW_MS - 60_000, "mode": "streaming", "last_delivery_ms": NOW_MS - 1_000}
    freshness = Freshness(state=state, reason=reason, **{**given, **fresh})
    known = data is not None
    return Result(data=data, has_data=known, error=error, updated_ms=NOW_MS - 2_000 if known else None, freshness=freshness)


def draw(panels: Mapping[str, Panel], name: str, state: Any, results: Mapping[str, Result[Any]], env: Env = ENV) -> str:
    """A panel's HTML, given the results of its needs only, as the program gives them."""
    panel = panels[name]
    return to_html(panel.view(state, {need: results[need] for need in panel.needs if need in results}, env))


def take[S](answer: S | tuple[S, *tuple[Effect, ...]]) -> tuple[S, tuple[Effect, ...]]:
    """The state and the effects of an `update`."""
    if isinstance(answer, tuple):
        state, *effects = cast("tuple[S, *tuple[Effect, ...]]", answer)
        return state, tuple(effects)
    return answer, ()


@dataclass
class Element:
    """One start tag of a page."""

    tag: str
    attributes: dict[str, str]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def elements(text: str, tag: str = "", **attributes: str) -> list[Element]:
    """The elements of a page, of one tag and with these attributes (`data_panel` is `data-panel`)."""
    reader = _Reader()
    reader.feed(text)
    wanted = {name.replace("_", "-"): value for name, value in attributes.items()}
    return [one for one in reader.elements if tag in ("", one.tag) and wanted.items() <= one.attributes.items()]


def words(text: str) -> str:
    """The text of a page, without marks, on one line."""
    reader = _Reader()
    reader.feed(text)
    return " ".join("".join(reader.words).split())


def section(text: str) -> dict[str, str]:
    """The attributes of a panel's section."""
    return elements(text, "section")[0].attributes
