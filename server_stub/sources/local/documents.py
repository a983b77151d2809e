"""Documents made in code: an image, a drawing, a page and a PDF, so that a job leaves something behind that is worth a look."""

import struct
import zlib
from collections.abc import Sequence
from html import escape

WIDTH, HEIGHT = 320, 120


def png(values: Sequence[float]) -> bytes:
    """Bars of 0..100 as an image: 8-bit palette, one colour for the ground, one for the bars, one for those above 80."""
    palette = bytes((247, 250, 251, 0, 122, 163, 200, 60, 40))
    step = WIDTH / max(1, len(values))
    rows: list[bytes] = []
    for y in range(HEIGHT):
        level = 100 * (HEIGHT - y) / HEIGHT
        row = bytearray(WIDTH)
        for number, value in enumerate(values):
            if value >= level:
                left, right = int(number * step), max(int(number * step) + 1, int((number + 1) * step) - 1)
                row[left:right] = bytes([2 if value > 80 else 1]) * (right - left)
        rows.append(b"\0" + bytes(row))
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 3, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"PLTE", palette), (b"IDAT", zlib.compress(b"".join(rows), 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def svg(label: str, percent: float) -> bytes:
    """A share of 0..100 as a drawing."""
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 240 60" width="480" height="120" font-family="sans-serif">'
        f'<text x="10" y="22" font-size="14">{escape(label)}: {percent:.1f} %</text><rect x="10" y="32" width="220" height="14" '
        f'fill="#dfe8ea"/><rect x="10" y="32" width="{2.2 * percent:.1f}" height="14" fill="#007aa3"/></svg>'
    ).encode()


def page(title: str, rows: Sequence[tuple[str, str]]) -> bytes:
    """A report as a page of HTML."""
    cells = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows)
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(title)}</title>"
        "<style>body{font:15px sans-serif;margin:2rem}th{text-align:left;padding-right:2rem;font-weight:400;color:#556}"
        "td{text-align:right;font-variant-numeric:tabular-nums}"
        f"</style><h1>{escape(title)}</h1><table>{cells}</table></html>"
    ).encode()


def pdf(title: str, lines: Sequence[str]) -> bytes:
    """One page of text as a PDF, in one of the fonts that every reader has."""
    words = "".join(f"({_literal(line)}) Tj T* " for line in lines)
    text = f"BT /F1 20 Tf 56 770 Td ({_literal(title)}) Tj /F1 12 Tf 18 TL 0 -36 Td {words}ET".encode("latin-1", "replace")
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    out, places = bytearray(b"%PDF-1.4\n"), list[int]()
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(out)
    entries = b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, entries)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table)
    return bytes(out)


def _literal(text: str) -> str:
    return text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
