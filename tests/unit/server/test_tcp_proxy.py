"""The proxy that tests of the network use, over real sockets; and that a stream torn at every byte is the same stream."""

import socket
import threading
import time
from collections.abc import Iterator

import httpx
import pytest
from tcp_proxy import TcpProxy

from server_stub import changes as c
from server_stub.moments import now_us

from .running import DEADLINE_S, Running, StreamClient, until


class Echo:
    """A server that sends back what it gets, and says when a client has finished."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.ended: list[str] = []
        self._threads: list[threading.Thread] = []
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, client: socket.socket) -> None:
        with client:
            try:
                while chunk := client.recv(65_536):
                    client.sendall(chunk)
                self.ended.append("fin")
                client.sendall(b"goodbye")
            except OSError:
                self.ended.append("rst")

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join(DEADLINE_S)
        for thread in self._threads:
            thread.join(DEADLINE_S)


@pytest.fixture
def echo() -> Iterator[Echo]:
    it = Echo()
    yield it
    it.close()


@pytest.fixture
def proxy(echo: Echo) -> Iterator[TcpProxy]:
    with TcpProxy(echo.port) as it:
        yield it


def connect(proxy: TcpProxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), DEADLINE_S)


def read(client: socket.socket, count: int) -> bytes:
    received = b""
    while len(received) < count:
        chunk = client.recv(count - len(received))
        assert chunk, received
        received += chunk
    return received


def test_bytes_go_through_both_ways_and_an_end_is_passed_on(echo: Echo, proxy: TcpProxy) -> None:
    with connect(proxy) as client:
        body = bytes(range(256)) * 2_000
        sender = threading.Thread(target=client.sendall, args=(body,))
        sender.start()
        assert read(client, len(body)) == body
        sender.join()
        connection = proxy.connections()[0]
        assert (connection.received, connection.sent) == (len(body), len(body))
        client.shutdown(socket.SHUT_WR)
        assert read(client, 7) == b"goodbye"
        assert client.recv(1) == b""
    assert echo.ended == ["fin"]
    until(lambda: proxy.connections() == [], "it is forgotten")
    assert proxy.accepted == 1


def test_a_stalled_connection_is_accepted_and_silent_and_what_waited_goes_on(proxy: TcpProxy) -> None:
    with connect(proxy) as other, connect(proxy) as client:
        for each in (other, client):
            each.sendall(b"1")
            assert read(each, 1) == b"1"
        stalled = proxy.connections()[1]
        stalled.stall()
        client.sendall(b"2")
        other.sendall(b"2")
        assert read(other, 1) == b"2"
        assert stalled.sent == 1
        proxy.stall()
        with connect(proxy) as late:
            late.sendall(b"3")
            until(lambda: len(proxy.connections()) == 3, "it is accepted")
            late.setblocking(False)
            with pytest.raises(BlockingIOError):
                late.recv(1)
            late.settimeout(DEADLINE_S)
            proxy.stall(False)
            assert read(late, 1) == b"3"
        assert read(client, 1) == b"2"


def test_split_tears_what_the_server_says(proxy: TcpProxy) -> None:
    proxy.split(1)
    with connect(proxy) as client:
        client.sendall(b"0123456789")
        assert read(client, 10) == b"0123456789"


def test_delay_makes_chunks_late(proxy: TcpProxy) -> None:
    with connect(proxy) as client:
        client.sendall(b"1")
        assert read(client, 1) == b"1"
        proxy.connections()[0].delay(80)
        began = time.monotonic()
        client.sendall(b"2")
        assert read(client, 1) == b"2"
        assert time.monotonic() - began >= 0.08


def test_a_half_close_ends_one_direction_only(echo: Echo, proxy: TcpProxy) -> None:
    with connect(proxy) as client:
        client.sendall(b"1")
        assert read(client, 1) == b"1"
        connection = proxy.connections()[0]
        connection.half_close("client")
        assert client.recv(1) == b""
        client.sendall(b"2")
        # The echo has nowhere to go, and with it the proxy may forget the connection: it is not looked for again.
        until(lambda: connection.received == 2, "the other direction is open")
    with connect(proxy) as client:
        client.sendall(b"1")
        assert read(client, 1) == b"1"
        proxy.connections()[-1].half_close("server")
        assert read(client, 7) == b"goodbye"


def test_a_reset_cuts_both_sides(echo: Echo, proxy: TcpProxy) -> None:
    with connect(proxy) as client:
        client.sendall(b"1")
        assert read(client, 1) == b"1"
        assert proxy.reset() == 1
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    until(lambda: echo.ended == ["rst"], "the server is cut too")
    until(lambda: proxy.connections() == [], "the proxy forgets the connection")


def test_refused_is_refused_until_it_is_not(proxy: TcpProxy) -> None:
    proxy.refuse()
    with pytest.raises(ConnectionRefusedError):
        connect(proxy)
    proxy.refuse(False)
    with connect(proxy) as client:
        client.sendall(b"1")
        assert read(client, 1) == b"1"


def test_it_ends_by_itself_and_a_dead_server_cuts_the_client(echo: Echo) -> None:
    with TcpProxy(echo.port, lifetime_s=0.05) as proxy:
        until(lambda: not proxy._thread.is_alive(), "it ends")  # pyright: ignore[reportPrivateUsage]
        with pytest.raises(ConnectionRefusedError):
            connect(proxy)
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    with TcpProxy(port) as proxy, connect(proxy) as client, pytest.raises(ConnectionResetError):
        client.recv(1)


@pytest.mark.parametrize("size", [1, 2, 3, 7])
@pytest.mark.parametrize("path", ["/apis/events/stream", "/streams?want=%5B%7B%22stream%22%3A%22apis%2Fevents%22%7D%5D"])
def test_a_stream_torn_at_every_byte_is_the_same_stream(server: Running, size: int, path: str) -> None:
    with TcpProxy(server.port) as proxy:
        proxy.split(size)
        whole, torn = server.stream(path), StreamClient(proxy.port, f"/api/v1{path}")
        streams = (whole, torn)
        wanted = {"id": "", "event": "hello"} if "want" in path else {}
        for stream in streams:
            stream.until(lambda frame: wanted.items() <= frame.data.items() if wanted else frame.event == "hello")
        requests = [c.Requested(f"ü€😀-{n}", now_us(), "torn-ä", "GET", "/ö", 200, 1.0) for n in range(5)]
        server.do(server.context.journal.commit(*requests))
        ids: list[list[str]] = []
        for stream in streams:
            data = [frame for frame in stream.until(lambda frame: "ü€😀-4" in str(frame.data)) if "ü€😀" in str(frame.data)]
            ids.append([str(frame) for frame in data])
        assert len(ids[0]) == 5
        assert ids[0] == ids[1]
        assert httpx.get(f"{proxy.url}/api/v1/apis/events?limit=2").json() == server.json("/apis/events?limit=2")
        for stream in streams:
            stream.close()
