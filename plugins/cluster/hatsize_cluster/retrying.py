"""Work that a lost connection ends, done again and again."""

import logging
from collections.abc import Awaitable, Callable

import anyio
import psycopg

log = logging.getLogger(__name__)

AGAIN_IN = 0.5
"""Seconds between attempts to reach the database."""
TROUBLE = (psycopg.Error, OSError, TimeoutError)
"""What may come of asking the database."""


async def again(what: str, work: Callable[[], Awaitable[None]]) -> None:
    """Do it until cancelled; each kind of trouble is logged once."""
    said = ""
    while True:
        try:
            await work()
        except TROUBLE as error:
            words = str(error).strip() or type(error).__name__
            if words != said:
                log.warning("the cluster's database does not answer (%s): %s", what, words)
            said = words
        await anyio.sleep(AGAIN_IN)
