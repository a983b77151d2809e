"""Steps that run only when their inputs changed.

`web/.cache/<step>/` holds what a step made and, in `.key`, the hash of everything it was made from. A step that was
interrupted leaves no `.key` and runs again.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Callable, Generator, Iterable
from pathlib import Path

from . import places


@contextlib.contextmanager
def exclusive() -> Generator[None]:
    """Let one build at a time work in the cache: `make run`, `make test` and an editor may start theirs together."""
    places.CACHE.mkdir(exist_ok=True)
    with open(places.CACHE / "lock", "w", encoding="utf-8") as lock:
        try:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX)
        except ImportError:
            pass  # Windows has no flock: there two builds at once are the user's to avoid.
        yield


def digest(*parts: bytes | str | Path) -> str:
    """A short hash over `parts` in their order; a path stands for the file's content."""
    total = hashlib.sha256()
    for part in parts:
        content = part.read_bytes() if isinstance(part, Path) else part.encode() if isinstance(part, str) else part
        total.update(len(content).to_bytes(8, "little"))
        total.update(content)
    return total.hexdigest()[:16]


def tree_digest(paths: Iterable[Path]) -> str:
    """A hash over names and contents of `paths`, files or directories; a missing one counts as empty."""
    total = hashlib.sha256()
    for base in paths:
        files = sorted(p for p in base.rglob("*") if p.is_file()) if base.is_dir() else [base]
        for file in files:
            if "__pycache__" in file.parts or not file.is_file():
                continue
            total.update(f"{file.relative_to(places.ROOT)}\0{digest(file)}\n".encode())
    return total.hexdigest()[:16]


def step(name: str, key: str, make: Callable[[Path], None]) -> Path:
    """The directory of the step `name`, after `make(directory)` filled it, unless it was filled with the same `key`."""
    folder = places.CACHE / name
    mark = folder / ".key"
    if mark.is_file() and mark.read_text(encoding="utf-8") == key:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    make(folder)
    mark.write_text(key, encoding="utf-8")
    return folder


def sync(files: dict[str, bytes], out: Path) -> bool:
    """Make the directory `out` hold exactly `files` (posix path → content); says whether anything changed.

    Each file is replaced at once, so a server that reads meanwhile sees the old or the new one, never half of it.
    """
    changed = False
    for name, content in files.items():
        target = out / name
        if target.is_file() and target.stat().st_size == len(content) and target.read_bytes() == content:
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = target.with_name(f".{target.name}.new")
        fresh.write_bytes(content)
        os.replace(fresh, target)
        changed = True
    for path in sorted(out.rglob("*"), reverse=True):
        if path.is_file() and path.relative_to(out).as_posix() not in files:
            path.unlink()
            changed = True
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()
    return changed
