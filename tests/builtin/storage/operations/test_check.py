"""What does not hold together is found and named."""

from datetime import timedelta

import pytest

from hatsize.builtin.storage.operations.check import check
from hatsize.builtin.storage.operations.trim import trim
from hatsize.testing.contracts.storage_samples import NOON


def test_a_sound_database_has_no_findings(storage):
    assert check(storage.database) == []


@pytest.mark.parametrize(
    ("damage", "finding"),
    [
        (
            "UPDATE node SET tags = '[]', user_id = 9 WHERE id = 2",
            "node 2 (node-2) is owned by user 9, who is not there",
        ),
        ("UPDATE node SET ipv4 = 'fd7a:115c:a1e0::1' WHERE id = 2", "address fd7a:115c:a1e0::1 is held 2 times"),
        ("UPDATE service SET addresses = '[\"100.64.0.2\"]'", "address 100.64.0.2 is held 2 times"),
        ("UPDATE credential SET kind = 'auth', reusable = false", "auth key 1 is for one use, but was used 2 times"),
        ("DELETE FROM change WHERE tailnet = 1", "the log is empty, but the last number given out is 3"),
        ("DELETE FROM node WHERE id = 2", "node 2 is in the log, but not there"),
        ("UPDATE node SET id = 1 - id WHERE id = 2", "node -1 is there, but the log never put it"),
        (
            "UPDATE change SET puts = '{}', deletes = '{\"node\": [2]}' WHERE seq = 3",
            "node 2 is there, but the log deleted",
        ),
        ("DELETE FROM change WHERE tailnet = 1 AND seq = 2", "the log has 2 changes between 1 and 3"),
        (
            "UPDATE counter SET last = 7 WHERE tailnet = 1 AND name = 'change'",
            "the log ends at 3, but the last number given",
        ),
        (
            "UPDATE counter SET last = 1 WHERE tailnet = 1 AND name = 'node'",
            "node 2 is there, but the last id given out is 1",
        ),
        ("UPDATE credential SET user_id = 9, revoked = NULL", "credential 1 belongs to user 9, who is not there"),
        ("UPDATE share SET node_id = 9", "share 1 is of node 9, which is not there"),
        ("DELETE FROM tailnet WHERE id = 1", "tailnet 1: is not there, but has rows in node"),
    ],
)
def test_finds_what_does_not_hold_together(storage, damage, finding, execute):
    execute(storage, damage)
    assert [found for found in check(storage.database) if finding in found]


def test_finds_twins_that_a_lost_constraint_let_in(storage, execute):
    if storage.name == "sqlite":
        execute(storage, "CREATE TABLE twins AS SELECT * FROM node")
        execute(storage, "DROP TABLE node")
        execute(storage, "ALTER TABLE twins RENAME TO node")
    else:
        execute(storage, "ALTER TABLE node DROP CONSTRAINT uq_node_given_name")
    execute(storage, "UPDATE node SET given_name = 'twin' WHERE tailnet = 1")
    assert "2 rows of node have the same given_name: twin" in check(storage.database)


def test_a_log_that_was_cut_short_is_no_finding(storage):
    trim(storage.database, NOON + timedelta(days=1))
    assert check(storage.database) == []
