"""The palette, the keyboard, copying and exporting, in the program over a client with fakes."""

from __future__ import annotations

import json

from test_program import PAGE, World, painted, quiet_jobs

from pyapp.core.storage import Memory
from pyapp.pages import palette
from pyapp.pages.commands import LINK, LIVE, PALETTE, REFRESH, Command, CopyText
from pyapp.pages.exporting import Export
from pyapp.pages.listing import ShowWindow
from pyapp.pages.preferences import ChooseShortcuts, PreferenceStore
from pyapp.pages.program import Program


def another(world: World, storage: Memory) -> Program:
    """A program of a later visit."""
    return Program(
        client=world.client,
        screen=world.screen,
        choices=world.rollout,
        preferences=PreferenceStore(storage, world.screen.show),
        forget=lambda: None,
        version="1",
        notice=None,
        storage=storage,
    )


def last(world: World) -> str:
    return json.dumps(world.screen.paints[-1])


def test_opening_the_palette_opens_no_stream_and_asks_once_for_each_list_that_is_not_kept() -> None:
    # RT-20
    world = quiet_jobs()
    world.clock.settle()
    streams = set(world.sources.open_urls.values())
    world.http.sent.clear()
    world.act(Command(name=PALETTE), "keys")
    world.clock.advance(3_000)
    # The jobs page has read functions and workers; APIs nobody has.
    asked = [sent.request.url for sent in world.http.sent if sent.request.url in ("functions", "workers", "apis")]
    assert asked == ["apis"]
    assert set(world.sources.open_urls.values()) == streams
    world.act(palette.Close(), "palette")
    world.act(Command(name=PALETTE), "keys")
    world.clock.advance(3_000)
    assert [sent.request.url for sent in world.http.sent].count("apis") == 1


def test_typing_draws_the_palette_and_no_panel() -> None:
    # RT-43
    world = quiet_jobs()
    world.act(Command(name=PALETTE), "keys")
    before = len(world.screen.paints)
    world.act(palette.Type(value="work"), "palette")
    assert painted(world, before) == ["palette"]
    assert "Workers" in last(world)


def test_the_marked_entry_is_run_and_is_the_first_of_the_next_time() -> None:
    world = World("#/jobs")
    world.act(Command(name=PALETTE), "keys")
    world.act(palette.Type(value="workers"), "palette")
    world.act(palette.Choose(), "palette")
    assert world.screen.hashes[-1] == "#/workers"
    world.act(Command(name=PALETTE), "keys")
    world.act(palette.Choose(), "palette")
    assert world.screen.hashes[-1] == "#/workers"


def test_what_was_chosen_outlives_the_page_and_what_cannot_be_read_is_forgotten() -> None:
    world, storage = World("#/jobs"), Memory()

    def again() -> Program:
        return another(world, storage)

    def press(program: Program, *actions: Command | palette.Type | palette.Choose) -> None:
        for one in actions:
            given: dict[str, object] = {
                "root": "palette",
                "action": one.action_name,
                "args": json.loads(one.model_dump_json()),
                "fields": {},
            }
            program.dispatch(json.dumps(given))

    first = again()
    first.navigate("#/jobs")
    press(first, Command(name=PALETTE), palette.Type(value="job_77"), palette.Choose())
    assert world.screen.hashes[-1] == "#/jobs/job_77"
    second = again()
    second.navigate("#/jobs")
    press(second, Command(name=PALETTE), palette.Choose())
    assert world.screen.hashes[-1] == "#/jobs/job_77"
    for broken in ("{", '{"a": 1}', "[1, 2]"):
        storage.write("palette.recent", broken)
        press(again(), Command(name=PALETTE))


def test_shortcuts_go_to_pages_and_refresh_every_panel() -> None:
    # RT-37
    world = quiet_jobs()
    world.act(Command(name="go workers"), "keys")
    assert world.screen.hashes[-1] == "#/workers"
    world.http.sent.clear()
    world.act(Command(name=REFRESH), "keys")
    world.clock.settle()
    paths = {sent.request.url.partition("?")[0] for sent in world.http.sent}
    assert {"jobs", "jobs/stats", "functions", "workers"} <= paths


