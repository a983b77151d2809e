"""One paint as one JSON text.

    {"t": [[id, kind, strings, holes]…],     templates that the browser does not know yet
     "r": [[root, value]…],                  the roots in their order
     "x": [list…]}                           lists that are gone

A value is text, a number, `null` (nothing), or an array whose first element says what it is:

    [id, value…]                 a template, `id` ≥ 0; the values in the order of its holes
    [-1, value…]                 a plain list
    [-2, list, [key…], [row…]]   a keyed list; a row is `0` where it is the same as at the last paint
    [-3, list]                   a keyed list in which nothing changed at all

An event hole takes `[action, arguments as text]`, or these with `fields, flags, keys` behind; a property takes any
JSON.

**Memory.** What `each` drew is remembered per root and list, so that a row whose item is the identical object is not
even rendered. A list is found again by its path: the templates and holes that lead to it from its root, or from its
row. That mirrors what lit does with elements: another template in the same hole means new elements, and here another
path, so a new memory. A list that one paint of its root does not meet is forgotten; the browser keeps the rows of a
list under the same number and drops them with it. A root that fails is forgotten whole, because the browser never saw
what its lists remembered.

**Errors** stay in their root: it gets the boundary template, and the error is recorded.
"""

from __future__ import annotations

import json
import re
import traceback
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

from pyapp.ui.boundary import boundary
from pyapp.ui.errors import ListError, PaintError
from pyapp.ui.scan import HoleKind
from pyapp.ui.template import Each, Plan, TemplateResult
from pyapp.ui.values import child_text, hole_value, interpolated, key_of, unknown_child

Renderable = TemplateResult | Each[Any] | str | None
Root = Renderable | Callable[[], Renderable]
Path = tuple[Any, ...]
Wire = Any
"""Something that JSON can say."""

_LIST, _KEYED, _UNCHANGED, _SAME = -1, -2, -3, 0
_DETAILS_MAX = 4_000
_ERRORS_KEPT = 100

_to_json: Final = json.JSONEncoder(separators=(",", ":"), allow_nan=False, check_circular=False).encode
# A surrogate that stands alone is no text: pairs and escaped backslashes are stepped over, what is left is replaced.
_LONE = re.compile(r"\\\\|\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}|\\ud[89a-f][0-9a-f]{2}")


@dataclass(slots=True)
class _Row:
    item: object
    lists: Lists | None


@dataclass(slots=True)
class _List:
    id: int
    same: tuple[object, ...] = ()
    rows: dict[str | int, _Row] = field(default_factory=dict[str | int, _Row])


Lists = dict[Path, _List]


@dataclass(frozen=True, slots=True)
class RootError:
    """What went wrong in one root, and where."""

    root: str
    message: str
    details: str


@dataclass(frozen=True, slots=True)
class RenderStatistics:
    """What an encoder did so far.

    Attributes:
        paints: JSON texts made.
        templates: templates the browser knows.
        roots: roots with a memory at this moment.
        lists: keyed lists remembered at this moment.
        bytes: length of all texts, which are ASCII.
        rows_sent, rows_same: rows of keyed lists that were drawn, and that were left alone.
        errors: roots that failed, here or in the browser.
    """

    paints: int
    templates: int
    roots: int
    lists: int
    bytes: int
    rows_sent: int
    rows_same: int
    errors: int


