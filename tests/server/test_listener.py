"""One port: what comes in, what is kept waiting, and how it ends."""

import asyncio
import contextlib
import socket
import ssl
import stat

import pytest

from hatsize.server import listener as listener_module
from hatsize.server.listener import Listener
from hatsize.server.tls import build_context, self_signed

pytestmark = pytest.mark.anyio


@pytest.fixture(params=[False, True], ids=["asyncio", "uvloop"])
def anyio_backend(request):
    return "asyncio", {"use_uvloop": request.param}


async def hello(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"hello"})


@contextlib.asynccontextmanager
async def listening(app=hello, **options):
    listener = Listener(app, **options)
    await listener.start("127.0.0.1", 0)
    try:
        yield listener, listener.sockets[0].getsockname()
    finally:
        await listener.stop(0.1)


async def get(address, **options):
    reader, writer = await asyncio.open_connection(*address, **options)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    answer = await reader.read()
    writer.close()
    return answer


async def ended(reader):
    with contextlib.suppress(ConnectionError):
        return await asyncio.wait_for(reader.read(), 5) == b""
    return True


async def test_plain_http_is_answered():
    async with listening() as (_, address):
        assert (await get(address)).endswith(b"\r\n\r\nhello")


async def test_tls_is_answered_on_the_same_port(tmp_path):
    files = self_signed(tmp_path, ["localhost"])
    trusting = ssl.create_default_context(cafile=str(files.certificate))
    async with listening(ssl_context=build_context(files)) as (_, address):
        assert (await get(address, ssl=trusting, server_hostname="localhost")).endswith(b"hello")
        assert (await get(address)).endswith(b"hello")


async def test_a_certificate_can_be_swapped(tmp_path):
    first, second = (self_signed(tmp_path / name, ["localhost"]) for name in "ab")
    async with listening(ssl_context=build_context(first)) as (listener, address):
        listener.ssl_context = build_context(second)
        trusting = ssl.create_default_context(cafile=str(second.certificate))
        assert (await get(address, ssl=trusting, server_hostname="localhost")).endswith(b"hello")


async def test_tls_without_a_certificate_is_closed():
    async with listening() as (_, address):
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"\x16\x03\x01")
        assert await ended(reader)
        writer.close()


async def test_a_broken_tls_handshake_is_closed(tmp_path):
    async with listening(ssl_context=build_context(self_signed(tmp_path, ["x"]))) as (_, address):
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"\x16" + b"nonsense" * 10)
        await asyncio.wait_for(reader.read(), 5)
        writer.close()
        assert (await get(address)).endswith(b"hello")


async def test_handshakes_under_way_are_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(listener_module, "MAX_HANDSHAKES", 0)
    async with listening(ssl_context=build_context(self_signed(tmp_path, ["x"]))) as (_, address):
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"\x16")
        assert await ended(reader)
        writer.close()
        assert (await get(address)).endswith(b"hello")


async def test_who_says_nothing_is_closed(monkeypatch):
    monkeypatch.setattr(listener_module, "SPEAK_DEADLINE", 0.05)
    async with listening() as (listener, address):
        reader, writer = await asyncio.open_connection(*address)
        assert await ended(reader)
        assert not listener._silent
        writer.close()


async def test_a_thousand_silent_connections_cost_no_transport_and_lock_nobody_out():
    async with listening() as (listener, address):
        silent = [socket.create_connection(address) for _ in range(1000)]
        assert (await get(address)).endswith(b"hello")
        assert len(listener._silent) == 1000
        assert not listener._site.connections
        for sock in silent:
            sock.close()


async def test_the_oldest_silent_connection_makes_room(monkeypatch):
    monkeypatch.setattr(listener_module, "MAX_SILENT", 2)
    async with listening() as (_, address):
        oldest, *others = [await asyncio.open_connection(*address) for _ in range(3)]
        assert await ended(oldest[0])
        assert not others[0][0].at_eof()
        for _, writer in (oldest, *others):
            writer.close()


async def test_it_listens_on_several_addresses():
    async with listening() as (listener, _):
        await listener.start("127.0.0.1", 0)
        assert len(listener.addresses) == 2
        for sock in listener.sockets:
            assert (await get(sock.getsockname())).endswith(b"hello")


async def test_an_address_in_use_is_an_error():
    async with listening() as (_, address):
        with pytest.raises(OSError, match="in use"):
            await Listener(hello).start(*address)


async def test_a_unix_socket_lets_in_whom_its_mode_says(tmp_path):
    path = tmp_path / "api.sock"
    async with listening() as (listener, _):
        listener.start_unix(path, 0o600)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert str(path) in listener.addresses
        reader, writer = await asyncio.open_unix_connection(str(path))
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert (await reader.read()).endswith(b"hello")
        writer.close()


async def test_a_socket_left_behind_is_replaced(tmp_path):
    path = tmp_path / "api.sock"
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(path))
    left.close()
    async with listening() as (listener, _):
        listener.start_unix(path)


async def test_running_out_of_files_is_a_pause_and_not_an_end(monkeypatch, caplog):
    monkeypatch.setattr(listener_module, "_PAUSE_WITHOUT_FILES", 0.01)
    async with listening() as (listener, address):
        full = socket.socket()
        full.setblocking(False)

        class Full:
            def accept(self):
                raise OSError(24, "Too many open files")

            def fileno(self):
                return full.fileno()

        full.bind(("127.0.0.1", 0))
        full.listen()
        listener._accept(Full())
        assert "Too many open files" in caplog.text
        assert (await get(address)).endswith(b"hello")
        for timer in listener._resumes.values():
            timer.cancel()
        full.close()


async def test_stopping_takes_the_port_back_and_ends_silent_connections():
    async with listening() as (listener, address):
        reader, writer = await asyncio.open_connection(*address)
        await asyncio.sleep(0)
        await listener.stop(0.1)
        assert await ended(reader)
        assert listener.sockets == []
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(*address)
        writer.close()
