"""Processes that are children of this one: started, started again when they end, and ended with their parent."""

import logging
import multiprocessing
import signal
from collections.abc import Awaitable, Callable
from multiprocessing.process import BaseProcess
from time import monotonic
from typing import TypeVarTuple, Unpack

import anyio
from anyio import to_thread

_log = logging.getLogger(__name__)
_STEADY = 10.0
"""What ran for so many seconds is run again at once, anything else after a pause."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
_GRACE = 3.0
"""Seconds a process has to end by itself."""

Ts = TypeVarTuple("Ts")


async def again(name: str, run: Callable[[], Awaitable[int | None]]) -> None:
    """Await `run` over and over, after a growing pause where it is over soon; it returns an exit code."""
    pause = _FIRST_PAUSE
    while True:
        started = monotonic()
        code = await run()
        _log.warning("%s ended with %s: starting it again", name, code)
        if monotonic() - started > _STEADY:
            pause = _FIRST_PAUSE
        else:
            await anyio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)


async def run_process(name: str, target: Callable[[Unpack[Ts]], None], *arguments: *Ts) -> int | None:
    """Run an importable function in a process of its own; returns its exit code, and ends it when cancelled."""
    process = multiprocessing.get_context("spawn").Process(target=target, args=arguments, name=name, daemon=True)
    process.start()
    try:
        await anyio.wait_readable(process.sentinel)
    finally:
        with anyio.CancelScope(shield=True):
            await to_thread.run_sync(_end, process)
    return process.exitcode


def _end(process: BaseProcess) -> None:
    """Ask a process to end, and end it if it does not."""
    process.terminate()
    process.join(_GRACE)
    if process.is_alive():
        process.kill()
        process.join()


async def until_told_to_stop() -> None:
    """Return when SIGINT or SIGTERM comes, or when the parent of this process is no more."""
    async with anyio.create_task_group() as group:

        async def then_stop(wait: Callable[[], Awaitable[None]]) -> None:
            await wait()
            group.cancel_scope.cancel()

        group.start_soon(then_stop, _signalled)
        parent = multiprocessing.parent_process()
        if parent is not None:
            group.start_soon(then_stop, lambda: anyio.wait_readable(parent.sentinel))


async def _signalled() -> None:
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for _ in signals:
            return
