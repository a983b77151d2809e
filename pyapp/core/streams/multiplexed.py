"""One connection that carries every stream (RT-64), behind the transport's port.

    GET  streams?want=[{"stream":"events","last_event_id":"e1:5"},…]      the connection, with the whole set
    POST streams/<connection> {"add":[…],"remove":["events",…]}          changes of the set, one request per tick

The physical connection has a state of its own in the same machine that the streams have (backoff, silence, planned ends, the probe of a
refusal): it is the one that has a retry timer. When it is lost, each stream hears `LOST`, keeps its place here, and waits without a
timer; when it is due, `on_ready` makes all of them open again, and what they opened is what the new connection asks for. One whose
`LOST` still waits behind data (a beat has a budget) enters by a request once it took that in: `on_ready` is repeated for it. A stream
that fails alone leaves and enters by requests, while the others flow.

A server that has no such endpoint is noticed once: from then on, for the life of the page, every stream has a connection of its own.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote

from pyapp.core.clock import Clock, Timer
from pyapp.core.ports import Cancel, EventSources, FrameKind, Http, HttpAnswer, HttpRequest, Random, RawFrame
from pyapp.core.streams import connection as c
from pyapp.core.streams.control import event_of, fields, lost, said_at
from pyapp.core.streams.envelope import open_envelope
from pyapp.core.streams.machine import Machine
from pyapp.core.streams.position import Position
from pyapp.core.streams.probe import StatusProbe
from pyapp.core.streams.spec import StreamKey, StreamSpec
from pyapp.core.streams.transport import SHARED_LIMIT, DirectTransport, Ready, TransportStatistics
from pyapp.core.timings import Timings

PATH = "streams"
CHANGE_HEADERS: Mapping[str, str] = {"X-Penstock-CSRF": "1"}
"""What our server asks of every request that changes something."""
SAMPLES = 20
SAMPLE_LENGTH = 300


@dataclass(slots=True)
class _Place:
    """One stream that is wanted here."""

    key: StreamKey
    spec: StreamSpec
    wire: str
    last: Position | None
    greeted: bool = False

    def asked(self) -> dict[str, str]:
        return {"stream": self.wire} if self.last is None else {"stream": self.wire, "last_event_id": str(self.last)}


class MultiplexedTransport:
    """`Transport` over one event source and requests that change what it carries."""

    def __init__(
        self,
        *,
        clock: Clock,
        sources: EventSources,
        http: Http,
        timings: Timings,
        random: Random,
        on_server_time: Callable[[str], None],
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Args:
        headers: sent with every request.
        on_server_time: the server's clock, as the connection's own hello and heartbeats carry it (RT-55).
        """
        self._clock = clock
        self._sources = sources
        self._http = http
        self._timings = timings
        self._headers = {**(headers or {}), **CHANGE_HEADERS}
        self._on_server_time = on_server_time
        self._probe = StatusProbe(clock, http, headers or {})
        # A connection that opens and says nothing would hold every stream back: here silence counts from the beginning, and an attempt
        # must be over before the streams that wait for it lose patience.
        own = replace(timings, idle_timeout_ms=timings.connect_ms / 2, connect_ms=timings.connect_ms / 2)
        self._machine = Machine(own, random)
        self._state = c.Connection(since_ms=clock.now(), greets=True)
        self._timers: dict[c.TimerName, Timer] = {}
        self._places: dict[int, _Place] = {}
        self._by_wire: dict[str, int] = {}
        self._told: dict[str, int] = {}
        """What the server carries for us on this connection, as far as we told it."""
        self._stale: set[int] = set()
        """Sources that were said to be lost, and were neither opened anew nor given up since."""
        self._repeat: Timer | None = None
        self._soon: Timer | None = None
        self._source = 0
        self._url = ""
        self._name = ""
        self._posting: Cancel | None = None
        self._probing: Cancel | None = None
        self._flush: Timer | None = None
        self._linger: Timer | None = None
        self._said: list[RawFrame] = []
        self._wake: Callable[[], None] = lambda: None
        self._ready: Ready = lambda sources=None: None
        self._direct: DirectTransport | None = None
        self._requests = self._envelopes = self._invalid = self._strays = self._early = self._reconnects = self._drops = 0
        self._samples: deque[str] = deque(maxlen=SAMPLES)

    # The streams' side --------------------------------------------------------------------------------------------------------

    def open(self, source: int, key: StreamKey, spec: StreamSpec, last: Position | None) -> None:
        if self._direct is not None:
            self._direct.open(source, key, spec, last)
            return
        place = self._places[source] = _Place(key, spec, spec.wire_key(key), last)
        self._by_wire[place.wire] = source
        if self._state.phase is c.Phase.RECONNECTING and not self._state.probing:
            self._lose((source,))
        self._change()

    def close(self, source: int) -> None:
        self._stale.discard(source)
        if self._direct is not None:
            self._direct.close(source)
        place = self._places.pop(source, None)
        if place is not None and self._by_wire.get(place.wire) == source:
            del self._by_wire[place.wire]
        self._change()

    def drain(self) -> Sequence[RawFrame]:
        records = self._sources.drain()
        if self._direct is not None:
            said, self._said = self._said, []
            return [*said, *records]
        out: list[RawFrame] = []
        heard = False
        for record in records:
            if record.source != self._source:
                continue  # of a connection that is gone
            if record.kind is FrameKind.MESSAGE:
                if not heard:
                    heard = True  # once per beat is enough to know that it lives
                    self._step(c.Delivered(self._state.epoch))
                self._envelope(record, out)
            else:
                # What came before this record stays before what it causes.
                out.extend(self._said)
                self._said.clear()
                self._control(record)
        out.extend(self._said)
        self._said.clear()
        return out

    def on_wake(self, callback: Callable[[], None]) -> None:
        self._wake = callback
        self._sources.on_wake(callback)

    def on_ready(self, callback: Ready) -> None:
        self._ready = callback

    def limit(self, single: int) -> int:
        return SHARED_LIMIT if self._direct is None else single

    def connections(self) -> int:
        if self._direct is not None:
            return self._direct.connections()
        return int(self._state.phase in (c.Phase.CONNECTING, c.Phase.OPEN))

    def try_now(self) -> None:
        self._step(c.Forgiven())
        self._step(c.TryNow())

    def network(self, *, online: bool) -> bool:
        self._step(c.CameOnline() if online else c.WentOffline())
        return self._direct is None

    def release(self, reason: c.Reason) -> None:
        if not self._places:
            self._leave(reason)

    def forget(self) -> None:
        self._leave(c.Reason.NOT_WANTED)

    # The set ------------------------------------------------------------------------------------------------------------------

    def _change(self) -> None:
        """The set changed: all changes of one tick are told at once."""
        if self._flush is None:
            self._flush = self._clock.call_at(self._clock.now(), self._flushed)

    def _flushed(self) -> None:
        self._flush = None
        if self._direct is not None:
            return
        if not self._places:
            if self._linger is None and self._state.phase is not c.Phase.CLOSED:
                self._linger = self._clock.call_at(self._clock.now() + self._timings.linger_ms, self._lingered)
        elif self._state.phase is c.Phase.CLOSED:
            self._step(c.Wanted())
            if self._state.ended:
                self._refuse_all()
        if self._places and self._linger is not None:
            self._linger.cancel()
            self._linger = None
        self._sync()

    def _lingered(self) -> None:
        self._linger = None
        self.release(c.Reason.NOT_WANTED)

    def _leave(self, reason: c.Reason) -> None:
        for timer in (self._flush, self._linger, self._repeat, self._soon):
            if timer is not None:
                timer.cancel()
        self._flush = self._linger = self._repeat = self._soon = None
        self._step(c.Unwanted(reason))

    def _sync(self) -> None:
        """Tell the server what has changed since it was told last; one request at a time."""
        if not self._name or self._posting is not None:
            return
        removed = [wire for wire, source in self._told.items() if self._by_wire.get(wire) != source]
        wanted = ((wire, source) for wire, source in self._by_wire.items() if source not in self._stale)
        added = [(wire, source) for wire, source in wanted if self._told.get(wire) != source]
        if not removed and not added:
            return
        body = json.dumps({"add": [self._places[source].asked() for _, source in added], "remove": removed})
        for wire in removed:
            del self._told[wire]
        self._told.update(added)
        self._requests += 1
        epoch = self._state.epoch
        request = HttpRequest("POST", f"{PATH}/{quote(self._name, safe='')}", self._headers, body)
        sent = self._http.send(request, lambda answer: self._answered(epoch, removed, added, answer))
        overdue = self._clock.call_at(
            self._clock.now() + self._timings.request_timeout_ms,
            lambda: self._answered(epoch, removed, added, HttpAnswer(0)),
        )
        self._posting = _Both(sent, overdue)

    def _answered(self, epoch: int, removed: Sequence[str], added: Sequence[tuple[str, int]], answer: HttpAnswer) -> None:
        if epoch != self._state.epoch or not self._name:
            return  # of a connection that is gone: it says nothing of what is asked on this one
        self._end_post()
        if answer.status == 404:
            # The server knows this connection no more: a new one with the whole set, soon unless that has just failed, too.
            known = self._state.failures == 0
            self._step(c.SocketFailed(epoch))
            if known:
                # The streams take in that they were lost within a beat, and then ask for their places all at once.
                self._soon = self._clock.call_at(self._clock.now() + self._timings.beat_ms, lambda: self._try(epoch))
            return
        if not 200 <= answer.status < 300:
            # Who wanted to enter fails alone and tries again by its own backoff; who should have left, or has left since, is removed
            # with the next change: nobody knows what the server made of this one.
            for wire, source in added:
                if source in self._places:
                    self._told.pop(wire, None)
                    self._say(RawFrame(source, FrameKind.FAILED, "", "0"))
            self._told.update({wire: 0 for wire in removed if wire not in self._told})
            return
        self._sync()

    def _try(self, epoch: int) -> None:
        self._soon = None
        if epoch == self._state.epoch:
            self._step(c.TryNow())

    def _end_post(self) -> None:
        if self._posting is not None:
            self._posting.cancel()
            self._posting = None

    # Frames -------------------------------------------------------------------------------------------------------------------

    def _envelope(self, record: RawFrame, out: list[RawFrame]) -> None:
        envelope = open_envelope(record.data)
        if envelope is None:
            self._invalid += 1
            self._samples.append(record.data[:SAMPLE_LENGTH])
            return
        self._envelopes += 1
        source = self._by_wire.get(envelope.stream)
        place = self._places.get(source) if source is not None else None
        if source is None or place is None or self._told.get(envelope.stream) != source:
            self._strays += 1
            return
        if envelope.kind is FrameKind.HELLO:
            place.greeted = True
        elif envelope.kind is FrameKind.REFUSED:
            self._told.pop(envelope.stream)  # the server carries it no more
        elif not place.greeted:
            # Of an earlier subscription to the same stream: what it says comes again after the hello, which resumes.
            self._early += 1
            return
        out.append(RawFrame(source, envelope.kind, envelope.id, envelope.data))

    def _control(self, record: RawFrame) -> None:
        event = event_of(record, self._state.epoch)
        if event is None or isinstance(event, c.WasReset | c.SocketLost | c.Refused):
            return
        if record.kind is FrameKind.HELLO:
            name = fields(record.data).get("connection")
            if not isinstance(name, str) or not name:
                return
            self._name = name
        self._step(event)
        if record.kind in (FrameKind.HELLO, FrameKind.HEARTBEAT):
            self._on_server_time(said_at(record.data))
            self._sync()  # also what a failed request left behind

    def _say(self, record: RawFrame) -> None:
        self._said.append(record)
        self._wake()

    def _lose(self, sources: Iterable[int]) -> None:
        for source in sources:
            self._stale.add(source)
            self._say(lost(source, self._state.reason, self._state.retry_at_ms))

    def _bring_back(self) -> None:
        """Those who wait take their places anew; who has not taken in yet that it was lost, at a later beat."""
        self._ready()
        self._repeated()

    def _repeated(self) -> None:
        if self._repeat is not None:
            self._repeat.cancel()
        self._repeat = None
        if self._stale and self._state.phase is not c.Phase.RECONNECTING:
            self._ready(frozenset(self._stale))
        if self._stale and (self._direct is not None or self._state.phase in (c.Phase.CONNECTING, c.Phase.OPEN)):
            self._repeat = self._clock.call_at(self._clock.now() + self._timings.beat_ms, self._repeated)

    def _refuse_all(self) -> None:
        status = 204 if self._state.ended is c.Reason.ENDED else 403
        for source in self._places:
            self._say(RawFrame(source, FrameKind.REFUSED, "", json.dumps({"status": status})))

    # The physical connection --------------------------------------------------------------------------------------------------

    def _step(self, event: c.Event) -> None:
        before = self._state
        self._state, effects = self._machine.step(before, event, self._clock.now())
        for effect in effects:
            self._run(effect)
        after = self._state
        if self._direct is not None or after.epoch != before.epoch:
            return
        if after.phase is c.Phase.CLOSED and after.ended and before.phase is not c.Phase.CLOSED:
            self._refuse_all()
        elif after.phase is c.Phase.RECONNECTING:
            if after.reason is c.Reason.UNAVAILABLE:
                self._fall_back()
            elif not after.probing and (before.phase, before.retry_at_ms) != (after.phase, after.retry_at_ms):
                self._lose(self._places)

    def _run(self, effect: c.Effect) -> None:
        match effect:
            case c.OpenSocket(epoch):
                self._reconnects += epoch > 1
                self._bring_back()  # with the last ids of now
                self._told = {wire: source for wire, source in self._by_wire.items() if source not in self._stale}
                wanted = [self._places[source].asked() for source in self._told.values()]
                self._source = -epoch  # numbers below 0 are nobody else's
                self._url = f"{PATH}?want={quote(json.dumps(wanted, separators=(',', ':')), safe='')}"
                self._sources.open(self._source, self._url)
            case c.CloseSocket():
                self._sources.close(self._source)
                self._source = 0
                self._name = ""
                self._told.clear()
                self._end_post()
                for place in self._places.values():
                    place.greeted = False
            case c.SetTimer(name, at_ms, epoch):
                self._clear(name)
                self._timers[name] = self._clock.call_at(at_ms, lambda: self._due(name, epoch, at_ms))
            case c.ClearTimer(name):
                self._clear(name)
            case c.Probe(epoch):
                self._probing = self._probe.ask(self._url, lambda verdict, wait: self._step(c.Refused(epoch, verdict, wait)))
            case c.CancelProbe():
                assert self._probing is not None  # only what was asked is given up
                self._probing.cancel()
                self._probing = None
            case c.Lost():
                self._drops += 1
            case c.Confirmed() | c.Gap() | c.Placed():  # pragma: no branch - there is no other
                pass  # the streams have their own

    def _due(self, name: c.TimerName, epoch: int, at_ms: float) -> None:
        self._timers.pop(name, None)
        self._step(c.TimerDue(epoch, name, self._clock.now() - at_ms))

    def _clear(self, name: c.TimerName) -> None:
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()

    def _fall_back(self) -> None:
        """The server has no such endpoint: a connection per stream, for the rest of the page's life."""
        self._leave(c.Reason.UNAVAILABLE)
        self._direct = DirectTransport(self._sources)
        self._bring_back()  # fewer may be open now, and who waits goes on
        for source, place in list(self._places.items()):
            if source not in self._stale:
                self._direct.open(source, place.key, place.spec, place.last)
        self._places.clear()
        self._by_wire.clear()

    def statistics(self) -> TransportStatistics:
        return TransportStatistics(
            kind="multiplexed" if self._direct is None else "direct (the server has no multiplexed connection)",
            connections=self.connections(),
            state=self._state,
            requests=self._requests,
            envelopes=self._envelopes,
            invalid=self._invalid,
            strays=self._strays,
            early=self._early,
            reconnects=self._reconnects,
            drops=self._drops,
            samples=tuple(self._samples),
        )


class _Both:
    """A request and its time-out."""

    __slots__ = ("_parts",)

    def __init__(self, *parts: Cancel | Timer) -> None:
        self._parts = parts

    def cancel(self) -> None:
        for part in self._parts:
            part.cancel()
