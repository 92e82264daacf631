"""Leaving the clients to other replicas, a few at a time."""

from collections.abc import Callable

import anyio

from hatsize.hooks.replicas import Replica

NOTICE = 3.0
"""Seconds in which a balancer notices that this replica wants no more clients."""
STEP = 0.2
SPREAD = 10.0
"""Seconds over which the clients are let go."""


async def drain(replica: Replica, is_wanted: Callable[[], bool]) -> None:
    """Let clients go, and whoever comes all the same, for as long as that is wanted."""
    await anyio.sleep(NOTICE)
    at_once = max(1, round(replica.sessions * STEP / SPREAD))
    while is_wanted():
        replica.let_go(at_once)
        await anyio.sleep(STEP)
