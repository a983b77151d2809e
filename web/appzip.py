"""The application archive: the Python files that the browser runs, as one zip file.

`build.py` puts byte code into it for a site that is shipped; `python -m server_stub --dev` calls `build_app_zip` at
every request, so that an edited file needs a reload of the page and nothing else. The same files give the same bytes.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from pathlib import Path

PACKAGE = "pyapp"
# Fakes and scripted servers for tests: shipped with the package, of no use in the page.
LEFT_OUT = ("core/testing/",)
# A fixed time makes the archive a function of its content (1980 is the oldest that a zip file can say).
EPOCH = (1980, 1, 1, 0, 0, 0)


def app_sources(root: Path) -> list[str]:
    """The application's Python files below the repository `root`, as sorted posix paths that begin with `pyapp/`."""
    package = root / PACKAGE
    names = (path.relative_to(package).as_posix() for path in sorted(package.rglob("*.py")))
    return [f"{PACKAGE}/{name}" for name in names if not name.startswith(LEFT_OUT)]


def write_archive(entries: Iterable[tuple[str, bytes]]) -> bytes:
    """A zip file with `entries` (name, content) in their order."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in entries:
            archive.writestr(zipfile.ZipInfo(name, EPOCH), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def build_app_zip(root: Path) -> bytes:
    """The archive with plain sources, straight from the working tree at `root`."""
    return write_archive((name, (root / name).read_bytes()) for name in app_sources(root))
