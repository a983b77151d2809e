"""The application archive for a shipped site: byte code, compiled file by file and kept."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import appzip

from . import places, tools
from .cache import digest, tree_digest
from .packages import write_zip

PYSCRIPT_PACKAGE = places.MODULES / "@pyscript" / "core" / "src" / "stdlib" / "pyscript"

# Asked of the inventory in a process of its own: the build itself needs no package.
ASK_INVENTORY = """
import json
from pyapp import inventory
ask = getattr(inventory, "boot_requests", None)
print(json.dumps({route: list(paths) for route, paths in ask().items()} if ask else {}))
"""


def compile_app(node: list[str], stdlib: Path) -> bytes:
    """The archive of `pyapp` as byte code, plus PyScript's own Python files where they will look for theirs.

    PyScript writes its package `pyscript` as sources at every start; byte code in `__pycache__` saves compiling them.
    """
    kept = places.CACHE / "bytecode"
    sources = {name: (places.ROOT / name).read_bytes() for name in appzip.app_sources(places.ROOT)}
    wanted = {name: digest(content, tree_digest([places.WEB / "node"])) for name, content in sources.items()}
    keys_file = kept / "keys.json"
    keys: dict[str, str] = json.loads(keys_file.read_text(encoding="utf-8")) if keys_file.is_file() else {}
    stale = [name for name, key in wanted.items() if keys.get(name) != key]
    jobs: list[dict[str, Any]] = []
    if stale:
        jobs.append({"kind": "compile", "source": str(places.ROOT), "out": str(kept), "logical": "", "files": stale})
    pyscript = kept / "pyscript"
    pyscript_key = tree_digest([PYSCRIPT_PACKAGE, places.WEB / "node"])
    if keys.get("pyscript") != pyscript_key:
        shutil.rmtree(pyscript, ignore_errors=True)
        files = sorted(p.name for p in PYSCRIPT_PACKAGE.glob("*.py"))
        jobs.append({"kind": "compile", "source": str(PYSCRIPT_PACKAGE), "out": str(pyscript), "logical": "pyscript",
                     "files": files})  # fmt: skip
    if jobs:
        tools.prepare(node, jobs, "Compiling the application", stdlib)
        keys_file.write_text(json.dumps({**wanted, "pyscript": pyscript_key}), encoding="utf-8")
    content = {Path(name).with_suffix(".pyc").as_posix(): (kept / name).with_suffix(".pyc").read_bytes()
               for name in sources}  # fmt: skip
    for path in sorted(pyscript.glob("*.pyc")):
        content[f"pyscript/__pycache__/{path.stem}.cpython-314.pyc"] = path.read_bytes()
    archive = places.CACHE / "app.zip"
    write_zip(archive, content)
    return archive.read_bytes()


def boot_requests() -> dict[str, list[str]]:
    """What the page asks for while Python starts, per route, from pyapp/inventory."""
    if importlib.util.find_spec("pydantic") is None or not (places.ROOT / "pyapp" / "inventory").is_dir():
        return {}
    done = subprocess.run([sys.executable, "-c", ASK_INVENTORY], cwd=places.ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        print(f"pyapp/inventory: no requests at boot ({done.stderr.strip().splitlines()[-1]})", file=sys.stderr)
        return {}
    requests: dict[str, list[str]] = json.loads(done.stdout)
    return requests
