"""From the schema of every release there was, with rows in it, to this program's."""

import msgspec
import pytest
from alembic import command
from sqlalchemy import JSON, MetaData, event, insert

from hatsize.builtin.storage import migrate
from hatsize.builtin.storage.columns import _JsonText
from hatsize.builtin.storage.operations.check import check
from hatsize.builtin.storage.plugin import database_of
from hatsize.builtin.storage.store import SqlStorage
from hatsize.testing.contracts.storage_samples import a_node, a_tailnet, a_user, change, one_of_each

OLDER = [revision for revision in migrate.known() if revision != migrate.CORE.head]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def new_database(request, tmp_path):
    def new(name):
        url = "" if request.param == "sqlite" else request.getfixturevalue("postgres_server").new_database()
        return database_of(url, tmp_path / name)

    return new


def reflected(connection):
    """The tables as they are, JSON as text."""
    found = MetaData()
    event.listen(found, "column_reflect", lambda _, __, column: column.update(type=as_text(column["type"])))
    found.reflect(connection)
    return found


def as_text(kind):
    return _JsonText() if isinstance(kind, JSON) else kind


def made_at(revision, database):
    """Make a database as a program of that schema does; the columns of its tables."""
    database.open()
    with database.writing() as connection:
        command.upgrade(migrate._config(connection, migrate.CORE), f"core@{revision}")
        found = reflected(connection)
    return {name: {column.name for column in table.columns} for name, table in found.tables.items()}


def written(database, source):
    """Leave in an older database what its program knows of the rows of another one."""
    with source.reading() as reader, database.writing() as connection:
        older, newest = reflected(connection), reflected(reader)
        for name, table in older.tables.items():
            if name != migrate.CORE.version_table:
                for row in reader.execute(newest.tables[name].select()).mappings():
                    connection.execute(insert(table), {column.name: row[column.name] for column in table.columns})
    database.close()


def as_known(record, columns):
    """A record with the defaults in fields that a schema does not have."""
    return type(record)(**{name: getattr(record, name) for name in record.__struct_fields__ if name in columns})


@pytest.mark.parametrize("revision", OLDER)
def test_everything_comes_along(revision, new_database):
    source, older = SqlStorage(new_database("source")), SqlStorage(new_database("older"))
    source.open()
    known = made_at(revision, older.database)
    source.commit([change(*(record for record in one_of_each() if record.table in known))], 0)
    source.commit([change(a_user(2), a_node(2)), change(deletes=[("user", 2)])], 1)
    source.commit([change(a_tailnet(2), tailnet=2)], 0)
    source.write_secret("noise", b"\x00\x01")
    written(older.database, source.database)
    older.open()
    for tailnet in (1, 2):
        newest, upgraded = source.load(tailnet), older.load(tailnet)
        wanted = [as_known(record, known[record.table]) for record in newest.records]
        assert (upgraded.seq, upgraded.last_ids, upgraded.records) == (newest.seq, newest.last_ids, wanted)
    assert older.read_secret("noise") == b"\x00\x01"
    assert check(older.database) == []
    assert older.commit([change(msgspec.structs.replace(a_user(3)))], 3) == 4
    source.close()
    older.close()


@pytest.mark.parametrize("revision", OLDER)
def test_an_upgrade_that_fails_leaves_the_older_schema(revision, new_database, monkeypatch):
    source, older = SqlStorage(new_database("source")), new_database("older")
    source.open()
    known = made_at(revision, older)
    source.commit([change(*(record for record in one_of_each() if record.table in known))], 0)
    written(older, source.database)
    source.close()
    older.open()

    def breaks_off(config, target):
        command_upgrade(config, target)
        raise KeyboardInterrupt

    command_upgrade = command.upgrade
    monkeypatch.setattr(command, "upgrade", breaks_off)
    with pytest.raises(KeyboardInterrupt):
        migrate.upgrade(older)
    with older.reading() as connection:
        assert migrate.current(connection) == revision
    older.close()
