"""Prepare what `tests/pyodide/run.mjs` needs and print where it is, as JSON: run by that script.

The packages are unpacked once into `web/.cache/`; their byte code is written beside them by the first run.
"""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from sitebuild import packages, places, tools
from sitebuild.cache import exclusive, step, tree_digest
from sitebuild.errors import BuildError

REQUIREMENTS = (places.WEB / "requirements.txt", places.ROOT / "tests" / "pyodide" / "requirements.txt")


def build_test_site() -> Path:
    """A directory with the packages of the application and of pytest, as they are published."""

    def make(folder: Path) -> None:
        for requirements in REQUIREMENTS:
            tools.download_wheels(requirements, folder / "wheels")
        for wheel in sorted((folder / "wheels").glob("*.whl")):
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(folder / "site")

    return step("test-packages", tree_digest(REQUIREMENTS), make)


def main() -> int:
    """Prepare; the exit code."""
    try:
        with exclusive():
            node, npm = tools.node_commands()
            tools.install_node_modules(npm)
            folder = build_test_site()
            stdlib = packages.build_stdlib(node)
    except BuildError as error:
        print(f"test packages: {error}", file=sys.stderr)
        return 1
    answer = {"pyodide": str(places.PYODIDE), "site": str(folder / "site"), "stdlib": str(stdlib)}
    bytecode = folder / "bytecode"
    bytecode.mkdir(exist_ok=True)
    print(json.dumps({**answer, "bytecode": str(bytecode)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
