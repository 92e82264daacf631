"""A storage in one file of JSON lines."""

import fcntl
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit

from msgspec.structs import replace

from hatsize.hooks import hookimpl
from hatsize.hooks.storage import ConflictError, Snapshot, Storage, StorageError, StorageFactory, StorageOptions
from hatsize.tailnet.model import Change, Tailnet
from hatsize_journal_storage.contents import Contents
from hatsize_journal_storage.lines import decode, encode, encode_trim

LOOK_EVERY = 0.02
"""Seconds between looks at what other processes have written."""


class JournalStorage:
    """Appends commits to a file. A commit is one line, so it is there whole or not at all."""

    name = "journal"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / "journal.jsonl"
        self._contents = Contents()
        self._read = 0
        self._guard = threading.Lock()
        self._closed = threading.Event()

    def open(self) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._file.touch(mode=0o600)
        except OSError as error:
            raise StorageError(f"{self._folder} cannot be used: {error.strerror}") from error
        self._closed.clear()
        self._catch_up()

    def close(self) -> None:
        self._closed.set()

    def tailnets(self) -> Sequence[Tailnet]:
        self._catch_up()
        return self._contents.tailnets()

    def load(self, tailnet: int) -> Snapshot:
        self._catch_up()
        return self._contents.snapshot(tailnet)

    def commit(self, changes: Sequence[Change], expect: int) -> int:
        tailnet = changes[0].tailnet
        with self._guard, self._locked() as descriptor:
            self._take_in(descriptor)
            seq = self._contents.seq(tailnet)
            if seq != expect:
                raise ConflictError(f"the journal is at {seq}, not at {expect}")
            numbered = [replace(change, seq=seq + number) for number, change in enumerate(changes, 1)]
            self._append(descriptor, encode(numbered))
            self._contents.take(numbered)
            return seq + len(numbered)

    def changes(self, tailnet: int, after: int) -> Sequence[Change]:
        self._catch_up()
        return self._contents.changes(tailnet, after)

    def wait(self, tailnet: int, after: int, timeout: float) -> int:
        end = monotonic() + timeout
        while True:
            self._catch_up()
            seq = self._contents.seq(tailnet)
            left = end - monotonic()
            if seq > after or left <= 0 or self._closed.wait(min(LOOK_EVERY, left)):
                return seq

    def trim(self, before: datetime) -> int:
        with self._guard, self._locked() as descriptor:
            self._take_in(descriptor)
            self._append(descriptor, encode_trim(before))
            return self._contents.forget(before)

    def read_secret(self, name: str) -> bytes | None:
        path = self._folder / f"{name}.secret"
        return path.read_bytes() if path.exists() else None

    def write_secret(self, name: str, value: bytes) -> bytes:
        with self._guard, self._locked():
            there = self.read_secret(name)
            if there is not None:
                return there
            descriptor = os.open(self._folder / f"{name}.secret", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(value)
            return value

    @contextmanager
    def _locked(self) -> Iterator[int]:
        """The journal, for this process alone; unlocked when it is closed."""
        descriptor = os.open(self._file, os.O_RDWR)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield descriptor
        except OSError as error:
            raise StorageError(f"{self._file}: {error.strerror}") from error
        finally:
            os.close(descriptor)

    def _catch_up(self) -> None:
        """Take in what was written since the last look."""
        with self._guard:
            descriptor = os.open(self._file, os.O_RDONLY)
            try:
                self._take_in(descriptor)
            finally:
                os.close(descriptor)

    def _take_in(self, descriptor: int) -> None:
        """Read the whole lines from where the last look ended; half a line is a commit that was never answered."""
        size = os.fstat(descriptor).st_size
        for line in os.pread(descriptor, size - self._read, self._read).splitlines(keepends=True):
            if not line.endswith(b"\n"):
                return
            told = decode(line)
            if isinstance(told, datetime):
                self._contents.forget(told)
            else:
                self._contents.take(told)
            self._read += len(line)

    def _append(self, descriptor: int, line: bytes) -> None:
        """Write a line over whatever half a line is there, durably; or nothing."""
        try:
            os.ftruncate(descriptor, self._read)
            os.pwrite(descriptor, line, self._read)
            os.fsync(descriptor)
        except OSError:
            os.ftruncate(descriptor, self._read)
            raise
        self._read += len(line)


class JournalFactory:
    name = "journal"
    schemes: Sequence[str] = ("journal",)

    def create(self, options: StorageOptions) -> Storage:
        path = urlsplit(options.url).path
        if not path:
            raise StorageError("database.url names no folder; give one such as journal:///var/lib/hatsize/journal")
        return JournalStorage(Path(options.data_dir) / path)


class JournalPlugin:
    hatsize_api = "1.0"

    @hookimpl
    def hatsize_register_storage(self) -> StorageFactory:
        return JournalFactory()


plugin = JournalPlugin()
