"""Compressed siblings (`.br`, `.gz`) for servers that can send them; a plain static host does without."""

from __future__ import annotations

import gzip
import importlib
import os
from typing import Any

from . import places
from .cache import digest

# Already compressed inside: another round gains nothing.
PACKED = (".woff2", ".whl", ".zip", "/snapshot.bin")
SMALLEST = 1024
# Brotli's best level takes half a minute for the runtime; level 9 takes two seconds for 5 % more bytes.
BIG = 1_000_000


def siblings(files: dict[str, bytes]) -> dict[str, bytes]:
    """The compressed siblings of `files`, kept in the cache by content."""
    brotli = import_brotli()
    kept = places.CACHE / "compressed"
    kept.mkdir(parents=True, exist_ok=True)
    wanted: set[str] = set()
    made: dict[str, bytes] = {}
    for name, content in files.items():
        if name.endswith(PACKED) or len(content) < SMALLEST:
            continue
        for suffix in (".br", ".gz") if brotli else (".gz",):
            cached = kept / (digest(content) + suffix)
            wanted.add(cached.name)
            if not cached.is_file():
                packed = pack(content, suffix, brotli)
                fresh = cached.with_suffix(f".{os.getpid()}")
                fresh.write_bytes(packed)
                os.replace(fresh, cached)
            made[name + suffix] = cached.read_bytes()
    for path in kept.iterdir():
        if path.name not in wanted:
            path.unlink()
    return made


def import_brotli() -> Any:
    """The brotli module, or None where it is not installed: then there are only `.gz` siblings."""
    try:
        return importlib.import_module("brotli")
    except ImportError:
        return None


def pack(content: bytes, suffix: str, brotli: Any) -> bytes:
    """`content` compressed for `suffix`."""
    if suffix == ".gz":
        return gzip.compress(content, 9, mtime=0)
    packed: bytes = brotli.compress(content, quality=9 if len(content) > BIG else 11)
    return packed
