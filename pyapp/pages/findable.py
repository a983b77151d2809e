"""What the palette can find: pages, functions, workers, APIs, a job by its id, and what can be done here.

Made of what the cache holds; nothing here asks for anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from pyapp.core.cache.keys import WritableKey, live
from pyapp.core.cache.result import Result
from pyapp.pages.addresses import to
from pyapp.pages.ranking import ranked
from pyapp.pages.shell import RAIL

Kind = Literal["Page", "Function", "Worker", "API", "Job", "Action"]

LISTS: Final[Mapping[str, WritableKey]] = {name: live(name) for name in ("functions", "workers", "apis")}
"""The lists whose rows can be found, by the names under which their results come."""

SHOWN_MAX: Final = 50

_JOB_ID = re.compile(r"[\w.:-]{4,120}")
_SURELY_JOB = re.compile(r"(?i)job[_-]\w+|[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the palette.

    Attributes:
        id: what names it, also among the recent ones.
        kind, word, icon: what is shown; `detail` behind the word.
        address: where it leads; empty for what is done here.
        command: what it does, where it leads nowhere.
        also: further texts that it is found by.
    """

    id: str
    kind: Kind
    word: str
    icon: str
    detail: str = ""
    address: str = ""
    command: str = ""
    also: tuple[str, ...] = ()


def texts_of(entry: Entry) -> Sequence[str]:
    """What an entry is found by, what counts most first."""
    return (entry.word, *(text for text in (entry.detail, *entry.also) if text), entry.kind)


def pages() -> list[Entry]:
    """The places of the rail."""
    return [Entry(f"page {place.route}", "Page", place.word, place.icon, address=to(place.route)) for place in RAIL]


def things(results: Mapping[str, Result[Any]]) -> list[Entry]:
    """What the lists name, as far as they were read."""
    out: list[Entry] = []
    for one in _rows(results, "functions"):
        out.append(Entry(f"function {one.key}", "Function", one.name, "n-fn", one.key, to("functions", one.key)))
    for one in _rows(results, "workers"):
        also = tuple(text for instance in one.instances for text in (instance.id, instance.hostname or "") if text)
        out.append(Entry(f"worker {one.name}", "Worker", one.name, "n-work", "", to("workers", one.name), also=also))
    out.extend(Entry(f"api {one.name}", "API", one.name, "n-api", "", to("apis", one.name)) for one in _rows(results, "apis"))
    return out


def _rows(results: Mapping[str, Result[Any]], name: str) -> tuple[Any, ...]:
    result = results.get(name)
    return () if result is None or result.data is None else result.data.rows


def job(job_id: str) -> Entry:
    """A job, by its id: whether there is one, its page says."""
    return Entry(f"job {job_id}", "Job", job_id, "n-jobs", "open by id", to("jobs", job_id))


def found(query: str, entries: Iterable[Entry], recent: Sequence[str]) -> list[Entry]:
    """What the palette lists: for a query the best first; without one the recent ones, then everything in its order.

    Args:
        recent: ids of what was chosen before, the latest first.
    """
    entries, query = list(entries), query.strip()
    if not query:
        known = {entry.id: entry for entry in entries}
        before = [known.get(one) or _again(one) for one in recent]
        first = [entry for entry in before if entry is not None]
        chosen = {entry.id for entry in first}
        return [*first, *(entry for entry in entries if entry.id not in chosen)][:SHOWN_MAX]
    # Of equally good ones what was chosen before is first.
    order = {one: place for place, one in enumerate(recent)}
    best = ranked(query, sorted(entries, key=lambda entry: order.get(entry.id, len(order))), texts_of)
    if _SURELY_JOB.fullmatch(query):
        return [job(query), *best][:SHOWN_MAX]
    if _JOB_ID.fullmatch(query) and any(letter.isdigit() for letter in query):
        return [*best, job(query)][:SHOWN_MAX]
    return best[:SHOWN_MAX]


def _again(recent: str) -> Entry | None:
    """A recent entry that is in no list: a job has no list here."""
    kind, _, name = recent.partition(" ")
    return job(name) if kind == "job" and name else None
