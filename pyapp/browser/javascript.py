"""The one place that imports the browser's modules; typed here, because their own types are the whole of JavaScript."""

from __future__ import annotations

from typing import Any

import js as _js  # pyright: ignore[reportMissingImports]
import pyodide.ffi as _pyodide_ffi  # pyright: ignore[reportMissingImports]

js: Any = _js
"""The global object of the page."""

_ffi: Any = _pyodide_ffi

create_proxy: Any = _ffi.create_proxy
"""A Python callable for JavaScript, kept alive until the page ends."""

to_js: Any = _ffi.to_js
