"""One paint as one JSON text.

    {"t": [[id, kind, strings, holes]…],     templates that the browser does not know yet
     "r": [[root, value]…],                  the roots in their order
     "x": [list…]}                           lists that are gone

A value is text, a number, `null` (nothing), or an array whose first element says what it is:

    [id, value…]                 a template, `id` ≥ 0; the values in the order of its holes
    [-1, value…]                 a plain list
    [-2, list, [key…], [row…]]   a keyed list; a row is `0` where it is the same as at the last paint; a `1` behind it
                                 lets the browser recycle the elements of rows
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
from pyapp.ui.errors import HoleError, ListError, PaintError
from pyapp.ui.scan import Hole, HoleKind
from pyapp.ui.template import Each, Plan, TemplateResult, plan_of
from pyapp.ui.values import child_text, hole_value, interpolated, key_of, unknown_child

Renderable = TemplateResult | Each[Any] | str | None
Root = Renderable | Callable[[], Renderable]
Path = tuple[Any, ...]
Wire = Any
"""Something that JSON can say."""

_LIST, _KEYED, _UNCHANGED, _SAME = -1, -2, -3, 0
_DETAILS_MAX = 4_000
_ERRORS_KEPT = 100

_CHILD: Final = HoleKind.CHILD
_to_json: Final = json.JSONEncoder(separators=(",", ":"), allow_nan=False, check_circular=False).encode
# A surrogate that stands alone is no text: pairs and escaped backslashes are stepped over, what is left is replaced.
_LONE = re.compile(r"\\\\|\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}|\\ud[89a-f][0-9a-f]{2}")


# The item that a row was drawn from, and the lists in the row. A tuple, because nothing is made faster.
type _Row = tuple[object, Lists | None]


@dataclass(slots=True)
class _List:
    id: int
    same: tuple[object, ...] = ()
    rows: dict[str | int, _Row] = field(default_factory=dict[str | int, _Row])


type Lists = dict[Path, _List]
_NO_LISTS: Final[Lists] = {}
_NO_ROWS: Final[dict[str | int, _Row]] = {}


@dataclass(slots=True)
class _Root:
    lists: Lists = field(default_factory=dict[Path, _List])
    live: set[int] = field(default_factory=set[int])
    """The numbers of all of its lists, those in rows too."""


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
        self._roots: dict[str, _Root] = {}
        self._gone: list[int] = []
        self._ids = 0
        # The memory of the root or row that is being drawn: what it had, what it has now (made when a list is met), and
        # the numbers of the root.
        self._before = _NO_LISTS
        self._now: Lists | None = None
        self._live: set[int] = set()
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
        self._new, self._gone = [], []
        self._paints += 1
        self._bytes += len(text)
        return text

    def forget(self, root: str) -> None:
        """Drops what is remembered of a root that is no longer shown; its next paint is a full one."""
        self._gone.extend(self._roots.pop(root, _Root()).live)

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
            lists=sum(len(root.live) for root in self._roots.values()),
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
        root = self._roots.setdefault(name, _Root())
        self._before, self._now, self._live = root.lists, None, root.live
        try:
            value = self._child(content() if callable(content) else content, (), False, name)
        except Exception as error:
            return self._failure(name, error)
        self._drop(self._before)
        root.lists = self._now or {}
        return value

    def _checked(self, name: str, value: Wire) -> Wire:
        """The value, or the boundary if JSON cannot say it: a property's data is first looked at here."""
        try:
            _check_data(value)
        except HoleError as error:
            return self._failure(name, error)
        return value

    def _failure(self, name: str, error: Exception) -> Wire:
        self.forget(name)
        details = "".join(traceback.format_exception(error))[-_DETAILS_MAX:]
        self._record(name, error, details)
        return self._template(boundary(details), ())

    def _record(self, name: str, error: Exception, details: str) -> None:
        self._failed += 1
        self.errors.append(RootError(name, f"{type(error).__name__}: {error}", details))

    def _drop(self, lists: Lists | None) -> None:
        """Drops lists of the root that is being drawn, and those in their rows."""
        if not lists:
            return
        for memory in lists.values():
            self._live.discard(memory.id)
            self._gone.append(memory.id)
            for _, inner in memory.rows.values():
                self._drop(inner)

    # --- values

    def _template(self, result: TemplateResult, path: Path) -> list[Wire]:
        plan = result.plan
        if plan.id not in self._sent:
            self._sent.add(plan.id)
            self._new.append(plan)
        out: list[Wire] = [plan.id]
        # `out.append(…)` is written out: kept in a variable it is a call, as it stands an instruction of the interpreter.
        for hole, part in zip(plan.holes, result.template.interpolations, strict=True):
            value = part.value
            if part.conversion is not None or part.format_spec:
                value = interpolated(part)
            if type(value) is str and hole.plain:
                out.append(value)
            elif hole.kind is _CHILD:
                out.append(self._child(value, (path, plan.id, len(out)), hole.in_svg, part.expression))
            else:
                out.append(hole_value(hole, value, part.expression))
        return out

    def _child(self, value: object, path: Path, in_svg: bool, where: str) -> Wire:
        if type(value) is TemplateResult:
            if (value.plan.kind == "svg") is not in_svg:
                raise unknown_child(value, where, in_svg=in_svg)
            return self._template(value, path)
        if isinstance(value, list | tuple):
            items = cast("Sequence[object]", value)
            return [_LIST, *(self._child(item, (path, index), in_svg, where) for index, item in enumerate(items))]
        if isinstance(value, Each):
            return self._each(cast("Each[Any]", value), path, in_svg, where)
        return child_text(value, where)

    def _each(self, shown: Each[Any], path: Path, in_svg: bool, where: str) -> list[Wire]:
        memory = self._before.pop(path, None)
        fresh = memory is None
        if memory is None:
            self._ids += 1
            memory = _List(self._ids)
            self._live.add(memory.id)
        if self._now is None:
            self._now = {}
        self._now[path] = memory
        stale = memory.rows
        old = stale if memory.same == shown.same else _NO_ROWS
        rows: dict[str | int, _Row] = {}
        values: list[Wire] = []
        key, render, same = shown.key, shown.render, 0
        outer = self._before, self._now
        try:
            for item in shown.items:
                name = key(item)
                if type(name) is not str:
                    name = key_of(name, where)
                if name in rows:
                    raise ListError(f"Two rows of the list {{{where}}} have the key {name!r}: keys name one row each.")
                known = old.get(name)
                if known is not None and known[0] is item:
                    rows[name] = known
                    values.append(_SAME)
                    same += 1
                    continue
                # A row has a memory of its own for the lists in it, so that one that is left alone keeps them.
                before = stale.get(name)
                self._before, self._now = (before[1] or _NO_LISTS) if before is not None else _NO_LISTS, None
                values.append(self._child(render(item), (), in_svg, where))
                self._drop(self._before)
                rows[name] = (item, self._now)
        finally:
            self._before, self._now = outer
        for name in stale.keys() - rows.keys():
            self._drop(stale[name][1])
        unchanged = not fresh and same == len(values) and list(rows) == list(stale)
        memory.rows, memory.same = rows, shown.same
        self._rows_same += same
        self._rows_sent += len(values) - same
        if unchanged:
            return [_UNCHANGED, memory.id]
        keyed: list[Wire] = [_KEYED, memory.id, list(rows), values]
        return [*keyed, 1] if shown.recycle else keyed


def _check_data(value: Wire) -> None:
    """Finds the property whose data JSON cannot say.

    Raises:
        HoleError: it was found.
    """
    if not isinstance(value, list):
        return
    first, *rest = cast("list[Wire]", value)
    if first == _LIST:
        for item in rest:
            _check_data(item)
    elif first == _KEYED:
        for item in rest[2]:
            _check_data(item)
    elif first >= 0:
        for hole, item in zip(plan_of(first).holes, rest, strict=True):
            if hole.kind is _CHILD:
                _check_data(item)
            elif hole.kind is HoleKind.PROPERTY:
                _check_property(hole, item)


def _check_property(hole: Hole, data: Wire) -> None:
    try:
        _to_json(data)
    except (ValueError, TypeError, RecursionError) as error:
        raise HoleError(
            f".{hole.name} of <{hole.tag}> has what JSON cannot say ({error}): give text, finite numbers, lists and dicts."
        ) from error
