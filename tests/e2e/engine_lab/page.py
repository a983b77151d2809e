"""The lab's page (tests/e2e/engine_lab.py): the real core over the browser's ports, with three panels and a record of what they said.

One panel per kind of stream: `jobs` is fed by events, `workers` by snapshots, `api` by the snapshots of one item. The address says what
kind of client it is: `transport=multiplexed|single`, `api=<name>`, and `network=browser` makes the browser's word of the network count
although the API is on this machine, where the rules ignore it (RT-52).

`globalThis.lab` has `marks()`, `changes()` and `sent()`, each a JSON text of rows that begin with a time of `performance.now()`;
`held(key)` is cached data with its place in the stream, `refresh(key)` the panel's Refresh. `globalThis.penstock` is as in the console
(RT-83).
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from typing import Any, cast

from pyapp import __version__
from pyapp.browser.host import Host
from pyapp.browser.javascript import create_proxy, js, to_js
from pyapp.browser.ports import BrowserNetwork
from pyapp.contract.config import ServerConfig
from pyapp.core.cache.keys import parse_key
from pyapp.core.cache.lists import LiveList
from pyapp.core.client import Client, QueryKey, Result, item, live
from pyapp.core.feeds.changes import StateChange
from pyapp.core.ports import Cancel, Http, HttpAnswer, HttpRequest
from pyapp.inventory import endpoint_specs, mutation_specs, query_specs, stream_specs
from pyapp.reducers import REDUCERS
from pyapp.reducers.comparing import COMPARED
from pyapp.settings import page_file_of, settings_of
from pyapp.telemetry.diagnostics import plain, report


class WatchedHttp:
    """The browser's requests, each written down as it leaves: time, method, address, and what the feeds asked it for."""

    def __init__(self, http: Http, counts: Callable[[], Mapping[str, int]]) -> None:
        self._http = http
        self._counts = counts
        self._counted: dict[str, int] = {}
        self.sent: list[tuple[float, str, str, str]] = []

    def send(self, request: HttpRequest, on_answer: Callable[[HttpAnswer], None]) -> Cancel:
        counts = dict(self._counts())
        whys = [why for why, count in counts.items() if count > self._counted.get(why, 0)]
        self._counted = counts
        why = "probe" if request.head_only else " ".join(whys)
        self.sent.append((js.performance.now(), request.method, request.url, why))
        return self._http.send(request, on_answer)


class Panel:
    """One query as a panel shows it: its mark as the attributes of RT-83, and every mark it ever had."""

    def __init__(self, name: str, key: QueryKey, marks: list[tuple[float, str, str, str]]) -> None:
        self.name = name
        self.key = key
        self._marks = marks
        self._said = ("", "")
        self._element: Any = js.document.createElement("section")
        self._element.dataset.panel = name
        self._element.dataset.mode = key.mode
        js.document.body.append(self._element)

    def show(self, result: Result[Any]) -> None:
        state, reason = str(result.freshness.state), str(result.freshness.reason)
        data = self._element.dataset
        data.freshness, data.reason = state, reason
        if result.updated_ms is not None:
            data.updated = str(js.Date.new(result.updated_ms).toISOString())
        self._element.textContent = f"{self.name}: {state} {reason}"
        if (state, reason) != self._said:
            self._said = (state, reason)
            self._marks.append((js.performance.now(), self.name, state, reason))


def data_of(value: Any) -> Any:
    """Cached data as plain JSON."""
    if isinstance(value, LiveList):
        page = cast("LiveList[Any]", value)
        return {"rows": [row.model_dump(mode="json") for row in page.rows], "total": page.total}
    return value.model_dump(mode="json")


