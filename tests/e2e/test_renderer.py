"""The renderer in real browsers: what is patched, what is kept, what is sent, and what is never executed."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from typing import Any, cast

import pytest
from playwright.sync_api import Browser
from renderer_lab import Interpreter, Lab, bundle, open_page

LIST = """
class Pick(Action):
    id: str

def row(item):
    return html(t'<li id="{item.id}"><button @click={Pick(id=item.id)}>{item.name}</button></li>')

def page(shown, same=()):
    return html(t"<ul>{each(shown, key=lambda item: item.id, render=row, same=same)}</ul>")
"""
ORDER = "() => [...document.querySelectorAll('li')].map((row) => row.id).join('')"
# A function, and no expression: what is looked at again and again would be an `eval` to the page's policy.
IN_ORDER = "(order) => [...document.querySelectorAll('li')].map((row) => row.id).join('') === order"
MARK = "() => document.querySelectorAll('li').forEach((row) => { row.mark = row.id; })"
MARKS = "() => [...document.querySelectorAll('li')].map((row) => row.mark ?? '-').join('')"

HOSTILE = (
    "<script>executed.push(1)</script>",
    '"><img src=x onerror="executed.push(1)">',
    "'><svg onload=executed.push(1)>",
    "\u202egnp.exe\u2066\u200f",
    "\x00\x01\x08\x1b\x7f\x85",
    "{{constructor.constructor('executed.push(1)')()}} ${executed.push(1)}",
    "lit$123456789$ <?lit$123456789$> <!--?lit$123456789$-->",
    "--> ]]> </textarea></title></style></script>",
    "javascript:executed.push(1)",
    "\ud800 alone",
    "\n\r\t  kept  ",
    "x" * 1_000_000,
)


@pytest.fixture(scope="module")
def interpreter() -> Generator[Interpreter]:
    made = Interpreter()
    yield made
    made.close()


@pytest.fixture(scope="module")
def bridge(tmp_path_factory: pytest.TempPathFactory) -> str:
    return bundle(tmp_path_factory.mktemp("bridge") / "bridge.js")


@pytest.fixture
def browser(engine: Browser) -> tuple[Browser, str]:
    return engine, engine.browser_type.name


@pytest.fixture
def lab(browser: tuple[Browser, str], interpreter: Interpreter, bridge: str) -> Generator[Lab]:
    opened, engine = browser
    with open_page(opened, bridge) as page:
        made = Lab(page, interpreter, engine)
        yield made
        assert page.evaluate("() => executed") == []
        assert page.evaluate("() => violations") == []
        unexpected = [error for error in made.errors if not any(part in error for part in made.expected_errors)]
        assert unexpected == []


# --- what is drawn


def test_the_first_paint_replaces_what_the_root_held(lab: Lab) -> None:
    assert lab.paint("main=html(t'<h1>{1 + 1}</h1>')") == []
    assert lab.text() == "2"
    assert lab.page.evaluate("() => document.querySelector('[data-root=main]').children.length") == 1


def test_a_repaint_changes_only_the_text_that_changed(lab: Lab) -> None:
    lab.run("def page(a, b): return html(t'<p title=\"{a}\">{a} and <b>{b}</b></p>')")
    lab.paint("main=page('x', 'y')")
    assert lab.mutations("main=page('x', 'z')") == ["characterData"]
    assert lab.mutations("main=page('x', 'z')") == []
    assert lab.text() == "x and z"


def test_equal_templates_of_two_call_sites_keep_the_elements(lab: Lab) -> None:
    lab.run("def one(v): return html(t'<p>{v}</p>')\ndef two(v): return html(t'<p>{v}</p>')")
    lab.paint("main=one(1)")
    lab.page.evaluate("() => { document.querySelector('p').mark = 1; }")
    lab.paint("main=two(2)")
    assert lab.page.evaluate("() => document.querySelector('p').mark") == 1
    assert lab.text() == "2"


def test_whitespace_is_kept(lab: Lab) -> None:
    lab.run("def page(v): return html(t'<pre>  a\\n  {v}  \\n</pre> <b>x</b> ')")
    lab.paint("main=page(' b ')")
    assert lab.text() == "  a\n   b   \n x "


def test_rows_go_into_tables_and_svg_gets_its_namespace(lab: Lab) -> None:
    lab.run(
        """
        def page(values):
            cells = [html(t"<tr><td>{v}</td></tr>") for v in values]
            bars = [svg(t'<g viewBox="{v}"><title>{v}</title><rect width={v} /></g>') for v in values]
            return html(t"<table><tbody>{cells}</tbody></table><svg><g>{bars}</g></svg>")
        """
    )
    lab.paint("main=page([1, 2.5])")
    assert lab.page.evaluate("() => [...document.querySelectorAll('tbody > tr > td')].map((cell) => cell.textContent)") == ["1", "2.5"]
    seen = lab.page.evaluate(
        """() => Array.from(document.querySelectorAll("rect"), (rect) =>
          [rect.namespaceURI, rect.getAttribute("width"), rect.previousSibling.textContent])"""
    )
    assert seen == [["http://www.w3.org/2000/svg", "1", "1"], ["http://www.w3.org/2000/svg", "2.5", "2.5"]]
    assert lab.page.evaluate("() => document.querySelector('g g').getAttribute('viewBox')") == "1"


def test_nothing_takes_children_attributes_and_parts_away(lab: Lab) -> None:
    lab.run(
        """
        def page(v):
            return html(t'<p id=x lang={v} class="a {v}" ?hidden={v} aria-busy={v is not None}>{v}{v and html(t"<b>!</b>")}</p>')
        """
    )
    lab.paint("main=page('v')")
    outer = "() => { const p = document.querySelector('p'); return [p.lang, p.className, p.hidden, p.ariaBusy, p.textContent]; }"
    assert lab.page.evaluate(outer) == ["v", "a v", True, "true", "v!"]
    lab.paint("main=page(None)")
    assert lab.page.evaluate(outer) == ["", "a ", False, "false", ""]
    assert lab.page.evaluate("() => document.querySelector('p').hasAttribute('lang')") is False


def test_style_goes_through_the_cssom(lab: Lab) -> None:
    lab.run("def page(s): return html(t'<p .style={s}></p>')")
    lab.paint("main=page({'--w': '40%', 'color': 'red'})")
    css = "() => document.querySelector('p').style.cssText"
    assert lab.page.evaluate(css) == "--w: 40%; color: red;"
    lab.paint("main=page({'--w': 41})")
    assert lab.page.evaluate(css) == "--w: 41;"


def test_data_of_custom_elements_is_set_only_when_it_differs(lab: Lab) -> None:
    lab.page.evaluate(
        """() => customElements.define("x-chart", class extends HTMLElement {
          set points(value) { (this.seen ??= []).push(value); }
        })"""
    )
    lab.run("def page(p): return html(t'<x-chart .points={p}></x-chart>')")
    for points in ("[1, {'a': None}]", "[1, {'a': None}]", "[1, {'a': 2.5}]", "None"):
        lab.paint(f"main=page({points})")
    seen = lab.page.evaluate("() => document.querySelector('x-chart').seen")
    assert seen == [[1, {"a": None}], [1, {"a": 2.5}], None]


def test_python_draws_the_same_text_as_the_browser(lab: Lab) -> None:
    lab.run(
        """
        def page():
            rows = each(items("ab"), key=lambda i: i.id, render=lambda i: html(t"<li lang={i.id}>{i.name}<br>{0.1 + 0.2:.2f}</li>"))
            return html(t'''<ul class="x {'<y>'} z" id='{"q"}' ?hidden={True} title={None}>{rows} {2**60} {5.0}</ul>
              <svg>{svg(t"<rect width={7}></rect>")}</svg>''')
        """
    )
    lab.paint("main=page()")
    drawn = lab.page.evaluate("() => document.querySelector('[data-root=main]').innerHTML.replace(/<!--.*?-->/g, '')")
    normal = "html => { const t = document.createElement('template'); t.innerHTML = html; return t.innerHTML; }"
    assert drawn == lab.page.evaluate(normal, lab.run("answer = to_html(page())"))


PLACES = (
    ("<p>", "</p>"),
    ("a < b ", " > c"),
    ("<p title='", "'>x</p>"),
    ("<p title = ", " >x</p>"),
    ("<input disabled title=", "/>"),
    ("<p title=", " lang=", ">", "</p>"),
    ('<p class="a ', " ", ' b">x</p>'),
    ("<p class=a-", "-", "-b>x</p>"),
    ("<p class=", "", ">x</p>"),
    ('<p class="', ' b" title="', '">x</p>'),
    ('<p title=">" lang="', '">x</p>'),
    ("<p ?hidden=", " .data=", " @click=", " title=", ">x</p>"),
    ("<script>1 < 2</script><p>", "</p>"),
    ("<textarea><b title=</textarea><p lang=", ">x</p>"),
    ("<!-- <p title= --><p>", "</p>"),
    ("<template><b></b></template>", ""),
    ("<svg class=", "><title>", "</title><g/><a xlink:href='", "'></a></svg>"),
    ("<select><option>", "</option></select><table><caption>", "</caption><tr><td>", "</table>"),
    ("<ul><li>", "<li title=x", "y>", "</ul>"),
)


@pytest.mark.parametrize("strings", PLACES, ids=range(len(PLACES)))
def test_the_browser_finds_the_holes_where_python_does(lab: Lab, strings: tuple[str, ...]) -> None:
    lab.run(
        f"""
        from string.templatelib import Interpolation, Template
        strings = {strings!r}
        parts = [strings[0]]
        for index, text in enumerate(strings[1:]):
            handler = strings[index].endswith("@click=")
            parts += [Interpolation(None if handler else f"v{{index}}", "v"), text]
        def page(): return html(Template(*parts))
        """
    )
    assert lab.paint("main=page()") == []
    drawn = lab.page.evaluate("() => document.querySelector('[data-root=main]').innerHTML.replaceAll(/<!--.*?-->/g, '')")
    normal = """html => {
      const template = document.createElement("template");
      template.innerHTML = html;
      return template.innerHTML.replaceAll(/<!--.*?-->/g, "");
    }"""
    assert drawn == lab.page.evaluate(normal, lab.run("answer = to_html(page())"))


# --- keyed lists


def test_rows_keep_their_elements_when_they_move(lab: Lab) -> None:
    lab.run(LIST + "\nshown = {item.id: item for item in items('abcdefgh')}\ndef pick(text): return page([shown[x] for x in text])")
    lab.paint("main=pick('abcdef')")
    lab.page.evaluate(MARK)
    for order in ("fedcba", "bdfg", "gfdb", "hgdb"):
        lab.paint(f"main=pick('{order}')")
        assert lab.page.evaluate(ORDER) == order
    assert lab.page.evaluate(MARKS) == "--db"


RECYCLED = """
def recycled(text):
    return html(t"<ul>{each([shown[x] for x in text], key=lambda item: item.id, render=row, recycle=True)}</ul>")
