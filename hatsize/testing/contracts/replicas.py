"""The contract of what makes several processes one server, as tests. Subclass it and say how yours is made:

class TestMine(ReplicationContract):
    @pytest.fixture
    def replication(self):
        return Mine()

Nothing runs beside it here: what it promises holds before the process is one of several, too.
"""

import time

import pytest

from hatsize.hooks.replicas import Replication
from hatsize.testing.memory import MemoryStorage

AT_ONCE = 0.1
"""Seconds that a method may take which the event loop waits for."""
NOBODY = 999_999
"""The id of no node."""


class ReplicationContract:
    """What every replication service promises: secrets that all replicas share, and answers that nobody waits for."""

    @pytest.fixture
    def anyio_backend(self) -> str:
        return "asyncio"

    @pytest.fixture
    def replication(self) -> Replication:
        raise NotImplementedError("the subclass supplies `replication`")

    def test_the_first_to_bring_a_secret_decides_what_it_is(self, replication: Replication) -> None:
        storage = MemoryStorage()
        secrets = [replication.shared_secret(storage, "noise", ours) for ours in (b"first", b"second")]
        assert secrets == [b"first", b"first"]
        assert replication.shared_secret(storage, "mesh", b"third") == b"third"

    def test_another_storage_has_other_secrets(self, replication: Replication) -> None:
        replication.shared_secret(MemoryStorage(), "noise", b"first")
        assert replication.shared_secret(MemoryStorage(), "noise", b"second") == b"second"

    def test_a_duty_is_ours_or_not_at_once(self, replication: Replication) -> None:
        started = time.monotonic()
        answers = [replication.is_ours("door:sweeping"), replication.is_ours("a duty nobody has heard of")]
        assert {type(answer) for answer in answers} == {bool}
        assert isinstance(replication.is_followed(), bool)
        assert time.monotonic() - started < AT_ONCE

    def test_it_is_told_what_happens_here_at_any_time(self, replication: Replication) -> None:
        started = time.monotonic()
        replication.here(NOBODY, connected=True)
        replication.here(NOBODY, connected=False)
        replication.found()
        assert time.monotonic() - started < AT_ONCE

    @pytest.mark.anyio
    async def test_a_node_that_is_connected_nowhere_does_not_answer(self, replication: Replication) -> None:
        started = time.monotonic()
        assert await replication.ask(NOBODY, "disco", b"", within=0.5) is None
        assert time.monotonic() - started < 0.5 + AT_ONCE
