"""The fault matrix (RT-20 to RT-38, RT-84): each fault of the server × {event, snapshot, item stream} × {single, multiplexed}.

`FAULTS` is the table: how a fault is made, until when it lasts, and what the rules say of it. Every run ends with all panels live,
their data equal to the server's, and a record that `engine_lab` judges: polling began and ended as RT-33 has it (lower bounds exact),
no panel said live through an outage, and the sampler found no lie. Faults last until the page has shown what they do, so a slow machine
makes a run longer and not wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from browsers import launch
from conftest import Server, running
from engine_lab import (
    CLOCK_MS,
    KINDS,
    PANELS,
    TIMES,
    Kind,
    Lab,
    Record,
    Transport,
    fallback_faults,
    lab_page,
    mark_faults,
    polling_faults,
    record,
    site,
    wait_until,
)
from playwright.sync_api import Playwright

Until = Literal["polled", "forbidden", "counted", "awhile", "at once"]
Return = Literal["by itself", "seen again", "refresh"]

AWHILE_MS = 1_200
"""Two graces: long enough to see that nothing happens."""
TRIES = 3
"""A fault that must not be noticed at all is tried again where the machine was too busy to hear the heartbeats in time."""

LOST = frozenset({"stale old", "stale catching-up", "polling fallback"})
"""What a panel may say while its stream is away and comes back."""
NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Fault:
    """One row of the table.

    Attributes:
        name: of the row.
        kind, how: as the server takes them; each stream gets one of its own, except where `whole` says that the connection does.
        whole: it concerns the connection (multiplexed), or everything (a restart).
        cut: what is open is cut once it is in force, so that it is met.
        until: when it ends: once every domain polls, every panel says forbidden, `counts` have moved, after a while, or at once.
        back: what brings the streams back.
        counts: counters of the stream that move, each at least by so much.
        may: marks besides live that may be seen; `must`: those that must be.
        polls: whether polling must take over; where it need not, RT-33 decides by how long the outage lasted.
        at_once: polling takes over without a grace.
        owes: whether a snapshot is owed because of it.
        calm: nothing may be noticed at all: no mark but live, no request.
        wait_ms: no attempt follows a refusal sooner.
        probes: whether the status is asked for by a plain request (only where streams have connections of their own).
        firefox: also run there.
        only: the transport that it is about.
    """

    name: str
    kind: str
    how: Mapping[str, object] = field(default_factory=dict[str, object])
    whole: bool = False
    cut: bool = False
    until: Until = "polled"
    back: Return = "by itself"
    counts: Mapping[str, int] = field(default_factory=dict[str, int])
    may: frozenset[str] = LOST
    must: frozenset[str] = NOTHING
    polls: bool = False
    at_once: bool = False
    owes: bool | None = None
    calm: bool = False
    wait_ms: float = 0.0
    probes: bool = False
    firefox: bool = False
    only: Transport | None = None


POLLED = frozenset({"polling fallback"})
FORBIDDEN = frozenset({"error forbidden"})
AWAY = frozenset({"paused hidden"})

FAULTS: tuple[Fault, ...] = (
    Fault("drop, back at once", "drop", {"seconds": 0.02}, whole=True, until="counted", counts={"drops": 1}, firefox=True),
    Fault("drop", "drop", whole=True, counts={"drops": 1}, must=POLLED, polls=True, owes=True, firefox=True),
    Fault("stall", "stall", counts={"drops": 1}, must=POLLED, polls=True, owes=True, firefox=True),
    Fault("delay", "delay", {"ms": 150}, until="awhile", calm=True),
    Fault("503", "503", cut=True, must=POLLED, polls=True, owes=True, wait_ms=1_000, probes=True, firefox=True),
    Fault("429", "429", cut=True, must=POLLED, polls=True, owes=True, wait_ms=1_000, probes=True),
    Fault("404", "404", cut=True, back="seen again", may=LOST | AWAY, must=POLLED, polls=True, at_once=True, probes=True),
    Fault("403", "403", cut=True, until="forbidden", back="refresh", may=LOST | FORBIDDEN, must=FORBIDDEN, probes=True, firefox=True),
    Fault(
        "html",
        "html",
        cut=True,
        back="seen again",
        may=LOST | AWAY,
        must=POLLED,
        polls=True,
        at_once=True,
        probes=True,
        only="single",
    ),
    Fault("html", "html", cut=True, must=POLLED, polls=True, owes=True, only="multiplexed"),
    Fault("garble", "garble", {"count": 2}, until="counted", counts={"counts.invalid": 2}, firefox=True),
    Fault("garble types", "garble", {"count": 2, "form": "types"}, until="counted", counts={"counts.invalid": 2}),
    Fault("duplicate", "duplicate", {"count": 3}, until="counted", counts={"counts.old": 3}, calm=True),
    Fault("reorder", "reorder", until="counted", counts={"gaps": 1, "counts.old": 1}, owes=True),
    Fault("skip", "skip", {"count": 1}, until="counted", counts={"gaps": 1}, owes=True, firefox=True),
    Fault("restart", "restart", whole=True, until="counted", counts={"drops": 1}, owes=True),
    Fault("store", "store", must=POLLED, polls=True, owes=True),
    # What can happen to the one connection, and so to every stream of it.
    Fault("connection: stall", "stall", whole=True, counts={"drops": 1}, must=POLLED, polls=True, owes=True, only="multiplexed"),
    # No `wait_ms`: the streams hear of the refusal a beat after the connection did.
    Fault("connection: 503", "503", whole=True, cut=True, must=POLLED, polls=True, owes=True, only="multiplexed"),
    Fault("connection: store", "store", whole=True, must=POLLED, polls=True, owes=True, only="multiplexed"),
    Fault(
        "connection: 403",
        "403",
        whole=True,
        cut=True,
        until="forbidden",
        back="refresh",
        may=LOST | FORBIDDEN,
        must=FORBIDDEN,
        only="multiplexed",
    ),
    # The last one: from then on the page has a connection per stream.
    Fault("connection: 404", "404", whole=True, cut=True, until="awhile", only="multiplexed"),
)

ENGINES = ("chromium", "firefox")
TRANSPORTS: tuple[Transport, ...] = ("single", "multiplexed")
CELLS = [
    pytest.param(engine, transport, fault, id=f"{engine}-{transport}-{fault.name}")
    for engine in ENGINES
    for transport in TRANSPORTS
    for fault in FAULTS
    if (fault.firefox or engine == "chromium") and fault.only in (None, transport)
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    """Every stream speaks some times a second, and nothing more: what is missed shows soon, and two places can be compared."""
    folder = tmp_path_factory.mktemp("matrix")
    args = ("--source", "sim", "--rate", "10", "--profile", "test", "--site", str(site(folder / "site")))
    with running(*args, data=folder / "data") as found:
        yield found


class Labs:
    """One page at a time, kept for as long as the same is asked for: booting it takes longer than most faults."""

    def __init__(self, playwright: Playwright, server: Server) -> None:
        self._playwright = playwright
        self._server = server
        self._which = ("", "")
        self._open = ExitStack()
        self._lab: Lab | None = None

    def get(self, engine: str, transport: Transport) -> Lab:
        """The page of a browser and a transport."""
        if self._lab is None or self._which != (engine, transport):
            self.close()
            browser = launch(self._playwright, engine)
            self._open.callback(browser.close)
            self._lab = self._open.enter_context(lab_page(browser, self._server, transport))
            self._which = (engine, transport)
        return self._lab

    def close(self) -> None:
        """Done with the page: it must not have lied."""
        self._lab = None
        self._open.close()


@pytest.fixture(scope="module")
def labs(playwright: Playwright, server: Server) -> Generator[Labs]:
    made = Labs(playwright, server)
    yield made
    made.close()


@pytest.mark.parametrize(("engine_name", "transport", "fault"), CELLS)
def test_every_panel_says_what_is_true_and_comes_back(labs: Labs, engine_name: str, transport: Transport, fault: Fault) -> None:
    # RT-22, RT-23, RT-24, RT-25, RT-26, RT-27, RT-28, RT-29, RT-30, RT-32, RT-33, RT-36, RT-37, RT-38, RT-84
    lab = labs.get(engine_name, transport)
    problems: Sequence[str] = ()
    for _ in range(TRIES if fault.calm else 1):
        problems = run(lab, fault)
        if not problems:
            break
    assert not problems, "\n".join(problems)
    assert lab.lies() == []
    assert lab.mistakes() == []


def run(lab: Lab, fault: Fault) -> list[str]:
    """One fault from live to live; what was not as it should be."""
    settle(lab)
    before = counters(lab)
    since = lab.now()
    try:
        begin(lab, fault)
        hold(lab, fault, before, since)
    finally:
        lab.fault("clear")
    come_back(lab, fault)
    lab.all_live()
    for kind in KINDS:
        lab.equals_server(kind)
    lab.all_live()
    rec = record(lab, since)
    after = counters(lab)
    return [f"{kind}: {problem}" for kind in KINDS for problem in judge(lab, fault, kind, rec, before[kind], after[kind])]


def settle(lab: Lab) -> None:
    """Live, and for so long that the next outage has its whole grace."""
    lab.page.wait_for_function(
        """(ms) => {
            const live = [...document.querySelectorAll("[data-panel]")].every((panel) => panel.dataset.freshness === "live");
            if (!live) globalThis.__since = undefined;
            else globalThis.__since ??= performance.now();
            return live && performance.now() - globalThis.__since > ms;
        }""",
        arg=2 * TIMES.recover_ms,
        timeout=30_000,
    )
    lab.page.evaluate("globalThis.__since = undefined")


def begin(lab: Lab, fault: Fault) -> None:
    """Put it in force."""
    for how in concerned(lab, whole=fault.whole):
        lab.fault(fault.kind, **({} if fault.kind == "restart" else how), **fault.how)
        if fault.kind == "restart":
            return
    if fault.cut:
        # Only a new connection meets a refusal. The first fault that concerns a request answers it, so this one only cuts.
        for how in concerned(lab, whole=True):
            lab.fault("drop", **how, seconds=0.05)


def concerned(lab: Lab, *, whole: bool) -> list[dict[str, object]]:
    """What a fault is about: each stream, or the connection that carries them all."""
    if whole and lab.transport == "multiplexed":
        return [{"prefix": "/api/v1/streams"}]
    return [{"stream": PANELS[kind].stream} for kind in KINDS]


def hold(lab: Lab, fault: Fault, before: Mapping[Kind, Mapping[str, float]], since: float) -> None:
    """Wait until the page has shown what the fault does."""

    def of_all(says: Callable[[Kind], bool]) -> bool:
        return all(says(kind) for kind in KINDS)

    match fault.until:
        case "polled":
            wait_until(lambda: of_all(lambda kind: lab.mark(kind) == ("polling", "fallback")))
        case "forbidden":
            wait_until(lambda: of_all(lambda kind: lab.mark(kind) == ("error", "forbidden")))
            lab.page.wait_for_timeout(AWHILE_MS)
        case "counted":
            for left in reversed(range(TRIES)):
                try:
                    wait_until(lambda: counted(fault, before, counters(lab)), timeout_s=5 if left else 20)
                    break
                except AssertionError:
                    # A stream that was lost at that very moment resumed, and missed nothing.
                    if not left:
                        raise
                    begin(lab, fault)
        case "awhile":
            lab.page.wait_for_timeout(AWHILE_MS)
        case "at once":
            pass


def come_back(lab: Lab, fault: Fault) -> None:
    """What a person does about a stream that does not come back by itself."""
    if fault.back == "seen again":
        lab.hide(True)
        wait_until(lambda: lab.diagnostics()["hidden"])
        lab.hide(False)
    elif fault.back == "refresh":
        for kind in KINDS:
            lab.refresh(kind)


COUNTERS = ("drops", "gaps", "reconnects", "counts.invalid", "counts.old", "counts.dropped")


def counters(lab: Lab) -> dict[Kind, dict[str, float]]:
    """The counters of each panel's stream and domain."""
    told = lab.diagnostics()
    found: dict[Kind, dict[str, float]] = {}
    for kind in KINDS:
        stream: dict[str, Any] = next(row for row in told["streams"] if row["key"]["name"] == PANELS[kind].domain.partition("?")[0])
        domain: dict[str, Any] = next(row for row in told["domains"] if row["key"] == PANELS[kind].domain)
        own = {name: _of(stream, name) for name in COUNTERS}
        found[kind] = {**own, "resyncs": domain["resyncs"], "fallbacks": domain["fallbacks"], "drifts": domain["drifts"]}
    return found


