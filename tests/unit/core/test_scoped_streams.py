"""A stream of one scope: confirmed by its own word alone, reset and forbidden by its events (RT-30, RT-36, RT-38)."""

from __future__ import annotations

from typing import Any, Literal

from core_world import World
from pydantic import BaseModel

from pyapp.core.client import stream_key
from pyapp.core.streams.decode import Decoder
from pyapp.core.streams.spec import Control, StreamSpec

KEY = stream_key("pods", scope="namespace:a")
PATH = "pods/stream"


class Said(BaseModel):
    type: Literal["synced", "reset", "error", "forbidden", "modified"]


def control(event: Any) -> Control | None:
    words = {"synced": Control.SYNCED, "reset": Control.RESET, "error": Control.ERROR, "forbidden": Control.FORBIDDEN}
    return words.get(event.type)


class Pods(World):
    """A page that listens to one scope."""

    def __init__(self) -> None:
        spec = StreamSpec("pods", PATH, Decoder(Said), 1, scoped=True, control=control)
        super().__init__(streams={"pods": spec})
        self.events: list[str] = []
        self.client.use_stream(KEY, lambda event: self.events.append(event.type))
        self.settle()
        self.sources.accept(PATH)
        self.sources.hello(PATH)
        self.settle()

    def speak(self, word: str, number: int) -> tuple[str, bool]:
        """One event; what the stream is afterwards, and whether it is confirmed."""
        self.sources.say(PATH, {"type": word}, f"e1:{number}")
        self.clock.advance(300)
        state = self.client.statistics().streams[0].state
        return f"{state.phase} {state.reason}".strip(), state.confirmed


def test_only_its_own_acknowledgement_confirms_a_scope() -> None:
    # RT-30: neither the hello, nor data, nor two seconds without an error
    pods = Pods()
    said = [pods.speak("modified", 1)]
    pods.clock.advance(3_000)
    said += [pods.speak("modified", 2), pods.speak("synced", 3), pods.speak("modified", 4)]
    assert said == [("open", False), ("open", False), ("open", True), ("open", True)]
    assert pods.events == ["modified", "modified", "synced", "modified"]


def test_a_reset_of_a_scope_is_a_gap_and_an_error_is_told_until_it_is_synced_again() -> None:
    # RT-30, RT-38
    pods = Pods()
    pods.speak("synced", 1)
    gaps: list[int] = []
    for number, word in enumerate(("modified", "reset"), start=2):
        pods.speak(word, number)
        gaps.append(pods.client.statistics().streams[0].gaps)
    assert gaps == [0, 1]
    errors: list[bool] = []
    for number, word in enumerate(("error", "synced"), start=4):
        pods.speak(word, number)
        errors.append(pods.client.statistics().streams[0].state.error_ms is not None)
    assert errors == [True, False]


def test_a_forbidden_scope_is_closed_and_not_asked_for_again() -> None:
    # RT-36
    pods = Pods()
    pods.speak("synced", 1)
    assert pods.speak("forbidden", 2) == ("closed forbidden", False)
    opened = len(pods.sources.history)
    pods.clock.advance(600_000)
    assert len(pods.sources.history) == opened


def test_a_stream_of_part_b_is_not_wanted_at_a_part_a_server() -> None:
    # RT-25
    spec = StreamSpec("things", "things/stream", Decoder(Said), 1, contract="b")
    opened: list[tuple[str, int]] = []
    for contract in ("a", "ab"):
        world = World(streams={"things": spec}, contract=contract)
        world.client.use_stream(stream_key("things"), lambda event: None)
        world.settle()
        state = world.client.statistics().streams[0].state
        opened.append((f"{state.phase} {state.reason}".strip(), len(world.sources.history)))
    assert opened == [("closed unavailable", 0), ("connecting", 1)]
