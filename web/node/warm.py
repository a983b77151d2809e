"""Import the given standard modules, then leave the interpreter clean for its picture (run by prepare.mjs)."""

import gc
import importlib
import json
import sys

settings = json.loads(SETTINGS)  # type: ignore[name-defined]  # noqa: F821
missing = []
for name in settings["modules"]:
    try:
        importlib.import_module(name)
    except ImportError:
        # Listed because something imports it conditionally; this interpreter has none.
        missing.append(name)
# The working directory and a stale listing of it must not be part of the picture.
importlib.invalidate_caches()
sys.path_importer_cache.clear()
gc.collect()
ANSWER = json.dumps({"missing": missing})
