"""PostgreSQL under the storage's contract, and what is its own: sessions, notifications, lost connections."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text

from hatsize.builtin.storage.errors import LostConnectionError
from hatsize.builtin.storage.plugin import database_of
from hatsize.builtin.storage.store import SqlStorage
from hatsize.hooks.storage import ConflictError, StorageError
from hatsize.testing.contracts.storage import StorageContract
from hatsize.testing.contracts.storage_samples import a_tailnet, a_user, change

pytestmark = pytest.mark.postgres


def storage_at(url):
    return SqlStorage(database_of(url, Path()))


class TestPostgresContract(StorageContract):
    @pytest.fixture
    def new_storage(self, postgres_url):
        return lambda: storage_at(postgres_url)


@pytest.fixture
def storage(postgres_url):
    storage = storage_at(postgres_url)
    storage.open()
    yield storage
    storage.close()


def sessions_end(storage):
    """As a restart of the server would: every connection of the storage is cut."""
    other = storage_at(storage.database.url.render_as_string(hide_password=False))
    other.database.open()
    with other.database.writing() as connection:
        cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = :name"
        connection.execute(text(cut), {"name": storage.database.url.database})
    other.close()


def test_a_cut_connection_is_replaced_unnoticed(storage):
    storage.commit([change(a_tailnet())], 0)
    sessions_end(storage)
    assert storage.commit([change(a_user())], 1) == 2
    sessions_end(storage)
    assert storage.load(1).seq == 2


def test_a_cut_waiter_goes_on_waiting(storage):
    storage.commit([change(a_tailnet())], 0)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(storage.wait, 1, 1, 20.0)
        until_somebody_listens(storage)
        sessions_end(storage)
        storage.commit([change(a_user())], 1)
        assert waiting.result(10) == 2


def until_somebody_listens(storage):
    listeners = text("SELECT count(*) FROM pg_stat_activity WHERE state = 'idle' AND query LIKE 'SELECT counter%'")
    for _ in range(500):
        with storage.database.writing() as connection:
            if connection.scalar(listeners):
                return
    raise AssertionError("nobody listens")


def loses_answers(storage, monkeypatch, *errors):
    """Attempts to write end in these errors, the last one after it was kept."""
    write, errors = storage._write, list(errors)

    def unanswered(made):
        error = errors.pop(0)
        if not errors:
            write(made)
        raise error("cut")

    monkeypatch.setattr(storage, "_write", unanswered)


def test_a_commit_whose_answer_was_lost_is_not_made_twice(storage, monkeypatch):
    loses_answers(storage, monkeypatch, LostConnectionError)
    assert storage.commit([change(a_tailnet()), change(a_user(), deletes=[("user", 2)])], 0) == 2
    assert [c.seq for c in storage.changes(1, 0)] == [1, 2]


def test_a_commit_kept_while_it_is_tried_again_is_answered_too(storage, monkeypatch):
    loses_answers(storage, monkeypatch, LostConnectionError, ConflictError)
    assert storage.commit([change(a_tailnet())], 0) == 1


def test_a_lost_commit_that_another_process_came_before_is_a_conflict(storage, monkeypatch):
    storage.commit([change(a_user())], 0)
    monkeypatch.setattr(storage, "_write", raises_first(storage._write, LostConnectionError("cut")))
    with pytest.raises(ConflictError):
        storage.commit([change(a_tailnet())], 0)


def raises_first(function, error):
    """The function, but for its first call."""
    errors = [error]

    def called(*arguments):
        if errors:
            raise errors.pop()
        return function(*arguments)

    return called


def run(storage, *statements):
    """Statements in one writing transaction."""
    with storage.database.writing() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def test_a_slow_query_ends_in_words(storage):
    with pytest.raises(StorageError, match="the query took too long"):
        run(storage, "SET LOCAL statement_timeout = '10ms'", "SELECT pg_sleep(5)")
    assert storage.load(1).seq == 0


def test_a_locked_row_ends_in_words(storage):
    storage.commit([change(a_tailnet())], 0)
    with storage.database.writing() as holder:
        holder.exec_driver_sql("SELECT * FROM counter FOR UPDATE")
        with pytest.raises(StorageError, match="another process holds the rows locked"):
            run(storage, "SET LOCAL lock_timeout = '10ms'", "SELECT * FROM counter FOR UPDATE")
    assert storage.commit([change(a_user())], 1) == 2


def test_a_read_only_server_ends_in_words(storage):
    with pytest.raises(StorageError, match="the server is read-only"):
        run(storage, "SET TRANSACTION READ ONLY", "DELETE FROM counter")
    assert storage.commit([change(a_tailnet())], 0) == 1


def test_no_server_is_told_in_words_without_the_password(tmp_path):
    storage = storage_at(f"postgresql://hatsize:hunter2@/x?host={tmp_path}")
    with pytest.raises(StorageError) as told:
        storage.open()
    assert str(told.value).startswith("database postgresql://hatsize:***@/x: the server cannot be reached (")
    assert "hunter2" not in str(told.value)


def test_the_server_restarting_is_survived(postgres_server, storage):
    storage.commit([change(a_tailnet())], 0)
    postgres_server.kill()
    try:
        with pytest.raises(StorageError):
            storage.commit([change(a_user())], 1)
    finally:
        postgres_server.start()
    assert storage.commit([change(a_user())], 1) == 2
