"""The built-in storage as a plugin: which database a URL means."""

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from hatsize.builtin.storage.database import Database
from hatsize.builtin.storage.sqlite import SqliteDatabase
from hatsize.builtin.storage.store import SqlStorage
from hatsize.hooks import hookimpl
from hatsize.hooks.storage import StorageError, StorageFactory, StorageOptions

hatsize_api = "1.0"
"""The version of the hook interface this was written for."""

FILE = "hatsize.db"
"""The database in the data directory, where no URL is configured."""


class SqlStorageFactory:
    """SQLite (`sqlite:///FILE`, relative to the data directory) and PostgreSQL (`postgresql://USER@HOST/NAME`)."""

    name = "sql"
    schemes: Sequence[str] = ("sqlite", "postgresql", "postgresql+psycopg")

    def create(self, options: StorageOptions) -> SqlStorage:
        """The storage of a URL, not open yet; StorageError when it is none of ours."""
        return SqlStorage(database_of(options.url, Path(options.data_dir)))


def database_of(text: str, data_dir: Path) -> Database:
    """The database a URL means; an empty one is `hatsize.db` in the data directory."""
    try:
        url = make_url(text or f"sqlite:///{FILE}")
    except ArgumentError:
        raise StorageError("database.url is not a URL; write sqlite:///FILE or postgresql://USER@HOST/NAME") from None
    if url.drivername == "sqlite":
        return SqliteDatabase(data_dir / _file_of(url))
    if url.drivername in SqlStorageFactory.schemes:
        return _postgres(url)
    raise StorageError(f"database.url: {url.drivername} is not known; there is: sqlite, postgresql")


def _file_of(url: URL) -> str:
    if not url.database or url.database == ":memory:":
        raise StorageError("database.url: name a file, as sqlite:///hatsize.db")
    return url.database


def _postgres(url: URL) -> Database:
    from hatsize.builtin.storage.postgres import PostgresDatabase  # noqa: PLC0415 - its driver is an extra

    return PostgresDatabase(url)


@hookimpl
def hatsize_register_storage() -> StorageFactory:
    return SqlStorageFactory()
