"""Our relay behind the smallest listener that can upgrade, for measurements: `python -m benchmarks.derp.serve`."""

import argparse
import asyncio
import contextlib
import signal
import socket
import ssl
import tempfile
from functools import partial
from pathlib import Path

import uvloop

from hatsize.derp.processes import Sibling, supervise
from hatsize.derp.server import DerpServer
from hatsize.server.listener import bound_sockets
from hatsize.server.tls import CertificateFiles, build_context
from hatsize.server.tls_handshake import shake_hands
from hatsize.server.tls_transport import TLSTransport
from hatsize.wire.keys import PrivateKey
from hatsize.wire.upgrade import Upgrade


class Head(asyncio.Protocol):
    """Reads a request's head and hands the connection to the relay."""

    def __init__(self, relay: DerpServer) -> None:
        self._relay = relay
        self._read = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._read += data
        head, found, trailing = self._read.partition(b"\r\n\r\n")
        if found:
            lines = head.decode("latin1").split("\r\n")[1:]
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            self._relay.take(Upgrade("GET", "/derp", "", headers, self._transport, trailing, remote="127.0.0.1"))


class Door:
    """Accepts connections on a port, over TLS as the server's listener does."""

    def __init__(self, relay: DerpServer, context: ssl.SSLContext | None) -> None:
        self._relay = relay
        self._context = context
        self._connecting: set[asyncio.Task[None]] = set()

    async def open(self, port: int, *, reuse_port: bool) -> socket.socket:
        (listening,) = await bound_sockets("127.0.0.1", port, reuse_port=reuse_port)
        listening.setblocking(False)
        listening.listen(1024)
        asyncio.get_running_loop().add_reader(listening, self._accept, listening)
        return listening

    def _accept(self, listening: socket.socket) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                sock, _ = listening.accept()
                sock.setblocking(False)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                task = asyncio.get_running_loop().create_task(self._connect(sock))
                self._connecting.add(task)
                task.add_done_callback(self._connecting.discard)

    async def _connect(self, sock: socket.socket) -> None:
        if self._context is None:
            await asyncio.get_running_loop().connect_accepted_socket(lambda: Head(self._relay), sock)
            return
        with contextlib.suppress(OSError):
            records = await shake_hands(sock, self._context, within=10)
            TLSTransport(sock, records, 10).begin(Head(self._relay))


async def serve(arguments: argparse.Namespace, sibling: Sibling | None = None) -> None:
    relay = DerpServer(PrivateKey.generate(), mesh_key=sibling.mesh_key if sibling else "")
    context = None
    if arguments.certificate:
        context = build_context(CertificateFiles(arguments.certificate, arguments.key))
    loop = asyncio.get_running_loop()
    listening = await Door(relay, context).open(arguments.port, reuse_port=sibling is not None)
    running = [asyncio.create_task(relay.run())]
    if sibling:
        private = await loop.create_unix_server(lambda: Head(relay), str(sibling.socket))
        running.append(asyncio.create_task(sibling.mesh(relay.relay).run()))
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    loop.remove_reader(listening)
    listening.close()
    if sibling:
        private.close()
    for task in running:
        task.cancel()
    await relay.close()


def serve_sibling(arguments: argparse.Namespace, sibling: Sibling) -> None:
    """What one of several processes does."""
    sibling.socket.unlink(missing_ok=True)
    uvloop.run(serve(arguments, sibling))


async def serve_several(arguments: argparse.Namespace, directory: Path) -> None:
    key = PrivateKey.generate().raw.hex()
    siblings = [Sibling(directory, place, arguments.processes, key) for place in range(arguments.processes)]
    supervising = asyncio.create_task(supervise(siblings, partial(serve_sibling, arguments)))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, supervising.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await supervising


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("--certificate", type=Path)
    parser.add_argument("--key", type=Path)
    parser.add_argument("--loop", choices=("uvloop", "asyncio"), default="uvloop")
    parser.add_argument("--processes", type=int, default=1)
    arguments = parser.parse_args()
    runner = uvloop if arguments.loop == "uvloop" else asyncio
    if arguments.processes == 1:
        runner.run(serve(arguments))
        return
    with tempfile.TemporaryDirectory() as directory:
        runner.run(serve_several(arguments, Path(directory)))


if __name__ == "__main__":
    main()
