"""What a server does by the clock: keepalives, storing what nodes reported, expiring keys, removing ephemeral nodes."""

import logging
from collections.abc import Awaitable, Callable
from time import monotonic

import anyio
from anyio.abc import TaskGroup

from hatsize.control.sessions import Hub
from hatsize.hooks.storage import StorageError
from hatsize.live.tailnet import LiveTailnet
from hatsize.server.logs import log_bug
from hatsize.server.retention import forget_auth_keys, forget_plugin_items, forget_posture, trim_log
from hatsize.tailnet.model import Change, Node, PendingLogin
from hatsize.tailnet.state import State

log = logging.getLogger(__name__)

MISSED_AFTER = 5.0
"""Seconds between looks at logins whose time is over."""
MINUTE = 60.0
HOUR = 3600.0
REAPING = "removing ephemeral nodes"


def start(tasks: TaskGroup, live: LiveTailnet, hub: Hub) -> None:
    """Begin all duties; they end with the task group."""
    tasks.start_soon(_every, 1.0, "sending keepalives", _as_async(hub.tick))
    tasks.start_soon(_every, 0.0, "storing reports", lambda: store_reports(live))
    tasks.start_soon(_every, 1.0, "expiring keys", _as_async(lambda: _expire(live)))
    for seconds, doing, duty in (
        (1.0, REAPING, _reap),
        (MISSED_AFTER, "forgetting old logins", _forget_logins),
        (MINUTE, "forgetting posture attributes", forget_posture),
        (MINUTE, "forgetting items of plugins", forget_plugin_items),
        (HOUR, "forgetting old auth keys", forget_auth_keys),
        (HOUR, "trimming the change log", trim_log),
    ):
        tasks.start_soon(_every, seconds, doing, _once(live, doing, duty))


async def _every(seconds: float, doing: str, duty: Callable[[], Awaitable[None]]) -> None:
    """Do something again and again, whatever becomes of it once; why the storage refuses is told once."""
    refusal = ""
    while True:
        await anyio.sleep(seconds)
        try:
            await duty()
        except StorageError as error:
            if str(error) != refusal:
                log.warning("%s: %s", doing, error)
            refusal = str(error)
        except Exception as error:  # noqa: BLE001 - one failure must not end the duty
            log_bug(log, doing, error)
        else:
            if refusal:
                log.warning("%s: goes on again", doing)
            refusal = ""


def _once(
    live: LiveTailnet, doing: str, duty: Callable[[LiveTailnet], Awaitable[None]]
) -> Callable[[], Awaitable[None]]:
    """A duty that one replica carries out for all."""
    live.services.replication.is_ours(doing)  # it is claimed long before it is due

    async def run() -> None:
        if live.services.replication.is_ours(doing):
            await duty(live)

    return run


async def store_reports(live: LiveTailnet) -> None:
    """Store what nodes reported, a little later; soon where other replicas wait for it.

    After storing comes a rest as long as storing took, so that replicas that all have much to store take turns.
    """
    with anyio.move_on_after(live.terms.write_behind.total_seconds()):
        await live.awaited.wait()
    live.awaited = anyio.Event()
    started = monotonic()
    try:
        await live.flush()
    except StorageError:
        await anyio.sleep(live.terms.write_behind.total_seconds())
        raise
    await anyio.sleep(monotonic() - started)


def _as_async(duty: Callable[[], None]) -> Callable[[], Awaitable[None]]:
    async def run() -> None:
        duty()

    return run


def _expire(live: LiveTailnet) -> None:
    expired = live.expiries.due(live.clock())
    if expired:
        live.node_expired(expired)


async def _reap(live: LiveTailnet) -> None:
    """Remove the ephemeral nodes that have been away for too long."""
    due = live.reapings.due(live.clock())
    if not due:
        return

    def command(state: State) -> Change | None:
        gone = tuple(
            (Node.table, node_id)
            for node_id in due
            if state.find(Node, node_id) and not live.is_online(node_id) and live.services.replication.is_ours(REAPING)
        )
        if not gone:
            return None
        return Change(tailnet=state.tailnet_id, kind="node.deleted", deletes=gone, actor="server", at=live.clock())

    try:
        await live.run(command)
    except StorageError:
        for node_id in due:
            live.reapings.set(node_id, live.clock())
        raise


async def _forget_logins(live: LiveTailnet) -> None:
    def command(state: State) -> Change | None:
        now = live.clock()
        over = tuple((PendingLogin.table, login.id) for login in state.all(PendingLogin) if login.expires <= now)
        if not over:
            return None
        return Change(tailnet=state.tailnet_id, kind="login.decided", deletes=over, actor="server", at=now)

    if live.state.table(PendingLogin):
        await live.run(command)
