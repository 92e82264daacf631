"""A client in the test's own process: it registers, reports and follows its netmap as tailscaled does."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Self

from msgspec.structs import replace

from hatsize.testing.assembled import AssembledNetmap, Message
from hatsize.testing.transport import Answer, DirectTransport, Transport
from hatsize.testing.tunnel import TunnelTransport
from hatsize.wire import tailcfg
from hatsize.wire.keys import ZERO_NODE_KEY, NodeKey, PrivateKey, disco_key, machine_key, node_key
from hatsize.wire.mapframe import FrameReader
from hatsize.wire.tailcfg import Hostinfo, MapRequest, NetInfo, RegisterRequest, RegisterResponse, RegisterResponseAuth

CAP_VERSION = 113
"""tailscaled 1.80's."""
PATIENCE = 10.0
"""Seconds in which a server must have told what a test waits for."""
LOGOUT = datetime(1970, 1, 1, 0, 2, 3, tzinfo=UTC)
"""The expiry that clients ask for when they log out."""


class RefusedError(Exception):
    """The server answered a request with an error status."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text}")
        self.status = status


class FakeClient:
    """One machine with its keys. Make it with `connect`, or with any transport.

    async with await FakeClient.connect("127.0.0.1", port, hostname="desk") as client:
        await client.register(auth_key)
        stream = await client.poll()
        await stream.until(lambda netmap: netmap.peer_names == ["phone"])
    """

    def __init__(
        self, transport: Transport, machine: PrivateKey, *, hostname: str = "fake", cap_version: int = CAP_VERSION
    ) -> None:
        self.transport = transport
        self.machine = machine
        self.cap_version = cap_version
        self.hostinfo = Hostinfo(Hostname=hostname, OS="linux", IPNVersion="1.80.0", NetInfo=NetInfo())
        self.node_key: NodeKey = _new_node_key()
        self.old_node_key: NodeKey = ZERO_NODE_KEY
        self.disco_key = disco_key(PrivateKey.generate().public)
        self.endpoints: tuple[str, ...] = ()

    @classmethod
    async def connect(
        cls,
        host: str,
        port: int,
        *,
        hostname: str = "fake",
        machine: PrivateKey | None = None,
        cap_version: int = CAP_VERSION,
    ) -> Self:
        """A client of a server that listens on TCP; NoiseError when it refuses the handshake."""
        machine = machine or PrivateKey.generate()
        transport = await TunnelTransport.connect(host, port, machine, cap_version)
        return cls(transport, machine, hostname=hostname, cap_version=cap_version)

    @classmethod
    def direct(
        cls,
        app: Callable[..., object],
        *,
        hostname: str = "fake",
        machine: PrivateKey | None = None,
        cap_version: int = CAP_VERSION,
    ) -> Self:
        """A client that calls the inner app itself, with no socket and no handshake."""
        machine = machine or PrivateKey.generate()
        transport = DirectTransport(app, machine_key(machine.public), cap_version)
        return cls(transport, machine, hostname=hostname, cap_version=cap_version)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.transport.close()

    async def register(
        self, auth_key: str = "", *, followup: str = "", expiry: datetime | None = None, ephemeral: bool = False
    ) -> RegisterResponse:
        """Ask to be a node. The answer may hold an `Error`, or an `AuthURL` to follow up."""
        request = RegisterRequest(
            Version=self.cap_version,
            NodeKey=self.node_key,
            OldNodeKey=self.old_node_key,
            Auth=RegisterResponseAuth(AuthKey=auth_key) if auth_key else None,
            Followup=followup,
            Expiry=expiry,
            Ephemeral=ephemeral,
            Hostinfo=self.hostinfo,
        )
        return tailcfg.decode(RegisterResponse, await self.post("/machine/register", tailcfg.encode(request)))

    async def log_out(self) -> RegisterResponse:
        """Stop being a node."""
        return await self.register(expiry=LOGOUT)

    def rotate_key(self) -> None:
        """Take a new node key, as clients do for every login."""
        self.old_node_key, self.node_key = self.node_key, _new_node_key()

    def rename(self, hostname: str) -> None:
        """Take another host name; told with the next report."""
        self.hostinfo = replace(self.hostinfo, Hostname=hostname)

    async def report(
        self, *, endpoints: Sequence[str] | None = None, region: int | None = None, flags: Sequence[str] = ()
    ) -> None:
        """Tell the server of itself: a lite update. `flags` are what is wrong, as `warn-ip-forwarding-off`."""
        if endpoints is not None:
            self.endpoints = tuple(endpoints)
        if region is not None:
            self.hostinfo = replace(self.hostinfo, NetInfo=NetInfo(PreferredDERP=region))
        request = replace(self.map_request(stream=False), OmitPeers=True, DebugFlags=tuple(flags))
        await self.post("/machine/map", tailcfg.encode(request))

    async def poll(self, *, zstd: bool = True) -> "MapStream":
        """Open the map stream; RefusedError when the server does not give one."""
        request = self.map_request(stream=True, zstd=zstd)
        answer = await self.transport.request("POST", "/machine/map", tailcfg.encode(request))
        if answer.status != 200:
            raise RefusedError(answer.status, (await answer.body()).decode(errors="replace").strip())
        return MapStream(answer, zstd=zstd)

    def map_request(self, *, stream: bool, zstd: bool = True) -> MapRequest:
        """What the client asks and tells with `/machine/map`."""
        return MapRequest(
            Version=self.cap_version,
            Compress="zstd" if zstd else "",
            KeepAlive=True,
            NodeKey=self.node_key,
            DiscoKey=self.disco_key,
            Stream=stream,
            Hostinfo=self.hostinfo,
            Endpoints=self.endpoints,
        )

    async def post(self, path: str, body: bytes) -> bytes:
        """The body of the answer to any request in the tunnel; RefusedError for an error status."""
        answer = await self.transport.request("POST", path, body)
        text = await answer.body()
        if answer.status >= 400:
            raise RefusedError(answer.status, text.decode(errors="replace").strip())
        return text


class MapStream:
    """An open map stream: its messages, and the netmap they come to."""

    def __init__(self, answer: Answer, *, zstd: bool) -> None:
        self.netmap = AssembledNetmap()
        self.answer = answer
        self._bytes = answer.__aiter__()
        self._frames = FrameReader(compressed=zstd)
        self._waiting: list[bytes] = []

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Message:
        """The next message, taken into `netmap`."""
        while not self._waiting:
            self._waiting = list(self._frames.receive(await self._bytes.__anext__()))
        return self.netmap.apply_json(self._waiting.pop(0))

    async def until(self, holds: Callable[[AssembledNetmap], object], seconds: float = PATIENCE) -> AssembledNetmap:
        """Read on until something holds of the netmap. TimeoutError, or EOFError when the stream ends before."""
        async with asyncio.timeout(seconds):
            while not (self.netmap.messages and holds(self.netmap)):
                try:
                    await self.__anext__()
                except StopAsyncIteration:
                    raise EOFError("the map stream has ended") from None
        return self.netmap

    async def ended(self, seconds: float = PATIENCE) -> AssembledNetmap:
        """Read on until the server ends the stream."""
        async with asyncio.timeout(seconds):
            async for _ in self:
                pass
        return self.netmap

    def close(self) -> None:
        """Stop reading, and tell the server so."""
        self.answer.close()


def _new_node_key() -> NodeKey:
    return node_key(PrivateKey.generate().public)
