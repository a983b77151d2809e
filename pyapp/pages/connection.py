"""What the pill and the strip say: the worst state among what is on screen, and what was measured of the streams."""

from __future__ import annotations

from collections.abc import Iterable

from pyapp.core.client import Pulse, Result
from pyapp.core.freshness import Freshness, FreshnessReason, FreshnessState
from pyapp.pages import formats
from pyapp.pages.protocol import Connection, ConnectionView, StripView

OFFSET_STEP_MS = 100
COARSE_STEP_MS = 1_000
"""A `Date` header has no tenths, so none are shown (RT-55)."""
STREAMS_NAMED = 6
"""So many streams that tabs share are named; of more, their number."""

_WORST_FIRST = (
    Connection.OFFLINE,  # it explains whatever else is wrong
    Connection.ERROR,
    Connection.FORBIDDEN,
    Connection.RECONNECTING,
    Connection.DEGRADED,
    Connection.CONNECTING,
    Connection.POLLING,
    Connection.LIVE,
    Connection.PAUSED,
)

_SAYS = {
    Connection.LIVE: "Every stream on this page is confirmed.",
    Connection.CONNECTING: "Socket open or opening, not confirmed. Nothing is called live yet.",
    Connection.DEGRADED: "Something may be missing. A snapshot is on its way.",
    Connection.RECONNECTING: "A stream was lost. Data stays; its age is shown.",
    Connection.OFFLINE: "This device has no network. Data stays; its age is shown.",
    Connection.POLLING: "Some panels ask at intervals in place of a stream.",
    Connection.PAUSED: "Nothing on this page moves by itself.",
    Connection.ERROR: "The server did not answer as it should. Data stays where there was any.",
    Connection.FORBIDDEN: "The server refused. Nothing is asked until you ask again.",
}

_WORDS = {
    Connection.LIVE: "Live",
    Connection.CONNECTING: "Connecting",
    Connection.DEGRADED: "Catching up",
    Connection.RECONNECTING: "Reconnecting",
    Connection.OFFLINE: "Offline",
    Connection.POLLING: "Polling",
    Connection.PAUSED: "Paused",
    Connection.ERROR: "Error",
    Connection.FORBIDDEN: "Forbidden",
}


def _of(freshness: Freshness) -> Connection:
    match freshness.state, freshness.reason:
        case FreshnessState.LIVE, _:
            return Connection.LIVE
        case FreshnessState.POLLING, FreshnessReason.DESIGN:
            return Connection.LIVE  # what is meant to be polled, and is, is as good as it gets
        case FreshnessState.POLLING, _:
            return Connection.POLLING
        case FreshnessState.ERROR, FreshnessReason.FORBIDDEN:
            return Connection.FORBIDDEN
        case FreshnessState.ERROR, _:
            return Connection.ERROR
        case FreshnessState.STALE, FreshnessReason.OFFLINE:
            return Connection.OFFLINE
        case FreshnessState.STALE, FreshnessReason.CATCHING_UP | FreshnessReason.DRIFT:
            return Connection.DEGRADED
        case FreshnessState.STALE, _:
            # What no stream feeds lost none: its answer is overdue.
            return Connection.RECONNECTING if freshness.stream else Connection.DEGRADED
        case FreshnessState.LOADING, _:
            return Connection.CONNECTING
        case _:
            return Connection.PAUSED


