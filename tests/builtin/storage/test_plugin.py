"""Which storage a URL means."""

import pytest

from hatsize.builtin.storage import plugin
from hatsize.builtin.storage.plugin import SqlStorageFactory, database_of
from hatsize.hooks.storage import StorageError, StorageFactory, StorageOptions


def test_registers_through_the_hook(tmp_path):
    assert plugin.hatsize_register_storage.hatsize_impl
    factory: StorageFactory = plugin.hatsize_register_storage()
    storage = factory.create(StorageOptions(url="", data_dir=str(tmp_path)))
    storage.open()
    storage.close()
    assert (tmp_path / "hatsize.db").exists()


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("", "/var/lib/hatsize/hatsize.db"),
        ("sqlite:///other.db", "/var/lib/hatsize/other.db"),
        ("sqlite:////srv/net.db", "/srv/net.db"),
    ],
)
def test_a_file_is_looked_for_in_the_data_directory(tmp_path, url, path):
    from pathlib import Path

    assert database_of(url, Path("/var/lib/hatsize")).path == Path(path)


@pytest.mark.parametrize("url", ["postgresql://u@db.example/hatsize", "postgresql+psycopg://u@db.example/hatsize"])
def test_postgresql_is_reached_by_its_own_url(tmp_path, url):
    pytest.importorskip("psycopg")
    database = database_of(url, tmp_path)
    assert (database.name, database.where) == ("postgresql", "database postgresql://u@db.example/hatsize")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("no url", "database.url is not a URL"),
        ("mysql://db/x", "mysql is not known; there is: sqlite, postgresql"),
        ("sqlite://", "name a file"),
        ("sqlite:///:memory:", "name a file"),
    ],
)
def test_what_is_no_url_of_ours_is_refused(tmp_path, url, words):
    with pytest.raises(StorageError, match=words):
        SqlStorageFactory().create(StorageOptions(url=url, data_dir=str(tmp_path)))


def test_a_url_is_never_quoted_whole(tmp_path):
    with pytest.raises(StorageError) as told:
        database_of("mysql://user:hunter2@db/x", tmp_path)
    assert "hunter2" not in str(told.value)
