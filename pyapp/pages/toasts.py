"""The messages in the corner: a few at a time, and the calm ones leave by themselves."""

from __future__ import annotations

from collections.abc import Callable

from pyapp.core.clock import Clock
from pyapp.pages.protocol import ShowToast, Toast, ToastLevel

TOAST_MS = 8_000
TOASTS_MAX = 4


class Toasts:
    """Those that wait to be read, the latest last."""

    def __init__(self, clock: Clock, changed: Callable[[tuple[Toast, ...]], None]) -> None:
        """Nothing is shown.

        Args:
            changed: called with what is shown from now on.
        """
        self._clock = clock
        self._changed = changed
        self._shown: tuple[Toast, ...] = ()
        self._count = 0

    def show(self, wish: ShowToast) -> None:
        """Show one more; of too many the oldest goes."""
        self._count += 1
        toast = Toast(self._count, wish.level, wish.title, wish.text)
        self._shown = (*self._shown, toast)[-TOASTS_MAX:]
        self._changed(self._shown)
        # Trouble stays until it was read.
        if wish.level not in (ToastLevel.ERROR, ToastLevel.WARNING):
            self._clock.call_at(self._clock.now() + TOAST_MS, lambda: self.dismiss(toast.id))

    def dismiss(self, number: int) -> None:
        """It was read, or its time is over."""
        self._shown = tuple(toast for toast in self._shown if toast.id != number)
        self._changed(self._shown)
