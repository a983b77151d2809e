"""The network's word, and for whom it counts (RT-52).

`offline` is a hint of the browser: it knows interfaces and not servers. So it closes nothing; it makes open streams prove themselves by
their next frame and slows retries down. An API on this very machine needs no network at all: for it the word does not count.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from urllib.parse import urlsplit

from pyapp.core.ports import Network


def is_loopback(url: str) -> bool:
    """Whether a URL leads to this machine: `localhost`, its subdomains, 127.0.0.0/8 or ::1."""
    try:
        host = (urlsplit(url).hostname or "").rstrip(".").lower()
        return host == "localhost" or host.endswith(".localhost") or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class AlwaysOnline:
    """A network that is always there: for hosts that cannot tell, and for an API on this machine."""

    def online(self) -> bool:
        return True

    def on_change(self, callback: Callable[[], None]) -> None:
        """Nothing ever changes."""


def network_for(url: str, network: Network) -> Network:
    """The network that counts for an API at `url`: none for one on the loopback, which is never offline."""
    return AlwaysOnline() if is_loopback(url) else network


class NetworkWatch:
    """Tells each change of the word once."""

    def __init__(self, network: Network, on_change: Callable[[bool], None]) -> None:
        self._network = network
        self._on_change = on_change
        self._closed = False
        self.online = True
        self.changes = 0
        network.on_change(self.look)

    def look(self) -> None:
        """Compare with the word of now; hosts may not tell of a change while the page is put away."""
        online = self._network.online()
        if not self._closed and online is not self.online:
            self.online = online
            self.changes += 1
            self._on_change(online)

    def close(self) -> None:
        self._closed = True
