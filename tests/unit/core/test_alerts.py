"""Alerts (RT-82): once per episode, with its end."""

from __future__ import annotations

from pyapp.core.alerts import EPISODES_KEPT, Alert, AlertKind, Alerts
from pyapp.core.testing import VirtualClock
from pyapp.core.testing.virtual import EPOCH_MS

OWNER, BREAKER = AlertKind.OWNER, AlertKind.BREAKER


def test_an_episode_is_told_once_when_it_begins_and_once_when_it_ends() -> None:
    # RT-82
    clock, told = VirtualClock(), list[Alert]()
    alerts = Alerts(clock, told.append)
    alerts.end(OWNER, "a")
    for _ in range(3):
        alerts.begin(OWNER, "a", "Slow down.")
    alerts.begin(BREAKER, "a", "Broken.")
    clock.advance(500)
    for _ in range(2):
        alerts.end(OWNER, "a")
    alerts.begin(OWNER, "a", "Again.")
    assert [(alert.kind, alert.text, alert.ended_wall_ms) for alert in told] == [
        (OWNER, "Slow down.", None),
        (BREAKER, "Broken.", None),
        (OWNER, "Slow down.", EPOCH_MS + 500),
        (OWNER, "Again.", None),
    ]
    assert alerts.episodes() == (told[2], told[1], told[3])


def test_fifty_are_kept_and_those_that_ended_go_first() -> None:
    # RT-82
    alerts = Alerts(VirtualClock())
    alerts.begin(BREAKER, "lasting", "")
    alerts.begin(OWNER, "ended", "")
    alerts.end(OWNER, "ended")
    for number in range(EPISODES_KEPT - 1):
        alerts.begin(OWNER, str(number), "")
    kept = [alert.subject for alert in alerts.episodes()]
    assert (len(kept), kept[0], "ended" in kept) == (EPISODES_KEPT, "lasting", False)
    alerts.begin(OWNER, "more", "")
    assert (len(alerts.episodes()), alerts.episodes()[0].subject) == (EPISODES_KEPT, "0")
