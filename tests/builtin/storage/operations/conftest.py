from pathlib import Path

import pytest

from hatsize.builtin.storage.operations.move import checksum
from hatsize.builtin.storage.plugin import database_of
from hatsize.builtin.storage.store import SqlStorage
from hatsize.testing.contracts.storage_samples import a_node, a_tailnet, a_user, change, one_of_each


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def new_storage(request, tmp_path):
    """Opens storages over databases of their own, of one engine."""
    opened = []

    def new(engine=request.param):
        made = tmp_path / f"{len(opened)}"
        url = "" if engine == "sqlite" else request.getfixturevalue("postgres_server").new_database()
        opened.append(SqlStorage(database_of(url, made)))
        opened[-1].open()
        return opened[-1]

    yield new
    for storage in opened:
        storage.close()


@pytest.fixture
def storage(new_storage):
    storage = new_storage()
    storage.commit([change(*one_of_each())], 0)
    storage.commit([change(a_user(2), a_node(2)), change(deletes=[("user", 2)])], 1)
    storage.commit([change(a_tailnet(2), tailnet=2)], 0)
    storage.write_secret("noise", b"\x00\x01")
    return storage


@pytest.fixture
def execute():
    """Carries out a statement behind a storage's back."""

    def executed(storage, statement):
        with storage.database.writing() as connection:
            connection.exec_driver_sql(statement)

    return executed


@pytest.fixture
def sums():
    """The checksum of an open database, or of an SQLite file."""

    def summed(database):
        if isinstance(database, Path):
            file = database_of(f"sqlite:///{database}", database.parent)
            file.open()
            found = summed(file)
            file.close()
            return found
        with database.reading() as connection:
            return checksum(connection)

    return summed
