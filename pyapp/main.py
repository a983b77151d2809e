"""The composition root: builds every part, hands the ports in, starts the router. Nothing else builds anything."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any, cast

from pydantic import ValidationError

from pyapp import __version__, numbers
from pyapp.browser.host import Host, Prefetched
from pyapp.contract.config import ServerConfig
from pyapp.core.cache.fetching import POSITION_HEADER
from pyapp.core.cache.keys import parse_key
from pyapp.core.client import Client
from pyapp.core.errors import RequestError
from pyapp.core.feeds.changes import StateChange
from pyapp.core.identity import Visitor
from pyapp.core.ports import HttpAnswer, HttpRequest
from pyapp.core.requests.answer import error_of
from pyapp.core.streams.connection import Reason
from pyapp.inventory import boot_keys, endpoint_specs, mutation_specs, query_specs, request_of, stream_specs
from pyapp.pages import routes
from pyapp.pages.preferences import PreferenceStore
from pyapp.pages.program import Program
from pyapp.reducers import REDUCERS
from pyapp.reducers.comparing import COMPARED
from pyapp.rollout import ConfigWatch, Counts, Rollout
from pyapp.settings import page_file_of
from pyapp.telemetry.diagnostics import plain, report

CLIENT_HEADER = "X-Penstock-Client"
CONFIG = "config"


class Console:
    """Every part of the running application."""

    def __init__(self, host: Host, config: ServerConfig | None, problem: str | None) -> None:
        """Build the parts.

        Args:
            config: the server's, `None` where it has none.
            problem: a sentence about it, if there is one.
        """
        self._host = host
        page = page_file_of(host.page_file())
        visitor = Visitor(host.storage, lambda: f"{random.getrandbits(48):012x}")
        self._rollout = Rollout(config=config, page=page, storage=host.storage, identity=visitor)
        self._served = config is not None
        settings = self._rollout.settings
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
            network=host.network,
            lifecycle=host.lifecycle,
            tabs=host.tabs(visitor.whose()),
            multiplexed="b" in settings.contract,
            contract="".join(settings.contract),
            # Across origins only a server that knows the header lets it through.
            endpoints=endpoint_specs(),
            limits=settings.limits,
            headers={CLIENT_HEADER: "console"} if host.same_origin or "b" in settings.contract else {},
            on_error=lambda error: host.log(f"{type(error).__name__}: {error}"),
            on_alert=lambda alert: host.log(f"{alert.kind} {'began' if alert.ended_wall_ms is None else 'ended'}: {alert.text}"),
            log=self._changed,
        )
        self._config_watch = ConfigWatch(
            host.clock, settings.timings.config_ms, self._ask_config, lambda: self._client.paused, self._rollout.heard
        )
        visitor.on_change(lambda: self._client.identity_changed(host.group(visitor.whose())))
        self._program = Program(
            client=self._client,
            screen=host,
            choices=self._rollout,
            preferences=PreferenceStore(host.storage, host.set_choice),
            forget=self._forget,
            version=__version__,
            notice=problem or page.problem or host.notice(),
            storage=host.storage,
            api=host.base,
        )

    def start(self) -> None:
        """Show the page that the address names."""
        numbers.use(numbers.Marks(**self._host.marks()))
        self._rollout.run(self._host.clock, self, self._counts)
        if self._served:
            self._config_watch.start()
        pattern = routes.pattern_of(routes.parse(self._host.hash()))
        for key in boot_keys(f"/{pattern}"):
            ready = self._host.prefetched(request_of(key).url)
            if ready is not None and ready.shared:
                position = ready.answer.headers.get(POSITION_HEADER)
                times = (ready.began_ms, ready.updated_ms)
                self._client.seed_shared(key, ready.answer.body, position, *times, partial=ready.partial)
            elif ready is not None and error_of(ready.answer) is None:
                self._client.seed(key, ready.answer.body, ready.answer.headers, ready.began_ms)
        self._host.connect(self._program.dispatch)
        self._host.expose(
            version=__version__,
            diagnostics=self.diagnostics,
            query=self.query,
            set_flag=self._rollout.set,
            unset_flag=self._rollout.unset,
        )
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
                "settings": self._rollout.settings,
                "flips": self._rollout.flips(),
                "clock": self._host.clock.statistics(),
                "domains": statistics.feeds.domains,
                "feeds": statistics.feeds.queries,
                "streams": statistics.streams,
                "stream_totals": statistics.totals,
                "transport": statistics.transport,
                "tabs": statistics.tabs,
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

    # What flags act on (rollout.Switches) ---------------------------------------------------------------------------------------

    def set_streaming(self, on: bool) -> None:
        self._client.set_streaming(on)

    def set_sharing(self, on: bool) -> None:
        self._client.set_sharing(on)

    def set_verifying(self, on: bool) -> None:
        self._client.set_verifying(on)

    def set_fetching(self, on: bool) -> None:
        self._client.set_fetching(on)

    def configure_requests(self, *, coordinate: bool) -> None:
        self._client.configure_requests(coordinate=coordinate)

    def deny_streams(self, names: frozenset[str]) -> None:
        self._client.deny(dict.fromkeys(names, Reason.FLAG_OFF))

    def _forget(self) -> None:
        """Nothing that this browser kept is left, in this page's memory neither."""
        self._host.storage.clear()
        self._host.reload()

    # Inside -------------------------------------------------------------------------------------------------------------------

    def _counts(self) -> Counts:
        statistics = self._client.statistics()
        endpoints = statistics.requests.endpoints
        sent, failed = sum(row.sent for row in endpoints), sum(row.failed for row in endpoints)
        return Counts(sent, failed, sum(row.drops for row in statistics.streams))

    def _ask_config(self, done: Callable[[str | RequestError], None]) -> None:
        def answered(outcome: Any) -> None:
            done(outcome if isinstance(outcome, RequestError) else outcome.text)

        self._client.request(CONFIG, HttpRequest("GET", CONFIG), answered)

    def _changed(self, change: StateChange) -> None:
        """One structured line per change, at the profile's level (RT-80)."""
        if change.level >= self._rollout.settings.level:
            self._host.line(change.level, f"penstock {json.dumps(plain(change))}")


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


def _configured(answer: HttpAnswer) -> tuple[ServerConfig | None, str | None]:
    """The answer to `/config`. A part-A server has none: 404, or a page of HTML, and both are no problem."""
    if answer.status == 200 and answer.headers.get("content-type", "application/json").startswith("application/json"):
        try:
            return ServerConfig.model_validate_json(answer.body), None
        except ValidationError:
            return None, "The server's configuration cannot be read: defaults are in use. Compare the server's version with this one."
    return None, None


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
