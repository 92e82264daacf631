"""`hatsize db upgrade`: the schema's way to this program's, without starting a server."""

from hatsize.builtin.storage import migrate
from hatsize.builtin.storage.database import Database
from hatsize.cli.db_opened import configured_database, in_words, opened
from hatsize.cli.output import show


def upgrade_schema() -> None:
    """Upgrade the configured database, and print from where to where."""
    with in_words(), opened(configured_database()) as database:
        before = _schema(database)
        migrate.upgrade(database)
        after = _schema(database)
    done = {"from": before, "to": after}
    if before == after:
        show(done, f"The schema is {after} already.")
    else:
        show(done, f"The schema went from {before or 'none'} to {after}.")


def _schema(database: Database) -> str | None:
    with database.reading() as connection:
        return migrate.current(connection)
