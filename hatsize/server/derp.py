"""`hatsize derp`: a relay on its own, with the same listener and certificates as a server."""

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import anyio
from quart import Quart

from hatsize.derp.blueprint import blueprint
from hatsize.derp.privileges import account_of, allow_many_connections, drop_privileges
from hatsize.derp.process import RelayProcess
from hatsize.derp.processes import Sibling, supervise
from hatsize.derp.settings import RelaySettings
from hatsize.derp.supervision import until_told_to_stop
from hatsize.server.listener import Listener
from hatsize.server.logs import configure_logs
from hatsize.server.relay_certificate import RelayCertificate
from hatsize.server.secret_files import kept_key
from hatsize.server.settings_values import ListenAddress
from hatsize.server.tls import meta_certificate
from hatsize.wire.keys import PrivateKey

PASS_THROUGH = stat.S_IXGRP | stat.S_IXOTH


async def run_derp(settings: RelaySettings, sibling: Sibling | None = None) -> None:
    """Relay until SIGINT or SIGTERM, in this process; `sibling` says which of several it is.

    Raises SettingsError, CertificateError, SecretFileError or OSError at the start.
    """
    allow_many_connections()
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    private = kept_key(settings.data_dir / "derp.key")
    process = RelayProcess(settings, private, sibling)
    first = sibling is None or sibling.place == 0
    certificate = RelayCertificate(settings, meta_certificate(private.public), first=first)
    app = Quart(__name__)
    app.register_blueprint(blueprint(process.names))
    certificate.answer_on(app)
    listener = Listener(app, {("/derp", "DERP"): process.server.take})
    certificate.show_on(listener)
    try:
        for host, port in (*settings.listen, *(settings.http_listen if first else ())):
            await listener.start_at(ListenAddress(host, port), reuse_port=sibling is not None)
        if sibling is not None:
            _meet(listener, sibling, settings.user)
        process.listen()
        if settings.user:
            _hand_over(certificate.written(), settings)
            drop_privileges(settings.user)
        async with anyio.create_task_group() as group:
            group.start_soon(process.run)
            group.start_soon(certificate.run)
            await until_told_to_stop()
            group.cancel_scope.cancel()
    finally:
        with anyio.CancelScope(shield=True):
            await listener.stop()


async def run_derps(settings: RelaySettings) -> None:
    """Relay in `settings.processes` processes that share the ports, until SIGINT or SIGTERM.

    Raises what `run_derp` does where the first start would fail.
    """
    await _try_out(settings)
    with _meeting_place(settings.user) as directory:
        mesh_key = PrivateKey.generate().raw.hex()
        siblings = [Sibling(directory, place, settings.processes, mesh_key) for place in range(settings.processes)]
        async with anyio.create_task_group() as group:
            group.start_soon(supervise, siblings, partial(_sibling_main, settings))
            await until_told_to_stop()
            group.cancel_scope.cancel()


def _sibling_main(settings: RelaySettings, sibling: Sibling) -> None:
    """What one of several processes does."""
    configure_logs("info", "text")
    anyio.run(run_derp, settings, sibling, backend_options={"use_uvloop": True})


async def _try_out(settings: RelaySettings) -> None:
    """Make what all processes read, and open and close the ports, so that what is wrong is told once."""
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    private = kept_key(settings.data_dir / "derp.key")
    listener = Listener(Quart(__name__))
    RelayCertificate(settings, meta_certificate(private.public)).show_on(listener)
    try:
        for host, port in (*settings.listen, *settings.http_listen):
            await listener.start_at(ListenAddress(host, port))
    finally:
        await listener.stop(0)


@contextmanager
def _meeting_place(user: str) -> Iterator[Path]:
    """A folder for the processes' sockets that their user alone can enter."""
    directory = Path(tempfile.mkdtemp(prefix="hatsize-derp-"))
    try:
        _give(directory, user)
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _meet(listener: Listener, sibling: Sibling, user: str) -> None:
    """Listen for the other processes, whom this one will be the same user as."""
    listener.start_unix(sibling.socket)
    _give(sibling.socket, user)


def _hand_over(paths: Sequence[Path], settings: RelaySettings) -> None:
    """Let the user write these, and pass through the data directory to them; what else is in it stays closed."""
    if paths and account_of(settings.user).pw_uid != os.getuid():
        settings.data_dir.chmod(stat.S_IMODE(settings.data_dir.stat().st_mode) | PASS_THROUGH)
    for path in paths:
        _give(path, settings.user)


def _give(path: Path, user: str) -> None:
    """Make a user the owner; of a link itself, as one who had it before may have put it there."""
    if user:
        account = account_of(user)
        if account.pw_uid != os.getuid():
            os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)
