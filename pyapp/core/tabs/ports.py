"""What many tabs need of the browser, as Protocols; `browser/tabs.py` makes them, `core/testing/tabs.py` fakes them (RT-60, RT-63).

Any of them may be missing (an insecure origin has no Web Locks, a private window may have no storage): without locks or channel a tab
works alone, without storage terms are counted from what was heard.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from pyapp.core.ports import Cancel


class Locks(Protocol):
    """The origin's locks (Web Locks)."""

    def request(self, name: str, *, steal: bool, granted: Callable[[], None], lost: Callable[[], None]) -> Cancel:
        """Queue for a lock, or take it from whoever holds it.

        Args:
            granted: called once, when it is ours; never before this call returns.
            lost: called once, when it was taken from us or the request failed.

        Returns:
            What gives it up, whether it was granted or still waits; nothing is called after that.
        """
        ...


class Passed(NamedTuple):
    """One record that the leading tab passed on: `label` is the stream's wire key or `MUX`, `kind` a `FrameKind` or a word of ours."""

    label: str
    kind: str
    id: str
    data: str


MUX = "mux"
"""The label of what came by the one multiplexed connection: the stream's name is in its envelope."""


class Channel(Protocol):
    """What all tabs of an origin hear of each other (BroadcastChannel), in order for each sender.

    Messages are for the parts of the core and are told at once. Passed records wait on the host's side until the beat takes them, and
    only those of the term that is followed are kept.
    """

    def open(self, group: str, on_message: Callable[[str], None]) -> None:
        """Take part in a group; `on_message` gets every message of its other tabs. Open is not opened again."""
        ...

    def close(self) -> None:
        """Take part no longer; what waits is dropped. Closed is closed twice, too."""
        ...

    def post(self, text: str, to: Collection[str] = ()) -> None:
        """Say something to all others, or only to the tabs named; the rest is not woken."""
        ...

    def pass_on(self, term: str, to: str, record: Passed) -> None:
        """Pass a record on under a term, to one tab or with `to` empty to all."""
        ...

    def follow(self, term: str) -> None:
        """Keep the records of this term from now on, and no others; empty for none. What waits stays."""
        ...

    def keep(self, labels: Collection[str]) -> None:
        """Keep only records of these streams, also of those in envelopes; what is for no stream of this tab need not wake it."""
        ...

    def forward(self, term: str) -> None:
        """Pass on what this tab's own event sources bring, as it arrives, under a term; empty to stop."""
        ...

    def name_source(self, source: int, label: str) -> None:
        """What the frames of an event source are passed on as; an empty label forgets it. Numbers below 0 are `MUX` by themselves."""
        ...

    def drain(self) -> Sequence[Passed]:
        """All waiting records in order, and ask to be woken by the next."""
        ...

    def on_wake(self, callback: Callable[[], None]) -> None:
        """Call back when a record comes in while none was waiting since the last `drain`."""
        ...


class Storage(Protocol):
    """What the tabs of an origin remember together (localStorage)."""

    def get(self, name: str) -> str | None: ...

    def set(self, name: str, value: str) -> None:
        """Remember a text; an empty one forgets it."""
        ...


@dataclass(frozen=True, slots=True)
class TabPorts:
    """What a tab needs to be one of many.

    Attributes:
        tab: this tab's name, different from that of every other.
        group: whose tabs are one: identity, version and the API's address; the name of lock and channel. That of the page's beginning:
            another identity is another group.
        locks, channel, storage: `None` where the browser has none.
    """

    tab: str
    group: str
    locks: Locks | None
    channel: Channel | None
    storage: Storage | None
