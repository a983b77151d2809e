"""What a person did and the server has not confirmed: layers over the data of a query (RT-10).

The base is what the server said, by snapshots and events; layers are applied over it, the oldest first, each time the base or the
layers change, and never written into it. So a rollback is to take a layer away, and leaves exactly the base.

A layer that the server accepted lies on until the base has what it shows: a snapshot that was asked for after the acceptance came, or
applying it changes nothing any more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pyapp.core.cache.keys import WritableKey, require_writable
from pyapp.core.cache.sharing import same, share


@dataclass(frozen=True, slots=True)
class Patch:
    """What a mutation will change, before the server said so.

    Attributes:
        key: of a query whose data is patched; not a window (RT-3).
        apply: the data as it will be; must not change what it is given.

    Raises:
        KeyMisuse: for a window key.
    """

    key: WritableKey
    apply: Callable[[Any], Any]

    def __post_init__(self) -> None:
        require_writable(self.key)


@dataclass(slots=True, eq=False)
class Layer:
    """One patch over one query. `accepted_ms`: clock time at which the server said yes; `broken`: its function failed."""

    apply: Callable[[Any], Any]
    accepted_ms: float | None = None
    broken: bool = False


@dataclass(slots=True)
class Layers:
    """The layers of one query, and the data that they give."""

    on_error: Callable[[Exception], None]
    lying: list[Layer] = field(default_factory=list[Layer])
    _base: Any = None
    _shown: Any = None
    _of: tuple[Layer, ...] | None = None

    def __len__(self) -> int:
        return len(self.lying)

    def over(self, base: Any) -> Any:
        """The base with every layer; the same object while neither changed."""
        if not self.lying:
            self._base = self._shown = self._of = None
            return base
        now = tuple(self.lying)
        if self._of == now and self._base is base:
            return self._shown
        shown = base
        for layer in now:
            if not layer.broken:
                try:
                    shown = layer.apply(shown)
                except Exception as error:
                    # A mistake of the application's: the layer is left out, the data is not.
                    layer.broken = True
                    self.on_error(error)
        shown = share(base, shown)
        if self._of is not None:
            shown = share(self._shown, shown) if shown is not base else base
        self._base, self._shown, self._of = base, shown, now
        return shown

    def drop(self, gone: Sequence[Layer]) -> bool:
        """Take layers away; whether any was there."""
        before = len(self.lying)
        self.lying = [layer for layer in self.lying if layer not in gone]
        return len(self.lying) != before

    def confirm(self, base: Any, began_ms: float | None) -> None:
        """Drop what the base has now: all that was accepted before a snapshot began, or whose effect is in the base already."""
        for layer in list(self.lying):
            if layer.accepted_ms is None:
                continue
            if layer.broken or (began_ms is not None and began_ms >= layer.accepted_ms) or _in_base(layer, base):
                self.lying.remove(layer)

    def give_up(self) -> None:
        """No snapshot will ever confirm what was accepted: show what is known."""
        self.lying = [layer for layer in self.lying if layer.accepted_ms is None]


def _in_base(layer: Layer, base: Any) -> bool:
    try:
        return same(layer.apply(base), base)
    except Exception:
        return True