def _of(row: Mapping[str, Any], name: str) -> float:
    head, _, rest = name.partition(".")
    return _of(row[head], rest) if rest else row[head]


def counted(fault: Fault, before: Mapping[Kind, Mapping[str, float]], after: Mapping[Kind, Mapping[str, float]]) -> bool:
    return all(after[kind][name] - before[kind][name] >= least for kind in KINDS for name, least in fault.counts.items())


def judge(lab: Lab, fault: Fault, kind: Kind, rec: Record, before: Mapping[str, float], after: Mapping[str, float]) -> list[str]:
    """What of a panel's record is not as the table and the rules have it."""
    wrong = [*fallback_faults(rec, kind), *mark_faults(rec, kind), *polling_faults(rec, kind)]
    moved = {name: after[name] - before[name] for name in after}
    said = [mark for mark in rec.said(kind)[1:] if not mark.startswith("live")]
    if fault.calm:
        asked = [at for at, _, url, why in rec.sent if at > rec.since and url == PANELS[kind].path and why]
        if said or asked:
            wrong.append(f"said {said} and asked {len(asked)} times, where nothing was to be noticed")
    wrong += [f"said {mark!r}" for mark in said if mark not in fault.may and not fault.calm]
    wrong += [f"never said {mark!r}" for mark in fault.must if mark not in said]
    wrong += [f"{name} moved by {moved[name]}" for name, least in fault.counts.items() if moved[name] < least]
    if fault.polls and not moved["fallbacks"]:
        wrong.append("polling never took over")
    if fault.until == "forbidden" and (late := asked_though_forbidden(rec, kind)):
        wrong.append(f"asked {late} times although it was forbidden")
    if fault.at_once and not polled_at_once(rec, kind):
        wrong.append("did not poll at once")
    if fault.owes and not moved["resyncs"]:
        wrong.append("no snapshot was owed")
    if fault.wait_ms and (early := came_early(rec, kind, fault.wait_ms)):
        wrong.append(early)
    if fault.probes and lab.transport == "single" and not any(url.startswith(PANELS[kind].stream) for url in rec.probes()):
        wrong.append("nobody asked why it was refused")
    if moved["drifts"]:
        wrong.append("what the stream wrote was not what the server had")
    return [f"{problem} · {rec.said(kind)} · {moved}" for problem in wrong]


