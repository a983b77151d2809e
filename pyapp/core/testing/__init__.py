"""Fakes of every port and a clock that a test moves, shipped with the package for other applications' tests; not put into the site."""

from pyapp.core.testing.fakes import FakeHttp, FakeSources, FakeVisibility, Pending
from pyapp.core.testing.virtual import VirtualClock

__all__ = ["FakeHttp", "FakeSources", "FakeVisibility", "Pending", "VirtualClock"]
