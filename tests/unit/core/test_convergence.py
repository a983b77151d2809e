"""Random histories against the scripted server, then quiet: every live query equals the server's answer, every window is untouched."""

from __future__ import annotations

import sys
from pathlib import Path

import histories
import pytest

pytestmark = pytest.mark.chance

HISTORIES = 1_000 if sys.platform != "emscripten" else 100
"""In a browser's interpreter the same code runs four times slower, and only its arithmetic could differ."""
BLOCKS = 20
FAILED = Path(__file__).resolve().parents[3] / "test-results" / "histories"
KEPT = sorted((Path(__file__).parent / "histories").glob("*.json"))


@pytest.mark.parametrize("block", range(BLOCKS))
def test_after_any_history_every_live_query_equals_the_server_and_every_window_is_untouched(block: int) -> None:
    # RT-7, RT-3, RT-32, RT-40, RT-84
    for seed in range(block * HISTORIES // BLOCKS, (block + 1) * HISTORIES // BLOCKS):
        history = histories.make(seed)
        wrong = histories.run(history)
        if wrong:
            kept = histories.keep(histories.shortened(history), FAILED)
            pytest.fail(f"{wrong}; shortened, it replays by: python -m tests.soak replay {kept}")


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_a_history_that_failed_once_does_not_fail_again(path: Path) -> None:
    assert histories.run(histories.History.from_json(path.read_text(encoding="utf-8"))) == []


def test_a_history_is_what_its_file_says(tmp_path: Path) -> None:
    history = histories.make(7)
    path = histories.keep(history, tmp_path)
    assert histories.History.from_json(path.read_text(encoding="utf-8")) == history
    assert histories.run(history) == histories.run(histories.History.from_json(path.read_text(encoding="utf-8")))
