"""The databases that `hatsize db` works on. Slow to import: only for its verbs."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hatsize.builtin.storage import migrate
from hatsize.builtin.storage.database import Database
from hatsize.builtin.storage.plugin import database_of
from hatsize.builtin.storage.sqlite import SqliteDatabase
from hatsize.cli.configured import configured
from hatsize.cli.failures import Failure
from hatsize.hooks.storage import StorageError
from hatsize.server.settings import Settings
from hatsize.server.sole_use import InUseError, sole_use


@contextmanager
def in_words() -> Iterator[None]:
    """Raise what goes wrong with a database inside as a Failure."""
    try:
        yield
    except StorageError as error:
        raise Failure(str(error)) from error
    except InUseError as error:
        raise Failure(error.strerror or str(error)) from error


def configured_database(settings: Settings | None = None) -> Database:
    """The settings' database, not open."""
    settings = settings or configured()
    return database_of(settings.database.url.get_secret_value(), settings.data_dir)


def is_there(database: Database) -> bool:
    """Whether there is anything to open; of PostgreSQL its server will tell."""
    return not isinstance(database, SqliteDatabase) or database.path.exists()


@contextmanager
def opened(database: Database, *, current: bool = False) -> Iterator[Database]:
    """A database that is there, open inside; with `current`, one whose schema is this program's."""
    if not is_there(database):
        raise StorageError(f"{database.where}: is not there; start the server once, or name its --data-dir or --config")
    database.open()
    try:
        if current:
            _must_be_current(database)
        yield database
    finally:
        database.close()


@contextmanager
def server_stopped(data_dir: Path) -> Iterator[None]:
    """No server runs on a data directory inside, which is made when it is not there; InUseError when one does."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with sole_use(data_dir):
        yield


def without(tables: Sequence[str]) -> str:
    """What is said of tables that were left out; nothing where there are none."""
    return f"\nLeft out, as they are not Hatsize's own: {', '.join(tables)}." if tables else ""


def _must_be_current(database: Database) -> None:
    with database.reading() as connection:
        found = migrate.current(connection)
    if found != migrate.CORE.head:
        migrate.refuse_newer(found, database.where)
        has = f"has schema {found}" if found else "has no schema yet"
        raise StorageError(f"{database.where}: {has}, and this program needs {migrate.CORE.head}: `hatsize db upgrade`")
