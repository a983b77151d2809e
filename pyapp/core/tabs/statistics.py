"""What a tab says of itself and of its leader (RT-60, RT-63, RT-80)."""

from __future__ import annotations

from dataclasses import dataclass, field

from pyapp.core.tabs import election as e
from pyapp.core.tabs.shared import ShareStatistics


@dataclass(frozen=True, slots=True)
class TabStatistics:
    """What the pill and the diagnostics say (RT-60, RT-63).

    Attributes:
        tab, role, reason, since_ms: this tab, what it is, why where it is alone, and since when (clock time).
        term, leader: of the leadership that it knows.
        tabs: how many tabs take part, as far as the leader knows; 1 alone.
        serving: how many streams are held for other tabs.
        forwarded: the wire keys of the streams that are passed on: by this tab while it leads and has others, to it while it follows.
        told, received, strays, early, invalid: records passed on in words of ours; records that came, and those for nobody, from
            between two connections, and that were no envelope.
        takeovers, steals, deposed: how often this tab led, took the lock, and lost it.
        stalls, hasty: how often this tab was late itself when it looked for its leader, and how many thefts it knows of a leader that
            was late and not gone.
        unled_ms: the longest time that this tab was without a sign of a leader while it ran and could be seen.
        patience_ms, usual_ms: how long a leader must be silent to be taken for gone, and how long where its beats come in time.
        unread: messages of other tabs that were none.
        shared: the answers that tabs give each other (RT-62).
    """

    tab: str
    role: e.Role
    reason: e.Out
    since_ms: float
    term: str
    leader: str
    tabs: int
    serving: int
    forwarded: tuple[str, ...]
    told: int
    received: int
    strays: int
    early: int
    invalid: int
    takeovers: int
    steals: int
    deposed: int
    stalls: int
    hasty: int
    unled_ms: float
    patience_ms: float
    usual_ms: float
    unread: int
    shared: ShareStatistics = field(default_factory=ShareStatistics)
