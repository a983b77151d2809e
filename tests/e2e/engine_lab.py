"""The engine in a browser without the console: one page, three panels, one per kind of stream (RT-83, RT-84).

`site(folder)` is the built site with one more page, `lab.html`, which runs `engine_lab/page.py` where the console would run. Tests read
what the panels said and when, what the domains did, what was asked and why, from `record(lab)`; `fallback_faults` and `mark_faults`
judge such a record by the rules, whatever the fault and however slow the machine was.
"""

from __future__ import annotations

import json
import os
import shutil
import time
import urllib.request
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, cast
from urllib.parse import urlencode

from browsers import new_context
from conftest import BOOT_MS, DIST, TRUTH, Console, Server
from playwright.sync_api import Browser

from pyapp.contract.apis import ApiDetail
from pyapp.contract.jobs import JobsPage
from pyapp.contract.workers import WorkersPage
from pyapp.settings import PageFile, settings_of

PAGE = Path(__file__).parent / "engine_lab" / "page.py"
API = "shop-api"
Kind = Literal["event", "snapshot", "item"]
Transport = Literal["single", "multiplexed"]
KINDS: tuple[Kind, ...] = ("event", "snapshot", "item")
TIMES = settings_of(None, PageFile(profile="test")).timings
"""The times of the profile `test`."""


@dataclass(frozen=True)
class Panel:
    """One panel of the lab: its name, its key, its stream and where the server answers the same."""

    name: str
    key: tuple[object, ...]
    stream: str
    domain: str
    path: str

    @property
    def key_text(self) -> str:
        """The key as the page says it."""
        return json.dumps(self.key, separators=(",", ":"))


PANELS: Mapping[Kind, Panel] = {
    "event": Panel("jobs", ("jobs", "live", {}), "events", "events", "jobs?limit=50"),
    "snapshot": Panel("workers", ("workers", "live", {}), "workers", "workers", "workers"),
    "item": Panel("api", ("apis", "item", API), f"apis/{API}", f"api?name={API}", f"apis/{API}"),
}


def site(folder: Path) -> Path:
    """The built site in `folder`, with the lab's page in it and nothing fetched at boot but the configuration."""

    def link(source: str, target: str) -> None:
        try:
            os.link(source, target)
        except OSError:
            shutil.copyfile(source, target)

    shutil.copytree(DIST, folder, copy_function=link)
    for name in ("boot.json", "penstock.json"):
        for each in folder.glob(f"{name}*"):
            each.unlink()  # linked: what is written must be a file of its own
    boot = json.loads((DIST / "boot.json").read_text(encoding="utf-8"))
    (folder / "boot.json").write_text(json.dumps({**boot, "requests": {"/": ["config"]}}), encoding="utf-8")
    # The profile is for a part-A server, which has no configuration.
    (folder / "penstock.json").write_text(json.dumps({"api": "", "profile": "test"}), encoding="utf-8")
    page = (DIST / "index.html").read_text(encoding="utf-8")
    (folder / "lab.html").write_text(page.replace("main.py", "lab.py"), encoding="utf-8")
    shutil.copyfile(PAGE, folder / "lab.py")
    return folder


