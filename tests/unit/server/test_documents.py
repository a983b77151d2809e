"""The documents that jobs leave behind are what they say they are."""

from __future__ import annotations

import re
import struct
import zlib
from xml.etree import ElementTree

from hypothesis import given, settings
from hypothesis import strategies as st

from server_stub.sources import sim_content
from server_stub.sources.local import documents


@settings(derandomize=True, max_examples=30, deadline=None)
@given(st.lists(st.floats(0, 100), max_size=50))
def test_an_image_has_every_line_and_whole_chunks(values: list[float]) -> None:
    data = documents.png(values)
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, kinds, pixels = 8, list[bytes](), b""
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        assert struct.unpack(">I", data[at + 8 + length : at + 12 + length]) == (zlib.crc32(kind + body),)
        kinds.append(kind)
        pixels += zlib.decompress(body) if kind == b"IDAT" else b""
        at += 12 + length
    assert kinds == [b"IHDR", b"PLTE", b"IDAT", b"IEND"]
    assert len(pixels) == documents.HEIGHT * (documents.WIDTH + 1)
    assert set(pixels) <= {0, 1, 2}


def test_a_drawing_and_a_page_hold_what_they_are_given_as_text() -> None:
    drawn = ElementTree.fromstring(documents.svg("a < b & c", 40))
    assert "a < b & c: 40.0 %" in "".join(drawn.itertext())
    page = documents.page("<b>", [("<script>", "1")]).decode()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_a_pdfs_table_points_at_its_objects() -> None:
    data = documents.pdf("Title (1)", ["a\\b", "c)"])
    assert data.startswith(b"%PDF-1.4")
    table = int(re.findall(rb"startxref\n(\d+)", data)[0])
    assert data[table : table + 4] == b"xref"
    places = [int(one) for one in re.findall(rb"(\d{10}) 00000 n", data)]
    assert [data[place:].split(b" ", 1)[0] for place in places] == [b"1", b"2", b"3", b"4", b"5"]
    stream = re.findall(rb"stream\n(.*)\nendstream", data, re.DOTALL)[0]
    assert int(re.findall(rb"/Length (\d+)", data)[0]) == len(stream)
    assert rb"(Title \(1\))" in stream
    assert rb"(a\\b)" in stream


def test_what_a_simulated_job_leaves_depends_on_its_id_alone() -> None:
    first, again = (list(sim_content.artifacts("nightly_report", "job_1", 5)) for _ in range(2))
    assert first == again
    assert [one.content_type.partition(";")[0] for one in first] == [
        "application/json",
        "text/plain",
        "image/png",
        "text/html",
        "application/pdf",
    ]
    assert list(sim_content.artifacts("send_receipt", "job_1", 5)) == []
    told = sim_content.traceback("resize_image", "job_1", "ValueError: x")
    assert told.splitlines()[:2] == ["ValueError: x", "Traceback (most recent call last):"]
    assert sim_content.traceback("resize_image", "job_1", "ValueError: x") == told
