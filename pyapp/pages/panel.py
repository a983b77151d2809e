"""A panel: a rule that is the gauge of its freshness, a head of one line, a body.

    state     reason                        mark                            remedy in place of Refresh
    live      delivering, synchronized      Live, age of the last delivery
    live      unverified                    Live, unverified, silence
    polling   design                        Polling, age
    polling   fallback, budget              Polling (fallback), age
    window                                  Window
    paused    user                          Paused, n changes since         Go live
    paused    hidden, …                     Paused
    stale     connecting                    Connecting
    stale     catching-up                   Catching up
    stale     …                             Stale since                     Refresh
    error     …                             Error, data from                Retry (in the body, without data)
    error     forbidden                     Forbidden, age                  Ask again
    error     missing                       Not available
    loading                                 Loading

Nothing is ever inserted above a body, and the head is as high in every state, so a change of state moves no row. A panel that shows
several needs says the worst of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pyapp.core.cache.result import Result
from pyapp.core.freshness import Freshness, FreshnessReason, FreshnessState
from pyapp.pages import formats
from pyapp.ui import Action, TemplateResult, html, nothing
from pyapp.ui.components.controls import details_popover, facts, icon_button
from pyapp.ui.components.marks import age, heard, icon, time


class Reload(Action):
    """Refresh, Retry, Ask again: fetch these needs now (RT-37)."""

    needs: tuple[str, ...]


# From the one that hides every other to the one that any other hides.
_WORST = (
    FreshnessState.ERROR,
    FreshnessState.LOADING,
    FreshnessState.STALE,
    FreshnessState.PAUSED,
    FreshnessState.POLLING,
    FreshnessState.LIVE,
    FreshnessState.WINDOW,
)
_RANK = {state: rank for rank, state in enumerate(_WORST)}
# Within one state: what is not verified, or not by design, is worse than what is.
_REASON_RANK = {FreshnessReason.FORBIDDEN: 0, FreshnessReason.CATCHING_UP: 2, FreshnessReason.DELIVERING: 3, FreshnessReason.DESIGN: 3}

WHY = "why-"
"""What the popover behind the mark of a panel is named by, before the panel's name."""

_UNPLANNED = (FreshnessReason.FALLBACK, FreshnessReason.BUDGET)


def worst(results: Iterable[Result[Any]]) -> Result[Any]:
    """The result whose freshness a panel must show when it reads several."""
    return min(results, key=lambda r: (_RANK[r.freshness.state], _REASON_RANK.get(r.freshness.reason, 1)))


@dataclass(frozen=True, slots=True)
class Mark:
    """The words of a mark.

    Attributes:
        style: `data-s`, and the glyph's name.
        words: what it says.
        link: what joins the words to the moment behind them, or says more; a narrow head keeps it for screen readers only.
        at_ms: the moment that belongs to the words (`since`, `data from`), written behind them.
        age_ms: the moment whose age is shown.
        stream: the stream whose last delivery moves that moment on.
    """

    style: str
    words: str
    link: str = ""
    at_ms: float | None = None
    age_ms: float | None = None
    stream: str = ""


def mark_of(result: Result[Any]) -> Mark:
    """What the head says about a result: the table above."""
    fresh = result.freshness
    match fresh.state:
        case FreshnessState.LIVE:
            last = fresh.last_delivery_ms or result.updated_ms
            if fresh.reason is FreshnessReason.UNVERIFIED:
                return Mark("unverified", "Live, unverified", age_ms=last, stream=fresh.stream)
            return Mark("live", "Live", age_ms=last, stream=fresh.stream)
        case FreshnessState.POLLING:
            words = f"Polling ({fresh.reason.value})" if fresh.reason in _UNPLANNED else "Polling"
            return Mark("polling", words, age_ms=result.updated_ms)
        case FreshnessState.WINDOW:
            return Mark("window", "Window")
        case FreshnessState.PAUSED:
            since = formats.plural(fresh.changes_since, "change")
            return Mark("paused", "Paused", f", {since} since" if fresh.changes_since else "")
        case FreshnessState.STALE:
            return _stale_mark(fresh, result)
        case FreshnessState.ERROR:
            return _error_mark(fresh, result)
        case FreshnessState.LOADING:
            return Mark("loading", "Loading")


def _stale_mark(fresh: Freshness, result: Result[Any]) -> Mark:
    if fresh.reason is FreshnessReason.CATCHING_UP:
        return Mark("catching-up", "Catching up")
    if fresh.reason is FreshnessReason.CONNECTING:
        return Mark("stale", "Connecting", age_ms=result.updated_ms)
    return Mark("stale", "Stale", " since", at_ms=fresh.since_ms or result.updated_ms)


def _error_mark(fresh: Freshness, result: Result[Any]) -> Mark:
    if fresh.reason is FreshnessReason.FORBIDDEN:
        return Mark("forbidden", "Forbidden", age_ms=result.updated_ms if result.has_data else None)
    if fresh.reason is FreshnessReason.MISSING:
        return Mark("paused", "Not available")
    if result.has_data:
        return Mark("error", "Error", ", data from", at_ms=result.updated_ms)
    return Mark("error", "Error")


