"""Puts the site together: what every file is called, what is in boot.json, and the page itself."""

from __future__ import annotations

import html
import json
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from . import places
from .cache import digest
from .errors import BuildError

RUNTIME_FILES = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm")
# PyScript's plugins serve editors, terminals and games; "error" would show its own banner instead of our screen.
PLUGINS = ("codemirror", "deprecations-manager", "donkey", "error", "py-editor", "py-game", "py-terminal")
EXAMPLES = places.WEB / "examples"
MAIN = "from pyapp.main import start\n\nstart()\n"


@dataclass(frozen=True)
class Runtime:
    """What the page needs to run Python: `packages` is the directory of its step, the others are files."""

    packages: Path
    stdlib: Path
    snapshot: Path
    snapshot_bytes: int


def policy(api: str) -> str:
    """The Content-Security-Policy of the page; `api` is the API's address or empty for the site's own."""
    parts = urlsplit(api)
    elsewhere = f" {parts.scheme}://{parts.netloc}" if parts.netloc else ""
    return (
        "default-src 'self'; script-src 'self' 'unsafe-eval' 'wasm-unsafe-eval'; style-src 'self'; "
        f"img-src 'self' data: blob:{elsewhere}; frame-src 'self' blob:{elsewhere}; font-src 'self'; "
        f"connect-src 'self'{elsewhere}; base-uri 'none'; "
        "form-action 'self'; object-src 'none'"
    )


def check_api(api: str) -> str:
    """`api` when it is empty or an http(s) address without spaces, which would break the policy."""
    parts = urlsplit(api)
    if api and (parts.scheme not in ("http", "https") or not parts.netloc or any(c in api for c in " ;,'\"")):
        raise BuildError(f"--api must be an address like https://api.example.org, not {api!r}.")
    return api


def runtime_files(runtime: Runtime) -> dict[str, bytes]:
    """The files of the runtime by their names inside its directory."""
    files = {name: (places.PYODIDE / name).read_bytes() for name in RUNTIME_FILES}
    files["python_stdlib.zip"] = runtime.stdlib.read_bytes()
    entry = json.loads((runtime.packages / "lock.json").read_text(encoding="utf-8"))
    files[entry["file_name"]] = (runtime.packages / entry["file_name"]).read_bytes()
    original = json.loads((places.PYODIDE / "pyodide-lock.json").read_text(encoding="utf-8"))
    lock = {"info": original["info"], "packages": {entry["name"]: entry}}
    files["pyodide-lock.json"] = json.dumps(lock).encode()
    files["snapshot.bin"] = runtime.snapshot.read_bytes()
    return files


def pyscript_files() -> dict[str, bytes]:
    """PyScript's entry, its core, the one plugin file that it loads even when switched off, and what it reads to load packages."""
    wanted = ("core.js", "core-*.js", "error-*.js", "pyodide_graph-*.js")
    return {path.name: path.read_bytes() for pattern in wanted for path in sorted(places.PYSCRIPT.glob(pattern))}


