"""The tabs that a leader serves: what each wants, and when it was heard last (RT-60). A part without I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pyapp.core.streams.position import Position
from pyapp.core.streams.spec import StreamKey

MEMBERS_AT_MOST = 1_000


@dataclass(slots=True)
class _Member:
    streams: Mapping[StreamKey, Position | None]
    heard_ms: float


class Members:
    """Who wants what. The union of it is what the leader holds for others."""

    def __init__(self, gone_ms: float) -> None:
        self._gone_ms = gone_ms
        self._members: dict[str, _Member] = {}

    def __len__(self) -> int:
        return len(self._members)

    def __contains__(self, tab: str) -> bool:
        return tab in self._members

    def heard(self, tab: str, streams: Mapping[StreamKey, Position | None], now_ms: float) -> bool:
        """A tab said what it wants; true when that changes the union."""
        before = self.union()
        if tab in self._members or len(self._members) < MEMBERS_AT_MOST:
            self._members[tab] = _Member(dict(streams), now_ms)
        return self.union().keys() != before.keys()

    def gone(self, tab: str) -> bool:
        """A tab said goodbye; true when that changes the union."""
        before = self.union()
        self._members.pop(tab, None)
        return self.union().keys() != before.keys()

    def forget_silent(self, now_ms: float) -> bool:
        """Forget whoever said nothing for too long; true when that changes the union."""
        before = self.union()
        self._members = {tab: one for tab, one in self._members.items() if now_ms - one.heard_ms < self._gone_ms}
        return self.union().keys() != before.keys()

    def clear(self) -> None:
        self._members.clear()

    def union(self) -> Mapping[StreamKey, Position | None]:
        """Every wanted stream, with the oldest place that somebody has, where all who have one have it of one life of the server."""
        union: dict[StreamKey, Position | None] = {}
        mixed: set[StreamKey] = set()
        for member in self._members.values():
            for key, last in member.streams.items():
                known = union.setdefault(key, last)
                if known is None or last is None:
                    union[key] = known or last
                elif known.epoch != last.epoch:
                    mixed.add(key)
                elif last.sequence < known.sequence:
                    union[key] = last
        return {key: None if key in mixed else last for key, last in union.items()}
