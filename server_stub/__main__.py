"""The command line: ``python -m server_stub``. A bad value is one sentence on stderr and exit 2."""

import argparse
import asyncio
import contextlib
import errno
import logging
import signal
import socket
import sys
from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

import uvicorn

from .app import build
from .context import Context
from .settings import PROFILES, Limits, Settings, Times, detect_profile

SHUTDOWN_S = 1
"""How long open connections may take to end after ``bye`` (with the rest of the shutdown: under 2 s)."""
MAX_RATE = 5_000


class UsageError(Exception):
    """A value on the command line is wrong; the text says which and what would be right."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(message[:1].upper() + message[1:] + ".")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m server_stub", description="Penstock's reference server.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("--port", default="8787", help="0 picks a free one (default %(default)s)")
    parser.add_argument("--source", default="local", help="local, sim or replay:DIR (default %(default)s)")
    parser.add_argument("--rate", default="20", help="events per second of sim, 0..5000 (default %(default)s)")
    parser.add_argument("--seed", default="1", help="seed of sim (default %(default)s)")
    parser.add_argument("--profile", help=f"{', '.join(PROFILES)} (default: detected)")
    parser.add_argument("--contract", choices=("a", "b"), default="b", help="a: part A of the contract only, for tests")
    parser.add_argument("--faults", action="store_true", help="serve /__faults__ and /__streams__, for tests")
    parser.add_argument("--no-schedule", action="store_true", help="local runs nothing but what is asked for")
    parser.add_argument("--allow-origin", action="append", default=[], metavar="URL", help="another site's origin")
    parser.add_argument("--allow-host", action="append", default=[], metavar="NAME", help="another name of this host")
    parser.add_argument("--site", default="web/dist", metavar="DIR", help="the built site (default %(default)s)")
    parser.add_argument("--dev", action="store_true", help="serve pyapp/ from the tree: edit a file, reload the page")
    parser.add_argument("--data", default=".state", metavar="DIR", help="history (default %(default)s)")
    parser.add_argument("--streams-per-user", metavar="N", help="0 is no limit (default 24)")
    parser.add_argument("--streams", metavar="N", help="streams in all, 0 is no limit (default 2000)")
    parser.add_argument("--requests-per-minute", metavar="N", help="per user, 0 is no limit (default 600)")
    return parser


def _integer(name: str, text: str, low: int, high: int | None = None) -> int:
    try:
        value = int(text)
    except ValueError:
        raise UsageError(f"{name} must be a whole number, not {text!r}.") from None
    if value < low or (high is not None and value > high):
        bounds = f"from {low} to {high}" if high is not None else f"at least {low}"
        raise UsageError(f"{name} must be {bounds}, not {value}.")
    return value


def _rate(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise UsageError(f"--rate must be a number of events per second, not {text!r}.") from None
    if not 0 <= value <= MAX_RATE:
        raise UsageError(f"--rate must be from 0 to {MAX_RATE} events per second, not {text}.")
    return value


def _source(text: str) -> tuple[str, Path | None]:
    kind, _, folder = text.partition(":")
    if text in ("local", "sim"):
        return text, None
    if kind != "replay" or not folder:
        raise UsageError(f"--source must be local, sim or replay:DIR, not {text!r}.")
    path = Path(folder)
    if not path.is_dir():
        raise UsageError(f"There is no folder {folder!r} to replay.")
    if not any(path.glob("*.sse")) and not any(path.glob("*.json")):
        raise UsageError(f"The folder {folder!r} holds no recordings (*.sse, *.json).")
    return kind, path


def _origin(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.path.strip("/") or parts.query:
        raise UsageError(f"--allow-origin must be like https://console.example.org, not {text!r}.")
    return f"{parts.scheme}://{parts.netloc}".lower()


def parse(arguments: Sequence[str]) -> Settings:
    """The settings of a command line. Raises ``UsageError``."""
    given = _parser().parse_args(arguments)
    try:
        profile = detect_profile() if given.profile is None else given.profile
    except ValueError as error:
        raise UsageError(str(error)) from None
    if profile not in PROFILES:
        raise UsageError(f"--profile must be one of {', '.join(PROFILES)}, not {profile!r}.")
    source, replay_dir = _source(given.source)
    limits = Limits.of(profile)

    def limit(name: str, text: str | None, default: int) -> int:
        return default if text is None else _integer(name, text, 0)

    return Settings(
        host=given.host,
        port=_integer("--port", given.port, 0, 65_535),
        source=source,
        replay_dir=replay_dir,
        rate=_rate(given.rate),
        seed=_integer("--seed", given.seed, 0),
        profile=profile,
        contract=given.contract,
        faults=given.faults,
        schedule=not given.no_schedule,
        allowed_origins=tuple(_origin(each) for each in given.allow_origin),
        allowed_hosts=tuple(given.allow_host),
        site=Path(given.site),
        dev=given.dev,
        data=Path(given.data),
        times=Times.of(profile),
        limits=Limits(
            limit("--streams-per-user", given.streams_per_user, limits.streams_per_user),
            limit("--streams", given.streams, limits.streams),
            limit("--requests-per-minute", given.requests_per_minute, limits.requests_per_minute),
        ),
    )


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises ``UsageError`` when the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio turns Nagle's delay off only for sockets that name it: 40 ms per answer.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            hint = "choose another with --port (or PORT= for make)"
            raise UsageError(f"Port {port} on {host} is in use; {hint}.") from None
        raise UsageError(f"Cannot listen on {host} port {port}: {error.strerror or error}.") from None
    return listener


class Server(uvicorn.Server):
    """uvicorn that says when it is ready, and ``bye`` before it closes connections."""

    def __init__(self, config: uvicorn.Config, context: Context, address: str) -> None:
        super().__init__(config)
        self._context = context
        self._address = address

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then print the one line that scripts wait for."""
        await super().startup(sockets)
        if self.started:
            print(f"Penstock is ready at {self._address}", flush=True)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End every stream in words before uvicorn waits for the connections."""
        self._context.hub.say_bye("shutdown")
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """SIGINT and SIGTERM stop the server cleanly, with exit 0."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._leave)
        yield

    def _leave(self) -> None:
        self.should_exit = True


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until a signal. Returns the exit code."""
    try:
        settings = parse(sys.argv[1:] if arguments is None else arguments)
        listener = listen(settings.host, settings.port)
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    port: int = listener.getsockname()[1]
    settings = replace(settings, port=port)
    app, context = build(settings)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        timeout_graceful_shutdown=SHUTDOWN_S,
        timeout_keep_alive=75,
    )
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    server = Server(config, context, f"http://{host}:{port}/")
    asyncio.run(server.serve(sockets=[listener]))
    return 0 if server.started else 1


if __name__ == "__main__":
    sys.exit(main())
