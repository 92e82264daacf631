"""Following the change log: what others commit is taken over as soon as the storage tells of it."""

import logging

import anyio
from anyio import to_thread

from hatsize.hooks.lifecycle import Server
from hatsize.hooks.storage import StorageError

log = logging.getLogger(__name__)

WAIT = 20.0
"""Seconds after which the number of the last change is asked for though nobody told of a new one."""
AGAIN_IN = 0.5
"""Seconds from a failure to the next attempt."""


async def follow(server: Server) -> None:
    """Take over what other replicas commit, until cancelled. What was missed meanwhile is read by its number."""
    well = True
    while True:
        try:
            await _next(server)
        except StorageError as error:
            if well:
                log.warning("cannot follow the other replicas' changes: %s", error)
            well = False
            await anyio.sleep(AGAIN_IN)
        else:
            if not well:
                log.info("following the other replicas' changes again, from change %d", server.state.seq)
            well = True


async def _next(server: Server) -> None:
    known = server.state.seq
    storage, tailnet = server.replica.storage, server.state.tailnet_id
    seq = await to_thread.run_sync(storage.wait, tailnet, known, WAIT, abandon_on_cancel=True)
    if seq < known:  # the storage had `known` before, and has forgotten it
        await server.replica.load_anew()
    else:
        await server.replica.catch_up(seq)