class Lab(Console):
    """A page with the lab in it, and the server behind it."""

    def start(self, server: Server, transport: Transport, *, url: str | None = None, **options: str) -> Lab:
        """Load the page, over `url` where that is not the server's own; every panel has data then."""
        self.server = server
        self.transport: Transport = transport
        query = urlencode({"transport": transport, "api": API, **options})
        self.open(f"{url or server.url}lab.html?{query}")
        self.page.wait_for_function("() => globalThis.lab", timeout=BOOT_MS)
        return self

    def fault(self, kind: str, **how: object) -> None:
        """Put a fault in force, or `clear` all."""
        self.server.post("__faults__", {"fault": kind, **how})

    def now(self) -> float:
        """The page's clock."""
        return float(self.page.evaluate("performance.now()"))

    def mark(self, kind: Kind) -> tuple[str, str]:
        """What a panel says now."""
        found: list[str] = self.page.eval_on_selector(
            self.panel(PANELS[kind].name), "panel => [panel.dataset.freshness ?? '', panel.dataset.reason ?? '']"
        )
        return found[0], found[1]

    def refresh(self, kind: Kind) -> None:
        """Press the panel's Refresh (RT-37)."""
        self.page.evaluate("key => lab.refresh(key)", PANELS[kind].key_text)

    def all_live(self, *, timeout_ms: float = 20_000) -> None:
        """Wait until every panel says live."""
        for panel in PANELS.values():
            self.fresh(panel.name, "live", timeout_ms=timeout_ms)

    def stream(self, kind: Kind) -> dict[str, Any]:
        """The counters of a panel's stream."""
        found = [row for row in self.diagnostics()["streams"] if row["key"] == PANELS[kind].domain]
        return found[0] if found else {}

    def equals_server(self, kind: Kind, *, timeout_s: float = 25, place: bool = True) -> None:
        """Ask server and page until both say the same, where they speak of the same place of the stream.

        `place`: the server says positions; one of part A says none, and there the two must become equal by themselves.
        """
        deadline = time.monotonic() + timeout_s
        problem = "was never at the server's place"
        while time.monotonic() < deadline:
            told, at = _answer(self.server, PANELS[kind].path)
            held = self._held(kind)
            # What is whole is equal or not, wherever it is; a list is compared where both speak of the same events.
            if held is None or (place and kind == "event" and held["position"] != at):
                continue
            problem = _differs(kind, told, held["data"])
            if not problem:
                return
        raise AssertionError(f"{PANELS[kind].name}: {problem}")

    def _held(self, kind: Kind) -> dict[str, Any] | None:
        found: str | None = self.page.evaluate("key => lab.held(key) ?? null", PANELS[kind].key_text)
        return None if found is None else json.loads(found)

    def lies(self) -> list[str]:
        """What the sampler found (RT-84)."""
        return self.page.evaluate("__truth.violations")

    def mistakes(self) -> list[str]:
        """What was raised."""
        return [*self.problems, *self.diagnostics()["errors"]]


@contextmanager
def lab_page(
    browser: Browser, server: Server, transport: Transport, *, url: str | None = None, script: str = "", **options: str
) -> Generator[Lab]:
    """A lab in a context of its own, watched by the sampler from its first moment; at its end it must not have lied.

    `script` runs in the page before anything else.
    """
    context = new_context(browser)
    try:
        context.add_init_script(path=TRUTH)
        if script:
            context.add_init_script(script)
        lab = Lab(context.new_page()).start(server, transport, url=url, **options)
        yield lab
        assert lab.lies() == []
        assert lab.mistakes() == []
    finally:
        context.close()


def _answer(server: Server, path: str) -> tuple[str, str]:
    request = urllib.request.Request(f"{server.url}api/v1/{path}", headers={"X-Penstock-Client": "test"})
    with urllib.request.urlopen(request, timeout=20) as response:
        return response.read().decode(), response.headers.get("X-Penstock-Position", "")


_WAITING = ("pending", "queued", "retrying")


def _differs(kind: Kind, told: str, held: Any) -> str:
    """Where the page's data is not the server's; empty where it is."""
    if kind == "snapshot":
        rows = WorkersPage.model_validate_json(told).model_dump(mode="json")["workers"]
        return "" if held["rows"] == rows else f"has {held['rows']}, the server {rows}"
    if kind == "item":
        detail = ApiDetail.model_validate_json(told).model_dump(mode="json")
        return _figures_differ(held, detail)
    return _jobs_differ(JobsPage.model_validate_json(told).model_dump(mode="json")["jobs"], held["rows"])


