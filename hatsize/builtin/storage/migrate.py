"""The schema's way from whatever release wrote it to this one. Alembic is only imported when there is a way to go."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Column, Connection, MetaData, Table, Text, inspect, select

from hatsize.builtin.storage.database import Database
from hatsize.builtin.storage.schema import HEAD
from hatsize.hooks.storage import StorageError

if TYPE_CHECKING:
    from alembic.config import Config


@dataclass(frozen=True, slots=True)
class Branch:
    """A line of migrations with a version table of its own, so that a plugin's come and go without the core's."""

    label: str
    location: Path
    """The directory with `env.py` and `versions/`."""
    head: str
    """The migration the program's tables are at."""

    @property
    def version_table(self) -> str:
        return f"schema_{self.label}"


CORE = Branch("core", Path(__file__).parent / "migrations", HEAD)


def current(connection: Connection, branch: Branch = CORE) -> str | None:
    """The migration the database is at, None when it has no tables of the branch."""
    if not inspect(connection).has_table(branch.version_table):
        return None
    version: Column[str] = Column("version_num", Text)
    Table(branch.version_table, MetaData(), version)
    return connection.scalar(select(version))


def known(branch: Branch = CORE) -> list[str]:
    """The migrations this program has, the newest first."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - slow to import, and seldom needed

    return [script.revision for script in ScriptDirectory(str(branch.location)).walk_revisions()]


def refuse_newer(found: str | None, where: str, branch: Branch = CORE) -> None:
    """StorageError when a newer program made the tables."""
    if found is not None and found not in known(branch):
        raise StorageError(
            f"{where}: was written by a newer Hatsize (schema {found}, this one knows up to {branch.head}): "
            "start that version or a later one, or restore a backup made before it"
        )


def upgrade(database: Database, branch: Branch = CORE) -> None:
    """Create or upgrade a branch's tables; StorageError when a newer program made them."""
    with database.reading() as connection:
        if current(connection, branch) == branch.head:
            return
    with database.writing() as connection:
        database.lock_schema(connection)
        _upgrade(connection, database.where, branch)


def _upgrade(connection: Connection, where: str, branch: Branch) -> None:
    from alembic import command  # noqa: PLC0415 - slow to import, and seldom needed

    found = current(connection, branch)
    refuse_newer(found, where, branch)
    command.upgrade(_config(connection, branch), f"{branch.label}@head")


def _config(connection: Connection, branch: Branch) -> "Config":
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(branch.location).replace("%", "%%"))
    config.attributes["connection"] = connection
    config.attributes["version_table"] = branch.version_table
    return config
