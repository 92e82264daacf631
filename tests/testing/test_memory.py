"""The storage in memory keeps the contract of storages, as far as it lives."""

import pytest

from hatsize.testing.contracts.storage import StorageContract
from hatsize.testing.memory import MemoryStorage


class TestMemoryStorage(StorageContract):
    @pytest.fixture
    def new_storage(self):
        one = MemoryStorage()
        return lambda: one
