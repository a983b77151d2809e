"""The times of the realtime model in words, as the settings page lists them: every one that there is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pyapp.core.timings import Timings
from pyapp.pages import formats
from pyapp.settings import Settings


@dataclass(frozen=True, slots=True)
class Interval:
    """One time: its field of `Timings`, and what happens at it. `unit` where it is no time."""

    field: str
    words: str
    unit: str = ""


GROUPS: Final[tuple[tuple[str, tuple[Interval, ...]], ...]] = (
    (
        "Asking the server",
        (
            Interval("live_refresh_ms", "What no stream writes, every"),
            Interval("safety_a_ms", "What streams write, to be safe, every (part A)"),
            Interval("safety_b_ms", "What streams write, to be safe, every (part B)"),
            Interval("event_refetch_ms", "Because events came, at most every"),
            Interval("settle_ms", "After the last event of a stream that may lag"),
            Interval("fallback_grace_ms", "Polling in place of a stream, after"),
            Interval("fallback_poll_ms", "Then every"),
            Interval("recover_ms", "Until the stream is healthy for"),
            Interval("catch_up_ms", "After something was missed, within"),
            Interval("drop_grace_ms", "Not after a drop shorter than"),
            Interval("resync_bucket", "Such questions at once, at most", "per list"),
            Interval("resync_refill_ms", "One more of them after"),
            Interval("first_wait_ms", "The first question waits for its stream"),
            Interval("config_ms", "Flags of the server, every"),
            Interval("gc_ms", "Data that nobody looks at is kept for"),
        ),
    ),
    (
        "Streams",
        (
            Interval("confirm_ms", "An open socket counts as confirmed after (part A)"),
            Interval("connect_ms", "An attempt may take"),
            Interval("backoff_base_ms", "The first retry after a drop"),
            Interval("backoff_cap_ms", "The longest wait between retries"),
            Interval("jitter", "Retries are spread by", "%"),
            Interval("hold_ms", "Failures are forgotten once one holds for"),
            Interval("heartbeat_factor", "Closed when silent for", "heartbeats"),
            Interval("idle_timeout_ms", "Closed when silent, without heartbeats"),
            Interval("unverified_ms", "Called unverified when silent for"),
            Interval("linger_ms", "Stays open unwanted for"),
            Interval("probe_ms", "Asking why it was refused may take"),
            Interval("unavailable_retry_ms", "One that the server lacks, again after"),
            Interval("online_jitter_ms", "Online again: attempts are spread over"),
        ),
    ),
    (
        "Requests",
        (
            Interval("request_timeout_ms", "A request may take"),
            Interval("join_ms", "An answer serves whoever asks the same for"),
            Interval("breaker_window_ms", "Five failures open a breaker within"),
            Interval("breaker_open_ms", "It stays open for"),
            Interval("owner_refill_ms", "A panel that asks too often: one request in"),
            Interval("owner_quiet_ms", "It is named until it was quiet for"),
        ),
    ),
    (
        "Tabs",
        (
            Interval("leader_beat_ms", "The leading tab says so every"),
            Interval("leader_silence_ms", "It is replaced when silent for"),
            Interval("steal_jitter_ms", "By one of those that wait, spread over"),
            Interval("want_ms", "A tab says what it wants every"),
            Interval("tab_gone_ms", "It is gone when silent for"),
            Interval("share_ms", "Another tab may take for its answer"),
            Interval("share_lag_ms", "A tab that borrows polls later by"),
        ),
    ),
    (
        "This page",
        (
            Interval("beat_first_ms", "Drawn after something came, within"),
            Interval("beat_ms", "Then at most every"),
            Interval("beat_budget_ms", "One drawing may take"),
            Interval("hidden_grace_ms", "Everything stops when hidden for"),
            Interval("late_ms", "A timer later than this: the machine slept"),
        ),
    ),
)
"""Every field of `Timings` once, under what it is about."""


def value_of(timings: Timings, one: Interval) -> formats.Quantity:
    """The value with its unit; what is switched off says so."""
    value: float | None = getattr(timings, one.field)
    if value is None:
        return formats.Quantity("off")
    if one.unit == "%":
        return formats.percent(100 * value)
    return formats.measure(value, one.unit) if one.unit else formats.duration(value)


def in_force(settings: Settings, one: Interval) -> bool:
    """Whether this server's contract makes use of it."""
    both = "b" in settings.contract
    return not (one.field in ("safety_a_ms", "confirm_ms") if both else one.field == "safety_b_ms")
