"""Answers that tabs give each other (RT-62): announces what this tab holds fresh, asks for what others announced, gives what is asked.

    tab          says                       when
    ----------   ------------------------   -------------------------------------------------------------------------
    that came    hello, and what it holds   it takes part
    any          what it holds now          to a hello; and once per beat what is new of it, while another tab is there
    that needs   a question to one tab      that tab announced the key, and a query would else ask the server
    that holds   the data, or that it does  the next timer, so that many who ask for one key get one message
                 not hold it any more

Nothing is asked that was not announced, a question waits `share_ms` at most, and a tab that did not answer is not asked again until it
announces. Whether an answer is of use its query decides, by time and place; one that comes late, or that cannot be read, is counted and
dropped. Ages are told and never times, and count from the moment of the question: what is borrowed never looks newer than it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from pyapp.core.cache.keys import QueryKey, parse_key
from pyapp.core.cache.peers import Shared, Told
from pyapp.core.cache.query import Query
from pyapp.core.clock import Clock, Timer
from pyapp.core.errors import KeyMisuse
from pyapp.core.streams.position import Position
from pyapp.core.tabs import share_messages as m
from pyapp.core.tabs.announcements import Book, Notes, Said
from pyapp.core.tabs.ports import Channel, Storage
from pyapp.core.timings import Timings

LOOK_MS = 1_000
"""A tab that is alone looks so often whether what it holds has changed, for the page that starts next."""


class Holding(Protocol):
    """A query whose data other tabs may have, and since when (`feeds.lending.Held`)."""

    @property
    def query(self) -> Query: ...

    @property
    def began_ms(self) -> float: ...


class Lender(Protocol):
    """Who knows the queries of this tab (`feeds.lending.Lending`)."""

    def held(self) -> Iterable[Holding]:
        """What other tabs may have now."""
        ...

    def lends(self, query: Query) -> bool: ...

    def partial(self, query: Query) -> bool:
        """Whether its data waits for more from the server."""
        ...

    def announced(self, query: Query, began_ms: float, *, first: bool) -> None:
        """Another tab's last snapshot of a query is of about this time."""
        ...


@dataclass(frozen=True, slots=True)
class ShareStatistics:
    """What the pill and the diagnostics say of shared answers.

    Attributes:
        holding, known: keys that this tab holds for others, and that others hold.
        announced: keys that it announced, each time that it did.
        asked, received: questions that it asked, and the answers that its queries took.
        unfit: answers that came in time, and that the order of events or of requests forbade to take.
        declined, timeouts, late: questions to which the other tab had nothing (any more), to which nothing came in time, and answers
            that came after that.
        served, refused: questions of others that it answered with data, and to which it had nothing.
        malformed: what could not be read, by reason.
    """

    holding: int = 0
    known: int = 0
    announced: int = 0
    asked: int = 0
    received: int = 0
    unfit: int = 0
    declined: int = 0
    timeouts: int = 0
    late: int = 0
    served: int = 0
    refused: int = 0
    malformed: Mapping[str, int] = field(default_factory=dict[str, int])


@dataclass(slots=True, eq=False)
class _Ask:
    """One question of this tab."""

    end: Callable[[_Ask], None]
    number: int
    query: Query
    key: str
    tab: str
    asked_ms: float
    asked_wall_ms: float
    done: Told
    timer: Timer | None = None

    def cancel(self) -> None:
        self.end(self)


