"""Where a hole stands in a template's text, and so what may go into it.

The scanner follows lit-html's own (`getTemplateHtml`, version 3): the same five states and the same expressions, so
that both agree on what is an attribute. Where lit would go wrong silently in its production build (a hole in a
comment, in a tag's name, after half an attribute's name, in `<template>`), this one raises a `TemplateError`, once, at
the first evaluation.

    state       ends with                       a hole there is
    TEXT        a tag or a comment opens        a child
    TAG         `>`, or a quoted value opens    an attribute, if `name=` stands before it
    DOUBLE      `"`                             an attribute, or a part of one
    SINGLE      `'`                             an attribute, or a part of one
    COMMENT     `-->`                           an error
    BOGUS       `>` of `</…` or the like        an error
    RAW         the element's end tag           text in `<title>`, else an error

An attribute's first character says what it is: `@event`, `.property`, `?boolean`, or a plain attribute. `style` is an
error, because the page's policy blocks it; `.style={{"--w": "40%"}}` goes through the CSSOM.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum, IntEnum, auto
from typing import Final, NoReturn

from pyapp.ui.errors import TemplateError


class HoleKind(IntEnum):
    """What a hole is; the numbers are the wire's, `web/src/bridge/values.mjs` has the same."""

    CHILD = 0
    TEXT = 1
    ATTRIBUTE = 2
    PART = 3
    BOOLEAN = 4
    PROPERTY = 5
    FIELD = 6
    STYLE = 7
    EVENT = 8


@dataclass(frozen=True, slots=True, eq=False)
class Hole:
    """One hole.

    Attributes:
        kind: what it is.
        name: the attribute's, property's or event's name, empty for a child.
        tag: the element it belongs to, in small letters; empty for a child.
        in_svg: whether a child here is SVG.
        url: whether its text is an address that must not be a script.
        plain: whether text goes in just as it is, which is the encoder's short way.
        start: where ` name="` begins in the text before the attribute's first hole.
        end: where the text goes on behind the attribute, in the text after its last hole.
        first, last: its place among the holes of one attribute.
        prefix: the attribute's own text before its first hole.
    """

    kind: HoleKind
    name: str = ""
    tag: str = ""
    in_svg: bool = False
    url: bool = False
    plain: bool = True
    start: int = 0
    end: int = 0
    first: bool = True
    last: bool = True
    prefix: str = ""


class _State(Enum):
    TEXT = auto()
    TAG = auto()
    DOUBLE = auto()
    SINGLE = auto()
    COMMENT = auto()
    BOGUS = auto()
    RAW = auto()


_UNCLOSED: Final = {
    _State.TAG: "a tag",
    _State.DOUBLE: "a quoted value",
    _State.SINGLE: "a quoted value",
    _State.COMMENT: "a comment",
    _State.BOGUS: "a comment",
    _State.RAW: "an element that takes only text",
}


_SPACE = r"[ \t\n\f\r]"
_VALUE = r"[^ \t\n\f\r\"'`<>=]"
_TEXT_END = re.compile(r"<(?:(!--|/[^a-zA-Z])|(/?[a-zA-Z][^>\s]*)|(/?\Z))")
_TAG_END = re.compile(rf""">|{_SPACE}(?:([^\s"'>=/]+)({_SPACE}*={_SPACE}*)(?:({_VALUE})|("|')|)|\Z)""")
_SINGLE_END = re.compile("'")
_DOUBLE_END = re.compile('"')
_COMMENT_END = re.compile("-->")
_BOGUS_END = re.compile(">")
_VALUE_RUN = re.compile(rf"(?:(?!/>){_VALUE}+)?")
_RAW_ELEMENT = re.compile(r"(?i)(?:script|style|textarea|title)\Z")

_EXPRESSIONS: Final = {
    _State.TEXT: _TEXT_END,
    _State.TAG: _TAG_END,
    _State.DOUBLE: _DOUBLE_END,
    _State.SINGLE: _SINGLE_END,
    _State.COMMENT: _COMMENT_END,
    _State.BOGUS: _BOGUS_END,
}

URLS: Final = frozenset({"href", "src", "action", "formaction", "xlink:href", "data", "poster", "ping"})
_MARKUP: Final = frozenset({"innerhtml", "outerhtml", "srcdoc"})
_BOOLEANS: Final = frozenset(
    {
        *("allowfullscreen", "async", "autofocus", "autoplay", "checked", "controls", "default", "defer", "disabled"),
        *("formnovalidate", "hidden", "inert", "ismap", "itemscope", "loop", "multiple", "muted", "nomodule"),
        *("novalidate", "open", "playsinline", "readonly", "required", "reversed", "selected"),
    }
)
# An address that has one of these before its first hole has its scheme fixed by the author.
_FIXES_SCHEME = re.compile(r"[/?#:]")


