"""What differs between the engines: connecting, how a transaction begins, and how news of a commit arrives."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from sqlalchemy import Connection


class Database(Protocol):
    """One database. Its errors are StorageErrors in words, LostConnectionError among them."""

    name: str
    where: str
    """The database as messages name it, without a password."""
    pages: str
    """The query that tells its size in bytes."""

    def open(self) -> None:
        """Connect, so that what is wrong with the URL shows at once."""

    def refuse_company(self) -> None:
        """Raise StorageError when another process has the database open. Asked while it is not open here."""

    def close(self) -> None:
        """Let go of every connection; who waits in `wait` is let go soon."""

    def reading(self) -> AbstractContextManager[Connection]:
        """A transaction that sees one moment of the database."""

    def writing(self) -> AbstractContextManager[Connection]:
        """A transaction that commits at the end, durable when left; rolled back by an exception."""

    def lock_schema(self, connection: Connection) -> None:
        """Let only this transaction change the schema."""

    def announce(self, connection: Connection, tailnet: int, seq: int) -> None:
        """Tell whoever waits, once the transaction has committed."""

    def wait(self, tailnet: int, after: int, timeout: float, last: Callable[[Connection], int]) -> int:
        """Block until `last`, the tailnet's number in the database, is past `after`, or for `timeout` seconds."""