def _figures_differ(held: Any, told: Any, where: str = "api") -> str:
    """Everything must be equal but figures over a window of time: the clock alone moves them between two looks at one place."""
    if isinstance(held, dict) and isinstance(told, dict):
        ours, theirs = cast("dict[str, Any]", held), cast("dict[str, Any]", told)
        if ours.keys() != theirs.keys():
            return f"{where} has {sorted(ours)}, the server's {sorted(theirs)}"
        return next((found for name in ours if (found := _figures_differ(ours[name], theirs[name], f"{where}.{name}"))), "")
    if isinstance(held, list) and isinstance(told, list):
        mine, its = cast("list[Any]", held), cast("list[Any]", told)
        pairs = {str(number): pair for number, pair in enumerate(zip(mine, its, strict=False))}
        differs = next((found for name, (a, b) in pairs.items() if (found := _figures_differ(a, b, f"{where}.{name}"))), "")
        return differs or ("" if len(mine) == len(its) else f"{where} has {len(mine)}, the server's {len(its)}")
    if isinstance(held, int | float) and isinstance(told, int | float):
        return "" if abs(held - told) <= max(5.0, 0.05 * max(abs(held), abs(told))) else f"{where} is {held}, the server's {told}"
    return "" if held == told else f"{where} is {held}, the server's {told}"


