"""A small static server for the benchmarks of the site: right MIME types, kept connections, the browser's cache used."""

from __future__ import annotations

import contextlib
import functools
import http.server
import os
import threading
from collections.abc import Generator
from pathlib import Path
from typing import ClassVar

HASHED = ("/runtime-", "/assets/", "/pyscript-", "?v=")


class Handler(http.server.SimpleHTTPRequestHandler):
    """Files with a hash in their address are kept for ever, the others are asked for again (and answered 304)."""

    protocol_version = "HTTP/1.1"
    types: ClassVar[dict[str, str]] = {".mjs": "text/javascript", ".wasm": "application/wasm", ".json": "application/json"}

    def guess_type(self, path: str | os.PathLike[str]) -> str:
        """What the machine's own table may not know, a browser insists on."""
        return self.types.get(os.path.splitext(path)[1]) or super().guess_type(path)

    def end_headers(self) -> None:
        """Add the header that decides what the browser's cache does."""
        kept = any(part in self.path for part in HASHED)
        self.send_header("Cache-Control", "max-age=31536000, immutable" if kept else "no-cache")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        """Write nothing."""


class Server(http.server.ThreadingHTTPServer):
    """Connections that the browser drops are no news."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Write nothing."""


@contextlib.contextmanager
def serve(directory: Path) -> Generator[str]:
    """Serve `directory` on a free port of this machine; gives the address, with a slash at its end."""
    server = Server(("127.0.0.1", 0), functools.partial(Handler, directory=str(directory)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
