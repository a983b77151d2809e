"""How well a text matches what somebody types: each word of the query must be found, and where it is found decides the place.

    the text itself  >  its beginning  >  the beginning of a word  >  anywhere  >  its letters in order, with others between

Of equal places the shorter text is first, then the earlier one. Pure functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

_EXACT: Final = 1_000
_PREFIX: Final = 800
_WORD: Final = 600
_INSIDE: Final = 400
_SCATTERED: Final = 200
_LENGTH_MAX: Final = 99
"""Length breaks ties within a place and never moves a text to another."""
_LATER: Final = 50
"""How much less a text counts than the one before it."""
_GAP: Final = 4
"""Between two letters that are found in order: what is further apart is chance."""
_INITIAL: Final = 10


def score(query: str, text: str) -> int | None:
    """How well one word of a query matches; `None` where it does not. Case does not matter."""
    wanted, given = query.casefold(), text.casefold()
    if not wanted:
        return 0
    shorter = _LENGTH_MAX - min(len(given), _LENGTH_MAX)
    if given == wanted:
        return _EXACT + shorter
    if given.startswith(wanted):
        return _PREFIX + shorter
    starts = _starts(text)
    at = given.find(wanted)
    while at >= 0:
        if at in starts:
            return _WORD + shorter
        at = given.find(wanted, at + 1)
    if wanted in given:
        return _INSIDE + shorter
    return _scattered(wanted, given, starts)


def _starts(text: str) -> frozenset[int]:
    """Where words begin: behind what is no letter or digit, and at a capital behind a small letter."""
    return frozenset(
        at
        for at, letter in enumerate(text)
        if letter.isalnum() and (at == 0 or not text[at - 1].isalnum() or (letter.isupper() and text[at - 1].islower()))
    )


def _scattered(wanted: str, given: str, starts: frozenset[int]) -> int | None:
    """The letters in order, the first at the beginning of a word, the others right behind, at a beginning, or not far away."""
    ordered = sorted(starts)
    at, points = -1, 0
    for number, letter in enumerate(wanted):
        near = given.find(letter, at + 1)
        start = next((one for one in ordered if one > at and given.startswith(letter, one)), -1)
        if number and near == at + 1:
            at, points = near, points + 2
        elif start >= 0:
            at, points = start, points + _INITIAL
        elif number and 0 <= near - at <= _GAP:
            at, points = near, points - 1
        else:
            return None
    return _SCATTERED + max(-_LENGTH_MAX, min(_LENGTH_MAX, points))


def score_all(query: str, texts: Sequence[str]) -> int | None:
    """Every word of the query in any of the texts; what is found in the first counts for most."""
    total = 0
    for word in query.split():
        scores = (score(word, text) for text in texts)
        found = [value - _LATER * place for place, value in enumerate(scores) if value is not None]
        if not found:
            return None
        total += max(found)
    return total


def ranked[Item](query: str, items: Iterable[Item], texts: Callable[[Item], Sequence[str]]) -> list[Item]:
    """The items that match, best first; equal ones stay in the order they came in."""
    found = [(value, item) for item in items if (value := score_all(query, texts(item))) is not None]
    found.sort(key=lambda pair: -pair[0])
    return [item for _, item in found]
