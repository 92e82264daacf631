"""The contract of every storage, and what is special about a journal."""

import pytest
from hatsize_journal_storage.plugin import JournalStorage, plugin

from hatsize.hooks.manager import Plugins
from hatsize.hooks.storage import StorageError, StorageOptions
from hatsize.testing.contracts.storage import StorageContract
from hatsize.testing.contracts.storage_samples import a_tailnet, a_user, change


class TestJournalStorage(StorageContract):
    @pytest.fixture
    def new_storage(self, tmp_path):
        return lambda: JournalStorage(tmp_path)


def test_half_a_line_is_no_commit(tmp_path):
    storage = JournalStorage(tmp_path)
    storage.open()
    storage.commit([change(a_tailnet())], 0)
    with (tmp_path / "journal.jsonl").open("ab") as file:
        file.write(b'[{"tailnet":1,"kin')
    again = JournalStorage(tmp_path)
    again.open()
    assert again.load(1).seq == 1
    assert again.commit([change(a_user())], 1) == 2
    assert storage.load(1).seq == 2


def test_it_is_chosen_by_its_scheme(tmp_path):
    plugins = Plugins()
    plugins.add(plugin, "journal-storage")
    factory = plugins.service("storage", "journal")
    factory.create(StorageOptions(f"journal://{tmp_path}/journal", str(tmp_path))).open()
    assert (tmp_path / "journal" / "journal.jsonl").exists()


def test_a_url_without_a_folder_is_told(tmp_path):
    with pytest.raises(StorageError, match="names no folder; give one such as journal:///"):
        plugin.hatsize_register_storage().create(StorageOptions("journal://", str(tmp_path)))