def asked_though_forbidden(rec: Record, kind: Kind) -> int:
    """Automatic requests between the mark and the person's Refresh (RT-36)."""
    began = next(at for at, state, reason in rec.marks_of(kind) if (state, reason) == ("error", "forbidden"))
    asked = [(at, why) for at, _, url, why in rec.sent if at > began and url == PANELS[kind].path]
    by_person = next((at for at, why in asked if not why), float("inf"))
    return sum(1 for at, _ in asked if at < by_person)


def polled_at_once(rec: Record, kind: Kind) -> bool:
    """Whether a stream that the server does not have was polled from the moment that was known (RT-33)."""
    own = [(mode, health) for at, domain, mode, health, _ in rec.changes if at > rec.since and domain == PANELS[kind].domain]
    first = next((mode for mode, health in own if "(unavailable)" in health), "")
    return first == "polling (fallback)"


def came_early(rec: Record, kind: Kind, wait_ms: float) -> str:
    """An attempt sooner after a refusal than the server asked for (RT-23, RT-25)."""
    refused_at: float | None = None
    for at, domain, _, health, _ in rec.changes:
        if at <= rec.since or domain != PANELS[kind].domain:
            continue
        if "(awaiting)" in health and refused_at is not None and at - refused_at < wait_ms - CLOCK_MS:
            return f"tried again after {at - refused_at:.0f} ms"
        refused_at = (refused_at or at) if "(refused)" in health else None
    return ""
