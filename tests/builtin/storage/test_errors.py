"""Complaints of databases and drivers, in words."""

import sqlite3

import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, StatementError

from hatsize.builtin.storage.errors import LostConnectionError, ViolationError, in_words, sqlite_in_words
from hatsize.hooks.storage import ConflictError, StorageError


def told(error):
    with pytest.raises(StorageError) as caught, in_words("database x"):
        raise error
    return caught.value


class DriverError(Exception):
    """A driver's error, with an SQLSTATE."""

    def __init__(self, sqlstate, message="what the driver says\nDETAIL: a row's content"):
        super().__init__(message)
        self.sqlstate = sqlstate


def from_driver(sqlstate, **rest):
    return OperationalError("INSERT …", {"key": "secret"}, DriverError(sqlstate), **rest)


@pytest.mark.parametrize(
    ("sqlstate", "words"),
    [
        ("53100", "disk is full"),
        ("53300", "takes no more connections"),
        ("25006", "read-only"),
        ("57014", "took too long"),
        ("57P01", "restarting"),
        ("57P03", "restarting"),
        ("55P03", "holds the rows locked"),
        ("40P01", "changed the same rows"),
        ("28P01", "user or password"),
        ("3D000", "no such database"),
        ("42501", "lacks a privilege"),
        ("25P03", "waited too long"),
    ],
)
def test_postgresql_states_have_words_and_a_mend(sqlstate, words):
    error = told(from_driver(sqlstate))
    assert str(error).startswith("database x: ")
    assert words in str(error)
    assert ";" in str(error)


def test_an_unknown_complaint_is_told_without_the_row_it_quotes():
    assert str(told(from_driver("XX000"))) == "database x: what the driver says"


def test_a_server_out_of_reach_is_told_with_the_mend():
    error = told(from_driver(None, connection_invalidated=False))
    assert str(error) == "database x: the server cannot be reached (what the driver says); try again when it is back"


def test_a_row_that_is_not_what_it_should_be_is_told():
    assert (
        str(told(ValueError("'boss' is no Role"))) == "database x: a row cannot be read or written: 'boss' is no Role"
    )


def test_a_broken_connection_is_told_apart():
    assert isinstance(told(from_driver("57P01", connection_invalidated=True)), LostConnectionError)
    assert not isinstance(told(from_driver("53100")), LostConnectionError)


def test_a_broken_rule_is_told_apart():
    error = told(
        IntegrityError("INSERT", {}, sqlite3.IntegrityError("UNIQUE constraint failed: node.tailnet, node.ipv4"))
    )
    assert isinstance(error, ViolationError)
    assert str(error) == "database x: another node has the same ipv4"


def test_a_broken_rule_of_postgresql_is_found_by_its_name():
    driver = DriverError("23505")
    driver.diag = type("Diagnosis", (), {"constraint_name": "uq_pending_login_auth_id"})
    assert str(told(IntegrityError("INSERT", {}, driver))) == "database x: another pending login has the same auth id"


def test_a_rule_without_a_name_is_told_as_it_is():
    driver = DriverError("23503", "violates something\nDETAIL: 9")
    driver.diag = type("Diagnosis", (), {"constraint_name": None})
    assert "contradicts another one (violates something)" in str(told(IntegrityError("INSERT", {}, driver)))


def test_what_is_no_database_error_becomes_one():
    assert "too large" in str(told(OverflowError("Python int too large")))
    assert isinstance(told(StatementError("bad value", "INSERT", {}, None)), StorageError)


def test_ours_pass_untouched():
    error = ConflictError("gone on")
    assert told(error) is error


def test_errors_of_programs_are_not_hidden():
    with pytest.raises(KeyError), in_words("database x"):
        raise KeyError


def test_sqlite_alone_is_told_the_same_way(tmp_path):
    with (
        pytest.raises(StorageError, match="cannot be opened; check that the directory exists"),
        sqlite_in_words("file"),
    ):
        sqlite3.connect(tmp_path / "none" / "x.db")


def test_no_driver_text_at_all_still_has_a_name():
    assert str(told(DBAPIError("SELECT", {}, DriverError("XX", "")))) == "database x: DriverError"
