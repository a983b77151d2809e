"""`penstock.diagnostics()` (RT-83)."""

from __future__ import annotations

import json
from dataclasses import dataclass

from pyapp.core.freshness import FreshnessState
from pyapp.telemetry.diagnostics import plain, report


@dataclass(frozen=True)
class Part:
    state: FreshnessState
    rows: tuple[float, ...]


def test_everything_becomes_what_json_knows() -> None:
    # RT-83
    value = {"part": Part(FreshnessState.LIVE, (1.23456, float("nan"), float("inf"))), 1: {"a"}, "odd": b"x", "none": None, "yes": True}
    assert plain(value) == {
        "part": {"state": "live", "rows": [1.235, None, None]},
        "1": ["a"],
        "odd": "b'x'",
        "none": None,
        "yes": True,
    }


def test_the_report_is_json_text_in_the_order_given() -> None:
    # RT-83
    assert list(json.loads(report({"b": 1, "a": Part(FreshnessState.STALE, ())}))) == ["b", "a"]
