"""JavaScript and styles: bundled and minified by esbuild under names that change with their content."""

from __future__ import annotations

import json
from pathlib import Path

from . import places, tools
from .cache import step, tree_digest

SOURCE = places.WEB / "src"
STYLES = places.WEB / "styles"
# The latin subset, one file per family and style: what the console's own words need.
FONTS = {
    ("Source Sans 3 Variable", "normal", "200 900"): "source-sans-3/files/source-sans-3-latin-wght-normal.woff2",
    ("Sometype Mono Variable", "normal", "400 700"): "sometype-mono/files/sometype-mono-latin-wght-normal.woff2",
}


def font_faces() -> str:
    """The `@font-face` rules for FONTS, with paths that esbuild resolves."""
    rules = (
        f'@font-face {{ font-family: "{family}"; font-style: {style}; font-weight: {weight}; font-display: swap; '
        f'src: url("{(places.MODULES / "@fontsource-variable" / file).as_posix()}") format("woff2"); }}'
        for (family, style, weight), file in FONTS.items()
    )
    return "\n".join(rules)


def style_order() -> list[Path]:
    """Every style sheet of web/styles: the tokens first, the others by name, and last that for paper, which outdoes them all."""
    return sorted(STYLES.glob("*.css"), key=lambda path: (path.name != "tokens.css", path.name == "print.css", path.name))


def build_bundle() -> tuple[Path, dict[str, str]]:
    """Bundle; the directory `assets` to publish and the names in it: `first`, `boot`, `app`, `standalone`, `site`."""
    pyodide = json.loads((places.PYODIDE / "package.json").read_text(encoding="utf-8"))["version"]

    def make(folder: Path) -> None:
        entry = folder / "site.css"
        imports = "\n".join(f'@import "{path.as_posix()}";' for path in style_order())
        entry.write_text(f"{imports}\n{font_faces()}\n", encoding="utf-8")
        common = ["--bundle", "--minify", f"--outdir={folder / 'assets'}", "--entry-names=[name]-[hash]"]
        tools.esbuild([str(SOURCE / "first.js"), *common, "--format=iife", "--target=es2017"])
        version = f"--define:PYODIDE_VERSION={json.dumps(pyodide)}"
        entries = [f"boot={SOURCE / 'boot' / 'main.mjs'}", f"app={SOURCE / 'app.mjs'}", f"standalone={SOURCE / 'standalone.mjs'}"]
        tools.esbuild([*entries, *common, "--format=esm", "--target=es2022", "--legal-comments=eof", version])
        fonts = ["--loader:.woff2=file", "--asset-names=[name]-[hash]"]
        tools.esbuild([str(entry), *common, *fonts])

    inputs = [SOURCE, STYLES, Path(__file__), places.MODULES / ".penstock-key"]
    folder = step("bundle", tree_digest(inputs), make) / "assets"
    kinds = {"first": "js", "boot": "js", "app": "js", "standalone": "js", "site": "css"}
    names = {stem: next(folder.glob(f"{stem}-*.{kind}")).name for stem, kind in kinds.items()}
    return folder, names
