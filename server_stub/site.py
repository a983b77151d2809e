"""The built site: ``web/dist`` with compression, caching and the page's policy.

A precompressed sibling (``X.br``, ``X.gz``) is preferred; without one, compressible types are compressed once and kept
in memory. A name with a content hash never changes; everything else is checked by ETag.
"""

import gzip
import hashlib
import json
import re
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import brotli  # pyright: ignore[reportMissingTypeStubs]
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".wasm": "application/wasm",
    ".whl": "application/zip",
    ".zip": "application/zip",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
    ".py": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
}
COMPRESSIBLE = frozenset({".html", ".js", ".mjs", ".css", ".json", ".map", ".wasm", ".svg", ".txt", ".py"})
MIN_COMPRESSED = 1_024
MAX_COMPRESSED = 16 * 1024 * 1024
"""Larger files are compressed by the build or not at all: here somebody waits."""
CACHE_BYTES = 64 * 1024 * 1024
HASHED = re.compile(r"[.-](?=[0-9a-zA-Z_]*\d)[0-9a-zA-Z_]{8,}(\.[0-9a-z]+$|/)")
"""A content hash in the name of a file or of a folder above it: what is below never changes."""
FOREVER = "public, max-age=31536000, immutable"
MISSING_PAGE = (
    "<!doctype html><html lang=en><meta charset=utf-8><title>Penstock</title>"
    "<h1>Penstock</h1><p>The site is not built yet: run <code>make build</code>, then reload.</p>"
)


def policy(site: Path, origins: tuple[str, ...]) -> str:
    """The Content-Security-Policy; ``connect-src`` admits the API of ``penstock.json`` and the given origins."""
    api = ""
    try:
        named: object = json.loads((site / "penstock.json").read_text()).get("api", "")
        parts = urlsplit(str(named))
        if parts.scheme in ("http", "https") and parts.netloc:
            api = f"{parts.scheme}://{parts.netloc}"
    except (OSError, ValueError, AttributeError, TypeError):
        api = ""
    # Artifacts are looked at where the API is: images, and frames for what is sandboxed and for what was named a PDF here.
    elsewhere = "".join(f" {origin}" for origin in dict.fromkeys([*([api] if api else []), *origins]))
    return (
        "default-src 'self'; script-src 'self' 'unsafe-eval' 'wasm-unsafe-eval'; style-src 'self'; "
        f"img-src 'self' data: blob:{elsewhere}; frame-src 'self' blob:{elsewhere}; connect-src 'self'{elsewhere}; "
        "frame-ancestors 'none'; base-uri 'none'; "
        "form-action 'self'; object-src 'none'"
    )


class Site:
    """ASGI application for the files below one folder."""

    def __init__(self, folder: Path, origins: tuple[str, ...] = (), archive: Callable[[], bytes] | None = None) -> None:
        """Serve ``folder``; ``archive`` makes ``/app.zip`` anew at every request, for development."""
        self._folder = folder.resolve()
        self._archive = archive
        self._origins = origins
        self._compressed: OrderedDict[tuple[Path, int, str], bytes] = OrderedDict()
        self._kept = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer GET and HEAD."""
        if scope["method"] not in ("GET", "HEAD"):
            response: Response = PlainTextResponse("Method not allowed.", 405, {"Allow": "GET, HEAD"})
        else:
            response = await run_in_threadpool(self._answer, scope["path"], Headers(scope=scope))
            response.headers["Content-Security-Policy"] = policy(self._folder, self._origins)
            response.headers["Referrer-Policy"] = "same-origin"
        if scope["method"] == "HEAD":
            response.body = b""
        await response(scope, receive, send)

    def _answer(self, path: str, headers: Headers) -> Response:
        if not (self._folder / "index.html").is_file() and path in ("/", "/index.html"):
            return Response(MISSING_PAGE, 503, media_type="text/html")
        if path == "/app.zip" and self._archive is not None:
            return Response(self._archive(), headers={"Content-Type": "application/zip", "Cache-Control": "no-store"})
        file = self._find(path)
        if file is None:
            return PlainTextResponse("Not found.", 404)
        stat = file.stat()
        digest = hashlib.blake2b(f"{file.name}:{stat.st_mtime_ns}:{stat.st_size}".encode(), digest_size=10).hexdigest()
        if f'"{digest}-' in headers.get("if-none-match", ""):
            # Decided before anything is read or compressed: the browser has it, in whatever encoding.
            return Response(status_code=304, headers={"ETag": headers["if-none-match"], "Cache-Control": self._kept_for(file)})
        encoding, body = self._encoded(file, stat.st_mtime_ns, headers.get("accept-encoding", ""))
        answer = {
            "ETag": f'"{digest}-{encoding or "id"}"',
            "Cache-Control": self._kept_for(file),
            "Content-Type": TYPES.get(file.suffix, "application/octet-stream"),
            "Vary": "Accept-Encoding",
        }
        if encoding:
            answer["Content-Encoding"] = encoding
        return Response(file.read_bytes() if body is None else body, headers=answer)

    def _kept_for(self, file: Path) -> str:
        return FOREVER if HASHED.search(file.relative_to(self._folder).as_posix()) else "no-cache"

    def _find(self, path: str) -> Path | None:
        """The file of a path; None for what is not there or lies outside the folder, however it is spelled."""
        parts = PurePosixPath(path).parts[1:]
        if any(part in ("..", ".") or "\\" in part or "\0" in part for part in parts):
            return None
        file = self._folder.joinpath(*parts)
        if path.endswith("/"):
            file /= "index.html"
        try:
            real = file.resolve(strict=True)
        except (OSError, ValueError):
            return None
        return file if real.is_file() and real.is_relative_to(self._folder) else None

    def _encoded(self, file: Path, mtime_ns: int, accepted: str) -> tuple[str, bytes | None]:
        """(encoding, bytes); no encoding and None for the file as it is."""
        wanted = {part.partition(";")[0].strip() for part in accepted.lower().split(",") if not _refused(part)}
        for name, suffix in (("br", ".br"), ("gzip", ".gz")):
            if name not in wanted:
                continue
            sibling = file.with_name(file.name + suffix)
            if sibling.is_file():
                return name, sibling.read_bytes()
            size = file.stat().st_size
            if file.suffix in COMPRESSIBLE and MIN_COMPRESSED <= size <= MAX_COMPRESSED:
                return name, self._compress(file, mtime_ns, name)
        return "", None

    def _compress(self, file: Path, mtime_ns: int, name: str) -> bytes:
        key = (file, mtime_ns, name)
        found = self._compressed.get(key)
        if found is None:
            raw = file.read_bytes()
            found = _brotli(raw) if name == "br" else gzip.compress(raw, 6, mtime=0)
            self._compressed[key] = found
            self._kept += len(found)
            while self._kept > CACHE_BYTES and len(self._compressed) > 1:
                self._kept -= len(self._compressed.popitem(last=False)[1])
        return found


def _brotli(raw: bytes) -> bytes:
    compress: Callable[..., bytes] = brotli.compress  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return compress(raw, quality=5)


def _refused(part: str) -> bool:
    return part.partition(";")[2].replace(" ", "") in ("q=0", "q=0.0")
