"""`hatsize serve`: runs a server, and takes it down in order."""

import contextlib
import gc
import logging
import signal
from collections.abc import AsyncIterator, Callable

import anyio
from anyio import to_thread
from anyio.abc import TaskGroup

from hatsize.derp.privileges import allow_many_connections
from hatsize.derp.stun import StunServer, stun_sockets
from hatsize.hooks.running import Running
from hatsize.hooks.storage import StorageError
from hatsize.live.policy_attributes import PolicyAttributes
from hatsize.live.probing import Prober
from hatsize.server import duties
from hatsize.server.acme import Renewal
from hatsize.server.acme_challenges import Challenges, http_app
from hatsize.server.assemble import Parts, assemble
from hatsize.server.contributions import Contributions
from hatsize.server.first_run import join_key
from hatsize.server.listener import Listener
from hatsize.server.logs import configure_logs
from hatsize.server.plugins import choose_services, load_plugins
from hatsize.server.relay_beside import RelayBeside
from hatsize.server.reload import Reloader
from hatsize.server.run_time_settings import tell_changed
from hatsize.server.settings import Settings
from hatsize.server.sole_use import sole_use

log = logging.getLogger(__name__)

GARBAGE = (20_000, 20, 50)
"""The collector's thresholds: records and sessions are many and live long, and hardly any garbage has cycles."""
GRACE = 1.0
"""Seconds that running requests have at the end; with the relay's farewell the server is gone in under two."""


def run(settings: Settings, read: Callable[[], Settings] | None = None) -> None:
    """Serve until SIGINT or SIGTERM; `read` reads the settings again, at SIGHUP."""
    configure_logs(settings.log.level, settings.log.format)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # one that comes too early asks for what is being done anyway
    gc.set_threshold(*GARBAGE)
    anyio.run(serve, settings, None, read, backend_options={"use_uvloop": True})


async def serve(
    settings: Settings,
    ready: Callable[[Parts], None] | None = None,
    read: Callable[[], Settings] | None = None,
) -> None:
    """Serve until told to stop by a signal.

    `ready` is called once connections are accepted; `read` reads the settings again, at SIGHUP.
    """
    allow_many_connections()
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    with sole_use(settings.data_dir):
        await _serve(settings, ready, read)


async def _serve(
    settings: Settings, ready: Callable[[Parts], None] | None, read: Callable[[], Settings] | None
) -> None:
    services = choose_services(load_plugins(settings), settings)
    await to_thread.run_sync(services.storage.open)
    try:
        parts = await assemble(settings, services)
        with contextlib.closing(parts.delivery):
            await _run(parts, services.plugins.running(parts.view), read, ready)
    finally:
        with anyio.CancelScope(shield=True):
            await to_thread.run_sync(services.storage.close)


async def _run(
    parts: Parts,
    plugins: Running,
    read: Callable[[], Settings] | None,
    ready: Callable[[Parts], None] | None,
) -> None:
    """Listen and do everything a server does, until told to stop."""
    async with plugins, anyio.create_task_group() as tasks, _listening(parts):
        duties.start(tasks, parts.live, parts.hub)
        tasks.start_soon(parts.delivery.run)
        tasks.start_soon(Contributions(parts.live).run)
        tasks.start_soon(PolicyAttributes(parts.live).run)
        if parts.relay is not None:
            tasks.start_soon(parts.relay.run)
        if parts.policy_file is not None:
            tasks.start_soon(parts.policy_file.follow)
        tasks.start_soon(Prober(parts.live, parts.pings.is_alive).run)
        tasks.start_soon(parts.relay_map.refresh, parts.live.settings_changed)
        if parts.settings.tls.acme.domains:
            await _order_certificates(parts, tasks)
        if read is not None:
            Reloader(parts, read).start(tasks)
        tell_changed(parts.live)
        await _greet(parts)
        gc.freeze()
        if ready is not None:
            ready(parts)
        await _told_to_stop()
        tasks.cancel_scope.cancel()


async def _order_certificates(parts: Parts, tasks: TaskGroup) -> None:
    """Begin to keep the certificate of the configured domains valid."""
    acme = parts.settings.tls.acme
    renewal = Renewal(acme, parts.settings.data_dir / "acme", parts.certificates, Challenges())
    renewal.resume()
    parts.listener.challenge_context = renewal.challenges.context
    if acme.challenge == "http-01":
        parts.challenges = Listener(http_app(renewal.challenges, parts.place.url))
        await parts.challenges.start(acme.listen.host, acme.listen.port)
    tasks.start_soon(renewal.run)


@contextlib.asynccontextmanager
async def _listening(parts: Parts) -> AsyncIterator[None]:
    """Accept connections inside, and end them all in order afterwards."""
    settings, listener = parts.settings, parts.listener
    stun = _answer_stun(parts)
    try:
        for address in settings.listen:
            await listener.start_at(address)
        if isinstance(parts.relay, RelayBeside):
            await parts.relay.listen()
        parts.local.start_unix(settings.socket, settings.api.socket_mode)
        yield
    finally:
        with anyio.CancelScope(shield=True):
            stun.close()
            parts.hub.close()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(listener.stop, GRACE)
                tasks.start_soon(parts.local.stop, GRACE)
                if parts.challenges is not None:
                    tasks.start_soon(parts.challenges.stop, GRACE)
                tasks.start_soon(parts.tunnel.close)
                if parts.relay is not None:
                    tasks.start_soon(parts.relay.close)
            await _store_last_reports(parts)
            settings.socket.unlink(missing_ok=True)


async def _store_last_reports(parts: Parts) -> None:
    """Store what nodes told at the end; a storage that takes nothing does not keep the server from its orderly end."""
    try:
        await parts.live.flush()
    except StorageError as error:
        log.warning("what %d nodes told last is not stored: %s", parts.live.behind, error)


def _answer_stun(parts: Parts) -> StunServer:
    """Answer STUN, in the relay's own process where it has one; the server of this process, which may be idle."""
    server, relay = StunServer(), parts.relay
    stun = parts.settings.stun
    sockets = stun_sockets([(address.host, address.port) for address in stun.listen if stun.enabled])
    if isinstance(relay, RelayBeside):
        relay.answer_stun_on(sockets)
    else:
        for sock in sockets:
            server.answer_on(sock)
    if sockets:
        parts.figures.stun = lambda: relay.stun_counters if isinstance(relay, RelayBeside) else server.counters
    return server


async def _greet(parts: Parts) -> None:
    """Say where the server is, and how to join it."""
    url = parts.place.url
    print(f"Hatsize serves {url} (data in {parts.settings.data_dir})", flush=True)  # noqa: T201 - for the person
    key = await join_key(parts.live)
    if key is not None:
        print("Add a first machine within the hour, on that machine:\n", flush=True)  # noqa: T201
        print(f"  tailscale up --login-server {url} --auth-key {key}\n", flush=True)  # noqa: T201
    else:
        print("Add a machine with a key from: hatsize preauthkeys create --user 1", flush=True)  # noqa: T201


async def _told_to_stop() -> None:
    """Return when SIGINT or SIGTERM comes."""
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for _ in signals:
            return
