"""Storage: where a tailnet's records live when the process does not."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from hatsize.hooks import hookspec
from hatsize.hooks.setup import Setup
from hatsize.tailnet.model import Change, Record, Tailnet


class StorageError(Exception):
    """The storage could not do it now; the message says why in words, and nothing of the change was kept."""


class ConflictError(StorageError):
    """Another process committed first: read the changes since, and compute the command anew."""


class LogTrimmedError(StorageError):
    """The change log no longer reaches back that far: load the whole tailnet anew."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that is stored of one tailnet, at one sequence number."""

    seq: int
    records: Sequence[Record]
    last_ids: dict[str, int]
    """The highest id ever given out, by table, so that none is given out twice."""


class Storage(Protocol):
    """A durable store of tailnets. Methods block and are called from worker threads; `wait` holds up none of the
    others.

    A commit is whole: the rows and the change's entry in the log, in one transaction, numbered by the tailnet's own
    sequence without holes. `hatsize.testing.contracts.storage` holds the contract as tests.
    """

    name: str

    def open(self) -> None:
        """Connect and bring the schema up to date; StorageError when it is newer than this program."""

    def close(self) -> None:
        """Let go of files and connections; everything committed is durable already."""

    def tailnets(self) -> Sequence[Tailnet]:
        """The tailnets there are."""

    def load(self, tailnet: int) -> Snapshot:
        """Everything of one tailnet."""

    def commit(self, changes: Sequence[Change], expect: int) -> int:
        """Make changes of one tailnet durable in one transaction and return the last one's sequence number.

        `expect` is the number of the last change the caller has seen; ConflictError when the log went on since. Where a
        connection broke at the very moment of commit, a StorageError may hide that it was kept: then the next commit
        answers ConflictError, and `changes` tells.
        """

    def changes(self, tailnet: int, after: int) -> Sequence[Change]:
        """The changes numbered above `after`, in order, with the rows as they are now (a row deleted since is absent).

        Only after the last of them is the state consistent again. LogTrimmedError when the log begins later.
        """

    def wait(self, tailnet: int, after: int, timeout: float) -> int:
        """Block until the log is past `after`, or for `timeout` seconds; the number of the last change."""

    def trim(self, before: datetime) -> int:
        """Forget the log's entries from before a time, but for each tailnet's last; how many were forgotten."""

    def read_secret(self, name: str) -> bytes | None:
        """A secret shared by all processes on this storage, as the Noise key; None when it was never written."""

    def write_secret(self, name: str, value: bytes) -> bytes:
        """Write a secret unless it is there already; what is stored now."""


@dataclass(frozen=True, slots=True)
class StorageOptions:
    """What a storage is made from."""

    url: str
    """The settings' `database.url`."""
    data_dir: str


class StorageFactory(Protocol):
    """Makes the storage for the URL schemes it knows."""

    name: str
    schemes: Sequence[str]

    def create(self, options: StorageOptions) -> Storage:
        """A storage that is not open yet."""


@hookspec
def hatsize_register_storage(setup: Setup) -> StorageFactory | Sequence[StorageFactory]:  # type: ignore[empty-body]
    """Supply a kind of storage. *Service*: chosen by the scheme of `database.url`.

    Example:

        @hookimpl
        def hatsize_register_storage(self, setup):
            return Papers()

        class Papers:
            name = "papers"
            schemes = ("paper",)

            def create(self, options):
                raise StorageError(f"{options.url}: out of ink")
    """
