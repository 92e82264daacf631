"""The tables against the records they keep, and against the migrations that make them."""

import msgspec
import pytest
from sqlalchemy import inspect

from hatsize.builtin.storage import migrate
from hatsize.builtin.storage.columns import Choice, Json, UtcTime
from hatsize.builtin.storage.schema import HEAD, TABLES, metadata
from hatsize.builtin.storage.sqlite import SqliteDatabase
from hatsize.hooks.storage import StorageError
from hatsize.tailnet.model import RECORDS
from hatsize.testing.contracts.storage_samples import one_of_each


@pytest.fixture
def database(tmp_path):
    database = SqliteDatabase(tmp_path / "hatsize.db")
    database.open()
    yield database
    database.close()


@pytest.mark.parametrize("kind", RECORDS, ids=lambda kind: kind.table)
def test_every_field_of_a_record_has_a_column(kind):
    assert [column.name for column in TABLES[kind.table].columns] == list(kind.__struct_fields__)


@pytest.mark.parametrize("kind", RECORDS, ids=lambda kind: kind.table)
def test_a_row_is_found_by_tailnet_and_id(kind):
    assert [column.name for column in TABLES[kind.table].primary_key] == ["tailnet", "id"]


def test_the_samples_leave_no_field_at_its_default():
    plain = [
        f"{record.table}.{field.name}"
        for record in one_of_each(2)
        for field in msgspec.structs.fields(record)
        if not field.required and getattr(record, field.name) in (field.default, _made(field))
    ]
    assert plain == []


def _made(field):
    return None if field.default_factory is msgspec.NODEFAULT else field.default_factory()


def described(connection):
    """Each table's columns, keys and rules, as the database tells them."""
    tables = inspect(connection)
    return {
        name: (
            {c["name"]: (str(c["type"]), c["nullable"]) for c in tables.get_columns(name)},
            tables.get_pk_constraint(name)["constrained_columns"],
            {u["name"]: u["column_names"] for u in tables.get_unique_constraints(name)},
            {f["name"]: (f["constrained_columns"], f["referred_table"]) for f in tables.get_foreign_keys(name)},
            {i["name"]: i["column_names"] for i in tables.get_indexes(name)},
        )
        for name in tables.get_table_names()
        if name != migrate.CORE.version_table
    }


def both_ways(migrated, generated):
    migrate.upgrade(migrated)
    with generated.writing() as connection:
        metadata.create_all(connection)
    with migrated.reading() as one, generated.reading() as two:
        return described(one), described(two)


def test_the_migrations_make_just_these_tables_on_sqlite(database, tmp_path):
    generated = SqliteDatabase(tmp_path / "generated.db")
    generated.open()
    migrated, wanted = both_ways(database, generated)
    generated.close()
    assert migrated == wanted


@pytest.mark.postgres
def test_the_migrations_make_just_these_tables_on_postgresql(postgres_server):
    from sqlalchemy import make_url

    from hatsize.builtin.storage.postgres import PostgresDatabase

    two = [PostgresDatabase(make_url(postgres_server.new_database())) for _ in range(2)]
    for database in two:
        database.open()
    migrated, wanted = both_ways(*two)
    for database in two:
        database.close()
    assert migrated == wanted


def test_the_newest_migration_is_the_one_the_program_names(database):
    from alembic.script import ScriptDirectory

    assert ScriptDirectory(str(migrate.CORE.location)).get_heads() == [HEAD]


def test_a_current_schema_is_left_alone(database, monkeypatch):
    migrate.upgrade(database)
    monkeypatch.setattr(migrate, "_upgrade", None)
    migrate.upgrade(database)


def test_a_newer_schema_is_refused_with_the_mend(database):
    migrate.upgrade(database)
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE schema_core SET version_num = '9999'")
    with pytest.raises(StorageError, match=rf"written by a newer Hatsize .schema 9999, this one knows up to {HEAD}."):
        migrate.upgrade(database)


def test_a_plugin_has_a_line_of_migrations_of_its_own(database, tmp_path):
    location = tmp_path / "migrations"
    (location / "versions").mkdir(parents=True)
    (location / "env.py").write_text((migrate.CORE.location / "env.py").read_text())
    (location / "versions" / "a1.py").write_text(
        'from alembic import op\nimport sqlalchemy as sa\nrevision = "a1"\ndown_revision = None\n'
        'branch_labels = ("lease",)\ndef upgrade():\n    op.create_table("lease", sa.Column("holder", sa.Text))\n'
    )
    migrate.upgrade(database)
    migrate.upgrade(database, migrate.Branch("lease", location, "a1"))
    with database.reading() as connection:
        assert inspect(connection).has_table("lease")
        assert migrate.current(connection) == HEAD


def test_a_migration_that_fails_leaves_nothing_behind(database, tmp_path):
    location = tmp_path / "migrations"
    (location / "versions").mkdir(parents=True)
    (location / "env.py").write_text((migrate.CORE.location / "env.py").read_text())
    (location / "versions" / "a1.py").write_text(
        'from alembic import op\nimport sqlalchemy as sa\nrevision = "a1"\ndown_revision = None\n'
        'branch_labels = ("lease",)\ndef upgrade():\n    op.create_table("lease", sa.Column("holder", sa.Text))\n'
        '    op.execute("SELECT nonsense")\n'
    )
    with pytest.raises(StorageError, match="nonsense"):
        migrate.upgrade(database, migrate.Branch("lease", location, "a1"))
    with database.reading() as connection:
        assert inspect(connection).get_table_names() == []


def test_equal_types_share_compiled_statements():
    assert [kind().cache_ok for kind in (UtcTime, Json)] == [True, True]
    assert Choice.cache_ok
