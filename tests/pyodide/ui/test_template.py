"""Where a hole may stand, and what the errors say."""

from __future__ import annotations

from string.templatelib import Interpolation, Template

import pytest

from pyapp.ui import TemplateError, html, svg
from pyapp.ui.scan import Hole, HoleKind, scan


def kinds(*strings: str, in_svg: bool = False) -> list[tuple[str, str]]:
    """Kind and name of each hole between the strings."""
    return [(hole.kind.name.lower(), hole.name) for hole in scan(strings, svg=in_svg)]


def only(*strings: str) -> Hole:
    (hole,) = scan(strings, svg=False)
    return hole


@pytest.mark.parametrize(
    ("strings", "expected"),
    [
        (("<p>", "</p>"), [("child", "")]),
        (("", ""), [("child", "")]),
        (("a < b ", " > c"), [("child", "")]),
        (('<p title="', '">'), [("attribute", "title")]),
        (("<p title='", "'>"), [("attribute", "title")]),
        (("<p title=", ">"), [("attribute", "title")]),
        (("<p title = ", " >"), [("attribute", "title")]),
        (("<input disabled title=", "/>"), [("attribute", "title")]),
        (("<p title=", " lang=", ">", "</p>"), [("attribute", "title"), ("attribute", "lang"), ("child", "")]),
        (('<p class="a ', " ", ' b">'), [("part", "class"), ("part", "class")]),
        (("<p class=a-", "-", "-b>"), [("part", "class"), ("part", "class")]),
        (("<p class=", "", ">"), [("part", "class"), ("part", "class")]),
        (('<p class="', ' b" title="', '">'), [("part", "class"), ("attribute", "title")]),
        (('<p title=">" lang="', '">'), [("attribute", "lang")]),
        (("<p ?hidden=", ">"), [("boolean", "hidden")]),
        (('<p ?hidden="', '">'), [("boolean", "hidden")]),
        (("<x-a .points=", ">"), [("property", "points")]),
        (("<input .value=", " .checked=", ">"), [("field", "value"), ("field", "checked")]),
        (("<p .style=", ">"), [("style", "style")]),
        (("<p @click=", ">"), [("event", "click")]),
        (("<title>a ", " b</title><p>", "</p>"), [("text", ""), ("child", "")]),
        (("<script>1 < 2</script><p>", "</p>"), [("child", "")]),
        (("<textarea><b title=</textarea><p lang=", ">"), [("attribute", "lang")]),
        (("<!-- <p title= --><p>", "</p>"), [("child", "")]),
        (("</1 not a tag><p>", "</p>"), [("child", "")]),
        (("<template><b></b></template>", ""), [("child", "")]),
        (("<a href=", ">"), [("attribute", "href")]),
        (('<a href="#/jobs/', '">'), [("part", "href")]),
    ],
)
def test_a_hole_is_what_its_place_says(strings: tuple[str, ...], expected: list[tuple[str, str]]) -> None:
    assert kinds(*strings) == expected


@pytest.mark.parametrize(
    ("strings", "words"),
    [
        (("<", "></p>"), "cannot be a tag's name"),
        (("</", ">"), "cannot be a tag's name"),
        (("<x-", "></p>"), "part of a tag's name"),
        (("<p ", "></p>"), "stand in a tag by itself"),
        (("<p a", "=1></p>"), "attribute's name"),
        (("<p data-", '="1"></p>'), "attribute's name"),
        (('<p a="1"', "></p>"), "stand in a tag by itself"),
        (("<p a=b c", "></p>"), "attribute's name"),
        (("<!-- ", " -->"), "comment"),
        (("</1 ", ">"), "comment"),
        (("<script>", "</script>"), "inside <script>"),
        (("<style>", "</style>"), "inside <style>"),
        (("<textarea>", "</textarea>"), "use its .value"),
        (("<script src=", "></script>"), "<script> tag"),
        (("<template>", "</template>"), "inside <template>"),
        (("</p title=", ">"), "closing tag"),
        (('<p style="', '"></p>'), "use a class"),
        (('<p style="color: red">', "</p>"), "use a class"),
        (('<p onclick="', '"></p>'), "write @click="),
        (('<p ONCLICK="go()">', "</p>"), "write @click="),
        (("<iframe srcdoc=", ">"), "nested template"),
        (("<p .innerHTML=", ">"), "nested template"),
        (("<p disabled=", ">"), "write ?disabled="),
        (('<p .value="a', '">'), "exactly one hole"),
        (('<p @click="', "", '">'), "exactly one hole"),
        (('<p ?hidden="', ' ">'), "exactly one hole"),
        (("<p @=", ">"), "needs a name"),
        (("<p title=", " TITLE=", ">"), "stands twice"),
        (('<a href="', "/jobs/", '">'), "begin with fixed text"),
        (("<p title=", "=b>"), "needs quotes"),
        (("<p>", "</p><b"), "ends inside a tag"),
        (("<p>", '</p><b a="'), "ends inside a quoted value"),
        (("<p>", "</p><!-- "), "ends inside a comment"),
        (("<p>", "</p><style>"), "takes only text"),
    ],
)
def test_a_hole_where_no_value_may_go_is_an_error_that_says_what_to_do(strings: tuple[str, ...], words: str) -> None:
    with pytest.raises(TemplateError) as caught:
        scan(strings, svg=False)
    assert words in str(caught.value)
    assert caught.value.strings == strings


def test_the_error_comes_at_the_call_site_each_time() -> None:
    def wrong(value: int) -> object:
        return html(t"<p {value}></p>")

    for _ in range(2):
        with pytest.raises(TemplateError, match="stand in a tag"):
            wrong(1)


def test_anything_but_a_t_string_is_refused() -> None:
    with pytest.raises(TemplateError, match=r"html takes a t-string.*str"):
        html("<p></p>")  # type: ignore[arg-type]


def test_equal_text_shares_a_plan_and_kinds_do_not() -> None:
    one = html(t"<g>{1}</g>")
    two = html(t"<g>{2}</g>")
    assert one.plan is two.plan
    assert svg(t"<g>{1}</g>").plan is not one.plan


def test_templates_put_together_at_run_time_find_their_plan_again() -> None:
    plans = {html(Template("<b>", Interpolation(n, "n"), "</b>")).plan for n in range(5_000)}
    assert len(plans) == 1


def test_children_know_whether_they_stand_in_svg() -> None:
    strings = ("<p>", "</p><svg>", "<foreignObject>", "<svg/>", "</foreignObject>", "</svg>", "")
    assert [hole.in_svg for hole in scan(strings, svg=False)] == [False, True, False, False, True, False]
    assert [hole.in_svg for hole in scan(("<g>", "</g>"), svg=True)] == [True]


def test_addresses_are_known_as_such() -> None:
    assert only("<a href=", ">").url
    assert only("<use xlink:href=", ">").url
    assert only("<img .src=", ">").url
    assert not only("<p title=", ">").url
    assert only("<p title=", ">").kind is HoleKind.ATTRIBUTE
