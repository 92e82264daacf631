"""What a plugin keeps, read by its commands from the storage itself."""

from datetime import UTC, datetime

import pytest

from hatsize.builtin.storage.plugin import database_of
from hatsize.builtin.storage.store import SqlStorage
from hatsize.hooks.storage import StorageError
from hatsize.server.stored_items import stored_items
from hatsize.tailnet.model import PluginItem
from hatsize.testing.contracts.storage_samples import a_tailnet, change

PAST = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def storage(tmp_path):
    return SqlStorage(database_of("", tmp_path))


def test_they_are_the_plugins_own_and_not_over(storage):
    items = (
        PluginItem(id=1, plugin="door", key="mood", value=b"good"),
        PluginItem(id=2, plugin="door", key="former", value=b"bad", expires=PAST),
        PluginItem(id=3, plugin="lock", key="mood", value=b"stuck"),
    )
    storage.open()
    storage.commit([change(a_tailnet(), *items)], 0)
    storage.close()
    assert stored_items(storage, "door") == {"mood": b"good"}
    assert stored_items(storage, "door") == {"mood": b"good"}, "it is closed again"


def test_before_the_first_start_there_are_none(storage):
    assert stored_items(storage, "door") == {}


def test_a_storage_that_cannot_be_opened_says_why(tmp_path):
    (tmp_path / "hatsize.db").write_text("no database at all, and long enough to be looked at as one" * 100)
    with pytest.raises(StorageError, match="not an SQLite database"):
        stored_items(SqlStorage(database_of("", tmp_path)), "door")