def _jobs_differ(told: Sequence[Mapping[str, Any]], held: Sequence[Mapping[str, Any]]) -> str:
    """Of jobs, what events tell: a job that waits says so by none, so only the server may know it; and both lists are cut at 50."""

    def state(row: Mapping[str, Any]) -> object:
        return "waiting" if row["status"] in _WAITING else (row["status"], row["attempts"])

    def older(row: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> bool:
        return len(rows) == 50 and (row["created_at"] or "") <= (rows[-1]["created_at"] or "")

    theirs, ours = {row["id"]: row for row in told}, {row["id"]: row for row in held}
    for each, row in theirs.items():
        if each not in ours:
            if state(row) != "waiting" and not older(row, held):
                return f"misses {each} ({row['status']})"
        elif state(ours[each]) != state(row):
            return f"shows {each} as {state(ours[each])}, the server as {state(row)}"
    extra = [each for each, row in ours.items() if each not in theirs and not older(row, told) and row["created_at"]]
    return f"has {extra}, which the server has not" if extra else ""


# What a page recorded ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Record:
    """What happened in a page since a moment of its clock; every row begins with its time in ms."""

    since: float
    marks: Sequence[tuple[float, str, str, str]]
    changes: Sequence[tuple[float, str, str, str, str]]
    sent: Sequence[tuple[float, str, str, str]]

    def marks_of(self, kind: Kind) -> list[tuple[float, str, str]]:
        """What a panel said, the mark of the beginning first."""
        own = [(at, state, reason) for at, name, state, reason in self.marks if name == PANELS[kind].name]
        before = [row for row in own if row[0] <= self.since]
        return [*before[-1:], *(row for row in own if row[0] > self.since)]

    def said(self, kind: Kind) -> list[str]:
        """The marks in words, without times."""
        return [f"{state} {reason}".strip() for _, state, reason in self.marks_of(kind)]

    def requests(self, kind: Kind, *, why: str | None = None) -> list[float]:
        """When the panel's data was asked for, for any reason or for one."""
        path = PANELS[kind].path
        return [
            at for at, method, url, said in self.sent if at > self.since and method == "GET" and url == path and why in (None, said)
        ]

    def probes(self) -> list[str]:
        """What was asked plainly why it refused (RT-25)."""
        return [url for at, _, url, why in self.sent if at > self.since and why == "probe"]


def record(lab: Lab, since: float) -> Record:
    """What a page did since then."""
    said: list[str] = lab.page.evaluate("[lab.marks(), lab.changes(), lab.sent()]")
    marks, changes, sent = (cast("list[Any]", json.loads(text)) for text in said)
    return Record(since, [tuple(row) for row in marks], [tuple(row) for row in changes], [tuple(row) for row in sent])


CLOCK_MS = 3.0
"""What two readings of the page's clock within one turn may differ by; a lower bound is otherwise exact."""
TIMER_LATE_MS = 250.0
"""A timer that ends a recovery may fire so late; a health that lasted hardly longer than the recovery may have ended before it did."""
LATE_MS = 1_500.0
"""By so much a busy machine may be late."""
_EXCUSED = ("hidden", "offline", "live off", "not wanted", "forbidden", "permissions", "no scope", "shutdown")
_NO_GRACE = ("unavailable", "flag off", "budget")


@dataclass(frozen=True)
class Outage:
    """A stretch in which a domain was not healthy for a reason that counts (RT-33); `polled` is when polling took over."""

    began: float
    ended: float | None
    polled: float | None
    grace: bool
    after_health: float | None


def outages(rec: Record, kind: Kind) -> list[Outage]:
    """The outages of a panel's domain, from its recorded changes."""
    found: list[Outage] = []
    began: float | None = None
    polled: float | None = None
    grace = True
    healthy_since: float | None = None
    for at, domain, mode, health, _ in rec.changes:
        if domain != PANELS[kind].domain:
            continue
        counts = not health.startswith("healthy") and not any(f"({word})" in health for word in _EXCUSED)
        if counts and began is None:
            began, polled, grace = at, None, True
        if counts and any(f"({word})" in health for word in _NO_GRACE):
            grace = False
        if counts and mode == "polling (fallback)" and polled is None:
            polled = at
        if not counts and began is not None:
            found.append(Outage(began, at, polled, grace, None if healthy_since is None else began - healthy_since))
            began = None
        if not counts:
            healthy_since = at if health.startswith("healthy") else None
    if began is not None:
        found.append(Outage(began, None, polled, grace, None if healthy_since is None else began - healthy_since))
    return [outage for outage in found if outage.ended is None or outage.ended > rec.since]


def fallback_faults(rec: Record, kind: Kind) -> list[str]:
    """Where the fallback of a panel's domain did not keep RT-33; nothing, where it did.

    A grace is never cut short. It runs on from where it began through a health that does not last the recovery time; after a polling
    there is no new one until health did. An outage that outlasts it is polled.
    """
    wrong: list[str] = []
    grace_from = 0.0
    spent = False
    for outage in outages(Record(0, rec.marks, rec.changes, rec.sent), kind):
        if outage.after_health is None or outage.after_health >= TIMES.recover_ms + TIMER_LATE_MS:
            grace_from, spent = outage.began, False
        needed = 0.0 if spent or not outage.grace else TIMES.fallback_grace_ms
        lasted = (outage.ended if outage.ended is not None else outage.began) - outage.began
        if outage.began > rec.since:
            if outage.polled is not None and outage.polled - grace_from < needed - CLOCK_MS:
                wrong.append(f"polled after {outage.polled - grace_from:.0f} ms, the grace is {needed:.0f}")
            if outage.polled is None and lasted > TIMES.fallback_grace_ms + LATE_MS:
                wrong.append(f"was not healthy for {lasted:.0f} ms and never polled")
        spent = spent or outage.polled is not None
    return wrong


def mark_faults(rec: Record, kind: Kind) -> list[str]:
    """Where a panel went on to say live although its domain was not healthy (RT-84): one beat is allowed, and a busy machine."""
    wrong: list[str] = []
    marks = rec.marks_of(kind)
    for outage in outages(rec, kind):
        end = outage.ended if outage.ended is not None else float("inf")
        before = [row for row in marks if row[0] <= outage.began]
        after = [row for row in marks if outage.began < row[0] < end]
        spans = [*before[-1:], *after, (end, "", "")]
        for (at, state, _), (until, _, _) in pairwise(spans):
            said = min(until, end) - max(at, outage.began)
            if state == "live" and said > TIMES.beat_ms + LATE_MS and end != float("inf"):
                wrong.append(f"said live for {said:.0f} ms of an outage")
    return wrong


def polling_faults(rec: Record, kind: Kind) -> list[str]:
    """Where a fallback polled more often than its interval allows (RT-33). One request may wait its turn, so pairs prove nothing."""
    wrong: list[str] = []
    for outage in outages(rec, kind):
        if outage.polled is None or outage.ended is None:
            continue
        polls = [at for at in rec.requests(kind, why="polling (fallback)") if outage.began <= at <= outage.ended]
        most = (outage.ended - outage.polled) / TIMES.fallback_poll_ms + 2
        if len(polls) > most:
            wrong.append(f"polled {len(polls)} times in {outage.ended - outage.polled:.0f} ms")
    return wrong


def wait_until(says: Callable[[], object], *, timeout_s: float = 20) -> None:
    """Ask until it is so."""
    deadline = time.monotonic() + timeout_s
    while not (said := says()):
        assert time.monotonic() < deadline, f"still {said!r} after {timeout_s} s"
        time.sleep(0.05)
