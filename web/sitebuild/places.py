"""Where everything is: the paths of the build, and the version of the site."""

from __future__ import annotations

import tomllib
from pathlib import Path

WEB = Path(__file__).resolve().parent.parent
ROOT = WEB.parent
CACHE = WEB / ".cache"
MODULES = WEB / "node_modules"
PYODIDE = MODULES / "pyodide"
PYSCRIPT = MODULES / "@pyscript" / "core" / "dist"
WHEELS = CACHE / "wheels"

# Set for the page and for everything that is prepared for it: pydantic would search every installed package for
# plugins when the first model is made, and a picture of the memory must be taken with the environment it wakes up in.
PYTHON_ENV = {"HOME": "/home/pyodide", "PYDANTIC_DISABLE_PLUGINS": "__all__"}


def site_version() -> str:
    """The project's version, from pyproject.toml."""
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])