"""


def test_a_list_that_streams_by_fills_the_elements_that_are_there(lab: Lab) -> None:
    lab.run(LIST + "\nshown = {item.id: item for item in items('abcdefgh')}\n" + RECYCLED)
    lab.paint("main=recycled('abcd')")
    lab.page.evaluate(MARK)
    # Most of it is new: no element is made, moved or removed.
    assert set(lab.mutations("main=recycled('efga')")) <= {"characterData", "attributes"}
    assert (lab.page.evaluate(ORDER), lab.page.evaluate(MARKS)) == ("efga", "abcd")
    # Little of it is new: rows keep their elements as in any keyed list.
    lab.paint("main=recycled('hefg')")
    assert (lab.page.evaluate(ORDER), lab.page.evaluate(MARKS)) == ("hefg", "-abc")
    lab.paint("main=recycled('ab')")
    assert lab.page.evaluate(ORDER) == "ab"
    lab.paint("main=recycled('abcdefgh')")
    assert lab.page.evaluate(ORDER) == "abcdefgh"


def test_no_element_is_recycled_while_somebody_is_in_the_list(lab: Lab) -> None:
    lab.run(LIST + "\nshown = {item.id: item for item in items('abcdefgh')}\n" + RECYCLED)
    lab.paint("main=recycled('abcd')")
    lab.page.focus("#d button")
    lab.paint("main=recycled('efgd')")
    assert lab.page.evaluate("() => document.activeElement.closest('li')?.id") == "d"
    assert lab.page.evaluate(ORDER) == "efgd"


def test_an_unchanged_list_touches_nothing_and_a_new_object_touches_its_row(lab: Lab) -> None:
    lab.run(LIST + "\nshown = items('abc')")
    lab.paint("main=page(shown)")
    assert lab.mutations("main=page(shown)") == []
    lab.run("shown[1] = replace(shown[1], name='B')")
    assert lab.mutations("main=page(shown)") == ["characterData"]
    assert lab.text() == "aBc"
    assert lab.run("s = encoder.statistics(); answer = [s.rows_sent, s.rows_same]") == [4, 5]


def test_lists_inside_rows_survive_paints_that_leave_the_row_alone(lab: Lab) -> None:
    lab.run(
        """
        def inner(item): return html(t"<b>{item.name}</b>")
        def row(pair): return html(t"<li id={pair[0]}>{each(pair[1], key=lambda i: i.id, render=inner)}</li>")
        def page(pairs): return html(t"<ul>{each(pairs, key=lambda p: p[0], render=row)}</ul>")
        one, two = ("1", items("ab")), ("2", items("cd"))
        """
    )
    lab.paint("main=page([one, two])")
    lab.paint("main=page([two, one])")
    lab.run("two = ('2', [*two[1], Item('e', 'e')])")
    lab.page.evaluate("() => document.querySelectorAll('b').forEach((inner) => { inner.mark = inner.textContent; })")
    lab.paint("main=page([two, one])")
    assert lab.text() == "cdeab"
    assert lab.page.evaluate("() => [...document.querySelectorAll('b')].map((inner) => inner.mark ?? '-').join('')") == "cd-ab"


def test_focus_survives_a_repaint_and_the_order_waits_for_it(lab: Lab) -> None:
    lab.run(LIST + "\nshown = {item.id: item for item in items('abcdx')}\ndef pick(text): return page([shown[x] for x in text])")
    lab.paint("main=pick('abcd')")
    lab.page.focus("#b button")
    lab.paint("main=pick('dcbax')")
    assert lab.page.evaluate("() => document.activeElement.parentElement.id") == "b"
    assert lab.page.evaluate(ORDER) == "axbcd"  # a new row goes behind its predecessor
    lab.page.evaluate("() => document.activeElement.blur()")
    lab.page.wait_for_function(IN_ORDER, arg="dcbax")
    lab.page.focus("#c button")
    lab.paint("main=pick('dcbax')")
    assert lab.page.evaluate(ORDER) == "dcbax"


def test_focus_survives_when_a_neighbour_is_replaced(lab: Lab) -> None:
    lab.run(LIST + "\nshown = {item.id: item for item in items('abcxy')}\ndef pick(text): return page([shown[x] for x in text])")
    lab.paint("main=pick('bc')")
    lab.page.focus("#b button")
    lab.page.evaluate("() => { window.blurs = 0; document.activeElement.addEventListener('blur', () => { blurs += 1; }); }")
    lab.paint("main=pick('xb')")
    assert lab.page.evaluate(ORDER) == "xb"
    lab.paint("main=pick('ybxa')")
    assert lab.page.evaluate("() => [document.activeElement.parentElement.id, blurs]") == ["b", 0]


def test_a_row_does_not_move_between_press_and_release(lab: Lab) -> None:
    lab.run(LIST + "\nshown = {item.id: item for item in items('abc')}\ndef pick(text): return page([shown[x] for x in text])")
    lab.paint("main=pick('abc')")
    box = lab.page.locator("#a button").bounding_box()
    assert box is not None
    lab.page.mouse.move(box["x"] + 3, box["y"] + 3)
    lab.page.mouse.down()
    lab.paint("main=pick('cba')")
    lab.page.mouse.up()
    assert lab.actions() == [["main", "Pick", {"id": "a"}]]
    lab.page.evaluate("() => document.activeElement.blur()")
    lab.page.wait_for_function(IN_ORDER, arg="cba")


def test_a_list_that_was_replaced_while_it_waited_stays_away(lab: Lab) -> None:
    lab.run(LIST + "\nshown = items('abc')\ndef either(v): return html(t'<div>{v}</div>')")
    lab.paint("main=either(each(shown, key=lambda i: i.id, render=row))")
    lab.page.focus("#a button")
    lab.paint("main=either(each(shown[::-1], key=lambda i: i.id, render=row))")
    lab.paint("main=either('gone')")
    lab.page.evaluate("() => new Promise((done) => setTimeout(() => setTimeout(done)))")
    assert lab.text() == "gone"


# --- controls


FORM = """
class Typed(Action):
    value: str