@dataclass(slots=True)
class _Attribute:
    name: str
    start: int
    quoted: bool
    texts: list[str] = field(default_factory=list[str])
    holes: list[int] = field(default_factory=list[int])


class _Scanner:
    def __init__(self, strings: tuple[str, ...], *, svg: bool) -> None:
        self.strings = strings
        self.state = _State.TEXT
        self.holes: list[Hole | None] = [None] * (len(strings) - 1)
        self.tag = ""
        self.closing = False
        self.raw = ""
        self.attribute: _Attribute | None = None
        self.value_start = 0
        self.bound: set[str] = set()
        self.spaces = [svg]  # whether children are SVG, by element, innermost last
        self.templates = 0

    def fail(self, why: str) -> NoReturn:
        around = "{…}".join(self.strings)
        raise TemplateError(f"{why} (in {' '.join(around.split())[:160]!r})", self.strings)

    def scan(self) -> tuple[Hole, ...]:
        last = len(self.strings) - 1
        for index, text in enumerate(self.strings):
            self._text(index, text)
            if index < last:
                self._hole(index, text)
        if self.state is not _State.TEXT:
            self.fail(f"The template ends inside {_UNCLOSED[self.state]}: close it in the same template.")
        return tuple(hole for hole in self.holes if hole is not None)

    # --- static text

    def _text(self, index: int, text: str) -> None:
        self.value_start = 0
        position = self._continue_unquoted(index, text)
        while position < len(text):
            match = self._expression().search(text, position)
            if match is None:
                break
            position = match.end()
            self._step(index, text, match)

    def _expression(self) -> re.Pattern[str]:
        if self.state is _State.RAW:
            return re.compile(f"</{re.escape(self.raw)}")
        return _EXPRESSIONS[self.state]

    def _continue_unquoted(self, index: int, text: str) -> int:
        """Text that belongs to an unquoted value before it: `class={a}-b`."""
        attribute = self.attribute
        if self.state is not _State.TAG or attribute is None or not attribute.holes:
            return 0
        run = _VALUE_RUN.match(text)
        assert run is not None
        if run.end() == len(text) and index < len(self.strings) - 1:
            return run.end()
        if not re.match(rf"{_SPACE}|/?>", text[run.end() :]):
            self.fail(f"The value of {attribute.name!r} needs quotes.")
        self._close(index, run.group(), run.end())
        # lit starts at the beginning too; nothing of the run can match there.
        return run.end()

    def _step(self, index: int, text: str, match: re.Match[str]) -> None:
        state = self.state
        if state is _State.TEXT:
            self._open(match)
        elif state is _State.TAG:
            self._in_tag(text, match)
        elif state in (_State.DOUBLE, _State.SINGLE):
            if self.attribute is not None and self.attribute.holes:
                self._close(index, text[self.value_start : match.start()], match.end())
            self.attribute = None
            self.state = _State.TAG
        elif state is _State.RAW:
            self.state, self.tag, self.closing, self.raw = _State.TAG, self.raw.lower(), True, ""
        else:
            self.state = _State.TEXT

    def _open(self, match: re.Match[str]) -> None:
        comment, tag, dynamic = match.groups()
        if comment is not None:
            self.state = _State.COMMENT if comment == "!--" else _State.BOGUS
        elif tag is not None:
            self.state = _State.TAG
            self.closing = tag.startswith("/")
            self.tag = tag.strip("/").lower()
            self.raw = tag if _RAW_ELEMENT.match(tag) else ""
            self.attribute = None
            self.bound = set()
        else:
            assert dynamic is not None
            self.fail("A hole cannot be a tag's name: write two templates and choose between them.")

    def _in_tag(self, text: str, match: re.Match[str]) -> None:
        name, _equals, first, quote = match.groups()
        if name is not None:
            self._check_static(name)
            self.attribute = _Attribute(name, match.start(), quote is not None)
            self.value_start = match.end() - (1 if first else 0)
            if quote is not None:
                self.state = _State.DOUBLE if quote == '"' else _State.SINGLE
        elif match.group() == ">":
            self.attribute = None
            self._end_tag(self_closing=text[: match.start()].endswith("/"))

    def _end_tag(self, *, self_closing: bool) -> None:
        self.state = _State.RAW if self.raw else _State.TEXT
        if self.tag == "template":
            self.templates += -1 if self.closing else 1
        elif self.tag in ("svg", "foreignobject"):
            if self.closing:
                if len(self.spaces) > 1:
                    self.spaces.pop()
            elif not self_closing:
                self.spaces.append(self.tag == "svg")

    def _check_static(self, name: str) -> None:
        lower = name.lower()
        if lower == "style":
            self.fail("The page's policy blocks style attributes: use a class, or .style={{'--name': value}}.")
        if lower.startswith("on") and len(lower) > 2:
            self.fail(f"The page's policy blocks {name!r} attributes: write @{lower[2:]}={{an action}}.")

    # --- holes

    def _hole(self, index: int, text: str) -> None:
        if self.state is _State.TEXT:
            if self.templates > 0:
                self.fail("A hole cannot stand inside <template>.")
            self.holes[index] = Hole(HoleKind.CHILD, in_svg=self.spaces[-1])
        elif self.state in (_State.COMMENT, _State.BOGUS):
            self.fail("A hole cannot stand in a comment: take it out, or use a comment of Python.")
        elif self.state is _State.RAW:
            self._raw_hole(index)
        else:
            self._attribute_hole(index, text)

    def _raw_hole(self, index: int) -> None:
        tag = self.raw.lower()
        if tag == "title":
            self.holes[index] = Hole(HoleKind.TEXT, tag=tag)
        elif tag == "textarea":
            self.fail("A hole cannot stand inside <textarea>: use its .value.")
        else:
            self.fail(f"A hole cannot stand inside <{tag}>.")

    def _attribute_hole(self, index: int, text: str) -> None:
        attribute = self.attribute
        begins_here = attribute is not None and not attribute.holes
        if self.state is _State.TAG:
            rest = text[self.value_start :]
            if attribute is None or re.fullmatch(rf"{_VALUE}*", rest) is None:
                self._misplaced(text)
        assert attribute is not None
        if self.closing:
            self.fail("A closing tag takes no attributes.")
        attribute.texts.append(text[self.value_start :])
        if begins_here:
            self._begin(attribute)
        attribute.holes.append(index)

    def _misplaced(self, text: str) -> NoReturn:
        if not text[-1:].isspace() and re.search(r"<[^\s>]*\Z", text):
            self.fail("A hole cannot be part of a tag's name: write two templates and choose between them.")
        self.fail("A hole cannot be an attribute's name, nor stand in a tag by itself: write name={value}, or ?name={condition}.")

    def _begin(self, attribute: _Attribute) -> None:
        lower = attribute.name.lower()
        if self.tag == "script":
            self.fail("A hole cannot stand in a <script> tag.")
        if lower in self.bound:
            self.fail(f"The attribute {attribute.name!r} stands twice in <{self.tag}>.")
        self.bound.add(lower)

    def _close(self, index: int, suffix: str, end: int) -> None:
        """The attribute ends in the text `index`; now all of its holes are known."""
        attribute = self.attribute
        assert attribute is not None
        texts = [*attribute.texts, suffix]
        alone = len(attribute.holes) == 1 and not any(texts)
        sigil, name = ("", attribute.name) if attribute.name[0] not in "@.?" else (attribute.name[0], attribute.name[1:])
        if not name:
            self.fail(f"{sigil!r} needs a name behind it.")
        if sigil and not alone:
            self.fail(f"{attribute.name!r} takes exactly one hole and no other text.")
        kind = self._kind(sigil, name, alone=alone)
        url = name.lower() in URLS and kind in (HoleKind.ATTRIBUTE, HoleKind.PROPERTY)
        if kind is HoleKind.PART and name.lower() in URLS and not _FIXES_SCHEME.search(texts[0]):
            self.fail(
                f"The address {name!r} must begin with fixed text such as '#/', or be one hole: else a value could make it a script."
            )
        plain = kind in (HoleKind.ATTRIBUTE, HoleKind.PART, HoleKind.FIELD, HoleKind.PROPERTY)
        plain = plain and not url and name != "checked"
        for hole in attribute.holes:
            self.holes[hole] = Hole(
                kind, name, self.tag, url=url, plain=plain, start=attribute.start, end=end,
                first=hole == attribute.holes[0], last=hole == attribute.holes[-1], prefix=texts[0],
            )  # fmt: skip
        self.attribute = None

    def _kind(self, sigil: str, name: str, *, alone: bool) -> HoleKind:
        lower = name.lower()
        if lower in _MARKUP:
            self.fail(f"{name!r} would make markup of a value: use a nested template.")
        if sigil == "@":
            return HoleKind.EVENT
        if sigil == "?":
            return HoleKind.BOOLEAN
        if sigil == ".":
            if name == "style":
                return HoleKind.STYLE
            return HoleKind.FIELD if name in ("value", "checked") else HoleKind.PROPERTY
        if lower in _BOOLEANS:
            self.fail(f"{name!r} counts by being there: write ?{name}={{condition}}.")
        return HoleKind.ATTRIBUTE if alone else HoleKind.PART


def scan(strings: tuple[str, ...], *, svg: bool) -> tuple[Hole, ...]:
    """The holes of a template, one for each place between two strings.

    Raises:
        TemplateError: a hole stands where no value may go, or the text has what the page's policy forbids.
    """
    return _Scanner(strings, svg=svg).scan()
