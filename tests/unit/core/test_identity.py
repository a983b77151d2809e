"""Who looks at the page: a guest of this browser profile until somebody is signed in, and who is told of a change."""

from __future__ import annotations

from pyapp.core.identity import GUEST, Visitor
from pyapp.core.storage import Memory


def test_a_guest_is_the_same_from_visit_to_visit_and_another_in_another_profile() -> None:
    # RT-71
    storage = Memory()
    assert Visitor(storage, lambda: "0001").user() == "guest-0001"
    assert Visitor(storage, lambda: "0002").user() == "guest-0001"
    storage.remove(GUEST)
    storage.remove(GUEST)
    assert Visitor(storage, lambda: "0003").user() == "guest-0003"
    assert storage.read(GUEST) == "guest-0003"


def test_the_tabs_of_a_guest_are_one_group_even_where_two_made_an_id_at_once() -> None:
    # RT-60
    one, other = Visitor(Memory(), lambda: "0001"), Visitor(Memory(), lambda: "0002")
    assert one.user() != other.user()
    assert one.whose() == other.whose() == GUEST
    one.sign_in("ada")
    assert one.whose() == "user:ada"
    one.sign_in("")
    assert one.whose() == GUEST


def test_whoever_must_know_is_told_when_somebody_else_is_there_and_only_then() -> None:
    # RT-36, RT-71
    visitor, told = Visitor(Memory(), lambda: "0001"), list[str]()
    visitor.on_change(lambda: told.append(visitor.user()))
    for user in ("", "ada", "ada", "bob", "", ""):
        visitor.sign_in(user)
    assert told == ["ada", "bob", "guest-0001"]