def page(text, other=0):
    return html(t"<p>{other}</p><form><input .value={text} @input={Typed.on('value')}></form>")
"""


def test_typed_text_is_not_overwritten_by_a_paint_about_something_else(lab: Lab) -> None:
    lab.run(FORM.replace("@input", "@change"))
    lab.paint("main=page('')")
    lab.page.focus("input")
    lab.page.keyboard.type("ab")
    lab.paint("main=page('', 1)")
    assert lab.page.input_value("input") == "ab"
    assert lab.text("p") == "1"
    lab.paint("main=page('from the page', 1)")
    assert lab.page.input_value("input") == "from the page"


def test_a_control_shows_what_the_page_made_of_its_event(lab: Lab) -> None:
    lab.run(FORM)
    lab.paint("main=page('')")
    lab.paint_on_action("main=page('')")
    lab.page.focus("input")
    lab.page.keyboard.type("a")
    assert lab.page.input_value("input") == ""  # refused: the answer says the same as before
    assert lab.actions() == [["main", "Typed", {"value": "a"}]]


def test_a_repaint_leaves_the_caret_where_it_is(lab: Lab) -> None:
    lab.run(FORM)
    lab.paint("main=page('abcd')")
    lab.page.evaluate("() => { const i = document.querySelector('input'); i.focus(); i.setSelectionRange(1, 3); }")
    lab.paint("main=page('abcd', 2)")
    assert lab.page.evaluate("() => { const i = document.querySelector('input'); return [i.selectionStart, i.selectionEnd]; }") == [
        1,
        3,
    ]


def test_a_checkbox_goes_back_when_its_action_is_refused(lab: Lab) -> None:
    lab.run(
        """
        class Toggle(Action):
            checked: bool
        def page(on): return html(t"<input type=checkbox .checked={on} @change={Toggle.on('checked')}>")
        """
    )
    lab.paint("main=page(False)")
    lab.paint_on_action("main=page(False)")
    lab.page.click("input")
    assert lab.actions() == [["main", "Toggle", {"checked": True}]]
    assert lab.page.is_checked("input") is False
    lab.paint("main=page(True)")
    assert lab.page.is_checked("input") is True


def test_a_select_takes_its_value_although_its_options_come_after_it(lab: Lab) -> None:
    lab.run(
        """
        def page(chosen, options):
            return html(t"<select .value={chosen}>{[html(t'<option value={o}>{o}</option>') for o in options]}</select>")
        """
    )
    lab.paint("main=page('b', 'abc')")
    assert lab.page.input_value("select") == "b"
    lab.paint("main=page('c', 'cab')")
    assert lab.page.input_value("select") == "c"


# --- events


def test_events_carry_the_fields_that_the_action_declares(lab: Lab) -> None:
    lab.run(
        """
        class Move(Action):
            start: float
            end: float
            chart: str = ""
        class Row(Action):
            job_id: str
            shift_key: bool
        class Key(Action):
            key: str
        def page():
            return html(t'''<x-chart @range={Move.on('start', 'end', chart='c')}></x-chart>
              <table @click={Row.on('job_id', 'shift_key')}><tr data-job-id="j7"><td><i>cell</i></td></tr></table>
              <input @keydown={Key.on('key', key=('Enter', 'Escape'), prevent=True)}>''')
        """
    )
    lab.paint("side=page()")
    lab.page.evaluate(
        "() => document.querySelector('x-chart').dispatchEvent(new CustomEvent('range', { detail: { start: 1.5, end: 2 } }))"
    )
    lab.page.click("i", modifiers=["Shift"])
    lab.page.focus("input")
    for key in ("a", "Enter", "Escape"):
        lab.page.keyboard.press(key)
    assert lab.actions() == [
        ["side", "Move", {"start": 1.5, "end": 2.0, "chart": "c"}],
        ["side", "Row", {"job_id": "j7", "shift_key": True}],
        ["side", "Key", {"key": "Enter"}],
        ["side", "Key", {"key": "Escape"}],
    ]
    assert lab.page.input_value("input") == "a"


def test_a_form_is_sent_as_an_action_and_not_by_the_browser(lab: Lab) -> None:
    lab.run(
        """
        class Save(Action):
            name: str
            count: int | None
            on: bool
            size: str
            tags: list[str]
            many: list[str]
            op: str
        def page():
            return html(t'''<form @submit={Save.on("name", "count", "on", "size", "tags", "many", "op", prevent=True)}>
              <input name=name .value={"n"}><input name=count type=number><input name=on type=checkbox ?checked={True}>
              <input type=radio name=size value=s><input type=radio name=size value=l checked>
              <input type=checkbox name=tags value=x checked><input type=checkbox name=tags value=y>
              <select name=many multiple><option selected>1<option>2<option selected>3</select>
              <button name=op value=go>Go</button></form>''')
        """
    )
    lab.paint("main=page()")
    lab.page.click("button")
    expected = {"name": "n", "count": None, "on": True, "size": "l", "tags": ["x"], "many": ["1", "3"], "op": "go"}
    assert lab.actions() == [["main", "Save", expected]]
    assert lab.page.evaluate("() => location.search") == ""


def test_handlers_say_the_arguments_of_the_latest_paint_and_big_numbers_stay_exact(lab: Lab) -> None:
    lab.run(
        """
        class Go(Action):
            n: int
        def page(n, active=True): return html(t"<button @click={active and Go(n=n)}>x</button>")
        """
    )
    lab.paint("main=page(1)")
    lab.paint("main=page(2**60 + 1)")
    lab.page.click("button")
    lab.paint("main=page(3, False)")
    lab.page.click("button")
    assert lab.actions() == [["main", "Go", {"n": 2**60 + 1}]]


def test_stopped_events_do_not_reach_the_outer_handler(lab: Lab) -> None:
    lab.run(
        """
        class Go(Action):
            n: int
        def page(): return html(t"<div @click={Go(n=1)}><button @click={Go.on(n=2, stop=True)}>x</button></div>")
        """
    )
    lab.paint("main=page()")
    lab.page.click("button")
    assert lab.actions() == [["main", "Go", {"n": 2}]]


def test_an_event_that_drawing_itself_causes_is_sent_when_drawing_is_done(lab: Lab) -> None:
    lab.page.evaluate(
        """() => customElements.define("x-eager", class extends HTMLElement {
          connectedCallback() { this.dispatchEvent(new Event("made", { bubbles: true })); }
        })"""
    )
    lab.run(
        """
        class Made(Action):
            pass
        def page(on): return html(t"<div @made={Made()}>{on and html(t'<x-eager></x-eager>')}</div>")
        """
    )
    lab.paint("main=page(False)")
    seen = lab.page.evaluate(
        "json => { let inside = true; window.onAction = () => { window.when = inside; }; bridge.paint(json); inside = false; }",
        lab.encode("main=page(True)"),
    )
    assert seen is None
    lab.page.wait_for_function("() => window.when === false")
    assert lab.actions() == [["main", "Made", {}]]


# --- roots and errors


def test_a_root_that_fails_in_python_leaves_the_others_alone(lab: Lab) -> None:
    lab.run("def bad(): raise ValueError('no such <job>')")
    lab.paint("main=bad, side=html(t'<p>fine</p>')")
    assert lab.text("[data-root=side]") == "fine"
    assert lab.text("[data-root=main] .boundary p") == "This panel could not be drawn."
    assert "no such <job>" in lab.text("[data-root=main] details")
    assert lab.run("answer = [e.root for e in encoder.errors]") == ["main"]
    lab.paint("main=html(t'<p>again</p>')")
    assert lab.text() == "again"


def test_a_root_that_fails_in_the_browser_leaves_the_others_alone_and_recovers(lab: Lab) -> None:
    lab.expected_errors = ("broken setter",)
    lab.page.evaluate(
        """() => customElements.define("x-bad", class extends HTMLElement {
          set points(value) { if (value) throw new Error("broken setter"); }
        })"""
    )
    lab.run(LIST + "\nshown = items('ab')\ndef either(v): return html(t'<div>{page(shown)}<x-bad .points={v}></x-bad></div>')")
    lab.paint("main=either(0)")
    assert lab.paint("main=either(1), side=html(t'<p>fine</p>')") == [["main", "Error: broken setter"]]
    assert lab.text("[data-root=side]") == "fine"
    assert lab.text("[data-root=main] .boundary p") == "This panel could not be drawn."
    assert lab.run("answer = encoder.errors[-1].message") == "PaintError: Error: broken setter"
    assert lab.paint("main=either(0)") == []
    assert lab.page.evaluate(ORDER) == "ab"


def test_a_missing_root_is_reported_and_drawn_when_it_is_there(lab: Lab) -> None:
    lab.run(LIST + "\nshown = items('ab')")
    assert lab.paint("late=page(shown)") == [["late", 'There is no element with data-root="late".']]
    lab.run("def layout(): return html(t'<section data-root=late></section>')")
    assert lab.paint("main=layout(), late=page(shown)") == []
    assert lab.page.evaluate(ORDER) == "ab"


def test_a_root_whose_element_was_replaced_is_drawn_anew_even_when_nothing_in_it_changed(lab: Lab) -> None:
    lab.run(
        LIST
        + """
