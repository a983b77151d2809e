"""Every time of the realtime model, with its default and its rule, in milliseconds unless the name says otherwise."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from pyapp.core.errors import TimeMisuse

_NOT_DIVIDED = frozenset(
    {
        "heartbeat_factor",
        "resync_bucket",
        "jitter",
        "beat_first_ms",
        "beat_ms",
        "beat_budget_ms",
        "request_timeout_ms",
        "connect_ms",
        "probe_ms",
        "late_ms",
        "leader_beat_ms",
        "leader_silence_ms",
        "steal_jitter_ms",
        "want_ms",
        "tab_gone_ms",
        "share_ms",
    }
)
"""Counts and ratios; the beat, which is a cadence of drawing and not a wait; and what bounds a machine and not a person, like the
time-out of a request: a test machine under load may well take half a second to answer."""


@dataclass(frozen=True, slots=True)
class Timings:
    """The times of `realtime.md`; a profile may change them (RT-70)."""

    live_refresh_ms: float = 5_000
    """Polling by design of what no stream writes (RT-8)."""
    safety_a_ms: float = 60_000
    """Safety snapshot of a healthy live query at a part-A server (RT-8)."""
    safety_b_ms: float = 600_000
    """The same at a part-B server (RT-8)."""
    linger_ms: float = 500
    """How long a stream that nobody wants stays open (RT-20)."""
    backoff_base_ms: float = 1_000
    backoff_cap_ms: float = 30_000
    jitter: float = 0.15
    """Backoff: min(cap, base * 2^n), ± jitter after the cap (RT-23)."""
    hold_ms: float = 5_000
    """How long a confirmed connection must hold before its failures are forgotten (RT-23)."""
    confirm_ms: float = 2_000
    """Part A: an open socket without an error counts as confirmed after this (RT-30)."""
    heartbeat_factor: float = 2.5
    """Silence of so many announced heartbeats closes the stream (RT-26)."""
    idle_timeout_ms: float | None = None
    """Silence that closes a stream which announces no heartbeats; off, because real ones are silent for minutes (RT-26)."""
    connect_ms: float = 20_000
    """How long an attempt may take until its first sign of life: an event source has no time-out of its own."""
    probe_ms: float = 3_000
    """How long the request may take that asks why a stream was refused (RT-25)."""
    unavailable_retry_ms: float = 300_000
    """When a stream that the server does not have is tried again (RT-25)."""
    online_jitter_ms: float = 1_000
    """Online again: attempts are spread over this (RT-52)."""
    late_ms: float = 15_000
    """A timer later than this: the machine slept (RT-52)."""
    unverified_ms: float = 60_000
    """A stream without heartbeats that was silent for so long is live, but unverified (RT-26)."""
    first_wait_ms: float = 50
    """How long the first snapshot of a query waits for its stream to be confirmed: then one request does, not two (RT-34)."""
    drop_grace_ms: float = 2_000
    """A drop that is back and resumed within this owes no snapshot (RT-32)."""
    catch_up_ms: float = 1_000
    """A snapshot that is owed is asked for within this, jittered (RT-32)."""
    resync_bucket: int = 2
    resync_refill_ms: float = 15_000
    """Snapshots owed per query: a bucket, and the time to refill one (RT-32)."""
    fallback_grace_ms: float = 12_000
    """Not healthy for so long: the scope polls (RT-33)."""
    recover_ms: float = 5_000
    """Unbroken health that ends a fallback (RT-33)."""
    fallback_poll_ms: float = 10_000
    """The interval of a fallback (RT-33, RT-70)."""
    event_refetch_ms: float = 5_000
    """Refetches caused by events: at once, then one in so long (RT-42)."""
    settle_ms: float = 2_000
    """After the last event of a stream that may lag the server by one: its query is refetched (RT-44)."""
    config_ms: float = 30_000
    """How often the server's configuration is read again while somebody sees the page (RT-72)."""
    beat_first_ms: float = 10
    beat_ms: float = 100
    beat_budget_ms: float = 8
    """The beat: first after quiet (within 16), then every, and how long one may take (RT-41)."""
    hidden_grace_ms: float = 10_000
    """Hidden for so long: everything stops (RT-50)."""
    request_timeout_ms: float = 10_000
    join_ms: float = 1_000
    """For so long after an answer came it serves whoever asks for the same (RT-65)."""
    breaker_window_ms: float = 30_000
    breaker_open_ms: float = 30_000
    """Five failures within the first open a breaker for the second (RT-66)."""
    owner_refill_ms: float = 3_000
    """An owner may send one request in so long, 20 a minute, beyond its burst (RT-67)."""
    owner_quiet_ms: float = 60_000
    """An owner that kept to its rate for so long is no longer named; one that sent nothing is forgotten (RT-67)."""
    leader_beat_ms: float = 500
    """A leading tab says so this often (RT-61)."""
    leader_silence_ms: float = 1_500
    """A leader silent for so long is replaced (RT-61)."""
    steal_jitter_ms: float = 150
    """The tabs that want to replace it are spread over this (RT-61)."""
    want_ms: float = 2_000
    """A tab repeats what it wants with a beat of its leader, this often (RT-60)."""
    tab_gone_ms: float = 5_000
    """A tab that said nothing for so long wants nothing (RT-60)."""
    share_ms: float = 150
    """How long another tab may take to give an answer that it announced (RT-62)."""
    share_lag_ms: float = 500
    """How much later at least than the tab whose polled answers it borrows a tab asks the server itself, and twice as much at most."""
    gc_ms: float = 300_000
    """How long the data of a query without observers is kept (RT-11)."""

    def __post_init__(self) -> None:
        """Raises:
        TimeMisuse: a time below zero, or one that is no number.
        """
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None and not value >= 0:
                raise TimeMisuse(f"The timing {field.name} is {value}: give a number that is zero or more.")

    def divided(self, by: float) -> Timings:
        """Every waiting time divided, as the profile `test` does by 20 (RT-70)."""
        times = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in _NOT_DIVIDED}
        return replace(self, **{name: ms / by for name, ms in times.items() if ms is not None})


TEST_DIVISOR = 20