_WHY = {
    FreshnessReason.NONE: "",
    FreshnessReason.DELIVERING: "The stream delivers, and what is shown equals what it sent.",
    FreshnessReason.SYNCHRONIZED: "The stream is confirmed and has had nothing to say since the last snapshot.",
    FreshnessReason.UNVERIFIED: "The connection is open but has been silent. A snapshot checks it.",
    FreshnessReason.DESIGN: "No stream writes this directly, so it is asked for at an interval.",
    FreshnessReason.FALLBACK: "The stream is not healthy, so this panel asks at an interval. Polling and streaming never both feed it.",
    FreshnessReason.BUDGET: "The connections of this browser are spent on other streams, so this panel asks at an interval.",
    FreshnessReason.USER: "Live is off. Nothing changes here until you go live again.",
    FreshnessReason.HIDDEN: "The page was hidden: no connection, no request. It goes on when you look.",
    FreshnessReason.OFFLINE: "There is no network. It goes on when there is one again.",
    FreshnessReason.FLAG: "Fetching by itself is switched off. Refresh asks once.",
    FreshnessReason.DRIFT: "What the stream had told differed from the server. It is being corrected.",
    FreshnessReason.CONNECTING: "The stream is not confirmed yet. What is shown may be old.",
    FreshnessReason.CATCHING_UP: "Something was missed. A snapshot is on its way.",
    FreshnessReason.OLD: "The data is older than it should be.",
    FreshnessReason.SERVER: "The server failed to answer.",
    FreshnessReason.NETWORK: "The server could not be reached.",
    FreshnessReason.CONTENT: "The answer was not what the contract says.",
    FreshnessReason.BREAKER: "Too many requests failed, so none is sent for a moment.",
    FreshnessReason.FORBIDDEN: "The server does not permit this. Nothing is asked until you ask again.",
    FreshnessReason.MISSING: "This server does not have it. Nothing is asked.",
}


def _why(fresh: Freshness) -> str:
    if fresh.state is FreshnessState.WINDOW:
        return "A chosen range. Nothing changes here until you refresh it."
    if fresh.state is FreshnessState.LOADING:
        return "The first answer is on its way."
    return _WHY[fresh.reason]


def _moment(ms: float | None) -> TemplateResult:
    if ms is None:
        return html(t"{formats.NONE}")
    return html(t"{time(ms)}, {age(ms, here=True, plain=True)} ago")


def _heard(fresh: Freshness) -> TemplateResult:
    at = fresh.last_delivery_ms
    return html(t"{formats.NONE}") if at is None else html(t"{heard(at, fresh.stream)} ago")


def _details(mark: Mark, result: Result[Any]) -> TemplateResult:
    """What the mark opens: mode, health, when it last heard, and what happens next."""
    fresh = result.freshness
    rows: list[tuple[str, object]] = [
        ("Mode", fresh.mode),
        ("Health", fresh.health or formats.NONE),
        ("Last delivery", _heard(fresh)),
        ("Last snapshot", _moment(fresh.last_snapshot_ms)),
    ]
    if fresh.next_attempt_ms is not None:
        rows.append(("Next attempt", html(t"in {age(fresh.next_attempt_ms, here=True, plain=True, until=True)}")))
    words = result.error.args[0] if result.error else ""
    return html(
        t"<h3>{icon(f'g-{mark.style}')}{mark.words}{mark.link}{html(t' {time(mark.at_ms)}') if mark.at_ms else nothing}</h3>"
        t'<p class="note">{_why(fresh)}{f" {words}" if words else nothing}</p>{facts(rows)}'
    )


def _mark(name: str, mark: Mark, result: Result[Any], opened: str) -> TemplateResult:
    details = details_popover(f"{WHY}{name}", "How fresh this panel is", lambda: _details(mark, result), opened)
    behind = time(mark.at_ms) if mark.at_ms else nothing
    link = html(t'<span class="link">{mark.link}</span>') if mark.link else nothing
    shown_age = html(t'<span class="age">{heard(mark.age_ms, mark.stream)}</span>') if mark.age_ms else nothing
    return html(
        t'<button type="button" class="fresh" data-s={mark.style} popovertarget="{WHY}{name}" aria-haspopup="dialog">'
        t'{icon(f"g-{mark.style}")}<span class="w">{mark.words}{link} {behind}</span>{shown_age}</button>{details}'
    )


