"""Build the site: `python web/build.py [--api URL] [--dev] [--out DIR]`.

Needs Python 3.11+ and the package registries, nothing else; every step is skipped when nothing it uses has changed.
The result (`web/dist` by default) is plain files for any static host, under any path.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import appzip
from sitebuild import app, bundle, packages, places, site, tools
from sitebuild.cache import digest, exclusive, sync, tree_digest
from sitebuild.compress import siblings
from sitebuild.errors import BuildError


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Build Penstock's site.")
    parser.add_argument("--api", default="", metavar="URL", help="address of the API; empty: the site's own origin")
    parser.add_argument("--dev", action="store_true", help="plain sources, no compression: for `server_stub --dev`")
    parser.add_argument("--out", type=Path, default=places.WEB / "dist", metavar="DIR", help="where to put the site")
    return parser.parse_args(arguments)


def inputs_key(options: argparse.Namespace) -> str:
    """A hash of everything that the site is made from."""
    web = (places.WEB / name for name in ("src", "styles", "examples", "icons.svg", "node", "sitebuild", "index.html", "build.py",
                                          "appzip.py", "package-lock.json", "requirements.txt"))  # fmt: skip
    tree = tree_digest([*web, places.ROOT / "pyapp", places.ROOT / "pyproject.toml"])
    return digest(tree, options.api, str(options.dev))


def build(options: argparse.Namespace) -> bool:
    """Make the site in `options.out`; says whether anything had to be done."""
    api = site.check_api(options.api)
    out: Path = options.out.resolve()
    mark = places.CACHE / f"site-{digest(str(out))}.key"
    key = inputs_key(options)
    if mark.is_file() and mark.read_text(encoding="utf-8") == key and (out / "index.html").is_file():
        return False
    mark.unlink(missing_ok=True)
    node, npm = tools.node_commands()
    tools.install_node_modules(npm)
    prepared = packages.build_packages(node)
    stdlib = packages.build_stdlib(node)
    assets, names = bundle.build_bundle()
    sources = [(places.ROOT / name).read_bytes() for name in appzip.app_sources(places.ROOT)]
    sources += [path.read_bytes() for path in sorted(app.PYSCRIPT_PACKAGE.glob("*.py"))]
    modules = set(json.loads((prepared / "modules.json").read_text(encoding="utf-8")))
    modules |= packages.imported_modules(sources)
    snapshot, size = packages.build_snapshot(node, sorted(modules), stdlib)
    runtime = site.Runtime(prepared, stdlib, snapshot, size)
    archive = appzip.build_app_zip(places.ROOT) if options.dev else app.compile_app(node, stdlib)
    files = site.assemble(runtime, assets, names, archive, app.boot_requests(), api, options.dev)
    if not options.dev:
        files |= siblings(files)
    out.mkdir(parents=True, exist_ok=True)
    sync(files, out)
    mark.write_text(key, encoding="utf-8")
    return True


def main(arguments: list[str] | None = None) -> int:
    """Build and report in one line; the exit code."""
    options = parse(arguments)
    began = time.monotonic()
    try:
        with exclusive():
            done = build(options)
    except BuildError as error:
        print(f"build: {error}", file=sys.stderr)
        return 1
    if done:
        print(f"Built {options.out} in {time.monotonic() - began:.1f} s.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