def assemble(
    runtime: Runtime,
    assets: Path,
    names: dict[str, str],
    app: bytes,
    requests: dict[str, list[str]],
    api: str,
    dev: bool,
) -> dict[str, bytes]:
    """Every file of the site. All but a few fixed names carry a hash, so a host may keep them for ever."""
    files = runtime_files(runtime)
    folder = f"runtime-{digest(*(name.encode() + content for name, content in files.items()))}"
    wheel = next(name for name in files if name.endswith(".whl"))
    site = {f"{folder}/{name}": content for name, content in files.items()}
    site |= {f"assets/{path.name}": path.read_bytes() for path in assets.iterdir()}
    scripts = pyscript_files()
    pyscript = f"pyscript-{digest(*scripts.values())}"
    site |= {f"{pyscript}/{name}": content for name, content in scripts.items()}
    # The server of `--dev` makes app.zip anew at every request, so its address must not promise a content.
    app_url = "app.zip" if dev else f"app.zip?v={digest(app)}"
    site["app.zip"] = app
    downloaded = [*(f"{folder}/{name}" for name in files if name != "pyodide-lock.json")]
    build = digest(*sorted(site), app)
    about = {
        "version": places.site_version(),
        "build": build,
        "runtime": folder,
        "snapshot": {"url": f"{folder}/snapshot.bin", "bytes": runtime.snapshot_bytes},
        "packages": ["penstock-packages"],
        "app": app_url,
        "env": places.PYTHON_ENV,
        "sizes": {**{name: len(site[name]) for name in downloaded}, app_url: len(app)},
        "requests": requests,
    }
    site["boot.json"] = json.dumps(about, separators=(",", ":")).encode()
    site["penstock.json"] = json.dumps({"api": api}).encode()
    boot = f"assets/{names['boot']}"
    off = {"plugins": [f"!{name}" for name in PLUGINS]}
    site["pyscript.json"] = json.dumps({"interpreter": f"./{boot}", **off}).encode()
    site["main.py"] = MAIN.encode()
    preloads = [
        ("fetch", "boot.json"),
        ("fetch", "penstock.json"),
        ("fetch", "pyscript.json"),
        ("fetch", "main.py"),
        ("fetch", f"{folder}/pyodide.asm.wasm"),
        ("fetch", f"{folder}/snapshot.bin"),
        ("fetch", f"{folder}/{wheel}"),
        ("module", f"{folder}/pyodide.mjs"),
        ("module", f"{folder}/pyodide.asm.mjs"),
    ]
    values = {
        "version": places.site_version(),
        "build": build,
        "csp": policy(api),
        "css": f"assets/{names['site']}",
        "first": f"assets/{names['first']}",
        "boot": boot,
        # PyScript loads the plugins once more for MicroPython, which nobody asked for, unless told not to.
        "mpy": json.dumps(off),
        "app": f"assets/{names['app']}",
        "pyscript": f"{pyscript}/core.js",
    }
    site["index.html"] = page(values, preloads)
    here = {
        "csp": values["csp"],
        "mpy": values["mpy"],
        "ports": f"../assets/{names['standalone']}",
        "pyscript": f"../{pyscript}/core.js",
    }
    return site | examples(here, f"../{folder}/pyodide.mjs", about["packages"])


def examples(values: dict[str, str], interpreter: str, packages: list[str]) -> dict[str, bytes]:
    """The pages of web/examples, which use the core by plain PyScript: nothing of the console but its files (RT-77)."""
    config = {
        "interpreter": interpreter,
        "packages": packages,
        "packages_cache": "passthrough",
        "files": {"../app.zip": "./*"},
        "plugins": [f"!{name}" for name in PLUGINS if name != "error"],  # its banner is all that such a page has
    }
    made: dict[str, bytes] = {}
    for path in sorted(EXAMPLES.iterdir()):
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".html":
            text = fill(text, values)
            made[f"examples/{path.stem}.json"] = json.dumps(config).encode()
        made[f"examples/{path.name}"] = text.encode()
    return made


def page(values: dict[str, str], preloads: list[tuple[str, str]]) -> bytes:
    """index.html from its template: `values` escaped into their places, `preloads` as links (kind, address)."""
    icons = (places.WEB / "icons.svg").read_text(encoding="utf-8")
    links = {
        "module": '<link rel="modulepreload" href="{}">',
        "fetch": '<link rel="preload" as="fetch" crossorigin href="{}">',
    }
    text = (places.WEB / "index.html").read_text(encoding="utf-8")
    text = text.replace("{{icons}}", icons.strip())
    text = text.replace("{{preloads}}", "\n".join(links[kind].format(html.escape(url)) for kind, url in preloads))
    return fill(text, values).encode()


def fill(text: str, values: dict[str, str]) -> str:
    """A template with `values` escaped into their places."""
    for name, value in values.items():
        text = text.replace(f"{{{{{name}}}}}", html.escape(value, quote=True))
    return text