shown = items('abc')
def narrow(): return html(t"<section><div data-root=inner></div></section>")
def wide(): return html(t"<main><div data-root=inner></div></main>")
"""
    )
    lab.paint("main=narrow(), inner=page(shown)")
    lab.paint("main=wide(), inner=page(shown)")
    assert lab.page.evaluate(ORDER) == "abc"
    lab.paint("main=narrow()")
    assert lab.page.evaluate(ORDER) == "abc"
    assert lab.mutations("inner=page(shown)") == []
    lab.page.click("#b button")
    assert lab.actions() == [["inner", "Pick", {"id": "b"}]]


def test_a_forgotten_root_is_empty_and_can_be_drawn_again(lab: Lab) -> None:
    lab.run(LIST + "\nshown = items('ab')")
    lab.paint("main=page(shown)")
    lab.run("encoder.forget('main')")
    lab.page.evaluate("() => bridge.forget('main')")
    assert lab.text() == ""
    lab.paint("main=page(shown)")
    assert lab.page.evaluate(ORDER) == "ab"


def test_what_is_removed_with_the_focus_is_told_of_when_all_of_it_is_gone(lab: Lab) -> None:
    lab.run(
        """
class Left(Action):
    pass
def page(): return html(t"<div @focusout={Left()}><button>x</button></div>")
"""
    )
    lab.paint("main=page()")
    lab.page.focus("button")
    lab.run("encoder.forget('main')")
    during = lab.page.evaluate("() => { bridge.forget('main'); return [sent.length, document.querySelector('button')]; }")
    assert during == [0, None]
    assert lab.actions() in ([["main", "Left", {}]], [])  # Firefox says nothing of what is removed


# --- safety


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_is_only_text_in_every_hole(lab: Lab, text: str) -> None:
    lab.run(
        """
        class Send(Action):
            text: str
        def page(v):
            return html(t'''<p id=a title={v} class="x {v} y" .value={v} ?hidden={v} .style={{"--v": v}} .data={[v]}
                @click={v.isprintable() and Send(text=v)}>{v}</p>
              <ul>{each([v], key=lambda v: v, render=lambda v: html(t"<li>{v}</li>"))}</ul>
              <svg><title>{v}</title>{svg(t"<text class={v}>{v}</text>")}</svg><textarea .value={v}></textarea>
              <a href={v}>link</a>''')
        """
    )
    lab.run(f"hostile = {text!r}")
    assert lab.paint("main=page(hostile)") == []
    lab.paint("main=page(hostile)")
    shown: Any = lab.page.evaluate(
        """() => {
          const p = document.querySelector("#a"), q = (s) => document.querySelector(s).textContent;
          return [p.textContent, p.title, p.className.slice(2, -2), p.value, p.data[0], q("li"), q("title:not(head *)"), q("text")];
        }"""
    )
    expected = text.replace("\ud800", "\ufffd")
    assert set(shown) == {expected}
    assert lab.page.evaluate("() => document.querySelectorAll('[data-root=main] *').length") == 8
    if text.startswith("javascript:"):
        assert lab.page.evaluate("() => document.querySelector('a').href").startswith("unsafe:")
        lab.page.evaluate("() => document.querySelector('a').click()")


def test_a_thousand_paints_leave_no_nodes_and_no_listeners_behind(lab: Lab) -> None:
    if lab.engine != "chromium":
        pytest.skip("Only Chromium counts its nodes.")
    lab.run(
        LIST
        + """
