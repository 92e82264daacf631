"""The mesh of a region: links to its other relays, ours or Tailscale's, made again whenever they break."""

import asyncio
import logging
import random
import ssl
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

import anyio

from hatsize.derp.hosts import is_host
from hatsize.derp.link import ItselfError, Link
from hatsize.derp.relay import Relay
from hatsize.wire.keys import PrivateKey

_log = logging.getLogger(__name__)
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 30.0
_CONNECT_TIMEOUT = 10.0
_SILENCE = 150.0
"""Seconds without even a keepalive after which a link is taken for dead; keepalives come every 60 to 65."""


@dataclass(frozen=True, slots=True)
class MeshPeer:
    """Where another relay of the region listens."""

    host: str
    port: int = 0
    tls: bool = False
    path: str = ""
    """A Unix socket instead of host and port."""
    key: str = ""
    """The relay's public key, 64 hexadecimal digits, where it is known: no other relay is told the mesh key."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """`https://host[:port]`, `http://host[:port]`, `unix:/path`, or a bare host, which means https."""
        if text.startswith("unix:"):
            return cls("localhost", path=text.removeprefix("unix:"))
        parts = urlsplit(text if "://" in text else f"https://{text}")
        try:
            port = parts.port
        except ValueError:
            port = 0
        if parts.scheme not in {"http", "https"} or not parts.hostname or not is_host(parts.hostname) or port == 0:
            raise ValueError(f"{text!r} is no mesh peer: write https://host[:port], http://host[:port] or unix:/path")
        tls = parts.scheme == "https"
        return cls(parts.hostname, port or (443 if tls else 80), tls)

    def __str__(self) -> str:
        return f"unix:{self.path}" if self.path else f"{'https' if self.tls else 'http'}://{self.host}:{self.port}"


class Mesh:
    """Keeps a link to each peer. `run` until cancelled, beside the relay."""

    def __init__(
        self,
        relay: Relay,
        identity: PrivateKey,
        mesh_key: str,
        peers: list[MeshPeer],
        *,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._relay = relay
        self._identity = identity
        self.mesh_key = mesh_key
        self.linked: set[MeshPeer] = set()
        """The peers that there is a link to."""
        self._peers = peers
        self._ssl_context = ssl_context

    async def run(self) -> None:
        async with anyio.create_task_group() as group:
            for peer in self._peers:
                group.start_soon(self.keep_linked, peer)

    async def keep_linked(self, peer: MeshPeer) -> None:
        """Keep a link to one more peer until cancelled."""
        wait = _FIRST_WAIT
        while True:
            started = asyncio.get_running_loop().time()
            try:
                await self._link(peer)
                _log.warning("the link to %s broke", peer)
            except ItselfError as error:
                _log.info("%s: no link", error)
                return
            except (OSError, TimeoutError) as error:
                _log.warning("no link to %s: %s", peer, error or "it does not answer in time")
            held = asyncio.get_running_loop().time() - started > _LONGEST_WAIT
            wait = _FIRST_WAIT if held else wait
            await anyio.sleep(wait * (0.5 + random.random()))  # noqa: S311 - spreads reconnections, guards nothing
            wait = min(2 * wait, _LONGEST_WAIT)

    async def _link(self, peer: MeshPeer) -> None:
        """Connect, and return when the link is lost."""
        with anyio.fail_after(_CONNECT_TIMEOUT):
            link = await self._connect(peer)
            await link.begun
        self.linked.add(peer)
        try:
            while not link.lost.done():
                await asyncio.wait([link.lost], timeout=_SILENCE / 5)
                if asyncio.get_running_loop().time() - link.last_heard > _SILENCE:
                    link.close()
            link.lost.result()
        finally:
            self.linked.discard(peer)
            link.close()

    async def _connect(self, peer: MeshPeer) -> Link:
        loop = asyncio.get_running_loop()

        def make() -> Link:
            return Link(self._relay, self._identity, self.mesh_key, peer.host, peer.key)

        if peer.path:
            return (await loop.create_unix_connection(make, peer.path))[1]
        context = (self._ssl_context or ssl.create_default_context()) if peer.tls else None
        return (await loop.create_connection(make, peer.host, peer.port, ssl=context))[1]