class Lab:
    """The page."""

    def __init__(self, host: Host, answer: HttpAnswer) -> None:
        self._host = host
        self._address = js.URLSearchParams.new(js.location.search)
        is_config = answer.status == 200 and answer.headers.get("content-type", "").startswith("application/json")
        self._settings = settings_of(
            ServerConfig.model_validate_json(answer.body) if is_config else None, page_file_of(host.page_file())
        )
        self._marks: list[tuple[float, str, str, str]] = []
        self._changes: list[tuple[float, str, str, str, str]] = []
        self._client: Client | None = None
        self._http = WatchedHttp(host.http, self._fetches)
        keys: dict[str, QueryKey] = {"jobs": live("jobs"), "workers": live("workers"), "api": item("apis", self._said("api"))}
        self._panels = [Panel(name, key, self._marks) for name, key in keys.items()]

    def start(self) -> None:
        host, contract = self._host, self._settings.contract
        client = self._client = Client(
            clock=host.clock,
            sources=host.sources,
            http=self._http,
            visibility=host.visibility,
            random=random.Random(),
            queries=query_specs(REDUCERS, COMPARED),
            streams=stream_specs(),
            mutations=mutation_specs(),
            endpoints=endpoint_specs(),
            timings=self._settings.timings,
            limits=self._settings.limits,
            protocol=host.protocol,
            network=BrowserNetwork() if self._said("network") == "browser" else host.network,
            lifecycle=host.lifecycle,
            multiplexed=self._said("transport") == "multiplexed" and "b" in contract,
            contract="".join(contract),
            headers={"X-Penstock-Client": "lab"},
            on_error=lambda error: host.log(f"{type(error).__name__}: {error}"),
            log=self._changed,
        )
        host.expose(version=__version__, diagnostics=self._diagnostics, query=self._query, set_flag=_no_flag, unset_flag=_no_flag)
        calls: dict[str, Callable[..., Any]] = {
            "marks": lambda: json.dumps(self._marks),
            "changes": lambda: json.dumps(self._changes),
            "sent": lambda: json.dumps(self._http.sent),
            "held": self._held,
            "refresh": self._refresh,
        }
        js.globalThis.lab = to_js({name: create_proxy(call) for name, call in calls.items()}, dict_converter=js.Object.fromEntries)
        for panel in self._panels:
            client.use_query(panel.key, panel.show, owner=panel.name)
        host.booted()

    def _said(self, name: str) -> str:
        return str(self._address.get(name) or "")

    def _fetches(self) -> Mapping[str, int]:
        return self._client.statistics().feeds.fetches if self._client is not None else {}

    def _changed(self, change: StateChange) -> None:
        self._changes.append((js.performance.now(), change.domain, change.mode, change.health, change.polling))

    def _diagnostics(self) -> str:
        assert self._client is not None
        statistics = self._client.statistics()
        page = {"panels": {panel.name: [str(panel.key)] for panel in self._panels}}
        domains = {"domains": statistics.feeds.domains, "feeds": statistics.feeds.queries, "fetches": statistics.feeds.fetches}
        parts = {name: plain(getattr(statistics, name)) for name in statistics.__dataclass_fields__ if name != "feeds"}
        return report({"settings": self._settings, "page": page, **domains, **parts})

    def _refresh(self, key: str) -> None:
        assert self._client is not None
        self._client.refresh(parse_key(key))

    def _held(self, key: str) -> str | None:
        """Cheaper than the diagnostics, for tests that ask again and again."""
        assert self._client is not None
        data = self._query(key)
        if data is None:
            return None
        row = next(row for row in self._client.statistics().cache.queries if row.key == key)
        return f'{{"position": {json.dumps(row.position)}, "data": {data}}}'

    def _query(self, key: str) -> str | None:
        assert self._client is not None
        result = self._client.peek(parse_key(key))
        return json.dumps(data_of(result.data)) if result is not None and result.has_data else None


def _no_flag(*said: object) -> None:
    """The lab has no flags."""


def start() -> None:
    """Called once Python runs."""
    host = Host(lambda error: js.console.error(f"{type(error).__name__}: {error}"))

    def go(answer: HttpAnswer) -> None:
        Lab(host, answer).start()

    ready = host.prefetched("config")
    if ready is not None:
        go(ready.answer)
    else:
        host.http.send(HttpRequest("GET", "config"), go)


start()
