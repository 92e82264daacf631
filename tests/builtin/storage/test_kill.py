"""kill -9 again and again in ten thousand registrations: every node that was told yes is there, with its address."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hatsize.builtin.storage.operations.check import check
from hatsize.builtin.storage.plugin import database_of
from hatsize.builtin.storage.store import SqlStorage
from hatsize.tailnet.model import Node
from hatsize.testing.contracts.storage_samples import a_node

MANY = 10_000
REGISTRAR = """
import sys
from pathlib import Path
from hatsize.builtin.storage.plugin import database_of
from hatsize.builtin.storage.store import SqlStorage
from hatsize.testing.contracts.storage_samples import a_node, a_tailnet, a_user, change

storage = SqlStorage(database_of(sys.argv[1], Path(sys.argv[2])))
storage.open()
seq = storage.load(1).seq or storage.commit([change(a_tailnet(), a_user())], 0)
print("ready", flush=True)
while True:
    several = range(seq, seq + 1 + seq % 3)
    seq = storage.commit([change(a_node(number)) for number in several], seq)
    print(*several, sep="\\n", flush=True)
"""


def registered_until_killed(url, directory, seconds):
    """The numbers of the nodes that were answered before the process was killed."""
    command = [sys.executable, "-c", REGISTRAR, url, str(directory)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    time.sleep(seconds)
    process.kill()
    rest, _ = process.communicate()
    whole = rest[: rest.rfind("\n") + 1]
    return [int(line) for line in whole.split()]


def survive(url, directory):
    """Kill it until many have been answered; everything answered stays."""
    answered, chance = {}, random.Random(9)
    while len(answered) < MANY:
        answered |= {number: a_node(number) for number in registered_until_killed(url, directory, chance.uniform(0, 2))}
        storage = SqlStorage(database_of(url, Path(directory)))
        storage.open()
        snapshot = storage.load(1)
        findings = check(storage.database)
        storage.close()
        stored = {record.id: record for record in snapshot.records if isinstance(record, Node)}
        assert {number: stored.get(number) for number in answered} == answered
        assert len(stored) == snapshot.seq - 1
        assert findings == []


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_what_was_answered_survives_on_sqlite(tmp_path):
    survive("", tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.postgres
def test_what_was_answered_survives_on_postgresql(postgres_url, tmp_path):
    survive(postgres_url, tmp_path)


@pytest.mark.slow
@pytest.mark.postgres
def test_what_was_answered_survives_the_death_of_postgresql(postgres_server, tmp_path):
    url = postgres_server.new_database()
    storage = SqlStorage(database_of(url, tmp_path))
    storage.open()
    from hatsize.testing.contracts.storage_samples import a_tailnet, change

    seq = storage.commit([change(a_tailnet())], 0)
    for _ in range(3):
        for _ in range(20):
            seq = storage.commit([change(a_node(seq))], seq)
        postgres_server.kill()
        postgres_server.start()
    assert storage.load(1).seq == seq
    assert len(storage.load(1).records) == seq
    assert check(storage.database) == []
    storage.close()
