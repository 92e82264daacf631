"""`hatsize derp`: a relay on its own, with the same listener and certificates as a server."""

import signal

import anyio
from quart import Quart

from hatsize.derp.blueprint import blueprint
from hatsize.derp.privileges import allow_many_connections, drop_privileges
from hatsize.derp.process import RelayProcess
from hatsize.derp.settings import RelaySettings
from hatsize.server.listener import Listener
from hatsize.server.secret_files import kept_key
from hatsize.server.tls import CertificateFiles, build_context, meta_certificate, self_signed


async def run_derp(settings: RelaySettings) -> None:
    """Relay until SIGINT or SIGTERM.

    Raises SettingsError, CertificateError, SecretFileError or OSError at the start.
    """
    allow_many_connections()
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    private = kept_key(settings.data_dir / "derp.key")
    process = RelayProcess(settings, private)
    app = Quart(__name__)
    app.register_blueprint(blueprint(process.names))
    context = build_context(_certificate(settings), meta_certificate(private.public))
    listener = Listener(app, {("/derp", "DERP"): process.server.take}, context)
    try:
        for host, port in (*settings.listen, *settings.http_listen):
            await listener.start(host, port)
        await process.listen()
        if settings.user:
            drop_privileges(settings.user)
        async with anyio.create_task_group() as group:
            group.start_soon(process.run)
            await _told_to_stop()
            group.cancel_scope.cancel()
    finally:
        with anyio.CancelScope(shield=True):
            await listener.stop()


async def _told_to_stop() -> None:
    """Return when SIGINT or SIGTERM comes."""
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for _ in signals:
            return


def _certificate(settings: RelaySettings) -> CertificateFiles:
    if settings.certificate and settings.certificate_key:
        return CertificateFiles(settings.certificate, settings.certificate_key)
    return self_signed(settings.data_dir, settings.host_names)