def paints(count, start=0):
    out = []
    for n in range(start, start + count):
        shown = [Item(str(i), f"{i} {n}") for i in range(n % 7, n % 7 + 20)]
        out.append(encoder.paint({"main": html(t"{page(shown) if n % 5 else html(t'<p>{n}</p>')}"), "side": html(t"<b>{n}</b>")}))
    return out
"""
    )
    session = lab.page.context.new_cdp_session(lab.page)
    devtools = cast("Callable[[str], dict[str, Any]]", session.send)  # pyright: ignore[reportUnknownMemberType]
    devtools("Performance.enable")

    def collected() -> dict[str, float]:
        devtools("HeapProfiler.collectGarbage")
        metrics: list[dict[str, Any]] = devtools("Performance.getMetrics")["metrics"]
        return {entry["name"]: entry["value"] for entry in metrics if entry["name"] in ("Nodes", "JSEventListeners")}

    def counted() -> dict[str, float]:
        """What is left when collecting frees nothing more: one pass may leave a generation that a stack still seems to hold."""
        rounds = [collected() for _ in range(8)]
        return {name: min(one[name] for one in rounds) for name in rounds[0]}

    def paint_many(start: int) -> None:
        texts = lab.run(f"answer = paints(70, {start})")
        lab.page.evaluate("texts => { texts.forEach((text) => bridge.paint(text)); }", texts)

    paint_many(0)
    before = counted()
    for start in range(70, 1_120, 70):
        paint_many(start)
    after = counted()
    assert after["JSEventListeners"] == before["JSEventListeners"]
    assert after["Nodes"] <= before["Nodes"] + 5
    assert json.loads(lab.run("answer = json.dumps(encoder.statistics().lists)")) <= 1
