"""A relay on its own, but for its listener: the server, its mesh, its STUN and its names, put together."""

import logging
import ssl
from pathlib import Path

import anyio

from hatsize.derp.admission import VerifyURL, everybody
from hatsize.derp.http_client import post
from hatsize.derp.mesh import Mesh
from hatsize.derp.processes import Sibling
from hatsize.derp.published_names import PublishedNames
from hatsize.derp.readmission import Readmission
from hatsize.derp.relay import Relay
from hatsize.derp.server import DerpServer
from hatsize.derp.settings import RelaySettings, SettingsError, read_mesh_key
from hatsize.derp.stun import StunServer, stun_sockets
from hatsize.wire.keys import PrivateKey

_log = logging.getLogger(__name__)


class RelayProcess:
    """What runs beside a listener that `server.take` is registered with."""

    def __init__(self, settings: RelaySettings, private: PrivateKey, sibling: Sibling | None = None) -> None:
        """`sibling` is which of several processes this one is. Raises SettingsError."""
        mesh_key = _mesh_key(settings, sibling)
        verify = _verification(settings)
        self.server = DerpServer(private, settings.limits, admit=verify or everybody, mesh_key=mesh_key)
        self._readmission = _readmission(settings, self.server, verify)
        self.names = PublishedNames(settings.bootstrap_names)
        relay = self.server.relay
        self._mesh = sibling.mesh(relay) if sibling else _mesh(settings, relay, private, mesh_key)
        self._stun_addresses = () if sibling and sibling.place > 0 else settings.stun
        self._stun = StunServer()

    def listen(self) -> None:
        """Open the STUN port, while one may still have the right to."""
        for sock in stun_sockets(self._stun_addresses):
            self._stun.answer_on(sock)

    async def run(self) -> None:
        """Run everything until cancelled; then tell clients when to come back."""
        try:
            async with anyio.create_task_group() as group:
                for part in (self.server.run, self._mesh.run, self.names.run):
                    group.start_soon(part)
                if self._readmission is not None:
                    group.start_soon(self._readmission.run)
                await anyio.sleep_forever()
        finally:
            with anyio.CancelScope(shield=True):
                await self.server.close()
            self._stun.close()


def _verification(settings: RelaySettings) -> VerifyURL | None:
    url = settings.verify_client_url
    return VerifyURL(url, post, fail_open=settings.verify_fail_open) if url else None


def _readmission(settings: RelaySettings, server: DerpServer, verify: VerifyURL | None) -> Readmission | None:
    """Questions about those who are connected, where somebody answers them and they are wanted."""
    if verify is None or not settings.verify_again:
        return None
    return Readmission(server.connected, verify.ask, server.evict, every=settings.verify_again)


def _mesh_key(settings: RelaySettings, sibling: Sibling | None) -> str:
    if sibling is not None:
        return sibling.mesh_key
    return read_mesh_key(settings.mesh_key_file) if settings.mesh_key_file else ""


def _mesh(settings: RelaySettings, relay: Relay, private: PrivateKey, mesh_key: str) -> Mesh:
    """The links to the other relays of the region."""
    context = _trusting(settings.mesh_ca_file) if settings.mesh_ca_file else None
    return Mesh(relay, private, mesh_key, list(settings.mesh_with), ssl_context=context)


def _trusting(file: Path) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=file)
    except OSError as error:
        raise SettingsError(f"--mesh-ca-file {file}: {error.strerror or error}; give certificates in PEM") from None
