"""How long to wait before the next attempt (RT-23)."""

from __future__ import annotations

from pyapp.core.ports import Random
from pyapp.core.timings import Timings


def delay_ms(failures: int, timings: Timings, random: Random, floor_ms: float = 0.0) -> float:
    """The wait after `failures` attempts in a row that did not hold.

    `min(cap, base * 2^n)` with n = failures - 1. The jitter of ±15 % comes after the cap, so that clients that all sit at the cap
    spread as well. `floor_ms` is what the server asked for (`retry_ms`, `Retry-After`): a lower bound, jittered upwards only.
    """
    exponent = min(max(failures - 1, 0), 30)
    base = min(timings.backoff_cap_ms, timings.backoff_base_ms * 2**exponent)
    chance = random.random()
    wait = base * (1 + timings.jitter * (2 * chance - 1))
    return max(wait, floor_ms * (1 + timings.jitter * chance))
