"""A client made in one line, for pages that are not the console (RT-77).

    client = connect(snapshots("workers", "workers", Workers, "workers/stream", Snapshot, lambda event: event.workers))
    client.use_query(live("workers"), show)

The page must load `standalone.js` of a built site first: it holds the few lines of JavaScript that the ports stand on.
"""

from __future__ import annotations

import random
from typing import Any

from pyapp.browser.javascript import js
from pyapp.browser.ports import BrowserHttp, BrowserLifecycle, BrowserNetwork, BrowserSources, BrowserVisibility, browser_clock
from pyapp.core.client import Client
from pyapp.core.declare import Family
from pyapp.core.errors import Misuse
from pyapp.core.network import network_for
from pyapp.core.timings import Timings


def connect(*families: Family, api: str = "/api/v1/", timings: Timings | None = None) -> Client:
    """A client over the browser's own event sources and requests, with every default of the model.

    Args:
        families: what there is to look at, made by `pyapp.core.declare`.
        api: the prefix of every path, absolute or relative to the page.
        timings: the times of the model.

    Raises:
        Misuse: the page did not load the ports' JavaScript.
    """
    host: Any = getattr(js, "penstockHost", None)
    if host is None or not hasattr(host, "createPorts"):
        raise Misuse("The ports are missing: load Penstock's standalone script in the page, before this one.")
    base = str(js.URL.new(api if api.endswith("/") else f"{api}/", js.document.baseURI).href)
    ports = host.createPorts(base)

    def report(error: Exception) -> None:
        js.console.error(f"{type(error).__name__}: {error}")

    return Client(
        clock=browser_clock(ports.timer, report),
        sources=BrowserSources(ports.frames, base),
        http=BrowserHttp(ports.requests, base),
        visibility=BrowserVisibility(),
        network=network_for(base, BrowserNetwork()),
        lifecycle=BrowserLifecycle(ports.lifecycle),
        random=random.Random(),
        queries={family.query.family: family.query for family in families},
        streams={family.stream.name: family.stream for family in families if family.stream is not None},
        timings=timings,
        protocol=lambda: str(ports.protocol()),
        on_error=report,
    )