def test_one_key_stops_the_lists_and_lets_them_go_on() -> None:
    # RT-5
    world = World("#/workers")
    world.clock.settle()
    world.act(Command(name=LIVE), "keys")
    assert world.screen.hashes[-1] == "#/workers?paused=1"
    world.act(Command(name=LIVE), "keys")
    assert world.screen.hashes[-1] == "#/workers"
    world.program.navigate("#/jobs")
    world.act(Command(name=LIVE), "keys")
    assert world.screen.hashes[-1].startswith("#/jobs?after=")
    world.act(Command(name=LIVE), "keys")
    assert world.screen.hashes[-1] == "#/jobs"


def test_keys_that_are_switched_off_are_bound_no_more() -> None:
    world = World("#/jobs")
    assert "go workers" in json.dumps(world.screen.paints[-1])
    before = len(world.screen.paints)
    world.act(ChooseShortcuts(shortcuts=False), "sheet")
    world.clock.settle()
    assert "keys" in painted(world, before)
    assert "go workers" not in json.dumps(world.screen.paints[before:])


def test_copying_says_so_and_says_what_to_do_where_it_is_not_permitted() -> None:
    world = World("#/jobs")
    world.act(CopyText(text="job_1"), "keys")
    world.clock.settle()
    assert world.screen.copied == ["job_1"]
    assert "Copied" in json.dumps(world.screen.paints)
    world.act(Command(name=LINK), "keys")
    assert world.screen.copied[-1].startswith("http://console.test/")
    world.screen.copies = False
    world.act(CopyText(text="job_2"), "keys")
    world.clock.settle()
    assert "copy it by hand: job_2" in json.dumps(world.screen.paints)


def test_a_long_text_is_copied_whole_and_named_by_its_beginning() -> None:
    world = World("#/jobs")
    text = "first line\n" + "x" * 5_000
    world.act(CopyText(text=text), "keys")
    world.clock.settle()
    assert world.screen.copied == [text]
    drawn = json.dumps(world.screen.paints, ensure_ascii=False)
    assert "first line… (5,011 characters)" in drawn
    assert "xxx" not in drawn


def test_a_live_list_is_exported_as_it_is_held() -> None:
    world = quiet_jobs()
    world.act(Export(panel="jobs", format="csv"))
    (name, kind, text) = world.screen.files[-1]
    assert name.startswith("jobs-latest-1-")
    assert kind.startswith("text/csv")
    assert "job_1" in text
    assert "1 row exported" in last(world)


def test_a_window_is_exported_when_its_last_page_is_there() -> None:
    # RT-4
    world = quiet_jobs()
    world.act(ShowWindow.model_validate({"panel": "jobs", "after": "2026-11-20T07:00:00Z", "before": "2026-11-20T08:00:00Z"}))
    world.act(Export(panel="jobs", format="json"))
    assert "not here yet" in last(world)
    world.clock.settle()
    first = {**PAGE, "total": 2, "has_more": True, "next_cursor": "c"}
    next(one for one in world.http.waiting if one.request.url.startswith("jobs?after")).reply(first)
    world.clock.settle()
    world.act(Export(panel="jobs", format="json"))
    assert world.screen.files == []
    assert "still being read" in last(world)
    second = {"jobs": [{**PAGE["jobs"][0], "id": "job_2"}], "total": 2, "has_more": False}  # type: ignore[index]
    next(one for one in world.http.waiting if "cursor=c" in one.request.url).reply(second)
    world.clock.settle()
    name, _, text = world.screen.files[-1]
    assert name == "jobs-window-20261120T070000Z-20261120T080000Z.json"
    assert [row["id"] for row in json.loads(text)] == ["job_1", "job_2"]


def test_a_page_that_is_left_takes_its_palette_its_sheet_and_its_unwritten_files_along() -> None:
    world = quiet_jobs()
    world.act(Command(name=PALETTE), "keys")
    world.program.navigate("#/workers")
    assert "palette-list" not in json.dumps(world.screen.paints[-1]["r"])
