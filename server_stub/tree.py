"""``--dev``: the application archive straight from the working tree, so that an edited file needs a reload and nothing else."""

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def archive_maker() -> Callable[[], bytes]:
    """What makes ``app.zip``: the site build's own packing, which is a script of ``web/`` and no package."""
    packing: dict[str, Any] = runpy.run_path(str(ROOT / "web" / "appzip.py"))
    build: Callable[[Path], bytes] = packing["build_app_zip"]
    return lambda: build(ROOT)
