"""A quiet simulated server that the tests of a module share."""

from collections.abc import Iterator

import pytest

from .running import Running, running, sim


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Rate 0: nothing happens but what a test does."""
    with running(sim(tmp_path_factory.mktemp("sim"), faults=True)) as it:
        yield it
