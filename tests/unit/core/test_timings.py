"""Every time of the model is read by something, and divided where it should be (RT-70, RT-74)."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from pyapp.core.timings import Timings

CORE = Path(__file__).resolve().parents[3] / "pyapp"


def test_every_time_is_read_by_something() -> None:
    # RT-74
    texts = [path.read_text(encoding="utf-8") for path in CORE.rglob("*.py") if path.name != "timings.py"]
    unread = [field.name for field in fields(Timings) if not any(f".{field.name}" in text for text in texts)]
    assert unread == []


@pytest.mark.parametrize("name", ["fallback_grace_ms", "hidden_grace_ms", "backoff_cap_ms", "resync_refill_ms"])
def test_the_profile_test_divides_what_waits(name: str) -> None:
    # RT-70
    assert getattr(Timings().divided(20), name) == getattr(Timings(), name) / 20


def test_it_divides_neither_counts_nor_the_cadence_of_drawing() -> None:
    # RT-70
    divided = Timings().divided(20)
    assert (divided.resync_bucket, divided.beat_ms, divided.heartbeat_factor) == (2, 100, 2.5)
