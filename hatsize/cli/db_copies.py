"""`hatsize db backup` and `restore`: copies of the database in one file, and back."""

from datetime import UTC, datetime
from pathlib import Path

from hatsize.builtin.storage.database import Database
from hatsize.builtin.storage.operations import backup as copies
from hatsize.builtin.storage.operations.move import move
from hatsize.builtin.storage.sqlite import SqliteDatabase
from hatsize.cli.arguments import confirm
from hatsize.cli.configured import configured
from hatsize.cli.db_opened import configured_database, in_words, opened, server_stopped, without
from hatsize.cli.db_progress import progress
from hatsize.cli.failures import Failure
from hatsize.cli.output import show
from hatsize.hooks.storage import StorageError


def make_backup(file: Path) -> None:
    """Write a copy of the configured database."""
    if file.is_dir():
        file /= f"hatsize-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.db"
    with in_words():
        database = configured_database()
        if isinstance(database, SqliteDatabase) and file.exists() and file.samefile(database.path):
            raise Failure(f"{file} is the database itself: name another file")
        if file.exists():
            confirm(f"Replace {file}?", "No backup was made")
        with opened(database), progress() as told:
            left_out = copies.backup(database, file, told)
    size = file.stat().st_size
    show(
        {"file": str(file.absolute()), "size": size, "left_out": left_out},
        f"The database was copied to {file} ({size / 1e6:.1f} MB).{without(left_out)}",
    )


def restore_backup(file: Path) -> None:
    """Put a backup in the configured database's place."""
    settings = configured()
    with in_words():
        database = configured_database(settings)
        with server_stopped(settings.data_dir):
            if isinstance(database, SqliteDatabase):
                _restore_file(database, file)
            else:
                _restore_rows(database, file)


def _restore_file(database: SqliteDatabase, file: Path) -> None:
    if database.path.exists():
        made = datetime.fromtimestamp(file.stat().st_mtime, UTC) if file.exists() else None
        when = f" of {made:%Y-%m-%d %H:%M} UTC" if made else ""
        confirm(
            f"Put {file}{when} in the place of {database.path}? What happened since is not in it.",
            "Nothing was restored",
        )
    with progress() as told:
        kept = copies.restore(database, file, told)
    before = f" What was there before is {kept}." if kept else ""
    done = {"restored": str(database.path), "kept": str(kept) if kept else None}
    show(done, f"Restored. Start the server again.{before}")


def _restore_rows(database: Database, file: Path) -> None:
    """Into an empty PostgreSQL database; one that holds anything is refused by `move`."""
    if not file.is_file():
        raise StorageError(f"backup {file}: there is no such file")
    with opened(SqliteDatabase(file), current=True) as source, opened(database), progress() as told:
        moved = move(source, database, told)
    done = {
        "restored": database.where.removeprefix("database "),
        "kept": None,
        "checksum": moved.checksum,
        "left_out": moved.left_out,
    }
    show(done, f"Restored {sum(moved.rows.values())} rows. Start the server again.{without(moved.left_out)}")
