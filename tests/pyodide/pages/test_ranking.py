"""Which texts match what is typed, and which of them is first."""

from __future__ import annotations

from pyapp.pages.ranking import ranked, score, score_all


def best(query: str, *texts: str) -> list[str]:
    return ranked(query, texts, lambda text: (text,))


def test_the_text_itself_is_before_its_beginning_before_a_word_before_an_inside_before_scattered_letters() -> None:
    texts = ["reexport", "e x p one r t", "send_export", "export_all", "export"]
    assert best("export", *texts) == ["export", "export_all", "send_export", "reexport", "e x p one r t"]
    assert best("ex", "a-big-example", "hexagon", "exit") == ["exit", "a-big-example", "hexagon"]


def test_initials_of_words_are_found_and_letters_by_chance_are_not() -> None:
    assert best("so", "send_order", "isometric order") == ["isometric order", "send_order"]
    assert best("sor", "send_order", "isometric") == ["send_order"]
    assert best("eaj", "Export all jobs") == ["Export all jobs"]
    assert score("inv", "Copy the link to this view") is None
    assert best("ordrs", "orders", "overdue remarks") == ["orders"]


def test_a_capital_behind_a_small_letter_begins_a_word() -> None:
    assert best("order", "reordered", "sendOrder") == ["sendOrder", "reordered"]


def test_case_does_not_matter_and_of_equal_places_the_shorter_is_first() -> None:
    assert best("WORK", "workers of all kinds", "workers") == ["workers", "workers of all kinds"]


def test_every_word_must_be_found_somewhere_and_the_first_text_counts_for_most() -> None:
    assert score_all("export jobs", ("Export jobs as CSV",)) is not None
    assert score_all("export mice", ("Export jobs as CSV",)) is None
    assert score_all("resize 42", ("resize_image", "key_42")) is not None
    items = [("other", "resize"), ("resize", "other")]
    assert ranked("resize", items, lambda item: item) == [("resize", "other"), ("other", "resize")]


def test_nothing_typed_matches_everything_in_its_order() -> None:
    assert best("", "b", "a") == ["b", "a"]
    assert score("", "a") == 0
