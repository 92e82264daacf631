"""A relay on its own, but for its listener: the server, its mesh, its STUN and its names, put together."""

import logging
import ssl

import anyio

from hatsize.derp.admission import VerifyURL, everybody
from hatsize.derp.http_client import post
from hatsize.derp.mesh import Mesh
from hatsize.derp.published_names import PublishedNames
from hatsize.derp.server import DerpServer
from hatsize.derp.settings import RelaySettings, read_mesh_key
from hatsize.derp.stun import StunServer
from hatsize.wire.keys import PrivateKey

_log = logging.getLogger(__name__)


class RelayProcess:
    """What runs beside a listener that `server.take` is registered with."""

    def __init__(self, settings: RelaySettings, private: PrivateKey) -> None:
        """Raises SettingsError."""
        mesh_key = read_mesh_key(settings.mesh_key_file) if settings.mesh_key_file else ""
        url = settings.verify_client_url
        admit = VerifyURL(url, post, fail_open=settings.verify_fail_open) if url else everybody
        self.server = DerpServer(private, settings.limits, admit=admit, mesh_key=mesh_key)
        self.names = PublishedNames(settings.bootstrap_names)
        self._mesh = Mesh(
            self.server.relay,
            private,
            mesh_key,
            list(settings.mesh_with),
            ssl_context=ssl.create_default_context(cafile=settings.mesh_ca_file) if settings.mesh_ca_file else None,
        )
        self._settings = settings
        self._stun: StunServer | None = None

    async def listen(self) -> None:
        """Open the STUN port, while one may still have the right to."""
        if self._settings.stun is None:
            return
        host, port = self._settings.stun
        try:
            self._stun = await StunServer.start(host, port)
        except OSError as error:
            _log.warning("no STUN on %s port %s: %s", host or "any address", port, error.strerror)

    async def run(self) -> None:
        """Run everything until cancelled; then tell clients when to come back."""
        try:
            async with anyio.create_task_group() as group:
                for part in (self.server.run, self._mesh.run, self.names.run):
                    group.start_soon(part)
                await anyio.sleep_forever()
        finally:
            with anyio.CancelScope(shield=True):
                await self.server.close()
            if self._stun is not None:
                self._stun.close()
