"""The program: address → needs → panels, and actions back, over a client with fakes."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from page_fakes import result, stats

from pyapp.core.cache.keys import item
from pyapp.core.client import Client, aggregate, live
from pyapp.core.errors import NetworkError
from pyapp.core.freshness import FreshnessReason as Why
from pyapp.core.freshness import FreshnessState as State
from pyapp.core.identity import Visitor
from pyapp.core.storage import Memory
from pyapp.core.testing import FakeHttp, FakeSources, FakeVisibility, VirtualClock
from pyapp.inventory import QUERIES, VIEWS, mutation_specs, query_specs, stream_specs
from pyapp.pages import jobs, routes, shell
from pyapp.pages.asked import Cancel
from pyapp.pages.job_state import ChooseTab
from pyapp.pages.jobs_state import ChooseStatus
from pyapp.pages.listing import Release
from pyapp.pages.observing import only_later
from pyapp.pages.preferences import ChooseDensity, ChooseTheme, PreferenceStore
from pyapp.pages.program import Program
from pyapp.pages.protocol import HEARTBEAT, ShowToast, ToastLevel
from pyapp.pages.settings import AskForget, Flip, ForgetAll
from pyapp.pages.sorting import SortBy
from pyapp.pages.toasts import TOAST_MS
from pyapp.reducers import REDUCERS
from pyapp.rollout import Rollout
from pyapp.settings import PageFile
from pyapp.ui import Action
from pyapp.ui.components.controls import Toggled

JOB = {
    "id": "job_1",
    "job_key": "job_1",
    "function": "f",
    "function_name": "fetch",
    "status": "active",
    "root_id": "job_1",
    "attempts": 1,
}
PAGE = {"jobs": [JOB], "total": 1, "has_more": False}
BODIES: dict[str, Any] = {
    "functions": {"functions": [], "total": 0},
    "workers": {"workers": [], "total": 0},
    "stats": stats().model_dump(mode="json"),
}


class FakeScreen:
    """What the program draws and says, kept."""

    def __init__(self) -> None:
        self.paints: list[Any] = []
        self.titles: list[str] = []
        self.hashes: list[str] = []
        self.places: list[str] = []
        self.forgotten: list[str] = []
        self.icons: list[str] = []
        self.words: dict[str, str] = {}
        self.moments: list[dict[str, float]] = []
        self.copied: list[str] = []
        self.copies = True
        self.files: list[tuple[str, str, str]] = []

    def paint(self, text: str) -> str:
        self.paints.append(json.loads(text))
        return ""

    def forget(self, root: str) -> None:
        self.forgotten.append(root)

    def set_title(self, title: str) -> None:
        self.titles.append(title)

    def replace_hash(self, address: str) -> None:
        self.hashes.append(address)

    def go(self, address: str) -> None:
        self.hashes.append(address)
        self.places.append(address)

    def set_icon(self, kind: str) -> None:
        self.icons.append(kind)

    def show(self, name: str, word: str) -> None:
        """What is chosen, as the root element says it."""
        self.words[name] = word

    def set_clock_offset(self, ms: float) -> None:
        pass

    def set_moments(self, moments: str) -> None:
        self.moments.append(json.loads(moments))

    def copy(self, text: str, told: Callable[[bool], None]) -> None:
        self.copied.append(text)
        told(self.copies)

    def download(self, name: str, kind: str, text: str) -> None:
        self.files.append((name, kind, text))

    def link(self) -> str:
        return f"http://console.test/{self.hashes[-1] if self.hashes else ''}"

    def roots(self) -> list[str]:
        return [root for root, _ in self.paints[-1]["r"]]


class World:
    def __init__(self, address: str) -> None:
        self.clock, self.sources, self.http, self.page = VirtualClock(creep_ms=0.001), FakeSources(), FakeHttp(), FakeVisibility()
        self.client = Client(
            clock=self.clock,
            sources=self.sources,
            http=self.http,
            visibility=self.page,
            random=random.Random(1),
            queries=query_specs(REDUCERS),
            streams=stream_specs(),
            mutations=mutation_specs(),
        )
        self.screen = FakeScreen()
        self.storage, self.forgotten = Memory(), 0
        visitor = Visitor(self.storage, lambda: "1")
        self.rollout = Rollout(config=None, page=PageFile(profile="test"), storage=self.storage, identity=visitor)
        self.program = Program(
            client=self.client,
            screen=self.screen,
            choices=self.rollout,
            preferences=PreferenceStore(self.storage, self.screen.show),
            forget=self._forget,
            version="1",
            notice=None,
        )
        self.program.navigate(address)

    def _forget(self) -> None:
        self.forgotten += 1

    def act(self, action: Action, root: str = "panel jobs") -> None:
        """As the bridge says it."""
        text = json.dumps({"root": root, "action": action.action_name, "args": json.loads(action.model_dump_json()), "fields": {}})
        self.program.dispatch(text)

    def needs(self) -> dict[str, str]:
        return dict(self.program.statistics().needs)


def test_a_route_holds_no_stream_but_its_own() -> None:
    # RT-20: what a page needs, against what the inventory lets its route hold.
    of_family = {row.family: row.stream for row in QUERIES}
    for view in VIEWS:
        page = routes.ROUTES[view.route.removeprefix("/")]
        state = page.initial({"name": "one", "key": "one"})
        for need in page.needs(state).values():
            if need.live and need.key.mode != "window":
                stream = of_family[need.key.family](need.key)  # type: ignore[arg-type]
                assert stream is None or stream.name in view.streams
        assert {str(key) for key in view.first} <= {str(need.key) for need in page.needs(state).values()}


def test_an_address_shows_its_page_and_only_its_streams() -> None:
    world = World("#/jobs")
    assert world.screen.titles[-1] == "Jobs · Penstock"
    assert world.screen.roots()[:2] == ["shell", "pill"]
    assert str(live("jobs")) in world.needs().values()
    world.clock.settle()
    assert set(world.sources.open_urls.values()) == {"events/stream"}
    world.program.navigate("#/dashboard")
    world.clock.settle()
    world.clock.settle()
    assert "panel jobs" in world.screen.forgotten
    assert str(aggregate("stats", window_minutes=5)) in world.needs().values()


def test_a_result_paints_the_panels_that_read_it_and_no_other() -> None:
    # RT-41
    world = World("#/jobs")
    world.clock.settle()
    for pending in world.http.waiting:
        pending.reply({"functions": [], "total": 0} if pending.request.url == "functions" else PAGE)
    world.clock.settle()
    before = len(world.screen.paints)
    world.http.sent.clear()
    world.client.refresh(live("functions"))
    world.http.take("functions").reply({"functions": [], "total": 0})
    world.clock.settle()
    drawn = {root for paint in world.screen.paints[before:] for root, _ in paint["r"]}
    assert "panel jobs" not in drawn


def quiet_jobs() -> World:
    """The jobs page, live, on a stream that has only heartbeats to say, and with nothing to poll in time."""
    world = World("#/jobs")
    world.clock.settle()
    for number in range(3):
        for pending in world.http.waiting:
            path = pending.request.url.partition("?")[0]
            pending.reply(BODIES.get(path, PAGE), position="e1:5")
        world.clock.settle()
        if number == 0:
            world.sources.accept("events/stream")
            world.sources.hello("events/stream", sequence=5)
            world.clock.settle()
    return world


def painted(world: World, since: int) -> list[str]:
    return [root for paint in world.screen.paints[since:] for root, _ in paint["r"]]


def test_a_heartbeat_moves_the_ages_and_paints_no_panel() -> None:
    # RT-83
    world = quiet_jobs()
    world.clock.advance(1_000)
    before, told = len(world.screen.paints), len(world.screen.moments)
    world.sources.beat("events/stream", 5)
    world.clock.advance(200)
    assert len(world.screen.moments) == told + 1
    assert HEARTBEAT in world.screen.moments[-1]
    assert world.screen.moments[-1][HEARTBEAT] > world.screen.moments[-2][HEARTBEAT]
    assert "panel jobs" not in painted(world, before)


def test_an_answer_that_brings_nothing_but_a_later_time_can_wait_for_the_next_second() -> None:
    # RT-83: `data-updated` is right within a second, and never ahead of the data.
    before = result((), State.POLLING, Why.DESIGN, last_snapshot_ms=1.0)
    later = replace(before, updated_ms=5_000.0, freshness=replace(before.freshness, last_snapshot_ms=5_000.0))
    assert only_later(before, later)
    assert not only_later(None, later)
    assert not only_later(before, replace(later, data=("another",)))
    assert not only_later(before, replace(later, error=NetworkError("gone")))
    for changed in ({"state": State.STALE}, {"reason": Why.FALLBACK}, {"health": "another"}, {"changes_since": 1}):
        assert not only_later(before, replace(later, freshness=replace(later.freshness, **changed)))  # type: ignore[arg-type]


def test_every_panel_is_painted_within_a_second_of_its_answer() -> None:
    # RT-83
    world = quiet_jobs()
    world.clock.advance(1_000 - world.clock.now() % 1_000 + 100)
    before = len(world.screen.paints)
    world.http.sent.clear()
    world.client.refresh(live("functions"))
    world.http.take("functions").reply({"functions": [], "total": 0})
    world.clock.advance(1_000)
    assert painted(world, before).count("panel filters") == 1


def test_details_are_drawn_while_their_popover_is_open() -> None:
    # RT-43
    world = quiet_jobs()
    for name, root in (("why-jobs", "panel jobs"), (shell.CONNECTION, "pill")):
        before = len(world.screen.paints)
        world.act(Toggled(id=name, new_state="open"), root)
        assert root in painted(world, before)
        assert ("Last delivery" if root == "panel jobs" else "Requests in flight") in json.dumps(world.screen.paints[before:])
        before = len(world.screen.paints)
        world.act(Toggled(id=name, new_state="closed"), root)
        assert root in painted(world, before)
        assert "Requests in flight" not in json.dumps(world.screen.paints[before:])


def test_an_action_changes_the_state_the_address_and_the_screen_at_once() -> None:
    # RT-43
    world = World("#/jobs")
    before = len(world.screen.paints)
    world.act(ChooseStatus(status="failed"))
    assert world.screen.hashes[-1] == "#/jobs?status=failed"
    assert len(world.screen.paints) == before + 1
    assert str(live("jobs", status=["failed"])) in world.needs().values()
    world.program.navigate("#/jobs?status=failed")  # the browser's echo of our own word
    assert str(live("jobs", status=["failed"])) in world.needs().values()


def test_what_a_page_says_after_it_was_left_changes_nothing() -> None:
    """A list that lost the focus because it was removed says so, and the page it was on is not there any more."""
    world = World("#/jobs")
    world.program.navigate("#/workers/w-1")
    needs, paints = world.needs(), len(world.screen.paints)
    world.act(Release(panel="jobs"))
    world.act(ChooseStatus(status="failed"))
    assert (world.needs(), len(world.screen.paints), world.screen.hashes) == (needs, paints, [])


def test_a_mutation_that_is_refused_says_why() -> None:
    world = World("#/jobs")
    world.clock.settle()
    for pending in world.http.waiting:
        pending.reply({"functions": [], "total": 0} if pending.request.url == "functions" else PAGE)
    world.clock.settle()
    world.act(Cancel(job_id="job_1"))
    asked = world.http.take("jobs/job_1/cancel")
    assert asked.request.method == "POST"
    assert asked.request.headers["X-Penstock-CSRF"]
    asked.reply({"detail": "it ended"}, status=409)
    assert "it ended" in json.dumps(world.screen.paints[-1])


def test_the_theme_and_the_toasts_are_the_shell_s() -> None:
    world = World("#/dashboard")
    world.act(ChooseTheme(theme="dark"), root="shell")
    assert world.screen.words["theme"] == "dark"
    world.program.run(ShowToast(ToastLevel.OK, "Done"))
    world.program.run(ShowToast(ToastLevel.ERROR, "Refused"))
    world.clock.settle()
    world.clock.advance(TOAST_MS + 200)
    toasts = [value for paint in world.screen.paints for root, value in paint["r"] if root == "toasts"]
    shown = [value[1][2] for value in toasts if value[1][0] == -2]
    # Both came; what went well went away by itself, trouble stays until it was read.
    assert (shown[-2], shown[-1]) == ([1, 2], [2])


def test_an_action_that_nobody_declared_is_recorded_and_changes_nothing() -> None:
    world = World("#/jobs")
    world.program.dispatch('{"root": "panel jobs", "action": "nobody.Knows", "args": {}, "fields": {}}')
    assert any("nobody.Knows" in error for error in world.program.statistics().errors)
    assert world.screen.titles[-1] == "Jobs · Penstock"


def test_a_page_that_raises_keeps_its_state_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(state: Any, message: Any) -> Any:
        raise RuntimeError("a mistake")

    monkeypatch.setattr(jobs, "update", broken)
    world = World("#/jobs")
    world.act(ChooseStatus(status="failed"))
    assert str(live("jobs")) in world.needs().values()
    assert any("a mistake" in error for error in world.program.statistics().errors)


def test_a_hidden_page_says_paused_in_its_title() -> None:
    # RT-50
    world = World("#/jobs")
    world.page.set(hidden=True)
    world.clock.advance(10_100)
    assert world.screen.titles[-1] == "Paused · Jobs · Penstock"
    paints = len(world.screen.paints)
    world.clock.advance(60_000)
    assert len(world.screen.paints) == paints
    world.page.set(hidden=False)
    assert world.screen.titles[-1] == "Jobs · Penstock"


def test_an_unknown_route_has_a_page_of_its_own() -> None:
    world = World("#/nowhere")
    assert world.screen.titles[-1] == "Not found · Penstock"
    assert "names none of this console" in json.dumps(world.screen.paints[-1])


def functions_succeeding(*rates: float) -> dict[str, Any]:
    """The answer of the list of functions that succeed at these rates."""
    given = {"type": "task", "active": True, "paused": False, "runs_24h": 10}
    rows = [{"key": f"f{n}", "name": f"f{n}", "success_rate": rate, **given} for n, rate in enumerate(rates)]
    return {"functions": rows, "total": len(rows)}


def test_the_browser_s_tab_says_what_fails_and_is_written_only_when_that_changes() -> None:
    world = World("#/functions")
    world.clock.settle()

    def answered(*rates: float) -> tuple[str, str]:
        world.client.refresh(live("functions"))
        world.http.take("functions").reply(functions_succeeding(*rates))
        world.clock.advance(200)
        return world.screen.titles[-1], (world.screen.icons or ["calm"])[-1]

    assert answered(65.0, 10.0, 96.0) == ("● 2 failing · Functions · Penstock", "failing")
    said = len(world.screen.titles)
    answered(66.0, 11.0, 95.0)
    assert len(world.screen.titles) == said
    assert answered(100.0) == ("Functions · Penstock", "calm")
    assert answered(10.0)[1] == "failing"
    world.program.navigate("#/settings")
    assert (world.screen.titles[-1], world.screen.icons[-1]) == ("Settings · Penstock", "calm")


def test_the_settings_page_asks_for_nothing_and_holds_no_stream() -> None:
    # RT-20
    world = World("#/settings")
    world.clock.advance(60_000)
    assert world.needs() == {}
    assert world.http.sent == []
    assert world.sources.open_urls == {}


def test_a_flag_is_set_and_given_back_on_the_settings_page_and_shown_at_once() -> None:
    # RT-71
    world = World("#/settings")
    before = len(world.screen.paints)
    world.act(Flip(flag="stream.events", wish="off"), "panel flags")
    assert world.rollout.settings.flags["stream.events"] == (False, "you")
    assert "panel flags" in painted(world, before)
    world.act(Flip(flag="stream.events", wish="given"), "panel flags")
    assert world.rollout.settings.flags["stream.events"] == (True, "default")
    assert world.rollout.settings.chosen == {}


def test_what_another_tab_chooses_is_shown_here() -> None:
    world = World("#/settings")
    world.clock.settle()
    before = len(world.screen.paints)
    world.storage.elsewhere("density", "compact")
    world.storage.elsewhere("flags", '{"stream.events": false}')
    world.clock.settle()
    assert world.screen.words == {"density": "compact"}
    assert {"shell", "panel appearance", "panel flags"} <= set(painted(world, before))
    assert world.rollout.settings.flags["stream.events"] == (False, "you")
    world.act(ChooseDensity(density="comfortable"), "panel appearance")
    assert world.screen.words == {"density": ""}


def test_forgetting_is_asked_for_twice() -> None:
    world = World("#/settings")
    world.act(AskForget(), "panel browser")
    assert world.forgotten == 0
    world.act(ForgetAll(), "panel confirm")
    assert world.forgotten == 1


TREE_JOB = {**JOB, "id": "job_1", "root_id": "job_1"}


def test_a_tab_of_a_job_is_a_place_of_its_own_and_an_order_is_not() -> None:
    world = World("#/jobs/job_1")
    world.clock.settle()
    world.act(ChooseTab(tab="runs"), "panel tabs")
    assert world.screen.places == ["#/jobs/job_1?tab=runs"]
    world.act(SortBy(column="duration"), "panel runs")
    assert world.screen.places == ["#/jobs/job_1?tab=runs"]
    assert world.screen.hashes[-1] == "#/jobs/job_1?sort=-duration&tab=runs"
    # The browser's word that the address is another now is our own.
    before = len(world.screen.forgotten)
    world.program.navigate("#/jobs/job_1?sort=-duration&tab=runs")
    assert len(world.screen.forgotten) == before


def test_a_tree_is_read_to_its_last_page_and_not_again_and_again_where_a_page_fails() -> None:
    world = World("#/jobs/job_1")
    world.clock.settle()

    def page(name: str, cursor: str | None) -> dict[str, Any]:
        return {"jobs": [{**TREE_JOB, "id": name}], "total": 3, "has_more": cursor is not None, "next_cursor": cursor}

    world.http.take("jobs/job_1/timeline").reply(page("job_1", "c1"))
    world.clock.settle()
    world.http.take("jobs/job_1/timeline").reply(page("job_2", "c2"))
    world.clock.settle()
    failing = world.http.take("jobs/job_1/timeline")
    failing.reply({"detail": "no"}, status=422)
    sent = len(world.http.sent)
    world.clock.settle()
    world.clock.settle()
    assert len(world.http.sent) == sent
    shown = world.client.peek(item("timeline", "job_1"))
    assert shown is not None
    assert shown.data is not None
    assert [one.id for one in shown.data.jobs] == ["job_1", "job_2"]
