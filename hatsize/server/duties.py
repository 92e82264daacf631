"""What a server does by the clock: keepalives, storing what nodes reported, expiring keys, removing ephemeral nodes."""

import logging
from collections.abc import Awaitable, Callable

import anyio
from anyio.abc import TaskGroup

from hatsize.control.sessions import Hub
from hatsize.hooks.storage import StorageError
from hatsize.live.tailnet import LiveTailnet
from hatsize.server.logs import log_bug
from hatsize.server.retention import forget_auth_keys, trim_log
from hatsize.tailnet.model import Change, Node, PendingLogin
from hatsize.tailnet.state import State

log = logging.getLogger(__name__)

MISSED_AFTER = 5.0
"""Seconds between looks at logins whose time is over."""
HOUR = 3600.0


def start(tasks: TaskGroup, live: LiveTailnet, hub: Hub) -> None:
    """Begin all duties; they end with the task group."""
    tasks.start_soon(_every, 1.0, "sending keepalives", _as_async(hub.tick))
    tasks.start_soon(_every, live.terms.write_behind.total_seconds(), "storing reports", live.flush)
    tasks.start_soon(_every, 1.0, "expiring keys", _as_async(lambda: _expire(live)))
    tasks.start_soon(_every, 1.0, "removing ephemeral nodes", lambda: _reap(live))
    tasks.start_soon(_every, MISSED_AFTER, "forgetting old logins", lambda: _forget_logins(live))
    tasks.start_soon(_every, HOUR, "forgetting old auth keys", lambda: forget_auth_keys(live))
    tasks.start_soon(_every, HOUR, "trimming the change log", lambda: trim_log(live))


async def _every(seconds: float, doing: str, duty: Callable[[], Awaitable[None]]) -> None:
    """Do something again and again, whatever becomes of it once."""
    while True:
        await anyio.sleep(seconds)
        try:
            await duty()
        except StorageError as error:
            log.warning("%s: %s", doing, error)
        except Exception as error:  # noqa: BLE001 - one failure must not end the duty
            log_bug(log, doing, error)


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
            (Node.table, node_id) for node_id in due if state.find(Node, node_id) and not live.is_online(node_id)
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
