"""What `hatsize db status` tells."""

from hatsize.builtin.storage.operations.status import status
from hatsize.builtin.storage.plugin import database_of
from hatsize.builtin.storage.schema import HEAD


def test_status_tells_what_there_is(storage):
    now = status(storage.database)
    assert (now.engine, now.current, now.schema, now.program) == (storage.name, True, HEAD, HEAD)
    assert now.size > 10_000
    assert [(t.id, t.name, t.seq, t.log_from, t.rows["node"]) for t in now.tailnets] == [
        (1, "tailnet1.example", 3, 1, 2),
        (2, "tailnet2.example", 1, 1, 0),
    ]


def test_status_of_an_empty_database_makes_nothing(tmp_path):
    database = database_of("", tmp_path)
    database.open()
    assert (status(database).schema, status(database).tailnets) == (None, ())
    database.close()
