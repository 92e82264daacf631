"""Our relay behind the smallest listener that can upgrade, for measurements: `python -m benchmarks.derp.serve`."""

import argparse
import asyncio
import signal
import ssl
from pathlib import Path

import uvloop

from hatsize.derp.server import DerpServer
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


async def serve(arguments: argparse.Namespace) -> None:
    relay = DerpServer(PrivateKey.generate())
    context = None
    if arguments.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(arguments.certificate, arguments.key)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Head(relay), "127.0.0.1", arguments.port, ssl=context, backlog=1024)
    upkeep = asyncio.create_task(relay.run())
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    server.close()
    upkeep.cancel()
    await relay.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("--certificate", type=Path)
    parser.add_argument("--key", type=Path)
    parser.add_argument("--loop", choices=("uvloop", "asyncio"), default="uvloop")
    arguments = parser.parse_args()
    runner = uvloop if arguments.loop == "uvloop" else asyncio
    runner.run(serve(arguments))


if __name__ == "__main__":
    main()