def _remedy(title: str, result: Result[Any], reload: Reload, go_live: Action | None) -> TemplateResult | None:
    """Refresh, or what helps in this state, in the same place."""
    fresh = result.freshness
    word, press = "", reload
    if fresh.state is FreshnessState.PAUSED and fresh.reason is FreshnessReason.USER and go_live:
        return html(t'<button type="button" class="btn small" @click={go_live}>Go live</button>')
    if fresh.state is FreshnessState.ERROR:
        if fresh.reason is FreshnessReason.FORBIDDEN:
            word = "Ask again"
        elif not result.has_data:
            return None
        else:
            word = "Retry"
    elif fresh.state is FreshnessState.STALE and fresh.reason not in (FreshnessReason.CATCHING_UP, FreshnessReason.CONNECTING):
        word = "Refresh"
    if word:
        symbol = icon("t-refresh", small=True)
        return html(
            t'<button type="button" class="btn small again" title={word} @click={press}>{symbol}<span class="word">{word}</span>'
            t'<span class="sr"> {title}</span></button>'
        )
    return icon_button("t-refresh", f"Refresh {title}", reload)


def head(
    name: str,
    title: str,
    result: Result[Any],
    *,
    reload: Reload,
    opened: str = "",
    count: object = nothing,
    chip: object = nothing,
    before: object = nothing,
    controls: object = nothing,
    go_live: Action | None = None,
    show_title: bool = True,
) -> TemplateResult:
    """The head of a panel: title, mark, count; then controls and Refresh.

    Fact left, wish right: beside the title stands what was measured, at the right edge what was asked for.
    """
    mark = mark_of(result)
    heading = html(t"<h2>{title}</h2>") if show_title else html(t'<h2 class="sr">{title}</h2>')
    return html(
        t'<header class="head">{heading}{_mark(name, mark, result, opened)}<span class="count">{count}</span>{chip}'
        t'<span class="grow"></span><span class="remedy">{_remedy(title, result, reload, go_live)}</span>{before}{controls}</header>'
    )


def panel(
    name: str,
    title: str,
    result: Result[Any],
    body: TemplateResult,
    *,
    reload: tuple[str, ...],
    opened: str = "",
    classes: str = "",
    count: object = nothing,
    chip: object = nothing,
    before: object = nothing,
    controls: object = nothing,
    go_live: Action | None = None,
    show_title: bool = True,
) -> TemplateResult:
    """A whole panel with the attributes of RT-83.

    Args:
        name: `data-panel`.
        result: the one whose freshness is shown: the panel's own, or the `worst` of several.
        body: what is under the head.
        reload: the needs that Refresh fetches.
        opened: `Env.opened`: the details behind the mark are drawn while they are open.
        count, chip: behind the mark: how many rows, how many are held back.
        before, controls: at the right edge, what is asked for; the first narrows what is shown.
        go_live: the remedy of a panel that the user paused.
        show_title: false where the page's own title says it.
    """
    fresh = result.freshness
    again = Reload(needs=reload)
    top = head(
        name,
        title,
        result,
        reload=again,
        opened=opened,
        count=count,
        chip=chip,
        before=before,
        controls=controls,
        go_live=go_live,
        show_title=show_title,
    )
    retained = " retained" if fresh.reason is FreshnessReason.FORBIDDEN and result.has_data else ""
    return html(
        t'<section class="panel {classes}{retained}" data-panel={name} data-mode={fresh.mode} data-freshness={fresh.state.value} '
        t"data-reason={fresh.reason.value} data-updated={formats.iso_ms(result.updated_ms)} aria-label={title}>{top}{body}</section>"
    )


def plain_panel(
    name: str, title: str, body: TemplateResult, *, classes: str = "", count: object = nothing, controls: object = nothing
) -> TemplateResult:
    """A panel of what no server was asked for: the same frame without a mark, because nothing in it is fresh or stale."""
    return html(
        t'<section class="panel {classes}" data-panel={name} aria-label={title}><header class="head"><h2>{title}</h2>'
        t'<span class="count">{count}</span><span class="grow"></span>{controls}</header>{body}</section>'
    )


def did_not_load(title: str, result: Result[Any], reload: tuple[str, ...], *, as_high_as: str = "") -> TemplateResult:
    """The body of a panel whose first load failed: what, why, and what happens next.

    Args:
        as_high_as: `figures` or `chart`: what the body stands in for, so that what is under the panel stays where it is.
    """
    fresh = result.freshness
    classes = f"blank as-{as_high_as}" if as_high_as else "blank"
    if fresh.reason is FreshnessReason.MISSING:
        return html(t'<div class={classes}><span class="strong">This server has no such data.</span>Nothing is asked.</div>')
    if fresh.reason is FreshnessReason.FORBIDDEN:
        said = f"{result.error.args[0]} " if result.error else ""
        return html(
            t'<div class={classes}><span class="strong">{title}: not permitted.</span>{said}Nothing is asked until you ask again.</div>'
        )
    why = result.error.args[0] if result.error else _WHY[fresh.reason]
    due = fresh.next_attempt_ms
    following = html(t" Next try in {age(due, here=True, plain=True, until=True)}.") if due else nothing
    return html(
        t'<div class={classes} role="alert"><span class="strong">{title} did not load.</span>{why}{following}<br>'
        t'<button type="button" class="btn" @click={Reload(needs=reload)}>{icon("t-refresh", small=True)}Retry now</button></div>'
    )