class Encoder:
    """Turns render results into paints, for one document."""

    def __init__(self) -> None:
        self.errors: deque[RootError] = deque(maxlen=_ERRORS_KEPT)
        """The latest errors, oldest first."""
        self._sent: set[int] = set()
        self._new: list[Plan] = []
        self._roots: dict[str, Lists] = {}
        self._gone: list[int] = []
        self._ids = 0
        # The memory of the root or row that is being drawn: what it had, and what it has now.
        self._before: Lists = {}
        self._now: Lists = {}
        self._paints = self._bytes = self._rows_sent = self._rows_same = self._failed = 0

    def paint(self, roots: Mapping[str, Root]) -> str:
        """The JSON text of one paint.

        Args:
            roots: what each root shows, or a function that says so; a function that raises fails only its own root.
                They are drawn in this order, so one that contains others comes first.
        """
        drawn = [[name, self._root(name, content)] for name, content in roots.items()]
        try:
            text = self._text(drawn)
        except ValueError, TypeError, RecursionError:
            drawn = [[name, self._checked(name, value)] for name, value in drawn]
            text = self._text(drawn)
        self._sent.update(plan.id for plan in self._new)
        self._new, self._gone = [], []
        self._paints += 1
        self._bytes += len(text)
        return text

    def forget(self, root: str) -> None:
        """Drops what is remembered of a root that is no longer shown; its next paint is a full one."""
        self._drop(self._roots.pop(root, {}))

    def report(self, text: str) -> None:
        """Takes the browser's answer to a paint: roots that are missing or failed there are recorded and painted in
        full next time.

        Args:
            text: what the bridge's `paint` returned; empty when all went well.
        """
        if not text:
            return
        for root, message in json.loads(text):
            self.forget(root)
            self._record(root, PaintError(message), message)

    def statistics(self) -> RenderStatistics:
        """A snapshot of the counters."""
        return RenderStatistics(
            paints=self._paints,
            templates=len(self._sent),
            roots=len(self._roots),
            lists=sum(_count(lists) for lists in self._roots.values()),
            bytes=self._bytes,
            rows_sent=self._rows_sent,
            rows_same=self._rows_same,
            errors=self._failed,
        )

    # --- roots

    def _text(self, drawn: list[list[Wire]]) -> str:
        paint: dict[str, Wire] = {"r": drawn}
        if self._new:
            paint["t"] = [[plan.id, plan.kind, plan.strings, [hole.kind for hole in plan.holes]] for plan in self._new]
        if self._gone:
            paint["x"] = self._gone
        text = _to_json(paint)
        if "\\ud" in text:
            text = _LONE.sub(lambda match: match.group() if len(match.group()) != 6 else "\\ufffd", text)
        return text

    def _root(self, name: str, content: Root) -> Wire:
        self._before, self._now = self._roots.get(name, {}), {}
        try:
            value = self._child(content() if callable(content) else content, (), in_svg=False, where=name)
        except Exception as error:
            self._drop(self._before)
            self._drop(self._now)
            return self._failure(name, error)
        self._drop(self._before)
        self._roots[name] = self._now
        return value

    def _checked(self, name: str, value: Wire) -> Wire:
        """The value, or the boundary if JSON cannot say it: a property's data is first looked at here."""
        try:
            _to_json(value)
        except (ValueError, TypeError, RecursionError) as error:
            return self._failure(name, error)
        return value

    def _failure(self, name: str, error: Exception) -> Wire:
        self.forget(name)
        details = "".join(traceback.format_exception(error))[-_DETAILS_MAX:]
        self._record(name, error, details)
        self._roots[name] = {}
        return self._template(boundary(details), ())

    def _record(self, name: str, error: Exception, details: str) -> None:
        self._failed += 1
        self.errors.append(RootError(name, f"{type(error).__name__}: {error}", details))

    def _drop(self, lists: Lists) -> None:
        for memory in lists.values():
            self._gone.append(memory.id)
            for row in memory.rows.values():
                if row.lists:
                    self._drop(row.lists)
        lists.clear()

    # --- values

    def _template(self, result: TemplateResult, path: Path) -> list[Wire]:
        plan = result.plan
        if plan.id not in self._sent and plan not in self._new:
            self._new.append(plan)
        out: list[Wire] = [plan.id]
        append = out.append
        for hole, part in zip(plan.holes, result.template.interpolations, strict=True):
            value = part.value
            if part.conversion is not None or part.format_spec:
                value = interpolated(part)
            if type(value) is str and hole.plain:
                append(value)
            elif hole.kind is HoleKind.CHILD:
                append(self._child(value, (path, plan.id, len(out)), in_svg=hole.in_svg, where=part.expression))
            else:
                append(hole_value(hole, value, part.expression))
        return out

    def _child(self, value: object, path: Path, *, in_svg: bool, where: str) -> Wire:
        if type(value) is TemplateResult:
            if (value.plan.kind == "svg") is not in_svg:
                raise unknown_child(value, where, in_svg=in_svg)
            return self._template(value, path)
        if isinstance(value, list | tuple):
            items = cast("Sequence[object]", value)
            return [
                _LIST,
                *(self._child(item, (path, index), in_svg=in_svg, where=where) for index, item in enumerate(items)),
            ]
        if isinstance(value, Each):
            return self._each(cast("Each[Any]", value), path, in_svg=in_svg, where=where)
        return child_text(value, where)

    def _each(self, shown: Each[Any], path: Path, *, in_svg: bool, where: str) -> list[Wire]:
        memory = self._before.pop(path, None)
        fresh = memory is None
        if memory is None:
            self._ids += 1
            memory = _List(self._ids)
        # Entered before the rows are drawn: if one fails, the list's number is dropped with the root.
        self._now[path] = memory
        old = memory.rows if memory.same == shown.same else {}
        stale = memory.rows
        rows: dict[str | int, _Row] = {}
        values: list[Wire] = []
        key, same = shown.key, 0
        for item in shown.items:
            name = key_of(key(item), where)
            if name in rows:
                raise ListError(f"Two rows of the list {{{where}}} have the key {name!r}: keys name one row each.")
            known = old.get(name)
            if known is not None and known.item is item:
                rows[name] = known
                values.append(_SAME)
                same += 1
            else:
                rows[name] = row = _Row(item, None)
                values.append(self._row(shown.render(item), row, stale.get(name), in_svg=in_svg, where=where))
        unchanged = not fresh and same == len(values) and list(rows) == list(stale)
        for name, row in stale.items():
            if name not in rows and row.lists:
                self._drop(row.lists)
        memory.rows, memory.same = rows, shown.same
        self._rows_same += same
        self._rows_sent += len(values) - same
        return [_UNCHANGED, memory.id] if unchanged else [_KEYED, memory.id, list(rows), values]

    def _row(self, content: object, row: _Row, stale: _Row | None, *, in_svg: bool, where: str) -> Wire:
        """One row, with a memory of its own for the lists in it: a row that is left alone keeps them untouched."""
        outer = self._before, self._now
        self._before, self._now = (stale.lists or {}) if stale is not None else {}, {}
        try:
            value = self._child(content, (), in_svg=in_svg, where=where)
            self._drop(self._before)
        finally:
            row.lists = self._now or None
            self._before, self._now = outer
        return value


def _count(lists: Lists) -> int:
    return sum(1 + sum(_count(row.lists) for row in memory.rows.values() if row.lists) for memory in lists.values())
