"""The door of the core: `use_query`, `use_stream` and what a page does (RT-77).

    client = Client(...)                    # from its ports; `pyapp/main.py` shows it with those of the browser
    scope = client.scope()
    client.use_query(live("jobs", status=["failed"]), show, scope=scope)
    client.use_stream(stream_key("events"), print, scope=scope)
    scope.close()                           # gives up everything that was used within it

Pages take keys and results from here and see nothing else of the core.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pyapp.core.alerts import Alert, Alerts
from pyapp.core.beat import Beat
from pyapp.core.cache.cache import QueryCache
from pyapp.core.cache.keys import (
    LIVE_LIST_LIMIT,
    AggregateKey,
    ItemKey,
    KeyPrefix,
    LiveKey,
    QueryKey,
    WindowKey,
    WritableKey,
    aggregate,
    item,
    live,
    parse_key,
    prefix,
    window,
)
from pyapp.core.cache.layers import Patch
from pyapp.core.cache.lists import LiveList, WindowData
from pyapp.core.cache.observer import Observer
from pyapp.core.cache.options import ObserverOptions, Placeholder
from pyapp.core.cache.result import Result
from pyapp.core.cache.sets import QuerySet
from pyapp.core.cache.spec import QuerySpec, Reduction
from pyapp.core.clock import Clock
from pyapp.core.errors import RequestError
from pyapp.core.feeds.changes import Log
from pyapp.core.feeds.feeds import Feeds
from pyapp.core.mutations import Mutations, MutationSpec
from pyapp.core.network import AlwaysOnline, NetworkWatch
from pyapp.core.ports import EventSources, Http, HttpRequest, Lifecycle, Network, Random, Visibility
from pyapp.core.queries import Pages, Queries
from pyapp.core.requests.answer import Answer
from pyapp.core.requests.coordinator import Requests
from pyapp.core.requests.endpoint import EndpointClass, EndpointSpec
from pyapp.core.scope import Scope
from pyapp.core.server_clock import ServerClock
from pyapp.core.statistics import Pulse, Statistics
from pyapp.core.streams.budget import request_limit, stream_limit
from pyapp.core.streams.connection import Reason
from pyapp.core.streams.listener import Listener
from pyapp.core.streams.manager import StreamManager
from pyapp.core.streams.multiplexed import MultiplexedTransport
from pyapp.core.streams.position import parse_position
from pyapp.core.streams.probe import StatusProbe
from pyapp.core.streams.spec import StreamKey, StreamSpec, stream_key
from pyapp.core.streams.transport import DirectTransport, Transport
from pyapp.core.tabs.election import Out
from pyapp.core.tabs.ports import TabPorts
from pyapp.core.tabs.shared import SharedAnswers
from pyapp.core.tabs.tabs import Tabs
from pyapp.core.timings import Timings
from pyapp.core.visibility import VisibilityWatch

__all__ = [
    "LIVE_LIST_LIMIT",
    "AggregateKey",
    "Alert",
    "Client",
    "EndpointClass",
    "EndpointSpec",
    "ItemKey",
    "KeyPrefix",
    "LiveKey",
    "LiveList",
    "MutationSpec",
    "Observer",
    "ObserverOptions",
    "Pages",
    "Patch",
    "Placeholder",
    "Pulse",
    "QueryKey",
    "QuerySet",
    "QuerySpec",
    "Reduction",
    "Result",
    "Scope",
    "Statistics",
    "StreamKey",
    "StreamSpec",
    "WindowData",
    "WindowKey",
    "WritableKey",
    "aggregate",
    "item",
    "live",
    "parse_key",
    "prefix",
    "stream_key",
    "window",
]


ERRORS_KEPT = 20


class Client(Queries):
    """The realtime core of one page, built from its ports."""

    def __init__(
        self,
        *,
        clock: Clock,
        sources: EventSources,
        http: Http,
        visibility: Visibility,
        random: Random,
        queries: Mapping[str, QuerySpec[Any]],
        streams: Mapping[str, StreamSpec],
        mutations: Mapping[str, MutationSpec] | None = None,
        timings: Timings | None = None,
        protocol: Callable[[], str] = lambda: "",
        headers: Mapping[str, str] | None = None,
        endpoints: Mapping[str, EndpointSpec] | None = None,
        limits: bool = True,
        on_error: Callable[[Exception], None] | None = None,
        log: Log = lambda change: None,
        on_alert: Callable[[Alert], None] = lambda alert: None,
        network: Network | None = None,
        lifecycle: Lifecycle | None = None,
        multiplexed: bool = False,
        contract: str | None = None,
        tabs: TabPorts | None = None,
    ) -> None:
        """Build the core.

        Args:
            clock, sources, http, visibility, random: the ports.
            queries, streams, mutations: what there is, by family and by name.
            timings: every time of the model; the defaults are the model's.
            protocol: the browser's word for the protocol of the connection (`nextHopProtocol`), for the budget (RT-64).
            headers: sent with every request.
            endpoints: which endpoint is of which class, by name; one that is not there is a class of its own (RT-65).
            limits: whether who asks too often has to wait (RT-67).
            on_error: told of a mistake in an application's callback; it is kept in the statistics anyway.
            log: told of each change of a domain's state (RT-80).
            on_alert: told of the beginning and the end of each alert (RT-82).
            network: the browser's word of it (RT-52); `network_for` leaves it out for an API on this machine.
            lifecycle: tells when the page is put away and taken out again (RT-53).
            multiplexed: the server has one connection for all streams (RT-64).
            contract: the parts that the server speaks, `None` where nobody knows; streams of another are never asked for (RT-25),
                and a server of part B greets before it is believed (RT-30).
            tabs: what makes the tabs of an origin share one leader's streams (RT-60); without it this one works alone.
        """
        self.timings = timings or Timings()
        self.clock = clock
        self._on_error = on_error
        self._errors: list[str] = []
        self._closed = False
        self._was_paused = False
        self._paint: Callable[[], bool] = lambda: False
        self._on_paused: Callable[[bool], None] = lambda paused: None
        self.server_clock = ServerClock(clock)
        self._alerts = Alerts(clock, on_alert)
        self._requests = Requests(
            clock,
            http,
            self.timings,
            self._request_limit,
            headers,
            endpoints=endpoints,
            alerts=self._alerts,
            limits=limits,
            on_date=self.server_clock.heard_date,
            on_recovered=self._recovered,
        )
        self._cache = QueryCache(
            clock=clock,
            requests=self._requests,
            specs=queries,
            timings=self.timings,
            on_error=self._raised,
            wake=self._wake,
        )
        self._mutations = Mutations(
            mutations or {}, clock=clock, requests=self._requests, cache=self._cache, settled=self.now, on_error=self._raised
        )
        self._feeds = Feeds(
            clock=clock,
            cache=self._cache,
            timings=self.timings,
            random=random,
            on_error=self._raised,
            on_server_time=self.server_clock.heard,
            log=log,
        )
        self._cache.watch(self._feeds)
        self._protocol = protocol
        transport: Transport = DirectTransport(sources)
        if multiplexed:
            transport = MultiplexedTransport(
                clock=clock,
                sources=sources,
                http=http,
                timings=self.timings,
                random=random,
                on_server_time=self.server_clock.heard,
                headers=headers,
            )
        self._tabs: Tabs | None = None
        self._shares: SharedAnswers | None = None
        listener: Listener = self._feeds
        if tabs is not None:
            self._shares = SharedAnswers(
                clock=clock,
                tab=tabs.tab,
                channel=tabs.channel,
                timings=self.timings,
                lender=self._feeds.lending,
                find=self._cache.find,
                freshen=self._take_in,
                use=self._cache.fetching.use,
                storage=tabs.storage,
                on_error=self._raised,
            )
            self._cache.fetching.peers = self._shares
            self._tabs = Tabs(
                clock=clock,
                ports=tabs,
                inner=transport,
                specs=streams,
                timings=self.timings,
                random=random,
                visible=lambda: not visibility.hidden(),
                on_server_time=self.server_clock.heard,
                on_change=self._wake,
                shares=self._shares,
            )
            transport = self._tabs.transport
            listener = self._tabs.overhear(self._feeds)
        self._streams = StreamManager(
            clock=clock,
            transport=transport,
            probe=StatusProbe(clock, http, headers or {}),
            specs=streams,
            timings=self.timings,
            random=random,
            limit=lambda: stream_limit(protocol()),
            listener=listener,
            contract=contract,
        )
        if self._tabs is not None:
            self._tabs.connect(self._streams)
        self._feeds.connect(self._streams)
        self._visibility = VisibilityWatch(clock, visibility, self.timings, self._visibility_changed)
        self._beat = Beat(
            clock,
            self.timings,
            collect=self._streams.collect,
            deliver=self._streams.deliver,
            waiting=self._streams.waiting,
            notify=self._notify,
            paint=self._draw,
            visible=lambda: self._visibility.painting,
        )
        transport.on_wake(self._beat.wake)
        self._feeds.set_hidden(self._visibility.paused)
        self._sharing = self._streaming = True
        self._take_part()
        self._network = NetworkWatch(network or AlwaysOnline(), lambda online: self.set_offline(not online))
        self._network.look()
        clock.on_late(self.timings.late_ms, self._slept)
        if lifecycle is not None:
            lifecycle.on_suspend(self.suspend)
            lifecycle.on_resume(self.resume)

    # The two calls ------------------------------------------------------------------------------------------------------------

    def use_stream(self, key: StreamKey, on_event: Callable[[Any], None], *, scope: Scope | None = None) -> Callable[[], None]:
        """Hand every event of a stream, validated, to `on_event`; returns what ends it.

        Raises:
            KeyMisuse: there is no such stream.
            Disposed: the client is closed.
        """
        self._require_open()
        end = self._feeds.subscribe(key, on_event)
        if scope is None:
            return end
        forget = scope.add(end)

        def end_early() -> None:
            forget()
            end()

        return end_early

    def scope(self) -> Scope:
        """A new scope."""
        return Scope()

    # What a person does -------------------------------------------------------------------------------------------------------

    def refresh(self, key: QueryKey) -> None:
        """Ask for it now, past cache and throttle; the one way to refetch a window (RT-3, RT-37)."""
        if not self._closed:
            self._feeds.refresh(self._cache.query(key))

    def mutate(self, name: str, args: Mapping[str, Any], done: Callable[[str | RequestError], None]) -> None:
        """Ask the server to do something; `done` gets the answer's text or the reason it was not done.

        Raises:
            UnknownMutation: no such mutation is registered.
            Disposed: the client is closed.
        """
        self._mutations.run(name, args, lambda outcome: self._tell(done, outcome))

    def try_now(self) -> None:
        """Attempt every stream that waits for its retry."""
        self._streams.try_now()

    # The page -----------------------------------------------------------------------------------------------------------------

    def on_paint(self, paint: Callable[[], bool]) -> None:
        """What draws, once per beat; it says whether it drew anything."""
        self._paint = paint

    def on_paused(self, callback: Callable[[bool], None]) -> None:
        """Who is told when the page stops because nobody sees it, and when it goes on (RT-50): painting has stopped by then."""
        self._on_paused = callback

    def set_streaming(self, on: bool) -> None:
        """Streams on or off for the whole page (RT-71)."""
        self._streaming = on
        self._take_part()
        self._feeds.set_streaming(on)

    def set_sharing(self, on: bool) -> None:
        """Share streams with the other tabs, or work alone (RT-60, RT-71)."""
        self._sharing = on
        self._take_part()

    def set_fetching(self, on: bool) -> None:
        """Periodic fetching on or off for the whole page; what has no data yet, and what a person asks for, is fetched (RT-31)."""
        self._feeds.set_fetching(on)

    def set_verifying(self, on: bool) -> None:
        """Whether what streams fed is compared with a safety snapshot in ten (RT-35)."""
        self._feeds.set_verifying(on)

    def set_offline(self, offline: bool) -> None:
        """The browser says whether there is a network: automatic fetches wait for one (RT-31, RT-52)."""
        self._streams.set_online(not offline)
        if not offline:
            self._requests.try_now()
        self._feeds.set_offline(offline)
        self._wake()

    def identity_changed(self, group: str = "") -> None:
        """Somebody else is signed in: what was forbidden is asked for again (RT-36).

        Args:
            group: that of that person's tabs, which this one joins (RT-60); empty where tabs do not share.
        """
        if self._tabs is not None and group and not self._closed:
            self._tabs.move(group)
        self._feeds.forgive()

    def configure_requests(self, *, coordinate: bool | None = None, limits: bool | None = None) -> None:
        """Switch the coordinator's parts off and on, from now on (RT-71).

        Args:
            coordinate: off: nothing is shared or kept, no breaker and no rate; the connection budget and the time-out stay.
            limits: off: nobody has to wait for asking too often (RT-67).
        """
        self._requests.configure(coordinate=coordinate, limits=limits)

    def deny(self, denied: Mapping[StreamKey | str, Reason]) -> None:
        """Keep some streams closed, by key or by name, each for a reason, such as a flag of their own (RT-71). It is the whole set."""
        self._streams.deny(denied)

    def keep_when_hidden(self, names: Iterable[str]) -> None:
        """The streams that stay open in a hidden page, because the person opted in to be told (RT-54)."""
        self._streams.keep(names)

    def set_pause_hidden(self, on: bool) -> None:
        """Off, a hidden page goes on as if it were seen: for wallboards (RT-50)."""
        self._visibility.set_pausing(on)

    def suspend(self) -> None:
        """The page is put away: every connection, request and timer is released before this returns (RT-53)."""
        if self._closed:
            return
        if self._tabs is not None:
            self._tabs.leave(Out.SUSPENDED)
        self._visibility.put_away()
        self._streams.suspend(True)
        self._requests.suspend()
        self.clock.suspend()

    def resume(self) -> None:
        """The page is back: as after hidden (RT-51, RT-53)."""
        if self._closed:
            return
        self.clock.resume()
        self._network.look()
        self._streams.suspend(False)
        self._requests.resume()
        self._visibility.taken_out()
        self._take_part()
        self._wake()

    def wake(self) -> None:
        """Something outside the cache changed what is shown: draw at the next beat."""
        self._wake()

    def _show(self) -> None:
        self._beat.now()

    def seed(self, key: QueryKey, text: str, headers: Mapping[str, str], began_ms: float) -> bool:
        """Take an answer that the page fetched before Python ran; false when it is not a good one (RT-34).

        Args:
            began_ms: clock time at which that request began.
        """
        answer = Answer(text, dict(headers), began_ms)
        query = self._cache.query(key)
        self._requests.heard(query.spec.endpoint, query.spec.request(key), answer)
        return self._cache.seed(key, text, headers, began_ms)

    def seed_shared(
        self, key: QueryKey, text: str, position: str | None, began_ms: float, updated_ms: float, *, partial: bool = False
    ) -> bool:
        """Take what another tab gave before Python ran; false when it is not a good one (RT-62).

        Args:
            text: as the query's `dump` wrote it.
            began_ms, updated_ms: clock times at which, or later, that tab's request began and it knew its data to be true.
            partial: that tab waited for more from the server.
        """
        query = self._cache.query(key)
        if self._shares is None:
            return False
        return self._shares.seed(query, text, parse_position(position), began_ms, updated_ms, partial=partial)

    def request(self, name: str, request: HttpRequest, done: Callable[[Any], None]) -> None:
        """A plain request through the coordinator, for what is no query.

        Raises:
            Disposed: the client is closed.
        """
        self._requests.send(name, request, lambda outcome: self._tell(done, outcome))

    def close(self) -> None:
        """Release every connection, request, timer and observer (RT-53)."""
        self._closed = True
        self._beat.close()
        if self._tabs is not None:
            self._tabs.close()
        self._feeds.close()
        self._streams.close()
        self._cache.close()
        self._requests.close()
        self._visibility.close()
        self._network.close()

    @property
    def paused(self) -> bool:
        """Hidden past its grace: nothing is asked and nothing is held (RT-50)."""
        return self._visibility.paused

    def pulse(self) -> Pulse:
        """What a page shows of the connection every second; `statistics` is the whole, and costs more."""
        tabs = self._tabs.statistics() if self._tabs is not None else None
        streams = self._streams
        clock = self.server_clock
        return Pulse(streams.pulse(), self._requests.in_flight, clock.offset_ms, tabs, streams.open_count(), clock.coarse)

    def heard(self) -> dict[str, float]:
        """When each stream last delivered something, heartbeats included: wall time in ms by the name that `Freshness.stream` has."""
        return self._feeds.heard()

    def statistics(self) -> Statistics:
        return Statistics(
            streams=self._streams.statistics(),
            feeds=self._feeds.statistics(),
            totals=self._streams.totals(),
            transport=self._streams.transport(),
            cache=self._cache.statistics(),
            mutations=self._mutations.statistics(),
            requests=self._requests.statistics(),
            alerts=self._alerts.episodes(),
            beat=self._beat.statistics(),
            hidden=self._visibility.paused,
            clock_offset_ms=self.server_clock.offset_ms,
            errors=tuple(self._errors),
            tabs=self._tabs.statistics() if self._tabs is not None else None,
        )

    # Inside -------------------------------------------------------------------------------------------------------------------

    def _draw(self) -> bool:
        return self._paint()

    def _notify(self) -> None:
        self._cache.flush()
        if self._shares is not None:
            self._shares.look()

    def _take_in(self) -> None:
        """What waits of the streams is applied now, within a beat's budget; it is told and painted with the beat."""
        until = self.clock.now() + self.timings.beat_budget_ms
        self._streams.collect()
        self._streams.deliver(lambda: self.clock.now() < until)

    def _wake(self) -> None:
        if not self._closed:
            self._beat.wake()

    def _request_limit(self) -> int:
        return request_limit(self._protocol(), self._streams.open_count())

    def _recovered(self, cls: str) -> None:
        self._feeds.recovered(lambda endpoint: self._requests.class_of(endpoint) == cls)

    def _visibility_changed(self, paused: bool) -> None:
        changed = paused != self._was_paused
        self._was_paused = paused
        self._take_part()  # a leader hands over before it closes what it holds for others
        self._feeds.set_hidden(paused)
        self._requests.pump()
        if changed:
            self._on_paused(paused)
        self._wake()

    def _take_part(self) -> None:
        """Among the tabs while streams are on and somebody can see the page (RT-61)."""
        if self._tabs is None or self._closed:
            return
        if not (self._sharing and self._streaming):
            self._tabs.leave(Out.FLAG_OFF)
        elif self._visibility.paused:
            self._tabs.leave(Out.HIDDEN)
        else:
            self._tabs.join()

    def _slept(self) -> None:
        """The machine slept: whatever was open is not to be believed (RT-52)."""
        if not self._closed:
            self._streams.slept()

    def _tell(self, done: Callable[[Any], None], outcome: Any) -> None:
        """An application's mistake in `done` is its own: others wait for the same answer."""
        try:
            done(outcome)
        except Exception as error:
            self._raised(error)

    def _raised(self, error: Exception) -> None:
        self._errors.append(f"{type(error).__name__}: {error}")
        del self._errors[:-ERRORS_KEPT]
        if self._on_error is not None:
            self._on_error(error)
