"""A progress bar on standard error, when that is a terminal."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from hatsize.builtin.storage.operations import Progress, silent


@contextmanager
def progress() -> Iterator[Progress]:
    """Show what an operation tells, one line for each thing it does."""
    if not sys.stderr.isatty():
        yield silent
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description:24}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bars(*columns, console=Console(stderr=True)) as bars:
        tasks: dict[str, TaskID] = {}

        def told(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done)

        yield told
