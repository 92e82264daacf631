"""A data directory belongs to one process: a second server, or a restore under a running one, would ruin it."""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class InUseError(OSError):
    """Another process has the directory; the message says what to do."""


@contextmanager
def sole_use(data_dir: Path) -> Iterator[None]:
    """Have an existing data directory to oneself inside; InUseError when another process has it.

    The lock (flock) is on the directory itself: it leaves no file behind, needs no right but to read, and ends with the
    process, however that ends. A file system that has no such locks keeps nobody out.
    """
    directory = os.open(data_dir, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _lock(directory, data_dir)
        yield
    finally:
        os.close(directory)


def _lock(directory: int, data_dir: Path) -> None:
    try:
        fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        words = f"{data_dir} is in use by another Hatsize process: stop it first, or choose another data directory"
        raise InUseError(errno.EBUSY, words) from None
    except OSError as error:
        if error.errno not in {errno.EBADF, errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL}:
            raise
