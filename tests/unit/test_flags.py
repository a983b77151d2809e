"""How each flag gets its value (RT-71, RT-74)."""

from __future__ import annotations

from itertools import product

from pyapp.contract.config import Flag
from pyapp.flags import FLAGS, STREAM, STREAMING, VERIFYING, FlagSpec, has, share_of, value_of
from pyapp.inventory import STREAMS

SPEC = FlagSpec("x", "owner", "purpose", False, "never", {"test": True})
USERS = [f"guest-{number:06x}" for number in range(4_000)]


def test_the_first_that_matches_decides() -> None:
    # RT-71
    for server, override, page in product((None, Flag(enabled=True), Flag(enabled=False)), (None, True, False), (None, True, False)):
        value = value_of(SPEC, server=server, override=override, page=page, profile="production", user="u")
        if server is not None and not server.enabled:
            assert value == (False, "server")
        elif override is not None:
            assert value == (override, "you")
        elif page is not None:
            assert value == (page, "page")
        else:
            assert value == ((True, "server") if server is not None else (False, "default"))
    assert value_of(SPEC, server=None, override=None, page=None, profile="test", user="u") == (True, "default")


def test_named_users_have_it_first_and_then_a_percentage_to_which_people_are_only_added() -> None:
    # RT-71
    assert has(Flag(enabled=True, percentage=0, users=("ann",)), STREAMING, "ann")
    assert not has(Flag(enabled=False, users=("ann",)), STREAMING, "ann")
    had: set[str] = set()
    for percentage in (0, 10, 50, 100):
        now = {user for user in USERS if has(Flag(enabled=True, percentage=percentage), STREAMING, user)}
        assert had <= now
        assert abs(len(now) / len(USERS) * 100 - percentage) < 2
        had = now
    assert len(had) == len(USERS)


def test_a_share_is_the_same_at_every_visit_and_another_for_every_flag() -> None:
    # RT-71
    assert share_of(STREAMING, "guest-1") == 8.348793210461736
    both = sum(share_of(STREAMING, user) < 50 and share_of(VERIFYING, user) < 50 for user in USERS)
    assert 0.22 < both / len(USERS) < 0.28
    assert all(0 <= share_of(STREAMING, user) < 100 for user in USERS)


def test_every_flag_says_who_reads_it_why_and_when_it_goes_and_every_stream_has_one() -> None:
    # RT-74
    assert all(spec.owner and spec.purpose and spec.removed_when for spec in FLAGS)
    names = [spec.name for spec in FLAGS]
    assert len(names) == len(set(names))
    assert {f"{STREAM}{row.name}" for row in STREAMS} <= set(names)
