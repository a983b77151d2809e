"""A TCP proxy for tests: it stands between a client and a server and does what bad networks do, on command.

``TcpProxy(target_port)`` listens on a free port of 127.0.0.1 in a thread of its own (``with``, or ``close``). Commands take
effect at once, from any thread, for one connection (``connections()`` lists them, oldest first) or, through the proxy, for
all that are open and all that come (``reset`` and ``half_close``, which are events, for those that are open):

| command | what becomes of the bytes |
|---|---|
| ``stall(True)`` | connections are accepted and nothing is forwarded, in neither direction; ``stall(False)`` lets what waited go on |
| ``split(n)`` | what the server says arrives in pieces of ``n`` bytes, so a frame is torn at every boundary; 0 ends it |
| ``delay(ms)`` | every chunk of the server is late by ``ms``; 0 ends it |
| ``half_close("server" \\| "client")`` | that side is told FIN by the proxy; the other direction stays open |
| ``reset()`` | both sides are cut with RST |
| ``refuse(True)`` | new connections are refused: nothing listens on the port until ``refuse(False)`` |

While a connection is stalled the proxy does not read, so its memory is bounded: at most ``CHUNK`` bytes per direction, and
the kernel's buffers push back. It ends with ``close``, and by itself after ``lifetime_s``.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

T = TypeVar("T")
Side = Literal["client", "server"]

CHUNK = 65_536
DEADLINE_S = 10.0
LIFETIME_S = 600.0


@dataclass(frozen=True)
class Weather:
    """What becomes of the bytes of a connection."""

    stalled: bool = False
    split: int = 0
    delay_ms: int = 0


class ProxiedConnection:
    """One client and its connection to the server."""

    def __init__(self, proxy: TcpProxy, client: socket.socket, weather: Weather) -> None:
        self._proxy = proxy
        self._client = client
        self._server = socket.socket()
        self._server.setblocking(False)
        self._weather = weather
        self._changed = asyncio.Event()
        self._pipes: list[asyncio.Task[None]] = []
        self.sent = 0
        """Bytes of the server that the client was given."""
        self.received = 0
        """Bytes of the client that the server was given."""

    def stall(self, on: bool = True) -> None:
        """Forward nothing more, or go on."""
        self._proxy.run(lambda: self.change(replace(self._weather, stalled=on)))

    def split(self, size: int) -> None:
        """Tear what the server says into pieces of ``size`` bytes."""
        self._proxy.run(lambda: self.change(replace(self._weather, split=size)))

    def delay(self, ms: int) -> None:
        """Make every chunk of the server late."""
        self._proxy.run(lambda: self.change(replace(self._weather, delay_ms=ms)))

    def half_close(self, side: Side) -> None:
        """Tell one side that the other will say nothing more."""
        self._proxy.run(lambda: self.finish(side))

    def reset(self) -> None:
        """Cut both sides with RST."""
        self._proxy.run(self.cut)

    # Below: in the proxy's thread.

    def change(self, weather: Weather) -> None:
        """Put other weather in force."""
        self._weather = weather
        self._changed.set()
        self._changed = asyncio.Event()

    @property
    def weather(self) -> Weather:
        """What is in force."""
        return self._weather

    def finish(self, side: Side) -> None:
        """FIN to one side."""
        with contextlib.suppress(OSError):
            (self._client if side == "client" else self._server).shutdown(socket.SHUT_WR)

    def cut(self) -> None:
        """RST to both sides."""
        for pipe in self._pipes:
            pipe.cancel()
        for end in (self._client, self._server):
            with contextlib.suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            end.close()

    async def run(self, port: int) -> None:
        """Forward until both sides have said everything."""
        loop = asyncio.get_running_loop()
        try:
            await loop.sock_connect(self._server, ("127.0.0.1", port))
            for end in (self._client, self._server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            up, down = self._pipe(self._client, self._server, "server"), self._pipe(self._server, self._client, "client")
            self._pipes = [asyncio.create_task(up), asyncio.create_task(down)]
            await asyncio.gather(*self._pipes)
        except OSError:
            self.cut()  # one side was cut, so is the other
        finally:
            for pipe in self._pipes:
                pipe.cancel()
            self._client.close()
            self._server.close()

    async def _pipe(self, source: socket.socket, sink: socket.socket, to: Side) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._calm()
            chunk = await loop.sock_recv(source, CHUNK)
            await self._calm()
            if not chunk:
                self.finish(to)
                return
            if to == "server":
                await loop.sock_sendall(sink, chunk)
                self.received += len(chunk)
                continue
            if self._weather.delay_ms:
                await asyncio.sleep(self._weather.delay_ms / 1000)
            while chunk:
                size = self._weather.split or len(chunk)
                await loop.sock_sendall(sink, chunk[:size])
                self.sent += len(chunk[:size])
                chunk = chunk[size:]
                if chunk:
                    await asyncio.sleep(0)  # each piece is written for itself
                    await self._calm()

    async def _calm(self) -> None:
        while self._weather.stalled:
            await self._changed.wait()


class TcpProxy:
    """The proxy; see the module."""

    def __init__(self, target_port: int, *, lifetime_s: float = LIFETIME_S) -> None:
        self._target = target_port
        self._lifetime_s = lifetime_s
        self._weather = Weather()
        self._open: dict[ProxiedConnection, asyncio.Task[None]] = {}
        self._listener: socket.socket | None = self._listen(0)
        self.port: int = self._listener.getsockname()[1]
        self.accepted = 0
        """Connections that were ever accepted."""
        self._accepting: asyncio.Task[None] | None = None
        self._loop = asyncio.new_event_loop()
        self._end = asyncio.Event()
        self._thread = threading.Thread(target=self._main, name="tcp-proxy", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where a client finds the server through the proxy."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> TcpProxy:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def connections(self) -> list[ProxiedConnection]:
        """Those that are open, oldest first."""
        return self.run(lambda: list(self._open))

    def stall(self, on: bool = True) -> None:
        """Forward nothing more, or go on."""
        self._for_all(lambda weather: replace(weather, stalled=on))

    def split(self, size: int) -> None:
        """Tear what the server says into pieces of ``size`` bytes."""
        self._for_all(lambda weather: replace(weather, split=size))

    def delay(self, ms: int) -> None:
        """Make every chunk of the server late."""
        self._for_all(lambda weather: replace(weather, delay_ms=ms))

    def half_close(self, side: Side) -> None:
        """Tell one side of every open connection that the other will say nothing more."""
        self.run(lambda: [each.finish(side) for each in self._open])

    def reset(self) -> int:
        """Cut every open connection with RST; return how many."""
        return self.run(lambda: len([each.cut() for each in list(self._open)]))

    def refuse(self, on: bool = True) -> None:
        """Refuse new connections, or accept them again on the same port."""
        self.run(lambda: self._refuse(on))

    def close(self) -> None:
        """End: every connection is cut."""
        with contextlib.suppress(RuntimeError):  # it has ended by itself
            self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(DEADLINE_S)
        assert not self._thread.is_alive(), "the proxy does not end"

    def run(self, work: Callable[[], T]) -> T:
        """Do something in the proxy's thread and wait for it."""

        async def do() -> T:
            return work()

        return asyncio.run_coroutine_threadsafe(do(), self._loop).result(DEADLINE_S)

    @staticmethod
    def _listen(port: int) -> socket.socket:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(256)
        listener.setblocking(False)
        return listener

    def _for_all(self, change: Callable[[Weather], Weather]) -> None:
        def work() -> None:
            self._weather = change(self._weather)
            for each in self._open:
                each.change(change(each.weather))

        self.run(work)

    def _refuse(self, on: bool) -> None:
        if on and self._listener is not None:
            if self._accepting is not None:
                self._accepting.cancel()
            self._loop.remove_reader(self._listener)
            self._listener.close()
            self._listener = None
        elif not on and self._listener is None:
            self._listener = self._listen(self.port)
            self._accepting = self._loop.create_task(self._accept(self._listener))

    def _main(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        if self._listener is not None:
            self._accepting = asyncio.create_task(self._accept(self._listener))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._lifetime_s):
                await self._end.wait()
        self._refuse(True)
        tasks = list(self._open.values())
        for each in list(self._open):
            each.cut()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            client, _ = await loop.sock_accept(listener)
            self.accepted += 1
            connection = ProxiedConnection(self, client, self._weather)
            task = asyncio.create_task(connection.run(self._target))
            self._open[connection] = task
            task.add_done_callback(lambda _, connection=connection: self._open.pop(connection, None))
