"""The contract of a storage, as tests. Subclass it and say how your storage is made:

    class TestMyStorage(StorageContract):
        @pytest.fixture
        def new_storage(self, tmp_path):
            return lambda: MyStorage(tmp_path)

`new_storage` makes storages, not open yet, over one and the same place, which is empty when a test begins.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import timedelta

import msgspec
import pytest

from hatsize.hooks.storage import ConflictError, LogTrimmedError, Storage, StorageError
from hatsize.tailnet.model import Change, Record
from hatsize.testing.contracts.storage_samples import (
    NOON,
    a_credential,
    a_node,
    a_tailnet,
    a_user,
    change,
    one_of_each,
)

DAY = timedelta(days=1)
WAIT = 20.0
"""More than any storage should need; a test that waits this long has failed."""


class StorageContract:
    """What every storage promises."""

    @pytest.fixture
    def new_storage(self) -> Callable[[], Storage]:
        raise NotImplementedError("the subclass supplies `new_storage`")

    @pytest.fixture
    def open_storage(self, new_storage: Callable[[], Storage]) -> Iterator[Callable[[], Storage]]:
        """Opens another storage over the same place, as a second process would."""
        with ExitStack() as stack:

            def opened() -> Storage:
                storage = new_storage()
                storage.open()
                return stack.enter_context(closing(storage))

            yield opened

    @pytest.fixture
    def storage(self, open_storage: Callable[[], Storage]) -> Storage:
        return open_storage()

    # What an empty one says.

    def test_has_a_name(self, storage: Storage) -> None:
        assert storage.name

    def test_is_empty_at_first(self, storage: Storage) -> None:
        assert list(storage.tailnets()) == []
        snapshot = storage.load(1)
        assert (snapshot.seq, list(snapshot.records), snapshot.last_ids) == (0, [], {})

    def test_an_empty_log_has_no_changes(self, storage: Storage) -> None:
        assert list(storage.changes(1, 0)) == []

    # What was committed is there, whole, and stays.

    def test_gives_back_every_field_of_every_record(self, storage: Storage) -> None:
        records = one_of_each()
        storage.commit([change(*records)], 0)
        assert _sorted(storage.load(1).records) == _sorted(records)

    def test_keeps_what_was_committed_over_a_restart(self, open_storage: Callable[[], Storage]) -> None:
        first = open_storage()
        first.commit([change(*one_of_each())], 0)
        first.close()
        second = open_storage()
        assert second.load(1).seq == 1
        assert _sorted(second.load(1).records) == _sorted(one_of_each())

    def test_an_emptied_field_is_empty_again(self, storage: Storage) -> None:
        bare = msgspec.structs.replace(a_node(), ipv4=None, key_expiry=None, tags=(), attributes={}, key_signature=b"")
        storage.commit([change(a_tailnet(), a_node())], 0)
        storage.commit([change(bare)], 1)
        assert bare in storage.load(1).records

    def test_a_later_change_of_a_commit_wins(self, storage: Storage) -> None:
        renamed = msgspec.structs.replace(a_user(), name="other")
        assert storage.commit([change(a_tailnet(), a_user()), change(renamed)], 0) == 2
        assert renamed in storage.load(1).records

    def test_a_deleted_row_is_gone(self, storage: Storage) -> None:
        storage.commit([change(a_tailnet(), a_user(1), a_user(2))], 0)
        storage.commit([change(deletes=[("user", 1)])], 1)
        assert _sorted(storage.load(1).records) == _sorted([a_tailnet(), a_user(2)])

    def test_deleting_what_is_not_there_is_no_error(self, storage: Storage) -> None:
        assert storage.commit([change(a_tailnet(), deletes=[("user", 9)])], 0) == 1

    def test_a_deleted_id_is_remembered(self, storage: Storage) -> None:
        storage.commit([change(a_tailnet(), a_user(7))], 0)
        storage.commit([change(a_user(3), deletes=[("user", 7)])], 1)
        assert storage.load(1).last_ids["user"] == 7

    def test_lists_the_tailnets(self, storage: Storage) -> None:
        storage.commit([change(a_tailnet(1))], 0)
        storage.commit([change(a_tailnet(2), tailnet=2)], 0)
        assert list(storage.tailnets()) == [a_tailnet(1), a_tailnet(2)]

    def test_tailnets_do_not_mix(self, storage: Storage) -> None:
        storage.commit([change(a_tailnet(1), a_user(1, 1))], 0)
        storage.commit([change(a_tailnet(2), a_user(1, 2), tailnet=2)], 0)
        storage.commit([change(deletes=[("user", 1)], tailnet=2)], 1)
        assert _sorted(storage.load(1).records) == _sorted([a_tailnet(1), a_user(1, 1)])
        assert list(storage.load(2).records) == [a_tailnet(2)]
        assert (storage.load(1).seq, storage.load(2).seq) == (1, 2)

    def test_two_rows_may_swap_what_is_unique(self, storage: Storage) -> None:
        one, two = a_node(1), a_node(2)
        storage.commit([change(a_tailnet(), one, two)], 0)
        swapped = (
            msgspec.structs.replace(one, given_name=two.given_name, ipv4=two.ipv4),
            msgspec.structs.replace(two, given_name=one.given_name, ipv4=one.ipv4),
        )
        storage.commit([change(*swapped)], 1)
        assert _sorted(storage.load(1).records) == _sorted([a_tailnet(), *swapped])

    # The log.

    def test_numbers_changes_without_holes(self, storage: Storage) -> None:
        assert storage.commit([change(a_tailnet())], 0) == 1
        assert storage.commit([change(a_user(1)), change(a_user(2))], 1) == 3
        assert [c.seq for c in storage.changes(1, 0)] == [1, 2, 3]

    def test_the_log_tells_what_happened(self, storage: Storage) -> None:
        made = change(a_tailnet(), a_user(1), a_node(1), kind="node.registered")
        storage.commit([made], 0)
        assert list(storage.changes(1, 0)) == [msgspec.structs.replace(made, seq=1)]

    def test_the_log_begins_after_the_number_asked_for(self, storage: Storage) -> None:
        storage.commit([change(a_tailnet()), change(a_user(1)), change(a_user(2))], 0)
        assert [c.seq for c in storage.changes(1, 2)] == [3]
        assert list(storage.changes(1, 3)) == []

    def test_the_log_shows_rows_as_they_are_now(self, storage: Storage) -> None:
        renamed = msgspec.structs.replace(a_user(), name="other")
        storage.commit([change(a_tailnet()), change(a_user(1), a_user(2))], 0)
        storage.commit([change(renamed), change(deletes=[("user", 2)])], 2)
        logged = storage.changes(1, 1)
        assert [c.puts for c in logged] == [(renamed,), (renamed,), ()]
        assert [c.deletes for c in logged] == [(), (), (("user", 2),)]

    # Optimistic commits.

    def test_refuses_who_has_not_seen_the_last_change(self, storage: Storage) -> None:
        storage.commit([change(a_tailnet())], 0)
        with pytest.raises(ConflictError):
            storage.commit([change(a_user())], 0)

    def test_refuses_who_claims_to_have_seen_more_than_there_is(self, storage: Storage) -> None:
        with pytest.raises(ConflictError):
            storage.commit([change(a_tailnet())], 4)

    def test_keeps_nothing_of_a_refused_commit(self, storage: Storage) -> None:
        storage.commit([change(a_tailnet())], 0)
        with pytest.raises(ConflictError):
            storage.commit([change(a_user(1)), change(a_user(2))], 0)
        assert (storage.load(1).seq, list(storage.load(1).records)) == (1, [a_tailnet()])
        assert storage.commit([change(a_user(1))], 1) == 2

    def test_of_two_processes_one_is_first(self, open_storage: Callable[[], Storage]) -> None:
        one, two = open_storage(), open_storage()
        one.commit([change(a_tailnet())], 0)
        assert two.commit([change(a_credential(1))], 1) == 2
        with pytest.raises(ConflictError):
            one.commit([change(a_credential(2))], 1)
        assert [c.seq for c in one.changes(1, 1)] == [2]

    def test_no_number_is_given_twice_in_a_race(self, open_storage: Callable[[], Storage]) -> None:
        racers = [open_storage() for _ in range(3)]
        racers[0].commit([change(a_tailnet())], 0)
        with ThreadPoolExecutor(len(racers)) as pool:
            won = [n for numbers in pool.map(_race, racers) for n in numbers]
        assert sorted(won) == list(range(2, 2 + len(won)))
        assert racers[0].load(1).seq == 1 + len(won)

    # Waiting.

    def test_waiting_for_the_past_returns_at_once(self, storage: Storage) -> None:
        storage.commit([change(a_tailnet()), change(a_user())], 0)
        assert storage.wait(1, 0, WAIT) == 2

    def test_waiting_in_vain_ends(self, storage: Storage) -> None:
        storage.commit([change(a_tailnet())], 0)
        assert storage.wait(1, 1, 0.05) == 1

    def test_wakes_for_a_commit(self, storage: Storage) -> None:
        storage.commit([change(a_tailnet())], 0)
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(storage.wait, 1, 1, WAIT)
            storage.commit([change(a_user())], 1)
            assert waiting.result(WAIT) == 2

    def test_wakes_for_another_process(self, open_storage: Callable[[], Storage]) -> None:
        one, two = open_storage(), open_storage()
        one.commit([change(a_tailnet())], 0)
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(two.wait, 1, 1, WAIT)
            one.commit([change(a_user())], 1)
            assert waiting.result(WAIT) == 2

    def test_a_waiter_holds_up_nobody(self, storage: Storage) -> None:
        storage.commit([change(a_tailnet(2), tailnet=2)], 0)
        done = threading.Event()
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(lambda: (storage.wait(1, 0, 0.5), done.is_set()))
            assert storage.load(2).seq == 1
            done.set()
            assert waiting.result(WAIT) == (0, True)

    def test_closing_lets_a_waiter_go(self, new_storage: Callable[[], Storage]) -> None:
        storage = new_storage()
        storage.open()
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(storage.wait, 1, 0, WAIT)
            storage.close()
            assert isinstance(waiting.exception(WAIT / 2), StorageError | None)

    # Secrets.

    def test_a_trimmed_log_reaches_back_to_the_time_asked_for(self, storage: Storage) -> None:
        storage.commit([change(a_tailnet()), _later(change(a_user()))], 0)
        assert storage.trim(NOON + DAY) == 1
        assert [entry.seq for entry in storage.changes(1, 1)] == [2]
        with pytest.raises(LogTrimmedError):
            storage.changes(1, 0)

    def test_the_last_change_is_kept_however_old(self, storage: Storage) -> None:
        storage.commit([change(a_tailnet()), change(a_user())], 0)
        assert storage.trim(NOON + DAY) == 1
        assert storage.load(1).seq == 2
        assert storage.commit([change(a_user(2))], 2) == 3

    def test_an_unwritten_secret_is_none(self, storage: Storage) -> None:
        assert storage.read_secret("noise") is None

    def test_the_first_to_write_a_secret_decides(self, open_storage: Callable[[], Storage]) -> None:
        one, two = open_storage(), open_storage()
        assert one.write_secret("noise", b"\x00first") == b"\x00first"
        assert two.write_secret("noise", b"second") == b"\x00first"
        assert two.read_secret("noise") == b"\x00first"


def _race(storage: Storage) -> list[int]:
    """Ten attempts to be next; the numbers won."""
    won = []
    for _ in range(10):
        seq = storage.wait(1, 0, WAIT)
        try:
            won.append(storage.commit([change(kind="test.raced")], seq))
        except ConflictError:
            continue
    return won


def _sorted(records: object) -> list[Record]:
    assert isinstance(records, list | tuple)
    return sorted(records, key=lambda record: (record.table, record.id))


def _later(change: Change) -> Change:
    """The change as it is made two days later."""
    return msgspec.structs.replace(change, at=NOON + 2 * DAY)