def connection_view(
    results: Iterable[Result[object]], pulse: Pulse, now_ms: float, *, opened: bool = False, idle: bool = False
) -> ConnectionView:
    """The pill (RT-83's words, the design's popover).

    Args:
        results: of every panel on screen.
        now_ms: clock time, for ages.
        idle: the page needs nothing of the server.
        opened: the popover is open: its rows move with everything, and are nobody's business while it is closed.
    """
    results = list(results)
    states = {_of(result.freshness) for result in results}
    worst = next((state for state in _WORST_FIRST if state in states), Connection.PAUSED)
    words, says = _WORDS[worst], _SAYS[worst]
    shown = [result.freshness.state for result in results if result.has_data]
    if worst is Connection.PAUSED and shown and all(state is FreshnessState.WINDOW for state in shown):
        words, says = "Window", "What is on this page is a range that was chosen. Nothing moves in it until you refresh it."
    if idle:
        words, says = "Nothing live", "This page asks the server for nothing and holds no stream."
    open_now = [row for row in pulse.streams if row.state.confirmed]
    if worst is Connection.LIVE and all(result.freshness.state is not FreshnessState.LIVE for result in results):
        # Nothing is wrong, and nothing is live: no stream has anything to say of this page.
        worst, words, says = Connection.POLLING, _WORDS[Connection.POLLING], "What is on this page is asked for at intervals."
    if worst is Connection.LIVE:
        if any(result.freshness.reason is FreshnessReason.UNVERIFIED for result in results):
            words, says = "Live, unverified", "Every stream on this page is open, but some are silent. Snapshots check them."
        elif open_now and all(row.state.heartbeat_ms is not None for row in open_now):
            says = "Every stream on this page is confirmed and within its heartbeat."
    wanted = [row for row in pulse.streams if row.state.phase != "closed"]
    extra = ""
    if worst in (Connection.LIVE, Connection.POLLING) and open_now:
        extra = formats.plural(len(open_now), "stream")
    if worst is Connection.RECONNECTING:
        waits = [row.state.retry_at_ms for row in wanted if row.state.retry_at_ms is not None]
        if waits:
            extra = f"in {_age(max(0.0, min(waits) - now_ms))}"
    rows = _rows(pulse, now_ms) if opened else ()
    return ConnectionView(worst, words, extra, says, tuple(rows))


def _rows(pulse: Pulse, now_ms: float) -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for row in pulse.streams:
        state = row.state
        phase = "open, not confirmed" if state.phase == "open" and not state.confirmed else str(state.phase)
        rows.append((str(row.key), f"{phase}, {state.reason}" if state.reason else phase))
    rows.extend(_tabs_rows(pulse, now_ms))
    rows.append(("Requests in flight", str(pulse.in_flight)))
    return rows


def _tabs_rows(pulse: Pulse, now_ms: float) -> list[tuple[str, str]]:
    """Whose connections these are (RT-60, RT-63)."""
    tabs = pulse.tabs
    if tabs is None:
        return []
    since = _age(max(0.0, now_ms - tabs.since_ms))
    others = formats.plural(tabs.tabs - 1, "other tab")
    match tabs.role:
        case "leading":
            what = f"leads {others} for {since}, term {tabs.term}" if tabs.tabs > 1 else f"leads, no other tab, for {since}"
        case "following":
            what = f"follows tab {tabs.leader} for {since}, term {tabs.term}; {tabs.tabs} tabs share one connection"
        case "waiting":
            what = f"waits for a leading tab for {since}"
        case _:
            what = f"alone: {tabs.reason}"
    rows = [("This tab", what)]
    if tabs.role == "leading" and tabs.tabs > 1:
        rows.append(("Passed on to them", _streams(tabs.forwarded) or "nothing: no other tab wants a stream now"))
    if tabs.role == "following":
        rows.append(("Passed on by its leader", _streams(tabs.forwarded) or "nothing yet"))
    if tabs.role != "alone" and tabs.patience_ms > tabs.usual_ms:
        rows.append(("Leader", f"its beats are late: it is replaced after {_age(tabs.patience_ms)} of silence"))
    shared = tabs.shared
    if shared.served or shared.received:
        rows.append(("Shared answers", f"{shared.served} served, {shared.received} received"))
    return rows


def _streams(names: tuple[str, ...]) -> str:
    more = len(names) - STREAMS_NAMED
    return ", ".join(names[:STREAMS_NAMED]) + (f" and {more} more" if more > 0 else "")


def strip_view(pulse: Pulse, events_per_min: float | None, version: str) -> StripView:
    """The strip under the page: only what is measured, and no finer than it is shown."""
    offset, step = pulse.clock_offset_ms, COARSE_STEP_MS if pulse.clock_coarse else OFFSET_STEP_MS
    return StripView(
        connections=pulse.connections,
        streams=sum(row.state.phase == "open" for row in pulse.streams),
        events_per_min=events_per_min,
        beats=any(row.state.heartbeat_ms is not None for row in pulse.streams if row.state.phase == "open"),
        clock_offset_ms=None if offset is None else round(offset / step) * step,
        version=version,
        clock_coarse=pulse.clock_coarse,
    )


def _age(ms: float) -> str:
    figure = formats.duration(ms // 1_000 * 1_000 if ms >= 1_000 else ms)
    return f"{figure.digits} {figure.unit}".strip()
