"""The change log cut short."""

from datetime import timedelta

import msgspec
import pytest

from hatsize.builtin.storage.operations.check import check
from hatsize.builtin.storage.operations.trim import trim
from hatsize.hooks.storage import LogTrimmedError
from hatsize.testing.contracts.storage_samples import NOON, a_user, change


def test_a_trimmed_log_goes_on_and_says_where_it_begins(storage):
    later = msgspec.structs.replace(change(a_user(3)), at=NOON + timedelta(days=2))
    storage.commit([later], 3)
    assert trim(storage.database, NOON + timedelta(days=1)) == 3
    assert [c.seq for c in storage.changes(1, 3)] == [4]
    with pytest.raises(LogTrimmedError, match="tailnet 1 no longer reaches back to 2: load it anew"):
        storage.changes(1, 2)
    assert check(storage.database) == []


def test_the_last_change_of_a_tailnet_is_never_trimmed(storage):
    trim(storage.database, NOON + timedelta(days=365))
    assert [[c.seq for c in storage.changes(tailnet, after)] for tailnet, after in ((1, 2), (2, 0))] == [[3], [1]]
    assert storage.commit([change(a_user(3))], 3) == 4
