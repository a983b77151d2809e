"""Things that end together, and those that ended before."""

from __future__ import annotations

from core_world import THINGS, World

from pyapp.core.client import Scope, stream_key


def test_a_scope_ends_what_is_in_it_the_latest_first_and_once() -> None:
    scope, ended = Scope(), list[str]()
    for name in "abc":
        scope.add(lambda name=name: ended.append(name))
    scope.close()
    scope.close()
    scope.add(lambda: ended.append("late"))()
    assert ended == ["c", "b", "a", "late"]


def test_what_ended_by_itself_is_kept_by_no_scope() -> None:
    # RT-77
    world = World()
    scope = world.client.scope()
    for _ in range(100):
        world.client.use_query(THINGS, lambda result: None, scope=scope).close()
        world.client.use_stream(stream_key("things"), lambda event: None, scope=scope)()
    assert len(scope) == 0
    observer = world.client.use_query(THINGS, lambda result: None, scope=scope)
    scope.close()
    observer.close()
    assert len(scope) == 0
    assert world.client.statistics().cache.queries[0].observers == 0
