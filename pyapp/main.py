"""The composition root: builds every part, hands the ports in, starts the router. Nothing else builds anything."""

from __future__ import annotations

import json
import random
from typing import Any, cast

from pydantic import ValidationError

from pyapp import __version__
from pyapp.browser.host import Host, Prefetched
from pyapp.contract.config import ServerConfig
from pyapp.core.cache.keys import parse_key
from pyapp.core.client import Client
from pyapp.core.ports import HttpAnswer, HttpRequest
from pyapp.core.requests.answer import error_of
from pyapp.inventory import boot_keys, endpoint_specs, mutation_specs, query_specs, request_of, stream_specs
from pyapp.pages import routes
from pyapp.pages.program import Program
from pyapp.pages.protocol import Theme
from pyapp.reducers import REDUCERS
from pyapp.reducers.comparing import COMPARED
from pyapp.settings import STREAMING, Settings, settings_of
from pyapp.telemetry.diagnostics import plain, report

CLIENT_HEADER = "X-Penstock-Client"
CONFIG = "config"


class Console:
    """Every part of the running application."""

    def __init__(self, host: Host, settings: Settings, problem: str | None) -> None:
        """Build the parts; `problem` is a sentence about the configuration, if there is one."""
        self._host = host
        self._settings = settings
        self._boot = host.boot_report()
        self._client = Client(
            clock=host.clock,
            sources=host.sources,
            http=host.http,
            visibility=host.visibility,
            random=random.Random(),
            queries=query_specs(REDUCERS, COMPARED),
            streams=stream_specs(),
            mutations=mutation_specs(),
            timings=settings.timings,
            protocol=host.protocol,
            # Across origins only a server that knows the header lets it through.
            endpoints=endpoint_specs(),
            limits=settings.profile != "test",
            headers={CLIENT_HEADER: "console"} if host.same_origin or "b" in settings.contract else {},
            on_error=lambda error: host.log(f"{type(error).__name__}: {error}"),
            on_alert=lambda alert: host.log(f"{alert.kind} {'began' if alert.ended_wall_ms is None else 'ended'}: {alert.text}"),
        )
        self._client.set_streaming(settings.flag(STREAMING))
        self._program = Program(
            client=self._client,
            screen=host,
            profile=settings.profile if settings.profile_source == "server" else "",
            version=__version__,
            theme=cast(Theme, host.theme()),
            notice=problem or host.notice(),
        )

    def start(self) -> None:
        """Show the page that the address names."""
        route = f"/{routes.parse(self._host.hash()).route}"
        for key in boot_keys(route):
            ready = self._host.prefetched(request_of(key).url)
            if ready is not None and error_of(ready.answer) is None:
                self._client.seed(key, ready.answer.body, ready.answer.headers, ready.began_ms)
        self._host.connect(self._program.dispatch)
        self._host.expose(version=__version__, diagnostics=self.diagnostics, query=self.query, set_flag=self.set_flag)
        self._host.on_route(self._program.navigate)
        self._program.on_first_paint = self._host.booted
        self._program.navigate(self._host.hash())

    # For scripts (RT-83) ------------------------------------------------------------------------------------------------------

    def diagnostics(self) -> str:
        """Everything that the dock will show, as JSON text; reading changes nothing."""
        statistics = self._client.statistics()
        return report(
            {
                "version": __version__,
                "boot": self._boot,
                "settings": self._settings,
                "clock": self._host.clock.statistics(),
                "domains": statistics.feeds.domains,
                "feeds": statistics.feeds.queries,
                "streams": statistics.streams,
                "requests": statistics.requests,
                "alerts": statistics.alerts,
                "cache": statistics.cache,
                "mutations": statistics.mutations,
                "beat": statistics.beat,
                "fetches": statistics.feeds.fetches,
                "hidden": statistics.hidden,
                "server_clock_offset_ms": statistics.clock_offset_ms,
                "page": self._program.statistics(),
                "errors": statistics.errors,
            }
        )

    def query(self, key_json: str) -> str | None:
        """The cached data of a key as JSON text, `null` where there is none.

        Raises:
            KeyMisuse: the text is not a key.
        """
        result = self._client.peek(parse_key(key_json))
        if result is None or not result.has_data:
            return None
        return json.dumps(_jsonable(result.data))

    def set_flag(self, name: str, value: bool) -> None:
        """Flip a flag for this page (RT-71); the server's `off` wins.

        Raises:
            ValueError: no such flag.
        """
        if name not in self._settings.flags:
            raise ValueError(f"There is no flag {name!r}: there are {', '.join(sorted(self._settings.flags))}.")
        self._settings = self._settings.with_override(name, bool(value))
        self._client.set_streaming(self._settings.flag(STREAMING))


def _jsonable(value: Any) -> Any:
    """Data of the cache as plain JSON: models say it themselves, lists and windows are walked."""
    dump = getattr(value, "model_dump", None)
    if dump is not None:
        return dump(mode="json")
    if isinstance(value, tuple):
        return [_jsonable(one) for one in cast("tuple[Any, ...]", value)]
    if hasattr(value, "__dataclass_fields__"):
        return {name: _jsonable(getattr(value, name)) for name in value.__dataclass_fields__}
    return plain(value)


def _configured(answer: HttpAnswer) -> tuple[Settings, str | None]:
    """The settings of the answer to `/config`. A part-A server has none: 404, or a page of HTML, and both are no problem."""
    if answer.status == 200 and answer.headers.get("content-type", "application/json").startswith("application/json"):
        try:
            return settings_of(ServerConfig.model_validate_json(answer.body)), None
        except ValidationError:
            return settings_of(
                None
            ), "The server's configuration cannot be read: defaults are in use. Compare the server's version with this one."
    return settings_of(None), None


def start() -> None:
    """Called by the site's `main.py` once Python runs."""
    host: Host | None = None

    def failed(error: Exception) -> None:
        if host is not None:
            host.log(f"{type(error).__name__}: {error}")

    host = Host(failed)
    built = host

    def go(answer: HttpAnswer) -> None:
        Console(built, *_configured(answer)).start()

    ready: Prefetched | None = host.prefetched(CONFIG)
    if ready is not None:
        go(ready.answer)
    else:
        host.http.send(HttpRequest("GET", CONFIG), go)
