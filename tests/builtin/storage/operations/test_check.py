"""What does not hold together is found and named."""

import pytest

from hatsize.builtin.storage.operations.check import check


def test_a_sound_database_has_no_findings(storage):
    assert check(storage.database) == []


@pytest.mark.parametrize(
    ("damage", "finding"),
    [
        (
            "UPDATE node SET tags = '[]', user_id = 9 WHERE id = 2",
            "node 2 (node-2) is owned by user 9, who is not there",
        ),
        ("UPDATE node SET ipv4 = 'fd7a:115c:a1e0::1' WHERE id = 2", "address fd7a:115c:a1e0::1 is held by 2 nodes"),
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
