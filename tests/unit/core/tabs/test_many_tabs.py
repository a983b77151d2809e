"""Random histories of many tabs, then quiet (`tab_histories` says what must hold)."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest
import tab_histories as histories
from tabs_world import World

pytestmark = pytest.mark.chance

HISTORIES = 40 if sys.platform != "emscripten" else 8
BLOCKS = 8
FAILED = Path(__file__).resolve().parents[4] / "test-results" / "histories"
KEPT = sorted((Path(__file__).parent / "histories").glob("*.json"))


@pytest.mark.parametrize("block", range(BLOCKS))
def test_after_any_history_every_tab_is_live_and_equal_and_nothing_is_held(block: int) -> None:
    # RT-60, RT-61, RT-53, RT-84
    for seed in range(block * HISTORIES // BLOCKS, (block + 1) * HISTORIES // BLOCKS):
        history = histories.make(seed)
        wrong = histories.run(history)
        if wrong:
            kept = histories.keep(histories.shortened(history), FAILED)
            pytest.fail(f"{wrong[:5]}; shortened, it replays by: python -m tests.soak replay {kept}")


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_a_history_that_failed_once_does_not_fail_again(path: Path) -> None:
    # RT-60, RT-61
    assert histories.run(histories.History.from_json(path.read_text(encoding="utf-8"))) == []


def test_a_history_is_what_its_file_says(tmp_path: Path) -> None:
    history = histories.make(7)
    path = histories.keep(history, tmp_path)
    assert histories.History.from_json(path.read_text(encoding="utf-8")) == history


def test_tabs_of_an_overloaded_machine_do_not_rob_each_other_and_are_live() -> None:
    # RT-61, RT-84: everything that happens to a tab is late, its beats and the looking for them too
    world, chance = World(), random.Random(1)
    tabs = world.some(12)
    for tab in tabs:
        tab.fake.slow(lambda: 600 * chance.random() ** 3)
    for second in range(20):
        world.server.change(f"t{second % 7}", state=str(second))
        world.server.run(1_000)
        assert [tab.state() for tab in tabs] == ["live"] * 12
    assert sum(tab.tabs.steals for tab in tabs) == 0
    assert sum(tab.tabs.stalls for tab in tabs) > 10
