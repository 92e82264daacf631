"""Files that are read again when they change. Looked at by the clock, which works on every file system."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import anyio
from anyio import to_thread

LOOK_EVERY = 0.5
"""Seconds between looks. A file that changed is read when two looks in a row found the same."""

Stamp = tuple[int, int, int] | None
"""Modification time, inode and size; None for a file that cannot be seen."""


async def watch(paths: Callable[[], Sequence[Path]], changed: Callable[[], Awaitable[None]]) -> None:
    """Call `changed` whenever one of the files is another one than before, until cancelled.

    The files are asked for at each look, so that others may take their place; that is no change.
    """
    known = former = await _stamps(paths())
    while True:
        await anyio.sleep(LOOK_EVERY)
        seen = await _stamps(paths())
        if seen.keys() != known.keys():
            known = seen
        elif seen == former and seen != known:
            known = seen
            await changed()
        former = seen


async def _stamps(paths: Sequence[Path]) -> dict[Path, Stamp]:
    return await to_thread.run_sync(lambda: {path: stamp(path) for path in paths})


def stamp(path: Path) -> Stamp:
    """What tells one state of a file from another."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size
