"""API requests as rows."""

from __future__ import annotations

from pyapp.contract.apis import RequestEvent
from pyapp.pages import formats
from pyapp.pages.rows import Column, Table
from pyapp.ui import TemplateResult, html, nothing
from pyapp.ui.components.marks import code, quantity

_COLUMNS = (
    Column("Status", "w5", "w3"),
    Column("Method", "w5 p1", "w3"),
    Column("Route", "", "w3"),
    Column("Latency", "w6 num", "w3"),
)
_AGE = Column("Age", "w5 num w-age", "w3", newest_first=True, id="when")
_TIME = Column("Time", "w8 num w-time", "w3", newest_first=True, id="when")


def columns_of(*, live: bool) -> tuple[Column, ...]:
    """Those of a live list or of a window; by their names they are the same."""
    return (*_COLUMNS, _AGE if live else _TIME)


def requests_table(panel: str, *, live: bool, left: frozenset[str] = frozenset()) -> Table[RequestEvent]:
    """Status, method, route, latency, and when."""

    def row(event: RequestEvent) -> TemplateResult:
        gone = "left" if event.id in left else nothing
        at = formats.iso(event.at)
        when = html(t"<pen-age at={at}></pen-age>") if live else html(t"<pen-time at={at}></pen-time>")
        return html(
            t'<tr class={gone}><td>{code(event.status)}</td><td class="p1 dim">{event.method}</td>'
            t'<td title={event.api_name}><bdi class="mono">{event.path}</bdi></td>'
            t'<td class="num">{quantity(formats.duration(event.latency_ms))}</td><td class="num">{when}</td></tr>'
        )

    return Table(panel, "Latest API requests", columns_of(live=live), key=lambda event: event.id, render=row, scrolls=True, bones=9)
