"""The Python side of the runtime: packages and standard library as byte code, and the picture of the memory."""

from __future__ import annotations

import ast
import base64
import gzip
import hashlib
import json
import shutil
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from . import places, tools
from .cache import digest, step, tree_digest

# Parts of packages that the page never imports.
DROPPED = ("pydantic/v1/", "pydantic/mypy.py", "pydantic/_hypothesis_plugin.py")
# Parts of the standard library that cannot work in a page or are of no use there.
DROPPED_STDLIB = ("test/", "idlelib/", "lib2to3/", "tkinter/", "turtledemo/", "ensurepip/", "venv/", "pydoc_data/")
BUNDLE = "penstock_packages"
TAG = "cp314-cp314-pyemscripten_2026_0_wasm32"
EPOCH = (1980, 1, 1, 0, 0, 0)

# What pydantic imports only when a model is used: the picture should have it too.
PROBE = """
import datetime, enum, typing, uuid
import pydantic
class Kind(enum.Enum):
    one = "one"
class Probe(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="ignore", frozen=True)
    at: datetime.datetime | None = None
    kind: Kind = Kind.one
    data: dict[str, typing.Any] = pydantic.Field(default_factory=dict)
pydantic.TypeAdapter(list[Probe]).validate_json('[{"at": "2026-01-01T00:00:00Z"}]')[0].model_dump_json()
"""


def node_scripts() -> list[Path]:
    """The files that decide what the steps under Node make."""
    return [places.WEB / "node", Path(__file__), places.MODULES / ".penstock-key"]


def build_packages(node: list[str]) -> Path:
    """The packages of requirements.txt as one wheel of byte code.

    One wheel, because each costs the page a request, an unpacking and a look for shared libraries. The directory has
    the wheel, its entry for the lock file (`lock.json`) and the standard modules it imports (`modules.json`).
    """
    requirements = places.WEB / "requirements.txt"

    def make(folder: Path) -> None:
        wheels, site, compiled = folder / "wheels", folder / "site", folder / "compiled"
        tools.download_wheels(requirements, wheels)
        for wheel in sorted(wheels.glob("*.whl")):
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(site)
        sources = sorted(p.relative_to(site).as_posix() for p in site.rglob("*.py"))
        sources = [name for name in sources if not name.startswith(DROPPED)]
        jobs: list[dict[str, Any]] = [
            {"kind": "modules", "site": str(site), "imports": PROBE},
            {"kind": "compile", "source": str(site), "out": str(compiled), "logical": "/packages", "files": sources},
        ]
        modules, _ = tools.prepare(node, jobs, "Preparing the Python packages")
        (folder / "modules.json").write_text(json.dumps(modules), encoding="utf-8")
        for library in site.rglob("*.so"):
            shutil.copy2(library, compiled / library.relative_to(site))
        write_bundle(folder, compiled, site)
        shutil.rmtree(compiled)

    return step("packages", tree_digest([requirements, *node_scripts()]), make)


def write_bundle(folder: Path, compiled: Path, site: Path) -> None:
    """Write the wheel and `lock.json` from the tree `compiled`, with the licences of the packages in it."""
    content = {p.relative_to(compiled).as_posix(): p.read_bytes() for p in sorted(compiled.rglob("*")) if p.is_file()}
    info = f"{BUNDLE}-1.dist-info"
    content[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {BUNDLE}\nVersion: 1\n".encode()
    content[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: {TAG}\n".encode()
    for licence in sorted(site.glob("*.dist-info/**/LICENSE*")):
        content[f"{info}/licenses/{licence.relative_to(site).parts[0]}/{licence.name}"] = licence.read_bytes()
    record = "".join(
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()},{len(data)}\n"
        for name, data in content.items()
    )
    content[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    wheel = folder / f"{BUNDLE}-1-{TAG}.whl"
    write_zip(wheel, content)
    entry = {
        "name": BUNDLE.replace("_", "-"),
        "version": "1",
        "file_name": wheel.name,
        "install_dir": "site",
        "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(),
        "package_type": "package",
        "imports": sorted({name.split("/")[0].removesuffix(".pyc") for name in content if ".dist-info" not in name}),
        "depends": [],
    }
    (folder / "lock.json").write_text(json.dumps(entry), encoding="utf-8")


def write_zip(path: Path, content: dict[str, bytes]) -> None:
    """A zip file that depends on nothing but `content`."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            archive.writestr(zipfile.ZipInfo(name, EPOCH), data, zipfile.ZIP_DEFLATED, 9)


def build_stdlib(node: list[str]) -> Path:
    """The file of Pyodide's standard library with byte code in place of sources.

    Pyodide ships sources, which the page would compile at every visit.
    """
    original = places.PYODIDE / "python_stdlib.zip"

    def make(folder: Path) -> None:
        source, out = folder / "source", folder / "out"
        with zipfile.ZipFile(original) as archive:
            archive.extractall(source)
        names = sorted(p.relative_to(source).as_posix() for p in source.rglob("*.py"))
        names = [name for name in names if not name.startswith(DROPPED_STDLIB)]
        job = {
            "kind": "compile",
            "source": str(source),
            "out": str(out),
            "logical": "/lib/python314.zip",
            "files": names,
        }
        tools.prepare(node, [job], "Preparing the standard library")
        content = {p.relative_to(out).as_posix(): p.read_bytes() for p in sorted(out.rglob("*.pyc"))}
        write_zip(folder / "python_stdlib.zip", content)
        shutil.rmtree(source)
        shutil.rmtree(out)

    return step("stdlib", tree_digest([original, *node_scripts()]), make) / "python_stdlib.zip"


def build_snapshot(node: list[str], modules: list[str], stdlib: Path) -> tuple[Path, int]:
    """The gzipped picture of an interpreter's memory after it imported `modules`; also its size unpacked.

    It is not called `.gz`: some hosts send such files with `Content-Encoding`, and the page would unpack them twice.
    """

    def make(folder: Path) -> None:
        raw = folder / "memory"
        job = {"kind": "snapshot", "modules": modules, "out": str(raw)}
        answer = tools.prepare(node, [job], "Taking the picture of Python's memory", stdlib)[0]
        content = raw.read_bytes()
        (folder / "snapshot.bin").write_bytes(gzip.compress(content, 9, mtime=0))
        (folder / "about.json").write_text(json.dumps({**answer, "bytes": len(content)}), encoding="utf-8")
        raw.unlink()

    key = digest(json.dumps(modules), tree_digest([stdlib, *node_scripts()]))
    folder = step("snapshot", key, make)
    return folder / "snapshot.bin", int(json.loads((folder / "about.json").read_text(encoding="utf-8"))["bytes"])


def imported_modules(sources: Iterable[bytes]) -> set[str]:
    """The standard modules that `sources` import when they are imported (nothing below TYPE_CHECKING)."""
    found: set[str] = set()
    for source in sources:
        try:
            tree = ast.parse(source)
        except SyntaxError:
            # t-strings, on a Python older than the browser's: the lines with imports are still plain.
            tree = ast.parse("\n".join(import_lines(source.decode())))
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                found.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module)
    return {name for name in found if name.partition(".")[0] in sys.stdlib_module_names and name != "__future__"}


def import_lines(source: str) -> list[str]:
    """The one-line imports at the top level of a file that this Python cannot parse."""
    lines = (line for line in source.splitlines() if line.startswith(("import ", "from ")))
    return [f"{line.removesuffix('(')}x" if line.endswith("(") else line for line in lines]
