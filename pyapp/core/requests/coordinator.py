"""Every request goes through here (RT-64 to RT-67): shared, bounded in number, rate and time, and held back where a server fails.

A request is plain: what is worth asking, and when, the cache and the feeds decide. The coordinator answers with the text of a 2xx JSON
answer, or with one `RequestError` that says in a sentence what happened. On its way a GET meets, in this order:

    the same under way                 joins it, if it began recently enough (RT-31)
    an answer of the last moment       gets it, under the same condition (`kept`)
    an open breaker of its class       fails, as soon as `send` has returned (`breaker`)
    its owner's rate                   waits until it may (`owners`)
    its class's places, and all places waits for its turn (`lanes`)
    a body with an ETag                asks the server whether it still holds (`bodies`)

Anything else than a GET is never shared, and what began before one was answered serves nobody who asks after it. Invariants: `done` is
called once or, after `cancel`, never; never before `send` has returned; a class that fails or hangs changes nothing for the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from pyapp.core.alerts import Alerts
from pyapp.core.clock import Clock
from pyapp.core.errors import Disposed, InvalidAnswer, NetworkError, RequestError, TimedOut
from pyapp.core.ports import Cancel, Http, HttpAnswer, HttpRequest
from pyapp.core.requests.answer import Answer, Done, error_of
from pyapp.core.requests.bodies import RequestKey
from pyapp.core.requests.counts import Count, EndpointStatistics, RequestStatistics
from pyapp.core.requests.earlier import Earlier
from pyapp.core.requests.endpoint import EndpointSpec
from pyapp.core.requests.endpoint import endpoint as endpoint_alone
from pyapp.core.requests.flight import Flight, Stage, Ticket
from pyapp.core.requests.guard import Guard
from pyapp.core.requests.lanes import Lane, Lanes
from pyapp.core.requests.owners import Owners
from pyapp.core.requests.tellings import Tellings
from pyapp.core.timings import Timings

__all__ = ["Answer", "Done", "EndpointStatistics", "RequestStatistics", "Requests", "error_of"]

NOT_MODIFIED = 304

OnDate = Callable[[str, float, float], None]


class Requests:
    """The one door to the server for everything but streams."""

    def __init__(
        self,
        clock: Clock,
        http: Http,
        timings: Timings,
        limit: Callable[[], int],
        headers: Mapping[str, str] | None = None,
        *,
        endpoints: Mapping[str, EndpointSpec] | None = None,
        alerts: Alerts | None = None,
        limits: bool = True,
        on_date: OnDate = lambda text, began_ms, ended_ms: None,
        on_recovered: Callable[[str], None] = lambda cls: None,
    ) -> None:
        """Build the door.

        Args:
            limit: how many requests may be under way at once (RT-64).
            headers: sent with every request.
            endpoints: by name; one that is not there is a class of its own.
            limits: whether owners are held to their rate (RT-67).
            on_date: told the `Date` of every answer, and the clock times between which it was written (RT-55).
            on_recovered: told the name of a class whose breaker has closed: who was refused may ask again (RT-66).
        """
        self._clock = clock
        self._http = http
        self._timings = timings
        self._limit = limit
        self._headers = dict(headers or {})
        self._endpoints = dict(endpoints or {})
        self._alerts = alerts or Alerts(clock)
        self._on_date = on_date
        self._on_recovered = on_recovered
        self._coordinated = True
        self._flying: dict[Flight, None] = {}
        self._joinable: dict[RequestKey, Flight] = {}
        self._lanes = Lanes()
        self._earlier = Earlier()
        self._guard = Guard(clock, timings, self._alerts)
        self._tellings = Tellings(clock)
        self._owners = Owners(clock, timings, self._alerts, self._enqueue, limits=limits)
        self._counts: dict[str, Count] = {}
        self._delivering: Flight | None = None
        self._tickets = 0
        self._suspended = False
        self._closed = False

    # Asking -------------------------------------------------------------------------------------------------------------------

    def send(
        self,
        endpoint: str,
        request: HttpRequest,
        done: Done,
        *,
        not_before_ms: float | None = None,
        owner: str = "",
        by_user: bool = False,
    ) -> Cancel:
        """Send a request, or share one for the same.

        Args:
            endpoint: its name in the inventory.
            done: called once with the answer or the error, never before this returns, not at all once cancelled.
            not_before_ms: an answer whose request began earlier will not do (RT-31); `None` takes any that is shared.
            owner: the panel that asks; with the endpoint it is what the rate is counted for (RT-67).
            by_user: a person caused it: it is exempt from the rate, goes first in its class, and tries where a breaker is open.

        Raises:
            Disposed: the coordinator is closed.
        """
        if self._closed:
            raise Disposed("The client is closed: make a new one.")
        count = self._counts.get(endpoint) or self._count(endpoint)
        owner = f"{endpoint} {owner}" if owner else endpoint
        key = _key(request) if request.method == "GET" else None
        if key is not None and self._coordinated:
            flight = self._joinable.get(key)
            if flight is not None and self._serves(flight, not_before_ms):
                count.joined += 1
                return self._join(flight, done, owner, by_user=by_user)
            answer = self._earlier.answer(key, self._clock.now(), not_before_ms)
            if answer is not None:
                count.kept += 1
                return self._tellings.add(done, answer)
        spec = self._spec(endpoint)
        lane = self._lanes.of(spec.cls, self._clock.now())
        if self._guard.refuses(lane, by_user=by_user):
            count.refused += 1
            return self._tellings.add(done, self._guard.refusal(lane, endpoint))
        self._tickets += 1
        flight = Flight(spec, request, key, owner, by_user, {self._tickets: done})
        if key is not None and self._coordinated:
            self._joinable[key] = flight
        ticket = Ticket(self.give_up, flight, self._tickets)
        if self._owners.admit(flight):
            self._enqueue(flight)
        return ticket

    def unreadable(self, endpoint: str) -> None:
        """Nobody can read an answer of this endpoint: that is a failure of its class (RT-66), and it is not shared any further.

        Call it while the answer is being handed out, so that it is counted once for all who wait for it.
        """
        flight = self._delivering
        self._earlier.forget(endpoint)
        if flight is not None and flight.unreadable:
            return
        probe = 0
        if flight is not None:
            flight.unreadable = True
            probe = flight.probe
        count = self._count(endpoint)
        count.fail(InvalidAnswer.kind, "The answer could not be read.")
        lane = self._lanes.of(self._spec(endpoint).cls, self._clock.now())
        self._fail(lane, probe)
        if flight is None:
            self._guard.announce(lane)

    def heard(self, endpoint: str, request: HttpRequest, answer: Answer) -> None:
        """Take an answer that was fetched before this was built: its body by ETag, and its `Date` (RT-34, RT-55)."""
        if self._coordinated:
            self._earlier.keep_body(_key(request), endpoint, answer.text, answer.headers)
        self._dated(answer.headers, answer.began_ms)

    def configure(self, *, coordinate: bool | None = None, limits: bool | None = None) -> None:
        """Switch parts off and on, from now on (RT-71).

        Args:
            coordinate: off: nothing is joined, kept or asked by ETag, no breaker and no rate; budget and time-out stay.
            limits: off: no owner is held to its rate.
        """
        if limits is not None:
            self._owners.limits = limits
        if coordinate is not None and coordinate is not self._coordinated:
            self._coordinated = self._guard.on = coordinate
            self._joinable.clear()
            self._earlier.clear()
            for lane in self._lanes.all():
                self._guard.reset(lane)
        self._owners.exempt = not self._coordinated
        if not self._owners.limiting:
            self._owners.release_all()

    def class_of(self, endpoint: str) -> str:
        """The name of an endpoint's class."""
        return self._spec(endpoint).cls.name

    def try_now(self) -> None:
        """What kept the server from answering may be over, the network being back: the next request of each class tries (RT-66)."""
        for lane in self._lanes.all():
            self._guard.hurry(lane)

    def pump(self) -> None:
        """Send what waits, as far as the budget lets (RT-64); call it when the budget grew."""
        if self._suspended:
            return
        limit = self._limit()
        while len(self._flying) < limit:
            taken = self._lanes.take(limit)
            if taken is None:
                return
            self._take_off(*taken)

    def give_up(self, flight: Flight, number: int) -> None:
        """A waiter waits no longer; the last one ends the flight."""
        flight.waiters.pop(number, None)
        if flight.waiters or flight.stage in (Stage.OVER, Stage.REFUSED):
            return
        stage = flight.stage
        self._leave(flight)
        if stage is Stage.HELD:
            self._owners.forget(flight)
        elif stage is Stage.QUEUED:
            self._lanes.remove(self._lane(flight), flight)
        else:
            self._counts[flight.endpoint.name].cancelled += 1
            lane = self._lane(flight)
            self._guard.abandoned(lane, flight.probe)
            self._land(flight, lane)
            flight.stop()
            self.pump()
        self._owners.ended(flight.owner)

    def suspend(self) -> None:
        """The page is put away: nothing is under way when this returns (RT-53). Who waits, waits on."""
        self._suspended = True
        for flight in self._flying:
            flight.stop()

    def resume(self) -> None:
        """The page is back: what only asks is sent anew; whether what changes something was done, nobody can tell (RT-53)."""
        self._suspended = False
        for flight in list(self._flying):
            if flight.request.method == "GET":
                flight.began_ms = self._clock.now()
                self._send(flight)
            else:
                sentence = "The page was put away before the server answered: look whether it was done."
                self._finish(flight, NetworkError(sentence, endpoint=flight.endpoint.name))
        self.pump()

    def close(self) -> None:
        """Give up everything under way; nothing is sent from here on."""
        self._closed = True
        self._tellings.close()
        self._owners.close()
        for lane in self._lanes.all():
            for flight in self._lanes.empty(lane):
                flight.stage = Stage.OVER
        for flight in list(self._flying):
            flight.waiters.clear()
            self.give_up(flight, 0)
        self._joinable.clear()
        self._earlier.clear()

    # On the way ---------------------------------------------------------------------------------------------------------------

    def _serves(self, flight: Flight, not_before_ms: float | None) -> bool:
        """Whether a flight's answer will do for somebody who asks now."""
        if flight.stage is not Stage.SENT:
            return True
        return flight.generation == self._earlier.generation and (not_before_ms is None or flight.began_ms >= not_before_ms)

    def _join(self, flight: Flight, done: Done, owner: str, *, by_user: bool) -> Ticket:
        self._tickets += 1
        flight.waiters[self._tickets] = done
        ticket = Ticket(self.give_up, flight, self._tickets)
        flight.by_user = flight.by_user or by_user
        if flight.stage is Stage.HELD:
            self._owners.joined(flight, owner, by_user=by_user)
        elif flight.stage is Stage.QUEUED and by_user:
            lane = self._lane(flight)
            self._lanes.remove(lane, flight)
            self._lanes.put(lane, flight)
        return ticket

    def _enqueue(self, flight: Flight) -> None:
        self._lanes.put(self._lane(flight), flight)
        self.pump()
        if flight.stage is Stage.QUEUED:
            self._counts[flight.endpoint.name].waited += 1

    def _take_off(self, lane: Lane, flight: Flight) -> None:
        now = self._clock.now()
        if not self._guard.lets_pass(lane, flight):
            self._refuse(lane, flight)
            return
        if flight.key is None:
            self._earlier.changed()
        flight.stage, flight.began_ms, flight.generation = Stage.SENT, now, self._earlier.generation
        self._flying[flight] = None
        lane.flying += 1
        self._counts[flight.endpoint.name].sent += 1
        self._send(flight)

    def _send(self, flight: Flight) -> None:
        due = flight.began_ms + self._timings.request_timeout_ms
        flight.timer = self._clock.call_at(due, lambda: self._timed_out(flight))
        request = flight.request
        headers = {**self._headers, **request.headers}
        if flight.key is not None and self._coordinated:
            flight.body = self._earlier.body(flight.key)
            if flight.body is not None:
                headers["If-None-Match"] = flight.body.etag
        flight.cancel = self._http.send(
            replace(request, headers=headers),
            lambda answer: self._answered(flight, answer),
        )

    # Coming back --------------------------------------------------------------------------------------------------------------

    def _timed_out(self, flight: Flight) -> None:
        seconds = self._timings.request_timeout_ms / 1000
        flight.stop()
        self._finish(flight, TimedOut(f"The server did not answer within {seconds:g} s.", endpoint=flight.endpoint.name))

    def _answered(self, flight: Flight, answer: HttpAnswer) -> None:
        if flight.stage is Stage.OVER:
            return
        name, body = flight.endpoint.name, flight.body
        self._dated(answer.headers, flight.began_ms)
        self._earlier.learn(flight, answer.status != 0)
        if body is not None and answer.status == NOT_MODIFIED:
            self._counts[name].not_modified += 1
            self._keep(flight, self._earlier.holds(flight, body, answer.headers))
            return
        error = error_of(answer, name, any_text=flight.request.text_at_most is not None)
        if error is not None:
            self._finish(flight, error)
            return
        self._keep(flight, Answer(answer.body, dict(answer.headers), flight.began_ms))

    def _keep(self, flight: Flight, answer: Answer) -> None:
        if self._coordinated:
            join_ms = flight.endpoint.cls.join_ms
            self._earlier.keep(flight, answer, self._clock.now(), self._timings.join_ms if join_ms is None else join_ms)
        self._finish(flight, answer)

    def _finish(self, flight: Flight, outcome: Answer | RequestError) -> None:
        now, lane = self._clock.now(), self._lane(flight)
        refused = self._guard.closed_to_all(lane)
        count = self._counts[flight.endpoint.name]
        count.last_ms = now - flight.began_ms
        self._leave(flight)
        self._land(flight, lane)
        self._owners.ended(flight.owner)
        if isinstance(outcome, RequestError):
            count.fail(outcome.kind, str(outcome))
        if isinstance(outcome, RequestError) and outcome.is_failure:
            self._fail(lane, flight.probe)
        else:
            self._guard.succeeded(lane, flight.probe)
        waiters = list(flight.waiters.values())
        flight.waiters.clear()
        self.pump()
        raised: list[Exception] = []
        outer, self._delivering = self._delivering, flight
        for done in waiters:
            try:
                done(outcome)
            except Exception as error:  # one waiter's mistake is not the others'
                raised.append(error)
        self._delivering = outer
        # Only now is it known whether anybody could read the answer: an alert must not end and begin again with each probe.
        self._guard.announce(lane)
        if refused and not self._guard.closed_to_all(lane):
            self._on_recovered(lane.cls.name)
        if raised:
            raise raised[0]

    def _fail(self, lane: Lane, probe: int) -> None:
        """A request failed: where that opens the breaker, what waits for its place is not sent."""
        if not self._guard.failed(lane, probe):
            return
        for flight in self._lanes.empty(lane):
            if flight.by_user:
                self._lanes.put(lane, flight)  # it will be the probe
            else:
                self._refuse(lane, flight)

    def _leave(self, flight: Flight) -> None:
        """Nobody joins it from here on."""
        if flight.key is not None and self._joinable.get(flight.key) is flight:
            del self._joinable[flight.key]

    def _land(self, flight: Flight, lane: Lane) -> None:
        """Its place is free."""
        flight.stage = Stage.OVER
        lane.flying -= 1
        del self._flying[flight]
        assert flight.timer is not None  # since it was sent
        flight.timer.cancel()
        if flight.key is None:
            self._earlier.changed()

    def _dated(self, headers: Mapping[str, str], began_ms: float) -> None:
        date = headers.get("date")
        if date:
            self._on_date(date, began_ms, self._clock.now())

    def _refuse(self, lane: Lane, flight: Flight) -> None:
        """A flight that was waiting for its place is not sent."""
        flight.stage = Stage.REFUSED
        self._leave(flight)
        self._owners.ended(flight.owner)
        name = flight.endpoint.name
        self._counts[name].refused += len(flight.waiters)
        error = self._guard.refusal(lane, name)

        def told(number: int, outcome: Answer | RequestError) -> None:
            done = flight.waiters.pop(number, None)
            if done is not None:
                done(outcome)

        for number in list(flight.waiters):
            self._tellings.add(lambda outcome, number=number: told(number, outcome), error)

    # Reading ------------------------------------------------------------------------------------------------------------------

    @property
    def in_flight(self) -> int:
        """Requests under way."""
        return len(self._flying)

    def statistics(self) -> RequestStatistics:
        """Everything counted so far; reading changes nothing."""
        bodies, kept = self._earlier.statistics()
        return RequestStatistics(
            in_flight=len(self._flying),
            queued=self._lanes.queued,
            limit=self._limit(),
            coordinated=self._coordinated,
            limited=self._owners.limiting,
            endpoints=tuple(count.statistics() for _, count in sorted(self._counts.items())),
            classes=self._lanes.statistics(self._clock.wall() - self._clock.now()),
            owners=self._owners.statistics(),
            bodies=bodies,
            kept=kept,
        )

    def _spec(self, name: str) -> EndpointSpec:
        spec = self._endpoints.get(name)
        if spec is None:
            spec = self._endpoints[name] = endpoint_alone(name)
        return spec

    def _lane(self, flight: Flight) -> Lane:
        return self._lanes.of(flight.endpoint.cls, self._clock.now())

    def _count(self, endpoint: str) -> Count:
        count = self._counts.get(endpoint)
        if count is None:
            count = self._counts[endpoint] = Count(endpoint, self._spec(endpoint).cls.name)
        return count


def _key(request: HttpRequest) -> RequestKey:
    """What makes two GET requests the same."""
    return (request.url, tuple(sorted(request.headers.items()))) if request.headers else request.url