class SharedAnswers:
    """This tab's part in it; `Peers` for the cache."""

    def __init__(
        self,
        *,
        clock: Clock,
        tab: str,
        channel: Channel | None,
        timings: Timings,
        lender: Lender,
        find: Callable[[QueryKey], Query | None],
        use: Callable[[Query, Shared], None],
        freshen: Callable[[], None],
        on_error: Callable[[Exception], None],
        storage: Storage | None = None,
    ) -> None:
        """Args:
        tab: this tab's name.
        lender: who knows what is held.
        find: the query of a key, if there is one.
        use: puts data of another tab into the query.
        freshen: take in what waits of the streams, so that what is given is current.
        on_error: told of a mistake in an application's `dump` or `load`.
        storage: where a page that starts reads what the tabs of its group hold.
        """
        self._clock = clock
        self._tab = tab
        self._channel = channel
        self._timings = timings
        self._find = find
        self._use = use
        self._freshen = freshen
        self._storage = storage
        self._notes = Notes(None, "")
        self._looked_ms = -math.inf
        self._on_error = on_error
        self._lender = lender
        self._joined = False
        self._book = Book()
        self._said: Said[QueryKey] = Said()
        self._asks: dict[int, _Ask] = {}
        self._numbers = 0
        self._questions: dict[str, dict[str, int]] = {}
        self._giving: Timer | None = None
        self._texts: dict[QueryKey, tuple[Any, str]] = {}
        self._announced = self._asked = self._received = self._unfit = 0
        self._declined = self._timeouts = self._late = self._served = self._refused = 0
        self._malformed: dict[str, int] = {}

    # Taking part --------------------------------------------------------------------------------------------------------------

    def join(self, group: str) -> None:
        """The channel of a group is open."""
        self._joined = True
        self._notes = Notes(self._storage, f"{group}:held:{self._tab}")
        self._announce(hello=True)

    def leave(self, *, closed: bool = False) -> None:
        """The channel closes: whoever waits for another tab asks the server, unless the page is closed."""
        self._joined = False
        self._book.clear()
        self._said.clear()
        self._notes.write({}, self._path)
        self._questions.clear()
        self._texts.clear()
        if self._giving is not None:
            self._giving.cancel()
            self._giving = None
        for ask in tuple(self._asks.values()):
            self._end(ask)
            if not closed:
                ask.done(None)

    def gone(self, tab: str) -> None:
        """Another tab takes part no longer."""
        self._book.gone(tab)
        for ask in [ask for ask in self._asks.values() if ask.tab == tab]:
            self._end(ask)
            self._declined += 1
            ask.done(None)

    def look(self) -> None:
        """Once per beat, and once a second while nobody is there to hear it: say what is new of what this tab holds."""
        now = self._clock.now()
        if self._joined and (len(self._book) or now - self._looked_ms >= LOOK_MS):
            self._looked_ms = now
            self._announce()

    def _announce(self, *, hello: bool = False) -> dict[QueryKey, float]:
        """Say to all what is new; returns what is held and was said before."""
        held = self._held()
        news, gone = self._said.news(held) if len(self._book) else ({}, ())
        self._notes.write(held, self._path)
        if news or gone or hello:
            self._announced += len(news)
            self._post(m.Holding(self._tab, hello, self._ages(news), tuple(key.to_json() for key in gone)))
        return {key: began for key, began in held.items() if key not in news}

    def _held(self) -> dict[QueryKey, float]:
        held = {one.query.key: one.began_ms for one in self._lender.held()}
        for key in [key for key in self._texts if key not in held]:
            del self._texts[key]
        return held

    def _path(self, key: QueryKey) -> str:
        query = self._find(key)
        assert query is not None  # it is held
        return query.spec.request(key).url

    def _ages(self, keys: Mapping[QueryKey, float]) -> dict[str, float]:
        now = self._clock.now()
        return {key.to_json(): max(0.0, now - began) for key, began in keys.items()}

    # Asking (cache.Peers) -----------------------------------------------------------------------------------------------------

    def ask(self, query: Query, not_before_ms: float | None, at_most_ms: float, done: Told) -> _Ask | None:
        """As in `Peers`."""
        if not self._joined or not self._book.keys or query.spec.exchange is None:
            return None
        now, key = self._clock.now(), query.key.to_json()
        tab = self._book.holder(key, max(now - at_most_ms, float("-inf") if not_before_ms is None else not_before_ms))
        if tab is None:
            return None
        self._numbers += 1
        self._asked += 1
        ask = _Ask(self._end, self._numbers, query, key, tab, now, self._clock.wall(), done)
        ask.timer = self._clock.call_at(now + self._timings.share_ms, lambda: self._timed_out(ask))
        self._asks[ask.number] = ask
        self._post(m.Question(self._tab, ask.number, key), tab)
        return ask

    def _end(self, ask: _Ask) -> None:
        self._asks.pop(ask.number, None)
        assert ask.timer is not None  # set before anybody has it
        ask.timer.cancel()

    def _timed_out(self, ask: _Ask) -> None:
        self._timeouts += 1
        self._book.silence(ask.tab)
        self._end(ask)
        ask.done(None)

    def seed(self, query: Query, text: str, position: Position | None, began_ms: float, updated_ms: float, *, partial: bool) -> bool:
        """Take what another tab gave to this page before Python ran; false where it cannot be read. Times of this page's clock."""
        exchange = query.spec.exchange
        loaded = self._load(query, text) if exchange is not None else None
        if loaded is None:
            return False
        self._asked += 1
        self._received += 1
        updated_wall_ms = self._clock.wall() - (self._clock.now() - updated_ms)
        self._use(query, Shared(loaded[0], position, began_ms, updated_wall_ms, partial))
        return True

    # Hearing ------------------------------------------------------------------------------------------------------------------

    def heard(self, text: str) -> bool:
        """Take a message of another tab; false where it is none of these."""
        if not text.startswith(m.BEGIN):
            return False
        match m.read(text):
            case None:
                self._bad("no message")
            case m.Holding(tab, hello, keys, gone):
                self._holds(tab, keys, gone, hello=hello)
            case m.Question() as question:
                self._was_asked(question)
            case m.Nothing(tab, to):
                ask = self._asked_of(tab, to)
                if ask is not None:
                    self._declined += 1
                    self._book.withdraw(tab, ask.key)
                    self._end(ask)
                    ask.done(None)
            case m.Given() as given:  # pragma: no branch - there is no other message
                self._given(given)
        return True

    def _holds(self, tab: str, keys: Mapping[str, float], gone: tuple[str, ...], *, hello: bool) -> None:
        now = self._clock.now()
        self._book.heard(tab, keys, gone, now)
        if hello:
            known = self._announce()
            self._announced += len(known)
            self._post(m.Holding(self._tab, False, self._ages(known)), tab)
        for key, age_ms in keys.items():
            query = self._query(key)
            if query is not None:
                self._lender.announced(query, now - age_ms, first=tab < self._tab)

    def _query(self, key: str) -> Query | None:
        try:
            return self._find(parse_key(key))
        except KeyMisuse:
            self._bad("no key")
            return None

    def _asked_of(self, tab: str, to: Mapping[str, int]) -> _Ask | None:
        """The question that a message answers."""
        ask = self._asks.get(to.get(self._tab, 0))
        if ask is None or ask.tab != tab:
            self._late += 1
            return None
        return ask

    def _given(self, given: m.Given) -> None:
        ask = self._asked_of(given.tab, given.to)
        if ask is None:
            return
        self._end(ask)
        if ask.key != given.key:
            self._bad("another key")
            ask.done(None)
            return
        loaded = self._load(ask.query, given.text)
        if loaded is None:
            ask.done(None)
            return
        # It was said after it was asked for: at that moment it was younger than this, never older.
        ages = ask.asked_ms - given.began_age_ms, ask.asked_wall_ms - given.updated_age_ms
        shared = Shared(loaded[0], given.position, *ages, given.partial)
        if ask.done(shared):
            self._received += 1
        else:
            self._unfit += 1

    def _load(self, query: Query, text: str) -> tuple[Any] | None:
        """The data of a text, in a tuple because `None` is data; `None` where it could not be read."""
        assert query.spec.exchange is not None  # else it had not been asked for
        try:
            return (query.spec.exchange.load(query.key, text),)
        except Exception as error:
            self._bad("unreadable data")
            if not isinstance(error, ValueError):
                self._on_error(error)
            return None

    def _bad(self, reason: str) -> None:
        self._malformed[reason] = self._malformed.get(reason, 0) + 1

    # Giving -------------------------------------------------------------------------------------------------------------------

    def _was_asked(self, question: m.Question) -> None:
        """Whoever asks for the same key at about the same time gets the same message."""
        if question.tab not in self._book:
            self._notes.renew()  # a page that starts; it deletes the note of a tab that is late to answer
        self._questions.setdefault(question.key, {})[question.tab] = question.number
        if self._giving is None:
            self._giving = self._clock.call_at(self._clock.now(), self._give_all)

    def _give_all(self) -> None:
        self._giving = None
        questions, self._questions = self._questions, {}
        self._freshen()
        for key, to in questions.items():
            self._give(key, to)

    def _give(self, key: str, to: Mapping[str, int]) -> None:
        query = self._query(key)
        text = self._text(query) if query is not None and self._lender.lends(query) else None
        if query is None or text is None:
            self._refused += len(to)
            self._post(m.Nothing(self._tab, to), *to)
            return
        self._served += len(to)
        now, wall = self._clock.now(), self._clock.wall()
        began = now if query.began_ms is None else query.began_ms
        updated = wall if query.updated_wall_ms is None else query.updated_wall_ms
        ages = max(0.0, now - began), max(0.0, wall - updated)
        self._post(m.Given(self._tab, to, key, *ages, query.position, text, self._lender.partial(query)), *to)

    def _text(self, query: Query) -> str | None:
        """The text of a query's data; the same data is written once."""
        known = self._texts.get(query.key)
        if known is not None and known[0] is query.data:
            return known[1]
        assert query.spec.exchange is not None  # `lends` says so
        try:
            text = query.spec.exchange.dump(query.key, query.data)
        except Exception as error:
            self._on_error(error)
            return None
        if len(text) > m.DATA_LENGTH:
            return None
        self._texts[query.key] = (query.data, text)
        return text

    def _post(self, message: m.ShareMessage, *to: str) -> None:
        assert self._channel is not None  # nobody takes part without
        self._channel.post(m.write(message), to)

    def statistics(self) -> ShareStatistics:
        return ShareStatistics(
            holding=len(self._said),
            known=self._book.keys,
            announced=self._announced,
            asked=self._asked,
            received=self._received,
            unfit=self._unfit,
            declined=self._declined,
            timeouts=self._timeouts,
            late=self._late,
            served=self._served,
            refused=self._refused,
            malformed=dict(self._malformed),
        )
